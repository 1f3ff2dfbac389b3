"""``kolabsim run`` from the outside: what is typed, printed, and left on the disk."""

import json
import re
import shutil
import socket
from pathlib import Path
from urllib.parse import unquote

import pandas as pd
import pytest

from kolabsim.cli import run
from kolabsim.errors import KolabsimError
from kolabsim.figures.formatting import significant
from kolabsim.model import jit
from kolabsim.study.api import simulate
from tests.terminal import kolabsim

pytestmark = pytest.mark.usefixtures("sketched_figures")


def provenance(folder):
    return json.loads((folder / "provenance.json").read_text(encoding="utf-8"))


def test_the_result_and_its_place_are_printed(finished):
    _folder, done = finished
    assert "not a prediction" in done.stdout
    assert "results/small/report.html" in done.stdout
    assert "Coordination team" in done.stdout


def test_everything_is_in_one_folder(finished):
    folder = finished[0] / "results/small"
    names = {path.name for path in folder.iterdir()}
    assert names >= {
        "parts", "runs.parquet", "runs.csv", "differences.csv", "winners.csv", "costs.csv",
        "channels.csv", "variance.csv", "scenario.json", "provenance.json", "report.html",
        "figures",
    }  # fmt: skip
    assert not list(finished[0].rglob(".*")), "something was left behind"
    runs = pd.read_parquet(folder / "runs.parquet")
    assert len(runs) == 36
    pd.testing.assert_frame_equal(
        pd.read_csv(folder / "runs.csv"), runs.astype({"strategy": str, "future": str}),
        check_dtype=False,
    )  # fmt: skip


def test_the_provenance_names_all_that_a_repetition_needs(finished):
    facts = provenance(finished[0] / "results/small")
    assert facts["seed"] == 4
    assert facts["runs"] == 12
    assert facts["scenario"] == "kartamantul"
    assert {"kolabsim", "model", "command", "scenario_hash", "packages", "python"} <= set(facts)
    assert all(Path(name).name == name for name in facts["files"]), "paths of this machine"


def test_the_provenance_says_what_a_run_costs(finished):
    folder = finished[0] / "results/small"
    facts = provenance(folder)
    phases = facts["phases"]
    assert list(phases) == ["planning", "simulating", "storing", "reporting"]
    for name, spent in phases.items():
        assert spent["cpu_seconds"] > 0.0, name
        each = facts["cpu_ms_per_run"][name]
        assert each == pytest.approx(1e3 * spent["cpu_seconds"] / 36, abs=0.05)
    whole = sum(phases[name]["seconds"] for name in ("planning", "simulating", "reporting"))
    assert facts["seconds"] == pytest.approx(whole, abs=0.01)
    assert phases["storing"]["seconds"] <= phases["simulating"]["seconds"]
    report = (folder / "report.html").read_text(encoding="utf-8")
    assert f"simulating {significant(phases['simulating']['seconds'])} s" in report
    for kind, number in facts["bytes_per_run"].items():
        size = sum(part.stat().st_size for part in (folder / "parts").glob(f"*.{kind}.parquet"))
        assert number == round(size / 36)
    assert set(facts["bytes_per_run"]) == {"runs", "quarters", "regions"}


def test_the_report_needs_no_network(finished):
    text = (finished[0] / "results/small/report.html").read_text(encoding="utf-8")
    assert "<svg" in text
    for word in ('src="http', 'href="http', "url(http", "@import", "<script src", "<link "):
        assert word not in text


def test_a_study_grows_and_its_regions_get_pages(finished, small, refused):
    """More runs, pages of regions and another language in one command: all keep finished runs."""
    shutil.copytree(finished[0] / "results", small / "results")
    results = small / "results/small"
    before = (results / "runs.csv").read_text(encoding="utf-8").splitlines()
    command = ["run", "small.yaml", "--runs", 16, "--regions", "34.71", "--lang", "id"]
    done = kolabsim(*command, folder=small)
    assert done.returncode == 0, done.stderr
    facts = provenance(results)
    assert (facts["runs_reused"], facts["runs_done"], facts["runs_failed"]) == (36, 12, 0)
    after = (results / "runs.csv").read_text(encoding="utf-8").splitlines()
    assert set(before) <= set(after)
    assert "report.xlsx" in done.stdout
    page = (results / "report.html").read_text(encoding="utf-8")
    assert 'lang="id"' in page
    assert re.findall(r'<a href="([^"#]+)"', page) == ["region-34.71.html"]
    own = (results / "region-34.71.html").read_text(encoding="utf-8")
    assert "Kota Yogyakarta" in own

    made = (results / "report.html").stat().st_mtime_ns
    done = kolabsim(*command, folder=small)
    assert "Semua 48 simulasi sudah selesai sebelumnya" in done.stdout
    assert (results / "report.html").stat().st_mtime_ns == made

    message = refused(kolabsim("run", "small.yaml", "--regions", "34.7,34.04,x1", folder=small))
    assert "did you mean '34.71'" in message
    assert "'x1'" in message
    assert "--fresh" in refused(kolabsim("run", "small.yaml", "--seed", 5, folder=small))


