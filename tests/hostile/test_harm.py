"""What strangers write into their files is shown as it is written, and does nothing.

And what a disk, or somebody at the keyboard, does at the wrong moment leaves no half a file.
"""

from __future__ import annotations

import ast
import csv
import errno
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import pytest

from kolabsim import files as whole
from kolabsim.analysis.run import run_experiment
from kolabsim.app.uploads import Uploads
from kolabsim.cli import main
from kolabsim.errors import LONGEST_MESSAGE, InputError, KolabsimError, Problem, StorageError
from kolabsim.files import write_whole
from kolabsim.scenario.contacts import ContactSource
from kolabsim.scenario.region_source import RegionSource
from kolabsim.scenario.scenario import FILES, Scenario
from kolabsim.study.experiment import Experiment
from kolabsim.study.export import export
from kolabsim.study.ledger import hold
from kolabsim.study.rows import LEDGER
from kolabsim.study.runner import Study
from kolabsim.study.scaffold import new_study
from kolabsim.study.verify import verify
from tests.study.kinds import write_experiment
from tests.terminal import kolabsim, kolabsim_process

NAMES = (
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "=HYPERLINK(A1)", "@SUM(1+1)",
    "-2+3+cmd|' /C calc'!A0", "url(#a) id=\"b\" font-family: c;", "$x^2$ & [bold]red[/bold]",
    "{7*7}",
)  # fmt: skip
"""Names of regions; the codes are the same."""
SCENARIO = """\
title: <b>title</b>
currency: <i>
regions:
  table: regions.csv
families: [administration]
horizon: 4
strategies:
  mine:
    title: '=1+1 <script>alert(2)</script>'
    description: '{{7*7}} <script>alert(3)</script> [link=x]y[/link]'
    mechanisms: {team: 0.5}
"""
STUDY = """\
kind: comparison
question: <script>alert(4)</script>?
scenario: world.yaml
strategies: [voluntary, mine]
futures: {'=2+2 <u>': {}}
runs: 4
"""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A finished study of regions and strategies with names that would like to do harm."""
    folder = tmp_path_factory.mktemp("hostile")
    with (folder / "regions.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["code", "name", "population", "latitude", "longitude"])
        writer.writerows([n, n, 20_000 + k, 0.1 * k, 0.1 * (k % 3)] for k, n in enumerate(NAMES))
    (folder / "world.yaml").write_text(SCENARIO, encoding="utf-8")
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    done = kolabsim("run", "study.yaml", folder=folder)
    assert done.returncode == 0, done.stderr
    return folder, done


class Page(HTMLParser):
    """The elements of a page and their attributes."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes |= {name for name, _value in attributes}

    def handle_data(self, data):
        self.text += data


