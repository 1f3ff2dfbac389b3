"""A played region: the same laws and draws, other choices."""

import numpy as np
import pytest

import kolabsim as ks
from kolabsim.analysis.play import QUESTIONS, Game
from kolabsim.engine.ensemble import build_task, run_block
from kolabsim.engine.mesa_model import CollaborationModel, RegionalGovernment
from kolabsim.errors import InputError
from tests.builders import make_scenario, random_scenario

HELP = {"mechanisms": {"team": 0.6}, "support": {"ngo": 0.6, "government": 0.6}}
KEEN = {"attention_base": 2.0, "decision_speed": 3.0}


def begun(seed, kind=Game, choose=None, place=0):
    scenario = random_scenario(seed)
    task = build_task(scenario, scenario.strategies["mixed"], seed=seed)
    code = scenario.regions.codes[place % len(scenario.regions)]
    return kind(scenario, task, code, strategy="mixed", run=seed % 3, choose=choose)


def as_the_rule(question):
    return None


def is_that_of_the_ensemble(game):
    block = run_block(game.task, np.array([game.run]))
    return (
        np.array(game.history).tobytes() == block.history[0].tobytes()
        and game.figures.tobytes() == block.figures[0].tobytes()
    )


@pytest.fixture(scope="module")
def scenario():
    return make_scenario(5, horizon=24, strategies={"helped": HELP}, parameters=KEEN)


@pytest.fixture(scope="module")
def agreed(scenario):
    """A game that says yes to everything."""
    return ks.play(scenario, "helped", "R001", lambda q: int(q.kind in ("propose", "vote")), seed=1)


@pytest.mark.parametrize("seed", range(6))
def test_who_follows_the_rule_plays_the_run_of_the_ensemble(seed):
    game = begun(seed, choose=as_the_rule, place=seed)
    assert game.go_on() is None
    assert is_that_of_the_ensemble(game)
    assert game.outcome()["difference"].abs().max() < 1e-12


class Counted(Game):
    """A game that concludes every negotiation with a vote of its region by its recorded votes."""

    counted = 0

    def carry_out(self, i, a, ballot, found, votes):
        if found is not None and self.me in votes:
            self.counted += 1
            self.conclude_otherwise(i, a, ballot, found, votes)
        else:
            super().carry_out(i, a, ballot, found, votes)


def test_votes_that_are_counted_again_decide_as_the_compiled_model():
    counted = 0
    for seed in range(5):
        game = begun(seed, Counted, as_the_rule, place=1)
        game.go_on()
        assert is_that_of_the_ensemble(game), seed
        counted += game.counted
    assert counted > 5


def test_stops_and_answers_give_the_run_that_a_function_gives(scenario):
    def answer(question):
        return question.quarter % len(question.options)

    whole = ks.play(scenario, "helped", "R001", answer, seed=1)
    game = ks.play(scenario, "helped", "R001", seed=1)
    stops = 0
    while game.question is not None:
        stops += 1
        game.answer(answer(game.question))
        game.go_on()
    assert stops == len(whole.choices) > 20
    assert set(whole.choices["kind"]) == set(QUESTIONS)
    assert np.array(game.history).tobytes() == np.array(whole.history).tobytes()
    assert game.replay.events.equals(whole.replay.events)
    assert game.choices.equals(whole.choices)
    assert game.outcome().equals(whole.outcome())


def test_a_game_without_proposals_is_the_mesa_model_with_such_a_region(scenario):
    class Waits(RegionalGovernment):
        def choose(self, options, me, draw):
            return 0

    def kind(model, row):
        return (Waits if row == 1 else RegionalGovernment)(model, row)

    game = ks.play(scenario, "helped", "R001", lambda q: 0 if q.kind == "propose" else None, seed=1)
    model = CollaborationModel(scenario, "helped", seed=1, agents=kind)
    model.run_model()
    assert np.array([*model.measures.values()]).tobytes() == game.history[-1].tobytes()
    assert (~game.choices["same"]).any(), "the rule waits too: the test says nothing"


def test_votes_keep_a_region_out_or_in(scenario, agreed):
    refused = ks.play(scenario, "helped", "R001", lambda q: 0 if q.kind == "vote" else None, seed=1)
    assert refused.outcome().loc["years", "played"] == 0.0
    assert refused.outcome().loc["years", "rule"] > 0.0
    assert not refused.status()["form"].any()
    entered = agreed.replay.about("R001").query("event in ('founded', 'joined', 'merged')")
    assert len(entered)
    votes = agreed.replay.decisions.query("kind == 'vote' and region == 'R001'")
    assert (votes["outcome"] == 1.0).all()
    assert (votes["gain"] <= 0.0).any(), "the rule agrees too: the test says nothing"


def test_orders_to_leave_and_to_fall_short_are_carried_out(scenario):
    def play(stay, keep):
        game = ks.play(scenario, "helped", "R001", seed=1)
        game.orders |= {"stay": stay, "keep": keep}
        while game.question is not None:
            game.answer(1)
            game.go_on()
        return game

    loyal, fickle = play(0, 0), play(1, 1)
    events = [game.replay.events.query("region == 'R001'")["event"] for game in (loyal, fickle)]
    assert not events[0].isin(["left", "fell_short"]).any()
    assert {"left", "fell_short"} <= {*events[1]}
    kept = fickle.replay.decisions.query("kind == 'keep' and region == 'R001'")
    assert (kept["outcome"] == 0.0).all()
    assert (fickle.choices.query("kind in ('stay', 'keep')")["by"] == "order").all()
    # A membership cannot be left before its first term is over.
    left = fickle.replay.events.query("region == 'R001' and event == 'left'")
    assert left["quarter"].min() >= 10


def test_a_region_sees_what_decides_and_not_where_it_errs(scenario):
    seen = []
    game = ks.play(scenario, "helped", "R001", lambda q: seen.append(q), seed=1)
    judged = game.replay.decisions.query("region == 'R001' and kind in ('judge', 'vote')")
    options = [one for q in seen for one in q.options if one.channels]
    assert len(options) == len(judged) > 5
    for option, row in zip(options, judged.itertuples(), strict=True):
        assert option.gain == row.gain
        assert sum(option.channels.values()) + option.goodwill == pytest.approx(row.gain)
        if row.error:
            assert sum(option.channels.values()) != pytest.approx(row.own, abs=1e-9)
    for question in seen:
        assert 0.0 <= question.known["attention"] <= 1.0
        assert 0.0 <= question.known["people"] <= 1.0
        assert question.table()["option"].tolist()[0] == QUESTIONS[question.kind][0]


def test_what_is_not_there_is_refused(scenario):
    with pytest.raises(InputError, match="no region has the code 'R01x'"):
        ks.play(scenario, "voluntary", "R01x")
    with pytest.raises(InputError, match="did you mean 'voluntary'"):
        ks.play(scenario, "voluntry", "R001")
    with pytest.raises(InputError, match="run: -1 is not"):
        ks.play(scenario, "voluntary", "R001", run=-1)
    for wrong in (7, True, "propose", 0.5):
        with pytest.raises(InputError, match="is not an option of"):
            ks.play(scenario, "voluntary", "R001", lambda q, wrong=wrong: wrong)
    game = ks.play(scenario, "voluntary", "R001")
    with pytest.raises(InputError, match="play it to its end first"):
        game.outcome()
    with pytest.raises(InputError, match="allowed: from 0 to"):
        game.answer(-1)
    game.answer(None)
    with pytest.raises(InputError, match="there is no open question"):
        game.answer(0)
