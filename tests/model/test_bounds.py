"""At no corner of what may be set does anything leave its range, or become infinite or NaN."""

from __future__ import annotations

import math
import operator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kolabsim.model.areas import AREA_ATTRIBUTES
from kolabsim.model.decision_rules import BUILT_IN
from kolabsim.model.declare import RULES
from kolabsim.model.levers import (
    CONSENTS,
    FORM_SETTINGS,
    FORMS,
    LEVERS,
    MECHANISMS,
    PAYERS,
    SHARES,
    SUPPORTERS,
    TARGETS,
    TRUSTS,
    UNIT_COSTS,
)
from kolabsim.model.measures import MEASURES, REGION_MEASURES
from kolabsim.model.parameters import PARAMETERS, Parameter
from kolabsim.model.state import AREA, BODY, CONTACT, MOMENT, REGION, SLOT
from tests.builders import Run, check_structure, make_scenario, region_rows, simulate

HORIZON = 10
UNDEFINED_AT_TIMES = {
    "decision_time", "trust", "trust_in_bodies", "shortfall", "exit_rate", "membership_age",
    "body_age", "body_size", "transitivity", "saving_per_cost", "matter_time", "contracts",
    "listed_bodies_kept",
}  # fmt: skip
"""Measures of what need not be there: an agreement, a contact, a body, a triple, a cost."""
SHARES_OF_SOMETHING = {
    "cooperation", "shortfall", "worse_off", "density", "transitivity", "isolates",
    "quality", "trust", "trust_in_bodies", "commitment", "quality_gini", "worst_tenth",
    "degree_gini", "contracts", "listed_bodies_kept",
}  # fmt: skip


END = {name: operator.attrgetter(name) for name in ("default", "low", "high", "least")} | {
    "most": lambda entry: entry.most if math.isfinite(entry.most) else 30 * max(entry.high, 1.0)
}
"""The ends of a range; what has no upper bound goes far beyond where sensitivity analyses go."""
BUSY = {"attention_base": 5, "decision_speed": 20, "notice": 1}
"""Without these, little would happen in most worlds."""


def corners(entry: Parameter) -> st.SearchStrategy[float]:
    return st.sampled_from([end(entry) for end in END.values()])


def listed_body(draw: st.DrawFn, codes: list[str]) -> dict[str, object]:
    """A body of all forms and ages, which a contract's provider leads."""
    body = {"area": "roads", "members": codes[:2], "form": draw(st.sampled_from(FORMS))}
    body["began"] = draw(st.sampled_from([0, -1000]))
    return body | ({"provider": codes[1]} if body["form"] == "contract" else {})


