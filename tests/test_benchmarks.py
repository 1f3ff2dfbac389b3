"""What `make bench` prints, and what CI says of slower runs; nothing is timed here."""

from __future__ import annotations

import pytest

from benchmarks import reading, regression
from benchmarks.reading import Reading


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        ({"value": 1.5, "at_most": 2.0}, "met"),
        ({"value": 2.2, "at_most": 2.0}, "missed by 10 %"),
        ({"value": 150.0, "at_least": 300.0}, "missed by 50 %"),
        ({"value": 1.0, "at_most": 0.0}, "missed by 1"),
        ({"value": float("nan"), "at_most": 2.0}, "not measured"),
        ({"value": 3.0}, ""),
    ],
)
def test_a_verdict_says_by_how_much_a_goal_is_missed(given: dict[str, float], verdict: str) -> None:
    one = Reading("a run", **given, why="memory is slow")
    assert one.verdict == verdict
    assert ("memory is slow" in one.line()) == verdict.startswith("missed")


def test_ratios_come_from_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each piece of work is measured as often, in turn, and its shortest time counts."""
    clock = iter([0.0, 4.0, 0.0, 9.0, 0.0, 2.0, 0.0, 30.0])
    monkeypatch.setattr(reading.time, "process_time", lambda: next(clock))
    order: list[str] = []
    works = {"one": (lambda: order.append("one"), 2), "two": (lambda: order.append("two"), 3)}
    assert reading.interleaved(works, repeats=2) == {"one": 1.0, "two": 3.0}
    assert order == ["one", "two", "one", "two"]


def fake(times: list[tuple[float, float]]):
    return lambda _tree, _until: {name: times for name in regression.TITLES}


def test_slower_runs_are_reported(monkeypatch, capsys) -> None:
    monkeypatch.setattr(regression, "measure", fake([(1.0, 1.2)] * 6))
    with pytest.raises(SystemExit, match="SLOWER by more than 10 %: a run of the ensemble"):
        regression.main("HEAD")
    assert "takes 1.20 of the time" in capsys.readouterr().out


def test_one_slow_turn_is_no_regression(monkeypatch, capsys) -> None:
    monkeypatch.setattr(regression, "measure", fake([(1.0, 1.0)] * 5 + [(1.0, 4.0)]))
    regression.main("HEAD")
    assert "takes 1.00 of the time" in capsys.readouterr().out


def test_without_the_version_before_nothing_is_compared(monkeypatch, capsys) -> None:
    monkeypatch.setattr(regression, "git", lambda *_words: "")
    regression.main()
    assert "not compared" in capsys.readouterr().out
