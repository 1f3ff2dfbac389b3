"""Parts hold the runs of several points, no more than is needed, and every column is read back."""

import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kolabsim as ks
from kolabsim.model.measures import MEASURES, RATIO
from kolabsim.study.parts import (
    DERIVED,
    KINDS,
    parquet_bytes,
    part_table,
    read_part,
    stored_columns,
    with_derived,
)

EXACT = 2.0**-24
"""Largest error of a 32-bit float, relative to its value."""


@pytest.fixture(scope="module")
def results():
    """Strategies with costs for each payer, and one without any."""
    scenario = ks.Scenario.load("kartamantul").with_({"horizon": 12})
    return ks.simulate(scenario, runs=4, seed=3)


@pytest.mark.parametrize("kind", ["quarters", "regions"])
def test_columns_that_are_left_out_follow_from_those_that_are_stored(kind, results):
    import pyarrow as pa

    table = getattr(results, kind)
    names = list(DERIVED[kind])
    assert names
    stored = stored_columns(kind, [name for name in table if table[name].dtype == np.float64])
    found = with_derived(pa.Table.from_pandas(table[stored]), kind, names).to_pandas()
    for name in names:
        parts = table[list(DERIVED[kind][name].parts)].abs().max().max()
        scale = 1.0 if MEASURES[name].figure == RATIO else parts
        np.testing.assert_allclose(found[name], table[name], rtol=1e-6, atol=1e-6 * scale)


def test_every_ratio_of_two_measures_is_derived():
    assert {name for name, one in MEASURES.items() if one.figure == RATIO} <= set(
        DERIVED["quarters"]
    )


def stored(kind, blocks, values, names):
    axes = {"runs": {}, "quarters": {"quarter": None}, "regions": {"region": "ab", "area": "c"}}
    return part_table(kind, blocks, axes[kind], names, values)


@st.composite
def some_runs(draw):
    """A kind, some blocks with runs, and values for them, ordinary or not."""
    kind = draw(st.sampled_from(KINDS))
    blocks = [
        (name, np.arange(first, first + draw(st.integers(1, 5))))
        for name, first in draw(
            st.lists(
                st.tuples(st.sampled_from(["x", "y", "z"]), st.sampled_from([0, 10, 20])),
                min_size=1, max_size=5, unique=True,
            )
        )
    ]  # fmt: skip
    runs = sum(len(numbers) for _name, numbers in blocks)
    shape = {"runs": (), "quarters": (3,), "regions": (2, 1)}[kind]
    odd = st.sampled_from([0.0, -0.0, np.nan, 1e-300, 1e300, 1.0, 1 / 3])
    values = np.random.default_rng(draw(st.integers(0, 99))).normal(size=(runs, *shape, 4))
    values[..., 3] = draw(odd)
    return kind, blocks, values


@given(some_runs())
def test_what_is_read_is_what_was_written_in_the_precision_of_its_kind(tmp_path_factory, some):
    kind, blocks, values = some
    names = ["one", "two", "three", "four"]
    path = tmp_path_factory.mktemp("part") / "part.parquet"
    path.write_bytes(parquet_bytes(stored(kind, blocks, values, names)))
    found = read_part(path, kind, ["block", "run", *names]).to_pandas()
    each = int(np.prod(values.shape[1:-1]))
    assert found["run"].tolist() == [n for _, runs in blocks for n in runs for _ in range(each)]
    assert found["block"].tolist() == [b for b, runs in blocks for _ in range(len(runs) * each)]
    with np.errstate(over="ignore"):
        expected = values.reshape(-1, 4).astype(np.float64 if kind == "runs" else np.float32)
    np.testing.assert_array_equal(found[names].to_numpy(), expected)
    assert (np.signbit(found["four"]) == np.signbit(expected[:, 3])).all()


@given(some_runs(), st.integers(0, 5))
def test_the_bytes_of_a_part_do_not_depend_on_how_its_blocks_came_together(some, at):
    import pyarrow as pa

    kind, blocks, values = some
    names = ["one", "two", "three", "four"]
    at = min(at, len(blocks))
    cut = sum(len(runs) for _name, runs in blocks[:at])
    pieces = [
        stored(kind, some_blocks, part, names)
        for some_blocks, part in ((blocks[:at], values[:cut]), (blocks[at:], values[cut:]))
        if some_blocks
    ]
    whole = parquet_bytes(stored(kind, blocks, values, names))
    assert parquet_bytes(pa.concat_tables(pieces)) == whole


def test_quarters_take_less_than_half_the_room_of_64_bit_floats(results):
    table = results.quarters
    names = [name for name in table if table[name].dtype == np.float64]
    values = table[names].to_numpy().reshape(-1, 12, len(names))
    blocks = [("x", np.arange(len(values)))]
    stream = io.BytesIO()
    pd.DataFrame(table[names]).to_parquet(stream, compression="zstd")
    part = parquet_bytes(stored("quarters", blocks, values, names))
    assert len(part) < 0.5 * len(stream.getvalue())
