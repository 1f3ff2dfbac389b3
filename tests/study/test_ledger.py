"""Whatever happens to a results folder is noticed, named, and mended by the same command."""

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from kolabsim.errors import InputError, KolabsimError
from kolabsim.study.ledger import ASIDE, Ledger, hold
from kolabsim.study.rows import LEDGER, Fact
from kolabsim.study.verify import draw_sample
from tests.study.kinds import KINDS, contents, run, write_experiment
from tests.terminal import kolabsim, kolabsim_process

pytestmark = pytest.mark.usefixtures("sketched_figures")


DAMAGES = ("flip", "truncate", "delete", "edit", "swap")


def damage(folder: Path, names: Sequence[str], turn: int, draw: random.Random) -> None:
    """Damage each of these files of a folder, in a way that changes from file to file and turn."""
    ways = {name: DAMAGES[(k + turn) % len(DAMAGES)] for k, name in enumerate(names)}
    swapped = [name for name, way in ways.items() if way == "swap"]
    if len(swapped) == 1:  # there is none to swap it with
        ways |= dict.fromkeys(swapped, "flip")
    before = {name: (folder / name).read_bytes() for name in names}
    for name, way in ways.items():
        path, data = folder / name, bytearray(before[name])
        if way == "flip":
            data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        elif way == "truncate":
            data = data[: draw.randrange(len(data))]
        elif way == "edit":
            data[draw.randrange(len(data)) :] = b"7,"
        elif way == "swap":
            data = bytearray(before[swapped[swapped.index(name) - 1]])
        path.unlink() if way == "delete" else path.write_bytes(data)


def assert_mended(kind: str, finished: Path, folder: Path, names: Sequence[str]) -> None:
    """Check that damaged files are noticed, named and, by the same command, as they were."""
    good, damaged = contents(finished / "out"), contents(folder / "out")
    assert all(damaged.get(name) != good[name] for name in names)
    checked = kolabsim("verify", "out", "--sample", 1, folder=folder)
    assert checked.returncode in (1, 2), names
    assert contents(folder / "out") == damaged, "verify only reads"
    done = run(folder, kind)
    assert done.returncode == 0, done.stderr
    assert all(name in done.stderr for name in names), (names, done.stderr)
    now = contents(folder / "out")
    aside = {name: now.pop(name) for name in list(now) if name.startswith(ASIDE)}
    assert aside == {f"{ASIDE}/{n}": damaged[n] for n in names if n in damaged}
    assert now.keys() == good.keys()
    assert [name for name in now if now[name] != good[name] and name != LEDGER] == []
    again = run(folder, kind)
    assert "were finished before" in again.stdout


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "turn", [0, *(pytest.param(turn, marks=pytest.mark.long) for turn in range(1, len(DAMAGES)))]
)
def test_every_file_may_be_damaged_in_every_way(turn, kind, study, tmp_path) -> None:
    """In all turns together, each file of each kind is damaged in each way."""
    names = [name for name in sorted(contents(study(kind) / "out")) if name != LEDGER]
    # Parts of an earlier stage are made from its inputs; lost with these, they are new runs, which
    # the provenance says.
    inputs = [name for name in names if kind == "search" and name.startswith("inputs/")]
    for number, some in enumerate([[name for name in names if name not in inputs], inputs]):
        if some:
            folder = Path(shutil.copytree(study(kind), tmp_path / str(number)))
            damage(folder / "out", some, turn, random.Random(turn))
            assert_mended(kind, study(kind), folder, some)


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_a_few_damaged_files_are_mended_alone(kind, study, tmp_path) -> None:
    draw = random.Random(kind)
    for case in range(12):
        folder = Path(shutil.copytree(study(kind), tmp_path / str(case)))
        whole = [name for name in sorted(contents(folder / "out")) if name != LEDGER]
        names = draw.sample(whole, draw.choice([1, 1, 2]))
        damage(folder / "out", names, case if len(names) == 1 else 4, draw)
        assert_mended(kind, study(kind), folder, names)
        shutil.rmtree(folder)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in folders")
