"""The page of a sensitivity analysis: its answer, its tables, and figures that can be read."""

import html

import numpy as np
import pytest

from kolabsim import figures
from kolabsim.analysis.sensitivity import analyse, curve
from kolabsim.figures.labels import Labels
from kolabsim.report import sensitivity as s
from kolabsim.report.html import write_page
from kolabsim.report.page import Page
from kolabsim.study.design import METHODS, make_design
from tests.report.reader import figure_text, svg_text

SAMPLES = {
    "morris": 16, "sobol": 64, "fast": 4 * 129, "rbd_fast": 256, "delta": 256, "pawn": 256,
    "one_at_a_time": 5, "ice": 8, "factorial": 32,
}  # fmt: skip
NAMES = tuple(f"factor_{k}" for k in range(18))
LONG = "how much of a saving is lost when promises between regions are not kept in the first year"


def studied(method, names=NAMES, *, outcomes=("efficiency", "trust"), sd=0.02, **options):
    design = make_design(method, names, **{"samples": SAMPLES[method], "seed": 3, **options})
    slopes = np.zeros(len(design.names))
    slopes[: len(names)] = 0.6 ** np.arange(len(names))
    rng = np.random.default_rng(1)
    found, curves = [], {}
    for outcome in outcomes:
        values = (design.points @ slopes)[:, None] + rng.normal(0, sd, (len(design.points), 3))
        found.append(analyse(design, values, outcome=outcome, resamples=60))
        if method in ("one_at_a_time", "ice"):
            curves[outcome] = {unit: curve(design, values, unit) for unit in design.units}
    return found, curves


def words():
    return Labels(
        {name: f"thing {k}" for k, name in enumerate(NAMES)} | {NAMES[0]: LONG},
        {"trust": "faith"},
        at={NAMES[0]: lambda u: 10.0 + u, NAMES[1]: lambda u: "open" if u < 0.5 else "by_majority"},
    )


@pytest.mark.parametrize(
    "method",
    [
        pytest.param(m, marks=() if m in ("morris", "sobol", "ice") else pytest.mark.long)
        for m in METHODS
    ],
)
def test_every_method_makes_a_page_that_begins_with_its_answer(method, tmp_path):
    found, curves = studied(method)
    sections = s.sensitivity_sections(found, words(), curves=curves)
    assert [section.name for section in sections] == ["answer", "outcome-1", "outcome-2"]
    most, sure, chance = sections[0].headlines
    assert most.text.startswith(f"Efficiency depends most on “{LONG}”")
    assert "; faith depends most on" in most.text
    assert most.brief.startswith(LONG[:1].upper() + LONG[1:].split(",")[0])
    assert "ranks first for efficiency in" in sure.text
    # Its points share their draws, so what chance does to a run cannot be told.
    is_known = method != "one_at_a_time"
    assert ("for faith (" in chance.text) == is_known
    first, second = (section.paragraphs[0] for section in sections[1:])
    assert first.startswith(f"Efficiency depends most on “{LONG}”")
    assert second.startswith("Faith depends most on")
    assert ("Chance causes " in first) == is_known
    assert "can be distinguished from one without effect" in first
    assert sections[1].tables[0].rows[-1][0] == "A factor without effect"
    assert len(sections[1].tables[0].rows) == 19
    for section in sections:
        for picture in section.pictures:
            said = svg_text(picture.svg)
            assert "how much of a saving" in said.lower()
            assert picture.alt
            if "smaller ind" in picture.caption:
                assert "3 factors with smaller indices are in the table" in picture.caption
    page = write_page(Page("Which?", sections), tmp_path / "page.html")
    said = [answer.text for answer in sections[0].headlines]
    assert all("{" not in text and text.endswith(".") for text in said)
    assert all(text in html.unescape(page.read_text(encoding="utf-8")) for text in said)
    assert page.read_text(encoding="utf-8").count("<svg") == sum(len(p.pictures) for p in sections)


