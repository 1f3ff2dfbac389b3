"""The outlook of one region: prospective partners, net benefit, costs and partners of a strategy.

Runs of the strategy and of the baseline share all draws. As in comparisons, results are medians and
ranges over plausible futures, or means with intervals in one future.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from kolabsim.analysis.arrays import check_level
from kolabsim.analysis.group_search import Searched, search_groups
from kolabsim.analysis.outlook import (
    ROOM,
    look,
    party_at,
    place_of,
    run_draws,
    stand_alone_cost,
    unit_costs,
)
from kolabsim.analysis.plausible import check_criteria, gain_columns
from kolabsim.analysis.statistics import CRITERIA, ROUNDING, Criteria, effects, quantiles
from kolabsim.engine.ensemble import BLOCK, Task, new_state, run_block
from kolabsim.errors import Problems
from kolabsim.i18n import _
from kolabsim.model import laws
from kolabsim.model.bodies import (
    cross_omega,
    current_goodwill,
    judge_union,
    may_unite,
    own_change,
    party_row,
)
from kolabsim.model.jit import device, host_entry
from kolabsim.model.levers import CONTRACT
from kolabsim.model.measures import CHANNELS, REGION_MEASURES, TRACE
from kolabsim.model.parameters import QUARTERS
from kolabsim.model.state import BUYER, NOBODY, PROVIDER, ROW, State
from kolabsim.scenario.compile import build_policy, contact_arrays
from kolabsim.scenario.futures import plausible_futures, plausible_names
from kolabsim.scenario.scenario import BASELINE, Scenario
from kolabsim.study.api import check_request
from kolabsim.study.spec import default_runs
from kolabsim.study.tasks import DEFAULT_FUTURE, build_futures

FIRST_CHANNEL = list(REGION_MEASURES).index(next(iter(CHANNELS)))
COSTS = ("startup", "joint", "alone", "programme", "saving", "benefit")
"""Sums of money over a run: start-up cost, share of joint cost, stand-alone cost of the same
services, programme cost that the region bears, net saving, net benefit."""


@dataclass(frozen=True)
class RegionOutlook:
    """A strategy against a baseline for one region; money is in the scenario's currency.

    Over plausible futures, differences are medians with ranges of 90% of the futures, and verdicts
    are those of comparisons; in one future they are means with intervals.
    """

    scenario: Scenario = field(repr=False)
    code: str
    strategy: str
    baseline: str
    futures: tuple[str, ...] = field(repr=False)
    """Names of the futures that were simulated."""
    runs: int
    """Runs of each of the two strategies in each future."""
    criteria: Criteria
    """When a difference matters, and in how many futures it must hold."""
    prospects: pd.DataFrame = field(repr=False)
    """Columns: area, region (codes of a contact), partners (codes of its party), km; ``gain``:
    change of judged net benefit per year if the two united at the start, as a share of the region's
    stand-alone cost, with its range or interval ``low``, ``high``, and its ``verdict``; ``money``:
    the same in money; ``share``: share of futures (or draws) in which the region would gain;
    ``both``: in which the contact would gain too; ``contract``: share of draws in which the union
    would be a contract; ``provides``: one in which the region itself provides. The best for the
    region first."""
    groups: Searched = field(repr=False)
    """The best joint bodies of up to five members, by service area."""
    costs: pd.DataFrame = field(repr=False)
    """Columns: item (:data:`COSTS`), ``baseline``, ``mean``: money over the run, in the median
    future; ``difference`` with ``low``, ``high``, and its ``verdict``."""
    benefit: pd.Series = field(repr=False)
    """Difference of net benefit over the run as a share of stand-alone cost: difference, low, high,
    chance_low, chance_high, verdict, and better_share and worse_share: of futures in which the
    region gains and loses, or of runs in which it is better and worse off."""
    channels: pd.DataFrame = field(repr=False)
    """Columns: channel; ``difference``: difference in net benefit of the last year as a share of
    stand-alone cost, the mean over futures, which adds up; ``low``, ``high``, ``verdict``;
    ``money``: the difference in money per year."""
    years: np.ndarray = field(repr=False)
    """Years from the start, the last of them the end of the run."""
    paths: np.ndarray = field(repr=False)
    """[futures, years] net saving up to each year beyond the baseline's, in money, without the
    chance of the runs in each future; in one future, [runs, years]."""
    partners: pd.DataFrame = field(repr=False)
    """Columns: strategy, area, region; ``share`` of runs in which both are partners at the end,
    ``provides``: in which the other provides to it under a contract, ``buys``: in which the other
    buys from it. With the region's own code: in which it is in any body, provides, or buys."""

    @property
    def is_varied(self) -> bool:
        """Whether results are over plausible futures."""
        return len(self.futures) > 1

    @property
    def level(self) -> float:
        """Confidence level of intervals, which show what chance leaves open."""
        return self.criteria.level

    @property
    def name(self) -> str:
        """The name of the region."""
        regions = self.scenario.regions
        return regions.labels[regions.codes.index(self.code)]

    @property
    def saving(self) -> np.ndarray:
        """[years] net saving up to each year beyond the baseline's: median, or mean of the runs."""
        return quantiles(self.paths, (0.5,))[0] if self.is_varied else self.paths.mean(axis=0)

    def break_even(self) -> float | None:
        """Return the year from which net saving beyond the baseline stays above zero.

        None where it does not within the run, or where nothing is spent or saved.
        """
        middle = self.saving
        if middle[-1] <= 0.0:
            return None
        short = np.flatnonzero(middle < 0.0)
        return float(self.years[short[-1] + 1 if len(short) else 0])


