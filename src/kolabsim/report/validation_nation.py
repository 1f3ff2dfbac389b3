"""The page's part on Indonesia: known bodies among all pairs, and where sharing pays."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.figures.formatting import UNDEFINED, count, decimal, percent
from kolabsim.figures.labels import area_title, channel_title
from kolabsim.figures.maps import verdict_colours
from kolabsim.figures.style import INK, PALE, WIDTH, blank, styled, write_ticks
from kolabsim.files import rows_csv, write_whole
from kolabsim.i18n import _, speaking
from kolabsim.report.page import Cell, Picture, Section, Table, texts
from kolabsim.validation.indonesia import FIGURE, AreaGain, NationJudgement, NationRuns, gains

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 15
"""Governments that are named."""
SOME = 0.05
"""Share of runs in which a government must share for its dot to be coloured."""
WAYS = ("scale", "spill", "pooled")
"""Channels through which sharing can pay; all others are what it costs."""


def nation_section(judged: NationJudgement) -> Section:
    """What all Indonesian districts say of the model, and the model of them."""
    model, near = judged.mean_rank
    scenario = judged.nation.scenario
    rank = (
        _(
            "On average they rank above {model} of the other pairs, and by plain distance above "
            "{near}: the model looks elsewhere more often than distance does."
        )
        if model < near
        else _(
            "On average they rank above {model} of the other pairs, and by plain distance above "
            "{near}."
        )
    )  # fmt: skip
    paragraphs = [
        _(
            "{number} governments (Jakarta as one) act from no bodies at all for ten years, in "
            "{runs} runs. What is documented of cooperation in Indonesia is no census, so it is no "
            "measure of accuracy: known bodies in waste, wastewater, drinking water or transport "
            "are ranked among all pairs of their provinces."
        ).format(number=count(len(scenario.regions)), runs=count(judged.runs)),
        rank.format(model=percent(model), near=percent(near)),
        _(
            "Where sharing pays is a contrast with serving alone. How many share is not to be "
            "believed: the model finds several times the cooperation that is documented. Efficient "
            "scales of all areas are assumed."
        ),
    ]
    tables = [
        rank_table(judged),
        gain_table(judged, "voluntary"),
        gain_table(judged, "together"),
        island_table(judged),
        government_table(judged),
    ]
    picture = Picture.of(
        nation_figure(judged),
        _("Maps of Indonesia, one for each service area: what sharing brings to each government."),
        _(
            "Realised net benefit of sharing, in per cent of the cost of serving alone, mean over "
            "runs, if nothing is done: blue gains, red loses. Pale: hardly anybody shares."
        ),
    )
    title = _("Indonesia: known bodies, and where sharing pays")
    return Section("indonesia", title, *paragraphs, *tables, picture)


def rank_table(judged: NationJudgement) -> Table:
    """Documented bodies and how high their pairs rank."""
    rows = [
        (
            one.body.name,
            texts(
                ", ".join(area_title(name) for name in one.body.areas),
                f"{count(one.pairs)} / {count(one.among)}",
                percent(one.model),
                percent(one.distance),
            ),
        )
        for one in judged.ranks
    ]
    head = [_("Body"), _("Areas"), _("Pairs, among"), _("The model"), _("Distance")]
    caption = _("Documented bodies: share of other pairs of their provinces that theirs rank above")
    return Table(caption, head, rows, prose=True)


def strategy_of(judged: NationJudgement, which: str) -> tuple[str, NationRuns]:
    """What a strategy is called, and its runs."""
    from kolabsim.i18n import language
    from kolabsim.scenario.scenario import BASELINE
    from kolabsim.validation.indonesia import TOGETHER

    name, runs = {
        "voluntary": (BASELINE, judged.voluntary), "together": (TOGETHER, judged.together),
    }[which]  # fmt: skip
    return judged.nation.scenario.strategies[name].title(language()), runs


def gain_table(judged: NationJudgement, which: str) -> Table:
    """What sharing brings, area by area and channel by channel."""
    title, runs = strategy_of(judged, which)
    everywhere = np.ones(len(judged.nation.scenario.regions), bool)
    rows = [
        (area_title(one.area), gain_cells(one))
        for one in gains(runs, list(judged.nation.scenario.areas), everywhere)
    ]
    head = [
        "", _("Governments that share"), _("Net benefit"), _("Of these gain"),
        *(channel_title(name) for name in WAYS), _("All that it costs"),
    ]  # fmt: skip
    caption = _("What sharing brings to those who share, in parts of the cost alone: {strategy}")
    return Table(caption.format(strategy=title), head, rows)


def gain_cells(one: AreaGain) -> list[Cell]:
    """An area's row."""
    cost = sum(value for name, value in one.channels.items() if name not in WAYS)
    return texts(
        percent(one.sharing), signed(one.benefit), percent(one.winners),
        *(signed(one.channels[name]) for name in WAYS), signed(cost),
    )  # fmt: skip


def signed(share: float) -> str:
    """A gain or loss in per cent, with its sign."""
    if not math.isfinite(share):
        return UNDEFINED
    return f"{decimal(100.0 * share, 1, signed=True)}%"


