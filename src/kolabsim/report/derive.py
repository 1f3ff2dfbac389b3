"""Whether the published files of a folder are what its runs give: they are made again and compared.

A folder of results has copies of the files that its experiment consists of, so it needs no others.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from kolabsim.errors import InputError, shown
from kolabsim.files import Content, routed
from kolabsim.i18n import _, speaking
from kolabsim.report.experiment import Publication
from kolabsim.report.provenance import hash_request, input_files
from kolabsim.scenario.files import shipped
from kolabsim.study.execution import Progress
from kolabsim.study.experiment import Experiment
from kolabsim.study.inputs import INPUTS
from kolabsim.study.ledger import PUBLISHED, Ledger

SOURCE = f"{INPUTS}/source"
"""Folder of the copies, which lie to each other as the files do."""
PLAIN = (".csv", ".json")
"""Endings of files that are the same whatever versions of other packages made them."""


def source_files(experiment: Experiment) -> dict[str, bytes]:
    """The names and contents of the copies, the experiment's own file first.

    Raises :class:`~kolabsim.errors.InputError` for a file whose name is no text.
    """
    known = [shipped(kind).resolve() for kind in ("scenarios", "experiments")]
    files = [path.resolve() for path in input_files(experiment)]
    own = [path for path in files if not any(path.is_relative_to(folder) for folder in known)]
    own = list(dict.fromkeys((files[0], *own)))
    for path in own:
        try:
            str(path).encode()
        except UnicodeEncodeError as error:
            text = _("the name of this file or of its folder is not UTF-8; rename it")
            raise InputError.of(text, shown(path)) from error
    root = Path(os.path.commonpath([path.parent for path in own]))
    return {f"{SOURCE}/{path.relative_to(root).as_posix()}": path.read_bytes() for path in own}


def derive(ledger: Ledger) -> tuple[list[str], list[str]] | None:
    """Make the published files again and return those compared, and among them those that differ.

    What other versions of packages would draw or print otherwise is compared only if the versions
    are the same. None if nothing was published. Raises
    :class:`~kolabsim.errors.KolabsimError` if the experiment cannot be loaded again.
    """
    published = ledger.facts.get("published")
    if not published:
        return None
    about: dict[str, Any] = published["about"]
    found: dict[str, str] = {}

    def note(path: Path, content: Content) -> None:
        name = path.absolute().relative_to(ledger.folder.absolute()).as_posix()
        with tempfile.TemporaryFile() as file:
            if callable(content):
                content(file)
            else:
                file.write(content)
            file.seek(0)
            found[name] = hashlib.file_digest(file, "sha256").hexdigest()

    with speaking(about["language"]):
        changes = {name: value for name, value in about["asked"].items() if value is not None}
        file = ledger.checked(about["source"])
        again = Experiment.load(file, settings=about["settings"], **changes)
        again = replace(again, name=about["experiment"])
        is_same_version = hash_request(again, about["pages"]) == published["key"]
        with routed(ledger.folder, note):
            Publication(
                again, ledger.folder, lambda _study: Progress(0), lambda: about, about["pages"]
            ).publish()
    listed = {name: file.sha256 for name, file in ledger.files.items() if file.role == PUBLISHED}
    names = [n for n in sorted(listed | found) if is_same_version or n.endswith(PLAIN)]
    return names, [name for name in names if found.get(name) != listed.get(name)]