def region_outlook(
    scenario: Scenario,
    code: str,
    strategy: str,
    *,
    baseline: str = BASELINE,
    futures: Mapping[str, Mapping[str, object]] | None = None,
    runs: int | None = None,
    seed: int = 1,
    level: float = CRITERIA.level,
    practical_threshold: float = CRITERIA.threshold,
    robust: float = CRITERIA.robust,
    likely: float = CRITERIA.likely,
    comparisons: int = 1,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> RegionOutlook:
    """Compare a strategy with a baseline for one region, over plausible futures.

    Parameters
    ----------
    scenario, code, strategy, baseline
        The scenario, the code of its region, and the two strategies.
    futures
        Settings by dotted names for each future, as in :func:`kolabsim.simulate`; default: all
        plausible futures that ship. Of others than plausible ones, the first is used.
    runs
        Runs of each strategy in each future, at least 2; default: as in a comparison.
    seed
        Seed of all random draws; the same runs as in a comparison with this seed.
    level, practical_threshold, robust, likely
        As in :func:`kolabsim.compare`.
    comparisons
        For how many regions and strategies the verdict on net benefit is corrected.
    threads
        Threads that simulate side by side; default: all cores.
    progress
        Called with the number of runs done so far, of twice the runs in all futures.

    Raises
    ------
    InputError
        For a code or a strategy that the scenario does not have, and numbers out of range.

    Examples
    --------
    >>> import kolabsim as ks
    >>> from kolabsim.analysis.region import region_outlook
    >>> towns = ks.load("small-towns").with_(horizon=4)
    >>> found = region_outlook(towns, towns.regions.codes[0], "team", futures={}, runs=2)
    >>> found.is_varied, found.costs["item"].tolist()[-1]
    (False, 'benefit')
    """
    i, criteria = place_of(scenario, code), Criteria(practical_threshold, robust, likely, level)
    if futures is None:
        futures = plausible_futures(None, scenario)
    names = plausible_names(futures) or tuple(futures)[:1] or (DEFAULT_FUTURE,)
    runs = default_runs(len(names)) if runs is None else runs
    check_request(scenario, {strategy, baseline}, runs=runs, seed=seed)
    problems = Problems()
    if strategy == baseline or runs < 2:
        text = _("the outlook of a region needs at least two runs and two different strategies")
        problems.add(text)
    check_level(level, problems)
    check_criteria(criteria, problems)
    problems.raise_if_any()
    worlds = build_futures(scenario, {name: futures.get(name, {}) for name in names}, seed)
    tasks = [
        [task._replace(policy=build_policy(world, world.strategies[one]))
         for world, task in worlds.values()]
        for one in (baseline, strategy)
    ]  # fmt: skip
    settings = [world for world, _task in worlds.values()]
    found = simulate_region(tasks, settings, i, runs, threads, progress)
    alone = np.array([stand_alone_cost(world)[i] for world in settings])[:, None]
    shares = found.sums / alone
    judged = gain_columns(
        shares, criteria, threshold=criteria.threshold, comparisons=comparisons
    )  # fmt: skip
    before, after = quantiles(found.sums.mean(axis=-1), (0.5,), axis=-1)[0]
    sums = columns_of(gain_columns(found.sums, criteria)) | {"verdict": judged["verdict"]}
    parts = found.channels / found.last[:, None]
    yearly = gain_columns(
        parts, criteria, threshold=criteria.threshold, comparisons=len(CHANNELS)
    )  # fmt: skip
    yearly["difference"] = (parts[1] - parts[0]).mean(axis=(-1, -2))  # medians do not add up
    money = (found.channels[1] - found.channels[0]).mean(axis=(-1, -2))
    paths = found.paths[1] - found.paths[0]
    return RegionOutlook(
        scenario=scenario,
        code=scenario.regions.codes[i],
        strategy=strategy,
        baseline=baseline,
        futures=names,
        runs=runs,
        criteria=criteria,
        prospects=prospect_table(settings, tasks[0], i, runs, criteria),
        groups=search_groups(scenario, tasks[0], i, runs, criteria),
        costs=pd.DataFrame({"item": COSTS, "baseline": before, "mean": after} | sums),
        benefit=pd.DataFrame(judged).iloc[COSTS.index("benefit")],
        channels=pd.DataFrame({"channel": tuple(CHANNELS)} | columns_of(yearly) | {"money": money}),
        years=ends_of(scenario.horizon) / QUARTERS,
        paths=effects(paths).values.T if len(names) > 1 else paths[:, 0].T,
        partners=partner_table(found, scenario, (baseline, strategy), i),
    )


# Prospective partners ---------------------------------------------------------------------------


@device
def prospect(s, p, i, a, c, quarter):
    """Return the net benefit to region i of uniting with the party of its contact c (E6).

    As it judges an option in the first stage; share of its stand-alone cost, a year. With it come
    the legal form of the union, and the region that provides under a contract.
    """
    region, slot = s.region[i], s.slot[i, a]
    first, second = party_row(s.slot, i, a), party_row(s.slot, s.contact[c].target, a)
    sides, view, whole = judge_union(s, p, i, a, first, second, 0.0, quarter)
    row = s.sums[-1]
    omega = slot.omega + cross_omega(region, s.slot, s.contact, a, second)
    own = own_change(s, i, a, p, view, omega, row[ROW.residents], sides.first_enters)
    goodwill = current_goodwill(region, slot, quarter)
    gain = laws.with_goodwill(own, whole, row[ROW.members] - 1.0, goodwill)
    return gain, sides.form, sides.provider


def prospect_table(
    settings: Sequence[Scenario], tasks: Sequence[Task], i: int, runs: int, criteria: Criteria
) -> pd.DataFrame:
    """Return the contacts of region i in every area, and the gain from uniting with them.

    ``settings`` and ``tasks`` are the scenario and the engine's input in each future.
    """
    scenario, world = settings[0], tasks[0].world
    distance, places = contact_arrays(scenario)[2], list(look(tasks, runs))
    contacts = range(int(world.region["first"][i]), int(world.region["end"][i]))
    areas = list(scenario.areas)
    shape = (len(contacts), len(areas), len(tasks), places[-1][1] + 1)
    gains = np.full((2, *shape), np.nan)  # of the region, and of the contact
    forms = np.full((2, *shape), NOBODY)  # legal form, provider
    alone = np.empty(shape[1:])
    parties = dict[tuple[int, int], list[int]]()
    targets = [int(world.contact["target"][c]) for c in contacts]
    for (f, draw), state in run_draws(tasks, places):
        p = tasks[f].parameters
        unit = state.slot["people"][i] * state.slot["alone"][i]
        alone[:, f, draw] = unit * tasks[f].world.area["cost_per_resident"]
        for k, (c, j) in enumerate(zip(contacts, targets, strict=True)):
            back = int(state.contact["reverse"][c])
            for a in range(len(areas)):
                if is_open(state, i, j, a):
                    place = (slice(None), k, a, f, draw)
                    gain, *forms[place] = host_entry(prospect)(state, p, i, a, c, 0)
                    other, _form, _provider = host_entry(prospect)(state, p, j, a, back, 0)
                    gains[place] = gain, other
                    parties.setdefault((k, a), party_at(state, j, a))
    nothing = np.zeros(shape)
    own = gain_columns(
        np.stack([nothing, gains[0]]), criteria, threshold=criteria.threshold,
        comparisons=max(len(parties), 1),
    )  # fmt: skip
    money = gain_columns(np.stack([nothing, gains[0] * alone]), criteria)["difference"]
    both = shares_of_both(gains, criteria)
    codes = scenario.regions.codes
    rows = [
        {
            "area": areas[a],
            "region": codes[targets[k]],
            "partners": tuple(codes[m] for m in party),
            "km": distance[contacts[k]],
            "gain": own["difference"][k, a],
            "low": own["low"][k, a],
            "high": own["high"][k, a],
            "verdict": own["verdict"][k, a],
            "money": money[k, a],
            "share": own["better_share"][k, a],
            "both": both[k, a],
            "contract": float((forms[0, k, a] == CONTRACT).mean()),
            "provides": float(((forms[0, k, a] == CONTRACT) & (forms[1, k, a] == i)).mean()),
        }
        for (k, a), party in sorted(parties.items())
    ]
    columns = [
        "area", "region", "partners", "km", "gain", "low", "high", "verdict", "money", "share",
        "both", "contract", "provides",
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values("gain", ascending=False, kind="stable", ignore_index=True)


def shares_of_both(gains: np.ndarray, criteria: Criteria) -> np.ndarray:
    """Return the shares of futures, or of draws in one future, in which both sides gain.

    ``gains`` are those of the region and of its contact, [2, ..., futures, draws].
    """
    if gains.shape[-2] == 1:
        return (gains[..., 0, :] > 0.0).all(axis=0).mean(axis=-1)
    return (effects(gains).values > criteria.threshold).all(axis=0).mean(axis=-1)


def is_open(state: State, i: int, j: int, a: int) -> bool:
    """Whether two regions could unite in an area: neither buys it, and they are few enough."""
    one, other = party_at(state, i, a), party_at(state, j, a)
    rows = (host_entry(party_row)(state.slot, k, a) for k in (i, j))
    may = host_entry(may_unite)(state, i, j, a, *rows)
    return bool(may) and len(one) + len(other) <= state.moment["cap"][0]


# Effects of a strategy ------------------------------------------------------------------------


class RegionRuns(NamedTuple):
    """Results of one region from the runs of the baseline (0) and the strategy (1)."""

    paths: np.ndarray
    """[2, years, futures, runs] net saving up to each year."""
    sums: np.ndarray
    """[2, items of COSTS, futures, runs]."""
    channels: np.ndarray
    """[2, channels, futures, runs] net benefit of the last year, in money per year."""
    last: np.ndarray
    """[2, futures, runs] stand-alone cost in the last year."""
    together: np.ndarray
    """[2, regions, areas] share of runs in which it is a partner of each region at the end."""
    provides: np.ndarray
    """[2, regions, areas] share in which this partner provides under a contract, or itself."""
    buys: np.ndarray
    """[2, regions, areas] share in which this partner buys under a contract, or itself."""


def ends_of(horizon: int) -> np.ndarray:
    """Return the quarters after which a year ends, and the end of the run."""
    return np.unique([*range(QUARTERS, horizon, QUARTERS), horizon])


def simulate_region(
    tasks: Sequence[Sequence[Task]],
    settings: Sequence[Scenario],
    i: int,
    runs: int,
    threads: int | None,
    progress: Callable[[int], None] | None,
) -> RegionRuns:
    """Simulate the tasks of both strategies in all futures, in blocks of runs in parallel."""
    scenario = settings[0]
    size = len(scenario.regions) * len(scenario.areas) * scenario.horizon * len(TRACE)
    block = int(np.clip(ROOM // size, 1, BLOCK))
    work = [
        (task, np.arange(first, min(first + block, runs)), world)
        for of_strategy in tasks
        for task, world in zip(of_strategy, settings, strict=True)
        for first in range(0, runs, block)
    ]
    found, done = [], 0
    with ThreadPoolExecutor(threads) as pool:
        for kept in pool.map(lambda of: one_block(of[0], of[1], of[2], i), work):
            found.append(kept)
            done += kept[0].shape[-1]
            if progress is not None:
                progress(done)
    *numbers, together, provides, buys = zip(*found, strict=True)

    def arranged(parts: Sequence[np.ndarray]) -> np.ndarray:
        whole = np.concatenate(parts, axis=-1)
        whole = whole.reshape(*whole.shape[:-1], 2, len(settings), runs)
        return np.moveaxis(whole, -3, 0)

    def share(parts: Sequence[np.ndarray]) -> np.ndarray:
        both = np.stack(parts).reshape(2, -1, *parts[0].shape)
        return both.sum(axis=1) / (len(settings) * runs)

    counts = (share(parts) for parts in (together, provides, buys))
    return RegionRuns(*(arranged(parts) for parts in numbers), *counts)


def one_block(task: Task, numbers: np.ndarray, scenario: Scenario, i: int) -> tuple:
    """Return the arrays of one region from a block of runs, the runs last; counts of partners."""
    state = new_state(task.world)
    saving = list(REGION_MEASURES).index("saving")
    ends = ends_of(scenario.horizon)
    paths = np.empty((len(numbers), len(ends)))
    # No stage reads the horizon: a shorter run equals the first quarters of a longer one.
    for k, end in enumerate(ends[:-1]):
        setting = task.world.setting.copy()
        setting["horizon"] = end
        shorter = task._replace(world=task.world._replace(setting=setting))
        paths[:, k] = run_block(shorter, numbers, state=state).figures[:, i, :, saving].sum(axis=1)
    kept = run_block(task, numbers, trace=True, state=state)
    figures = kept.figures[:, i]
    at = {name: kept.trace[:, :, i, :, place] for place, name in enumerate(TRACE)}
    paths[:, -1] = figures[..., saving].sum(axis=1)
    money = at["people"] * unit_costs(scenario, at["people"]) / QUARTERS
    money *= task.world.area["cost_per_resident"]
    shared = at["body"] != NOBODY
    benefit = figures[..., list(REGION_MEASURES).index("benefit_money")].sum(axis=1)
    # Net benefit is that of bodies, less start-up cost, less programme cost borne.
    borne = ((at["realised"] + at["entry"]) * money).sum(axis=(1, 2)) - benefit
    error = ROUNDING * money.sum(axis=(1, 2))
    sums = {
        "startup": -(at["entry"] * money).sum(axis=(1, 2)),
        "joint": (at["cost"] * money * shared).sum(axis=(1, 2)),
        "alone": (money * shared).sum(axis=(1, 2)),
        "programme": np.where(borne > error, borne, 0.0),
        "saving": paths[:, -1],
        "benefit": benefit,
    }
    last = money[:, -QUARTERS:].mean(axis=1) * QUARTERS
    channels = (figures[..., FIRST_CHANNEL:] * last[..., None]).sum(axis=1)
    body, role = (kept.trace[:, -1, :, :, TRACE.index(name)] for name in ("body", "role"))
    together = (body == body[:, i : i + 1]) & (body[:, i : i + 1] != NOBODY)
    buyers = (role == BUYER) & (role[:, i : i + 1] == BUYER)
    buyers[:, i] = False
    together &= ~buyers
    roles = together * role
    return (
        paths.T,
        np.stack([sums[name] for name in COSTS]),
        channels.T,
        last.sum(axis=1),
        together.sum(axis=0),
        (roles == PROVIDER).sum(axis=0),
        (roles == BUYER).sum(axis=0),
    )


def columns_of(found: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return difference, ends and verdict of gains and losses as columns of a table."""
    return {name: found[name] for name in ("difference", "low", "high", "verdict")}


def partner_table(
    found: RegionRuns, scenario: Scenario, strategies: tuple[str, str], i: int
) -> pd.DataFrame:
    """Return the share of runs in which the region shares each area with each other at the end."""
    shares = found.together
    rows = [
        {
            "strategy": strategy,
            "area": area,
            "region": code,
            "share": shares[s, j, a],
            "provides": found.provides[s, j, a],
            "buys": found.buys[s, j, a],
        }
        for s, strategy in enumerate(strategies)
        for a, area in enumerate(scenario.areas)
        for j, code in enumerate(scenario.regions.codes)
        if shares[s, j, a] > 0.0 or j == i
    ]
    columns = ["strategy", "area", "region", "share", "provides", "buys"]
    return pd.DataFrame(rows, columns=columns)
