"""Why a region fared as it did in one run: which run, its turning points, and what turns them.

The run is chosen from the ensemble by the net benefit of the region. A single run is an anecdote,
so that each exit comes with the share of all runs in which the region loses that membership.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from kolabsim.analysis.counterfactual import LEVER, Branches, nearest_changes, with_lever
from kolabsim.analysis.outlook import ROOM, place_of, stand_alone_cost
from kolabsim.engine.ensemble import BLOCK, Task, in_threads, run_block
from kolabsim.errors import InputError, nearest, suggestion
from kolabsim.i18n import _
from kolabsim.model import laws
from kolabsim.model.levers import LEVERS
from kolabsim.model.measures import REGION_MEASURES, TRACE
from kolabsim.model.parameters import (
    LOAD_UNIT,
    QUARTERS,
    REFERENCE_COMMITMENT,
    REFERENCE_TRUST,
)
from kolabsim.model.state import NOBODY
from kolabsim.scenario.names import plain
from kolabsim.scenario.scenario import Scenario
from kolabsim.study.replay import Replay, replay_task

TYPICAL, WORST, BEST, GIVEN = "typical", "worst", "best", "given"
"""How a run is chosen: nearest to the median net benefit of the region, lowest, highest; by its
number."""
TURNS = 8
"""Most turning points whose counterfactuals are searched."""
GRAVITY = {
    "left": 0, "withdrawn": 0, "dissolved": 1, "mandated": 2, "founded": 3, "joined": 3,
    "merged": 3, "refused": 4, "kept": 5,
}  # fmt: skip
"""Turning points, the gravest first; "kept": it preferred to go on as it was."""
BENEFIT = list(REGION_MEASURES).index("benefit_money")


class Turn(NamedTuple):
    """A turning point of a region in an area."""

    event: str
    """One of :data:`GRAVITY`."""
    quarter: int
    area: str
    actor: str
    """Code of the region that acts: its own, or that of a partner."""
    partners: tuple[str, ...]
    """Codes of the other regions that take part."""
    decision: int
    """The row of the decision behind it, or -1."""
    changes: pd.DataFrame | None
    """Nearest counterfactuals of that decision, if they were searched."""
    lasting: pd.DataFrame | None = None
    """Of an exit, the nearest changes under which the membership lasts to the end of the run."""
    often: tuple[float, float] | None = None
    """Share of runs in which the region loses a membership in the area: as it is, and with the
    nearest lever of ``lasting`` (NaN without one)."""


@dataclass(frozen=True, eq=False)
class Why:
    """The history of a region in one run, with its turning points."""

    replay: Replay = field(repr=False)
    region: str
    """Its code."""
    area: str | None
    choice: str
    """How the run was chosen: typical, worst, best or given."""
    runs: int
    """Number of runs from which it was chosen."""
    benefits: np.ndarray = field(repr=False)
    """[runs] net benefit of the region over each run, share of its stand-alone cost."""
    benefit: float
    """That of this run."""
    exits: float
    """Share of the runs in which it loses a membership, in its area if one is given."""
    among_exits: bool
    """Whether the run was chosen among those only."""
    turns: tuple[Turn, ...] = field(repr=False)

    @property
    def name(self) -> str:
        """The name of the region."""
        regions = self.replay.scenario.regions
        return regions.labels[regions.codes.index(self.region)]

    @property
    def events(self) -> pd.DataFrame:
        """The events of the region, in its area if one is given."""
        return self.replay.about(self.region, self.area)


def explain(
    scenario: Scenario,
    task: Task,
    region: str,
    *,
    strategy: str,
    future: str,
    area: str | None = None,
    choice: str = TYPICAL,
    run: int | None = None,
    left: bool = False,
    runs: int = 200,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Why:
    """Choose a run of a task for a region, replay it, and find what would have turned it.

    ``scenario`` is that of the task, in its future. ``region`` is a code, or a name that only one
    region has; ``run`` overrides ``choice``. With ``left``, only runs are chosen in which the
    region loses a membership. ``progress`` is called with the runs done so far. Raises
    :class:`~kolabsim.errors.InputError` for a region, area or run that is not there.
    """
    i = find_region(scenario, region)
    areas = list(scenario.areas)
    if area is not None and area not in areas:
        text = _("'{name}' is not a service area{hint}")
        raise InputError.of(text, name=area, hint=suggestion(area, areas))
    if run is not None and not 0 <= run < runs:
        text = _("run {run} is not there: the {number} runs have the numbers 0 to {last}")
        raise InputError.of(text, run=run, number=runs, last=runs - 1)
    columns = slice(None) if area is None else slice(areas.index(area), areas.index(area) + 1)
    benefits, exits = survey(task, scenario, i, columns, runs, threads, progress)
    code = scenario.regions.codes[i]
    ended = np.asarray(exits[:, columns].any(axis=1))
    among = ended if left else np.ones(runs, bool)
    if not among.any():
        text = _("{region} loses no membership in any of the {number} runs")
        raise InputError.of(text, region=scenario.regions.labels[i], number=runs)
    number = choose_run(benefits, choice, among) if run is None else run
    found = replay_task(scenario, task, strategy=strategy, run=number, future=future)
    lost = dict(zip(areas, exits.mean(axis=0), strict=True))
    turns = [*search_turns(found, list_turns(found, code, area), lost, i, runs, threads)]
    return Why(
        found, code, area, choice if run is None else GIVEN, runs, benefits,
        float(benefits[number]), float(ended.mean()), left, tuple(turns),
    )  # fmt: skip


def find_region(scenario: Scenario, region: str) -> int:
    """The position of a region by its code, or by a name that only one region has.

    Raises :class:`~kolabsim.errors.InputError` with the nearest spelling for any other.
    """
    codes, names = scenario.regions.codes, scenario.regions.labels
    wanted = plain(region)
    if wanted not in codes and wanted:
        for called in (
            [k for k, name in enumerate(names) if name.casefold() == wanted.casefold()],
            [k for k, name in enumerate(names) if wanted.casefold() in name.casefold().split()],
        ):
            if len(called) == 1:
                return called[0]
        rows = {word: k for k, name in enumerate(names) for word in name.casefold().split()}
        alike = nearest(wanted.casefold(), rows)
        if alike is not None and nearest(wanted, (*codes, *names)) is None:
            k = rows[alike]
            hint = _("; did you mean '{code}' ({name})?").format(code=codes[k], name=names[k])
            text = _("no region has the code '{code}'{suggestion}")
            raise InputError.of(text, code=wanted, suggestion=hint)
    return place_of(scenario, region)


def choose_run(benefits: np.ndarray, choice: str, among: np.ndarray) -> int:
    """The number of the run of a choice ``among`` some [runs]; of equal runs the first.

    >>> benefits = np.array([0.3, 0.1, 0.2, 0.9])
    >>> [choose_run(benefits, how, benefits < 0.9) for how in (TYPICAL, WORST, BEST)]
    [2, 1, 0]
    """
    numbers = np.flatnonzero(among)
    values = benefits[numbers]
    if choice == TYPICAL:
        values = np.abs(values - np.median(values))
    return int(numbers[np.argmax(values) if choice == BEST else np.argmin(values)])


def survey(
    task: Task, scenario: Scenario, i: int, columns: slice, runs: int, threads: int | None,
    progress: Callable[[int], None] | None = None,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Net benefit of region i in each run, and whether it loses a membership, [runs, areas].

    The benefit is that in some ``columns`` of areas, as a share of its stand-alone cost in all.
    """
    size = len(scenario.regions) * len(scenario.areas) * scenario.horizon * len(TRACE)
    block = int(np.clip(ROOM // size, 1, BLOCK))
    body = TRACE.index("body")

    def simulate(first: int) -> tuple[np.ndarray, np.ndarray]:
        numbers = np.arange(first, min(first + block, runs))
        kept = run_block(task, numbers, trace=True)
        member = kept.trace[:, :, i, :, body] != NOBODY
        lost = (member[:, :-1] & ~member[:, 1:]).any(axis=1)
        return kept.figures[:, i, columns, BENEFIT].sum(axis=1), lost

    found = []
    for part in in_threads(simulate, range(0, runs, block), threads=threads):
        found.append(part)
        if progress is not None:
            progress(sum(len(one) for one, _lost in found))
    benefits, exits = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return benefits / stand_alone_cost(scenario)[i], exits


# Turning points -----------------------------------------------------------------------------------


def list_turns(found: Replay, code: str, area: str | None) -> list[Turn]:
    """The turning points of a region in order, without their counterfactuals."""
    events = found.about(code, area)
    turns = []
    for row in events[events["event"].isin([*GRAVITY])].itertuples():
        mine = row.region == code
        if row.event in ("left", "withdrawn", "dissolved", "mandated") and not mine:
            continue
        if row.event == "joined" and not mine and _was_member(found, code, row):
            continue  # somebody joins its body: an event, but no turning point of its own
        decision = int(row.decision)
        if row.event == "dissolved":
            decision = _exit_of_partner(found, row)
        elif not mine:
            decision = _own_vote(found, code, row, decision)
        turns.append(
            Turn(row.event, row.quarter, row.area, row.region, row.partners, decision, None)
        )
    areas = [area] if area else list(found.scenario.areas)
    quiet = [name for name in areas if name not in {turn.area for turn in turns}]
    turns += [kept for name in quiet if (kept := _kept_as_it_was(found, code, name))]
    return sorted(turns, key=lambda turn: turn.quarter)


def _was_member(found: Replay, code: str, row: Any) -> bool:
    """Whether a region was in a body of the area when the quarter of an event began."""
    return any(
        code in body["members"] for body in found.bodies[row.quarter] if body["area"] == row.area
    )


def _exit_of_partner(found: Replay, row: Any) -> int:
    """The decision of the partner whose exit ended a body, or -1."""
    same = (found.events["quarter"] == row.quarter) & (found.events["area"] == row.area)
    left = found.events[same & (found.events["event"] == "left")]
    of = [one.decision for one in left.itertuples() if one.region in row.partners]
    return int(of[0]) if of else -1


def _own_vote(found: Replay, code: str, row: Any, otherwise: int) -> int:
    """The region's own vote on a union, or another one on it."""
    rows = found.decisions
    own = rows[
        (rows["quarter"] == row.quarter) & (rows["kind"] == "vote") & (rows["area"] == row.area)
        & (rows["region"] == code)
    ]  # fmt: skip
    group = {row.region, *row.partners}
    votes = [k for k, of in own["partners"].items() if {code, *of} == group]
    return int(votes[0]) if votes else otherwise


def _kept_as_it_was(found: Replay, code: str, area: str) -> Turn | None:
    """The choice for the status quo that was closest to a negotiation, where nothing else was."""
    rows = found.decisions
    kept = rows[
        (rows["kind"] == "choose") & (rows["region"] == code) & (rows["area"] == area)
        & (rows["outcome"] == 0.0)
    ]  # fmt: skip
    if not len(kept):
        return None
    best = kept.loc[kept["gain"].idxmax()]
    return Turn(
        "kept", int(best["quarter"]), area, code, best["partners"], int(str(best.name)), None
    )


def search_turns(
    found: Replay, turns: Iterable[Turn], lost: dict[str, float], i: int, runs: int,
    threads: int | None,
) -> Iterator[Turn]:  # fmt: skip
    """Add the counterfactuals of the gravest turning points, and how often exits happen."""
    turns, branches = list(turns), Branches(found)
    order = sorted(range(len(turns)), key=lambda k: (GRAVITY[turns[k].event], turns[k].quarter))
    searched = [k for k in order if turns[k].decision >= 0][:TURNS]
    for k, turn in enumerate(turns):
        if k not in searched:
            yield turn
            continue
        changes = nearest_changes(branches, turn.decision)
        if turn.event not in ("left", "dissolved"):
            yield turn._replace(changes=changes)
            continue
        lasting = nearest_changes(branches, turn.decision, lasting=True)
        eased = share_lost(branches, lasting, turn, i, runs, threads)
        often = float(lost[turn.area]), eased
        yield turn._replace(changes=changes, lasting=lasting, often=often)


def share_lost(
    branches: Branches, changes: pd.DataFrame, turn: Turn, i: int, runs: int, threads: int | None
) -> float:
    """Share of runs in which region i loses a membership in the area of a turn, with a lever.

    It is the nearest lever that would have turned the decision, from the same quarter on.
    """
    levers = changes[changes["kind"] == LEVER].dropna(subset="needed")
    if not len(levers):
        return np.nan
    found, nearest = branches.found, levers.iloc[0]
    k = list(LEVERS).index(nearest["name"].partition(".")[2])
    policy = with_lever(
        found.task.policy, branches.with_all_of(k), k, float(nearest["needed"]),
        int(nearest["since"]), is_raised=bool(nearest["needed"] > nearest["value"]),
    )  # fmt: skip
    task = found.task._replace(policy=policy)
    _benefit, exits = survey(task, found.scenario, i, slice(None), runs, threads)
    return float(exits[:, list(found.scenario.areas).index(turn.area)].mean())


def exit_factors(found: Replay, decision: int) -> dict[str, float]:
    """What trust, load and commitment multiply the chance of an exit by (E11).

    Each compares the chance with that at the term's reference, at which it neither raises nor
    lowers it.
    """
    row, p = found.decisions.loc[decision], found.task.parameters
    terms = {name: float(row[name]) for name in ("load", "trust", "commitment")}
    neutral = {
        "load": LOAD_UNIT, "trust": REFERENCE_TRUST, "commitment": REFERENCE_COMMITMENT
    }  # fmt: skip
    chance = laws.leaving(*terms.values(), p)
    return {
        name: chance / laws.leaving(*(terms | {name: value}).values(), p)
        for name, value in neutral.items()
    }


def entry_quarter(found: Replay, region: str, area: str, quarter: int) -> int:
    """The quarter in which a region entered the body that it is in when a quarter begins.

    Of a body that exists at the start, the quarter in which that began: 0 or below.
    """
    since = quarter

    def body_at(moment: int) -> Any:
        of = (body for body in found.bodies[moment] if body["area"] == area)
        return next((body for body in of if region in body["members"]), None)

    while since > 0 and body_at(since - 1) is not None:
        since -= 1
    if since == 0 and (first := body_at(0)) is not None:
        return -round(first["age"] * QUARTERS)
    return since - 1


def conduct_before(found: Replay, region: str, area: str, quarter: int) -> pd.DataFrame:
    """How often each partner fell short, and was seen to, while the region shared its body.

    From the last quarter in which the region entered up to ``quarter``. Columns: ``region``,
    ``quarters``, ``fell_short``, ``observed``.
    """
    rows, since = found.decisions, entry_quarter(found, region, area, quarter)
    kept = rows[
        (rows["kind"] == "keep") & (rows["area"] == area) & (rows["quarter"] >= since)
        & (rows["quarter"] < quarter) & (rows["region"] != region)
    ]  # fmt: skip
    kept = kept[[region in of for of in kept["partners"]]]
    short = kept["outcome"] == 0.0
    table = pd.DataFrame({
        "region": kept["region"], "quarters": 1, "fell_short": short,
        "observed": short & (kept["observed"] > 0.0),
    })  # fmt: skip
    return table.groupby("region", as_index=False).sum()
