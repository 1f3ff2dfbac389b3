"""Figures of a sensitivity analysis: indices, tornado, curves, Morris plane, convergence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kolabsim.analysis.sensitivity import Curve, Index, Indices
from kolabsim.analysis.statistics import DIFFERENT, UNDECIDED, mean_interval
from kolabsim.figures.formatting import Scale, choose_scale, count, format_interval, significant
from kolabsim.figures.labels import PLAIN, Labels, add_unit, capitalise, wrap_lines
from kolabsim.figures.marks import mark, patch, place_labels
from kolabsim.figures.palette import BLUE, DASHED, GREEN, GREY, INK, ORANGE, PALE, SERIES
from kolabsim.figures.style import open_canvas, styled, write_names
from kolabsim.i18n import N_, _
from kolabsim.study.design import DUMMY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from kolabsim.figures.style import Panels

SHOWN = 15
"""Most factors in a figure; tables have all."""
LEADING = 5
"""Factors whose convergence is drawn."""
THREADS = 60
"""Most single curves in a panel: more would merge into one colour."""
SHARES = ("ST", "S1", "S2")
"""Indices that are shares of the variance."""
BARE = ("delta", "median", "maximum")
"""Indices that are numbers between 0 and 1; all others have the unit of the outcome."""
INDEX_TITLES = {
    "ST": N_("Total effect"), "S1": N_("Main effect"), "S2": N_("Interaction of two"),
    "mu_star": N_("Mean absolute effect"), "mu": N_("Mean effect"),
    "sigma": N_("Standard deviation of effects"), "delta": N_("Shift of the distribution"),
    "median": N_("Distance of distributions, median"),
    "maximum": N_("Distance of distributions, largest"), "range": N_("Range of the outcome"),
    "variety": N_("Variation between starting points"), "absolute": N_("Mean absolute change"),
    "mean": N_("Mean change"), "spread": N_("Standard deviation of changes"),
}  # fmt: skip


def leading_units(indices: Indices, limit: int | None = None) -> list[int]:
    """Positions of factors, the largest main index first, without the dummy."""
    return [indices.units.index(name) for name in indices.order()[:limit]]


def index_verdict(indices: Indices, index: Index, u: int) -> str:
    """Whether a factor is above the noise floor; '' without a floor."""
    if not index.has_floor or indices.units[u] == DUMMY or not math.isfinite(index.value[u]):
        return ""
    return DIFFERENT if index.above[u] else UNDECIDED


def index_title(name: str, scale: Scale) -> str:
    """Title of an index with its unit."""
    return add_unit(_(INDEX_TITLES[name]), scale)


def index_scale(indices: Indices, name: str, labels: Labels) -> Scale:
    """Choose the scale of an index."""
    index = indices.found[name]
    errors = (index.high - index.low) / 2.0
    return choose_index_scale(indices.outcome, name, index.value, errors, labels)


def choose_index_scale(
    outcome: str, name: str, values: np.ndarray, errors: np.ndarray, labels: Labels
) -> Scale:
    """Choose the scale of values of an index, given the half-widths of their intervals."""
    if name in SHARES:
        return choose_scale("share", values, errors, difference=False).with_decimals(most=1)
    if name in BARE:
        return Scale(1.0, 2, "")
    return labels.scale(outcome, values, errors, difference=True)


def factor_titles(indices: Indices, units: Sequence[int], labels: Labels) -> list[str]:
    """Titles of factors by their positions."""
    return [capitalise(labels.factor(indices.units[u])) for u in units]


def draw_floor(
    axes: Axes, index: Index, units: Sequence[int], y: np.ndarray, thick: float, divisor: float
) -> None:
    """Draw the noise floor of an index across the bars of units."""
    if index.has_floor:
        floor, half = index.floor[units] / divisor, thick / 2
        axes.vlines(floor, y - half, y + half, color=INK, linewidth=1.0, zorder=6)


@styled
def index_bars(indices: Indices, labels: Labels = PLAIN, *, ax: Panels | None = None) -> Figure:
    """Draw the main index of the leading factors, with intervals and the noise floor.

    Of shares of the variance, total and main effect are drawn. Bars that are not above the floor
    are hollow.
    """
    units, leading = leading_units(indices, SHOWN), indices.leading
    names = [indices.main, "S1"] if indices.main == "ST" else [indices.main]
    canvas = open_canvas(ax, 1.05 + 0.36 * len(units), grid="x")
    axes = canvas.axes
    axes.axvline(0.0, color="#999999", linewidth=0.7)
    scale, thick = index_scale(indices, names[0], labels), 0.72 / len(names)
    handles: list[Any] = []
    for k, (name, colour) in enumerate(zip(names, (BLUE, ORANGE), strict=False)):
        index, y = indices.found[name], np.arange(len(units)) + (k - (len(names) - 1) / 2) * thick
        value, low, high = (part[units] / scale.divisor for part in index[:3])
        hollow = [index_verdict(indices, index, u) == UNDECIDED for u in units]
        faces = np.where(hollow, "white", colour).tolist()
        axes.barh(y, value, thick * 0.92, color=faces, edgecolor=colour, linewidth=1.0)
        axes.hlines(y, low, high, color=INK, linewidth=1.3, zorder=5)
        handles.append(patch(colour, _(INDEX_TITLES[name]), colour))
        draw_floor(axes, index, units, y, thick, scale.divisor)
    if leading.has_floor:
        floor = mark("|", INK, _("Noise floor"))
        handles += [floor, patch("white", _("not above the noise floor"), GREY)]
    write_names(axes, factor_titles(indices, units, labels))
    axes.set_xlabel(bar_label(names[0], scale))
    canvas.add_legend([*handles, *axes.get_legend_handles_labels()[0]], columns=4)
    return canvas.figure


def bar_label(name: str, scale: Scale) -> str:
    """Title of the axis of the main index."""
    if name in SHARES:
        return _("Share of the variance of the outcome, {unit}").format(unit=scale.label)
    return index_title(name, scale)


@styled
def morris_plane(indices: Indices, labels: Labels = PLAIN, *, ax: Panels | None = None) -> Figure:
    """Draw the mean absolute effect of each factor against the standard deviation of its effects.

    The indices are of the method ``morris``.
    """
    size, uneven = indices.found["mu_star"], indices.found["sigma"]
    scale = index_scale(indices, "mu_star", labels)
    x, y, low, high = (
        part / scale.divisor for part in (size.value, uneven.value, size.low, size.high)
    )
    order = [u for u in leading_units(indices) if math.isfinite(y[u])]
    canvas = open_canvas(ax, 5.2, grid="both")
    axes = canvas.axes
    # Where nothing has an effect, all are at zero.
    right = 1.1 * float(np.nanmax([x, high])) or 1.0
    top = max(1.2 * float(np.max(y[order], initial=0.0)), 0.45 * right)
    axes.set(xlim=(-0.02 * right, right), ylim=(-0.03 * top, top))
    end = min(right, top)
    text = _("standard deviation as large as the mean")
    axes.plot([0.0, end], [0.0, end], color=GREY, linewidth=0.8, label=text)
    clear = {u: index_verdict(indices, size, u) != UNDECIDED for u in order}
    for u in order[::-1]:
        colour, face = (BLUE, BLUE) if clear[u] else (GREY, "white")
        axes.hlines(y[u], low[u], high[u], color=colour, linewidth=1.1, alpha=0.6)
        axes.plot(x[u], y[u], "D" if clear[u] else "o", color=colour, markerfacecolor=face,
                  markersize=5.5 if clear[u] else 4.5, zorder=5)  # fmt: skip
    axes.set(xlabel=index_title("mu_star", scale), ylabel=index_title("sigma", scale))
    canvas.add_legend()
    named = [u for u in order if clear[u]][:SHOWN]
    place_labels(
        axes, [(x[u], y[u]) for u in named],
        [wrap_lines(title, 26) for title in factor_titles(indices, named, labels)],
        radii=[4.0] * len(named),
        avoid=[(end, y[u]) for u in named for end in np.linspace(low[u], high[u], 15)],
    )  # fmt: skip
    return canvas.figure


@styled
def ice(
    indices: Indices, curves: Mapping[str, Curve], labels: Labels = PLAIN, *,
    ax: Panels | None = None,
) -> Figure:  # fmt: skip
    """Draw the outcome along the range of each leading factor (at most 15), on one scale.

    The indices are of the method ``one_at_a_time`` or ``ice``; of the latter, single curves are
    drawn too, shifted to the same mean. The pale band is the range of a factor without effect.
    """
    names = [name for name in indices.order() if name in curves][:SHOWN]
    columns = min(len(names), 3 if len(names) <= 6 else 4)
    canvas = open_canvas(ax, 0.5, len(names), columns, row=1.75, grid="y", sharey=True)
    middles = [curves[name].middle for name in names]
    scale = labels.scale(indices.outcome, middles, difference=False)
    for axes, name in zip(canvas.panels, names, strict=True):
        if DUMMY in curves:
            middle = curves[DUMMY].middle / scale.divisor
            axes.axhspan(middle.min(), middle.max(), color=PALE, linewidth=0, alpha=0.8, zorder=0)
        values = values_along(curves[name], name, labels)
        draw_curve(axes, curves[name], scale.divisor, values, threads=indices.method == "ice")
        title = capitalise(labels.factor(name))
        axes.set_title(wrap_lines(title, 36 if columns < 4 else 27), fontsize=7.5)
    canvas.label_y(wrap_lines(labels.head(indices.outcome, scale), 60))
    return canvas.figure


def values_along(curve: Curve, name: str, labels: Labels) -> list[Any]:
    """Values of a factor at each position of its curve, choices by title; [] if unknown."""
    values = [labels.at[name](place) for place in curve.places] if name in labels.at else []
    return [labels.choice(one) if isinstance(one, str) else one for one in values]


def draw_curve(
    axes: Axes, curve: Curve, divisor: float, values: Sequence[Any], *, threads: bool
) -> None:
    """Draw a curve with its interval; with ``threads``, single ones too."""
    choice = any(isinstance(value, str) for value in values)
    if choice:
        curve = group_by_choice(curve, values)
        titles = [wrap_lines(title, 11) for title in dict.fromkeys(values)]
        axes.set_xticks(curve.places, titles, fontsize=6.5)
        axes.set_xlim(-0.5, len(titles) - 0.5)
    else:
        axes.set_xticks((0.0, 0.5, 1.0), range_ticks(values))
        axes.set_xlim(0.0, 1.0)
        # Numbers at the ends stay inside their panel.
        left, _middle, right = axes.get_xticklabels()
        left.set_horizontalalignment("left")
        right.set_horizontalalignment("right")
    x, middle, low, high = curve.places, *(part / divisor for part in curve[2:])
    if threads:
        each = curve.each - curve.each.mean(axis=1, keepdims=True) + curve.middle.mean()
        axes.plot(x, each[:THREADS].T / divisor, color=GREY, linewidth=0.5, alpha=0.45)
    if choice:
        axes.vlines(x, low, high, color=BLUE, linewidth=1.6)
        axes.plot(x, middle, "o", color=BLUE, markersize=5.0)
        return
    if np.isfinite(low).all():
        axes.fill_between(x, low, high, color=BLUE, alpha=0.25, linewidth=0)
    axes.plot(x, middle, color=BLUE, linewidth=1.8)


def group_by_choice(curve: Curve, values: Sequence[Any]) -> Curve:
    """A curve with one position for each option of a choice: the mean of all with this option."""
    there = np.array(values) == np.array([*dict.fromkeys(values)])[:, None]
    weights = there / there.sum(axis=1, keepdims=True)
    return Curve(np.arange(len(there)), *(part @ weights.T for part in curve[1:]))


def range_ticks(values: Sequence[Any]) -> list[str]:
    """Values of a factor at both ends and in the middle of its range, as far as known."""
    if not values:
        return [_("low"), _("middle"), _("high")]
    low, middle, high = (significant(float(values[k])) for k in (0, len(values) // 2, -1))
    return [low, middle if len(values) % 2 else "", high]


@styled
def convergence(indices: Indices, labels: Labels = PLAIN, *, ax: Panels | None = None) -> Figure:
    """Draw the main index of the leading factors, by number of points of the design."""
    units = leading_units(indices, LEADING)
    scale = index_scale(indices, indices.main, labels)
    points = np.array([step.points for step in indices.steps])
    canvas = open_canvas(ax, 3.6, grid="y")
    axes = canvas.axes
    value, low, high = (
        np.array([step[2 + k] for step in indices.steps]) / scale.divisor for k in range(3)
    )
    styles: list[Any] = [*zip(units, SERIES, "os^Dv", "-" * LEADING, strict=False)]
    if indices.has_dummy:
        styles.append((len(indices.units) - 1, GREY, "", DASHED))
    for k, (u, colour, marker, dashes) in enumerate(styles):
        # Intervals stand beside each other, so that each is visible.
        x = points * 2.0 ** (0.06 * (k - (len(styles) - 1) / 2))
        [title] = factor_titles(indices, [u], labels)
        axes.plot(x, value[:, u], color=colour, marker=marker, markersize=5.0, linestyle=dashes,
                  linewidth=1.5, label=wrap_lines(title, 46))  # fmt: skip
        axes.vlines(x, low[:, u], high[:, u], color=colour, linewidth=1.2)
    axes.set_xscale("log", base=2)
    axes.set_xticks(points, [count(number) for number in points])
    axes.minorticks_off()
    axes.set_xlabel(_("Points"))
    axes.set_ylabel(wrap_lines(bar_label(indices.main, scale), 32))
    # The first interval would dwarf all others.
    seen = np.concatenate([value, low[1:], high[1:]])[:, units]
    if np.isfinite(seen).any() and len(points) > 2:
        room = 0.05 * (np.nanmax(seen) - min(np.nanmin(seen), 0.0))
        axes.set_ylim(min(np.nanmin(seen), 0.0) - room, np.nanmax(seen) + room)
    canvas.add_legend(columns=2)
    return canvas.figure


@styled
def tornado(
    indices: Indices, curves: Mapping[str, Curve], labels: Labels = PLAIN, *,
    ax: Panels | None = None,
) -> Figure:  # fmt: skip
    """Draw the change of the outcome at either end of the range of each factor.

    The indices are of the method ``one_at_a_time`` or ``ice``. Factors are in descending order of
    their effect. Changes are from the middle of the range of a factor, all others being held
    constant, with the intervals of their means. The pale bar extends from the lowest to the highest
    outcome along the range; where it is longer than the others, the outcome is not monotonic. Each
    option of a choice has a mark.
    """
    names = [name for name in indices.order() if name in curves][:SHOWN]
    changes = [change_from_middle(curves[name], indices.level) for name in names]
    middles = [change.middle for change in changes]
    scale = labels.scale(indices.outcome, middles, difference=True)
    canvas = open_canvas(ax, 1.05 + 0.42 * len(names), grid="x")
    axes = canvas.axes
    axes.axvline(0.0, color=INK, linewidth=0.9, zorder=1)
    titles = []
    for y, (name, change) in enumerate(zip(names, changes, strict=True)):
        values = values_along(change, name, labels)
        choices = [one for one in dict.fromkeys(values) if isinstance(one, str)]
        title = capitalise(labels.factor(name))
        if choices:
            change = group_by_choice(change, values)
        elif values:
            low, high = (labels.number(name, value) for value in (values[0], values[-1]))
            title = f"{title} ({format_interval(low, high)})"
        titles.append(title)
        hollow = index_verdict(indices, indices.leading, indices.units.index(name)) == UNDECIDED
        draw_change(axes, y, change, scale.divisor, choices=choices, hollow=hollow)
    write_names(axes, titles, width=46)
    text = _("{outcome}: change from the middle of the range")
    text = text.format(outcome=capitalise(labels.outcome(indices.outcome)))
    axes.set_xlabel(add_unit(text, scale))
    handles = [
        patch(ORANGE, _("lowest value")),
        patch(BLUE, _("highest value")),
        patch(PALE, _("anywhere in the range"), alpha=0.55),
    ]
    if indices.leading.has_floor:
        handles.append(patch("white", _("not above the noise floor"), GREY))
    canvas.add_legend(handles)
    return canvas.figure


def change_from_middle(curve: Curve, level: float) -> Curve:
    """A curve as differences to its own middle, with their intervals."""
    middle = np.array([np.interp(0.5, curve.places, one) for one in curve.each])
    each = curve.each - middle[:, None]
    return Curve(curve.places, each, *mean_interval(each, level)[:3])


def draw_change(
    axes: Axes, y: float, change: Curve, divisor: float, *, choices: Sequence[str], hollow: bool
) -> None:
    """Draw the line of one factor: both ends of its range, or all options of a choice."""
    middle, low, high = (part / divisor for part in change[2:])
    least, most = min(middle.min(), 0.0), max(middle.max(), 0.0)
    axes.barh(y, most - least, 0.74, left=least, color=PALE, alpha=0.55, linewidth=0, zorder=1)
    if choices:
        lines = y + np.linspace(-0.28, 0.28, len(middle))
        axes.hlines(lines, low, high, color=INK, linewidth=1.2, zorder=4)
        axes.plot(middle, lines, "D", color=GREEN, markersize=4.5, zorder=5, linestyle="",
                  markerfacecolor="white" if hollow else GREEN)  # fmt: skip
        for x, at, end, text in zip(middle, lines, high, choices, strict=True):
            axes.annotate(text, (np.fmax(x, end), at), (6, 0), textcoords="offset points",
                          va="center_baseline", fontsize=6.0, color=GREY)  # fmt: skip
        return
    for end, at, colour in ((0, y - 0.18, ORANGE), (-1, y + 0.18, BLUE)):
        edge = 1.0 if middle[end] else 0.0  # the edge of nothing would look like something
        axes.barh(at, middle[end], 0.34, color="white" if hollow else colour, edgecolor=colour,
                  linewidth=edge, zorder=2)  # fmt: skip
        axes.hlines(at, low[end], high[end], color=INK, linewidth=1.3, zorder=5)
