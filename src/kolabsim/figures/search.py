"""Figures of a search: the Pareto front, the settings of its packages, and other futures.

Packages are numbered along the front, from the cheapest if cost is an objective. Intervals of
single packages are wide, because all packages share their random draws; those of differences
between packages, run by run, are narrow, and the front is drawn with these.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kolabsim.figures.formatting import SPACE, Scale, count, percent, significant
from kolabsim.figures.labels import PLAIN, Labels, capitalise, wrap_lines
from kolabsim.figures.marks import draw_cells, line, mark, patch, place_labels, shades
from kolabsim.figures.palette import BLUE, DASHED, GREY, INK, PALE, VERMILION
from kolabsim.figures.style import open_canvas, styled, write_names
from kolabsim.i18n import N_, _
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


INTENSITIES = ("mechanisms", "support")
"""Groups of factors that are intensities of levers."""
STEP_TITLES = {
    0.0: N_("none"), 0.25: N_("light"), 0.5: N_("half"), 0.75: N_("strong"), 1.0: N_("full"),
}  # fmt: skip
"""Steps of intensity in words."""


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


def choose_scales(
    front: Front, labels: Labels, values: np.ndarray, low: np.ndarray, high: np.ndarray,
    *, difference: bool = False,
) -> list[Scale]:  # fmt: skip
    """Choose the scale of each column of values, given intervals."""
    return [
        labels.scale(name, values[..., k], (high - low)[:, k] / 2.0, difference=difference)
        for k, name in enumerate(front.columns)
    ]


def level_scales(front: Front, labels: Labels) -> list[Scale]:
    """Choose the scales of the means of each column."""
    return choose_scales(front, labels, front.means, *np.moveaxis(front.intervals, 2, 0))


def apart_scales(front: Front, labels: Labels, apart: Apart) -> list[Scale]:
    """Choose the scales of differences in each column."""
    return choose_scales(front, labels, *apart, difference=True)


def robust_scales(front: Front, robust: FrontRobustness, labels: Labels) -> list[Scale]:
    """Choose the scales of each column over futures."""
    values = np.stack([robust.means, robust.worst])
    return choose_scales(front, labels, values, *np.moveaxis(robust.intervals, 2, 0))


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
    """Format a setting: an option, a step of intensity, or a number with its unit."""
    if isinstance(value, str) or factor.is_choice:
        return labels.choice(value)
    if factor.group in INTENSITIES and float(value) in STEP_TITLES:
        return _(STEP_TITLES[float(value)])
    if factor.unit == "1" and factor.least >= 0.0 and factor.most <= 1.0:
        return percent(value)
    number = significant(value)
    return number if factor.unit == "1" else f"{number}{SPACE}{_(factor.unit)}"


def better_hint(front: Front, k: int) -> str:
    """Whether more or less of a column is better."""
    return _("more is better") if front.senses[k] > 0 else _("less is better")


@styled
def pareto_front(
    front: Front, labels: Labels = PLAIN, references: Sequence[Reference] = (), *,
    ax: Panels | None = None,
) -> Figure:  # fmt: skip
    """Draw the Pareto front: each further outcome against the cost.

    If cost is no objective, the second outcome takes its place. The knee, the best package in each
    objective and the ``references``, known strategies simulated with the same random draws, are
    named; intervals are of differences to the knee.
    """
    across = min(1, len(front.columns) - 1) if front.price is None else front.price
    others = [k for k in range(len(front.columns)) if k != across] or [across]
    columns = min(len(others), PANELS if len(others) != 4 else 2)
    height = 3.9 if columns == 1 else 3.2
    canvas = open_canvas(ax, 0.6, len(others), columns, row=height, grid="both")
    apart, scales = apart_from_knee(front, references), level_scales(front, labels)
    divisors = np.array([scale.divisor for scale in scales])
    places, low, high = (part + front.means[front.knee] for part in apart)
    places[: len(front)] = front.means
    places, low, high = (part / divisors for part in (places, low, high))
    for axes, k in zip(canvas.panels, others, strict=True):
        plane = [across, k]
        draw_plane(axes, front, places[:, plane], low[:, plane], high[:, plane])
        if front.budget is not None and across == front.cost:
            shade_budget(axes, front.budget.most / divisors[across])
        axes.set_title(wrap_lines(capitalise(labels.outcome(front.columns[k])), 38))
        axes.set_xlabel(labels.head(front.columns[across], scales[across]))
        hint, unit = better_hint(front, k), scales[k].label
        axes.set_ylabel(f"{unit}; {hint}" if unit else capitalise(hint))
    marks: list[Any] = [
        mark("o", BLUE, _("packages"), markersize=4),
        mark("D", VERMILION, _("knee"), markersize=7),
    ]
    if references:
        marks.append(mark("s", INK, _("known strategies"), hollow=True, markersize=6))
    marks.append(line(GREY, _("interval of the difference to the knee"), linewidth=0.8))
    if across == front.cost:
        marks.append(patch(PALE, _("beyond the budget"), alpha=0.45))
    canvas.add_legend(marks)
    names = {front.knee: package_title(front, front.knee)}
    names |= {len(front) + k: wrap_lines(one.title, 22) for k, one in enumerate(references)}
    names |= {k: package(k) for k in sorted({*front.extremes.values()} - {front.knee})}
    defined = [i for i in range(len(places)) if np.isfinite(places[i]).all()]
    defined.sort(key=lambda i: [*names].index(i) if i in names else len(names))
    for axes, k in zip(canvas.panels, others, strict=True):
        place_labels(
            axes, places[defined][:, [across, k]].tolist(), [names.get(i, "") for i in defined],
            radii=[6.0 if i == front.knee else 3.5 for i in defined],
        )  # fmt: skip
    return canvas.figure


def draw_plane(
    axes: Axes, front: Front, places: np.ndarray, low: np.ndarray, high: np.ndarray
) -> None:
    """Draw packages, then known strategies, in the plane of two columns, with their intervals."""
    axes.hlines(places[:, 1], low[:, 0], high[:, 0], color=GREY, linewidth=0.7, alpha=0.6, zorder=2)
    axes.vlines(places[:, 0], low[:, 1], high[:, 1], color=GREY, linewidth=0.7, alpha=0.6, zorder=2)
    knee, known = places[front.knee], places[len(front) :]
    rest = np.delete(places[: len(front)], front.knee, axis=0)
    axes.plot(*rest.T, "o", color=BLUE, markersize=5, markeredgecolor="white", markeredgewidth=0.5,
              zorder=3)  # fmt: skip
    axes.plot(*knee, "D", color=VERMILION, markersize=8, zorder=5)
    axes.plot(*known.T, "s", color=INK, markerfacecolor="white", markersize=6, zorder=4)
    axes.margins(0.12)


def shade_budget(axes: Axes, limit: float) -> None:
    """Shade what costs more than the budget, unless it is far from all packages."""
    left, right = axes.get_xlim()
    right = max(right, limit + 0.03 * (right - left))
    if limit < 1.5 * right - 0.5 * left:
        axes.axvspan(limit, right, color=PALE, alpha=0.45, linewidth=0, zorder=0)
        axes.set_xlim(left, right)


@styled
def packages(front: Front, labels: Labels = PLAIN, *, ax: Panels | None = None) -> Figure:
    """Draw the settings and outcomes of packages along the front: a column each, a row a factor.

    The colour shows the position of a number in its range; the frame marks the knee.
    """
    from matplotlib.patches import Rectangle

    members, factors = front.spread(DOWN), front.factors
    scales = level_scales(front, labels)
    settings = [front.settings(member) for member in members]
    width = max(8, 108 // len(members))
    texts = [
        [wrap_lines(setting_text(factor, one[factor.name], labels), width) for one in settings]
        for factor in factors
    ]
    texts += [[scale.bare(front.means[member, k]) for member in members]
              for k, scale in enumerate(scales)]  # fmt: skip
    numeric = [not factor.is_choice for factor in factors]
    positions = front.points[members].T * np.c_[numeric]
    faces = shades(0.0, 1.0, "white", BLUE).to_rgba(np.pad(positions, ((0, len(scales)), (0, 0))))
    canvas = open_canvas(ax, 0.7 + 0.27 * len(texts))
    axes = canvas.axes
    draw_cells(axes, faces, texts, edge=PALE)
    axes.axhline(len(factors) - 0.5, color=INK, linewidth=0.9)
    knee = (members.index(front.knee) - 0.5, -0.5)
    axes.add_patch(
        Rectangle(knee, 1, len(texts), fill=False, edgecolor=VERMILION, linewidth=2.0, zorder=5,
                  clip_on=False)
    )  # fmt: skip
    titles = [capitalise(labels.factor(factor.name)) for factor in factors]
    heads = [labels.head(name, scale) for name, scale in zip(front.columns, scales, strict=True)]
    axes.set_yticks(range(len(texts)), [wrap_lines(text, 46) for text in (*titles, *heads)])
    names = [
        _("{number}\nknee").format(number=count(k + 1)) if k == front.knee else count(k + 1)
        for k in members
    ]
    axes.set_xticks(range(len(members)), names, fontsize=7.5)
    name = _("Package") if front.price is None else _("Package, from the cheapest")
    axes.set_xlabel(name, labelpad=6)
    axes.xaxis.set_label_position("top")
    axes.margins(0.005)
    return canvas.figure


@styled
def hypervolume(front: Front, *, ax: Panels | None = None) -> Figure:
    """Draw the hypervolume of the front by round, as a share of the last."""
    canvas = open_canvas(ax, 2.6, grid="y")
    axes = canvas.axes
    share = 100.0 * front.hypervolume / (front.hypervolume[-1] or 1.0)
    axes.plot([one.number for one in front.history], share, color=BLUE, linewidth=2.0)
    axes.axhline(100.0, color=GREY, linewidth=0.7, linestyle=DASHED)
    axes.set(xlabel=_("Round"), ylim=(0.0, 105.0))
    axes.set_title(_("Hypervolume of the front, % of the last round"))
    axes.locator_params(axis="x", integer=True)
    return canvas.figure


@styled
def front_in_futures(
    front: Front, robust: FrontRobustness, labels: Labels = PLAIN, *, ax: Panels | None = None
) -> Figure:
    """Draw packages in many futures: mean with its interval, worst tenth, share within budget.

    Each outcome has a panel, and the share has the last.
    """
    rows = robust_rows(front, robust)
    members = [robust.members[row] for row in rows]
    number, y = len(front.columns) + 1, np.arange(len(members))
    canvas = open_canvas(
        ax, 0.55, number, min(number, PANELS if number != 4 else 4),
        row=0.75 + 0.19 * len(members), grid="x", sharey=True,
    )  # fmt: skip
    *panels, stays = canvas.panels
    colours = [VERMILION if member == front.knee else BLUE for member in members]
    scales = robust_scales(front, robust, labels)
    for k, (axes, scale) in enumerate(zip(panels, scales, strict=True)):
        low, high = robust.intervals[rows, k].T / scale.divisor
        mean, worst = (part[rows, k] / scale.divisor for part in (robust.means, robust.worst))
        axes.hlines(y, low, high, color=colours, linewidth=1.6)
        axes.scatter(mean, y, s=24, color=colours, zorder=3)
        axes.scatter(worst, y, s=26, marker="v", facecolor="white", edgecolor=INK, zorder=3)
        axes.set_title(wrap_lines(capitalise(labels.outcome(front.columns[k])), 24))
        hint = better_hint(front, k)
        axes.set_xlabel(f"{scale.label};\n{hint}" if scale.label else hint)
        axes.locator_params(axis="x", nbins=4)
    stays.barh(y, 100.0 * robust.within[rows], height=0.66, color=PALE)
    stays.barh(y, 100.0 * robust.stays[rows], height=0.66, color=colours)
    stays.set(title=wrap_lines(_("Share of futures"), 24), xlabel="%", xlim=(0.0, 102.0))
    for axes in canvas.panels:
        write_names(axes, [package_title(front, member) for member in members])
    text = _("mean, with its {level} interval").format(level=percent(front.level))
    canvas.add_legend([
        line(BLUE, text, marker="o", markersize=4.5, linewidth=1.6),
        mark("v", INK, _("worst tenth of futures"), hollow=True),
        patch(BLUE, _("within budget and not dominated")),
        patch(PALE, _("within budget, but dominated")),
    ])  # fmt: skip
    return canvas.figure