RULE = """\
from kolabsim.model.declare import decision_rule


@decision_rule()
def careless(options, me, draw, p):
    \"\"\"Take the first option, and fall over now and then.\"\"\"
    if len(options) > 3 and draw > 0.97:
        raise ValueError("fell over")
    return 0
"""


@pytest.mark.long
def test_failed_runs_are_reported_and_a_repetition_is_identical(tmp_path):
    (tmp_path / "rule.py").write_text(RULE, encoding="utf-8")
    world = "extends: kartamantul\nextensions: [rule.py]\ndecision: careless\n"
    (tmp_path / "world.yaml").write_text(world, encoding="utf-8")
    study = (
        "kind: comparison\nscenario: world.yaml\nplausible: 0\n"
        "strategies: [voluntary, team]\nruns: 20\n"
    )
    (tmp_path / "study.yaml").write_text(study + "set: {horizon: 6}\n", encoding="utf-8")
    for folder, options in {"study": (), "study-2": ("--fresh", "--lang", "id")}.items():
        done = kolabsim("run", "study.yaml", *options, folder=tmp_path)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert "--retry-failed" in done.stderr
        results = tmp_path / "results" / folder
        number = len(pd.read_csv(results / "failures.csv"))
        assert 0 < number < 40
        words = {"study": "runs failed and are missing", "study-2": "simulasi gagal"}[folder]
        text = (results / "report.html").read_text(encoding="utf-8")
        assert f'<div class="note alarm"><p>{number} {words}' in text
    first, second = (
        (tmp_path / "results" / folder / "runs.parquet").read_bytes()
        for folder in ("study", "study-2")
    )
    assert first == second


def test_results_never_overwrite_other_files(small, refused):
    other = small / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("years of work", encoding="utf-8")
    assert "--out" in refused(kolabsim("run", "small.yaml", "--out", "other", folder=small))
    assert [path.name for path in other.iterdir()] == ["thesis.txt"]
    message = refused(kolabsim("run", "small.yaml", "--out", "small.yaml", folder=small))
    assert "this is a file" in message


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="needs a place that refuses writes")
def test_a_disk_that_refuses_is_reported_before_the_first_run(small, refused):
    message = refused(kolabsim("run", "small.yaml", "--out", "/proc/here", folder=small))
    assert "refuses to write" in message


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--set", "parameters.quality_valu=1"], "did you mean 'quality_value'"),
        (["--set", "parameters.quality_value=-1"], "allowed"),
        (["--set", "horizon"], "KEY=VALUE"),
        (["--set", "horizon=[1"], "cannot be read"),
        (["--runs", "1"], "allowed: at least 2"),
        (["--runs", "9" * 30], "allowed: at most"),
        (["--runs", "many"], "--runs: write a whole number"),
        (["--workers", "-3"], "--workers: write a whole number (at least 1)"),
        (["--sed", "3"], "there is no option --sed; did you mean '--seed'"),
        (["--out"], "--out needs a value"),
        (["--out", "--quick"], "--out needs a value"),
        (["--regions", ""], "--regions needs a value"),
        (["--regions= "], "--regions needs a value"),
        (["--set", ".horizon=8"], "KEY=VALUE"),
        (["--set", "parameters.=1"], "KEY=VALUE"),
        (["--quick=3"], "--quick takes no value"),
        (["again"], "too many arguments: again"),
    ],
)
def test_wrong_words_are_refused_in_a_sentence(words, message, tmp_path, refused):
    assert message in refused(kolabsim("run", "kartamantul", *words, folder=tmp_path))
    assert list(tmp_path.iterdir()) == [], "something was written"


