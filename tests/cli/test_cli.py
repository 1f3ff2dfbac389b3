"""The command line from the outside: what is typed, what is said, what is left on the disk."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from kolabsim.errors import KolabsimError
from tests.terminal import kolabsim

SMALL = """\
kind: comparison
question: Does a team help?
scenario: kartamantul
strategies: [voluntary, team, mandate]
runs: 12
seed: 4
set: {horizon: 12}
"""


def refused(done):
    assert done.returncode == 2, done
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    (folder / "small.yaml").write_text(SMALL, encoding="utf-8")
    done = kolabsim("run", "small.yaml", folder=folder)
    assert done.returncode == 0, done.stderr
    return folder, done


def test_run_says_what_came_out_and_where_it_is(finished):
    _folder, done = finished
    assert "not a prediction" in done.stdout
    assert "results/small/report.html" in done.stdout
    assert "Coordination team" in done.stdout


def test_run_writes_one_folder_with_everything(finished):
    folder = finished[0] / "results/small"
    names = {path.name for path in folder.iterdir()}
    assert names >= {
        "runs.parquet", "quarters.parquet", "regions.parquet", "runs.csv", "differences.csv",
        "winners.csv", "costs.csv", "channels.csv", "variance.csv", "scenario.json",
        "provenance.json", "report.html", "figures",
    }  # fmt: skip
    assert not list(finished[0].rglob(".*")), "something was left behind"
    runs = pd.read_parquet(folder / "runs.parquet")
    assert len(runs) == 36
    pd.testing.assert_frame_equal(
        pd.read_csv(folder / "runs.csv"), runs.astype({"strategy": str, "future": str}),
        check_dtype=False,
    )  # fmt: skip


def test_provenance_is_enough_to_have_it_again(finished):
    folder, _done = finished
    facts = json.loads((folder / "results/small/provenance.json").read_text(encoding="utf-8"))
    assert facts["seed"] == 4
    assert facts["runs"] == 12
    assert facts["scenario"] == "kartamantul"
    assert {"kolabsim", "model", "command", "scenario_hash", "packages", "python"} <= set(facts)
    assert all(Path(name).name == name for name in facts["files"]), "paths of this machine"
    done = kolabsim("run", "small.yaml", "--out", "again", folder=folder)
    assert done.returncode == 0
    first, again = (
        (folder / name / "runs.parquet").read_bytes() for name in ("results/small", "again")
    )
    assert first == again


def test_regions_have_pages_beside_the_report_and_links_to_them(finished):
    folder = finished[0]
    words = refused(kolabsim("run", "small.yaml", "--regions", "34.7,34.04,x1", folder=folder))
    assert "did you mean '34.71'" in words
    assert "'x1'" in words
    done = kolabsim("run", "small.yaml", "--regions", "34.71", folder=folder)
    assert done.returncode == 0, done.stderr
    assert "report.xlsx" in done.stdout
    page = (folder / "results/small/report.html").read_text(encoding="utf-8")
    assert re.findall(r'<a href="([^"#]+)"', page) == ["region-34.71.html"]
    own = (folder / "results/small/region-34.71.html").read_text(encoding="utf-8")
    assert "Kota Yogyakarta" in own
    facts = json.loads((folder / "results/small/provenance.json").read_text(encoding="utf-8"))
    assert facts["runs_done"] == 0
    done = kolabsim("run", "small.yaml", "--regions", "34.71", folder=folder)
    assert "were finished before" in done.stdout


RULE = """\
from kolabsim.model.declare import decision_rule


@decision_rule()
def careless(options, me, luck, p):
    \"\"\"Take the first option, and fall over now and then.\"\"\"
    if len(options) > 3 and luck > 0.97:
        raise ValueError("fell over")
    return 0
