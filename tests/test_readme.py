"""What the README shows is what happens: its code, its files and its commands are executed."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.terminal import kolabsim

TOP = Path(__file__).parents[1]
README = (TOP / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def execute(command, folder):
    return kolabsim(*command.split()[1:], folder=folder)


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


def test_the_table_of_commands_is_complete():
    from kolabsim.cli import program

    words = {command.name or command.callback.__name__ for command in program.registered_commands}
    assert set(re.findall(r"^\| `kolabsim (\w+)", README, re.MULTILINE)) == words


def test_the_package_index_shows_no_picture_or_link_that_leads_nowhere():
    settings = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))
    hook = settings["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]
    text = README
    for rule in hook["substitutions"]:
        text = re.sub(rule["pattern"], rule["replacement"], text)
    assert "![" not in text
    assert not re.findall(r"\]\((?!https?://|#)[^)]*\)", text)
    assert "## Two commands" in text
