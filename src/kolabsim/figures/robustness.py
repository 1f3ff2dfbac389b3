"""Figures of strategies in many futures: regret, robustness, failure, value of information."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from kolabsim.analysis.discovery import Discovery
from kolabsim.analysis.prim import Box, Range
from kolabsim.analysis.robustness import CRITERIA, LOSS, SHARE, Robustness
from kolabsim.figures.formatting import Scale, count, percent
from kolabsim.figures.labels import PLAIN, Labels, add_unit, capitalise, wrap_lines
from kolabsim.figures.marks import (
    draw_cells,
    draw_diamonds,
    line,
    mark,
    patch,
    place_labels,
    shades,
)
from kolabsim.figures.palette import BLUE, DASHED, GREY, INK, ORANGE, PALE, SERIES, VERMILION
from kolabsim.figures.style import open_canvas, styled, write_names, write_ticks
from kolabsim.i18n import _, ngettext

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.axis import XAxis, YAxis
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure

    from kolabsim.analysis.information import Information
    from kolabsim.figures.style import Panels

SHOWN = 15
"""Most factors in a figure; tables have all."""
COLOURED = 4
"""Strategies whose curves have a colour; all others are grey."""
DASHES = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (5, 1.5, 1.2, 1.5)), "-")
"""Line styles of the coloured curves, and of all others."""
ESTIMATE = ["value", "low", "high"]
"""Columns of an estimate and its interval."""
GOLDEN = 0.6180339887498949
"""The fractional parts of its multiples spread evenly, whatever their number."""


def criterion_scale(robust: Robustness, criterion: str, labels: Labels) -> Scale:
    """Choose the scale of the values of a criterion; criteria of one kind share it."""

    def is_difference(name: str) -> bool:
        return CRITERIA[name].kind == LOSS or name == "difference"

    if CRITERIA[criterion].kind == SHARE:
        return Scale(0.01, 0, "%")
    apart = is_difference(criterion)
    alike = [
        name for name in robust.criteria
        if CRITERIA[name].kind != SHARE and is_difference(name) == apart
    ]  # fmt: skip
    table = robust.estimates[robust.estimates["criterion"].isin(alike)]
    errors = (table["high"] - table["low"]) / 2.0
    return labels.scale(robust.outcome, table[ESTIMATE], errors, difference=apart)


def information_scale(information: Information, labels: Labels) -> Scale:
    """Choose the scale of values of information."""
    table = information.factors
    values = np.append(table[["value", "high", "floor"]], information.evpi.high)
    errors = (table["high"] - table["low"]) / 2.0
    return labels.scale(information.outcome, values, errors, difference=True)


def leading(found: Discovery) -> tuple[list[str], list[str]]:
    """The two restricted factors that most resamples restrict too, and the others."""
    box = require_box(found)
    stability = found.stability
    order = sorted(box.limits, key=lambda name: (-stability.get(name, 0.0), box.quasi_p[name]))
    return order[:2], order[2:]


def require_box(found: Discovery) -> Box:
    """The box of a scenario discovery that has one."""
    if found.box is None:
        text = "this discovery has no box"
        raise ValueError(text)
    return found.box


@styled
def regret(robust: Robustness, labels: Labels = PLAIN, *, ax: Panels | None = None) -> Figure:
    """Draw the regret of each strategy in all futures, and its 90% quantile."""
    order, scale = robust.order(), criterion_scale(robust, "regret_90", labels)
    canvas = open_canvas(ax, 1.1 + 0.36 * len(order), grid="x")
    axes, y = canvas.axes, np.arange(len(order))
    rows = [robust.names.index(name) for name in order]
    regret = np.sort(robust.regret[rows], axis=1) / scale.divisor
    lower, middle, upper = np.quantile(regret, (0.25, 0.5, 0.75), axis=1)
    shift = 0.5 * ((np.arange(regret.shape[1]) * GOLDEN) % 1.0 - 0.5)
    axes.barh(y, upper - lower, left=lower, height=0.56, color=BLUE, alpha=0.25, linewidth=0)
    axes.plot(regret.T, y + shift[:, None], ".", color=GREY, markersize=3.0, alpha=0.6,
              markeredgewidth=0)  # fmt: skip
    axes.vlines(middle, y - 0.28, y + 0.28, color=BLUE, linewidth=2.0)
    level = _("{level} of futures stay below").format(level=percent(0.9))
    table = robust.table("regret_90").loc[order, ESTIMATE] / scale.divisor
    draw_diamonds(axes, level, *table.to_numpy().T)
    write_names(axes, [labels.strategy(name) for name in order])
    axes.set_xlim(left=-0.01 * axes.get_xlim()[1])
    axes.set_xlabel(add_unit(_("Regret: loss against the best strategy of the future"), scale))
    canvas.add_legend([
        mark(".", GREY, _("one future")),
        patch(BLUE, _("middle 50% of futures"), alpha=0.25),
        line(BLUE, _("median"), linewidth=2.0),
        mark("D", INK, level, hollow=True),
    ])  # fmt: skip
    return canvas.figure


@styled
def satisficing(robust: Robustness, labels: Labels = PLAIN, *, ax: Panels | None = None) -> Figure:
    """Draw the share of futures at or beyond every threshold, the leading strategies in colour."""
    curve, scale = robust.satisficing, criterion_scale(robust, "mean", labels)
    canvas = open_canvas(ax, 3.7, grid="y")
    axes, x = canvas.axes, curve.thresholds / scale.divisor
    handles = []
    for k, name in enumerate(robust.order()):
        s, coloured = robust.names.index(name), k < COLOURED
        colour = SERIES[k] if coloured else PALE
        if k < 2:
            axes.fill_between(x, curve.low[s], curve.high[s], color=colour, alpha=0.18, linewidth=0)
        title = labels.strategy(name) if coloured else _("other strategies")
        handles += axes.plot(
            x, curve.share[s], color=colour, linewidth=1.9 if coloured else 1.1,
            linestyle=DASHES[min(k, COLOURED)], zorder=4 - 0.1 * k if coloured else 1,
            label=wrap_lines(title, 46),
        )  # fmt: skip
    handles = handles[: COLOURED + 1]
    if robust.threshold is not None:
        handles.append(
            axes.axvline(robust.threshold / scale.divisor, color=INK, linewidth=1.0,
                         linestyle=DASHED, label=_("threshold"))
        )  # fmt: skip
    if x[0] < x[-1]:  # else all strategies are equal
        axes.set_xlim(x[0], x[-1])
    axes.set(ylim=(0.0, 1.02), ylabel=_("Share of the futures, %"))
    text = _("{outcome} is at least") if robust.better > 0 else _("{outcome} is at most")
    text = text.format(outcome=capitalise(labels.outcome(robust.outcome)))
    axes.set_xlabel(add_unit(text, scale))
    write_ticks(axes.yaxis, 0.01)
    canvas.add_legend(handles, columns=3)
    return canvas.figure


@styled
def best_shares(robust: Robustness, labels: Labels = PLAIN, *, ax: Panels | None = None) -> Figure:
    """Draw the share of futures in which each strategy is best, with intervals."""
    order = robust.order("best")
    value, low, high = 100.0 * robust.table("best").loc[order, ESTIMATE].to_numpy().T
    canvas = open_canvas(ax, 0.75 + 0.3 * len(order), grid="x")
    axes, y = canvas.axes, np.arange(len(order))
    axes.barh(y, value, height=0.66, color=BLUE)
    axes.hlines(y, low, high, color=INK, linewidth=1.4, zorder=5)
    for at, share, end in zip(y, value, np.fmax(value, high), strict=True):
        axes.annotate(percent(share / 100.0), (end, at), (4, 0), va="center",
                      textcoords="offset points", fontsize=8.0)  # fmt: skip
    write_names(axes, [labels.strategy(name) for name in order])
    axes.set_xlim(0.0, 1.08 * max(high.max(), 1.0))
    axes.set_xlabel(_("Share of the futures in which the strategy is best, %"))
    return canvas.figure


@styled
def spread_plane(robust: Robustness, labels: Labels = PLAIN, *, ax: Panels | None = None) -> Figure:
    """Draw the mean of each strategy over futures against its standard deviation.

    Hollow strategies are dominated: another one has a better mean and a smaller deviation.
    """
    scale, apart = (criterion_scale(robust, name, labels) for name in ("mean", "spread"))
    names = [*robust.names]
    x, left, right = robust.table("mean").loc[names, ESTIMATE].to_numpy().T / scale.divisor
    y, low, high = robust.table("spread").loc[names, ESTIMATE].to_numpy().T / apart.divisor
    beaten = (((x - x[:, None]) * robust.better > 0.0) & (y < y[:, None])).any(axis=1)
    colours = np.where(beaten, GREY, BLUE).tolist()
    canvas = open_canvas(ax, 4.6, grid="both")
    axes = canvas.axes
    axes.hlines(y, left, right, color=colours, linewidth=1.0, alpha=0.5)
    axes.vlines(x, low, high, color=colours, linewidth=1.0, alpha=0.5)
    axes.scatter(
        x, y, s=30.0, facecolor=np.where(beaten, "white", BLUE).tolist(), edgecolor=colours,
        linewidth=1.0, zorder=5,
    )  # fmt: skip
    outcome = capitalise(labels.outcome(robust.outcome))
    axes.set_xlabel(add_unit(_("{outcome}, mean over futures").format(outcome=outcome), scale))
    axes.set_ylabel(add_unit(_("Standard deviation over futures"), apart))
    axes.margins(0.08)
    across = np.linspace(left, right, 25), np.broadcast_to(y, (25, len(y)))
    along = np.broadcast_to(x, (5, len(x))), np.linspace(low, high, 5)
    taken = np.concatenate([across, along], axis=1).reshape(2, -1).T.tolist()
    place_labels(
        axes, [*zip(x, y, strict=True)],
        [wrap_lines(labels.strategy(name), 26) for name in names],
        radii=[4.0] * len(x), avoid=taken,
    )  # fmt: skip
    return canvas.figure


@styled
def prim_box(
    found: Discovery, settings: pd.DataFrame, labels: Labels = PLAIN, *, ax: Panels | None = None
) -> Figure:
    """Draw the futures by the two leading restricted factors, and the box of failures.

    The discovery, ``result.failing["forum"][0]``, must have a box; ``result.settings`` are the
    settings of each future. Futures outside the box in other factors are pale.
    """
    from matplotlib.patches import Rectangle

    names, others = leading(found)
    canvas = open_canvas(ax, 4.2 if len(names) > 1 else 2.2)
    axes = canvas.axes
    x, across = coordinates(axes.xaxis, settings, found, names[0], labels)
    if len(names) > 1:
        y, along = coordinates(axes.yaxis, settings, found, names[1], labels)
    else:
        y, along = (np.arange(len(x)) * GOLDEN) % 1.0, [(-0.06, 1.06)]
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
    limits = require_box(found).limits
    rest = Box({name: limits[name] for name in others}, 0, 0, 0.0, 0.0, 0.0, {})
    near = rest.holds(settings)
    for here, alpha in ((~near, 0.35), (near, 1.0)):
        passed, failed = here & ~found.fails, here & found.fails
        axes.plot(x[passed], y[passed], "o", color=BLUE, markerfacecolor="none", markersize=4.5,
                  markeredgewidth=0.9, alpha=alpha)  # fmt: skip
        axes.plot(x[failed], y[failed], "x", color=VERMILION, markersize=5.5, markeredgewidth=1.6,
                  alpha=alpha)  # fmt: skip
    for (left, right), (low, high) in product(across, along):
        box: Any = (left, low), right - left, high - low
        axes.add_patch(Rectangle(*box, facecolor=ORANGE, alpha=0.14, linewidth=0, zorder=0))
        axes.add_patch(Rectangle(*box, fill=False, edgecolor=INK, linewidth=1.3, zorder=4))
    canvas.add_legend([
        mark("x", VERMILION, _("fails"), markeredgewidth=1.6),
        mark("o", BLUE, _("does not fail"), hollow=True),
        patch("#FBEFDB", _("the box"), INK),
    ])  # fmt: skip
    return canvas.figure


def coordinates(
    axis: XAxis | YAxis, settings: pd.DataFrame, found: Discovery, name: str, labels: Labels
) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """Label an axis; return the positions of futures along it, and the intervals of the box."""
    limit, column = require_box(found).limits[name], settings[name].to_numpy()
    axis.set_label_text(wrap_lines(labels.axis(name), 60))
    if isinstance(limit, Range):
        values = column.astype(np.float64)
        room = 0.04 * np.ptp(values)
        ends = values.min() - room, values.max() + room
        axis.axes.set(**{f"{axis.axis_name}lim": ends})
        # Between the last future inside and the next outside, so that no mark lies on a line.
        inside = (values >= limit.low) & (values <= limit.high)
        below, above = values[values < limit.low], values[values > limit.high]
        low = ends[0] if not len(below) else (below.max() + values[inside].min()) / 2.0
        high = ends[1] if not len(above) else (above.min() + values[inside].max()) / 2.0
        return values, [(float(low), float(high))]
    choices = sorted(set(column), key=str)
    place = {choice: k for k, choice in enumerate(choices)}
    spread = 0.6 * ((np.arange(len(column)) * GOLDEN**2) % 1.0 - 0.5)
    axis.set_ticks(range(len(choices)), [wrap_lines(labels.choice(one), 16) for one in choices])
    axis.axes.set(**{f"{axis.axis_name}lim": (-0.6, len(choices) - 0.4)})
    values = np.array([place[choice] for choice in column]) + spread
    taken = [(place[one] - 0.42, place[one] + 0.42) for one in choices if one in limit]
    return values, taken


@styled
def value_of_information(
    information: Information, labels: Labels = PLAIN, *, ax: Panels | None = None
) -> Figure:
    """Draw the value of knowing each factor, with intervals and its noise floor."""
    table, scale = information.factors.iloc[:SHOWN], information_scale(information, labels)
    canvas = open_canvas(ax, 1.05 + 0.32 * len(table), grid="x")
    axes, y = canvas.axes, np.arange(len(table))
    value, low, high, floor = table[[*ESTIMATE, "floor"]].to_numpy().T / scale.divisor
    faces = np.where(table["above"], BLUE, "white").tolist()
    axes.barh(y, value, height=0.62, color=faces, edgecolor=BLUE, linewidth=1.0)
    axes.hlines(y, low, high, color=INK, linewidth=1.3, zorder=5)
    axes.vlines(floor, y - 0.38, y + 0.38, color=VERMILION, linewidth=2.2, zorder=6)
    write_names(axes, [capitalise(labels.factor(name)) for name in table["factor"]])
    axes.set_xlim(left=0.0)
    axes.set_xlabel(add_unit(_("Value of knowing the factor before choosing"), scale))
    canvas.add_legend([
        patch(BLUE, _("above its noise floor"), BLUE),
        patch("white", _("not above the noise floor"), BLUE),
        line(VERMILION, _("noise floor"), linewidth=2.2),
        line(INK, _("{level} interval").format(level=percent(information.level)), linewidth=1.3),
    ])  # fmt: skip
    return canvas.figure


@styled
def regret_table(robust: Robustness, labels: Labels = PLAIN, *, ax: Panels | None = None) -> Figure:
    """Draw the regret of each strategy (row) in each future (column), and its quantiles.

    Futures with the same best strategy are side by side, those of the most robust one first;
    within them, the regret of the most robust strategy increases. To the right, in a second panel,
    stand the median, the value that 90% of futures stay below, and the largest.
    """
    order = robust.order()
    regret = robust.regret[[robust.names.index(name) for name in order]]
    best = regret == 0.0
    columns = np.lexsort((regret[0], best.argmax(axis=0)))
    scale = criterion_scale(robust, "regret_90", labels)
    limit = float(np.quantile(regret, 0.98)) or 1.0
    colours = shades(0.0, limit, "#FBF3EE", ORANGE, VERMILION)
    canvas = open_canvas(
        ax, 1.15 + 0.32 * len(order), 2, 2, sharey=True, gridspec_kw={"width_ratios": [3.0, 1.2]}
    )
    heat, told = canvas.panels
    shown = np.ma.masked_where(best[:, columns], regret[:, columns])
    heat.imshow(
        shown, cmap=colours.cmap.with_extremes(bad=BLUE), vmin=0.0, vmax=limit, aspect="auto",
        interpolation="none",
    )  # fmt: skip
    heat.hlines(np.arange(len(order) - 1) + 0.5, -0.5, len(columns) - 0.5, color="white")
    heat.set_xlim(-0.5, len(columns) - 0.5)
    heat.set_xticks([])
    number = ngettext("{number} future", "{number} futures", len(columns))
    heat.set_xlabel(number.format(number=count(len(columns))))
    write_names(heat, [labels.strategy(name) for name in order])
    heat.spines[:].set_visible(False)
    heat.tick_params(length=0)
    draw_quantiles(told, regret, scale, colours)
    told.tick_params(labelleft=False)
    label = add_unit(_("Regret: loss against the best strategy of the future"), scale)
    canvas.add_colorbar(colours, label, scale.divisor, ax=[heat], extend="max")
    heat.legend(handles=[patch(BLUE, _("best of the future"))], loc="lower left",
                bbox_to_anchor=(0.0, 1.0), borderaxespad=0.2)  # fmt: skip
    return canvas.figure


def draw_quantiles(axes: Axes, regret: np.ndarray, scale: Scale, colours: ScalarMappable) -> None:
    """Write the median, the 90% quantile and the largest regret of each strategy."""
    level = _("{level} stay below").format(level=percent(0.9))
    shares = {0.5: _("median"), 0.9: level, 1.0: _("largest")}
    values = np.quantile(regret, [*shares], axis=1).T
    faces = colours.to_rgba(values)
    faces[values == 0.0] = 1.0
    draw_cells(axes, faces, [[scale.bare(value) for value in row] for row in values])
    axes.set_xticks(range(len(shares)), [wrap_lines(text, 12) for text in shares.values()])
