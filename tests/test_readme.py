"""What the README shows is what happens: its code, its files and its commands are executed."""

import re
import shlex
import subprocess
import sys
import tomllib
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.pages import assert_alike, in_process
from tests.sketches import sketching

TOP = Path(__file__).parents[1]
README = (TOP / "README.md").read_text(encoding="utf-8")


def blocks(language, page="README.md"):
    text = (TOP / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_the_lines_of_python(tmp_path):
    [code] = blocks("python")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert "difference" in done.stdout
    assert len(code.strip().splitlines()) <= 12


@pytest.mark.parametrize(
    ("page", "table", "report"),
    [("README.md", "valley.csv", "valley"), ("README.id.md", "daerah.csv", "studi-saya")],
)
def test_the_commands_for_ones_own_regions(page, table, report, tmp_path, sketched_figures):
    [content], [shown] = blocks("csv", page), blocks("text", page)
    (tmp_path / table).write_text(content, encoding="utf-8")
    commands = [
        shlex.split(line.removeprefix(".venv/bin/"))
        for block in blocks("sh", page)
        for line in block.splitlines()
        if f" {report} " in f"{line} "
    ]
    assert [words[1] for words in commands] == ["new", "run"]
    commands[1].append("--quick")
    made, run = (in_process(words, tmp_path) for words in commands)
    assert made.returncode == 0, made.stderr
    assert_alike(f"...\n{shown}...\n", made.stdout)
    assert run.returncode == 0, run.stderr
    assert (tmp_path / f"results/{report}/report.html").is_file()


@pytest.mark.parametrize("size", ["--quick", pytest.param("", marks=pytest.mark.long)])
def test_the_demo_is_the_command_that_make_and_the_readme_give(size, tmp_path):
    """Its figures are drawn at its full size."""
    command = "kolabsim run experiments/kartamantul --out results/demo"
    assert f".venv/bin/{command}" in README
    assert ".venv\\Scripts\\" + command in README
    assert command in (TOP / "Makefile").read_text(encoding="utf-8")
    (tmp_path / "experiments").symlink_to(TOP / "experiments", target_is_directory=True)
    with sketching() if size else nullcontext():
        done = in_process(f"{command} {size}".split(), tmp_path)
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
