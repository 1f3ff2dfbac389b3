"""Results of a comparison with observed joint bodies as plain tables."""

from __future__ import annotations

import math

from kolabsim.validation.gains import MEASURE
from kolabsim.validation.network import NetworkFit

Rows = list[list[object]]
"""A header, and a row for each result; values that are not defined are empty."""


def csv_tables(fit: NetworkFit) -> dict[str, Rows]:
    """All results of a comparison, by the names of their tables."""
    tables = {
        "scores": score_rows(fit),
        "structure": structure_rows(fit),
        "effects": effect_rows(fit),
        "bodies": body_rows(fit),
        "pairs": pair_rows(fit),
        "gains": gain_rows(fit),
    }
    return {name: [list(map(defined, row)) for row in rows] for name, rows in tables.items()}


def defined(value: object) -> object:
    """A value, or nothing where it is not a number."""
    return "" if isinstance(value, float) and math.isnan(value) else value


def score_rows(fit: NetworkFit) -> Rows:
    """AUC and average precision of every score, by group of regions and by area."""
    bands = [f"auc_{low:g}_to_{high:g}_km" for low, high in fit.network.pairs.bands]
    head = ["group", "area", "score", "auc", "low", "high", "average_precision", *bands]
    rows: Rows = [[*head, "model_less", "model_less_low", "model_less_high"]]
    for pairs in fit.pairs:
        for one in pairs.scores:
            gap = pairs.gaps.get(one.name, ("", "", ""))
            values = (*one.auc, one.precision, *one.bands, *gap)
            rows.append([pairs.group, "any", one.name, *values])
    for area in fit.areas:
        for one in area.scores:
            values = (*one.auc, one.precision, *one.bands, "", "", "")
            rows.append([fit.pairs[-1].group, area.area or "not given", one.name, *values])
    return rows


def structure_rows(fit: NetworkFit) -> Rows:
    """Features of the network, and distances from what was observed."""
    head = ["group", "feature", "observed", "model", "model_low", "model_high"]
    rows: Rows = [[*head, "drawn", "drawn_low", "drawn_high"]]
    for one in fit.structures:
        for feature in one.features:
            values = (feature.observed, *feature.model, *feature.drawn)
            rows.append([one.group, feature.name, *values])
        rows.append([one.group, "distance", "", one.distance[0], "", "", one.distance[1], "", ""])
        model, drawn = one.distance_of_ties
        rows.append([one.group, "distance of ties", "", model, "", "", drawn, "", ""])
    return rows


def effect_rows(fit: NetworkFit) -> Rows:
    """Effects of attributes on the log odds that a pair shares."""
    head = ["attribute", "observed", "observed_low", "observed_high"]
    rows: Rows = [[*head, "model", "model_low", "model_high"]]
    return rows + [[one.name, *one.observed, *one.model] for one in fit.effects]


def body_rows(fit: NetworkFit) -> Rows:
    """Every observed joint body that is compared, and how high its pairs rank."""
    rows: Rows = [["body", "areas", "members", "pairs", "among", "model", "distance"]]
    for one in fit.bodies:
        body = (one.body.name, " ".join(one.body.areas), len(one.body.members))
        rows.append([*body, one.pairs, one.among, one.model, one.distance])
    return rows


def pair_rows(fit: NetworkFit) -> Rows:
    """Every pair that is compared, whether it shares, and the model's chance."""
    pairs, codes = fit.network.pairs, fit.network.scenario.regions.codes
    rows: Rows = [["code_a", "code_b", "distance_km", "land", "observed", "chance"]]
    columns = (pairs.distance, pairs.land, fit.network.shares, fit.chance)
    for (i, j), km, land, shares, chance in zip(pairs.rows, *columns, strict=True):
        values = (round(float(km), 3), int(land), int(shares), float(chance))
        rows.append([codes[i], codes[j], *values])
    return rows


def gain_rows(fit: NetworkFit) -> Rows:
    """Measures of every region in every area."""
    regions = fit.network.scenario.regions
    rows: Rows = [["code", "name", "tier", "area", *MEASURE]]
    for i, code in enumerate(regions.codes):
        for a, area in enumerate(fit.network.scenario.areas):
            figures = (f"{value:.6g}" for value in fit.simulated.figures[i, a])
            rows.append([code, regions.names[i], regions.tier[i], area, *figures])
    return rows
