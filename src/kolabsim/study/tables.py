"""The tables that experiments publish, each with its columns, declared once.

Writers arrange their tables by these declarations, ``kolabsim results`` takes units and meanings
from them, and the reference renders them. This file is long because it is one list of declarations,
whose columns mean the same in every table that has them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from kolabsim.model.levers import SHARES
from kolabsim.model.measures import REGION_MEASURES, Measure
from kolabsim.study.spec import KINDS

if TYPE_CHECKING:
    import pandas as pd

WORDS = {
    "FACTOR": r"[^@]+",
    "MEASURE": r"[^@]+",
    "MOMENT": r".+@\d+",
    "OUTCOME": r".+",
}
"""Words in capitals that stand for names which an experiment chooses, and what they may be."""
MONEY = "currency"
"""The unit of money: the scenario's currency, or cost units if it has none."""
OF_MEASURE, OF_OUTCOME = "of the measure", "of the outcome"
OF_FACTOR, OF_INDEX, OF_CRITERION = "of the factor", "of the index", "of the criterion"
"""Units that another declaration gives."""


class Column(NamedTuple):
    """A column, or a column for each name that a word in capitals stands for."""

    name: str
    meaning: str
    unit: str = ""
    """Empty for texts and truth values."""

    @property
    def word(self) -> str:
        """The word in capitals in its name, if any."""
        return next((word for word in WORDS if word in self.name), "")

    @property
    def is_text(self) -> bool:
        """Whether it has texts, even where these look like numbers."""
        return not self.unit


class Table(NamedTuple):
    """A table that experiments of some kinds publish."""

    name: str
    row: str
    """What each row stands for."""
    columns: tuple[Column, ...]
    kinds: tuple[str, ...] = tuple(KINDS)
    """Kinds of experiments that have it."""
    files: tuple[str, ...] = ()
    """Its files in the folder of results; without any, only ``kolabsim results`` writes it."""
    note: str = ""

    def names(self, words: Mapping[str, Sequence[str]]) -> dict[str, Column]:
        """The names of its columns in order, with their declarations.

        ``words`` are the names that each word in capitals stands for.
        """
        found: dict[str, Column] = {}
        for word, columns in groupby(self.columns, lambda column: column.word):
            group = list(columns)
            for name in words.get(word, ()) if word else ("",):
                found |= {one.name.replace(word, name) if word else one.name: one for one in group}
        return found

    def recognise(self, found: Iterable[str]) -> dict[str, Column]:
        """The declarations of the columns of a table, in their declared order.

        Raises :class:`ValueError` if a column is missing, or is not declared.
        """
        names = list(found)
        rest = [name for name in names if name not in {column.name for column in self.columns}]
        patterns = {word: [c.name for c in self.columns if c.word == word] for word in WORDS}
        words: dict[str, list[str]] = {}
        # Words with several columns first: only their names have all of these.
        for word, columns in sorted(patterns.items(), key=lambda item: -len(item[1])):
            there = set(rest)
            words[word] = [
                name
                for name in rest
                if columns
                and re.fullmatch(WORDS[word], name)
                and all(column.replace(word, name) in there for column in columns)
            ]
            taken = {column.replace(word, name) for name in words[word] for column in columns}
            rest = [name for name in rest if name not in taken]
        declared = self.names(words)
        if declared.keys() != set(names):
            wrong = sorted(declared.keys() ^ set(names))
            text = f"{self.name}: columns that are missing or not declared: {', '.join(wrong)}"
            raise ValueError(text)
        return declared

    def arrange(self, table: pd.DataFrame) -> pd.DataFrame:
        """A table with its columns in their declared order (:meth:`recognise`)."""
        return table[list(self.recognise(map(str, table.columns)))]


# Columns ------------------------------------------------------------------------------------------

