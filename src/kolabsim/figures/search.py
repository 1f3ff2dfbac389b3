"""Figures of a search: the Pareto front, the settings of its packages, and other futures.

Packages are numbered along the front, from the cheapest if cost is an objective. Intervals of
single packages are wide, because all packages share their random draws; those of differences
between packages, run by run, are narrow, and the front is drawn with these.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kolabsim.figures.formatting import SPACE, Scale, count, percent, significant
from kolabsim.figures.labels import PLAIN, Labels, capitalise, wrap_lines
from kolabsim.figures.style import (
    BLUE,
    GREY,
    INK,
    PALE,
    VERMILION,
    Canvas,
    limit_ticks,
    line,
    mark,
    open_canvas,
    patch,
    place_labels,
    styled,
    write_ticks,
)
from kolabsim.i18n import _
from kolabsim.study.factors import Factor, Value

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from kolabsim.analysis.pareto import Front, FrontRobustness
    from kolabsim.figures.style import Panels

DOWN = 12
"""Most packages below each other, and in a figure of settings."""
PANELS = 3
"""Most panels beside each other."""


class Reference(NamedTuple):
    """A known strategy to compare packages with."""

    title: str
    values: np.ndarray
    """Outcomes [columns, runs] with the random draws of the search."""


class Apart(NamedTuple):
    """Differences of packages and known strategies to the knee, run by run: [who, columns]."""

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


def apart_from_knee(front: Front, references: Sequence[Reference] = ()) -> Apart:
    """Differences to the knee of all packages, then of all references."""
    parts = [front.against(front.values[front.knee])]
    for reference in references:
        mean, low, high = (part[front.knee] for part in front.against(reference.values))
        parts.append((-mean[None], -high[None], -low[None]))
    return Apart(*(np.vstack(part) for part in zip(*parts, strict=True)))


def level_scales(front: Front, labels: Labels) -> list[Scale]:
    """Choose the scales of the means of each column."""
    low, high = np.moveaxis(front.intervals, 2, 0)
    return [
        labels.scale(name, front.means[:, k], (high - low)[:, k] / 2.0, difference=False)
        for k, name in enumerate(front.columns)
    ]


def apart_scales(front: Front, labels: Labels, apart: Apart) -> list[Scale]:
    """Choose the scales of differences in each column."""
    half = (apart.high - apart.low) / 2.0
    return [
        labels.scale(name, apart.mean[:, k], half[:, k], difference=True)
        for k, name in enumerate(front.columns)
    ]


def robust_scales(front: Front, robust: FrontRobustness, labels: Labels) -> list[Scale]:
    """Choose the scales of each column over futures."""
    low, high = np.moveaxis(robust.intervals, 2, 0)
    return [
        labels.scale(
            name, np.stack([robust.means[:, k], robust.worst[:, k]]), (high - low)[:, k] / 2.0,
            difference=False,
        )
        for k, name in enumerate(front.columns)
    ]  # fmt: skip


def robust_rows(front: Front, robust: FrontRobustness) -> list[int]:
    """Rows of the reevaluated packages that are shown: an even choice along the front."""
    usual = front.spread(DOWN)
    rows = [row for row, member in enumerate(robust.members) if member in usual]
    return rows or list(range(min(DOWN, len(robust.members))))


def package(member: int) -> str:
    """Title of a package."""
    return _("Package {number}").format(number=count(member + 1))


def package_title(front: Front, member: int) -> str:
    """Title of a package that says whether it is the knee."""
    knee = _("{package}, the knee").format(package=package(member))
    return knee if member == front.knee else package(member)


def setting_text(factor: Factor, value: Value, labels: Labels) -> str:
    """Format a setting: an option, a share of full intensity, or a number with its unit."""
    if isinstance(value, str) or factor.is_choice:
        return labels.choice(value)
    if factor.unit == "1" and factor.least >= 0.0 and factor.most <= 1.0:
        return percent(value)
    number = significant(value)
    return number if factor.unit == "1" else f"{number}{SPACE}{_(factor.unit)}"


def better_hint(front: Front, k: int) -> str:
    """Whether more or less of a column is better."""
    return _("more is better") if front.senses[k] > 0 else _("less is better")


@styled
def pareto_front(
    front: Front,
    labels: Labels = PLAIN,
    references: Sequence[Reference] = (),
    *,
    ax: Panels | None = None,
) -> Figure:
    """Draw the Pareto front: each further outcome against the cost.

    If cost is no objective, the second outcome takes its place. The knee, the best package in each
    objective and known strategies are named; intervals are of differences to the knee.

    Parameters
    ----------
    front
        From :func:`kolabsim.analysis.search.search`: ``result.front``.
    labels
        Titles and units: ``figures.Labels.from_experiment(experiment)``.
    references
        Known strategies, simulated with the same random draws.
    ax
        Axes to draw in, one for each outcome besides the cost.
    """
    across = min(1, len(front.columns) - 1) if front.price is None else front.price
    others = [k for k in range(len(front.columns)) if k != across] or [across]
    columns = min(len(others), PANELS if len(others) != 4 else 2)
    rows = math.ceil(len(others) / columns)
    height = 0.6 + rows * (3.9 if columns == 1 else 3.2)
    canvas = open_canvas(ax, height, rows, columns, number=len(others))
    apart, scales = apart_from_knee(front, references), level_scales(front, labels)
    places = front.means[front.knee] + apart.mean
    places[: len(front)] = front.means
    for axes, k in zip(canvas.panels, others, strict=True):
        draw_plane(axes, front, places, apart, (across, k), scales, references)
        axes.set_title(wrap_lines(capitalise(labels.outcome(front.columns[k])), 38))
        axes.set_xlabel(labels.head(front.columns[across], scales[across]))
        hint, unit = better_hint(front, k), scales[k].label
        axes.set_ylabel(f"{unit}; {hint}" if unit else capitalise(hint))
    explain_front(canvas, bool(references), across == front.cost)
    name_marks(front, canvas.panels, others, across, scales, places, references)
    return canvas.figure


def draw_plane(
    axes: Axes,
    front: Front,
    places: np.ndarray,
    apart: Apart,
    plane: tuple[int, int],
    scales: Sequence[Scale],
    references: Sequence[Reference],
) -> None:
    """Draw packages and references in the plane of two columns, with their intervals."""
    ends = np.stack([apart.low, apart.high]) + front.means[front.knee]
    (x, x_ends), (y, y_ends) = (
        (places[:, k] / scales[k].divisor, ends[..., k] / scales[k].divisor) for k in plane
    )
    axes.hlines(y, *x_ends, color=GREY, linewidth=0.7, alpha=0.6, zorder=2)
    axes.vlines(x, *y_ends, color=GREY, linewidth=0.7, alpha=0.6, zorder=2)
    rest = np.arange(len(front)) != front.knee
    axes.plot(
        x[: len(front)][rest], y[: len(front)][rest], "o", color=BLUE, markersize=5,
        markeredgecolor="white", markeredgewidth=0.5, zorder=3,
    )  # fmt: skip
    axes.plot(x[front.knee], y[front.knee], "D", color=VERMILION, markersize=8, zorder=5)
    if references:
        axes.plot(
            x[len(front) :], y[len(front) :], "s", color=INK, markerfacecolor="white",
            markersize=6, zorder=4,
        )  # fmt: skip
    axes.grid()
    axes.margins(0.12)
    if front.budget is not None and plane[0] == front.cost:
        limit = front.budget.most / scales[plane[0]].divisor
        left, right = axes.get_xlim()
        right = max(right, limit + 0.03 * (right - left))
        if limit < 1.5 * right - 0.5 * left:
            axes.axvspan(limit, right, color=PALE, alpha=0.45, linewidth=0, zorder=0)
            axes.set_xlim(left, right)
    for axis in (axes.xaxis, axes.yaxis):
        write_ticks(axis)


def explain_front(canvas: Canvas, known: bool, budget: bool) -> None:
    """Explain the marks above all panels."""
    marks: list[Any] = [
        mark("o", BLUE, _("packages"), markersize=4),
        mark("D", VERMILION, _("knee"), markersize=7),
    ]
    if known:
        marks.append(mark("s", INK, _("known strategies"), hollow=True, markersize=6))
    marks.append(line(GREY, _("interval of the difference to the knee"), linewidth=0.8))
    if budget:
        marks.append(patch(PALE, _("beyond the budget"), alpha=0.45))
    canvas.add_legend(marks)


def name_marks(
    front: Front,
    panels: Sequence[Axes],
    others: Sequence[int],
    across: int,
    scales: Sequence[Scale],
    places: np.ndarray,
    references: Sequence[Reference],
) -> None:
    """Name the knee, known strategies and the best in each objective, without covering a mark."""
    names = {front.knee: package_title(front, front.knee)}
    names |= {len(front) + k: wrap_lines(one.title, 22) for k, one in enumerate(references)}
    for member in sorted({*front.extremes.values()} - {front.knee}):
        names[member] = package(member)
    defined = [k for k in range(len(places)) if np.isfinite(places[k]).all()]
    order = [k for k in names if k in defined] + [k for k in defined if k not in names]
    for axes, k in zip(panels, others, strict=True):
        x, y = (places[order, c] / scales[c].divisor for c in (across, k))
        place_labels(
            axes, list(zip(x, y, strict=True)), [names.get(i, "") for i in order],
            radii=[6.0 if i == front.knee else 3.5 for i in order],
        )  # fmt: skip


@styled
def packages(front: Front, labels: Labels = PLAIN, *, ax: Panels | None = None) -> Figure:
    """Draw the settings and outcomes of packages along the front: a column each, a row a factor.

    The colour shows the position of a number in its range; the frame marks the knee.

    Parameters
    ----------
    front
        From :func:`kolabsim.analysis.search.search`: ``result.front``.
    labels
        Titles and units: ``figures.Labels.from_experiment(experiment)``.
    ax
        Axes to draw in.
    """
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.patches import Rectangle

    members, factors = front.spread(DOWN), front.factors
    scales = level_scales(front, labels)
    rows = len(factors) + len(front.columns)
    canvas = open_canvas(ax, 0.7 + 0.27 * rows)
    [axes] = canvas.panels
    shade = LinearSegmentedColormap.from_list("intensity", ["white", BLUE])
    for x, member in enumerate(members):
        settings = front.settings(member).values()
        for row, (factor, value) in enumerate(zip(factors, settings, strict=True)):
            u = 0.0 if factor.is_choice else float(front.points[member, row])
            axes.add_patch(Rectangle((x, row), 1, 1, facecolor=shade(u), edgecolor=PALE))
            text = wrap_lines(setting_text(factor, value, labels), max(8, 108 // len(members)))
            colour = "white" if u > 0.55 else INK
            axes.text(x + 0.5, row + 0.5, text, color=colour, fontsize=7, ha="center", va="center")
        for k, scale in enumerate(scales):
            axes.text(x + 0.5, len(factors) + k + 0.75, scale.bare(front.means[member, k]),
                      fontsize=7, ha="center", va="center")  # fmt: skip
    knee = (members.index(front.knee), 0)
    axes.add_patch(
        Rectangle(knee, 1, rows + 0.25, fill=False, edgecolor=VERMILION, linewidth=2.0, zorder=5)
    )
    titles = [capitalise(labels.factor(factor.name)) for factor in factors]
    heads = [labels.head(name, scale) for name, scale in zip(front.columns, scales, strict=True)]
    at = [*(y + 0.5 for y in range(len(factors))), *(y + 0.75 for y in range(len(factors), rows))]
    axes.set_yticks(at, [wrap_lines(text, 46) for text in (*titles, *heads)])
    names = [
        _("{number}\nknee").format(number=count(k + 1)) if k == front.knee else count(k + 1)
        for k in members
    ]
    axes.set_xticks([x + 0.5 for x in range(len(members))], names, fontsize=7.5)
    axes.xaxis.tick_top()
    name = _("Package") if front.price is None else _("Package, from the cheapest")
    axes.set_xlabel(name, labelpad=6)
    axes.xaxis.set_label_position("top")
    axes.tick_params(length=0)
    axes.set_xlim(-0.05, len(members) + 0.05)
    axes.set_ylim(rows + 0.3, -0.05)
    axes.spines[:].set_visible(False)
    return canvas.figure


@styled
def hypervolume(front: Front, *, ax: Panels | None = None) -> Figure:
    """Draw the hypervolume of the front by round, as a share of the last.

    Parameters
    ----------
    front
        From :func:`kolabsim.analysis.search.search`: ``result.front``.
    ax
        Axes to draw in.
    """
    canvas = open_canvas(ax, 2.6)
    [axes] = canvas.panels
    rounds = [one.number for one in front.history]
    last = front.hypervolume[-1] or 1.0
    axes.plot(rounds, 100.0 * front.hypervolume / last, color=BLUE, linewidth=2.0)
    axes.axhline(100.0, color=GREY, linewidth=0.7, linestyle=(0, (3, 2)))
    axes.set_title(_("Hypervolume of the front, % of the last round"))
    axes.set_xlabel(_("Round"))
    axes.set_ylim(0.0, 105.0)
    axes.grid(axis="y")
    limit_ticks(axes.xaxis, integer=True)
    write_ticks(axes.yaxis)
    return canvas.figure


@styled
def front_in_futures(
    front: Front, robust: FrontRobustness, labels: Labels = PLAIN, *, ax: Panels | None = None
) -> Figure:
    """Draw packages in many futures: mean with its interval, worst tenth, share within budget.

    Parameters
    ----------
    front
        From :func:`kolabsim.analysis.search.search`: ``result.front``.
    robust
        From :func:`kolabsim.analysis.search.reevaluate`: ``result.robustness``.
    labels
        Titles and units: ``figures.Labels.from_experiment(experiment)``.
    ax
        Axes to draw in, one for each outcome and one for the share.
    """
    rows_shown = robust_rows(front, robust)[::-1]
    members = [robust.members[row] for row in rows_shown]
    scales = robust_scales(front, robust, labels)
    number = len(front.columns) + 1
    columns = min(number, PANELS if number != 4 else 4)
    rows = math.ceil(number / columns)
    height = 0.55 + rows * (0.75 + 0.19 * len(members))
    canvas = open_canvas(ax, height, rows, columns, number=number, sharey=True)
    *panels, stays = canvas.panels
    at = np.arange(len(members))
    colours = [VERMILION if member == front.knee else BLUE for member in members]
    for k, (axes, scale) in enumerate(zip(panels, scales, strict=True)):
        low, high = robust.intervals[rows_shown, k].T / scale.divisor
        mean, worst = (part[rows_shown, k] / scale.divisor for part in (robust.means, robust.worst))
        axes.hlines(at, low, high, color=colours, linewidth=1.6)
        axes.scatter(mean, at, s=24, color=colours, zorder=3)
        axes.scatter(worst, at, s=26, marker="v", facecolor="white", edgecolor=INK, zorder=3)
        axes.set_title(wrap_lines(capitalise(labels.outcome(front.columns[k])), 24))
        hint = better_hint(front, k)
        axes.set_xlabel(f"{scale.label};\n{hint}" if scale.label else hint)
        axes.grid(axis="x")
        limit_ticks(axes.xaxis, nbins=4)
        write_ticks(axes.xaxis)
    stays.barh(at, 100.0 * robust.within[rows_shown], height=0.66, color=PALE)
    stays.barh(at, 100.0 * robust.stays[rows_shown], height=0.66, color=colours)
    stays.set_title(wrap_lines(_("Share of futures"), 24))
    stays.set_xlabel("%")
    stays.set_xlim(0.0, 102.0)
    write_ticks(stays.xaxis)
    for axes in canvas.panels:
        axes.set_yticks(at, [package_title(front, member) for member in members])
        axes.set_ylim(-0.7, len(members) - 0.3)
    text = _("mean, with its {level} interval").format(level=percent(front.level))
    canvas.add_legend([
        line(BLUE, text, marker="o", markersize=4.5, linewidth=1.6),
        mark("v", INK, _("worst tenth of futures"), hollow=True),
        patch(BLUE, _("within budget and not dominated")),
        patch(PALE, _("within budget, but dominated")),
    ])  # fmt: skip
    return canvas.figure
