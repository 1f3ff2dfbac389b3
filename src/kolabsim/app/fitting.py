"""Whether the model fits a visitor's own evidence: the work, and what is shown of it.

Nothing here knows of a web page. Files are read as ``kolabsim evidence --scenario`` reads them, and
facts are judged by the same code, in pieces that the queue of the page does in turn.
"""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kolabsim.app.charts import BASE, TOOLTIP, Chart, Options, number_formatter
from kolabsim.app.importing import archive
from kolabsim.app.settings import Settings
from kolabsim.app.uploads import LARGEST_SCENARIO, check_files
from kolabsim.app.work import MOST_WORK, runs_at_a_time
from kolabsim.engine.ensemble import build_task, work_of
from kolabsim.errors import InputError, Problems
from kolabsim.figures.formatting import (
    UNDEFINED,
    decimal,
    format_interval,
    percent,
    significant,
)
from kolabsim.figures.labels import area_title, wrap_lines
from kolabsim.figures.palette import BLUE, INK, ORANGE, PALE
from kolabsim.files import rows_csv
from kolabsim.i18n import Amount, _, speaking
from kolabsim.report.html import render_sections
from kolabsim.report.page import Cell, Section, Table
from kolabsim.report.scorecard import (
    class_titles,
    expected_text,
    finding_row,
    interval_text,
    present_classes,
    verdict_cell,
)
from kolabsim.report.wording import fill, join_names
from kolabsim.scenario.futures import plausible_futures
from kolabsim.scenario.source import read_yaml
from kolabsim.validation.bodies import read_bodies
from kolabsim.validation.evidence import position
from kolabsim.validation.facts import Fact, keeps_members
from kolabsim.validation.facts_file import read_evidence
from kolabsim.validation.persistence import (
    KeptBody,
    bodies_as_listed,
    follow_bodies,
    kept_bodies,
    listed_with_codes,
)
from kolabsim.validation.runs import Setting, simulate_run
from kolabsim.validation.scorecard import (
    FEW,
    FUTURES,
    REPRODUCED,
    Finding,
    contrasts,
    parts,
    read_findings,
    runs_needed,
)

if TYPE_CHECKING:
    from kolabsim.scenario.scenario import Scenario

FACTS, BODIES = (".yaml", ".yml"), (".csv",)
"""Files of evidence, by their endings."""
OWN = "own"
"""The setting of the scenario as it is."""
MOST_FOR_A_FIT = 10 * MOST_WORK
"""Most work of a fit: less than a minute of one core."""
TRACED = 4
"""How many times as long a run takes that records everything, about."""
FARTHEST = 4.0
"""Half-widths of a band from its middle beyond which the chart cuts off."""
FILE = "fit.zip"


# What is uploaded ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Own:
    """A visitor's evidence: a file of facts, a table of joint bodies, or both."""

    files: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def facts(self) -> str | None:
        """Name of the file of facts."""
        return next((name for name in self.files if name.lower().endswith(FACTS)), None)

    @property
    def bodies(self) -> str | None:
        """Name of the table of joint bodies."""
        return next((name for name in self.files if name.lower().endswith(BODIES)), None)


