"""Verdicts, and the command that reports them."""

import csv
import json
from math import inf, nan

import pytest

from kolabsim.validation import scorecard as s
from kolabsim.validation.facts import (
    CALIBRATION,
    CLASSES,
    FACTS,
    HELD_OUT,
    IN_VIEW,
    NULL,
    SETTINGS,
    Fact,
    keeps_members,
)
from kolabsim.validation.runs import Setting
from tests.terminal import kolabsim
from tests.test_documentation import keys_of_bibliography


def fact(**how) -> Fact:
    return Fact("X", "a statement", HELD_OUT, "A", "somebody", lambda _o: 0.0, **how)


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
    assert s.judge(Fact("X", "", HELD_OUT, "A", ""), nan, nan) == s.ABSENT


def test_the_power_formula_gives_the_published_numbers():
    """Secchi and Seri: 3 configurations, f .594: 19.6; f .35: 56."""
    assert s.runs_needed(configurations=3, effect=0.594) == 20
    assert s.runs_needed(configurations=3, effect=0.35) == 57


def test_facts_are_declared_well():
    bibliography = keys_of_bibliography()
    assert len({one.id for one in FACTS}) == len(FACTS)
    for one in FACTS:
        assert one.use in CLASSES
        assert set(one.settings) <= set(SETTINGS)
        represented = one.contrast is not None
        assert represented == bool(one.settings)
        assert one.contrast.__doc__ if represented else one.remark
        assert one.use == NULL or (one.source and one.basis)
        assert set(one.cites) <= bibliography, one.id
        assert (one.use == IN_VIEW) == bool(one.seen), "a fact in view says why"
        stated = (one.low > -inf or one.high < inf, one.includes is not None)
        assert sum((*stated, one.not_above is not None)) == represented
    may = {"SF1", "SF2", "SF8", "SF18", "SF19", "SF20", "KEEP"}
    used = {one.id.rstrip("abc") for one in FACTS if one.use == CALIBRATION}
    assert used == may, "slopes and ratios that are inputs are not counted"


def test_facts_whose_miss_changed_the_model_are_in_view():
    seen = {one.id.rstrip("abc") for one in FACTS if one.use == IN_VIEW}
    assert {"SF5", "SF6", "SF15", "SF17", "SF26"} <= seen
    held = {one.id.rstrip("abc") for one in FACTS if one.use == HELD_OUT}
    assert not held & seen


def test_new_facts_are_held_out_with_a_source():
    number = {one.id: int("".join(filter(str.isdigit, one.id)) or 0) for one in FACTS}
    new = [one for one in FACTS if one.id.startswith("SF") and number[one.id] >= 27]
    assert len({number[one.id] for one in new}) >= 8
    for one in new:
        assert one.use == HELD_OUT
        assert one.cites


def test_a_fact_that_the_model_cannot_express_is_absent():
    one = Fact("X", "a statement", HELD_OUT, "A", "somebody")
    assert not one.is_expressed
    assert s.judge(one, nan, nan) == s.ABSENT
    assert all(v != v for v in s.contrasts(0, [one], {}, 1)), "NaN"


def test_a_setting_may_have_several_runs_for_each_of_the_others():
    """The mean over runs 6 to 8 where a setting has three."""
    numbers = []
    one = Fact("X", "", HELD_OUT, "A", "", lambda run: numbers.append(run) or 1.0, ("short",))
    settings = {"short": Setting("kartamantul", {"horizon": 4}, repeats=3)}
    assert s.contrasts(2, [one], {}, 1, settings) == [1.0]
    assert len(numbers) == 3
    bodies = [run.column["realised"].sum() for run in numbers]
    assert len(set(bodies)) == 3, "three different runs"


@pytest.mark.parametrize("scenario", ["kartamantul", "barlingmascakeb", "kedungsepur"])
def test_any_scenario_that_lists_bodies_may_ask_whether_they_persist(scenario):
    settings = {"own": Setting(scenario, {"horizon": 8}, repeats=2)}
    (finding,) = s.score([keeps_members("own")], runs=2, settings=settings)
    assert 0.0 <= finding.value <= 1.0
    assert finding.runs == 2


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
    words = "--lang", "id", "evidence", "--runs", 2, "--futures", 1, "--out", "e"
    done = kolabsim(*words, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    head = done.stdout.splitlines()[:2]
    for name, line in zip((HELD_OUT, IN_VIEW), head, strict=True):
        assert str(sum(one.use == name for one in FACTS)) in line, "both counts come first"
    counts = json.loads((tmp_path / "e" / "scorecard.json").read_text(encoding="utf-8"))["counts"]
    assert {name: one["facts"] for name, one in counts.items()} == {
        name: sum(one.use == name for one in FACTS) for name in CLASSES
    }
    page = (tmp_path / "e" / "evidence.html").read_text(encoding="utf-8")
    assert 'lang="id"' in page
    with (tmp_path / "e" / "scorecard.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == [one.id for one in FACTS]
    for row, one in zip(rows, FACTS, strict=True):
        assert row["class"] == one.use
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
