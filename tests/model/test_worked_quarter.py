"""One quarter of a world of three regions, worked out on paper from the equations of the model.

Regions A, B, C with 40,000, 60,000 and 50,000 people share roads, or might: A and B have had a
joint board for a year, C is alone. A - 10 km - B - 20 km - C are land neighbours. Efficient scale
100,000, curvature .2 below and .02 above, difficulty .4, spillover .1, no haul. Capacity .5, .7,
.6; stress .2, .3, .4; autonomy .5, goodwill .25, reputation .7, trust .6 (at the start .5) for all;
commitment .6, .6, .5; A expects .1, B 0. No differences of culture or interests (d = q = 0).
Monitoring .5, paid by the members; misperception 0; everything else at its default.

E1   alone     A exp(.1 ln(.4)^2) = 1.0875842   B exp(.1 ln(.6)^2) = 1.0264377
               C exp(.1 ln(.5)^2) = 1.0492182   A + B: 1   all: exp(.01 ln(1.5)^2) = 1.0016454
E3   A + B     information  .03 (1 + .25 (0 - 1))                    = .0225
               negotiation  .012 (1 + .5 (0 - 1)) 1^1                = .006
               enforcement  .03 (1 - .6) (1 + .4/2) (1 - .35 x .5)   = .01188
               overhead                                                .01
E4             transition   .05 exp(-1/2)                            = .0303265
               joint cost   100,000 (1 + .05038 + .0303265)          = 108,070.653
               omega        A 1; B 40,000/10^2 / (40,000/10^2 + 50,000/20^2) = .7619048
               cost a head  A 1.0807065 - .1 x 1        =  .9807065
                            B 1.0807065 - .1 x .7619048 = 1.0045161
E5             [.62 + .3 (.7 - .62)] (1 - .15 (1 - .7)) (1 - .0303265) = .5963686
E6   U, A      (1.0875842 - .9807065)/1.0875842 + .5 (.5963686 - .5) - .02 x .5 (1 - .4)
               = .1404550
     U, B      (1.0264377 - 1.0045161)/1.0264377 + .5 (.5963686 - .7) - .02 x .5 (1 - .6)
               = -.0344587
"""

from __future__ import annotations

import pytest

from kolabsim.model.levers import MONITORING
from kolabsim.model.state import PAID
from tests.builders import Run, make_scenario, measure, simulate

A, B, C = range(3)
SAME = {f"culture_{d}": 0 for d in (1, 2, 3)} | {"latitude": 0, "longitude": 0}
REGIONS = [
    {"code": "A", "population": 40_000, "capacity": 0.5, "stress": 0.2} | SAME,
    {"code": "B", "population": 60_000, "capacity": 0.7, "stress": 0.3} | SAME,
    {"code": "C", "population": 50_000, "capacity": 0.6, "stress": 0.4} | SAME,
]


def close(value: float) -> object:
    """Paper has seven digits."""
    return pytest.approx(value, abs=1e-7)


def world(**parameters: float) -> object:
    return make_scenario(
        REGIONS,
        contacts=[("A", "B", "yes", 10), ("B", "C", "yes", 20)],
        areas={
            "roads": {
                "efficient_scale": 100_000, "curvature_below": 0.2, "curvature_above": 0.02,
                "difficulty": 0.4, "spillover": 0.1, "haul": 0, "cost_per_resident": 10,
            }
        },
        bodies=[{"area": "roads", "form": "board", "members": ["A", "B"], "began": -4}],
        mechanisms={"monitoring": 0.5},
        parameters={
            "attention_base": 20, "notice": 1, "misperception": 0, "reputation_start": 0.7,
            "trust_spread": 0, "trust_culture": 0,
        } | parameters,
    )  # fmt: skip


@pytest.fixture
def run() -> Run:
    """The world at its start, with what would be drawn set by hand."""
    run = Run(world())
    region, contact = run.state.region, run.state.contact
    region["autonomy"], region["goodwill"] = 0.5, 0.25
    region["commitment"], region["aspiration"] = [0.6, 0.6, 0.5], [0.1, 0, 0]
    contact["trust"], contact["trust_start"] = 0.6, 0.5
    return run


def test_members_judge_their_body(run: Run) -> None:
    run.advance("start")
    assert run.slot("alone")[:, 0].tolist() == close([1.0875842, 1.0264377, 1.0492182])
    assert run.slot("omega")[:, 0].tolist() == close([1, 0.7619048, 0])
    assert run.slot("judged")[:, 0].tolist() == close([0.1404550, -0.0344587, 0])


