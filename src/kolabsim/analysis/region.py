"""The outlook of one region: prospective partners, net benefit, costs and partners of a strategy.

Runs of the strategy and of the baseline share all draws, and intervals are of paired differences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from kolabsim.analysis.statistics import (
    GAINS,
    LOSES,
    ROUNDING,
    mean_interval,
    share_better,
    verdicts,
)
from kolabsim.engine.ensemble import BLOCK, Task, build_task, new_state, run_block, support_for
from kolabsim.errors import InputError, nearest, suggestion
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
from kolabsim.model.initialisation import initialise
from kolabsim.model.interventions import start_quarter
from kolabsim.model.jit import device, host_entry
from kolabsim.model.levers import CONTRACT, UNIT_COSTS
from kolabsim.model.measures import CHANNELS, REGION_MEASURES, TRACE
from kolabsim.model.parameters import QUARTERS
from kolabsim.model.rng import Key
from kolabsim.model.state import BUYER, NOBODY, PROVIDER, ROW, State
from kolabsim.scenario.compile import build_changes, contact_arrays
from kolabsim.scenario.names import plain
from kolabsim.scenario.scenario import BASELINE, Scenario
from kolabsim.study.api import check_request

LOOKED_AT = 100
"""Most draws of traits for which unions are judged."""
ROOM = 20_000_000
"""Most numbers of a trace in memory at a time."""
FIRST_CHANNEL = list(REGION_MEASURES).index(next(iter(CHANNELS)))
COSTS = ("startup", "joint", "alone", "programme", "saving", "benefit")
"""Sums of money over a run: start-up cost, share of joint cost, stand-alone cost of the same
services, programme cost that the region bears, net saving, net benefit."""


@dataclass(frozen=True)
class RegionOutlook:
    """A strategy against a baseline for one region; money is in the scenario's currency."""

    scenario: Scenario = field(repr=False)
    code: str
    strategy: str
    baseline: str
    runs: int
    level: float
    prospects: pd.DataFrame = field(repr=False)
    """Columns: area, region (code of a contact), partners (codes of its party), km; ``gain``: mean
    change of judged net benefit per year if the two united at the start, as a share of the region's
    stand-alone cost, with its interval ``low``, ``high``; ``money``: the same in money; ``share``:
    share of draws in which the region would gain; ``both``: in which the contact would gain too;
    ``contract``: in which the union would be a contract; ``provides``: one in which the region
    itself provides. The best for the region first."""
    costs: pd.DataFrame = field(repr=False)
    """Columns: item (:data:`COSTS`), ``baseline``, ``mean``: money over the run; ``difference``
    with its interval ``low``, ``high``."""
    benefit: dict[str, float | str] = field(repr=False)
    """Difference of net benefit over the run as a share of stand-alone cost: difference, low, high,
    verdict (gains, loses, undecided), better_share of the runs."""
    channels: pd.DataFrame = field(repr=False)
    """Columns: channel, ``difference``, ``low``, ``high``: difference in net benefit of the last
    year as a share of stand-alone cost; ``money``: the same in money per year."""
    years: np.ndarray = field(repr=False)
    """Years from the start, the last of them the end of the run."""
    paths: np.ndarray = field(repr=False)
    """[runs, years] net saving up to each year beyond the baseline's, in money."""
    partners: pd.DataFrame = field(repr=False)
    """Columns: strategy, area, region; ``share`` of runs in which both are partners at the end,
    ``provides``: in which the other provides to it under a contract, ``buys``: in which the other
    buys from it. With the region's own code: in which it is in any body, provides, or buys."""

    @property
    def name(self) -> str:
        """The name of the region."""
        regions = self.scenario.regions
        return regions.labels[regions.codes.index(self.code)]

    def break_even(self) -> float | None:
        """Return the year from which the mean net saving beyond the baseline stays above zero.

        None where it does not within the run, or where nothing is spent or saved.
        """
        mean = self.paths.mean(axis=0)
        if mean[-1] <= 0.0:
            return None
        short = np.flatnonzero(mean < 0.0)
        return float(self.years[short[-1] + 1 if len(short) else 0])


