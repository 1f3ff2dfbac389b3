"""Verdicts, and the command that reports them."""

import csv
from math import inf, nan

import pytest

from kolabsim.validation import scorecard as s
from kolabsim.validation.facts import CALIBRATION, DIRECTION, FACTS, NULL, SETTINGS, USES, Fact
from tests.terminal import kolabsim


def fact(**how) -> Fact:
    return Fact("X", "a statement", DIRECTION, "A", "somebody", lambda _o: 0.0, **how)


@pytest.mark.parametrize(
    ("how", "low", "high", "verdict"),
    [
        ({"low": 0.0}, 0.1, 0.2, s.REPRODUCED),
        ({"low": 0.0}, -0.1, 0.2, s.UNDECIDED),
        ({"low": 0.0}, -0.2, -0.1, s.MISSED),
        ({"low": 0.1, "high": 0.2}, 0.12, 0.18, s.REPRODUCED),
        ({"low": 0.1, "high": 0.2}, 0.05, 0.25, s.UNDECIDED),
        ({"low": 0.1, "high": 0.2}, 0.21, 0.25, s.MISSED),
        ({"includes": 0.0}, -0.1, 0.1, s.REPRODUCED),
        ({"includes": 0.0}, 0.05, 0.1, s.MISSED),
        ({"not_above": 0.0}, -0.2, -0.1, s.REPRODUCED),
        ({"not_above": 0.0}, 0.05, 0.1, s.MISSED),
        ({"low": 0.0}, nan, nan, s.UNDECIDED),
    ],
)
def test_verdicts(how, low, high, verdict):
    assert s.judge(fact(**how), low, high) == verdict


def test_a_fact_without_contrast_is_absent():
    assert s.judge(Fact("X", "", DIRECTION, "A", ""), nan, nan) == s.ABSENT


def test_the_power_formula_gives_the_published_numbers():
    """Secchi and Seri: 3 configurations, f .594: 19.6; f .35: 56."""
    assert s.runs_needed(configurations=3, effect=0.594) == 20
    assert s.runs_needed(configurations=3, effect=0.35) == 57


def test_facts_are_declared_well():
    assert len({one.id for one in FACTS}) == len(FACTS)
    for one in FACTS:
        assert one.use in USES
        assert set(one.settings) <= set(SETTINGS)
        represented = one.contrast is not None
        assert represented == bool(one.settings)
        assert one.contrast.__doc__ if represented else one.remark
        assert one.use == NULL or one.source
        stated = (one.low > -inf or one.high < inf, one.includes is not None)
        assert sum((*stated, one.not_above is not None)) == represented
    may = {"SF1", "SF2", "SF8", "SF18", "SF19", "SF20"}
    used = {one.id.rstrip("abc") for one in FACTS if one.use == CALIBRATION}
    assert used == may, "slopes and ratios that are inputs are not counted"


def test_findings_do_not_depend_on_threads_or_on_more_runs():
    few = [one for one in FACTS if one.settings == ("towns",)][:3]
    one, two = (s.score(few, runs=3, threads=threads) for threads in (1, 2))
    assert one == two
    assert s.contrasts(2, few, {}, 1) == s.contrasts(2, few, {}, 1)


def test_plausible_futures_show_how_often_a_fact_holds():
    """The same future as the defaults decides like these; one without misjudgement may not."""
    few = [one for one in FACTS if one.settings == ("towns",) and one.includes is None][:3]
    same, other = {}, {"parameters.misperception": 0.0}
    plain = s.score(few, runs=s.FEW)
    widely = s.score(few, runs=s.FEW, elsewhere=[same, other, same])
    for one, two in zip(plain, widely, strict=True):
        assert one[:6] == two[:6]
        assert one.elsewhere != one.elsewhere, "NaN where none was judged"
        held = one.fact.low <= one.value <= one.fact.high
        assert two.elsewhere in ((2 / 3, 1.0) if held else (0.0, 1 / 3))


@pytest.mark.long
def test_the_command_writes_a_page_and_a_file(tmp_path):
    done = kolabsim("--lang", "id", "evidence", "--runs", 2, "--out", "e", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "fakta yang disisihkan" in " ".join(done.stdout.split())
    page = (tmp_path / "e" / "evidence.html").read_text(encoding="utf-8")
    assert 'lang="id"' in page
    with (tmp_path / "e" / "scorecard.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == [one.id for one in FACTS]
    for row in rows:
        assert f'<th scope="row">{row["id"]}</th>' in page
        assert row["verdict"] in {s.REPRODUCED, s.MISSED, s.UNDECIDED, s.ABSENT}
    assert not {"nan", "None"} & {value for row in rows for value in row.values()}


def test_bad_requests_are_refused(tmp_path):
    for words in (("--runs", 1), ("--seed", -1)):
        done = kolabsim("evidence", *words, folder=tmp_path)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = kolabsim("evidence", "--runs", 2, "--out", "file", folder=tmp_path)
    assert done.returncode == 2
    assert "file: this is a file; results need a folder" in done.stderr
    assert "runs" not in done.stderr, "it is reported before the first run"
