"""What a sensitivity analysis says: the answer in sentences, its figures, and its tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.analysis.compare import DIFFERENT, UNDECIDED
from kolabsim.analysis.sensitivity import Curve, Index, Indices, Interval, Pair
from kolabsim.language import N_, _, ngettext
from kolabsim.model.measures import MEASURES
from kolabsim.show.drawing import (
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
from kolabsim.show.numbers import (
    UNDEFINED,
    Scale,
    count,
    percent,
    scale_of,
    significant,
)
from kolabsim.show.page import Section
from kolabsim.show.report import Picture
from kolabsim.show.sentences import listed
from kolabsim.show.tables import ACROSS, Cell, Table
from kolabsim.show.words import capital, title_of, wrapped
from kolabsim.study.design import DUMMY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHOWN = 15
"""Most factors in a figure; tables have all."""
LEADING = 5
"""Factors whose convergence is drawn, and whose ranking is judged."""
SURE = 0.9
"""Share of resamples that must agree before a ranking is called sure."""
PAIRS = 10
"""Most pairs of factors in a table."""
THREADS = 60
"""Most single curves in a panel: more would be one colour."""
SHARES = ("ST", "S1", "S2")
"""Indices that are shares of the variance."""
BARE = ("delta", "median", "maximum")
"""Indices that are numbers between 0 and 1; all others have the outcome's unit."""
LINES = ((BLUE, "o"), (ORANGE, "s"), (GREEN, "^"), (PURPLE, "D"), (VERMILION, "v"))
"""Colours and marks of the leading factors."""

METHOD_TITLES = {
    "morris": N_("elementary effects (Morris)"),
    "sobol": N_("shares of the variance (Sobol)"),
    "fast": N_("shares of the variance by frequencies (FAST)"),
    "rbd_fast": N_("shares of the variance by frequencies (RBD-FAST)"),
    "delta": N_("shift of the distribution (delta)"),
    "pawn": N_("distance of distributions (PAWN)"),
    "one_at_a_time": N_("one factor at a time"),
    "ice": N_("one factor at a time, around many points"),
    "factorial": N_("changes of single factors, all else drawn at random"),
}
INDEX_TITLES = {
    "ST": N_("In all, with others"), "S1": N_("By itself"), "S2": N_("Together, beyond each"),
    "mu_star": N_("Mean size of effect"), "mu": N_("Mean effect"),
    "sigma": N_("Unevenness of effect"), "delta": N_("Shift of the distribution"),
    "median": N_("Distance of distributions, median"),
    "maximum": N_("Distance of distributions, largest"), "range": N_("Range of the outcome"),
    "variety": N_("How differently it works elsewhere"), "absolute": N_("Mean size of change"),
    "mean": N_("Mean change"), "spread": N_("Spread of changes"),
}  # fmt: skip
READINGS = {
    "ST": N_(
        "“In all” is the share of the variance that a factor has a hand in, alone or with others; "
        "“by itself” is the share that it has alone. What the first has beyond the second comes "
        "from factors acting together; the shares in all may therefore add up to more than 100 %."
    ),
    "S1": N_("“By itself” is the share of the variance that a factor has alone."),
    "mu_star": N_(
        "An effect is what the outcome would change by if a factor moved over its whole range, as "
        "seen in a step of two thirds of it. Its unevenness is its standard deviation: where it is "
        "as large as the effect, the effect depends on the other factors or bends."
    ),
    "delta": N_(
        "The shift says by how much the distribution of the outcome moves once a factor is known: "
        "0 not at all, 1 entirely."
    ),
    "median": N_(
        "The distance is the largest between the cumulative distribution of the outcome and that "
        "within a tenth of the factor’s range: 0 none, 1 all. By chance alone it is above 0."
    ),
    "range": N_(
        "The range is from the lowest to the highest outcome while a factor goes from one end to "
        "the other and all others stay. What factors do together does not show in it."
    ),
    "variety": N_(
        "The range is from the lowest to the highest outcome along a factor’s curve, on average "
        "over points at which all others were drawn. Where curves differ, the factor works "
        "differently elsewhere."
    ),
    "absolute": N_(
        "A change is that of the outcome when a factor moves by half of its range, a choice to "
        "another word, while all others stay where they were drawn."
    ),
}
ANSWERS = {
    "sobol": N_("{outcome} depends most on “{factor}”: it has a hand in {value} of the variance"),
    "fast": N_("{outcome} depends most on “{factor}”: it has a hand in {value} of the variance"),
    "rbd_fast": N_("{outcome} depends most on “{factor}”: alone it makes {value} of the variance"),
    "morris": N_("{outcome} depends most on “{factor}”: over its range it changes by {value}"),
    "delta": N_(
        "{outcome} depends most on “{factor}”: knowing it shifts the distribution by {value}"
    ),
    "pawn": N_("{outcome} depends most on “{factor}”: distributions are {value} apart"),
    "one_at_a_time": N_(
        "{outcome} depends most on “{factor}”: along its range it moves by {value}"
    ),
    "ice": N_("{outcome} depends most on “{factor}”: along its range it moves by {value}"),
    "factorial": N_(
        "{outcome} depends most on “{factor}”: changing it moves the outcome by {value}"
    ),
}
"""The first half of an answer, before its interval."""


