"""Results of a comparison with observed joint bodies as plain tables."""

from __future__ import annotations

from kolabsim.validation.gains import MEASURE
from kolabsim.validation.network import NetworkFit

Rows = list[list[object]]
"""A header, and a row for each result."""


def csv_tables(fit: NetworkFit) -> dict[str, Rows]:
    """All results of a comparison as tables with a header, by name.

    Parameters
    ----------
    fit
        From :func:`kolabsim.validation.network.compare_network`.
    """
    return {
            "scores": score_rows(fit),
            "structure": structure_rows(fit),
            "effects": [
                ["attribute", "observed", "observed_low", "observed_high", "model", "model_low",
                 "model_high"],
                *([one.name, *one.observed, *one.model] for one in fit.effects),
            ],
            "bodies": [
                ["body", "areas", "members", "pairs", "among", "model", "distance"],
                *(
                    [one.body.name, " ".join(one.body.areas), len(one.body.members), one.pairs,
                     one.among, one.model, one.distance]
                    for one in fit.bodies
                ),
            ],
            "pairs": pair_rows(fit),
            "gains": gain_rows(fit),
        }  # fmt: skip


def score_rows(fit: NetworkFit) -> Rows:
    """AUC and average precision of every score, by group of regions and by area."""
    bands = [f"auc_{low:g}_to_{high:g}_km" for low, high in fit.network.pairs.bands]
    rows: Rows = [
        ["group", "area", "score", "auc", "low", "high", "average_precision", *bands, "model_less",
         "model_less_low", "model_less_high"]
    ]  # fmt: skip
    for pairs in fit.pairs:
        for one in pairs.scores:
            gap = pairs.gaps.get(one.name, ("", "", ""))
            rows.append([pairs.group, "any", one.name, *one.auc, one.precision, *one.bands, *gap])
    for area in fit.areas:
        for one in area.scores:
            label = area.area or "not given"
            row = [fit.pairs[-1].group, label, one.name, *one.auc, one.precision, *one.bands]
            rows.append([*row, "", "", ""])
    return rows


def structure_rows(fit: NetworkFit) -> Rows:
    """Features of the network, and distances from what was observed."""
    rows: Rows = [
        ["group", "feature", "observed", "model", "model_low", "model_high", "drawn", "drawn_low",
         "drawn_high"]
    ]  # fmt: skip
    for one in fit.structures:
        for feature in one.features:
            values = (feature.observed, *feature.model, *feature.drawn)
            rows.append([one.group, feature.name, *values])
        for name, (model, drawn) in (
            ("distance", one.distance), ("distance of ties", one.distance_of_ties),
        ):  # fmt: skip
            rows.append([one.group, name, "", model, "", "", drawn, "", ""])
    return rows


def pair_rows(fit: NetworkFit) -> Rows:
    """Every pair that is compared, whether it shares, and the model's chance."""
    pairs, codes = fit.network.pairs, fit.network.scenario.regions.codes
    columns = (pairs.distance, pairs.land, fit.network.shares, fit.chance)
    return [
        ["code_a", "code_b", "distance_km", "land", "observed", "chance"],
        *(
            [codes[i], codes[j], round(float(km), 3), int(land), int(shares), float(chance)]
            for (i, j), km, land, shares, chance in zip(pairs.rows, *columns, strict=True)
        ),
    ]


def gain_rows(fit: NetworkFit) -> Rows:
    """Measures of every region in every area."""
    scenario = fit.network.scenario
    regions = scenario.regions
    rows: Rows = [["code", "name", "tier", "area", *MEASURE]]
    for i, code in enumerate(regions.codes):
        for a, area in enumerate(scenario.areas):
            figures = (f"{value:.6g}" for value in fit.simulated.figures[i, a])
            rows.append([code, regions.names[i], regions.tier[i], area, *figures])
    return rows
