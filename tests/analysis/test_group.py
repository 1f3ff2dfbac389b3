"""A joint body that somebody means: judged by the laws, simulated, and told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from kolabsim import i18n
from kolabsim.analysis.group import (
    RULES,
    SHAPLEY,
    Case,
    Judge,
    Plan,
    arm,
    founded,
    group_outlook,
    host_of,
)
from kolabsim.analysis.outlook import run_draws
from kolabsim.analysis.region import prospect
from kolabsim.engine.ensemble import build_task, run_block
from kolabsim.errors import InputError
from kolabsim.model.bodies import choose_provider
from kolabsim.model.initialisation import initialise
from kolabsim.model.jit import host_entry
from kolabsim.model.levers import CONTRACT, FORMS
from kolabsim.model.measures import REGION_MEASURES, TRACE
from kolabsim.model.state import NOBODY
from kolabsim.report.group import answer_section, horizon_texts, write_group
from kolabsim.scenario.compile import build_policy
from kolabsim.scenario.scenario import Scenario
from kolabsim.study.api import simulate

CITY, SLEMAN, BANTUL = "34.71", "34.04", "34.02"
FACTS = {"command": "kolabsim region here", "seed": 1, "kolabsim": "9.8.7"}


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setattr(i18n, "_chosen", ["en"])


@pytest.fixture(scope="module")
def scenario():
    return Scenario.load("kartamantul").with_(horizon=16)


@pytest.fixture(scope="module")
def found(scenario):
    return group_outlook(scenario, CITY, [SLEMAN, BANTUL], "waste", futures={}, runs=3, seed=1)


@pytest.fixture(scope="module")
def task(scenario):
    return build_task(scenario, scenario.strategies["voluntary"], seed=1)


def test_two_regions_judge_their_body_as_regions_of_the_model_do(scenario, task):
    """The laws of a group are those of a negotiation, for every pair of contacts that is free."""
    compared = 0
    (_place, state), *_rest = run_draws([task], [(0, 0)])
    for a in range(len(scenario.areas)):
        for i in range(len(scenario.regions)):
            for c in range(state.region[i].first, state.region[i].end):
                j = int(state.contact[c].target)
                if state.slot[i, a].body != NOBODY or state.slot[j, a].body != NOBODY:
                    continue
                gain, form, provider = host_entry(prospect)(state, task.parameters, i, a, c, 0)
                judge = Judge(state, task.parameters, Plan(Case(scenario, (i, j), a), form, None))
                if form == CONTRACT:
                    assert judge.provider((i, j)) == provider
                    assert provider == host_entry(choose_provider)(state, i, j, a)
                assert judge.judge((i, j))[1][0, 1] == pytest.approx(gain, abs=1e-12)
                compared += 1
    assert compared > 30


def test_without_the_body_runs_are_those_of_the_baseline(found, scenario):
    """Against serving alone less against the baseline is what the baseline brings."""
    regions = simulate(scenario, ["voluntary"], runs=3, seed=1).regions
    own = regions[(regions["area"] == "waste")].groupby("region", observed=True)["benefit_money"]
    money = found.gains.set_index(["against", "region"])["money"]
    for code in found.members:
        difference = money["alone", code] - money["baseline", code]
        assert difference == pytest.approx(own.mean()[code], rel=1e-9, abs=1e-3)


def test_cost_shares_add_up_and_gains_differ_by_what_members_pay(found):
    table = found.rules.set_index(["rule", "region"])
    for rule in RULES:
        assert table.loc[rule, "part"].sum() == pytest.approx(1.0)
    cheap, dear = table.loc["population"], table.loc["equal"]
    for code in found.members:
        less = cheap.loc[code, "part"] < dear.loc[code, "part"]
        assert (cheap.loc[code, "gain"] > dear.loc[code, "gain"]) == less
    assert set(found.refusing("equal")) <= {*found.members}
    assert found.rules["refuses"].between(0, 1).all()
    assert SHAPLEY in RULES


def test_the_body_is_founded_with_start_up_and_free_of_mandates(scenario, task):
    group = tuple(scenario.regions.codes.index(code) for code in (CITY, SLEMAN, BANTUL))
    case = Case(scenario, group, list(scenario.areas).index("waste"))
    kept = run_block(arm(task, Plan(case, FORMS.index("board"), None), 1, 3), np.arange(2),
                     trace=True)  # fmt: skip
    body = kept.trace[:, 0, list(group), case.area, TRACE.index("body")]
    assert (body != NOBODY).all()
    assert (body == body[:, :1]).all()
    entry = kept.trace[:, 0, list(group), case.area, TRACE.index("entry")]
    assert (entry < 0).all()
    assert kept.history.shape[1] == 16
    assert "benefit_money" in REGION_MEASURES


def test_mandates_of_a_strategy_stay_what_they_are_when_a_body_is_founded(scenario, task):
    """Each keeps its price, and whether it counts towards a yearly budget."""
    order = {"groups": [[SLEMAN, BANTUL]], "areas": ["finance"], "from": 4}
    changed = scenario.with_({"strategies.mine": {"mandates": [order], "budget": 1e9}})
    before = build_policy(changed, changed.strategies["mine"])
    group = tuple(scenario.regions.codes.index(code) for code in (CITY, SLEMAN))
    after = founded(before, Case(scenario, group, list(scenario.areas).index("waste")))
    assert before.mandate_counted.tolist() == [1]
    for name in (one for one in before._fields if one.startswith("mandate")):
        assert len(getattr(after, name)) == 2
        np.testing.assert_array_equal(getattr(after, name)[1:], getattr(before, name))
    assert after.mandate_counted[0] == after.mandate_price[0] == 0


def test_a_member_that_leaves_is_out_from_then_on(scenario, task):
    group = tuple(scenario.regions.codes.index(code) for code in (CITY, SLEMAN, BANTUL))
    case = Case(scenario, group, list(scenario.areas).index("waste"))
    left = run_block(arm(task, Plan(case, FORMS.index("board"), None), 3, 3), np.arange(2),
                     trace=True)  # fmt: skip
    body = left.trace[:, :, group[1], case.area, TRACE.index("body")]
    assert (body[:, :8] != NOBODY).all()  # nobody leaves within the first term
    assert (body[:, 12:] == NOBODY).all()


def test_a_body_that_exists_changes_nothing(scenario, task):
    state = next(run_draws([task], [(0, 0)]))[1]
    host_entry(initialise)
    case = Case(scenario, tuple(scenario.regions.codes.index(c) for c in (CITY, SLEMAN, BANTUL)),
                list(scenario.areas).index("wastewater"))  # fmt: skip
    host = host_of(state, case)
    assert host is not None
    assert (host.form, host.began, len(host.members)) == ("board", -100, 3)
    found = group_outlook(
        scenario, CITY, [SLEMAN, BANTUL], "wastewater", futures={}, runs=2, seed=1
    )
    assert found.exists
    assert (found.gains.query("against == 'baseline'")["money"] == 0).all()
    assert "share this service already" in " ".join(answer_section(found).summary)


@pytest.mark.parametrize(
    ("partners", "more", "text"),
    [
        (["34.05"], {}, "no region has the code '34.05'; did you mean"),
        ([CITY], {}, "'34.71' is the region itself; name its partners only"),
        ([SLEMAN, SLEMAN], {}, "'34.04' is named twice"),
        ([], {}, "a joint body needs at least one partner"),
        (
            [SLEMAN],
            {"area": "wast"},
            "'wast' is not a service area of this scenario; did you mean 'waste'?",
        ),
        (
            [SLEMAN],
            {"form": "bord"},
            "'bord' is not a legal form; did you mean 'board'?",
        ),
        ([SLEMAN], {"leaves_after": 4}, "members cannot leave after 4 years"),
    ],
)
def test_what_no_body_could_be_is_refused(scenario, partners, more, text):
    options = {"area": "waste"} | more
    with pytest.raises(InputError) as refused:
        group_outlook(scenario, CITY, partners, **options, futures={}, runs=2)
    assert text in str(refused.value)


def test_members_must_know_each_other():
    text = "'31' has no contact in this group; its contacts are: 32.01, 32.14"
    with pytest.raises(InputError, match=text):
        group_outlook(Scenario.load("jabodetabek"), "31", ["32.02"], "waste", futures={}, runs=2)


def test_a_group_beyond_the_cap_is_refused(scenario):
    small = scenario.with_(cap=3)
    with pytest.raises(InputError, match=r"4 regions are too many for a joint body \(at most 3\)"):
        group_outlook(small, CITY, [SLEMAN, BANTUL, "34.01"], "waste", futures={}, runs=2)


def test_the_page_tells_everything_in_both_languages(found, tmp_path, monkeypatch):
    for language in ("en", "id"):
        monkeypatch.setattr(i18n, "_chosen", [language])
        text = write_group(found, tmp_path / f"{language}.html", facts=FACTS).read_text("utf-8")
        for code in found.members:
            name = found.scenario.regions.labels[found.scenario.regions.codes.index(code)]
            assert name in text
        assert "{" not in " ".join(answer_section(found).summary)
        assert all(f'id="{one}"' in text for one in ("gains", "rules", "further", "departures"))


def test_paths_end_at_the_gain_of_the_run(found):
    """Net benefit up to the last quarter is that of the run, in money and against both."""
    money = found.gains.set_index(["against", "region"])["money"]
    for against in ("baseline", "alone"):
        for code in found.members:
            path = found.path(code, against)
            assert len(path) == found.scenario.horizon
            assert path[-1] == pytest.approx(money[against, code], rel=1e-9, abs=1e-3)


def test_break_even_is_the_quarter_from_which_a_member_stays_ahead(found):
    def given(*money):
        paths = pd.DataFrame({
            "against": "baseline", "region": CITY, "quarter": range(1, len(money) + 1),
            "money": money,
        })  # fmt: skip
        return replace(found, paths=paths)

    assert given(-5.0, 1.0, -1.0, 0.0, 2.0).break_even(CITY) == 4
    assert given(1.0, 2.0).break_even(CITY) == 1
    behind = given(-9.0, -8.0, -7.0, -6.0, -5.0, -4.0)
    assert behind.break_even(CITY) is None
    assert behind.years_behind(CITY) == pytest.approx(1.0)
    assert given(*range(0, -8, -1)).years_behind(CITY) is None


def test_the_page_says_why_a_body_that_looks_good_loses_over_the_run(found):
    """Only where it is judged to gain and loses; with the time until it would break even."""
    gains, rules = found.gains.copy(), found.rules.copy()
    of_city = gains["region"] == CITY
    gains.loc[of_city, "difference"] = -0.02
    rules.loc[rules["region"] == CITY, "gain"] = 0.05
    rising = pd.DataFrame({
        "against": "baseline", "region": CITY, "quarter": range(1, 17),
        "money": np.arange(-20.0, -4.0),
    })  # fmt: skip
    losing = replace(found, gains=gains, rules=rules, paths=rising, together=0.9)
    (text,) = horizon_texts(losing, [CITY])
    assert "start-up cost is paid at once" in text
    assert "about 1.2 years after the end of the run" in text
    assert text in answer_section(losing).headlines[0].text
    falling = replace(losing, together=0.2, paths=rising.assign(money=-rising["quarter"]))
    (text,) = horizon_texts(falling, [CITY])
    assert "the body seldom lasts" in text
    assert text.endswith("it would not break even.")
    gains.loc[of_city & (gains["against"] == "alone"), "difference"] = 0.01
    assert "by themselves regions come to share" in horizon_texts(losing, [CITY])[0]
    rules.loc[rules["region"] == CITY, "gain"] = -0.05
    assert not horizon_texts(losing, [CITY])
