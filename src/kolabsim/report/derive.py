"""Whether the published files of a folder are what its runs give: they are made again and compared.

A folder of results has copies of the files that its experiment consists of, so it needs no others.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kolabsim.errors import InputError, shown, suggestion
from kolabsim.files import Content, routed
from kolabsim.i18n import _, speaking
from kolabsim.model.version import digest
from kolabsim.report.experiment import Publication
from kolabsim.report.provenance import hash_request, input_files
from kolabsim.scenario.files import shipped
from kolabsim.study.execution import Progress
from kolabsim.study.experiment import Experiment
from kolabsim.study.inputs import INPUTS
from kolabsim.study.ledger import PUBLISHED, Ledger
from kolabsim.study.replay import prepare
from kolabsim.study.tasks import CODE, TaskKey, hash_packed, pack

if TYPE_CHECKING:
    from kolabsim.engine.ensemble import Task
    from kolabsim.scenario.scenario import Scenario

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


def stored_experiment(ledger: Ledger, about: Mapping[str, Any]) -> Experiment[Any]:
    """The experiment of a folder, from the copies of its files; ``about`` is its provenance.

    Raises :class:`~kolabsim.errors.KolabsimError` if it cannot be loaded again.
    """
    changes = {name: value for name, value in about["asked"].items() if value is not None}
    file = ledger.checked(about["source"])
    again = Experiment.load(file, settings=about["settings"], **changes)
    return replace(again, name=about["experiment"])


def stored_run(
    folder: Path, strategy: str, future: str | None
) -> tuple[Scenario, Task, str, int, int]:
    """What the runs of a strategy in a future of a stored comparison are made of.

    The scenario in this future, the engine's input, the future's name, the number of runs, and the
    seed. Raises :class:`~kolabsim.errors.InputError` for a folder of another version or kind, and
    for a strategy or future that it does not have.
    """
    ledger = Ledger.read(folder)
    published = ledger.facts.get("published")
    if ledger.identity is None or not published:
        raise InputError.of(_("no finished study with a report is in this folder"), shown(folder))
    if ledger.identity.code != digest(*CODE):
        text = _("another version made these runs (kolabsim {version}): replay them with it")
        raise InputError.of(text, shown(folder), version=ledger.identity.version)
    again = stored_experiment(ledger, published["about"])
    if again.kind != "comparison":
        text = _("this is a {kind} experiment; only the runs of a comparison can be replayed")
        raise InputError.of(text, shown(folder), kind=again.kind)
    name = next(iter(again.futures)) if future is None else future
    point = ledger.points.get(TaskKey(strategy, name, "").name)
    if point is None:
        known = again.strategies if strategy not in again.strategies else tuple(again.futures)
        wanted = strategy if strategy not in again.strategies else name
        text = _("'{name}' is not in this study{hint}")
        raise InputError.of(text, shown(folder), name=wanted, hint=suggestion(wanted, known))
    world, task, name = prepare(
        again.scenario, strategy, name, seed=again.seed, futures=again.futures
    )
    if hash_packed(pack(task)) != point.hash:
        text = _("the runs of '{name}' were made from other inputs than the study's files")
        raise InputError.of(text, shown(folder), name=name)
    return world, task, name, point.runs, again.seed


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
        again = stored_experiment(ledger, about)
        is_same_version = hash_request(again, about["pages"]) == published["key"]
        with routed(ledger.folder, note):
            Publication(
                again, ledger.folder, lambda _study: Progress(0), lambda: about, about["pages"]
            ).publish()
    listed = {name: file.sha256 for name, file in ledger.files.items() if file.role == PUBLISHED}
    names = [n for n in sorted(listed | found) if is_same_version or n.endswith(PLAIN)]
    return names, [name for name in names if found.get(name) != listed.get(name)]