def island_table(judged: NationJudgement) -> Table:
    """What sharing brings, island by island: the net benefit of those who share, by area."""
    areas, island = list(judged.nation.scenario.areas), judged.nation.island
    rows = []
    for name in sorted(set(island)):
        here = gains(judged.voluntary, areas, island == name)
        rows.append(
            (
                f"{name} ({count((island == name).sum())})",
                [Cell(signed(one.benefit), below=percent(one.sharing)) for one in here],
            )
        )
    head = [_("Islands (governments)"), *(area_title(name) for name in areas)]
    caption = _("Net benefit of those who share, and how many share, if nothing is done")
    return Table(caption, head, rows)


def benefit_per_head(judged: NationJudgement) -> np.ndarray:
    """Realised net benefit of all areas over the years, in money a resident and year [R]."""
    scenario = judged.nation.scenario
    money = judged.voluntary.figures[:, :, FIGURE["benefit_money"]].sum(axis=1)
    return money / scenario.regions.population / (scenario.horizon / 4.0)


def government_table(judged: NationJudgement) -> Table:
    """The governments to which sharing brings most, and through what."""
    regions, areas = judged.nation.scenario.regions, list(judged.nation.scenario.areas)
    worth = benefit_per_head(judged)
    rows = []
    for i in np.argsort(-worth, kind="stable")[:MOST]:
        by_area = judged.voluntary.figures[i, :, FIGURE["realised_benefit"]]
        best = int(np.argmax(by_area))
        ways = {
            name: judged.voluntary.figures[i, best, FIGURE[name]] for name in WAYS
        }  # of its best area
        rows.append(
            (
                regions.names[i],
                texts(
                    regions.tier[i], count(regions.population[i]), count(round(worth[i], -1)),
                    area_title(areas[best]), channel_title(max(ways, key=ways.get)),
                ),
            )
        )  # fmt: skip
    head = [
        _("Government"), _("Province"), _("People"), _("Rupiah a resident and year"),
        _("Most in"), _("Mainly through"),
    ]  # fmt: skip
    return Table(_("Where sharing brings most"), head, rows, prose=True)


@styled
def nation_figure(judged: NationJudgement) -> Figure:
    """A map for each area: dots where governments lie, coloured by what sharing brings them."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    scenario = judged.nation.scenario
    regions, areas = scenario.regions, list(scenario.areas)
    benefit = 100.0 * judged.voluntary.figures[:, :, FIGURE["realised_benefit"]]
    sharing = judged.voluntary.figures[:, :, FIGURE["cooperation"]]
    limit = float(np.quantile(np.abs(benefit), 0.98))
    norm, colours = Normalize(-limit, limit), verdict_colours()
    lines = math.ceil(len(areas) / 2)
    figure, panels = blank(1.9 * lines + 0.7, lines, 2, width=WIDTH)
    for axes in panels.flat:
        axes.set_axis_off()
    for a, (axes, name) in enumerate(zip(panels.flat, areas, strict=False)):
        idle = sharing[:, a] < SOME
        axes.scatter(regions.longitude[idle], regions.latitude[idle], s=5.0, c=PALE, linewidths=0)
        order = np.flatnonzero(~idle)[np.argsort(np.abs(benefit[~idle, a]), kind="stable")]
        axes.scatter(
            regions.longitude[order], regions.latitude[order], s=11.0, c=benefit[order, a],
            cmap=colours, norm=norm, edgecolors=INK, linewidths=0.25,
        )  # fmt: skip
        axes.set_aspect(1.0)
        axes.set_title(area_title(name))
    bar = figure.colorbar(
        ScalarMappable(norm, colours), ax=panels, orientation="horizontal", shrink=0.5,
        aspect=40, pad=0.02,
    )  # fmt: skip
    bar.outline.set_visible(False)
    bar.set_label(_("Realised net benefit, % of the cost of serving alone"))
    write_ticks(bar.ax.xaxis, 1.0)
    return figure


def write_nation(judged: NationJudgement, folder: Path) -> list[Path]:
    """Write ranks, and what sharing brings to each government in each area, as CSV, in English."""
    ranks: list[list[object]] = [["body", "areas", "pairs", "among", "model", "distance"]]
    each: list[list[object]] = [["strategy", "code", "name", "province", "area", *FIGURE]]
    with speaking("en"):
        for one in judged.ranks:
            areas = " ".join(one.body.areas)
            row = [one.body.name, areas, one.pairs, one.among, one.model, one.distance]
            ranks.append(row)
        regions, areas = judged.nation.scenario.regions, list(judged.nation.scenario.areas)
        for which in ("voluntary", "together"):
            title, runs = strategy_of(judged, which)
            for i, code in enumerate(regions.codes):
                for a, area in enumerate(areas):
                    figures = (f"{value:.6g}" for value in runs.figures[i, a])
                    row = [title, code, regions.names[i], regions.tier[i], area, *figures]
                    each.append(row)
    paths = []
    for name, rows in (("indonesia-bodies.csv", ranks), ("indonesia-gains.csv", each)):
        write_whole(folder / name, rows_csv(rows))
        paths.append(folder / name)
    return paths
