"""Reports of experiments, whatever their kind: one function publishes each kind in its folder."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kolabsim.analysis.arrays import RunStudy
from kolabsim.analysis.comparison import Comparison, compare_experiment
from kolabsim.analysis.fairness import fairness
from kolabsim.analysis.influence import (
    Influence,
    difference_sources,
    influence,
    varied_futures,
)
from kolabsim.analysis.levels import equalise, frontier, same_money
from kolabsim.analysis.region import region_outlook
from kolabsim.analysis.robustness import RobustnessResult
from kolabsim.analysis.run import Result, run_experiment
from kolabsim.analysis.search import SearchResult
from kolabsim.analysis.sensitivity import SensitivityResult
from kolabsim.analysis.sweep import SweepResult
from kolabsim.errors import KolabsimError, StorageError
from kolabsim.figures.formatting import format_interval, significant
from kolabsim.figures.labels import factor_title
from kolabsim.files import link, write_whole
from kolabsim.i18n import _, language
from kolabsim.report import robustness, search, sensitivity, sweep
from kolabsim.report.assumptions import assumption_section
from kolabsim.report.comparison import View, comparison_page, influence_lines, money_lines
from kolabsim.report.output import publish
from kolabsim.report.page import KindReport, Page, Section, Table, missing_section
from kolabsim.report.provenance import provenance, reproduction_section
from kolabsim.report.region import page_names, write_region
from kolabsim.report.wording import fill, scenario_words, source_text, warn_of_failed_runs
from kolabsim.study.collect import collect, joined
from kolabsim.study.experiment import Experiment
from kolabsim.study.runner import Study

if TYPE_CHECKING:
    import pandas as pd

    from kolabsim.study.collect import Results

REPORTS: Mapping[type, Callable[[Experiment, Any], KindReport]] = {
    SensitivityResult: sensitivity.report,
    SearchResult: search.report,
    SweepResult: sweep.report,
    RobustnessResult: robustness.report,
}
"""What each kind of experiment adds to a page, by the type of its result."""
MOST_ROWS = 200_000
"""Most runs that are written as CSV too; ``kolabsim results`` exports any number of them."""


@dataclass(frozen=True)
class Publication:
    """What the report of an experiment needs besides its runs."""

    experiment: Experiment
    folder: Path
    run: RunStudy
    """Simulates the missing runs of a study."""
    find_facts: Callable[[], dict[str, Any]]
    """The provenance, once all runs are there."""
    codes: Sequence[str] = ()
    """Regions of a comparison that get a page."""
    begin: Callable[[], None] = lambda: None
    """Called when all runs are there."""
    progress: Callable[[int], None] = lambda _done: None
    """Called with the number of runs that pages of regions took so far."""

    @cached_property
    def facts(self) -> dict[str, Any]:
        """The provenance, as it is read again from a file."""
        found: dict[str, Any] = json.loads(json.dumps(self.find_facts(), default=str))
        return found

    def publish(self) -> tuple[Result, Sequence[str]]:
        """Run the experiment and write its tables, figures and report into its folder.

        Returns the result, and what a terminal shows of it in sentences. Raises
        :class:`~kolabsim.errors.StorageError` if the disk refuses.
        """
        if self.experiment.kind == "comparison":
            return self.publish_comparison()
        result = run_experiment(self.experiment, self.folder, self.run)
        self.begin()
        sections = publish_experiment(self.experiment, result, self.folder, self.facts)
        return result, sections[0].summary

    def publish_comparison(self) -> tuple[Comparison, list[str]]:
        """Run a comparison and write its report, and the pages of regions."""
        experiment, ladder = equalise(self.experiment, self.folder, self.run)
        scenario, spec = experiment.scenario, experiment.spec
        along = None
        target = spec.equal_cost
        if spec.frontier or target is not None:
            along = frontier(ladder)
        study = Study.plan(experiment, self.folder)
        self.run(study)
        self.begin()
        seed = experiment.seed
        results = collect(study, scenario, experiment.futures)
        comparison = compare_experiment(results, experiment)
        if target is None:  # otherwise all of it is at the same cost
            same = or_warn(
                _("the comparison for the same money"), lambda: same_money(results, comparison)
            )
            comparison = replace(comparison, same_money=same)
        view = View(comparison)
        best = view.best
        variance = or_warn(
            _("the variance of differences by source"),
            lambda: difference_sources(
                scenario, spec.baseline, best, varied_futures(results), seed=seed
            ),
        )
        fair = None
        if len(scenario.regions) <= 40:  # of more, nobody reads who pays what in one run
            fair = or_warn(
                _("the cost shares in joint bodies"),
                lambda: fairness(scenario, best, seed=seed),
            )
        moved = influence(results, comparison, best, seed=seed)
        publish_comparison(
            experiment, study, results, comparison, moved, along, variance=variance, fair=fair,
            facts=self.facts, pages=self.region_pages(experiment, comparison),
        )  # fmt: skip
        lines = influence_lines(view, moved, variance)
        return comparison, lines + money_lines(view, along, target)

    def region_pages(self, experiment: Experiment, comparison: Comparison) -> dict[str, str]:
        """Write the pages of regions for the best strategy; return their addresses by code."""
        if not self.codes:
            return {}
        made = dict[str, str]()
        world, spec, criteria = experiment.scenario, experiment.spec, comparison.criteria
        names = comparison.plausible or comparison.futures[:1]
        pairs = comparison.runs * len(names)
        about = provenance(self.facts["command"], experiment.seed, world)
        about |= {"runs": pairs, "made": self.facts["made"]}
        files = page_names(world)
        for code in self.codes:  # from the runs of the comparison, and by its rule
            outlook = region_outlook(
                world, code, comparison.order()[0], baseline=spec.baseline,
                futures={name: experiment.futures[name] for name in names}, runs=comparison.runs,
                seed=experiment.seed, level=criteria.level, robust=criteria.robust,
                practical_threshold=criteria.threshold, likely=criteria.likely,
                comparisons=len(comparison.strategies) * len(world.regions),
                progress=lambda done: self.progress(2 * pairs * len(made) + done),
            )  # fmt: skip
            write_region(outlook, self.folder / files[code], facts=about, workbook=True)
            made[code] = link(files[code])
        return made


def runs_of_pages(experiment: Experiment) -> int:
    """How many runs of each strategy a page of a region takes: as many as the comparison has."""
    if experiment.kind != "comparison":
        return 0
    return int(experiment.spec.runs * max(experiment.spec.plausible, 1))


def or_warn(what: str, work: Callable[[], pd.DataFrame]) -> pd.DataFrame | None:
    """Return a part of the report that needs more runs, or warn and return None if a run fails."""
    try:
        return work()
    except KolabsimError:
        raise
    except Exception as error:  # a user's rule may raise anything
        text = _("{what} is missing because a run failed ({error})")
        reason = f"{type(error).__name__}: {error}"
        warnings.warn(text.format(what=what, error=reason), stacklevel=2)
        return None


def publish_comparison(
    experiment: Experiment,
    study: Study,
    results: Results,
    comparison: Comparison,
    moved: Influence,
    along: pd.DataFrame | None,
    *,
    variance: pd.DataFrame | None,
    fair: pd.DataFrame | None,
    facts: Mapping[str, Any],
    pages: Mapping[str, str],
) -> None:
    """Write tables, figures, report and provenance of a comparison beside its runs.

    ``pages`` are the addresses of pages of single regions, by their codes.
    """
    folder = study.folder
    if study.runs * len(study.tasks) <= MOST_ROWS:
        write_whole(folder / "runs.csv", joined(study, "runs", ".csv"))
    tables = {
        "differences": comparison.differences, "winners": comparison.winners,
        "costs": comparison.costs, "channels": comparison.channels,
        "variance": variance, "fairness": fair,
        "drivers": moved.drivers and moved.drivers.ranked, "frontier": along,
    }  # fmt: skip
    if comparison.is_varied:
        tables |= {
            "ranges": comparison.ranges, "winner_ranges": comparison.winner_ranges,
            "cost_ranges": comparison.cost_ranges,
        }  # fmt: skip
    if comparison.same_money is not None and len(comparison.same_money):
        tables["same_money"] = comparison.same_money
    page = comparison_page(
        results, comparison, provenance=facts, question=experiment.question(language()),
        moved=moved, along=along, equal_cost=experiment.spec.equal_cost,
        variance=variance, fair=fair, measures=experiment.spec.measures, pages=pages,
        notices=experiment.notices,
    )  # fmt: skip
    found = {name: table for name, table in tables.items() if table is not None}
    publish(page, folder, tables=found, facts=facts, scenario=experiment.scenario)


def publish_experiment(
    experiment: Experiment, result: Result, folder: Path, facts: Mapping[str, Any]
) -> Sequence[Section]:
    """Write the page, figures, tables and provenance of any experiment but a comparison.

    Returns the sections of the page.
    """
    try:
        report = REPORTS[type(result)](experiment, result)
    except StorageError:
        raise
    except Exception as error:  # whatever it is, the other sections are worth having
        report = KindReport([missing_section("answer", error)], [""], "", "", {})
    failed = warn_of_failed_runs(facts)
    sections = [
        *report.sections,
        Section("uncertainty", _("Uncertainty"), report.uncertainty[0], failed,
                *report.uncertainty[1:]),
        assumption_section(experiment.scenario, report.assumptions, *factor_tables(experiment)),
        reproduction_section(facts, f"{report.methods} {model_methods(experiment, facts)}"),
    ]  # fmt: skip
    lines = [
        fill(_("{number} runs"), number=facts["runs_wanted"]),
        fill(_("seed {seed}"), seed=str(experiment.seed)),
        fill(_("model {hash}"), hash=str(facts["model"])),
    ]
    title = experiment.question(language()) or experiment.name
    scenario = experiment.scenario
    kind = scenario.title(language())
    page = Page(title, sections, lines=lines, kind=kind, notices=experiment.notices)
    publish(page, folder, tables=report.tables, facts=facts, scenario=scenario)
    return sections


def factor_tables(experiment: Experiment) -> list[Table]:
    """The factors with their ranges and sources, if the experiment has any."""
    rows = []
    for factor in experiment.factors:
        if factor.is_choice:
            range_, unit = ", ".join(str(word) for word in factor.words), ""
        else:
            range_ = format_interval(significant(factor.low), significant(factor.high))
            unit = "" if factor.unit in ("", "1") else _(factor.unit)
        rows.append((factor_title(factor), range_, unit, source_text(factor)))
    head = [_("Factor"), _("Range"), _("Unit"), _("Source")]
    return [Table(_("Factors that were varied"), head, rows, prose=True)] if rows else []


def model_methods(experiment: Experiment, facts: Mapping[str, object]) -> str:
    """The end of the paragraph on methods, which all kinds share."""
    text = _(
        "The scenario is “{scenario}” ({regions} regional governments, {areas} service areas, "
        "{quarters} quarters), simulated with kolabsim {version}, an agent-based model of "
        "collaboration between regional governments in public services, with common random numbers "
        "(seed {seed}). Parameters without a source are assumed; results are contrasts within a "
        "thought experiment, not predictions."
    )
    made_by = {"version": str(facts["kolabsim"]), "seed": str(experiment.seed)}
    return fill(text, **scenario_words(experiment.scenario), **made_by)
