"""The model against observed joint bodies: any scenario, any table, in Python and as a command."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kolabsim.errors import InputError
from kolabsim.model.state import NOBODY
from kolabsim.validation import fitting
from kolabsim.validation import network as n
from kolabsim.validation import pairs as p
from kolabsim.validation.bodies import Body
from kolabsim.validation.gains import MEASURE, gains_by_area
from kolabsim.validation.tables import csv_tables
from tests.terminal import kolabsim
from tests.validation.towns import read, write

# Loading ----------------------------------------------------------------------------------------


def test_groups_follow_from_the_tiers_that_are_named(network, towns):
    assert {name: int(rows.sum()) for name, rows in network.groups.items()} == {
        "Regions used for fitting": 20,
        "Regions used for fitting, without incompletely reported ones": 10,
        "Held-out regions": 10,
    }
    plain = n.load_network(towns / "towns.yaml", towns / "bodies.csv")
    assert list(plain.groups) == ["All regions"]


def test_everything_that_is_wrong_is_reported_at_once(towns, tmp_path):
    path = write(tmp_path / "b.csv", ["body", "region"], [["One", "0001x"]])
    with pytest.raises(InputError) as caught:
        n.load_network(
            towns / "towns.yaml", path, held_out=["Weast"], incomplete=["North"],
            strategy="voluntry", by="povince",
        )  # fmt: skip
    reported = "\n".join(problem.message for problem in caught.value.problems)
    for words in (
        "no strategy 'voluntry'; did you mean 'voluntary'?", "'Weast'; did you mean 'West'?",
        "'North'; allowed: East, Middle, West", "no column 'povince'; did you mean 'province'?",
        "no region '0001x'; did you mean '0001'?",
    ):  # fmt: skip
        assert words in reported


def test_joint_bodies_of_the_scenario_are_no_start(tmp_path):
    path = write(
        tmp_path / "b.csv", ["body", "region", "area"],
        [["Sekber", code, "wastewater"] for code in ("34.71", "34.04", "34.02")],
    )  # fmt: skip
    network = n.load_network("kartamantul", path, within=100.0)
    assert network.scenario.bodies == ()
    assert len(network.task(seed=1).world.body) == 0
    assert network.compared == [list(network.scenario.areas).index("wastewater")]
    assert network.pairs.bands[0] == (0.0, 20.0)


def test_regions_without_places_are_refused(tmp_path):
    write(tmp_path / "regions.csv", ["code", "population"], [["a", 1000], ["b", 2000]])
    write(tmp_path / "contacts.csv", ["code_a", "code_b", "distance_km"], [["a", "b", 5]])
    write(tmp_path / "bodies.csv", ["body", "region"], [["One", "a"], ["One", "b"]])
    (tmp_path / "s.yaml").write_text(
        "regions: {table: regions.csv}\ncontacts: {list: contacts.csv, nearest: 0}\n"
        "families: [administration]\n"
    )
    with pytest.raises(InputError, match="have no places"):
        n.load_network(tmp_path / "s.yaml", tmp_path / "bodies.csv")


# Comparing --------------------------------------------------------------------------------------


def test_a_comparison_holds_all_results(fit, network):
    assert [one.group for one in fit.pairs] == list(network.groups)
    assert [one.group for one in fit.structures] == list(network.groups)
    assert [one.area for one in fit.areas] == ["waste", "finance"]
    assert fit.chance.shape == network.shares.shape == (len(network.pairs.rows),)
    assert fit.chance.max() > 0.0, "the model forms joint bodies"
    value, low, high = fit.pairs[0].score("model").auc
    assert 0.0 <= low <= value <= high <= 1.0
    assert network.beyond == 0
    near = n.load_network(
        network.scenario.files[0], network.scenario.files[0].with_name("bodies.csv"), within=6.0
    )
    assert near.beyond == sum(k * (k - 1) // 2 for k in (4, 2, 5, 3, 3)) - (3 + 1 + 4 + 2 + 2)


def test_threads_change_nothing(network, fit):
    again = n.compare_network(network, runs=4, threads=1)
    np.testing.assert_array_equal(fit.chance, again.chance)
    np.testing.assert_equal(fit.pairs[0].scores, again.pairs[0].scores)


def of_boards(bodies):
    """Results of runs that ended with these bodies [runs, R, A], none of them a contract."""
    return n.Simulated(bodies, np.zeros(bodies.shape, bool), np.zeros(1))


def test_ranks_of_bodies_by_hand(network):
    bodies = np.full((2, 30, 2), NOBODY)
    bodies[0, [0, 1, 2, 3], 0] = 0  # one of two runs forms body A
    found = {one.body.name: one for one in n.rank_bodies(network, of_boards(bodies))}
    assert (found["A"].pairs, found["A"].among) == (6, 45)
    assert found["A"].model == 1.0
    assert found["C"].model == pytest.approx((38 / 2) / 44), "six rank above, 38 others tie"
    # Nine pairs of neighbours tie as the nearest; body C is one of them, 36 are farther.
    assert found["C"].distance == pytest.approx((36 + 8 / 2) / 44, abs=0.1)


def test_a_body_of_several_areas_counts_in_any(network):
    body = Body("X", ("waste", "finance"), (0, 1))
    observed = replace(network.observed, bodies=(body,))
    bodies = np.full((1, 30, 2), NOBODY)
    bodies[0, [0, 1], 1] = 0
    (one,) = n.rank_bodies(replace(network, observed=observed), of_boards(bodies))
    assert one.model == 1.0


def test_gains_are_of_those_that_share(fit, network):
    areas = list(network.scenario.areas)
    shares = [
        one
        for one in gains_by_area(fit.simulated.figures, areas, np.ones(30, bool))
        if one.sharing > 0.0
    ]
    assert shares
    for one in shares:
        assert one.benefit == pytest.approx(sum(one.channels.values()), abs=1e-6)


def test_tables_hold_a_row_for_every_result(fit):
    tables = csv_tables(fit)
    assert set(tables) == {"scores", "structure", "effects", "bodies", "pairs", "gains"}
    for rows in tables.values():
        assert {len(row) for row in rows} == {len(rows[0])}
    assert len(tables["pairs"]) == 1 + len(fit.chance)
    assert len(tables["gains"]) == 1 + 30 * 2
    assert tables["gains"][0][4:] == list(MEASURE)


# The command ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lang", "words"),
    [("en", ("The model against observed joint bodies: Towns on a line", "Held-out regions")),
     ("id", ("Perbandingan model dengan lembaga kerja sama", "Kota-kota pada satu garis"))],
)  # fmt: skip
def test_the_command_writes_a_page_and_tables(towns, tmp_path, lang, words):
    done = kolabsim(
        "evidence", "--scenario", towns / "towns.yaml", "--bodies", towns / "bodies.csv",
        "--held-out", "East", "--runs", 2, "--lang", lang, "--by", "province", folder=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "results" / "evidence-bodies"
    page = (folder / "evidence.html").read_text(encoding="utf-8")
    for word in words:
        assert word in page
    assert f'lang="{lang}"' in page
    assert page.count("<svg") == 4
    scores = read(folder / "scores.csv")
    assert {row["score"] for row in scores} >= {"model", "regression", "distance"}
    assert {row["area"] for row in scores} == {"any", "waste", "finance"}
    assert len(read(folder / "pairs.csv")) > 100
    assert "scores.csv" not in done.stderr


def test_only_bodies_without_areas_can_be_compared(towns, tmp_path):
    rows = [["One", f"{k:04d}"] for k in (1, 2, 3)] + [["Two", f"{k:04d}"] for k in (5, 6)]
    write(tmp_path / "b.csv", ["body", "region"], rows)
    done = kolabsim(
        "evidence", "--scenario", towns / "towns.yaml", "--bodies", "b.csv", "--runs", 2,
        "--out", "e", folder=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Area not given" in (tmp_path / "e" / "evidence.html").read_text(encoding="utf-8")


def test_wrong_requests_are_refused_before_anything_runs(towns, tmp_path):
    done = kolabsim("evidence", "--bodies", towns / "bodies.csv", folder=tmp_path)
    assert done.returncode == 2
    assert "--facts and --bodies need --scenario" in done.stderr
    write(tmp_path / "b.csv", ["body", "region"], [["One", "x"], ["One", "0002"]])
    done = kolabsim(
        "evidence", "--scenario", towns / "towns.yaml", "--bodies", "b.csv", folder=tmp_path
    )
    assert done.returncode == 2
    assert "b.csv:2: region: the scenario has no region 'x'" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "results").exists()


# Fitting ----------------------------------------------------------------------------------------


@pytest.fixture
def without_facts(monkeypatch):
    monkeypatch.setattr(fitting, "misfit", lambda *_args, **_more: 0.0)


def test_nothing_that_is_fitted_depends_on_a_held_out_region(network, without_facts):
    slots = network.observed.slots.copy()
    slots[network.held_out] = NOBODY
    changed = replace(network, observed=replace(network.observed, slots=slots))
    space = fitting.search_space(network)
    setting = {name: entry.default for name, entry in space.items()}
    assert fitting.loss_of(network, setting) == fitting.loss_of(changed, setting)
    chance = np.random.default_rng(1).random(len(network.pairs.rows))
    for rows in list(network.groups.values())[:2]:
        one, two = (
            p.fit_pairs(of.pairs, of.shares, chance, rows, of.held_out) for of in (network, changed)
        )
        np.testing.assert_equal(one, two)


def test_a_point_is_a_setting_and_back(network):
    space = fitting.search_space(network, ["waste"])
    setting = {name: entry.default for name, entry in space.items()}
    assert set(setting) == {f"parameters.{name}" for name in fitting.GENERAL} | {
        f"areas.waste.{name}" for name in fitting.OPEN
    }
    again = fitting.setting_at(space, fitting.point_of(space, setting))
    assert again == pytest.approx(setting)
    for u in (0.0, 1.0):
        for name, value in fitting.setting_at(space, np.full(len(setting), u)).items():
            assert value == pytest.approx(space[name].high if u else space[name].low)
    with pytest.raises(InputError, match="no service area 'wast'; did you mean 'waste'"):
        fitting.search_space(network, ["wast"])


def test_the_search_finds_an_optimum_and_is_reproducible(network, monkeypatch):
    """On a loss whose optimum is known, far from the defaults."""
    space = fitting.search_space(network, ["waste"])

    def loss_of(_network, setting):
        return fitting.Loss(float(((fitting.point_of(space, setting) - 0.7) ** 2).sum()), 0.0, 0.0)

    monkeypatch.setattr(fitting, "loss_of", loss_of)
    seen = []
    first, again = (
        fitting.fit_network(
            network, space, rounds=30, threads=k, progress=lambda k, best: seen.append(best.total)
        )
        for k in (2, 1)
    )
    assert first == again
    assert np.abs(fitting.point_of(space, first) - 0.7).max() < 0.1
    assert seen[29] < 0.1 * seen[0]


def test_the_loss_is_less_where_the_model_is_closer(network, without_facts):
    """A setting in which nobody ever shares is worse than the defaults."""
    space = fitting.search_space(network)
    setting = {name: entry.default for name, entry in space.items()}
    usual = fitting.loss_of(network, setting)
    nobody = fitting.loss_of(network, setting | {"parameters.decision_speed": 0.0})
    assert usual == fitting.loss_of(network, setting)
    assert nobody.structure > usual.structure
    assert nobody.pairs > usual.pairs > 0.0


def test_the_command_fits_a_scenario(towns, tmp_path, monkeypatch, without_facts):
    monkeypatch.setattr(fitting, "BATCH", 2)
    monkeypatch.setattr(fitting, "BEST", 1)
    done = kolabsim(
        "calibrate", "--scenario", towns / "towns.yaml", "--bodies", towns / "bodies.csv",
        "--held-out", "East", "--area", "waste", "--rounds", 1, "--out", "c", folder=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "c" / "fitted.yaml").read_text(encoding="utf-8").splitlines()
    names = [line.partition(":")[0] for line in lines]
    assert names[0] == "parameters.attention_base"
    assert names[-1] == "areas.waste.haul"


# The samples that were used to develop the model ------------------------------------------------

SAMPLES = os.environ.get("KOLABSIM_SAMPLES", "")


@pytest.mark.long
@pytest.mark.skipif(not SAMPLES, reason="KOLABSIM_SAMPLES names no folder of samples")
def test_two_samples_of_real_regions(tmp_path):
    """A quick comparison gives the values that were published for it."""
    import subprocess

    tool = Path(__file__).parents[2] / "tools" / "validation_samples.py"
    subprocess.run([sys.executable, tool, SAMPLES, tmp_path], check=True)
    dutch = tmp_path / "netherlands"
    network = n.load_network(
        dutch / "scenario.yaml", dutch / "bodies.csv", held_out=["Drenthe", "Zuid-Holland"]
    )
    fit = n.compare_network(network, runs=n.QUICK)
    assert [round(one.score("model").auc[0], 3) for one in fit.pairs] == [0.876, 0.873]
    assert [round(one.score("regression").auc[0], 3) for one in fit.pairs] == [0.887, 0.885]
    indonesian = tmp_path / "indonesia"
    network = n.load_network(indonesian / "scenario.yaml", indonesian / "bodies.csv")
    fit = n.compare_network(network, runs=n.QUICK // 4)
    assert fit.mean_rank() == pytest.approx((0.666, 0.934), abs=5e-4)