def test_the_region_alone_judges_joining_them(run: Run) -> None:
    """What C sees in the union of all three.

    E3   trust: A-B and B-C .6 both ways; A-C no contacts, so reputation: (4 x .6 + 2 x .7)/6
               information .0225; negotiation .006 x 2^1 = .012; overhead .01
               enforcement .03 (1 - .6333333) 1.2 x .825            = .01089
    E4   joint cost 150,000 x 1.0016454 (1 + .05539 + .0303265)      = 163,125.441, a head 1.0875029
               (the body goes on at its age: its transition is .0303265 as before)
    E5   [.6133333 + .3 (.7 - .6133333)] (1 - .15 x .3) (1 - .0303265) = .5920471
    E6   C     (1.0492182 - 1.0875029 + .1)/1.0492182 + .5 (.5920471 - .6) - .01 (1 - 1/3)
               = .0481771; it enters, because it has fewer people, and pays start-up:
               .13 x 1.4 x 1.0875029/(5 x 1.0492182) = .0377282; its own change is .0104489
         A     .1307118 - .1404550 = -.0097432     B   -.0220445 + .0344587 = .0124142
               C sees .0104489 + .25 (-.0097432 + .0124142)/2        = .0107828
    """
    run.advance("identify")
    option = run.state.option[1]  # C is the last to look
    assert option.gain == close(0.0107828)
    assert option.people == 150_000
    assert run.state.contact[run.state.slot[C, 0].contact].target == B


def test_members_keep_their_promises_as_often_as_they_should() -> None:
    """Seen with .4 + .6 x .5 = .7; temptation A .1 x .6 x .3 = .018, B .1 x .4 x .3 = .012.

    E10 with trust at .5: A 2.4 + .1 - .2 - .36 = 1.94, B 2.4 + .1 - .3 - .24 = 1.96, so logistic
    .8743521 and .8765329. Goodwill is drawn, and counts for nothing here (h_g = 0).
    """
    runs = 4000
    scenario = world(honour_goodwill=0.0).with_(horizon=1)
    short = measure(simulate(scenario, runs=runs), "shortfall").mean()
    expected = 1 - (0.8743521 + 0.8765329) / 2
    assert short == pytest.approx(expected, abs=4 * (expected * (1 - expected) / 2 / runs) ** 0.5)


def test_the_quarter_as_it_happens(run: Run) -> None:
    """A falls short and nobody sees it; B keeps its promises, and A sees that.

    E10  A keeps back .1 of its share .4 J, and all bear that by their shares:
               A .4 - .04 + .4 x .04 = .376 J, B .6 + .6 x .04 = .624 J, with J = 108,070.653
    E4   cost, in parts of what it would be alone:
               A (.376 J - .1 x 1 x 40,000)/43,503.366         = .8421088
               B (.624 J - .1 x .7619048 x 60,000)/61,586.263  = 1.0207578
    E5   quality: .4 of the people live where promises are broken:
               .644 (1 - .15 x .4) .9696735                    = .5870015
    E6   U, A  1 - .8421088 + .5 (.5870015 - .5) - .006        = .1953920
         U, B  1 - 1.0207578 + .5 (.5870015 - .7) - .004       = -.0812570
    E12  trust A in B: .6 + (1 - .9^(1/4)) (1 - .6)            = .6103985
               all others unseen: .6 + (1 - .95^(1/4)) (.5 - .6) = .5987259
         reputation of B: .7 + (1 - .8^(1/4)) (1 - .7)         = .7162775; of A and C .7
         commitment A: .6 + (1 - .8^(1/4)) (logistic(.405 + (.1953920 - .1)/.05) - .6)
                                                               = .6168166
               B: .6 + (1 - .8^(1/4)) (logistic(.405 - .0812570/.05) - .6) = .5798111
               C: .5 + (1 - .95^(1/4)) (.6 - .5)               = .5012741
         aspiration A: .1 + (1 - .5^(1/4)) (.1953920 - .1)     = .1151772;  B -.0129283
         capacity A: .5 + (1 - .98^(1/4)) (.7 - .5)            = .5010076
    E13  monitoring .005 x .5 x J a year; a quarter at 10 a head = 675.441583;
               A .0024842 of what it would pay alone
    """
    run.advance("coordinate")
    s = run.state
    s.slot["kept"][:2, 0], s.slot["seen"][:2, 0] = [0, 1], [0, 1]
    run.advance("produce")
    assert run.slot("due")[:2, 0].tolist() == close([43_228.2613194, 64_842.3919791])
    assert run.slot("cost")[:, 0].tolist() == close([0.8421088, 1.0207578, 1])
    assert run.slot("quality")[:, 0].tolist() == close([0.5870015, 0.5870015, 0.6])
    assert run.slot("realised")[:, 0].tolist() == close([0.1953920, -0.0812570, 0])
    assert run.slot("programme")[A, 0] == close(0.0024842)
    assert s.ledger[PAID, MONITORING] == pytest.approx(675.441583, abs=1e-6)
    run.advance()
    assert run.trust() == {
        (A, B): close(0.6103985), (B, A): close(0.5987259),
        (B, C): close(0.5987259), (C, B): close(0.5987259),
    }  # fmt: skip
    assert run.region("reputation").tolist() == close([0.7, 0.7162775, 0.7])
    assert run.region("commitment").tolist() == close([0.6168166, 0.5798111, 0.5012741])
    assert run.region("aspiration").tolist() == close([0.1151772, -0.0129283, 0])
    assert run.slot("capacity")[:, 0].tolist() == close([0.5010076, 0.7, 0.6])
