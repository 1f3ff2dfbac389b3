from __future__ import annotations

import math
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kolabsim.model import rng
from kolabsim.model.jit import compiled
from kolabsim.model.rng import Key
from kolabsim.model.state import CULTURE, DIMENSIONS
from tests.builders import Run, make_scenario, region_rows

WORD = st.integers(0, 2**32 - 1)
PURPOSES = [name for name, value in vars(rng).items() if name.isupper() and type(value) is int]
for other in ("ONLY", "ATTEMPTS"):
    PURPOSES.remove(other)

# Philox4x32-10: known answers that its authors publish with Random123 (file kat_vectors).
KNOWN = [
    ([0] * 4, [0] * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ([2**32 - 1] * 4, [2**32 - 1] * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
]


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN)
def test_philox_gives_its_known_answers(counter, key, words) -> None:
    found = rng.philox(*(np.uint64(n) for n in (*counter, *key)))
    assert " ".join(f"{int(word):08x}" for word in found) == words


def philox(counter: list[int], key: list[int]) -> list[int]:
    """The same in Python's own numbers, from the paper's description of a round."""
    c, k = list(counter), list(key)
    for _ in range(10):
        low, high = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [high >> 32 ^ c[1] ^ k[0], high % 2**32, low >> 32 ^ c[3] ^ k[1], low % 2**32]
        k = [(k[0] + 0x9E3779B9) % 2**32, (k[1] + 0xBB67AE85) % 2**32]
    return c


@given(st.integers(0, 2**63 - 1), WORD, st.integers(0, 399), WORD, WORD, st.integers(0, 40))
def test_an_address_is_the_counter_and_the_seed_the_key(seed, run, quarter, i, j, area) -> None:
    purpose = rng.NOTICE
    counter = [i, j, quarter + (purpose << 16) + ((area // 4) << 24), run]
    word = philox(counter, [seed % 2**32, seed >> 32])[area % 4]
    found = rng.uniform_by_area(Key(seed, run, quarter), purpose, i, j, area)
    assert found == (word + 0.5) / 2**32
    assert 0 < found < 1


def test_each_purpose_has_its_own_number() -> None:
    numbers = [getattr(rng, name) for name in PURPOSES]
    assert sorted(numbers) == list(range(len(numbers)))
    assert len(numbers) < 256


def test_no_part_of_an_address_is_without_effect() -> None:
    start = {"seed": 1, "run": 2, "quarter": 3, "purpose": 4, "i": 5, "j": 6, "area": 7}

    def draw(address: dict[str, int]) -> float:
        key = Key(address["seed"], address["run"], address["quarter"])
        places = (address[name] for name in ("purpose", "i", "j", "area"))
        return rng.uniform_by_area(key, *places)

    found = {draw(start)} | {draw(start | {part: value + 1}) for part, value in start.items()}
    found |= {draw(start | {"seed": 1 + 2**32}), draw(start | {"i": 6, "j": 5})}
    assert len(found) == len(start) + 3


def many(kind, *, number: int = 20_000) -> np.ndarray:
    key = Key(0, 0, 0)  # 0 is a seed like any other
    return np.array([kind(key, rng.NOTICE, i, 7, i % 8) for i in range(number)])


def test_numbers_are_uniform() -> None:
    from scipy.stats import kstest

    values = many(rng.uniform_by_area)
    assert kstest(values, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(values[1:], values[:-1])[0, 1]) < 4 / math.sqrt(len(values))


def test_numbers_are_normal() -> None:
    from scipy.stats import kstest

    values = many(rng.normal_by_area)
    assert kstest(values, "norm").pvalue > 1e-3
    assert abs(np.corrcoef(values[1:], values[:-1])[0, 1]) < 4 / math.sqrt(len(values))


@given(st.integers(0, 2**62), WORD, st.integers(0, 11))
def test_both_ways_to_a_normal_number_give_the_same(seed, i, area) -> None:
    key = Key(seed, 0, 0)
    four = rng.normals(rng.words(key, rng.ERROR, area // 4, i, i))
    assert rng.normal_by_area(key, rng.ERROR, i, i, area) == four[area % 4]


@compiled
def gamma_numbers(key, purpose, numbers, shape):
    """One number for each of these regions and places; only compiled code can draw it."""
    found = np.empty(len(numbers))
    for k in range(len(numbers)):
        found[k] = rng.gamma(key, purpose, numbers[k, 0], numbers[k, 1], shape)
    return found


@pytest.mark.parametrize("shape", [0.25, 0.5, 1.0, 2.0, 8.0])
def test_numbers_are_gamma(shape) -> None:
    from scipy.stats import gamma, kstest

    numbers = np.array([[i, i % 5] for i in range(20_000)])
    values = gamma_numbers(Key(0, 0, 0), rng.INTERESTS, numbers, shape)
    assert kstest(values, gamma(shape).cdf).pvalue > 1e-3
    assert abs(np.corrcoef(values[1:], values[:-1])[0, 1]) < 4 / math.sqrt(len(values))


def test_gamma_numbers_differ_by_region_place_and_purpose() -> None:
    numbers = np.array([[7, 0], [7, 1], [8, 0]])
    found = [
        gamma_numbers(Key(1, 0, 0), purpose, numbers, 2.0)
        for purpose in (rng.INTERESTS, rng.PREFERENCES)
    ]
    assert len(np.unique(found)) == 6


# Regions ------------------------------------------------------------------------------------------


def collide(codes: list[str], monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Ids of codes under a hash that has but two values."""
    monkeypatch.setattr(zlib, "crc32", lambda text: 2**32 - 1 - len(text) % 2)
    return rng.region_ids(codes).tolist()


def test_ids_are_hashes_of_codes() -> None:
    codes = ["34.02", "34.04", "34.71"]
    assert rng.region_ids(codes).tolist() == [zlib.crc32(code.encode()) for code in codes]


def test_where_hashes_collide_the_later_code_takes_the_next_free_number(monkeypatch) -> None:
    top = 2**32 - 1
    assert collide(["a", "bb", "c", "d"], monkeypatch) == [top - 1, top, 0, 1]
    assert collide(["bb", "dd"], monkeypatch) == [top, 0]


def test_real_hashes_of_codes_collide_and_are_told_apart() -> None:
    # Two words of which it is known that crc32 gives the same number.
    assert zlib.crc32(b"plumless") == zlib.crc32(b"buckeroo")
    ids = rng.region_ids(["buckeroo", "plumless"])
    assert ids[1] == ids[0] + 1


# What regions are ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def large() -> Run:
    areas = {"roads": {}, "water": {}, "waste": {}}
    spread = {"capacity_spread": 0.08, "reputation_start": 0.77}
    return Run(make_scenario(region_rows(2000), areas=areas, parameters=spread))


def moments(values: np.ndarray) -> tuple[float, float]:
    return float(values.mean()), float(values.std())


def culture(run: Run) -> np.ndarray:
    """Culture of all regions [R, 3]."""
    s = run.state
    return s.sums[: s.slot.size : s.slot.shape[1], CULTURE : CULTURE + DIMENSIONS]


def test_what_no_table_gives_is_drawn_as_the_specification_says(large: Run) -> None:
    s, n = large.state, len(large.state.region)
    near = 4 / math.sqrt(n)
    # Beta(3, 3): mean 1/2, variance 1/28; Beta(2, 6): mean 1/4, variance 1/48.
    assert moments(s.region["autonomy"]) == pytest.approx((0.5, 28**-0.5), abs=near * 0.19)
    assert moments(s.region["goodwill"]) == pytest.approx((0.25, 48**-0.5), abs=near * 0.15)
    # Beta(1.2, 2.8): mean .3, variance .3 x .7/5.
    assert moments(s.region["stress"]) == pytest.approx((0.3, 0.042**0.5), abs=near * 0.21)
    # Dirichlet(2, 2, 2): mean 1/3, variance (1/3)(2/3)/7.
    interest = s.slot["interest"]
    assert interest.sum(axis=1) == pytest.approx(np.ones(n), abs=1e-12)
    for a in range(3):
        assert moments(interest[:, a]) == pytest.approx((1 / 3, (2 / 63) ** 0.5), abs=near * 0.18)
    # clip(.6 + .04 ln(N / 26,000) + Normal(0, .08)), and practice Normal(0, 1), in each area.
    rest = s.slot["capacity"] - 0.6 - 0.04 * np.log(s.region["population"] / 26_000)[:, None]
    for values, spread in ((rest, 0.08), (s.slot["practice"], 1.0)):
        assert moments(values) == pytest.approx((0.0, spread), abs=near * spread)
        assert abs(np.corrcoef(values.T)[np.triu_indices(3, 1)]).max() < near
    # clip(.5 - .1 (d - 1) + Normal(0, .08)): trust follows culture, and not only that.
    target = s.contact["target"]
    source = np.repeat(np.arange(n), s.region["end"] - s.region["first"])
    apart = ((culture(large)[source] - culture(large)[target]) ** 2).sum(axis=1) / 6
    rest = s.contact["trust"] - 0.5 + 0.1 * (apart - 1)
    assert moments(rest) == pytest.approx((0.0, 0.08), abs=4 * 0.08 / math.sqrt(len(rest)))
    assert s.region["commitment"].tolist() == [0.6] * n
    assert s.region["reputation"].tolist() == [0.77] * n


def test_a_part_of_culture_lies_between_higher_tiers(large: Run) -> None:
    """Of a variance of 1, .7 lies within tiers; where there are none, all does."""
    found, tier = culture(large), large.region("tier")
    n = len(found)
    for t in set(tier):
        within = found[tier == t] - found[tier == t].mean(axis=0)
        assert within.std() == pytest.approx(math.sqrt(0.7), abs=4 / math.sqrt(n))
    alone = [{k: v for k, v in row.items() if k != "tier"} for row in region_rows(n)]
    found = culture(Run(make_scenario(alone, areas={"roads": {}})))
    assert moments(found) == pytest.approx((0, 1), abs=4 / math.sqrt(3 * n))
    # Between the names of 300 tiers of one region each: Normal(0, .3), by a whole part of 1.
    rows = [row | {"tier": f"tier {i}"} for i, row in enumerate(region_rows(300))]
    only = {"culture_between": 1.0}
    found = culture(Run(make_scenario(rows, areas={"roads": {}}, parameters=only)))
    assert moments(found) == pytest.approx((0, 1), abs=4 / math.sqrt(900))
    assert abs(np.corrcoef(found.T)[np.triu_indices(3, 1)]).max() < 4 / math.sqrt(300)


def test_two_random_regions_are_as_far_apart_as_the_reference_says(large: Run) -> None:
    """Distances of culture, interests and practice are 1 on average over pairs."""
    number = len(large.state.region)
    alone = [{k: v for k, v in row.items() if k != "tier"} for row in region_rows(number)]
    run = Run(make_scenario(alone, areas={"roads": {}, "water": {}, "waste": {}}))
    order = np.random.default_rng(1).permutation(number)
    for values, usual in (
        (culture(run), 6.0),
        (run.slot("interest"), 2 * (1 - 1 / 3) / 7),
        (run.slot("practice")[:, :1], 2.0),
    ):
        apart = ((values[order[::2]] - values[order[1::2]]) ** 2).sum(axis=1) / usual
        assert apart.mean() == pytest.approx(1, abs=4 * apart.std() / math.sqrt(len(apart)))


def test_what_a_table_gives_is_not_drawn() -> None:
    rows = region_rows(4)
    names = ("capacity", "stress", "goodwill", "autonomy")
    for i, row in enumerate(rows):
        row |= {name: 0.1 * i + 0.1 * k for k, name in enumerate(names)}
        row |= {"culture_1": float(i), "interest_roads": 1.0 + i, "interest_water": 1.0}
    run = Run(make_scenario(rows, parameters={"culture_spread": 0.5}))
    for k, name in enumerate(names):
        given = [0.1 * i + 0.1 * k for i in range(4)]
        found = run.slot(name).T[1] if name == "capacity" else run.region(name)
        assert found.tolist() == pytest.approx(given, abs=1e-12)
    shares = [[(1 + i) / (2 + i), 1 / (2 + i)] for i in range(4)]
    assert run.slot("interest") == pytest.approx(np.array(shares), abs=1e-12)
    # Half of one unit of its scale for each unit of the column; other dimensions are drawn.
    assert culture(run)[:, 0].tolist() == [0, 0.5, 1, 1.5]
    assert len(set(culture(run)[:, 1])) == 4


def test_what_others_are_does_not_hang_on_one_more_region() -> None:
    """To the last bit: nothing is scaled by, or compared with, the other regions of a table."""
    rows = region_rows(6)
    more = [{"code": "A0", "population": 9_000_000, "latitude": 60, "longitude": 9, "tier": "x"}]
    contacts = [("R000", "R001"), ("R001", "R005"), ("R002", "R003")]
    small, large = (
        Run(make_scenario(some, contacts=contacts, nearest=0)) for some in (rows, more + rows)
    )
    for name in ("autonomy", "goodwill", "stress"):
        assert (small.region(name) == large.region(name)[1:]).all()
    for name in ("interest", "capacity", "practice"):
        assert (small.slot(name) == large.slot(name)[1:]).all()
    assert (culture(small) == culture(large)[1:]).all()
    assert list(small.trust().values()) == list(large.trust().values())


def test_a_run_draws_the_same_regions_under_every_strategy() -> None:
    scenario = make_scenario(6)
    one, other = (Run(scenario, name, seed=3, run=5) for name in ("voluntary", "full_package"))
    for name in ("autonomy", "goodwill", "stress", "commitment"):
        assert (one.region(name) == other.region(name)).all()
    assert (one.slot("capacity") == other.slot("capacity")).all()
    assert (culture(one) == culture(other)).all()
    assert one.trust() == other.trust()
    assert one.trust() != Run(scenario, seed=3, run=6).trust()
    assert one.trust() != Run(scenario, seed=4, run=5).trust()


@given(st.floats(-60.0, 60.0))
def test_the_bound_is_never_below_the_logistic_function(odds: float) -> None:
    bound = rng.logistic_bound.py_func(odds)
    assert bound >= 1.0 / (1.0 + math.exp(-odds))
    if -2.0 < odds < 0.0:
        assert bound < 1.2 / (1.0 + math.exp(-odds)), "spares nothing"
