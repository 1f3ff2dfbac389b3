"""Figures of sweeps: curves over one factor, maps over more, and points that are no grid."""

from __future__ import annotations

import math
from itertools import combinations, product
from typing import TYPE_CHECKING, Any

import numpy as np

from kolabsim.analysis.statistics import (
    BETTER,
    DEPENDS,
    DIFFERENT,
    LIKELY,
    ROBUST,
    SAME,
    UNDECIDED,
    WORSE,
)
from kolabsim.errors import InputError
from kolabsim.figures.formatting import Scale, count, percent
from kolabsim.figures.labels import PLAIN as PLAIN_LABELS
from kolabsim.figures.labels import Labels, capitalise, wrap_lines
from kolabsim.figures.marks import contrasting_ink, line, mark, patch, shades
from kolabsim.figures.palette import BLUE, DASHED, GREY, HOLLOW, INK, MARKS, PALE, VERMILION
from kolabsim.figures.style import open_canvas, styled, write_ticks
from kolabsim.i18n import _

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure

    from kolabsim.analysis.novelty import Patterns
    from kolabsim.analysis.sweep import OutcomeMap
    from kolabsim.figures.style import Panels
    from kolabsim.study.factors import Value

MOST_PANELS = 12
"""Most panels of a figure."""
MOST_NUMBERS = 60
"""Most cells of a panel that show their number."""
MOST_LINES = 30
"""Most futures that a curve draws one by one."""
MOST_MARKS = 400
"""Most cells of a panel that show the mark of their verdict."""
ORDER = (
    ROBUST[BETTER], LIKELY[BETTER], BETTER, ROBUST[DIFFERENT], LIKELY[DIFFERENT], DIFFERENT, SAME,
    DEPENDS, UNDECIDED, LIKELY[WORSE], ROBUST[WORSE], WORSE,
)  # fmt: skip
"""Verdicts in the order of legends."""


def map_scale(found: OutcomeMap, labels: Labels) -> Scale:
    """Choose the scale of the values of a map."""
    values = [found.value, found.low, found.high]
    half = (found.chance_high - found.chance_low) / 2.0
    return labels.scale(found.outcome, values, half, difference=found.is_difference)


def level_title(name: str, value: Value, labels: Labels) -> str:
    """Title of a level of a factor."""
    return labels.choice(value) if isinstance(value, str) else labels.number(name, float(value))


def is_number(found: OutcomeMap, name: str) -> bool:
    """Whether the levels of a factor are numbers."""
    return not isinstance(found.points[name].iloc[0], str)


# Verdicts ---------------------------------------------------------------------------------------


def verdict_texts() -> dict[str, str]:
    """What the verdicts on differences say, in a few words."""
    plain = {
        BETTER: _("better"), WORSE: _("worse"), DIFFERENT: _("different"),
        SAME: _("hardly changes"), DEPENDS: _("depends on assumptions"),
        UNDECIDED: _("undecided: chance leaves it open"),
    }  # fmt: skip
    for names, text in ((ROBUST, _("robust: {verdict}")), (LIKELY, _("likely: {verdict}"))):
        plain |= {names[word]: text.format(verdict=plain[word]) for word in names if word in plain}
    return plain


def verdict_handles(found: OutcomeMap) -> list[Artist]:
    """Legend entries of the verdicts that a map has."""
    texts, used = verdict_texts(), set(found.verdict)
    return [
        mark(*MARKS[word][1:], texts[word], hollow=word in HOLLOW) for word in ORDER if word in used
    ]


def draw_verdicts(axes: Axes, x: np.ndarray, y: np.ndarray, verdicts: np.ndarray) -> None:
    """Mark points by their verdicts."""
    for word in dict.fromkeys(verdicts):
        here = verdicts == word
        _sign, marker, colour = MARKS[word]
        face = "white" if word in HOLLOW else colour
        axes.plot(x[here], y[here], marker, color=colour, markerfacecolor=face, markersize=5.5,
                  zorder=4, clip_on=False)  # fmt: skip


