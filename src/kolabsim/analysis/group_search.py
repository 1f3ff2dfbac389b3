"""The best groups of up to five members for one region, found by search in every service area.

Groups grow by parties of contacts, as joint bodies of the model do: a region that shares already
brings its whole body. Where there are few, all of them are judged; otherwise the best of each size
grow on. Each group is judged at the start by the laws, in the draws in which pairs are judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from kolabsim.analysis.group import BY_RULE, FOUNDED, Case, Host, host_of, judge_all
from kolabsim.analysis.outlook import look, party_at, run_draws
from kolabsim.analysis.plausible import gain_columns
from kolabsim.analysis.statistics import GAINS, LOSES, PLAIN, Criteria, effects
from kolabsim.engine.ensemble import Task
from kolabsim.model.bodies import is_away
from kolabsim.model.jit import host_entry
from kolabsim.model.levers import BOARD, CHOICE, CONTRACT, FORMS
from kolabsim.model.state import BUYER, NOBODY, State
from kolabsim.scenario.scenario import Scenario

MOST_MEMBERS = 5
"""Most members of a group."""
ALL = 400
"""Most groups of an area that are all judged in all draws; of more, the best grow on."""
WIDTH = 40
"""Groups of each size that grow on where there are more than :data:`ALL`, and that are judged in
all draws."""
SCREENED = 16
"""Draws in which groups are compared to decide which grow on."""
LISTED = 3
"""Most groups of an area that are reported."""

Group = tuple[int, ...]


@dataclass(frozen=True)
class Searched:
    """The best groups that contain a region, by service area."""

    table: pd.DataFrame = field(repr=False)
    """Columns: area; ``members``: codes, the region first; ``form``; ``gain``: change of judged net
    benefit of the region a year as a share of its stand-alone cost in the area, with its range or
    interval ``low``, ``high``, and its ``verdict``; ``money``: the same in money; ``gains`` and
    ``verdicts`` of the other members in their order; ``all``: share of futures, or of draws in one
    future, in which every member gains; ``is_good``: whether the region gains and no other member
    is expected to lose. Up to three good ones an area, the best for the region first; where
    none is good, the one whose member that gains least gains most, of those in which the
    region itself gains if there are any."""
    counts: pd.DataFrame = field(repr=False)
    """Columns: area; ``judged``: number of groups judged; ``is_all``: whether these are all groups
    of up to five members that contacts allow."""

    @property
    def good(self) -> pd.DataFrame:
        """The groups in which the region gains and no other member is expected to lose."""
        return self.table[self.table["is_good"].astype(bool)]


class Option(NamedTuple):
    """A group with the body that it grows from, and the number of its form."""

    group: Group
    host: Host | None
    form: int


def search_groups(
    scenario: Scenario, tasks: Sequence[Task], i: int, runs: int, criteria: Criteria
) -> Searched:
    """Search the best groups that contain region i in each area, over the futures of the tasks."""
    draws = list(look(tasks, runs))
    first = next(iter(run_draws(tasks, draws[:1])))[1]
    found = [Area(scenario, tasks, first, i, a) for a in range(len(scenario.areas))]
    is_all = [area.list_all() for area in found]
    screen = draws[:: max(1, len(draws) // SCREENED)][:SCREENED]
    for area, is_whole in zip(found, is_all, strict=True):
        if not is_whole:
            area.grow(screen)
    gains, alone = judge_areas(tasks, draws, found)
    judged = sum(area.judged for area in found)
    tables = [
        area_table(area, own, alone[a], criteria, judged)
        for a, (area, own) in enumerate(zip(found, gains, strict=True))
    ]
    counts = {"area": [*scenario.areas], "judged": [a.judged for a in found], "is_all": is_all}
    return Searched(pd.concat(tables, ignore_index=True), pd.DataFrame(counts))


class Place(NamedTuple):
    """A region in one service area at the start."""

    party: Group
    """Its joint body, or itself."""
    is_free: bool
    """Whether it may unite with others: it buys from nobody, and no event keeps it away."""
    body: int
    is_contract: bool
    contacts: tuple[int, ...]


class Area:
    """The groups of one service area that contain a region."""

    def __init__(
        self, scenario: Scenario, tasks: Sequence[Task], state: State, i: int, a: int
    ) -> None:
        self.scenario, self.tasks, self.state, self.i, self.a = scenario, tasks, state, i, a
        self.most = min(MOST_MEMBERS, int(state.moment["cap"][0]))
        form = int(tasks[0].world.area["form"][a])
        self.forms = (CONTRACT, BOARD) if form == CHOICE else (form,)
        self.places = dict[int, Place]()
        self.hosts = dict[Group, Host | None]()
        self.options: list[Option] = []
        self.judged = 0

    def place(self, j: int) -> Place:
        """What is known of a region."""
        if j not in self.places:
            state, slot = self.state, self.state.slot[j, self.a]
            body, region = int(slot["body"]), state.region[j]
            self.places[j] = Place(
                tuple(sorted(party_at(state, j, self.a))),
                bool(slot["role"] != BUYER and not host_entry(is_away)(slot)),
                body,
                body != NOBODY and int(state.body["form"][body]) == CONTRACT,
                tuple(state.contact["target"][region["first"] : region["end"]].tolist()),
            )
        return self.places[j]

    @property
    def start(self) -> set[Group]:
        """The party of the region, from which all groups grow; nothing if it cannot."""
        place = self.place(self.i)
        return {place.party} if place.is_free and len(place.party) < self.most else set()

    def larger(self, group: Group) -> set[Group]:
        """The groups that a group becomes with the party of one more contact."""
        found = set()
        for j in {j for member in group for j in self.place(member).contacts} - {*group}:
            both = tuple(sorted({*group, *self.place(j).party}))
            if len(both) <= self.most and self.may_unite(group, j):
                found.add(both)
        return found

    def may_unite(self, group: Group, j: int) -> bool:
        """Whether a region and its party may join: a body with a provider takes single regions."""
        place, members = self.place(j), [self.place(m) for m in group]
        is_shared = any(member.body != NOBODY for member in members)
        has_provider = place.is_contract or any(member.is_contract for member in members)
        return place.is_free and not (place.body != NOBODY and is_shared and has_provider)

    def list_all(self) -> bool:
        """List all groups, if they are few; say whether they are."""
        frontier, found = self.start, set[Group]()
        while frontier:
            frontier = {larger for group in frontier for larger in self.larger(group)} - found
            found |= frontier
            if len(found) > ALL:
                return False
        self.options, self.judged = self.with_forms(sorted(found)), len(found)
        return True

    def with_forms(self, groups: Iterable[Group]) -> list[Option]:
        """Groups with each form that their body may have."""
        found = []
        for group in groups:
            if group not in self.hosts:
                self.hosts[group] = host_of(self.state, Case(self.scenario, group, self.a))
            host = self.hosts[group]
            forms = (FORMS.index(host.form),) if host else self.forms
            found += [Option(group, host, form) for form in forms]
        return found

    def grow(self, screen: Sequence[tuple[int, int]]) -> None:
        """Grow the best groups of each size, by their gains in a few draws."""
        frontier, kept, seen = self.start, list[Group](), self.start
        while frontier:
            frontier = {larger for group in frontier for larger in self.larger(group)} - seen
            seen = seen | frontier
            best = self.best_of(sorted(frontier), screen)
            kept += best
            frontier = {*best}
        self.options, self.judged = self.with_forms(sorted({*kept})), len(seen) - 1

    def best_of(self, groups: list[Group], screen: Sequence[tuple[int, int]]) -> list[Group]:
        """The groups that grow on: those that gain most, first those in which nobody loses."""
        if len(groups) <= WIDTH:
            return groups
        options = self.with_forms(groups)
        gains = judge_options(self.tasks, screen, self.a, options).mean(axis=(2, 3))
        score = dict[Group, tuple[bool, float]]()
        for option, gain in zip(options, gains, strict=True):
            size = len(option.group)
            mine = gain[option.group.index(self.i)]
            rank = bool(gain[:size].min() > 0.0), float(mine)
            score[option.group] = max(score.get(option.group, (False, -np.inf)), rank)
        return sorted(groups, key=lambda group: score[group], reverse=True)[:WIDTH]


# Judging ------------------------------------------------------------------------------------------


class Arrays(NamedTuple):
    """Groups as :func:`judge_all` reads them."""

    groups: np.ndarray
    size: np.ndarray
    form: np.ndarray
    began: np.ndarray
    provider: np.ndarray
    enters: np.ndarray
    parts: np.ndarray

    @classmethod
    def of(cls, options: Sequence[Option]) -> Arrays:
        """Return the arrays of some options."""
        number = len(options)
        found = cls(
            np.zeros((number, MOST_MEMBERS), np.int64), np.zeros(number, np.int64),
            np.zeros(number, np.int64), np.full(number, FOUNDED),
            np.full(number, NOBODY, np.int64), np.zeros((number, MOST_MEMBERS)),
            np.full(MOST_MEMBERS, BY_RULE),
        )  # fmt: skip
        for k, (group, host, form) in enumerate(options):
            found.groups[k, : len(group)] = group
            found.size[k], found.form[k] = len(group), form
            stays = host.members if host else ()
            found.enters[k, : len(group)] = [m not in stays for m in group]
            if host:
                found.began[k], found.provider[k] = host.began, host.provider
        return found


def judge_options(
    tasks: Sequence[Task], draws: Sequence[tuple[int, int]], a: int, options: Sequence[Option]
) -> np.ndarray:
    """Return the gain of each member [options, members, 1, draws], 0 where there is no member."""
    arrays = Arrays.of(options)
    gains = np.zeros((len(options), MOST_MEMBERS, 1, len(draws)))
    out, total = np.zeros((len(options), MOST_MEMBERS, 2)), np.zeros(len(options))
    for k, ((f, _draw), state) in enumerate(run_draws(tasks, draws)):
        host_entry(judge_all)(state, tasks[f].parameters, a, *arrays, out, total)
        gains[:, :, 0, k] = out[:, :, 0]
    return gains


def judge_areas(
    tasks: Sequence[Task], draws: Sequence[tuple[int, int]], areas: Sequence[Area]
) -> tuple[list[np.ndarray], np.ndarray]:
    """Judge the options of all areas in all draws, which are the same for all of them.

    Returns for each area the gains [options, members, futures, draws], and the yearly stand-alone
    cost of the region in money [areas, futures, draws].
    """
    shape = len(tasks), draws[-1][1] + 1
    arrays = [Arrays.of(area.options) for area in areas]
    gains = [np.zeros((len(area.options), MOST_MEMBERS, *shape)) for area in areas]
    alone, i = np.empty((len(areas), *shape)), areas[0].i
    for (f, draw), state in run_draws(tasks, draws):
        slots = state.slot[i]
        alone[:, f, draw] = slots["people"] * slots["alone"] * state.area["cost_per_resident"]
        for a, (given, found) in enumerate(zip(arrays, gains, strict=True)):
            if len(found):
                out, total = np.zeros((len(found), MOST_MEMBERS, 2)), np.zeros(len(found))
                host_entry(judge_all)(state, tasks[f].parameters, a, *given, out, total)
                found[:, :, f, draw] = out[:, :, 0]
    return gains, alone


# The table ----------------------------------------------------------------------------------------

COLUMNS = (
    "area", "members", "form", "gain", "low", "high", "verdict", "money", "gains", "verdicts",
    "all", "is_good",
)  # fmt: skip


def area_table(
    area: Area, gains: np.ndarray, alone: np.ndarray, criteria: Criteria, judged: int
) -> pd.DataFrame:
    """Return the best groups of an area, from gains [options, members, futures, draws]."""
    codes, i = area.scenario.regions.codes, area.i
    taken = chosen_forms(area.options, gains)
    options, gains = [area.options[k] for k in taken], gains[taken]
    if not options:
        return pd.DataFrame(columns=list(COLUMNS))
    found = gain_columns(
        np.stack([np.zeros_like(gains), gains]), criteria, threshold=criteria.threshold,
        comparisons=max(judged, 1),
    )  # fmt: skip
    rows = []
    for k, option in enumerate(options):
        mine = option.group.index(i)
        order = [mine, *(m for m in range(len(option.group)) if m != mine)]
        gain, verdict = found["difference"][k, order], found["verdict"][k, order]
        plain = [PLAIN.get(one, one) for one in verdict]
        rows.append({
            "area": list(area.scenario.areas)[area.a],
            "members": tuple(codes[option.group[m]] for m in order),
            "form": FORMS[option.form],
            "gain": gain[0], "low": found["low"][k, mine], "high": found["high"][k, mine],
            "verdict": verdict[0],
            "money": money_of(gains[k, mine] * alone, criteria),
            "gains": tuple(map(float, gain[1:])), "verdicts": tuple(verdict[1:]),
            "all": share_of_all(gains[k, order], criteria),
            "is_good": bool(
                plain[0] == GAINS and LOSES not in plain and (gain[1:] > 0.0).all()
            ),
        })  # fmt: skip
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    worst = [min(row.gain, *row.gains) for row in table.itertuples()]
    table = table.assign(
        gains_itself=[PLAIN.get(one, one) == GAINS for one in table["verdict"]],
        order=np.where(table["is_good"], table["gain"], worst),
    )
    table = table.sort_values(
        ["is_good", "gains_itself", "order"], ascending=False, kind="stable"
    )  # fmt: skip
    return table[list(COLUMNS)].head(LISTED if table["is_good"].any() else 1)


def chosen_forms(options: Sequence[Option], gains: np.ndarray) -> list[int]:
    """Places of the options that founders would take: of each group, the form of most draws.

    In each draw it is the one under which the member that gains least gains most.
    """
    places = dict[Group, list[int]]()
    for k, option in enumerate(options):
        places.setdefault(option.group, []).append(k)
    found = []
    for group, both in places.items():
        if len(both) > 1:
            contract, board = gains[both, : len(group)].min(axis=1)
            is_contract = 2 * int((contract > board).sum()) > contract.size
            both = [both[0] if is_contract else both[1]]
        found += both
    return found


def money_of(gains: np.ndarray, criteria: Criteria) -> float:
    """The gain in money of one region [futures, draws]: the median, or the mean of one future."""
    both = np.stack([np.zeros_like(gains), gains])
    return float(gain_columns(both[:, None], criteria)["difference"][0])


def share_of_all(gains: np.ndarray, criteria: Criteria) -> float:
    """Share of futures, or of draws in one future, in which all members gain.

    ``gains`` are [members, futures, draws].
    """
    if gains.shape[-2] == 1:
        return float((gains[:, 0] > 0.0).all(axis=0).mean())
    return float((effects(gains).values > criteria.threshold).all(axis=0).mean())
