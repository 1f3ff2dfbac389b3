"""The choices of a user: in an address, and as sliders."""

from urllib.parse import parse_qsl

import pytest

from kolabsim.app.kept import Kept
from kolabsim.app.settings import Settings, controls, fixable, lever_name, read_query
from kolabsim.errors import Problems
from kolabsim.i18n import speaking
from kolabsim.model.levers import LEVERS
from kolabsim.model.parameters import PARAMETERS

MOVED = Settings(
    scenario="kartamantul", start="full_package", baseline="grants", measure="trust", seed=3,
    lang="id", levers={"team": 0.25, "ngo": 1.0}, assumptions={"trust_start": 0.4},
)  # fmt: skip


def read(query):
    problems = Problems()
    return read_query(parse_qsl(query, keep_blank_values=True), problems), [
        p.message for p in problems.found
    ]


@pytest.mark.parametrize(
    "settings",
    [
        Settings(), MOVED, Settings(seed=7, levers={"forum": 0.0}),
        Settings(assumptions={"trust_start": 0.4 + 0.1 / 3}, levers={"team": 1 / 3}),
        Settings(kept=(Kept("Ours", "team", {"team": 0.1234567}),)),
    ],
)  # fmt: skip
def test_an_address_carries_all_settings(settings):
    assert read(settings.query) == (settings, [])


def test_the_address_of_the_usual_settings_is_empty():
    assert Settings().query == ""


def test_every_lever_and_every_parameter_can_be_moved_over_its_whole_range():
    for name in LEVERS:
        for value in (0.0, 1.0):
            assert read(f"{lever_name(name)}={value}")[0].levers == {name: value}
    for name, entry in PARAMETERS.items():
        for value in (entry.low, entry.high):
            assert read(f"parameters.{name}={value}")[0].assumptions == {name: value}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("mechanisms.team=2", "mechanisms.team: 2 is not a number from 0 to 1"),
        ("mechanisms.team=nan", "mechanisms.team: nan is not a number from 0 to 1"),
        (
            "mechanisms.teem=1",
            "'mechanisms.teem' is not known here; did you mean 'mechanisms.team'",
        ),
        ("measure=trusty", "'trusty' is not known here; did you mean 'trust'?"),
        ("seed=-1", "seed: -1 is not a whole number from 0 to 2147483647"),
        ("seed=1.5", "seed: 1.5 is not a whole number"),
        ("seed=", "seed: '' is not a whole number"),
        ("seed=1_0", "seed: 1_0 is not a whole number"),
        ("seed=+7", "seed:  7 is not a whole number"),
        ("seed=\u0663", "seed: \u0663 is not a whole number"),
        ("seed=2&seed=3", "'seed' is in this address 2 times; give it once"),
        ("mechanisms.team=0.1&mechanisms.team=0.1", "'mechanisms.team' is in this address 2 times"),
        ("lang=fr", "'fr' is not known here"),
    ],
)
def test_what_an_address_cannot_mean_is_told_and_left_as_it_is(query, message):
    settings, problems = read(query)
    assert settings == Settings()
    assert len(problems) == 1
    assert problems[0].startswith(message)


def test_a_lever_is_put_back():
    assert MOVED.moved("mechanisms.team", None).levers == {"ngo": 1.0}
    assert MOVED.moved("parameters.trust_start", None).assumptions == {}


# Sliders ------------------------------------------------------------------------------------------


def sliders(settings, scenario):
    groups = controls(settings, scenario)
    return [one for parts in groups.values() for group in parts.values() for one in group]


def test_levers_come_in_the_order_of_the_steps_then_supporters_then_assumptions(scenario):
    fixed = [*PARAMETERS][:2]
    settings = Settings(assumptions=dict.fromkeys(fixed, 1.0))
    names = [one.name for one in sliders(settings, scenario)]
    levers = ["forum", "planning", "team", "information", "monitoring"]
    supporters = ["government", "ngo", "business", "community"]
    assert names == [
        *(f"mechanisms.{name}" for name in levers), *(f"support.{name}" for name in supporters),
        *(f"parameters.{name}" for name in fixed),
    ]  # fmt: skip
    steps = next(iter(controls(Settings(), scenario).values()))
    assert [title[:2] for title in steps] == ["2.", "3.", "4.", "5."]


def test_every_slider_reaches_its_usual_value_in_whole_steps(scenario):
    for one in sliders(Settings(), scenario):
        assert one.low <= one.usual <= one.high
        steps = (one.usual - one.low) / one.step
        assert steps == pytest.approx(round(steps))
        assert one.setting(one.usual) is None
        assert one.setting(one.usual + one.step) == one.usual + one.step


def test_a_fixed_assumption_stays_fixed_at_its_usual_value(scenario):
    name, entry = next(iter(PARAMETERS.items()))
    (slider,) = (
        one
        for one in sliders(Settings(assumptions={name: entry.default}), scenario)
        if one.name == f"parameters.{name}"
    )
    assert slider.setting(slider.usual) == slider.usual


def test_what_varies_and_is_not_fixed_can_be_fixed():
    one, other, *_more = PARAMETERS
    futures = {
        "a": {f"parameters.{one}": 1.0, "unit_cost": "fixed", "parameters.unheard_of": 2.0},
        "b": {f"parameters.{other}": 1.0},
    }
    assert set(fixable(futures, Settings())) == {f"parameters.{one}", f"parameters.{other}"}
    fixed = Settings(assumptions={one: 1.0})
    assert set(fixable(futures, fixed)) == {f"parameters.{other}"}


def test_sliders_stand_where_they_were_moved_and_know_where_they_were(scenario):
    found = {one.name: one for one in sliders(MOVED, scenario)}
    assert found["mechanisms.team"].value == 0.25
    assert found["mechanisms.team"].usual == 0.6
    assert found["parameters.trust_start"].value == 0.4


def test_sliders_are_explained_in_both_languages(scenario):
    english = sliders(Settings(), scenario)
    with speaking("id"):
        indonesian = sliders(Settings(), scenario)
    for one, other in zip(english, indonesian, strict=True):
        assert one.label != other.label
        assert one.help != other.help
        assert (one.low, one.high, one.value, one.usual) == (
            other.low, other.high, other.value, other.usual
        )  # fmt: skip