@st.composite
def worlds(draw: st.DrawFn) -> dict[str, object]:
    """What makes a scenario of few regions of extreme sizes, with all the rest at some corner."""
    number = draw(st.integers(1, 6))
    rows = region_rows(
        number, seed=draw(st.integers(0, 3)), apart_km=draw(st.sampled_from([0, 90]))
    )
    sizes = st.sampled_from([1, 1000, 30_000, 10_000_000, 1_000_000_000])
    for row in rows:
        row["population"] = draw(sizes)
    if draw(st.booleans()):  # all alike, and in one place
        rows = [rows[0] | {"code": row["code"]} for row in rows]
    if draw(st.booleans()):
        for row in rows:
            row |= {
                "capacity": draw(st.sampled_from([0, 1])),
                "culture_1": draw(st.sampled_from([0, 1, -50])),
            }
            row |= {
                name: draw(st.sampled_from([0, 1])) for name in ("stress", "goodwill", "autonomy")
            }
    codes = [row["code"] for row in rows]
    pairs = [(a, b, True, draw(st.sampled_from([0.1, 500]))) for a in codes for b in codes if a < b]
    areas = {
        name: {key: draw(corners(entry)) for key, entry in AREA_ATTRIBUTES.items()}
        for name in ("roads", "water")[: draw(st.integers(1, 2))]
    }
    phase = st.fixed_dictionaries(
        {"intensity": st.sampled_from([0, 1]), "paid_by": st.sampled_from(PAYERS)},
        optional={"from": st.integers(0, 3), "until": st.integers(4, HORIZON)},
    )
    targeted = st.fixed_dictionaries(
        {"targets": st.sampled_from(TARGETS[:-1]), "share": st.sampled_from([0, 0.3, 1])},
        optional={"budget": st.sampled_from([0, 1, 1e4])},
    )
    strategy = {
        "mechanisms": {name: draw(phase) for name in draw(st.sets(st.sampled_from([*MECHANISMS])))},
        "support": {
            name: draw(phase) | draw(targeted)
            for name in draw(st.sets(st.sampled_from([*SUPPORTERS])))
        },
    }
    if number > 1 and draw(st.booleans()):
        strategy["mandates"] = [{"groups": [codes[:2]], "from": 1, "until": 5}]
    changes = [
        {"what": "population", "factor": draw(st.sampled_from([1e-3, 100])), "from": 3, "until": 6},
        {"what": "stress", "add": draw(st.sampled_from([-1, 1])), "from": 4},
        {"what": "demand", "factor": draw(st.sampled_from([1e-2, 100])), "from": 5},
        {"what": "population", "growth": draw(st.sampled_from([-0.99, 1.0]))},
        {"what": "trust", "factor": draw(st.sampled_from([1e-9, 1])), "from": 2},
        {"what": "election", "reset": draw(st.sampled_from([0, 1])), "every": 2},
    ]
    chosen = draw(st.sets(st.sampled_from([*PARAMETERS]), max_size=len(PARAMETERS)))
    parameters = {name: draw(corners(PARAMETERS[name])) for name in sorted(chosen)}
    if draw(st.booleans()):
        parameters |= BUSY
    if draw(st.booleans()):
        end = END[draw(st.sampled_from(sorted(END)))]
        parameters = {name: end(entry) for name, entry in PARAMETERS.items()} | parameters
    decision = draw(st.sampled_from(BUILT_IN))
    parameters |= {
        f"{decision}.{name}": draw(corners(entry))
        for name, entry in RULES[decision].parameters.items()
    }
    return dict(
        regions=rows,
        contacts=pairs if draw(st.booleans()) else [],
        nearest=draw(st.integers(0, 3)),
        areas=areas,
        horizon=HORIZON,
        parameters=parameters,
        changes=[change for change in changes if draw(st.booleans())],
        strategies={"corner": strategy},
        bodies=[listed_body(draw, codes)] if number > 1 and draw(st.booleans()) else [],
        shares=draw(st.sampled_from(SHARES)),
        consent=draw(st.sampled_from(CONSENTS)),
        form=draw(st.sampled_from(FORM_SETTINGS)),
        decision=decision,
        cap=draw(st.sampled_from([2, 3, 16])),
        unit_cost=draw(st.sampled_from(UNIT_COSTS)),
        trust=draw(st.sampled_from(TRUSTS)),
    )


def check_columns(run: Run) -> None:
    """Every column of the state is a number, and within the range that it declares."""
    s = run.state
    tables = (
        (s.region, REGION), (s.slot, SLOT), (s.contact, CONTACT), (s.area, AREA),
        (s.body[s.body["members"] > 0], BODY), (s.moment, MOMENT),
    )  # fmt: skip
    undefined = {"transitivity"}  # kept for the measure of this name
    for records, columns in tables:
        for name, column in columns.items():
            values = np.asarray(records[name], float)
            if name not in undefined:
                assert np.isfinite(values).all(), name
            if column.unit == "0..1":
                known = values[np.isfinite(values)]
                none = known == -1 if "-1 if none" in column.meaning else False
                inside = (known >= -1e-12) & (known <= 1 + 1e-12)
                assert (inside | none).all(), (name, known)
            elif column.unit == "0 or 1":
                assert np.isin(values, (0, 1)).all(), name
            elif column.unit in ("> 0", "persons > 0"):
                assert (values > 0).all(), name
            elif column.kind is np.int64 and name not in ("began", "entered"):
                assert (values >= -1).all(), name
    assert np.isfinite(s.sums).all()
    assert np.isfinite(s.ledger).all()


