"""Figures of a sensitivity analysis: indices, tornado, curves, Morris' plane, convergence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.analysis.comparison import DIFFERENT, UNDECIDED
from kolabsim.analysis.sensitivity import Curve, Index, Indices, mean_interval
from kolabsim.figures.formatting import Scale, choose_scale, count, significant
from kolabsim.figures.labels import PLAIN, Labels, add_unit, capitalise, wrap_lines
from kolabsim.figures.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PALE,
    PURPLE,
    VERMILION,
    blank,
    place_labels,
    styled,
    write_ticks,
)
from kolabsim.i18n import N_, _
from kolabsim.study.design import DUMMY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHOWN = 15
"""Most factors in a figure; tables have all."""
LEADING = 5
"""Factors whose convergence is drawn, and whose ranking is judged."""
THREADS = 60
"""Most single curves in a panel: more would be one colour."""
SHARES = ("ST", "S1", "S2")
"""Indices that are shares of the variance."""
BARE = ("delta", "median", "maximum")
"""Indices that are numbers between 0 and 1; all others have the outcome's unit."""
LINES = ((BLUE, "o"), (ORANGE, "s"), (GREEN, "^"), (PURPLE, "D"), (VERMILION, "v"))
"""Colours and marks of the leading factors."""
INDEX_TITLES = {
    "ST": N_("In all, with others"), "S1": N_("By itself"), "S2": N_("Together, beyond each"),
    "mu_star": N_("Mean size of effect"), "mu": N_("Mean effect"),
    "sigma": N_("Unevenness of effect"), "delta": N_("Shift of the distribution"),
    "median": N_("Distance of distributions, median"),
    "maximum": N_("Distance of distributions, largest"), "range": N_("Range of the outcome"),
    "variety": N_("How differently it works elsewhere"), "absolute": N_("Mean size of change"),
    "mean": N_("Mean change"), "spread": N_("Spread of changes"),
}  # fmt: skip


def places_of(indices: Indices, limit: int | None = None) -> list[int]:
    """Where the units stand, the largest main index first, without the dummy."""
    return [indices.units.index(name) for name in indices.order()[:limit]]


def verdict_of(indices: Indices, index: Index, u: int) -> str:
    """Whether a unit is above the noise floor; nothing without a floor."""
    if not index.has_floor or indices.units[u] == DUMMY or not math.isfinite(index.value[u]):
        return ""
    return DIFFERENT if index.above[u] else UNDECIDED


def index_title(name: str, scale: Scale) -> str:
    """An index and its unit."""
    return add_unit(_(INDEX_TITLES[name]), scale)


def index_scale(indices: Indices, name: str, labels: Labels) -> Scale:
    """How an index is written."""
    index = indices.found[name]
    errors = (index.high - index.low) / 2.0
    return scale_of_index(indices.outcome, name, index.value, errors, labels)


def scale_of_index(
    outcome: str, name: str, values: np.ndarray, errors: np.ndarray, labels: Labels
) -> Scale:
    """How values of an index are written, given the half-widths of their intervals."""
    if name in SHARES:
        return choose_scale("share", values, errors, difference=False).with_decimals(most=1)
    if name in BARE:
        return Scale(1.0, 2, "")
    return labels.scale(outcome, values, errors, difference=True)


def write_factors(axes: Axes, indices: Indices, places: Sequence[int], labels: Labels) -> None:
    """Write the names of factors beside their lines, the first at the top."""
    titles = [wrap_lines(capitalise(labels.factor(indices.units[u])), 38) for u in places]
    axes.set_yticks(range(len(places)), titles)
    axes.set_ylim(len(places) - 0.4, -0.6)


def draw_floor(axes: Axes, index: Index, divisor: float, *, label: str) -> None:
    """Draw the noise floor of an index as a line across."""
    if index.has_floor:
        axes.axvline(
            index.floor / divisor, color=INK, linewidth=1.0, linestyle=(0, (4, 3)), zorder=4,
            label=label,
        )  # fmt: skip


def bar_names(indices: Indices) -> list[str]:
    """The indices that are drawn as bars, the main one first."""
    return [indices.main, "S1"] if indices.main == "ST" else [indices.main]