def test_a_page_shows_names_and_obeys_none(hostile) -> None:
    folder, _done = hostile
    done = kolabsim(
        "region", NAMES[0], "--scenario", "world.yaml", "--strategy", "mine", "--runs", "4",
        "--plausible", "2", folder=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    pages = [folder / "results/study/report.html", *(folder / "results").glob("region-*.html")]
    assert len(pages) == 2, "the file of a region's page is named after its code, and stays inside"
    for path in pages:
        page = Page(path)
        assert not page.tags & {"script", "img", "b", "i", "u"}
        assert not any(name.startswith("on") for name in page.attributes)
        assert NAMES[0] in page.text
        assert "{7*7}" in page.text


def test_pictures_are_xml_with_the_names_as_they_are(hostile) -> None:
    words = ""
    for path in (hostile[0] / "results/study/figures").glob("*.svg"):
        words += "".join(ET.parse(path).getroot().itertext())
    assert all(name in words for name in NAMES)


def test_no_table_holds_a_formula(hostile) -> None:
    folder = hostile[0] / "results/study"
    export(folder, to="csv", out=folder / "csv")
    seen = 0
    for path in folder.rglob("*.csv"):
        if "source" in path.parts:
            continue  # a copy of the user's own file
        with path.open(encoding="utf-8", newline="") as file:
            for cell in (cell for row in csv.reader(file) for cell in row):
                seen += cell.startswith("'")
                if cell.startswith(("=", "+", "-", "@", "\t", "\r")):
                    float(cell)
    assert seen
    openpyxl = pytest.importorskip("openpyxl")
    (book,) = export(folder, to="xlsx", out=folder / "xlsx")
    cells = [c for s in openpyxl.load_workbook(book) for row in s.iter_rows() for c in row]
    assert all(cell.data_type != "f" for cell in cells)
    assert {NAMES[2], "=1+1 <script>alert(2)</script>"} & {str(cell.value) for cell in cells}
    assert not any(str(cell.value).startswith("'=") for cell in cells)


def test_the_terminal_shows_names_as_they_are(hostile) -> None:
    folder, done = hostile
    assert "=1+1 <script>alert(2)</script>" in done.stdout
    listed = kolabsim("list", "strategies", "--scenario", "world.yaml", folder=folder)
    assert "[link=x]" in listed.stdout.replace("\n", "")


def test_control_characters_never_reach_a_terminal_or_page() -> None:
    problem = Problem("no \x1b[31mred\x07 \u202e \ud800\nline", "a\x9bb.yaml", 3)
    told = "a\\x9bb.yaml:3: no \\x1b[31mred\\x07 \\u202e \\ud800\nline"
    assert str(problem) == told
    assert told in str(InputError([problem]))
    assert str(StorageError("\x1b]0;x")) == "\\x1b]0;x"
    assert len(str(KolabsimError("x" * 10**6))) < LONGEST_MESSAGE + 10


@pytest.mark.parametrize(
    ("encoding", "words", "code"),
    [
        ("cp1252", ["check", "study.yaml", b"\xff\xe9.yaml"], 2),
        ("cp1252", ["list", "measures"], 0),
        pytest.param("utf-8", ["check", "study.yaml", b"\xff\xe9.yaml"], 2, marks=pytest.mark.long),
    ],
)
def test_letters_that_the_terminal_lacks_stop_nothing(hostile, encoding, words, code) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kolabsim", *words], cwd=hostile[0], capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": encoding}, timeout=300,
    )  # fmt: skip
    assert done.returncode == code
    assert b"Traceback" not in done.stderr


# Programs -----------------------------------------------------------------------------------------

PROGRAM = """\
# -*- coding: latin-1 -*-
from pathlib import Path
from kolabsim.model.declare import decision_rule

Path("ran").write_text("")


@decision_rule()
def mine(options, me, draw, p):
    \"\"\"Gärdet: keep things as they are.\"\"\"
    return 0
"""


@pytest.fixture
def programmed(tmp_path):
    """A folder with a scenario that names a program."""
    (tmp_path / "rule.py").write_text(PROGRAM, encoding="latin-1")
    world = "extends: kartamantul\nextensions: [rule.py]\ndecision: mine\nhorizon: 2\n"
    (tmp_path / "world.yaml").write_text(world, encoding="utf-8")
    study = (
        "kind: comparison\nscenario: world.yaml\nplausible: 0\n"
        "strategies: [voluntary, team]\nruns: 2\n"
    )
    (tmp_path / "study.yaml").write_text(study, encoding="utf-8")
    return tmp_path


def test_looking_at_a_scenario_runs_no_program(programmed) -> None:
    for words in (
        ("list", "strategies", "--scenario", "world.yaml"), ("app", "--scenario", "world.yaml"),
    ):  # fmt: skip
        kolabsim(*words, folder=programmed)
        assert not (programmed / "ran").exists(), words


@pytest.mark.parametrize(
    "words", ["check world.yaml study.yaml", "list factors --scenario world.yaml"]
)
def test_what_a_program_declares_is_looked_at_only_after_it_is_told(programmed, words) -> None:
    """Whether names are declared, and what can be varied and measured, only the program says."""
    done = kolabsim(*words.split(), folder=programmed)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("Running the extension rule.py (SHA-256 ")
    assert done.stderr.count("Running the extension") == 1
    assert (programmed / "ran").exists()


@pytest.mark.long
def test_a_program_is_told_before_it_is_run(programmed) -> None:
    for words, told in (
        (("run", "study.yaml"), "Running the extension rule.py (SHA-256 "),
        (
            ("region", "34.71", "--scenario", "world.yaml", "--plausible", "0", "--runs", "2"),
            "Running the extension",
        ),
        # What was kept is done again where the program is gone, in whatever encoding it was.
        (("--lang", "id", "verify", "results/study", "--allow-extensions"), "rule.py (SHA-256 "),
    ):
        if "verify" in words:
            (programmed / "rule.py").unlink()
        (programmed / "ran").unlink(missing_ok=True)
        done = kolabsim_process(*words, folder=programmed)
        assert done.returncode == 0, done.stderr
        assert done.stderr.count(told) == 1
        assert (programmed / "ran").exists()
    assert done.stderr.startswith("Menjalankan ekstensi ")


