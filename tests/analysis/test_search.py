"""The search, on problems whose front is known, with chance, budgets, interruptions and a file."""

import dataclasses

import numpy as np
import pytest

from kolabsim.analysis import pareto, race
from kolabsim.analysis.pareto import Budget, Objective, knee_of, reevaluate
from kolabsim.analysis.search import on_grid, search
from kolabsim.errors import InputError, KolabsimError
from kolabsim.study.factors import Factor

pytest.importorskip("pymoo")

LESS_OF_BOTH = (Objective("f1", -1), Objective("f2", -1))
QUICK = {"generations": 6, "population": 12, "runs": (4, 16), "steps": 20}


def factors(number, **how):
    return tuple(Factor(f"x{k}", f"number {k}", "made up", **how) for k in range(number))


def chance_of(run, point=None):
    """Draws of a run: those that all points share, or a point's own."""
    own = () if point is None else tuple(point.view(np.uint64) % 2**32)
    return np.random.default_rng((run, *own)).standard_normal()


def with_chance(exact, runs, points, *, common=0.0, own=0.0):
    """Values [N, columns, runs] from exact ones [N, columns]."""
    values = exact[:, :, None] + common * np.array([chance_of(run) for run in runs])
    if own:
        for k, point in enumerate(points):
            values[k] += own * np.array([chance_of(run, point) for run in runs])
    return values


def zdt1(points):
    """Two objectives, less being better; the front is f2 = 1 - sqrt(f1), where g is 1."""
    f1, g = points[:, 0], 1.0 + 9.0 * points[:, 1:].mean(axis=1)
    return np.stack([f1, g * (1.0 - np.sqrt(f1 / g))], axis=1)


def bnh(points):
    """Binh and Korn: two objectives and two constraints, of which one becomes the cost."""
    x, y = 5.0 * points[:, 0], 3.0 * points[:, 1]
    cost = (x - 5.0) ** 2 + y**2
    return np.stack([4 * x**2 + 4 * y**2, (x - 5) ** 2 + (y - 5) ** 2, cost], axis=1)


class Counted:
    """An evaluate that knows which runs of which points it did."""

    def __init__(self, exact=zdt1, **chance):
        self.exact, self.chance = exact, chance
        self.calls, self.done = 0, []

    def __call__(self, points, runs):
        self.calls += 1
        self.done += [(point.tobytes(), run) for point in points for run in runs]
        return with_chance(self.exact(points), runs, points, **self.chance)


