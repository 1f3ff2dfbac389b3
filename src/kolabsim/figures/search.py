"""Figures of a search: the front, what its packages set, and how they do in other futures.

Packages are numbered along the front, from the cheapest if the cost is a goal. Intervals of single
packages are wide, because all share the same luck; those of differences between packages, run by
run, are narrow, and it is these that the front is drawn with.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kolabsim.figures.formatting import SPACE, Scale, count, percent, significant
from kolabsim.figures.labels import PLAIN, Labels, capitalise, wrap_lines
from kolabsim.figures.style import (
    BLUE,
    GREY,
    INK,
    PALE,
    VERMILION,
    blank,
    place_labels,
    styled,
    write_ticks,
)
from kolabsim.i18n import _
from kolabsim.study.factors import Factor, Value

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from kolabsim.analysis.search import Front, FrontRobustness

DOWN = 12
"""Most packages below each other, and in a figure of settings."""
PANELS = 3
"""Most panels beside each other."""


class Reference(NamedTuple):
    """A strategy that is known, to compare packages with."""

    title: str
    values: np.ndarray
    """[columns, runs] on the draws of the search."""


class Apart(NamedTuple):
    """Differences of packages and known strategies to the knee, run by run: [who, columns]."""

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


def apart_from_knee(front: Front, references: Sequence[Reference] = ()) -> Apart:
    """Differences to the knee of all members and then of all references."""
    parts = [front.against(front.values[front.knee])]
    for reference in references:
        mean, low, high = (part[front.knee] for part in front.against(reference.values))
        parts.append((-mean[None], -high[None], -low[None]))
    return Apart(*(np.vstack(part) for part in zip(*parts, strict=True)))


def level_scales(front: Front, labels: Labels) -> list[Scale]:
    """How the means of each column are written."""
    low, high = np.moveaxis(front.intervals, 2, 0)
    return [
        labels.scale(name, front.means[:, k], (high - low)[:, k] / 2.0, difference=False)
        for k, name in enumerate(front.columns)
    ]


def apart_scales(front: Front, labels: Labels, apart: Apart) -> list[Scale]:
    """How differences in each column are written."""
    return [
        labels.scale(
            name, apart.mean[:, k], (apart.high - apart.low)[:, k] / 2.0, difference=True
        )
        for k, name in enumerate(front.columns)
    ]  # fmt: skip


def package(member: int) -> str:
    """What a member is called."""
    return _("Package {number}").format(number=count(member + 1))


def package_title(front: Front, member: int) -> str:
    """What a member is called, with what is special about it."""
    knee = _("{package}, the knee").format(package=package(member))
    return knee if member == front.knee else package(member)


def setting_text(factor: Factor, value: Value, labels: Labels) -> str:
    """What a factor is set to: a word, a share of full intensity, or a number with its unit."""
    if factor.is_choice:
        return labels.choice(value)
    if factor.unit == "1" and factor.least >= 0.0 and factor.most <= 1.0:
        return percent(value)
    number = significant(value)
    return number if factor.unit == "1" else f"{number}{SPACE}{factor.unit}"


@styled
def pareto_front(
    front: Front, labels: Labels = PLAIN, references: Sequence[Reference] = ()
) -> Figure:
    """The front as a plane, or one for each further outcome, over the cost.

    If the cost is no objective, over the second one. The knee, the best in each objective and known
    strategies are named; intervals are of differences to the knee.

    Parameters
    ----------
    front
        From :func:`kolabsim.analysis.search.search`: ``answer.front``.
    labels
        What things are called.
    references
        Strategies that are known, on the same draws.

    Examples
    --------
    >>> figures.pareto_front(answer.front, figures.Labels.from_experiment(experiment))
    """
    across = min(1, len(front.columns) - 1) if front.price is None else front.price
    others = [k for k in range(len(front.columns)) if k != across] or [across]
    columns = min(len(others), PANELS if len(others) != 4 else 2)
    rows = math.ceil(len(others) / columns)
    height = 0.6 + rows * (3.9 if columns == 1 else 3.2)
    figure, panels = blank(height, rows, columns)
    panels = panels.ravel()
    apart, scales = apart_from_knee(front, references), level_scales(front, labels)
    places = front.means[front.knee] + apart.mean
    places[: len(front)] = front.means
    for axes, k in zip(panels, others, strict=False):
        draw_plane(axes, front, places, apart, (across, k), scales, references)
        axes.set_title(wrap_lines(capitalise(labels.outcome(front.columns[k])), 38))
        axes.set_xlabel(labels.head(front.columns[across], scales[across]))
        better = _("more is better") if front.senses[k] > 0 else _("less is better")
        axes.set_ylabel(f"{scales[k].label}; {better}" if scales[k].label else capitalise(better))
    for axes in panels[len(others) :]:
        axes.set_axis_off()
    explain_front(figure, bool(references), across == front.cost)
    name_marks(front, panels, others, across, scales, places, references)
    return figure


def draw_plane(
    axes: Axes,
    front: Front,
    places: np.ndarray,
    apart: Apart,
    of: tuple[int, int],
    scales: Sequence[Scale],
    references: Sequence[Reference],
) -> None:
    """Draw members and references in the plane of two columns, with their intervals."""
    ends = np.stack([apart.low, apart.high]) + front.means[front.knee]
    (x, x_ends), (y, y_ends) = (
        (places[:, k] / scales[k].divisor, ends[..., k] / scales[k].divisor) for k in of
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
    if of[0] == front.cost:
        limit = front.budget.most / scales[of[0]].divisor
        left, right = axes.get_xlim()
        right = max(right, limit + 0.03 * (right - left))
        if limit < 1.5 * right - 0.5 * left:
            axes.axvspan(limit, right, color=PALE, alpha=0.45, linewidth=0, zorder=0)
            axes.set_xlim(left, right)
    for axis in (axes.xaxis, axes.yaxis):
        write_ticks(axis, 1.0)


def explain_front(figure: Figure, known: bool, budget: bool) -> None:
    """What the marks mean, above all panels."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    marks = [
        Line2D([], [], linestyle="", marker="o", color=BLUE, markersize=4, label=_("packages")),
        Line2D([], [], linestyle="", marker="D", color=VERMILION, markersize=7, label=_("knee")),
    ]
    if known:
        marks.append(
            Line2D([], [], linestyle="", marker="s", color=INK, markerfacecolor="white",
                   markersize=6, label=_("known strategies"))
        )  # fmt: skip
    marks.append(
        Line2D([], [], color=GREY, linewidth=0.8, label=_("interval of the difference to the knee"))
    )
    if budget:
        marks.append(Patch(color=PALE, alpha=0.45, linewidth=0, label=_("beyond the budget")))
    figure.legend(handles=marks, loc="outside upper left", ncols=len(marks), columnspacing=1.4)


