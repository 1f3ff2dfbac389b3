"""A run in which somebody decides for one region: what it asks, what it sees, what comes of it.

The run is that of :mod:`kolabsim.study.replay`: the same compiled stages and draws. A quarter is
tried with the answers that there are; if it comes to a question without an answer, it is taken back
and tried again when the answer is there. The file is long because it has both the questions and the
run that asks them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kolabsim.analysis.region import stand_alone_cost
from kolabsim.analysis.why import find_region
from kolabsim.engine.ensemble import Task, list_bodies, run_block
from kolabsim.errors import InputError
from kolabsim.i18n import _
from kolabsim.model import agreements, bodies, laws, recording, stages
from kolabsim.model.jit import host_entry
from kolabsim.model.levers import CONSENTS, FORMS, OPEN
from kolabsim.model.measures import REGION_MEASURES, TRACE
from kolabsim.model.parameters import QUARTERS
from kolabsim.model.state import BUYER, NOBODY, ROW, State
from kolabsim.scenario.scenario import Scenario
from kolabsim.study.replay import JUDGED, Recorder, Replay, Union, check_run, prepare

PROPOSE, VOTE, STAY, KEEP = "propose", "vote", "stay", "keep"

QUESTIONS = {
    PROPOSE: ("wait", "propose"),
    VOTE: ("refuse", "agree"),
    STAY: ("stay", "leave"),
    KEEP: ("keep", "fall_short"),
}
"""Kinds of questions, with the names of their options: the first, and every other one. A region
may be asked whether it opens a negotiation, how it votes on a union, whether it leaves its joint
body, and whether it keeps its promises in it."""

KNOWN = {
    "attention": "chance in a quarter that it considers the area at all, 0 to 1",
    "people": "its share of the people who count on its side of a vote, 0 to 1",
    "expected": "net benefit that it saw when it agreed to its present arrangement",
    "realised": "net benefit of its present arrangement, as it has turned out",
    "load": "cost of coordination in its joint body, share of joint cost",
    "commitment": "its commitment, 0 to 1",
    "seen": "chance that its partners see it when it falls short, 0 to 1",
}
"""What a region knows besides its options, with its meaning; net benefits are yearly shares of the
area's stand-alone cost."""

Answer = int | None
"""The position of an option, or None: as the scenario's rule decides."""
Chooser = Callable[["Question"], Answer]
BENEFIT, SAVING, QUALITY = (
    list(REGION_MEASURES).index(name) for name in ("benefit_money", "saving", "quality_change")
)


@dataclass(frozen=True)
class Option:
    """What a region may choose, as far as it can see it."""

    name: str
    """Its name, as in :data:`QUESTIONS`."""
    partners: tuple[str, ...] = ()
    """Codes of the regions that it would share the area with, or shares it with."""
    gain: float = 0.0
    """Net benefit that it sees in it, beyond the present arrangement: a yearly share of the area's
    stand-alone cost. Its error of judgement is part of it."""
    goodwill: float = 0.0
    """The part of it that is goodwill towards the others."""
    channels: Mapping[str, float] = field(default_factory=dict)
    """The rest by channel. The error is spread over the channels by their size, because a region
    does not know where it errs."""
    trust: float = np.nan
    """Trust in the contact, or in the joint body, 0 to 1."""
    members: int = 0
    """Members of the joint body."""
    form: str = ""
    """Its legal form."""


@dataclass(frozen=True)
class Question:
    """A decision of the played region: its options, and what it knows."""

    quarter: int
    kind: str
    """One of :data:`QUESTIONS`."""
    area: str
    options: tuple[Option, ...]
    """The first is the present arrangement."""
    known: Mapping[str, float]
    """What else it knows, by the names of :data:`KNOWN`."""
    consent: str
    """Whose agreement a union needs: ``majority``, ``three_quarters`` or ``unanimity`` of the
    people on each side, or ``open``: three quarters on the side that proposes."""

    def table(self) -> pd.DataFrame:
        """The options as a table with a row each."""
        rows = [
            {
                "option": one.name, "partners": " ".join(one.partners), "gain": one.gain,
                **one.channels, "goodwill": one.goodwill, "trust": one.trust,
                "members": one.members, "form": one.form,
            }
            for one in self.options
        ]  # fmt: skip
        return pd.DataFrame(rows)


