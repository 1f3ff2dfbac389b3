"""The page on the model against observed joint bodies, and its tables as CSV."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kolabsim.analysis.statistics import BETTER, UNDECIDED, WORSE
from kolabsim.figures.formatting import UNDEFINED, count, decimal, format_interval, percent
from kolabsim.figures.validation import (
    observed_area_title,
    pair_ranking,
    score_title,
    shared_pairs_map,
    sharing_and_sizes,
)
from kolabsim.files import rows_csv, write_whole
from kolabsim.i18n import _, language
from kolabsim.report.gains import gain_section
from kolabsim.report.html import write_page
from kolabsim.report.page import (
    Cell,
    Folded,
    Headline,
    Headlines,
    Note,
    Page,
    Picture,
    Section,
    Table,
    separate,
)
from kolabsim.report.provenance import reproduction_section
from kolabsim.report.wording import fill
from kolabsim.validation.tables import csv_tables

if TYPE_CHECKING:
    from kolabsim.analysis.statistics import Interval
    from kolabsim.validation.network import NetworkFit
    from kolabsim.validation.pairs import PairFit
    from kolabsim.validation.structure import Feature, StructureFit

CLOSE = 0.02
"""AUC by which the model may fall short of the regression and still count as close."""
MOST_BODIES = 15
"""Observed bodies beyond which their table is folded."""


def write_validation(
    fit: NetworkFit, folder: Path, *, lines: Sequence[str], facts: Mapping[str, object]
) -> Path:
    """Write the page of a comparison with observed joint bodies, and its tables as CSV.

    ``lines`` stand under the title; ``facts`` are how the results came about.
    """
    for name, rows in csv_tables(fit).items():
        write_whole(folder / f"{name}.csv", rows_csv(rows))
    sections = [
        answer_section(fit),
        partner_section(fit),
        structure_section(fit),
        effect_section(fit),
        gain_section(fit),
        reproduction_section(facts, methods(fit, facts)),
    ]
    title = _("The model against observed joint bodies: {scenario}")
    title = fill(title, scenario=fit.network.scenario.title(language()))
    return write_page(Page(title, sections, lines=lines), folder / "evidence.html", workbook=True)


# Key findings -----------------------------------------------------------------------------------


@separate
def answer_section(fit: NetworkFit) -> Section:
    """The main results, what was compared, and how to read it."""
    note = _(
        "A pair that is absent from the table may still share: perhaps nobody recorded it. Unless "
        "the table is complete, compare how pairs rank, not how many share."
    )
    return Section(
        "answer",
        _("Key findings"),
        Headlines([partner_headline(fit), structure_headline(fit)]),
        scope(fit),
        verdict_table(fit),
        Note([note, *data_notes(fit)]),
    )


def partner_headline(fit: NetworkFit) -> Headline:
    """How well the model ranks pairs, in a sentence."""
    pairs = fit.pairs[-1]
    aucs = {one.name: one.auc for one in pairs.scores}
    text = _(
        "A pair that shares ranks above one that does not with a chance of {model} in the model "
        "({interval}), {distance} by distance alone, and {regression} by a regression on all "
        "attributes."
    )
    names = ("model", "distance", "regression")
    found = {name: decimal(aucs.get(name, (math.nan,))[0], 2) for name in names}
    text = fill(text, interval=interval_text(aucs["model"], 2), **found)
    brief = fill(_("AUC {value}"), value=found["model"])
    return Headline(_("Who shares with whom"), brief, text)


def structure_headline(fit: NetworkFit) -> Headline:
    """How the structure of the model's network differs, in a sentence."""
    found = {one.name: one for one in fit.structures[-1].features}
    partners, isolates = found["partners"], found["isolates"]
    text = _(
        "A region has {model} partners on average in the model, and {observed} in the observed "
        "joint bodies; {alone} of regions have none in the model, and {observed_alone} as "
        "observed."
    )
    numbers = {"model": decimal(partners.model[0], 1), "observed": decimal(partners.observed, 1)}
    alone = {"alone": isolates.model[0], "observed_alone": float(isolates.observed)}
    brief = fill(_("{model} partners instead of {observed}"), **numbers)
    return Headline(_("How regions share"), brief, fill(text, **numbers, **alone))


