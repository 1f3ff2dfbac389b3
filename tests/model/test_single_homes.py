"""Numbers stand in parameters.py, equations in laws.py, and each declaration is complete."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import kolabsim.model
from kolabsim.model.declare import ACTING, load_built_in
from kolabsim.model.levers import LEVERS, STEPS, TERMS
from kolabsim.model.measures import MEASURES
from kolabsim.model.parameters import GROUPS, PARAMETERS

FOLDER = Path(kolabsim.model.__file__).parent
HOME = "parameters.py"
MATHEMATICS = (0.0, 0.5, 1.0, 2.0)
"""Constants that are no numbers of the model."""
DEFINITIONS = {
    "laws.py": {
        50.0: "largest exponent",
        6.0: "scale at which unit cost was measured, a sixth",
        5.0: "the same, less 1",
        1e-300: "guard of a divisor",
        1e-9: "guard of a divisor",
        0.01: "guard of a weight",
        0.75: "consent of three quarters",
    },
    "rng.py": {
        3.0: "Marsaglia and Tsang's d",
        9.0: "Marsaglia and Tsang's c",
        6.0: "third term of the exponential",
        24.0: "its fourth term",
        1.000001: "margin for rounding",
    },
}
"""Numbers that define a law or a method, and that nobody could vary."""
DECLARED = ("Parameter", "number", "share", "rate", "strength", "Area", "Curve")
"""Calls that declare a number with its unit, range and source, or where a law is looked at."""
STAGES = ("agreements.py", "bodies.py", "initialisation.py", "interventions.py", "stages.py")


def hidden_numbers(source: str, defined: Iterable[float] = ()) -> Iterator[str]:
    tree = ast.parse(source)
    declared = {
        id(part)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in DECLARED
        for part in ast.walk(call)
    }
    for part in ast.walk(tree):
        is_number = isinstance(part, ast.Constant) and isinstance(part.value, float)
        known = is_number and (part.value in MATHEMATICS or part.value in defined)
        if is_number and not known and id(part) not in declared:
            yield f"line {part.lineno}: {part.value}"


def hidden_equations(source: str) -> Iterator[str]:
    """Where a parameter is calculated with: laws do that."""
    for part in ast.walk(ast.parse(source)):
        if isinstance(part, ast.BinOp):
            for side in (part.left, part.right):
                of = getattr(getattr(side, "value", None), "id", "")
                if isinstance(side, ast.Attribute) and of == "p":
                    yield f"line {part.lineno}: p.{side.attr}"


# declare.py tries rules on examples, whose numbers nobody simulates.
@pytest.mark.parametrize(
    "name", sorted({path.name for path in FOLDER.glob("*.py")} - {HOME, "declare.py"})
)
def test_numbers_stand_with_the_parameters(name):
    defined = DEFINITIONS.get(name, {})
    hidden = list(hidden_numbers((FOLDER / name).read_text(), defined))
    assert not hidden
    for value in defined:  # none is listed in vain
        assert list(hidden_numbers((FOLDER / name).read_text(), [*({*defined} - {value})]))


@pytest.mark.parametrize("name", STAGES)
def test_equations_stand_with_the_laws(name):
    assert not list(hidden_equations((FOLDER / name).read_text()))


def test_what_is_hidden_is_found():
    assert list(hidden_numbers("x = 0.3 * y")) == ["line 1: 0.3"]
    assert not list(hidden_numbers("x = share(0.3)"))
    assert list(hidden_equations("x = y * p.notice")) == ["line 1: p.notice"]


def test_ranges_lie_within_what_the_model_accepts():
    assert len(PARAMETERS) <= 50
    for name, entry in PARAMETERS.items():
        assert entry.least <= entry.low < entry.high <= entry.most, name
        assert entry.low <= entry.default <= entry.high, name
        assert entry.symbol, name
    symbols = [entry.symbol for entry in PARAMETERS.values()]
    assert len(symbols) == len(set(symbols))


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


def test_meanings_of_parameters_are_titles_for_readers():
    for name, parameter in PARAMETERS.items():
        assert not {*"[]`"} & {*parameter.meaning}, f"{name}: shown as a title of figures and pages"