def check_own(files: Mapping[str, bytes]) -> Own:
    """Refuse anything but one file of facts and one table of joint bodies."""
    check_files(files)
    facts, bodies = (
        [name for name in files if name.lower().endswith(ends)] for ends in (FACTS, BODIES)
    )
    if len(facts) > 1 or len(bodies) > 1 or len(facts) + len(bodies) < len(files):
        text = _("please choose one file of facts (YAML), one table of joint bodies (CSV), or both")
        raise InputError.of(text)
    if sum(map(len, files.values())) > LARGEST_SCENARIO:
        text = _("a file of facts and a table may have at most {size} MB together")
        raise InputError.of(text, size=LARGEST_SCENARIO // 1_000_000)
    return Own(files)


class Asked(NamedTuple):
    """The facts on a scenario, and the joint bodies whose fate is followed."""

    facts: tuple[Fact, ...]
    settings: Mapping[str, Setting]
    bodies: list[dict[str, Any]] | None
    """As a scenario lists them; None for those of the scenario itself."""


def read_own(scenario: Scenario, own: Own) -> Asked:
    """Read a visitor's evidence on a scenario; without files, its own joint bodies are evidence.

    Raises :class:`~kolabsim.errors.InputError` with all problems, each with its file and line.
    """
    if not own.files:
        if not scenario.bodies:
            raise InputError.of(nothing_to_judge())
        return Asked((keeps_members(OWN),), {OWN: Setting(scenario)}, None)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name, content in own.files.items():
            (folder / name).write_bytes(content)
        facts = folder / own.facts if own.facts else None
        bodies = folder / own.bodies if own.bodies else None
        if facts is not None:
            check_table(facts, own)
        evidence = read_evidence(scenario, facts, bodies=bodies)
        found = tuple(
            replace(one, source=own.bodies or "") if one.source.startswith(scratch) else one
            for one in evidence.facts
        )
        listed = None
        if bodies is not None:
            listed = bodies_as_listed(read_bodies(bodies, scenario), scenario)
    return Asked(found, evidence.settings, listed)


def check_own_files(scenario: Scenario, own: Own) -> None:
    """Read a visitor's evidence only for its problems, as in a process that can be ended."""
    read_own(scenario, own)


def check_table(facts: Path, own: Own) -> None:
    """Refuse a file of facts that names a table which was not uploaded with it."""
    problems = Problems()
    tree = read_yaml(facts, problems)
    problems.raise_if_any()
    node = tree.get("bodies", "table") if tree else None
    if tree and node and node.value not in ("", None, own.bodies):
        text = _("'{name}' was not uploaded; please choose it together with this file")
        tree.add_problem(("bodies", "table"), text, problems, name=str(node.value)[:60])
    problems.raise_if_any()


def nothing_to_judge() -> str:
    """What to do for a scenario without joint bodies."""
    return _(
        "this scenario lists no joint bodies; choose a file with your facts (YAML) or a table of "
        "joint bodies (CSV)"
    )


# The work -----------------------------------------------------------------------------------------


class Fit(NamedTuple):
    """How the model fits a visitor's evidence."""

    findings: list[Finding]
    kept: list[KeptBody]
    futures: int
    runs: int
    """Runs of the scenario as it is."""


class FitWork:
    """The work on a fit, in pieces that the queue does in turn."""

    def __init__(self, own: Own, settings: Settings, source: Scenario, factor: float = 1.0) -> None:
        self.own, self.settings, self.source, self.factor = own, settings, source, factor
        self.done: dict[tuple[str, int], list[float] | np.ndarray] = {}

    @property
    def scenario(self) -> Scenario:
        """The scenario with the assumptions that are fixed on the page."""
        fixed = self.settings.assumptions
        changes = {f"parameters.{name}": value for name, value in fixed.items()}
        return self.source.with_(changes) if changes else self.source

    def is_on(self, settings: Settings) -> bool:
        """Whether it is on these settings, as far as it depends on them."""
        one, other = (
            (each.assumptions, each.baseline, each.seed) for each in (self.settings, settings)
        )
        return one == other

    def prepare(self) -> None:
        """Read the evidence, and list the runs.

        Raises :class:`~kolabsim.errors.InputError` for files that are not as they should be, and
        for more work than the page takes on.
        """
        scenario = self.scenario
        self.asked = read_own(scenario, self.own)
        futures = [*plausible_futures(FUTURES, scenario).values()]
        self.runs = runs_needed()
        self.jobs = parts(self.runs, futures)
        self.futures = futures or [{}]
        listed = {} if self.asked.bodies is None else {"bodies": self.asked.bodies}
        self.today = Setting(scenario, listed, self.settings.baseline)
        self.listed = listed_with_codes(scenario, self.asked.bodies)
        self.followed = [(k, one) for one in self.futures for k in range(FEW)] * bool(self.listed)
        one = work_of(build_task(scenario, scenario.strategies[self.settings.baseline], seed=1))
        total = one * TRACED * (len(self.jobs) * len(self.asked.settings) + len(self.followed))
        most = round(self.factor * MOST_FOR_A_FIT)
        if total > most:
            text = _(
                "this is {times} times the work that this page takes on; the command below has no "
                "limit"
            )
            times = Amount(total / most, 0 if total >= 10 * most else 1)
            raise InputError.of(text, times=times)
        self.at_a_time = max(1, runs_at_a_time(one * TRACED))

    @property
    def all_runs(self) -> int:
        """Number of all parts of the work."""
        return len(self.jobs) + len(self.followed)

    def pieces(self) -> Iterator[Callable[[], int]]:
        """Yield the simulations, each as much as a core does at a time; they return their runs."""
        for kind, jobs in ((FACTS[0], self.jobs), (BODIES[0], self.followed)):
            for first in range(0, len(jobs), self.at_a_time):
                numbers = range(first, min(first + self.at_a_time, len(jobs)))
                yield partial(self.simulate, kind, numbers)

    def simulate(self, kind: str, numbers: range) -> int:
        """Simulate some parts."""
        seed = self.settings.seed
        for place in numbers:
            if kind == FACTS[0]:
                run, future = self.jobs[place]
                asked = self.asked
                found = contrasts(run, asked.facts, future, seed, asked.settings)
                self.done[kind, place] = found
            else:
                run, future = self.followed[place]
                one = simulate_run(self.today, run, future=future, seed=seed)
                self.done[kind, place] = follow_bodies(one)
        return len(numbers)

    def fit(self) -> Fit:
        """What the runs say."""
        found = np.array([self.done[FACTS[0], k] for k in range(len(self.jobs))])
        kept: list[KeptBody] = []
        if self.followed:
            rows = np.array([self.done[BODIES[0], k] for k in range(len(self.followed))])
            kept = kept_bodies(self.listed, rows.reshape(len(self.futures), FEW, -1, 2))
        findings = read_findings(self.asked.facts, found, self.runs)
        return Fit(findings, kept, len(self.futures) if len(self.futures) > 1 else 0, self.runs)


def commands(own: Own, settings: Settings, extends: str, *, is_shipped: bool) -> list[str]:
    """The commands that judge by the same files and that calibrate, as they are typed beside them.

    A scenario that ships is calibrated by one of the user's that extends it.
    """
    text = f" --facts {shlex.quote(own.facts)}" if own.facts else ""
    if not own.files:
        text = " --facts facts.yaml"
    if own.bodies:
        text += f" --bodies {shlex.quote(own.bodies)}"
    given = "".join(f" --set parameters.{k}={v:g}" for k, v in settings.assumptions.items())
    found = []
    if own.files:
        found.append(f"kolabsim evidence --scenario {shlex.quote(extends)}{text}{given}")
    scenario = "mine.yaml" if is_shipped else shlex.quote(extends)
    if is_shipped:
        found.append(f"echo 'extends: {extends}' > mine.yaml")
    return [*found, f"kolabsim calibrate --scenario {scenario}{text}"]


# What is shown ------------------------------------------------------------------------------------


def sentence(found: Fit, own: Own) -> str:
    """Whether the model fits, in one or two sentences."""
    told = []
    if own.files:
        expressed = [one for one in found.findings if one.fact.is_expressed]
        good = [one for one in expressed if one.verdict == REPRODUCED]
        text = _("The model as it is fits {good} of {all} facts.")
        if found.futures:
            often = sum(one.elsewhere >= 0.5 for one in expressed)
            text = _(
                "The model as it is fits {good} of {all} facts; {often} hold in at least half of "
                "the plausible futures."
            )
            told.append(fill(text, good=len(good), all=len(found.findings), often=often))
        else:
            told.append(fill(text, good=len(good), all=len(found.findings)))
    if found.kept:
        stay = sum(one.whole >= 0.5 for one in found.kept)
        gone = sum(one.ended >= 0.5 for one in found.kept)
        text = _(
            "All {all} joint bodies of today keep all their members in at least half of the runs."
        )
        if stay < len(found.kept):
            text = _(
                "Of {all} joint bodies of today, {stay} keep all their members in at least half of "
                "the runs, and {gone} have ended in at least half."
            )
        told.append(fill(text, all=len(found.kept), stay=stay, gone=gone))
    return " ".join(told)


def range_text(one: Finding) -> str:
    """The range over futures, or that there is none."""
    if not np.isfinite(one.least):
        return UNDEFINED
    return format_interval(significant(one.least), significant(one.most))


def facts_table(found: Fit, name: str) -> Table:
    """The facts of one class: their bands, and what the model gives."""
    rows = []
    for one in found.findings:
        if one.fact.use == name:
            row: list[Any] = [_(one.fact.statement), Cell(expected_text(one.fact))]
            if found.futures:
                row.append(Cell(significant(one.middle), below=range_text(one)))
                row.append(percent(one.elsewhere))
            row += [Cell(significant(one.value), below=interval_text(one)), verdict_cell(one)]
            rows.append([*row, Cell(_(one.fact.source) if one.fact.source else UNDEFINED)])
    head = [_("Fact"), _("Band")]
    if found.futures:
        head += [_("Median of futures"), _("Holds in futures")]
    head += [_("Model as it is"), _("Verdict"), _("Source")]
    return Table(class_titles()[name][0], head, rows)


def bodies_table(found: Fit, source: Scenario) -> Table:
    """What becomes of each joint body of today."""
    rows = []
    for one in found.kept:
        spread = format_interval(significant(one.low), significant(one.high))
        size = significant(one.size, 2) if np.isfinite(one.size) else UNDEFINED
        rows.append(
            [
                area_title(one.area), Cell(names_of(one, source)), percent(one.whole),
                percent(one.parts), percent(one.ended),
                Cell(f"{decimal(one.together, 1)} / {len(one.members)}", below=spread), size,
            ]
        )  # fmt: skip
    head = [
        _("Service area"), _("Members"), _("All together"), _("Some left"), _("Ended"),
        _("Members still together"), _("Size"),
    ]  # fmt: skip
    return Table(_("Joint bodies of today at the end of the runs"), head, rows)


def names_of(one: KeptBody, source: Scenario) -> str:
    """The names of the members of a body."""
    labels = dict(zip(source.regions.codes, source.regions.labels, strict=True))
    return join_names([labels[code] for code in one.members])


def answer_html(found: Fit, source: Scenario) -> str:
    """The tables of a fit."""
    tables = [facts_table(found, name) for name in present_classes(found.findings)]
    sections = [Section("facts", _("Facts"), *tables)]
    if found.kept:
        sections.append(Section("bodies", _("Joint bodies"), bodies_table(found, source)))
    return render_sections(sections)


def facts_chart(found: Fit) -> Chart:
    """Draw where the model lies in the band of each fact, whose ends are -1 and 1."""
    facts = [one for one in found.findings if one.fact.is_expressed]
    bands, lines, points, now = [], [], [], []
    for y, one in enumerate(facts):
        right = 1.0 if one.fact.kind == "band" else FARTHEST
        title = f"{_(one.fact.statement)}: {expected_text(one.fact)}"
        bands.append({"coords": [[-1.0, y], [right, y]], "text": title})
        places = [position(one.fact, v) for v in (one.least, one.middle, one.most, one.value)]
        low, middle, high, here = (float(v) for v in np.clip(places, -FARTHEST, FARTHEST))
        if np.isfinite([low, middle, high]).all():
            text = _("futures: {median} ({range})")
            words = {"median": significant(one.middle), "range": range_text(one)}
            lines.append({"coords": [[low, y], [high, y]], "text": text.format(**words)})
            points.append({"value": [middle, y], "text": text.format(**words)})
        if np.isfinite(here):
            text = _("as it is: {value} ({range})")
            words = {"value": significant(one.value), "range": interval_text(one)}
            now.append({"value": [here, y], "text": text.format(**words)})
    plain: Options = {"type": "lines", "coordinateSystem": "cartesian2d", "data": bands}
    legend = [_("band"), _("plausible futures"), _("as it is")]
    options = BASE | {
        "tooltip": TOOLTIP,
        "legend": {"data": legend, "top": 0, "left": 0, "selectedMode": False},
        "grid": {"left": 4, "right": 10, "top": 52, "bottom": 4, "containLabel": True},
        "xAxis": {"type": "value", "min": -FARTHEST, "max": FARTHEST,
                  "splitLine": {"lineStyle": {"color": "#efefef"}},
                  "axisLabel": {"color": INK, ":formatter": number_formatter()}},
        "yAxis": {"type": "category", "inverse": True, "axisTick": {"show": False},
                  "data": [wrap_lines(_(one.fact.statement), 30) for one in facts],
                  "axisLabel": {"color": INK, "fontSize": 11, "lineHeight": 13}},
        "series": [
            plain | {"name": legend[0], "lineStyle": {"width": 18, "color": PALE, "opacity": 1},
                     "color": PALE},
            plain | {"data": lines, "lineStyle": {"width": 3, "color": BLUE, "opacity": 1}},
            {"name": legend[1], "type": "scatter", "data": points, "symbolSize": 10,
             "itemStyle": {"color": BLUE}, "color": BLUE},
            {"name": legend[2], "type": "scatter", "data": now, "symbolSize": 11,
             "symbol": "diamond", "color": ORANGE,
             "itemStyle": {"color": ORANGE, "borderColor": INK, "borderWidth": 0.6}},
        ],
    }  # fmt: skip
    return Chart(options, _("Where the model lies in the band of each fact"), [], [])


def bodies_chart(found: Fit, source: Scenario) -> Chart:
    """Draw in which share of runs each joint body of today keeps all, some or none together."""
    titles = [
        wrap_lines(f"{area_title(one.area)}: {names_of(one, source)}", 34) for one in found.kept
    ]
    kinds = (
        (_("all together"), BLUE, [one.whole for one in found.kept]),
        (_("some left"), "#9fcae3", [one.parts for one in found.kept]),
        (_("ended"), ORANGE, [one.ended for one in found.kept]),
    )
    series = [
        {"name": name, "type": "bar", "stack": "all", "color": colour, "barMaxWidth": 26,
         "data": [{"value": 100.0 * v, "text": f"{name}: {percent(v)}"} for v in shares]}
        for name, colour, shares in kinds
    ]  # fmt: skip
    options = BASE | {
        "tooltip": TOOLTIP,
        "legend": {"top": 0, "left": 0, "selectedMode": False},
        "grid": {"left": 4, "right": 16, "top": 52, "bottom": 4, "containLabel": True},
        "xAxis": {"type": "value", "max": 100,
                  "axisLabel": {"color": INK, "hideOverlap": True, "formatter": "{value}%"}},
        "yAxis": {"type": "category", "inverse": True, "data": titles, "axisTick": {"show": False},
                  "axisLabel": {"color": INK, "fontSize": 11, "lineHeight": 13}},
        "series": series,
    }  # fmt: skip
    text = _("Share of runs in which each joint body of today keeps all, some or no members")
    return Chart(options, text, [], [])


def done_text(found: Fit) -> str:
    """What was simulated."""
    if not found.futures:
        return fill(_("{runs} runs; assumptions were not varied."), runs=found.runs)
    text = _(
        "{runs} runs of the model as it is, and {few} in each of {futures} plausible futures; all "
        "runs begin today and last until the end of the scenario."
    )
    return fill(text, runs=found.runs, few=FEW, futures=found.futures)


def download(found: Fit) -> bytes:
    """Findings and joint bodies as tables in a ZIP file, in English as those of the command."""
    with speaking("en"):
        rows = [finding_row(one) for one in found.findings]
    spread = [(one.middle, one.least, one.most) for one in found.findings]
    table: list[list[object]] = [[*rows[0], "median", "range_low", "range_high"]]
    table += [
        [*("" if value is None else value for value in row.values()), *three]
        for row, three in zip(rows, spread, strict=True)
    ]
    files = {"scorecard.csv": rows_csv(table)}
    if found.kept:
        head = [name for name in KeptBody._fields]
        bodies: list[list[object]] = [[*head]]
        bodies += [[one.area, " ".join(one.members), *one[2:]] for one in found.kept]
        files["bodies.csv"] = rows_csv(bodies)
    return archive(files)
