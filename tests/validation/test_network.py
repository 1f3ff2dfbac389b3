"""Real networks: on small samples whose figures are known by hand."""

import csv
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from kolabsim.errors import InputError, Problems
from kolabsim.model.state import NOBODY
from kolabsim.scenario.scenario import shipped
from kolabsim.scenario.source import read_yaml
from kolabsim.validation import choosing, netherlands
from kolabsim.validation import network as n
from kolabsim.validation.indonesia import (
    Body,
    Nation,
    NationRuns,
    gains,
    judge_nation,
    rank_bodies,
    rank_share,
    read_indonesia,
)
from tests.terminal import kolabsim

PROVINCES = ("Gelderland", "Overijssel", "Drenthe")


def write(path, head, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *rows])


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def data(tmp_path):
    """Thirty towns on a line through three provinces, ten of a province, five kilometres apart."""
    folder = tmp_path / "data" / "netherlands"
    codes = [f"{k:04d}" for k in range(1, 31)]
    luck = np.random.default_rng(4)
    head = [
        netherlands.CODE, "name", "province", "population_2014", "centroid_lat", "centroid_lon",
        *(f"vote_share_pct_{party}" for party in "abcd"),
    ]  # fmt: skip
    towns = [
        [c, f"T{c}", PROVINCES[k // 10], 20_000 + 3_000 * (k % 7), 52.0, 5.0 + 0.073 * k,
         *luck.dirichlet(np.ones(4)).round(3)]
        for k, c in enumerate(codes)
    ]  # fmt: skip
    write(folder / "municipalities.csv", head, towns)
    write(folder / "adjacency.csv", ["code_a", "code_b", "shared_border_km", "distance_km"],
          [[a, b, 3.0, 5.0] for a, b in pairwise(codes)])  # fmt: skip
    write(
        folder / "bodies.csv",
        ["body_id", "service_area", "n_municipalities", "statutory_region", "dissolved_flag",
         "possible_duplicate_of"],
        [["A", "waste", 4, "no", "no", ""], ["B", "waste", 2, "no", "no", ""],
         ["C", "waste", 2, "no", "no", ""], ["D", "tax_collection", 3, "yes", "no", ""],
         ["E", "tax_collection", 3, "no", "yes", ""], ["F", "tax_collection", 3, "no", "no", "A"],
         ["G", "tax_collection", 17, "no", "no", ""], ["H", "tax_collection", 2, "no", "no", ""],
         ["I", "archives", 4, "no", "no", ""], ["J", "social_services", 3, "no", "no", ""],
         ["K", "sheltered_employment", 5, "no", "no", ""],
         ["L", "social_services", 3, "no", "no", ""]],
    )  # fmt: skip
    members = {
        "A": codes[0:4], "B": codes[3:5], "C": codes[5:7], "D": codes[:3], "E": codes[:3],
        "F": codes[:3], "G": codes[:17], "H": [codes[0], "9999"], "I": codes[:4],
        "J": codes[10:13], "K": codes[8:13], "L": codes[21:24],
    }  # fmt: skip
    write(folder / "memberships.csv", ["body_id", netherlands.CODE],
          [[body, c] for body, who in members.items() for c in who])  # fmt: skip
    districts = tmp_path / "data" / "indonesia"
    head = [
        "code", "name", "province", "island_group", "autonomous", "population_registered_2025",
        "centroid_lat", "centroid_lon", "hdi_2021", "poverty_rate_pct_2021",
    ]  # fmt: skip
    rows = [
        [f"33.{k:02d}", f"Kabupaten {k}", "Jawa Tengah", "Jawa", "yes", 900_000, -7.0,
         110.0 + 0.3 * k, 70.0, 12.0]
        for k in range(1, 9)
    ]  # fmt: skip
    rows += [
        ["31.71", "Jakarta Pusat", "DKI Jakarta", "Jawa", "no", 1_000_000, -6.2, 106.8, 80, 4],
        ["31.72", "Jakarta Utara", "DKI Jakarta", "Jawa", "no", 3_000_000, -6.0, 106.9, 84, 8],
    ]
    write(districts / "districts.csv", head, rows)
    write(districts / "adjacency.csv", ["code_a", "code_b"],
          [["33.01", "33.02"], ["31.71", "31.72"]])  # fmt: skip
    write(districts / "island_nearest.csv", ["code", "nearest_code"], [["33.08", "31.72"]])
    write(districts / "cooperation_bodies.csv", ["body", "voluntary", "service_areas"],
          [["Dua", "yes", "roads;waste;transport"], ["Rencana", "no", "waste"],
           ["Wisata", "yes", "tourism"], ["Satu", "mixed", "drinking_water"]])  # fmt: skip
    write(districts / "cooperation_memberships.csv", ["body", "district_code"],
          [["Dua", "33.01"], ["Dua", "33.02"], ["Dua", "33.01"], ["Rencana", "33.03"],
           ["Rencana", "33.04"], ["Satu", "33.05"], ["Satu", "33.06"]])  # fmt: skip
    return tmp_path / "data"


@pytest.fixture
def sample(data):
    return netherlands.read_netherlands(data)


# Reading ------------------------------------------------------------------------------------------


def test_the_largest_body_counts_and_what_is_left_out_is_told(sample):
    names = list(sample.scenario.areas)
    waste = sample.bodies[:, names.index("waste")]
    assert len(set(waste[0:4])) == 1, "the body of four holds the town that is in two"
    assert waste[0] != NOBODY
    assert waste[4] == NOBODY, "who is left by itself is in none"
    assert waste[5] == waste[6] != NOBODY
    assert (sample.bodies[:, names.index("finance")] == NOBODY).all()
    assert sample.left_out == {
        "prescribed by law": 1, "dissolved": 1, "listed twice": 1,
        "of more members than the model allows": 1, "of fewer than two members in the sample": 1,
    }  # fmt: skip
    assert sample.held.sum() == sample.thin.sum() == 10
    assert np.flatnonzero(sample.held).tolist() == list(range(20, 30))


def test_regions_have_people_places_neighbours_and_political_culture(sample):
    regions = sample.scenario.regions
    assert regions.population[1] == 23_000
    assert regions.tier[10] == "Overijssel"
    land = sample.task.world.contact["land"]
    assert land.sum() == 2 * 29
    np.testing.assert_allclose(regions.culture.std(axis=0), 1.0)
    np.testing.assert_allclose(np.corrcoef(regions.culture.T), np.eye(3), atol=1e-9)


def test_components_are_of_centred_shares():
    votes = np.array([[10.0, 20, 70], [20, 20, 60], [30, 20, 50], [40, 20, 40]])
    first = netherlands.components(np.column_stack([votes, votes[:, ::-1] ** 2]))[:, 0]
    assert abs(np.corrcoef(first, votes[:, 0])[0, 1]) > 0.99


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("municipalities.csv", "province", "provinz", "no column 'province'"),
        ("municipalities.csv", "20000", "20.000 people", "not a number"),
        ("bodies.csv", "statutory_region", "statutory", "no column 'statutory_region'"),
        ("adjacency.csv", "distance_km", "km", "no column 'distance_km'"),
    ],
)
def test_what_is_wrong_with_a_sample_is_told(data, file, old, new, told):
    path = data / "netherlands" / file
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(InputError, match=told):
        netherlands.read_netherlands(data)