@styled
def index_bars(indices: Indices, labels: Labels = PLAIN) -> Figure:
    """The main index of the leading factors, with intervals and the noise floor.

    Shares of the variance are drawn in all and by itself. What is not above the floor is hollow.

    Parameters
    ----------
    indices
        From :func:`kolabsim.analysis.sensitivity.analyse`: ``answer.indices[0]``.
    labels
        What things are called.

    Examples
    --------
    >>> figures.index_bars(answer.indices[0], figures.Labels.from_experiment(experiment))
    """
    from matplotlib.patches import Patch

    places, names = places_of(indices, SHOWN), bar_names(indices)
    figure, panels = blank(1.05 + 0.36 * len(places))
    axes = panels[0, 0]
    axes.grid(axis="x")
    axes.axvline(0.0, color="#999999", linewidth=0.7)
    scale, thick = index_scale(indices, names[0], labels), 0.72 / len(names)
    handles = []
    for k, (name, colour) in enumerate(zip(names, (BLUE, ORANGE), strict=False)):
        index, y = indices.found[name], np.arange(len(places)) + (k - (len(names) - 1) / 2) * thick
        value, low, high = (part[places] / scale.divisor for part in index[:3])
        faces = ["white" if verdict_of(indices, index, u) == UNDECIDED else colour for u in places]
        axes.barh(y, value, thick * 0.92, color=faces, edgecolor=colour, linewidth=1.0)
        axes.hlines(y, low, high, color=INK, linewidth=1.3, zorder=5)
        handles.append(Patch(facecolor=colour, edgecolor=colour, label=_(INDEX_TITLES[name])))
    draw_floor(axes, indices.leading, scale.divisor, label=floor_label(names))
    if indices.leading.has_floor:
        handles.append(
            Patch(facecolor="white", edgecolor=GREY, label=_("not above the noise floor"))
        )
    handles += axes.get_legend_handles_labels()[0]
    write_factors(axes, indices, places, labels)
    axes.set_xlabel(bar_label(names, scale))
    write_ticks(axes.xaxis, 1.0)
    figure.legend(handles=handles, loc="outside upper left", ncols=4, columnspacing=1.4)
    return figure


def floor_label(names: Sequence[str]) -> str:
    """What the line of the noise floor is called; it is the first index's."""
    if len(names) < 2:
        return _("Noise floor")
    return _("Noise floor of the first")


def bar_label(names: Sequence[str], scale: Scale) -> str:
    """What the axis of bars is: shares of the variance, or one index."""
    if names[0] in SHARES:
        return _("Share of the variance of the outcome, {unit}").format(unit=scale.label)
    return index_title(names[0], scale)


@styled
def morris_plane(indices: Indices, labels: Labels = PLAIN) -> Figure:
    """Mean size of effects across, their unevenness up, each factor with its name.

    Parameters
    ----------
    indices
        Of the method ``morris``.
    labels
        What things are called.

    Examples
    --------
    >>> figures.morris_plane(answer.indices[0], figures.Labels.from_experiment(experiment))
    """
    size, uneven = indices.found["mu_star"], indices.found["sigma"]
    divisor = index_scale(indices, "mu_star", labels).divisor
    x, y = size.value / divisor, uneven.value / divisor
    order = [u for u in places_of(indices) if math.isfinite(y[u])]
    figure, panels = blank(5.2)
    axes = panels[0, 0]
    axes.grid()
    right, top = np.nanmax([x, size.high / divisor]) * 1.1, np.max(y[order]) * 1.2
    top = max(top, 0.45 * right)
    axes.set_xlim(-0.02 * right, right)
    axes.set_ylim(-0.03 * top, top)
    end = min(right, top)
    axes.plot(
        [0.0, end], [0.0, end], color=GREY, linewidth=0.8, label=_("As uneven as it is large")
    )
    draw_floor(axes, size, divisor, label=floor_label(["mu_star"]))
    for u in order[::-1]:
        clear = verdict_of(indices, size, u) != UNDECIDED
        colour = BLUE if clear else GREY
        axes.hlines(y[u], size.low[u] / divisor, size.high[u] / divisor, color=colour,
                    linewidth=1.1, alpha=0.6)  # fmt: skip
        axes.plot(x[u], y[u], "D" if clear else "o", color=colour, markersize=5.5 if clear else 4.5,
                  markerfacecolor=colour if clear else "white", zorder=5)  # fmt: skip
    axes.set_xlabel(index_title("mu_star", index_scale(indices, "mu_star", labels)))
    axes.set_ylabel(index_title("sigma", index_scale(indices, "mu_star", labels)))
    for axis in (axes.xaxis, axes.yaxis):
        write_ticks(axis, 1.0)
    figure.legend(loc="outside upper left", ncols=2)
    named = [u for u in order if verdict_of(indices, size, u) != UNDECIDED][:SHOWN]
    titles = [wrap_lines(capitalise(labels.factor(indices.units[u])), 26) for u in named]
    places, radii = [(x[u], y[u]) for u in named], [4.0] * len(named)
    for u in named:  # labels keep off intervals too
        ends = np.linspace(size.low[u], size.high[u], 15) / divisor
        places += [(end, y[u]) for end in ends]
    nothing = [""] * (len(places) - len(named))
    place_labels(axes, places, [*titles, *nothing], radii=radii + [2.5] * len(nothing), size=7.5)
    for text in [text for text in axes.texts if not text.get_text()]:
        text.remove()
    return figure