STRATEGY = Column("strategy", "name of the strategy")
FUTURE = Column(
    "future",
    "name of the future: in a comparison that of its file, in other kinds a number; `futures` has "
    "its settings",
)
RUN = Column(
    "run",
    "number of the run, from 0; runs of the same number have the same random draws under every "
    "strategy and in every future, but each plausible future of a comparison has draws of its own",
    "1",
)
QUARTER = Column("quarter", "quarter, from 0", "quarters")
REGION = Column("region", "code of the region")
NAME = Column("name", "name of the region")
AREA = Column("area", "name of the service area")
OUTCOME = Column(
    "outcome", "the outcome: a measure, `MEASURE@QUARTER`, or `spread(MEASURE)` between runs"
)
SETTING = Column("FACTOR", "setting of each factor, by its dotted name", OF_FACTOR)
RUNS = Column("runs", "runs that the row is computed from", "runs")
FUTURES = Column("futures", "plausible futures that the row is computed from", "futures")
PLAUSIBLE_RANGE = "the plausible range: 90% of futures, or all if there are fewer than 20"
OVER_FUTURES = (
    "`robustly {up}`, `likely {up}`, `hardly changes`, `likely {down}` or `robustly {down}` by the "
    "share of futures in which it is so; `depends` if in too few; `undecided` if chance leaves it "
    "open"
)
OVER_PLAUSIBLE = "It is there if the comparison varies assumptions."
OF_COST = "share of stand-alone cost"
KEYS = (STRATEGY, FUTURE, RUN)


def interval(unit: str, what: str = "the 95% interval") -> tuple[Column, Column]:
    """The ends of an interval."""
    return Column("low", f"lower end of {what}", unit), Column("high", f"upper end of {what}", unit)


def better_share(what: str) -> Column:
    """A share of runs in which something is better; ties count half."""
    return Column("better_share", f"share of runs in which {what}, ties counting half", "share")


# Tables -------------------------------------------------------------------------------------------

COMPARISON = ("comparison",)
DETAIL = "Values have seven digits (32-bit floats)."
DESIGNS = tuple(kind for kind in KINDS if kind != "comparison")

