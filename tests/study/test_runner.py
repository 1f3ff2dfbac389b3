"""Studies give the same tables whether interrupted, broken off or grouped differently."""

import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import kolabsim as ks
from kolabsim import files
from kolabsim.errors import InputError, StoppedError, StorageError
from kolabsim.study.collect import read_tables
from kolabsim.study.experiment import Experiment
from kolabsim.study.ledger import hold
from kolabsim.study.parts import stored_columns
from kolabsim.study.rows import Fact
from kolabsim.study.runner import Study
from kolabsim.study.verify import differing_columns, verify

SMALL = """\
kind: comparison
plausible: 0
scenario: kartamantul
strategies: [voluntary, team, mandate]
runs: {runs}
detail: {detail}
seed: 4
set: {{horizon: 6}}
"""


def experiment(folder, *, runs=150, detail=40, **more):
    path = folder / "study.yaml"
    path.write_text(SMALL.format(runs=runs, detail=detail), encoding="utf-8")
    return Experiment.load(path, **more)


def finish(folder, out, **more):
    how = {name: more.pop(name) for name in ("executor", "workers", "retry_failed") if name in more}
    study = Study.plan(experiment(folder, **more), folder / out)
    return study, study.run(**how)


def same(one, other):
    for name, table in one.items():
        pd.testing.assert_frame_equal(table, other[name], check_exact=True)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An uninterrupted study, and its tables."""
    folder = tmp_path_factory.mktemp("whole")
    study, state = finish(folder, "out")
    assert (state.done, state.reused, state.left) == (450, 0, 0)
    return read_tables(study)


def test_the_tables_are_those_of_a_study_in_memory(whole, tmp_path):
    found = experiment(tmp_path)
    results = ks.simulate(found.scenario, found.strategies, runs=150, seed=4)
    measured = [name for name in whole["runs"] if name not in ("strategy", "future")]
    np.testing.assert_array_equal(whole["runs"][measured], results.runs[measured])
    for kind in ("quarters", "regions"):
        table = getattr(results, kind)
        few = table[table["run"] < 40]
        names = stored_columns(kind, [name for name in few if few[name].dtype == np.float64])
        assert len(names) > 10
        np.testing.assert_array_equal(whole[kind][names], few[names].astype(np.float32))
        for name in ("run", "quarter" if kind == "quarters" else "region"):
            assert whole[kind][name].tolist() == few[name].tolist()


def test_points_that_share_a_batch_do_not_share_results(tmp_path):
    """Each point has the runs that it has alone, whatever was simulated in the same memory."""
    text = SMALL.format(runs=3, detail=2).replace("plausible: 0", "plausible: 2")
    text += "structures: [unit_cost, consent]\n"
    (tmp_path / "study.yaml").write_text(text, encoding="utf-8")
    found = Experiment.load(tmp_path / "study.yaml")
    study = Study.plan(found, tmp_path / "out")
    study.run(workers=1)
    assert len(list((tmp_path / "out/parts").iterdir())) < len(study.tasks)
    results = ks.simulate(
        found.scenario, found.strategies, futures=found.futures, runs=3, seed=4, threads=1
    )
    pd.testing.assert_frame_equal(
        read_tables(study)["runs"], results.runs, check_exact=True, check_dtype=False
    )


def test_what_is_finished_is_not_done_again(tmp_path, whole):
    finish(tmp_path, "out")
    before = {path: path.read_bytes() for path in (tmp_path / "out/parts").iterdir()}
    study, state = finish(tmp_path, "out")
    assert (state.done, state.reused) == (0, 450)
    assert {path: path.read_bytes() for path in (tmp_path / "out/parts").iterdir()} == before
    same(read_tables(study), whole)


def test_growth_keeps_every_finished_run(tmp_path, whole):
    finish(tmp_path, "out", runs=70)
    study, state = finish(tmp_path, "out")
    assert (state.reused, state.done) == (210, 240)
    same(read_tables(study), whole)


def test_more_detail_runs_only_what_lacks_it(tmp_path, whole):
    finish(tmp_path, "out", detail=10)
    study, state = finish(tmp_path, "out")
    assert state.done == 3 * 30
    same(read_tables(study), whole)


def test_another_strategy_joins(tmp_path):
    finish(tmp_path, "out")
    path = tmp_path / "study.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("mandate", "mandate, ngo"), "utf-8")
    study = Study.plan(Experiment.load(path), tmp_path / "out")
    state = study.run()
    assert (state.reused, state.done) == (450, 150)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 5}, "they have seed 4"),
        ({"settings": {"parameters.quality_value": 0.9}}, "scenario has changed for: voluntary"),
    ],
)
def test_another_study_in_the_folder_is_refused(tmp_path, change, message):
    finish(tmp_path, "out", runs=64)
    with pytest.raises(InputError, match="--fresh") as caught:
        finish(tmp_path, "out", runs=64, **change)
    assert message in str(caught.value)


def test_another_version_of_the_model_is_refused(tmp_path):
    finish(tmp_path, "out", runs=64)
    with hold(tmp_path / "out") as ledger:
        ledger.put(Fact("identity", json.dumps(ledger.facts["identity"] | {"code": "other"})))
    with pytest.raises(InputError, match="another version of the model"):
        finish(tmp_path, "out", runs=64)


@settings(
    max_examples=5, deadline=None, database=None, derandomize=True,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(seconds=st.sampled_from([1e-9, 0.01, 5.0]), workers=st.integers(1, 3), data=st.data())
def test_any_grouping_order_and_number_of_workers_give_the_same(
    seconds, workers, data, whole, tmp_path_factory
):
    folder, monkeypatch = tmp_path_factory.mktemp("grouped"), pytest.MonkeyPatch()
    missing = Study.missing

    def shuffled(self, **how):
        work = missing(self, **how)
        order = data.draw(st.permutations(range(len(work))))
        return [work[k] for k in order]

    with monkeypatch.context() as patch:
        patch.setattr("kolabsim.study.execution.SECONDS", seconds)
        patch.setattr(Study, "missing", shuffled)
        study, _state = finish(folder, "out", workers=workers)
    same(read_tables(study), whole)


def test_any_executor_of_concurrent_futures(tmp_path, whole):
    with ThreadPoolExecutor(3) as pool:
        study, _state = finish(tmp_path, "out", executor=pool)
    same(read_tables(study), whole)


# Faults -------------------------------------------------------------------------------------------

OPERATIONS = ("open", "fsync", "replace", "mkdir")


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("at", [0, 1, 5])
def test_a_disk_that_fails_at_any_operation_leaves_what_is_finished(
    operation, at, tmp_path, whole, monkeypatch
):
    monkeypatch.setattr("kolabsim.study.execution.SECONDS", 1e-9)
    count = iter(range(10_000))

    def fail(original):
        def now(*words, **more):
            if next(count) == at:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return original(*words, **more)

        return now

    with monkeypatch.context() as patch:
        if operation == "fsync":
            patch.setattr(files.os, "fsync", fail(os.fsync))
        elif operation == "open":
            original = Path.open

            def opened(path, mode="r", *words, **more):
                return (fail(original) if mode == "w+b" else original)(path, mode, *words, **more)

            patch.setattr(Path, "open", opened)
        else:
            patch.setattr(Path, operation, fail(getattr(Path, operation)))
        with pytest.raises(StorageError, match="No space left on device"):
            finish(tmp_path, "out")
    assert not list((tmp_path / "out").rglob(".*")), "a temporary file was left behind"
    study, state = finish(tmp_path, "out")
    assert state.left == 0
    same(read_tables(study), whole)


class KilledError(BaseException):
    """Stands for kill -9: nothing is cleaned up after it."""


@pytest.mark.parametrize("at", [0, 3, 6, 9])
def test_a_killed_study_resumes_bit_identically(at, tmp_path, whole, monkeypatch):
    """Die within the n-th write: its temporary file stays, and the study goes on without it."""
    monkeypatch.setattr("kolabsim.study.execution.SECONDS", 1e-9)
    count, sync = iter(range(10_000)), os.fsync

    def die(*words):
        if next(count) >= at:
            raise KilledError
        return sync(*words)

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "fsync", die)
        patch.setattr(Path, "unlink", lambda *_words, **_more: None)
        with pytest.raises(KilledError):
            finish(tmp_path, "out", workers=1)
    # Every write syncs its file and then its folder, in which the file has its name already.
    assert bool(list((tmp_path / "out").rglob(".*"))) == (at % 2 == 0)
    study, state = finish(tmp_path, "out")
    assert state.left == 0
    same(read_tables(study), whole)


def test_two_studies_at_once_on_one_folder_are_refused(tmp_path, whole):
    study = Study.plan(experiment(tmp_path), tmp_path / "out")

    def other(_state):
        with ThreadPoolExecutor(1) as pool, pytest.raises(InputError, match="another process"):
            pool.submit(study.run).result()

    assert study.run(progress=other).left == 0
    same(read_tables(study), whole)


@pytest.mark.long
def test_two_processes_on_one_folder_do_not_spoil_it(tmp_path, whole):
    experiment(tmp_path)
    code = (
        "from pathlib import Path; from kolabsim.study.experiment import Experiment;"
        "from kolabsim.study.runner import Study;"
        "Study.plan(Experiment.load(Path('study.yaml')), Path('out')).run()"
    )
    both = [subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path) for _ in range(2)]
    assert 0 in [process.wait(timeout=120) for process in both]
    study, _state = finish(tmp_path, "out")
    same(read_tables(study), whole)


RULE = """\
from kolabsim.model.declare import decision_rule


