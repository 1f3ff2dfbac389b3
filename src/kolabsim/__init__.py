"""Agent-based simulation of regional governments that share services, and how to help them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from kolabsim.garbage import uncollected

__version__ = "0.2.0"

if TYPE_CHECKING:
    from kolabsim import figures
    from kolabsim.analysis.comparison import Comparison, compare
    from kolabsim.analysis.counterfactual import counterfactuals
    from kolabsim.analysis.group import GroupOutlook, group_outlook
    from kolabsim.analysis.play import Game, Option, Question, play
    from kolabsim.analysis.run import run_experiment
    from kolabsim.analysis.sweep import sweep
    from kolabsim.engine.mesa_model import CollaborationModel, RegionalGovernment, Supporter
    from kolabsim.errors import InputError, KolabsimError, StorageError
    from kolabsim.model.declare import decision_rule, measure, mechanism, target_rule
    from kolabsim.model.parameters import Parameter
    from kolabsim.scenario import importer as regions
    from kolabsim.scenario.scenario import Scenario
    from kolabsim.study.api import as_function, simulate
    from kolabsim.study.collect import Results
    from kolabsim.study.experiment import Experiment
    from kolabsim.study.replay import Replay, replay
    from kolabsim.study.scaffold import new_study

_HOMES = {
    "CollaborationModel": "engine.mesa_model",
    "Comparison": "analysis.comparison",
    "Experiment": "study.experiment",
    "Game": "analysis.play",
    "GroupOutlook": "analysis.group",
    "InputError": "errors",
    "KolabsimError": "errors",
    "Option": "analysis.play",
    "Parameter": "model.parameters",
    "Question": "analysis.play",
    "RegionalGovernment": "engine.mesa_model",
    "Replay": "study.replay",
    "Results": "study.collect",
    "Scenario": "scenario.scenario",
    "StorageError": "errors",
    "Supporter": "engine.mesa_model",
    "as_function": "study.api",
    "compare": "analysis.comparison",
    "counterfactuals": "analysis.counterfactual",
    "decision_rule": "model.declare",
    "group_outlook": "analysis.group",
    "measure": "model.declare",
    "mechanism": "model.declare",
    "new_study": "study.scaffold",
    "play": "analysis.play",
    "replay": "study.replay",
    "run_experiment": "analysis.run",
    "simulate": "study.api",
    "sweep": "analysis.sweep",
    "target_rule": "model.declare",
}

_MODULES = {"figures": "figures", "regions": "scenario.importer"}

__all__ = [
    "CollaborationModel",
    "Comparison",
    "Experiment",
    "Game",
    "GroupOutlook",
    "InputError",
    "KolabsimError",
    "Option",
    "Parameter",
    "Question",
    "RegionalGovernment",
    "Replay",
    "Results",
    "Scenario",
    "StorageError",
    "Supporter",
    "as_function",
    "compare",
    "counterfactuals",
    "decision_rule",
    "figures",
    "group_outlook",
    "load",
    "measure",
    "mechanism",
    "new_study",
    "play",
    "regions",
    "replay",
    "run_experiment",
    "simulate",
    "sweep",
    "target_rule",
]


def load(source: str) -> Scenario:
    """The scenario of this name among those that ship with kolabsim, or in this file.

    Raises :class:`~kolabsim.errors.InputError` with all problems of all files at once.
    """
    from kolabsim.scenario.scenario import Scenario

    return Scenario.load(source)


def __getattr__(name: str) -> object:
    """Import the public names when they are first used: ``import kolabsim`` stays light."""
    if name in _MODULES:
        return import_module(f"kolabsim.{_MODULES[name]}")
    if name not in _HOMES:
        text = f"module 'kolabsim' has no attribute {name!r}"
        raise AttributeError(text)
    with uncollected():
        return getattr(import_module(f"kolabsim.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
