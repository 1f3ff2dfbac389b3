"""``kolabsim check``: report all problems of scenario and experiment files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kolabsim.cli.program import Language, program
from kolabsim.errors import InputError, Problems
from kolabsim.i18n import N_, _

if TYPE_CHECKING:
    from kolabsim.study.experiment import Experiment


@program.command(help=N_("Check scenario and experiment files; report all problems at once."))
def check(
    files: Annotated[
        list[str],
        typer.Argument(metavar=N_("FILE"), help=N_("Scenarios and experiments to check.")),
    ],
    language: Language = None,
) -> None:
    """Check scenario and experiment files; report all problems at once."""
    problems, summaries = Problems(), []
    for name in files:
        try:
            summaries.append(f"{name}: {describe(name)}")
        except InputError as error:
            for found in error.problems:
                problems.add(found.message, file=found.file, line=found.line, column=found.column)
    for summary in summaries:
        typer.echo(summary)
    problems.raise_if_any()


def describe(name: str) -> str:
    """Describe a scenario or an experiment in one line.

    Raises :class:`~kolabsim.errors.InputError` with all of its problems.
    """
    from kolabsim.scenario.compile import build_rule
    from kolabsim.scenario.files import is_file
    from kolabsim.scenario.scenario import Scenario
    from kolabsim.scenario.source import read_yaml
    from kolabsim.study.experiment import Experiment

    path = Path(name)
    if is_file(path / "experiment.yaml"):
        path = path / "experiment.yaml"
    tree = read_yaml(path, Problems()) if is_file(path) else None
    if tree is not None and tree.get("kind") is not None:
        return describe_experiment(Experiment.load(path))
    scenario = Scenario.load(name if tree is None else path)
    build_rule(scenario)
    text = _("a scenario of {regions} regions, {areas} service areas and {strategies} strategies")
    return text.format(
        regions=len(scenario.regions),
        areas=len(scenario.areas),
        strategies=len(scenario.strategies),
    )


def describe_experiment(experiment: Experiment) -> str:
    """Describe an experiment in one line."""
    words = {"scenario": experiment.scenario.name, "strategies": len(experiment.strategies)}
    if experiment.kind == "comparison":
        text = _("a comparison of {strategies} strategies, {runs} runs each, in {scenario}")
        return text.format(runs=experiment.spec.runs, **words)
    texts = {
        "sensitivity": _("a sensitivity analysis of {factors} factors in {scenario}"),
        "robustness": _("a comparison of {strategies} strategies in many futures of {scenario}"),
        "search": _("a search for packages of {factors} levers in {scenario}"),
        "sweep": _("a sweep over {factors} factors in {scenario}"),
    }
    return texts[experiment.kind].format(factors=len(experiment.factors), **words)
