"""A user's own evidence: facts from files, judged like the published ones; recovery of a truth."""

import json

import numpy as np
import pytest

from kolabsim.engine.ensemble import build_task, run_block
from kolabsim.errors import InputError
from kolabsim.model.measures import MEASURES
from kolabsim.scenario.futures import check_own, own_sets, plausible_futures, plausible_sets
from kolabsim.scenario.scenario import Scenario
from kolabsim.study.experiment import Experiment
from kolabsim.study.tasks import run_figures
from kolabsim.validation import predictive
from kolabsim.validation.calibration import calibrate
from kolabsim.validation.evidence import Evidence, judge, position, published
from kolabsim.validation.facts import CALIBRATION, HELD_OUT
from kolabsim.validation.facts_file import read_evidence
from kolabsim.validation.prior import choose_axes, future_at
from kolabsim.validation.runs import simulate_run
from kolabsim.validation.scorecard import REPRODUCED, score
from tests.terminal import kolabsim

COAST = """
regions:
  synthetic: {number: 8, median_population: 30000, extent_km: 30, tiers: 2}
contacts: {nearest: 5}
families: [administration]
horizon: 16
"""
FACT = """
facts:
  sharing: {measure: cooperation, low: 0.1, high: 0.3, source: Survey 2024}
"""
BODIES = "body,region,area\nA,1.1,finance\nA,1.2,finance\nB,2.1,finance\nB,2.2,finance\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "coast.yaml").write_text(COAST, encoding="utf-8")
    return tmp_path


def read(folder, text, **how):
    (folder / "facts.yaml").write_text(text, encoding="utf-8")
    return read_evidence(Scenario.load(folder / "coast.yaml"), folder / "facts.yaml", **how)


# Reading ----------------------------------------------------------------------------------------


def test_a_fact_of_a_file_is_one_like_the_published_ones(folder):
    other = "{measure: agreements, contrast: ratio, strategy: grants, against: voluntary,"
    found = read(
        folder, f"{FACT}  grants:\n    {other}\n     low: 1.2, source: X, use: held out}}\n"
    )
    sharing, grants = found.facts
    assert (sharing.id, sharing.use, sharing.low, sharing.high) == (
        "sharing",
        CALIBRATION,
        0.1,
        0.3,
    )
    assert (grants.use, grants.settings, grants.kind) == (
        HELD_OUT, ("grants", "voluntary"), "direction",
    )  # fmt: skip
    assert found.calibration == (sharing,)
    assert type(found) is type(published()) is Evidence
    assert [found.places["grants"][1], found.places["sharing"][1]] == [4, 3]
    names = {axis.name for axis in found.axes}
    assert names == {axis.name for axis in published().axes}, "the scenario states none of them"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("{measure: cooperation, low: 0.4, high: 0.3, source: X}", 3, "0.4 is above 'high'"),
        ("{measure: cooperation, low: 0.3, high: 0.3, source: X}", 3, "has no width"),
        ("{measure: cooperation, low: 0.1, high: 0.3}", 3, "a fact needs a source"),
        ("{measure: cooperation, low: 0.1, high: 0.3, source: ' '}", 3, "needs a source"),
        ("{measure: cooperation, source: X}", 3, "a fact needs a band"),
        ("{low: 1, source: X}", 3, "a fact needs a measure"),
        ("{measure: coperation, low: 1, source: X}", 3, "did you mean 'cooperation'?"),
        ("{measure: trust, low: 1, source: X, strategy: gants}", 3, "did you mean 'grants'?"),
        ("{measure: trust, low: 1, source: X, year: 5}", 3, "the scenario has 4 whole years"),
        ("{measure: trust, low: 1, source: X, contrast: ratio}", 3, "needs 'against'"),
        ("{measure: trust, low: 1, source: X, against: grants}", 3, "write 'contrast: difference'"),
        ("{measure: trust, low: 1, source: X, contrast: change, year: 2}", 3, "needs two years"),
        ("{measure: break_even, low: 1, source: X, year: 2}", 3, "has no year"),
        ("{measure: trust, low: 1, source: X, use: fit}", 3, "is not known here"),
        ("{measure: trust, low: one, source: X}", 3, "'one' is not a number"),
        ("{measure: trust, low: 1, sources: X}", 3, "unknown key; did you mean 'source'?"),
    ],
)
def test_a_wrong_fact_is_refused_in_a_sentence_with_its_line(folder, text, line, message):
    with pytest.raises(InputError) as error:
        read(folder, f"\nfacts:\n  one: {text}\n")
    assert message in str(error.value)
    assert {problem.line for problem in error.value.problems} == {line}
    assert all(problem.file.endswith("facts.yaml") for problem in error.value.problems)


