"""Keys of experiment files, and problems that are reported before the first run."""

import json

import pytest

from kolabsim.errors import InputError, RenamedWarning
from kolabsim.scenario import futures
from kolabsim.scenario.futures import plausible_sets
from kolabsim.scenario.scenario import shipped_names
from kolabsim.study.experiment import Experiment, sensitivity_design
from kolabsim.study.spec import KINDS, parse_outcome, schema

SENSITIVITY = "kind: sensitivity\nscenario: kartamantul\nfactors: [mechanisms]\n"
ROBUSTNESS = "kind: robustness\nscenario: kartamantul\nplausible: 3\n"
SEARCH = "kind: search\nscenario: kartamantul\n"
REST = ("planning", "information", "monitoring")
SWEEP = "kind: sweep\nscenario: kartamantul\nfactors: [mechanisms.team, parameters.notice]\n"


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "e.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_word_in_place_of_a_list_is_written_as_it_was_read(written):
    text = "kind: comparison\nscenario: kartamantul\nstrategies: [team]\nstructures: all\n"
    spec = Experiment.load(written(text)).spec
    assert spec.model_dump(mode="json")["structures"] == "all"


def test_outcomes_are_measures_at_the_end_or_at_a_quarter_or_their_spread():
    one = parse_outcome("trust@8", 40)
    assert (one.measure, one.quarter, one.column, one.is_spread) == ("trust", 8, "trust@8", False)
    spread = parse_outcome("spread(net_efficiency)", 40)
    assert (spread.column, spread.is_spread, spread.better) == ("net_efficiency", True, -1)
    assert parse_outcome("spread(trust@3)", 40).column == "trust@3"
    assert parse_outcome("worse_off", 40).better == -1


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("trusts", "did you mean 'trust'"),
        ("trust@40", "the last quarter is 39"),
        ("trust@" + "9" * 5000, "is not a measure"),
        ("a b", "not a"),
    ],
)
def test_what_is_no_outcome_is_reported(word, message):
    with pytest.raises(InputError, match=message):
        parse_outcome(word, 40)


def test_an_experiment_has_nothing_left_open(written):
    found = Experiment.load(
        written(SENSITIVITY + "outcomes: [trust@8]\nagainst: voluntary\nstrategy: team\n")
    )
    assert found.strategies == ("team", "voluntary")
    assert [factor.group for factor in found.factors] == ["mechanisms"] * 5
    assert found.moments == (("trust", 8),)
    every = Experiment.load(written(ROBUSTNESS))
    assert every.strategies[0] == "voluntary"
    assert set(every.strategies) == set(every.scenario.offered)
    assert len(Experiment.load(written(SEARCH)).factors) == 9


def test_a_quick_look_changes_what_the_file_says(written):
    path = written(SENSITIVITY + "samples: 512\nruns: 8\nquick: {samples: 16, runs: 2}\n")
    assert Experiment.load(path).spec.samples == 512
    quick = Experiment.load(path, quick=True)
    assert (quick.spec.samples, quick.spec.runs) == (16, 2)
    assert Experiment.load(path, quick=True, samples=32).spec.samples == 32
    search = Experiment.load(written(SEARCH + "quick: {runs: [4, 8]}\n"), quick=True)
    assert search.spec.runs == (4, 8)


