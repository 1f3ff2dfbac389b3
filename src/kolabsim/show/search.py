"""The page's part on a search under a budget: the front, its knee, and what more or less buys.

Packages are numbered along the front, from the cheapest if the cost is a goal. Intervals of single
packages are wide, because all share the same luck; those of differences between packages, run by
run, are narrow, and it is these that the front is drawn with.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kolabsim.analysis.compare import verdicts
from kolabsim.analysis.search import Front, FrontRobustness
from kolabsim.language import _, ngettext
from kolabsim.show.drawing import (
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
from kolabsim.show.numbers import SPACE, Scale, count, decimal, percent, scale_of, significant
from kolabsim.show.page import Section
from kolabsim.show.report import Picture
from kolabsim.show.sentences import listed
from kolabsim.show.tables import Cell, Table, texts
from kolabsim.show.words import capital, wrapped
from kolabsim.study.factors import Factor, Value

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from kolabsim.analysis.surrogate import Surrogate

ACROSS = 7
"""Most packages beside each other in a table."""
DOWN = 12
"""Most packages below each other, and in a figure of settings."""
PANELS = 3
"""Most panels beside each other."""
USED = 0.005
"""Intensities below half a per cent are no use of a lever."""


@dataclass(frozen=True)
class Labels:
    """What the parts of a search are called, and how its numbers are written."""

    titles: Mapping[str, str] = field(default_factory=dict)
    """Words for names of factors, outcomes, and words that factors are set to."""
    units: Mapping[str, str] = field(default_factory=dict)
    """Units of outcomes, as :mod:`kolabsim.model.measures` has them."""
    currency: str = ""
    """The scenario's; '' for cost units."""
    beyond: str = ""
    """What outcomes are differences to, if they are differences."""

    def title(self, name: str) -> str:
        """What something is called, as it stands in a sentence."""
        return self.titles.get(name, name)

    def scale(self, name: str, values: np.ndarray, halves: np.ndarray, *, apart: bool) -> Scale:
        """How values of an outcome, or differences between packages (``apart``), are written."""
        return scale_of(
            self.units.get(name, "1"), np.ravel(values), np.ravel(halves),
            currency=self.currency, difference=apart or bool(self.beyond),
        )  # fmt: skip

    def head(self, name: str, scale: Scale) -> str:
        """An outcome with its unit, for the head of a column or an axis."""
        title = capital(self.title(name))
        return f"{title} ({scale.label})" if scale.label else title


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
        labels.scale(name, front.means[:, k], (high - low)[:, k] / 2.0, apart=False)
        for k, name in enumerate(front.columns)
    ]


