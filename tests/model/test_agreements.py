"""Who unites with whom, who must agree, who pays, who is obliged, and when members may leave."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kolabsim.model.levers import FORM_SETTINGS, FORMS
from kolabsim.model.state import BUYER, NOBODY, PROVIDER
from tests.builders import (
    Run,
    body,
    in_a_row,
    make_scenario,
    measure,
    open_talks,
    region_rows,
    roads,
    simulate,
)

A, B, C, D, E, F = range(6)
FAST = {"decision_speed": 50.0}
"""A negotiation concludes in the quarter after it was opened."""


# Mandates -----------------------------------------------------------------------------------------


def mandate_run(bodies: list[dict[str, object]], group: str, **more: object) -> Run:
    scenario = make_scenario(
        in_a_row(40_000, 30_000, 20_000, 50_000, 10_000, 15_000),
        bodies=bodies,
        strategies={"s": {"mandates": [{"groups": [list(group)], "from": 2, "until": 6}]}},
        **roads(**more),
    )
    return Run(scenario, "s").advance(quarters=3)


def test_a_mandate_unites_regions_that_were_alone() -> None:
    run = mandate_run([], "ACD")
    assert list(run.bodies().values()) == [[A, C, D]]
    assert (run.slot("entered")[[A, C, D], 0] == 2).all()
    assert (run.slot("startup")[:, 0] > 0).tolist() == [True, False, True, True, False, False]
    assert run.slot("bound_until")[:, 0].tolist() == [6, 0, 6, 6, 0, 0]
    # Start-up is a share (1 + f) of one's own part of the first year, at its real price.
    due, stress = run.slot("due")[:, 0], run.region("stress")
    rate = run.slot("startup")[[A, C, D], 0] / due[[A, C, D]] / (1 + stress[[A, C, D]])
    assert rate == pytest.approx(run.p.startup_cost)


def test_under_a_mandate_members_first_leave_other_bodies() -> None:
    """B is left alone, and E and F, whom nobody obliges, go on without D."""
    run = mandate_run([body("AB", began=-20), body("DEF", began=-20)], "ACD")
    assert sorted(run.bodies().values()) == [[A, C, D], [E, F]]
    assert run.slot("body")[B, 0] == NOBODY
    assert run.state.moment[0].left == 3  # A's, B's and D's
    assert (run.slot("startup")[[A, C, D], 0] > 0).all()


def test_under_a_mandate_a_body_without_others_goes_on() -> None:
    """{B, C} is in the group, and so is {D, E}, which has more people: it goes on, at its age."""
    run = mandate_run([body("BC", began=-20), body("DE", began=-8, form="lead")], "BCDE")
    assert list(run.bodies().values()) == [[B, C, D, E]]
    place = int(run.slot("body")[B, 0])
    assert run.state.body["began"][place] == -8
    assert FORMS[run.state.body["form"][place]] == "lead"
    assert (run.slot("startup")[:, 0] > 0).tolist() == [False, True, True, False, False, False]
    assert run.slot("entered")[[B, C, D, E], 0].tolist() == [2, 2, -8, -8]
    assert run.slot("bound_until")[[B, C, D, E], 0].tolist() == [6] * 4


def test_who_is_in_the_body_that_goes_on_pays_nothing_for_it() -> None:
    """Even if the body began in the quarter in which the mandate does."""
    scenario = make_scenario(
        in_a_row(40_000, 30_000, 20_000),
        bodies=[body("AB", began=0)],
        **roads(mandates=[{"groups": [["A", "B", "C"]]}]),
    )
    run = Run(scenario).advance("form_agreements")
    assert list(run.bodies().values()) == [[A, B, C]]
    assert (run.slot("startup")[:3, 0] > 0).tolist() == [False, False, True]


def test_under_a_mandate_goodwill_and_commitment_are_less() -> None:
    parameters = {"learning": 0.2}
    duty = mandate_run([], "ACD", parameters=parameters)
    free = mandate_run([body("ACD", began=-2)], "BE", parameters=parameters)
    for run in (duty, free):
        run.state.region["commitment"] = 0.6
        run.advance("produce")
        run.state.slot["realised"] = 0.1
        run.state.region["aspiration"] = 0.1
        run.advance()
    goal = 1 / (1 + math.exp(-0.405))
    step = 1 - 0.8**0.25
    assert free.region("commitment")[A] == pytest.approx(0.6 + step * (goal - 0.6))
    assert duty.region("commitment")[A] == pytest.approx(0.6 + step * (0.7 * goal - 0.6))


def test_a_mandated_body_that_exists_binds_its_members_for_good() -> None:
    parameters = {"exit_base": 1e6}
    left = {}
    for mandated in (True, False):
        scenario = make_scenario(
            in_a_row(40_000, 30_000, 20_000),
            bodies=[body("ABC", mandated=mandated, began=-40)],
            **roads(parameters=parameters),
        )
        left[mandated] = Run(scenario).advance(quarters=12).bodies()
    assert list(left[True].values()) == [[A, B, C]]
    assert left[False] == {}


# Votes --------------------------------------------------------------------------------------------

FLAT = {
    "curvature_below": 0.0, "curvature_above": 0.0, "haul": 0, "spillover": 0.5,
    "parameters": {
        "information_cost": 0, "negotiation_cost": 0, "enforcement_cost": 0, "overhead_cost": 0,
        "transition_cost": 0, "startup_cost": 0, "quality_value": 0, "misperception": 0,
        "practice_cost": 0, "culture_cost": 0, "autonomy_cost": 0.02,
    }
    | FAST,
}  # fmt: skip
"""Nothing to gain but from neighbours, and a little autonomy to lose."""


def vote(
    neighbours: str,
    *,
    consent: str,
    populations: tuple[int, ...] = (50_000, 25_000, 25_000, 30_000),
    opener: int = D,
    members: str = "ABC",
) -> Run:
    """D wants to unite with the body of A, B and C; those who border D gain from it."""
    contacts = [(code, "D", code in neighbours, 10) for code in "ABC"]
    contacts += [("A", "B", "no", 10), ("B", "C", "no", 10)]
    scenario = make_scenario(
        in_a_row(*populations), contacts=contacts, consent=consent,
        bodies=[body(members)] if len(members) > 1 else [], **roads(**FLAT),
    )  # fmt: skip
    run = Run(scenario)
    run.state.region["autonomy"], run.state.region["goodwill"] = 1.0, 0.0
    open_talks(run, opener, D if opener != D else A)
    return run.advance()


@pytest.mark.parametrize(
    ("neighbours", "people", "passes"),
    [
        ("A", 50, ""),  # half is not more than half
        ("BC", 50, ""),
        ("AB", 75, "majority three_quarters"),  # three quarters are at least three quarters
        ("ABC", 100, "majority three_quarters unanimity"),
    ],
)
@pytest.mark.parametrize("consent", ["majority", "three_quarters", "unanimity", "open"])
def test_a_party_agrees_if_enough_of_its_people_gain(neighbours, people, passes, consent) -> None:
    run = vote(neighbours, consent=consent)
    agreed = consent == "open" or consent in passes.split()
    assert len(next(iter(run.bodies().values()))) == (4 if agreed else 3)
    now = run.state.moment[0]
    assert (now.concluded, now.refused) == (agreed, not agreed)
    assert run.slot("contact")[D, 0] == NOBODY


def test_governments_vote_with_the_people_they_govern() -> None:
    big = (60_000, 20_000, 20_000, 30_000)
    assert len(vote("A", consent="majority", populations=big).bodies()[0]) == 4
    assert len(vote("BC", consent="majority", populations=big).bodies()[0]) == 3


def test_under_open_consent_only_the_party_that_asks_votes() -> None:
    # D has no neighbour among them, would lose a little autonomy, and so does not agree itself.
    assert vote("", consent="open").state.moment[0].refused == 1
    # A body that asks D votes itself: of A, B and C, only A gains.
    assert vote("A", consent="open", opener=A).state.moment[0].refused == 1
    assert vote("ABC", consent="open", opener=A).state.moment[0].concluded == 1


def test_a_lone_opener_is_its_whole_party() -> None:
    run = vote("A", consent="unanimity", members="A")
    assert list(run.bodies().values()) == [[A, D]]


def test_what_others_gain_moves_who_has_goodwill() -> None:
    """B and C lose a little; with goodwill, what A gains from D moves them to agree."""
    contacts = [("A", "D", "yes", 10), ("B", "D", "no", 10), ("C", "D", "no", 10)]
    scenario = make_scenario(
        in_a_row(50_000, 25_000, 25_000, 30_000), contacts=contacts, consent="unanimity",
        bodies=[body("ABC")], **roads(**FLAT),
    )  # fmt: skip
    for goodwill, size in ((0.0, 3), (0.5, 4)):
        run = Run(scenario)
        run.state.region["autonomy"], run.state.region["goodwill"] = 1.0, goodwill
        open_talks(run, D, A)
        assert len(run.advance().bodies()[0]) == size


def test_goodwill_counts_what_others_gain_and_not_what_one_gains_oneself() -> None:
    """A opens for {A, B, C}, to which D is a neighbour of B alone.

    A has no part in what B and D gain but by its goodwill. That they are neighbours A cannot know
    when it looks, but at the vote they do.
    """
    contacts = [("A", "D", "no", 10), ("B", "D", "yes", 10), ("A", "B", "no", 10),
                ("A", "C", "no", 10)]  # fmt: skip
    scenario = make_scenario(
        in_a_row(50_000, 25_000, 25_000, 30_000), contacts=contacts, consent="unanimity",
        bodies=[body("ABC")], **roads(**FLAT),
    )  # fmt: skip
    run = Run(scenario)
    run.state.region["autonomy"] = 1.0
    # Only B and D gain, half of their cost each; A and C see a third of that, times their
    # goodwill, against a loss of autonomy below .02.
    run.state.region["goodwill"] = [0.1, 0.0, 0.1, 0.0]
    open_talks(run, A, D)
    assert run.advance().state.moment[0].concluded == 1


# Who joins whom -----------------------------------------------------------------------------------


def merger(populations: tuple[int, ...], bodies: list[dict[str, object]], opener: int, asked: int):
    scenario = make_scenario(
        in_a_row(*populations), nearest=5, consent="open", bodies=bodies,
        **roads(parameters=FAST | {"misperception": 0, "quality_value": 0},
                efficient_scale=10_000_000, curvature_below=0.3, haul=0),
    )  # fmt: skip
    run = Run(scenario)
    run.advance()  # a quarter in which nothing happens
    open_talks(run, opener, asked)
    run.advance()
    assert run.state.moment[0].concluded == 1
    assert len(run.bodies()) == 1
    return run


@pytest.mark.parametrize(("opener", "asked"), [(A, C), (C, A)])
def test_of_two_bodies_the_one_with_more_people_goes_on(opener: int, asked: int) -> None:
    bodies = [body("AB", began=-20), body("CD", began=-4, form="lead")]
    run = merger((40_000, 30_000, 50_000, 40_000), bodies, opener, asked)
    place = int(run.slot("body")[A, 0])
    assert run.bodies()[place] == [A, B, C, D]
    assert run.state.body["began"][place] == -4
    assert FORMS[run.state.body["form"][place]] == "lead"
    # The members of the other enter, pay start-up, and begin a term.
    assert (run.slot("startup")[:, 0] > 0).tolist() == [True, True, False, False]
    assert run.slot("entered")[:, 0].tolist() == [1, 1, -4, -4]


@pytest.mark.parametrize(("opener", "asked"), [(C, A), (A, C)])
def test_a_region_that_joins_a_larger_body_enters_and_pays(opener: int, asked: int) -> None:
    run = merger((40_000, 30_000, 50_000), [body("AB", began=-20)], opener, asked)
    assert (run.slot("startup")[:, 0] > 0).tolist() == [False, False, True]
    assert run.state.body["began"][run.slot("body")[A, 0]] == -20
    assert run.slot("entered")[:, 0].tolist() == [-20, -20, 1]


@pytest.mark.parametrize(("opener", "asked"), [(C, A), (A, C)])
def test_a_small_body_that_takes_in_a_large_region_pays(opener: int, asked: int) -> None:
    """The party with fewer people enters; a body that exists already keeps its age all the same."""
    run = merger((40_000, 30_000, 90_000), [body("AB", began=-20)], opener, asked)
    assert (run.slot("startup")[:, 0] > 0).tolist() == [True, True, False]
    assert run.state.body["began"][run.slot("body")[A, 0]] == -20


def test_at_a_founding_both_pay() -> None:
    run = merger((40_000, 30_000), [], A, B)
    assert (run.slot("startup")[:, 0] > 0).all()
    assert run.state.body["began"][run.slot("body")[A, 0]] == 1


@pytest.mark.parametrize("form", FORM_SETTINGS)
def test_a_mandated_body_has_the_form_that_law_gives_or_is_a_board(form: str) -> None:
    scenario = make_scenario(
        in_a_row(40_000, 30_000, 20_000, capacity=[0.4, 0.8, 0.6]),
        form=form,
        strategies={"s": {"mandates": [{"groups": [["A", "B", "C"]]}]}},
        **roads(),
    )
    run = Run(scenario, "s").advance()
    place = int(run.slot("body")[A, 0])
    assert FORMS[run.state.body["form"][place]] == ("board" if form == "choice" else form)
    # Under a contract the most capable provides.
    star = form == "contract"
    assert run.state.body["provider"][place] == (B if star else NOBODY)
    roles = [BUYER, PROVIDER, BUYER] if star else [0, 0, 0]
    assert run.slot("role")[:, 0].tolist() == roles


def test_forms_differ_in_overhead_and_in_what_partners_cost() -> None:
    parameters = {
        "information_cost": 0, "culture_cost": 0, "practice_cost": 0, "enforcement_cost": 0,
        "interest_weight": 0, "transition_cost": 0, "negotiation_cost": 0.01, "overhead_cost": 0.02,
    }  # fmt: skip
    expected = {
        "contract": 0.01 * 3**1.2,
        "board": 0.01 * 3**1.0 + 0.02,
        "lead": 0.01 * 3**0.6 + 0.02,
    }
    for form, cost in expected.items():
        provider = {"provider": "A"} if form == "contract" else {}
        scenario = make_scenario(
            in_a_row(40_000, 30_000, 20_000, 10_000),
            bodies=[body("ABCD", form=form, **provider)],
            **roads(parameters=parameters, curvature_below=0, curvature_above=0, haul=0),
        )
        run = Run(scenario).advance()
        assert run.slot("coordination")[:, 0] == pytest.approx(-cost)


def test_no_body_grows_beyond_the_cap() -> None:
    for cap in (2, 3, 5):
        scenario = make_scenario(
            region_rows(12),
            cap=cap,
            nearest=11,
            parameters={"attention_base": 3, "notice": 1, "decision_speed": 50, "autonomy_cost": 0},
            areas={"roads": {"efficient_scale": 5_000_000, "curvature_below": 0.3, "haul": 0}},
        )
        assert measure(simulate(scenario, runs=5), "largest_body").max() == cap


def test_a_negotiation_lapses_when_the_union_would_be_too_large() -> None:
    scenario = make_scenario(
        in_a_row(40_000, 30_000, 20_000, 10_000), nearest=3, cap=3, bodies=[body("ABC")],
        **roads(parameters=FAST),
    )  # fmt: skip
    run = Run(scenario)
    open_talks(run, D, C)
    run.advance("plan")
    assert run.slot("contact")[D, 0] == NOBODY
    assert run.advance().state.moment[0].refused == 0


def test_a_negotiation_lapses_when_both_are_in_one_body() -> None:
    scenario = make_scenario(
        in_a_row(40_000, 30_000, 20_000), nearest=3, bodies=[body("ABC")], **roads()
    )
    run = Run(scenario)
    open_talks(run, B, C)
    assert run.advance("plan").slot("contact")[B, 0] == NOBODY


def test_a_negotiation_concludes_from_the_next_quarter_on() -> None:
    scenario = make_scenario(
        six := in_a_row(*[30_000] * 6),
        nearest=5,
        horizon=3,
        parameters={"attention_base": 20, "notice": 1} | FAST,
        areas={"roads": {"efficient_scale": 5_000_000, "curvature_below": 0.3, "haul": 0}},
    )
    block = simulate(scenario, runs=20)
    assert len(six) == 6
    assert measure(block, "opened")[:, 0].min() > 0
    assert measure(block, "agreements")[:, 0].max() == 0
    assert measure(block, "agreements")[:, 1].min() > 0
    assert np.nanmin(measure(block, "decision_time")) == 1


# Terms --------------------------------------------------------------------------------------------


def test_nobody_leaves_in_a_first_term() -> None:
    """A body of one year; a term of two and a half; and then a hazard that nobody survives."""
    scenario = make_scenario(
        in_a_row(40_000, 30_000, 20_000),
        bodies=[body("ABC", began=-4)],
        **roads(parameters={"exit_base": 1e6}),
    )
    run = Run(scenario)
    for quarter in range(10):
        run.advance()
        assert len(run.bodies()) == (1 if quarter < 6 else 0)


def test_members_of_a_body_that_exists_know_it_when_they_first_think_of_leaving() -> None:
    """Before, they left in the first quarter as if nobody trusted anybody in it."""
    scenario = make_scenario(
        in_a_row(40_000, 30_000, 20_000), bodies=[body("ABC", began=-40)], **roads()
    )
    run = Run(scenario)
    load, trust, realised = (run.slot(name)[:, 0] for name in ("load", "body_trust", "realised"))
    run.advance()
    run.state.slot["kept"] = 1
    assert load == pytest.approx(run.slot("load")[:, 0], rel=1e-6)
    assert trust == pytest.approx(run.slot("body_trust")[:, 0], rel=1e-6)
    assert realised == pytest.approx(run.slot("judged")[:, 0], rel=1e-2)
    assert (trust > 0).all()


# Shares -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "shares"),
    [
        ("population", [0.25, 0.75]),
        ("equal", [0.5, 0.5]),
        ("ability", [5 / 32, 27 / 32]),  # 10,000 x .5 and 30,000 x .9
        # exp(.1 ln(.1)^2) = 1.6993, exp(.1 ln(.3)^2) = 1.1560: 16,993 and 34,680
        ("benefit", [0.32886, 0.67114]),
    ],
)
def test_each_rule_shares_the_cost_in_its_way(rule: str, shares: list[float]) -> None:
    scenario = make_scenario(
        in_a_row(10_000, 30_000, stress=[0.5, 0.1]), shares=rule, bodies=[body("AB")],
        **roads(efficient_scale=100_000, curvature_below=0.2),
    )  # fmt: skip
    due = Run(scenario).advance().slot("due")[:, 0]
    assert due / due.sum() == pytest.approx(shares, abs=1e-5)