@decision_rule()
def careless(options, me, draw, p):
    \"\"\"Take the first option.\"\"\"
    return {taken}
"""


def careless(folder, taken="0"):
    """A study with a user-defined rule."""
    (folder / "rule.py").write_text(RULE.format(taken=taken), encoding="utf-8")
    text = "extends: kartamantul\nextensions: [rule.py]\ndecision: careless\n"
    (folder / "careless.yaml").write_text(text, encoding="utf-8")
    text = SMALL.format(runs=100, detail=5).replace("kartamantul", "careless.yaml")
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    return Study.plan(Experiment.load(folder / "study.yaml"), folder / "out")


def test_a_rule_that_cannot_be_compiled_is_refused_before_anything_runs(tmp_path):
    with pytest.raises(InputError, match=r"numba cannot compile .* careless: .* in Mesa"):
        careless(tmp_path, taken="len({str(k): k for k in options}) - len(options)")
    assert not (tmp_path / "out").exists()


def test_an_interrupted_study_reports_its_progress_and_resumes(tmp_path, whole, monkeypatch):
    study = Study.plan(experiment(tmp_path), tmp_path / "out")
    seen = []
    monkeypatch.setattr("kolabsim.study.execution.SECONDS", 1e-9)

    def stop(state):
        seen.append(state.done)
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(StoppedError, match="of 450 runs are finished and stored") as caught:
        study.run(progress=stop, workers=1)
    assert "the same command continues" in str(caught.value)
    study, state = finish(tmp_path, "out")
    assert state.reused >= 64
    same(read_tables(study), whole)


def test_an_executor_that_breaks_is_reported_and_nothing_is_lost(tmp_path, whole, monkeypatch):
    monkeypatch.setattr("kolabsim.study.execution.SECONDS", 1e-9)

    class Broken(ThreadPoolExecutor):
        def submit(self, *words, **more):
            if self._work_queue.qsize() or getattr(self, "used", 0) > 2:
                raise RuntimeError("scheduler is gone")
            self.used = getattr(self, "used", 0) + 1
            return super().submit(*words, **more)

    with Broken(1) as pool, pytest.raises(StoppedError, match="scheduler is gone"):
        finish(tmp_path, "out", executor=pool, workers=1)
    study, state = finish(tmp_path, "out")
    assert state.left == 0
    same(read_tables(study), whole)


@pytest.mark.long
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_signals_stop_in_order(kind, tmp_path):
    (tmp_path / "study.yaml").write_text(SMALL.format(runs=60_000, detail=2), encoding="utf-8")
    command = [sys.executable, "-m", "kolabsim", "run", "study.yaml", "--out", "out"]
    # Where the tests themselves run in the background, interrupts are ignored: as from a terminal.
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    signal.signal(signal.SIGINT, usual)
    deadline = time.monotonic() + 120
    while not list((tmp_path / "out/parts").glob("*.runs.parquet")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(kind)
    _out, message = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "of 180000 runs are finished and stored in out" in " ".join(message.split())
    assert "Traceback" not in message


# Verifying ----------------------------------------------------------------------------------------


def test_verify_finds_what_was_changed_even_where_the_hashes_fit(tmp_path):
    study, _state = finish(tmp_path, "out", runs=64, detail=4)
    assert verify(tmp_path / "out", sample=10_000).is_good
    for kind, row, column in (
        ("runs", 7, "trust"),
        ("quarters", 5, "quality"),
        ("regions", 9, "gain"),
    ):
        name = next(name for name in study.ledger.files if f".{kind}." in name)
        part = tmp_path / "out" / name
        before, changed = part.read_bytes(), pd.read_parquet(part)
        column = column if column in changed else changed.columns[-1]
        changed.loc[row, column] = np.nextafter(changed.loc[row, column], 1)
        changed.to_parquet(part)
        assert verify(tmp_path / "out").faults == {name: "damaged"}
        with hold(tmp_path / "out") as ledger:
            content = part.read_bytes()
            ledger.put(ledger.files[name]._replace(sha256=hashlib.sha256(content).hexdigest()))
        found = verify(tmp_path / "out", sample=10_000)
        assert [one[2:] for one in found.differing] == [(int(changed.loc[row, "run"]), column)]
        part.write_bytes(before)
        with hold(tmp_path / "out") as ledger:
            ledger.put(ledger.files[name]._replace(sha256=hashlib.sha256(before).hexdigest()))
    assert verify(tmp_path / "out", sample=5).checked == 5


def test_differences_between_tables_are_found_for_each_run():
    places, numbers = ["a", None, "a", "c", "a"], [1.0, np.nan, -0.0, 2.0, 3.0]
    table = pd.DataFrame({"run": [0, 0, 1, 1, 2], "place": places, "x": numbers})
    assert differing_columns(table, table.iloc[[4, 2, 3, 0, 1]]) == {}
    assert differing_columns(table, table.drop(index=3)) == {1: "run"}
    assert differing_columns(table.drop(index=4), table) == {2: "run"}
    changed = table.copy()
    changed.loc[[0, 4], "x"] = np.nextafter(changed.loc[[0, 4], "x"], 9)
    changed.loc[2, "x"], changed.loc[4, "place"] = 0.0, "b"
    assert differing_columns(table, changed) == {0: "x", 1: "x", 2: "place"}


def test_only_files_of_the_ledger_are_removed(tmp_path):
    """What a killed process left goes, the user's own files stay, hidden ones too."""
    study, _state = finish(tmp_path, "out", runs=64)
    mine = [tmp_path / "out" / name for name in (".gitlab-ci.yml", ".a-b/.c-d", "parts/.x-y")]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"precious")
        os.utime(path, (0, 0))
    with hold(tmp_path / "out") as ledger:
        name = next(name for name in ledger.files if name.startswith("parts/"))
        ledger.put(ledger.files[name]._replace(is_whole=0, sha256=""))
        half = files.unfinished(tmp_path / "out" / name, ledger.mark)
    half.write_bytes(b"half")
    study.run()
    assert not half.exists()
    assert all(path.read_bytes() == b"precious" for path in mine)


def test_futures_without_changes_share_their_runs(tmp_path):
    text = SMALL.format(runs=6, detail=3) + "futures: {one: {}, other: {}}\n"
    (tmp_path / "study.yaml").write_text(text, encoding="utf-8")
    study = Study.plan(Experiment.load(tmp_path / "study.yaml"), tmp_path / "out")
    assert study.run().done == study.size == 18
    for table in read_tables(study).values():
        one, other = (table[table["future"] == name] for name in ("one", "other"))
        assert len(one) == len(other) > 0
        same = one.drop(columns="future").to_numpy() == other.drop(columns="future").to_numpy()
        both_missing = one.isna().to_numpy() & other.isna().to_numpy()
        keep = one.columns != "future"
        assert (same | both_missing[:, keep]).all()
    verdict = verify(study.folder, sample=1000)
    assert (verdict.futures, verdict.present, verdict.checked) == (2, 18, 18)