def test_a_folder_without_samples_is_refused_before_anything_runs(tmp_path):
    done = kolabsim("evidence", "--data", tmp_path / "nowhere", folder=tmp_path)
    assert done.returncode == 2
    assert "does not hold municipalities.csv" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "results").exists()


# Pairs --------------------------------------------------------------------------------------------


def test_auc_and_bands_by_hand():
    y, score = np.array([1.0, 0, 1, 0, 0]), np.array([0.9, 0.8, 0.7, 0.2, 0.1])
    # Of six pairs of one that shares and one that does not, all but (.7 against .8) are in order.
    assert n.auc(y, score) == pytest.approx(5 / 6)
    assert np.isnan(n.auc(np.ones(3), score[:3]))
    # Precision at the two that share: 1 and 2/3.
    one = n.pair_score("x", y, score, np.array([5.0, 5, 15, 15, 45]))
    assert one.precision == pytest.approx((1 + 2 / 3) / 2)
    assert one.bands[:2] == (1.0, 1.0)
    assert np.isnan(one.bands[2])


def test_ties_are_within_a_body_only():
    bodies = np.array([[3, NOBODY], [3, 1], [4, NOBODY], [NOBODY, 1]])
    pairs = np.array([[0, 1], [0, 2], [1, 3], [2, 3]])
    assert n.tied(bodies, pairs).tolist() == [
        [True, False], [False, False], [False, True], [False, False],
    ]  # fmt: skip
    apart = np.full_like(bodies, NOBODY)
    assert n.chances(np.array([bodies, apart]), pairs).tolist() == [0.5, 0.0, 0.5, 0.0]


def test_means_by_distance_by_hand():
    found = n.binned(np.array([1.0, 4.0, 12.0]), np.array([1.0, 0.0, 1.0]))
    np.testing.assert_allclose(found, [[2.5, 12.5], [2, 1], [0.5, 1.0]])


