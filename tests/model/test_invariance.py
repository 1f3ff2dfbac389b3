"""What must change nothing, to the last bit, and what must change something."""

from __future__ import annotations

import numpy as np
import pytest

from kolabsim.engine.ensemble import Block, build_task, new_state, run_block, run_blocks
from kolabsim.model.levers import FORM_SETTINGS
from kolabsim.model.measures import MEASURES, REGION_MEASURES
from kolabsim.model.parameters import PARAMETERS
from kolabsim.scenario.scenario import Scenario
from tests.builders import Run, make_scenario, measure, random_scenario, region_rows, simulate

WORLDS = range(4)
BUSY = {"attention_base": -1, "decision_speed": 1.5, "notice": 0.8}
MONEY = [k for k, entry in enumerate(MEASURES.values()) if entry.unit == "currency"]


def assert_same(one: Block, other: Block) -> None:
    np.testing.assert_array_equal(one.history, other.history)
    np.testing.assert_array_equal(one.figures, other.figures)


def differ(one: Block, other: Block) -> bool:
    return not np.array_equal(one.history, other.history, equal_nan=True)


def full_strategy(**more: object) -> dict[str, object]:
    """All levers at half intensity."""
    names = ("forum", "planning", "team", "information", "monitoring")
    return {
        "mechanisms": dict.fromkeys(names, 0.5),
        "support": dict.fromkeys(("government", "ngo", "business", "community"), 0.5),
    } | more


# Order --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", WORLDS)
def test_the_order_of_rows_changes_nothing(seed: int) -> None:
    luck = np.random.default_rng(seed)
    rows = region_rows(9, seed=seed)
    codes = [row["code"] for row in rows]
    pairs = [(a, b, luck.random() < 0.5) for a in codes for b in codes if a < b]
    pairs = [pair for pair in pairs if luck.random() < 0.4]

    def blocks(rows, pairs) -> Block:
        scenario = make_scenario(
            rows, contacts=pairs, nearest=3, parameters=BUSY, strategies={"full": full_strategy()}
        )
        return simulate(scenario, "full", runs=4)

    start = blocks(rows, pairs)
    assert measure(start, "agreements").sum() > 0
    for _try in range(3):
        mixed = [rows[i] for i in luck.permutation(len(rows))]
        turned = [pairs[i] for i in luck.permutation(len(pairs))]
        turned = [(b, a, land) if luck.random() < 0.5 else (a, b, land) for a, b, land in turned]
        assert_same(blocks(mixed, turned), start)


# Runs, blocks, threads ----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", WORLDS)
def test_how_runs_are_grouped_changes_nothing(seed: int) -> None:
    scenario = random_scenario(seed)
    whole = simulate(scenario, "mixed", runs=range(12))
    for group in ([5], [11, 3, 7], range(4, 9)):
        part = simulate(scenario, "mixed", runs=group)
        np.testing.assert_array_equal(part.history, whole.history[list(group)])
        np.testing.assert_array_equal(part.figures, whole.figures[list(group)])
    task = build_task(scenario, scenario.strategies["mixed"], seed=1)
    work = [(task, np.arange(k, k + 3), None) for k in range(0, 12, 3)]
    for threads in (1, 2, 4):
        found = list(run_blocks(work, threads=threads))
        history = np.concatenate([block.history for block in found])
        np.testing.assert_array_equal(history, whole.history)


def test_a_state_that_was_used_before_leaves_no_trace() -> None:
    tasks = [
        build_task(scenario, scenario.strategies["mixed"], seed=1)
        for scenario in (random_scenario(0), random_scenario(0).with_(shares="equal"))
    ]
    state, runs = new_state(tasks[0].world), np.arange(3)
    run_block(tasks[1], runs, state=state)
    assert_same(run_block(tasks[0], runs, state=state), run_block(tasks[0], runs))


def test_a_longer_run_begins_as_a_shorter_one() -> None:
    strategies = {"full": full_strategy()}
    short = make_scenario(7, parameters=BUSY, strategies=strategies, horizon=6)
    long = short.with_(horizon=11)
    histories = [simulate(scenario, "full", runs=3).history for scenario in (short, long)]
    np.testing.assert_array_equal(histories[0], histories[1][:, :6])


def test_a_block_that_is_stopped_tells_nothing_that_it_does_not_know() -> None:
    scenario = make_scenario(4)
    task = build_task(scenario, scenario.strategies["voluntary"], seed=1)
    block = run_block(task, np.arange(2), stop=np.ones(1, np.int64))
    assert np.isnan(block.history).all()


