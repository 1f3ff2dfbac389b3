"""Help and errors of usage: all words of the command line, in both languages."""

import re

import pytest

from kolabsim.cli import COMMANDS
from tests.terminal import kolabsim

ENGLISH = re.compile(
    r"\b(Usage|Options|Arguments|Commands|Show|default|required|the|of|and|with|COMMAND|"
    r"NUMBER|FILE|int|str|text|path|integer|missing|invalid|error|such)\b",
    re.IGNORECASE,
)
KEYS = re.compile(r"[\w-]*-[\w-]+|'[^']*'|FOLDER/export|results/\S+")
"""What is typed, which is the same in all languages."""


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_is_in_one_language(command, tmp_path):
    words = [command, "--help"] if command else ["--help"]
    english = kolabsim(*words, folder=tmp_path)
    indonesian = kolabsim(*words, "--lang", "id", folder=tmp_path)
    assert english.returncode == indonesian.returncode == 0
    assert english.stdout.startswith(f"Usage: kolabsim {command}".rstrip())
    assert indonesian.stdout.startswith(f"Cara pakai: kolabsim {command}".rstrip())
    assert not ENGLISH.search(KEYS.sub("", indonesian.stdout))
    options = re.compile(r"^  (--[\w-]+)", re.MULTILINE)
    assert options.findall(english.stdout) == options.findall(indonesian.stdout)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run"], "EKSPERIMEN belum diisi"),
        (["region", "34.71"], "opsi --scenario belum diisi"),
        (["verifi", "x"], "tidak ada perintah 'verifi'; apakah maksud Anda 'verify'?"),
        (["run", "x", "--runs", "many"], "--runs: tulis bilangan bulat"),
        (["app", "--port", "99999"], "--port: tulis bilangan bulat (dari 0 sampai 65535)"),
        (["run", "x", "--sed", "3"], "tidak ada opsi --sed; apakah maksud Anda '--seed'?"),
        (["run", "x", "--out"], "--out memerlukan nilai"),
        (["run", "x", "--quick=3"], "--quick tidak menerima nilai"),
        (["run", "x", "y"], "terlalu banyak argumen: y"),
        (["run", "nosuch"], "1 masalah"),
    ],
)
def test_errors_of_usage_are_in_the_language_of_the_machine(words, message, tmp_path, refused):
    printed = refused(kolabsim(*words, folder=tmp_path, LANG="id_ID.UTF-8"))
    assert message in printed
    assert not ENGLISH.search(KEYS.sub("", printed))


def test_other_languages_are_refused(tmp_path, refused):
    message = refused(kolabsim("list", "measures", "--lang", "fr", folder=tmp_path))
    assert "allowed: en, id" in message


def test_the_version_is_printed(tmp_path):
    assert kolabsim("--version", folder=tmp_path).stdout.startswith("kolabsim 0.")


def test_help_is_printed_if_nothing_is_typed(tmp_path):
    for words, start in (((), "Usage:"), (("--lang", "id"), "Cara pakai:")):
        done = kolabsim(*words, folder=tmp_path)
        assert done.returncode == 0
        assert done.stdout.startswith(start)
        assert done.stderr == ""
