"""The outlook of a group that somebody means: what one joint body would bring each of its members.

Two ways, on common draws. The laws judge the body at the start, without errors, under every rule of
sharing cost. Simulations found it in the first quarter, whatever its members would decide then,
and compare with the same runs without it; afterwards its members act as in any other run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from kolabsim.analysis.arrays import check_level
from kolabsim.analysis.fairness import shapley_shares
from kolabsim.analysis.outlook import (
    ROOM,
    look,
    party_at,
    place_of,
    run_draws,
    stand_alone_quarters,
)
from kolabsim.analysis.plausible import check_criteria, gain_columns
from kolabsim.analysis.statistics import (
    CRITERIA,
    GAINS,
    LOSES,
    PLAIN,
    ROUNDING,
    Criteria,
    quantiles,
)
from kolabsim.engine.ensemble import BLOCK, Task, in_threads, run_block
from kolabsim.errors import InputError, Problems, suggestion
from kolabsim.i18n import _
from kolabsim.model import laws
from kolabsim.model.agreements import LISTED
from kolabsim.model.bodies import (
    choose_provider,
    current_goodwill,
    hub_row,
    misfit,
    on_unforeseen,
    outlook,
    partners_before,
    same_forum,
)
from kolabsim.model.interventions import CENTRE_PAYS
from kolabsim.model.jit import device, host_entry
from kolabsim.model.levers import BOARD, CAP, CHOICE, CONTRACT, FORMS, SHARES
from kolabsim.model.measures import REGION_MEASURES, TRACE
from kolabsim.model.parameters import QUARTERS
from kolabsim.model.state import NOBODY, ROW, Policy, State
from kolabsim.scenario.compile import NEVER, build_policy, contact_arrays
from kolabsim.scenario.futures import plausible_futures, plausible_names
from kolabsim.scenario.scenario import BASELINE, Scenario
from kolabsim.study.api import check_request
from kolabsim.study.spec import default_runs
from kolabsim.study.tasks import DEFAULT_FUTURE, build_futures

SHAPLEY = "shapley"
"""The name of Shapley's value beside the rules of sharing cost."""
RULES = (*SHARES, SHAPLEY)
LEAVES_AFTER = 3
"""Years after which each member leaves in turn."""
COALITIONS = 20_000
"""Most costs of coalitions that are computed for Shapley's value, so that large groups take no
longer than small ones."""
ORDERS = 50
"""Orders that are sampled for Shapley's value of groups too large for all of them."""
BENEFIT = list(REGION_MEASURES).index("benefit_money")
BODY, REALISED, ENTRY = (TRACE.index(name) for name in ("body", "realised", "entry"))
ARMS = 2
"""Simulations without and with the body, before those in which a member leaves."""
FOUNDED = 1
"""In place of the quarter in which a body began: it is founded now."""
BY_RULE = -1.0
"""In place of shares of cost: by the rule of the scenario."""