def test_a_regression_predicts_each_part_from_the_others():
    """Pure noise that the parts would learn by heart gives no skill."""
    luck = np.random.default_rng(8)
    y = (luck.random(400) < 0.4).astype(float)
    noise = [luck.standard_normal(400) for _column in range(30)]
    assert n.auc(y, n.regression(y, noise)) < 0.6
    signal = y + 0.5 * luck.standard_normal(400)
    assert n.auc(y, n.regression(y, [signal, *noise])) > 0.85


def test_who_knows_everything_beats_the_regression(sample):
    pairs = sample.pairs
    truth = n.tied(sample.bodies, pairs.rows).any(axis=1).astype(float)
    group = next(iter(sample.groups()))
    judged = n.judge_pairs(sample, truth, group)
    assert judged.scores[0].auc == 1.0
    assert judged.gap[0] > 0.0
    assert judged.gap[1] <= judged.gap[0] <= judged.gap[2]
    assert judged.pairs == pairs.within(~sample.held).sum()


def test_nothing_that_is_fitted_sees_a_province_that_is_only_scored(sample, monkeypatch):
    monkeypatch.setattr(choosing, "misfit", lambda *_args, **_more: 0.0)
    other = sample.bodies.copy()
    other[sample.held] = NOBODY
    changed = replace(sample, bodies=other)
    setting = {name: entry.default for name, entry in choosing.SOUGHT.items()}
    assert choosing.loss_of(sample, setting) == choosing.loss_of(changed, setting)
    chance = np.random.default_rng(1).random(len(sample.pairs.rows))
    for group in list(sample.groups())[:2]:
        one, two = (n.judge_pairs(of, chance, group) for of in (sample, changed))
        np.testing.assert_equal(one, two)


# Structure ----------------------------------------------------------------------------------------


def test_structure_by_hand():
    # Area 0: bodies {0, 1, 2} and {3, 4}; area 1: {2, 3}; region 5 alone.
    bodies = np.array([[0, -1], [0, -1], [0, 7], [1, 7], [1, -1], [-1, -1]])
    found = n.structure(bodies)
    assert found["share.0"] == pytest.approx(5 / 6)
    assert found["size.0"] == 2.5
    assert (found["share.1"], found["size.1"]) == (pytest.approx(2 / 6), 2.0)
    # Partners: 2, 2, 3, 2, 1, 0. Triples 1+1+3+1 = 6, closed 3 (one triangle).
    assert found["partners"] == pytest.approx(10 / 6)
    assert found["isolates"] == pytest.approx(1 / 6)
    assert found["transitivity"] == pytest.approx(3 / 6)
    # Sorted 0 1 2 2 2 3, ranks weighted -5 -3 -1 1 3 5: 18; over 6 x 10.
    assert found["degree_gini"] == pytest.approx(18 / 60)


def test_sizes_of_bodies_by_hand():
    bodies = np.array([[0, -1], [0, -1], [0, 7], [1, 7], [1, -1]])
    found = n.shares_by_size([bodies])
    assert found[2] == pytest.approx(2 / 3)
    assert found[3] == pytest.approx(1 / 3)
    assert found.sum() == pytest.approx(1.0)


def test_the_observed_network_is_no_distance_from_itself(sample):
    group = next(iter(sample.groups()))
    judged = n.judge_structure(sample, np.array([sample.bodies] * 5), group)
    assert judged.apart[0] == judged.apart_ties[0] == 0.0
    assert judged.apart[1] > 0.0
    np.testing.assert_allclose(judged.sizes[0], judged.sizes[1])


def test_drawn_ties_are_as_many_as_observed(sample):
    """A logistic regression with a constant keeps the number of ties."""
    rows = ~sample.held
    drawn = list(n.drawn_ties(sample, rows, 300, seed=2))
    observed = n.structure(sample.bodies[rows])
    mean = np.mean([one["partners"] for one in drawn])
    assert mean == pytest.approx(observed["partners"], rel=0.1)


def test_effects_of_what_is_observed_agree_with_themselves(sample):
    group = next(iter(sample.groups()))
    effects = n.judge_effects(sample, np.array([sample.bodies] * 3), group)
    assert {one.name for one in effects} == {"land", "near", "size", "tier", "alike"}
    near = next(one for one in effects if one.name == "near")
    assert near.model == pytest.approx((near.observed[0],) * 3)
    assert near.agrees
    assert near.observed[0] > 0.0


# Choosing -----------------------------------------------------------------------------------------


def test_a_point_is_a_setting_and_back():
    setting = {name: entry.default for name, entry in choosing.SOUGHT.items()}
    again = choosing.setting_at(choosing.point_of(setting))
    assert again == pytest.approx(setting)
    for u in (0.0, 1.0):
        for name, value in choosing.setting_at(np.full(len(setting), u)).items():
            entry = choosing.SOUGHT[name]
            assert value == pytest.approx(entry.high if u else entry.low)