def test_a_program_that_ends_everything_is_told_before_and_refused(programmed) -> None:
    (programmed / "rule.py").write_text("import sys\nsys.exit('bye')\n", encoding="utf-8")
    done = kolabsim("run", "study.yaml", folder=programmed)
    assert done.returncode == 2
    first, *rest = done.stderr.splitlines()
    assert first.startswith("Running the extension rule.py")
    assert "ends the program" in rest[-1]


@pytest.mark.parametrize(
    "text",
    [
        "extends: kartamantul\nextensions: [rule.py]\n",
        "extends: kartamantul\nextensions: rule.py\n",
        "extends: kartamantul\nextensions: []\n",
        "extends: /etc/passwd\n",
        "extends: ../world.yaml\n",
        "extends: link.yaml\n",
        "extends: strategies.yaml\n",
        "regions: {table: /etc/passwd}\nextends: kartamantul\n",
        "regions: {table: regions/kartamantul.csv}\nextends: kartamantul\n",
        "contacts: {list: /dev/stdin}\nextends: kartamantul\n",
        "regions: {table: x.csv, shapes: /etc/passwd}\n",
        "regions: {table: x.csv, shapes: ../link.geojson}\n",
    ],
)
def test_uploads_neither_leave_their_folder_nor_bring_programs(tmp_path, monkeypatch, text) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("kolabsim.model.load.listeners", [pytest.fail])
    (tmp_path / "rule.py").write_text(PROGRAM, encoding="utf-8")
    (tmp_path / "link.yaml").symlink_to("/etc/passwd")
    with pytest.raises(InputError) as refused:
        Uploads().add({"x.yaml": text.encode(), "x.csv": b"code,population\na,1\n"})
    assert refused.value.problems[0].line
    assert "was not uploaded" in str(refused.value) or "programs cannot be" in str(refused.value)


def test_every_key_that_names_a_file_is_known_to_uploads() -> None:
    """What the schema calls a file is what an upload may not name unless it was uploaded too."""
    named = {
        (keys, name.rstrip("_"))
        for keys, kind in (("regions", RegionSource), ("contacts", ContactSource))
        for name, field in kind.model_fields.items()
        if " file" in f" {field.description or ''}"
    }
    assert named == set(FILES)


# Disks --------------------------------------------------------------------------------------------

TABLE = "code,population,latitude,longitude\na,1000,1,0\nb,2000,1,0.1\n"


def failing(kind: type[BaseException], *more: object, at: int):
    """Something that fails when it is called so many times."""
    calls = iter(range(10**9))

    def fail(*_given: object) -> None:
        if next(calls) == at:
            raise kind(*more)

    return fail


FAULTS = {
    "full": (OSError, errno.ENOSPC, "No space left on device"),
    "forbidden": (PermissionError, errno.EACCES, "Permission denied"),
    "interrupted": (KeyboardInterrupt,),
}


def remains(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("where", ["fsync", "rename", "content"])
def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch, fault, where) -> None:
    (tmp_path / "kept").write_bytes(b"before")
    fail = failing(*FAULTS[fault], at=0)
    content: object = b"after"
    if where == "fsync":
        monkeypatch.setattr(whole.os, "fsync", fail)
    elif where == "rename":
        monkeypatch.setattr(Path, "replace", fail)
    else:

        def content(file):
            file.write(b"half of")
            fail()

    with pytest.raises((StorageError, KeyboardInterrupt)):
        write_whole(tmp_path / "kept", content)
    assert remains(tmp_path) == {tmp_path / "kept": b"before"}


