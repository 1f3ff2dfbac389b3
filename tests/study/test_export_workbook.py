"""Results as a workbook, read back."""

import sys

import pytest

from kolabsim.errors import InputError
from kolabsim.model.measures import MEASURES
from kolabsim.study import export as exporting
from kolabsim.study.collect import read_table
from kolabsim.study.experiment import Experiment
from kolabsim.study.export import export
from kolabsim.study.ledger import hold
from kolabsim.study.runner import Study
from kolabsim.study.tables import TABLES

openpyxl = pytest.importorskip("openpyxl")

HEAD = ",".join(column.name for column in TABLES["winners"].columns)
TABLE = f"""\
{HEAD}
team,default,34.10,=1+1,0.25,,0.5,1,2,3,gains,1.0,4
team,default,007,"'@SUM(A1)",-1e-3,nan,0.5,1,2,3,loses,1.0,4
team,default,+5,-2,3,inf,0.5,1,2,3,undecided,1.0,4
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    text = (
        "kind: comparison\nscenario: kartamantul\nplausible: 0\n"
        "strategies: [voluntary, team]\nruns: 3\n"
    )
    (folder / "small.yaml").write_text(text + "set: {horizon: 4}\n", encoding="utf-8")
    study = Study.plan(Experiment.load(folder / "small.yaml"), folder / "results")
    study.run()
    with hold(study.folder) as ledger:
        ledger.keep(study.folder / "winners.csv", TABLE.encode())
    return study


def sheet(study, tmp_path, name):
    (path,) = export(study.folder, to="xlsx", out=tmp_path)
    return list(openpyxl.load_workbook(path)[name].iter_rows())


def test_runs_are_those_of_the_store(study, tmp_path):
    head, *rows = sheet(study, tmp_path, "runs")
    assert [cell.value for cell in head] == ["strategy", "future", "run", *MEASURES]
    table = read_table(study, "runs")
    assert len(rows) == len(table) == 6
    for row, stored in zip(rows, table.itertuples(index=False), strict=True):
        for cell, value in zip(row, stored, strict=True):
            is_number = not isinstance(value, str)
            assert cell.value == (pytest.approx(value) if is_number and value == value else (
                None if is_number else value))  # fmt: skip


def test_text_is_never_a_formula_and_codes_stay_codes(study, tmp_path):
    _head, *rows = sheet(study, tmp_path, "winners")
    assert [[cell.value for cell in row[2:6]] for row in rows] == [
        ["34.10", "=1+1", 0.25, None],
        ["007", "@SUM(A1)", -0.001, None],
        ["+5", "-2", 3, None],
    ]
    assert all(cell.data_type != "f" for row in rows for cell in row)
    assert rows[0][3].quotePrefix


def test_measures_have_units_and_meanings(study, tmp_path):
    _head, *rows = sheet(study, tmp_path, "columns")
    found = {(row[0].value, row[1].value): row for row in rows}
    assert found["runs", "saving"][2].value == "IDR"
    assert found["runs", "trust"][3].value == MEASURES["trust"].meaning


def test_more_rows_than_a_sheet_holds_are_refused(study, tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "MOST_ROWS", 5)
    with pytest.raises(InputError, match="6 rows, and a sheet holds 5"):
        export(study.folder, to="xlsx", out=tmp_path)
    assert not list(tmp_path.iterdir())


def test_without_the_extra_it_says_what_to_install(study, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(InputError, match=r"pip install -e '\.\[export\]'"):
        export(study.folder, to="xlsx", out=tmp_path)