@styled
def ice(indices: Indices, curves: Mapping[str, Curve], labels: Labels = PLAIN) -> Figure:
    """How the outcome moves along the range of each leading factor, on one scale.

    Of ice, single curves are drawn too, moved to the same mean.

    Parameters
    ----------
    indices
        From a design ``one_at_a_time`` or ``ice``.
    curves
        By factor, how the outcome moves (:func:`kolabsim.analysis.sensitivity.curve`).
    labels
        What things are called.

    Examples
    --------
    >>> figures.ice(answer.indices[0], answer.curves["trust"])
    """
    names = [name for name in indices.order() if name in curves][:SHOWN]
    columns = min(len(names), 3 if len(names) <= 6 else 4)
    rows = math.ceil(len(names) / columns)
    figure, panels = blank(0.5 + 1.75 * rows, rows, columns, sharey=True)
    middles = np.concatenate([curves[name].middle for name in names])
    scale = labels.scale(indices.outcome, middles, difference=False)
    for axes in panels.ravel()[len(names) :]:
        axes.set_axis_off()
    for axes, name in zip(panels.ravel(), names, strict=False):
        axes.grid(axis="y")
        if DUMMY in curves:
            axes.axhspan(*(end / scale.divisor for end in reach(curves[DUMMY])), color=PALE,
                         linewidth=0, alpha=0.8, zorder=0)  # fmt: skip
        values = values_along(curves[name], name, labels)
        draw_curve(axes, curves[name], scale.divisor, values, threads=indices.method == "ice")
        axes.set_title(
            wrap_lines(capitalise(labels.factor(name)), 36 if columns < 4 else 27), fontsize=7.5
        )
        write_ticks(axes.yaxis, 1.0)
    figure.supylabel(wrap_lines(labels.head(indices.outcome, scale), 60), fontsize=8.0)
    return figure


def reach(dummy: Curve) -> tuple[float, float]:
    """From where to where the mean curve of a factor that changes nothing goes."""
    return float(dummy.middle.min()), float(dummy.middle.max())


def values_along(curve: Curve, name: str, labels: Labels) -> list[object]:
    """What a factor is at each place of its curve, words as they are called; [] if unknown."""
    values = [labels.at[name](place) for place in curve.places] if name in labels.at else []
    return [labels.choice(one) if isinstance(one, str) else one for one in values]


def draw_curve(
    axes: Axes, curve: Curve, divisor: float, values: Sequence[object], *, threads: bool
) -> None:
    """Draw a curve with its interval; ``threads``: also single ones, at most :data:`THREADS`."""
    choice = any(isinstance(value, str) for value in values)
    if choice:
        curve = by_word(curve, values)
        titles = [wrap_lines(word, 11) for word in dict.fromkeys(values)]
        axes.set_xticks(curve.places, titles, fontsize=6.5)
        axes.set_xlim(-0.5, len(titles) - 0.5)
    else:
        axes.set_xticks((0.0, 0.5, 1.0), ticks_of_numbers(values))
        axes.set_xlim(0.0, 1.0)
        # Numbers at the ends stay inside their panel.
        for label, side in zip(axes.get_xticklabels(), ("left", "center", "right"), strict=True):
            label.set_horizontalalignment(side)
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


