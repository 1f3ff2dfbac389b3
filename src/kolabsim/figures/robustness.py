"""Figures of strategies in many futures: regret, robustness, where one fails, what to measure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.analysis.discovery import Box, Discovery, Range
from kolabsim.analysis.robustness import CRITERIA, LOSS, SHARE, Robustness
from kolabsim.figures.formatting import Scale, count, percent
from kolabsim.figures.labels import PLAIN, Labels, add_unit, capitalise, wrap_lines
from kolabsim.figures.style import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    PALE,
    SERIES,
    VERMILION,
    blank,
    place_labels,
    styled,
    write_ticks,
)
from kolabsim.i18n import _, ngettext

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from kolabsim.analysis.information import Information

SHOWN = 15
"""Most factors in a figure; tables have all."""
COLOURED = 4
"""Strategies whose curves have a colour; the others' are grey."""
GOLDEN = 0.6180339887498949
"""Multiples of it, without their whole parts, spread evenly whatever their number."""


def criterion_scale(robust: Robustness, criterion: str, labels: Labels) -> Scale:
    """How the figures of a criterion are written; those of one kind are written alike."""
    kind = CRITERIA[criterion].kind
    if kind == SHARE:
        return Scale(0.01, 0, "%")
    apart = kind == LOSS or criterion == "difference"
    alike = [
        name for name in robust.criteria
        if CRITERIA[name].kind != SHARE
        and (CRITERIA[name].kind == LOSS or name == "difference") == apart
    ]  # fmt: skip
    table = robust.figures[robust.figures["criterion"].isin(alike)]
    values, errors = table[["value", "low", "high"]], (table["high"] - table["low"]) / 2.0
    return labels.scale(robust.outcome, values.to_numpy(), errors.to_numpy(), difference=apart)


def information_scale(information: Information, labels: Labels) -> Scale:
    """How values of information are written."""
    table, perfect = information.factors, information.perfect
    values = np.append(table[["value", "high", "floor"]].to_numpy(), perfect.high)
    errors = (table["high"] - table["low"]).to_numpy() / 2.0
    return labels.scale(information.outcome, values, errors, difference=True)


def leading(found: Discovery) -> tuple[list[str], list[str]]:
    """The two restricted factors that come back most often, and the others."""
    box = found.box
    order = sorted(box.limits, key=lambda name: (-found.returns.get(name, 0.0), box.quasi_p[name]))
    return order[:2], order[2:]