def test_places_where_nothing_can_be_written_are_told(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    for path in (
        tmp_path / "file/x", tmp_path / "folder", tmp_path / ("x" * 300), Path("/proc/kolabsim/x"),
        tmp_path / "a/" / ("b/" * 3000) / "c",
    ):  # fmt: skip
        with pytest.raises(StorageError):
            write_whole(path, b"content")
    long = tmp_path / ("x" * 250)
    write_whole(long, b"a name as long as the disk allows")
    assert set(remains(tmp_path)) == {tmp_path / "file", long}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("at", [0, 2, 4, 7])
def test_new_leaves_nothing_behind(tmp_path, monkeypatch, fault, at) -> None:
    (tmp_path / "t.csv").write_text(TABLE, encoding="utf-8")
    monkeypatch.setattr(whole.os, "fsync", failing(*FAULTS[fault], at=at))
    with pytest.raises((StorageError, KeyboardInterrupt)):
        new_study(tmp_path / "made", tmp_path / "t.csv")
    assert list(tmp_path.iterdir()) == [tmp_path / "t.csv"]


@pytest.mark.parametrize(
    ("at", "fault"),
    [
        (3, "interrupted"),
        (20, "full"),
        pytest.param(0, "full", marks=pytest.mark.long),
        pytest.param(8, "forbidden", marks=pytest.mark.long),
    ],
)
def test_run_and_results_leave_whole_files_only(
    tmp_path, monkeypatch, capsys, fault, at, sketched_figures
) -> None:
    monkeypatch.chdir(tmp_path)
    study = (
        "kind: comparison\nscenario: kartamantul\nplausible: 0\n"
        "strategies: [voluntary, team]\nruns: 2\n"
    )
    (tmp_path / "s.yaml").write_text(study + "set: {horizon: 2}\n", encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["kolabsim", "run", "s.yaml", "--out", "out"])
    with monkeypatch.context() as patched:
        patched.setattr(whole.os, "fsync", failing(*FAULTS[fault], at=at))
        with pytest.raises(SystemExit) as left:
            main()
    assert left.value.code == (130 if fault == "interrupted" else 2)
    assert "Traceback" not in capsys.readouterr().err
    assert not [path for path in tmp_path.rglob(".*-*") if path.is_file()]
    with pytest.raises(SystemExit) as left:
        main()  # what was finished is whole: the same command continues from there
    assert left.value.code == 0
    assert Study.open(tmp_path / "out").missing() == []
    before = set(remains(tmp_path))
    for to in ("csv", "parquet", "xlsx", "netcdf"):
        with monkeypatch.context() as patched:
            patched.setattr(whole.os, "fsync", failing(*FAULTS[fault], at=0))
            with pytest.raises((StorageError, KeyboardInterrupt)):
                export(tmp_path / "out", to=to, out=tmp_path / "export")
        assert set(remains(tmp_path)) == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is full")
def test_an_output_that_is_full_is_told(tmp_path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "kolabsim", "schema"],
            cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, timeout=300,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.strip() == "No space left on device"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is full")
def test_messages_without_room_stop_nothing(tmp_path) -> None:
    write_experiment(tmp_path, "comparison")  # in which no region has a land border
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "kolabsim", "check", "comparison.yaml"],
            cwd=tmp_path, stderr=full, timeout=300,
        )  # fmt: skip
    assert done.returncode == 0


def test_a_reader_that_leaves_stops_nothing() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "kolabsim", "schema"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as going:
        going.stdout.close()
        assert going.stderr.read() == b""
        assert going.wait(timeout=300) == 0


@pytest.mark.long
def test_a_home_that_is_no_folder_is_not_spoken_of(tmp_path) -> None:
    write_experiment(tmp_path, "robustness")
    home = {"HOME": os.devnull, "XDG_CONFIG_HOME": "", "XDG_CACHE_HOME": "", "MPLCONFIGDIR": ""}
    done = kolabsim_process("run", "robustness.yaml", folder=tmp_path, **home)
    assert done.returncode == 0
    assert "Matplotlib" not in done.stderr
    assert "/dev/null" not in done.stderr


PRIVATE = {
    "app/uploads.py", "app/importing.py", "app/fitting.py",  # into a temporary folder
    "study/tasks.py", "study/scaffold.py",  # likewise
    "study/cluster.py",  # beside a slip, from where the ledger moves it into its place
    "scenario/importer/result.py",  # bytes
    "cli/help.py",  # text for the terminal
    "files.py",  # write_whole itself
}  # fmt: skip


