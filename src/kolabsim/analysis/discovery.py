"""In which futures a strategy fails: boxes of settings found by PRIM, and a tree as second opinion.

A box restricts a few factors, numbers to a range and choices to some of their words. Its coverage
is the share of all failures that lie inside; its density the share of its futures that fail
[friedman_fisher_1999] [bryant_lempert_2010].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from kolabsim.analysis.information import check_settings
from kolabsim.analysis.robustness import checked
from kolabsim.errors import KolabsimError, Problems, install_command, suggestion
from kolabsim.i18n import _

if TYPE_CHECKING:
    import pandas as pd

PEELED = 0.05
"""Share of a box's futures that is peeled off, or pasted on, at a time; at least one future."""
SMALLEST = 0.05
"""Least share of all futures that a box may hold."""
RESTRICTED = 4
"""Most factors that a reported box restricts: more, and nobody could keep it in mind."""
CHANCE = 0.05
"""Chance at which a single restriction is dropped."""
NOISE = 0.01
"""Chance at which a box is taken for noise: several strategies may be looked at."""
SHUFFLED = 199
"""Times that failures are dealt anew to futures, to see what noise gives."""
RESAMPLED = 50
"""Times that futures are drawn anew, to see which restrictions come back."""
FEWEST = 5
"""Least futures that must fail, and that must not, for anything to be told of where."""
DEPTH = 3
"""Most questions that the tree asks of a future."""
PARTS = 5
"""Parts of the futures, of each of which a tree foretells what it was not fitted to."""

FOUND, NEVER, ALWAYS, FEW, NOWHERE = "found", "never", "always", "few", "nowhere"
"""What a search ends with: a box; no failure; nothing but failures; too few of either; failures
that are not in any part of the futures more than chance would have it."""


class Range(NamedTuple):
    """From where to where a number is restricted, ends included; infinite where it is not."""

    low: float
    high: float


Limit: TypeAlias = "Range | frozenset[object]"
"""The range of a number, or the words that a choice may take."""


@dataclass(frozen=True, eq=False)
class Box:
    """A part of the futures, and how they fare in it."""

    limits: Mapping[str, Limit]
    """The restricted factors."""
    futures: int
    """How many lie inside."""
    failures: int
    """How many of these fail."""
    mass: float
    """Share of all futures that lie inside."""
    density: float
    coverage: float
    quasi_p: Mapping[str, float]
    """Chance of so many failures inside, had this restriction been dropped and were failures spread
    evenly over what that would hold. That the restriction was searched for is not counted."""

    @property
    def score(self) -> float:
        """Harmonic mean of density and coverage."""
        both = self.density + self.coverage
        return 2.0 * self.density * self.coverage / both if both > 0.0 else 0.0

    def holds(self, settings: pd.DataFrame) -> np.ndarray:
        """[futures] which of them lie inside."""
        inside = np.ones(len(settings), bool)
        for name, limit in self.limits.items():
            inside &= within(settings[name].to_numpy(), limit)
        return inside


class Tree(NamedTuple):
    """A decision tree: what it says of each part of the futures."""

    leaves: tuple[Box, ...]
    """Parts in which most futures fail, the best score first; empty where there is none."""
    skill: float
    """Chance that it ranks a failure above another future, of those it was not fitted to; 0.5 is no
    better than chance."""


@dataclass(frozen=True, eq=False)
class Discovery:
    """Where a strategy fails. F futures."""

    verdict: str
    """found, never, always, few or nowhere."""
    fails: np.ndarray = field(repr=False)
    """[F] whether it fails."""
    box: Box | None = None
    """None unless one was found."""
    trajectory: tuple[Box, ...] = field(default=(), repr=False)
    """The boxes of peeling, from all futures to the smallest."""
    chance: float = np.nan
    """Share of the times that failures were dealt anew in which a box stood out as much: it is not
    counted further than is needed to say that it is too large."""
    returns: Mapping[str, float] = field(default_factory=dict)
    """For each restricted factor the share of resamples whose box restricts it the same way."""
    fresh: tuple[float, float] = (np.nan, np.nan)
    """Coverage and density of the boxes of resamples, among futures that were not drawn: means."""

    @property
    def share(self) -> float:
        """Share of all futures that fail."""
        return float(self.fails.mean())