def same(one, two):
    assert [f.name for f in dataclasses.fields(one)] == [f.name for f in dataclasses.fields(two)]
    for name in ("points", "values", "hypervolume", "knee_shares"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    assert (one.knee, one.history) == (two.knee, two.history)


# Known fronts -----------------------------------------------------------------------------------


def test_the_known_front_is_found_through_the_chance_that_all_share():
    evaluate = Counted(common=5.0, own=0.005)
    front = search(evaluate, factors(8), LESS_OF_BOTH, generations=60, population=40, runs=(4, 16))
    f1, f2 = zdt1(front.points).T
    assert len(front) >= 25
    assert np.abs(f2 - (1.0 - np.sqrt(f1))).max() < 0.1
    assert np.ptp(f1) > 0.8
    assert np.diff(front.hypervolume[[0, 10, -1]]).min() > 0.03
    low, high = np.moveaxis(front.intervals, 2, 0)
    assert (high - low).mean() > 1.0, "the shared chance is in the interval of a mean,"
    mean, low, high = front.against(front.values[front.knee])
    assert (high - low).max() < 0.05, "but not in that of a difference"
    assert (mean[front.knee] == 0.0).all()


def test_the_budget_is_kept_and_its_edge_is_reached():
    longer = QUICK | {"generations": 25, "population": 32}
    free = search(Counted(bnh), factors(2), LESS_OF_BOTH, budget=Budget(1e3, "c"), **longer)
    tight = search(Counted(bnh), factors(2), LESS_OF_BOTH, budget=Budget(9.0, "c"), **longer)
    assert free.columns == tight.columns == ("f1", "f2", "c")
    assert free.means[:, 2].max() > 12.0
    assert tight.cost == 2
    assert 7.0 < tight.means[:, 2].max() <= 9.0
    assert tight.price is None, "the cost is no objective: members do not trade it"
    assert (np.diff(tight.means[:, 0]) >= 0.0).all()
    # On the front y is x up to 3, and 3 beyond.
    f1, f2, _cost = free.means.T
    x = np.where(f1 <= 72.0, np.sqrt(f1 / 8.0), np.sqrt(np.maximum(f1 / 4.0 - 9.0, 0.0)))
    best = (x - 5.0) ** 2 + (np.minimum(x, 3.0) - 5.0) ** 2
    assert (f2 - best).max() < 2.0, "of a range of 46"
    assert (f2 - best).min() > -1e-9


def test_the_cost_may_be_an_objective_and_more_may_be_better():
    def exact(points):
        return np.stack([np.sqrt(points[:, 0]) - points[:, 1], points.sum(axis=1)], axis=1)

    front = search(
        Counted(exact), factors(2), (Objective("gain", 1), Objective("cost", -1)),
        budget=Budget(0.5, "cost"), **QUICK | {"generations": 20},
    )  # fmt: skip
    assert front.columns == ("gain", "cost")
    assert front.cost == front.price == 1
    assert (np.diff(front.means[:, 1]) >= 0.0).all(), "from the cheapest to the most costly"
    assert front.points[:, 1].max() == 0.0
    assert front.means[:, 1].max() == 0.5
    assert front.extremes == {"gain": len(front) - 1, "cost": 0}
    np.testing.assert_array_equal(front.senses, [1, -1])


def test_words_are_found_and_the_same_words_are_the_same_candidate():
    of = (Factor("word", "", "made up", words=("a", "b", "c", "d", "e")), *factors(1))
    value = np.array([0.3, 0.1, 0.9, 0.2, 0.4])

    def exact(points):
        return (value[(points[:, 0] * 5).astype(int)] + 0.1 * points[:, 1])[:, None]

    evaluate = Counted(exact)
    front = search(evaluate, of, [Objective("gain", 1)], **QUICK)
    assert len(front) == 1
    assert front.settings(front.knee) == {"word": "c", "x0": 1.0}
    assert {round(u * 10) for u in np.array([np.frombuffer(k)[0] for k, _r in evaluate.done])} == {
        1, 3, 5, 7, 9,
    }  # fmt: skip


def test_a_space_that_is_exhausted_ends_the_search():
    of = (Factor("word", "", "made up", words=("a", "b")),)
    front = search(Counted(lambda p: p), of, [Objective("gain", 1)], **QUICK)
    assert front.settings(0) == {"word": "b"}
    assert len(front.history) < QUICK["generations"]
    assert front.history[-1].candidates == 2


def test_known_packages_take_part_from_the_start():
    best = np.zeros((1, 30))
    evaluate = Counted(lambda p: p.sum(axis=1, keepdims=True))
    front = search(
        evaluate, factors(30), [Objective("cost", -1)], starts=best, **QUICK | {"generations": 1}
    )
    np.testing.assert_array_equal(front.points, best)


# Chance -------------------------------------------------------------------------------------------


def test_runs_go_to_what_they_leave_open():
    evaluate = Counted(own=0.05)
    front = search(evaluate, factors(4), LESS_OF_BOTH, **QUICK)
    each = {}
    for point, run in evaluate.done:
        each.setdefault(point, []).append(run)
    assert all(runs == list(range(len(runs))) for runs in each.values()), "in order, and only once"
    assert {len(runs) for runs in each.values()} == {4, 8, 16}
    assert all(len(each[point.tobytes()]) == 16 for point in front.points)
    assert front.values.shape == (len(front), 2, 16)
    beaten = [point for point, runs in each.items() if len(runs) == 4]
    costs = zdt1(np.array([np.frombuffer(point) for point in beaten]))
    best = zdt1(front.points)
    worse = (best[:, None] < costs + 0.1).all(axis=2).any(axis=0)
    assert worse.all(), "what got no more runs is beaten by the front, or nearly so"


def test_without_chance_nobody_is_undecided_but_the_leaders():
    evaluate = Counted()
    search(evaluate, factors(4), LESS_OF_BOTH, **QUICK)
    of = np.array([np.frombuffer(point) for point, run in evaluate.done if run >= 4])
    assert 0 < len(of) < 0.6 * sum(run < 4 for _point, run in evaluate.done)


def test_fewer_runs_are_no_better_by_chance_than_more():
    """Run k adds k for everybody, so that a mean of fewer runs alone would be lower."""

    def evaluate(points, runs):
        return points.sum(axis=1)[:, None, None] + np.array(runs, float)[None, None, :]

    contest = race.Race(evaluate, (Objective("loss", -1),), None, (4, 16), 0.95)
    points = np.array([[0.0], [0.5], [1.0]])
    contest.enter(points)
    contest.extend(points[:2])
    contest.extend(points[:1])
    assert list(contest.granted.values()) == [16, 8, 4]
    np.testing.assert_allclose(contest.judge(points)[0].T, [[7.5, 8.0, 8.5]])
    assert contest.leaders(points).tolist() == [True, False, False]
    assert contest.undecided(points).tolist() == [False, False, False], "beaten, run by run"


def test_chance_alone_puts_nobody_on_the_front():
    noise = 0.1 * np.random.default_rng(2).standard_normal((4, 2, 30))
    exact = np.array([[0.0, 5.0], [0.0, 3.0], [-1.0, 6.0], [-1.0, 6.0]])[:, :, None]
    noise[1, 0] += 0.01 - noise[1, 0].mean() + noise[0, 0].mean()
    values = exact + noise
    assert pareto.undominated(-values.mean(axis=2), np.ones(4, bool))[1]
    assert pareto.distinct(values, 0.95).tolist() == [True, False, True, True]
    same = pareto.distinct(exact + np.zeros(30), 0.95)
    assert same.tolist() == [True, False, True, False], "of equals, one"
    # A row of members: each step up certainly costs more, and brings something only by twos.
    row = np.stack([np.arange(7.0), -np.arange(7.0)], axis=1)[:, :, None] + np.zeros(30)
    row[:, 0] += 1.8 * np.random.default_rng(3).standard_normal((7, 30))
    stays = pareto.distinct(row, 0.95)
    assert stays[0]
    assert 2 <= stays.sum() < 7
    assert np.flatnonzero(stays).max() >= 4


def test_undefined_runs_keep_a_candidate_out():
    def exact(points):
        values = zdt1(points)
        values[points[:, 0] > 0.5] = np.nan
        return values

    front = search(Counted(exact), factors(3), LESS_OF_BOTH, **QUICK)
    assert front.points[:, 0].max() <= 0.5
    assert np.isfinite(front.values).all()
    with pytest.raises(KolabsimError, match="no candidate has defined objectives"):
        search(Counted(lambda p: zdt1(p) * np.nan), factors(3), LESS_OF_BOTH, **QUICK)


def test_no_candidate_within_the_budget_is_said_with_the_cheapest():
    with pytest.raises(KolabsimError, match=r"budget of -1: the cheapest costs 0 .*x0 1, x1 0"):
        search(Counted(bnh), factors(2), LESS_OF_BOTH, budget=Budget(-1.0, "c"),
               **QUICK | {"generations": 30})  # fmt: skip


def test_the_same_seed_gives_the_same_front_and_another_another():
    evaluates = [Counted(own=0.02) for _ in range(2)]
    one, two = (search(evaluate, factors(4), LESS_OF_BOTH, **QUICK) for evaluate in evaluates)
    same(one, two)
    assert len(set(evaluates[0].done)) == len(evaluates[0].done), "no run is simulated twice"
    other = search(Counted(own=0.02), factors(4), LESS_OF_BOTH, seed=2, **QUICK)
    assert not np.array_equal(one.points[:5], other.points[:5])


# Requests ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"objectives": ()}, "objectives: give at least one"),
        ({"objectives": (Objective("f1", 2),)}, "f1: direction 2 is unknown"),
        ({"objectives": LESS_OF_BOTH * 2}, "'f1' is given twice"),
        ({"factors": ()}, "factors: give at least one"),
        ({"factors": factors(1) * 2}, "'x0' is given twice"),
        ({"population": 7}, "population: 7 is not a whole number of at least 8"),
        ({"generations": 0}, "generations: 0"),
        ({"generations": True}, "generations: True"),
        ({"runs": (1, 4)}, "runs: 1 is not a whole number of at least 2"),
        ({"runs": (8, 4)}, "the fewest, 8, exceed the most, 4"),
        ({"steps": 0}, "steps: 0"),
        ({"seed": -1}, "seed: -1"),
        ({"level": 95}, "level: 95"),
        ({"budget": Budget(float("nan"), "c")}, "budget: nan"),
        ({"starts": np.zeros((2, 4))}, r"starts: the shape is \(2, 4\)"),
        ({"starts": np.full((2, 3), 1.5)}, "starts: not all points"),
    ],
)
def test_requests_that_make_no_sense_are_refused_before_anything_is_simulated(changes, message):
    asked = {"factors": factors(3), "objectives": LESS_OF_BOTH, **QUICK, **changes}
    evaluate = Counted()
    with pytest.raises(InputError, match=message):
        search(evaluate, asked.pop("factors"), asked.pop("objectives"), **asked)
    assert evaluate.calls == 0


