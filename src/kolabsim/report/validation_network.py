"""The page's part on a real network: pairs, structure, and what draws regions together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.analysis.comparison import BETTER, UNDECIDED, WORSE
from kolabsim.figures.formatting import count, decimal, format_interval, percent
from kolabsim.figures.labels import area_title
from kolabsim.figures.style import BLUE, GREY, ORANGE, blank, styled, write_ticks
from kolabsim.files import rows_csv, write_whole
from kolabsim.i18n import _, speaking
from kolabsim.report.page import Cell, Picture, Section, Table, texts
from kolabsim.validation.network import (
    BANDS,
    Feature,
    Judgement,
    PairJudgement,
    StructureJudgement,
    TieEffect,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CLOSE = 0.02
"""AUC that the model may fall short of the regression's, as was set before it was scored."""

Interval = tuple[float, float, float]


def network_section(judged: Judgement, areas: Sequence[str]) -> Section:
    """All that a real network says of the model."""
    left_out = "; ".join(
        _("{number} {reason}").format(number=count(number), reason=_(reason))
        for reason, number in judged.left_out.items()
    )
    paragraphs = [
        _(
            "The model begins with 261 Dutch municipalities, their people, places, neighbours and "
            "political culture, and no joint body at all, and runs for twenty years; what it ends "
            "with, in {runs} runs, is set against the bodies that there were around 2015. "
            "Attributes of areas and general parameters were chosen on six provinces; "
            "Zuid-Holland and Drenthe were only scored, once."
        ).format(runs=count(judged.runs)),
        _("Bodies left out: {reasons}.").format(reasons=left_out),
        _(
            "The first goal was to know who shares with whom as well as a regression, at most "
            "{close} of AUC short of it; the second to be closer to how regions share than ties "
            "that are drawn from regressions. Those are drawn pair by pair, each area by itself; "
            "whoever they link counts as one body, which makes their bodies large."
        ).format(close=decimal(CLOSE, 2)),
    ]
    tables = [verdict_table(judged)]
    tables += [pair_table(one) for one in judged.pairs]
    tables += [structure_table(one, areas) for one in judged.structures]
    tables.append(effect_table(judged.effects))
    picture = Picture.of(
        network_figure(judged),
        _("How sharing falls with distance, and how many members bodies have, observed and found."),
        _(
            "Provinces that were only scored. Left: share of pairs that share an area, by "
            "distance; right: share of bodies with so many members."
        ),
    )
    title = _("A real network: Dutch joint bodies")
    return Section("network", title, *paragraphs, *tables, picture)


def verdict_table(judged: Judgement) -> Table:
    """In short: who with whom, and how, group by group."""
    rows = []
    for pairs, shares in zip(judged.pairs, judged.structures, strict=True):
        gap, low, high = (decimal(value, 3, signed=True) for value in pairs.gap)
        nearer = sum(is_nearer(one) for one in shares.features)
        (model, drawn), (ties, of) = shares.apart, shares.apart_ties
        of_ties = _("of the network alone {model} against {drawn}").format(
            model=decimal(ties, 2), drawn=decimal(of, 2)
        )
        rows.append(
            (
                _(pairs.group),
                [
                    Cell(
                        gap,
                        below=format_interval(low, high),
                        verdict=BETTER if pairs.gap[0] >= -CLOSE else WORSE,
                    ),
                    Cell(
                        _("{model} against {drawn}").format(
                            model=decimal(model, 2), drawn=decimal(drawn, 2)
                        ),
                        below=of_ties,
                        verdict=BETTER if model < drawn else WORSE,
                    ),
                    Cell(
                        _("{number} of {all}").format(
                            number=count(nearer), all=count(len(shares.features))
                        )
                    ),
                ],
            )
        )
    head = [
        "", _("Who with whom: AUC beyond the regression’s"),
        _("How: distance from what was observed, against drawn ties"), _("Figures nearer"),
    ]  # fmt: skip
    return Table(_("The model against regressions of single pairs"), head, rows, prose=True)


def is_nearer(one: Feature) -> bool:
    """Whether the model is nearer to what was observed than drawn ties are."""
    return abs(one.model[0] - one.observed) < abs(one.drawn[0] - one.observed)


def pair_table(judged: PairJudgement) -> Table:
    """How well each score knows who shares with whom, in all and within bands of distance."""
    head = [
        "", "AUC", _("Average precision"),
        *(_("AUC, {low} to {high} km").format(low=count(low), high=count(high))
          for low, high in BANDS),
    ]  # fmt: skip
    rows = [
        (
            _(score.name),
            texts(
                decimal(score.auc, 3),
                decimal(score.precision, 3),
                *(decimal(value, 2) for value in score.bands),
            ),
        )
        for score in judged.scores
    ]
    caption = _("Who shares with whom. {group}: {pairs} pairs within 50 km, {share} share")
    caption = caption.format(
        group=_(judged.group), pairs=count(judged.pairs), share=percent(judged.share)
    )
    return Table(caption, head, rows)


def feature_title(name: str, areas: Sequence[str]) -> str:
    """What a figure of structure is called."""
    kind, _dot, place = name.partition(".")
    if kind == "share":
        return _("{area}: share in a body").format(area=area_title(areas[int(place)]))
    if kind == "size":
        return _("{area}: members of a body").format(area=area_title(areas[int(place)]))
    return {
        "partners": _("Partners of a region, on average"), "isolates": _("Regions without any"),
        "degree_gini": _("Gini of the number of partners"),
        "transitivity": _("Transitivity: partners of partners that are partners"),
    }[name]  # fmt: skip