def test_what_regions_are_can_come_from_another_run() -> None:
    scenario = make_scenario(6, parameters=BUSY)
    task = build_task(scenario, scenario.strategies["voluntary"], seed=1)
    own = run_block(task, np.arange(4))
    same = run_block(task, np.arange(4), traits=np.arange(4))
    assert_same(own, same)
    one = run_block(task, np.arange(4), traits=np.zeros(4))
    assert (one.history[0] == own.history[0])[:, :7].all()
    first = [measure(block, "quality")[:, 0] for block in (own, one)]
    assert len(set(first[0].tolist())) == 4
    assert len(set(first[1].tolist())) == 1
    assert differ(one, own)


# Seeds --------------------------------------------------------------------------------------------


def test_each_seed_is_another_world_and_0_is_one() -> None:
    scenario = make_scenario(6, parameters=BUSY)
    blocks = [simulate(scenario, seed=seed, runs=2) for seed in (0, 1, 2, 2**40)]
    for k, block in enumerate(blocks):
        assert all(differ(block, other) for other in blocks[:k])
    assert_same(simulate(scenario, seed=0, runs=2), blocks[0])


# What makes no difference -------------------------------------------------------------------------


def variants() -> dict[str, tuple[dict[str, object], dict[str, object]]]:
    """Settings, and others that mean the same."""
    full = full_strategy()
    halves = {
        name: [{"intensity": 0.5, "until": 5}, {"intensity": 0.5, "from": 5}]
        for name in full["mechanisms"]
    }
    none = [{"what": "population", "factor": 1.0, "from": 3, "until": 7}]
    still = [{"what": "stress", "add": 0.0, "from": 2}, {"what": "demand", "growth": 0.0}]
    return {
        "population": ({}, {"changes": none}),
        "stress and demand": ({}, {"changes": still}),
        "phases": (
            {"strategies": {"s": full}},
            {"strategies": {"s": full | {"mechanisms": halves}}},
        ),
        "always": (
            {"strategies": {"s": full}},
            {
                "strategies": {"s": {}},
                "mechanisms": full["mechanisms"],
                "support": full["support"],
            },
        ),
        "zero": (
            {"strategies": {"s": {}}},
            {"strategies": {"s": {"mechanisms": {"team": 0.0}, "support": {"ngo": 0.0}}}},
        ),
        "nobody targeted": (
            {"strategies": {"s": {}}},
            {"strategies": {"s": {"support": {
                "ngo": {"intensity": 1.0, "targets": "smallest", "share": 0.0},
                "government": {"intensity": 1.0, "targets": "best", "share": 0.0},
            }}}},
        ),
        "ample budgets": (
            {"strategies": {"s": full}},
            {"strategies": {"s": full | {"support": {
                name: {"intensity": 0.5, "budget": 1e15} for name in full["support"]
            }}}},
        ),
    }  # fmt: skip


@pytest.mark.parametrize("name", variants())
def test_what_means_the_same_gives_the_same(name: str) -> None:
    blocks = []
    for settings in variants()[name]:
        settings = {"strategies": {"s": full_strategy()}, "parameters": BUSY} | settings
        blocks.append(simulate(make_scenario(8, horizon=14, **settings), "s", runs=3))
    assert measure(blocks[0], "agreements").sum() > 0
    assert_same(*blocks)


def doubled(scenario: Scenario, *names: str) -> Scenario:
    changes = {
        f"areas.{area}.{name}": 2 * getattr(entry, name)
        for area, entry in scenario.areas.items()
        for name in names
    }
    return scenario.with_(changes)


def test_money_is_only_a_unit() -> None:
    """Twice the price of everything: twice the money, and nothing else (budgets aside)."""
    scenario = make_scenario(7, parameters=BUSY, strategies={"full": full_strategy()})
    one, two = (
        simulate(s, "full", runs=3) for s in (scenario, doubled(scenario, "cost_per_resident"))
    )
    assert measure(one, "agreements").sum() > 0
    expected = one.history.copy()
    expected[:, :, MONEY] *= 2
    np.testing.assert_array_equal(two.history, expected)


def test_people_count_only_relative_to_efficient_scale() -> None:
    """Twice the people everywhere at twice the efficient scale: twice the money, nothing else.

    Capacity comes from a column, as what is drawn rises with population.
    """
    rows = [row | {"capacity": 0.1 * (i + 2)} for i, row in enumerate(region_rows(7))]
    twice = [row | {"population": 2 * row["population"]} for row in rows]
    settings = {"parameters": BUSY, "strategies": {"full": full_strategy()}}
    one = simulate(make_scenario(rows, **settings), "full", runs=3)
    two = simulate(doubled(make_scenario(twice, **settings), "efficient_scale"), "full", runs=3)
    expected = one.history.copy()
    expected[:, :, MONEY] *= 2
    np.testing.assert_array_equal(two.history, expected)


