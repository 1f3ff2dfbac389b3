"""Published tables have exactly the columns that are declared, in every kind and every format."""

import json
import shutil

import pandas as pd
import pyarrow.parquet as pq
import pytest

from kolabsim.model.measures import MEASURES
from kolabsim.scenario.futures import plausible_futures
from kolabsim.study.experiment import Experiment
from kolabsim.study.export import FORMATS, read_column, read_published
from kolabsim.study.ledger import Ledger, hold
from kolabsim.study.tables import TABLES, Column, Terms
from tests.study.kinds import KINDS
from tests.terminal import kolabsim

CONDITIONAL = {"crossings", "failures", "drivers", "frontier", "same_money", "patterns"}
"""Tables that are there only if something went wrong, or only over many futures or on demand."""


def words_of(experiment: Experiment) -> dict[str, list[str]]:
    """What the words in capitals stand for in an experiment."""
    factors = [factor.name for factor in experiment.factors]
    return {
        "FACTOR": factors,
        "MEASURE": list(experiment.scenario.measures),
        "MOMENT": [f"{measure}@{quarter}" for measure, quarter in experiment.moments],
        "OUTCOME": [outcome.name for outcome in experiment.outcomes],
    }


def declared(name: str, experiment: Experiment) -> list[str]:
    words = words_of(experiment)
    if name == "futures":
        varied = experiment.kind in {"comparison", "search"}
        later = plausible_futures(int(varied), experiment.scenario).values()
        later = [setting for future in later for setting in future]
        seed = ("seed",) if experiment.kind == "sensitivity" else ()
        words["FACTOR"] = sorted({*words["FACTOR"], *later, *seed})
    return list(TABLES[name].names(words))


@pytest.mark.parametrize("kind", KINDS)
def test_each_file_has_exactly_the_declared_columns(kind, study):
    folder = study(kind)
    experiment = Experiment.load(folder / f"{kind}.yaml")
    ledger = Ledger.read(folder / "out")
    heads = {
        name: list(pd.read_csv(folder / "out" / name, nrows=0))
        for name in ledger.files
        if name.endswith(".csv") and "/" not in name
    } | {
        name: pq.read_schema(folder / "out" / name).names
        for name in ledger.files
        if name.endswith(".parquet") and "/" not in name
    }
    assert heads == {name: declared(name.partition(".")[0], experiment) for name in heads}
    expected = {
        file
        for table in TABLES.values()
        if kind in table.kinds and table.name not in CONDITIONAL
        for file in table.files
        if table.name != "runs" or kind == "comparison"
    }
    assert heads.keys() == expected


def exported(to: str, folder) -> dict[str, pd.DataFrame]:
    """The tables of an export, read as its users would read them."""
    if to in ("csv", "parquet"):
        read = pd.read_csv if to == "csv" else pd.read_parquet
        return {path.stem: read(path) for path in folder.iterdir()}
    if to == "xlsx":
        pytest.importorskip("openpyxl")
        return pd.read_excel(folder / "results.xlsx", sheet_name=None, engine="openpyxl")
    xarray = pytest.importorskip("xarray")
    data = xarray.load_dataset(folder / "results.nc")
    runs = data[[name for name in data if data[name].dims == ("strategy", "future", "run")]]
    found = {"runs": runs.to_dataframe().dropna(how="all").reset_index()}
    for dim in data.dims:
        if dim.endswith("_row"):
            table = data[[name for name in data if data[name].dims == (dim,)]].to_dataframe()
            found[dim.removesuffix("_row")] = table.rename(columns=lambda n: n.partition(".")[2])
    return found


