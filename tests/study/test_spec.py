"""Inquiries: what their files may say, and that all that is wrong is told before the first run."""

import json

import pytest

from kolabsim.errors import InputError
from kolabsim.scenario.scenario import shipped_names
from kolabsim.study.comparison_spec import Experiment
from kolabsim.study.spec import (
    TEXTS,
    Inquiry,
    kind_of,
    load,
    parse_outcome,
    schema_of,
)

SENSITIVITY = "kind: sensitivity\nscenario: kartamantul\nfactors: [mechanisms]\n"
UNCERTAINTY = "kind: uncertainty\nscenario: kartamantul\nplausible: 3\n"
SEARCH = "kind: search\nscenario: kartamantul\n"


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "e.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_outcomes_are_measures_at_the_end_or_at_a_quarter_or_their_spread():
    one = parse_outcome("trust@8", 40)
    assert (one.measure, one.quarter, one.column, one.is_spread) == ("trust", 8, "trust@8", False)
    spread = parse_outcome("spread(net_efficiency)", 40)
    assert (spread.column, spread.is_spread, spread.better) == ("net_efficiency", True, -1)
    assert parse_outcome("spread(trust@3)", 40).column == "trust@3"
    assert parse_outcome("losers", 40).better == -1


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("trusts", "did you mean 'trust'"),
        ("trust@40", "the last quarter is 39"),
        ("trust@" + "9" * 5000, "is not a measure"),
        ("a b", "not a"),
    ],
)
def test_what_is_no_outcome_is_told(word, told):
    with pytest.raises(InputError, match=told):
        parse_outcome(word, 40)


def test_an_inquiry_has_nothing_left_open(written):
    found = load(written(SENSITIVITY + "outcomes: [trust@8]\nagainst: voluntary\nstrategy: team\n"))
    assert isinstance(found, Inquiry)
    assert found.strategies == ("team", "voluntary")
    assert [factor.group for factor in found.factors] == ["mechanisms"] * 5
    assert found.moments == (("trust", 8),)
    every = load(written(UNCERTAINTY))
    assert every.strategies[0] == "voluntary"
    assert set(every.strategies) == set(every.scenario.strategies)
    assert len(load(written(SEARCH)).factors) == 9


def test_a_quick_look_changes_what_the_file_says(written):
    path = written(SENSITIVITY + "samples: 512\nruns: 8\nquick: {samples: 16, runs: 2}\n")
    assert load(path).text.samples == 512
    quick = load(path, quick=True)
    assert (quick.text.samples, quick.text.runs) == (16, 2)
    assert load(path, quick=True, changes={"samples": 32}).text.samples == 32
    search = load(written(SEARCH + "quick: {runs: [4, 8]}\n"), quick=True)
    assert search.text.runs == (4, 8)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("kind: sensitivities\nscenario: kartamantul\n", "did you mean 'sensitivity'"),
        (SENSITIVITY.replace("mechanisms", "mechanism"), "did you mean 'mechanisms'"),
        (SENSITIVITY + "method: sobols\n", "did you mean 'sobol'"),
        (SENSITIVITY + "samples: 100\n", "power of two|64|128"),
        (SENSITIVITY + "method: pawn\nsamples: 8\n", "samples"),
        (SENSITIVITY + "method: delta\nsamples: 256\ngrouped: true\n", "groups"),
        (SENSITIVITY.replace("mechanisms", "cap"), "two"),
        (SENSITIVITY + "outcomes: [net_eficiency]\n", "did you mean 'net_efficiency'"),
        (SENSITIVITY + "strategy: teams\n", "did you mean 'team'"),
        (SENSITIVITY + "sample: 3\n", "did you mean 'samples'"),
        (SENSITIVITY + "runs: 1\noutcomes: [spread(trust)]\n", "at least two runs"),
        (SENSITIVITY + "quick: {sample: 3}\n", "did you mean 'samples'"),
        ("kind: sensitivity\nscenario: kartamantul\n", "factors: missing"),
        (UNCERTAINTY + "factors: [exit]\n", "either 'plausible' or 'factors'"),
        (UNCERTAINTY.replace("plausible: 3", "runs: 4"), "either 'plausible' or 'factors'"),
        (UNCERTAINTY + "outcome: bodies\n", "neither better nor worse"),
        (UNCERTAINTY + "baseline: nothing\n", "not a strategy"),
        (SEARCH + "levers: [exit]\n", "mechanisms and support only"),
        (SEARCH + "objectives: [density]\n", "neither better nor worse"),
        (SEARCH + "budget: -3\n", "budget"),
        (SEARCH.replace("kartamantul", "~"), "scenario: missing"),
        (SEARCH + "levers: [[a], {b: 1}]\n", "levers: keys with values are needed"),
        (SENSITIVITY.replace("[mechanisms]", f"[{', '.join(map(str, range(1001)))}]"), "factors"),
        (SEARCH.replace("kartamantul", "x" * 5000), "there is no scenario"),
    ],
)
def test_what_is_wrong_is_told(written, text, told):
    with pytest.raises(InputError, match=told) as error:
        load(written(text))
    assert error.value.problems[0].file is not None


def test_options_that_mean_nothing_are_refused(written):
    for text, name in (
        (SEARCH, "samples"),
        ("kind: comparison\nscenario: kartamantul\n", "samples"),
    ):
        with pytest.raises(InputError, match=f"--{name} means nothing"):
            load(written(text), changes={name: 16})


def test_a_comparison_is_loaded_as_before(written):
    path = written("kind: comparison\nscenario: kartamantul\nruns: 300\nquick: {runs: 7}\n")
    assert kind_of(path) == "comparison"
    assert isinstance(load(path), Experiment)
    assert load(path, quick=True).runs == 7
    assert load(path, quick=True, changes={"runs": 9}).runs == 9


def test_every_kind_has_a_schema():
    for kind in TEXTS:
        described = schema_of(kind)
        json.dumps(described)
        assert described["properties"]["scenario"]
        assert described["required"] == ["kind", "scenario"]


def test_all_that_ship_can_be_loaded():
    kinds = [load(name).kind for name in shipped_names("experiments")]
    assert set(kinds) == {"comparison", *TEXTS}