def name_marks(
    front: Front,
    panels: Sequence[Axes],
    others: Sequence[int],
    across: int,
    scales: Sequence[Scale],
    places: np.ndarray,
    references: Sequence[Reference],
) -> None:
    """Name the knee, the known strategies and the best in each objective; no mark is covered."""
    names = {front.knee: package_title(front, front.knee)}
    names |= {len(front) + k: wrap_lines(one.title, 22) for k, one in enumerate(references)}
    for member in sorted({*front.extremes.values()} - {front.knee}):
        names[member] = package(member)
    rest = [k for k in range(len(places)) if k not in names and np.isfinite(places[k]).all()]
    order = [*(k for k in names if np.isfinite(places[k]).all()), *rest]
    for axes, k in zip(panels, others, strict=False):
        at = [(places[i, across] / scales[across].divisor, places[i, k] / scales[k].divisor)
              for i in order]  # fmt: skip
        place_labels(
            axes, at, [names.get(i, "") for i in order],
            radii=[6.0 if i == front.knee else 3.5 for i in order], size=7.5,
        )  # fmt: skip


@styled
def packages(front: Front, labels: Labels = PLAIN) -> Figure:
    """What packages along the front set, and what comes of it: a column a package, a row a factor.

    Colour says how far up its range a number is; the frame is the knee's.

    Parameters
    ----------
    front
        From :func:`kolabsim.analysis.search.search`: ``answer.front``.
    labels
        What things are called.

    Examples
    --------
    >>> figures.packages(answer.front, figures.Labels.from_experiment(experiment))
    """
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.patches import Rectangle

    members, factors = front.spread(DOWN), front.factors
    scales = level_scales(front, labels)
    rows = len(factors) + len(front.columns)
    figure, panels = blank(0.7 + 0.27 * rows)
    axes = panels[0, 0]
    shade = LinearSegmentedColormap.from_list("intensity", ["white", BLUE])
    for x, member in enumerate(members):
        settings = front.settings(member).values()
        for y, (factor, value) in enumerate(zip(factors, settings, strict=True)):
            u = 0.0 if factor.is_choice else float(front.points[member, y])
            axes.add_patch(Rectangle((x, y), 1, 1, facecolor=shade(u), edgecolor=PALE))
            text = wrap_lines(setting_text(factor, value, labels), max(8, 108 // len(members)))
            colour = "white" if u > 0.55 else INK
            axes.text(x + 0.5, y + 0.5, text, color=colour, fontsize=7, ha="center", va="center")
        for k, scale in enumerate(scales):
            text = scale.bare(front.means[member, k])
            y = len(factors) + k + 0.75
            axes.text(x + 0.5, y, text, fontsize=7, ha="center", va="center")
    x = members.index(front.knee)
    axes.add_patch(
        Rectangle((x, 0), 1, rows + 0.25, fill=False, edgecolor=VERMILION, linewidth=2.0, zorder=5)
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
    return figure


@styled
def hypervolume(front: Front) -> Figure:
    """How much of the space of goals the front beats, round by round, as a share of the last.

    Parameters
    ----------
    front
        From :func:`kolabsim.analysis.search.search`: ``answer.front``.

    Examples
    --------
    >>> figures.hypervolume(answer.front)
    """
    figure, panels = blank(2.6)
    axes = panels[0, 0]
    rounds = [one.number for one in front.history]
    last = front.hypervolume[-1] or 1.0
    axes.plot(rounds, 100.0 * front.hypervolume / last, color=BLUE, linewidth=2.0)
    axes.axhline(100.0, color=GREY, linewidth=0.7, linestyle=(0, (3, 2)))
    axes.set_title(_("Hypervolume of the front, % of the last round’s"))
    axes.set_xlabel(_("Round"))
    axes.set_ylim(0.0, 105.0)
    axes.grid(axis="y")
    axes.xaxis.get_major_locator().set_params(integer=True)
    write_ticks(axes.yaxis, 1.0)
    return figure


@styled
def front_in_futures(front: Front, robust: FrontRobustness, labels: Labels = PLAIN) -> Figure:
    """Packages in many futures: mean with its interval, the worst tenth, and who stays.

    Parameters
    ----------
    front
        From :func:`kolabsim.analysis.search.search`: ``answer.front``.
    robust
        From :func:`kolabsim.analysis.search.reevaluate`: ``answer.robustness``.
    labels
        What things are called.

    Examples
    --------
    >>> figures.front_in_futures(answer.front, answer.robustness)
    """
    rows_of = robust_rows(front, robust)[::-1]
    members = [robust.members[row] for row in rows_of]
    scales = robust_scales(front, robust, labels)
    number = len(front.columns) + 1
    columns = min(number, PANELS if number != 4 else 4)
    rows = math.ceil(number / columns)
    height = 0.55 + rows * (0.75 + 0.19 * len(members))
    figure, panels = blank(height, rows, columns, sharey=True)
    panels, at = panels.ravel(), np.arange(len(members))
    for k, (axes, scale) in enumerate(zip(panels, scales, strict=False)):
        low, high = robust.intervals[rows_of, k].T / scale.divisor
        mean, worst = (
            part[rows_of, k] / scale.divisor for part in (robust.means, robust.worst)
        )  # fmt: skip
        colours = [VERMILION if member == front.knee else BLUE for member in members]
        axes.hlines(at, low, high, color=colours, linewidth=1.6)
        axes.scatter(mean, at, s=24, color=colours, zorder=3)
        axes.scatter(worst, at, s=26, marker="v", facecolor="white", edgecolor=INK, zorder=3)
        axes.set_title(wrap_lines(capitalise(labels.outcome(front.columns[k])), 24))
        better = _("more is better") if front.senses[k] > 0 else _("less is better")
        axes.set_xlabel(f"{scale.label};\n{better}" if scale.label else better)
        axes.grid(axis="x")
        axes.xaxis.get_major_locator().set_params(nbins=4)
        write_ticks(axes.xaxis, 1.0)
    stays = panels[len(scales)]
    stays.barh(at, 100.0 * robust.within[rows_of], height=0.66, color=PALE)
    stays.barh(at, 100.0 * robust.stays[rows_of], height=0.66, color=colours)
    stays.set_title(wrap_lines(_("Share of futures"), 24))
    stays.set_xlabel("%")
    stays.set_xlim(0.0, 102.0)
    write_ticks(stays.xaxis, 1.0)
    stays.set_yticks(at, [package_title(front, member) for member in members])
    stays.set_ylim(-0.7, len(members) - 0.3)
    for axes in panels[number:]:
        axes.set_axis_off()
    explain_robustness(figure, front)
    return figure


def explain_robustness(figure: Figure, front: Front) -> None:
    """What marks and bars mean, above all panels."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    level = percent(front.level)
    handles = [
        Line2D([], [], color=BLUE, marker="o", markersize=4.5, linewidth=1.6,
               label=_("mean, with its {level} interval").format(level=level)),
        Line2D([], [], linestyle="", marker="v", markersize=5, color=INK, markerfacecolor="white",
               label=_("worst tenth of futures")),
        Patch(color=BLUE, label=_("within budget and unbeaten")),
        Patch(color=PALE, label=_("within budget, but beaten")),
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside upper left", ncols=4, columnspacing=1.4)


def robust_rows(front: Front, robust: FrontRobustness) -> list[int]:
    """Which of the members that were judged are shown: those of the usual choice, or the first."""
    usual = front.spread(DOWN)
    rows = [row for row, member in enumerate(robust.members) if member in usual]
    return rows or list(range(min(DOWN, len(robust.members))))


def robust_scales(front: Front, robust: FrontRobustness, labels: Labels) -> list[Scale]:
    """How each column is written over futures."""
    low, high = np.moveaxis(robust.intervals, 2, 0)
    return [
        labels.scale(
            name, np.stack([robust.means[:, k], robust.worst[:, k]]), (high - low)[:, k] / 2.0,
            difference=False,
        )
        for k, name in enumerate(front.columns)
    ]  # fmt: skip
