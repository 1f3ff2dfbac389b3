"""Run an experiment of any kind, from its first point to its result."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from kolabsim.analysis.arrays import RunStudy
from kolabsim.analysis.comparison import Comparison, compare_experiment
from kolabsim.analysis.levels import equalise, same_money
from kolabsim.analysis.robustness import RobustnessResult, run_robustness
from kolabsim.analysis.search import SearchResult, run_search
from kolabsim.analysis.sensitivity import SensitivityResult, run_sensitivity
from kolabsim.analysis.sweep import SweepResult, run_sweep
from kolabsim.errors import require
from kolabsim.i18n import _
from kolabsim.study.collect import collect
from kolabsim.study.experiment import Experiment
from kolabsim.study.ledger import hold
from kolabsim.study.runner import Study

Result: TypeAlias = Comparison | SensitivityResult | RobustnessResult | SearchResult | SweepResult
"""The result of an experiment, by its kind."""


def run_experiment(
    experiment: Experiment[Any], folder: Path, run: RunStudy = lambda study: study.run()
) -> Result:
    """Run an experiment of any kind and return its result.

    ``kolabsim run`` does the same and writes a report.

    Parameters
    ----------
    experiment
        A loaded experiment.
    folder
        Where its runs are kept: finished runs are not repeated, and a larger sample keeps them.
    run
        Simulates the missing runs of a study; replace it to show progress or to use a cluster.

    Returns
    -------
    Comparison, SensitivityResult, RobustnessResult, SearchResult or SweepResult
        The result, ready for tables and figures.

    Raises
    ------
    InputError
        Before the first run if an extra is not installed.
    """
    if experiment.kind == "comparison":
        with hold(folder):
            experiment, _ladder = equalise(experiment, folder, run)
            study = Study.plan(experiment, folder)
            run(study)
            results = collect(study, experiment.scenario, experiment.futures)
            comparison = compare_experiment(results, experiment)
        if experiment.spec.equal_cost is not None:
            return comparison
        return replace(comparison, same_money=same_money(results, comparison))
    if experiment.kind == "search":
        require("pymoo", extra="search", what=_("a search"))
        return run_search(experiment, folder, run)
    if experiment.kind == "sensitivity":
        if experiment.spec.surrogate is not None:
            require("sklearn", extra="learning", what=_("a surrogate"))
        return run_sensitivity(experiment, folder, run)
    if experiment.kind == "sweep":
        return run_sweep(experiment, folder, run)
    return run_robustness(experiment, folder, run)
