"""What is said of many futures: true to the numbers, and clear where there is nothing to say."""

import re

import numpy as np
import pandas as pd
import pytest

from kolabsim import figures
from kolabsim.analysis import discovery as d
from kolabsim.analysis.discovery import Discovery, Tree, discover, failures
from kolabsim.analysis.information import information
from kolabsim.analysis.prim import Box, Range
from kolabsim.analysis.robustness import CRITERIA, robustness, sample_sizes
from kolabsim.figures.labels import Labels
from kolabsim.figures.style import to_svg
from kolabsim.report import discovery as w
from kolabsim.report import robustness as u
from kolabsim.report.html import write_page
from kolabsim.report.information import information_section, measure_sentence
from kolabsim.report.page import Page
from tests.report.reader import figure_text, svg_text

NAMES = ("alone", "grant", "secretariat")
OUTCOME = "realised_benefit"
WORDS = Labels(
    strategies={"grant": "Matching grant", "secretariat": "Joint secretariat"},
    factors={"size": "population of regions", "trust": "trust at the start", "form": "legal form"},
    units={"size": "thousand", "trust": "0..1"},
)


@pytest.fixture(scope="module")
def settings():
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "size": rng.uniform(20, 400, 120),
            "trust": rng.random(120),
            "form": rng.choice(["contract", "joint_company"], 120),
            "haul": rng.random(120),
        }
    )


@pytest.fixture(scope="module")
def values(settings):
    """The secretariat does well, but loses where regions are large and do not trust."""
    rng = np.random.default_rng(2)
    bad = ((settings["size"] > 200) & (settings["trust"] < 0.5)).to_numpy()
    means = np.stack([np.zeros(120), np.full(120, 0.01), np.where(bad, -0.02, 0.03)])
    luck = 0.01 * rng.normal(size=(1, 1, 8))
    return means[:, :, None] + luck + 0.002 * rng.normal(size=(3, 120, 8))


@pytest.fixture(scope="module")
def robust(values):
    return robustness(
        values,
        NAMES,
        better=1,
        outcome=OUTCOME,
        baseline="alone",
        threshold=0.0,
        main="mean",
        resamples=200,
    )  # fmt: skip


@pytest.fixture(scope="module")
def failing(settings, values):
    fails = failures(values, NAMES, "secretariat", better=1, baseline="alone")
    return w.Failing("secretariat", discover(settings, fails, resamples=10), baseline="alone")


@pytest.fixture(scope="module")
def known(settings, values):
    return information(values, NAMES, settings, better=1, outcome=OUTCOME, resamples=100)


@pytest.fixture(scope="module")
def sections(robust, settings, known, failing, values):
    return u.robustness_sections(
        robust,
        WORDS,
        settings=settings,
        information=known,
        failing=[failing],
        sizes=sample_sizes(values, NAMES, against="alone", difference=0.01),
    )


def test_the_answer_comes_first_and_says_what_was_found(sections):
    answer = sections[0]
    assert answer.name == "answer"
    best, sure, fails = answer.headlines
    (measured,) = answer.paragraphs
    assert best.brief == "Joint secretariat"
    assert sure.brief.startswith("First in")
    assert re.fullmatch(r"In \d+ of 120 futures", fails.brief)
    text = " ".join([best.text, sure.text, fails.text, measured])
    text = text.replace("\N{NO-BREAK SPACE}", " ")
    assert "“Joint secretariat” is the most robust of 3 strategies by “Mean over futures”" in text
    assert "It ranks first in" in text
    assert "“Joint secretariat” does worse than “alone” when" in text
    assert re.search(r"population of regions is at least (19|20)\d thousand", text)
    assert re.search(r"trust at the start is at most 0\.(4[5-9]|5)", text)
    assert re.search(r"\(coverage \d+%, density \d+%, n = \d+ of 120 futures\)", text)
    assert re.search(r"Measure (population of regions|trust at the start) first", text)
    assert len(re.findall(r"[.?] (?=[A-Z“])", text)) == 3


def test_sections_have_what_they_promise(sections, tmp_path):
    assert [section.name for section in sections] == [
        "answer", "robustness", "failing-1", "information",
    ]  # fmt: skip
    assert [len(section.pictures) for section in sections] == [0, 5, 1, 1]
    for section in sections:
        for table in section.tables:
            for _name, cells in table.rows:
                assert len(cells) + 1 == len(table.head)
        for picture in section.pictures:
            assert "{" not in picture.alt + picture.caption
            assert "nan" not in svg_text(picture.svg).split()
        assert not any("{" in text for text in [*section.paragraphs, *section.notes])
    path = write_page(Page("Many futures", sections), tmp_path / "page.html")
    assert "Joint secretariat" in path.read_text(encoding="utf-8")


def test_every_criterion_has_a_title_and_stands_in_the_tables(sections, robust):
    assert set(u.CRITERION_TITLES) == set(CRITERIA)
    heads = " ".join(" ".join(table.head) for table in sections[1].tables)
    for name in CRITERIA:
        assert u.criterion_words(name, robust, WORDS) in heads
    assert "Satisfactory: ≥ 0" in heads
    assert "Difference from “alone”" in heads