@dataclass(frozen=True)
class Words:
    """What things are called. What is not named here keeps its own name."""

    factors: Mapping[str, str] = field(default_factory=dict)
    """Titles of factors and groups."""
    outcomes: Mapping[str, str] = field(default_factory=dict)
    """Titles of outcomes; those of measures are known."""
    units: Mapping[str, str] = field(default_factory=dict)
    """Units of outcomes, as in :mod:`kolabsim.model.measures`; those of measures are known."""
    at: Mapping[str, Callable[[float], object]] = field(default_factory=dict)
    """The value of a factor at a place between 0 and 1."""
    currency: str = ""
    """That of the scenario; '' for cost units."""

    def factor(self, name: str) -> str:
        """What a factor or group is called."""
        return _("a factor that changes nothing") if name == DUMMY else self.factors.get(name, name)

    def outcome(self, name: str) -> str:
        """What an outcome is called, with a capital."""
        if name not in self.outcomes and name in MEASURES:
            return title_of(name)
        return capital(self.outcomes.get(name, name) or _("the outcome"))

    def unit(self, name: str) -> str:
        """The unit of an outcome."""
        return self.units.get(name, MEASURES[name].unit if name in MEASURES else "1")

    def scale(self, indices: Indices, name: str) -> Scale:
        """How an index is written."""
        index = indices.found[name]
        return self.scale_of_index(indices.outcome, name, index.value, (index.high - index.low) / 2)

    def scale_of_index(
        self, outcome: str, name: str, values: np.ndarray, errors: np.ndarray
    ) -> Scale:
        """How values of an index are written, given the half-widths of their intervals."""
        if name in SHARES:
            found = scale_of("share", values, errors, difference=False)
            return Scale(found.divisor, min(found.decimals, 1), found.unit)
        if name in BARE:
            return Scale(1.0, 2, "")
        return scale_of(self.unit(outcome), values, errors, currency=self.currency)


# The page ---------------------------------------------------------------------------------------


def sensitivity_sections(
    found: Sequence[Indices],
    words: Words,
    *,
    curves: Mapping[str, Mapping[str, Curve]] | None = None,
) -> list[Section]:
    """All that a sensitivity analysis says of one or more outcomes; the answer comes first.

    ``curves`` are those of each outcome's factors, from one_at_a_time or ice.
    """
    sections = [answer_section(found, words)]
    sections += [
        outcome_section(indices, words, (curves or {}).get(indices.outcome, {}), number)
        for number, indices in enumerate(found, 1)
    ]
    return sections


def answer_section(found: Sequence[Indices], words: Words) -> Section:
    """Which factor matters most for each outcome, how sure that is, and how much is chance."""
    tables = overview_tables(found, words) if len(found) > 1 else []
    return Section(
        "answer",
        _("Which factors matter"),
        [answer(indices, words) for indices in found],
        [*tables, chance_table(found, words)],
        notes=[*floor_notes(found[0]), chance_note()],
    )