def structure_table(judged: StructureJudgement, areas: Sequence[str]) -> Table:
    """How regions share, observed, in the model and in drawn ties."""
    rows = []
    for one in judged.features:
        rows.append(
            (
                feature_title(one.name, areas),
                [
                    Cell(feature_text(one, one.observed)),
                    interval_cell(one, one.model, BETTER if is_nearer(one) else WORSE),
                    interval_cell(one, one.drawn),
                ],
            )
        )
    head = ["", _("Observed"), _("The model"), _("Ties drawn from regressions")]
    caption = _("How they share. {group}").format(group=_(judged.group))
    return Table(caption, head, rows)


def feature_text(feature: Feature, value: float) -> str:
    """A figure of structure as it is written."""
    if feature.name == "partners" or feature.name.startswith("size."):
        return decimal(value, 1)
    if feature.name.startswith("share.") or feature.name == "isolates":
        return percent(value)
    return decimal(value, 2)


def interval_cell(feature: Feature, values: Interval, verdict: str = "") -> Cell:
    """A mean and where 95 % of runs lie."""
    mean, low, high = (feature_text(feature, value) for value in values)
    return Cell(mean, below=format_interval(low, high), verdict=verdict)


def effect_words() -> dict[str, tuple[str, str]]:
    """What draws regions together, and the fact that it stands for."""
    return {
        "land": (_("Land border"), "SF13"), "near": (_("Nearness: fall of log distance"), "SF13"),
        "size": (_("Likeness of size: difference of log population"), "SF15"),
        "tier": (_("Same province"), ""),
        "alike": (_("Likeness of political culture, by a standard deviation"), "SF12"),
    }  # fmt: skip


def effect_table(effects: Sequence[TieEffect]) -> Table:
    """What draws regions together, observed and in the model."""
    rows = []
    for one in effects:
        title, fact = effect_words()[one.name]
        verdict = BETTER if one.agrees else UNDECIDED if overlaps(one) else WORSE
        rows.append(
            (
                title,
                [
                    *texts(fact),
                    log_odds_cell(one.observed),
                    log_odds_cell(one.model),
                    Cell(effect_verdict(one), verdict=verdict),
                ],
            )
        )
    head = ["", _("Fact"), _("Observed"), _("The model"), _("Verdict")]
    caption = _("What draws regions together: log odds, in provinces that were only scored")
    return Table(caption, head, rows)


def overlaps(effect: TieEffect) -> bool:
    """Whether runs of the model reach into the interval of what was observed."""
    return effect.model[1] <= effect.observed[2] and effect.observed[1] <= effect.model[2]


def effect_verdict(effect: TieEffect) -> str:
    """Whether the model agrees with what was observed, in a word."""
    if effect.agrees:
        return _("agrees")
    return _("undecided") if overlaps(effect) else _("differs")


def log_odds_cell(values: Interval) -> Cell:
    """Log odds with their interval."""
    mean, low, high = (decimal(value, 2, signed=True) for value in values)
    return Cell(mean, below=format_interval(low, high))


@styled
def network_figure(judged: Judgement) -> Figure:
    """Sharing by distance, and sizes of bodies, in the provinces that were only scored."""
    figure, panels = blank(2.9, 1, 2)
    by_distance, sizes = panels[0]
    middles, _number, observed, model = judged.pairs[-1].by_distance
    by_distance.plot(middles, observed, "o-", color=BLUE, label=_("Observed"), markersize=4)
    by_distance.plot(middles, model, "s--", color=ORANGE, label=_("The model"), markersize=4)
    by_distance.set_xlabel(_("Distance, km"))
    by_distance.set_title(_("Share of pairs that share an area"))
    by_distance.set_ylim(0.0)
    members = np.arange(2, judged.structures[-1].sizes.shape[1])
    real, found = judged.structures[-1].sizes[:, 2:]
    sizes.bar(members - 0.2, real, 0.4, color=BLUE)
    sizes.bar(members + 0.2, found, 0.4, color=ORANGE, edgecolor=GREY, linewidth=0.4, hatch="///")
    sizes.set_xlabel(_("Members"))
    sizes.set_title(_("Share of bodies"))
    for axes in (by_distance, sizes):
        axes.grid(axis="y")
        write_ticks(axes.yaxis, 1.0)
    figure.legend(loc="outside upper left", ncols=2)
    return figure


def write_network(judged: Judgement, areas: Sequence[str], path: Path) -> Path:
    """Write all that was judged as CSV, in English."""
    head = ["group", "kind", "name", "observed", "model", "model_low", "model_high"]
    rows: list[list[object]] = [[*head, "rival", "rival_low", "rival_high"]]
    with speaking("en"):
        for pairs in judged.pairs:
            best = pairs.scores[1].auc
            for score in pairs.scores:
                for kind, value in (("auc", score.auc), ("average precision", score.precision)):
                    rows.append([pairs.group, kind, score.name, "", value, "", "", "", "", ""])
                for (low, high), value in zip(BANDS, score.bands, strict=True):
                    kind = f"auc {low:g} to {high:g} km"
                    rows.append([pairs.group, kind, score.name, "", value, "", "", "", "", ""])
            gap = pairs.gap
            rows.append([pairs.group, "auc gap", "", "", *gap, best, "", ""])
        for shares in judged.structures:
            for one in shares.features:
                title = feature_title(one.name, areas)
                row = [shares.group, "structure", title, one.observed, *one.model, *one.drawn]
                rows.append(row)
            for kind, (model, drawn) in (
                ("distance of structure", shares.apart),
                ("distance of ties", shares.apart_ties),
            ):
                rows.append([shares.group, kind, "", "", model, "", "", drawn, "", ""])
        for effect in judged.effects:
            title = effect_words()[effect.name][0]
            row = [judged.pairs[-1].group, "log odds", title, effect.observed[0], *effect.model]
            rows.append([*row, "", *effect.observed[1:]])
    write_whole(path, rows_csv(rows))
    return path