def test_facts_that_contradict_each_other_are_refused(folder):
    other = "  other: {measure: cooperation, low: 0.31, high: 0.4, source: Y}\n"
    with pytest.raises(InputError, match=r"facts\.yaml:4.*contradicts 'sharing' on line 3"):
        read(folder, FACT + other)
    read(folder, FACT + other.replace("0.31", "0.3"))
    read(folder, FACT + other.replace("cooperation", "cooperation, year: 2"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("vary: [trust_strt]", r"facts\.yaml:1.*did you mean 'trust_start'\?"),
        ("vary: []", "name at least one setting"),
        ("vary: [trust_start, form]", "'form' is not a setting that calibration varies"),
    ],
)
def test_what_varies_must_be_a_setting(folder, text, message):
    with pytest.raises(InputError, match=message):
        read(folder, text + FACT)


def test_a_setting_that_the_scenario_states_cannot_vary(folder):
    (folder / "coast.yaml").write_text(COAST + "parameters: {trust_start: 0.4}\n")
    assert "parameters.trust_start" not in {axis.name for axis in read(folder, FACT).axes}
    with pytest.raises(InputError, match="'trust_start': the scenario states it"):
        read(folder, "vary: [trust_start]" + FACT)
    assert [axis.name for axis in read(folder, FACT, vary=["notice", "trust"]).axes] == [
        "parameters.notice", "trust",
    ]  # fmt: skip


def test_observed_joint_bodies_become_facts(folder):
    (folder / "bodies.csv").write_text(BODIES)
    found = read(folder, FACT + "bodies: {table: bodies.csv}\n")
    share, partners, pairs = found.facts[1:]
    assert (share.use, partners.use, pairs.use) == (CALIBRATION, CALIBRATION, HELD_OUT)
    assert share.low < 0.5 < share.high
    assert partners.low < 0.5 < partners.high
    run = simulate_run(found.settings["voluntary without bodies"], 3, future={}, seed=1)
    member = run.member[-1][:, run.area("finance")]
    assert share.contrast(run) == member.mean()
    (folder / "bodies.csv").write_text(BODIES.replace("1.2", "1.9"))
    with pytest.raises(InputError, match=r"bodies\.csv:3.*no region '1\.9'"):
        read(folder, FACT + "bodies: {table: bodies.csv}\n")


# Judging ----------------------------------------------------------------------------------------


def test_a_measure_of_a_year_is_its_figure_in_that_year(folder):
    text = "".join(
        f"  f{k}: {{measure: {name}, low: -9, high: 9, source: X{more}}}\n"
        for k, (name, more) in enumerate([
            ("trust", ", year: 2"), ("opened", ", year: 1"), ("exit_rate", ""), ("opened", ""),
            ("trust", ", year: 3, since: 1, contrast: change"),
        ])
    )  # fmt: skip
    found = read(folder, f"facts:\n{text}")
    scenario = found.settings["voluntary"].world
    history = run_block(
        build_task(scenario, scenario.strategies["voluntary"], seed=5), np.array([2]), regions=False
    ).history
    figures = [run_figures(part)[0] for part in (history, *np.split(history, 4, axis=1))]
    at = list(MEASURES).index
    expected = [
        figures[2][at("trust")], figures[1][at("opened")], figures[0][at("exit_rate")],
        history[0, :, at("opened")].sum(), figures[3][at("trust")] - figures[1][at("trust")],
    ]  # fmt: skip
    (values,) = found.simulated(("voluntary",), found.facts, range(2, 3), {}, 5)
    assert values == pytest.approx(expected, nan_ok=True)