def test_a_choice_is_better_than_the_defaults_and_the_same_whenever_made(sample, monkeypatch):
    monkeypatch.setattr(choosing, "misfit", lambda *_args, **_more: 0.0)
    monkeypatch.setattr(choosing, "BATCH", 12)
    monkeypatch.setattr(choosing, "BEST", 3)
    first, again = (choosing.choose(sample, rounds=4, threads=k) for k in (2, 1))
    assert first == again
    start = {name: entry.default for name, entry in choosing.SOUGHT.items()}
    assert choosing.loss_of(sample, first).all < choosing.loss_of(sample, start).all


def test_what_is_open_and_general_is_what_ships():
    """The scenario states every attribute that was chosen, and no parameter that was not."""
    tree = read_yaml(shipped("scenarios") / "netherlands.yaml", Problems())
    for name in choosing.OPEN:
        assert tree.get(*name.split(".")) is not None, name
    assert set(tree.get("parameters").plain()) == set(choosing.GENERAL)


# Indonesia ----------------------------------------------------------------------------------------


@pytest.fixture
def nation(data) -> Nation:
    return read_indonesia(data)


def test_jakarta_is_one_government(nation):
    regions = nation.scenario.regions
    assert len(regions) == 9
    i = regions.codes.index("31")
    assert regions.names[i] == "DKI Jakarta"
    assert regions.population[i] == 4_000_000
    assert regions.latitude[i] == pytest.approx((-6.2 + 3 * -6.0) / 4)
    # HDI 83: (83 - 53.4) / (82.1 - 53.4) is beyond 1, so capacity is at its upper end.
    assert regions.capacity[i, 0] == pytest.approx(0.8)
    pairs = {(row.code_a, row.code_b, row.land) for row in nation.scenario.contacts.list}
    assert pairs == {("33.01", "33.02", True), ("31", "33.08", False)}


def test_only_voluntary_bodies_of_infrastructure_are_ranked(nation):
    assert nation.bodies == (
        Body("Dua", ("waste", "transport"), ("33.01", "33.02")),
        Body("Satu", ("drinking_water",), ("33.05", "33.06")),
    )


def test_ranks_by_hand(nation):
    assert rank_share(np.array([0.5, 0.1, 0.9, 0.5]), np.array([True, False, False, False])) == (
        pytest.approx(1.5 / 3)
    )
    bodies = np.full((2, 9, len(nation.scenario.areas)), NOBODY)
    row = {code: i for i, code in enumerate(nation.scenario.regions.codes)}
    waste = list(nation.scenario.areas).index("waste")
    bodies[0, [row["33.01"], row["33.02"]], waste] = 0
    found = {one.body.name: one for one in rank_bodies(nation, NationRuns(bodies, None))}
    assert found["Dua"].model == 1.0
    assert (found["Dua"].pairs, found["Dua"].among) == (1, 28)
    assert found["Satu"].model == pytest.approx(0.5), "nobody shares water: all tie"
    # Seven pairs lie as near as theirs (.3 degrees), all others further.
    assert found["Satu"].distance == pytest.approx((21 + 6 / 2) / 27, abs=0.13)


def test_gains_are_of_those_who_share(nation):
    judged = judge_nation(nation, runs=3)
    areas = list(nation.scenario.areas)
    found = gains(judged.together, areas, np.ones(9, bool))
    shares = [one for one in found if one.sharing > 0.0]
    assert shares
    for one in shares:
        assert one.benefit == pytest.approx(sum(one.channels.values()), abs=1e-6)
    assert judged.runs == 3
    assert 0.0 <= min(judged.mean_rank) <= max(judged.mean_rank) <= 1.0


# From the outside ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lang", "words"),
    [("en", ("A real network", "Indonesia: known bodies", "only scored")),
     ("id", ("Jaringan nyata", "Indonesia: badan yang dikenal", "hanya dinilai"))],
)  # fmt: skip
def test_the_page_tells_of_real_regions(data, tmp_path, lang, words):
    done = kolabsim(
        "evidence", "--runs", 2, "--quick", "--data", data, "--out", "ev", "--lang", lang,
        folder=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "ev" / "evidence.html").read_text(encoding="utf-8")
    for word in words:
        assert word in page
    assert page.count("<svg") == 2
    rows = read(tmp_path / "ev" / "network.csv")
    assert {row["kind"] for row in rows} >= {"auc", "structure", "log odds"}
    each = read(tmp_path / "ev" / "indonesia-gains.csv")
    assert len(each) == 2 * 9 * 8
    assert (tmp_path / "ev" / "indonesia-bodies.csv").is_file()
