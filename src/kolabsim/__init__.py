"""Agent-based simulation of regional governments that share services, and how to help them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from kolabsim.analysis.compare import Comparison, compare
    from kolabsim.engine.mesa_model import CollaborationModel, RegionalGovernment, Supporter
    from kolabsim.errors import InputError, KolabsimError, StorageError
    from kolabsim.model.extension import decision_rule, measure, mechanism, target_rule
    from kolabsim.model.parameters import Parameter
    from kolabsim.show import figures
    from kolabsim.study.experiment import Experiment
    from kolabsim.study.results import Results
    from kolabsim.study.runner import as_function, simulate
    from kolabsim.world.scenario import Scenario

_HOMES = {
    "CollaborationModel": "engine.mesa_model",
    "Comparison": "analysis.compare",
    "Experiment": "study.experiment",
    "InputError": "errors",
    "KolabsimError": "errors",
    "Parameter": "model.parameters",
    "RegionalGovernment": "engine.mesa_model",
    "Results": "study.results",
    "Scenario": "world.scenario",
    "StorageError": "errors",
    "Supporter": "engine.mesa_model",
    "as_function": "study.runner",
    "compare": "analysis.compare",
    "decision_rule": "model.extension",
    "measure": "model.extension",
    "mechanism": "model.extension",
    "simulate": "study.runner",
    "target_rule": "model.extension",
}

__all__ = [
    "CollaborationModel",
    "Comparison",
    "Experiment",
    "InputError",
    "KolabsimError",
    "Parameter",
    "RegionalGovernment",
    "Results",
    "Scenario",
    "StorageError",
    "Supporter",
    "as_function",
    "compare",
    "decision_rule",
    "figures",
    "load",
    "measure",
    "mechanism",
    "simulate",
    "target_rule",
]


def load(source: str) -> Scenario:
    """The scenario of this name among those that ship with kolabsim, or in this file.

    Raises :class:`~kolabsim.errors.InputError` with all problems of all files at once.
    """
    from kolabsim.world.scenario import Scenario

    return Scenario.load(source)


def __getattr__(name: str) -> object:
    """Import the public names when they are first used: ``import kolabsim`` stays light."""
    if name == "figures":
        return import_module("kolabsim.show.figures")
    if name not in _HOMES:
        text = f"module 'kolabsim' has no attribute {name!r}"
        raise AttributeError(text)
    return getattr(import_module(f"kolabsim.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
