"""Small worlds as people bring them: a table of regions, a scenario and an experiment in files."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from kolabsim.model.parameters import PARAMETERS
from kolabsim.study.spec import KINDS as ALL

KINDS = tuple(ALL)
RAW = (
    r"Glyph \d|constrained_layout|\btight_layout|divide by zero|invalid value|Mean of empty"
    "|low and high [xy]lims"
)
"""What libraries warn of, which no user should read."""
FACTORS = ("parameters.trust_start", "parameters.quality_value", "parameters.startup_cost",
           "mechanisms.team", "mechanisms", "support.ngo", "form", "cap", "nothing")  # fmt: skip
HEAD = ("code", "name", "population", "latitude", "longitude")
TOWNS = (
    ("n1", "North", 21_000, 51.3, 4.0), ("e1", "East", 34_000, 51.0, 4.4),
    ("s1", "South", 9_000, 50.8, 4.1), ("w1", "West", 55_000, 51.1, 3.7),
)  # fmt: skip
"""Four towns within some kilometres, as rows of a table."""


def write_world(
    folder: Path,
    rows: Sequence[Sequence[object]] = TOWNS,
    *,
    scenario: Mapping[str, object] | None = None,
    **experiment: object,
) -> Path:
    """Write the files of a world; return the file of its experiment, by default a comparison."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "regions.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEAD, *rows])
    world = {
        "title": "A world", "regions": {"table": "regions.csv"}, "contacts": {"nearest": 2},
        "families": ["administration"], "horizon": 8,
    }  # fmt: skip
    study: dict[str, object] = {"kind": "comparison", "scenario": "world.yaml", "runs": 3}
    if experiment.get("kind", "comparison") in ("comparison", "robustness"):
        study["strategies"] = ["voluntary", "team"]
    if experiment.get("kind", "comparison") == "comparison" and "futures" not in experiment:
        study["plausible"] = 2  # all of them would take a minute
    for name, content in (("world", world | dict(scenario or {})), ("study", study | experiment)):
        text = json.dumps(content, ensure_ascii=False, indent=1)  # which is YAML, too
        text = text.replace('"inf"', ".inf").replace("Infinity", ".inf")
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder / "study.yaml"


# Hostile ones -----------------------------------------------------------------------------------

NAMES = (
    "", " ", "Port", "Port", "Po\u200brt", "port", "\u00c7a", "C\u0327a", "\u6771\u4eac\u90fd",
    "\u0645\u062f\u064a\u0646\u0629", "\u05ea\u05dc \u05d0\u05d1\u05d9\u05d1", "\ua9a0\ua9b2",
    "\u0e01\u0e23\u0e38\u0e07\u0e40\u0e17\u0e1e", "\U0001f600", "L" * 300, "Long name " * 60, "nan",
    "None", "True", "0", "-1", "1e9", "=1+1", "@x", "'", '"', "a,b", "a;b", "{x}", "{{7*7}}", "%s",
    "$x^2$", "$", "<script>alert(1)</script>", "&amp;", "[bold]x[/bold]", "\\n", "../x", "a/b",
    "CON", "team", "voluntary", "all", "tiers", "code", "name", "strategy", "difference",
)  # fmt: skip
"""Names of regions, titles and descriptions."""
CODES = (*filter(str.strip, NAMES), "1", "01", "1.0", "x/../../y", "A b")
LATITUDES = (0.0, 1e-9, 0.1, -0.1, 51.3, -17.5, 89.9, 90.0, -90.0)
LONGITUDES = (0.0, 1e-9, 0.1, 0.2, 179.9, -179.9, 180.0, -180.0, 107.6)
PEOPLE = (1, 2, 1000, 5000, 5000, 8200, 31_000, 2_500_000, 1_000_000_000)
MEASURES = ("trust", "programme_cost", "realised_benefit", "net_efficiency", "decision_time",
            "efficiency", "saving", "bodies")  # fmt: skip


LABELS = st.sampled_from(NAMES) | st.text(st.characters(exclude_categories=["C"]), max_size=8)
"""Names and titles."""


