"""Quick reports, for tests that run an experiment and do not look at its figures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path

import pytest

from kolabsim.files import write_whole
from kolabsim.report.page import Picture


@contextmanager
def sketching() -> Iterator[None]:
    """Write the alternative texts of figures in place of figures.

    Figures take three quarters of the time of a small experiment with its report. Real ones are
    drawn by the tests of figures and reports, and by an experiment of each kind.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Picture, "figure", property(lambda picture: picture))
        patch.setattr("kolabsim.report.page.to_svg", write_sketch)
        patch.setattr("kolabsim.report.output.to_png", save_sketch)
        yield


def write_sketch(_picture: Picture, *, alt: str) -> str:
    return f'<svg width="1" height="1"><title>{escape(alt)}</title></svg>'


def save_sketch(picture: Picture, path: Path, **_how: bool) -> None:
    write_whole(path, picture.alt.encode())
