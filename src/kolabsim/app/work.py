"""How much work a scenario is, and how much of it the page takes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kolabsim.engine.ensemble import work_of
from kolabsim.errors import InputError
from kolabsim.i18n import Amount, _

if TYPE_CHECKING:
    from kolabsim.engine.ensemble import Task

RUNS = (100, 300, 1000)
"""Runs of each strategy after which there is an estimate."""
FEWEST_RUNS = 8
"""Runs of each strategy that give a first estimate of a large world."""
STRATEGIES = 2
"""Strategies that are simulated: the user's and the baseline."""
USUAL = 200_000
"""Work of a run up to which :data:`RUNS` hold; larger worlds get fewer, so that the first estimate
comes as soon."""
AT_A_TIME = 1_000_000
"""Work that a core does at a time: some 30 ms, after which it is another visitor's turn."""
MOST_AT_A_TIME = 25
"""Most runs that a core does at a time."""
MOST_WORK = 160_000_000
"""Most work of a first estimate: some five seconds of one core."""


def run_steps(work: int) -> tuple[int, ...]:
    """Return the numbers of runs after which there is an estimate, by the work of a run."""
    share = min(1.0, USUAL / work)
    return tuple(dict.fromkeys(max(FEWEST_RUNS, round(runs * share)) for runs in RUNS))


def runs_at_a_time(work: int) -> int:
    """Return the number of runs that a core does at a time."""
    return max(1, min(MOST_AT_A_TIME, AT_A_TIME // work))


def is_heavy(work: int) -> bool:
    """Whether a run is long: a core does no less than one run at a time."""
    return work > AT_A_TIME


def check_work(task: Task, file: str, factor: float = 1.0) -> None:
    """Refuse a scenario whose first estimate takes too long.

    Raises :class:`~kolabsim.errors.InputError` with the numbers from which it follows.
    """
    world, most = task.world, round(factor * MOST_WORK)
    work = FEWEST_RUNS * STRATEGIES * work_of(task)
    if work <= most:
        return
    text = _(
        "this is {times} times the work that this page takes on ({regions} regions, {contacts} "
        "contacts, {areas} service areas, {quarters} quarters, {runs} runs of {strategies} "
        "strategies); the command 'kolabsim run' has no limit"
    )
    times = Amount(work / most, 0 if work >= 10 * most else 1)
    raise InputError.of(
        text, file, times=times, regions=len(world.region), contacts=len(world.contact),
        areas=len(world.area), quarters=int(world.setting[0].horizon), runs=FEWEST_RUNS,
        strategies=STRATEGIES,
    )  # fmt: skip