def test_bars_show_at_most_fifteen_factors_in_wrapped_words():
    (found,), _curves = studied("sobol", outcomes=("efficiency",))
    figure = figures.index_bars(found, words())
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert len(labels) == s.SHOWN
    assert labels[0].count("\n") == 2
    assert max(len(line) for label in labels for line in label.split("\n")) <= 38
    said = figure_text(figure)
    assert "Noise floor" in said
    assert "not above the noise floor" in said
    assert s.rest_of(found) == "3 factors with smaller indices are in the table."


def test_the_plane_of_morris_names_what_is_above_the_floor():
    (found,), _curves = studied("morris", outcomes=("efficiency",))
    said = figure_text(figures.morris_plane(found, words()))
    assert "Thing 1" in said
    assert "Thing 17" not in said
    assert "standard deviation as large as the mean" in said


def test_groups_have_no_plane():
    groups = ["one"] * 9 + ["other"] * 9
    (found,), _curves = studied("morris", outcomes=("efficiency",), groups=groups, dummy=False)
    assert len(s.pictures(found, words(), {})) == 2  # bars and convergence
    assert "permuted over the same runs" in " ".join(s.floor_notes(found))


def test_curves_say_what_the_factor_is():
    (found,), curves = studied("ice", outcomes=("efficiency",))
    said = figure_text(figures.ice(found, curves["efficiency"], words()))
    assert "10.5" in said
    assert "by majority" in said
    assert "open" in said
    assert "low" in said  # of a factor whose values are not told


def test_convergence_draws_the_leading_and_what_changes_nothing():
    (found,), _curves = studied("sobol", outcomes=("efficiency",))
    said = figure_text(figures.convergence(found, words()))
    assert "A factor without effect" in said
    assert f"{found.points:,}" in said
    assert "Thing 9" not in said


def test_pairs_are_tabled_without_the_dummy():
    (found,), _curves = studied(
        "sobol", NAMES[:3], outcomes=("efficiency",), second_order=True, samples=256
    )
    table = s.outcome_section(found, words(), {}, 1).tables[1]
    assert len(table.rows) == 3
    assert "and thing" in table.rows[0][0]


def test_nothing_found_is_said_as_such():
    design = make_design("morris", NAMES, samples=16, seed=1)
    values = np.random.default_rng(1).normal(size=(len(design.points), 1))
    found = analyse(design, values, outcome="efficiency")
    if not found.leading.above.any():
        text = "Efficiency: no factor can be distinguished from one without effect."
        assert s.summarise(found, words()).startswith(text)
        most, chance = s.headlines([found], words())
        assert most.brief == "No factor above chance"
        assert most.text == text
        assert chance.brief == "Unknown"
    assert s.summarise(found, words()).endswith("because each point has one outcome.")


def test_an_unsure_first_is_said_to_be_unsure():
    design = make_design("sobol", "ab", samples=64, seed=1)
    values = (design.points[:, 0] + design.points[:, 1])[:, None]
    found = analyse(design, values, outcome="happiness")
    text = s.summarise(found, Labels())
    assert text.startswith("Happiness depends most on")
    assert "Its lead is uncertain" in text
    assert "cannot be distinguished from chance" in " ".join(s.floor_notes(found))


def test_single_runs_have_no_floor_to_be_above():
    design = make_design("one_at_a_time", "ab", samples=5, seed=1)
    found = analyse(design, design.points[:, 0], outcome="efficiency")
    text = s.summarise(found, Labels())
    assert text.startswith("Efficiency depends most on “a”")
    assert "interval" not in text
    assert "no noise floor" in " ".join(s.floor_notes(found))
    assert s.index_table(found, Labels()).rows[0][1][0].verdict == ""
    assert "not above" not in figure_text(figures.index_bars(found, Labels()))


@pytest.mark.parametrize(("samples", "is_few"), [(16, True), (256, False)])
def test_too_few_points_are_said_to_be_so_where_the_numbers_stand(samples, is_few):
    found, _curves = studied("sobol", samples=samples, sd=0.5, outcomes=("efficiency",))
    answer, outcome = s.sensitivity_sections(found, words())
    for text in (answer.headlines[0].text, outcome.paragraphs[0]):
        assert ("The points are too few" in text) == is_few
