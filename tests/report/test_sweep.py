"""Reports of sweeps."""

import pytest

from kolabsim.analysis.sweep import run_sweep
from kolabsim.report import sweep
from tests.sweeps import write_sweep


@pytest.fixture(scope="module", params=["", "against: voluntary\nstrategy: team\n"])
def found(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sweep")
    experiment = write_sweep(folder, request.param)
    result = run_sweep(experiment, folder / "r", lambda study: study.run())
    return experiment, result, sweep.report(experiment, result)


def test_the_answer_names_the_best_point_and_how_many_are_unclear(found):
    _experiment, result, report = found
    first = result.maps[0]
    [one, other] = report.sections[0].headlines
    best = first.setting(first.best)
    assert str(best["cap"]) in one.brief
    assert "of 6 points" in one.text
    expected = "no difference at any point" if first.is_difference else "cannot be told apart"
    assert expected in one.text
    assert other.label.startswith("Spread over runs: ")


def test_every_outcome_has_a_map_and_a_table_from_best_to_worst(found):
    _experiment, result, report = found
    for section, one in zip(report.sections[1:], result.maps, strict=True):
        assert len(section.pictures) == 1
        [table] = section.tables
        assert len(table.rows) == 6
        assert len(table.head) == (5 if one.is_difference and one.better else 3)
        numbers = [row[1][1].main.value for row in table.rows]
        assert numbers == sorted(numbers, reverse=one.better >= 0)


def test_the_csv_table_has_every_point(found):
    _experiment, result, report = found
    assert len(report.tables["map"]) == 2 * len(result.settings)