"""


def test_failed_runs_are_told_by_exit_code_and_report(tmp_path):
    (tmp_path / "rule.py").write_text(RULE, encoding="utf-8")
    world = "extends: kartamantul\nextensions: [rule.py]\ndecision: careless\n"
    (tmp_path / "world.yaml").write_text(world, encoding="utf-8")
    study = "kind: comparison\nscenario: world.yaml\nstrategies: [voluntary, team]\nruns: 20\n"
    (tmp_path / "study.yaml").write_text(study + "set: {horizon: 6}\n", encoding="utf-8")
    for way, options in {"out": (), "id": ("--lang", "id")}.items():
        done = kolabsim(*options, "run", "study.yaml", "--out", way, folder=tmp_path)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert "--retry-failed" in done.stderr
        number = len(list((tmp_path / way / "failures").glob("*.json")))
        assert 0 < number < 40
        words = {"out": "runs failed and are missing", "id": "simulasi gagal"}[way]
        text = (tmp_path / way / "report.html").read_text(encoding="utf-8")
        assert f'<div class="note failed"><p>{number} {words}' in text


def test_the_report_needs_no_network(finished):
    text = (finished[0] / "results/small/report.html").read_text(encoding="utf-8")
    assert "<svg" in text
    for word in ('src="http', 'href="http', "url(http", "@import", "<script src", "<link "):
        assert word not in text


def test_what_is_finished_is_not_run_again_and_may_grow(finished):
    folder, _done = finished
    before = (folder / "results/small/runs.csv").read_text(encoding="utf-8").splitlines()
    done = kolabsim("run", "small.yaml", "--runs", 20, folder=folder)
    assert done.returncode == 0, done.stderr
    facts = json.loads((folder / "results/small/provenance.json").read_text(encoding="utf-8"))
    assert (facts["runs_reused"], facts["runs_done"], facts["runs_failed"]) == (36, 24, 0)
    after = (folder / "results/small/runs.csv").read_text(encoding="utf-8").splitlines()
    assert set(before) <= set(after)
    report = folder / "results/small/report.html"
    made = report.stat().st_mtime_ns
    done = kolabsim("run", "small.yaml", "--runs", 20, folder=folder)
    assert "All 60 runs were finished before" in done.stdout
    assert report.stat().st_mtime_ns == made
    done = kolabsim("run", "small.yaml", "--runs", 20, "--lang", "id", folder=folder)
    assert 'lang="id"' in report.read_text(encoding="utf-8")
    told = refused(kolabsim("run", "small.yaml", "--seed", 5, folder=folder))
    assert "--fresh" in told
    done = kolabsim("run", "small.yaml", "--seed", 5, "--fresh", folder=folder)
    assert "results/small-2/report.html" in done.stdout


def test_verify_and_export(finished):
    folder, _done = finished
    done = kolabsim("verify", "results/small", "--sample", 5, folder=folder)
    assert done.stdout.strip() == "5 runs repeated: identical to the last bit."
    done = kolabsim("results", "results/small", "--out", "tables", folder=folder)
    assert done.returncode == 0
    units = pd.read_csv(folder / "tables/columns.csv").set_index(["table", "column"])["unit"]
    assert units["runs", "programme_cost"] == "IDR"
    assert len(pd.read_csv(folder / "tables/quarters.csv")) % 12 == 0
    assert "there is no study" in refused(kolabsim("verify", "tables", folder=folder))
    assert "allowed: csv, parquet, netcdf" in refused(
        kolabsim("results", "results/small", "--to", "cvs", folder=folder)
    )


def test_a_scheduler_that_does_not_answer_is_said(tmp_path):
    (tmp_path / "small.yaml").write_text(SMALL, encoding="utf-8")
    done = kolabsim("run", "small.yaml", "--scheduler", "tcp://127.0.0.1:9", folder=tmp_path)
    assert "127.0.0.1:9" in refused(done) or "'cluster'" in done.stderr


def test_results_are_put_where_there_is_room_for_them(finished, tmp_path):
    (tmp_path / "small.yaml").write_text(SMALL, encoding="utf-8")
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work", encoding="utf-8")
    told = refused(kolabsim("run", "small.yaml", "--out", "mine", folder=tmp_path))
    assert "--out" in told
    assert [path.name for path in mine.iterdir()] == ["thesis.txt"]
    told = refused(kolabsim("run", "small.yaml", "--out", "small.yaml", folder=tmp_path))
    assert "this is a file" in told


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="needs a place that refuses writes")
def test_a_disk_that_refuses_is_said_before_the_first_run(tmp_path):
    (tmp_path / "small.yaml").write_text(SMALL, encoding="utf-8")
    told = refused(kolabsim("run", "small.yaml", "--out", "/proc/here", folder=tmp_path))
    assert "refuses to write" in told


def test_indonesian(finished, tmp_path):
    done = kolabsim("list", "strategies", "--lang", "id", folder=tmp_path)
    assert "Tim koordinasi" in done.stdout
    help_text = kolabsim("run", "--help", "--lang", "id", folder=tmp_path).stdout
    assert help_text != kolabsim("run", "--help", folder=tmp_path).stdout
    told = refused(kolabsim("run", "nosuch", folder=tmp_path, KOLABSIM_LANG="id"))
    assert "masalah" in told
    told = refused(kolabsim("list", "measures", "--lang", "fr", folder=tmp_path))
    assert "allowed: en, id" in told


@pytest.mark.parametrize(
    "what", ["scenarios", "experiments", "strategies", "levers", "factors", "measures"]
)
def test_list(what, tmp_path):
    done = kolabsim("list", what, folder=tmp_path)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) > 2


def test_levers_are_listed_with_what_they_act_on_also_those_of_ones_own(tmp_path):
    (tmp_path / "own.py").write_text(
        "from kolabsim import mechanism\n\n@mechanism(acts_on='leaving', title='fond farewell')\n"
        'def farewell(term, intensity, p):\n    """Fewer leave."""\n'
        "    return term * (1 - intensity)\n",
        encoding="utf-8",
    )
    (tmp_path / "w.yaml").write_text(
        "title: own\nextends: kartamantul\nextensions: [own.py]\n"
        "strategies: {a: {mechanisms: {farewell: 1}}}\n",
        encoding="utf-8",
    )
    done = kolabsim("list", "levers", "--scenario", "w.yaml", folder=tmp_path)
    lines = {line.split()[0]: line for line in done.stdout.splitlines() if line.strip()}
    assert "leaving" in lines["farewell"]
    assert "steering" in lines["team"]
    assert "supporter" in lines["community"]


def test_list_of_something_else(tmp_path):
    assert "did you mean 'measures'" in refused(kolabsim("list", "measure", folder=tmp_path))
    told = refused(kolabsim("list", "strategies", "--scenario", "kartamantu", folder=tmp_path))
    assert "did you mean 'kartamantul'" in told


@pytest.mark.parametrize("kind", ["scenario", "experiment"])
def test_schema_is_json(kind, tmp_path):
    described = json.loads(kolabsim("schema", kind, folder=tmp_path).stdout)
    assert described["title"] == f"kolabsim {kind}"
    assert described["properties"]


def test_check_tells_all_problems_of_all_files(tmp_path):
    (tmp_path / "good.yaml").write_text("extends: sarbagita\nhorizon: 20\n", encoding="utf-8")
    (tmp_path / "bad.yaml").write_text("extends: sarbagita\nhorizn: 20\n", encoding="utf-8")
    (tmp_path / "worse.yaml").write_text("kind: comparison\nscenario: bad.yaml\n", encoding="utf-8")
    done = kolabsim("check", "good.yaml", "bad.yaml", "worse.yaml", "none.yaml", folder=tmp_path)
    told = refused(done)
    assert "good.yaml: a scenario of 8 regions" in done.stdout
    assert "bad.yaml:2:1: horizn" in told
    assert "did you mean 'horizon'" in told
    assert "none.yaml" in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--set", "parameters.quality_valu=1"], "did you mean 'quality_value'"),
        (["--set", "parameters.quality_value=-1"], "allowed"),
        (["--set", "horizon"], "KEY=VALUE"),
        (["--set", "horizon=[1"], "cannot be read"),
        (["--runs", "1"], "allowed: 2 to 1000000"),
        (["--runs", "9" * 30], "allowed: 2 to 1000000"),
        (["--runs", "many"], "runs"),
        (["--seed", "-3"], "seed"),
        (["--sed", "3"], "--sed"),
    ],
)
def test_bad_words_are_refused_in_a_sentence(words, told, tmp_path):
    assert told in refused(kolabsim("run", "kartamantul", *words, folder=tmp_path))
    assert list(tmp_path.iterdir()) == [], "something was written"


def test_a_region_without_contacts_is_allowed_and_warned_of(tmp_path):
    rows = "code,population,latitude,longitude\nA,9000,0,0\nB,8000,0,0.1\nC,7000,0.1,0\n"
    (tmp_path / "regions.csv").write_text(rows, encoding="utf-8")
    (tmp_path / "pairs.csv").write_text("code_a,code_b\nA,B\n", encoding="utf-8")
    text = "regions: {table: regions.csv}\ncontacts: {list: pairs.csv, nearest: 0}\n"
    (tmp_path / "own.yaml").write_text(text + "families: [administration]\n", encoding="utf-8")
    text = "kind: comparison\nscenario: own.yaml\nstrategies: [team]\nruns: 4\n"
    (tmp_path / "study.yaml").write_text(text, encoding="utf-8")
    done = kolabsim("run", "study.yaml", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "1 regions have no contact and stay alone: C" in " ".join(done.stderr.split())


def test_version(tmp_path):
    assert kolabsim("--version", folder=tmp_path).stdout.startswith("kolabsim 0.")


def test_nothing_typed_is_answered_with_help(tmp_path):
    done = kolabsim(folder=tmp_path)
    assert "run" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_compilation_is_announced_before_anything_is_compiled(tmp_path, monkeypatch):
    class FirstCompilationError(KolabsimError):
        pass

    def plan(*_words):
        raise FirstCompilationError

    monkeypatch.setattr("kolabsim.model.jit.is_compiled_before", lambda: False)
    monkeypatch.setattr("kolabsim.study.runner.Study.plan", plan)
    (tmp_path / "small.yaml").write_text(SMALL, encoding="utf-8")
    done = kolabsim("run", "small.yaml", folder=tmp_path)
    assert "The model is being compiled" in refused(done)