def scope(fit: NetworkFit) -> str:
    """What was simulated and compared."""
    network = fit.network
    scenario = network.scenario
    text = _(
        "The model starts with {regions} regions and no joint body, and runs for {years} years "
        "under the strategy “{strategy}”, {runs} times. Its joint bodies at the end are compared "
        "with {bodies} observed ones. Pairs of regions within {within} km or with a land border "
        "are compared: {pairs} in all."
    )
    return fill(
        text, regions=len(scenario.regions), years=decimal(scenario.horizon / 4.0, 0),
        strategy=scenario.strategy_titles(language())[network.strategy], runs=fit.runs,
        bodies=len(network.observed.bodies), within=count(network.within),
        pairs=len(network.pairs.rows),
    )  # fmt: skip


def data_notes(fit: NetworkFit) -> list[str]:
    """What of the observed bodies is not compared."""
    observed, notes = fit.network.observed, []
    if observed.left_out:
        reasons = "; ".join(
            fill(_("{number} {reason}"), number=number, reason=_(reason))
            for reason, number in observed.left_out.items()
        )
        notes.append(fill(_("Joint bodies left out: {reasons}."), reasons=reasons))
    if fit.network.beyond:
        text = _("{number} pairs share an area but lie farther apart, and are not compared.")
        notes.append(fill(text, number=fit.network.beyond))
    if observed.ignored:
        text = _("Columns of the table that were not used: {columns}.")
        notes.append(fill(text, columns=", ".join(observed.ignored)))
    return notes


def verdict_table(fit: NetworkFit) -> Table:
    """The model against regressions of single pairs, by group of regions."""

    def against(values: tuple[float, float], text: str) -> str:
        return fill(text, model=decimal(values[0], 2), drawn=decimal(values[1], 2))

    rows, ties = [], _("ties alone: {model} against {drawn}")
    for pairs, structure in zip(fit.pairs, fit.structures, strict=True):
        gap, features = pairs.gaps["regression"], structure.features
        is_close = BETTER if gap[0] >= -CLOSE else WORSE if gap[0] < -CLOSE else UNDECIDED
        nearer = BETTER if structure.distance[0] < structure.distance[1] else WORSE
        number = sum(one.is_nearer for one in features)
        rows.append(
            (
                _(pairs.group),
                decimal_cell(gap, 3, signed=True, verdict=is_close),
                Cell(
                    against(structure.distance, _("{model} against {drawn}")),
                    below=against(structure.distance_of_ties, ties),
                    verdict=nearer,
                ),
                fill(_("{number} of {all}"), number=number, all=len(features)),
            )
        )
    head = [
        _("Regions"), _("AUC of the model less that of the regression"),
        _("Distance of the network’s structure from the observed one: model against drawn ties"),
        _("Features where the model is nearer"),
    ]  # fmt: skip
    return Table(_("The model against regressions of single pairs"), head, rows, prose=True)


def interval_text(values: Interval, decimals: int, *, signed: bool = False) -> str:
    """The ends of an interval, or a dash."""
    if not all(map(math.isfinite, values[1:])):
        return UNDEFINED
    low, high = (decimal(value, decimals, signed=signed) for value in values[1:])
    return format_interval(low, high)


def decimal_cell(
    values: Interval, decimals: int, *, signed: bool = False, verdict: str = ""
) -> Cell:
    """A number with its interval."""
    below = interval_text(values, decimals, signed=signed)
    return Cell(decimal(values[0], decimals, signed=signed), below, verdict=verdict)


# Who shares with whom ---------------------------------------------------------------------------


