"""Whatever happens to a results folder is noticed, named, and mended by the same command."""

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from kolabsim.errors import InputError, KolabsimError
from kolabsim.study.ledger import ASIDE, LEDGER, Fact, Ledger, hold
from kolabsim.study.verify import draw_sample
from tests.study.kinds import KINDS, contents, run, write_experiment
from tests.terminal import kolabsim

pytestmark = pytest.mark.usefixtures("sketched_figures")


def damage(folder: Path, draw: random.Random) -> list[str]:
    """Do something to a file or two of a folder, and return their names."""
    names = [name for name in sorted(contents(folder)) if name != LEDGER]
    name, other = draw.sample(names, 2)
    path, data = folder / name, bytearray((folder / name).read_bytes())
    what = draw.choice(["flip", "flip", "truncate", "delete", "edit", "swap"])
    if what == "flip":
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    elif what == "truncate":
        data = data[: draw.randrange(len(data))]
    elif what == "edit":
        data[draw.randrange(len(data)) :] = b"7,"
    elif what == "swap":
        data = bytearray((folder / other).read_bytes())
        (folder / other).write_bytes(path.read_bytes())
    path.unlink() if what == "delete" else path.write_bytes(data)
    return [name, other] if what == "swap" else [name]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("number", [1, pytest.param(6, marks=pytest.mark.long)])
def test_every_damage_is_named_and_mended_by_the_same_command(
    kind, number, study, tmp_path
) -> None:
    good, draw = contents(study(kind) / "out"), random.Random(number)
    for case in range(number):
        folder = Path(shutil.copytree(study(kind), tmp_path / str(case)))
        names = damage(folder / "out", draw)
        damaged = contents(folder / "out")
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
        shutil.rmtree(folder)


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
    last = futures[futures["stage"] == futures["stage"].max()]
    assert last.filter(like="parameters.").notna().all(axis=None)
    assert futures[futures["stage"] == 1].filter(like="parameters.").isna().all(axis=None)


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
    text = "kind: comparison\nscenario: world.yaml\nstrategies: [voluntary, team]\nruns: 2\n"
    (tmp_path / "experiment.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def test_programs_of_a_folder_run_only_with_permission(programmed) -> None:
    refused = kolabsim("run", ".", "--out", "out", folder=programmed)
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
    refused = kolabsim("verify", "out", folder=programmed)
    assert refused.returncode == 2
    assert "--allow-extensions" in refused.stderr
    assert not list(programmed.rglob("ran"))
    done = kolabsim("verify", "out", "--allow-extensions", folder=programmed)
    assert done.returncode == 0, done.stdout + done.stderr
    (programmed / "helper.py").write_text("FIRST = 0  # the same\n", encoding="utf-8")
    done = kolabsim("run", "experiment.yaml", "--out", "out", folder=programmed)
    assert done.returncode == 2
    assert "user-defined code has changed: rule.py" in done.stderr


@pytest.mark.long
def test_two_seeds_at_once_never_mix(tmp_path) -> None:
    for seed in (1, 2):
        folder = write_experiment(tmp_path, "comparison")
        path = folder / f"seed{seed}.yaml"
        path.write_text(
            (folder / "comparison.yaml").read_text("utf-8") + f"seed: {seed}\n", "utf-8"
        )
    command = [sys.executable, "-m", "kolabsim", "run"]
    both = [
        subprocess.Popen(
            [*command, f"seed{seed}.yaml", "--runs", "4000", "--out", "out"], cwd=tmp_path,
            stderr=subprocess.PIPE, text=True,
        )
        for seed in (1, 2)
    ]  # fmt: skip
    told = [process.communicate(timeout=300)[1] for process in both]
    codes = [process.returncode for process in both]
    assert sorted(codes) == [0, 2], told
    assert any("another process is working" in text or "they have seed" in text for text in told)
    assert kolabsim("verify", "out", folder=tmp_path).returncode == 0


def test_one_process_writes_and_nobody_reads_half(tmp_path) -> None:
    """Killed within a transaction, it leaves a journal from which the next one goes back."""
    code = (
        "import sys; from pathlib import Path; from kolabsim.study.ledger import Fact, hold\n"
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
