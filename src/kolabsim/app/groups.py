"""A group that a visitor means: what was ticked, and the work on its outlook in fair pieces."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING

from kolabsim.analysis.group import ARMS, LEAVES_AFTER, GroupOutlook, GroupStudy
from kolabsim.analysis.group_search import MOST_MEMBERS
from kolabsim.analysis.outlook import place_of
from kolabsim.app.futures import find_worlds, without
from kolabsim.app.recent import Recent
from kolabsim.app.settings import Settings
from kolabsim.app.work import FEWEST_RUNS, MOST_WORK, USUAL, runs_at_a_time
from kolabsim.engine.ensemble import work_of
from kolabsim.errors import InputError, Problems, suggestion
from kolabsim.i18n import Amount, _
from kolabsim.model.levers import FORMS
from kolabsim.model.parameters import QUARTERS
from kolabsim.report.group import group_file, group_page, result_sections
from kolabsim.report.html import render, render_sections
from kolabsim.scenario.compile import contact_arrays
from kolabsim.study.spec import default_runs

if TYPE_CHECKING:
    from kolabsim.scenario.scenario import Scenario

MOST_FOR_A_GROUP = 10 * MOST_WORK
"""Most work on the outlook of a group: less than a minute of one core."""
COMMA, PERCENT = "%2C", "%25"
"""These signs within a code in an address, where commas stand between codes."""
STORED = 32
"""Number of outlooks that are kept for the next visitor."""
OUTLOOKS: Recent[GroupOutlook] = Recent(STORED)
"""Outlooks by all that they depend on, shared by all visitors."""


# What is chosen -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class GroupChoice:
    """A group, its service area and form, and after how many years members leave in turn."""

    members: tuple[str, ...]
    """Codes, the region that asks first."""
    area: str
    form: str = ""
    """As founders choose, if empty."""
    leaves: int = LEAVES_AFTER

    @classmethod
    def read(cls, settings: Settings, scenario: Scenario, problems: Problems) -> GroupChoice:
        """Return the group of an address; report what a scenario does not have."""
        found, codes = list[str](), scenario.regions.codes
        for one in filter(None, settings.group.split(",")):
            try:
                code = codes[place_of(scenario, one.replace(COMMA, ",").replace(PERCENT, "%"))]
            except InputError as error:
                problems.found |= dict.fromkeys(error.problems)
                continue
            if code in found:
                problems.add(_("'{name}' is named twice"), name=code)
            else:
                found.append(code)
        area = settings.area or next(iter(scenario.areas))
        if area not in scenario.areas:
            text = _("'{area}' is not a service area of this scenario{suggestion}")
            hint = suggestion(area[:60], scenario.areas)
            problems.add(text, area=area[:60], suggestion=hint)
            area = next(iter(scenario.areas))
        form = settings.form
        if form not in ("", *FORMS):
            text = _("'{form}' is not a legal form{suggestion}")
            hint = suggestion(form[:60], FORMS)
            problems.add(text, form=form[:60], suggestion=hint)
            form = ""
        leaves, most = settings.leaves, longest_stay(scenario)
        if leaves and not (leaves.isdecimal() and 1 <= int(leaves) <= most):
            text = _("leaves: {value} is not a whole number from 1 to {most}")
            problems.add(text, value=leaves[:40], most=most)
            leaves = ""
        years = int(leaves) if leaves else min(LEAVES_AFTER, most)
        return cls(tuple(found) or codes[:1], area, form, years)

    def written(self, settings: Settings) -> Settings:
        """Return settings that hold this group for an address."""
        leaves = "" if self.leaves == LEAVES_AFTER else str(self.leaves)
        codes = (one.replace("%", PERCENT).replace(",", COMMA) for one in self.members)
        return replace(
            settings, group=",".join(codes), area=self.area, form=self.form, leaves=leaves
        )

    def with_member(self, code: str, *, is_in: bool) -> GroupChoice:
        """Return the choice with a partner ticked or not."""
        others = tuple(one for one in self.members if one != code)
        return replace(self, members=(*others, code) if is_in else others)

    @property
    def refusal(self) -> str:
        """Why this is no group that the page judges; empty if it is one."""
        if len(self.members) > MOST_MEMBERS:
            text = _(
                "A group on this page has at most {most} members, and these are {number}; the "
                "command 'kolabsim region --with' takes as many as the scenario allows."
            )
            return text.format(most=MOST_MEMBERS, number=len(self.members))
        if len(self.members) < 2:
            return _("Tick at least one partner.")
        return ""


def without_group(settings: Settings) -> Settings:
    """Return settings without any group, for another scenario."""
    return replace(settings, group="", area="", form="", leaves="")


def longest_stay(scenario: Scenario) -> int:
    """Most years after which a member may leave within a run."""
    return max((scenario.horizon - 1) // QUARTERS, 1)


def partners(scenario: Scenario, choice: GroupChoice) -> list[tuple[str, str]]:
    """Codes and names of the partners that can be ticked: contacts of the region, by distance.

    Members of the group that are no contacts of it follow.
    """
    region, contact, distance = contact_arrays(scenario)
    codes, names = scenario.regions.codes, scenario.regions.labels
    first = region[codes.index(choice.members[0])]
    known = sorted(range(first["first"], first["end"]), key=lambda c: distance[c])
    places = [int(contact["target"][c]) for c in known]
    places += [k for one in choice.members[1:] if (k := codes.index(one)) not in places]
    return [(codes[k], names[k]) for k in places]


# The work -----------------------------------------------------------------------------------------


class GroupWork:
    """The work on the outlook of one group, in pieces that the queue does in turn."""

    def __init__(
        self, choice: GroupChoice, settings: Settings, source: Scenario, factor: float = 1.0
    ) -> None:
        self.choice, self.settings, self.source, self.factor = choice, settings, source, factor

    @property
    def key(self) -> Hashable:
        """All that the outlook depends on."""
        chosen = self.settings
        fixed = tuple(sorted(chosen.assumptions.items()))
        return self.source, self.choice, chosen.baseline, chosen.seed, fixed

    def prepare(self) -> GroupStudy:
        """Check the group and judge it at the start.

        Raises :class:`~kolabsim.errors.InputError` for groups that no body could have, and for
        more work than the page takes on.
        """
        choice, fixed, worlds = self.choice, self.settings.assumptions, find_worlds(self.source)
        work = work_of(worlds.task(next(iter(worlds.futures)), {}, 0))
        most = max(FEWEST_RUNS, round(len(worlds.futures) * min(1.0, USUAL / work)))
        futures = dict(islice(worlds.futures.items(), most))
        runs = default_runs(len(futures)) if work <= USUAL else 2
        self.check(work * len(futures) * runs * (ARMS + len(choice.members)))
        self.piece = runs_at_a_time(work)
        scenario = self.source
        if fixed:
            scenario = scenario.with_({f"parameters.{name}": v for name, v in fixed.items()})
        study = GroupStudy(
            scenario, choice.members[0], choice.members[1:], choice.area,
            strategy=self.settings.baseline, form=choice.form or None, leaves_after=choice.leaves,
            futures={name: without(one, fixed) for name, one in futures.items()}, runs=runs,
            seed=self.settings.seed,
        )  # fmt: skip
        study.judge()
        return study

    def check(self, work: int) -> None:
        """Refuse more work than the page takes on."""
        most = round(self.factor * MOST_FOR_A_GROUP)
        if work > most:
            text = _(
                "this is {times} times the work that this page takes on; choose fewer members, or "
                "use the command 'kolabsim region --with', which has no limit"
            )
            raise InputError.of(text, times=Amount(work / most, 0 if work >= 10 * most else 1))

    def pieces(self, study: GroupStudy) -> Iterator[Callable[[], int]]:
        """Yield the simulations, each as much as a core does at a time; they return their runs."""
        jobs = study.jobs(self.piece)
        size = max(1, self.piece // min(self.piece, study.runs))
        for first in range(0, len(jobs), size):
            yield partial(do_all, jobs[first : first + size])


def do_all(jobs: Sequence[Callable[[], int]]) -> int:
    """Do some simulations; return the number of their runs."""
    return sum(job() for job in jobs)


def facts_of(found: GroupOutlook, settings: Settings, source: Scenario) -> dict[str, object]:
    """The provenance of an outlook on the page."""
    from kolabsim import __version__

    return {
        "command": command(found, settings, source), "scenario": source.name,
        "seed": settings.seed, "runs": found.runs * len(found.futures), "kolabsim": __version__,
    }  # fmt: skip


def command(found: GroupOutlook, settings: Settings, source: Scenario) -> str:
    """The command that gives the same, or the address of the page if there is none."""
    if settings.assumptions or settings.scenario.startswith("upload-"):
        return f"kolabsim app ?{settings.query}"
    words = ["kolabsim", "region", found.code, "--scenario", source.name]
    words += ["--with", ",".join(found.members[1:]), "--area", found.area, "--form", found.form]
    options: Mapping[str, tuple[object, object]] = {
        "leaves-after": (found.leaves_after, LEAVES_AFTER),
        "strategy": (found.strategy, Settings().baseline), "seed": (settings.seed, 1),
        "plausible": (len(found.futures), len(find_worlds(source).futures)),
    }  # fmt: skip
    changed = ((f"--{name}", str(now)) for name, (now, usual) in options.items() if now != usual)
    return shlex.join([*words, *chain(*changed)])


def answer_html(found: GroupOutlook) -> str:
    """What was found, as the page of the command shows it."""
    return render_sections(result_sections(found))


def download(found: GroupOutlook, settings: Settings, source: Scenario) -> tuple[str, bytes]:
    """The name and the content of the page of a group."""
    facts = facts_of(found, settings, source)
    return group_file(found), render(group_page(found, facts)).encode()