def answer(indices: Indices, words: Words) -> str:
    """The answer for one outcome, in sentences."""
    index, order = indices.leading, indices.order()
    scale = words.scale(indices, indices.main)
    first = indices.units.index(order[0])
    above = [name for name in order if index.above[indices.units.index(name)]]
    filled = {
        "outcome": words.outcome(indices.outcome),
        "factor": words.factor(order[0]),
        "value": scale.text(index.value[first]),
        "number": count(len(above)),
        "all": count(len(order)),
    }
    if index.has_floor and not above:
        text = _("{outcome}: no factor can be told from one that changes nothing.")
        return " ".join([text.format(**filled), chance_sentence(indices)])
    text = _(ANSWERS[indices.method]).format(**filled)
    if math.isfinite(index.low[first]):
        text += " " + _("({level} interval {interval})").format(
            level=percent(indices.level),
            interval=scale.interval(index.low[first], index.high[first]),
        )
    sentences = [f"{text}.", sureness(indices, words)]
    if index.has_floor:
        text = ngettext(
            "{number} of {all} factors can be told from one that changes nothing.",
            "{number} of {all} factors can be told from one that changes nothing.",
            len(above),
        )
        sentences.append(text.format(**filled))
    return " ".join([*(text for text in sentences if text), chance_sentence(indices)])


def sureness(indices: Indices, words: Words) -> str:
    """How often the first is first, and which others lead."""
    first, leading = indices.stability(1), indices.stability(LEADING)
    if not math.isfinite(first.ordered) or len(indices.units) - indices.has_dummy < 2:
        return ""
    filled = {
        "share": percent(first.ordered),
        "names": listed([f"“{words.factor(name)}”" for name in leading.units[1:]]),
        "same": percent(leading.same),
        "number": count(len(leading.units)),
    }
    if round(first.ordered, 2) >= SURE:  # as it is written
        text = _("It comes first in {share} of resamples.")
    else:
        text = _("That it comes first is not sure: it does in {share} of resamples.")
    if len(leading.units) > 1:
        text += " " + _("It is followed by {names}; the same {number} lead in {same} of resamples.")
    return text.format(**filled)


def chance_sentence(indices: Indices) -> str:
    """How much of what differs between runs is chance."""
    if not math.isfinite(indices.chance[0]):
        return _("Each point was run once, so that nothing can be said of chance.")
    share, low, high = (percent(value) for value in indices.chance)
    text = _("Of the variance between single runs, {share} is chance ({low} to {high}).")
    return text.format(share=share, low=low, high=high)


def floor_notes(indices: Indices) -> list[str]:
    """What the noise floor is."""
    if indices.has_dummy and not indices.leading.has_floor:
        return [_("Each point was run once, so that there are no intervals and no noise floor.")]
    if not indices.has_dummy:
        return [_("No factor that changes nothing was added: there is no noise floor.")]
    notes = [
        _(
            "The noise floor is how far the interval of a factor reaches that changes nothing. "
            "Factors whose interval lies above it are marked ◆; the others, marked ○, cannot be "
            "told from it."
        )
    ]
    if indices.common:
        notes.append(
            _(
                "A run has the same draws at all points. Between points, a factor that changes "
                "nothing then shows nothing at all: to be above the floor is to do something, "
                "however little."
            )
        )
    return notes


def chance_note() -> str:
    """What resamples say and what they do not."""
    return _(
        "Intervals and resamples are of the design’s own points drawn anew: they say how much a "
        "new sample of points would differ, not how well the model knows the world. All holds "
        "within the ranges that factors were given."
    )


def outcome_section(
    indices: Indices, words: Words, curves: Mapping[str, Curve], number: int
) -> Section:
    """All indices of one outcome, and its figures."""
    reading = "variety" if indices.method == "ice" else indices.main
    text = _("{method}: {points} points of the factors’ ranges, {replicates} runs each.")
    paragraphs = [
        text.format(
            method=capital(_(METHOD_TITLES[indices.method])),
            points=count(indices.points),
            replicates=count(indices.replicates),
        ),
        _(READINGS[reading]),
    ]
    notes = []
    if indices.method == "fast":
        notes.append(
            _(
                "Intervals come from a few curves with other phases. They do not show that "
                "frequencies interfere, for which the noise floor stands."
            )
        )
    tables = [index_table(indices, words)]
    tables += [pair_table(indices, words)] if indices.pairs else []
    return Section(
        f"outcome-{number}",
        words.outcome(indices.outcome),
        paragraphs,
        tables,
        pictures(indices, words, curves),
        notes,
    )


