from __future__ import annotations

import math
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kolabsim.model import rng
from kolabsim.model.rng import Key
from tests.builders import Run, make_scenario, region_rows

WORD = st.integers(0, 2**32 - 1)
PURPOSES = [name for name, value in vars(rng).items() if name.isupper() and type(value) is int]
PURPOSES.remove("ONLY")

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
    return Run(make_scenario(region_rows(2000), areas={"roads": {}, "water": {}, "waste": {}}))


def moments(values: np.ndarray) -> tuple[float, float]:
    return float(values.mean()), float(values.std())


def test_what_no_table_gives_is_drawn_as_the_specification_says(large: Run) -> None:
    s, n = large.state, len(large.state.region)
    near = 4 / math.sqrt(n)
    # Beta(3, 3): mean 1/2, variance 1/28; Beta(2, 6): mean 1/4, variance 1/48.
    assert moments(s.region["autonomy"]) == pytest.approx((0.5, 28**-0.5), abs=near * 0.19)
    assert moments(s.region["goodwill"]) == pytest.approx((0.25, 48**-0.5), abs=near * 0.15)
    # Dirichlet(2, 2, 2): mean 1/3, variance (1/3)(2/3)/7.
    interest = s.slot["interest"]
    assert interest.sum(axis=1) == pytest.approx(np.ones(n), abs=1e-12)
    for a in range(3):
        assert moments(interest[:, a]) == pytest.approx((1 / 3, (2 / 63) ** 0.5), abs=near * 0.18)
    # Normal(.3, .2), clipped at 0: 6.7 % of regions have no stress at all.
    assert np.median(s.region["stress"]) == pytest.approx(0.3, abs=near * 0.3)
    assert (s.region["stress"] == 0).mean() == pytest.approx(0.0668, abs=near * 0.25)
    # clip(.6 + .04 ln(N / median) + Normal(0, .1)), on its own in each area.
    size = np.log(s.region["population"] / np.median(s.region["population"]))
    rest = s.slot["capacity"] - 0.6 - 0.04 * size[:, None]
    assert moments(rest) == pytest.approx((0.0, 0.1), abs=near * 0.1)
    assert abs(np.corrcoef(rest.T)[np.triu_indices(3, 1)]).max() < near
    # Three dimensions of culture, scaled to mean 0 and variance 1.
    first = s.sums.shape[1] - 3 - 3
    culture = s.sums[: 3 * n : 3, first : first + 3]
    assert culture.mean(axis=0) == pytest.approx(np.zeros(3), abs=1e-12)
    assert culture.var(axis=0, ddof=1) == pytest.approx(np.ones(3), abs=1e-12)
    # clip(.5 - .08 (d - 1) + Normal(0, .08)): trust follows culture, and not only that.
    target = s.contact["target"]
    source = np.repeat(np.arange(n), s.region["end"] - s.region["first"])
    apart = ((culture[source] - culture[target]) ** 2).sum(axis=1) / 6
    rest = s.contact["trust"] - 0.5 + 0.08 * (apart - 1)
    assert moments(rest) == pytest.approx((0.0, 0.08), abs=4 * 0.08 / math.sqrt(len(rest)))
    assert s.region["commitment"].tolist() == s.region["reputation"].tolist() == [0.6] * n


def test_what_a_table_gives_is_not_drawn() -> None:
    rows = region_rows(4)
    for i, row in enumerate(rows):
        row |= {"capacity": 0.2 * i, "stress": 0.1 * i, "culture_1": float(i)}
        row |= {"interest_roads": 1.0 + i, "interest_water": 1.0}
    run = Run(make_scenario(rows))
    given = np.array([[0.2 * i] * 2 for i in range(4)])
    assert run.slot("capacity") == pytest.approx(given, abs=1e-12)
    assert run.region("stress").tolist() == pytest.approx([0.1 * i for i in range(4)], abs=1e-12)
    shares = [[(1 + i) / (2 + i), 1 / (2 + i)] for i in range(4)]
    assert run.slot("interest") == pytest.approx(np.array(shares), abs=1e-12)
    first = run.state.sums.shape[1] - 2 - 3
    given = run.state.sums[:8:2, first]
    assert given == pytest.approx((np.arange(4) - 1.5) / math.sqrt(5 / 3), abs=1e-12)


def test_what_others_are_does_not_hang_on_one_more_region() -> None:
    """Its place aside: culture is scaled, and capacity starts, from figures of all regions."""
    rows = region_rows(6)
    more = [{"code": "A0", "population": 9_000, "latitude": 0.05, "longitude": 0.05, "tier": "x"}]
    small, large = Run(make_scenario(rows)), Run(make_scenario(more + rows))
    for name in ("autonomy", "goodwill", "stress"):
        assert (small.region(name) == large.region(name)[1:]).all()
    assert (small.slot("interest") == large.slot("interest")[1:]).all()
    median = [np.median([row["population"] for row in some]) for some in (rows, more + rows)]
    shift = 0.04 * math.log(median[0] / median[1])
    assert large.slot("capacity")[1:] == pytest.approx(small.slot("capacity") + shift, abs=1e-12)


def test_a_run_draws_the_same_regions_under_every_strategy() -> None:
    scenario = make_scenario(6)
    one, other = (Run(scenario, name, seed=3, run=5) for name in ("voluntary", "full_package"))
    for name in ("autonomy", "goodwill", "stress", "commitment"):
        assert (one.region(name) == other.region(name)).all()
    assert (one.slot("capacity") == other.slot("capacity")).all()
    assert one.trust() == other.trust()
    assert one.trust() != Run(scenario, seed=3, run=6).trust()
    assert one.trust() != Run(scenario, seed=4, run=5).trust()
