"""Uploads of visitors: read as data, stored for a while, and never executed.

A table or map of regions is previewed first (:mod:`kolabsim.app.importing`) and becomes a study. An
uploaded scenario may extend one that ships with kolabsim, and may refer only to files that were
uploaded with it.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import shutil
import tempfile
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from kolabsim.app.importing import MOST_REGIONS, Call, Preview
from kolabsim.app.kept import write_as_scenario
from kolabsim.app.work import check_work
from kolabsim.engine.ensemble import build_task
from kolabsim.errors import UNPRINTABLE, InputError, Problems, suggestion
from kolabsim.i18n import _
from kolabsim.scenario.scenario import FILES, Scenario, shipped_names
from kolabsim.scenario.source import read_yaml
from kolabsim.study.scaffold_texts import SCENARIO as STUDY

LARGEST = 20_000_000
"""Most bytes of an upload."""
LARGEST_SCENARIO = 5_000_000
"""Most bytes of a scenario and the files that it names."""
SCENARIO = (".yaml", ".yml")
"""Endings of the file of a scenario."""
MOST_ENTRIES = 300
"""Most strategies, service areas and groups of a scenario: each is checked at every move."""
MOST_FILES = 8
LONGEST_NAME = 200
"""Most bytes of a file's name."""
FORBIDDEN = frozenset('/\\:*?"<>|')
"""Signs that no name of a file may hold: it could be a path, or be lost on another system."""
STORED = 32
"""Number of studies, and of previews, that are stored; the one not used for longest makes room."""
MOST_BYTES = 200_000_000
"""Most bytes of the files of all previews."""
PREFIX = "upload-"


