"""Which code makes a study another one: all that decides a stored number."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import kolabsim
from kolabsim.model import version
from kolabsim.study.tasks import CODE
from kolabsim.validation import calibration

SOURCES = Path(kolabsim.__file__).parent
BELOW = {"errors", "files", "garbage", "i18n"}
"""Modules that every other one may use: messages, writing of files, memory."""


def test_all_code_that_a_simulation_loads_is_part_of_the_identity() -> None:
    names = "import sys, kolabsim.study.worker, kolabsim.study.runner, kolabsim.study.collect\n"
    names += "print(*(name for name in sys.modules if name.startswith('kolabsim.')))"
    done = subprocess.run([sys.executable, "-c", names], capture_output=True, text=True, check=True)
    assert {name.split(".")[1] for name in done.stdout.split()} - BELOW <= set(CODE)


@pytest.mark.parametrize("room", [*CODE, "validation"])
def test_an_edit_in_any_module_makes_another_version(room, tmp_path, monkeypatch) -> None:
    shutil.copytree(SOURCES / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(version, "SOURCES", tmp_path)
    digest = version.digest.__wrapped__
    found = {digest(room)}
    modules = sorted((tmp_path / room).rglob("*.py"))
    for path in modules:
        path.write_text(path.read_text(encoding="utf-8") + "\n# edited\n", encoding="utf-8")
        found.add(digest(room))
    assert len(found) == len(modules) + 1


def test_a_search_for_parameters_is_another_one_if_any_of_that_code_changes(monkeypatch) -> None:
    """It continued from sets that an older way to judge them had chosen."""
    rooms: list[str] = []
    monkeypatch.setattr(calibration, "digest", lambda *names: rooms.extend(names) or "")
    calibration.identity(calibration.published(), 10, 1)
    assert set(rooms) == {*CODE, "validation"}
