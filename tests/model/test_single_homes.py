"""Numbers stand in parameters.py, equations in laws.py, and each declaration is complete."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import kolabsim.model
from kolabsim.model.declare import ACTING, load_built_in
from kolabsim.model.levers import LEVERS, STEPS, TERMS
from kolabsim.model.measures import MEASURES
from kolabsim.model.parameters import GROUPS, PARAMETERS

FOLDER = Path(kolabsim.model.__file__).parent
HOMES = ("parameters.py", "laws.py")
MATHEMATICS = (0.0, 0.5, 1.0, 2.0)
"""Constants that are no numbers of the model."""
DECLARED = ("Parameter", "number", "share", "rate", "Area")
"""Calls that declare a number, with its unit, its range and its source."""
STAGES = ("agreements.py", "bodies.py", "initialisation.py", "interventions.py", "stages.py")


def hidden_numbers(source: str) -> Iterator[str]:
    tree = ast.parse(source)
    declared = {
        id(part)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in DECLARED
        for part in ast.walk(call)
    }
    for part in ast.walk(tree):
        is_number = isinstance(part, ast.Constant) and isinstance(part.value, float)
        if is_number and part.value not in MATHEMATICS and id(part) not in declared:
            yield f"line {part.lineno}: {part.value}"


def hidden_equations(source: str) -> Iterator[str]:
    """Where a parameter is calculated with: laws do that."""
    for part in ast.walk(ast.parse(source)):
        if isinstance(part, ast.BinOp):
            for side in (part.left, part.right):
                of = getattr(getattr(side, "value", None), "id", "")
                if isinstance(side, ast.Attribute) and of == "p" and side.attr != "first_term":
                    yield f"line {part.lineno}: p.{side.attr}"


# declare.py tries rules on examples, whose numbers nobody simulates.
@pytest.mark.parametrize(
    "name", sorted({path.name for path in FOLDER.glob("*.py")} - {*HOMES, "declare.py"})
)
def test_numbers_stand_with_the_parameters(name):
    assert not list(hidden_numbers((FOLDER / name).read_text()))


@pytest.mark.parametrize("name", STAGES)
def test_equations_stand_with_the_laws(name):
    assert not list(hidden_equations((FOLDER / name).read_text()))


def test_what_is_hidden_is_found():
    assert list(hidden_numbers("x = 0.3 * y")) == ["line 1: 0.3"]
    assert not list(hidden_numbers("x = share(0.3)"))
    assert list(hidden_equations("x = y * p.notice")) == ["line 1: p.notice"]


def test_declarations_are_complete():
    load_built_in()
    assert all(entry.source and entry.meaning for entry in PARAMETERS.values())
    assert {entry.group for entry in PARAMETERS.values()} <= set(GROUPS)
    steps = [list(STEPS).index(lever.step) for lever in LEVERS.values()]
    assert steps == sorted(steps)
    assert set(ACTING) >= set(LEVERS)
    assert {term for one in ACTING.values() for term in one.effects} <= set(TERMS)
    orders = [measure.order for measure in MEASURES.values() if measure.shown]
    assert len(orders) == len(set(orders))
