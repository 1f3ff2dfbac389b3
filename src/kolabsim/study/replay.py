"""The history of one run: what happened in it, who decided it, and on which terms.

A run is replayed from its seed by the same compiled stages as the ensemble, one region at a time.
Events are differences between the state before and after a stage; the terms of a decision are
computed again by the functions that decided it. The file is long because it follows one quarter
from its first stage to its last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from kolabsim.engine.ensemble import (
    Task,
    conclude_for,
    list_bodies,
    new_state,
    support_for,
)
from kolabsim.errors import InputError, Problems, suggestion
from kolabsim.i18n import _
from kolabsim.model import (
    agreements,
    bodies,
    initialisation,
    interventions,
    laws,
    recording,
    rng,
    stages,
)
from kolabsim.model.decision_rules import BUILT_IN
from kolabsim.model.jit import host_entry
from kolabsim.model.levers import BOARD, CAP, FORMS, OPEN
from kolabsim.model.measures import CHANNELS
from kolabsim.model.parameters import FIRST_TERM, QUARTERS
from kolabsim.model.rng import Key
from kolabsim.model.state import BUYER, NOBODY, PROVIDER, ROW, Me, State
from kolabsim.scenario.compile import build_policy
from kolabsim.scenario.futures import (
    in_scenario,
    plausible_futures,
    structural_futures,
)
from kolabsim.scenario.scenario import Scenario
from kolabsim.study.api import check_request
from kolabsim.study.tasks import DEFAULT_FUTURE, build_futures

EVENTS = {
    "considered": "it considered the area, so that it could look for partners",
    "noticed": "it noticed the partner as a possible one",
    "judged": "it judged a union with the partners",
    "opened": "it opened a negotiation with the partners",
    "lapsed": "its negotiation ended without a vote, because the union had become impossible",
    "voted": "it voted on a union with the partners",
    "refused": "the union that it had opened with the partners was voted down",
    "founded": "it and the partners founded a joint body",
    "joined": "it joined the joint body of the partners",
    "merged": "it and the partners united two joint bodies",
    "fell_short": "it did not keep its promises in its joint body",
    "observed": "the partners saw that it fell short",
    "left": "it decided to leave the joint body that it shared with the partners",
    "withdrawn": "an event of the scenario took it out of the joint body that it shared with the "
    "partners",
    "dissolved": "its joint body with the partners ended without its own decision",
    "mandated": "a mandate united it with the partners",
}
"""Events by name, with their meaning for the region of the row."""

DECISIONS = {
    "notice": "whether it notices a possible partner in an area that it considers",
    "judge": "how a union with the partners looks to it, and whether it takes it up",
    "choose": "whether it opens a negotiation, and with whom",
    "conclude": "whether its negotiation comes to a vote in this quarter",
    "vote": "whether it is in favour of a union",
    "keep": "whether it keeps its promises in this quarter",
    "leave": "whether it leaves its joint body in this quarter",
}
"""Kinds of decisions, with their meaning for the region of the row."""

JUDGED = tuple(name for name in CHANNELS if name not in ("conduct", "programme"))
"""Channels of a judged net benefit."""

EVENT_COLUMNS = ("quarter", "event", "area", "region", "partners", "decision")
DECISION_COLUMNS = (
    "quarter", "kind", "area", "region", "partners", "outcome", "chance", "draw", "gain", "own",
    "goodwill", "error", *JUDGED, "trust", "commitment", "load", "culture", "interests", "past",
    "members", "people", "observed", "form", "negotiation",
)  # fmt: skip
TEXT_COLUMNS = ("kind", "area", "region", "partners", "form")


@dataclass(frozen=True, eq=False)
class Replay:
    """One run of a strategy, quarter by quarter: its events, and its decisions with their terms."""

    scenario: Scenario = field(repr=False)
    """The scenario in the future of the run."""
    strategy: str
    run: int
    seed: int
    """The seed of its draws; plausible futures have seeds of their own."""
    future: str
    events: pd.DataFrame = field(repr=False)
    """A row for each event: ``quarter`` (from 0), ``event`` (:data:`EVENTS`), ``area``, ``region``
    (code), ``partners`` (codes, as a tuple), and ``decision``: the row of :attr:`decisions` behind
    it, or -1."""
    decisions: pd.DataFrame = field(repr=False)
    """A row for each decision; NaN where a term has no part in it. ``quarter``, ``kind``
    (:data:`DECISIONS`), ``area``, ``region``, ``partners``, ``outcome`` (1 for yes);
    ``chance`` (0 to 1) of a yes, and ``draw`` (0 to 1): yes where it is below. Judgements and votes
    have ``gain``, the net benefit that decides, as a share of stand-alone cost: ``own`` + ``error``
    of judgement + ``goodwill`` for the others; ``own`` is the sum of the channels, each the change
    from the present arrangement. ``trust`` (0 to 1) in the contact or in the body, ``commitment``
    (0 to 1), ``load`` (coordination load, share of joint cost), ``culture`` and ``interests``
    (distances, 1 between two random regions), ``past`` (1 for partners of another area),
    ``members``, ``people`` who count in a vote, ``observed`` (1 if conduct was seen), ``form`` of
    the body or union, and ``negotiation``: the quarter in which it was opened."""
    quarters: pd.DataFrame = field(repr=False)
    """The measures of each quarter, as the ensemble records them."""
    bodies: list[list[dict[str, Any]]] = field(repr=False)
    """The joint bodies at the beginning of each quarter, and at the end of the run."""
    task: Task = field(repr=False)
    """The engine's input for the run."""
    traits: int = field(repr=False)
    """Number of the run whose drawn traits it uses."""

    def about(self, region: str, area: str | None = None) -> pd.DataFrame:
        """The events in which a region acts or is a partner, in their order.

        ``region`` is a code; ``area`` keeps the events of one service area.
        """
        mine = [region == one or region in of for one, of in zip(
            self.events["region"], self.events["partners"], strict=True
        )]  # fmt: skip
        found = self.events[np.array(mine, bool)]
        return found if area is None else found[found["area"] == area]

    def tables(self) -> dict[str, pd.DataFrame]:
        """Events and decisions as plain tables, for files: partners are codes with spaces."""
        found = {}
        for name in ("events", "decisions"):
            table: pd.DataFrame = getattr(self, name)
            found[name] = table.assign(partners=[" ".join(one) for one in table["partners"]])
        return found


