"""One quarter of a world of three regions, worked out on paper from the equations of the model.

Regions A, B, C with 40,000, 60,000 and 50,000 people share roads, or might: A and B have had a
joint board for a year, C is alone. A - 10 km - B - 20 km - C are land neighbours. Efficient scale
100,000, curvature .2 below and .02 above, difficulty .4, spillover .1, no haul. Capacity .5, .7,
.6; stress .2, .3, .4; autonomy .5, goodwill .25, reputation .7, trust .6 (at the start .5) for all;
commitment .6, .6, .5; A expects .1, B 0. Culture 0, 1.2, 0 in one dimension; priority of roads .6,
.4, .5 of two areas; practice .5, 0, 0. Monitoring .5, paid by the members; misperception 0; other
parameters as in the world below.

E1   alone     A exp(.1 ln(.4)^2) = 1.0875842   B exp(.1 ln(.6)^2) = 1.0264377
               C exp(.1 ln(.5)^2) = 1.0492182   A + B: 1   all: exp(.01 ln(1.5)^2) = 1.0016454
E2   A, B      culture 1.2^2/6 = .24; interests (.2^2 + .2^2)/.2 = .4; practice .5^2/2 = .125
E3   A + B     information  .025 + .012 x .24                        = .02788
               practice     .047 x .125                              = .005875
               negotiation  .013 (1 + .5 x .4) 1^1                   = .0156
               enforcement  .016 (1 - .6) (1 + .4) (1 - .3 x .5)     = .007616
               overhead                                                .011
E4             transition   .044 exp(-1/1.5)                         = .0225904
               joint cost   100,000 (1 + .067971 + .0225904)         = 109,056.135
               omega        A 1; B 40,000/10^2 / (40,000/10^2 + 50,000/20^2) = .7619048
               cost a head  A 1.0905614 - .1 x 1        =  .9905614
                            B 1.0905614 - .1 x .7619048 = 1.0143709
E5             [.62 + .23 (.7 - .62)] (1 - .15 (1 - .7)) (1 - .0225904) = .5958993
E6   fit       wish of both .6 x .4 + .4 x .6 = .48; A .02 (2 x .12)^2 = .001152; B .000512
     U, A      (1.0875842 - .9905614)/1.0875842 + .65 (.5958993 - .5) - .021 x .5 (1 - .4) - .001152
               = .1440920
     U, B      (1.0264377 - 1.0143709)/1.0264377 + .65 (.5958993 - .7) - .021 x .5 (1 - .6)
               - .000512 = -.0606214
"""

from __future__ import annotations

import pytest

from kolabsim.model.levers import MONITORING
from kolabsim.model.state import PAID
from tests.builders import Run, make_scenario, measure, simulate

A, B, C = range(3)
ROADS = 1
SAME = {"autonomy": 0.5, "goodwill": 0.25, "latitude": 0, "longitude": 0}
FLAT = {"culture_2": 0, "culture_3": 0, "interest_water": 1}
REGIONS = [
    {"code": code, "population": people, "capacity": capacity, "stress": stress,
     "culture_1": culture, "interest_roads": roads} | SAME | FLAT
    for code, people, capacity, stress, culture, roads in (
        ("A", 40_000, 0.5, 0.2, 0, 1.5), ("B", 60_000, 0.7, 0.3, 1.2, 2 / 3),
        ("C", 50_000, 0.6, 0.4, 0, 1),
    )
]  # fmt: skip
PARAMETERS = {
    "attention_base": 20, "notice": 1, "misperception": 0, "reputation_start": 0.7,
    "commitment_start": 0.6, "trust_culture": 0, "culture_spread": 1,
    "information_cost": 0.025, "culture_cost": 0.012, "practice_cost": 0.047,
    "negotiation_cost": 0.013, "interest_weight": 0.5, "enforcement_cost": 0.016,
    "overhead_cost": 0.011, "transition_cost": 0.044, "startup_cost": 0.24, "horizon_years": 13,
    "pooling": 0.23, "quality_value": 0.65, "autonomy_cost": 0.021, "interest_fit": 0.02,
    "decision_speed": 0.32, "decision_trust": 1.5, "decision_commitment": 1, "honour_base": 3.2,
    "learning": 0.2, "monitoring_strength": 0.3, "lever_price": 0.006,
}  # fmt: skip
"""All that count here, so that no new default changes what is on paper."""


