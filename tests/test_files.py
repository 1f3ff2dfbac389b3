"""Tables as CSV: nothing in them is a formula, and everything can be had again."""

import csv
import io
import os
import unicodedata
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kolabsim.files import escape, file_names, link, rows_csv, table_csv, unescape, write_whole

FORMULAS = ("=", "+", "-", "@", "\t", "\r")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"), ("+SUM(A1)", "'+SUM(A1)"), ("-2+3", "'-2+3"), ("@x", "'@x"),
        ("\tx", "'\tx"), ("＝1", "'＝1"), ("-", "'-"), ("'=x", "''=x"), ("-inf", "'-inf"),
        ("-5", "-5"), ("+1e3", "+1e3"), ("34.10", "34.10"), ("it's", "it's"),
        ("", ""), ("a=b", "a=b"),
    ],
)  # fmt: skip
def test_texts_that_begin_as_formulas_do_get_an_apostrophe(text, written) -> None:
    assert escape(text) == written


@given(st.text(alphabet="'=+-@\t1a ", max_size=6))
def test_every_text_can_be_had_again(text) -> None:
    written = escape(text)
    assert unescape(written) == text
    if written.startswith(FORMULAS):
        float(written)


def test_a_table_keeps_its_numbers_and_loses_its_formulas() -> None:
    table = pd.DataFrame(
        {
            "=head": [-1.5, float("nan")],
            "word": ["=cmd|' /C calc'!A0", None],
            "kind": pd.Categorical(["@a", "b"]),
            "text": pd.array(["-x", "y"], dtype="string"),
            "flag": [True, False],
            "mixed": [-3, "-3+4"],
        },
        index=["+p", "q"],
    )
    rows = list(csv.reader(io.StringIO(table_csv(table, index_label="point").decode())))
    assert rows == [
        ["point", "'=head", "word", "kind", "text", "flag", "mixed"],
        ["'+p", "-1.5", "'=cmd|' /C calc'!A0", "'@a", "'-x", "True", "-3"],
        ["q", "", "", "b", "y", "False", "'-3+4"],
    ]
    plain = pd.DataFrame({"a": [-1.0, 2.0], "b": ["x", "y"]})
    assert table_csv(plain).decode() == plain.to_csv(index=False, lineterminator="\n")


def test_a_table_is_written_as_pandas_does() -> None:
    table = pd.DataFrame(
        {
            "a,b": ['x"y', None, "é\nz"],
            "wide": [1e-5, float("inf"), float("nan")],
            "narrow": pd.Series([0.1, float("nan"), 1e30], dtype="float32"),
            "whole": pd.array([1, None, 3], dtype="Int64"),
            "kind": pd.Categorical([1.5, None, 2.0]),
        }
    )
    assert table_csv(table).decode() == table.to_csv(index=False, lineterminator="\n")
    assert table_csv(table.iloc[:0]).decode() == table.iloc[:0].to_csv(index=False)


def test_rows_keep_their_numbers_and_lose_their_formulas() -> None:
    assert rows_csv([["=a", -1, -2.5], ["-x", "-3", None]]) == b"'=a,-1,-2.5\n'-x,-3,\n"


@given(st.lists(st.text(max_size=200), unique=True, max_size=6))
def test_every_text_has_a_safe_name_of_its_own(texts) -> None:
    names = file_names(texts)
    assert len({name.casefold() for name in names.values()}) == len(texts)
    for name in names.values():
        assert name == unicodedata.normalize("NFC", name) == Path(f"region-{name}").name[7:]
        assert not set(name) & set('/\\#?%"<>|:* \0')
        assert len(f".region-{name}.html-0123456789".encode()) < 255
        assert set(link(name)) <= set(map(chr, range(33, 127)))


def test_plain_codes_keep_their_names() -> None:
    assert file_names(["34.71", "DE-BY"]) == {"34.71": "34.71", "DE-BY": "DE-BY"}
    assert len(set(file_names(["a", "A", "é", "e\u0301"]).values())) == 4


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_rights_follow_the_umask(tmp_path) -> None:
    before = os.umask(0o077)
    try:
        write_whole(tmp_path / "new" / "table.csv", b"secret")
    finally:
        os.umask(before)
    assert (tmp_path / "new" / "table.csv").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
