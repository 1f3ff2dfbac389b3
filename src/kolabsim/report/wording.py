"""Phrases that reports of every kind share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kolabsim.figures.formatting import count
from kolabsim.i18n import _, ngettext

LISTED = 5
"""Most names in a sentence."""


def join_names(names: Sequence[str]) -> str:
    """Names in a row, as a sentence has them; of many, the first and how many more."""
    if len(names) > LISTED:
        text = _("{names} and {number} more")
        return text.format(names=", ".join(names[:LISTED]), number=count(len(names) - LISTED))
    if len(names) < 2:
        return "".join(names)
    return _("{names} and {last}").format(names=", ".join(names[:-1]), last=names[-1])




def warn_of_failed_runs(provenance: Mapping[str, object]) -> str:
    """That runs failed, and what it means for what is shown; empty if none did."""
    number = int(provenance.get("runs_failed", 0))
    if not number:
        return ""
    return ngettext(
        "{number} run failed and is missing from everything here; the folder 'failures' says why. "
        "A run that would be compared with it is left out too.",
        "{number} runs failed and are missing from everything here; the folder 'failures' says "
        "why. Runs that would be compared with them are left out too: if runs fail because of what "
        "is measured, the differences are distorted.",
        number,
    ).format(number=count(number))


