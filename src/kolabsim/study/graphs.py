"""Who shares with whom in one run, as a file for other tools: GraphML, or CSV of agreements."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

from kolabsim.errors import InputError, Problem, suggestion
from kolabsim.files import rows_csv, write_whole
from kolabsim.i18n import _

if TYPE_CHECKING:
    from kolabsim.engine.mesa_model import CollaborationModel

COLUMNS = ("body", "area", "form", "age_years", "region", "name")
"""Columns of a table of agreements: a row for each member of each joint body."""
ILLEGAL = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML cannot hold."""


def write_graph(model: CollaborationModel, path: Path) -> Path:
    """Write who shares with whom as it stands in a model; the file's ending says the format.

    ``.graphml`` is :meth:`~kolabsim.engine.mesa_model.CollaborationModel.graph`, ``.csv`` a row
    for each member of each joint body. Raises :class:`~kolabsim.errors.InputError` for another
    ending.
    """
    write_whole(path, WRITERS[ending(path)](model))
    return path


def ending(path: Path) -> str:
    """The ending of a file that a graph can be written to; another one is refused."""
    found = path.suffix.lower()
    if found not in WRITERS:
        text = _("{file}: the ending of the name must say the format{hint}")
        hint = suggestion(found, WRITERS)
        raise InputError([Problem(text.format(file=path.as_posix(), hint=hint))])
    return found


def _graphml(model: CollaborationModel) -> bytes:
    import networkx as nx

    graph, room = model.graph(), io.BytesIO()
    for _code, about in graph.nodes(data=True):
        about |= {key: ILLEGAL.sub("", about[key]) for key in ("name", "tier")}
    nx.write_graphml_xml(graph, room)
    return room.getvalue()


def _agreements(model: CollaborationModel) -> bytes:
    names = dict(zip(model.simulated.regions.codes, model.simulated.regions.names, strict=True))
    rows = [
        (number, agreement["area"], agreement["form"], agreement["age"], code, names[code])
        for number, agreement in enumerate(model.agreements(), start=1)
        for code in agreement["members"]
    ]
    return rows_csv([COLUMNS, *rows])


WRITERS = {".graphml": _graphml, ".csv": _agreements}
"""What a graph can be written as, by the ending of the file."""
