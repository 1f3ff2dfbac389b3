"""Tiny worlds for tests: scenarios from rows in memory, and runs that stop at any stage."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from kolabsim.engine.ensemble import Block, build_task, new_state, run_block
from kolabsim.model.agreements import form_agreements
from kolabsim.model.bodies import tally_all
from kolabsim.model.decision_rules import BUILT_IN
from kolabsim.model.initialisation import initialise
from kolabsim.model.interventions import start_quarter, support
from kolabsim.model.jit import compiled
from kolabsim.model.levers import (
    CONSENTS,
    FORM_SETTINGS,
    FORMS,
    MECHANISMS,
    PAYERS,
    SHARES,
    SUPPORTERS,
    TARGETS,
    TRUSTS,
    UNIT_COSTS,
)
from kolabsim.model.measures import MEASURES, REGION_MEASURES
from kolabsim.model.parameters import PARAMETERS
from kolabsim.model.rng import Key
from kolabsim.model.stages import communicate, coordinate, evaluate, identify, plan, produce
from kolabsim.model.state import NOBODY
from kolabsim.scenario.scenario import Scenario

AREA = {
    "efficient_scale": 100_000,
    "curvature_below": 0.15,
    "curvature_above": 0.02,
    "difficulty": 0.4,
    "spillover": 0.1,
    "haul": 0.3,
    "cost_per_resident": 10.0,
}
"""An area in which regions of a few ten thousand people gain from sharing."""

AS_IT_IS = {"from": [0, 1], "to": [0, 1], "reason": "as it is"}


def region_rows(number: int, *, seed: int = 0, apart_km: float = 20.0) -> list[dict[str, object]]:
    """Regions in a jittered grid near the equator, in two tiers, with unlike populations."""
    luck = np.random.default_rng(seed)
    side = int(np.ceil(np.sqrt(number)))
    degrees = apart_km / 111.195
    return [
        {
            "code": f"R{i:03d}",
            "population": int(30_000 * np.exp(0.8 * luck.standard_normal())) + 1,
            "latitude": round(degrees * (i // side + luck.uniform(-0.3, 0.3)), 6),
            "longitude": round(degrees * (i % side + luck.uniform(-0.3, 0.3)), 6),
            "tier": "east" if i % side >= side / 2 else "west",
        }
        for i in range(number)
    ]


def make_scenario(
    regions: int | Sequence[Mapping[str, object]] = 6,
    *,
    contacts: Iterable[Sequence[object]] = (),
    nearest: int | None = None,
    areas: Mapping[str, Mapping[str, object]] | None = None,
    strategies: Mapping[str, object] | None = None,
    culture_scale: float = 1,
    **settings: object,
) -> Scenario:
    """A scenario whose table and contacts are given as rows, through the files of a user.

    Of a region's row, ``capacity``, ``stress``, ``goodwill``, ``autonomy``, ``culture_1`` to
    ``culture_3``, ``interest_AREA`` become attributes as they are; what is not there is drawn. A
    contact is (code, code, land, km), the last two optional. Areas that say less than :data:`AREA`
    take the rest from there.
    """
    rows = region_rows(regions) if isinstance(regions, int) else [dict(row) for row in regions]
    areas = {"roads": {}, "water": {}} if areas is None else areas
    columns: dict[str, object] = {}
    for name in ("capacity", "stress", "goodwill", "autonomy"):
        if name in rows[0]:
            columns[name] = {"column": name} | AS_IT_IS
    culture = [f"culture_{d}" for d in (1, 2, 3) if f"culture_{d}" in rows[0]]
    if culture:
        columns["culture"] = [
            {"column": name, "scale": culture_scale, "reason": "as it is"} for name in culture
        ]
    interests = {a: f"interest_{a}" for a in areas if f"interest_{a}" in rows[0]}
    if interests:
        limits = {"from": [1e-6, 100], "to": [1e-6, 100], "reason": "as it is"}
        columns["interests"] = {a: {"column": name} | limits for a, name in interests.items()}
    pairs = [(*pair, "yes", "")[:4] if len(pair) == 2 else pair for pair in contacts]
    pairs = [(a, b, "yes" if land in (True, "yes") else "no", *km) for a, b, land, *km in pairs]
    text = {
        "horizon": 12,
        "regions": {"table": "regions.csv", "columns": columns},
        "contacts": {"nearest": (0 if pairs else 4) if nearest is None else nearest},
        "areas": {name: AREA | dict(area) for name, area in areas.items()},
        "strategies": dict(strategies or {}),
        **settings,
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_table(folder / "regions.csv", list(rows[0]), [list(row.values()) for row in rows])
        if pairs:
            text["contacts"]["list"] = "contacts.csv"
            header = ["code_a", "code_b", "land", "distance_km"]
            pairs = [(*pair, "")[:4] for pair in pairs]
            if not any(pair[3] for pair in pairs):
                header, pairs = header[:3], [pair[:3] for pair in pairs]
            _write_table(folder / "contacts.csv", header, pairs)
        path = folder / "tiny.yaml"
        path.write_text(json.dumps(text), encoding="utf-8")
        return Scenario.load(path)


@cache
def random_scenario(seed: int) -> Scenario:
    """A small world in which everything that can be set is set at random."""
    luck, more_luck = np.random.default_rng(seed), np.random.default_rng([seed, 1])
    of_times = np.random.default_rng([seed, 2])  # so that worlds stay the same without them
    number, horizon = int(luck.integers(4, 9)), 14
    rows = region_rows(number, seed=seed)
    codes = [row["code"] for row in rows]
    for row in rows:
        row["stress"] = round(luck.uniform(), 3)
        if seed % 3 == 0:
            row["capacity"] = round(luck.uniform(), 3)
            row["culture_1"] = round(luck.normal(), 3)
            row["interest_water"] = round(luck.uniform(0.1, 2), 3)
        if seed % 3 == 1:
            row["goodwill"] = round(more_luck.uniform(), 3)
            row["autonomy"] = round(more_luck.uniform(), 3)
        if seed % 5 == 2:
            del row["tier"]
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
        | ({"form": str(more_luck.choice(FORM_SETTINGS))} if more_luck.random() < 0.5 else {})
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
        "decision_speed": luck.uniform(0.5, 2),
        "notice": luck.uniform(0.5, 1),
        "misperception": luck.uniform(0.05, 0.15),
        "exit_base": luck.uniform(0.5, 2.5),
        "honour_base": luck.uniform(0.0, 2.0),
    }
    payers = [payer for payer in PAYERS[:4] if payer != "tier" or "tier" in rows[0]]
    order = luck.permutation(codes).tolist()
    bodies = []
    for area, members in ((named[0], order[:3]), (named[-1], order[-2:])):
        form = str(more_luck.choice(FORMS))
        body = {
            "area": area,
            "members": sorted(members),
            "began": -int(luck.integers(0, 40)),
            "form": form,
            "mandated": bool(luck.random() < 0.3),
        }
        if form == "contract":
            body["provider"] = members[0]
        if not (area == named[0] and bodies and set(members) & set(bodies[0]["members"])):
            bodies.append(body)
    start = int(luck.integers(0, 6))
    mandate = {
        "areas": [named[-1]],
        "groups": [sorted(luck.permutation(codes)[:3].tolist())],
        "from": start,
        "until": start + int(luck.integers(1, 8)),
        "paid_by": str(more_luck.choice(payers)),
    }
    tiers = {
        "areas": named[:1],
        "groups": [codes[:3]] if seed % 5 == 2 else "tiers",
        "size": 3,
        "from": 7,
        "price": 0.01,
    }

    def phase(lever: str) -> dict[str, object]:
        first = int(luck.integers(0, 6))
        found: dict[str, object] = {
            "intensity": luck.uniform(0.1, 1.0),
            "from": first,
            "until": first + int(luck.integers(1, 8)),
            "paid_by": str(luck.choice(payers)),
        }
        if of_times.random() < 0.4:
            found["phase_out"] = int(of_times.integers(1, found["until"] - first + 1))
        if of_times.random() < 0.2:
            found["paid_by"] = str(of_times.choice(PAYERS[4:]))
        if more_luck.random() < 0.3:
            found["price"] = more_luck.uniform(0, 0.02)
        if luck.random() < 0.4:
            found["areas"] = [str(luck.choice(named))]
        if lever == "forum":
            halves = [codes[: number // 2], codes[number // 2 :]]
            found["members"] = ["all", "tiers", halves][int(luck.integers(3))]
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
        "mandates": [one for one in (mandate, tiers) if luck.random() < 0.5],
    }
    if of_times.random() < 0.5:
        strategy["budget"] = float(10 ** of_times.uniform(2, 5))
    always = str(luck.choice(list(MECHANISMS)))
    changes = [
        {"what": "population", "growth": 0.02, "from": 2, "until": 8},
        {"what": "population", "factor": 0.5, "from": 5, "until": 7, "regions": codes[:2]},
        {"what": "stress", "add": 0.3, "from": 4, "until": 9},
        {"what": "demand", "factor": 1.4, "from": 3, "until": 10, "areas": named[:1]},
        {"what": "demand", "growth": 0.1, "from": 6, "regions": codes[2:]},
    ]
    shocks = [
        {"what": "trust", "factor": 0.4, "from": 6, "regions": codes[1:3]},
        {"what": "election", "every": 3, "from": 1, "until": 12, "reset": more_luck.uniform()},
        {"what": "election", "from": 7, "reset": 0.6, "regions": codes[:2]},
    ]
    leaves = [
        {"regions": codes[:2], "areas": named[:1], "from": 3, "until": 9},
        {"regions": order[:1], "from": 5},
    ]
    return make_scenario(
        rows,
        contacts=pairs,
        leaves=leaves if seed % 3 == 1 else [],
        nearest=2,
        areas=areas,
        horizon=horizon,
        parameters=parameters,
        bodies=bodies if luck.random() < 0.7 else [],
        mechanisms={always: {"intensity": 0.3, "until": 5}},
        changes=[change for change in changes if luck.random() < 0.5]
        + [shock for shock in shocks if more_luck.random() < 0.5],
        strategies={"mixed": strategy},
        shares=str(luck.choice(SHARES)),
        consent=str(luck.choice(CONSENTS)),
        form=str(luck.choice(FORM_SETTINGS)),
        decision=BUILT_IN[seed % len(BUILT_IN)],
        cap=int(luck.choice([3, 4, 16])),
        unit_cost=str(luck.choice(UNIT_COSTS)),
        trust=str(luck.choice(TRUSTS)),
        discount=more_luck.uniform(0, 0.1),
    )


def _write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


# Regions side by side -----------------------------------------------------------------------------

STILL = {"attention_base": -20, "exit_base": 0}
"""Nobody turns to an area, and nobody leaves: what a test sets stays."""


def in_a_row(*populations: int, **more: Sequence[object]) -> list[dict[str, object]]:
    """Regions A, B, C, ... side by side, 10 km apart."""
    return [
        {"code": "ABCDEFGH"[i], "population": people, "latitude": 0, "longitude": 0.09 * i}
        | {name: values[i] for name, values in more.items()}
        for i, people in enumerate(populations)
    ]


def body(members: str, **more: object) -> dict[str, object]:
    """A joint body for roads of the regions with these letters."""
    return {"area": "roads", "members": list(members)} | more


def roads(**more: object) -> dict[str, object]:
    """The only area, in a scenario whose regions do nothing of themselves."""
    parameters = STILL | dict(more.pop("parameters", {}))
    attributes = {key: more.pop(key) for key in AREA if key in more}
    return {"areas": {"roads": attributes}, "parameters": parameters} | more


def open_talks(run: Run, i: int, j: int) -> None:
    """Let region i have opened a negotiation with region j in the quarter before."""
    region, contact = run.state.region[i], run.state.contact
    found = [c for c in range(region.first, region.end) if contact[c].target == j]
    run.state.slot["contact"][i, 0] = found[0]
    run.state.slot["opened"][i, 0] = run.quarter - 1


# Running ------------------------------------------------------------------------------------------

STAGES = (
    "start", "identify", "communicate", "plan", "form_agreements", "coordinate", "produce",
    "evaluate",
)  # fmt: skip
"""What a quarter runs through, as far as a test can stop in it."""


@compiled
def take_stage(number, w, s, policy, p, rule, key):
    """One stage of a quarter for all regions; -1 sets up the run."""
    regions = range(len(s.region))
    if number == -1:
        initialise(w, s, policy, p, key)
    elif number == 0:
        start_quarter(w, s, policy, p, key.quarter)
        support(s, policy, p, (), key.quarter)
    elif number == 1:
        for i in regions:
            identify(i, s, p, rule, key)
    elif number == 2:
        for i in regions:
            communicate(i, s, p, key)
        tally_all(s, p, key.quarter)
    elif number == 3:
        for i in regions:
            plan(i, s, p, key)
    elif number == 4:
        form_agreements(s, policy, p, key.quarter)
    elif number == 5:
        for i in regions:
            coordinate(i, s, p, key)
    elif number == 6:
        produce(s, policy, p, key.quarter)
    elif number == 7:
        for i in regions:
            evaluate(i, s, p, key)


class Run:
    """One run of a scenario under a strategy that can be looked at, and changed, between stages."""

    def __init__(
        self, scenario: Scenario, strategy: str = "voluntary", *, seed: int = 1, run: int = 0
    ) -> None:
        self.scenario, self.strategy = scenario, scenario.strategies[strategy]
        task = build_task(scenario, self.strategy, seed=seed)
        self.world, self.policy, self.p, _rule, self.rule, _seed, _own = task
        self.state = new_state(self.world)
        self.seed, self.run = seed, run
        self.quarter, self.stages = 0, 0
        self._take(-1, 0)

    def _take(self, number: int, quarter: int) -> None:
        key = Key(self.seed, self.run, quarter)
        take_stage(number, self.world, self.state, self.policy, self.p, self.rule, key)

    def advance(self, stage: str = "evaluate", *, quarters: int = 1) -> Run:
        """Go on until this stage is done; ``quarters`` of them, of which the last may be part."""
        last = STAGES.index(stage)
        for k in range(quarters):
            end = last if k == quarters - 1 else len(STAGES) - 1
            if self.stages > end:
                raise ValueError(f"{stage} is already done in quarter {self.quarter}")
            for number in range(self.stages, end + 1):
                self._take(number, self.quarter)
            self.stages = end + 1
            if self.stages == len(STAGES):
                self.quarter, self.stages = self.quarter + 1, 0
        return self

    def slot(self, name: str) -> np.ndarray:
        """A column of all slots [R, A]."""
        return self.state.slot[name].copy()

    def region(self, name: str) -> np.ndarray:
        """A column of all regions [R]."""
        return self.state.region[name].copy()

    def bodies(self) -> dict[int, list[int]]:
        """The members of each joint body, by its place."""
        sizes = self.state.body["members"]
        return {
            int(b): self.state.members[b, : sizes[b]].tolist() for b in np.flatnonzero(sizes > 0)
        }

    def trust(self) -> dict[tuple[int, int], float]:
        """Trust of each region in each of its contacts."""
        region, contact = self.state.region, self.state.contact
        return {
            (i, int(contact[c].target)): float(contact[c].trust)
            for i in range(len(region))
            for c in range(region[i].first, region[i].end)
        }

    def set_trust(self, value: float) -> None:
        """Let all regions trust all their contacts this much, from now on and from the start."""
        self.state.contact["trust"] = self.state.contact["trust_start"] = value


def simulate(
    scenario: Scenario,
    strategy: str = "voluntary",
    *,
    seed: int = 1,
    runs: int | Sequence[int] = 1,
) -> Block:
    """Histories and regional figures of some runs of a scenario under a strategy."""
    numbers = np.arange(runs) if isinstance(runs, int) else np.asarray(runs)
    return run_block(build_task(scenario, scenario.strategies[strategy], seed=seed), numbers)


def measure(block: Block, name: str) -> np.ndarray:
    """The history of a measure, [runs, quarters]."""
    return block.history[:, :, list(MEASURES).index(name)]


def figure(block: Block, name: str) -> np.ndarray:
    """The figures of a regional measure, [runs, regions, areas]."""
    return block.figures[:, :, :, list(REGION_MEASURES).index(name)]


def check_structure(run: Run) -> None:
    """Nobody is in two bodies of an area, and slots, bodies, members and free places agree."""
    s = run.state
    regions, areas = s.slot.shape
    found = np.full((regions, areas), NOBODY)
    for b in range(len(s.body)):
        size, area = s.body["members"][b], s.body["area"][b]
        assert size == 0 or 2 <= size <= run.scenario.cap
        members = s.members[b, :size].tolist()
        assert members == sorted(set(members))
        assert (s.members[b, size:] == NOBODY).all()
        for i in members:
            assert found[i, area] == NOBODY
            found[i, area] = b
    assert (found == s.slot["body"]).all()
