"""Folders that commands cannot use: told in one sentence, exit code 2, and nothing changed."""

import ctypes
import json
import os
import shutil
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from kolabsim.study.ledger import hold
from kolabsim.study.rows import FORMAT, LEDGER, Fact
from tests.study.kinds import KINDS, contents, run
from tests.terminal import kolabsim

pytestmark = pytest.mark.usefixtures("sketched_figures")


def refused_by_all(folder: Path, out: str, message: str, *, runs: str | None = None) -> None:
    """All commands refuse a folder with a message (``runs``: that of run), and change nothing."""
    before = contents(folder)
    for words in (("verify", out), ("results", out), ("run", "sweep.yaml", "--out", out)):
        done = kolabsim(*words, folder=folder)
        assert done.returncode == 2, (words, done)
        told = runs or message if words[0] == "run" else message
        assert told in done.stderr, (words, done.stderr)
        assert "Traceback" not in done.stderr
        assert contents(folder) == before, words


@pytest.fixture
def folder(study, tmp_path):
    """A folder with an experiment and its finished study, to be spoilt."""
    return Path(shutil.copytree(study("sweep"), tmp_path / "x"))


def test_a_folder_without_a_study(folder):
    (folder / "mine").mkdir()
    (folder / "mine/notes.txt").write_text("my own", encoding="utf-8")
    refused_by_all(
        folder, "mine", "there is no study in this folder", runs="this folder does not hold results"
    )
    refused_by_all(folder, "sweep.yaml", "this is a file; results are in a folder",
                   runs="this is a file; results need a folder")  # fmt: skip
    for command in ("verify", "results"):
        done = kolabsim(command, "missing", folder=folder)
        assert done.returncode == 2
        assert "missing: this folder does not exist" in done.stderr


@pytest.mark.parametrize("size", [0, 1, 50, 99, 100, 4095, 20_000])
def test_half_a_ledger(size, folder):
    ledger = folder / "out" / LEDGER
    ledger.write_bytes(ledger.read_bytes()[:size])
    refused_by_all(folder, "out", "ledger.sqlite: this ledger is damaged")


def test_a_file_that_is_no_ledger(folder):
    (folder / "out" / LEDGER).write_bytes(b"precious" * 1000)
    refused_by_all(folder, "out", "ledger.sqlite: this ledger is damaged")


def set_version(folder: Path, version: int) -> None:
    with closing(sqlite3.connect(folder / LEDGER)) as database, database:
        database.execute(f"PRAGMA user_version = {version}")


def test_a_ledger_of_a_later_version(folder):
    set_version(folder / "out", FORMAT + 1)
    refused_by_all(folder, "out", "a later version of kolabsim wrote this folder; use that one")


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_of_the_version_before_is_read(kind, study, tmp_path):
    """Its ledger does not know futures; its code is another one, so it is not continued."""
    folder = Path(shutil.copytree(study(kind), tmp_path / "x"))
    with hold(folder / "out") as ledger:
        ledger.put(Fact("identity", json.dumps(ledger.facts["identity"] | {"code": "before"})))
        about = {name: of for name, of in ledger.facts["study"].items() if name != "factors"}
        ledger.put(Fact("study", json.dumps(about)))
        ledger.remove(["futures.csv"])
    with closing(sqlite3.connect(folder / "out" / LEDGER)) as database, database:
        database.execute("DROP TABLE Settings")
        database.execute("PRAGMA user_version = 1")
    before = contents(folder / "out")
    done = kolabsim("verify", "out", folder=folder)
    assert done.returncode == 2
    assert "another version made these runs" in done.stderr
    done = kolabsim("results", "out", "--out", "export", folder=folder)
    assert done.returncode == 0, done.stderr
    assert "export/runs.csv" in done.stdout
    done = run(folder, kind)
    assert done.returncode == 2
    assert "another version of the model made them" in done.stderr
    assert contents(folder / "out") == before


