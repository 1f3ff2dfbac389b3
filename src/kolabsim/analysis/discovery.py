"""Scenario discovery: in which futures a strategy fails, by PRIM and by a decision tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from kolabsim.analysis.arrays import check_known, check_scores, check_settings
from kolabsim.analysis.prim import (
    SMALLEST,
    Box,
    Field,
    Limit,
    Range,
    likelihood_ratio,
    share_a_side,
)
from kolabsim.analysis.statistics import one_thread
from kolabsim.errors import KolabsimError, install_command
from kolabsim.i18n import _

SIGNIFICANT = 0.01
"""Largest p-value of a reported box; strict, because several strategies may be examined."""
FEWEST = 5
"""Fewest failing futures, and fewest others, from which anything is reported."""
DEPTH = 3
"""Depth of the tree."""
FOLDS = 5
"""Folds by which the tree is cross-validated."""

FOUND, NEVER, ALWAYS, FEW, NOWHERE = "found", "never", "always", "few", "nowhere"
"""Verdicts: a box was found; no future fails; all fail; too few fail or do not fail; failures are
not denser in any part of the futures than chance explains."""


class Tree(NamedTuple):
    """A decision tree that predicts failures."""

    leaves: tuple[Box, ...]
    """Leaves in which most futures fail, the best score first."""
    skill: float
    """Cross-validated area under the ROC curve: the probability that the tree ranks a failing
    future above another one; 0.5 is no better than chance."""


@dataclass(frozen=True, eq=False)
class Discovery:
    """Where a strategy fails. F futures."""

    verdict: str
    """found, never, always, few or nowhere."""
    fails: np.ndarray = field(repr=False)
    """[F] whether the strategy fails."""
    box: Box | None = None
    trajectory: tuple[Box, ...] = field(default=(), repr=False)
    """The boxes of peeling, from all futures to the smallest."""
    p: float = np.nan
    """Share of permutations of failures whose box has as large a likelihood ratio. Permutations end
    as soon as it is known to exceed :data:`SIGNIFICANT`."""
    stability: Mapping[str, float] = field(default_factory=dict)
    """For each restricted factor the share of resamples whose box restricts it the same way."""
    out_of_bag: tuple[float, float] = (np.nan, np.nan)
    """Mean coverage and density of the boxes of resamples in futures outside the resample."""

    @property
    def share(self) -> float:
        """Share of all futures that fail."""
        return float(self.fails.mean())


def failures(
    values: np.ndarray,
    names: Sequence[str],
    strategy: str,
    *,
    better: int,
    threshold: float | None = None,
    baseline: str | None = None,
    outcome: str = "",
) -> np.ndarray:
    """Return in which futures a strategy fails on average over runs, [futures].

    It fails if it falls short of a threshold in the outcome's unit, or of a baseline's mean in the
    same future; give exactly one of the two.
    """
    scores = check_scores(values, names, better, outcome)
    problems = check_known(names, strategy, baseline)
    if (threshold is None) == (baseline is None):
        problems.add(_("give either a threshold or a baseline to fall short of"))
    problems.raise_if_any()
    means = scores.mean(axis=2)
    own = means[list(names).index(strategy)]
    if threshold is not None:
        return own < threshold * better
    assert baseline is not None
    return own < means[list(names).index(baseline)]


@one_thread()
def discover(
    settings: pd.DataFrame,
    fails: np.ndarray,
    *,
    most: int = 4,
    resamples: int = 50,
    permutations: int = 199,
    seed: int = 1,
) -> Discovery:
    """Find the box of settings in which failures lie, if there is one, by PRIM.

    From each box of the peeling trajectory restrictions are dropped, the least supported first,
    until at most ``most`` are left and all quasi-p values are small. Of these boxes the one with
    the best harmonic mean of density and coverage is chosen and pasted.

    Peeling finds dense boxes in any noise. So the search is repeated on permuted failures, and a
    box is reported only if those boxes rarely have so large a likelihood ratio. The search is
    repeated on resampled futures too: this shows the stability of each restriction, and how boxes
    do in futures outside the resample.

    ``fails`` tells in which futures the strategy fails; ``most`` is the number of factors that the
    box restricts at most, few enough for people to keep in mind; ``permutations`` are those of the
    failures.
    """
    fails = np.asarray(fails, bool)
    check_settings(settings, len(fails))
    number = int(fails.sum())
    if number in (0, len(fails)):
        return Discovery(ALWAYS if number else NEVER, fails)
    if min(number, len(fails) - number) < FEWEST:
        return Discovery(FEW, fails)
    rng, data = np.random.default_rng(seed), Field.of(settings)
    peeled = data.peel(fails)
    trajectory = tuple(data.box(limits, fails) for limits in peeled)
    box = data.best_box(peeled, fails, most)
    p = box_p(data, fails, box, most, permutations, rng)
    if box is None or p > SIGNIFICANT:
        return Discovery(NOWHERE, fails, trajectory=trajectory, p=p)
    stability, out_of_bag = box_stability(settings, fails, box, most, resamples, rng)
    return Discovery(FOUND, fails, box, trajectory, p, stability, out_of_bag)


def box_p(
    data: Field,
    fails: np.ndarray,
    box: Box | None,
    most: int,
    permutations: int,
    rng: np.random.Generator,
) -> float:
    """Return the permutation p-value of a box; beyond :data:`SIGNIFICANT` a lower bound."""
    observed, as_large = likelihood_ratio(box, fails), 0
    for tried in range(1, permutations + 1):
        permuted = rng.permutation(fails)
        other = data.best_box(data.peel(permuted), permuted, most)
        as_large += likelihood_ratio(other, permuted) >= observed
        if (1 + as_large) / (1 + permutations) > SIGNIFICANT:
            return (1 + as_large) / (1 + tried)
    return (1 + as_large) / (1 + permutations)


def box_stability(
    settings: pd.DataFrame,
    fails: np.ndarray,
    box: Box,
    most: int,
    resamples: int,
    rng: np.random.Generator,
) -> tuple[dict[str, float], tuple[float, float]]:
    """Return how stable each restriction is, and mean out-of-bag coverage and density."""
    times, unseen = dict.fromkeys(box.limits, 0), []
    for _resample in range(resamples):
        places = rng.integers(len(fails), size=len(fails))
        drawn, failed = settings.iloc[places], fails[places]
        if failed.all() or not failed.any():
            continue
        data = Field.of(drawn)
        found = data.best_box(data.peel(failed), failed, most)
        if found is None:
            continue
        for name, limit in box.limits.items():
            times[name] += share_a_side(limit, found.limits.get(name), data.whole(name))
        rest = np.setdiff1d(np.arange(len(fails)), places)
        here, failed = found.holds(settings.iloc[rest]), fails[rest]
        if here.any() and failed.any():
            unseen.append((failed[here].sum() / failed.sum(), failed[here].mean()))
    coverage, density = np.mean(unseen, axis=0) if unseen else (np.nan, np.nan)
    stability = {name: number / max(resamples, 1) for name, number in times.items()}
    return stability, (float(coverage), float(density))


def tree(settings: pd.DataFrame, fails: np.ndarray, *, seed: int = 1) -> Tree:
    """Fit a decision tree (CART) to failures [breiman_1984].

    Leaves hold at least the share :data:`~kolabsim.analysis.prim.SMALLEST` of the futures; failing
    futures and others have the same total weight. Raises
    :class:`~kolabsim.errors.KolabsimError` if scikit-learn is not installed, or if too few futures
    fail or do not fail.
    """
    try:
        from sklearn.metrics import roc_auc_score
        from sklearn.model_selection import StratifiedKFold, cross_val_predict
        from sklearn.tree import DecisionTreeClassifier
    except ImportError as error:
        message = _("a decision tree needs the extra '{extra}': {command}")
        message = message.format(extra="learning", command=install_command("learning"))
        raise KolabsimError(message) from error
    fails = np.asarray(fails, bool)
    check_settings(settings, len(fails))
    if min(fails.sum(), (~fails).sum()) < FEWEST:
        message = _("a tree needs at least {number} futures that fail and {number} that do not")
        raise KolabsimError(message.format(number=FEWEST))
    data = Field.of(settings)
    questions: list[tuple[str, object]] = [(name, None) for name in data.numbers]
    questions += [
        (name, word) for name in data.words for word in sorted(set(data.columns[name]), key=str)
    ]
    inputs = np.column_stack(
        [
            data.columns[name] if word is None else (data.columns[name] == word).astype(float)
            for name, word in questions
        ]
    )
    model = DecisionTreeClassifier(
        max_depth=DEPTH, min_samples_leaf=max(int(SMALLEST * len(fails)), FEWEST),
        class_weight="balanced", random_state=seed,
    )  # fmt: skip
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    predicted = cross_val_predict(model, inputs, fails, cv=folds, method="predict_proba")[:, 1]
    model.fit(inputs, fails)
    boxes = [data.box(limits, fails) for limits in leaf_limits(model.tree_, questions, data)]
    dense = [box for box in boxes if box.limits and box.density > 0.5]
    return Tree(
        tuple(sorted(dense, key=lambda box: -box.score)), float(roc_auc_score(fails, predicted))
    )


def leaf_limits(
    fitted: Any, questions: Sequence[tuple[str, object]], data: Field
) -> list[dict[str, Limit]]:
    """Return the limits of each leaf of a fitted tree of scikit-learn."""
    found: list[dict[str, Limit]] = []
    todo: list[tuple[int, dict[str, Limit]]] = [(0, {})]
    while todo:
        node, limits = todo.pop()
        if fitted.children_left[node] < 0:
            found.append(limits)
            continue
        name, word = questions[fitted.feature[node]]
        limit = limits.get(name, data.whole(name))
        low: Limit
        high: Limit
        if isinstance(limit, Range):
            column, at = data.columns[name], fitted.threshold[node]
            # Ends are values of futures, as those of boxes are.
            low = Range(limit.low, float(column[column <= at].max()))
            high = Range(float(column[column > at].min()), limit.high)
        else:
            low, high = limit - {word}, limit & {word}
        todo += [
            (fitted.children_left[node], {**limits, name: low}),
            (fitted.children_right[node], {**limits, name: high}),
        ]
    return found


def locate_failures(
    settings: pd.DataFrame, fails: np.ndarray, *, seed: int = 1
) -> tuple[Discovery, Tree | None]:
    """Return where a strategy fails as a box and as a tree.

    The tree is None if too few futures fail or do not fail, or without scikit-learn.
    """
    found, fitted = discover(settings, fails, seed=seed), None
    with suppress(KolabsimError):  # too few failures or no scikit-learn: the box suffices
        fitted = tree(settings, fails, seed=seed)
    return found, fitted
