"""Nearest counterfactuals: the smallest change under which one decision had gone the other way.

Every change acts from one quarter on: all before it, and all random draws, stay as they were. The
run then goes on in the compiled loop of the ensemble up to the decision. Changes are tried outwards
from the present value, and the first one that turns the decision is narrowed down by bisection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from kolabsim.engine.ensemble import Task, new_state, resume
from kolabsim.engine.overrides import Base, vary
from kolabsim.errors import InputError
from kolabsim.i18n import _
from kolabsim.model import laws
from kolabsim.model.bodies import refresh_slot
from kolabsim.model.initialisation import initialise
from kolabsim.model.jit import host_entry
from kolabsim.model.levers import LEVERS, MECHANISMS
from kolabsim.model.measures import TRACE
from kolabsim.model.parameters import LOAD_UNIT, PARAMETERS, QUARTERS
from kolabsim.model.rng import Key
from kolabsim.model.state import NOBODY, Policy, State
from kolabsim.scenario.compile import build_policy
from kolabsim.study.replay import Replay

TERM, LEVER, PARAMETER = "term", "lever", "parameter"
"""Kinds of changes: of a quantity that the decision reads, a lever, or a parameter."""

COLUMNS = (
    "kind", "name", "region", "since", "value", "needed", "low", "high", "distance", "holds",
)  # fmt: skip

STEPS = (0.125, 0.25, 0.5, 0.75, 1.0)
"""Parts of the way to a bound that are tried in turn, before bisection."""
HALVINGS = 7
"""Bisections: a change is found to about a thousandth of its range."""
SPREADS = 4.0
"""Plausible range of a net benefit, in standard deviations of the error of judgement."""
LOADS = 4.0
"""Upper end of the plausible range of the load of coordination, in its units."""
LATER = QUARTERS
"""Quarters after an agreement within which the same regions must not have united instead."""
TRAITS = ("autonomy", "goodwill", "stress")
"""Traits of the deciding region that are tried."""
AID = ("grant_strength", "business_strength")
"""Parameters that act through what is kept of a region, and not when it is read."""
BODY, ENTERED = (TRACE.index(name) for name in ("body", "entered"))


class Bodies(NamedTuple):
    """The memberships of all regions in one area, quarter by quarter, since a change."""

    since: int
    body: np.ndarray
    """[quarters, R] the body of each region at the end of the quarter."""
    entered: np.ndarray
    """[quarters, R] the quarter in which it entered it."""

    def stays(self, i: int) -> np.ndarray:
        """Whether region i has been in the same body since before each quarter, [quarters].

        A region may leave and found another body within one quarter.
        """
        quarters = self.since + np.arange(len(self.body))
        return (self.body[:, i] != NOBODY) & (self.entered[:, i] < quarters)


class Case(NamedTuple):
    """A decision, and how to tell from a run whether it went the other way."""

    kind: str
    i: int
    a: int
    others: tuple[int, ...]
    quarter: int
    since: int
    """The first quarter in which a change acts."""
    end: int
    """The quarter up to which runs go on."""
    is_turned: Callable[[Bodies, int, State], bool]
    """Takes the memberships since a change, the place of the decision's quarter among them, and the
    last state."""


class Candidate(NamedTuple):
    """A quantity that may be changed, with its value and plausible range."""

    kind: str
    name: str
    region: str
    value: float
    low: float
    high: float
    since: int
    change: Callable[[Task, State, float], Task]
    """Writes a value into a copy of the state or the task."""


def counterfactuals(found: Replay, decision: int) -> pd.DataFrame:
    """The smallest change of each term, lever and parameter that turns a decision.

    Parameters
    ----------
    found
        A replayed run.
    decision
        A row of its decisions, of the kinds choose, vote, keep or leave.

    Returns
    -------
    DataFrame
        The nearest first: ``kind`` (term, lever, parameter), ``name``, ``region`` whose term it is,
        ``since``: the quarter from which on the change acts, ``value`` at present, ``needed``: the
        nearest value that turns the decision, NaN if there is none within the plausible range
        ``low`` to ``high``, ``distance``: the change as a share of that range, and ``holds``: the
        number of quarters for which the other outcome then lasts, up to the end of the run.

    Raises
    ------
    InputError
        For a row that is not there or of another kind.

    Examples
    --------
    >>> import kolabsim as ks
    >>> history = ks.replay("kartamantul", "voluntary", run=17)
    >>> left = history.decisions.query("kind == 'leave' and outcome == 1")
    >>> table = ks.counterfactuals(history, int(left.index[0]))
    >>> bool((table["distance"].dropna() <= 1.0).all())
    True
    """
    if decision not in found.decisions.index:
        raise InputError.of(_("decision {number} is not in this run"), number=decision)
    return nearest_changes(Branches(found), decision)


def nearest_changes(runs: Branches, decision: int, *, lasting: bool = False) -> pd.DataFrame:
    """The same for a decision of a run whose branches are shared with other decisions.

    With ``lasting``, an exit counts as turned only if the membership lasts to the end of the run.
    """
    found = runs.found
    row = found.decisions.loc[decision]
    case = describe_case(found, row, runs)
    if lasting:
        case = kept_to_the_end(case, found.scenario.horizon)
    rows = [search(runs, case, one) for one in list_candidates(found, row, case, runs)]
    rows += margins(found, row, case)
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.sort_values("distance", kind="stable", ignore_index=True)


@dataclass
class Branches:
    """A run, and the runs that branch off from it."""

    found: Replay
    _states: dict[int, State] = field(default_factory=dict)
    _policies: dict[int, Policy] = field(default_factory=dict)

    def with_all_of(self, k: int) -> Policy:
        """The policy of the run, in which lever k is on: if it is not, everywhere in full."""
        if k not in self._policies:
            scenario, policy = self.found.scenario, self.found.task.policy
            if not (policy.lever[policy.period, :, k] > 0.0).any():
                name = list(LEVERS)[k]
                kind = "mechanisms" if name in MECHANISMS else "support"
                changed = scenario.with_({f"{kind}.{name}": 1.0})
                policy = build_policy(changed, changed.strategies[self.found.strategy])
            self._policies[k] = policy
        return self._policies[k]

    def state(self, quarter: int) -> State:
        """A copy of the state at the beginning of a quarter."""
        if quarter not in self._states:
            task = self.found.task
            state = new_state(task.world)
            if quarter == 0:
                key = Key(task.seed, self.found.traits, 0)
                host_entry(initialise)(task.world, state, task.policy, task.parameters, key)
            else:
                self.go_on(task, state, 0, quarter)
            self._states[quarter] = state
        return State(*(part.copy() for part in self._states[quarter]))

    def go_on(self, task: Task, state: State, first: int, end: int) -> np.ndarray:
        """Let a run go on; return the slots of its quarters."""
        return resume(task, state, self.found.run, first, end, self.found.traits)

    def is_turned(self, case: Case, one: Candidate, value: float) -> bool:
        """Whether the decision goes the other way with a value of a candidate."""
        bodies, state = self.branch(one, value, case.end, case.a)
        return case.is_turned(bodies, case.quarter - one.since, state)

    def branch(self, one: Candidate, value: float, end: int, a: int) -> tuple[Bodies, State]:
        """The bodies of all regions in an area, quarter by quarter, after a change."""
        state = self.state(one.since)
        task = one.change(self.found.task, state, value)
        # With quarter 0 the loop makes the first state itself: no term is changed before quarter 1.
        slots = self.go_on(task, state, one.since, end)[:, :, a]
        return Bodies(one.since, slots[..., BODY], slots[..., ENTERED]), state


# Cases --------------------------------------------------------------------------------------------


def describe_case(found: Replay, row: pd.Series, runs: Branches) -> Case:
    """The case of a decision.

    Raises :class:`~kolabsim.errors.InputError` for a kind that has no counterfactual.
    """
    codes, areas = found.scenario.regions.codes, list(found.scenario.areas)
    i, a, quarter = codes.index(row["region"]), areas.index(row["area"]), int(row["quarter"])
    others = tuple(codes.index(code) for code in row["partners"])
    entered = max(int(runs.state(quarter).slot[i, a].entered) + 1, 1)
    horizon = found.scenario.horizon
    kind, was = row["kind"], row["outcome"] > 0.0
    if kind == "leave":

        def is_turned(bodies: Bodies, at: int, state: State) -> bool:
            # A region that left earlier and entered again was not kept.
            return bool(bodies.stays(i)[: at + 1].all() == was)

        return Case(kind, i, a, others, quarter, min(entered, quarter), quarter + 1, is_turned)
    if kind == "keep":

        def is_turned(bodies: Bodies, at: int, state: State) -> bool:
            kept = state.slot[i, a].kept > 0.0
            return bool(bodies.stays(i)[at] and kept != was)

        since = max(min(entered, quarter), 1)
        return Case(kind, i, a, others, quarter, since, quarter + 1, is_turned)
    if kind == "choose":

        def is_turned(bodies: Bodies, at: int, state: State) -> bool:
            return bool((state.slot[i, a].opened == quarter) != was)

        return Case(kind, i, a, others, quarter, quarter, quarter + 1, is_turned)
    if kind == "vote":
        group = [i, *others]
        agreed = found.events[
            (found.events["quarter"] == quarter)
            & (found.events["area"] == row["area"])
            & found.events["event"].isin(["founded", "joined", "merged"])
        ]
        is_agreed = any(
            {one.region, *one.partners} == {codes[k] for k in group} for one in agreed.itertuples()
        )
        since = max(int(row["negotiation"]) + 1, 1)

        def are_together(bodies: np.ndarray) -> bool:
            return bool(bodies[group[0]] != NOBODY and (bodies[group] == bodies[group[0]]).all())

        def is_turned(bodies: Bodies, at: int, state: State) -> bool:
            if is_agreed:
                return not any(are_together(one) for one in bodies.body[at:])
            return are_together(bodies.body[at])

        end = min(quarter + 1 + (LATER if is_agreed else 0), horizon)
        return Case(kind, i, a, others, quarter, since, end, is_turned)
    text = _(
        "decisions of the kind '{kind}' have no counterfactual; choose, vote, keep and leave do"
    )
    raise InputError.of(text, kind=kind)


def kept_to_the_end(case: Case, horizon: int) -> Case:
    """The case of an exit that is turned only if the membership lasts to the end of the run."""

    def is_turned(bodies: Bodies, at: int, state: State) -> bool:
        return bool(bodies.stays(case.i).all())

    return case._replace(end=horizon, is_turned=is_turned)


# Candidates ---------------------------------------------------------------------------------------


def list_candidates(
    found: Replay, row: pd.Series, case: Case, runs: Branches
) -> Iterator[Candidate]:
    """All changes that are tried for a decision."""
    yield from terms_now(row, case)
    yield from traits(found, case, runs)
    yield from levers(runs, case)
    yield from parameters(found, case)


def terms_now(row: pd.Series, case: Case) -> Iterator[Candidate]:
    """The terms of a decision to leave, changed in its own quarter."""
    if case.kind != "leave" or case.quarter == 0:
        return
    for name, column, high in (
        ("trust", "body_trust", 1.0), ("load", "load", LOADS * LOAD_UNIT),
        ("commitment", "", 1.0),
    ):  # fmt: skip

        def change(task: Task, state: State, value: float, column: str = column) -> Task:
            if column:
                state.slot[column][case.i, case.a] = value
            else:
                state.region["commitment"][case.i] = value
            return task

        yield Candidate(
            TERM, f"{name}_now", str(row["region"]), float(row[name]), 0.0, high, case.quarter,
            change,
        )  # fmt: skip


def traits(found: Replay, case: Case, runs: Branches) -> Iterator[Candidate]:
    """Traits of the deciding region, and trust between it and the others, from ``since`` on."""
    if case.since == 0:
        return
    state, code = runs.state(case.since), found.scenario.regions.codes[case.i]
    columns = TRAITS if case.kind == "leave" else (*TRAITS, "commitment")
    for name in columns:

        def set_trait(task: Task, state: State, value: float, name: str = name) -> Task:
            state.region[name][case.i] = value
            if name == "stress":  # from which changes of later quarters are counted
                state.region["stress_start"][case.i] = value
            return refreshed(task, state, case.i)

        value = float(state.region[name][case.i])
        yield Candidate(TERM, name, code, value, 0.0, 1.0, case.since, set_trait)
    at = (case.i, case.a)

    def set_capacity(task: Task, state: State, value: float) -> Task:
        state.slot["capacity"][at] = value
        return refreshed(task, state, case.i)

    value = float(state.slot["capacity"][at])
    yield Candidate(TERM, "capacity", code, value, 0.0, 1.0, case.since, set_capacity)
    ties = [
        c for c in range(state.region[case.i].first, state.region[case.i].end)
        if state.contact[c].target in case.others
    ]  # fmt: skip
    if not ties:
        return
    both = [*ties, *(int(state.contact[c].reverse) for c in ties)]
    mean = float(state.contact["trust"][both].mean())

    def set_trust(task: Task, state: State, value: float) -> Task:
        trust, bound = state.contact["trust"], 1.0 if value > mean else 0.0
        part = (value - mean) / (bound - mean) if bound != mean else 0.0
        trust[both] += part * (bound - trust[both])
        return task

    yield Candidate(TERM, "trust", code, mean, 0.0, 1.0, case.since, set_trust)


def refreshed(task: Task, state: State, i: int) -> Task:
    """Update what follows from a trait of a region."""
    for a in range(state.slot.shape[1]):
        host_entry(refresh_slot)(state, task.parameters, i, a)
    return task


def levers(runs: Branches, case: Case) -> Iterator[Candidate]:
    """The intensity of each lever in all areas, from ``since`` on."""
    policy = runs.found.task.policy
    phase = policy.period[case.quarter]
    for k, name in enumerate(LEVERS):
        present = float(policy.lever[phase, case.a, k])

        def change(
            task: Task, state: State, value: float, k: int = k, present: float = present
        ) -> Task:
            full = runs.with_all_of(k)
            later = with_lever(task.policy, full, k, value, case.since, is_raised=value > present)
            return task._replace(policy=later)

        kind = "mechanisms" if name in MECHANISMS else "support"
        yield Candidate(LEVER, f"{kind}.{name}", "", present, 0.0, 1.0, case.since, change)


def with_lever(
    policy: Policy, full: Policy, k: int, value: float, since: int, *, is_raised: bool
) -> Policy:
    """A policy in which a lever has at least, or at most, an intensity from a quarter on.

    ``full`` is the policy itself if the lever is on already, or else one that has switched it on.
    """
    later = full.lever.copy()
    if full is not policy:
        later[..., k] = value
    elif is_raised:
        later[..., k] = np.maximum(later[..., k], value)
    else:
        later[..., k] = np.minimum(later[..., k], value)
    parts = {
        name: np.concatenate([getattr(policy, name), getattr(full, name)])
        for name in Policy._fields
        if name not in ("period", "lever", "base", "ceiling") and not name.startswith("mandate")
    }
    quarters, number = np.arange(len(policy.period)), len(policy.lever)
    period = np.where(quarters < since, policy.period, number + full.period)
    return policy._replace(period=period, lever=np.concatenate([policy.lever, later]), **parts)


def parameters(found: Replay, case: Case) -> Iterator[Candidate]:
    """Each parameter of the model, within its plausible range, from ``since`` on."""
    base = Base(found.task, np.zeros(0, bool), tuple(found.scenario.areas))
    for name, entry in PARAMETERS.items():
        value = float(found.scenario.parameters.get(name, entry.default))
        low, high = min(entry.low, value), max(entry.high, value)

        def change(task: Task, state: State, value: float, name: str = name) -> Task:
            changed = vary(base, [f"parameters.{name}"], [value])
            if case.since > 0:
                p = changed.parameters
                state.moment["founding_penalty"][0] = laws.mean_transition(p)
                for i in range(len(state.region) if name in AID else 0):
                    refreshed(changed, state, i)
            return changed

        yield Candidate(
            PARAMETER, f"parameters.{name}", "", value, float(low), float(high), case.since, change
        )


# Search -------------------------------------------------------------------------------------------


def search(runs: Branches, case: Case, one: Candidate) -> dict[str, Any]:
    """The row of a candidate: its nearest value that turns the decision."""
    found = [turning_value(runs, case, one, bound) for bound in (one.low, one.high)]
    values = [value for value in found if value is not None]
    row: dict[str, Any] = {name: getattr(one, name) for name in COLUMNS if hasattr(one, name)}
    row |= {"needed": np.nan, "distance": np.nan, "holds": np.nan}
    if not values:
        return row
    needed = min(values, key=lambda value: abs(value - one.value))
    row["needed"] = needed
    row["distance"] = abs(needed - one.value) / (one.high - one.low)
    row["holds"] = float(duration(runs, case, one, needed))
    return row


def turning_value(runs: Branches, case: Case, one: Candidate, bound: float) -> float | None:
    """The value nearest to the present one, towards a bound, that turns the decision."""
    if bound == one.value:
        return None
    span, before = bound - one.value, 0.0
    for part in STEPS:
        if runs.is_turned(case, one, one.value + part * span):
            break
        before = part
    else:
        return None
    low, high = before, part
    for _halving in range(HALVINGS):
        middle = 0.5 * (low + high)
        if runs.is_turned(case, one, one.value + middle * span):
            high = middle
        else:
            low = middle
    return rounded(runs, case, one, one.value + high * span)


def rounded(runs: Branches, case: Case, one: Candidate, value: float) -> float:
    """The value with as few digits as turn the decision too."""
    for digits in (2, 3):
        size = 10.0 ** (np.floor(np.log10(max(abs(value), 1e-12))) - digits + 1)
        away = np.ceil if value > one.value else np.floor
        short = float(f"{away(value / size) * size:.{digits}g}")
        within = one.low <= short <= one.high
        close = abs(short - value) <= 0.02 * (one.high - one.low)
        if within and close and runs.is_turned(case, one, short):
            return short
    return value


def duration(runs: Branches, case: Case, one: Candidate, value: float) -> int:
    """Quarters for which the other outcome lasts after the decision."""
    horizon = runs.found.scenario.horizon
    bodies, _state = runs.branch(one, value, horizon, case.a)
    group = [case.i, *case.others]
    together = bodies.stays(case.i)
    if case.kind == "vote":
        joint = bodies.body[:, group]
        together = (joint != NOBODY).all(axis=1) & (joint == joint[:, :1]).all(axis=1)
    rest = together[case.quarter - one.since :]
    changed = np.flatnonzero(rest != rest[0])
    return int(changed[0]) if len(changed) else len(rest)


def margins(found: Replay, row: pd.Series, case: Case) -> list[dict[str, Any]]:
    """The net benefit that would have turned a vote alone: of each member whose vote decides."""
    if case.kind != "vote":
        return []
    same = (found.decisions["quarter"] == row["quarter"]) & (found.decisions["kind"] == "vote")
    same &= found.decisions["area"] == row["area"]
    group = {row["region"], *row["partners"]}
    votes = found.decisions[same]
    votes = votes[
        [{r, *of} == group for r, of in zip(votes["region"], votes["partners"], strict=True)]
    ]
    votes = votes[votes["negotiation"] == row["negotiation"]]
    spread = SPREADS * float(found.task.parameters.misperception)
    against = votes[votes["outcome"] == 0.0]
    rows = []
    deciding = against if len(against) == 1 else votes if not len(against) else against[:0]
    for one in deciding.itertuples():
        distance = abs(one.gain) / spread
        rows.append({
            "kind": TERM, "name": "gain", "region": one.region, "since": row["quarter"],
            "value": one.gain, "needed": 0.0 if distance <= 1.0 else np.nan,
            "low": -0.5 * spread, "high": 0.5 * spread,
            "distance": distance if distance <= 1.0 else np.nan, "holds": np.nan,
        })  # fmt: skip
    return rows