def replay(
    scenario: Scenario | str | Path,
    strategy: str,
    run: int = 0,
    *,
    future: str | Mapping[str, object] | None = None,
    seed: int = 1,
    traits: int | None = None,
    regions: Iterable[str] | None = None,
) -> Replay:
    """Replay one run of the ensemble, and record its events and decisions.

    Parameters
    ----------
    scenario
        A scenario, the name of a shipped one, or the path of a file.
    strategy
        Name of one of its strategies.
    run
        Number of the run, from 0: run 17 of :func:`simulate` with the same seed.
    future
        Name of a plausible or structural future that ships with kolabsim (``plausible-3``,
        ``trust-lasting``), or settings by dotted names; default: the scenario as it is.
    seed
        Seed of all random draws, 0 or above.
    traits
        Number of the run whose drawn traits of regions it uses; default: its own.
    regions
        Codes of the regions whose search for partners is recorded, with what they notice and
        judge; default: all. Everything else is recorded for all regions.

    Returns
    -------
    Replay
        Tables ``events`` and ``decisions``, and the measures of each quarter.

    Raises
    ------
    InputError
        If the strategy, the future, a region or a number does not exist.

    Examples
    --------
    >>> import kolabsim as ks
    >>> history = ks.replay("kartamantul", "voluntary", run=17)
    >>> history.events.columns.tolist()
    ['quarter', 'event', 'area', 'region', 'partners', 'decision']
    >>> left = history.decisions.query("kind == 'leave' and outcome == 1")
    >>> bool((left["draw"] < left["chance"]).all())
    True
    """
    if not isinstance(scenario, Scenario):
        scenario = Scenario.load(scenario)
    check_run(run if traits is None else traits)
    check_run(run)
    world, task, name = prepare(scenario, strategy, future, seed=seed)
    return replay_task(
        world, task, strategy=strategy, run=run, future=name, traits=traits, regions=regions
    )


def prepare(
    scenario: Scenario,
    strategy: str,
    future: str | Mapping[str, object] | None,
    *,
    seed: int,
    futures: Mapping[str, Mapping[str, object]] | None = None,
) -> tuple[Scenario, Task, str]:
    """The scenario in a future, the engine's input for a strategy, and the name of the future.

    ``futures`` are further ones with names, as those of an experiment. Raises
    :class:`~kolabsim.errors.InputError` for a strategy, future or seed that is not there.
    """
    check_request(scenario, [strategy], runs=1, seed=seed)
    name, settings = find_future(scenario, future, futures or {})
    world, task = build_futures(scenario, {name: settings}, seed)[name]
    policy = build_policy(world, world.strategies[strategy])
    return world, task._replace(policy=policy), name