def test_groups_of_your_own_and_of_one(written):
    text = "kind: sensitivity\nscenario: kartamantul\nfactors: [mechanisms, cap, form]\n"
    own = "groups: {talk: [mechanisms.forum, mechanisms.team], size: [cap]}\n"
    found = sensitivity_design(Experiment.load(written(text + own)))
    rest = (f"mechanisms.{name}" for name in REST)
    assert found.units == ("talk", *rest, "cap", "form", "dummy")
    found = sensitivity_design(Experiment.load(written(text + own + "grouped: true\n")))
    assert found.units == ("talk", "mechanisms", "cap", "form", "dummy")
    grouped = text.replace(", form", "") + "grouped: true\n"  # a group of one is its factor
    assert sensitivity_design(Experiment.load(written(grouped))).units[-2:] == ("cap", "dummy")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: sensitivities\nscenario: kartamantul\n", "did you mean 'sensitivity'"),
        (SENSITIVITY.replace("mechanisms", "mechanism"), "did you mean 'mechanisms'"),
        (SENSITIVITY + "method: sobols\n", "did you mean 'sobol'"),
        (SENSITIVITY + "samples: 100\n", "power of two|64|128"),
        (SENSITIVITY + "method: pawn\nsamples: 8\n", "samples"),
        (SENSITIVITY + "method: delta\nsamples: 256\ngrouped: true\n", "groups"),
        (SENSITIVITY + "groups: {a: [mechanisms.teem]}\n", "did you mean 'mechanisms.team'"),
        (SENSITIVITY + "groups: {a: [mechanisms.team], b: [mechanisms.team]}\n", "already in"),
        (SENSITIVITY + "groups: {support: [mechanisms.team]}\n", "a usual group; use another"),
        (SENSITIVITY + "groups: {dummy: [mechanisms.team, mechanisms.forum]}\n", "reserved"),
        (SENSITIVITY + "groups: {a: mechanisms}\n", "groups.a"),
        (SENSITIVITY.replace("mechanisms", "cap"), "two"),
        (SENSITIVITY + "outcomes: [net_eficiency]\n", "did you mean 'net_efficiency'"),
        (SENSITIVITY + "strategy: teams\n", "did you mean 'team'"),
        (SENSITIVITY + "sample: 3\n", "did you mean 'samples'"),
        (SENSITIVITY + "runs: 1\noutcomes: [spread(trust)]\n", "at least two runs"),
        (SENSITIVITY + "strategy: team\n", "'team' sets this lever itself.*strategy: voluntary"),
        (SENSITIVITY + "quick: {sample: 3}\n", "did you mean 'samples'"),
        ("kind: sensitivity\nscenario: kartamantul\n", "factors: missing"),
        (ROBUSTNESS + "factors: [exit]\n", "either 'plausible' or 'factors'"),
        (ROBUSTNESS.replace("plausible: 3", "runs: 4"), "either 'plausible' or 'factors'"),
        (ROBUSTNESS + "outcome: bodies\n", "neither better nor worse"),
        (ROBUSTNESS + "baseline: nothing\n", "not a strategy"),
        (SEARCH + "levers: [exit]\n", "consists of mechanisms and support only"),
        (SEARCH + "objectives: [density]\n", "neither better nor worse"),
        (SEARCH + "budget: -3\n", "budget"),
        (SEARCH.replace("kartamantul", "~"), "scenario: missing"),
        (SWEEP + "levels: 400\n", "160000 points in 20 futures with 10 runs each.*5000000 runs"),
        (SWEEP + "levels: 1000\n", "about [0-9]+ hours of one core; allowed: at most 100000"),
        (SWEEP + "points: 5\n", "points: 5 is not the name of a table; 'levels' says how many"),
        (SWEEP + "level: 5\n", "did you mean 'levels'"),
        (SWEEP + "points: p.csv\n", "either 'factors' or 'points'"),
        ("kind: sweep\nscenario: kartamantul\n", "either 'factors' or 'points'"),
        (SWEEP + "samples: 9\n", "only points that are drawn have samples"),
        (
            SWEEP + "strategy: team\nset: {strategies.team.mechanisms.team: "
            "[{intensity: 1, until: 4}, {intensity: 0.5, from: 4}]}\n",
            "mechanisms.team: 'team' changes this lever over time, in 2 phases",
        ),
        (
            SWEEP.replace("mechanisms.team", "support.ngo, support.ngo.targets")
            + "strategy: ngo\n",
            "support.ngo.targets: 'ngo' sets this lever itself",
        ),
        (SWEEP + "against: teams\n", "did you mean 'team'"),
        (SWEEP.replace("mechanisms.team, ", "") + "against: voluntary\n", "nothing to compare"),
        (
            SWEEP.replace("[mechanisms.team, parameters.notice]", "{cap: {levels: [4]}}"),
            "at least two values",
        ),
        (SWEEP + "likely: 0.97\n", "more than robust"),
        (SWEEP + "levels: 1\n", "allowed: at least 2"),
        (SWEEP.replace("[mechanisms.team,", "[mechanisms.teams,"), "did you mean"),
        (SEARCH + "levers: [[a], {b: 1}]\n", "levers: keys with values are needed"),
        (SENSITIVITY.replace("[mechanisms]", f"[{', '.join(map(str, range(1001)))}]"), "factors"),
        (SEARCH.replace("kartamantul", "x" * 5000), "there is no scenario"),
    ],
)
def test_what_is_wrong_is_reported(written, text, message):
    with pytest.raises(InputError, match=message) as error:
        Experiment.load(written(text))
    assert error.value.problems[0].file is not None


def test_a_sweep_has_a_point_for_every_combination_of_levels(written):
    text = SWEEP.replace(
        "[mechanisms.team, parameters.notice]",
        "{cap: {levels: [4, 6]}, form: [contract, board], parameters.notice: [0.2, 0.6]}",
    )
    table = Experiment.load(written(text + "levels: 3\n")).points
    assert len(table) == len(table.drop_duplicates()) == 2 * 2 * 3
    assert table["parameters.notice"].tolist()[:3] == [0.2, 0.4, 0.6]
    assert set(table["form"]) == {"contract", "board"}