# Asking -----------------------------------------------------------------------------------------


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
    """In which futures a strategy falls short on average over runs, [futures].

    Short of a threshold in the outcome's unit, or of a baseline's mean in the same future; exactly
    one of the two is given. ``values`` are [strategies, futures, runs] on common draws. Raises
    :class:`~kolabsim.errors.InputError` for undefined values and unknown strategies.
    """
    scores, problems = checked(values, names, better, outcome), Problems()
    for name in (strategy, baseline):
        if name is not None and name not in names:
            message = _("'{name}' was not simulated{suggestion}")
            problems.add(message.format(name=name, suggestion=suggestion(name, names)))
    if (threshold is None) == (baseline is None):
        problems.add(_("give either a threshold or a baseline to fall short of"))
    problems.raise_if_any()
    means = scores.mean(axis=2)
    own = means[list(names).index(strategy)]
    if baseline is None:
        return own < threshold * better
    return own < means[list(names).index(baseline)]


def discover(
    settings: pd.DataFrame,
    fails: np.ndarray,
    *,
    most: int = RESTRICTED,
    resamples: int = RESAMPLED,
    shuffles: int = SHUFFLED,
    seed: int = 1,
) -> Discovery:
    """Say in which futures failures lie, if they lie anywhere, by PRIM.

    A box is peeled from all sides, each time where the gain in density for each future that is lost
    is largest [kwakkel_jaxa_rozen_2016]. From each box of this trajectory restrictions are dropped,
    the least supported first, until at most ``most`` are left and the quasi-p value of each is
    below :data:`CHANCE`; of these boxes the one with the best harmonic mean of density and coverage
    is chosen, and what was peeled off is pasted on again where that raises it.

    Peeling finds dense boxes in any noise. So failures are dealt anew to futures, and a box is
    reported only if the boxes found then stand out as much against the rest (by the likelihood
    ratio) in no more than a share :data:`NOISE` of the deals. After that futures are drawn anew,
    with replacement, and boxes are found in them: that tells how often each restriction comes back,
    and how boxes fare among futures that they were not found in.

    Parameters
    ----------
    settings
        [futures, factors] what each future is: numbers or words.
    fails
        [futures] whether the strategy fails.
    most
        Most factors that the box restricts.
    resamples
        How many times futures are drawn anew.
    shuffles
        How many times failures are dealt anew.
    seed
        Decides how.

    Raises
    ------
    InputError
        If settings are not defined for each of the futures.
    """
    fails = np.asarray(fails, bool)
    check_settings(settings, len(fails))
    number = int(fails.sum())
    if number in (0, len(fails)):
        return Discovery(ALWAYS if number else NEVER, fails)
    if min(number, len(fails) - number) < FEWEST:
        return Discovery(FEW, fails)
    rng, field_ = np.random.default_rng(seed), Field.of(settings)
    peeled = field_.peel(fails)
    trajectory = tuple(field_.box(limits, fails) for limits in peeled)
    box = chosen_box(field_, peeled, fails, most)
    chance = chance_of(field_, fails, box, most, shuffles, rng)
    if chance > NOISE:
        box = None
    if box is None:
        return Discovery(NOWHERE, fails, trajectory=trajectory, chance=chance)
    returns, fresh = came_back(settings, fails, box, most, resamples, rng)
    return Discovery(FOUND, fails, box, trajectory, chance, returns, fresh)


# PRIM -------------------------------------------------------------------------------------------


def within(column: np.ndarray, limit: Limit) -> np.ndarray:
    """Which values of a column lie within a limit."""
    if isinstance(limit, Range):
        return (column >= limit.low) & (column <= limit.high)
    return np.array([value in limit for value in column], bool)