def test_all_problems_are_told_at_once():
    with pytest.raises(InputError, match="3 problems"):
        search(Counted(), factors(3), (), generations=0, population=2)


def test_values_of_another_shape_are_refused():
    with pytest.raises(KolabsimError, match=r"shape \(12, 2\); expected: \(12, 2, 4\)"):
        search(lambda points, _runs: zdt1(points), factors(3), LESS_OF_BOTH, **QUICK)


# What a front says ------------------------------------------------------------------------------


def test_the_knee_is_farthest_from_the_line_whatever_the_units():
    costs = np.array([[0.0, 10.0], [1.0, 6.0], [2.0, 1.0], [6.0, 0.5], [10.0, 0.0]])
    assert knee_of(costs) == 2
    assert knee_of(costs * [1e9, -1e-6] * [1, -1]) == 2
    assert knee_of(costs[::-1]) == 2
    assert knee_of(np.array([[0.0, 1.0], [0.9, 0.9], [1.0, 0.0]])) in (0, 2), "nowhere bulging"
    assert knee_of(np.array([[3.0, 4.0]])) == 0
    assert knee_of(np.array([[3.0], [2.0], [4.0]])) == 1


def test_the_knee_of_three_objectives():
    corner = np.eye(3)[::-1]
    costs = np.vstack([corner, [[0.5, 0.5, 0.4], [0.2, 0.1, 0.2], [0.1, 0.6, 0.3]]])
    assert knee_of(costs) == 4
    # Two objectives with the same best member share a weight; one alone has all of it.
    twins = np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
    np.testing.assert_allclose(pareto.facing(twins), [0.5, 0.5, 1.0])
    f = np.linspace(0.0, 1.0, 11)
    assert knee_of(np.stack([-np.sqrt(f), -np.sqrt(f), f], axis=1)) in (2, 3)
    assert knee_of(np.stack([-np.sqrt(f), f], axis=1)) in (2, 3)
    assert pareto.facing(np.zeros((1, 1))).tolist() == [1.0]
    away = np.array([[0.0, 1.0, 0.9], [0.9, 0.0, 0.9], [0.1, 0.1, 0.0]])
    assert pareto.facing(away).tolist() == [1.0, 1.0, 1.0], "that plane does not face the best"