@separate
def partner_section(fit: NetworkFit) -> Section:
    """How well scores rank the pairs that share, and the observed bodies."""
    paragraphs = [
        _(
            "AUC is the chance that a pair that shares ranks above one that does not: 0.5 is a "
            "random ranking, 1 a perfect one. Intervals of 95% come from resampling regions. The "
            "regression knows land borders, distance, size, higher tiers and culture."
        )
    ]
    if fit.network.held_out.any():
        paragraphs.append(
            _(
                "For held-out regions the regression is fitted to the other regions; elsewhere it "
                "is cross-validated."
            )
        )
    tables = [pair_table(fit, one) for one in fit.pairs]
    if fit.network.observed.areas != ("",):
        tables.append(area_table(fit))
    bodies = body_table(fit)
    few = len(bodies.rows) <= MOST_BODIES
    pictures = [
        Picture(
            partial(pair_ranking, fit),
            _("AUC of the model, a regression and distance for each service area."),
            _("How well scores rank the pairs that share, with 95% intervals: {group}."),
            group=_(fit.pairs[-1].group),
        ),
        Picture(
            partial(shared_pairs_map, fit),
            _("Map of the pairs that share: in both, only observed, and only in the model."),
            _(
                "Pairs that share. The model’s are those with the highest chance, as many as were "
                "observed."
            ),
        ),
    ]
    return Section(
        "partners",
        _("Who shares with whom"),
        *paragraphs,
        *tables,
        *pictures,
        bodies if few else Folded(_("All observed joint bodies"), [bodies]),
    )


def pair_table(fit: NetworkFit, pairs: PairFit) -> Table:
    """How well each score ranks the pairs that share, overall and within bands of distance."""
    bands = _("AUC, {low} to {high} km")
    head = [
        "", "AUC", _("Average precision"),
        *(fill(bands, low=count(low), high=count(high)) for low, high in fit.network.pairs.bands),
    ]  # fmt: skip
    rows = [
        (
            score_title(score.name),
            decimal_cell(score.auc, 3),
            decimal(score.precision, 3),
            *(decimal(value, 2) for value in score.bands),
        )
        for score in pairs.scores
    ]
    caption = _("{group}: {share} of {pairs} pairs share an area")
    filled = {"group": _(pairs.group), "share": pairs.share, "pairs": pairs.pairs}
    return Table(fill(caption, **filled), head, rows)


def area_table(fit: NetworkFit) -> Table:
    """How well scores rank the pairs that share each service area."""
    rows = [
        (
            observed_area_title(one.area),
            one.share,
            *(decimal_cell(score.auc, 2) for score in one.scores),
        )
        for one in fit.areas
    ]
    titles = [score_title(score.name) for score in fit.areas[0].scores]
    head = [_("Service area"), _("Pairs that share"), *titles]
    caption = fill(_("AUC for each service area: {group}"), group=_(fit.pairs[-1].group))
    return Table(caption, head, rows)


def body_table(fit: NetworkFit) -> Table:
    """The observed bodies, and how high their pairs rank."""
    rows = [
        (
            one.body.name,
            ", ".join(observed_area_title(area) for area in one.body.areas),
            len(one.body.members),
            one.among,
            one.model,
            one.distance,
        )
        for one in fit.bodies
    ]
    head = [
        _("Joint body"), _("Service areas"), _("Members"), _("Pairs compared"), _("Model"),
        _("Distance"),
    ]  # fmt: skip
    model, distance = fit.mean_rank()
    caption = _(
        "Share of the other pairs in the same higher tiers above which the pairs of a joint body "
        "rank; on average {model} by the model and {distance} by distance"
    )
    caption = fill(caption, model=model, distance=distance)
    return Table(caption, head, rows, prose=True)


# How regions share ------------------------------------------------------------------------------


@separate
def structure_section(fit: NetworkFit) -> Section:
    """The structure of the network, observed, in the model, and of drawn ties."""
    text = _(
        "A regression of single pairs says nothing about joint bodies. To compare structures, ties "
        "are drawn pair by pair from one regression for each service area; regions that these ties "
        "connect count as one body, which makes such bodies large."
    )
    picture = Picture(
        partial(sharing_and_sizes, fit),
        _("Sharing by distance and sizes of joint bodies, observed and in the model."),
        _(
            "{group}. Left: share of pairs that share an area, by distance. Right: share of joint "
            "bodies by number of members."
        ),
        group=_(fit.structures[-1].group),
    )
    tables = [structure_table(one) for one in fit.structures]
    return Section("structure", _("How regions share"), text, *tables, picture)