@dataclass(frozen=True, eq=False)
class Field:
    """Settings made ready for searching. F futures."""

    numbers: Mapping[str, np.ndarray]
    """Factors that are numbers, [F] each."""
    words: Mapping[str, np.ndarray]
    """Factors that are words, [F] each."""

    @classmethod
    def of(cls, settings: pd.DataFrame) -> Field:
        """The field of a table of settings; what is not a number is a word."""
        import pandas as pd

        numbers, words = {}, {}
        for name in settings.columns:
            column = settings[name]
            if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
                numbers[name] = column.to_numpy(np.float64)
            else:
                words[name] = column.to_numpy(object)
        return cls(numbers, words)

    def whole(self, name: str) -> Limit:
        """The limit that restricts nothing."""
        if name in self.numbers:
            return Range(-np.inf, np.inf)
        return frozenset(self.words[name])

    def column(self, name: str) -> np.ndarray:
        """The values of a factor, [F]."""
        return self.numbers[name] if name in self.numbers else self.words[name]

    def inside(self, limits: Mapping[str, Limit]) -> np.ndarray:
        """Whether each future is within each limit, [F, limits]."""
        columns = [within(self.column(name), limit) for name, limit in limits.items()]
        size = len(next(iter((self.numbers | self.words).values())))
        return np.column_stack(columns) if columns else np.empty((size, 0), bool)

    def box(self, limits: Mapping[str, Limit], fails: np.ndarray) -> Box:
        """How futures fare within limits."""
        inside = self.inside(limits)
        here = inside.all(axis=1)
        n, k = int(here.sum()), int(fails[here].sum())
        return Box(
            limits=dict(limits),
            futures=n,
            failures=k,
            mass=n / len(fails),
            density=k / n if n else 0.0,
            coverage=k / max(int(fails.sum()), 1),
            quasi_p=dict(zip(limits, quasi_p(inside, fails), strict=True)),
        )

    def peel(self, fails: np.ndarray) -> list[dict[str, Limit]]:
        """Limits from none to those of the smallest box, a peel at a time."""
        limits: dict[str, Limit] = {}
        here, path = np.ones(len(fails), bool), [{}]
        least = max(SMALLEST * len(fails), 1.0)
        while not fails[here].all():
            peels = [*self.number_peels(here, fails, limits), *self.word_peels(here, fails, limits)]
            if not peels:
                break
            gain, name, limit = max(peels, key=lambda peel: peel[0])
            left = here & within(self.column(name), limit)
            if gain <= 0.0 or left.sum() < least:
                break
            limits, here = {**limits, name: limit}, left
            path.append(limits)
        return path

    def number_peels(
        self, here: np.ndarray, fails: np.ndarray, limits: Mapping[str, Limit]
    ) -> list[tuple[float, str, Limit]]:
        """What each end of each number would gain by being peeled, and the limit it would leave."""
        if not self.numbers:
            return []
        x, y = np.column_stack([*self.numbers.values()])[here], fails[here]
        ranked = np.sort(x, axis=0)
        off = max(int(PEELED * len(y)), 1) - 1  # ends go with all that equals them
        peels = []
        for sign, edge in ((1, ranked[off]), (-1, ranked[-1 - off])):
            left = sign * (x - edge) > 0.0
            n, k = left.sum(axis=0), left[y].sum(axis=0)
            gain = lenient(n, k, len(y), int(y.sum()))
            for j, name in enumerate(self.numbers):
                if np.isfinite(gain[j]):
                    low, high = limits.get(name, self.whole(name))
                    ends = x[left[:, j], j]
                    limit = Range(ends.min(), high) if sign > 0 else Range(low, ends.max())
                    peels.append((float(gain[j]), name, limit))
        return peels

    def word_peels(
        self, here: np.ndarray, fails: np.ndarray, limits: Mapping[str, Limit]
    ) -> list[tuple[float, str, Limit]]:
        """What each word would gain by being dropped, and the words it would leave."""
        peels = []
        for name, column in self.words.items():
            words, y = limits.get(name, self.whole(name)), fails[here]
            for word in sorted(words, key=str):
                left = column[here] != word
                n, k = np.array(left.sum()), np.array(y[left].sum())
                gain = float(lenient(n, k, len(y), int(y.sum())))
                if np.isfinite(gain):
                    peels.append((gain, name, words - {word}))
        return peels

    def pasted(self, limits: Mapping[str, Limit], fails: np.ndarray) -> dict[str, Limit]:
        """Limits with what was peeled off put back where that raises the score.

        What restricts nothing is put back too.
        """
        best = self.box(limits, fails)
        while True:
            wider = [
                self.box(self.without_whole({**best.limits, name: limit}), fails)
                for name in best.limits
                for limit in self.pastes(best, name)
            ]
            top = max(wider, key=merit, default=best)
            if merit(top) <= merit(best):
                return dict(best.limits)
            best = top

    def pastes(self, box: Box, name: str) -> list[Limit]:
        """The next wider limits of a restricted factor: a piece at either end, or a word."""
        limit = box.limits[name]
        if not isinstance(limit, Range):
            return [limit | {word} for word in sorted(self.whole(name) - limit, key=str)]
        others = {other: one for other, one in box.limits.items() if other != name}
        column = self.column(name)[self.inside(others).all(axis=1)]
        number = max(int(PEELED * box.futures), 1)
        below, above = np.sort(column[column < limit.low]), np.sort(column[column > limit.high])
        low = float(below[-number]) if len(below) > number else -np.inf
        high = float(above[number - 1]) if len(above) > number else np.inf
        return [Range(low, limit.high), Range(limit.low, high)]

    def without_whole(self, limits: Mapping[str, Limit]) -> dict[str, Limit]:
        """Limits without those that restrict nothing."""
        return {name: limit for name, limit in limits.items() if limit != self.whole(name)}


