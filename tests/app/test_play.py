"""A visitor who plays a region: what the page says of the game."""

import numpy as np
import pytest

from kolabsim.analysis.play import KEEP, STAY
from kolabsim.app.play import (
    Play,
    arrangement_text,
    channels_html,
    choices_told,
    known_lines,
    news,
    option_text,
    option_title,
    outcome_html,
    outcome_sentence,
    play_moment,
    question_title,
)
from kolabsim.i18n import speaking

SLEMAN = "34.04"


@pytest.fixture(scope="module")
def played(estimate):
    """A game that says yes to everything, and what the page showed on the way."""
    play, shown = Play(estimate.session, SLEMAN, run=1), []
    play.go_on()
    while not play.game.is_over:
        if play.game.question is not None:
            shown.append((play.game.question, news(play)))
        play.go_on(1)
    return play, shown


def test_the_page_stops_at_decisions_and_new_years(estimate):
    play = Play(estimate.session, SLEMAN)
    stops = []
    while not play.game.is_over:
        play.go_on(0)
        stops.append(play.game.question is not None or play.game.quarter % 4 == 0)
    assert all(stops)
    kinds = set(play.game.choices.query("by == 'answer'")["kind"])
    assert kinds <= {"propose", "vote"}, "what comes every quarter is left to orders"


def test_a_question_is_told_with_what_the_region_sees(played):
    play, shown = played
    assert len(shown) >= 2
    for question, _told in shown:
        assert question_title(question).endswith("?")
        assert len(known_lines(question)) == 2
        first, *others = question.options
        assert option_text(first).startswith("Nothing changes")
        for option in others:
            assert "% of the area's stand-alone cost" in option_text(option)
            assert channels_html(option).count("<tr>") >= 2
            assert option_title(play.game.replay, option)
    with speaking("id"):
        assert known_lines(shown[0][0])[0].startswith("Suara yang diperlukan: tiga perempat")


def test_news_tell_the_choice_the_rules_and_nothing_that_partners_hide(played):
    play, shown = played
    told = [one for _question, news_ in shown for one in news_] + news(play)
    chosen = [one.what for one in told if one.what.startswith("You chose")]
    assert len(chosen) == (play.game.choices["by"] == "answer").sum()
    assert any("The rule would have chosen: " in what for what in chosen)
    short = [one for one in told if "does not keep its promises" in one.what]
    assert all(one.what.startswith("Its partners see") for one in short)


def test_orders_are_kept_and_an_exit_ends_the_order_to_leave(estimate):
    play = Play(estimate.session, SLEMAN)
    play.go_on(0)
    assert (play.ordered(STAY, "wastewater"), play.ordered(KEEP, "wastewater")) == ("0", "0")
    play.order(STAY, "wastewater", "1")
    play.order(KEEP, "wastewater", "rule")
    assert (play.ordered(STAY, "wastewater"), play.ordered(KEEP, "wastewater")) == ("1", "rule")
    while not play.game.is_over:
        play.go_on(0)
    left = play.game.replay.events.query("event == 'left' and area == 'wastewater'")
    assert SLEMAN in set(left["region"])
    assert play.ordered(STAY, "wastewater") == "0"
    texts = [arrangement_text(play, row) for row in play.game.status().itertuples()]
    assert "serves alone" in texts


def test_the_end_compares_with_the_rule_in_both_languages(played):
    play = played[0]
    difference = play.game.outcome().loc["benefit", "difference"]
    assert np.isfinite(difference)
    assert f"{100 * abs(difference):.2f}%" in outcome_sentence(play)
    assert outcome_html(play).count("<tr>") == 1 + 5
    mine = play.game.choices.query("by == 'answer'")
    told = choices_told(play, is_over=True)
    assert len(told) == len(mine)
    assert all("without its error of judgement" in one.why for one in told)
    assert "is over" in play_moment(play)
    with speaking("id"):
        assert outcome_sentence(play).startswith("Anda membuat")


@pytest.mark.parametrize("typed", ["1.5", "-1", "10000", "?", ""])
def test_what_is_no_run_is_told_and_not_played(scenario, typed):
    nicegui = pytest.importorskip("nicegui", reason="the extra 'app' is not installed")
    from kolabsim.app.play_block import PlayBlock

    with nicegui.Client(nicegui.ui.page("/"), request=None):
        block = PlayBlock(scenario, "en", None, lambda: None)
        block.choose_run("7")
        assert block.run == 7
        assert not list(block.alerts)
        block.choose_run(typed)
    assert block.run is None
    [told] = block.alerts
    assert "is not a whole number from 0 to 9999" in told.content
