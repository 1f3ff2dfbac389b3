from dataclasses import replace

import numpy as np
import pytest

from kolabsim import figures
from kolabsim.analysis.pareto import Budget, Objective, reevaluate
from kolabsim.analysis.search import search
from kolabsim.analysis.surrogate import fit_surrogate
from kolabsim.figures import search as fronts
from kolabsim.figures.labels import Labels
from kolabsim.figures.search import Reference
from kolabsim.i18n import set_language
from kolabsim.report import search as s
from kolabsim.report.html import write_page
from kolabsim.report.page import Page
from kolabsim.report.search import search_sections
from kolabsim.report.sensitivity import surrogate_table
from kolabsim.study.factors import Factor
from tests.report.reader import figure_text

pytest.importorskip("pymoo")

FACTORS = (
    Factor("mechanisms.forum", "forum and training", "mechanisms"),
    Factor("support.ngo", "NGO mediation", "support"),
    Factor("form", "legal form", "institutions", words=("contract", "board")),
    Factor("areas.waste.haul", "cost of hauling", "areas", low=0.1, high=0.6, most=9.0),
)
WORDS = Labels(
    factors={factor.name: factor.meaning for factor in FACTORS},
    outcomes={"gain": "net benefit", "trust": "trust", "programme_cost": "programme cost"},
    choices={"board": "joint board"},
    units={"gain": "share of stand-alone cost", "trust": "0..1", "programme_cost": "currency"},
    currency="IDR",
)  # fmt: skip
SOUGHT = (Objective("gain", 1), Objective("trust", 1), Objective("programme_cost", -1))
QUICK = {"generations": 8, "population": 16, "runs": (4, 8), "steps": 20}


def evaluate(points, runs):
    """A forum helps at a price, mediation does nothing, and a board is better than a contract."""
    forum, ngo, form, _haul = points.T
    exact = np.stack([0.1 * np.sqrt(forum) + 0.02 * (form > 0.5), 0.4 + 0.2 * forum * (2 - forum),
                      2e9 * forum + 1e9 * ngo], axis=1)  # fmt: skip
    luck = np.array([np.random.default_rng(run).standard_normal() for run in runs])
    return exact[:, :, None] * (1.0 + 0.1 * luck)


@pytest.fixture(scope="module")
def front():
    return search(evaluate, FACTORS, SOUGHT, budget=Budget(1.5e9), starts=np.zeros((1, 4)), **QUICK)


@pytest.fixture(scope="module")
def robust(front):
    def in_futures(points, runs):
        return np.stack([evaluate(points, runs) * size for size in (0.8, 1.0, 1.3)], axis=2)

    return reevaluate(front, in_futures, "abc", runs=range(50, 54), members=front.spread(6))


@pytest.fixture(scope="module")
def references():
    return [Reference("Voluntary", evaluate(np.zeros((1, 4)), range(8))[0])]


def said(section):
    return " ".join([*(answer.text for answer in section.headlines), *section.paragraphs])


def test_a_package_in_words(front):
    text = s.settings_text(front, 0, WORDS)
    assert "legal form joint board" in text
    assert text.endswith("without forum and training and NGO mediation")
    assert "cost of hauling 0." in text
    assert s.setting_text(FACTORS[0], 0.45, WORDS) == "45%"
    steps = [s.setting_text(FACTORS[1], step / 4, WORDS) for step in range(5)]
    assert steps == ["none", "light", "half", "strong", "full"]


def test_targets_of_support_that_is_not_used_are_not_named():
    factors = (
        FACTORS[1],
        Factor("support.ngo.targets", "targets", "targets", words=("all", "best")),
    )
    front = search(lambda p, r: evaluate(np.c_[p, p], r)[:, :1], factors, SOUGHT[:1], **QUICK)
    one = replace(front, factors=factors, points=np.array([[0.0, 0.75], [1.0, 0.75]]), knee=0)
    assert s.settings_text(one, 0, WORDS) == "no lever at all"
    assert s.settings_text(one, 1, WORDS).endswith("best")
    assert s.idle_settings(one, 0) == {"support.ngo.targets"}


def test_the_headline_has_the_gain_over_futures_and_the_cost_of_a_year(front, references):
    def in_futures(points, runs):
        return np.stack([evaluate(points, runs) * size for size in (0.8, 1.0, 1.3)], axis=2)

    nothing = in_futures(np.zeros((1, 4)), range(50, 54))[0]
    robust = reevaluate(
        front, in_futures, "abc", runs=range(50, 54), members=[front.knee], nothing=nothing
    )
    [_best, gain, _sure] = search_sections(front, WORDS, robust=robust, years=10.0)[0].headlines
    assert gain.label == "Gain and cost"
    text = gain.text.replace("\N{NO-BREAK SPACE}", " ")
    assert "Compared with doing nothing" in text
    assert "better in 100% of futures" in text
    median = np.median(robust.gains[0, 2]) / 10.0
    assert median == pytest.approx(robust.gains[0, 2, 1] / 10.0)
    assert f"It costs IDR {median / 1e6:.1f} million a year (" in text
    assert "a year" in gain.brief


