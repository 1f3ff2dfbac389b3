"""Tables as CSV: nothing in them is a formula, and everything can be had again."""

import csv
import io

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kolabsim.files import escape, rows_csv, table_csv, unescape

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


def test_rows_keep_their_numbers_and_lose_their_formulas() -> None:
    assert rows_csv([["=a", -1, -2.5], ["-x", "-3", None]]) == b"'=a,-1,-2.5\n'-x,-3,\n"