@dataclass(frozen=True)
class GroupOutlook:
    """What one joint body would bring its members; money is in the scenario's currency.

    Over plausible futures, gains are medians with ranges of 90% of the futures, and verdicts are
    those of comparisons; in one future they are means with intervals. All gains are shares of a
    member's stand-alone cost in the area.
    """

    scenario: Scenario = field(repr=False)
    members: tuple[str, ...]
    """Codes of the members, the region that asks first."""
    area: str
    strategy: str
    form: str
    """Its legal form: as stated, that of the body it grows from, or that which founders choose."""
    exists: bool
    """Whether the body exists at the start already, with these members."""
    futures: tuple[str, ...] = field(repr=False)
    runs: int
    criteria: Criteria
    leaves_after: int
    gains: pd.DataFrame = field(repr=False)
    """Columns: against (``baseline``: what regions do by themselves; ``alone``), region;
    ``difference`` of net benefit in the area over the run, ``low``, ``high``, ``verdict``,
    ``better_share``, ``worse_share``; ``money``, ``money_low``, ``money_high``: the same in
    money."""
    paths: pd.DataFrame = field(repr=False)
    """Columns: against, region, quarter (from 1); ``money``: gain in the area up to the end of the
    quarter, in the median future."""
    together: float
    """Share of runs in which all members are in one body at the end."""
    rules: pd.DataFrame = field(repr=False)
    """Columns: rule (:data:`RULES`), region; ``part``: mean share of joint cost; ``gain``, ``low``,
    ``high``, ``verdict``: change of net benefit a year as judged at the start; ``refuses``: share
    of futures, or of draws in one future, in which it would refuse."""
    further: pd.DataFrame = field(repr=False)
    """Columns: region, a further member; ``gain``: what it adds to the gain of the region that
    asks, ``low``, ``high``, ``verdict``; ``newcomer``: its own gain, with ``newcomer_verdict``;
    ``loses``: codes of members that would lose; ``is_good``: whether both gain and nobody loses.
    The best first."""
    departures: pd.DataFrame = field(repr=False)
    """Columns: leaver, region; ``difference``: what the departure changes for a member over the
    run, ``low``, ``high``, ``verdict``, ``money``; ``remain``: share of runs in which at least two
    of the others are in one body at the end."""

    @property
    def code(self) -> str:
        """The code of the region that asks."""
        return self.members[0]

    @property
    def is_varied(self) -> bool:
        """Whether results are over plausible futures."""
        return len(self.futures) > 1

    @property
    def judged(self) -> pd.Series:
        """The gain of each member a year as judged at the start under the rule of the scenario."""
        rows = self.rules[self.rules["rule"] == self.scenario.shares]
        return rows.set_index("region")["gain"]

    def path(self, code: str, against: str = "baseline") -> np.ndarray:
        """Gain of a member up to the end of each quarter, in money, in the median future."""
        table = self.paths
        chosen = (table["region"] == code) & (table["against"] == against)
        return table.loc[chosen, "money"].to_numpy()

    def break_even(self, code: str, against: str = "baseline") -> int | None:
        """The quarter, from 1, at whose end a member is ahead and from which it stays ahead.

        None where it is not ahead at the end of the run.
        """
        path = self.path(code, against)
        if not path[-1] > 0.0:
            return None
        behind = np.flatnonzero(path < 0.0)
        return int(behind[-1]) + 2 if len(behind) else 1

    def years_behind(self, code: str, against: str = "baseline") -> float | None:
        """Further years until a member that is behind at the end would break even.

        At the pace of the last year; None where that would never be.
        """
        path = self.path(code, against)
        pace = path[-1] - path[-1 - QUARTERS] if len(path) > QUARTERS else 0.0
        return float(-path[-1] / pace) if path[-1] < 0.0 < pace else None

    def refusing(self, rule: str) -> tuple[str, ...]:
        """Codes of the members that would refuse under a rule in most futures or draws."""
        rows = self.rules[(self.rules["rule"] == rule) & (self.rules["refuses"] > 0.5)]
        return tuple(rows["region"])


