"""The whole range on the page: its address, its limits, and the answer of the command."""

import re

import pandas as pd
import pytest

from kolabsim.analysis.sweep import map_outcome, run_sweep
from kolabsim.app import sweeping
from kolabsim.app.settings import Settings, read_query
from kolabsim.app.sweeping import SweepChoice, SweepWork, experiment_file, offered_titles
from kolabsim.app.uploads import Upload
from kolabsim.errors import InputError, Problems
from kolabsim.figures.labels import Labels
from kolabsim.i18n import speaking
from kolabsim.report.sweep import pays_sentence
from kolabsim.scenario.scenario import Scenario
from kolabsim.study.experiment import Experiment

ASKED = Settings(
    start="forum", sweep="mechanisms.forum", conditions={"until": 8}, levers={"ngo": 0.5},
    assumptions={"trust_start": 0.6},
)  # fmt: skip


def work_on(settings, scenario, factor=1.0):
    choice = SweepChoice.read(settings, scenario, Problems())
    return SweepWork(choice, settings, scenario, Upload(scenario, extends="kartamantul"), factor)


def answered(work, levels, runs):
    plan = work.plan(levels, runs)
    assert sum(piece() for piece in plan.pieces()) == plan.all_runs
    return plan, plan.answer()


def test_the_answer_is_that_of_the_experiment_that_the_page_offers(tmp_path):
    scenario = Scenario.load("kartamantul")
    work = work_on(ASKED, scenario)
    plan, found = answered(work, 2, 2)
    path = tmp_path / "sweep.yaml"
    path.write_bytes(experiment_file(work, found.experiment))
    experiment = Experiment.load(path)
    told = run_sweep(experiment, tmp_path / "runs", lambda study: study.run())
    pd.testing.assert_frame_equal(found.result.table(), told.table())
    (phase,) = experiment.scenario.strategies["your_strategy"].levers["forum"]
    assert phase.until == 8
    more = work.plan(3, 2, plan)
    assert sum(piece() for piece in more.pieces()) == 40  # of the level between only


@pytest.mark.parametrize("language", ["en", "id"])
def test_the_answer_is_shown_in_words_a_figure_and_a_table(scenario, language):
    _plan, found = answered(work_on(ASKED, scenario), 2, 2)
    with speaking(language):
        html, sentence = found.html, found.sentence
    assert html.count("<svg") == 1
    assert html.count("<table") == 1
    assert html.index("<details") < html.index("<table")
    assert not re.search(r"\{\w+\}|<script|\bnan\b", html + sentence)
    assert ("pays" in sentence) == (language == "en")
    assert found.table.decode().count("\n") == 3


def test_an_address_holds_the_factors(scenario):
    choice = SweepChoice.read(Settings(start="forum"), scenario, Problems())
    assert choice.factors == ("mechanisms.forum",)
    both = choice.with_factor(1, "parameters.lever_price")
    problems = Problems()
    query = dict(part.split("=") for part in both.written(Settings()).query.split("&"))
    again = read_query([("sweep", query["sweep"].replace("%2C", ","))], problems)
    assert SweepChoice.read(again, scenario, problems) == both
    assert not problems.found
    assert both.with_factor(1, "") == choice
    assert both.with_factor(0, "parameters.lever_price").factors == ("parameters.lever_price",)
    assert Settings() == Settings(sweep="cap")


def test_what_an_address_should_not_say_is_reported(scenario):
    problems = Problems()
    choice = SweepChoice.read(Settings(sweep="mechanisms.forums"), scenario, problems)
    assert "did you mean 'mechanisms.forum'" in " ".join(map(str, problems.found))
    assert choice.factors == ("mechanisms.team",)
    named = "mechanisms.forum,cap,form"
    assert len(SweepChoice.read(Settings(sweep=named), scenario, problems).factors) == 2
    assert "one factor or two" in " ".join(map(str, problems.found))


def test_factors_are_offered_in_groups_levers_first(scenario):
    titles = offered_titles(scenario)
    assert [*titles][:2] == ["Coordination mechanisms", "External support"]
    names = [name for some in titles.values() for name in some]
    assert "parameters.lever_price" in names
    assert not [name for name in names if name.endswith((".targets", ".budget"))]


def test_a_larger_scenario_gets_fewer_runs_and_a_much_larger_one_none(scenario, monkeypatch):
    work = work_on(ASKED, scenario)
    assert [*work.sizes()] == [(9, 10), (17, 10)]
    words = work_on(Settings(sweep="form"), scenario)
    assert len([*words.sizes()]) == 1
    monkeypatch.setattr(sweeping, "MOST_FOR_A_SWEEP", work.work * 2 * 20 * 10 * 20)
    assert [*work.sizes()] == [(9, 4), (17, 4)]
    with pytest.raises(InputError, match="times the work that this page takes on"):
        [*work_on(ASKED, scenario, factor=1e-3).sizes()]


def test_a_lever_that_is_never_in_force_is_refused(scenario):
    asked = Settings(
        start="forum", sweep="mechanisms.forum",
        conditions={"mechanisms.forum.from": 6, "mechanisms.forum.until": 4},
    )  # fmt: skip
    with pytest.raises(InputError, match="“Forum and training” is never in force"):
        work_on(asked, scenario).plan(2, 2)


@pytest.mark.parametrize(
    ("ends", "texts"),
    [
        ((0.1, 0.2), ["pays over the whole range of “a” (0 to 1)", "At 2 of 2 points"]),
        ((-0.1, -0.2), ["pays nowhere in the range of “a” (0 to 1)", "worse at 2 of 2 points"]),
        ((0.1, -0.3), ["It stops paying where “a” exceeds 0.25", "better at 1 of 2 points, and"]),
        ((-0.1, 0.1), ["It pays only where “a” exceeds 0.5", "In 90% of futures this point lies"]),
        ((0.0, 0.0), ["It makes no difference anywhere"]),
    ],
)
def test_one_sentence_says_where_it_stops_paying(ends, texts):
    noise = [[[end + 1e-6 * run * end for run in range(3)] for _future in range(20)]
             for end in ends]  # fmt: skip
    found = map_outcome(
        noise, {"a": (0.0, 1.0)}, outcome="realised_benefit", better=1, is_difference=True
    )
    sentence = pays_sentence(found, Labels())
    for text in texts:
        assert text in sentence
