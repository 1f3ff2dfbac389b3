"""Any table or map of regions, as an office publishes it, becomes regions in one step.

>>> import kolabsim as ks
>>> found = ks.regions.read("population.xlsx", drop_totals=True)  # doctest: +SKIP
>>> found.regions.columns  # doctest: +SKIP
Index(['code', 'name', 'population', 'tier'])

:func:`read` gives regions or refuses, with one sentence for each open question and the flag that
answers it. :func:`examine` gives the same with its ``questions``, for a page or a terminal that
asks. Commands, page and Python use the same answers: :data:`ANSWERS` declares their names, flags,
meanings and values once.

``understanding`` takes the steps, which have a file each: ``reading`` (bytes to sheets, with
``texts`` and ``maps``),
``table`` (header, body, footnotes), ``columns`` with ``words`` (what columns mean), ``population``
with ``numbers``, ``steps``, ``totals`` and ``codes`` (which rows are regions), ``places`` and
``borders`` (where they lie), and ``decisions`` (the record of it all).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from kolabsim.scenario.importer.decisions import ANSWERS, Answer, Decision

if TYPE_CHECKING:
    from kolabsim.scenario.importer.result import Imported, Source
    from kolabsim.scenario.importer.understanding import examine, read, read_record

_HOMES = {
    "Imported": "result",
    "Source": "result",
    "examine": "understanding",
    "read": "understanding",
    "read_record": "understanding",
}

__all__ = [
    "ANSWERS",
    "Answer",
    "Decision",
    "Imported",
    "Source",
    "examine",
    "read",
    "read_record",
]


def __getattr__(name: str) -> object:
    """Import what needs pandas when it is first used."""
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    text = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(text)