def check_run(run: object) -> None:
    """Refuse a number of a run that no run can have."""
    is_whole = isinstance(run, int | np.integer) and not isinstance(run, bool)
    if not (is_whole and 0 <= int(run) < 2**32):  # type: ignore[call-overload]
        raise InputError.of(_("run: {value} is not a whole number from 0"), value=run)


def find_future(
    scenario: Scenario,
    future: str | Mapping[str, object] | None,
    futures: Mapping[str, Mapping[str, object]],
) -> tuple[str, dict[str, object]]:
    """The name and the settings of a future: one of ``futures`` or a shipped one, or settings.

    Raises :class:`~kolabsim.errors.InputError` for a name that is not there.
    """
    if future is None or future == DEFAULT_FUTURE:
        return DEFAULT_FUTURE, {}
    if not isinstance(future, str):
        return DEFAULT_FUTURE, in_scenario(future, scenario)
    known: dict[str, dict[str, object]] = {
        **structural_futures(), **plausible_futures(None, scenario),
        **{name: dict(settings) for name, settings in futures.items()},
    }  # fmt: skip
    if future not in known:
        hint = suggestion(future, [DEFAULT_FUTURE, *known])
        raise InputError.of(_("'{name}' is not a future{hint}"), name=future, hint=hint)
    return future, known[future]


def replay_task(
    scenario: Scenario,
    task: Task,
    *,
    strategy: str,
    run: int,
    future: str,
    traits: int | None = None,
    regions: Iterable[str] | None = None,
) -> Replay:
    """Replay a run of a task, which ``scenario`` describes."""
    codes = scenario.regions.codes
    watched = np.ones(len(codes), bool)
    if regions is not None:
        watched[:] = False
        problems = Problems()
        for code in regions:
            if code in codes:
                watched[codes.index(code)] = True
            else:
                text = _("no region has the code '{code}'{suggestion}")
                problems.add(text.format(code=code, suggestion=suggestion(code, codes)))
        problems.raise_if_any()
    traits = run if traits is None else traits
    log = Recorder(scenario, task, int(run), int(traits), watched)
    while log.quarter < log.horizon:
        log.step()
    log.moments.append(list_bodies(scenario, log.state, log.quarter))
    return Replay(
        scenario, strategy, int(run), task.seed, future, log.event_table(), log.decision_table(),
        pd.DataFrame(log.history, columns=list(task.measures)), log.moments, task, int(traits),
    )  # fmt: skip


class Union(NamedTuple):
    """A union that is judged: its parties as rows of sums, and what it would be like."""

    first: int
    second: int
    sides: Any
    view: Any
    whole: float
    row: np.ndarray


