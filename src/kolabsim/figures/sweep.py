"""Maps of an outcome over the levels of two or more factors."""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from kolabsim.errors import InputError
from kolabsim.figures.formatting import Scale, percent
from kolabsim.figures.labels import PLAIN, Labels, capitalise, wrap_lines
from kolabsim.figures.marks import contrasting_ink, line, mark, shades
from kolabsim.figures.palette import BLUE, GREY, INK, VERMILION
from kolabsim.figures.style import open_canvas, styled
from kolabsim.i18n import _

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure

    from kolabsim.analysis.sweep import OutcomeMap
    from kolabsim.figures.style import Panels
    from kolabsim.study.factors import Value

MOST_PANELS = 12
"""Most panels of a figure."""
MOST_NUMBERS = 60
"""Most cells of a panel that show their number."""


def map_scale(found: OutcomeMap, labels: Labels) -> Scale:
    """Choose the scale of the values of a map."""
    values, half = [found.mean, found.low, found.high], (found.high - found.low) / 2.0
    return labels.scale(found.outcome, values, half, difference=found.is_difference)


def level_title(name: str, value: Value, labels: Labels) -> str:
    """Title of a level of a factor."""
    return labels.choice(value) if isinstance(value, str) else labels.number(name, float(value))


@styled
def sweep_map(found: OutcomeMap, labels: Labels = PLAIN, *, ax: Panels | None = None) -> Figure:
    """Draw the mean of an outcome at each combination of levels, the first two factors as axes.

    Contour lines join equal values, a thicker one no difference between the two strategies. A
    circle marks points that cannot be told apart: from no difference or, without a second
    strategy, from the best point. Each combination of levels of further factors has a panel.
    More than twelve raise :class:`kolabsim.errors.InputError`.
    """
    (x_name, x_levels), (y_name, y_levels), *others = found.levels.items()
    panels = list(product(*(range(len(levels)) for _name, levels in others)))
    if len(panels) > MOST_PANELS:
        text = _("{number} panels are too many for a map; allowed: at most {most}")
        raise InputError.of(text, number=len(panels), most=MOST_PANELS)
    columns = min(len(panels), 3)
    canvas = open_canvas(
        ax, 1.6, len(panels), columns, sharex=True, sharey=True,
        row=max(2.2, 0.55 * len(y_levels) / math.sqrt(columns)),
    )  # fmt: skip
    scale, colours = map_scale(found, labels), map_shades(found)
    for axes, place in zip(canvas.panels, panels, strict=True):
        rest: tuple[Any, ...] = (slice(None), slice(None), *place)
        values, unclear = (found.grid(part)[rest].T for part in (found.mean, found.unclear))
        faces = colours.to_rgba(values)
        axes.imshow(faces, origin="lower", aspect="auto")
        draw_contours(axes, values, found)
        draw_marks(axes, values, unclear, scale, faces)
        axes.set_xticks(
            range(len(x_levels)),
            [wrap_lines(level_title(x_name, one, labels), 12) for one in x_levels],
        )
        axes.set_yticks(
            range(len(y_levels)),
            [wrap_lines(level_title(y_name, one, labels), 18) for one in y_levels],
        )
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
    meaning = (
        _("the {level} interval includes no difference")
        if found.is_difference
        else _("cannot be told apart from the best ({level})")
    )
    handles = [mark("o", INK, meaning.format(level=percent(found.level)), hollow=True)]
    if found.is_difference:
        handles.append(line(INK, _("no difference"), linewidth=1.8))
    canvas.add_legend(handles)
    return canvas.figure


def map_shades(found: OutcomeMap) -> ScalarMappable:
    """Colours of a map: blue where it is better; of differences, white where there is none."""
    ends = [VERMILION, "#FFFFFF", BLUE] if found.is_difference else ["#FFFFFF", BLUE]
    low, high = float(found.mean.min()), float(found.mean.max())
    if found.is_difference:
        high = max(abs(low), abs(high)) or 1.0
        low = -high
    return shades(low, high if high > low else low + 1.0, *ends[:: int(found.better) or 1])


def draw_contours(axes: Axes, values: np.ndarray, found: OutcomeMap) -> None:
    """Draw lines of equal values where both factors are numbers and the values vary."""
    numeric = all(
        not isinstance(value, str) for levels in list(found.levels.values())[:2] for value in levels
    )
    if not numeric or np.ptp(values) == 0.0:
        return
    axes.contour(values, levels=4, colors=GREY, linewidths=0.7)
    if found.is_difference and values.min() < 0.0 < values.max():
        axes.contour(values, levels=[0.0], colors=INK, linewidths=1.8)


def draw_marks(
    axes: Axes, values: np.ndarray, unclear: np.ndarray, scale: Scale, faces: np.ndarray
) -> None:
    """Write the number of each cell if there is room, and mark those that are unclear."""
    with_numbers = values.size <= MOST_NUMBERS
    for y, x in np.ndindex(*values.shape):
        colour = contrasting_ink(faces[y, x])
        if with_numbers:
            axes.annotate(
                scale.bare(float(values[y, x])), (x, y), ha="center", va="center", fontsize=7.5,
                color=colour, bbox={"facecolor": faces[y, x], "edgecolor": "none", "pad": 0.8},
            )  # fmt: skip
        if unclear[y, x]:
            shift = (0, 9) if with_numbers else (0, 0)
            axes.annotate("○", (x, y), shift, textcoords="offset points", ha="center",
                          va="center", fontsize=7.0, color=colour)  # fmt: skip