# One factor -------------------------------------------------------------------------------------


@styled
def sweep_curve(
    found: OutcomeMap, labels: Labels = PLAIN_LABELS, *, ax: Panels | None = None
) -> Figure:
    """Draw an outcome over the levels of one factor, with what assumptions and chance do to it.

    Thin lines are single futures, the pale band holds 90% of them, the darker one is the interval
    of the median. A vertical line shows where a difference changes its sign, with the range over
    futures; marks of points are verdicts. Words have marks with lines instead. Several factors
    raise :class:`kolabsim.errors.InputError`.
    """
    if found.points.shape[1] != 1:
        text = _("a curve has one factor, and not {number}")
        raise InputError.of(text, number=found.points.shape[1])
    name = str(found.points.columns[0])
    canvas = open_canvas(ax, 3.7, grid="y")
    axes, scale = canvas.axes, map_scale(found, labels)
    order = np.arange(len(found.points))
    is_curve = is_number(found, name)
    if is_curve:
        order = np.argsort(found.points[name].to_numpy(np.float64))
    x = found.points[name].to_numpy(np.float64)[order] if is_curve else order.astype(float)
    value, low, high, chance_low, chance_high = (
        part[order]
        for part in (found.value, found.low, found.high, found.chance_low, found.chance_high)
    )
    handles: list[Artist] = []
    interval = _("{level} interval").format(level=percent(found.level))
    if is_curve:
        if found.is_varied:
            if found.futures <= MOST_LINES:
                axes.plot(x, found.by_future[order], color="#B8B8B8", linewidth=0.5, zorder=1)
            axes.fill_between(x, low, high, color=PALE, alpha=0.55, linewidth=0.0, zorder=0)
            interval = _("{level} interval of the median (chance)")
            interval = interval.format(level=percent(found.level))
        axes.fill_between(x, chance_low, chance_high, color=BLUE, alpha=0.22, linewidth=0.0,
                          zorder=2)  # fmt: skip
        axes.plot(x, value, color=BLUE, linewidth=1.8, zorder=3)
        handles.append(line(BLUE, _("median") if found.is_varied else _("mean"), linewidth=1.8))
        handles.append(patch("#C7DDEC", interval))
    else:
        axes.vlines(x, low, high, color=GREY, linewidth=1.0, zorder=2)
        axes.vlines(x, chance_low, chance_high, color=BLUE, linewidth=3.0, zorder=3)
        axes.set_xlim(-0.5, len(x) - 0.5)
        handles.append(line(BLUE, interval, linewidth=3.0))
    if found.is_varied:
        text = _("90% of {number} futures").format(number=count(found.futures))
        handles.append(patch("#EBEBEB", text) if is_curve else line(GREY, text, linewidth=1.0))
        if is_curve and found.futures <= MOST_LINES:
            handles.append(line("#B8B8B8", _("each future"), linewidth=0.7))
        if is_curve and found.crossings:
            text = _("where the sign changes, in 90% of futures")
            handles.append(line("#7F7F7F", text, linewidth=3.2))
    if found.is_difference:
        axes.axhline(0.0, color=INK, linewidth=0.9, zorder=2)
        draw_verdicts(axes, x, value, found.verdict[order])
        handles += verdict_handles(found)
    else:
        axes.plot(x, value, "o", color=BLUE, markersize=4.0, zorder=4)
    if is_curve:
        axes.margins(x=0.01)
        draw_crossings(axes, found, labels, (float(x[0]), float(x[-1])))
    else:
        titles = [level_title(name, one, labels) for one in found.points[name].tolist()]
        axes.set_xticks(x, [wrap_lines(title, 16) for title in titles])
    write_ticks(axes.yaxis, scale.divisor)
    axes.set_xlabel(wrap_lines(labels.axis(name), 90))
    axes.set_ylabel(wrap_lines(labels.head(found.outcome, scale), 52))
    canvas.add_legend(handles)
    return canvas.figure