def test_a_folder_of_the_first_edition(folder):
    shutil.rmtree(folder / "out")
    (folder / "out/parts").mkdir(parents=True)
    (folder / "out/study.json").write_text("{}", encoding="utf-8")
    refused_by_all(folder, "out", "an earlier version of kolabsim wrote these results",
                   runs="an earlier version wrote these results; add --fresh")  # fmt: skip


# Rights -------------------------------------------------------------------------------------------


@contextmanager
def rights_enforced():
    """Let the rights of files bind the administrator too, as they bind everybody else."""
    if os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "capset"):
        pytest.skip("the rights of files do not bind this user")
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    before, after = (ctypes.c_uint32 * 6)(), (ctypes.c_uint32 * 6)()
    libc.capget(header, before)
    libc.capget(header, after)
    after[0] &= ~0b111  # effective: to change owners, and to read and write whatever the rights
    if libc.capset(header, after):
        pytest.skip("the rights of files bind nobody here")
    try:
        yield
    finally:
        libc.capset(header, before)


@pytest.mark.parametrize("name", ["ledger.sqlite", "parts", "inputs"])
def test_a_folder_without_rights(name, folder):
    before = contents(folder)
    place = folder / "out" / name
    rights = place.stat().st_mode
    place.chmod(0)
    with rights_enforced():
        for words in (("verify", "out"), ("results", "out"), ("run", "sweep.yaml", "--out", "out")):
            if (words[0], name) == ("results", "inputs"):
                continue  # which it does not need
            done = kolabsim(*words, folder=folder)
            assert done.returncode == 2, (words, done)
            assert "Traceback" not in done.stderr
            assert any(told in done.stderr for told in ("cannot be opened", "Permission denied"))
    place.chmod(rights)
    assert contents(folder) == before


def test_a_folder_that_may_only_be_read(folder):
    before = contents(folder)
    places = [folder / "out", *(folder / "out").rglob("*")]
    rights = {place: place.stat().st_mode for place in places}
    for place in places:
        place.chmod(rights[place] & 0o555)
    with rights_enforced():
        assert kolabsim("verify", "out", "--sample", 1, folder=folder).returncode == 0
        for words in (("results", "out"), ("run", "sweep.yaml", "--out", "out")):
            done = kolabsim(*words, folder=folder)
            assert done.returncode == 2, (words, done)
            assert "Permission denied" in done.stderr
            assert "Traceback" not in done.stderr
    for place, mode in rights.items():
        place.chmod(mode)
    assert contents(folder) == before


# Names --------------------------------------------------------------------------------------------


def test_a_name_that_is_too_long(folder):
    name = "x" * 300
    before = contents(folder)
    for words in (("run", "sweep.yaml", "--out", name), ("results", "out", "--out", name),
                  ("results", name), ("verify", name)):  # fmt: skip
        done = kolabsim(*words, folder=folder)
        assert done.returncode == 2, (words, done)
        assert "Traceback" not in done.stderr
        assert "too long" in done.stderr
        assert contents(folder) == before


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
def test_a_name_that_is_no_text(folder):
    """A folder may have it; the files of an experiment, which the ledger lists, may not."""
    name = os.fsdecode(b"out\xff")
    try:
        (folder / "out").rename(folder / name)
    except OSError:
        pytest.skip("this disk holds only names in Unicode")
    for words in (("verify", name, "--sample", 1), ("run", "sweep.yaml", "--out", name),
                  ("results", name)):  # fmt: skip
        done = kolabsim(*words, folder=folder)
        assert done.returncode == 0, (words, done)
    (folder / "sweep.yaml").rename(folder / os.fsdecode(b"s\xff.yaml"))
    before = contents(folder)
    done = kolabsim("run", os.fsdecode(b"s\xff.yaml"), "--out", "other", folder=folder)
    assert done.returncode == 2
    assert "is not UTF-8; rename it" in done.stderr
    assert contents(folder) == before
    assert not (folder / "other").exists()