def test_figures_are_the_same_bytes_each_time(robust, settings, known, failing):
    def drawn():
        yield figures.regret(robust, WORDS)
        yield figures.satisficing(robust, WORDS)
        yield figures.best_shares(robust, WORDS)
        yield figures.spread_plane(robust, WORDS)
        yield figures.prim_box(failing.discovery, settings, WORDS)
        yield figures.value_of_information(known, WORDS)

    once = [to_svg(figure, alt="x") for figure in drawn()]
    assert once == [to_svg(figure, alt="x") for figure in drawn()]


def test_figures_carry_words_and_units(robust, settings, known, failing):
    assert "% of stand-alone cost" in figure_text(figures.regret(robust, WORDS))
    assert "threshold" in figure_text(figures.satisficing(robust, WORDS))
    assert "Matching grant" in figure_text(figures.spread_plane(robust, WORDS))
    text = figure_text(figures.prim_box(failing.discovery, settings, WORDS))
    assert "Population of regions (thousand)" in text
    assert "fails" in text
    assert "floor" in figure_text(figures.value_of_information(known, WORDS))


@pytest.mark.parametrize(
    "limits",
    [
        {"form": frozenset({"contract"})},
        {"trust": Range(0.2, 0.6)},
        {"form": frozenset({"contract"}), "trust": Range(-np.inf, 0.5)},
        {"trust": Range(0.5, np.inf), "form": frozenset({"joint_company"}),
         "size": Range(100.0, np.inf)},
    ],
)  # fmt: skip
def test_boxes_of_words_and_of_any_number_of_factors_are_drawn(settings, limits):
    fails = np.arange(120) % 3 == 0
    box = d.Field.of(settings).box(limits, fails)
    found = Discovery(
        d.FOUND, fails, box, stability=dict.fromkeys(limits, 0.9), out_of_bag=(0.5, 0.5)
    )
    picture = w.box_picture(w.Failing("grant", found, threshold=0.0), settings, WORDS)
    assert "fails" in figure_text(picture.figure)
    assert ("other restrictions" in picture.caption) == (len(limits) > 2)


def test_restrictions_are_said_in_words():
    assert w.condition("size", Range(100.0, np.inf), WORDS) == (
        "population of regions is at least 100\N{NO-BREAK SPACE}thousand"
    )
    assert w.condition("trust", Range(-np.inf, 0.25), WORDS) == "trust at the start is at most 0.25"
    assert w.condition("haul", Range(1.0, 2.0), WORDS) == "haul is between 1 and 2"
    words = frozenset({"joint_company", "contract", "association"})
    text = w.condition("form", words, WORDS)
    assert text == "legal form is association, contract or joint company"


@pytest.mark.parametrize(
    ("verdict", "number", "text"),
    [
        (d.NEVER, 0, "“Matching grant” falls below 0% of stand-alone cost in "
         "none of the 120 futures."),
        (d.ALWAYS, 120, "in all 120 futures."),
        (d.FEW, 3, "in 3 of 120 futures, too few to find"),
        (d.FEW, 118, "in all but 2 of 120 futures; those are too few"),
        (d.NOWHERE, 40, "in 40 of 120 futures; these cannot be distinguished from a random"),
    ],
)  # fmt: skip
def test_where_there_is_no_box_it_is_said(robust, verdict, number, text):
    failing = w.Failing("grant", Discovery(verdict, np.arange(120) < number), threshold=0.0)
    assert text in w.failing_sentence(failing, robust, WORDS)
    section = w.failing_section(failing, robust, WORDS, None, 1)
    assert not section.tables
    assert not section.pictures


def test_failing_is_said_by_the_sense_of_the_outcome(values):
    less = robustness(
        -values, NAMES, better=-1, outcome="shortfall", baseline="alone", resamples=50
    )
    nothing = Discovery(d.NEVER, np.zeros(120, bool))
    assert (
        w.Failing("grant", nothing, threshold=0.02).describe(less, WORDS).startswith("rises above")
    )
    text = w.Failing("grant", nothing, baseline="alone").describe(less, WORDS)
    assert text == "does worse than “alone”"


def test_a_ranking_that_is_not_sure_is_called_so(values):
    rng = np.random.default_rng(3)
    found = robustness(rng.normal(size=(3, 40, 6)), NAMES, better=1, resamples=200)
    text = " ".join(one.text for one in u.answer_section(found, WORDS, None, []).headlines)
    assert "Its lead is uncertain" in text
    assert "in nine of ten futures, its regret (distance from the best strategy) is at most" in text


def test_nothing_worth_measuring_is_said(settings):
    rng = np.random.default_rng(4)
    luck = rng.normal(size=(1, 120, 4))
    values = np.concatenate([luck, luck - 5.0, luck - 6.0])
    found = information(values, NAMES, settings, better=1, resamples=20)
    assert measure_sentence(found, WORDS).startswith("No factor is worth measuring")
    section = information_section(found, WORDS)
    assert "nan" not in figure_text(section.pictures[0].figure).split()


def test_the_tree_agrees_or_does_not(failing):
    box = failing.discovery.box
    text = w.tree_sentence(Tree((box,), 0.93), failing.discovery, WORDS)
    assert "Both use" in text
    assert "skill 0.93" in text
    other = Box({"haul": Range(0.5, np.inf)}, 9, 6, 0.1, 0.66, 0.4, {"haul": 0.2})
    assert "none of the same factors" in w.tree_sentence(
        Tree((other,), 0.6), failing.discovery, WORDS
    )
    assert "finds no region" in w.tree_sentence(Tree((), 0.5), failing.discovery, WORDS)