def write_strategies(axes: Axes, names: Sequence[str], labels: Labels) -> None:
    """Write the names of strategies beside their lines, the first at the top."""
    axes.set_yticks(range(len(names)), [wrap_lines(labels.strategy(name), 38) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)


@styled
def regret(robust: Robustness, labels: Labels = PLAIN) -> Figure:
    """Regret of each strategy over futures, with that which nine futures of ten do not exceed.

    Parameters
    ----------
    robust
        From :func:`kolabsim.analysis.robustness.robustness`: ``answer.robustness``.
    labels
        What things are called.

    Examples
    --------
    >>> figures.regret(answer.robustness, figures.Labels.from_experiment(experiment))
    """
    order, scale = robust.order(), criterion_scale(robust, "regret_90", labels)
    figure, panels = blank(1.1 + 0.36 * len(order))
    axes, table = panels[0, 0], robust.table("regret_90")
    axes.grid(axis="x")
    shift = 0.5 * ((np.arange(robust.means.shape[1]) * GOLDEN) % 1.0 - 0.5)
    for y, name in enumerate(order):
        regret = np.sort(robust.regret[robust.names.index(name)]) / scale.divisor
        lower, middle, upper = np.quantile(regret, (0.25, 0.5, 0.75))
        axes.barh(y, upper - lower, left=lower, height=0.56, color=BLUE, alpha=0.25, linewidth=0,
                  label=_("half of the futures") if y == 0 else None)  # fmt: skip
        axes.plot(regret, y + shift, ".", color=GREY, markersize=3.0, alpha=0.6,
                  markeredgewidth=0, label=_("a future") if y == 0 else None)  # fmt: skip
        axes.vlines(middle, y - 0.28, y + 0.28, color=BLUE, linewidth=2.0,
                    label=_("median") if y == 0 else None)  # fmt: skip
        value, low, high = table.loc[name, ["value", "low", "high"]] / scale.divisor
        axes.hlines(y, low, high, color=INK, linewidth=1.5, zorder=5)
        axes.plot(
            value, y, "D", color=INK, markerfacecolor="white", markersize=5.5, zorder=6,
            linestyle="", label=_("nine futures of ten stay below") if y == 0 else None,
        )  # fmt: skip
    write_strategies(axes, order, labels)
    axes.set_xlim(left=-0.01 * axes.get_xlim()[1])
    axes.set_xlabel(add_unit(_("Regret: behind the best of the same future"), scale))
    write_ticks(axes.xaxis, 1.0)
    figure.legend(loc="outside upper left", ncols=4)
    return figure


@styled
def satisficing(robust: Robustness, labels: Labels = PLAIN) -> Figure:
    """Share of futures at or beyond every threshold, the leading strategies in colour.

    Parameters
    ----------
    robust
        From :func:`kolabsim.analysis.robustness.robustness`: ``answer.robustness``.
    labels
        What things are called.

    Examples
    --------
    >>> figures.satisficing(answer.robustness, figures.Labels.from_experiment(experiment))
    """
    order, curve = robust.order(), robust.satisficing
    scale = criterion_scale(robust, "mean", labels)
    figure, panels = blank(3.7)
    axes = panels[0, 0]
    axes.grid(axis="y")
    x = curve.thresholds / scale.divisor
    for k in range(len(order))[::-1]:
        s = robust.names.index(order[k])
        coloured = k < COLOURED
        colour = SERIES[k] if coloured else PALE
        if k < 2:
            axes.fill_between(x, curve.low[s], curve.high[s], color=colour, alpha=0.18, linewidth=0)
        label = labels.strategy(order[k]) if coloured else None
        if k == COLOURED:
            label = _("other strategies")
        axes.plot(x, curve.share[s], color=colour, linewidth=1.9 if coloured else 1.1, label=label,
                  linestyle=("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (5, 1.5, 1.2, 1.5)), "-")
                  [min(k, COLOURED)], zorder=3 if coloured else 1)  # fmt: skip
    if robust.threshold is not None:
        axes.axvline(robust.threshold / scale.divisor, color=INK, linewidth=1.0,
                     linestyle=(0, (4, 3)), label=_("threshold"))  # fmt: skip
    if x[0] < x[-1]:  # else nothing that was judged differs
        axes.set_xlim(x[0], x[-1])
    axes.set_ylim(0.0, 1.02)
    axes.set_ylabel(_("Share of the futures, %"))
    text = _("{outcome} is at least") if robust.better > 0 else _("{outcome} is at most")
    axes.set_xlabel(
        add_unit(text.format(outcome=capitalise(labels.outcome(robust.outcome))), scale)
    )
    write_ticks(axes.xaxis, 1.0)
    write_ticks(axes.yaxis, 0.01)
    handles, titles = axes.get_legend_handles_labels()
    place = {title: k for k, title in enumerate(labels.strategy(name) for name in order)}
    ranked = sorted(range(len(titles)), key=lambda i: place.get(titles[i], len(order)))
    figure.legend(
        [handles[i] for i in ranked], [wrap_lines(titles[i], 46) for i in ranked],
        loc="outside upper left", ncols=3, handlelength=3.0,
    )  # fmt: skip
    return figure


@styled
def best_shares(robust: Robustness, labels: Labels = PLAIN) -> Figure:
    """Share of futures in which each strategy is best, with intervals.

    Parameters
    ----------
    robust
        From :func:`kolabsim.analysis.robustness.robustness`: ``answer.robustness``.
    labels
        What things are called.

    Examples
    --------
    >>> figures.best_shares(answer.robustness, figures.Labels.from_experiment(experiment))
    """
    table, order = robust.table("best"), robust.order("best")
    figure, panels = blank(0.75 + 0.3 * len(order))
    axes, y = panels[0, 0], np.arange(len(order))
    axes.grid(axis="x")
    value, low, high = (100.0 * table.loc[order, part] for part in ("value", "low", "high"))
    axes.barh(y, value, height=0.66, color=BLUE)
    axes.hlines(y, low, high, color=INK, linewidth=1.4, zorder=5)
    for at, (share, end) in enumerate(zip(value, high, strict=True)):
        axes.annotate(percent(share / 100.0), (max(share, end), at), (4, 0), va="center",
                      textcoords="offset points", fontsize=8.0)  # fmt: skip
    write_strategies(axes, order, labels)
    axes.set_xlim(0.0, 1.08 * max(float(high.max()), 1.0))
    axes.set_xlabel(_("Share of the futures in which it is best, %"))
    write_ticks(axes.xaxis, 1.0)
    return figure


@styled
def spread_plane(robust: Robustness, labels: Labels = PLAIN) -> Figure:
    """Mean over futures across, spread over futures up, each strategy with its name.

    Parameters
    ----------
    robust
        From :func:`kolabsim.analysis.robustness.robustness`: ``answer.robustness``.
    labels
        What things are called.

    Examples
    --------
    >>> figures.spread_plane(answer.robustness, figures.Labels.from_experiment(experiment))
    """
    mean, spread = robust.table("mean"), robust.table("spread")
    scale = criterion_scale(robust, "mean", labels)
    apart = criterion_scale(robust, "spread", labels)
    figure, panels = blank(4.6)
    axes = panels[0, 0]
    axes.grid()
    places, taken = [], []
    for name in robust.names:
        x, left, right = mean.loc[name, ["value", "low", "high"]] / scale.divisor
        y, low, high = spread.loc[name, ["value", "low", "high"]] / apart.divisor
        beaten = (
            ((mean["value"] - mean["value"][name]) * robust.better > 0.0)
            & (spread["value"] < spread["value"][name])
        ).any()
        colour = GREY if beaten else BLUE
        axes.hlines(y, left, right, color=colour, linewidth=1.0, alpha=0.5)
        axes.vlines(x, low, high, color=colour, linewidth=1.0, alpha=0.5)
        axes.plot(x, y, "o", color=colour, markersize=5.5, zorder=5,
                  markerfacecolor="white" if beaten else colour)  # fmt: skip
        places.append((x, y))
        taken += [(end, y) for end in np.linspace(left, right, 25)]
        taken += [(x, end) for end in np.linspace(low, high, 5)]
    text = _("{outcome}, mean over futures").format(
        outcome=capitalise(labels.outcome(robust.outcome))
    )
    axes.set_xlabel(add_unit(text, scale))
    axes.set_ylabel(add_unit(_("Standard deviation over futures"), apart))
    for axis in (axes.xaxis, axes.yaxis):
        write_ticks(axis, 1.0)
    axes.margins(0.08)
    titles = [wrap_lines(labels.strategy(name), 26) for name in robust.names]
    # Words keep off intervals too.
    radii = [4.0] * len(places) + [1.5] * len(taken)
    place_labels(axes, places + taken, titles + [""] * len(taken), radii=radii, size=7.5)
    for text in [text for text in axes.texts if not text.get_text()]:
        text.remove()
    return figure


@styled
def prim_box(found: Discovery, settings: pd.DataFrame, labels: Labels = PLAIN) -> Figure:
    """Futures by the two leading restricted factors, failures marked, and the box drawn.

    Parameters
    ----------
    found
        From :func:`kolabsim.analysis.discovery.discover`, with a box.
    settings
        [futures, factors] what each future is.
    labels
        What things are called.

    Examples
    --------
    >>> figures.prim_box(answer.failing["forum"][0], answer.settings)
    """
    from matplotlib.patches import Rectangle

    names, others = leading(found)
    figure, panels = blank(4.2 if len(names) > 1 else 2.2)
    axes = panels[0, 0]
    x, across = coordinates(axes.xaxis, settings, found, names[0], labels)
    if len(names) > 1:
        y, along = coordinates(axes.yaxis, settings, found, names[1], labels)
    else:
        y, along = (np.arange(len(x)) * GOLDEN) % 1.0, [(-0.06, 1.06)]
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
    rest = Box({name: found.box.limits[name] for name in others}, 0, 0, 0.0, 0.0, 0.0, {})
    near = rest.holds(settings)
    for here, alpha in ((~near, 0.35), (near, 1.0)):
        passed, failed = here & ~found.fails, here & found.fails
        axes.plot(x[passed], y[passed], "o", color=BLUE, markerfacecolor="none", markersize=4.5,
                  markeredgewidth=0.9, alpha=alpha, linestyle="")  # fmt: skip
        axes.plot(x[failed], y[failed], "x", color=VERMILION, markersize=5.5, markeredgewidth=1.6,
                  alpha=alpha, linestyle="")  # fmt: skip
    for left, right in across:
        for low, high in along:
            axes.add_patch(Rectangle((left, low), right - left, high - low, facecolor=ORANGE,
                                     alpha=0.14, linewidth=0, zorder=0))  # fmt: skip
            axes.add_patch(Rectangle((left, low), right - left, high - low, fill=False,
                                     edgecolor=INK, linewidth=1.3, zorder=4))  # fmt: skip
    explain_box(figure)
    return figure


def explain_box(figure: Figure) -> None:
    """Say above the panel what marks and the box are."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = [
        Line2D([], [], linestyle="", marker="x", color=VERMILION, markeredgewidth=1.6,
               label=_("fails")),
        Line2D([], [], linestyle="", marker="o", color=BLUE, markerfacecolor="none",
               label=_("does not fail")),
        Patch(facecolor="#FBEFDB", edgecolor=INK, label=_("the box")),
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside upper left", ncols=3)


def coordinates(
    axis: object, settings: pd.DataFrame, found: Discovery, name: str, labels: Labels
) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """Where futures stand along an axis, which is labelled, and what of it the box takes."""
    limit, column = found.box.limits[name], settings[name].to_numpy()
    axis.set_label_text(wrap_lines(labels.axis(name), 60))
    if isinstance(limit, Range):
        values = column.astype(np.float64)
        room = 0.04 * np.ptp(values)
        ends = values.min() - room, values.max() + room
        axis.axes.set(**{f"{axis.axis_name}lim": ends})
        write_ticks(axis, 1.0)
        # Between the last future inside and the next outside, so that no mark lies on a line.
        inside = (values >= limit.low) & (values <= limit.high)
        below, above = values[values < limit.low], values[values > limit.high]
        low = ends[0] if not len(below) else (below.max() + values[inside].min()) / 2.0
        high = ends[1] if not len(above) else (above.min() + values[inside].max()) / 2.0
        return values, [(float(low), float(high))]
    choices = sorted(set(column), key=str)
    place = {word: k for k, word in enumerate(choices)}
    spread = 0.6 * ((np.arange(len(column)) * GOLDEN**2) % 1.0 - 0.5)
    axis.set_ticks(range(len(choices)), [wrap_lines(labels.choice(word), 16) for word in choices])
    axis.axes.set(**{f"{axis.axis_name}lim": (-0.6, len(choices) - 0.4)})
    values = np.array([place[word] for word in column]) + spread
    taken = [(place[word] - 0.42, place[word] + 0.42) for word in choices if word in limit]
    return values, taken


@styled
def value_of_information(information: Information, labels: Labels = PLAIN) -> Figure:
    """What knowing each factor is worth, with intervals and the floor of its dummies.

    Parameters
    ----------
    information
        From :func:`kolabsim.analysis.information.information`: ``answer.information``.
    labels
        What things are called.

    Examples
    --------
    >>> figures.value_of_information(answer.information, figures.Labels.from_experiment(experiment))
    """
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    table, scale = information.factors.iloc[:SHOWN], information_scale(information, labels)
    figure, panels = blank(1.05 + 0.32 * len(table))
    axes, y = panels[0, 0], np.arange(len(table))
    axes.grid(axis="x")
    value, low, high, floor = (
        table[part].to_numpy() / scale.divisor for part in ("value", "low", "high", "floor")
    )
    faces = [BLUE if above else "white" for above in table["above"]]
    axes.barh(y, value, height=0.62, color=faces, edgecolor=BLUE, linewidth=1.0)
    axes.hlines(y, low, high, color=INK, linewidth=1.3, zorder=5)
    axes.vlines(floor, y - 0.38, y + 0.38, color=VERMILION, linewidth=2.2, zorder=6)
    titles = [wrap_lines(capitalise(labels.factor(name)), 38) for name in table["factor"]]
    axes.set_yticks(y, titles)
    axes.set_ylim(len(table) - 0.4, -0.6)
    axes.set_xlim(left=0.0)
    axes.set_xlabel(add_unit(_("Value of knowing it before choosing"), scale))
    write_ticks(axes.xaxis, 1.0)
    handles = [
        Patch(facecolor=BLUE, edgecolor=BLUE, label=_("above its floor")),
        Patch(facecolor="white", edgecolor=BLUE, label=_("not above it")),
        Line2D([], [], color=VERMILION, linewidth=2.2, label=_("floor")),
        Line2D([], [], color=INK, linewidth=1.3,
               label=_("{level} interval").format(level=percent(information.level))),
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside upper left", ncols=4)
    return figure


@styled
def regret_table(robust: Robustness, labels: Labels = PLAIN) -> Figure:
    """Regret of each strategy (a line) in each future (a column), and how large it gets.

    Futures in which the same strategy is best stand side by side, those of the most robust first;
    within them, the regret of the most robust strategy rises. To the right: what half and nine
    tenths of the futures do not exceed, and the largest.

    Parameters
    ----------
    robust
        From :func:`kolabsim.analysis.robustness.robustness`.
    labels
        What things are called.

    Examples
    --------
    >>> figures.regret_table(answer.robustness, figures.Labels.from_experiment(experiment))
    """
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.patches import Patch

    order = robust.order()
    rows = [robust.names.index(name) for name in order]
    regret = robust.regret[rows]
    best = regret == 0.0
    columns = np.lexsort((regret[0], best.argmax(axis=0)))
    scale = criterion_scale(robust, "regret_90", labels)
    limit = float(np.quantile(regret, 0.98)) or 1.0
    colours = LinearSegmentedColormap.from_list("regret", ["#FBF3EE", ORANGE, VERMILION])
    figure, panels = blank(
        1.15 + 0.32 * len(order), 1, 2, sharey=True, gridspec_kw={"width_ratios": [3.0, 1.2]}
    )
    heat, told = panels[0]
    shown = np.ma.masked_where(best[:, columns], regret[:, columns])
    image = heat.imshow(
        shown, cmap=colours.with_extremes(bad=BLUE), vmin=0.0, vmax=limit, aspect="auto",
        interpolation="none",
    )  # fmt: skip
    heat.hlines(np.arange(len(order) - 1) + 0.5, -0.5, len(columns) - 0.5, color="white")
    heat.set_xlim(-0.5, len(columns) - 0.5)
    heat.set_xticks([])
    number = ngettext("{number} future", "{number} futures", len(columns))
    heat.set_xlabel(number.format(number=count(len(columns))))
    write_strategies(heat, order, labels)
    heat.set_ylim(len(order) - 0.5, -0.5)
    draw_quantiles(told, regret, scale, colours, limit)
    for axes in (heat, told):
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
    bar = figure.colorbar(image, ax=[heat], orientation="horizontal", shrink=0.6, aspect=40,
                          pad=0.02, extend="max")  # fmt: skip
    bar.outline.set_visible(False)
    bar.set_label(add_unit(_("Regret: behind the best of the same future"), scale))
    write_ticks(bar.ax.xaxis, scale.divisor)
    heat.legend(handles=[Patch(color=BLUE, label=_("best of the future"))], loc="lower left",
                bbox_to_anchor=(0.0, 1.0), borderaxespad=0.2)  # fmt: skip
    return figure


def draw_quantiles(
    axes: Axes, regret: np.ndarray, scale: Scale, colours: object, limit: float
) -> None:
    """Write how large the regret of each strategy gets: half, nine tenths, and all futures."""
    from matplotlib.patches import Rectangle

    shares = {0.5: _("median"), 0.9: _("nine futures of ten"), 1.0: _("largest")}
    for x, share in enumerate(shares):
        for y, value in enumerate(np.quantile(regret, share, axis=1)):
            face = colours(min(value / limit, 1.0)) if value > 0.0 else "white"
            axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1.0, 1.0, facecolor=face,
                                     edgecolor="white", linewidth=1.0))  # fmt: skip
            dark = value > 0.85 * limit
            axes.text(x, y, scale.bare(value), ha="center", va="center", fontsize=7.5,
                      color="white" if dark else INK)  # fmt: skip
    axes.set_xlim(-0.5, len(shares) - 0.5)
    axes.set_xticks(range(len(shares)), [wrap_lines(text, 12) for text in shares.values()])
    axes.xaxis.tick_top()