def test_a_pipe_in_place_of_a_file_is_damage(study, tmp_path) -> None:
    """It was opened, and never answered."""
    folder = Path(shutil.copytree(study("comparison") / "out", tmp_path / "out"))
    name = next(name for name in sorted(contents(folder)) if name.endswith(".runs.parquet"))
    (folder / name).unlink()
    os.mkfifo(folder / name)
    done = kolabsim("verify", "out", folder=tmp_path)
    assert f"{name}: damaged" in done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_of_any_kind_verifies(kind, study, tmp_path) -> None:
    """On its own, far from the files of its experiment."""
    shutil.copytree(study(kind) / "out", tmp_path / "sent")
    before = contents(tmp_path / "sent")
    done = kolabsim("verify", "sent", "--sample", 1000, folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    ledger = Ledger.read(tmp_path / "sent")
    runs = sum(len(finished) for finished in ledger.finished().values())
    assert f"{runs} of {runs} runs present, {runs} recomputed" in done.stdout
    stages = max(future.stage for future in ledger.futures.values())
    assert f"Futures: {len(ledger.futures)}. Stages: {stages}." in done.stdout
    assert "derived from the runs, 0 of them differ" in done.stdout
    assert contents(tmp_path / "sent") == before


@pytest.mark.parametrize("kind", KINDS)
def test_each_future_and_each_run_is_counted_once(kind, study) -> None:
    folder = study(kind) / "out"
    ledger = Ledger.read(folder)
    futures = pd.read_csv(folder / "futures.csv", dtype={"future": str})
    assert futures["future"].is_unique
    assert not futures.drop(columns=["future", "stage"]).duplicated().any()
    assert {point.future for point in ledger.points.values()} == set(futures["future"])
    stored = sum(
        span.end - span.first
        for name in ledger.files
        if name.endswith(".runs.parquet")
        for span in ledger.spans(name)
    )
    facts = json.loads((folder / "provenance.json").read_text("utf-8"))
    assert facts["runs_wanted"] == facts["runs_done"] == stored
    assert facts["runs_reused"] == 0


def test_the_futures_of_all_stages_of_a_search_are_listed(study) -> None:
    futures = pd.read_csv(study("search") / "out/futures.csv")
    assert futures["stage"].max() > 1
    given = futures.filter(like="parameters.").notna().groupby(futures["stage"])
    assert given.all().all(axis=1).any()  # the stages that try the best packages in futures
    assert not given.any().loc[1].any()


def test_a_sample_has_a_run_of_each_stage() -> None:
    stages = pd.Series([1] * 900 + [2] * 99 + [3])
    for seed in range(20):
        some = draw_sample(stages, 5, seed)
        assert len(set(some)) == 5
        assert set(stages[some]) == {1, 2, 3}
    assert draw_sample(stages, 1000, 1).tolist() == list(range(1000))
    assert len(draw_sample(stages, 2, 1)) == 2


def test_a_flipped_bit_in_the_ledger_is_noticed_or_changes_nothing_in_it(study, tmp_path) -> None:
    good = (study("comparison") / "out" / LEDGER).read_bytes()
    listed, draw, refused = Ledger.read(study("comparison") / "out"), random.Random(1), 0
    for _case in range(400):
        data = bytearray(good)
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        (tmp_path / LEDGER).write_bytes(data)
        try:
            found = Ledger.read(tmp_path)
        except KolabsimError as error:
            assert LEDGER in str(error)  # noqa: PT017
            refused += 1
        else:  # much of the file is free
            assert (found.facts, found.files, found.points) == (
                listed.facts, listed.files, listed.points
            )  # fmt: skip
    assert refused > 40


def test_another_kind_in_the_folder_is_refused(study, tmp_path) -> None:
    folder = Path(shutil.copytree(study("comparison"), tmp_path / "x"))
    write_experiment(folder, "sweep")
    before = contents(folder / "out")
    done = run(folder, "sweep")
    assert done.returncode == 2
    assert "those of a comparison, and this is a sweep" in done.stderr
    assert "--fresh" in done.stderr
    assert contents(folder / "out") == before
    assert run(folder, "sweep", "--fresh").returncode == 0
    assert (folder / "out-2" / LEDGER).is_file()


def test_a_report_is_written_again_when_anything_it_prints_has_changed(study, tmp_path) -> None:
    folder = Path(shutil.copytree(study("comparison"), tmp_path / "x"))
    before = contents(folder / "out")
    edits = {"EUR": "CHF", "The valley": "The plain", "Old Bridge": "New Bridge"}
    for path in (folder / "world.yaml", folder / "places.csv"):
        text = path.read_text("utf-8")
        for old, new in edits.items():
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")
    assert run(folder, "comparison").returncode == 0
    report = (folder / "out/report.html").read_text("utf-8")
    assert not [old for old in edits if old in report]
    assert all(new in report for new in edits.values())
    now = contents(folder / "out")
    assert {name for name in before if name.startswith("parts/")} <= now.keys()
    assert all(now[name] == before[name] for name in before if name.startswith("parts/"))
    assert now["runs.csv"] == before["runs.csv"]


def test_only_listed_files_that_no_longer_belong_are_removed(study, tmp_path) -> None:
    folder = Path(shutil.copytree(study("comparison"), tmp_path / "x"))
    mine = folder / "out/region-mine.html"
    mine.write_text("my own", encoding="utf-8")
    pages = [name for name in contents(folder / "out") if name.startswith("region-b")]
    assert len(pages) == 2
    done = kolabsim("run", "comparison.yaml", "--out", "out", folder=folder)
    assert done.returncode == 0, done.stderr
    assert not [name for name in pages if (folder / "out" / name).exists()]
    assert mine.read_text("utf-8") == "my own"


def test_a_folder_without_runs_has_nothing_to_verify_or_export(study, tmp_path) -> None:
    folder = Path(shutil.copytree(study("comparison"), tmp_path / "x"))
    shutil.rmtree(folder / "out/parts")
    for words in (("verify", "out"), ("results", "out")):
        done = kolabsim(*words, folder=folder)
        assert done.returncode == 2
        assert "no finished run is in this folder" in done.stderr
    assert not (folder / "out/export").exists()


def test_runs_of_another_version_are_counted_but_not_repeated(study, tmp_path) -> None:
    folder = Path(shutil.copytree(study("sweep"), tmp_path / "x"))
    with hold(folder / "out") as ledger:
        ledger.put(Fact("identity", json.dumps(ledger.facts["identity"] | {"code": "other"})))
    done = kolabsim("verify", "out", folder=folder)
    assert done.returncode == 2
    assert "18 of 18 runs present, 0 recomputed" in done.stdout
    assert "another version made these runs" in done.stderr


RULE = """\
import pathlib

import helper
from kolabsim.model.declare import decision_rule

pathlib.Path(__file__).with_name("ran").touch()


@decision_rule()
def mine(options, me, draw, p):
    \"\"\"Take the first option.\"\"\"
    return helper.FIRST
"""


@pytest.fixture
def programmed(tmp_path, monkeypatch):
    """An experiment whose rule imports another file, in a folder."""
    (tmp_path / "rule.py").write_text(RULE, encoding="utf-8")
    (tmp_path / "helper.py").write_text("FIRST = 0\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    text = "extends: kartamantul\nextensions: [rule.py]\ndecision: mine\nhorizon: 2\n"
    (tmp_path / "world.yaml").write_text(text, encoding="utf-8")
    text = (
        "kind: comparison\nscenario: world.yaml\nplausible: 0\n"
        "strategies: [voluntary, team]\nruns: 2\n"
    )
    (tmp_path / "experiment.yaml").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    "words", [("run", ".", "--out", "out"), ("check", "."), ("why", "34.71", "--experiment", ".")]
)
def test_programs_of_a_folder_run_only_with_permission(words, programmed) -> None:
    refused = kolabsim(*words, folder=programmed)
    assert refused.returncode == 2
    assert "rule.py" in refused.stderr
    assert "SHA-256" in refused.stderr
    assert "--allow-extensions" in refused.stderr
    assert not (programmed / "ran").exists()


@pytest.mark.long
def test_programs_of_results_run_only_with_permission(programmed) -> None:
    done = kolabsim("run", "experiment.yaml", "--out", "out", folder=programmed)
    assert done.returncode == 0, done.stderr
    for path in programmed.rglob("ran"):
        path.unlink()
    commands = ("verify", "out"), ("results", "out", "--to", "geojson"), (
        "why", "34.71", "--results", "out"
    )  # fmt: skip
    for words in commands:
        refused = kolabsim(*words, folder=programmed)
        assert refused.returncode == 2
        assert "--allow-extensions" in refused.stderr
        assert not list(programmed.rglob("ran"))
    for words in commands:
        done = kolabsim(*words, "--allow-extensions", folder=programmed)
        assert done.returncode == 0, done.stdout + done.stderr
    (programmed / "helper.py").write_text("FIRST = 0  # the same\n", encoding="utf-8")
    done = kolabsim("run", "experiment.yaml", "--out", "out", folder=programmed)
    assert done.returncode == 2
    assert "user-defined code has changed: rule.py" in done.stderr


@pytest.mark.long
@pytest.mark.parametrize("others", ["seed", "kind", "nothing"])
def test_two_processes_at_once_never_mix(others, tmp_path) -> None:
    write_experiment(tmp_path, "comparison")
    write_experiment(tmp_path, "sweep")
    command = [sys.executable, "-m", "kolabsim", "run", "--out", "out", "--runs", "2000"]
    first = ["comparison.yaml", "--seed", "1"]
    second = {"seed": [*first[:-1], "2"], "kind": ["sweep.yaml"], "nothing": first}[others]
    both = [
        subprocess.Popen([*command, *words], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
        for words in (first, second)
    ]
    told = [process.communicate(timeout=300)[1] for process in both]
    codes = [process.returncode for process in both]
    if others == "nothing" and codes == [0, 0]:  # one after the other
        codes, told = [0, 2], ["another process is working"]
    assert sorted(codes) == [0, 2], told
    reasons = ("another process is working", "they have seed", "those of a ")
    assert any(reason in text for reason in reasons for text in told), told
    assert kolabsim_process("verify", "out", folder=tmp_path).returncode == 0


def test_one_process_writes_and_nobody_reads_half(tmp_path) -> None:
    """Killed within a transaction, it leaves a journal from which the next one goes back."""
    code = (
        "import sys; from pathlib import Path; from kolabsim.study.ledger import hold\n"
        "with hold(Path('out')) as ledger:\n"
        "    ledger.write({'a.txt': b'a'}, 'published')\n"
        "    ledger.database.execute('PRAGMA cache_size = 1')\n"
        "    ledger.database.execute('BEGIN IMMEDIATE')\n"
        "    rows = [(str(k), 'half', '') for k in range(9999)]\n"
        "    ledger.database.executemany('INSERT INTO Fact VALUES (?, ?, ?)', rows)\n"
        "    print('held', flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout.readline() == "held\n"
        with pytest.raises(InputError, match="another process"), hold(tmp_path / "out"):
            pass
        process.kill()
    assert (tmp_path / f"out/{LEDGER}-journal").stat().st_size > 0
    found = Ledger.read(tmp_path / "out")
    assert found.files["a.txt"].size == 1
    assert found.facts.keys() == {"mark"}