def pictures(indices: Indices, words: Words, curves: Mapping[str, Curve]) -> list[Picture]:
    """The figures of one outcome."""
    outcome = words.outcome(indices.outcome)
    made = [
        Picture(
            bars(indices, words),
            _("{outcome}: how much it depends on each factor.").format(outcome=outcome),
            " ".join([_("The factors that matter most, with intervals."), rest_of(indices)]),
        )
    ]
    if indices.method == "morris" and np.isfinite(indices.found["sigma"].value).any():
        caption = _(
            "To the right: a larger effect. Above the line: an effect that differs by more than "
            "its size, because it bends or depends on other factors."
        )
        made.append(
            Picture(
                morris_plane(indices, words),
                _("{outcome}: size and unevenness of the effects of factors.").format(
                    outcome=outcome
                ),
                " ".join([caption, rest_of(indices)]),
            )
        )
    if curves:
        text = _("{outcome}: how it moves with each factor.").format(outcome=outcome)
        caption = _(
            "The factors that matter most, each over its range. Line: mean; band: its interval."
        )
        if indices.method == "ice":
            caption += " " + _(
                "Thin lines: single points at which all other factors were drawn, moved to the "
                "same level."
            )
        if DUMMY in curves:
            caption += " " + _("Grey: what a factor that changes nothing reaches.")
        made.append(
            Picture(curve_panels(indices, curves, words), text, f"{caption} {rest_of(indices)}")
        )
    if len(indices.steps) > 1:
        caption = _(
            "What the first points alone would have said, twice as many at each step. Where lines "
            "run level and apart, more points would change little. Intervals of the first step may "
            "run out of the figure."
        )
        text = _("{outcome}: how its indices settle as points are added.").format(outcome=outcome)
        made.append(Picture(convergence(indices, words), text, caption))
    return made


def rest_of(indices: Indices) -> str:
    """How many factors a figure leaves out."""
    left = len(indices.order()) - SHOWN
    if left <= 0:
        return ""
    text = ngettext(
        "{number} factor with a smaller index is in the table.",
        "{number} factors with smaller indices are in the table.",
        left,
    )
    return text.format(number=count(left))


# Tables -----------------------------------------------------------------------------------------


def places_of(indices: Indices, limit: int | None = None) -> list[int]:
    """Where the units stand, the largest main index first, without the dummy."""
    return [indices.units.index(name) for name in indices.order()[:limit]]


def verdict_of(indices: Indices, index: Index, u: int) -> str:
    """Whether a unit is above the noise floor; nothing without a floor."""
    if not index.has_floor or indices.units[u] == DUMMY or not math.isfinite(index.value[u]):
        return ""
    return DIFFERENT if index.above[u] else UNDECIDED


def index_cell(indices: Indices, index: Index, u: int, scale: Scale) -> Cell:
    """An index with its interval."""
    below = scale.interval(index.low[u], index.high[u])
    below = "" if below == UNDEFINED else below
    return Cell(scale.bare(index.value[u]), below, verdict=verdict_of(indices, index, u))


def index_title(name: str, scale: Scale) -> str:
    """An index and its unit."""
    title = _(INDEX_TITLES[name])
    return f"{title} ({scale.label})" if scale.label else title


def index_table(indices: Indices, words: Words) -> Table:
    """All indices of all factors, the dummy last."""
    scales = {name: words.scale(indices, name) for name in indices.found}
    dummy = [len(indices.units) - 1] if indices.has_dummy else []
    rows = [
        (
            capital(words.factor(indices.units[u])),
            [index_cell(indices, index, u, scales[name]) for name, index in indices.found.items()],
        )
        for u in (*places_of(indices), *dummy)
    ]
    head = [_("Factor"), *(index_title(name, scale) for name, scale in scales.items())]
    caption = _("{outcome}: what it depends on, with {level} intervals").format(
        outcome=words.outcome(indices.outcome), level=percent(indices.level)
    )
    return Table(caption, head, rows)


def pair_table(indices: Indices, words: Words) -> Table:
    """Pairs of factors that do most together."""
    pairs = [pair for pair in indices.pairs if DUMMY not in pair[:2]][:PAIRS]
    values = np.array([pair[2:] for pair in pairs])
    errors = (values[:, 2] - values[:, 1]) / 2.0
    scale = words.scale_of_index(indices.outcome, "S2", values[:, 0], errors)
    rows = [
        (
            _("{one} with {other}").format(
                one=capital(words.factor(pair.one)), other=words.factor(pair.other)
            ),
            [
                Cell(
                    scale.bare(pair.value),
                    scale.interval(pair.low, pair.high),
                    verdict=pair_verdict(pair),
                )
            ],
        )
        for pair in pairs
    ]
    caption = _(
        "Pairs that do most together, beyond what each does alone: ◆ interval above 0, ○ not"
    )
    return Table(caption, [_("Pair"), index_title("S2", scale)], rows)