def apart_scales(front: Front, labels: Labels, apart: Apart) -> list[Scale]:
    """How differences in each column are written."""
    return [
        labels.scale(
            name, apart.mean[:, k], (apart.high - apart.low)[:, k] / 2.0, apart=True
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
        return labels.title(str(value))
    if factor.unit == "1" and factor.least >= 0.0 and factor.most <= 1.0:
        return percent(value)
    number = significant(value)
    return number if factor.unit == "1" else f"{number}{SPACE}{factor.unit}"


def settings_text(front: Front, member: int, labels: Labels) -> str:
    """A package in words: what it sets, and which levers it does without."""
    used, unused = [], []
    for factor, value in zip(front.factors, front.settings(member).values(), strict=True):
        title = labels.title(factor.name)
        if factor.group in ("mechanisms", "support") and value < USED:
            unused.append(title)
        else:
            text = _("{factor} {value}").format(
                factor=title, value=setting_text(factor, value, labels)
            )
            used.append(text)
    said = ", ".join(used) or _("nothing")
    if not unused:
        return said
    return _("{used}; without {unused}").format(used=said, unused=listed(unused))


# Figures ----------------------------------------------------------------------------------------


@styled
def front_figure(
    front: Front, labels: Labels | None = None, references: Sequence[Reference] = ()
) -> Figure:
    """The front as a plane, or one for each further outcome, over the cost.

    If the cost is no objective, over the second one. The knee, the best in each objective and known
    strategies are named; intervals are of differences to the knee.
    """
    labels = labels or Labels()
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
        axes.set_title(wrapped(capital(labels.title(front.columns[k])), 38))
        axes.set_xlabel(labels.head(front.columns[across], scales[across]))
        better = _("more is better") if front.senses[k] > 0 else _("less is better")
        axes.set_ylabel(f"{scales[k].label}; {better}" if scales[k].label else capital(better))
    for axes in panels[len(others) :]:
        axes.set_axis_off()
    explain_front(figure, bool(references), across == front.cost)
    name_marks(front, panels, others, across, scales, places, references, labels)
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
    labels: Labels,
) -> None:
    """Name the knee, the known strategies and the best in each objective; no mark is covered."""
    words = {front.knee: package_title(front, front.knee)}
    words |= {len(front) + k: wrapped(one.title, 22) for k, one in enumerate(references)}
    for member in sorted({*front.extremes.values()} - {front.knee}):
        words[member] = package(member)
    rest = [k for k in range(len(places)) if k not in words and np.isfinite(places[k]).all()]
    order = [*(k for k in words if np.isfinite(places[k]).all()), *rest]
    for axes, k in zip(panels, others, strict=False):
        at = [(places[i, across] / scales[across].divisor, places[i, k] / scales[k].divisor)
              for i in order]  # fmt: skip
        place_labels(
            axes, at, [words.get(i, "") for i in order],
            radii=[6.0 if i == front.knee else 3.5 for i in order], size=7.5,
        )  # fmt: skip


@styled
def settings_figure(front: Front, labels: Labels | None = None) -> Figure:
    """What packages along the front set, and what comes of it: a column a package, a row a factor.

    Colour says how far up its range a number is; the frame is the knee's.
    """
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.patches import Rectangle

    labels = labels or Labels()
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
            text = wrapped(setting_text(factor, value, labels), max(8, 108 // len(members)))
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
    titles = [capital(labels.title(factor.name)) for factor in factors]
    heads = [labels.head(name, scale) for name, scale in zip(front.columns, scales, strict=True)]
    at = [*(y + 0.5 for y in range(len(factors))), *(y + 0.75 for y in range(len(factors), rows))]
    axes.set_yticks(at, [wrapped(text, 46) for text in (*titles, *heads)])
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
def convergence_figure(front: Front) -> Figure:
    """How much of the space of goals the front beats, round by round, as a share of the last."""
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
def robustness_figure(
    front: Front, robust: FrontRobustness, labels: Labels | None = None
) -> Figure:
    """Packages in many futures: mean with its interval, the worst tenth, and who stays."""
    labels = labels or Labels()
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
        axes.set_title(wrapped(capital(labels.title(front.columns[k])), 24))
        better = _("more is better") if front.senses[k] > 0 else _("less is better")
        axes.set_xlabel(f"{scale.label};\n{better}" if scale.label else better)
        axes.grid(axis="x")
        axes.xaxis.get_major_locator().set_params(nbins=4)
        write_ticks(axes.xaxis, 1.0)
    stays = panels[len(scales)]
    stays.barh(at, 100.0 * robust.within[rows_of], height=0.66, color=PALE)
    stays.barh(at, 100.0 * robust.stays[rows_of], height=0.66, color=colours)
    stays.set_title(wrapped(_("Share of futures"), 24))
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
            apart=False,
        )
        for k, name in enumerate(front.columns)
    ]  # fmt: skip


# Tables -----------------------------------------------------------------------------------------


def member_table(front: Front, labels: Labels | None = None) -> Table:
    """What packages along the front cost and bring, and how surely each is the knee."""
    labels = labels or Labels()
    scales, intervals = level_scales(front, labels), front.intervals
    rows = []
    for member in front.spread(DOWN):
        cells = [
            Cell(scale.bare(front.means[member, k]), scale.interval(*intervals[member, k]))
            for k, scale in enumerate(scales)
        ]
        cells.append(Cell(percent(front.knee_shares[member])))
        rows.append((package_title(front, member), cells))
    head = [
        _("Package"),
        *(labels.head(name, scale) for name, scale in zip(front.columns, scales, strict=True)),
        _("Knee in resamples"),
    ]
    caption = _("Means over {runs} runs, with their {level} intervals").format(
        runs=count(front.values.shape[2]), level=percent(front.level)
    )
    return Table(caption, head, rows)


def settings_table(front: Front, labels: Labels | None = None) -> Table:
    """What packages along the front set: a column a package."""
    labels = labels or Labels()
    members = front.spread(ACROSS)
    rows = [
        (
            capital(labels.title(factor.name)),
            texts(
                *(
                    setting_text(factor, front.settings(member)[factor.name], labels)
                    for member in members
                )
            ),
        )
        for factor in front.factors
    ]
    head = [_("Sets"), *(package_title(front, member) for member in members)]
    return Table(_("What packages along the front set"), head, rows)


def step_table(
    front: Front, labels: Labels | None = None, references: Sequence[Reference] = ()
) -> Table:
    """What other packages and known strategies cost and bring beyond the knee."""
    labels = labels or Labels()
    apart = apart_from_knee(front, references)
    scales, senses = apart_scales(front, labels, apart), front.senses
    names = {member: package(member) for member in front.spread(ACROSS) if member != front.knee}
    names |= {len(front) + k: one.title for k, one in enumerate(references)}
    rows = []
    for place, name in names.items():
        says = verdicts(apart.low[place], apart.high[place], senses)
        cells = [
            Cell(
                scale.bare(apart.mean[place, k], signed=True),
                scale.interval(apart.low[place, k], apart.high[place, k], signed=True),
                verdict=says[k],
            )
            for k, scale in enumerate(scales)
        ]
        rows.append((name, cells))
    head = [
        "", *(labels.head(name, scale) for name, scale in zip(front.columns, scales, strict=True))
    ]  # fmt: skip
    caption = _("Difference to {knee}, with {level} intervals of the same runs").format(
        knee=package_title(front, front.knee), level=percent(front.level)
    )
    return Table(caption, head, rows)


def robustness_table(front: Front, robust: FrontRobustness, labels: Labels | None = None) -> Table:
    """How packages do in many futures: mean with interval, the worst tenth, and who stays."""
    labels = labels or Labels()
    scales = robust_scales(front, robust, labels)
    rows = []
    for row in robust_rows(front, robust):
        cells = [
            Cell(
                scale.bare(robust.means[row, k]),
                scale.interval(*robust.intervals[row, k]),
                _("worst tenth {value}").format(value=scale.bare(robust.worst[row, k])),
            )
            for k, scale in enumerate(scales)
        ]
        cells += texts(percent(robust.within[row]), percent(robust.stays[row]))
        rows.append((package_title(front, robust.members[row]), cells))
    head = [
        _("Package"),
        *(labels.head(name, scale) for name, scale in zip(front.columns, scales, strict=True)),
        _("Within budget"),
        _("Within budget and unbeaten"),
    ]
    number = len(robust.futures)
    caption = ngettext("In {number} future", "In {number} futures", number)
    return Table(caption.format(number=count(number)), head, rows)


def surrogate_table(surrogates: Mapping[str, Surrogate], labels: Labels | None = None) -> Table:
    """How well surrogates foretell points that they were not fitted to, outcome by outcome."""
    labels = labels or Labels()
    kinds = {
        "gaussian process": _("Gaussian process"), "gradient boosting": _("gradient boosting"),
    }  # fmt: skip
    rows = []
    for name, one in surrogates.items():
        scale = labels.scale(name, [one.quality.rmse], [], apart=True)
        rows.append(
            (
                capital(labels.title(name)),
                texts(
                    kinds[one.kind],
                    count(one.points),
                    decimal(one.quality.r2, 2),
                    scale.text(one.quality.rmse),
                    percent(one.quality.coverage),
                ),
            )
        )
    head = [
        _("Outcome"), _("Surrogate"), _("Points"), "R²", _("Typical error"),
        _("Inside their 95 % interval"),
    ]  # fmt: skip
    return Table(_("Surrogates, on points that they were not fitted to"), head, rows)


# The page ---------------------------------------------------------------------------------------


def search_sections(
    front: Front,
    labels: Labels | None = None,
    *,
    references: Sequence[Reference] = (),
    robust: FrontRobustness | None = None,
    surrogates: Mapping[str, Surrogate] | None = None,
) -> list[Section]:
    """The sections of a page on a search; the first is the answer.

    Parameters
    ----------
    front
        What was found.
    labels
        Words and units for names.
    references
        Strategies that are known, on the same draws.
    robust
        How the front does in many futures.
    surrogates
        By outcome, what stood in for the model.
    """
    labels = labels or Labels()
    found = [
        answer_section(front, labels, references, robust),
        packages_section(front, labels),
    ]
    if robust is not None:
        found.append(futures_section(front, labels, robust))
    return [*found, search_section(front, labels, surrogates or {})]


def answer_section(
    front: Front, labels: Labels, references: Sequence[Reference], robust: FrontRobustness | None
) -> Section:
    """The knee's package, what it costs and brings, and what spending more or less would do."""
    paragraphs = [*knee_sentences(front, labels), *step_sentences(front, labels)]
    paragraphs += sure_sentences(front, labels, robust)
    picture = Picture.of(
        front_figure(front, labels, references),
        _("What packages on the front cost and bring; the knee is package {knee} of {all}."),
        _(
            "Each dot is a package that no other clearly beats: none is as good in every goal and "
            "better in one. Lines are {level} intervals of the difference to the knee, in the same "
            "runs."
        ),
        knee=count(front.knee + 1), all=count(len(front)), level=percent(front.level),
    )  # fmt: skip
    tables = [step_table(front, labels, references)] if len(front) > 1 or references else []
    return Section("answer", _("The answer"), paragraphs, tables, [picture])


def outcome_sentence(front: Front, labels: Labels, columns: Sequence[int], member: int) -> str:
    """Outcomes of a member with their intervals, in a row."""
    scales, intervals = level_scales(front, labels), front.intervals
    return "; ".join(
        _("{outcome} {value} ({interval})").format(
            outcome=labels.title(front.columns[k]),
            value=scales[k].text(front.means[member, k]),
            interval=scales[k].interval(*intervals[member, k]),
        )
        for k in columns
    )


def knee_sentences(front: Front, labels: Labels) -> list[str]:
    """Which package the knee is, in words, and what it costs and brings."""
    number = len(front)
    if front.budget is None:
        text = ngettext(
            "{number} package was found that no other clearly beats.",
            "{number} packages were found that no other clearly beats.",
            number,
        )
        said = text.format(number=count(number))
    else:
        text = ngettext(
            "Within the budget of {budget}, {number} package was found that no other clearly "
            "beats.",
            "Within the budget of {budget}, {number} packages were found that no other clearly "
            "beats.",
            number,
        )
        budget = labels.scale(front.budget.name, [front.budget.most], [], apart=False)
        said = text.format(budget=budget.text(front.budget.most), number=count(number))
    knee = _("{knee}, is where more of one goal begins to cost most of another: {settings}.")
    knee = knee.format(
        knee=package_title(front, front.knee), settings=settings_text(front, front.knee, labels)
    )
    rest = [k for k in range(len(front.columns)) if k != front.cost]
    brings = outcome_sentence(front, labels, rest, front.knee)
    if front.cost is None:
        outcomes = _("It brings: {brings}.").format(brings=brings)
    else:
        cost = outcome_sentence(front, labels, [front.cost], front.knee)
        outcomes = _("Its cost: {cost}. It brings: {brings}.") if rest else _("Its cost: {cost}.")
        outcomes = outcomes.format(cost=cost, brings=brings)
    if labels.beyond:
        beyond = _("All is counted beyond {baseline}.").format(baseline=labels.beyond)
        outcomes = f"{outcomes} {beyond}"
    level = _("In brackets: {level} intervals of the means.").format(level=percent(front.level))
    return [said, knee, f"{outcomes} {level}"]


def step_sentences(front: Front, labels: Labels) -> list[str]:
    """What one gains and loses by going from the knee to either end of the front."""
    apart = apart_from_knee(front)
    scales = apart_scales(front, labels, apart)

    def differences(member: int) -> str:
        return "; ".join(
            _("{outcome} {value} ({interval})").format(
                outcome=labels.title(name),
                value=scale.text(apart.mean[member, k], signed=True),
                interval=scale.interval(apart.low[member, k], apart.high[member, k], signed=True),
            )
            for k, (name, scale) in enumerate(zip(front.columns, scales, strict=True))
        )

    def step(text: str, member: int, goal: str = "") -> str:
        return text.format(
            package=package(member),
            goal=labels.title(goal),
            differences=differences(member),
        )

    if front.price is None:
        text = _("Against the knee, {package}, the best in {goal}, brings: {differences}.")
        found = [
            step(text, member, name)
            for name, member in front.extremes.items()
            if member != front.knee
        ]
        if front.cost is not None:
            text = _("What more or less money buys is not known: the cost was a limit, no goal.")
            found.append(text)
        return found
    less = _("Spending less: against the knee, {package}, the cheapest, brings: {differences}.")
    more = _("Spending more: against the knee, {package}, the dearest, brings: {differences}.")
    last = len(front) - 1
    return [
        step(less, 0) if front.knee > 0 else _("No package on the front costs less."),
        step(more, last) if front.knee < last else _("No package on the front costs more."),
    ]


def sure_sentences(front: Front, labels: Labels, robust: FrontRobustness | None) -> list[str]:
    """How sure the knee is: in resamples of the runs, and in other futures."""
    along = front.price or 0
    place, shares = front.means[:, along], front.knee_shares.cumsum()
    ends = [place[int(np.searchsorted(shares, share))] for share in (0.05, 0.95)]
    scale = level_scales(front, labels)[along]
    text = _(
        "How sure: in {share} of resamples of the {runs} runs this very package is the knee; in "
        "nine tenths of them the knee lies where {outcome} is {interval} ({unit})."
    )
    said = [
        text.format(
            share=percent(front.knee_shares[front.knee]), runs=count(front.values.shape[2]),
            outcome=labels.title(front.columns[along]), interval=scale.interval(*ends),
            unit=scale.label,
        )
    ]  # fmt: skip
    if robust is not None and front.knee in robust.members:
        row, number = robust.members.index(front.knee), len(robust.futures)
        if front.budget is None:
            text = _("In {stays} of {number} futures no other package that was judged beats it.")
        else:
            text = _(
                "In {within} of {number} futures it keeps within the budget; in {stays} it does so "
                "and no other package that was judged and does so beats it."
            )
        said.append(
            text.format(
                number=count(number), within=percent(robust.within[row]),
                stays=percent(robust.stays[row]),
            )
        )  # fmt: skip
    return said


def packages_section(front: Front, labels: Labels) -> Section:
    """What packages along the front set, and what comes of it."""
    picture = Picture.of(
        settings_figure(front, labels),
        _("What packages along the front set, from the cheapest, and what they cost and bring."),
        _(
            "A column is a package, a row what it sets; the darker, the higher in its range. Below "
            "the line of settings: means of what it costs and brings. Framed: the knee."
        ),
    )
    tables = [settings_table(front, labels), member_table(front, labels)]
    return Section("packages", _("Packages along the front"), [], tables, [picture])


def futures_section(front: Front, labels: Labels, robust: FrontRobustness) -> Section:
    """How the front does in many futures."""
    paragraphs = [
        _(
            "{packages} packages are judged in {number} other futures, by their own draws: the "
            "mean over them, the mean over the worst tenth of them, and in how many a package "
            "keeps within the budget and no other of these beats it."
        ).format(packages=count(len(robust.members)), number=count(len(robust.futures)))
    ]
    picture = Picture.of(
        robustness_figure(front, robust, labels),
        _("Packages in many futures: means, worst tenth, and how often they stay unbeaten."),
        _("The knee in vermilion. Intervals are of the mean over futures."),
    )
    tables = [robustness_table(front, robust, labels)]
    return Section("futures", _("In other futures"), paragraphs, tables, [picture])


def search_section(
    front: Front, labels: Labels, surrogates: Mapping[str, Surrogate]
) -> Section:  # fmt: skip
    """How the front was found, and what must be known to read it right."""
    last = front.history[-1]
    paragraphs = [
        _(
            "{candidates} packages were simulated in {rounds} rounds, {runs} runs in all, on the "
            "same draws. Packages that others clearly beat, run by run, got few runs; those on the "
            "front got {most} each, and of those that differ by luck alone some were left out."
        ).format(
            candidates=count(last.candidates), rounds=count(last.number), runs=count(last.runs),
            most=count(front.values.shape[2]),
        )
    ]  # fmt: skip
    picture = Picture.of(
        convergence_figure(front),
        _("Hypervolume of the front, round by round."),
        _(
            "Hypervolume: the part of the space of goals that some package on the front beats. "
            "Where it no longer rises, more rounds bring little."
        ),
    )
    notes = [
        _(
            "A search finds good packages, it does not prove that there are none better; packages "
            "close to those on the front may do as well."
        ),
        _(
            "Means are of the runs on which packages were chosen, and flatter them a little: the "
            "lucky are chosen with the good. Other draws do not flatter."
        ),
        _(
            "The knee lies farthest from the line, plane or hyperplane through the best in each "
            "goal, after all goals are scaled from worst to best on the front. It is a place to "
            "begin a discussion, not a recommendation: what a goal is worth is for people to say."
        ),
    ]
    tables = [surrogate_table(surrogates, labels)] if surrogates else []
    return Section("search", _("How it was found"), paragraphs, tables, [picture], notes)