@pytest.mark.parametrize(
    "options",
    [
        # Without workers, the command ends after its warnings.
        ("--scheduler", "tcp://127.0.0.1:9"),
        pytest.param((), marks=pytest.mark.long),
    ],
)
def test_a_region_without_contacts_is_allowed_and_warned_of(options, tmp_path, monkeypatch):
    monkeypatch.setattr(run, "PATIENCE", 0.2)
    rows = "code,population,latitude,longitude\nA,9000,0,0\nB,8000,0,0.1\nC,7000,0.1,0\n"
    (tmp_path / "regions.csv").write_text(rows, encoding="utf-8")
    (tmp_path / "pairs.csv").write_text("code_a,code_b\nA,B\n", encoding="utf-8")
    text = "regions: {table: regions.csv}\ncontacts: {list: pairs.csv, nearest: 0}\n"
    (tmp_path / "own.yaml").write_text(text + "families: [administration]\n", encoding="utf-8")
    text = "kind: comparison\nscenario: own.yaml\nplausible: 0\nstrategies: [team]\nruns: 4\n"
    (tmp_path / "study.yaml").write_text(text, encoding="utf-8")
    done = kolabsim("run", "study.yaml", *options, folder=tmp_path)
    assert done.returncode == (2 if options else 0), done.stderr
    if options:  # no scheduler answers, or the extra that asks it is not installed
        assert "127.0.0.1:9" in done.stderr or "'cluster'" in done.stderr
    assert "1 region has no contact and stays alone: C" in " ".join(done.stderr.split())


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:{port}", "tls://127.0.0.1:9", "ucx://a:1"])
def test_a_scheduler_that_accepts_and_never_answers_is_given_up(address, tmp_path, monkeypatch):
    """A client of Dask waited for ever for one that hangs, and raised what it liked for others."""
    pytest.importorskip("distributed")
    monkeypatch.setattr(run, "PATIENCE", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = address.format(port=silent.getsockname()[1])
        done = kolabsim("run", "kartamantul", "--scheduler", address, folder=tmp_path)
    assert done.returncode == 2
    assert "no Dask scheduler answers at" in done.stderr
    assert "Traceback" not in done.stderr


def test_compilation_is_announced_before_anything_is_compiled(small, monkeypatch, refused):
    class FirstCompilationError(KolabsimError):
        pass

    def plan(*_words):
        raise FirstCompilationError

    monkeypatch.setattr("kolabsim.model.jit.is_compiled_before", lambda: False)
    monkeypatch.setattr("kolabsim.study.runner.Study.plan", plan)
    assert "The model is being compiled" in refused(kolabsim("run", "small.yaml", folder=small))


def test_a_model_of_which_only_some_laws_are_compiled_is_not_compiled(tmp_path, monkeypatch):
    simulate("kartamantul", ["voluntary"], runs=2)
    assert jit.is_compiled_before()
    kept = Path(jit.cache_folder())
    for path in kept.rglob("laws.*"):
        shutil.copy(path, tmp_path)
    assert any(tmp_path.iterdir())
    monkeypatch.setattr(jit, "cache_folder", lambda: str(tmp_path))
    assert not jit.is_compiled_before()


HOSTILE = {
    "/../../../../evil": "A",
    "x/../evil": "B",
    "34/01": "C",
    "a#?%": "D",
    "Q": "E",
    "q": "F",
}


def test_pages_of_regions_stay_in_their_folder_whatever_the_codes(tmp_path, sketched_figures):
    """Codes that are paths, that need quoting, and that differ only in case."""
    rows = "".join(
        f"{code},{name},9000,0,0.{k}\n" for k, (code, name) in enumerate(HOSTILE.items())
    )
    (tmp_path / "r.csv").write_text(f"code,name,population,latitude,longitude\n{rows}", "utf-8")
    (tmp_path / "w.yaml").write_text(
        "regions: {table: r.csv}\nfamilies: [administration]\n", "utf-8"
    )
    text = (
        "kind: comparison\nscenario: w.yaml\nplausible: 0\nstrategies: [voluntary, team]\nruns: 2\n"
    )
    (tmp_path / "s.yaml").write_text(text + "set: {horizon: 2}\n", "utf-8")
    command = ["run", "s.yaml", "--regions", "all", "--out", "deep/er/out"]
    done = kolabsim(*command, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    out = tmp_path / "deep/er/out"
    assert {path.name for path in tmp_path.iterdir()} == {"r.csv", "w.yaml", "s.yaml", "deep"}
    assert [path.name for path in (tmp_path / "deep/er").iterdir()] == ["out"]
    pages = [path.name for path in out.glob("region-*.html")]
    assert len({name.casefold() for name in pages}) == len(HOSTILE)
    links = re.findall(r'<a href="(region-[^"]+)"', (out / "report.html").read_text("utf-8"))
    assert {unquote(address) for address in links} == set(pages)