@dataclass(frozen=True)
class Upload:
    """A scenario that was uploaded, or made of an uploaded table."""

    scenario: Scenario
    folder: Path | None = None
    """Where its files are, as long as it is stored."""
    extends: str = ""
    """The file that a scenario file which builds on it extends."""
    name: str = ""
    """Name of the study that was made of a table; '' for others."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """The files of that study, as ``kolabsim new`` writes them."""


class Uploads:
    """The uploads of all visitors: studies by names that depend on their content, and previews."""

    def __init__(self, call: Call | None = None, factor: float = 1.0) -> None:
        """``call`` reads files, as in a process of its own; by default they are read here.

        ``factor`` raises or lowers the limit on the work of a scenario.
        """
        self.call: Call = call or (lambda function, *arguments: function(*arguments))
        self.factor = factor
        self._stored: OrderedDict[str, Upload] = OrderedDict()
        self._previews: OrderedDict[str, Preview] = OrderedDict()

    def names(self) -> tuple[str, ...]:
        """Names of the stored studies."""
        return tuple(self._stored)

    def load(self, name: str) -> Upload:
        """Load a shipped or an uploaded scenario.

        Raises :class:`~kolabsim.errors.InputError` for any other name; it is never a path.
        """
        if name in self._stored:
            self._stored.move_to_end(name)
            return self._stored[name]
        if name.startswith(PREFIX):
            raise InputError.of(gone())
        known, short = list_shipped(), name[:60]
        if name not in known:
            text, hint = _("there is no scenario '{name}'{suggestion}"), suggestion(short, known)
            raise InputError.of(text, name=short, suggestion=hint)
        return Upload(load_shipped(name), extends=name)

    def add(self, files: Mapping[str, bytes], *, study: str = "") -> str:
        """Store a scenario with its files, or a study by its name, and return a name for it.

        Raises :class:`~kolabsim.errors.InputError` with all problems, each with its file and line.
        """
        if not study:
            check_scenario(files)
        digest = hashlib.sha256(study.encode())
        for file in sorted(files):
            digest.update(file.encode() + b"\0" + files[file] + b"\0")
        name = PREFIX + digest.hexdigest()[:12]
        if name not in self._stored:
            folder = Path(tempfile.mkdtemp(prefix="kolabsim-"))
            try:
                self._stored[name] = self.call(read, files, folder, study, self.factor)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
        self._stored.move_to_end(name)
        while len(self._stored) > STORED:
            delete(self._stored.popitem(last=False)[1])
        return name

    def open(self, files: Mapping[str, bytes]) -> str:
        """Store a table or map with the files beside it, and return a secret name for its preview.

        Raises :class:`~kolabsim.errors.InputError` if there are too many files, or no table.
        """
        check_files(files)
        preview, token = Preview(files), secrets.token_urlsafe(12)
        if not preview.source:
            raise InputError.of(
                _("please upload a table or map of regions with it"), next(iter(files))
            )
        self._previews[token] = preview
        while len(self._previews) > 1 and (
            len(self._previews) > STORED
            or sum(one.size for one in self._previews.values()) > MOST_BYTES
        ):
            self._previews.popitem(last=False)
        return token

    def preview(self, token: str) -> Preview:
        """Return a preview by its name; raises :class:`InputError` if it is stored no longer."""
        if token not in self._previews:
            raise InputError.of(gone())
        self._previews.move_to_end(token)
        return self._previews[token]

    def close(self) -> None:
        """Delete all uploads."""
        self._previews.clear()
        while self._stored:
            delete(self._stored.popitem()[1])


@cache
def list_shipped() -> tuple[str, ...]:
    """Return the names of the scenarios that ship with kolabsim."""
    return shipped_names("scenarios")


@cache
def load_shipped(name: str) -> Scenario:
    """Load a scenario that ships with kolabsim, once for all visitors."""
    return Scenario.load(name)


def delete(upload: Upload) -> None:
    """Delete the folder of an upload; pages that show it have what they need in memory."""
    if upload.folder is not None:
        shutil.rmtree(upload.folder, ignore_errors=True)


def gone() -> str:
    """The message on an upload that is stored no longer."""
    return _("these regions were uploaded elsewhere, or long ago: please upload them again")


def check_files(files: Mapping[str, bytes]) -> None:
    """Refuse files that are too large or too many, or whose names could be paths."""
    problems = Problems()
    for name in files:
        size = len(name.encode(errors="surrogatepass"))
        if not name or name.startswith("."):
            text = _("{name}: please rename this file; its name may not begin with a dot")
        elif size > LONGEST_NAME:
            text = _("{name}: please rename this file; its name may have at most {most} bytes")
        elif any(sign in FORBIDDEN for sign in name):
            text = _("{name}: please rename this file; its name may not hold {signs}")
        elif re.search(rf"[\t\n\r{UNPRINTABLE}]", name):
            text = _("{name}: please rename this file; its name holds signs that nobody sees")
        else:
            continue
        signs = " ".join(sorted(FORBIDDEN))
        problems.add(text, name=repr(name[:80]), signs=signs, most=LONGEST_NAME)
    if not files or sum(map(len, files.values())) > LARGEST or len(files) > MOST_FILES:
        problems.add(limits())
    problems.raise_if_any()


def is_scenario(files: Mapping[str, bytes]) -> bool:
    """Whether one of these files is a scenario, and the others belong to it."""
    return any(name.lower().endswith(SCENARIO) for name in files)


def check_scenario(files: Mapping[str, bytes]) -> None:
    """Refuse anything but one scenario of reasonable size with its files."""
    check_files(files)
    if sum(name.lower().endswith(SCENARIO) for name in files) != 1:
        raise InputError.of(_("please upload one scenario with the files that it names"))
    if sum(map(len, files.values())) > LARGEST_SCENARIO:
        text = _("a scenario and its files may have at most {size} MB")
        raise InputError.of(text, size=LARGEST_SCENARIO // 1_000_000)


def limits() -> str:
    """The number and size of files that can be uploaded."""
    text = _("please upload at most {number} files of at most {size} MB together")
    return text.format(number=MOST_FILES, size=LARGEST // 1_000_000)


def read(files: Mapping[str, bytes], folder: Path, study: str, factor: float = 1.0) -> Upload:
    """Write files into a folder and read the scenario that they describe.

    Raises :class:`~kolabsim.errors.InputError` with its problems, or if it is too much work.
    """
    for name, content in files.items():
        (folder / name).write_bytes(content)
    path = next(folder / name for name in files if name.lower().endswith(SCENARIO))
    if study:
        path = folder / STUDY
    else:
        write_as_scenario(path)
        check_text(path, files)
    scenario = Scenario.load(path)
    if len(scenario.regions) > MOST_REGIONS:
        words = {"number": len(scenario.regions), "most": MOST_REGIONS}
        raise InputError.of(too_many(), path.name, **words)
    entries = sum(map(len, (scenario.strategies, scenario.areas, scenario.groups)))
    if entries > MOST_ENTRIES:
        text = _("{number} strategies, service areas and groups are too many; allowed: {most}")
        raise InputError.of(text, path.name, number=entries, most=MOST_ENTRIES)
    # Any strategy: levers have no effect on how much work it is.
    first = next(iter(scenario.strategies.values()))
    check_work(build_task(scenario, first, seed=1), path.name, factor)
    return Upload(scenario, folder, path.name, study, files if study else {})


def check_text(path: Path, files: Mapping[str, bytes]) -> None:
    """Refuse a scenario that refers to anything but its own files and shipped scenarios."""
    problems = Problems()
    tree = read_yaml(path, problems)
    problems.raise_if_any()
    assert tree is not None, "a file that cannot be read has problems"

    def value(*keys: str) -> object:
        node = tree.get(*keys)
        return node.value if node else None

    known = list_shipped()
    ours = (*known, "indonesia", "indonesia.yaml", *(f"{name}.yaml" for name in known))
    for keys, allowed in ((("extends",), ours), *((keys, files) for keys in FILES)):
        name = value(*keys)
        if name is not None and name not in allowed:
            hint = suggestion(str(name), known) if keys == ("extends",) else ""
            text = _("'{name}' was not uploaded, and does not ship with kolabsim{hint}")
            tree.add_problem(keys, text, problems, name=str(name)[:60], hint=hint)
    extensions = tree.get("extensions")
    if extensions is not None and not extensions.is_empty:
        text = _("programs cannot be uploaded; use kolabsim on your own machine")
        tree.add_problem(("extensions",), text, problems)
    named = [path.name, *(value(*keys) for keys in FILES)]
    for name in () if problems.found else files:  # a name that is misspelled leaves one over
        if name not in named:
            text = _("{file}: the scenario does not name it ({keys})")
            known_keys = ", ".join(".".join(keys) for keys in FILES)
            problems.add(text.format(file=name, keys=known_keys))
    keys = ("regions", "synthetic", "number")
    number = value(*keys)
    if isinstance(number, int) and number > MOST_REGIONS:
        tree.add_problem(keys, too_many(), problems, number=number, most=MOST_REGIONS)
    problems.raise_if_any()


def too_many() -> str:
    """The message on more regions than the page can simulate soon enough."""
    return _("{number} regions are too many for this page, which takes up to {most}")
