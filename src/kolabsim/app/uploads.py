"""Uploaded scenarios: read as data, stored for a while, and never executed.

A table of regions becomes a scenario. An uploaded scenario may extend one that ships with kolabsim,
and may refer only to files that were uploaded with it.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kolabsim.errors import InputError, Problems, suggestion
from kolabsim.i18n import _
from kolabsim.scenario.scenario import FILES, Scenario, shipped_names
from kolabsim.scenario.source import read_yaml, write_yaml

LARGEST = 1_000_000
"""Most bytes of the tables and the scenario of an upload together."""
LARGEST_SHAPES = 4_000_000
"""Most bytes of the shapes of its regions."""
TABLE, SHAPES, SCENARIO = (".csv",), (".geojson", ".json"), (".yaml", ".yml")
"""Files of an upload, by their endings."""
MOST_FILES = 4
LONGEST_NAME = 200
"""Most bytes of a file's name."""
MOST_REGIONS = 600
"""Most regions of an upload: with more, the first estimate takes too long."""
STORED = 32
"""Number of uploads that are stored; the one that was not used for longest makes room."""
PLACES = {"latitude": "latitude", "longitude": "longitude"}
FAMILIES = ["infrastructure", "administration_indonesia"]
"""Columns and service areas of an uploaded table; without positions, distances would be unknown."""
PREFIX = "upload-"


@dataclass(frozen=True)
class Upload:
    """A scenario that was uploaded."""

    scenario: Scenario
    folder: Path
    written: dict[str, object]
    """The beginning of a scenario file that builds on it."""


class Uploads:
    """The uploads of all users, by names that depend on their content only."""

    def __init__(self) -> None:
        self._stored: OrderedDict[str, Upload] = OrderedDict()

    def names(self) -> tuple[str, ...]:
        """Names of the stored uploads."""
        return tuple(self._stored)

    def load(self, name: str) -> Scenario:
        """Load a shipped or an uploaded scenario.

        Raises :class:`~kolabsim.errors.InputError` for any other name; it is never a path.
        """
        if name in self._stored:
            self._stored.move_to_end(name)
            return self._stored[name].scenario
        if name.startswith(PREFIX):
            text = _("these regions were uploaded elsewhere, or long ago: please upload them again")
            raise InputError.of(text)
        known, short = shipped_names("scenarios"), name[:60]
        if name not in known:
            text, hint = _("there is no scenario '{name}'{suggestion}"), suggestion(short, known)
            raise InputError.of(text, name=short, suggestion=hint)
        return Scenario.load(name)

    def written(self, name: str) -> dict[str, object]:
        """Return the beginning of a scenario file that builds on this one."""
        return self._stored[name].written if name in self._stored else {"extends": name}

    def add(self, files: Mapping[str, bytes]) -> str:
        """Store an upload and return its name.

        An upload is one YAML file with the files that it names, or one table of regions as CSV;
        either may come with the shapes of the regions as GeoJSON. Raises
        :class:`~kolabsim.errors.InputError` with all problems, each with its file and line.
        """
        check_files(files)
        digest = hashlib.sha256()
        for file in sorted(files):
            digest.update(file.encode() + b"\0" + files[file] + b"\0")
        name = PREFIX + digest.hexdigest()[:12]
        if name not in self._stored:
            folder = Path(tempfile.mkdtemp(prefix="kolabsim-"))
            try:
                self._stored[name] = read(files, folder)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
        self._stored.move_to_end(name)
        while len(self._stored) > STORED:
            _name, oldest = self._stored.popitem(last=False)
            shutil.rmtree(oldest.folder, ignore_errors=True)
        return name

    def close(self) -> None:
        """Delete all uploads."""
        while self._stored:
            shutil.rmtree(self._stored.popitem()[1].folder, ignore_errors=True)


