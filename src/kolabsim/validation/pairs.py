"""Who shares with whom: how well scores of pairs of regions rank the pairs that share.

A score is the model's chance that a pair shares, a regression on what pairs have in common, or one
of these attributes alone. Intervals come from resampling regions, because pairs of one region are
not independent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from kolabsim.analysis.statistics import Interval, percentile_interval
from kolabsim.model.laws import culture_reference
from kolabsim.scenario.scenario import Scenario
from kolabsim.validation.contrasts import logit
from kolabsim.validation.runs import share_body

FOLDS = 10
"""Parts of the pairs, each predicted by a regression on the others."""
BINS = 10
"""Bins of distance up to the largest distance that is compared."""
BANDS = (0.0, 0.2, 0.4, 0.6, 1.0)
"""Ends of bands of distance, as shares of that distance; within a band, distance hardly matters."""
RESAMPLES = 400
"""Resamples of regions, from which intervals come."""
LEVEL = 0.95
"""Level of all intervals."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of regions, P of them, with attributes that may explain who shares with whom."""

    rows: np.ndarray
    """[P, 2] rows of the two regions."""
    distance: np.ndarray
    """[P] kilometres."""
    land: np.ndarray
    """[P] whether they share a land border."""
    within: float
    """Largest distance, except of land neighbours, in kilometres."""
    predictors: Mapping[str, np.ndarray]
    """[P] each; larger values make sharing more likely. Attributes that do not vary are absent."""

    @property
    def x(self) -> np.ndarray:
        """[P, predictors] all of them, for a regression."""
        return np.column_stack([*self.predictors.values()])

    @property
    def bands(self) -> tuple[tuple[float, float], ...]:
        """Bands of distance in kilometres."""
        return tuple(pairwise(share * self.within for share in BANDS))

    def inside(self, rows: np.ndarray) -> np.ndarray:
        """[P] whether both regions of a pair are among these [R]."""
        return np.asarray(rows[self.rows].all(axis=1))

    def regressed(self, y: np.ndarray, seen: np.ndarray, here: np.ndarray) -> np.ndarray:
        """Log odds of the pairs ``here`` by a regression of y [P] on the pairs that are seen."""
        return predict(self.x[here], logit(y[seen], self.x[seen]))


def describe_pairs(
    scenario: Scenario, rows: np.ndarray, distance: np.ndarray, land: np.ndarray, within: float
) -> Pairs:
    """Pairs of a scenario's regions with what they have in common."""
    one, other = rows.T
    regions = scenario.regions
    size, tier = np.log(regions.population), np.array(regions.tier)
    predictors = {
        "land": land.astype(float),
        "distance": -distance,
        "near": -np.log(np.maximum(distance, 1.0)),
        "size": -np.abs(size[one] - size[other]),
        "tier": (tier[one] == tier[other]).astype(float),
    }
    culture = regions.culture[:, np.isfinite(regions.culture).all(axis=0)]
    if culture.shape[1]:
        apart = culture[one] - culture[other]  # in units of the scales of the columns
        predictors["alike"] = -(apart**2).sum(axis=1) / culture_reference(float(culture.shape[1]))
    varying = {name: v for name, v in predictors.items() if len(v) and np.ptp(v) > 0.0}
    return Pairs(rows, distance, land, within, varying)


def share_any(
    bodies: np.ndarray, pairs: np.ndarray, buyers: np.ndarray | None = None
) -> np.ndarray:
    """Whether the two regions of each pair share any area: [P] from bodies and buyers [R, A]."""
    return np.asarray(share_body(bodies, pairs, buyers).any(axis=1))


def chance_to_share(
    bodies: np.ndarray, pairs: np.ndarray, buyers: np.ndarray | None = None
) -> np.ndarray:
    """Share of runs in which a pair shares any area: [P] from bodies, buyers [runs, R, A]."""
    total = np.zeros(len(pairs))
    for k, one in enumerate(bodies):
        total += share_any(one, pairs, None if buyers is None else buyers[k])
    return total / len(bodies)


# Scores -----------------------------------------------------------------------------------------


