"""Results and public names change only where somebody says so and why."""

from __future__ import annotations

import difflib

import pytest

from tests import update_baseline as baseline

NOTES, BEFORE = baseline.read(baseline.BASELINE.read_text(encoding="utf-8"))
CHANGELOG = baseline.CHANGELOG.read_text(encoding="utf-8")


def test_shipped_scenarios_give_what_they_gave():
    after = baseline.figures()
    exact = baseline.arithmetic() == NOTES["arithmetic"]
    found = baseline.differences(BEFORE, after, exact=exact) + baseline.additions(BEFORE, after)
    told = "\n".join(baseline.summary(found))
    assert not found, f"{told}\nIf this is meant: {baseline.COMMAND} --because 'why'"


def test_the_changelog_says_why_results_changed_last():
    lines = [line for line in CHANGELOG.splitlines() if line.startswith("- **Changes results:")]
    assert lines[-1] == baseline.entry(NOTES)


def test_public_names_are_those_that_were_listed():
    listed, now = baseline.API.read_text(encoding="utf-8"), baseline.api()
    lines = difflib.unified_diff(listed.splitlines(), now.splitlines(), "listed", "now", n=0)
    told = "\n".join(lines)
    assert listed == now, f"{told}\nIf this is meant: {baseline.COMMAND} --api"


# The command --------------------------------------------------------------------------------------


@pytest.fixture
def room(tmp_path, monkeypatch):
    """A baseline of one scenario in a folder of its own."""
    found = baseline.figures(["kartamantul"])
    monkeypatch.setattr(baseline, "BASELINE", tmp_path / "baseline.csv")
    monkeypatch.setattr(baseline, "API", tmp_path / "public_api.txt")
    monkeypatch.setattr(baseline, "CHANGELOG", tmp_path / "CHANGELOG.md")
    monkeypatch.setattr(baseline, "figures", lambda: dict(found))
    text = "# Changelog\n\n## Unreleased\n\n### Added\n\n- Much.\n\n## 0.1.0\n\n- All.\n"
    baseline.CHANGELOG.write_text(text, encoding="utf-8")
    return tmp_path


def test_without_a_reason_nothing_is_renewed(room, capsys):
    assert baseline.main([]) == 2
    assert baseline.main(["--because", " "]) == 2
    assert '--because "why they change"' in capsys.readouterr().err
    assert not baseline.BASELINE.exists()


def test_a_reason_is_kept_in_the_changelog_and_new_figures_in_the_baseline(
    room, capsys, monkeypatch
):
    assert baseline.main(["--because", "the first"]) == 0
    notes, first = baseline.read(baseline.BASELINE.read_text(encoding="utf-8"))
    assert str(first) == str(baseline.figures())
    assert notes["changes results"] == "no"

    now = baseline.figures()
    key = ("kartamantul", "mandate", "trust")
    old = now[key][0]
    now[key] = (old * 1.5, "another")
    monkeypatch.setattr(baseline, "figures", lambda: now)
    capsys.readouterr()
    assert baseline.main(["--because", "trust  counts\nhalf more"]) == 0
    told = capsys.readouterr().out
    assert f"kartamantul, mandate: trust: {old:.6g} is now {old * 1.5:.6g} (33.3% of it)" in told
    notes, second = baseline.read(baseline.BASELINE.read_text(encoding="utf-8"))
    assert str(second) == str(now)
    assert notes["because"] == "trust counts half more"
    unreleased, released = baseline.CHANGELOG.read_text(encoding="utf-8").split("## 0.1.0")
    results = unreleased.split("### Results\n\n")[1].splitlines()
    assert [line[:25] for line in results if line] == [
        "- **Changes results: no**", "- **Changes results: yes*",
    ]  # fmt: skip
    assert results[1].endswith("trust counts half more")
    assert released == "\n\n- All.\n"

    assert baseline.main(["--because", "nothing"]) == 0
    assert "nothing was written" in capsys.readouterr().out
    assert "): nothing" not in baseline.CHANGELOG.read_text(encoding="utf-8")


def test_values_that_differ_behind_the_same_mean_are_told_where_arithmetic_is_the_same():
    key = ("here", "so", "trust")
    one, other = {key: (0.5, "a")}, {key: (0.5 + 1e-12, "b")}
    assert len(baseline.differences(one, {key: (0.5, "b")})) == 1
    assert len(baseline.differences(one, other)) == 1
    assert baseline.differences(one, other, exact=False) == []
    assert len(baseline.differences(one, {key: (0.51, "b")}, exact=False)) == 1
    assert baseline.additions(one, {}) == ["trust is gone (1 times)"]