def check_files(files: Mapping[str, bytes]) -> None:
    """Refuse files that are too large or too many, or whose names could be paths."""
    problems = Problems()
    for name in files:
        is_path = not re.fullmatch(r"[\w][\w. -]{0,80}\.(csv|ya?ml|(geo)?json)", name)
        if is_path or len(name.encode()) > LONGEST_NAME:
            problems.add(f"{name[:80]}: {endings()}")
    shapes = [name for name in files if name.endswith(SHAPES)]
    others = sum(len(content) for name, content in files.items() if name not in shapes)
    if others > LARGEST or len(files) > MOST_FILES:
        problems.add(limits())
    if sum(len(files[name]) for name in shapes) > LARGEST_SHAPES:
        text = _("{file}: shapes may have at most {size} kB; simplify them first")
        problems.add(text.format(file=shapes[0], size=LARGEST_SHAPES // 1000))
    problems.raise_if_any()
    scenarios = [name for name in files if name.endswith(SCENARIO)]
    tables = len(files) - len(shapes) - len(scenarios)
    if len(scenarios) > 1 or len(shapes) > 1 or (not scenarios and tables != 1):
        text = _(
            "please upload one table of regions, or one scenario with the tables it names; one "
            "file of shapes may come with them"
        )
        raise InputError.of(text)


def endings() -> str:
    """The kinds of files that can be read."""
    return _("only files that end in .csv, .yaml or .geojson can be read")


def limits() -> str:
    """The number and size of files that can be uploaded."""
    text = _("please upload at most {number} files of at most {size} kB together")
    return text.format(number=MOST_FILES, size=LARGEST // 1000)


def read(files: Mapping[str, bytes], folder: Path) -> Upload:
    """Write files into a folder and read the scenario that they describe."""
    for name, content in files.items():
        (folder / name).write_bytes(content)
    path = next((folder / name for name in files if name.endswith(SCENARIO)), None)
    if path is None:
        (table,) = (name for name in files if name.endswith(TABLE))
        regions: dict[str, object] = {"table": table, "columns": PLACES}
        for shapes in (name for name in files if name.endswith(SHAPES)):
            regions["shapes"] = shapes
        written: dict[str, object] = {"regions": regions, "families": FAMILIES}
        path = folder / "upload.yaml"
        path.write_text(write_yaml(written | {"title": table}), encoding="utf-8")
    else:
        check_text(path, files)
        written = {"extends": path.name}
    scenario = Scenario.load(path)
    if len(scenario.regions) > MOST_REGIONS:
        words = {"number": len(scenario.regions), "most": MOST_REGIONS}
        raise InputError.of(too_many(), path.name, **words)
    return Upload(scenario, folder, written)


def check_text(path: Path, files: Mapping[str, bytes]) -> None:
    """Refuse a scenario that refers to anything but its own files and shipped scenarios."""
    problems = Problems()
    tree = read_yaml(path, problems)
    problems.raise_if_any()
    assert tree is not None, "a file that cannot be read has problems"

    def value(*keys: str) -> object:
        node = tree.get(*keys)
        return node.value if node else None

    known = shipped_names("scenarios")
    ours = (*known, "indonesia", "indonesia.yaml", *(f"{name}.yaml" for name in known))
    for keys, allowed in ((("extends",), ours), *((keys, files) for keys in FILES)):
        name = value(*keys)
        if name is not None and name not in allowed:
            hint = suggestion(str(name), known) if keys == ("extends",) else ""
            text = _("'{name}' was not uploaded, and does not ship with kolabsim{hint}")
            tree.add_problem(keys, text, problems, name=str(name)[:60], hint=hint)
    for name in files:
        if name.endswith(SHAPES) and value("regions", "shapes") != name:
            text = _("{file}: the scenario does not name it (regions.shapes)")
            problems.add(text.format(file=name))
    extensions = tree.get("extensions")
    if extensions is not None and not extensions.is_empty:
        text = _("programs cannot be uploaded; use kolabsim on your own machine")
        tree.add_problem(("extensions",), text, problems)
    keys = ("regions", "synthetic", "number")
    number = value(*keys)
    if isinstance(number, int) and number > MOST_REGIONS:
        tree.add_problem(keys, too_many(), problems, number=number, most=MOST_REGIONS)
    problems.raise_if_any()


def too_many() -> str:
    """The message on more regions than the page can simulate soon enough."""
    return _("{number} regions are too many for this page, which takes up to {most}")
