"""``kolabsim check``: report all problems of scenario and experiment files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from kolabsim.cli.program import ALLOW, LANGUAGE, program
from kolabsim.cli.terminal import guarded, warn
from kolabsim.errors import InputError, Problems
from kolabsim.i18n import N_, _

if TYPE_CHECKING:
    from kolabsim.scenario.notices import Notice
    from kolabsim.study.experiment import Experiment


@program.command(help=N_("Check scenario and experiment files; report all problems at once."))
def check(
    files: list[str] = typer.Argument(
        metavar=N_("FILE"), help=N_("Scenarios and experiments to check.")
    ),
    allow_extensions: bool = ALLOW,
    language: str | None = LANGUAGE,
) -> None:
    problems, summaries, notices = Problems(), [], dict[str, str]()
    for name in files:
        try:
            with guarded(allow_extensions or not Path(name).is_dir()):
                summary, found = describe(name)
            summaries.append(f"{name}: {summary}")
            for notice in found:
                notices.setdefault(str(notice), "" if notice.place.file else f"{name}: ")
        except InputError as error:
            problems.found |= dict.fromkeys(error.problems)
    for summary in summaries:
        typer.echo(summary)
    for text, name in notices.items():
        warn(f"{name}{text}")
    problems.raise_if_any()


def describe(name: str) -> tuple[str, list[Notice]]:
    """Describe a scenario or an experiment in one line, and return the notices on it.

    Raises :class:`~kolabsim.errors.InputError` with all of its problems.
    """
    from kolabsim.scenario.compile import build_rule
    from kolabsim.scenario.files import is_file
    from kolabsim.scenario.notices import find_notices
    from kolabsim.scenario.scenario import Scenario
    from kolabsim.scenario.source import read_yaml
    from kolabsim.study.experiment import Experiment

    path = Path(name)
    if is_file(path / "experiment.yaml"):
        path = path / "experiment.yaml"
    tree = read_yaml(path, Problems()) if is_file(path) else None
    # Only experiments have these keys; one that lacks its kind is still meant as one.
    if tree is not None and (tree.get("kind") or tree.get("scenario")):
        experiment = Experiment.load(path)
        return describe_experiment(experiment), experiment.notices
    scenario = Scenario.load(name if tree is None else path)
    build_rule(scenario)
    text = _("a scenario of {regions} regions, {areas} service areas and {strategies} strategies")
    sizes = {name: len(getattr(scenario, name)) for name in ("regions", "areas", "strategies")}
    return text.format(**sizes), find_notices(scenario)


def describe_experiment(experiment: Experiment) -> str:
    """Describe an experiment in one line."""
    texts = {
        "comparison": _("a comparison of {strategies} strategies, {runs} runs each, in {scenario}"),
        "ensemble": _(
            "a comparison of {strategies} strategies in {futures} futures, {runs} runs each, in "
            "{scenario}"
        ),
        "sensitivity": _("a sensitivity analysis of {factors} factors in {scenario}"),
        "robustness": _("a comparison of {strategies} strategies in many futures of {scenario}"),
        "search": _("a search for packages of {factors} levers in {scenario}"),
        "sweep": _("a sweep over {factors} factors in {scenario}"),
    }
    futures = len(experiment.futures) if experiment.kind == "comparison" else 1
    return texts["ensemble" if futures > 1 else experiment.kind].format(
        futures=futures,
        scenario=experiment.scenario.name,
        strategies=len(experiment.strategies),
        factors=len(experiment.factors),
        runs=experiment.spec.runs,
    )
