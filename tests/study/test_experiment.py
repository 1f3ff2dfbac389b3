import pytest

import kolabsim as ks
from kolabsim.scenario.scenario import shipped_names
from kolabsim.study.experiment import Experiment

GOOD = """\
kind: comparison
question: {en: What helps?, id: Apa yang menolong?}
scenario: kartamantul
strategies: [team, forum]
futures:
  default: {}
  worth: {parameters.quality_value: 0.8}
runs: 10
seed: 0
measures: [efficiency, exit_rate]
set: {horizon: 8}
"""


def write(folder, text, name="experiment.yaml"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def problems(path, **more):
    with pytest.raises(ks.InputError) as message:
        Experiment.load(path, **more)
    return str(message.value)


def test_an_experiment_says_everything(tmp_path):
    found = Experiment.load(write(tmp_path, GOOD))
    assert found.strategies == ("voluntary", "team", "forum")
    assert found.spec.baseline == "voluntary"
    assert found.scenario.horizon == 8
    assert (found.spec.runs, found.seed) == (10, 0)
    assert found.question("id") == "Apa yang menolong?"
    assert found.futures["worth"] == {"parameters.quality_value": 0.8}


def test_a_folder_and_what_is_typed_stand_in_for_the_file(tmp_path):
    write(tmp_path, GOOD)
    found = Experiment.load(tmp_path, settings={"cap": 5}, runs=3, seed=9)
    assert (found.spec.runs, found.seed, found.scenario.cap) == (3, 9, 5)
    assert found.name == tmp_path.name


@pytest.mark.parametrize("name", shipped_names("experiments"))
def test_shipped_experiments_load(name):
    found = Experiment.load(name)
    assert found.question("en")
    assert found.question("id")
    assert found.question("id") != found.question("en")


def test_every_problem_is_reported_with_its_line(tmp_path):
    text = GOOD.replace("[team, forum]", "[teem, forum]")
    text = text.replace("quality_value: 0.8", "quality_valu: 0.8")
    text = text.replace("exit_rate", "exit_rat").replace("horizon: 8", "horizon: 0")
    text = text.replace("runs: 10", "runs: 1") + "sed: 3\n"
    path = write(tmp_path, text)
    message = problems(path)
    assert message.startswith("6 problems")
    for line, words in (
        (4, "did you mean 'team'"),
        (7, "did you mean 'quality_value'"),
        (8, "allowed: at least 2"),
        (10, "did you mean 'exit_rate'"),
        (11, "horizon"),
        (12, "sed: unknown key"),
    ):
        assert any(
            f"experiment.yaml:{line}:" in row and words in row for row in message.split("\n")
        )


def test_problems_of_the_scenario_are_reported_in_its_own_file(tmp_path):
    write(tmp_path, "extends: kartamantul\nform: bord\n", "mine.yaml")
    message = problems(write(tmp_path, "kind: comparison\nscenario: mine.yaml\n"))
    assert "mine.yaml:2:7" in message
    assert "did you mean 'board'" in message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("kind: comparison\n", "scenario: missing"),
        ("kind: ~\nscenario: kartamantul\n", "kind: missing"),
        (
            "kind: {a: b}\nscenario: kartamantul\n",
            "is not a kind of experiment; allowed: comparison",
        ),
        ("kind: comparison\nscenario:\n", "scenario: missing"),
        ('kind: comparison\nscenario: ""\n', "scenario: missing"),
        ('kind: search\nscenario: ""\nlevers: [mechanisms]\n', "scenario: missing"),
        ("kind: comparisson\nscenario: kartamantul\n", "did you mean 'comparison'"),
        ("kind: [\n", "experiment.yaml:2"),
        ("kind: comparison\nscenario: kartamantul\nplausible: 0\nstrategies: []\n", "strategies"),
        ("kind: comparison\nscenario: kartamantul\nbaseline: none\n", "baseline"),
    ],
)
def test_bad_files(tmp_path, text, words):
    assert words in problems(write(tmp_path, text))


def test_what_is_not_there_is_said_with_the_nearest_name(tmp_path):
    assert "did you mean 'kartamantul'" in problems("kartamantull")
    assert "nothing.yaml" in problems(tmp_path / "nothing.yaml")


def test_a_former_name_of_a_measure_leads_to_its_present_one(tmp_path):
    path = write(tmp_path, GOOD.replace("exit_rate", "losers"))
    assert "'losers' is not a measure; did you mean 'worse_off'?" in problems(path)
