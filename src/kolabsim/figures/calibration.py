"""Figures of a calibration to a user's own evidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.figures.labels import capitalise, setting_title, wrap_lines
from kolabsim.figures.marks import line, patch
from kolabsim.figures.palette import BLUE, GREY, INK, ORANGE, PALE
from kolabsim.figures.style import open_canvas, styled, write_names
from kolabsim.i18n import _
from kolabsim.model.areas import AREA_ATTRIBUTES
from kolabsim.scenario.futures import AREA_FACTOR
from kolabsim.validation.evidence import position

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from kolabsim.figures.style import Panels
    from kolabsim.scenario.scenario import Scenario
    from kolabsim.validation.calibration import Calibration
    from kolabsim.validation.predictive import Prediction

COLUMNS, BARS = 3, 12
"""Most parameters side by side, and bars of each."""
FARTHEST = 4.0
"""Half-widths of a band from its middle beyond which a figure cuts off."""


def axis_title(scenario: Scenario, name: str) -> str:
    """Title of a setting that calibration varies."""
    if name.startswith(AREA_FACTOR):
        attribute = AREA_ATTRIBUTES[name.removeprefix(AREA_FACTOR)].title
        text = _("{attribute} in all service areas, as a factor")
        return text.format(attribute=capitalise(_(attribute)))
    return setting_title(scenario, name)


def chosen_numbers(found: Calibration, most: int) -> list[int]:
    """Positions of the numbers that were searched, those that facts narrow most first."""
    p = {name: one.p for name, one in found.identified.items()}
    return sorted(found.numbers, key=lambda k: p[found.axes[k].name])[:most]


@styled
def posteriors(
    found: Calibration, scenario: Scenario, *, most: int = 12, ax: Panels | None = None
) -> Figure:
    """Draw what calibration leaves of the range of each number, against the range before.

    The ``most`` numbers that the facts narrow most are drawn. Bars are shares of the sets that
    agree; the grey area is a uniform draw.
    """
    chosen = chosen_numbers(found, most)
    canvas = open_canvas(ax, 0.5, len(chosen), min(COLUMNS, len(chosen)), row=1.45, grid="y")
    for axes, k in zip(canvas.panels, chosen, strict=True):
        axis = found.axes[k]
        shares, edges = np.histogram(found.points[:, k], BARS, (0.0, 1.0))
        ends = np.array([float(axis.at(float(u))) for u in edges])
        shares = shares / max(shares.sum(), 1)
        axes.bar(ends[0], 1.0 / BARS, ends[-1] - ends[0], align="edge", color=PALE, zorder=1)
        axes.bar(ends[:-1], shares, np.diff(ends), align="edge", color=BLUE, alpha=0.85, zorder=2,
                 edgecolor="white", linewidth=0.4)  # fmt: skip
        axes.axvline(axis.default, color=INK, linewidth=1.0, linestyle=":", zorder=3)
        axes.set_xlim(ends[0], ends[-1])
        axes.set_title(wrap_lines(axis_title(scenario, axis.name), 34), fontsize=7.0, loc="left")
        axes.tick_params(labelsize=6.5)
        axes.locator_params(axis="both", nbins=4)
    canvas.label_y(_("Share of sets"))
    canvas.add_legend([
        patch(BLUE, _("sets that agree")), patch(PALE, _("before calibration")),
        line(INK, _("default"), linestyle=":"),
    ])  # fmt: skip
    return canvas.figure


@styled
def predictions(found: Sequence[Prediction], *, ax: Panels | None = None) -> Figure:
    """Draw what the prior and the ensemble predict of each fact, on the scale of its band.

    Lines hold 90% of the sets; -1 and 1 are the ends of a band, and a band with one end only begins
    at -1. What lies far outside is cut off.
    """
    canvas = open_canvas(ax, 0.9 + 0.42 * len(found), grid="x")
    axes = canvas.axes
    for y, one in enumerate(found):
        right = 1.0 if one.fact.kind == "band" else FARTHEST
        axes.barh(y, right + 1.0, 0.8, -1.0, color=PALE, zorder=1)
        for values, colour, marker, shift in (
            (one.prior, ORANGE, "s", 0.18), (one.posterior, BLUE, "o", -0.18),
        ):  # fmt: skip
            values = values[np.isfinite(values)]
            if not len(values):
                continue
            places = [position(one.fact, float(v)) for v in np.quantile(values, (0.05, 0.5, 0.95))]
            low, middle, high = np.clip(places, -FARTHEST, FARTHEST)
            axes.hlines(y + shift, min(low, high), max(low, high), color=colour, linewidth=1.6,
                        zorder=2)  # fmt: skip
            axes.plot(middle, y + shift, marker, color=colour, markersize=4.5, zorder=3)
    axes.set_xlim(-FARTHEST, FARTHEST)
    axes.axvline(-1.0, color=GREY, linewidth=0.6)
    write_names(axes, [_(one.fact.statement) for one in found])
    axes.set_xlabel(_("Place in the band of the fact: −1 and 1 are its ends"))
    canvas.add_legend([
        patch(PALE, _("band of the fact")), line(ORANGE, _("before calibration"), marker="s"),
        line(BLUE, _("sets that agree"), marker="o"),
    ])  # fmt: skip
    return canvas.figure