def test_a_difference_compares_strategies_on_the_same_draws(folder):
    text = (
        "facts:\n  gain: {measure: trust, contrast: difference, strategy: forum, "
        "against: voluntary,\n         low: 0, high: 1, source: X}\n"
    )
    found = read(folder, text, runs=4)
    one = judge({}, seed=3, evidence=found)
    (finding,) = score(found.facts, settings=found.settings, runs=4, seed=3)
    assert one.positions[0] == pytest.approx(position(found.facts[0], finding.value))
    assert finding.verdict == REPRODUCED, "a forum builds trust"


def test_only_settings_that_change_a_fact_are_searched(folder):
    found = read(folder, "facts:\n  t: {measure: trust, year: 1, low: 0, high: 1, source: X}\n")
    along = choose_axes(["trust_start", "forum_strength", "shares"])[0]
    found = predictive.find_acting(
        Evidence(found.facts, found.settings, along, (2,), places=found.places), seed=1
    )
    assert [axis.name for axis in found.axes] == ["parameters.trust_start"]
    assert {axis.name for axis in found.free} == {"parameters.forum_strength", "shares"}


# The command ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("sketched_figures")
def test_the_command_writes_sets_that_experiments_of_the_scenario_draw_from(folder):
    text = (
        "vary: [trust_start, decision_trust]\nfacts:\n"
        "  trust: {measure: trust, year: 1, low: 0.3, high: 0.45, source: X}\n"
        "  more: {measure: trust, year: 3, low: 0.28, high: 0.5, source: X, use: held out}\n"
    )
    (folder / "facts.yaml").write_text(text)
    few = kolabsim("calibrate", "--scenario", "coast.yaml", "--sets", 19, folder=folder)
    assert few.returncode == 2
    assert "--sets must be at least 20 with --facts, not 19" in few.stderr
    typed = ("calibrate", "--scenario", "coast.yaml", "--sets", 20, "--runs", 2)
    done = kolabsim(*typed, "--seed", 3, folder=folder)
    assert done.returncode == 0, done.stderr
    assert "20 of " in done.stdout
    assert "1 of 1 held-out facts hold" in done.stdout
    assert "about" in done.stderr
    sets = plausible_sets(folder / "plausible.csv")
    assert len(sets) == 20
    assert all(0.25 <= one["parameters.trust_start"] <= 0.6 for one in sets)
    out = folder / "results" / "calibration-coast"
    assert "not identified" in (out / "calibration.html").read_text(encoding="utf-8")
    (folder / "e.yaml").write_text(
        "kind: comparison\nscenario: coast.yaml\nstrategies: [voluntary, team]\n"
    )
    study = Experiment.load(folder / "e.yaml")
    assert len(study.futures) == 20
    assert study.futures["plausible-3"] == sets[2]
    with pytest.raises(InputError, match="from 0 to 20"):
        Experiment.load(folder / "e.yaml", plausible=21)
    again = kolabsim(*typed, "--seed", 4, folder=folder)
    assert again.returncode == 2
    assert "this search has other facts" in again.stderr
    done = kolabsim("evidence", "--scenario", "coast.yaml", "--quick", folder=folder)
    assert done.returncode == 0, done.stderr
    assert "Held out: " in done.stdout


def test_facts_that_no_set_reaches_are_named_and_nothing_is_written(folder):
    text = (
        "vary: [trust_start]\nfacts:\n"
        "  trust: {measure: trust, year: 1, low: 0.3, high: 0.4, source: X}\n"
        "  later: {measure: trust, year: 2, low: 0.6, high: 0.7, source: X}\n"
        "  gain: {measure: realised_benefit, low: 0.8, high: 0.9, source: X}\n"
    )
    (folder / "facts.yaml").write_text(text)
    typed = ("calibrate", "--scenario", "coast.yaml", "--sets", 20, "--runs", 2, "--most", 120)
    done = kolabsim(*typed, folder=folder)
    assert done.returncode == 2
    assert "facts.yaml:5: 'gain': none of 1" in done.stderr
    assert "facts.yaml:4: 'trust' and 'later' contradict each other" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / "plausible.csv").exists()


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (("--facts", "facts.yaml"), "--facts and --bodies need --scenario"),
        (("--scenario", "coast.yaml"), "--scenario needs evidence"),
        (("--scenario", "coast.yaml", "--facts", "fact.yaml"), "no such file"),
        (("--scenario", "small-towns", "--facts", "own.yaml"), "ships with kolabsim"),
        (("--scenario", "coast.yaml", "--facts", "own.yaml", "--vary", "x"), "--vary: 'x' is not"),
    ],
)
def test_what_cannot_be_calibrated_is_refused(folder, typed, message):
    (folder / "own.yaml").write_text(FACT)
    done = kolabsim("calibrate", *typed, folder=folder)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["coast.yaml", "own.yaml"]


