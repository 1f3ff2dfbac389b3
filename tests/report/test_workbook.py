import openpyxl
import pytest

from kolabsim.figures.formatting import UNDEFINED, choose_scale, percent
from kolabsim.i18n import set_language
from kolabsim.report import workbook
from kolabsim.report.page import Cell, Table
from kolabsim.report.workbook import write_workbook


def table_of(number: int = 1) -> Table:
    scale = choose_scale("currency", [1.2e9], [1e7], currency="IDR")
    cells = [
        Cell(scale.bare(1.234567e9, signed=True), scale.interval(-1e9, 2e9), "odd", "better"),
        Cell(percent(0.345)),
        Cell("two words"),
    ]
    rows = [("one", *cells), ("=SUM(A1:A9)", UNDEFINED, percent(0.001), "@now")]
    return Table(f"Table {number}: a/b [c]", ["Row", "Sum (IDR billion)", "Share", "Say"], rows)


def sheets(path):
    return openpyxl.load_workbook(path)


def test_every_table_has_a_sheet_and_the_first_lists_them(tmp_path):
    tables = [table_of(k) for k in (1, 1, 2)]
    facts = [("Seed", "4"), ("Command", "=cmd")]
    path = write_workbook(tmp_path / "x.xlsx", "Why?", tables, facts=facts)
    book = sheets(path)
    assert len(book.sheetnames) == len({name.casefold() for name in book.sheetnames}) == 4
    rows = [[cell for cell in row if cell] for row in book.worksheets[0].values]
    assert rows[0] == ["Why?"]
    assert ["Seed", "4"] in rows
    captions = [table.caption for table in tables]
    assert [row[1] for row in rows if row and row[0] in book.sheetnames] == captions
    assert [sheet["A1"].value for sheet in book.worksheets[1:]] == captions


def test_numbers_are_numbers_and_intervals_have_a_column_for_each_end(tmp_path):
    sheet = sheets(write_workbook(tmp_path / "x.xlsx", "t", [table_of()])).worksheets[1]
    head, first, second = list(sheet.values)[1:]
    found = dict(zip(head, first, strict=True))
    assert found["Sum (IDR billion)"] == pytest.approx(1.234567)
    assert found["Sum (IDR billion): from"] == -1
    assert found["Sum (IDR billion): to"] == 2
    assert found["Sum (IDR billion): verdict"] == "better"
    assert found["Sum (IDR billion): remark"] == "odd"
    assert found["Share"] == pytest.approx(0.345)
    assert second[head.index("Sum (IDR billion)")] is None
    assert second[head.index("Share")] == pytest.approx(0.001), "not what is shown as < 1 %"


def test_numbers_do_not_depend_on_the_language(tmp_path):
    def numbers(code):
        set_language(code)
        path = write_workbook(tmp_path / f"{code}.xlsx", "t", [table_of()])
        rows = sheets(path).worksheets[1].values
        return [[value for value in row if isinstance(value, (int, float))] for row in rows]

    assert numbers("id") == numbers("en")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1"])
def test_no_text_is_a_formula(tmp_path, text):
    table = Table(text, [text, text], [(text, text)])
    book = sheets(write_workbook(tmp_path / "x.xlsx", text, [table], facts=[(text, text)]))
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f"
                if cell.value == text:
                    assert cell.quotePrefix


def test_without_openpyxl_nothing_is_written_and_nothing_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(workbook, "find_spec", lambda _name: None)
    assert write_workbook(tmp_path / "x.xlsx", "t", [table_of()]) is None
    assert list(tmp_path.iterdir()) == []