class Unanswered(Exception):  # noqa: N818 (no error: it takes a quarter back)
    """A quarter has come to a question without an answer."""

    def __init__(self, question: Question) -> None:
        super().__init__(question)
        self.question = question


class Game(Recorder):
    """A run in which one region is played.

    :meth:`go_on` simulates up to the next question; :meth:`answer` answers it. :attr:`orders` are
    answers to questions that come every quarter, by kind, or by kind and area:
    ``game.orders["keep"] = 0``.
    """

    def __init__(
        self, scenario: Scenario, task: Task, region: str, *, strategy: str, run: int = 0,
        future: str = "default", choose: Chooser | None = None,
    ) -> None:  # fmt: skip
        self.me = find_region(scenario, region)
        watched = np.zeros(len(scenario.regions), bool)
        watched[self.me] = True
        super().__init__(scenario, task, int(run), int(run), watched)
        self.strategy, self.future = strategy, future
        self.question: Question | None = None
        """The question that has no answer yet."""
        self.orders: dict[str | tuple[str, str], Answer] = {}
        self.figures = np.zeros((*self.state.slot.shape, len(REGION_MEASURES)))
        """Sums of the regions' figures so far, [regions, areas, REGION_MEASURES]."""
        self.shared: list[np.ndarray] = []
        """[regions, areas] whether an area is in a joint body, at the end of each quarter."""
        self._chooser = choose
        self._given: list[tuple[Answer, str]] = []
        self._place = 0
        self._choices: list[dict[str, object]] = []

    @property
    def region(self) -> str:
        """Code of the played region."""
        return self.codes[self.me]

    @property
    def is_over(self) -> bool:
        """Whether the run has reached its horizon."""
        return self.quarter >= self.horizon

    # Playing --------------------------------------------------------------------------------------

    def go_on(self, quarters: int | None = None) -> Question | None:
        """Simulate some quarters, by default all, up to the next question; return it."""
        end = self.horizon if quarters is None else min(self.quarter + quarters, self.horizon)
        while self.quarter < end:
            before = State(*(part.copy() for part in self.state))
            logs: tuple[list[Any], ...] = (
                self.events, self.decisions, self.history, self.moments, self._choices,
            )  # fmt: skip
            sizes = [len(log) for log in logs]
            self._place, self.question = 0, None
            try:
                self.step()
            except Unanswered as open_:
                self.state, self.question = before, open_.question
                for log, size in zip(logs, sizes, strict=True):
                    del log[size:]
                return self.question
            self._given.clear()
        return None

    def answer(self, answer: Answer) -> None:
        """Answer the open question; :meth:`go_on` then simulates further.

        Raises :class:`~kolabsim.errors.InputError` without a question, or for an option that is not
        there.
        """
        if self.question is None:
            raise InputError.of(_("there is no open question"))
        self._given.append((_checked(answer, self.question), "answer"))
        self.question = None

    def step(self) -> None:
        """Simulate and record a quarter; raise :class:`Unanswered` at a question."""
        super().step()
        s, last_year = self.state, min(QUARTERS, self.horizon)
        part = 1.0 / last_year if self.quarter > self.horizon - last_year else 0.0
        for i in range(len(self.codes)):
            host_entry(recording.record_region)(i, s, part, self.figures)
        self.shared.append(s.slot["body"] != NOBODY)

    def ask(
        self, kind: str, a: int, options: list[Option], rule: int, errors: Sequence[float] = (),
    ) -> int:  # fmt: skip
        """The option that is chosen: by an answer, an order, the chooser or the rule.

        ``errors`` are the errors of judgement in all options but the first.
        """
        area = self.areas[a]
        question = Question(
            self.quarter, kind, area, tuple(options), self.known(a, kind), self.consent
        )
        if self._place == len(self._given):
            orders = self.orders
            if (kind, area) in orders or kind in orders:
                order = orders.get((kind, area), orders.get(kind))
                self._given.append((_checked(order, question), "order"))
            elif self._chooser is not None:
                self._given.append((_checked(self._chooser(question), question), "answer"))
            else:
                raise Unanswered(question)
        answer, by = self._given[self._place]
        self._place += 1
        taken = rule if answer is None else answer
        best = max(range(1, len(options)), key=lambda k: options[k].gain)
        shown = taken or rule or best  # of an option that changes nothing, what was turned down
        self._choices.append({
            "quarter": self.quarter, "kind": kind, "area": area, "chosen": options[taken].name,
            "partners": options[taken].partners, "rule": options[rule].name,
            "rule_partners": options[rule].partners, "same": taken == rule,
            "by": "rule" if answer is None else by, "gain": options[shown].gain,
            "error": errors[shown - 1] if errors else 0.0,
        })  # fmt: skip
        return taken

    @property
    def consent(self) -> str:
        """Whose agreement a union needs."""
        return CONSENTS[int(self.state.moment["consent"][0])]

    def known(self, a: int, kind: str) -> dict[str, float]:
        """What the played region knows in an area besides its options."""
        s, i, p = self.state, self.me, self.p
        region, slot = s.region[i], s.slot[i, a]
        targets = s.contact["target"][region.first : region.end]
        peers = (s.slot["body"][targets, a] != NOBODY).mean() if len(targets) else 0.0
        forum = s.area[a].forum if region.forum >= 0 else 0.0
        chance = host_entry(stages.attention)(region, slot, s.effect[a], float(peers), forum, p)
        party = host_entry(bodies.party_row)(s.slot, i, a)
        voters = [k for k in self.party(party) if s.slot["role"][k, a] != BUYER]
        people = s.region["population"]
        found = {
            "attention": float(chance),
            "people": float(people[i] / people[voters].sum()) if i in voters else 0.0,
            "commitment": float(region.commitment),
        }
        if slot.body != NOBODY:
            found |= {
                "expected": float(slot.expected), "realised": float(slot.realised),
                "load": float(slot.load),
            }  # fmt: skip
        if kind == KEEP:
            seen = laws.observed(s.area[a].monitoring, s.area[a].information, p)
            found["seen"] = float(stages.on_observation(seen, s.effect[a]))
        return found

    # Decisions ------------------------------------------------------------------------------------

    def choose(self, i: int, a: int, number: int) -> int:
        """The option that a region takes: the rule's, unless it is played."""
        rule = super().choose(i, a, number)
        if i != self.me:
            return rule
        judged = self.decisions[len(self.decisions) - number + 1 :]
        options = [Option("wait"), *(_seen("propose", row) for row in judged)]
        return self.ask(PROPOSE, a, options, rule, [row["error"] for row in judged])

    def record_leaving(self, i: int, a: int) -> None:
        """Record whether a region leaves its body; ask the played one."""
        if i == self.me:
            slot = self.state.slot
            options = [self.present("stay", a), Option("leave")]
            taken = self.ask(STAY, a, options, int(slot["leaves"][i, a] > 0))
            slot["leaves"][i, a] = taken
            moving = self.state.region["moving"]
            moving[i] = max(moving[i], taken)
        super().record_leaving(i, a)

    def record_conduct(self, i: int) -> None:
        """Record whether a region keeps its promises; ask the played one."""
        if i == self.me:
            slot = self.state.slot
            for a in np.flatnonzero(slot["body"][i] != NOBODY).tolist():
                options = [self.present("keep", a), self.present("fall_short", a)]
                taken = self.ask(KEEP, a, options, int(slot["kept"][i, a] == 0.0))
                slot["kept"][i, a] = 1.0 - taken
        super().record_conduct(i)

    def present(self, name: str, a: int) -> Option:
        """An option that goes on with the present joint body."""
        slot, names = self.state.slot[self.me, a], self.codes
        body = self.state.body[slot.body]
        return Option(
            name, tuple(names[j] for j in self.mates(self.me, a)), trust=float(slot.body_trust),
            members=int(body.members), form=FORMS[int(body.form)],
        )  # fmt: skip

    def carry_out(
        self, i: int, a: int, ballot: np.ndarray, found: Union | None, votes: Mapping[int, int]
    ) -> None:
        """Conclude a negotiation; ask the played region for its vote if it has one."""
        if found is not None and self.me in votes:
            row = self.decisions[votes[self.me]]
            rule = int(row["outcome"] > 0.0)
            options = [Option("refuse", tuple(row["partners"])), _seen("agree", row)]
            taken = self.ask(VOTE, a, options, rule, [row["error"]])
            if taken != rule:
                row["outcome"] = float(taken)
                self.conclude_otherwise(i, a, ballot, found, votes)
                return
        super().carry_out(i, a, ballot, found, votes)

    def conclude_otherwise(
        self, i: int, a: int, ballot: np.ndarray, found: Union, votes: Mapping[int, int]
    ) -> None:
        """Conclude a negotiation by its recorded votes, where one departs from the rule."""
        s, p, q, slot = self.state, self.p, self.quarter, self.state.slot
        contact, opened = int(slot["contact"][i, a]), int(slot["opened"][i, a])
        slot["contact"][i, a], slot["order"][i, a] = NOBODY, -1.0
        first, second, sides = found.first, found.second, found.sides
        union = self.judge(i, a, first, second, s.area[a].planning)
        split = int(s.sums[first, ROW.members])
        for party, other, through, enters, part in (
            (first, second, contact, sides.first_enters, ballot[:split]),
            (second, first, int(s.contact[contact].reverse), sides.second_enters, ballot[split:]),
        ):  # for the net benefit that each member sees
            host_entry(agreements.vote)(
                s, p, i, a, party, other, through, enters, union.view, found.whole, part, q
            )
        consent = int(s.moment["consent"][0])
        sides_of = [first] if consent == OPEN else [first, second]
        if not all(self.consents(party, votes, consent) for party in sides_of):
            s.moment["refused"][0] += 1
            return
        s.moment["concluded"][0] += 1
        s.moment["deciding"][0] += q - opened
        host_entry(agreements.carry_out)(s, p, a, first, second, sides, ballot, q)

    def consents(self, party: int, votes: Mapping[int, int], consent: int) -> bool:
        """Whether a party agrees to a union by its recorded votes."""
        rows = [self.decisions[votes[k]] for k in self.party(party) if k in votes]
        people = sum(row["people"] for row in rows)
        favour = sum(row["people"] for row in rows if row["outcome"] > 0.0)
        return bool(laws.consents(favour, people, consent))

    # Results --------------------------------------------------------------------------------------

    @property
    def choices(self) -> pd.DataFrame:
        """The answers so far, with what the rule would have chosen.

        ``chosen`` and ``rule`` are names of options, ``partners`` and ``rule_partners`` the codes
        in them. ``gain`` (the net benefit that the region saw) and ``error`` (its error of
        judgement, which it could not see) are those of the chosen option or, if it changes nothing,
        of what was turned down: the rule's choice, or the best. ``by`` is ``answer``, ``order`` or
        ``rule``.
        """
        columns = (
            "quarter", "kind", "area", "chosen", "partners", "rule", "rule_partners", "same", "by",
            "gain", "error",
        )  # fmt: skip
        return pd.DataFrame(self._choices, columns=list(columns)).astype({"same": bool})

    @property
    def replay(self) -> Replay:
        """The history so far, with events and decisions of all regions."""
        return Replay(
            self.scenario, self.strategy, self.run, self.task.seed, self.future,
            self.event_table(), self.decision_table(),
            pd.DataFrame(self.history, columns=list(self.task.measures)),
            [*self.moments, list_bodies(self.scenario, self.state, self.quarter)], self.task,
            self.run,
        )  # fmt: skip

    def status(self) -> pd.DataFrame:
        """The arrangements of the played region, a row for each area.

        ``partners`` (codes), ``form``, ``years`` of membership, ``trust`` in the body, and the net
        benefit as ``expected`` and as ``realised`` in the last quarter. ``may_leave`` is whether it
        may decide to leave in this quarter, ``mandated`` whether a mandate binds it.
        """
        s, i, rows = self.state, self.me, []
        for a, area in enumerate(self.areas):
            slot = s.slot[i, a]
            is_member = slot.body != NOBODY
            rows.append({
                "area": area, "partners": tuple(self.codes[j] for j in self.mates(i, a)),
                "form": FORMS[int(s.body[slot.body].form)] if is_member else "",
                "years": (self.quarter - int(slot.entered)) / QUARTERS if is_member else np.nan,
                "trust": float(slot.body_trust) if is_member else np.nan,
                "expected": float(slot.expected) if is_member else np.nan,
                "realised": float(slot.realised) if is_member else np.nan,
                "may_leave": self.may_leave(i, a),
                "mandated": bool(is_member and slot.bound_until > self.quarter),
            })  # fmt: skip
        return pd.DataFrame(rows)

    def outcome(self) -> pd.DataFrame:
        """What came of the game, against the run in which the rule decides for the region too.

        Both have the same random draws. Rows: ``benefit`` and ``saving`` of the region over the run
        (shares of its stand-alone cost), ``quality`` (change of its service quality, mean over
        areas), ``years`` (years in joint bodies, over all areas), and ``others``: the net benefit
        of all other regions together. Columns: ``played``, ``rule``, ``difference``.

        Raises :class:`~kolabsim.errors.InputError` before the run is over.
        """
        if not self.is_over:
            text = _("the run has come to quarter {quarter} of {horizon}; play it to its end first")
            raise InputError.of(text, quarter=self.quarter, horizon=self.horizon)
        block = run_block(self.task, np.array([self.run]), trace=True)
        trace = block.trace[0][..., TRACE.index("body")] != NOBODY
        both = [
            self._summary(self.figures, np.array(self.shared)),
            self._summary(block.figures[0], trace),
        ]
        table = pd.DataFrame(both, index=["played", "rule"]).T
        return table.assign(difference=table["played"] - table["rule"])

    def _summary(self, figures: np.ndarray, shared: np.ndarray) -> dict[str, float]:
        """The rows of the outcome from figures [R, A, M] and memberships [quarters, R, A]."""
        i, benefit, money = (
            self.me,
            figures[..., BENEFIT].sum(axis=1),
            stand_alone_cost(self.scenario),
        )
        others = np.arange(len(benefit)) != i
        return {
            "benefit": benefit[i] / money[i],
            "saving": figures[i, :, SAVING].sum() / money[i],
            "quality": figures[i, :, QUALITY].mean(),
            "years": shared[:, i].sum() / QUARTERS,
            "others": benefit[others].sum() / money[others].sum() if others.any() else np.nan,
        }


