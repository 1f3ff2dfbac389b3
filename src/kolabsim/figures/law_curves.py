"""Figures of the laws of the model: each as a curve over one of its arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.errors import InputError, suggestion
from kolabsim.figures.formatting import count
from kolabsim.figures.labels import capitalise, wrap_lines
from kolabsim.figures.marks import line, patch
from kolabsim.figures.palette import BLUE, GREY, INK, PALE, VERMILION
from kolabsim.figures.style import open_canvas, styled
from kolabsim.i18n import _
from kolabsim.model.curves import CURVES, chosen
from kolabsim.model.parameters import PARAMETERS
from kolabsim.scenario.futures import plausible_sets

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from kolabsim.figures.style import Panels
    from kolabsim.model.curves import Curve

COLUMNS = 3
"""Most laws beside each other."""
COLOURS = (BLUE, VERMILION, INK)
"""Colours of the variants of a law."""


@styled
def laws(
    names: Sequence[str] | None = None,
    *,
    sets: Sequence[Mapping[str, object]] | None = None,
    ax: Panels | None = None,
) -> Figure:
    """Draw laws of the model over their main arguments, with the sentence that each claims.

    Lines are at the defaults of all parameters; bands show the range over parameter ``sets``, by
    default those that ship with kolabsim, which agree with what is known. ``names`` are laws
    (``"leaving"``), laws with an argument (``"leaving(trust)"``), or groups of
    :data:`kolabsim.model.curves.STEPS` (``"conduct"``); by default, all laws are drawn. Unknown
    names raise :class:`kolabsim.errors.InputError`.

    Examples
    --------
    >>> from kolabsim import figures
    >>> figure = figures.laws(["leaving"])
    """
    known = {name for one in CURVES for name in (one.law, one.name, one.group)}
    for name in names or ():
        if name not in known:
            text = _("no law is called '{name}'{hint}")
            raise InputError.of(text, name=name, hint=suggestion(name, known))
    curves = chosen(names)
    sets = plausible_sets() if sets is None else sets
    futures = [
        {name: float(str(one[f"parameters.{name}"]))
         for name in PARAMETERS if f"parameters.{name}" in one}
        for one in sets
    ]  # fmt: skip
    columns = min(COLUMNS, len(curves))
    canvas = open_canvas(ax, 0.45, len(curves), columns, row=1.95, grid="both")
    for axes, curve in zip(canvas.panels, curves, strict=True):
        draw_law(axes, curve, futures)
    canvas.add_legend([
        line(BLUE, _("at the defaults")),
        patch(PALE, _("range over {number} accepted parameter sets").format(
            number=count(len(futures))
        )),
    ])  # fmt: skip
    return canvas.figure


def draw_law(axes: Axes, curve: Curve, futures: Sequence[Mapping[str, float]]) -> None:
    """Draw one law: bands over futures, lines at the defaults, and its claim as the title."""
    x = curve.points()
    several = len(curve.lines) > 1
    own = [name for name in curve.parameters if any(name in one for one in futures)]
    for title, colour in zip(curve.lines, COLOURS, strict=False):
        if own:
            # Parameter sets differ in much that this law does not read.
            kept = {tuple(one[name] for name in own) for one in futures}
            found = np.array([
                curve.values(dict(zip(own, values, strict=True)), title) for values in sorted(kept)
            ])  # fmt: skip
            band = PALE if not several else colour
            axes.fill_between(
                x, found.min(axis=0), found.max(axis=0), color=band, linewidth=0.0,
                alpha=0.12 if several else 1.0, zorder=1,
            )  # fmt: skip
        axes.plot(x, curve.values(line=title), color=colour, linewidth=1.5,
                  label=_(title) if several else None)  # fmt: skip
    if curve.is_log:
        axes.set_xscale("log")
    axes.set_xlim(x[0], x[-1])
    if curve.is_log:
        ends = (x[0], np.sqrt(x[0] * x[-1]), x[-1])
        axes.set_xticks(ends, [count(round(end, -3)) for end in ends])
        axes.minorticks_off()
    axes.set_title(wrap_lines(_(curve.claim), 40), fontsize=7.0, loc="left", color=INK)
    axes.set_xlabel(wrap_lines(capitalise(_(curve.along)), 40), fontsize=6.5, color=GREY)
    axes.set_ylabel(wrap_lines(capitalise(_(curve.title)), 26), fontsize=6.5, color=GREY)
    axes.tick_params(labelsize=6.5)
    axes.locator_params(axis="y", nbins=5)
    if several:
        axes.legend(fontsize=6.0, frameon=False, borderaxespad=0.2, handlelength=1.2)