@settings(max_examples=50, deadline=None)
@given(worlds(), st.integers(0, 2**32))
def test_everything_stays_in_its_range(world: dict[str, object], seed: int) -> None:
    scenario = make_scenario(**world)
    run = Run(scenario, "corner", seed=seed)
    check_columns(run)
    for _quarter in range(HORIZON):
        run.advance()
        check_columns(run)
        check_structure(run)
    block = simulate(scenario, "corner", seed=seed, runs=2)
    for k, (name, entry) in enumerate(MEASURES.items()):
        values = block.history[:, :, k]
        assert not np.isinf(values).any(), name
        assert name in UNDEFINED_AT_TIMES or not np.isnan(values).any(), name
        known = values[np.isfinite(values)]
        if name in SHARES_OF_SOMETHING or entry.unit == "0..1":
            low = -1.0 if name == "quality_change" else 0.0
            assert ((known >= low - 1e-12) & (known <= 1 + 1e-12)).all(), (name, known)
        if entry.unit in ("quarters", "years", "bodies", "regions", "agreements", "negotiations"):
            assert (known >= 0).all() or name in ("membership_age", "body_age"), name
    assert np.isfinite(block.figures).all()
    at = list(REGION_MEASURES).index("cooperation")
    assert ((block.figures[..., at] >= 0) & (block.figures[..., at] <= 1 + 1e-12)).all()


def test_a_world_of_one_region_has_no_measures_of_partners() -> None:
    block = simulate(make_scenario(1), "full_package", runs=3)
    values = {name: block.history[:, :, k] for k, name in enumerate(MEASURES)}
    assert np.isnan(values["trust"]).all()
    assert (values["isolates"] == 1).all()
    assert (values["cooperation"] == 0).all()
    assert (values["efficiency"] == 0).all()
    assert np.isfinite(values["net_efficiency"]).all()


def test_the_longest_run_with_the_most_growth_stays_finite() -> None:
    for growth in (-0.99, 1.0):
        scenario = make_scenario(
            4, horizon=60, changes=[{"what": "population", "growth": growth, "until": 24}]
        )
        block = simulate(scenario, "full_package", runs=2)
        defined = [k for k, name in enumerate(MEASURES) if name not in UNDEFINED_AT_TIMES]
        assert np.isfinite(block.history[:, :, defined]).all()


@pytest.mark.parametrize("end", ["default", "low", "high", "least", "most"])
@pytest.mark.parametrize("busy", [False, True])
def test_all_parameters_at_one_end_and_all_levers_full(end: str, busy: bool) -> None:
    parameters = {name: END[end](entry) for name, entry in PARAMETERS.items()}
    if busy:
        parameters |= BUSY
    full = {name: {"intensity": 1} for name in LEVERS}
    full["forum"]["members"] = "all"
    scenario = make_scenario(
        6,
        horizon=20,
        parameters=parameters,
        bodies=[{"area": "roads", "members": ["R000", "R001", "R003"], "began": -4}],
        mechanisms={name: full[name] for name in MECHANISMS},
        support={name: full[name] for name in SUPPORTERS},
    )
    for seed in range(5):
        run = Run(scenario, seed=seed)
        for _quarter in range(scenario.horizon):
            run.advance("communicate")
            check_columns(run)
            run.advance()
            check_columns(run)


@pytest.mark.long
def test_a_hundred_thousand_regions_of_any_size_stay_in_their_ranges() -> None:
    """From a hamlet to a thousand million people, side by side: memory grows by the region."""
    number = 100_000
    made_up = {"number": number, "median_population": 30_000, "spread": 2.0, "tiers": 50}
    scenario = make_scenario(
        4, horizon=3, strategies={"all": {"mechanisms": {"forum": 1, "team": 1}}}
    ).with_({"regions": {"synthetic": made_up}, "parameters.attention_base": 0})
    assert len(scenario.regions) == number
    run = Run(scenario, "all")
    for _quarter in range(scenario.horizon):
        run.advance()
    check_columns(run)
    check_structure(run)
    assert len(run.bodies()) > 100
    block = simulate(scenario, "all")
    defined = [k for k, name in enumerate(MEASURES) if name not in UNDEFINED_AT_TIMES]
    assert np.isfinite(block.history[:, :, defined]).all()
    assert np.isfinite(block.figures).all()