def test_how_often_the_knee_stays_the_knee():
    costs = np.array([[0.0, 1.0], [0.2, 0.2], [0.25, 0.19], [1.0, 0.0]])[:, :, None]
    stable = pareto.knee_shares(costs + np.zeros(40), seed=1)
    assert stable.tolist() == [0.0, 1.0, 0.0, 0.0]
    noise = 0.1 * np.random.default_rng(1).standard_normal((4, 2, 40))
    open_ = pareto.knee_shares(costs + noise, seed=1)
    assert open_.sum() == pytest.approx(1.0)
    assert 0.02 < open_[2] < 0.98
    shared = pareto.knee_shares(costs + np.random.default_rng(1).standard_normal(40), seed=1)
    assert shared.tolist() == [0.0, 1.0, 0.0, 0.0], "chance that all share moves nothing"


def test_hypervolume_by_hand():
    costs = np.array([[0.0, 0.0], [0.0, 4.0], [2.0, 0.0], [1.0, 1.0], [2.0, 4.0]])
    found = pareto.hypervolumes(costs, np.array([0.1, 0, 0, 0, 0]), [1, 3, 4, 5])
    assert found.tolist() == [0.0, 0.0, pytest.approx(0.5 * 0.75), pytest.approx(0.5 * 0.75)]


def test_what_none_beats():
    chance = np.random.default_rng(4)
    for objectives in (1, 2, 3):
        costs = chance.integers(0, 6, (80, objectives)).astype(float)
        allowed = chance.random(80) < 0.7
        slow = [
            bool(allowed[k])
            and not any(
                (one <= costs[k]).all() and (one < costs[k]).any() for one in costs[allowed]
            )
            for k in range(80)
        ]
        assert pareto.undominated(costs, allowed).tolist() == slow


def test_members_that_show_the_front():
    front = search(Counted(), factors(3), LESS_OF_BOTH, **QUICK | {"generations": 20})
    few = front.spread(5)
    assert few == sorted(set(few))
    assert len(few) == 5
    assert {front.knee, *front.extremes.values()} <= set(few)
    assert front.spread(1000) == list(range(len(front)))
    table = front.table()
    assert list(table.columns) == [
        "x0", "x1", "x2", "f1", "f1_low", "f1_high", "f2", "f2_low", "f2_high", "knee_share",
    ]  # fmt: skip
    assert len(table) == len(front)


