"""Reports of experiments, whatever their kind: one function publishes each kind in its folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kolabsim.analysis.robustness import RobustnessResult
from kolabsim.analysis.run import Result
from kolabsim.analysis.search import SearchResult
from kolabsim.analysis.sensitivity import SensitivityResult
from kolabsim.analysis.sweep import SweepResult
from kolabsim.errors import StorageError
from kolabsim.figures.formatting import UNDEFINED, format_interval, significant
from kolabsim.figures.labels import factor_title
from kolabsim.files import write_whole
from kolabsim.i18n import _, language
from kolabsim.report import robustness, search, sensitivity, sweep
from kolabsim.report.assumptions import assumption_section
from kolabsim.report.comparison import comparison_page
from kolabsim.report.output import publish
from kolabsim.report.page import KindReport, Page, Section, Table, missing_section
from kolabsim.report.provenance import (
    Account,
    comparison_provenance,
    reproduction_section,
    study_provenance,
)
from kolabsim.report.wording import fill, scenario_words, warn_of_failed_runs
from kolabsim.scenario.notices import find_notices
from kolabsim.study.collect import write_table
from kolabsim.study.experiment import Experiment
from kolabsim.study.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from kolabsim.analysis.comparison import Comparison
    from kolabsim.study.collect import Results
    from kolabsim.study.runner import Study

REPORTS: Mapping[type, Callable[[Experiment, Any], KindReport]] = {
    SensitivityResult: sensitivity.report,
    SearchResult: search.report,
    SweepResult: sweep.report,
    RobustnessResult: robustness.report,
}
"""What each kind of experiment adds to a page, by the type of its result."""
MOST_ROWS = 200_000
"""Most runs that are written as CSV too; ``kolabsim results`` exports any number of them."""


def publish_comparison(
    experiment: Experiment,
    study: Study,
    results: Results,
    comparison: Comparison,
    *,
    variance: pd.DataFrame | None,
    fair: pd.DataFrame | None,
    account: Account,
    pages: Mapping[str, str] | None = None,
) -> None:
    """Write tables, figures, report and provenance of a comparison beside its runs.

    ``pages`` are the files of single regions that the report links to, by their codes.
    Raises :class:`~kolabsim.errors.StorageError` if the disk refuses.
    """
    folder, facts = study.folder, comparison_provenance(experiment, study, account, pages or ())
    if study.runs * len(study.tasks) <= MOST_ROWS:
        write_table(study, "runs", folder / "runs.csv")
    tables = {
        "differences": comparison.differences, "winners": comparison.winners,
        "costs": comparison.costs, "channels": comparison.channels,
        "variance": variance, "fairness": fair,
    }  # fmt: skip
    resolved = json.dumps(experiment.scenario.resolved(), indent=1, sort_keys=True)
    write_whole(folder / "scenario.json", resolved.encode())
    page = comparison_page(
        results, comparison, provenance=facts, question=experiment.question(language()),
        variance=variance, fair=fair, measures=experiment.spec.measures, pages=pages,
    )  # fmt: skip
    found = {name: table for name, table in tables.items() if table is not None}
    publish(page, folder, tables=found, facts=facts)


def publish_experiment(
    experiment: Experiment, result: Result, folder: Path, account: Account
) -> Sequence[Section]:
    """Write the page, figures, tables and provenance of any experiment but a comparison.

    Returns the sections of the page. Raises :class:`~kolabsim.errors.StorageError` if the disk
    refuses.
    """
    facts = study_provenance(experiment, Store(folder), account)
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
        fill(_("{number} runs"), number=account.progress.wanted),
        fill(_("seed {seed}"), seed=str(experiment.seed)),
        fill(_("model {hash}"), hash=str(facts["model"])),
    ]
    title = experiment.question(language()) or experiment.name
    scenario = experiment.scenario
    kind, notices = scenario.title(language()), find_notices(scenario)
    page = Page(title, sections, lines=lines, kind=kind, notices=notices)
    facts |= {"asked": experiment.spec.model_dump(mode="json")}
    publish(page, folder, tables=report.tables, facts=facts)
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
        source = _("assumed") if factor.source == "assumed" else _(factor.source or UNDEFINED)
        rows.append((factor_title(factor), range_, unit, source))
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