def merit(box: Box) -> tuple[float, int]:
    """By which boxes are compared: the score, and of equals the fewer ends."""
    ranges = [limit for limit in box.limits.values() if isinstance(limit, Range)]
    return box.score, -int(np.isfinite(ranges).sum())


def lenient(n: np.ndarray, k: np.ndarray, size: int, failures: int) -> np.ndarray:
    """Gain in density times futures left for each future lost; NaN where none or all are lost.

    From ``n`` futures left with ``k`` failures, of ``size`` with ``failures``.
    """
    valid = (n > 0) & (n < size)
    left = np.where(valid, n, 1)
    gain = (k / left - failures / size) * left / np.where(valid, size - n, 1)
    return np.where(valid, gain, np.nan)


def quasi_p(inside: np.ndarray, fails: np.ndarray) -> np.ndarray:
    """Quasi-p value of each restriction, from which futures are within it [futures, limits]."""
    from scipy.special import betainc

    outside = ~inside
    broken = outside.sum(axis=1)
    here = broken == 0
    n, k = here.sum(), fails[here].sum()
    without = (broken[:, None] - outside) == 0
    number = without.sum(axis=0)
    rate = np.divide(
        without[fails].sum(axis=0), number, out=np.zeros(len(number)), where=number > 0
    )
    # The chance of k or more of n, as a binomial distribution has it.
    return betainc(k, n - k + 1, rate) if k > 0 else np.ones(len(number))


def supported(
    field_: Field, limits: Mapping[str, Limit], fails: np.ndarray, most: int
) -> dict[str, Limit]:
    """Limits without those that are not supported, the least supported dropped first."""
    names, inside = list(limits), field_.inside(limits)
    while names:
        p = quasi_p(inside, fails)
        worst = int(p.argmax())
        if len(names) <= most and p[worst] < CHANCE:
            break
        names.pop(worst)
        inside = np.delete(inside, worst, axis=1)
    return {name: limits[name] for name in names}


def chosen_box(
    field_: Field, peeled: Sequence[dict[str, Limit]], fails: np.ndarray, most: int
) -> Box | None:
    """The best supported box of a trajectory, pasted; None where no restriction is supported."""
    kept = [supported(field_, limits, fails, most) for limits in peeled]
    boxes = [field_.box(limits, fails) for limits in kept if limits]
    if not boxes:
        return None
    best = max(boxes, key=lambda box: box.score)
    limits = supported(field_, field_.pasted(dict(best.limits), fails), fails, most)
    return field_.box(limits, fails) if limits else best


def standing_out(box: Box | None, fails: np.ndarray) -> float:
    """How much a box stands out against the rest; 0 if it does not, or if there is none.

    Twice the log of the ratio of likelihoods: one rate of failure inside and another outside, or
    one for all.
    """
    from scipy.special import xlogy

    size, number = len(fails), int(fails.sum())
    if box is None or box.failures * size <= number * box.futures:
        return 0.0

    def fit(k: int, n: int) -> float:
        return float(xlogy(k, k / n) + xlogy(n - k, 1.0 - k / n)) if n else 0.0

    inside = fit(box.failures, box.futures)
    outside = fit(number - box.failures, size - box.futures)
    return 2.0 * (inside + outside - fit(number, size))


def chance_of(
    field_: Field,
    fails: np.ndarray,
    box: Box | None,
    most: int,
    shuffles: int,
    rng: np.random.Generator,
) -> float:
    """Share of the times that a box of noise stands out as much as this one.

    Counted only until it is known to be more than :data:`NOISE`.
    """
    observed, as_much = standing_out(box, fails), 0
    for tried in range(1, shuffles + 1):
        dealt = rng.permutation(fails)
        other = chosen_box(field_, field_.peel(dealt), dealt, most)
        as_much += standing_out(other, dealt) >= observed
        if (1 + as_much) / (1 + shuffles) > NOISE:
            return (1 + as_much) / (1 + tried)
    return (1 + as_much) / (1 + shuffles)


