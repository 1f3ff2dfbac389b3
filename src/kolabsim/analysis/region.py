"""One region: whom it could approach, what a strategy brings it, at what cost, and with whom.

Runs of the strategy and of the baseline share all draws, and intervals are of paired differences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kolabsim.analysis.statistics import (
    GAINS,
    LOSES,
    ROUNDING,
    mean_interval,
    share_better,
    verdicts,
)
from kolabsim.engine.ensemble import BLOCK, Task, build_task, new_state, run_block, support_for
from kolabsim.errors import InputError, Problem, nearest, suggestion
from kolabsim.i18n import _
from kolabsim.model import laws
from kolabsim.model.bodies import (
    assign_sides,
    cross_omega,
    current_goodwill,
    judge_union,
    own_change,
    party_row,
)
from kolabsim.model.initialisation import initialise
from kolabsim.model.interventions import begin
from kolabsim.model.jit import device, host_entry
from kolabsim.model.levers import UNIT_COSTS
from kolabsim.model.measures import CHANNELS, REGION_MEASURES, TRACE
from kolabsim.model.parameters import QUARTERS
from kolabsim.model.rng import Key
from kolabsim.model.state import NOBODY, ROW, State
from kolabsim.scenario.compile import contact_arrays
from kolabsim.scenario.scenario import BASELINE, Scenario
from kolabsim.study.api import check_request

if TYPE_CHECKING:
    import pandas as pd

LOOKED_AT = 100
"""Most draws of what regions are in which unions are judged."""
ROOM = 20_000_000
"""Most numbers of a trace that are in memory at once."""
FIRST_CHANNEL = list(REGION_MEASURES).index(next(iter(CHANNELS)))
COSTS = ("startup", "joint", "alone", "programme", "saving", "benefit")
"""Sums of money over a run: start-up that the region pays itself, its part of joint cost, what the
same services would cost it alone, programme cost that it bears, net saving, net benefit."""


@dataclass(frozen=True)
class RegionOutlook:
    """What a strategy means for one region, against a baseline; money is the scenario's."""

    scenario: Scenario = field(repr=False)
    code: str
    strategy: str
    baseline: str
    runs: int
    level: float
    """Confidence level of all intervals."""
    prospects: pd.DataFrame = field(repr=False)
    """area, region (code of a contact), partners (codes of its party), km; ``gain``: the mean
    change of judged net benefit a year if the two united at the start, share of the region's
    stand-alone cost, with the interval ``low`` to ``high``; ``money``: the same in money;
    ``share``: share of draws in which the region would gain; ``both``: in which the contact would
    too. The best for the region first."""
    costs: pd.DataFrame = field(repr=False)
    """item (:data:`COSTS`), ``baseline``, ``mean``: money over the run; ``difference`` with its
    interval ``low`` to ``high``."""
    benefit: dict[str, float | str] = field(repr=False)
    """Difference of net benefit over the run, share of stand-alone cost: difference, low, high,
    verdict (gains, loses, undecided), better_share of the runs."""
    channels: pd.DataFrame = field(repr=False)
    """channel, ``difference``, ``low``, ``high``: through what net benefit of the last year
    differs, share of stand-alone cost; ``money``: the same a year."""
    years: np.ndarray = field(repr=False)
    """Years from the start, the last of them the end of the run."""
    paths: np.ndarray = field(repr=False)
    """[runs, years] net saving up to each year beyond the baseline's, in money."""
    partners: pd.DataFrame = field(repr=False)
    """strategy, area, region; ``share`` of runs in which it is in a body with the region at the
    end; the region's own code: in which it is in any body."""

    @property
    def name(self) -> str:
        """What the region is called."""
        regions = self.scenario.regions
        return regions.names[regions.codes.index(self.code)]

    def break_even(self) -> float | None:
        """The year from which the mean net saving beyond the baseline stays above what was spent.

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
    """What a strategy means for one region, from ``runs`` pairs of runs.

    ``progress`` is called with the number of runs done so far, of ``2 * runs``. Raises
    :class:`~kolabsim.errors.InputError` for a code or a strategy that the scenario does not have,
    and for fewer than two runs.
    """
    i = place_of(scenario, code)
    check_request(scenario, (strategy, baseline), runs=runs, seed=seed)
    if strategy == baseline or runs < 2:
        text = _("the outlook of a region needs at least two runs and two different strategies")
        raise InputError([Problem(text)])
    tasks = [
        build_task(scenario, scenario.strategies[name], seed=seed) for name in (baseline, strategy)
    ]
    found = Kept(*simulate_region(tasks, scenario, i, runs, threads, progress))
    return RegionOutlook(
        scenario=scenario,
        code=code,
        strategy=strategy,
        baseline=baseline,
        runs=runs,
        level=level,
        prospects=prospect_table(scenario, tasks[0], i, min(runs, LOOKED_AT), level),
        costs=cost_table(found.sums, level),
        benefit=benefit_of(found, level),
        channels=channel_table(found, level),
        years=ends_of(scenario.horizon) / QUARTERS,
        paths=found.paths[1] - found.paths[0],
        partners=partner_table(found.together, scenario, (baseline, strategy), i),
    )


def place_of(scenario: Scenario, code: str) -> int:
    """The place of the region with a code; others are refused with the nearest code or name."""
    codes, names = scenario.regions.codes, scenario.regions.names
    if code in codes:
        return codes.index(code)
    hint = suggestion(code, codes)
    if nearest(code, codes) is None:
        # People type names, too: Sleman for Kabupaten Sleman.
        within = (name for name in names if code.casefold() in name.casefold())
        called = next(within, None) or nearest(code, names)
        if called is not None:
            hint = _("; did you mean '{code}' ({name})?")
            hint = hint.format(code=codes[names.index(called)], name=called)
    text = _("no region has the code '{code}'{suggestion}").format(code=code, suggestion=hint)
    raise InputError([Problem(text)])


# Whom it could approach ---------------------------------------------------------------------------


@device
def prospect(s, p, i, a, c, quarter):
    """What region i sees in uniting with the party of its contact c, without any error (E6).

    As it judges an option in the first stage; share of its stand-alone cost, a year.
    """
    region, slot, area = s.region[i], s.slot[i, a], s.area[a]
    first, second = party_row(s.slot, i, a), party_row(s.slot, s.contact[c].target, a)
    sides = assign_sides(s, p, first, second, quarter)
    view, whole = judge_union(s, p, i, a, first, second, sides)
    row = s.sums[-1]
    omega = slot.omega + cross_omega(region, s.slot, s.contact, a, second)
    own = own_change(
        region, slot, p, view, omega, area.spillover, row[ROW.residents], sides.first_enters
    )
    goodwill = current_goodwill(region, slot, p, quarter)
    return laws.with_goodwill(own, whole, row[ROW.members] - 1.0, goodwill)


def prospect_table(
    scenario: Scenario, task: Task, i: int, draws: int, level: float
) -> pd.DataFrame:
    """The contacts of region i in every area, and what uniting with them would bring."""
    import pandas as pd

    world, policy, p = task.world, task.policy, task.parameters
    state, distance = new_state(world), contact_arrays(scenario)[2]
    contacts = range(int(world.region["first"][i]), int(world.region["end"][i]))
    areas, price = list(scenario.areas), world.area["cost_per_resident"]
    gains = np.full((draws, len(contacts), len(areas), 2), np.nan)
    alone = np.empty((draws, len(areas)))
    support = support_for(tuple(rule.compiled for rule in task.extensions.targets))
    for nature in range(draws):
        host_entry(initialise)(world, state, policy, p, Key(task.seed, nature, 0))
        host_entry(begin)(world, state, policy, p, 0)
        support(state, policy, p, task.extensions.parameters, 0)
        alone[nature] = state.slot["people"][i] * state.slot["alone"][i] * price
        for k, c in enumerate(contacts):
            j, back = int(state.contact["target"][c]), int(state.contact["reverse"][c])
            for a in range(len(areas)):
                if is_open(state, i, j, a):
                    gains[nature, k, a, 0] = host_entry(prospect)(state, p, i, a, c, 0)
                    gains[nature, k, a, 1] = host_entry(prospect)(state, p, j, a, back, 0)
    codes, rows = scenario.regions.codes, []
    mean, low, high, _n = mean_interval(gains[..., 0], level)
    for k, c in enumerate(contacts):
        j = int(state.contact["target"][c])
        for a, area in enumerate(areas):
            if not is_open(state, i, j, a):
                continue
            own, other = gains[:, k, a, 0], gains[:, k, a, 1]
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
                }
            )
    columns = [
        "area", "region", "partners", "km", "gain", "low", "high", "money", "share", "both"
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values("gain", ascending=False, kind="stable", ignore_index=True)


def party_at(state: State, i: int, a: int) -> list[int]:
    """The regions of the party that region i belongs to in an area."""
    body = int(state.slot["body"][i, a])
    if body == NOBODY:
        return [i]
    return state.members[body, : state.body["members"][body]].tolist()


def is_open(state: State, i: int, j: int, a: int) -> bool:
    """Whether two regions could unite in an area: not yet together, and few enough."""
    one, other = party_at(state, i, a), party_at(state, j, a)
    return i not in other and len(one) + len(other) <= state.moment["cap"][0]


# What a strategy brings it ------------------------------------------------------------------------


class Kept(NamedTuple):
    """What is kept of the runs of the baseline (0) and the strategy (1) for one region."""

    paths: np.ndarray
    """[2, runs, years] net saving up to each year."""
    sums: np.ndarray
    """[2, runs, items of COSTS]."""
    whole: np.ndarray
    """[2, runs] what the region would pay alone for everything over the run."""
    channels: np.ndarray
    """[2, runs, channels] net benefit of the last year, in money a year."""
    last: np.ndarray
    """[2, runs] what it would pay alone in the last year."""
    together: np.ndarray
    """[2, runs, regions, areas] whether it shares an area with each region at the end."""


def ends_of(horizon: int) -> np.ndarray:
    """The quarters after which a year ends, and the end of the run."""
    return np.unique([*range(QUARTERS, horizon, QUARTERS), horizon])


def simulate_region(
    tasks: list[Task],
    scenario: Scenario,
    i: int,
    runs: int,
    threads: int | None,
    progress: Callable[[int], None] | None,
) -> Iterator[np.ndarray]:
    """The arrays of :class:`Kept`, from blocks of runs side by side."""
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
    """The arrays of a block of runs, for one region."""
    state = new_state(task.world)
    saving, gained = list(REGION_MEASURES).index("saving"), COSTS.index("benefit")
    ends = ends_of(scenario.horizon)
    paths = np.empty((len(numbers), len(ends)))
    # No stage looks at the horizon: a run that ends earlier is the beginning of a longer one.
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
    sums = np.empty((len(numbers), len(COSTS)))
    sums[:, COSTS.index("startup")] = -(at["entry"] * money).sum(axis=(1, 2))
    sums[:, COSTS.index("joint")] = (at["cost"] * money * shared).sum(axis=(1, 2))
    sums[:, COSTS.index("alone")] = (money * shared).sum(axis=(1, 2))
    sums[:, COSTS.index("saving")] = paths[:, -1]
    sums[:, gained] = figures[..., list(REGION_MEASURES).index("benefit_money")].sum(axis=1)
    # Net benefit is what happened in bodies, less start-up, less programme cost borne.
    before = ((at["realised"] + at["entry"]) * money).sum(axis=(1, 2))
    borne = before - sums[:, gained]
    error = ROUNDING * money.sum(axis=(1, 2))
    sums[:, COSTS.index("programme")] = np.where(borne > error, borne, 0.0)
    last = money[:, -QUARTERS:].mean(axis=1) * QUARTERS
    channels = (figures[..., FIRST_CHANNEL:] * last[..., None]).sum(axis=1)
    body = kept.trace[:, -1, :, :, TRACE.index("body")]
    together = (body == body[:, i : i + 1]) & (body[:, i : i + 1] != NOBODY)
    return paths, sums, money.sum(axis=(1, 2)), channels, last.sum(axis=1), together


def unit_costs(scenario: Scenario, people: np.ndarray) -> np.ndarray:
    """Stand-alone unit cost for people served [..., areas]."""
    economics = (
        np.array([getattr(area, name) for area in scenario.areas.values()])
        for name in ("efficient_scale", "curvature_below", "curvature_above")
    )
    curve = UNIT_COSTS.index(scenario.unit_cost)
    return np.vectorize(laws.unit_cost, otypes=[np.float64])(people, *economics, curve)


def benefit_of(found: Kept, level: float) -> dict[str, float | str]:
    """The difference of net benefit over the run, and how sure it is."""
    gained = found.sums[..., COSTS.index("benefit")] / found.whole
    difference = gained[1] - gained[0]
    mean, low, high, _n = (part.item() for part in mean_interval(difference, level))
    verdict = verdicts(np.array([low]), np.array([high]), 1, words=(GAINS, LOSES))[0]
    return {
        "difference": mean, "low": low, "high": high, "verdict": verdict,
        "better_share": float(share_better(difference)),
    }  # fmt: skip


def cost_table(sums: np.ndarray, level: float) -> pd.DataFrame:
    """Sums of money over the run, and how they differ."""
    import pandas as pd

    mean, low, high, _n = mean_interval(sums[1] - sums[0], level)
    return pd.DataFrame(
        {
            "item": COSTS,
            "baseline": sums[0].mean(axis=0),
            "mean": sums[1].mean(axis=0),
            "difference": mean,
            "low": low,
            "high": high,
        }
    )


def channel_table(found: Kept, level: float) -> pd.DataFrame:
    """Through what net benefit differs in the last year."""
    import pandas as pd

    shares = found.channels / found.last[..., None]
    mean, low, high, _n = mean_interval(shares[1] - shares[0], level)
    money = (found.channels[1] - found.channels[0]).mean(axis=0)
    return pd.DataFrame(
        {
            "channel": tuple(CHANNELS), "difference": mean, "low": low,
            "high": high, "money": money,
        }
    )  # fmt: skip


def partner_table(
    together: np.ndarray, scenario: Scenario, strategies: tuple[str, str], i: int
) -> pd.DataFrame:
    """With whom the region shares each area at the end, in which share of runs."""
    import pandas as pd

    shares = together.mean(axis=1)
    rows = [
        {"strategy": strategy, "area": area, "region": code, "share": shares[s, j, a]}
        for s, strategy in enumerate(strategies)
        for a, area in enumerate(scenario.areas)
        for j, code in enumerate(scenario.regions.codes)
        if shares[s, j, a] > 0.0 or j == i
    ]
    return pd.DataFrame(rows, columns=["strategy", "area", "region", "share"])