def pair_verdict(pair: Pair) -> str:
    """Whether a pair clearly does something together."""
    return DIFFERENT if pair.low > 0.0 else UNDECIDED


def overview_tables(found: Sequence[Indices], words: Words) -> list[Table]:
    """The main index of every factor for every outcome, a few outcomes beside each other."""
    tables = []
    parts = math.ceil(len(found) / ACROSS)
    for k in range(parts):
        some = found[k * len(found) // parts : (k + 1) * len(found) // parts]
        scales = [words.scale(indices, indices.main) for indices in some]
        rows = [
            (
                capital(words.factor(name)),
                [
                    index_cell(indices, indices.leading, indices.units.index(name), scale)
                    for indices, scale in zip(some, scales, strict=True)
                ],
            )
            for name in overview_order(some)
        ]
        head = [
            _("Factor"),
            *(
                f"{words.outcome(indices.outcome)} ({scale.label})"
                if scale.label
                else words.outcome(indices.outcome)
                for indices, scale in zip(some, scales, strict=True)
            ),
        ]
        caption = _("{index}, for each outcome").format(index=_(INDEX_TITLES[some[0].main]))
        tables.append(Table(caption, head, rows))
    return tables


def overview_order(found: Sequence[Indices]) -> list[str]:
    """Factors by their best rank for any outcome, then by their mean rank."""
    orders = [indices.order() for indices in found]
    ranks = {name: [order.index(name) for order in orders] for name in orders[0]}
    return sorted(ranks, key=lambda name: (min(ranks[name]), sum(ranks[name])))


def chance_table(found: Sequence[Indices], words: Words) -> Table:
    """How much is chance, and how sure the ranking is, outcome by outcome."""
    rows = []
    for indices in found:
        leading = indices.stability(LEADING)
        rows.append(
            (
                words.outcome(indices.outcome),
                [
                    share_cell(indices.chance),
                    Cell(percent(indices.chance_left)),
                    Cell(listed([words.factor(name) for name in leading.units]) or UNDEFINED),
                    Cell(percent(leading.same)),
                    Cell(percent(leading.ordered)),
                ],
            )
        )
    head = [
        _("Outcome"), _("Chance, between single runs"), _("Chance left in means of runs"),
        _("Leading factors"), _("The same lead, share of resamples"), _("In the same order"),
    ]  # fmt: skip
    return Table(_("How much is chance, and how sure the ranking is"), head, rows, prose=True)


def share_cell(values: Interval) -> Cell:
    """A share with its interval."""
    share, low, high = (percent(value) for value in values)
    if UNDEFINED in (low, high):
        return Cell(share)
    return Cell(share, _("{low} to {high}").format(low=low, high=high))


# Figures ----------------------------------------------------------------------------------------


def write_factors(axes: Axes, indices: Indices, places: Sequence[int], words: Words) -> None:
    """Write the names of factors beside their lines, the first at the top."""
    titles = [wrapped(capital(words.factor(indices.units[u])), 38) for u in places]
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
def bars(indices: Indices, words: Words) -> Figure:
    """The main index of the leading factors, with intervals and the noise floor.

    Shares of the variance are drawn in all and by itself. What is not above the floor is hollow.
    """
    from matplotlib.patches import Patch

    places, names = places_of(indices, SHOWN), bar_names(indices)
    figure, panels = blank(1.05 + 0.36 * len(places))
    axes = panels[0, 0]
    axes.grid(axis="x")
    axes.axvline(0.0, color="#999999", linewidth=0.7)
    scale, thick = words.scale(indices, names[0]), 0.72 / len(names)
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
    write_factors(axes, indices, places, words)
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
def morris_plane(indices: Indices, words: Words) -> Figure:
    """Mean size of effects across, their unevenness up, each factor with its name."""
    size, uneven = indices.found["mu_star"], indices.found["sigma"]
    divisor = words.scale(indices, "mu_star").divisor
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
    axes.set_xlabel(index_title("mu_star", words.scale(indices, "mu_star")))
    axes.set_ylabel(index_title("sigma", words.scale(indices, "mu_star")))
    for axis in (axes.xaxis, axes.yaxis):
        write_ticks(axis, 1.0)
    figure.legend(loc="outside upper left", ncols=2)
    named = [u for u in order if verdict_of(indices, size, u) != UNDECIDED][:SHOWN]
    titles = [wrapped(capital(words.factor(indices.units[u])), 26) for u in named]
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
def curve_panels(indices: Indices, curves: Mapping[str, Curve], words: Words) -> Figure:
    """How the outcome moves along the range of each leading factor, on one scale.

    Of ice, single curves are drawn too, moved to the same mean.
    """
    names = [name for name in indices.order() if name in curves][:SHOWN]
    columns = min(len(names), 3 if len(names) <= 6 else 4)
    rows = math.ceil(len(names) / columns)
    figure, panels = blank(0.5 + 1.75 * rows, rows, columns, sharey=True)
    scale = scale_of(
        words.unit(indices.outcome), np.concatenate([curves[name].middle for name in names]),
        currency=words.currency, difference=False,
    )  # fmt: skip
    for axes in panels.ravel()[len(names) :]:
        axes.set_axis_off()
    for axes, name in zip(panels.ravel(), names, strict=False):
        axes.grid(axis="y")
        if DUMMY in curves:
            axes.axhspan(*(end / scale.divisor for end in reach(curves[DUMMY])), color=PALE,
                         linewidth=0, alpha=0.8, zorder=0)  # fmt: skip
        draw_curve(axes, curves[name], scale.divisor, words.at.get(name), indices.method == "ice")
        axes.set_title(
            wrapped(capital(words.factor(name)), 36 if columns < 4 else 27), fontsize=7.5
        )
        write_ticks(axes.yaxis, 1.0)
    label = words.outcome(indices.outcome)
    label = f"{label} ({scale.label})" if scale.label else label
    figure.supylabel(wrapped(label, 60), fontsize=8.0)
    return figure


def reach(dummy: Curve) -> tuple[float, float]:
    """From where to where the mean curve of a factor that changes nothing goes."""
    return float(dummy.middle.min()), float(dummy.middle.max())


def draw_curve(
    axes: Axes,
    curve: Curve,
    divisor: float,
    at: Callable[[float], object] | None,
    threads: bool,
) -> None:
    """Draw a curve with its interval; ``threads``: also single ones, at most :data:`THREADS`."""
    values = [at(place) for place in curve.places] if at else []
    choice = any(isinstance(value, str) for value in values)
    if choice:
        words = [str(value).replace("_", " ") for value in values]
        curve = by_word(curve, words)
        titles = [wrapped(word, 11) for word in dict.fromkeys(words)]
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
def convergence(indices: Indices, words: Words) -> Figure:
    """The main index of the leading factors as the first points alone would give it."""
    places = places_of(indices, LEADING)
    scale = words.scale(indices, indices.main)
    points = np.array([step.points for step in indices.steps])
    figure, panels = blank(3.6)
    axes = panels[0, 0]
    axes.grid(axis="y")
    parts = [np.array([step[2 + k] for step in indices.steps]) / scale.divisor for k in range(3)]
    lines = [(u, *LINES[k], "-", words.factor(indices.units[u])) for k, u in enumerate(places)]
    if indices.has_dummy:
        lines.append((len(indices.units) - 1, GREY, "", (0, (4, 3)), words.factor(DUMMY)))
    for k, (u, colour, mark, style, title) in enumerate(lines):
        # Intervals stand beside each other, so that each can be seen.
        x = points * 2.0 ** (0.06 * (k - (len(lines) - 1) / 2))
        value, low, high = (part[:, u] for part in parts)
        axes.plot(x, value, color=colour, marker=mark, markersize=5.0, linestyle=style,
                  linewidth=1.5, label=wrapped(capital(title), 46))  # fmt: skip
        axes.vlines(x, low, high, color=colour, linewidth=1.2)
    axes.set_xscale("log", base=2)
    axes.set_xticks(points, [count(number) for number in points])
    axes.minorticks_off()
    axes.set_xlabel(_("Points"))
    axes.set_ylabel(wrapped(bar_label([indices.main], scale), 32))
    seen = np.concatenate(
        [parts[0][:, places].ravel(), *(part[1:, places].ravel() for part in parts)]
    )
    if np.isfinite(seen).any() and len(points) > 2:  # the first interval would dwarf all others
        room = 0.05 * (np.nanmax(seen) - min(np.nanmin(seen), 0.0))
        axes.set_ylim(min(np.nanmin(seen), 0.0) - room, np.nanmax(seen) + room)
    write_ticks(axes.yaxis, 1.0)
    figure.legend(loc="outside upper left", ncols=2)
    return figure
