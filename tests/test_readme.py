"""What the README shows is what happens: its code, its files and its commands are executed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
README = (TOP / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def execute(command, folder):
    words = [sys.executable, "-m", "kolabsim", *command.split()[1:]]
    return subprocess.run(
        words, cwd=folder, capture_output=True, text=True, encoding="utf-8", timeout=300,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_the_lines_of_python(tmp_path):
    [code] = blocks("python")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert "difference" in done.stdout
    assert len(code.strip().splitlines()) <= 12


@pytest.fixture(scope="module")
def valley(tmp_path_factory):
    folder = tmp_path_factory.mktemp("valley")
    [table] = blocks("csv")
    scenario, experiment = blocks("yaml")
    for name, text in (
        ("valley.csv", table), ("valley.yaml", scenario), ("experiment.yaml", experiment)
    ):  # fmt: skip
        (folder / name).write_text(text, encoding="utf-8")
    assert len(scenario.splitlines()) <= 25
    return folder


def commands():
    return [
        line.partition("#")[0].strip()
        for block in blocks("sh")
        for line in block.splitlines()
        if line.startswith("kolabsim ")
    ]


def test_the_commands_for_ones_own_regions(valley):
    assert commands() == [
        "kolabsim check valley.yaml",
        "kolabsim run experiment.yaml --out results/valley",
    ]
    for command in commands():
        done = execute(command, valley)
        assert done.returncode == 0, done.stderr
    assert (valley / "results/valley/report.html").is_file()


def test_the_demo_is_the_command_that_make_and_the_readme_give(tmp_path):
    command = "kolabsim run experiments/kartamantul --out results/demo"
    assert f".venv/bin/{command}" in README
    assert ".venv\\Scripts\\" + command in README
    assert command in (TOP / "Makefile").read_text(encoding="utf-8")
    (tmp_path / "experiments").symlink_to(TOP / "experiments", target_is_directory=True)
    done = execute(command + " --runs 40", tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "results/demo/report.html").is_file()


@pytest.mark.parametrize("word", ["run", "check", "list", "schema", "verify", "results"])
def test_the_table_of_commands_is_complete(word):
    assert f"| `kolabsim {word}" in README
