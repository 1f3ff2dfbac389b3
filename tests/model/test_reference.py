"""The compiled model against a second, slow transcription of its specification."""

from __future__ import annotations

import numpy as np
import pytest

from kolabsim.model.levers import FORMS, LEVERS, MANDATE
from kolabsim.model.measures import MEASURES
from kolabsim.model.state import CULTURE, DIMENSIONS, PAID
from tests.builders import Run, check_structure, measure, random_scenario, simulate
from tests.reference import Reference

CLOSE = 1e-9
WORLDS = 40


def assert_same(run: Run, reference: Reference, quarter: int) -> None:
    """All that regions, slots, contacts and bodies hold after a quarter."""
    s = run.state
    bodies = {(s.body[b].area, tuple(members)) for b, members in run.bodies().items()}
    assert bodies == {(b.area, tuple(b.members)) for b in set(reference.body.values())}
    for (i, a), body in reference.body.items():
        place = s.slot[i, a].body
        assert s.body[place].began == body.began
        assert FORMS[s.body[place].form] == body.form
        assert s.body[place].provider == (-1 if body.provider is None else body.provider)
    talks = {
        (i, a): (int(s.contact[s.slot[i, a].contact].target), int(s.slot[i, a].opened))
        for i, a in reference.slots
        if s.slot[i, a].contact >= 0
    }
    assert talks == reference.talks
    close(s.region["population"], reference.N)
    close(s.region["stress"], reference.f)
    close(s.region["commitment"], reference.m)
    close(s.region["reputation"], reference.r)
    close(s.region["aspiration"], reference.u)
    close(s.region["success"], reference.success)
    close(s.slot["practice"], reference.y)
    close(list(run.trust().values()), [reference.T[pair] for pair in run.trust()])
    for name, values in (
        ("cost", reference.cost), ("quality", reference.quality), ("due", reference.due),
        ("realised", reference.realised), ("load", reference.load), ("entry", reference.entry),
        ("body_trust", reference.body_trust), ("programme", reference.programme),
        ("startup", reference.startup), ("granted", reference.granted),
        ("cofinanced", reference.cofinanced), ("expected", reference.expected),
        *reference.channels.items(),
        ("government", reference.aid["government"]), ("ngo", reference.aid["ngo"]),
        ("business", reference.aid["business"]), ("community", reference.aid["community"]),
    ):  # fmt: skip
        close([s.slot[i, a][name] for i, a in reference.slots],
              [values[slot] for slot in reference.slots], name)  # fmt: skip
    for i, a in reference.body:
        assert bool(s.slot[i, a].kept) == reference.kept[i, a]
        assert bool(s.slot[i, a].seen) == reference.seen[i, a]
        assert s.slot[i, a].entered == reference.entered[i, a]
    close(s.ledger[PAID, : len(LEVERS)], [reference.paid[lever] for lever in LEVERS])
    close(s.ledger[PAID, MANDATE], sum(reference.mandates_cost.values()))
    assert quarter + 1 == run.quarter


def assert_same_start(run: Run, reference: Reference) -> None:
    """What regions are."""
    s = run.state
    for name, values in (
        ("stress_start", reference.stress_start), ("goodwill", reference.g),
        ("autonomy", reference.v),
    ):  # fmt: skip
        close(s.region[name], values, name)
    for name, values in (
        ("interest", reference.w), ("capacity", reference.k), ("practice", reference.y),
    ):  # fmt: skip
        close(s.slot[name], values, name)
    close(list(run.trust().values()), [reference.T[pair] for pair in run.trust()])
    first = s.sums[: s.slot.size : s.slot.shape[1]]
    close(s.region["aspiration"], reference.u)
    close(first[:, CULTURE : CULTURE + DIMENSIONS], reference.x)


def close(one: object, other: object, what: str = "") -> None:
    np.testing.assert_allclose(
        np.array(one, float), np.array(other, float), rtol=CLOSE, atol=CLOSE, err_msg=what
    )


@pytest.mark.parametrize(
    "seed",
    [*range(20), *(pytest.param(k, marks=pytest.mark.long) for k in range(20, WORLDS))],
)
def test_every_quarter_of_random_worlds_is_as_the_specification_says(seed: int) -> None:
    scenario = random_scenario(seed)
    run = Run(scenario, "mixed", seed=seed, run=3)
    reference = Reference(run)
    assert_same_start(run, reference)
    history = simulate(scenario, "mixed", seed=seed, runs=[3])
    for quarter in range(scenario.horizon):
        run.advance()
        reference.advance_quarter(quarter)
        check_structure(run)
        assert_same(run, reference, quarter)
        expected = reference.measures(quarter)
        # Money is a difference of large sums: close, then, in parts of what is spent on services.
        scale = sum(reference.money(*slot) for slot in reference.slots) / 4
        spent = max(expected["programme_cost"], CLOSE)
        scales = {"currency": scale, "1": scale / spent}
        for name, value in expected.items():
            seen = measure(history, name)[0, quarter]
            assert seen == pytest.approx(
                value, rel=CLOSE, abs=CLOSE * scales.get(MEASURES[name].unit, 1.0), nan_ok=True
            ), name
    assert set(MEASURES) == set(expected)


def test_random_worlds_are_busy() -> None:
    """What the comparison above is worth: everything that can happen does."""
    agreed = ended = short = refused = merged = stars = 0
    for seed in range(WORLDS):
        scenario = random_scenario(seed)
        block = simulate(scenario, "mixed", seed=seed, runs=[3])
        agreed += measure(block, "agreements").sum()
        refused += measure(block, "refused").sum()
        ended += measure(block, "ended").sum()
        short += np.nan_to_num(measure(block, "shortfall")).sum()
        merged += measure(block, "largest_body").max() > 3
        stars += (np.nan_to_num(measure(block, "contracts")) % 1 > 0).any()
    assert agreed > 50
    assert refused > 10
    assert ended > 30
    assert short > 10
    assert merged > 5
    assert stars > 10  # beside other forms
