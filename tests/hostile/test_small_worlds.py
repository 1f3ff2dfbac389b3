"""Whole experiments, from the file to the report, in worlds of one region, of two, of like ones.

Warnings are errors here as everywhere, so that no mean of nothing and no empty axis passes unseen.
"""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

from kolabsim.cli import program

GIANT, DWARF = 1_000_000_000, 1
WORLDS = {"one": [GIANT], "two": [GIANT, DWARF], "alike": [50_000] * 4}
"""Populations; all regions lie in one place but for the two."""
SCENARIO = """\
extends: strategies
regions: {table: regions.csv}
families: [infrastructure]
horizon: 8
"""
FACTORS = "factors: [parameters.notice, parameters.decision_speed]\n"
EXPERIMENTS = {
    "comparison": "strategies: [voluntary, full_package, mandate]\nruns: 3\n",
    "robustness": f"strategies: [voluntary, team]\n{FACTORS}samples: 6\nruns: 2\n",
    "sensitivity": f"strategy: team\n{FACTORS}samples: 16\nruns: 1\n",
    "sweep": f"strategy: team\n{FACTORS}levels: 2\nruns: 3\n",
    "search": "levers: [mechanisms.team, support.government]\nruns: [2, 4]\n"
    "objectives: [realised_benefit, programme_cost]\npopulation: 8\ngenerations: 2\n",
}
SAID = {("one", "sensitivity"): "net_efficiency is 0 at all 80 points: no factor changes it"}
"""A single region never shares; there, no index of anything can be had."""


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=() if name == "one" else pytest.mark.long) for name in WORLDS],
)
def world(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    lines = ["code,name,population,latitude,longitude,tier"]
    for k, people in enumerate(WORLDS[request.param]):
        east = 110 + 0.1 * k * (request.param == "two")
        lines.append(f"{'ABCD'[k]},Region {k},{people},-7,{east},here")
    (folder / "regions.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "world.yaml").write_text(SCENARIO, encoding="utf-8")
    return request.param, folder


def run(folder, kind, text):
    path = folder / "experiment.yaml"
    text = f"kind: {kind}\nquestion: Does it hold?\nscenario: world.yaml\n{text}"
    path.write_text(text, encoding="utf-8")
    words = ["run", str(path), "--out", str(folder / kind), "--workers", "1", "--fresh"]
    return CliRunner().invoke(program, words, prog_name="kolabsim")


@pytest.mark.parametrize("kind", EXPERIMENTS)
def test_an_experiment_ends_with_a_report(world, kind):
    name, folder = world
    if kind == "search":
        pytest.importorskip("pymoo", reason="needs pymoo, of the extra 'search'")
    done = run(folder, kind, EXPERIMENTS[kind])
    assert done.exit_code == 0, (done.output, done.exception)
    page = (folder / kind / "report.html").read_text(encoding="utf-8")
    words = re.sub(r"<(style|script|svg).*?</\1>|<[^>]*>", " ", page, flags=re.DOTALL)
    assert not re.findall(r"\b(?:nan|NaN|inf|None(?! of these))\b", words)
    assert SAID.get((name, kind), "") in words


def test_an_index_over_what_is_undefined_is_left_out_with_the_number_of_points(world):
    name, folder = world
    if name != "one":
        pytest.skip("trust is defined where there are two regions")
    done = run(folder, "sensitivity", f"outcomes: [trust]\n{EXPERIMENTS['sensitivity']}")
    assert done.exit_code == 0
    assert "trust is undefined at 80 of 80 points" in done.output