def came_back(
    settings: pd.DataFrame,
    fails: np.ndarray,
    box: Box,
    most: int,
    resamples: int,
    rng: np.random.Generator,
) -> tuple[dict[str, float], tuple[float, float]]:
    """How often each restriction comes back, and mean coverage and density in fresh futures."""
    times, fresh = dict.fromkeys(box.limits, 0), []
    for _sample in range(resamples):
        places = rng.integers(len(fails), size=len(fails))
        drawn, failed = settings.iloc[places], fails[places]
        if failed.all() or not failed.any():
            continue
        field_ = Field.of(drawn)
        again = chosen_box(field_, field_.peel(failed), failed, most)
        if again is None:
            continue
        for name, limit in box.limits.items():
            times[name] += alike(limit, again.limits.get(name), field_.whole(name))
        rest = np.setdiff1d(np.arange(len(fails)), places)
        here, failed = again.holds(settings.iloc[rest]), fails[rest]
        if here.any() and failed.any():
            fresh.append((failed[here].sum() / failed.sum(), failed[here].mean()))
    coverage, density = np.mean(fresh, axis=0) if fresh else (np.nan, np.nan)
    returns = {name: number / max(resamples, 1) for name, number in times.items()}
    return returns, (float(coverage), float(density))


def alike(limit: Limit, other: Limit | None, whole: Limit) -> bool:
    """Whether another limit restricts the same way: on a same side, or without a same word."""
    if other is None:
        return False
    if isinstance(limit, Range):
        low, high = (np.isfinite(limit) & np.isfinite(other)).tolist()
        return low or high
    return bool((whole - limit) & (whole - other))


# A second opinion -------------------------------------------------------------------------------


def tree(settings: pd.DataFrame, fails: np.ndarray, *, seed: int = 1) -> Tree:
    """Ask a decision tree (CART) where failures lie [breiman_1984].

    At most :data:`DEPTH` questions, parts of at least :data:`SMALLEST` of the futures, failures and
    others counting the same in all. Its skill is told of futures that it was not fitted to.

    Raises
    ------
    KolabsimError
        If scikit-learn is not installed, or if there are too few failures or other futures.
    InputError
        If settings are not defined for each of the futures.
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
        message = _("a tree needs at least {number} futures that fail, and that do not")
        raise KolabsimError(message.format(number=FEWEST))
    field_ = Field.of(settings)
    questions = [(name, None) for name in field_.numbers]
    questions += [
        (name, word)
        for name, column in field_.words.items()
        for word in sorted(set(column), key=str)
    ]
    inputs = np.column_stack(
        [
            field_.column(name) if word is None else (field_.column(name) == word).astype(float)
            for name, word in questions
        ]
    )
    model = DecisionTreeClassifier(
        max_depth=DEPTH, min_samples_leaf=max(int(SMALLEST * len(fails)), FEWEST),
        class_weight="balanced", random_state=seed,
    )  # fmt: skip
    parts = StratifiedKFold(PARTS, shuffle=True, random_state=seed)
    foretold = cross_val_predict(model, inputs, fails, cv=parts, method="predict_proba")[:, 1]
    model.fit(inputs, fails)
    boxes = [field_.box(limits, fails) for limits in leaves(model.tree_, questions, field_)]
    dense = [box for box in boxes if box.limits and box.density > 0.5]
    return Tree(
        tuple(sorted(dense, key=lambda box: -box.score)), float(roc_auc_score(fails, foretold))
    )


def leaves(
    grown: object, questions: Sequence[tuple[str, object]], field_: Field
) -> list[dict[str, Limit]]:
    """The limits of each leaf of a grown tree of scikit-learn's."""
    found, open_ = [], [(0, {})]
    while open_:
        node, limits = open_.pop()
        if grown.children_left[node] < 0:
            found.append(limits)
            continue
        name, word = questions[grown.feature[node]]
        low, high = limits.get(name, field_.whole(name)), limits.get(name, field_.whole(name))
        if word is None:
            column, at = field_.numbers[name], grown.threshold[node]
            # Ends are values of futures, as those of boxes are.
            low = Range(low.low, float(column[column <= at].max()))
            high = Range(float(column[column > at].min()), high.high)
        else:
            low, high = low - {word}, high & {word}
        open_ += [
            (grown.children_left[node], {**limits, name: low}),
            (grown.children_right[node], {**limits, name: high}),
        ]
    return found