def feature_title(name: str) -> str:
    """Title of a feature of the network's structure."""
    kind, _dot, area = name.partition(".")
    if kind == "share":
        return fill(_("{area}: regions in a joint body"), area=observed_area_title(area))
    if kind == "size":
        return fill(_("{area}: members of a joint body"), area=observed_area_title(area))
    return {
        "partners": _("Partners of a region, on average"),
        "isolates": _("Regions without partner"),
        "degree_gini": _("Inequality of the number of partners (Gini)"),
        "transitivity": _("Partners of a partner that are partners (transitivity)"),
        "largest_component": _("Regions in the largest component"),
    }[name]


def structure_table(structure: StructureFit) -> Table:
    """Features of the network of one group of regions."""
    rows = [
        (
            feature_title(one.name),
            feature_text(one.name, one.observed),
            feature_cell(one, one.model, BETTER if one.is_nearer else WORSE),
            feature_cell(one, one.drawn),
        )
        for one in structure.features
    ]
    head = ["", _("Observed"), _("Model"), _("Ties drawn from regressions")]
    caption = fill(_("Structure of the network: {group}"), group=_(structure.group))
    return Table(caption, head, rows)


def feature_text(name: str, value: float) -> str:
    """A feature of the network's structure as text."""
    if name == "partners" or name.startswith("size."):
        return decimal(value, 1)
    if name.startswith("share.") or name in ("isolates", "largest_component"):
        return percent(value)
    return decimal(value, 2)


def feature_cell(feature: Feature, values: Interval, verdict: str = "") -> Cell:
    """The mean of a feature and the range of 95% of runs."""
    mean, low, high = (feature_text(feature.name, value) for value in values)
    return Cell(mean, below=format_interval(low, high), verdict=verdict)


# What brings regions together -------------------------------------------------------------------


@separate
def effect_section(fit: NetworkFit) -> Section:
    """Effects of attributes on sharing, each with the published fact that it concerns."""
    text = _(
        "A logistic regression of sharing on all attributes at once, for the observed joint bodies "
        "and for those of each run. The facts are those of the scorecard."
    )
    titles = {
        "land": (_("Land border"), "SF13"),
        "near": (_("Nearness: fall of the logarithm of distance"), "SF13"),
        "size": (_("Similar size: fall of the difference in log population"), "SF15"),
        "tier": (_("Same higher tier"), ""),
        "alike": (_("Similar culture, by a standard deviation"), "SF12"),
    }
    words, rows = {BETTER: _("agrees"), UNDECIDED: _("undecided"), WORSE: _("differs")}, []
    for one in fit.effects:
        verdict = BETTER if one.agrees else UNDECIDED if one.overlaps else WORSE
        cells = (decimal_cell(values, 2, signed=True) for values in (one.observed, one.model))
        rows.append((*titles[one.name], *cells, Cell(words[verdict], verdict=verdict)))
    head = ["", _("Fact"), _("Observed"), _("Model"), _("Verdict")]
    caption = _("Effects on the log odds that a pair shares: {group}")
    made = Table(fill(caption, group=_(fit.pairs[-1].group)), head, rows)
    return Section("effects", _("What brings regions together"), text, made)


# Methods ----------------------------------------------------------------------------------------


def methods(fit: NetworkFit, facts: Mapping[str, object]) -> str:
    """A paragraph on methods to cite."""
    text = _(
        "We compared the joint bodies that kolabsim {version}, an agent-based model of how "
        "regional governments come to share services, forms in the scenario “{scenario}” ({runs} "
        "runs, seed {seed}) with {bodies} observed joint bodies. The model’s chance that a pair "
        "shares was judged by AUC against distance and a logistic regression; intervals come from "
        "resampling regions. The structure of its networks was compared with ties drawn from "
        "regressions."
    )
    return fill(
        text, version=facts["kolabsim"], scenario=fit.network.scenario.title(language()),
        runs=fit.runs, seed=str(fit.seed), bodies=len(fit.network.observed.bodies),
    )  # fmt: skip
