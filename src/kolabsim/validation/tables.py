"""Results of a comparison with observed joint bodies as plain tables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from kolabsim.validation.gains import MEASURE
from kolabsim.validation.network import NetworkFit

Rows = list[list[object]]
"""A header, and a row for each result; values that are not defined are empty."""


def csv_tables(fit: NetworkFit) -> dict[str, Rows]:
    """All results of a comparison, by the names of their tables."""
    bands = (f"auc_{low:g}_to_{high:g}_km" for low, high in fit.network.pairs.bands)
    tables: dict[str, tuple[str, Iterable[Sequence[object]]]] = {
        "scores": (
            "group area score auc low high average_precision "
            f"{' '.join(bands)} model_less model_less_low model_less_high", score_rows(fit),
        ),
        "structure": (
            "group feature observed model model_low model_high drawn drawn_low drawn_high",
            structure_rows(fit),
        ),
        "effects": (
            "attribute observed observed_low observed_high model model_low model_high",
            ((one.name, *one.observed, *one.model) for one in fit.effects),
        ),
        "bodies": ("body areas members pairs among model distance", body_rows(fit)),
        "pairs": ("code_a code_b distance_km land observed chance", pair_rows(fit)),
        "gains": (f"code name tier area {' '.join(MEASURE)}", gain_rows(fit)),
    }  # fmt: skip
    return {
        name: [[*head.split()], *([*map(defined, row)] for row in rows)]
        for name, (head, rows) in tables.items()
    }


def defined(value: object) -> object:
    """A value, or nothing where it is not a number."""
    return "" if isinstance(value, float) and math.isnan(value) else value


def score_rows(fit: NetworkFit) -> Iterator[Sequence[object]]:
    """AUC and average precision of every score, by group of regions and by area."""
    for pairs in fit.pairs:
        for one in pairs.scores:
            gap = pairs.gaps.get(one.name, ("", "", ""))
            yield pairs.group, "any", one.name, *one.auc, one.precision, *one.bands, *gap
    for area in fit.areas:
        group, title = fit.pairs[-1].group, area.area or "not given"
        for one in area.scores:
            yield group, title, one.name, *one.auc, one.precision, *one.bands, "", "", ""


def structure_rows(fit: NetworkFit) -> Iterator[Sequence[object]]:
    """Features of the network, and distances from what was observed."""
    for one in fit.structures:
        for feature in one.features:
            yield one.group, feature.name, feature.observed, *feature.model, *feature.drawn
        for name, (model, drawn) in (
            ("distance", one.distance), ("distance of ties", one.distance_of_ties),
        ):  # fmt: skip
            yield one.group, name, "", model, "", "", drawn, "", ""


def body_rows(fit: NetworkFit) -> Iterator[Sequence[object]]:
    """Every observed joint body that is compared, and how high its pairs rank."""
    for one in fit.bodies:
        body = (one.body.name, " ".join(one.body.areas), len(one.body.members))
        yield *body, one.pairs, one.among, one.model, one.distance


def pair_rows(fit: NetworkFit) -> Iterator[Sequence[object]]:
    """Every pair that is compared, whether it shares, and the model's chance."""
    pairs, codes = fit.network.pairs, fit.network.scenario.regions.codes
    columns = (pairs.distance, pairs.land, fit.network.shares, fit.chance)
    for (i, j), km, land, shares, chance in zip(pairs.rows, *columns, strict=True):
        yield codes[i], codes[j], round(float(km), 3), int(land), int(shares), float(chance)


def gain_rows(fit: NetworkFit) -> Iterator[Sequence[object]]:
    """Measures of every region in every area."""
    regions = fit.network.scenario.regions
    for i, code in enumerate(regions.codes):
        for area, figures in zip(fit.network.scenario.areas, fit.simulated.figures[i], strict=True):
            values = (f"{value:.6g}" for value in figures)
            yield code, regions.labels[i], regions.tier[i], area, *values