def test_sets_beside_a_scenario_are_its_own_and_are_checked(folder):
    scenario = Scenario.load(folder / "coast.yaml")
    assert own_sets(scenario) is None
    assert own_sets(Scenario.load("small-towns")) is None, "the shipped ones"
    file = folder / "plausible.csv"
    file.write_text("parameters.trust_start,trust\n0.3,lasting\n0.4,recovering\n")
    assert own_sets(scenario) == file
    assert plausible_futures(None, scenario) == {
        "plausible-1": {"parameters.trust_start": 0.3, "trust": "lasting"},
        "plausible-2": {"parameters.trust_start": 0.4, "trust": "recovering"},
    }
    file.write_text("parameters.trust_start,trust\n3,lasting\n0.4,recoverin\n")
    with pytest.raises(InputError) as error:
        check_own(file)
    assert [problem.line for problem in error.value.problems] == [2, 3]


@pytest.mark.long
@pytest.mark.usefixtures("sketched_figures")
def test_results_from_sets_of_a_scenario_say_so_and_can_be_verified(folder):
    (folder / "plausible.csv").write_text("parameters.trust_start\n0.3\n0.4\n")
    (folder / "e.yaml").write_text(
        "kind: comparison\nscenario: coast.yaml\nstrategies: [voluntary, team]\nruns: 2\n"
    )
    done = kolabsim("run", "e.yaml", folder=folder)
    assert "drawn from plausible.csv" in done.stderr
    about = json.loads((folder / "results" / "e" / "provenance.json").read_text())
    assert "plausible.csv" in about["files"]
    assert "from plausible.csv" in (folder / "results" / "e" / "report.html").read_text()
    (folder / "plausible.csv").unlink()
    assert kolabsim("verify", "results/e", folder=folder).returncode == 0, "it has a copy"


# Synthetic truth --------------------------------------------------------------------------------


@pytest.mark.long
def test_known_parameters_are_recovered_where_facts_identify_them(folder):
    """Facts from runs of a truth: three parameters act on them, and a fourth does not."""
    truth = {"attention_base": -2.6, "trust_start": 0.45, "honour_base": 2.2}
    measures = {"opened": "opened", "trust": "trust", "shortfall": "shortfall"}
    scenario = Scenario.load(folder / "coast.yaml").with_(
        {f"parameters.{name}": value for name, value in truth.items()}
    )
    task = build_task(scenario, scenario.strategies["voluntary"], seed=99)
    figures = run_figures(run_block(task, np.arange(400), regions=False).history)
    lines = ["vary: [attention_base, trust_start, honour_base, decision_trust]", "facts:"]
    for name, measure in measures.items():
        values = figures[:, list(MEASURES).index(measure)]
        middle, half = np.nanmean(values), 0.5 * np.nanstd(values)
        lines.append(f"  {name}: {{measure: {measure}, low: {middle - half:.5g}, "
                     f"high: {middle + half:.5g}, source: synthetic truth}}")  # fmt: skip
    found = calibrate(read(folder, "\n".join(lines)), sets=60, most=5000, seed=2)
    assert found.population.is_done
    points = found.points
    for k, axis in enumerate(found.axes):
        name = axis.name.removeprefix("parameters.")
        one = found.identified[axis.name]
        low, high = np.quantile(points[:, k], (0.05, 0.95))
        if name in truth:
            assert one.left < 0.6, name
            assert one.p < 0.001, name
            assert low <= axis.place(truth[name]) <= high, name
        else:
            assert one.p > 0.01, "nothing is learned of what does not act"
    predicted = predictive.predict(found)
    for one in predicted:
        assert one.share > 2.0 * one.before, one.fact.id
    assert all(judge(future_at(p, found.axes), seed=2, evidence=found.evidence).worst == 0.0
               for p in points[:5])  # fmt: skip