@pytest.mark.parametrize("form", FORM_SETTINGS)
@pytest.mark.parametrize("where", ["A", "Z"])
def test_a_region_that_nobody_knows_changes_nothing_for_the_others(where: str, form: str) -> None:
    """To the last bit: nothing is measured in parts of what the regions at hand happen to be."""
    rows = [row | {"culture_1": (-1.5) ** i} for i, row in enumerate(region_rows(7))]
    codes = [row["code"] for row in rows]
    unlike = {"population": 9_000_000, "latitude": 8, "tier": "far", "culture_1": 400}
    lone = rows[0] | {"code": where} | unlike
    pairs = [(codes[i], codes[j], "yes", 10 + i + j) for i in range(7) for j in range(i)]
    blocks = [
        simulate(
            make_scenario(
                some, contacts=pairs, parameters=BUSY | {"culture_spread": 0.3}, form=form,
                strategies={"full": full_strategy()}, horizon=16,
            ),
            "full",
            runs=4,
        )
        for some in (rows, [*rows, lone])
    ]  # fmt: skip
    assert measure(blocks[0], "agreements").sum() > 0
    others = slice(1, None) if where == "A" else slice(None, -1)
    np.testing.assert_array_equal(blocks[1].figures[:, others], blocks[0].figures)
    place = 0 if where == "A" else -1
    at = list(REGION_MEASURES).index("cooperation")
    assert (blocks[1].figures[:, place, :, at] == 0).all()


def test_a_column_of_culture_may_have_any_unit_if_its_scale_has_it_too() -> None:
    rows = [
        row | {"culture_1": 0.3 * i**2, "culture_3": -i} for i, row in enumerate(region_rows(7))
    ]
    columns = ("culture_1", "culture_3")
    larger = [row | {name: 1024 * row[name] for name in columns} for row in rows]
    strategies = {"full": full_strategy()}
    one = make_scenario(rows, parameters=BUSY, strategies=strategies, culture_scale=7)
    same = make_scenario(larger, parameters=BUSY, strategies=strategies, culture_scale=7 * 1024)
    unlike = make_scenario(larger, parameters=BUSY, strategies=strategies, culture_scale=7)
    blocks = [simulate(scenario, "full", runs=4) for scenario in (one, same, unlike)]
    assert_same(*blocks[:2])
    assert differ(blocks[0], blocks[2])


def test_names_of_tiers_are_names_and_not_places() -> None:
    """A tier is addressed by its name: which tiers a table lists before it changes nothing."""
    rows = region_rows(7)
    lone = rows[0] | {"code": "R999", "latitude": 8, "tier": "a first one"}
    pairs = [(rows[i]["code"], rows[j]["code"]) for i in range(7) for j in range(i)]
    parameters = BUSY | {"culture_between": 0.9}
    blocks = [
        simulate(make_scenario(some, contacts=pairs, parameters=parameters), runs=3)
        for some in (rows, [*rows, lone])
    ]
    np.testing.assert_array_equal(blocks[1].figures[:, :7], blocks[0].figures)
    renamed = [row | {"tier": row["tier"].upper()} for row in rows]
    other = simulate(make_scenario(renamed, contacts=pairs, parameters=parameters), runs=3)
    assert differ(blocks[0], other)


# What makes a difference --------------------------------------------------------------------------


def test_every_parameter_changes_something() -> None:
    """In a world in which all happens: at the ends of its range, nothing is declared in vain."""
    bodies = [
        {"area": "roads", "members": ["R000", "R001", "R003"], "began": -8, "form": "board"},
        {"area": "water", "members": ["R002", "R004"], "form": "contract", "provider": "R004"},
    ]
    scenario = make_scenario(
        8, horizon=20, bodies=bodies, parameters=BUSY, strategies={"full": full_strategy()}
    )
    still = []
    for name, entry in PARAMETERS.items():
        low, high = (
            simulate(scenario.with_({f"parameters.{name}": end}), "full", runs=3)
            for end in (entry.low, entry.high)
        )
        if not differ(low, high):
            still.append(name)
    assert not still


# Stage by stage -----------------------------------------------------------------------------------


def test_the_run_that_can_be_stopped_is_the_run_of_the_ensemble() -> None:
    scenario = random_scenario(1)
    history = simulate(scenario, "mixed", runs=[3])
    run = Run(scenario, "mixed", run=3)
    for quarter in range(scenario.horizon):
        run.advance()
        slots = run.state.slot
        assert measure(history, "cooperation")[0, quarter] == (slots["body"] >= 0).mean()
        ledger = run.state.ledger[0].sum()
        assert measure(history, "programme_cost")[0, quarter] == pytest.approx(ledger, rel=1e-12)