# In many futures --------------------------------------------------------------------------------


def made_up_front(means, budget=None):
    means = np.asarray(means, float)
    objectives = (Objective("gain", 1), Objective("cost", -1))
    empty = np.zeros(len(means))
    return pareto.Front(
        factors(1), objectives, budget, 0.95, empty[:, None], means[:, :, None] * np.ones(4), (),
        np.ones(1), 0, empty,
    )  # fmt: skip


def test_futures_by_hand():
    front = made_up_front([[1.0, 1.0], [2.0, 2.0]], Budget(2.5, "cost"))
    values = np.zeros((2, 2, 20, 3))
    values[0, 0], values[0, 1] = 1.0, 1.0
    values[1, 0] = np.arange(20.0)[:, None] + [-1.0, 0.0, 1.0]
    values[1, 1] = 2.0
    values[1, 1, 15:] = 3.0
    names = [f"future {k}" for k in range(20)]
    asked = []

    def evaluate(points, runs):
        asked.append((len(points), runs))
        return values

    found = reevaluate(front, evaluate, names, runs=range(100, 103))
    assert asked == [(2, range(100, 103))]
    assert found.futures == tuple(names)
    np.testing.assert_allclose(found.means, [[1.0, 1.0], [9.5, 2.25]])
    half = 2.0930240544 * np.std(np.arange(20.0), ddof=1) / np.sqrt(20)
    np.testing.assert_allclose(found.intervals[1, 0], [9.5 - half, 9.5 + half])
    # The worst two of twenty futures: gains 0 and 1, costs 3 and 3.
    np.testing.assert_allclose(found.worst, [[1.0, 1.0], [0.5, 3.0]])
    np.testing.assert_allclose(found.within, [1.0, 0.75])
    # The second is beaten in the futures where it gains 0 and 1; it never beats the cheaper first.
    np.testing.assert_allclose(found.stays, [1.0, 0.65])
    values[1, 1] = 1.0
    stays = reevaluate(front, evaluate, names, runs=range(3)).stays
    np.testing.assert_allclose(stays, [0.1, 0.95], err_msg="ties beat nobody")
    one = reevaluate(front, lambda _p, _r: values[1:], names, runs=range(3), members=[1])
    assert one.members == (1,)
    assert one.stays.tolist() == [1.0], "nobody else was judged"


def test_gains_over_doing_nothing_and_the_best_over_futures():
    front = made_up_front([[1.0, 1.0], [2.0, 2.0], [3.0, 9.0]], Budget(2.5, "cost"))
    values = np.zeros((3, 2, 5, 2))
    values[:, 0] = np.array([1.0, 4.0, 5.0])[:, None, None] + np.arange(5.0)[:, None]
    values[:, 1] = np.array([0.0, 0.5, 9.0])[:, None, None]
    nothing = np.zeros((2, 5, 2))
    nothing[0] = np.arange(5.0)[:, None] ** 2
    found = reevaluate(front, lambda _p, _r: values, "abcde", runs=range(2), nothing=nothing)
    # The third is over the budget; of the others the medians are 3 and 6.
    assert found.gains[1, 0].tolist() == [4.0, 4.0, 2.0, -2.0, -8.0]
    median, low, high, better = found.gain(1, 0, 1)
    assert (median, better) == (2.0, 0.6)
    assert (low, high) == pytest.approx((-6.8, 4.0))
    assert found.best in (0, 1)


def test_what_is_idle_is_one_point():
    words = np.array([0, 3, 0])
    points = np.array([[0.05, 0.9, 0.6], [0.9, 0.9, 0.6]])
    found = on_grid(points, words, 4, [(1, 0), (2, 0)])
    np.testing.assert_allclose(found, [[0.0, 1 / 6, 0.0], [1.0, 5 / 6, 0.5]])


def test_undefined_in_a_future_and_other_shapes():
    front = made_up_front([[1.0, 1.0], [2.0, 2.0]])
    values = np.ones((2, 2, 3, 4)) * np.array([1.0, 2.0, 3.0])[:, None]
    values[0, 0, 2] = np.nan
    found = reevaluate(front, lambda _p, _r: values, "abc", runs=range(4))
    assert found.means[0].tolist() == [1.5, 2.0]
    assert found.worst[0].tolist() == [1.0, 3.0]
    np.testing.assert_allclose(found.stays, [2 / 3, 1.0])
    with pytest.raises(KolabsimError, match="shape"):
        reevaluate(front, lambda _p, _r: values, "ab", runs=range(4))
