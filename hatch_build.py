"""Building a wheel: with machine code of the model, where ``tools/build_wheel.py`` has made it."""

import os
import sys
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class MachineCode(BuildHookInterface):
    """Include a folder of machine code, and name the Python and the platform that it is for."""

    def initialize(self, version: str, build_data: dict) -> None:
        """Add the folder that KOLABSIM_MACHINE_CODE names to the wheel, if it names one."""
        folder = os.environ.get("KOLABSIM_MACHINE_CODE")
        if not folder or version == "editable":
            return
        build_data["force_include"][str(Path(folder).resolve())] = "kolabsim/compiled"
        python = f"cp{sys.version_info.major}{sys.version_info.minor}"
        build_data["pure_python"] = False
        build_data["tag"] = f"{python}-{python}-{os.environ['KOLABSIM_PLATFORM']}"