def play(
    scenario: Scenario | str | Path,
    strategy: str,
    region: str,
    choose: Chooser | None = None,
    *,
    run: int = 0,
    future: str | Mapping[str, object] | None = None,
    seed: int = 1,
) -> Game:
    """Decide for one region in a run, in place of the scenario's rule.

    Parameters
    ----------
    scenario
        A scenario, the name of a shipped one, or the path of a file.
    strategy
        Name of one of its strategies.
    region
        Code of the region that is played, or its name if no other region has it.
    choose
        Takes a :class:`Question`, and returns the position of an option, or None: as the rule
        decides. With it, the run is played to its end; otherwise up to the first question.
    run, future, seed
        As in :func:`replay`. The same run without a player is that of :func:`simulate`.

    Returns
    -------
    Game
        With its ``question``, ``status()``, ``choices``, ``replay``, and at the end ``outcome()``.

    Raises
    ------
    InputError
        If the strategy, the region, the future or a number does not exist, or ``choose`` returns an
        option that does not.

    Examples
    --------
    >>> import kolabsim as ks
    >>> def cautious(question):
    ...     "Agree only with partners that it trusts; otherwise as the rule."
    ...     if question.kind == "vote" and question.options[1].trust < 0.5:
    ...         return 0
    ...     return None
    >>> game = ks.play("kartamantul", "forum", "Sleman", cautious)
    >>> game.outcome().columns.tolist()
    ['played', 'rule', 'difference']
    """
    if not isinstance(scenario, Scenario):
        scenario = Scenario.load(scenario)
    check_run(run)
    world, task, name = prepare(scenario, strategy, future, seed=seed)
    game = Game(world, task, region, strategy=strategy, run=run, future=name, choose=choose)
    game.go_on()
    return game


def _checked(answer: object, question: Question) -> Answer:
    """An answer that its question allows."""
    if answer is None:
        return None
    number = len(question.options)
    is_number = isinstance(answer, int | np.integer) and not isinstance(answer, bool)
    if not is_number or not 0 <= int(answer) < number:  # type: ignore[call-overload]
        text = _("{answer} is not an option of '{kind}'; allowed: from 0 to {last}, or None")
        raise InputError.of(text, answer=repr(answer), kind=question.kind, last=number - 1)
    return int(answer)  # type: ignore[call-overload]


def _seen(name: str, row: Mapping[str, object]) -> Option:
    """An option as the region sees it, from the recorded terms of a judgement or vote."""
    terms = {key: float(row[key]) for key in (*JUDGED, "error")}  # type: ignore[arg-type]
    error = terms.pop("error")
    size = sum(map(abs, terms.values()))
    channels = {k: v + (error * abs(v) / size if size else 0.0) for k, v in terms.items()}
    return Option(
        name, tuple(row["partners"]), gain=float(row["gain"]), goodwill=float(row["goodwill"]),  # type: ignore
        channels=channels, trust=float(row["trust"]), members=int(row["members"]),  # type: ignore
        form=str(row["form"]),
    )  # fmt: skip