def region_outlook(
    scenario: Scenario,
    code: str,
    strategy: str,
    *,
    baseline: str = BASELINE,
    runs: int = 200,
    seed: int = 1,
    level: float = 0.95,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> RegionOutlook:
    """Compare a strategy with a baseline for one region, from ``runs`` pairs of runs.

    ``progress`` is called with the number of runs done so far, of ``2 * runs``. Raises
    :class:`~kolabsim.errors.InputError` for a code or a strategy that the scenario does not have,
    and for fewer than two runs.
    """
    i = place_of(scenario, code)
    check_request(scenario, {strategy, baseline}, runs=runs, seed=seed)
    if strategy == baseline or runs < 2:
        text = _("the outlook of a region needs at least two runs and two different strategies")
        raise InputError.of(text)
    tasks = [
        build_task(scenario, scenario.strategies[name], seed=seed) for name in (baseline, strategy)
    ]
    found = RegionRuns(*simulate_region(tasks, scenario, i, runs, threads, progress))
    before, after = found.sums.mean(axis=1)
    costs = columns_of(found.sums, level)
    channels = columns_of(found.channels / found.last[..., None], level)
    money = (found.channels[1] - found.channels[0]).mean(axis=0)
    gained = found.sums[..., COSTS.index("benefit")] / found.whole
    benefit = columns_of(gained, level)
    benefit["verdict"] = verdicts(benefit["low"], benefit["high"], 1, words=(GAINS, LOSES))
    benefit["better_share"] = share_better(gained[1] - gained[0])
    return RegionOutlook(
        scenario=scenario,
        code=scenario.regions.codes[i],
        strategy=strategy,
        baseline=baseline,
        runs=runs,
        level=level,
        prospects=prospect_table(scenario, tasks[0], i, min(runs, LOOKED_AT), level),
        costs=pd.DataFrame({"item": COSTS, "baseline": before, "mean": after} | costs),
        benefit={name: part.item() for name, part in benefit.items()},
        channels=pd.DataFrame({"channel": tuple(CHANNELS)} | channels | {"money": money}),
        years=ends_of(scenario.horizon) / QUARTERS,
        paths=found.paths[1] - found.paths[0],
        partners=partner_table(found, scenario, (baseline, strategy), i),
    )


def place_of(scenario: Scenario, code: str) -> int:
    """Return the position of the region with a code; refuse others and suggest the nearest."""
    codes, names = scenario.regions.codes, scenario.regions.labels
    code = plain(code)
    if code in codes:
        return codes.index(code)
    hint = suggestion(code, codes)
    if nearest(code, codes) is None:
        # Users type names too: Sleman for Kabupaten Sleman.
        within = (name for name in names if code.casefold() in name.casefold())
        called = next(within, None) or nearest(code, names)
        if called is not None:
            hint = _("; did you mean '{code}' ({name})?")
            hint = hint.format(code=codes[names.index(called)], name=called)
    text = _("no region has the code '{code}'{suggestion}").format(code=code, suggestion=hint)
    raise InputError.of(text)


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
    scenario: Scenario, task: Task, i: int, draws: int, level: float
) -> pd.DataFrame:
    """Return the contacts of region i in every area, and the gain from uniting with them."""
    world, policy, p = task.world, task.policy, task.parameters
    state, distance = new_state(world), contact_arrays(scenario)[2]
    contacts = range(int(world.region["first"][i]), int(world.region["end"][i]))
    areas, price = list(scenario.areas), world.area["cost_per_resident"]
    gains = np.full((draws, len(contacts), len(areas), 2), np.nan)
    forms = np.full((draws, len(contacts), len(areas), 2), NOBODY)  # legal form, provider
    alone = np.empty((draws, len(areas)))
    support = support_for(tuple(rule.compiled for rule in task.extensions.targets))
    for draw in range(draws):
        host_entry(initialise)(world, state, policy, p, Key(task.seed, draw, 0))
        host_entry(start_quarter)(world, state, policy, p, 0)
        support(state, policy, p, task.extensions.parameters, 0)
        alone[draw] = state.slot["people"][i] * state.slot["alone"][i] * price
        for k, c in enumerate(contacts):
            j, back = int(state.contact["target"][c]), int(state.contact["reverse"][c])
            for a in range(len(areas)):
                if is_open(state, i, j, a):
                    gain, *forms[draw, k, a] = host_entry(prospect)(state, p, i, a, c, 0)
                    other, _form, _provider = host_entry(prospect)(state, p, j, a, back, 0)
                    gains[draw, k, a] = gain, other
    codes, rows = scenario.regions.codes, []
    mean, low, high, _n = mean_interval(gains[..., 0], level)
    for k, c in enumerate(contacts):
        j = int(state.contact["target"][c])
        for a, area in enumerate(areas):
            if not is_open(state, i, j, a):
                continue
            own, other = gains[:, k, a].T
            form, provider = forms[:, k, a].T
            rows.append(
                {
                    "area": area,
                    "region": codes[j],
                    "partners": tuple(codes[m] for m in party_at(state, j, a)),
                    "km": distance[c],
                    "gain": mean[k, a],
                    "low": low[k, a],
                    "high": high[k, a],
                    "money": float((own * alone[:, a]).mean()),
                    "share": float((own > 0.0).mean()),
                    "both": float(((own > 0.0) & (other > 0.0)).mean()),
                    "contract": float((form == CONTRACT).mean()),
                    "provides": float(((form == CONTRACT) & (provider == i)).mean()),
                }
            )
    columns = [
        "area", "region", "partners", "km", "gain", "low", "high", "money", "share", "both",
        "contract", "provides",
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values("gain", ascending=False, kind="stable", ignore_index=True)


def party_at(state: State, i: int, a: int) -> list[int]:
    """Return the regions of region i's party in an area."""
    body = int(state.slot["body"][i, a])
    if body == NOBODY:
        return [i]
    return state.members[body, : state.body["members"][body]].tolist()


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
    """[2, runs, years] net saving up to each year."""
    sums: np.ndarray
    """[2, runs, items of COSTS]."""
    whole: np.ndarray
    """[2, runs] stand-alone cost of all services over the run."""
    channels: np.ndarray
    """[2, runs, channels] net benefit of the last year, in money per year."""
    last: np.ndarray
    """[2, runs] stand-alone cost in the last year."""
    together: np.ndarray
    """[2, runs, regions, areas] whether it is a partner of each region at the end."""
    roles: np.ndarray
    """[2, runs, regions, areas] roles of these partners, and of itself: provider, buyer, or 0."""


def ends_of(horizon: int) -> np.ndarray:
    """Return the quarters after which a year ends, and the end of the run."""
    return np.unique([*range(QUARTERS, horizon, QUARTERS), horizon])


def simulate_region(
    tasks: list[Task],
    scenario: Scenario,
    i: int,
    runs: int,
    threads: int | None,
    progress: Callable[[int], None] | None,
) -> Iterator[np.ndarray]:
    """Return the arrays of :class:`RegionRuns`, from blocks of runs in parallel."""
    size = len(scenario.regions) * len(scenario.areas) * scenario.horizon * len(TRACE)
    block = int(np.clip(ROOM // size, 1, BLOCK))
    work = [
        (task, np.arange(first, min(first + block, runs)))
        for task in tasks
        for first in range(0, runs, block)
    ]
    found, done = [], 0
    with ThreadPoolExecutor(threads) as pool:
        for kept in pool.map(lambda of: one_block(of[0], of[1], scenario, i), work):
            found.append(kept)
            done += len(kept[0])
            if progress is not None:
                progress(done)
    half = len(found) // 2
    for parts in zip(*found, strict=True):
        both = [np.concatenate(parts[:half]), np.concatenate(parts[half:])]
        yield np.stack(both)


def one_block(task: Task, numbers: np.ndarray, scenario: Scenario, i: int) -> tuple:
    """Return the arrays of one region from a block of runs."""
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
    costs = np.column_stack([sums[name] for name in COSTS])
    return (
        paths,
        costs,
        money.sum(axis=(1, 2)),
        channels,
        last.sum(axis=1),
        together,
        together * role,
    )


def unit_costs(scenario: Scenario, people: np.ndarray) -> np.ndarray:
    """Return the stand-alone unit cost for people served [..., areas]."""
    economics = (
        np.array([getattr(area, name) for area in scenario.areas.values()])
        for name in ("efficient_scale", "curvature_below", "curvature_above")
    )
    curve = UNIT_COSTS.index(scenario.unit_cost)
    return np.vectorize(laws.unit_cost, otypes=[np.float64])(people, *economics, curve)


def stand_alone_cost(scenario: Scenario) -> np.ndarray:
    """Return what each region would pay over the run without any sharing, in money [regions]."""
    period, population, _stress, demand = build_changes(scenario)
    people = population[:, :, None] * demand
    price = np.array([area.cost_per_resident for area in scenario.areas.values()])
    cost = people * unit_costs(scenario, people) * price
    return cost.sum(axis=2)[period].sum(axis=0) / QUARTERS


def columns_of(values: np.ndarray, level: float) -> dict[str, np.ndarray]:
    """Return mean differences, low and high between [baseline and strategy, runs, ...]."""
    mean, low, high, _n = mean_interval(values[1] - values[0], level).distinct(level)
    return {"difference": mean, "low": low, "high": high}


def partner_table(
    found: RegionRuns, scenario: Scenario, strategies: tuple[str, str], i: int
) -> pd.DataFrame:
    """Return the share of runs in which the region shares each area with each other at the end."""
    shares = found.together.mean(axis=1)
    provides, buys = ((found.roles == role).mean(axis=1) for role in (PROVIDER, BUYER))
    rows = [
        {
            "strategy": strategy,
            "area": area,
            "region": code,
            "share": shares[s, j, a],
            "provides": provides[s, j, a],
            "buys": buys[s, j, a],
        }
        for s, strategy in enumerate(strategies)
        for a, area in enumerate(scenario.areas)
        for j, code in enumerate(scenario.regions.codes)
        if shares[s, j, a] > 0.0 or j == i
    ]
    columns = ["strategy", "area", "region", "share", "provides", "buys"]
    return pd.DataFrame(rows, columns=columns)