def by_word(curve: Curve, words: Sequence[str]) -> Curve:
    """A curve with one place for each word, in their order: the mean of all that say this word."""
    there = np.array(words) == np.array([*dict.fromkeys(words)])[:, None]
    weights = there / there.sum(axis=1, keepdims=True)
    return Curve(np.arange(len(there)), *(part @ weights.T for part in curve[1:]))


def ticks_of_numbers(values: Sequence[object]) -> list[str]:
    """What a factor is at both ends and in the middle of its range, as far as is known."""
    if not len(values):
        return [_("low"), _("middle"), _("high")]
    middle = significant(float(values[len(values) // 2])) if len(values) % 2 else ""
    return [significant(float(values[0])), middle, significant(float(values[-1]))]


@styled
def convergence(indices: Indices, labels: Labels = PLAIN) -> Figure:
    """The main index of the leading factors as the first points alone would give it.

    Parameters
    ----------
    indices
        From :func:`kolabsim.analysis.sensitivity.analyse`: ``answer.indices[0]``.
    labels
        What things are called.

    Examples
    --------
    >>> figures.convergence(answer.indices[0], figures.Labels.from_experiment(experiment))
    """
    places = places_of(indices, LEADING)
    scale = index_scale(indices, indices.main, labels)
    points = np.array([step.points for step in indices.steps])
    figure, panels = blank(3.6)
    axes = panels[0, 0]
    axes.grid(axis="y")
    parts = [np.array([step[2 + k] for step in indices.steps]) / scale.divisor for k in range(3)]
    lines = [(u, *LINES[k], "-", labels.factor(indices.units[u])) for k, u in enumerate(places)]
    if indices.has_dummy:
        lines.append((len(indices.units) - 1, GREY, "", (0, (4, 3)), labels.factor(DUMMY)))
    for k, (u, colour, mark, style, title) in enumerate(lines):
        # Intervals stand beside each other, so that each can be seen.
        x = points * 2.0 ** (0.06 * (k - (len(lines) - 1) / 2))
        value, low, high = (part[:, u] for part in parts)
        axes.plot(x, value, color=colour, marker=mark, markersize=5.0, linestyle=style,
                  linewidth=1.5, label=wrap_lines(capitalise(title), 46))  # fmt: skip
        axes.vlines(x, low, high, color=colour, linewidth=1.2)
    axes.set_xscale("log", base=2)
    axes.set_xticks(points, [count(number) for number in points])
    axes.minorticks_off()
    axes.set_xlabel(_("Points"))
    axes.set_ylabel(wrap_lines(bar_label([indices.main], scale), 32))
    seen = np.concatenate(
        [parts[0][:, places].ravel(), *(part[1:, places].ravel() for part in parts)]
    )
    if np.isfinite(seen).any() and len(points) > 2:  # the first interval would dwarf all others
        room = 0.05 * (np.nanmax(seen) - min(np.nanmin(seen), 0.0))
        axes.set_ylim(min(np.nanmin(seen), 0.0) - room, np.nanmax(seen) + room)
    write_ticks(axes.yaxis, 1.0)
    figure.legend(loc="outside upper left", ncols=2)
    return figure


@styled
def tornado(indices: Indices, curves: Mapping[str, Curve], labels: Labels = PLAIN) -> Figure:
    """By how much each factor moves the outcome at either end of its range, the strongest first.

    Changes are from the middle of a factor's range, all other factors staying where they are, with
    the intervals of their means. The pale bar goes from the lowest to the highest outcome along
    the range; where it sticks out, the outcome bends. Of a choice, every word has its mark.

    Parameters
    ----------
    indices
        From a design ``one_at_a_time`` or ``ice``.
    curves
        By factor, how the outcome moves (:func:`kolabsim.analysis.sensitivity.curve`).
    labels
        What things are called.

    Examples
    --------
    >>> figures.tornado(answer.indices[0], answer.curves["trust"])
    """
    names = [name for name in indices.order() if name in curves][:SHOWN]
    changes = [change_from_middle(curves[name], indices.level) for name in names]
    scale = labels.scale(
        indices.outcome, np.concatenate([change.middle for change in changes]), difference=True
    )
    figure, panels = blank(1.05 + 0.42 * len(names))
    axes = panels[0, 0]
    axes.grid(axis="x")
    axes.axvline(0.0, color=INK, linewidth=0.9, zorder=1)
    titles = []
    for y, (name, change) in enumerate(zip(names, changes, strict=True)):
        values = values_along(change, name, labels)
        title = capitalise(labels.factor(name))
        if any(isinstance(value, str) for value in values):
            change = by_word(change, values)
        elif values:
            low, high = (labels.number(name, value) for value in (values[0], values[-1]))
            ends = _("{low} to {high}").format(low=low, high=high)
            title = f"{title} ({ends})"
        titles.append(wrap_lines(title, 46))
        hollow = verdict_of(indices, indices.leading, indices.units.index(name)) == UNDECIDED
        choices = [one for one in dict.fromkeys(values) if isinstance(one, str)]
        draw_change(axes, y, change, scale.divisor, choices=choices, hollow=hollow)
    axes.set_yticks(range(len(names)), titles)
    axes.set_ylim(len(names) - 0.4, -0.6)
    text = _("{outcome}: change from the middle of the range")
    text = text.format(outcome=capitalise(labels.outcome(indices.outcome)))
    axes.set_xlabel(add_unit(text, scale))
    write_ticks(axes.xaxis, 1.0)
    explain_tornado(figure, indices)
    return figure


def change_from_middle(curve: Curve, level: float) -> Curve:
    """A curve as differences to its own middle, with the intervals of these."""
    middle = np.array([np.interp(0.5, curve.places, one) for one in curve.each])
    each = curve.each - middle[:, None]
    return Curve(curve.places, each, *mean_interval(each, level))


def draw_change(
    axes: Axes, y: float, change: Curve, divisor: float, *, choices: Sequence[str], hollow: bool
) -> None:
    """Draw the line of one factor: both ends of its range, or all words of a choice."""
    middle, low, high = (part / divisor for part in change[2:])
    least, most = min(middle.min(), 0.0), max(middle.max(), 0.0)
    axes.barh(y, most - least, 0.74, left=least, color=PALE, alpha=0.55, linewidth=0, zorder=1)
    if choices:
        at = y + np.linspace(-0.28, 0.28, len(middle))
        axes.hlines(at, low, high, color=INK, linewidth=1.2, zorder=4)
        axes.plot(middle, at, "D", color=GREEN, markersize=4.5, zorder=5, linestyle="",
                  markerfacecolor="white" if hollow else GREEN)  # fmt: skip
        for x, where, end, text in zip(middle, at, high, choices, strict=True):
            axes.annotate(text, (np.fmax(x, end), where), (6, 0), textcoords="offset points",
                          va="center_baseline", fontsize=6.0, color=GREY)  # fmt: skip
        return
    for end, at, colour in ((0, y - 0.18, ORANGE), (-1, y + 0.18, BLUE)):
        line = 1.0 if middle[end] else 0.0  # the edge of nothing would look like something
        axes.barh(at, middle[end], 0.34, color="white" if hollow else colour, edgecolor=colour,
                  linewidth=line, zorder=2)  # fmt: skip
        axes.hlines(at, low[end], high[end], color=INK, linewidth=1.3, zorder=5)


def explain_tornado(figure: Figure, indices: Indices) -> None:
    """Say above the panel what bars are."""
    from matplotlib.patches import Patch

    handles = [
        Patch(color=ORANGE, label=_("lowest value")),
        Patch(color=BLUE, label=_("highest value")),
        Patch(color=PALE, alpha=0.55, linewidth=0, label=_("anywhere in the range")),
    ]  # fmt: skip
    if indices.leading.has_floor:
        handles.append(
            Patch(facecolor="white", edgecolor=GREY, label=_("not above the noise floor"))
        )
    figure.legend(handles=handles, loc="outside upper left", ncols=len(handles), columnspacing=1.2)