@st.composite
def hostile_rows(draw: Any) -> list[tuple[object, ...]]:
    """Regions: one, two or a few; identical, in one place, at the poles, on both sides of 180."""
    codes = draw(st.lists(st.sampled_from(CODES), min_size=1, max_size=5, unique=True))
    alike = draw(st.booleans())
    rows: list[tuple[object, ...]] = []
    for code in codes:
        about = (draw(st.sampled_from(PEOPLE)), draw(st.sampled_from(LATITUDES)),
                 draw(st.sampled_from(LONGITUDES)))  # fmt: skip
        rows.append((code, draw(LABELS), *(rows[0][2:] if alike and rows else about)))
    return rows


@st.composite
def hostile_scenarios(draw: Any) -> dict[str, object]:
    """Keys of a scenario with labels that collide and numbers at the ends of their ranges."""
    found: dict[str, object] = {
        "title": draw(LABELS), "horizon": draw(st.sampled_from((1, 1, 2, 3, 8, 41))),
        "currency": draw(st.sampled_from(("", "EUR", "IDR", "\u6771", "<b>"))),
        "contacts": draw(st.sampled_from(({"nearest": 0}, {"nearest": 1}, {"nearest": 8},
                                          {"within": "all"}, {"borders": "places"}))),
        "families": draw(st.sampled_from((["administration"], ["infrastructure"]))),
    }  # fmt: skip
    parameters = {}
    for name in draw(st.lists(st.sampled_from([*PARAMETERS]), max_size=3, unique=True)):
        entry = PARAMETERS[name]
        values = (entry.least, entry.most, entry.low, entry.high, entry.default, 1e-300, 1e300)
        parameters[name] = draw(st.sampled_from(values))
    mine = {}
    for name in draw(st.lists(st.sampled_from(("mine", "yours", "a1")), max_size=2, unique=True)):
        lever, strength = (st.sampled_from(("team", "forum")), st.sampled_from((0.0, 1e-12, 1.0)))
        mine[name] = {"title": draw(LABELS), "mechanisms": {draw(lever): draw(strength)}}
    return found | {"parameters": parameters, "strategies": mine}


@st.composite
def hostile_studies(draw: Any, kinds: Sequence[str] = KINDS) -> dict[str, object]:
    """Keys of an experiment with repeats, constants and ranges of any width."""
    kind = draw(st.sampled_from(kinds))
    named = st.sampled_from(("team", "forum", "mandate"))
    rarely = st.integers(0, 9).map(lambda number: number == 9)
    some = draw(st.lists(named, min_size=1, max_size=3, unique=not draw(rarely)))
    varied = st.lists(st.sampled_from(FACTORS[:-1]), min_size=2, unique=True)
    factors: dict[str, object] = dict.fromkeys(draw(varied))
    ranges = st.sampled_from(([0, 1e-12], [0.5, 0.5], [0.1, 1e300], [0, "inf"]))
    if draw(st.booleans()):
        factors[FACTORS[1]] = draw(ranges)
    if draw(rarely):
        factors[FACTORS[-1]] = None
    outcomes = draw(st.lists(st.sampled_from(MEASURES), min_size=1, max_size=2, unique=True))
    runs = draw(st.sampled_from((2, 2, 3, 7)))
    found: dict[str, object] = {"kind": kind, "question": draw(LABELS), "runs": runs}
    if kind == "comparison":
        futures = {draw(LABELS): {}, draw(LABELS): {"parameters.notice": 0.5}}
        return found | {"strategies": ["voluntary", *some], "futures": futures}
    if kind == "robustness":
        return found | {"strategies": ["voluntary", *some], "factors": factors, "samples": 4,
                        "outcome": draw(st.sampled_from(MEASURES))}  # fmt: skip
    if kind == "search":
        return found | {"runs": [2, 4], "levers": ["mechanisms.team", "support.ngo"],
                        "population": 8, "generations": 1, "plausible": 2,
                        "objectives": outcomes}  # fmt: skip
    found |= {"strategy": draw(named), "factors": factors}
    found["outcomes"] = outcomes
    if kind == "sweep":
        # A strategy that sets a lever itself cannot have it as a factor.
        return found | {"levels": 2, "factors": dict([*factors.items()][:2]), "plausible": 2,
                        "strategy": "voluntary"}  # fmt: skip
    method, samples = draw(st.sampled_from((
        ("morris", 4), ("sobol", 16), ("one_at_a_time", 3), ("ice", 4), ("rbd_fast", 64),
        ("pawn", 64), ("delta", 64), ("fast", 129),
    )))  # fmt: skip
    return found | {"method": method, "samples": samples}