def close(value: float) -> object:
    """Paper has seven digits."""
    return pytest.approx(value, abs=1e-7)


def world(**parameters: float) -> object:
    roads = {
        "efficient_scale": 100_000, "curvature_below": 0.2, "curvature_above": 0.02,
        "difficulty": 0.4, "spillover": 0.1, "haul": 0, "cost_per_resident": 10,
    }  # fmt: skip
    return make_scenario(
        REGIONS,
        contacts=[("A", "B", "yes", 10), ("B", "C", "yes", 20)],
        areas={"water": {}, "roads": roads},
        bodies=[{"area": "roads", "form": "board", "members": ["A", "B"], "began": -4}],
        mechanisms={"monitoring": 0.5},
        parameters=PARAMETERS | parameters,
    )


@pytest.fixture
def run() -> Run:
    """The world at its start, with what would be drawn, or has a past, set by hand."""
    run = Run(world())
    region, contact = run.state.region, run.state.contact
    region["commitment"], region["aspiration"] = [0.6, 0.6, 0.5], [0.1, 0, 0]
    contact["trust"], contact["trust_start"] = 0.6, 0.5
    run.state.slot["practice"][:, ROADS] = [0.5, 0, 0]
    return run


def roads(run: Run, name: str) -> list[float]:
    return run.slot(name)[:, ROADS].tolist()


def test_members_judge_their_body(run: Run) -> None:
    run.advance("start")
    assert roads(run, "alone") == close([1.0875842, 1.0264377, 1.0492182])
    assert roads(run, "omega") == close([1, 0.7619048, 0])
    assert roads(run, "judged") == close([0.1440920, -0.0606214, 0])


def test_the_region_alone_judges_joining_them(run: Run) -> None:
    """What C sees in the union of all three.

    E2   means over A-B, A-C, B-C: culture (.24 + 0 + .24)/3 = .16; interests (.4 + .1 + .1)/3 = .2;
               practice (.125 + .125 + 0)/3 = .0833333
    E3   trust: A-B and B-C .6 both ways; A-C no contacts, so reputation: (4 x .6 + 2 x .7)/6
               information .025 + .012 x .16 = .02692; practice .047 x .0833333 = .0039167
               negotiation .013 (1 + .5 x .2) 2^1 = .0286; overhead .011
               enforcement .016 (1 - .6333333) 1.4 x .85            = .0069813
    E4   joint cost 150,000 x 1.0016454 (1 + .077418 + .0225904)     = 165,272.741, a head 1.1018183
               (the body goes on at its age: its transition is .0225904 as before)
    E5   [.6133333 + .23 (.7 - .6133333)] (1 - .15 x .3) (1 - .0225904) = .5911077
    E6   fit: wish .4866667; A .0010276, B .0006009, C .0000142
         C     (1.0492182 - 1.1018183 + .1)/1.0492182 + .65 (.5911077 - .6) - .0105 (1 - 1/3)
               - .0000142 = .0323822; it enters, because it has fewer people, and pays start-up:
               .24 x 1.4 x 1.1018183/(13 x 1.0492182) = .0271419; its own change is .0052403
         A     .1293515 - .1440920 = -.0147405     B   -.0536956 + .0606214 = .0069259
               C sees .0052403 + .25 (-.0147405 + .0069259)/2        = .0042635
    """
    run.advance("identify")
    option = run.state.option[1]  # C is the last to look, and roads its last area
    assert option.gain == close(0.0042635)
    assert option.culture == close(0.16)
    assert option.people == 150_000
    assert run.state.contact[run.state.slot[C, ROADS].contact].target == B