def test_options_that_mean_nothing_are_refused(written):
    for text, name in (
        (SEARCH, "samples"),
        ("kind: comparison\nscenario: kartamantul\n", "samples"),
    ):
        with pytest.raises(InputError, match=f"--{name} does not apply"):
            Experiment.load(written(text), **{name: 16})


def test_a_comparison_has_a_quick_size_of_its_own(written):
    path = written("kind: comparison\nscenario: kartamantul\nruns: 300\nquick: {runs: 7}\n")
    assert Experiment.load(path).spec.runs == 300
    assert Experiment.load(path, quick=True).spec.runs == 7
    assert Experiment.load(path, quick=True, runs=9).spec.runs == 9
    spec = Experiment.load("kartamantul", quick=True).spec
    assert (spec.plausible, spec.runs) == (20, 4)
    assert Experiment.load("kartamantul", quick=True, plausible=0).spec.runs == 4


def test_a_comparison_is_over_all_plausible_futures_unless_the_file_says_else(written):
    number, text = len(plausible_sets()), "kind: comparison\nscenario: kartamantul\n"
    whole = Experiment.load(written(text))
    assert [*whole.futures] == [f"plausible-{k}" for k in range(1, number + 1)]
    assert whole.spec.runs == max(2, 500 // number)
    for changes, size, runs in (
        ("plausible: all", number, whole.spec.runs),
        ("plausible: 25", 25, 20),
        ("plausible: 25\nruns: 3", 25, 3),
        ("plausible: 0", 1, 200),
        ("plausible: 1", 2, 200),
        ("futures: {one: {}, other: {parameters.trust_start: 0.7}}", 2, 200),
        ("futures: {one: {}}\nplausible: 20", 21, 25),
        ("plausible: 20\nstructures: [trust]", 22, 25),
    ):
        found = Experiment.load(written(f"{text}{changes}\n"))
        assert (len(found.futures), found.spec.runs) == (size, runs), changes


def test_what_a_scenario_states_is_not_varied(written):
    text = "kind: comparison\nscenario: kartamantul\nplausible: 3\n"
    free = Experiment.load(written(text)).futures["plausible-2"]
    names = [name for name in plausible_sets()[0] if name in free]
    stated = {name: plausible_sets()[0][name] for name in (names[0], names[-1])}
    for found in (
        Experiment.load(written(text), settings=stated),
        Experiment.load(written(f"{text}set: {json.dumps(stated)}\n")),
    ):
        kept = found.futures["plausible-2"]
        assert free.keys() - kept.keys() == stated.keys()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("plausible: 100000", "100000 is not allowed; allowed: all, or a whole number from 0 to"),
        ("plausible: most", "'most' is not allowed; allowed: all, or a whole number from 0 to"),
        ("plausible: -1", "-1 is not allowed; allowed: all, or a whole number from 0 to"),
        ("plausible: 2.5", "2.5 is not allowed; allowed: all, or a whole number from 0 to"),
        ("futures: {plausible-1: {}}", "plausible-1: the name is reserved for plausible futures"),
        ("robust: 95", "95 is too large; allowed: below 1"),
        ("robust: 0.7", "likely: 0.8 is more than robust: 0.7"),
        ("practical_threshold: -0.1", "-0.1 is too small; allowed: at least 0"),
    ],
)
def test_futures_and_criteria_that_make_no_sense_are_refused(line, message, written):
    with pytest.raises(InputError) as refusal:
        Experiment.load(written(f"kind: comparison\nscenario: kartamantul\n{line}\n"))
    assert message in str(refusal.value)


def test_a_scenario_that_states_everything_has_no_plausible_futures(written, monkeypatch):
    monkeypatch.setattr(futures, "plausible_sets", lambda: ({"parameters.trust_start": 0.3},))
    path = written("kind: comparison\nscenario: kartamantul\nset: {parameters.trust_start: 1}\n")
    with pytest.raises(InputError, match="plausible: the scenario states all settings that"):
        Experiment.load(path)


def test_an_old_kind_is_read_with_a_warning(written):
    path = written(ROBUSTNESS.replace("robustness", "uncertainty"))
    with pytest.warns(RenamedWarning, match=r"e.yaml:1: 'uncertainty' is now 'robustness'"):
        assert Experiment.load(path).kind == "robustness"


def test_every_kind_has_a_schema():
    for kind in KINDS:
        described = schema(kind)
        json.dumps(described)
        assert described["properties"]["kind"]["const"] == kind
        assert described["required"][:2] == ["kind", "scenario"]


def test_all_that_ship_can_be_loaded():
    kinds = [Experiment.load(name).kind for name in shipped_names("experiments")]
    assert set(kinds) == set(KINDS)