def test_every_other_file_is_written_by_the_one_function_that_writes_whole() -> None:
    package = Path(whole.__file__).parent
    wrong = []
    for path in package.rglob("*.py"):
        if path.relative_to(package).as_posix() in PRIVATE:
            continue
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute | ast.Name)):
                continue
            name = getattr(call.func, "attr", getattr(call.func, "id", ""))
            modes = [a.value for a in call.args if isinstance(a, ast.Constant)]
            is_open = name == "open" and any(re.match("[wax]", str(mode)) for mode in modes)
            if name in ("write_text", "write_bytes", "to_csv", "to_excel") or is_open:
                wrong.append(f"{path.relative_to(package)}:{call.lineno}")
    assert wrong == []


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A finished study, small."""
    folder = tmp_path_factory.mktemp("kept")
    study = (
        "kind: comparison\nscenario: kartamantul\nplausible: 0\n"
        "strategies: [voluntary, team]\nruns: 2\n"
    )
    (folder / "s.yaml").write_text(study + "set: {horizon: 2}\n", encoding="utf-8")
    Study.plan(Experiment.load(folder / "s.yaml"), folder / "out").run()
    return folder / "out"


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def of_later_version(data: bytes) -> bytes:
    return data[:60] + b"\x00\x00\x00\x63" + data[64:]


def with_another_row(data: bytes) -> bytes:
    return data.replace(b"parts/", b"party/")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (half, "ledger is damaged"), (with_another_row, "ledger is damaged"),
        (lambda _data: b"", "ledger is damaged"), (lambda _data: b"{}" * 999, "ledger is damaged"),
        (of_later_version, "later version of kolabsim"),
    ],
)  # fmt: skip
def test_a_damaged_ledger_is_told_and_nothing_is_changed(tmp_path, kept, change, message) -> None:
    folder = Path(shutil.copytree(kept, tmp_path / "out"))
    ledger = folder / LEDGER
    ledger.write_bytes(change(ledger.read_bytes()))
    before = remains(folder)
    study = Experiment.load(kept.parent / "s.yaml")
    for work in (
        lambda: Study.open(folder), lambda: verify(folder), lambda: Study.plan(study, folder).run(),
        lambda: run_experiment(study, folder), lambda: hold(folder).__enter__(),
    ):  # fmt: skip
        with pytest.raises(InputError, match=message):
            work()
    assert remains(folder) == before


def test_damaged_parts_are_told_before_a_byte_is_used(tmp_path, kept) -> None:
    for at in range(4, 1200, 200):
        folder = Path(shutil.copytree(kept, tmp_path / str(at)))
        (part,) = (folder / "parts").glob("*.regions.parquet")
        data = part.read_bytes()
        part.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        with pytest.raises(InputError, match=r"regions\.parquet.* damaged"):
            export(folder, to="csv", out=folder / "csv")
        assert not (folder / "csv").exists()


# Many problems, and long ones ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"k{k}: 1\n" for k in range(4_000)),
        "groups: {a: [" + ", ".join(f"z{k}" for k in range(6_000)) + "]}\n",
        "groups: {a: [" + ", ".join(["{}"] * 6_000) + "]}\n",
        "decision: " + "q" * 1_000_000 + "\n",
        "areas: {" + ", ".join(f"A{k}: {{}}" for k in range(3_000)) + "}\n",
    ],
    ids=["keys", "codes", "kinds", "word", "areas"],
)
def test_ever_so_many_problems_are_told_soon(tmp_path, text) -> None:
    """In less than the time that pytest gives a test: it took hours."""
    (tmp_path / "x.yaml").write_text("extends: kartamantul\n" + text, encoding="utf-8")
    with pytest.raises(InputError) as refused:
        Scenario.load(tmp_path / "x.yaml")
    assert len(str(refused.value)) < 60 * LONGEST_MESSAGE


@pytest.mark.parametrize(
    "setting",
    [
        "horizon=" + "9" * 5000, "title=" + "[" * 3000, "horizon=!!int x", "horizon=2026-99-99",
        "title=\x1b[31m", "title=&a [*a]", "." * 5000 + "=1", "horizon=1:30", "a={? [b] : c}",
        "title=\ud800", "horizon=!!timestamp x", "bodies." + "9" * 5000 + ".area=waste",
    ],
)  # fmt: skip
def test_settings_are_read_as_a_file_is(tmp_path, monkeypatch, capsys, setting) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["kolabsim", "run", "kartamantul", "--set", setting])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith("1 problem:")
    assert "\x1b" not in told
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", ["check", "run", "results", "verify", "list", "app"])
@pytest.mark.parametrize("name", ["x" * 5000, "x/" * 5000, "", "/", "a\0b", "\udcff"])
def test_names_that_no_file_can_have_are_refused(tmp_path, monkeypatch, capsys, command, name):
    monkeypatch.chdir(tmp_path)
    words = {"list": ["strategies", "--scenario", name], "app": ["--host", name]}
    monkeypatch.setattr(sys, "argv", ["kolabsim", command, *words.get(command, [name])])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    assert capsys.readouterr().err.strip()
    assert not list(tmp_path.iterdir())