@pytest.mark.parametrize("to", FORMATS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_exported_in_every_format_with_the_same_keys(kind, to, study, tmp_path):
    folder = study(kind) / "out"
    done = kolabsim("results", folder, "--to", to, "--out", "x", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    printed = {tmp_path / line for line in done.stdout.split()}
    assert printed == set((tmp_path / "x").iterdir())
    tables = exported(to, tmp_path / "x")
    ledger = Ledger.read(folder)
    stored = sum(
        span.end - span.first
        for name in ledger.files
        if name.endswith(".runs.parquet")
        for span in ledger.spans(name)
    )
    runs = tables["runs"].astype({"future": str})
    assert len(runs) == stored
    assert not runs.duplicated(["strategy", "future", "run"]).any()
    futures = set(tables["futures"]["future"].astype(str))
    assert set(runs["future"]) == futures == ledger.futures.keys()
    for name, table in tables.items():
        if "future" in table and name != "columns":
            assert set(table["future"].astype(str)) <= futures, name
        assert "point" not in table
    published = {name for name in TABLES if f"{name}.csv" in ledger.files}
    assert published - {"failures"} <= tables.keys()
    if to != "netcdf":
        about = tables["columns"].set_index(["table", "column"])
        assert set(about.index) == {
            (name, column) for name in tables if name != "columns" for column in tables[name]
        }
        assert about["meaning"].notna().all()
    if to == "parquet":
        field = pq.read_schema(tmp_path / "x/runs.parquet").field("programme_cost")
        assert field.metadata[b"unit"] == b"EUR"
    if kind == "search":  # the packages of the front are among the runs
        assert len(tables["front"]) >= 1
        assert set(tables["stability"]["package"]) <= set(tables["front"]["package"])
        assert {"mean", "within_budget"} <= set(tables["stability"])
    if kind == "sensitivity":
        assert tables["runs"]["trust@3"].notna().all()
    if kind == "comparison" and to in ("csv", "parquet"):
        assert {"quarters", "regions"} <= tables.keys()


def test_values_of_an_export_are_those_of_the_report(study, tmp_path):
    folder = study("robustness") / "out"
    assert kolabsim("results", folder, "--out", "x", folder=tmp_path).returncode == 0
    runs, outcomes = (pd.read_csv(tmp_path / f"x/{name}.csv") for name in ("runs", "outcomes"))
    (outcome,) = outcomes["outcome"].unique()
    means = runs.groupby(["strategy", "future"])[outcome].mean()
    found = outcomes.set_index(["strategy", "future"])["mean"]
    pd.testing.assert_series_equal(means.sort_index(), found.sort_index(), check_names=False)


def test_a_damaged_table_is_not_exported(study, tmp_path):
    folder = shutil.copytree(study("sweep") / "out", tmp_path / "out")
    (folder / "map.csv").write_text("outcome\n7\n", encoding="utf-8")
    done = kolabsim("results", "out", folder=tmp_path)
    assert done.returncode == 2
    assert "map.csv: this file of results is damaged" in done.stderr
    assert not (folder / "export").exists()


def test_codes_stay_texts_and_truth_values_truth(tmp_path):
    file = tmp_path / "winners.csv"
    head = ",".join(column.name for column in TABLES["winners"].columns)
    file.write_text(f"{head}\nNA,1,34.10,'=x,1,2,3,4,5,6,gains,0.5,4\n", encoding="utf-8")
    row = read_published(file, "winners").iloc[0]
    assert row["strategy":"difference"].tolist() == ["NA", "1", "34.10", "=x", 1.0]


def test_tables_of_another_version_are_refused(study, tmp_path):
    folder = shutil.copytree(study("sweep") / "out", tmp_path / "out")
    with hold(folder) as ledger:
        ledger.keep(folder / "map.csv", b"parameters.notice,mean\n1,2\n")
    done = kolabsim("results", "out", folder=tmp_path)
    assert done.returncode == 2
    assert "map.csv: another version of kolabsim wrote this table" in done.stderr
    assert not (folder / "export").exists()


@pytest.mark.parametrize(
    ("columns", "wrong"),
    [
        (["strategy", "future"], "mean, outcome"),
        (["strategy", "future", "outcome", "mean", "regret", "best", "more"], "more"),
    ],
)
def test_other_columns_than_declared_are_not_written(columns, wrong):
    with pytest.raises(ValueError, match=wrong):
        TABLES["outcomes"].arrange(pd.DataFrame(columns=columns))


def test_columns_are_recognised_in_any_order():
    names = TABLES["front"].names(
        {"FACTOR": ["form", "cap"], "OUTCOME": ["trust", "spread(trust)"]}
    )
    assert list(TABLES["front"].recognise(reversed(list(names)))) != list(names)
    assert TABLES["front"].recognise(reversed(list(names))).keys() == names.keys()
    about = Terms(MEASURES, "EUR", {"cap": ("", "most members")}).describe("front", names)
    assert about["spread(trust)_low"].unit == MEASURES["trust"].unit
    assert about["cap"].meaning == "most members"


def test_every_table_has_a_meaning_and_a_unit_where_it_has_numbers():
    for table in TABLES.values():
        names = [column.name for column in table.columns]
        assert len(set(names)) == len(names)
        assert table.row
        assert set(table.kinds) <= set(KINDS)
        assert all(column.meaning for column in table.columns)
        assert json.dumps(table)


def test_a_whole_number_of_any_size_is_read():
    cells = pd.Series([str(10**300), "1"])
    assert read_column(cells, Column("value", "a value", "1")).tolist() == [1e300, 1.0]
    assert read_column(cells[1:], Column("value", "a value", "1")).tolist() == [1]
