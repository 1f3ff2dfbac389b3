"""Pages as their readers use them: files to write, edits, commands, and what they print."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from unittest import mock

import rich.console

from tests.terminal import kolabsim

TOP = Path(__file__).parents[1]
WIDTH = 100
"""Columns of the terminal whose output pages show."""
KINDS = ("csv", "yaml", "python", "json", "diff", "sh")
"""Blocks that are a step; each of them must be one."""
STEP = re.compile(
    r"`(?P<name>[\w/-]+\.\w+)`(?:(?!```)[^`])*?:\n\n"
    r"```(?P<kind>csv|yaml|python|json|diff)\n(?P<text>.*?)^```"
    r"|^```sh\n(?P<commands>.*?)^```(?:\n\n```text\n(?P<output>.*?)^```)?",
    re.MULTILINE | re.DOTALL,
)
"""A file or an edit with its name in the sentence above, or commands and what the last prints."""

Run = Callable[[Sequence[str], Path], subprocess.CompletedProcess[str]]


def steps(page: Path) -> list[re.Match[str]]:
    """The steps of a page; every block of a kind that is a step is one."""
    text = page.read_text(encoding="utf-8")
    found = list(STEP.finditer(text))
    assert sum(text.count(f"```{kind}\n") for kind in KINDS) == len(found), page
    return found


def in_process(words: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in this process, on a terminal of the usual width."""
    real = rich.console.Console
    wide = mock.patch("rich.console.Console", lambda **how: real(**(how | {"width": WIDTH})))
    assert words[0] == "kolabsim"
    with wide:
        return kolabsim(*words[1:], folder=folder)


def in_own_process(words: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own."""
    start = {"kolabsim": ["-m", "kolabsim"], "python": []}[words[0]]
    return subprocess.run(
        [sys.executable, *start, *words[1:]], cwd=folder, capture_output=True, text=True,
        encoding="utf-8", timeout=300, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def follow(
    page: Path, folder: Path, run: Run, commands: Sequence[str] = (), *, compare: bool = True
) -> None:
    """Do what a page says in a folder, and see that the same is printed as it shows.

    ``commands`` are the subcommands to run; without them all are. A command that is shown to
    report problems must fail.
    """
    for step in steps(page):
        if step["kind"] == "diff":
            edit(folder / step["name"], step["text"])
        elif step["name"]:
            (folder / step["name"]).write_text(step["text"], encoding="utf-8")
        else:
            lines = step["commands"].replace("\\\n", " ").splitlines()
            for line in lines:
                words = shlex.split(line)
                if commands and words[1] not in commands:
                    continue
                done = run(words, folder)
                shown = (step["output"] or "") if line == lines[-1] else ""
                is_refused = shown.split(" problem")[0].isdecimal()
                assert bool(done.returncode) == is_refused, (line, done.stdout + done.stderr)
                if shown and compare:
                    assert_alike(shown, done.stderr if is_refused else done.stdout)


def edit(path: Path, diff: str) -> None:
    """Replace the lines with a minus by those with a plus; both lie in the same place."""
    lines = diff.splitlines(keepends=True)
    old, new = ("".join(line[1:] for line in lines if line[0] != sign) for sign in "+-")
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, (path, old)
    path.write_text(text.replace(old, new), encoding="utf-8")


def assert_alike(shown: str, printed: str) -> None:
    """See that lines are the same; a line ``...`` stands for any number of lines."""
    first, second = (
        "\n".join(line.rstrip() for line in text.replace("\xa0", " ").strip("\n").splitlines())
        for text in (shown, printed)
    )
    pattern = ".*".join(map(re.escape, re.split(r"^\.\.\.$", first, flags=re.MULTILINE)))
    assert re.fullmatch(pattern, second, re.DOTALL), f"shown:\n{first}\n\nprinted:\n{second}"