def group_outlook(
    scenario: Scenario,
    code: str,
    partners: Sequence[str],
    area: str,
    *,
    strategy: str = BASELINE,
    form: str | None = None,
    leaves_after: int = LEAVES_AFTER,
    futures: Mapping[str, Mapping[str, object]] | None = None,
    runs: int | None = None,
    seed: int = 1,
    level: float = CRITERIA.level,
    practical_threshold: float = CRITERIA.threshold,
    robust: float = CRITERIA.robust,
    likely: float = CRITERIA.likely,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> GroupOutlook:
    """Say what a joint body of these regions would bring each of them, over plausible futures.

    Parameters
    ----------
    scenario, code, partners, area
        The scenario, the code of the region that asks, those of the other members, and the service
        area that they would share.
    strategy
        The strategy that is in force with and without the body.
    form
        The legal form: ``contract``, ``board`` or ``lead``; default: that of a body that the group
        contains, that of the scenario, or that under which the member that gains least gains most.
    leaves_after
        Years after which each member leaves in turn, as an event of the scenario.
    futures, runs, seed, level, practical_threshold, robust, likely, threads
        As in the outlook of one region; runs are those of each simulation in each future.
    progress
        Called with the number of runs done so far, of the runs in all futures times two and the
        number of members.

    Raises
    ------
    InputError
        For codes, areas, strategies and forms that do not exist, a member that is named twice or
        is a contact of no other, a group beyond the scenario's cap, and numbers out of range.

    Examples
    --------
    >>> import kolabsim as ks
    >>> towns = ks.load("kartamantul").with_(horizon=16)
    >>> found = ks.group_outlook(towns, "34.71", ["34.04"], "waste", futures={}, runs=2)
    >>> found.members, sorted(set(found.rules["rule"]))
    (('34.71', '34.04'), ['ability', 'benefit', 'equal', 'population', 'shapley'])
    """
    study = GroupStudy(
        scenario, code, partners, area, strategy=strategy, form=form, leaves_after=leaves_after,
        futures=futures, runs=runs, seed=seed,
        criteria=Criteria(practical_threshold, robust, likely, level),
    )  # fmt: skip
    study.judge()
    done = 0
    for number in in_threads(lambda work: work(), study.jobs(), threads=threads):
        done += number
        if progress is not None:
            progress(done)
    return study.outlook()


class GroupStudy:
    """The work on the outlook of a group, in pieces that any threads may do.

    First :meth:`judge`, then all :meth:`jobs`, then :meth:`outlook`. The parameters are those of
    :func:`group_outlook`, which refuses what this refuses.
    """

    def __init__(
        self, scenario: Scenario, code: str, partners: Sequence[str], area: str, *,
        strategy: str = BASELINE, form: str | None = None, leaves_after: int = LEAVES_AFTER,
        futures: Mapping[str, Mapping[str, object]] | None = None, runs: int | None = None,
        seed: int = 1, criteria: Criteria = CRITERIA,
    ) -> None:  # fmt: skip
        self.scenario, self.strategy, self.form = scenario, strategy, form
        self.leaves_after, self.criteria = leaves_after, criteria
        self.group = check_group(scenario, code, partners, area, form, leaves_after)
        self.case = Case(scenario, self.group, list(scenario.areas).index(area))
        if futures is None:
            futures = plausible_futures(None, scenario)
        self.names = plausible_names(futures) or tuple(futures)[:1] or (DEFAULT_FUTURE,)
        self.runs = default_runs(len(self.names)) if runs is None else runs
        check_request(scenario, {strategy}, runs=self.runs, seed=seed)
        problems = Problems()
        if self.runs < 2 and len(self.names) == 1:
            problems.add(_("one future needs at least two runs"))
        check_level(criteria.level, problems)
        check_criteria(criteria, problems)
        problems.raise_if_any()
        found = {name: futures.get(name, {}) for name in self.names}
        worlds = build_futures(scenario, found, seed).values()
        self.tasks = [
            task._replace(policy=build_policy(world, world.strategies[strategy]))
            for world, task in worlds
        ]
        self.plan: Plan
        # Yearly cost of serving alone in each quarter [futures, quarters, members].
        self.alone = np.stack([
            stand_alone_quarters(world)[:, list(self.group), self.case.area]
            for world, _task in worlds
        ])  # fmt: skip
        shape = len(self.group), len(self.tasks), self.runs
        self._sums = np.empty((ARMS + len(self.group), *shape))
        self._body = np.empty_like(self._sums)
        self._paths = dict[tuple[int, int, int], np.ndarray]()
        """Gains up to each quarter, summed over runs, by arm, future and first run."""

    @property
    def all_runs(self) -> int:
        """Number of runs of all jobs."""
        return self._sums[:, 0].size

    def judge(self) -> None:
        """Choose the form of the body, and judge it at the start."""
        tasks, case, form = self.tasks, self.case, self.form
        draws = list(look(tasks, self.runs))
        first = next(iter(run_draws(tasks, draws[:1])))[1]
        host = host_of(first, case)
        if host is not None and form is not None and form != host.form:
            text = _("this group contains a joint body, which keeps its form: {form}")
            raise InputError.of(text, form=host.form)
        taken = form or (host.form if host else None) or choose_form(tasks, draws, case)
        self.plan = Plan(case, FORMS.index(taken), host)
        contact = contact_arrays(self.scenario)[1]
        self.rules, self.further = judged(tasks, draws, self.plan, contact, self.criteria)

    def jobs(self, most: int = BLOCK) -> list[Callable[[], int]]:
        """Return all simulations, in pieces of ``most`` runs or fewer.

        Each piece returns the number of its runs.
        """
        world = self.tasks[0].world
        size = len(world.region) * len(world.area) * self.scenario.horizon * len(TRACE)
        block = int(np.clip(ROOM // size, 1, most))
        return [
            partial(self._simulate, number, f, np.arange(first, min(first + block, self.runs)))
            for number in range(ARMS + len(self.group))
            for f in range(len(self.tasks))
            for first in range(0, self.runs, block)
        ]

    def _simulate(self, number: int, f: int, numbers: np.ndarray) -> int:
        """Simulate some runs of an arm in a future, and keep what becomes of the members."""
        group, a = list(self.group), self.case.area
        kept = run_block(arm(self.tasks[f], self.plan, number, self.leaves_after), numbers,
                         trace=True)  # fmt: skip
        money = kept.figures[:, group, a, BENEFIT]
        self._sums[number, :, f, numbers] = money
        self._body[number, :, f, numbers] = kept.trace[:, -1, group, a, BODY]
        if number < ARMS:
            trace = kept.trace[:, :, group, a]
            gained = trace[..., REALISED] + trace[..., ENTRY]
            path = (gained * self.alone[f] / QUARTERS).cumsum(axis=1)
            # What bodies bring less what members pay for levers, which the trace does not have.
            left = (money - path[:, -1]) / path.shape[1]
            path += left[:, None] * np.arange(1, path.shape[1] + 1)[:, None]
            self._paths[number, f, int(numbers[0])] = path.sum(axis=0)
        return len(numbers)

    def outlook(self) -> GroupOutlook:
        """Return what was found, once all jobs are done."""
        case, host, codes = self.case, self.plan.host, self.scenario.regions.codes
        alone = (self.alone.sum(axis=1) / QUARTERS).T[..., None]
        sums, body = self._sums, self._body
        paths = np.zeros((ARMS, len(self.tasks), *self.alone.shape[1:]))
        for (number, f, _first), path in sorted(self._paths.items()):
            paths[number, f] += path / self.runs
        return GroupOutlook(
            scenario=self.scenario,
            members=tuple(codes[i] for i in self.group),
            area=list(self.scenario.areas)[case.area],
            strategy=self.strategy,
            form=FORMS[self.plan.form],
            exists=host is not None and len(host.members) == len(self.group),
            futures=self.names,
            runs=self.runs,
            criteria=self.criteria,
            leaves_after=self.leaves_after,
            gains=gain_table(sums, alone, case, self.criteria),
            paths=path_table(paths, case),
            together=float(one_body(body[1]).mean()),
            rules=self.rules,
            further=self.further,
            departures=departure_table(sums, body, alone, case, self.criteria),
        )


class Case(NamedTuple):
    """A group and its service area, by positions."""

    scenario: Scenario
    group: tuple[int, ...]
    """Positions of the members, the region that asks first."""
    area: int


class Host(NamedTuple):
    """A joint body that the group contains, and that would grow."""

    form: str
    provider: int
    began: int
    members: tuple[int, ...]


class Plan(NamedTuple):
    """A group, the form of its body, and the body that it grows from."""

    case: Case
    form: int
    host: Host | None


def check_group(
    scenario: Scenario,
    code: str,
    partners: Sequence[str],
    area: str,
    form: str | None,
    leaves_after: int,
) -> tuple[int, ...]:
    """Return the positions of the members, and refuse groups that no body could have."""
    problems, codes, found = Problems(), scenario.regions.codes, list[int]()
    for number, one in enumerate((code, *partners)):
        try:
            i = place_of(scenario, one)
        except InputError as error:
            problems.found |= dict.fromkeys(error.problems)
            continue
        if number and found and i == found[0]:
            text = _("'{code}' is the region itself; name its partners only")
            problems.add(text, code=codes[i])
        elif i in found:
            problems.add(_("'{code}' is named twice"), code=codes[i])
        else:
            found.append(i)
    if not partners:
        problems.add(_("a joint body needs at least one partner"))
    if area not in scenario.areas:
        text = _("'{area}' is not a service area of this scenario{suggestion}")
        hint = suggestion(area, scenario.areas)
        problems.add(text, area=area, suggestion=hint)
    if len(found) > scenario.cap:
        text = _("{number} regions are too many for a joint body (at most {most})")
        problems.add(text, number=len(found), most=scenario.cap)
    if form is not None and form not in FORMS:
        text = _("'{form}' is not a legal form{suggestion}")
        hint = suggestion(form, FORMS)
        problems.add(text, form=form, suggestion=hint)
    if not 1 <= leaves_after * QUARTERS < scenario.horizon:
        text = _("members cannot leave after {years} years: the run has {quarters} quarters")
        problems.add(text, years=leaves_after, quarters=scenario.horizon)
    if not problems.found:
        region, contact, _distance = contact_arrays(scenario)
        for i in found:
            known = set(contact["target"][region["first"][i] : region["end"][i]].tolist())
            if not known & {*found} - {i}:
                text = _("'{code}' has no contact in this group; its contacts are: {contacts}")
                names = ", ".join(codes[j] for j in sorted(known)) or _("none")
                problems.add(text, code=codes[i], contacts=names)
    problems.raise_if_any()
    return tuple(found)


# Judged at the start ------------------------------------------------------------------------------


@device
def judge_group(s, p, a, group, size, form, provider, penalty, foreseen, enters, parts, out):
    """Judge a body of some regions as its founders do (E6); return its yearly cost.

    ``group`` are the positions of its ``size`` members, ``enters`` 1 for those that pay start-up,
    ``parts`` their shares of the cost, or :data:`BY_RULE`. For each member ``out`` gets the change
    of net benefit, as share of its stand-alone cost, and the same with its goodwill.
    """
    row, areas = s.sums[-1], s.slot.shape[1]
    for f in range(len(row)):
        row[f] = 0.0
    for k in range(size):
        alone = s.sums[group[k] * areas + a]
        best = max(row[ROW.best], alone[ROW.best])
        for f in range(len(row)):
            row[f] += alone[f]
        row[ROW.best] = best
    meetings = 0.0
    for k in range(size):
        i = group[k]
        for m in range(size):
            j = group[m]
            if m != k and provider in (NOBODY, i, j):
                row[ROW.trust] += s.region[j].reputation
                if m < k:
                    row[ROW.again] += partners_before(s.slot, i, j, a)
            if m < k:
                meetings += same_forum(s.region[i], s.region[j])
        out[k, 0] = 0.0
        for c in range(s.region[i].first, s.region[i].end):
            contact = s.contact[c]
            for m in range(size):
                if group[m] == contact.target:
                    out[k, 0] += contact.spill
                    if provider in (NOBODY, i, contact.target):
                        row[ROW.trust] += contact.trust - s.region[contact.target].reputation
    view = outlook(
        s.area[a], s.effect[a], s.moment[0], p, row, s.sums[hub_row(s, provider, a)], form, penalty,
        meetings / (0.5 * size * (size - 1.0)), 1.0 - row[ROW.reputation] / size, foreseen,
        float(size),
    )  # fmt: skip
    total, whole = view.price * row[ROW.weight], 0.0
    for k in range(size):
        i = group[k]
        region, slot = s.region[i], s.slot[i, a]
        part = slot.weight / row[ROW.weight] if parts[k] == BY_RULE else parts[k]
        ratio = total * part / (slot.people * slot.alone)
        cost = ratio - s.area[a].spillover * out[k, 0] / slot.alone
        lost = laws.autonomy_loss(region.autonomy, region.population / row[ROW.residents], p)
        loss = misfit(slot, s.area[a], s.effect[a], p, view, areas)
        own = laws.net_benefit(cost, view.quality - slot.reference, lost, loss, p) - slot.judged
        if enters[k] > 0:
            aid = laws.aided(slot.government, slot.business, p)
            own -= laws.entry_cost(region.stress, ratio, aid, p)
        out[k, 0] = own
        whole += own
    for k in range(size):
        goodwill = current_goodwill(s.region[group[k]], s.slot[group[k], a], 0)
        out[k, 1] = laws.with_goodwill(out[k, 0], whole, size - 1.0, goodwill)
    return total


@device
def most_capable(s, a, group, size):
    """The region of a group that provides under a new contract, as two founders choose it."""
    found = group[0]
    for k in range(1, size):
        found = choose_provider(s, found, group[k], a)
    return found


@device
def foresees(s, p, a):
    """Share of the cost of coordination that founders of a body foresee in the first quarter."""
    missed = laws.unforeseen(s.area[a].information, 0.0, p)
    return laws.foresight(on_unforeseen(missed, s.effect[a]))


@device
def judge_all(s, p, a, groups, size, form, began, provider, enters, parts, out, total):
    """Judge many groups in one draw; ``out`` [groups, members, 2] as in :func:`judge_group`.

    ``began`` is the quarter in which the body inside a group began, or :data:`FOUNDED` if it is a
    new one; ``provider`` NOBODY lets the founders of a contract choose. ``total`` gets the costs.
    """
    unseen = foresees(s, p, a)
    for g in range(len(groups)):
        penalty, foreseen, serves = s.moment[0].founding_penalty, unseen, provider[g]
        if began[g] != FOUNDED:
            penalty, foreseen = laws.transition(-began[g] / QUARTERS, p), 1.0
        if form[g] == CONTRACT and serves == NOBODY:
            serves = most_capable(s, a, groups[g], size[g])
        total[g] = judge_group(
            s, p, a, groups[g], size[g], form[g], serves, penalty, foreseen, enters[g], parts,
            out[g],
        )  # fmt: skip


class Judge:
    """Judges bodies in one draw of one future, in an area."""

    def __init__(self, state: State, p: np.record, plan: Plan) -> None:
        self.state, self.p, self.plan, self.area = state, p, plan, plan.case.area

    def provider(self, group: Sequence[int]) -> int:
        """The provider of a group under a contract, else NOBODY."""
        if self.plan.form != CONTRACT:
            return NOBODY
        if self.plan.host:
            return self.plan.host.provider
        return host_entry(most_capable)(self.state, self.area, np.array(group), len(group))

    def judge(
        self, group: Sequence[int], parts: np.ndarray | None = None, provider: int | None = None
    ) -> tuple[float, np.ndarray]:
        """Return the cost of a body, and changes of net benefit [members, 2].

        The second column counts goodwill too.
        """
        size, host = len(group), self.plan.host
        stays = host.members if host else ()
        enters = np.array([[i not in stays for i in group]], np.float64)
        if parts is None:
            parts = np.full(size, BY_RULE)
        out, total = np.zeros((1, size, 2)), np.zeros(1)
        numbers = (
            np.array([one], np.int64)
            for one in (
                size, self.plan.form, host.began if host else FOUNDED,
                self.provider(group) if provider is None else provider,
            )
        )  # fmt: skip
        host_entry(judge_all)(
            self.state, self.p, self.area, np.array([group], np.int64), *numbers, enters, parts,
            out, total,
        )  # fmt: skip
        return float(total[0]), out[0]

    def alone(self, group: Sequence[int]) -> np.ndarray:
        """The stand-alone cost of each region."""
        slots = self.state.slot[list(group), self.area]
        return slots["people"] * slots["alone"]

    def parts(self, rule: str, group: Sequence[int]) -> np.ndarray:
        """The shares of joint cost by a rule."""
        slots, number = self.state.slot[list(group), self.area], SHARES.index(rule)
        stress = self.state.region["stress"][list(group)]
        weights = np.array([
            laws.sharing_weight(number, people, unit, strain)
            for people, unit, strain in zip(slots["people"], slots["alone"], stress, strict=True)
        ])  # fmt: skip
        return weights / weights.sum()

    def shapley(self, group: Sequence[int]) -> np.ndarray:
        """Shapley's shares of joint cost."""
        alone, provider = self.alone(group), self.provider(group)

        def cost(some: tuple[int, ...]) -> float:
            chosen = [group[k] for k in some]
            if len(chosen) == 1 or (provider != NOBODY and provider not in chosen):
                return float(alone[list(some)].sum())
            return self.judge(chosen, provider=provider)[0]

        shares = shapley_shares(cost, len(group), orders=ORDERS)
        return shares / shares.sum()


def host_of(state: State, case: Case) -> Host | None:
    """The body inside the group that would grow: the one with most people."""
    found, best = None, 0.0
    for i in case.group:
        body = int(state.slot["body"][i, case.area])
        members = party_at(state, i, case.area)
        people = float(state.region["population"][members].sum())
        if body != NOBODY and {*members} <= {*case.group} and people > best:
            record, best = state.body[body], people
            found = Host(
                FORMS[record.form], int(record.provider), int(record.began), tuple(members)
            )
    return found


def choose_form(tasks: Sequence[Task], draws: Sequence[tuple[int, int]], case: Case) -> str:
    """The form of a new body: that of the area, or the one that founders would choose (E8).

    Founders take the form under which the member that gains least gains most; of several draws,
    the form that more of them give.
    """
    form = int(tasks[0].world.area["form"][case.area])
    if form != CHOICE:
        return FORMS[form]
    contracts = 0
    for (f, _draw), state in run_draws(tasks, draws):
        worst = [
            Judge(state, tasks[f].parameters, Plan(case, one, None))
            .judge(case.group)[1][:, 0]
            .min()
            for one in (CONTRACT, BOARD)
        ]
        contracts += worst[0] > worst[1]
    return FORMS[CONTRACT] if 2 * contracts > len(draws) else FORMS[BOARD]


def judged(
    tasks: Sequence[Task],
    draws: Sequence[tuple[int, int]],
    plan: Plan,
    contact: np.ndarray,
    criteria: Criteria,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tables of rules and of further members."""
    case, n = plan.case, len(plan.case.group)
    regions, shape = case.scenario.regions.codes, (len(tasks), draws[-1][1] + 1)
    parts = np.empty((len(RULES), n, *shape))
    own, vote = np.empty_like(parts), np.empty_like(parts)
    every = max(1, len(draws) * 2 ** min(n, 8) // COALITIONS)
    shapley = np.mean([
        Judge(state, tasks[f].parameters, plan).shapley(case.group)
        for (f, _draw), state in run_draws(tasks, draws[::every])
    ], axis=0)  # fmt: skip
    others: list[int] = []
    for number, (place, state) in enumerate(run_draws(tasks, draws)):
        judge = Judge(state, tasks[place[0]].parameters, plan)
        if not number:
            others = candidates(state, case, contact)
            added = np.empty((len(others), n + 1, *shape))
        for r, rule in enumerate(RULES):
            part = shapley if rule == SHAPLEY else judge.parts(rule, case.group)
            parts[(r, slice(None), *place)] = part
            found = judge.judge(case.group, part)[1]
            own[(r, slice(None), *place)], vote[(r, slice(None), *place)] = found.T
        before = judge.judge(case.group)[1][:, 0]
        for k, i in enumerate(others):
            after = judge.judge((*case.group, i))[1][:, 0]
            after[:n] -= before
            added[(k, slice(None), *place)] = after

    def columns(values: np.ndarray, comparisons: int) -> dict[str, np.ndarray]:
        both = np.stack([np.zeros_like(values), values])
        return gain_columns(
            both, criteria, threshold=criteria.threshold, comparisons=max(comparisons, 1)
        )

    shared = columns(own, n)
    refuses = vote <= 0.0
    refuses = refuses.mean(axis=(2, 3)) if shape[0] == 1 else (vote.mean(-1) <= 0.0).mean(-1)
    rules = pd.DataFrame([
        {
            "rule": rule, "region": regions[i], "part": parts[r, k].mean(),
            "gain": shared["difference"][r, k], "low": shared["low"][r, k],
            "high": shared["high"][r, k], "verdict": shared["verdict"][r, k],
            "refuses": refuses[r, k],
        }
        for r, rule in enumerate(RULES) for k, i in enumerate(case.group)
    ])  # fmt: skip
    gained = columns(added, len(others))
    plain = np.vectorize(lambda one: PLAIN.get(one, one), otypes=[object])
    names = plain(gained["verdict"]) if others else gained["verdict"]
    rows = [
        {
            "region": regions[i],
            "gain": gained["difference"][k, 0],
            "low": gained["low"][k, 0],
            "high": gained["high"][k, 0],
            "verdict": gained["verdict"][k, 0],
            "newcomer": gained["difference"][k, n],
            "newcomer_verdict": gained["verdict"][k, n],
            "loses": tuple(regions[m] for m, v in zip(case.group, names[k], strict=False)
                           if v == LOSES),
            "is_good": bool(names[k, 0] == GAINS and names[k, n] == GAINS
                            and not (names[k] == LOSES).any()),
        }
        for k, i in enumerate(others)
    ]  # fmt: skip
    columns_of = [
        "region", "gain", "low", "high", "verdict", "newcomer", "newcomer_verdict", "loses",
        "is_good",
    ]  # fmt: skip
    further = pd.DataFrame(rows, columns=columns_of)
    order = ["is_good", "gain"]
    return rules, further.sort_values(order, ascending=False, kind="stable", ignore_index=True)


def candidates(state: State, case: Case, contact: np.ndarray) -> list[int]:
    """Contacts of the members that serve the area alone, while the cap leaves room for one."""
    if len(case.group) >= int(state.moment["cap"][0]):
        return []
    found = {
        int(j)
        for i in case.group
        for j in contact["target"][state.region["first"][i] : state.region["end"][i]]
    }
    return sorted(j for j in found - {*case.group} if state.slot["body"][j, case.area] == NOBODY)


# Simulated ----------------------------------------------------------------------------------------


def founded(policy: Policy, case: Case) -> Policy:
    """The policy with the body founded in the first quarter, from then on free of any mandate."""
    order = np.full((1, LISTED + CAP), NOBODY, np.int64)
    order[0, :LISTED] = case.area, 0, 0, CENTRE_PAYS
    order[0, LISTED : LISTED + len(case.group)] = sorted(case.group)
    return policy._replace(
        mandate=np.concatenate([order, policy.mandate]),
        mandate_price=np.concatenate([[0.0], policy.mandate_price]),
        mandate_counted=np.concatenate([[0], policy.mandate_counted]),
    )


def arm(task: Task, plan: Plan, number: int, leaves_after: int) -> Task:
    """The task without the body (0), with it (1), or with it until a member leaves (2, ...)."""
    if number == 0:
        return task
    case, world = plan.case, task.world
    if plan.host is None and not (plan.form == BOARD and world.area["form"][case.area] == CHOICE):
        area = world.area.copy()
        area["form"][case.area] = plan.form
        world = world._replace(area=area)
    if number > 1:
        left = [case.group[number - 2], case.area, leaves_after * QUARTERS, NEVER]
        leaving = np.concatenate([world.leaving, np.array([left], np.int64)])
        world = world._replace(leaving=leaving)
    return task._replace(world=world, policy=founded(task.policy, case))


def path_table(paths: np.ndarray, case: Case) -> pd.DataFrame:
    """Return gains up to each quarter [arms, futures, quarters, members] as a table."""
    tables = []
    for against, base in (("baseline", paths[0]), ("alone", np.zeros_like(paths[0]))):
        gain = paths[1] - base
        size = np.maximum(np.abs(base), np.abs(paths[1]))
        middle = quantiles(np.where(np.abs(gain) <= ROUNDING * size, 0.0, gain), (0.5,))[0]
        tables += [
            pd.DataFrame({
                "against": against, "region": case.scenario.regions.codes[i],
                "quarter": np.arange(1, len(middle) + 1), "money": middle[:, k],
            })
            for k, i in enumerate(case.group)
        ]  # fmt: skip
    return pd.concat(tables, ignore_index=True)


def one_body(body: np.ndarray) -> np.ndarray:
    """Whether all members are in one body, from their bodies [members, ...]."""
    return (body[0] != NOBODY) & (body == body[:1]).all(axis=0)


def some_together(body: np.ndarray) -> np.ndarray:
    """Whether at least two of some regions are in one body, from their bodies [members, ...]."""
    pairs = [(body[k] != NOBODY) & (body[k] == body[m]) for k in range(len(body)) for m in range(k)]
    return np.any(pairs, axis=0) if pairs else np.zeros(body.shape[1:], np.bool_)


def gain_table(sums: np.ndarray, alone: np.ndarray, case: Case, criteria: Criteria) -> pd.DataFrame:
    """Return what members gain with the body, against the baseline and against serving alone."""
    codes, tables = case.scenario.regions.codes, []
    for against, base in (("baseline", sums[0]), ("alone", np.zeros_like(sums[0]))):
        columns = changes(np.stack([base, sums[1]]), alone, criteria)
        head = {"against": against, "region": [codes[i] for i in case.group]}
        tables.append(pd.DataFrame(head | columns))
    return pd.concat(tables, ignore_index=True)


def departure_table(
    sums: np.ndarray, body: np.ndarray, alone: np.ndarray, case: Case, criteria: Criteria
) -> pd.DataFrame:
    """Return what the departure of each member changes for all members."""
    codes, tables = case.scenario.regions.codes, []
    for k, i in enumerate(case.group):
        columns = changes(np.stack([sums[1], sums[2 + k]]), alone, criteria)
        rest = np.delete(body[2 + k], k, axis=0)
        head = {"leaver": codes[i], "region": [codes[j] for j in case.group]}
        tables.append(pd.DataFrame(head | columns | {"remain": some_together(rest).mean()}))
    return pd.concat(tables, ignore_index=True)


def changes(values: np.ndarray, alone: np.ndarray, criteria: Criteria) -> dict[str, np.ndarray]:
    """Return columns on the difference of money [2, members, futures, runs], as share and sum."""
    found = gain_columns(
        values / alone, criteria, threshold=criteria.threshold, comparisons=values.shape[1]
    )
    money = gain_columns(values, criteria)
    names = ("difference", "low", "high", "verdict", "better_share", "worse_share")
    cash = {"money": "difference", "money_low": "low", "money_high": "high"}
    return {name: found[name] for name in names} | {
        name: money[column] for name, column in cash.items()
    }
