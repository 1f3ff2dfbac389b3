"""Figures of the model against observed joint bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kolabsim.figures.labels import area_title
from kolabsim.figures.maps import NEUTRAL, RegionMap, draw_regions
from kolabsim.figures.marks import patch, shades
from kolabsim.figures.palette import BLUE, GREY, INK, ORANGE, PALE, VERMILION
from kolabsim.figures.style import open_canvas, styled, write_names
from kolabsim.i18n import _
from kolabsim.validation.gains import MEASURE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from kolabsim.figures.style import Panels
    from kolabsim.validation.network import NetworkFit

RARE = 0.05
"""Share of time in joint bodies below which a region's gain is not coloured."""


def score_title(name: str) -> str:
    """Title of a score of pairs."""
    return {
        "model": _("Model"), "regression": _("Regression on all attributes"),
        "land": _("Land border"), "distance": _("Distance"), "size": _("Similar size"),
        "tier": _("Same higher tier"), "alike": _("Similar culture"),
    }[name]  # fmt: skip


def observed_area_title(name: str) -> str:
    """Title of an observed service area, or of bodies whose area is unknown."""
    return area_title(name) if name else _("Area not given")


@styled
def pair_ranking(fit: NetworkFit, *, ax: Panels | None = None) -> Figure:
    """Draw how well the model, a regression and distance rank the pairs that share, by area."""
    rows = [(_("Any area"), fit.pairs[-1].scores)]
    if len(fit.areas) > 1:
        rows += [(observed_area_title(one.area), one.scores) for one in fit.areas]
    canvas = open_canvas(ax, 1.1 + 0.42 * len(rows), grid="x")
    axes = canvas.axes
    for k, (name, colour, marker) in enumerate(
        (("model", BLUE, "o"), ("regression", ORANGE, "s"), ("distance", GREY, "D"))
    ):
        found = {
            y: s.auc for y, (_title, scores) in enumerate(rows) for s in scores if s.name == name
        }
        if found:
            value, low, high = np.array(list(found.values())).T
            places = np.array(list(found)) + 0.24 * (k - 1)
            axes.hlines(places, low, high, color=colour, linewidth=1.4)
            axes.plot(value, places, marker, color=colour, markersize=5.0, label=score_title(name))
    axes.axvline(0.5, color=INK, linewidth=0.9)
    write_names(axes, [title for title, _scores in rows])
    axes.set_xlabel(_("Chance that a pair that shares ranks above one that does not (AUC)"))
    canvas.add_legend()
    return canvas.figure


@styled
def sharing_and_sizes(fit: NetworkFit, *, ax: Panels | None = None) -> Figure:
    """Draw sharing by distance and the sizes of joint bodies, observed and in the model."""
    canvas = open_canvas(ax, 2.9, 2, 2, grid="y")
    by_distance, sizes = canvas.panels
    middles, _number, observed, model = fit.pairs[-1].by_distance
    by_distance.plot(middles, observed, "o-", color=BLUE, markersize=4)
    by_distance.plot(middles, model, "s--", color=ORANGE, markersize=4)
    by_distance.set(xlabel=_("Distance, km"), title=_("Share of pairs that share an area"))
    by_distance.set_ylim(0.0)
    observed, model = fit.structures[-1].sizes[:, 2:]
    members = np.arange(2, len(observed) + 2)
    sizes.bar(members - 0.2, observed, 0.4, color=BLUE)
    sizes.bar(members + 0.2, model, 0.4, color=ORANGE, edgecolor=GREY, linewidth=0.4, hatch="///")
    sizes.set(xlabel=_("Members"), title=_("Share of joint bodies"))
    canvas.add_legend(
        [patch(BLUE, _("Observed")), patch(ORANGE, _("Model"), edge=GREY, hatch="///")]
    )
    return canvas.figure


@styled
def shared_pairs_map(fit: NetworkFit, *, ax: Panels | None = None) -> Figure:
    """Draw the pairs that share on a map, observed and in the model.

    As many pairs as were observed are drawn for the model: those with the highest chance.
    """
    from matplotlib.collections import LineCollection

    place, pairs = RegionMap(fit.network.scenario.regions), fit.network.pairs
    observed, number = fit.network.shares, len(place.regions)
    canvas = open_canvas(ax, 5.6)
    axes = canvas.axes
    draw_regions(axes, place, [GREY] * number, radii=np.full(number, 1.5), widths=0.0, dots=True)
    likely = np.zeros(len(observed), bool)
    likely[np.argsort(-fit.chance, kind="stable")[: int(observed.sum())]] = True
    likely &= fit.chance > 0.0
    handles = []
    for label, which, colour, line in (
        (_("observed and in the model"), observed & likely, BLUE, "-"),
        (_("only observed"), observed & ~likely, VERMILION, "-"),
        (_("only in the model"), likely & ~observed, ORANGE, "--"),
    ):
        lines = LineCollection(
            list(place.points[pairs.rows[which]]), colors=colour, linewidths=1.1, linestyles=line,
            label=f"{label} ({which.sum()})", zorder=2,
        )  # fmt: skip
        handles.append(axes.add_collection(lines))
    canvas.add_legend(handles)
    return canvas.figure


@styled
def gains_map(fit: NetworkFit, *, ax: Panels | None = None) -> Figure:
    """Draw what sharing brings to each region on a map for each service area."""
    scenario, figures = fit.network.scenario, fit.simulated.figures
    areas, place = list(scenario.areas), RegionMap(scenario.regions)
    benefit = 100.0 * figures[:, :, MEASURE["realised_benefit"]]
    rare = figures[:, :, MEASURE["cooperation"]] < RARE
    limit = max(float(np.quantile(np.abs(benefit), 0.98)), 1e-9)
    colours = shades(-limit, limit, VERMILION, NEUTRAL, BLUE)
    canvas = open_canvas(ax, 0.7, len(areas), 2, row=1.9)
    for a, (axes, area) in enumerate(zip(canvas.panels, areas, strict=True)):
        fill = colours.to_rgba(np.where(rare[:, a], 0.0, benefit[:, a]))
        draw_regions(
            axes, place, fill, radii=np.where(rare[:, a], 1.1, 1.7),
            edges=np.where(rare[:, a], PALE, INK).tolist(), widths=0.25,
        )  # fmt: skip
        axes.set_title(area_title(area))
    label = _("Realised net benefit, % of stand-alone cost")
    canvas.add_colorbar(colours, label, 1.0)
    return canvas.figure