_TABLES = (
    Table(
        "runs",
        "each strategy, future and run that finished",
        (
            *KEYS,
            Column("MEASURE", "figure of the run for each measure", OF_MEASURE),
            Column("MOMENT", "the measure at the end of a quarter: `MEASURE@QUARTER`", OF_MEASURE),
        ),
        files=("runs.parquet", "runs.csv"),
        note="Only a comparison has these files in its folder, `runs.csv` up to 200,000 rows; "
        "`kolabsim results` writes them for every kind. Columns of moments are there if the "
        "experiment has such an outcome. Empty cells are undefined.",
    ),
    Table(
        "quarters",
        "each strategy, future, run and quarter of the runs with detail",
        (*KEYS, QUARTER, Column("MEASURE", "each measure in the quarter", OF_MEASURE)),
        COMPARISON,
        note=DETAIL,
    ),
    Table(
        "regions",
        "each strategy, future, run, region and service area of the runs with detail",
        (
            *KEYS,
            REGION,
            AREA,
            *(Column(name, one.meaning, one.unit) for name, one in REGION_MEASURES.items()),
        ),
        COMPARISON,
        note=DETAIL,
    ),
    Table(
        "futures",
        "each future, also those of earlier stages",
        (
            FUTURE,
            Column(
                "stage",
                "number of the stage that first simulated it, from 1: a search has one for each "
                "generation with new packages, and a sample that grows one for each size",
                "1",
            ),
            Column(
                "FACTOR",
                "setting of each factor, by its dotted name; empty: that of the scenario; `seed`: "
                "seed of the random draws, where points of a sensitivity analysis have their own",
                OF_FACTOR,
            ),
        ),
        files=("futures.csv",),
        note="At a point of a design, also factors that somebody decides, such as levers, are part "
        "of the future. Points with the same settings are one future.",
    ),
    Table(
        "failures",
        "each run that raised an error",
        (
            *KEYS,
            Column("block", "hash of the group of runs in which it lies"),
            Column("error", "the error"),
            Column("traceback", "where it was raised"),
        ),
        files=("failures.csv",),
        note="The file is there only if runs failed.",
    ),
    Table(
        "differences",
        "each strategy, future and measure",
        (
            STRATEGY,
            FUTURE,
            Column("measure", "name of the measure"),
            Column("baseline", "mean of the baseline over the pairs", OF_MEASURE),
            Column("mean", "mean of the strategy over the pairs", OF_MEASURE),
            Column("difference", "difference of both means", OF_MEASURE),
            *interval(OF_MEASURE, "the 95% interval of the difference"),
            Column(
                "verdict",
                "`better`, `worse`, `hardly changes` or `undecided` by an interval that is "
                "corrected for the number of strategies; `different` where the measure has no "
                "better direction",
            ),
            better_share("the strategy does better than the baseline"),
            Column("best_share", "share of runs in which it is best of all, ties divided", "share"),
            Column("runs", "pairs of runs that were used", "runs"),
            Column("undefined", "pairs left out because either side is undefined", "runs"),
            Column(
                "variance_reduction",
                "variance of the difference between independent runs, divided by its variance "
                "between pairs; empty where that is zero",
                "1",
            ),
        ),
        COMPARISON,
        ("differences.csv",),
    ),
    Table(
        "winners",
        "each strategy, future and region",
        (
            STRATEGY,
            FUTURE,
            REGION,
            NAME,
            Column(
                "difference",
                "realised net benefit over the run beyond the baseline's, after the programme cost "
                "that the region bears",
                "share of stand-alone cost",
            ),
            *interval("share of stand-alone cost"),
            Column("money", "the same in money", MONEY),
            Column("money_low", "lower end of its 95% interval", MONEY),
            Column("money_high", "upper end of its 95% interval", MONEY),
            Column(
                "verdict",
                "`gains`, `loses`, `hardly changes` or `undecided` by an interval that is "
                "corrected for the number of strategies and regions",
            ),
            better_share("the region is better off"),
            RUNS,
        ),
        COMPARISON,
        ("winners.csv",),
    ),
    Table(
        "costs",
        "each strategy, future and item",
        (
            STRATEGY,
            FUTURE,
            Column(
                "item",
                "a measure of money, beyond the baseline's and summed over the run; or "
                "`saving_per_cost`, the mean saving divided by the mean cost",
            ),
            Column("value", "mean over runs", "currency, or 1 for `saving_per_cost`"),
            *interval(
                "currency, or 1 for `saving_per_cost`",
                "the 95% interval, of `saving_per_cost` by Fieller's method",
            ),
            RUNS,
        ),
        COMPARISON,
        ("costs.csv",),
    ),
    Table(
        "ranges",
        "each strategy and measure, over plausible futures",
        (
            STRATEGY,
            Column("measure", "name of the measure"),
            Column(
                "difference", "median over futures of the difference to the baseline", OF_MEASURE
            ),
            *interval(OF_MEASURE, PLAUSIBLE_RANGE),
            Column("chance_low", "lower end of the 95% interval of the median", OF_MEASURE),
            Column("chance_high", "upper end of the 95% interval of the median", OF_MEASURE),
            Column("verdict", OVER_FUTURES.format(up="better", down="worse")),
            Column("better_share", "share of futures in which the strategy is better", "share"),
            Column("worse_share", "share of futures in which it is worse", "share"),
            Column("best_share", "share of futures in which it is best of all", "share"),
            FUTURES,
            Column("runs", "pairs of runs that were used, in all futures", "runs"),
        ),
        COMPARISON,
        ("ranges.csv",),
        OVER_PLAUSIBLE,
    ),
    Table(
        "winner_ranges",
        "each strategy and region, over plausible futures",
        (
            STRATEGY,
            REGION,
            NAME,
            Column(
                "difference",
                "median over futures of the realised net benefit beyond the baseline's, after the "
                "programme cost that the region bears",
                "share of stand-alone cost",
            ),
            *interval("share of stand-alone cost", PLAUSIBLE_RANGE),
            Column("chance_low", "lower end of the 95% interval of the median", OF_COST),
            Column("chance_high", "upper end of the 95% interval of the median", OF_COST),
            Column("money", "the median in money", MONEY),
            Column("money_low", "lower end of its plausible range", MONEY),
            Column("money_high", "upper end of its plausible range", MONEY),
            Column("verdict", OVER_FUTURES.format(up="gains", down="loses")),
            Column("better_share", "share of futures in which the region gains", "share"),
            Column("worse_share", "share of futures in which the region loses", "share"),
            FUTURES,
            Column("runs", "pairs of runs that were used, in all futures", "runs"),
        ),
        COMPARISON,
        ("winner_ranges.csv",),
        OVER_PLAUSIBLE,
    ),
    Table(
        "cost_ranges",
        "each strategy and item of cost, over plausible futures",
        (
            STRATEGY,
            Column("item", "as in `costs`"),
            Column("value", "median over futures", "currency, or 1 for `saving_per_cost`"),
            *interval("currency, or 1 for `saving_per_cost`", PLAUSIBLE_RANGE),
            FUTURES,
        ),
        COMPARISON,
        ("cost_ranges.csv",),
        OVER_PLAUSIBLE,
    ),
    Table(
        "channels",
        "each strategy, future and channel",
        (
            STRATEGY,
            FUTURE,
            Column("channel", "a channel of net benefit, or `programme`, the programme cost"),
            Column(
                "difference",
                "part of the difference in realised net benefit of the last year that runs through "
                "the channel; all of a strategy add up to that difference",
                "share of stand-alone cost",
            ),
            *interval("share of stand-alone cost"),
            RUNS,
        ),
        COMPARISON,
        ("channels.csv",),
    ),
    Table(
        "variance",
        "each measure that the report breaks down, and source of variance",
        (
            Column("measure", "name of the measure"),
            Column(
                "source",
                "`assumptions`: between futures; `traits`: attributes of regions that no table "
                "gives; `chance`: all other random draws",
            ),
            Column(
                "variance",
                "variance of the best strategy's difference to the baseline in single runs; an "
                "unbiased estimate, which may be below zero",
                "square of the measure's",
            ),
            Column("share", "its share of the sum; what is below zero counts as none", "share"),
            *interval("share"),
            RUNS,
        ),
        COMPARISON,
        ("variance.csv",),
    ),
    Table(
        "drivers",
        "each assumption that many futures vary together, the strongest first",
        (
            Column("assumption", "dotted name of the setting"),
            Column(
                "share",
                "share of the variance of the best strategy's difference between futures that the "
                "assumption explains alone",
                "share",
            ),
            *(
                Column(
                    name,
                    f"mean difference in realised net benefit at its {name} value; of words, {end}",
                    "share of stand-alone cost",
                )
                for name, end in (("lowest", "the least"), ("highest", "the most"))
            ),
            Column("moves", "whether the share exceeds what chance would give any assumption"),
        ),
        COMPARISON,
        ("drivers.csv",),
        "Only comparisons with at least eight such futures have it.",
    ),
    Table(
        "frontier",
        "each strategy with an intensity, and level of it",
        (
            STRATEGY,
            Column(
                "level", "share of full intensity, at which its strongest lever is at 1", "share"
            ),
            Column(
                "cost",
                "mean programme cost a year, over futures, beyond the baseline's",
                MONEY,
            ),
            Column(
                "difference",
                "median over futures of the difference in realised net benefit to the baseline",
                "share of stand-alone cost",
            ),
            Column("low", "5% of futures lie below it", "share of stand-alone cost"),
            Column("high", "5% of futures lie above it", "share of stand-alone cost"),
            Column("futures", "number of futures", "1"),
        ),
        COMPARISON,
        ("frontier.csv",),
        "Only comparisons with `frontier` or `equal_cost` have it.",
    ),
    Table(
        "same_money",
        "each strategy that can be scaled to the programme cost of one of them",
        (
            STRATEGY,
            Column(
                "reference",
                "the strategy whose cost it is: the cheapest that is better than the baseline, or "
                "if none is, the one in the middle by cost of those with an intensity",
            ),
            Column("level", "intensity at this cost, as a multiple of the strategy's own", "1"),
            Column("cost", "mean programme cost a year beyond the baseline's", MONEY),
            Column(
                "difference",
                "median over futures of the difference in realised net benefit to the baseline",
                OF_COST,
            ),
            *interval(OF_COST, PLAUSIBLE_RANGE),
            Column("verdict", OVER_FUTURES.format(up="better", down="worse")),
            Column("better_share", "share of futures in which the strategy is better", "share"),
            Column(
                "best_share",
                "share of futures in which it is best of the table and the baseline",
                "share",
            ),
            FUTURES,
        ),
        COMPARISON,
        ("same_money.csv",),
        "In one future it has means and intervals over runs. Comparisons with `equal_cost`, and "
        "with fewer than two strategies that have a cost, do not have it.",
    ),
    Table(
        "fairness",
        "each member of each joint body at the end of a run of the best strategy",
        (
            AREA,
            Column("body", "number of the body in its area, from 1", "1"),
            REGION,
            NAME,
            Column("joint_cost", "cost of the body in a year", MONEY),
            Column(
                "alone",
                "stand-alone cost of the member, as a share of the joint cost: it saves if it "
                "bears less",
                "share",
            ),
            *(
                Column(rule, f"its share of the joint cost by the rule `{rule}`", "share")
                for rule in SHARES
            ),
            Column("shapley", "its share of the joint cost by the Shapley value", "share"),
        ),
        COMPARISON,
        ("fairness.csv",),
        "Only scenarios of at most 40 regions have it.",
    ),
    Table(
        "indices",
        "each outcome, factor (or pair of factors) and index",
        (
            OUTCOME,
            Column("method", "method of the analysis"),
            Column("factor", "name of the factor"),
            Column("other", "the second factor of a pair; empty otherwise"),
            Column(
                "index",
                "the index: `S1`, `S2`, `ST`, `delta`, `median` and `maximum` are plain numbers, "
                "others are in the unit of the outcome",
            ),
            Column("value", "its value", OF_INDEX),
            *interval(OF_INDEX),
            Column(
                "floor",
                "noise floor: what the factor reaches if it is permuted over the same runs",
                OF_INDEX,
            ),
            Column("above", "whether the value is above the noise floor"),
        ),
        ("sensitivity",),
        ("indices.csv",),
    ),
    Table(
        "robustness",
        "each strategy and criterion",
        (
            STRATEGY,
            OUTCOME,
            Column("criterion", "criterion of robustness"),
            Column(
                "value",
                "its value: `satisficing`, `best` and `ahead` are shares of futures, others are in "
                "the unit of the outcome",
                OF_CRITERION,
            ),
            *interval(OF_CRITERION),
            Column("rank", "rank by the criterion, 1 for the best, ties sharing the better", "1"),
            Column("first", "share of resamples in which the strategy ranks first", "share"),
        ),
        ("robustness",),
        ("robustness.csv",),
        "`rank` and `first` are empty where the criterion ranks nothing.",
    ),
    Table(
        "outcomes",
        "each strategy and future",
        (
            STRATEGY,
            FUTURE,
            OUTCOME,
            Column("mean", "mean over runs", OF_OUTCOME),
            Column("regret", "distance from the best strategy in this future", OF_OUTCOME),
            Column("best", "whether the strategy is the best in this future"),
        ),
        ("robustness",),
        ("outcomes.csv",),
    ),
    Table(
        "information",
        "each factor",
        (
            Column("factor", "name of the factor"),
            OUTCOME,
            Column("value", "expected value of knowing the factor alone (EVPPI)", OF_OUTCOME),
            *interval(OF_OUTCOME),
            Column("floor", "largest value expected of a factor without influence", OF_OUTCOME),
            Column("above", "whether the value exceeds the floor"),
            Column("share", "share of the expected value of perfect information", "share"),
            Column("lowest", "best strategy at the lower end of its range; empty for words"),
            Column("highest", "best strategy at the upper end of its range; empty for words"),
        ),
        ("robustness",),
        ("information.csv",),
    ),
    Table(
        "sizes",
        "each strategy but the baseline",
        (
            STRATEGY,
            OUTCOME,
            Column("difference", "observed difference from the baseline", OF_OUTCOME),
            Column("error", "its standard error over futures and runs", OF_OUTCOME),
            Column(
                "detectable",
                "least difference that the present size detects with a probability of 90%",
                OF_OUTCOME,
            ),
            Column(
                "runs",
                "runs in each of the present futures that detect half of the largest difference",
                "runs",
            ),
            Column("futures", "futures with the present runs that detect it", "futures"),
            Column("runs_here", "runs needed if only the present futures count", "runs"),
        ),
        ("robustness",),
        ("sizes.csv",),
        "Sizes are `inf` where no number would do.",
    ),
    Table(
        "front",
        "each package on the front, by its cost or, if that has no limit, by its first objective",
        (
            Column("package", "number of the package in the report, from 1", "1"),
            FUTURE,
            SETTING,
            Column("OUTCOME", "mean over runs of each objective, and of the cost", OF_OUTCOME),
            Column("OUTCOME_low", "lower end of its 95% interval", OF_OUTCOME),
            Column("OUTCOME_high", "upper end of its 95% interval", OF_OUTCOME),
            Column("knee_share", "share of resamples in which the package is the knee", "share"),
        ),
        ("search",),
        ("front.csv",),
    ),
    Table(
        "stability",
        "each package that was simulated in plausible futures, and outcome",
        (
            Column("package", "number of the package in the report, from 1", "1"),
            OUTCOME,
            Column("mean", "mean over these futures", OF_OUTCOME),
            *interval(OF_OUTCOME),
            Column("worst_tenth", "mean over the worst tenth of these futures", OF_OUTCOME),
            Column("within_budget", "share of these futures in which it is in the budget", "share"),
            Column("undominated", "share in which no other such package dominates it", "share"),
        ),
        ("search",),
        ("stability.csv",),
        "The file is there if the experiment asks for plausible futures.",
    ),
    Table(
        "map",
        "each outcome and point",
        (
            OUTCOME,
            Column("position", "number of the point, from 1", "1"),
            SETTING,
            Column(
                "value",
                "median over plausible futures, or mean over runs where assumptions are not "
                "varied; of a difference if points are compared with a strategy",
                OF_OUTCOME,
            ),
            Column("low", "lower end of the range of 90% of futures, or interval", OF_OUTCOME),
            Column("high", "upper end of the range of 90% of futures, or interval", OF_OUTCOME),
            Column("chance_low", "lower end of what chance leaves open of the value", OF_OUTCOME),
            Column("chance_high", "upper end of what chance leaves open of the value", OF_OUTCOME),
            Column("verdict", "verdict on a difference; empty if there is none"),
            Column(
                "better_share",
                "share of futures (or runs) in which a difference is better by more than the "
                "practical threshold",
                "share",
            ),
            Column(
                "worse_share",
                "share of futures (or runs) in which a difference is worse by more than the "
                "practical threshold",
                "share",
            ),
            Column(
                "unclear",
                "whether the point cannot be told apart from the best one or, of differences, "
                "from no difference",
            ),
            Column("futures", "number of futures", "futures"),
        ),
        ("sweep",),
        ("map.csv",),
    ),
    Table(
        "map_futures",
        "each outcome, point and future",
        (
            OUTCOME,
            Column("position", "number of the point, as in `map`", "1"),
            Column("plausible", "number of the plausible future, from 1; 0 without any", "1"),
            FUTURE,
            Column("value", "the value in this future, without the chance of its runs", OF_OUTCOME),
        ),
        ("sweep",),
        ("map_futures.csv",),
    ),
    Table(
        "crossings",
        "each place at which a difference changes its sign, by linear interpolation",
        (
            OUTCOME,
            SETTING,
            Column("factor", "the factor along which the sign changes"),
            Column("at", "where the median over futures changes its sign", "of the factor"),
            Column("low", "lower end of the range over futures; −inf below all", "of the factor"),
            Column("high", "upper end of the range over futures; inf above all", "of the factor"),
            Column("chance_low", "lower end of what chance leaves open", "of the factor"),
            Column("chance_high", "upper end of what chance leaves open", "of the factor"),
            Column("rises", "whether the difference turns from below to above zero"),
            Column("share", "share of futures that change their sign so", "share"),
        ),
        ("sweep",),
        ("crossings.csv",),
        "Columns of settings are the levels of the other factors.",
    ),
    Table(
        "patterns",
        "each combination of outcomes that a search for patterns reached, and each outcome",
        (
            Column("cell", "number of the combination, in the order in which it was reached", "1"),
            OUTCOME,
            Column("low", "lower edge of the cell along the outcome", OF_OUTCOME),
            Column("high", "upper edge of the cell along the outcome", OF_OUTCOME),
            Column("value", "the outcome at the point that reached the cell first", OF_OUTCOME),
            Column("position", "number of this point, as in `map`", "1"),
            Column("hits", "number of points in the cell", "points"),
        ),
        ("sweep",),
        ("patterns.csv",),
        "The file is there if the method is `patterns`.",
    ),
    Table(
        "columns",
        "each column of the exported tables",
        (
            Column("table", "name of the table"),
            Column("column", "name of the column"),
            Column("unit", "its unit; empty for texts"),
            Column("meaning", "its meaning"),
            Column("figure", "of a measure in `runs`: how its quarters become one figure"),
        ),
        note="Only `kolabsim results` writes it.",
    ),
)
TABLES = {table.name: table for table in _TABLES}
"""All published tables by name."""


