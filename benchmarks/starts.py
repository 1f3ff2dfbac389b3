"""From nothing to the first answer, and commands that simulate nothing."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.reading import ROOT, Reading, timed

ANSWER = "import kolabsim as ks; ks.simulate('kartamantul', ['voluntary'], runs=2)"


def wheel() -> list[Reading]:
    """The first answer of a wheel that was just built and installed, its cache empty; 120 s."""
    with tempfile.TemporaryDirectory() as name:
        folder, place = Path(name, "dist"), Path(name, "installed")
        built = [sys.executable, str(ROOT / "tools/build_wheel.py"), str(folder)]
        timed(built)
        (file,) = folder.glob("kolabsim-*.whl")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
        subprocess.run([*pip, str(place), str(file)], check=True, capture_output=True)
        found = []
        for number in range(3):
            found.append(_answer(name, f"{name}/cache{number}", place)[1])
    return [Reading("first answer from a wheel, processor time", min(found), "s", at_most=2)]


def checkout() -> list[Reading]:
    """The first answer of a checkout, its cache empty; then with the cache; 90 s."""
    with tempfile.TemporaryDirectory() as name:
        clock, cold = _answer(name, f"{name}/cache", ROOT / "src")
        warm = min(_answer(name, f"{name}/cache", ROOT / "src")[1] for _ in range(3))
    why = (
        "numba infers the types of some 290 functions and lowers them, in Python and on one core: "
        "most of the time, which a wheel spares"
    )
    return [
        Reading("first answer from a checkout, clock", clock, "s", at_most=12, why=why),
        Reading("first answer from a checkout, processor time", cold, "s"),
        Reading("later first answers of a process, processor time", warm, "s", at_most=2,
                why="imports of numpy, pandas and numba take half, and its end a fifth"),
    ]  # fmt: skip


def _answer(folder: str, cache: str, package: Path) -> tuple[float, float]:
    """Clock and processor time of a process's first answer with the package in a folder."""
    code = f"import os; os.chdir({folder!r}); {ANSWER}"
    return timed([sys.executable, "-c", code], NUMBA_CACHE_DIR=cache, PYTHONPATH=str(package))


COMMANDS = (
    ("--help",), ("list", "strategies"), ("check", "experiments/kartamantul"),
    ("schema", "experiment"),
)  # fmt: skip
LOADS = """
import runpy, sys
sys.argv[0] = "kolabsim"
try:
    runpy.run_module("kolabsim", run_name="__main__", alter_sys=True)
except SystemExit as ended:
    if ended.code:
        raise
raise SystemExit("numba" in sys.modules)
"""


def commands() -> list[Reading]:
    """Commands that simulate nothing start without numba; 15 s."""
    found = []
    for words in COMMANDS:
        command = [sys.executable, "-c", LOADS, *words]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
        if done.returncode not in (0, 1):
            raise RuntimeError(done.stderr.decode()[-2000:])
        plain = [sys.executable, "-m", "kolabsim", *words]
        seconds = min(timed(plain)[1] for _ in range(3))
        name = f"kolabsim {' '.join(words)}"
        found += [
            Reading(f"{name}: loads numba (1 is yes)", float(done.returncode), at_most=0),
            Reading(f"{name}: processor time", seconds, "s"),
        ]
    return found
