"""The compiled model against a second, slow transcription of its specification."""

from __future__ import annotations

import numpy as np
import pytest

from kolabsim.model.levers import CONSENTS, FORMS, LEVERS, MECHANISMS, SHARES, SUPPORTERS, TARGETS
from kolabsim.model.measures import CHANNELS, MEASURES
from kolabsim.model.parameters import PARAMETERS
from kolabsim.model.rules import BUILT_IN
from kolabsim.world.scenario import Scenario
from tests.builders import Run, check_structure, make_scenario, measure, region_rows, simulate
from tests.reference import Reference

CLOSE = 1e-9
WORLDS = 40


def random_scenario(seed: int) -> Scenario:
    """A small world in which everything that can be set is set at random."""
    luck = np.random.default_rng(seed)
    number, horizon = int(luck.integers(4, 9)), 14
    rows = region_rows(number, seed=seed)
    codes = [row["code"] for row in rows]
    for row in rows:
        row["stress"] = round(luck.uniform(), 3)
        if seed % 3 == 0:
            row["capacity"] = round(luck.uniform(), 3)
            row["culture_1"] = round(luck.normal(), 3)
            row["interest_water"] = round(luck.uniform(0.1, 2), 3)
    pairs = [
        (codes[i], codes[j], bool(luck.random() < 0.7), round(luck.uniform(0.2, 60), 2))
        for i in range(number)
        for j in range(i)
        if luck.random() < 0.6
    ]
    areas = {
        name: {
            "efficient_scale": float(luck.choice([30_000, 100_000, 400_000])),
            "curvature_below": luck.uniform(0.05, 0.3),
            "curvature_above": luck.uniform(0, 0.1),
            "difficulty": luck.uniform(),
            "spillover": luck.uniform(0, 0.5),
            "haul": luck.uniform(0, 0.3),
            "cost_per_resident": luck.uniform(1, 50),
        }
        for name in ("roads", "water", "finance", "waste", "buses")[: int(luck.integers(1, 6))]
    }
    named = list(areas)
    # Parameters within their ranges, drawn towards a world in which much happens.
    parameters = {}
    for name, entry in PARAMETERS.items():
        if luck.random() < 0.5:
            parameters[name] = luck.uniform(entry.low, entry.high)
    parameters |= {
        "attention_base": luck.uniform(-2, 0),
        "conclude": luck.uniform(0.3, 1),
        "notice": luck.uniform(0.5, 1),
        "first_term": float(luck.choice([0, 0.5, 1.0])),
        "exit_base": luck.uniform(0.05, 1.0),
        "honour_base": luck.uniform(0.0, 2.0),
    }
    members = sorted(luck.permutation(codes)[: min(3, number - 1)].tolist())
    bodies = [
        {
            "area": named[0],
            "members": members,
            "began": -int(luck.integers(0, 20)),
            "form": str(luck.choice(FORMS)),
            "mandated": bool(luck.random() < 0.3),
        }
    ]
    start = int(luck.integers(0, 6))
    mandate = {
        "areas": [named[-1]],
        "groups": [sorted(luck.permutation(codes)[:3].tolist())],
        "from": start,
        "until": start + int(luck.integers(1, 8)),
    }

    def phase(lever: str) -> dict[str, object]:
        first = int(luck.integers(0, 6))
        found: dict[str, object] = {
            "intensity": luck.uniform(0.1, 1.0),
            "from": first,
            "until": first + int(luck.integers(1, 8)),
            "paid_by": str(luck.choice(["members", "centre", "supporter"])),
        }
        if luck.random() < 0.4:
            found["areas"] = [str(luck.choice(named))]
        if lever == "forum":
            found["members"] = luck.choice([0, 1, 2])
            found["members"] = ["all", "tiers", [codes[: number // 2], codes[number // 2 :]]][
                int(found["members"])
            ]
        if lever in SUPPORTERS:
            found["targets"] = str(luck.choice(TARGETS[:-1]))
            if luck.random() < 0.2:
                found["targets"] = codes[:2]
            found["share"] = luck.uniform()
            if luck.random() < 0.4:
                found["budget"] = float(10 ** luck.uniform(2, 5))
        return found

    strategy = {
        "mechanisms": {name: [phase(name)] for name in MECHANISMS if luck.random() < 0.6},
        "support": {name: [phase(name)] for name in SUPPORTERS if luck.random() < 0.7},
        "mandates": [mandate] if luck.random() < 0.6 else [],
    }
    always = str(luck.choice(list(MECHANISMS)))
    changes = [
        {"what": "population", "growth": 0.02, "from": 2, "until": 8},
        {"what": "population", "factor": 0.5, "from": 5, "until": 7, "regions": codes[:2]},
        {"what": "stress", "add": 0.3, "from": 4, "until": 9},
        {"what": "demand", "factor": 1.4, "from": 3, "until": 10, "areas": named[:1]},
        {"what": "demand", "growth": 0.1, "from": 6, "regions": codes[2:]},
    ]
    return make_scenario(
        rows,
        contacts=pairs,
        nearest=2,
        areas=areas,
        horizon=horizon,
        parameters=parameters,
        bodies=bodies if luck.random() < 0.7 else [],
        mechanisms={always: {"intensity": 0.3, "until": 5}},
        changes=[change for change in changes if luck.random() < 0.5],
        strategies={"mixed": strategy},
        shares=str(luck.choice(SHARES)),
        consent=str(luck.choice(CONSENTS)),
        form=str(luck.choice(FORMS)),
        decision=BUILT_IN[seed % len(BUILT_IN)],
        cap=int(luck.choice([3, 4, 16])),
    )


def assert_same(run: Run, reference: Reference, quarter: int) -> None:
    """All that regions, slots, contacts and bodies hold after a quarter."""
    s = run.state
    bodies = {(s.body[b].area, tuple(members)) for b, members in run.bodies().items()}
    assert bodies == {(b.area, tuple(b.members)) for b in set(reference.body.values())}
    for (i, a), body in reference.body.items():
        place = s.slot[i, a].body
        assert s.body[place].began == body.began
        assert FORMS[s.body[place].form] == body.form
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
    close(s.slot["capacity"], reference.k)
    close(list(run.trust().values()), [reference.T[pair] for pair in run.trust()])
    for name, values in (
        ("cost", reference.cost), ("quality", reference.quality), ("due", reference.due),
        ("realised", reference.realised), ("load", reference.load), ("entry", reference.entry),
        ("body_trust", reference.body_trust), ("programme", reference.programme),
        ("startup", reference.startup), ("granted", reference.granted),
        ("cofinanced", reference.cofinanced), ("expected", reference.expected),
        ("government", reference.aid["government"]), ("ngo", reference.aid["ngo"]),
        ("business", reference.aid["business"]), ("community", reference.aid["community"]),
    ):  # fmt: skip
        close([s.slot[i, a][name] for i, a in reference.slots],
              [values[slot] for slot in reference.slots], name)  # fmt: skip
    for i, a in reference.body:
        assert bool(s.slot[i, a].kept) == reference.kept[i, a]
        assert bool(s.slot[i, a].seen) == reference.seen[i, a]
        assert s.slot[i, a].entered == reference.entered[i, a]
    close(s.ledger[0], [reference.paid[lever] for lever in LEVERS])
    assert quarter + 1 == run.quarter


def close(one: object, other: object, what: str = "") -> None:
    np.testing.assert_allclose(
        np.array(one, float), np.array(other, float), rtol=CLOSE, atol=CLOSE, err_msg=what
    )


@pytest.mark.parametrize("seed", range(WORLDS))
def test_every_quarter_of_random_worlds_is_as_the_specification_says(seed: int) -> None:
    scenario = random_scenario(seed)
    run = Run(scenario, "mixed", seed=seed, run=3)
    reference = Reference(run)
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
    assert set(MEASURES) - set(expected) == set(CHANNELS) - {"programme"}


def test_random_worlds_are_busy() -> None:
    """What the comparison above is worth: everything that can happen does."""
    agreed = ended = short = refused = merged = 0
    for seed in range(WORLDS):
        scenario = random_scenario(seed)
        block = simulate(scenario, "mixed", seed=seed, runs=[3])
        agreed += measure(block, "agreements").sum()
        refused += measure(block, "refused").sum()
        ended += measure(block, "ended").sum()
        short += np.nan_to_num(measure(block, "shortfall")).sum()
        merged += measure(block, "largest_body").max() > 3
    assert agreed > 50
    assert refused > 10
    assert ended > 30
    assert short > 10
    assert merged > 5