def measure_unit(measure: Measure, currency: str) -> str:
    """The unit of a measure; of money the scenario's currency, or cost units."""
    return measure.unit.replace(MONEY, currency or "cost units")


class Terms(NamedTuple):
    """The units and meanings of what a study chooses: measures, currency, and factors."""

    measures: Mapping[str, Measure]
    currency: str
    factors: Mapping[str, tuple[str, str]] = {}
    """The unit and the meaning of each."""

    def describe(self, table: str, columns: Iterable[str]) -> dict[str, Column]:
        """The columns of a published table, with units and meanings that fit the study."""
        found = {}
        for name, declared in TABLES[table].recognise(columns).items():
            meaning, unit = declared.meaning, declared.unit
            measure, at, quarter = name.partition("@")
            if declared.word in ("MEASURE", "MOMENT"):
                entry = self.measures[measure]
                meaning, unit = entry.meaning, entry.unit
                meaning += f", in quarter {quarter}" if at else ""
            elif declared.word == "FACTOR":
                unit, meaning = self.factors.get(name, ("", meaning))
            elif declared.word == "OUTCOME":
                outcome = name.removesuffix(declared.name.removeprefix("OUTCOME"))
                measure = outcome.removeprefix("spread(").rstrip(")").partition("@")[0]
                unit = self.measures[measure].unit
            unit = unit.replace(MONEY, self.currency or "cost units")
            found[name] = Column(name, meaning, unit)
        return found

    def column_table(self, heads: Mapping[str, Iterable[str]]) -> pd.DataFrame:
        """The unit and the meaning of each column of some tables, given by their heads."""
        import pandas as pd

        rows = [
            (name, column, one.unit, one.meaning, self.figure(name, column))
            for name, columns in heads.items()
            for column, one in self.describe(name, columns).items()
        ]
        return pd.DataFrame(rows, columns=[column.name for column in TABLES["columns"].columns])

    def figure(self, table: str, column: str) -> str:
        """How the quarters of a measure become the figure of a run."""
        return self.measures[column].figure if table == "runs" and column in self.measures else ""
