"""Build a wheel that brings the machine code of the model, for this Python and this platform.

python tools/build_wheel.py [FOLDER]

The first answer of an installed kolabsim then takes seconds, as any later one; compiling takes
half a minute. Where the code does not fit (another Python or numba, an old processor), the model is
compiled as from a checkout.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent

USE = """
import kolabsim as ks
scenario = ks.load("kartamantul")
ks.simulate(scenario, ["voluntary", "team"], runs=2)
ks.simulate(scenario, ["voluntary"], runs=2, regions=False)
"""
"""What must not compile after the installation: runs of the ensemble."""

PLATFORMS = {
    ("Linux", "x86_64"): "manylinux_2_17_x86_64",
    ("Linux", "aarch64"): "manylinux_2_17_aarch64",
}


def compile_into(folder: Path) -> None:
    """Compile the model for all processors of a kind, and keep what a second process loads."""
    from kolabsim.model.compiler import PORTABLE

    with tempfile.TemporaryDirectory() as kept:
        more = {
            "NUMBA_CACHE_DIR": kept, "NUMBA_CPU_NAME": PORTABLE[platform.machine()],
            "NUMBA_CPU_FEATURES": "",
        }  # fmt: skip
        command = [sys.executable, "-c", USE]
        subprocess.run(command, env=os.environ | more, check=True)
        more["NUMBA_DEBUG_CACHE"] = "1"
        again = subprocess.run(
            command, env=os.environ | more, check=True, capture_output=True, text=True
        )
        loaded = re.findall(r"(?:data|index) loaded from '(.*)'", again.stdout)
        for path in {Path(one) for one in loaded}:
            target = folder / path.relative_to(kept)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def main(out: str = "dist") -> None:
    """Compile, and build the wheel."""
    with tempfile.TemporaryDirectory() as folder:
        compile_into(Path(folder))
        kind = PLATFORMS.get((platform.system(), platform.machine()))
        kind = kind or sysconfig.get_platform().replace("-", "_").replace(".", "_")
        more = {"KOLABSIM_MACHINE_CODE": folder, "KOLABSIM_PLATFORM": kind}
        command = [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--wheel-dir",
            out,
            ".",
        ]
        subprocess.run(command, cwd=TOP, env=os.environ | more, check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