def draw_crossings(
    axes: Axes, found: OutcomeMap, labels: Labels, ends: tuple[float, float]
) -> None:
    """Show where a difference changes its sign, and the range of this place over futures."""
    for one in found.crossings:
        low, high = (min(max(end, ends[0]), ends[1]) for end in (one.low, one.high))
        axes.axvline(one.at, color=INK, linewidth=1.0, linestyle=DASHED, zorder=2)
        axes.annotate(
            labels.number(one.factor, round_level(one.at, ends)), (one.at, 1.0), (3, -2),
            xycoords=("data", "axes fraction"), textcoords="offset points", va="top",
            fontsize=8.0, fontweight="bold",
        )  # fmt: skip
        if found.is_varied and high > low:
            axes.plot([low, high], [0.0, 0.0], color=INK, linewidth=3.2, alpha=0.55, zorder=3,
                      solid_capstyle="butt")  # fmt: skip


def round_level(value: float, ends: tuple[float, float]) -> float:
    """A place along a factor with the digits that its range supports: a hundredth of it."""
    width = ends[1] - ends[0]
    return round(value, max(0, 2 - math.floor(math.log10(width)))) if width > 0.0 else value


# Two factors and more ---------------------------------------------------------------------------


@styled
def sweep_map(
    found: OutcomeMap, labels: Labels = PLAIN_LABELS, *, ax: Panels | None = None
) -> Figure:
    """Draw an outcome at each combination of levels, the first two factors as axes.

    Of differences, a thick line joins the places where the sign changes, marks are verdicts, and
    outlines hold what is likely (dashed) and what is robust. Otherwise contour lines join equal
    values, and a circle marks points that cannot be told apart from the best one. Each combination
    of levels of further factors has a panel. More than twelve, and points that are no grid, raise
    :class:`kolabsim.errors.InputError`.
    """
    if len(found.levels) < 2:
        raise InputError.of(_("a map needs all combinations of the levels of two or more factors"))
    (x_name, x_levels), (y_name, y_levels), *others = found.levels.items()
    panels = list(product(*(range(len(levels)) for _name, levels in others)))
    if len(panels) > MOST_PANELS:
        text = _("{number} panels are too many for a map; allowed: at most {most}")
        raise InputError.of(text, number=len(panels), most=MOST_PANELS)
    columns = columns_for(len(panels))
    canvas = open_canvas(
        ax, 1.6, len(panels), columns, sharex=True, sharey=True,
        row=max(2.2, 0.55 * min(len(y_levels), 14) / math.sqrt(columns)),
    )  # fmt: skip
    scale, colours = map_scale(found, labels), map_shades(found)
    is_sparse = columns == 1 and len(x_levels) * len(y_levels) <= MOST_NUMBERS
    for axes, place in zip(canvas.panels, panels, strict=True):
        rest: tuple[Any, ...] = (slice(None), slice(None), *place)
        values, unclear, verdicts = (
            found.grid(part)[rest].T for part in (found.value, found.unclear, found.verdict)
        )
        faces = colours.to_rgba(values)
        axes.imshow(faces, origin="lower", aspect="auto")
        draw_contours(axes, values, found)
        if found.is_difference:
            outline(axes, verdicts)
        draw_marks(axes, values, unclear, verdicts, scale, faces, with_numbers=is_sparse)
        write_levels(axes, "x", x_name, x_levels, labels, 12)
        write_levels(axes, "y", y_name, y_levels, labels, 18)
        axes.set_title("\n".join(
            wrap_lines(f"{capitalise(labels.factor(name))}: {level_title(name, of[k], labels)}", 40)
            for (name, of), k in zip(others, place, strict=True)
        ))  # fmt: skip
        axes.set_xlabel(wrap_lines(capitalise(labels.factor(x_name)), 60 // columns))
        axes.set_ylabel(wrap_lines(capitalise(labels.factor(y_name)), 36))
        axes.label_outer()
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
    canvas.add_colorbar(colours, labels.head(found.outcome, scale), scale.divisor)
    canvas.add_legend(map_handles(found))
    return canvas.figure


def columns_for(panels: int) -> int:
    """In how many columns so many panels stand: four as two by two, otherwise three at most."""
    return 2 if panels == 4 else min(panels, 3)


def map_handles(found: OutcomeMap) -> list[Artist]:
    """The legend of a map."""
    if not found.is_difference:
        text = _("cannot be told apart from the best ({level})")
        return [mark("o", INK, text.format(level=percent(found.level)), hollow=True)]
    handles = verdict_handles(found)
    used = set(found.verdict)
    if found.value.min() < 0.0 < found.value.max():
        handles.append(line(INK, _("the sign changes"), linewidth=2.2))
    if used & set(LIKELY.values()):
        handles.append(line(INK, _("likely within"), linewidth=1.0, linestyle=DASHED))
    if used & set(ROBUST.values()):
        handles.append(line(INK, _("robust within"), linewidth=1.0))
    return handles


def write_levels(
    axes: Axes, which: str, name: str, levels: tuple[Value, ...], labels: Labels, width: int
) -> None:
    """Write the levels of a factor along an axis; of many, some that are spaced equally."""
    step = -(-len(levels) // 12)
    places = range(0, len(levels), step)
    texts = [wrap_lines(level_title(name, levels[k], labels), width) for k in places]
    (axes.set_xticks if which == "x" else axes.set_yticks)(places, texts)


def outline(axes: Axes, verdicts: np.ndarray) -> None:
    """Draw lines around cells whose verdict is likely (dashed) or robust, along their edges."""
    styles: list[tuple[dict[str, str], Any]] = [(LIKELY, DASHED), (ROBUST, "solid")]
    for names, style in styles:
        for sign in (BETTER, WORSE):
            words = {names[sign], ROBUST[sign]}
            inside = np.isin(verdicts.astype(str), list(words))
            if not inside.any() or inside.all():
                continue
            padded = np.pad(inside, 1)
            rows, columns = np.nonzero(padded[1:] != padded[:-1])
            # Edges of the map itself are left out: they say nothing.
            here = (rows > 0) & (rows < len(inside))
            axes.hlines(rows[here] - 0.5, columns[here] - 1.5, columns[here] - 0.5, color=INK,
                        linewidth=1.0, linestyles=style)  # fmt: skip
            rows, columns = np.nonzero(padded[:, 1:] != padded[:, :-1])
            here = (columns > 0) & (columns < inside.shape[1])
            axes.vlines(columns[here] - 0.5, rows[here] - 1.5, rows[here] - 0.5, color=INK,
                        linewidth=1.0, linestyles=style)  # fmt: skip


def map_shades(found: OutcomeMap) -> ScalarMappable:
    """Colours of a map: blue where it is better; of differences, white where there is none."""
    ends = [VERMILION, "#FFFFFF", BLUE] if found.is_difference else ["#FFFFFF", BLUE]
    low, high = float(found.value.min()), float(found.value.max())
    if found.is_difference:
        high = max(abs(low), abs(high)) or 1.0
        low = -high
    return shades(low, high if high > low else low + 1.0, *ends[:: int(found.better) or 1])


def draw_contours(axes: Axes, values: np.ndarray, found: OutcomeMap) -> None:
    """Draw lines of equal values, or where the sign changes, if both factors are numbers."""
    numeric = all(is_number(found, name) for name in list(found.levels)[:2])
    if not numeric or np.ptp(values) == 0.0:
        return
    if not found.is_difference:
        axes.contour(values, levels=4, colors=GREY, linewidths=0.7)
    elif values.min() < 0.0 < values.max():
        # No difference at all, as without a lever, is no change of sign.
        values = np.ma.masked_equal(values, 0.0)
        axes.contour(values, levels=[0.0], colors="white", linewidths=4.0, alpha=0.8)
        axes.contour(values, levels=[0.0], colors=INK, linewidths=2.2)


def draw_marks(
    axes: Axes, values: np.ndarray, unclear: np.ndarray, verdicts: np.ndarray, scale: Scale,
    faces: np.ndarray, *, with_numbers: bool,
) -> None:  # fmt: skip
    """Write the number of each cell if there is room, and its mark."""
    if values.size > MOST_MARKS:
        return
    for y, x in np.ndindex(*values.shape):
        colour = contrasting_ink(faces[y, x])
        if with_numbers:
            axes.annotate(
                scale.bare(float(values[y, x])), (x, y), ha="center", va="center", fontsize=7.5,
                color=colour, bbox={"facecolor": faces[y, x], "edgecolor": "none", "pad": 0.8},
            )  # fmt: skip
        verdict = str(verdicts[y, x])
        sign = MARKS[verdict][0] if verdict else "○" if unclear[y, x] else ""
        if sign:
            shift = (0, 10) if with_numbers else (0, 0)
            axes.annotate(sign, (x, y), shift, textcoords="offset points", ha="center",
                          va="center", fontsize=6.5, color=colour)  # fmt: skip


# Points that are no grid ------------------------------------------------------------------------


@styled
def sweep_points(
    found: OutcomeMap, labels: Labels = PLAIN_LABELS, *, ax: Panels | None = None
) -> Figure:
    """Draw an outcome at points that are no grid, or at a grid of many factors.

    Two numbers are axes: colours are values, and a line shows where the sign of a difference
    changes. Otherwise each factor has a panel in which all points are drawn over it, with the
    median of each tenth of them. More than twelve factors raise
    :class:`kolabsim.errors.InputError`.
    """
    names = [str(name) for name in found.points]
    if len(names) > MOST_PANELS:
        text = _("{number} panels are too many for a map; allowed: at most {most}")
        raise InputError.of(text, number=len(names), most=MOST_PANELS)
    if len(names) == 2 and all(is_number(found, name) for name in names):
        return draw_plane(found, labels, names, ax)
    columns = columns_for(len(names))
    canvas = open_canvas(ax, 0.7, len(names), columns, sharey=True, row=2.3, grid="y")
    scale = map_scale(found, labels)
    for axes, name in zip(canvas.panels, names, strict=True):
        given = found.points[name].tolist()
        if is_number(found, name):
            x = np.array(given, np.float64)
            parts = np.array_split(np.argsort(x, kind="stable"), min(10, max(2, len(x) // 5)))
            tops = [(float(np.median(x[part])), np.median(found.value[part])) for part in parts]
        else:
            words = list(dict.fromkeys(given))
            x = np.array([words.index(word) for word in given], np.float64)
            axes.set_xticks(range(len(words)), [
                wrap_lines(level_title(name, word, labels), 12) for word in words
            ])  # fmt: skip
            axes.set_xlim(-0.5, len(words) - 0.5)
            tops = [(float(k), np.median(found.value[x == k])) for k in range(len(words))]
        if found.is_difference:
            axes.axhline(0.0, color=INK, linewidth=0.9, zorder=2)
            draw_verdicts(axes, x, found.value, found.verdict)
        else:
            axes.plot(x, found.value, "o", color=BLUE, markersize=3.0, alpha=0.6)
        if is_number(found, name):
            axes.plot(*zip(*tops, strict=True), color=INK, linewidth=1.8, zorder=5)
        else:  # words have no order
            places, heights = zip(*tops, strict=True)
            axes.hlines(heights, np.array(places) - 0.25, np.array(places) + 0.25, color=INK,
                        linewidth=1.8, zorder=5)  # fmt: skip
        write_ticks(axes.yaxis, scale.divisor)
        axes.set_xlabel(wrap_lines(labels.axis(name), 34))
    canvas.label_y(wrap_lines(labels.head(found.outcome, scale), 40))
    median = line(INK, _("median of points side by side"), linewidth=1.8)
    canvas.add_legend([*verdict_handles(found), median])
    return canvas.figure


def draw_plane(found: OutcomeMap, labels: Labels, names: list[str], ax: Panels | None) -> Figure:
    """Draw points over two factors, with lines of equal values between them."""
    canvas = open_canvas(ax, 4.9)
    axes, scale, colours = canvas.axes, map_scale(found, labels), map_shades(found)
    x, y = (found.points[name].to_numpy(np.float64) for name in names)
    if len(x) > 3 and np.ptp(found.value) > 0.0 and np.linalg.matrix_rank(
        np.column_stack([x - x[0], y - y[0]])
    ) == 2:  # fmt: skip
        axes.tricontourf(x, y, found.value, levels=12, cmap=colours.cmap, norm=colours.norm,
                         alpha=0.55)  # fmt: skip
        if found.is_difference and found.value.min() < 0.0 < found.value.max():
            axes.tricontour(x, y, found.value, levels=[0.0], colors=INK, linewidths=2.2)
    if found.is_difference:
        draw_verdicts(axes, x, y, found.verdict)
    else:
        axes.scatter(x, y, c=colours.to_rgba(found.value), edgecolors=INK, linewidths=0.5, s=22)
        axes.scatter(x[found.unclear], y[found.unclear], facecolors="none", edgecolors=INK, s=60,
                     linewidths=0.9)  # fmt: skip
    axes.set_xlabel(wrap_lines(labels.axis(names[0]), 80))
    axes.set_ylabel(wrap_lines(labels.axis(names[1]), 46))
    canvas.add_colorbar(colours, labels.head(found.outcome, scale), scale.divisor)
    canvas.add_legend([one for one in map_handles(found) if not _is_outline(one)])
    return canvas.figure


def _is_outline(handle: Artist) -> bool:
    """Whether a legend entry explains the outlines of cells."""
    return handle.get_label() in (_("likely within"), _("robust within"))


# Patterns ---------------------------------------------------------------------------------------


@styled
def sweep_patterns(
    found: Patterns, labels: Labels = PLAIN_LABELS, *, ax: Panels | None = None
) -> Figure:
    """Draw the combinations of outcomes that a search for patterns reached, two by two.

    A cell is the darker the more points it holds; a thick edge marks cells that the first points
    reached, and a star the scenario as it is.
    """
    from matplotlib.patches import Rectangle

    pairs = [*combinations(range(len(found.outcomes)), 2)][:MOST_PANELS]
    columns = min(len(pairs), 3)
    canvas = open_canvas(ax, 0.6, len(pairs), columns, row=3.4)
    for axes, (x, y) in zip(canvas.panels, pairs, strict=True):
        scales = [
            labels.scale(found.outcomes[k], [found.values[:, k]], found.width[k] / 2.0,
                         difference=False)
            for k in (x, y)
        ]  # fmt: skip
        spots: dict[tuple[int, int], list[int]] = {}
        for cell, place in enumerate(found.cells[:, [x, y]].tolist()):
            spots.setdefault((place[0], place[1]), []).append(cell)
        most = max(found.hits[cells].sum() for cells in spots.values())
        size = found.width[[x, y]] / [one.divisor for one in scales]
        for spot, cells in spots.items():
            share = found.hits[cells].sum() / most
            corner = (found.origin[[x, y]] + np.array(spot) * found.width[[x, y]]) / [
                one.divisor for one in scales
            ]
            is_first = (found.position[cells] < found.first).any()
            axes.add_patch(Rectangle(
                tuple(corner), *size, facecolor=BLUE, alpha=0.25 + 0.75 * share**0.5, linewidth=0
            ))  # fmt: skip
            axes.add_patch(Rectangle(
                tuple(corner), *size, fill=False, edgecolor=INK if is_first else "white",
                linewidth=1.3 if is_first else 0.5, zorder=3 if is_first else 2,
            ))  # fmt: skip
        star = [found.baseline[k] / one.divisor for k, one in zip((x, y), scales, strict=True)]
        axes.plot(*star, "*", color=VERMILION, markeredgecolor="white", markersize=14, zorder=5)
        axes.autoscale_view()
        axes.set_xlabel(labels.head(found.outcomes[x], scales[0]))
        axes.set_ylabel(labels.head(found.outcomes[y], scales[1]))
    return canvas.figure