class Recorder:
    """A run that records its events and decisions while it is simulated quarter by quarter."""

    def __init__(
        self, scenario: Scenario, task: Task, run: int, traits: int, watched: np.ndarray
    ) -> None:
        self.scenario, self.task, self.run, self.watched = scenario, task, run, watched
        self.codes, self.areas = scenario.regions.codes, list(scenario.areas)
        self.p, self.quarter = task.parameters, 0
        self.horizon = int(task.world.setting[0].horizon)
        self.state: State = new_state(task.world)
        self.events: list[tuple[Any, ...]] = []
        self.decisions: list[dict[str, Any]] = []
        self.history: list[np.ndarray] = []
        self.moments: list[list[dict[str, Any]]] = []
        self.leaving: dict[tuple[int, int], int] = {}
        """The decisions to leave that this quarter's agreements carry out."""
        self.withdrawn: set[tuple[int, int]] = set()
        """The members that events of the scenario take out of their bodies this quarter."""
        self._support = support_for(tuple(one.compiled for one in task.extensions.targets))
        measures = tuple(one.compiled for one in task.extensions.measures)
        targets = len(task.extensions.targets)
        own = {"conclude": conclude_for(measures, targets)} if measures else {}
        self._record = host_entry(recording.record, **own)
        host_entry(initialisation.initialise)(
            task.world, self.state, task.policy, self.p, Key(task.seed, traits, 0)
        )

    @property
    def key(self) -> Key:
        """The part of every draw's address that this quarter shares."""
        return Key(self.task.seed, self.run, self.quarter)

    # Tables ---------------------------------------------------------------------------------------

    def event_table(self) -> pd.DataFrame:
        """All events."""
        table = pd.DataFrame(self.events, columns=list(EVENT_COLUMNS))
        return table.astype({"quarter": np.int64, "decision": np.int64})

    def decision_table(self) -> pd.DataFrame:
        """All decisions."""
        table = pd.DataFrame(self.decisions, columns=list(DECISION_COLUMNS))
        numbers = {name: float for name in DECISION_COLUMNS if name not in TEXT_COLUMNS}
        table = table.astype(numbers | {"quarter": np.int64})
        return table.assign(form=table["form"].where(table["form"].notna(), ""))

    def note(self, event: str, i: int, a: int, partners: Iterable[int], decision: int = -1) -> None:
        """Note an event of region i in an area."""
        names = tuple(self.codes[j] for j in partners)
        self.events.append((self.quarter, event, self.areas[a], self.codes[i], names, decision))

    def decided(
        self, kind: str, i: int, a: int, partners: Iterable[int], outcome: float, **terms: Any
    ) -> int:
        """Note a decision of region i in an area; return its row."""
        names = tuple(self.codes[j] for j in partners)
        self.decisions.append({
            "quarter": self.quarter, "kind": kind, "area": self.areas[a], "region": self.codes[i],
            "partners": names, "outcome": float(outcome), **terms,
        })  # fmt: skip
        return len(self.decisions) - 1

    # Parties --------------------------------------------------------------------------------------

    def members(self, body: int) -> list[int]:
        """The members of a body."""
        return self.state.members[body, : self.state.body[body].members].tolist()

    def mates(self, i: int, a: int) -> list[int]:
        """The other members of the body of region i in an area."""
        body = self.state.slot[i, a].body
        return [] if body == NOBODY else [j for j in self.members(body) if j != i]

    def party(self, row: int) -> list[int]:
        """The regions of the party with this row of sums."""
        size = self.state.slot.size
        return [row // len(self.areas)] if row < size else self.members(row - size)

    def memberships(self) -> np.ndarray:
        """The body of each region in each area."""
        return self.state.slot["body"].copy()

    def draw(self, purpose: int, i: int, j: int, a: int) -> float:
        """A draw of region i about region j, or about itself."""
        ids = self.state.region["id"]
        return float(rng.uniform_by_area(self.key, purpose, int(ids[i]), int(ids[j]), a))

    # One quarter ----------------------------------------------------------------------------------

    def step(self) -> None:
        """Simulate a quarter as the ensemble does, and record it."""
        task, s, p, q, key = self.task, self.state, self.p, self.quarter, self.key
        self.moments.append(list_bodies(self.scenario, s, q))
        host_entry(interventions.start_quarter)(task.world, s, task.policy, p, q)
        self._support(s, task.policy, p, task.extensions.parameters, q)
        rows = range(len(self.codes))
        for i in rows:
            for a in range(len(self.areas)):
                self.identify(i, a)
        for i in rows:
            host_entry(stages.communicate)(i, s, p, key)
        host_entry(bodies.tally_all)(s, p, q)
        negotiating = s.slot["contact"].copy()
        self.leaving.clear()
        self.withdrawn.clear()
        for i in rows:
            self.plan(i, negotiating[i])
        self.form_agreements()
        for i in rows:
            host_entry(stages.coordinate)(i, s, p, key)
            self.record_conduct(i)
        host_entry(stages.produce)(s, task.policy, p, q)
        for i in rows:
            host_entry(stages.evaluate)(i, s, p, key)
        values = np.empty(len(task.measures))
        self._record(s, p, task.extensions.parameters, q, values)
        self.history.append(values)
        self.quarter += 1

    # 1 identify -----------------------------------------------------------------------------------

    def identify(self, i: int, a: int) -> None:
        """Let region i look for partners in an area, and record what it sees and chooses."""
        s, p, key = self.state, self.p, self.key
        number = host_entry(stages.list_options)(i, a, s, p, key)
        if number == 0:
            return
        options = s.option[:number].copy()
        if self.watched[i]:
            self.note("considered", i, a, ())
            self.record_notices(i, a)
        if number == 1:
            return
        judged = self.record_judgements(i, a, options) if self.watched[i] else []
        taken = self.choose(i, a, number)
        host_entry(stages.negotiate)(i, a, taken, s, key)
        other = self.party(int(options[taken].party)) if taken else []
        row = -1
        if self.watched[i]:
            for k, decision in enumerate(judged, 1):
                self.decisions[decision]["outcome"] = float(k == taken)
            best = int(np.argmax(options["gain"][1:])) + 1
            row = self.decided(
                "choose", i, a, other or self.party(int(options[best].party)), taken > 0,
                gain=options[taken or best].gain, chance=self.chance_to_open(options),
            )  # fmt: skip
        if taken:
            self.note("opened", i, a, other, row)

    def choose(self, i: int, a: int, number: int) -> int:
        """Apply the decision rule to the options of region i."""
        task, s, key = self.task, self.state, self.key
        me = Me(*host_entry(stages.describe_region)(i, a, s))
        draw = host_entry(stages.choice_draw)(s.region[i], a, key)
        options = s.option[:number]
        if task.rule:
            return int(task.rule.fastest(options, me, draw, task.rule_parameters))
        rule = host_entry(stages.built_in)
        return int(rule(s.moment[0].decision, options, me, draw, task.rule_parameters))

    def chance_to_open(self, options: np.ndarray) -> float:
        """Chance that a region opens any negotiation, where the rule leaves that to a draw."""
        rule = self.state.moment[0].decision
        if rule == NOBODY or BUILT_IN[rule] != "logit":
            return np.nan
        odds = options["gain"] / self.task.rule_parameters.temperature
        weights = np.exp(odds - odds.max())
        return float(1.0 - weights[0] / weights.sum())

    def record_notices(self, i: int, a: int) -> None:
        """Record which contacts region i notices in an area that it considers."""
        s, p = self.state, self.p
        region, own = s.region[i], host_entry(bodies.party_row)(s.slot, i, a)
        room = s.moment[0].cap - s.sums[own, ROW.members]
        for c in range(region.first, region.end):
            contact = s.contact[c]
            j = int(contact.target)
            party = host_entry(bodies.party_row)(s.slot, j, a)
            if party == own or s.sums[party, ROW.members] > room:
                continue
            if not host_entry(bodies.may_unite)(s, i, j, a, own, party):
                continue
            other = s.region[j]
            forum = s.area[a].forum * host_entry(bodies.same_forum)(region, other)
            tier = 1.0 if region.tier == other.tier else 0.0
            chance = laws.noticing(contact.near, contact.trust, forum, tier, p)
            chance = stages.on_notice(chance, s.effect[a])
            draw = self.draw(rng.NOTICE, i, j, a)
            row = self.decided(
                "notice", i, a, [j], draw < chance, chance=chance, draw=draw, trust=contact.trust
            )
            if draw < chance:
                self.note("noticed", i, a, [j], row)

    def record_judgements(self, i: int, a: int, options: np.ndarray) -> list[int]:
        """Record how region i judges each of its options; return the rows of the decisions."""
        rows = []
        for option in options[1:]:
            own = host_entry(bodies.party_row)(self.state.slot, i, a)
            union = self.judge(i, a, own, int(option.party), 0.0)
            other = self.party(union.second)
            terms = self.terms(i, a, union, int(option.contact), union.second, 0.0, errs=True)
            row = self.decided(
                "judge", i, a, other, False, **terms, draw=option.draw, trust=option.trust,
                culture=option.culture, members=option.members, form=FORMS[int(option.form)],
            )  # fmt: skip
            rows.append(row)
            self.note("judged", i, a, other, row)
        return rows

    def judge(self, i: int, a: int, first: int, second: int, planning: float) -> Union:
        """The union of two parties, as region i opens it."""
        sides, view, whole = host_entry(bodies.judge_union)(
            self.state, self.p, i, a, first, second, planning, self.quarter
        )
        return Union(first, second, sides, view, whole, self.state.sums[-1].copy())

    def terms(
        self, i: int, a: int, union: Union, contact: int, other: int, planning: float, *,
        errs: bool,
    ) -> dict[str, float]:  # fmt: skip
        """The net benefit that region i sees in a union with a party, by its terms."""
        s, p, region, slot = self.state, self.p, self.state.region[i], self.state.slot[i, a]
        enters = union.sides.first_enters if other == union.second else union.sides.second_enters
        residents, members = union.row[ROW.residents], union.row[ROW.members]
        across = host_entry(bodies.cross_omega)(region, s.slot, s.contact, a, other)
        omega = slot.omega + across
        own = host_entry(bodies.own_change)(s, i, a, p, union.view, omega, residents, enters)
        goodwill = host_entry(bodies.current_goodwill)(region, slot, self.quarter)
        total = laws.with_goodwill(own, union.whole, members - 1.0, goodwill)
        error = 0.0
        if errs:
            error = host_entry(bodies.misjudgement)(s, p, i, a, contact, planning)
        channels = self.channels(i, a, union.row, union.view, omega, enters=enters)
        if slot.body != NOBODY:
            present = host_entry(bodies.present_outlook)(s, p, a, slot.body, self.quarter)
            row = s.sums[s.slot.size + slot.body]
            now = self.channels(i, a, row, present, slot.omega, enters=False)
            channels = {name: value - now[name] for name, value in channels.items()}
        return {
            "gain": total + error,
            "own": own,
            "goodwill": total - own,
            "error": error,
            **channels,
        }

    def channels(
        self, i: int, a: int, row: np.ndarray, view: Any, omega: float, *, enters: bool
    ) -> dict[str, float]:
        """The channels of the net benefit that region i judges, which add up to it."""
        s, p, region, slot = self.state, self.p, self.state.region[i], self.state.slot[i, a]
        area = s.area[a]
        cost = host_entry(bodies.cost_channels)(row, view, slot.burden)
        people = region.population / row[ROW.residents]
        fit = host_entry(bodies.misfit)(slot, area, s.effect[a], p, view, len(self.areas))
        found = dict(zip(("scale", "coordination", "distance", "newness"), cost, strict=True))
        found |= {
            "spill": area.spillover * omega / slot.alone,
            "pooled": laws.quality_worth(view.quality - slot.reference, p),
            "self_rule": -laws.autonomy_loss(region.autonomy, people, p),
            "fit": -fit, "entry": 0.0,
        }  # fmt: skip
        if enters:
            found["entry"] = -host_entry(bodies.entry_cost)(region, slot, p, view.price)
        return found

    # 3 plan ---------------------------------------------------------------------------------------

    def plan(self, i: int, negotiating: np.ndarray) -> None:
        """Let the negotiations of region i advance, and record what it decides."""
        s, p, key = self.state, self.p, self.key
        open_before = np.flatnonzero(negotiating != NOBODY)
        waiting = {int(a): self.negotiation(i, int(a)) for a in open_before}
        host_entry(stages.plan)(i, s, p, key)
        for a in range(len(self.areas)):
            if host_entry(stages.is_taken_out)(s.slot[i, a], self.quarter):
                self.withdrawn.add((i, a))
            elif self.may_leave(i, a):
                self.record_leaving(i, a)
        for a, found in waiting.items():
            if found is None:
                continue
            partners, terms = found
            if s.slot[i, a].contact == NOBODY:
                self.note("lapsed", i, a, partners)
            elif terms:
                self.decided("conclude", i, a, partners, s.slot[i, a].order >= 0.0, **terms)

    def negotiation(self, i: int, a: int) -> tuple[list[int], dict[str, float]] | None:
        """The partners of a negotiation that may advance, and the terms of its pace."""
        s, p, slot = self.state, self.p, self.state.slot[i, a]
        if slot.opened >= self.quarter:
            return None
        contact = s.contact[slot.contact]
        j = int(contact.target)
        first, second = (host_entry(bodies.party_row)(s.slot, k, a) for k in (i, j))
        partners = self.party(second)
        members = s.sums[first, ROW.members] + s.sums[second, ROW.members]
        may_unite = host_entry(bodies.may_unite)(s, i, j, a, first, second)
        if members > s.moment[0].cap or not may_unite:
            return partners, {}
        sides = host_entry(bodies.assign_sides)(s, p, first, second, a, self.quarter)
        form = BOARD if sides.host == NOBODY else sides.form
        host_entry(bodies.add_rows)(s, first, second)
        row, hub = s.sums[-1], s.sums[host_entry(bodies.hub_row)(s, sides.provider, a)]
        apart = host_entry(bodies.differences)(row, hub, form)
        trust = 0.5 * (contact.trust + s.contact[contact.reverse].trust)
        past = host_entry(bodies.partners_before)(s.slot, i, j, a)
        rate = host_entry(stages.decision_rate)(
            s.area[a], s.effect[a], p, row, apart, trust, past, form
        )
        return partners, {
            "chance": laws.conclusion(rate), "draw": self.draw(rng.CONCLUSION, i, i, a),
            "trust": trust, "commitment": row[ROW.commitment] / row[ROW.members],
            "culture": apart.culture, "interests": apart.interests, "past": past,
            "members": row[ROW.members], "negotiation": slot.opened,
        }  # fmt: skip

    def may_leave(self, i: int, a: int) -> bool:
        """Whether region i may decide to leave its body in this quarter."""
        slot = self.state.slot[i, a]
        is_free = slot.body != NOBODY and slot.bound_until <= self.quarter
        is_free = is_free and slot.role != PROVIDER
        return bool(is_free and self.quarter - slot.entered >= QUARTERS * FIRST_TERM)

    def record_leaving(self, i: int, a: int) -> None:
        """Record whether region i, which may leave its body, decides to."""
        s, slot = self.state, self.state.slot[i, a]
        commitment = s.region[i].commitment
        chance = laws.leaving(slot.load, slot.body_trust, commitment, self.p)
        row = self.decided(
            "leave", i, a, self.mates(i, a), slot.leaves > 0,
            chance=stages.on_leaving(chance, s.effect[a]), draw=self.draw(rng.LEAVING, i, i, a),
            trust=slot.body_trust, commitment=commitment, load=slot.load,
            members=s.body[slot.body].members, form=FORMS[s.body[slot.body].form],
        )  # fmt: skip
        if slot.leaves > 0:
            self.leaving[i, a] = row

    # 4 agreements ---------------------------------------------------------------------------------

    def form_agreements(self) -> None:
        """Carry out the decisions of the quarter about joint bodies, one after the other."""
        task, s, p, q = self.task, self.state, self.p, self.quarter
        before = self.memberships()
        mates = self.all_mates(before)
        host_entry(agreements.carry_out_leavings)(s, p, q)
        for (i, a), row in self.leaving.items():
            self.note("left", i, a, mates[i, a], row)
        for i, a in sorted(self.withdrawn):
            self.note("withdrawn", i, a, mates[i, a])
        self.record_endings(before, mates, {*self.leaving, *self.withdrawn})
        before, mandates = self.memberships(), s.slot["mandate"].copy()
        mates = self.all_mates(before)
        host_entry(agreements.impose_mandates)(s, task.policy, p, q)
        bound = {(int(i), int(a)) for i, a in np.argwhere(s.slot["mandate"] != mandates)}
        bound = {(i, a) for i, a in bound if s.slot[i, a].mandate != NOBODY}
        for i, a in sorted(bound):
            self.note("mandated", i, a, self.mates(i, a))
        self.record_endings(before, mates, bound)
        queue = host_entry(agreements.queue_negotiations)(s)
        ballot = np.empty(CAP)
        for place in queue.tolist():
            self.conclude(place // len(self.areas), place % len(self.areas), ballot)
        host_entry(interventions.fund)(s, task.policy, p, q)

    def all_mates(self, body: np.ndarray) -> dict[tuple[int, int], list[int]]:
        """The other members of each region's body in each area, where it has one."""
        return {
            (int(i), int(a)): self.mates(int(i), int(a)) for i, a in np.argwhere(body != NOBODY)
        }

    def record_endings(
        self, before: np.ndarray, mates: Mapping[tuple[int, int], list[int]],
        known: set[tuple[int, int]],
    ) -> None:  # fmt: skip
        """Record memberships that ended without a decision of the region itself."""
        ended = (before != NOBODY) & (self.state.slot["body"] == NOBODY)
        for i, a in np.argwhere(ended).tolist():
            if (i, a) not in known:
                self.note("dissolved", i, a, mates[i, a])

    def conclude(self, i: int, a: int, ballot: np.ndarray) -> None:
        """Let the parties of a negotiation vote, and record each vote and what comes of it."""
        s, slot, now = self.state, self.state.slot[i, a], self.state.moment[0]
        opened, contact = int(slot.opened), int(slot.contact)
        before, found = self.memberships()[:, a], None
        votes: dict[int, int] = {}
        if contact != NOBODY:
            j = int(s.contact[contact].target)
            first, second = (host_entry(bodies.party_row)(s.slot, k, a) for k in (i, j))
            others = self.party(second)
            members = s.sums[first, ROW.members] + s.sums[second, ROW.members]
            may_unite = host_entry(bodies.may_unite)(s, i, j, a, first, second)
            if members <= now.cap and may_unite:
                found, votes = self.record_votes(i, a, contact, first, second, opened)
        refused = now.refused
        self.carry_out(i, a, ballot, found, votes)
        if contact == NOBODY:
            return
        if found is None:
            self.note("lapsed", i, a, others)
            return
        union = [*self.party_before(found.first, before, i), *others]
        rest = [k for k in union if k != i]
        if now.refused > refused:
            self.note("refused", i, a, rest, votes.get(i, -1))
            return
        host = found.sides.host
        if host == NOBODY:
            self.note("founded", i, a, rest, votes.get(i, -1))
            return
        entering = [k for k in union if before[k] == NOBODY]
        for k in entering:
            self.note("joined", k, a, [m for m in union if m != k], votes.get(k, -1))
        if not entering:
            self.note("merged", i, a, rest, votes.get(i, -1))

    def carry_out(
        self, i: int, a: int, ballot: np.ndarray, found: Union | None, votes: Mapping[int, int]
    ) -> None:
        """Conclude a negotiation of region i, of which the votes are recorded."""
        host_entry(agreements.conclude_negotiation)(self.state, self.p, i, a, ballot, self.quarter)

    def party_before(self, row: int, before: np.ndarray, i: int) -> list[int]:
        """The members of region i's party before its union was carried out."""
        if row < self.state.slot.size:
            return [i]
        return np.flatnonzero(before == row - self.state.slot.size).tolist()

    def record_votes(
        self, i: int, a: int, contact: int, first: int, second: int, opened: int
    ) -> tuple[Union, dict[int, int]]:
        """Record the votes on a union that region i opened; return it, and the votes' rows."""
        s = self.state
        planning = s.area[a].planning
        union = self.judge(i, a, first, second, planning)
        further = host_entry(agreements.further_spill)(s, i, a, first, second)
        union = union._replace(whole=union.whole + s.area[a].spillover * further)
        back = int(s.contact[contact].reverse)
        votes: dict[int, int] = {}
        asks = s.moment[0].consent == OPEN
        for party, other, through in ((first, second, contact), (second, first, back)):
            if party == second and asks:
                continue
            for k in self.party(party):
                if s.slot[k, a].role == BUYER:
                    continue
                errs = k == i or party < s.slot.size
                terms = self.terms(k, a, union, through, other, planning, errs=errs)
                rest = [m for m in (*self.party(first), *self.party(second)) if m != k]
                votes[k] = self.decided(
                    "vote", k, a, rest, terms["gain"] > 0.0, **terms, negotiation=opened,
                    people=s.region[k].population, members=union.row[ROW.members],
                    trust=union.view.trust, form=FORMS[union.sides.form],
                    culture=union.view.apart.culture, interests=union.view.apart.interests,
                )  # fmt: skip
                self.note("voted", k, a, rest, votes[k])
        return union, votes

    # 5 coordinate ---------------------------------------------------------------------------------

    def record_conduct(self, i: int) -> None:
        """Record whether region i keeps its promises, and whether its partners see it."""
        s, p, region = self.state, self.p, self.state.region[i]
        for a in range(len(self.areas)):
            slot = s.slot[i, a]
            if slot.body == NOBODY:
                continue
            row, area = s.sums[s.slot.size + slot.body], s.area[a]
            seen = laws.observed(area.monitoring, area.information, p)
            seen = stages.on_observation(seen, s.effect[a])
            ties = laws.ties(row[ROW.members], s.body[slot.body].form)
            goodwill = host_entry(bodies.current_goodwill)(region, slot, self.quarter)
            trust = laws.mean_trust(row[ROW.trust], ties)
            odds = laws.conduct_odds(
                goodwill, region.commitment, trust, region.stress,
                region.population / row[ROW.residents], seen, p,
            )  # fmt: skip
            chance = laws.conduct(stages.on_conduct_odds(odds, s.effect[a]), slot.community, p)
            chance = stages.on_conduct(chance, s.effect[a])
            mates = self.mates(i, a)
            number = self.decided(
                "keep", i, a, mates, slot.kept > 0.0, chance=chance,
                draw=self.draw(rng.HONOUR, i, i, a), trust=trust, commitment=region.commitment,
                observed=slot.seen, members=row[ROW.members],
                form=FORMS[s.body[slot.body].form],
            )  # fmt: skip
            if slot.kept == 0.0:
                self.note("fell_short", i, a, mates, number)
                if slot.seen > 0.0:
                    self.note("observed", i, a, mates, number)