def test_members_keep_their_promises_as_often_as_they_should() -> None:
    """Seen with 1 - .6 (1 - .15) = .49; temptation A .1 x .6 x .51 = .0306, B .1 x .4 x .51.

    E10 with trust at .5 (past trust .5, so that their year counts for nothing; the spread of trust
    moves the mean by less than .001): A 3.2 + .2 - .2 - .612 = 2.588, B 3.2 + .2 - .3 - .408 =
    2.692, so logistic .9300853 and .9365529.
    """
    runs = 4000
    scenario = world(trust_start=0.5, past_trust=0.5).with_(horizon=1)
    short = measure(simulate(scenario, runs=runs), "shortfall").mean()
    expected = 1 - (0.9300853 + 0.9365529) / 2
    assert short == pytest.approx(expected, abs=4 * (expected * (1 - expected) / 2 / runs) ** 0.5)


def test_the_quarter_as_it_happens(run: Run) -> None:
    """A falls short and nobody sees it; B keeps its promises, and A sees that.

    E9   a joint matter: rate .32 exp(1.5 x .1 + .1 - .25 (.24 + .4)) / 1^.4 = .3501358, so that it
               takes 3/.3501358 = 8.5681049 months
    E10  A keeps back .1 of its share .4 J, and all bear that by their shares:
               A .4 - .04 + .4 x .04 = .376 J, B .6 + .6 x .04 = .624 J, with J = 109,056.135
    E4   cost, in parts of what it would be alone:
               A (.376 J - .1 x 1 x 40,000)/43,503.366         = .8506263
               B (.624 J - .1 x .7619048 x 60,000)/61,586.263  = 1.0307428
    E5   quality: .4 of the people live where promises are broken:
               .6384 (1 - .15 x .4) .9774096                   = .5865396
    E6   U, A  1 - .8506263 + .65 (.5865396 - .5) - .0063 - .001152  = .1981725
         U, B  1 - 1.0307428 + .65 (.5865396 - .7) - .0042 - .000512 = -.1092041
    E12  trust A in B: .6 + (1 - .8^(.5/4)) (1 - .6)           = .6110030
               all others unseen: .6 + (1 - .95^(1/4)) (.5 - .6) = .5987259
         reputation of B: .7 + (1 - .8^(1/4)) (1 - .7)         = .7162775; of A and C .7
         commitment A: .6 + (1 - .8^(1/4)) (logistic(.405 + (.1981725 - .1)/.05) - .6)
                                                               = .6170583
               B: .6 + (1 - .8^(1/4)) (logistic(.405 - .1092041/.05) - .6) = .5752808
               C: .5 + (1 - .95^(1/4)) (.6 - .5)               = .5012741
         aspiration A: .1 + (1 - .8^(2.5/4)) (.1981725 - .1)   = .1127797;  B -.0142158
         practice A: .5 + (1 - .8^(1/4)) (.25 - .5)            = .4864354;  B .0135646
    E13  monitoring .006 x .5 x J a year; a quarter at 10 a head = 817.921015;
               A .0030082 of what it would pay alone
    """
    run.advance("coordinate")
    s = run.state
    s.slot["kept"][:2, ROADS], s.slot["seen"][:2, ROADS] = [0, 1], [0, 1]
    run.advance("produce")
    assert s.moment["matter_months"][0] == close(8.5681049)
    assert roads(run, "due")[:2] == pytest.approx([43_622.454130, 65_433.681194], abs=1e-6)
    assert roads(run, "cost") == close([0.8506263, 1.0307428, 1])
    assert roads(run, "quality") == close([0.5865396, 0.5865396, 0.6])
    assert roads(run, "realised") == close([0.1981725, -0.1092041, 0])
    assert roads(run, "programme")[A] == close(0.0030082)
    assert s.ledger[PAID, MONITORING] == pytest.approx(817.921015, abs=1e-6)
    run.advance()
    assert run.trust() == {
        (A, B): close(0.6110030), (B, A): close(0.5987259),
        (B, C): close(0.5987259), (C, B): close(0.5987259),
    }  # fmt: skip
    assert run.region("reputation").tolist() == close([0.7, 0.7162775, 0.7])
    assert run.region("commitment").tolist() == close([0.6170583, 0.5752808, 0.5012741])
    assert run.region("aspiration").tolist() == close([0.1127797, -0.0142158, 0])
    assert roads(run, "practice") == close([0.4864354, 0.0135646, 0])