def auc(y: np.ndarray, score: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Chance that a pair that shares has a higher score than one that does not.

    This is the area under the receiver operating curve; ties count half. ``y`` is 0 or 1 [P], and
    pairs may have ``weights`` [P]. NaN where all or none share, or a score is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> auc(np.array([1.0, 0.0, 0.0]), np.array([0.5, 0.5, 0.1]))
    0.75
    """
    place = rank_scores(score)
    return np.nan if place is None else ranked_auc(y, place, weights)


def rank_scores(score: np.ndarray) -> np.ndarray | None:
    """Rank of each score, ties sharing one; None where a score is not finite."""
    if not np.isfinite(score).all():
        return None
    return np.unique(score, return_inverse=True)[1].reshape(-1)


def ranked_auc(y: np.ndarray, place: np.ndarray, weights: np.ndarray | None = None) -> float:
    """The same from ranks, for many weights of the same scores."""
    weights = np.ones(len(y)) if weights is None else weights
    shares, others = (np.bincount(place, weights * part) for part in (y, 1.0 - y))
    pairs = shares.sum() * others.sum()
    below = np.cumsum(others) - others
    return float(shares @ (below + others / 2.0) / pairs) if pairs > 0.0 else np.nan


def average_precision(y: np.ndarray, score: np.ndarray) -> float:
    """Mean share of pairs that share among those ranked at least as high, over pairs that share."""
    if not np.isfinite(score).all() or not y.any():
        return np.nan
    _values, place = np.unique(-score, return_inverse=True)
    shares, number = np.bincount(place, y), np.bincount(place)
    return float(shares @ (np.cumsum(shares) / np.cumsum(number)) / shares.sum())


def predict(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Log odds by a logistic regression with these coefficients, the constant last."""
    return np.asarray(np.column_stack([x, np.ones(len(x))]) @ weights)


def cross_validated(y: np.ndarray, x: np.ndarray, seed: int = 1) -> np.ndarray:
    """Log odds by logistic regressions, each of ten parts by a regression on the other parts."""
    part = np.random.default_rng(seed).permutation(len(y)) % FOLDS
    found = np.empty(len(y))
    for fold in np.unique(part):
        here = part == fold
        found[here] = predict(x[here], logit(y[~here], x[~here]))
    return found


def resample_regions(pairs: np.ndarray, seed: int = 1) -> Iterator[np.ndarray]:
    """Weights of pairs [P] when their regions are drawn again with replacement."""
    rng = np.random.default_rng(seed)
    present, place = np.unique(pairs, return_inverse=True)
    place = place.reshape(pairs.shape)
    for _sample in range(RESAMPLES):
        count = np.bincount(rng.integers(len(present), size=len(present)), minlength=len(present))
        weights = (count[place[:, 0]] * count[place[:, 1]]).astype(float)
        if weights.any():
            yield weights


def quantiles(samples: Iterable[float]) -> tuple[float, float]:
    """Ends of the middle 95% of samples; NaN if none is finite."""
    finite = np.array([value for value in samples if np.isfinite(value)])
    if not len(finite):
        return np.nan, np.nan
    low, high = percentile_interval(finite, LEVEL)
    return float(low), float(high)


class PairScore(NamedTuple):
    """How well one score ranks the pairs that share."""

    name: str
    """``model``, ``regression``, or the name of a predictor."""
    auc: Interval
    precision: float
    """Average precision; a random score has the share of pairs that share."""
    bands: tuple[float, ...]
    """AUC within each band of distance; NaN where all or none of a band share."""


class PairFit(NamedTuple):
    """How well scores rank the pairs of one group of regions."""

    group: str
    pairs: int
    share: float
    """Share of the pairs that share an area."""
    scores: tuple[PairScore, ...]
    """Of the model, the regression, and each predictor."""
    gaps: Mapping[str, Interval]
    """AUC of the model less that of another score, by the name of that score."""
    by_distance: np.ndarray
    """[4, bins] middle of each bin in kilometres, its pairs, the share of them that share an area,
    and the model's mean chance."""

    def score(self, name: str) -> PairScore:
        """The score with this name."""
        return next(one for one in self.scores if one.name == name)


def fit_pairs(
    pairs: Pairs, shares: np.ndarray, chance: np.ndarray, rows: np.ndarray, held_out: np.ndarray,
    *, group: str = "",
) -> PairFit:  # fmt: skip
    """Judge how well the model and other scores rank the pairs of a group of regions.

    ``shares`` says of each pair whether it shares [P], ``chance`` is the model's chance of it [P],
    and ``rows`` says of each region whether it is of the group [R]. The regression comes from the
    regions that were not held out [R]; without such regions in the group it is cross-validated.
    """
    here, y = pairs.inside(rows), shares.astype(float)
    if not pairs.predictors:
        rival = np.zeros(int(here.sum()))
    elif (rows & held_out).any():
        rival = pairs.regressed(y, pairs.inside(~held_out), here)
    else:
        rival = cross_validated(y[here], pairs.x[here])
    distance, y, chance = pairs.distance[here], y[here], chance[here]
    single = {name: v[here] for name, v in pairs.predictors.items() if name != "near"}
    scores = {"model": chance, "regression": rival, **single}
    places = {name: rank_scores(score) for name, score in scores.items()}
    samples: dict[str, list[float]] = {name: [] for name in scores}
    for weights in resample_regions(pairs.rows[here]):
        for name, place in places.items():
            samples[name].append(np.nan if place is None else ranked_auc(y, place, weights))
    bands = [(distance >= low) & (distance < high) for low, high in pairs.bands]
    found = tuple(
        PairScore(
            name,
            (auc(y, score), *quantiles(samples[name])),
            average_precision(y, score),
            tuple(auc(y[band], score[band]) for band in bands),
        )
        for name, score in scores.items()
    )
    gaps: dict[str, Interval] = {}
    for one in found[1:]:
        apart = np.subtract(samples["model"], samples[one.name])
        gaps[one.name] = (found[0].auc[0] - one.auc[0], *quantiles(apart))
    bins = mean_by_distance(distance, pairs.within / BINS, y, chance)
    return PairFit(group, len(y), float(y.mean()) if len(y) else np.nan, found, gaps, bins)


def mean_by_distance(distance: np.ndarray, width: float, *values: np.ndarray) -> np.ndarray:
    """Means of values [P] in bins of distance: [2 + values, bins], middles and pairs first."""
    place = (distance // width).astype(int)
    number = np.bincount(place)
    here = number > 0
    middles = (np.arange(len(number)) + 0.5) * width
    means = [np.bincount(place, value)[here] / number[here] for value in values]
    return np.array([middles[here], number[here], *means])


# What brings regions together -------------------------------------------------------------------


class Effect(NamedTuple):
    """How an attribute changes the log odds that a pair shares, the others held fixed."""

    name: str
    observed: Interval
    """Among the observed bodies, with an interval over resamples of regions."""
    model: Interval
    """Mean over runs, and the range of 95% of runs."""

    @property
    def agrees(self) -> bool:
        """Whether the model's mean lies within the interval of what was observed."""
        return self.observed[1] <= self.model[0] <= self.observed[2]

    @property
    def overlaps(self) -> bool:
        """Whether the range of runs reaches into the interval of what was observed."""
        return self.model[1] <= self.observed[2] and self.observed[1] <= self.model[2]


def compare_effects(
    pairs: Pairs, shares: np.ndarray, runs: Sequence[np.ndarray], rows: np.ndarray
) -> tuple[Effect, ...]:
    """Compare what brings some regions [R] together, observed and in the model.

    ``shares`` says of each pair whether it shares, observed [P], and each of ``runs`` the same of a
    run of the model.
    """
    here = pairs.inside(rows)
    columns = {
        name: column[here] / (column[here].std() or 1.0 if name == "alike" else 1.0)
        for name, column in pairs.predictors.items()
        if name != "distance" and len(column[here]) and np.ptp(column[here]) > 0.0
    }
    if not columns:
        return ()
    x = np.column_stack([*columns.values()])

    def effects(shares: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        y = shares[here].astype(float)
        if weights is None:
            return logit(y, x)
        return logit(np.repeat(y, weights), np.repeat(x, weights, axis=0))

    observed = effects(shares)
    again = [effects(shares, w.astype(int)) for w in resample_regions(pairs.rows[here])]
    found = [effects(one) for one in runs]
    return tuple(
        Effect(
            name,
            (float(observed[k]), *quantiles([one[k] for one in again])),
            mean_and_range([one[k] for one in found]),
        )
        for k, name in enumerate(columns)
    )


def mean_and_range(values: Sequence[float]) -> Interval:
    """Mean of the finite values, and the ends of their middle 95%."""
    finite = [value for value in values if np.isfinite(value)]
    return (float(np.mean(finite)) if finite else np.nan, *quantiles(finite))