def test_the_answer_names_the_knee_what_it_costs_and_what_more_or_less_buys(front, references):
    answer = search_sections(front, WORDS, references=references)[0]
    assert answer.name == "answer"
    text = said(answer).replace("\N{NO-BREAK SPACE}", " ")
    knee = s.package_title(front, front.knee)
    assert f"{knee}, is where further gains in one objective" in text
    assert f"Within the budget of IDR 1.50 billion, {len(front)} packages are not" in text
    assert "Cost (95% intervals of the means in brackets): programme cost IDR" in text
    assert [one.label for one in answer.headlines] == [
        "Best compromise", "Cost and outcomes", "Uncertainty",
    ]  # fmt: skip
    settings = s.settings_text(front, front.knee, WORDS)
    assert answer.headlines[0].brief.casefold() == settings.casefold()
    assert "compared with the knee, Package 1, the least costly, has: net benefit −" in text
    assert f"Spending more: compared with the knee, Package {len(front)}, the most costly" in text
    assert "This package is the knee in" in answer.headlines[-1].text
    assert "In nine of ten resamples, the knee has" in text
    [table] = answer.tables
    assert [name for name, _cells in table.rows][-1] == "Voluntary"
    voluntary = table.rows[-1][1]
    assert [cell.verdict for cell in voluntary] == ["worse", "worse", "better"]
    assert voluntary[0].main.startswith("−")


def test_without_the_cost_as_a_goal_nothing_is_said_of_spending():
    front = search(evaluate, FACTORS, SOUGHT[:2], budget=Budget(1e9), **QUICK)
    text = said(search_sections(front, WORDS)[0])
    assert "cost was a constraint here, not an objective" in text
    assert "Spending" not in text
    assert "beyond the budget" not in figure_text(figures.pareto_front(front, WORDS))


def test_one_objective_and_no_budget_and_no_labels():
    def gain(points, runs):
        return evaluate(points, runs)[:, :1]

    front = search(gain, FACTORS, [SOUGHT[0]], **QUICK)
    assert len(front) == 1
    sections = search_sections(front)
    assert "1 package is not clearly dominated" in said(sections[0])
    assert not sections[0].tables
    assert "mechanisms.forum full" in said(sections[0])


def test_differences_are_those_of_the_same_runs(front, references):
    apart = fronts.apart_from_knee(front, references)
    assert apart.mean.shape == (len(front) + 1, 3)
    assert (apart.mean[front.knee] == 0.0).all()
    np.testing.assert_allclose(apart.mean[0], front.means[0] - front.means[front.knee])
    by_hand = references[0].values - front.values[front.knee]
    np.testing.assert_allclose(apart.mean[-1], by_hand.mean(axis=1))
    assert (apart.low <= apart.mean).all()
    assert (apart.mean <= apart.high).all()


def test_figures_say_what_they_show(front, robust, references):
    knee = s.package_title(front, front.knee)
    plane = figure_text(figures.pareto_front(front, WORDS, references))
    for text in (knee, "Voluntary", "Package 1", "Programme cost (IDR billion)", "Net benefit",
                 "more is better", "beyond the budget", "known strategies"):  # fmt: skip
        assert text in plane, text
    settings = figure_text(figures.packages(front, WORDS))
    for text in ("Forum and training", "board", "knee", "Trust (points out of 100)", "none"):
        assert text in settings, text
    many = figure_text(figures.front_in_futures(front, robust, WORDS))
    for text in (knee, "worst tenth", "Share of futures", "within budget and not dominated"):
        assert text in many, text
    assert "Round" in figure_text(figures.hypervolume(front))


def test_tables_have_what_packages_set_and_bring(front, robust):
    member = s.member_table(front, WORDS)
    assert len(member.rows) == len(front.spread(fronts.DOWN))
    assert all(cell.below for _name, cells in member.rows for cell in cells[:3])
    settings = s.settings_table(front, WORDS)
    assert settings.rows[0][0] == "Forum and training"
    assert len(settings.head) == 1 + len(front.spread(s.ACROSS))
    futures = s.robustness_table(front, robust, WORDS)
    assert futures.caption == "3 futures"
    names = [name for name, _cells in futures.rows]
    assert set(names) <= {s.package_title(front, k) for k in robust.members}
    assert "worst tenth" in futures.rows[0][1][0].remark


def test_a_surrogate_is_shown_with_its_error():
    pytest.importorskip("sklearn")
    points = np.random.default_rng(1).random((60, 4))
    gain = evaluate(points, range(1))[:, 0, 0]
    table = surrogate_table({"gain": fit_surrogate(points, gain, FACTORS)}, WORDS)
    [(name, cells)] = table.rows
    assert name == "Net benefit"
    assert [cell.main for cell in cells[:3]] == ["Gaussian process", "60", "1.00"]
    assert "% of stand-alone cost" in cells[3].main


@pytest.mark.parametrize("language", ["en", "id"])
def test_the_page_is_whole_in_both_languages(tmp_path, front, robust, references, language):
    set_language(language)
    sections = search_sections(front, WORDS, references=references, robust=robust)
    assert [section.name for section in sections] == ["answer", "packages", "futures", "search"]
    path = write_page(Page("Search", sections, lines=["made up"]), tmp_path / "page.html")
    page = path.read_text(encoding="utf-8")
    assert page.count("<svg ") == 4
    assert 'id="answer"' in page
