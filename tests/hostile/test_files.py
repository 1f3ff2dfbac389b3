"""Whatever somebody brings is read, or refused in a sentence: no traceback, no hang, no remains.

Each check tries some hundred cases, always the same; the long ones some thousand (CONTRIBUTING.md
says how to try others).
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kolabsim.app.uploads import Uploads
from kolabsim.cli import main, run
from kolabsim.errors import InputError, KolabsimError, Problems
from kolabsim.i18n import speaking
from kolabsim.model.load import listeners, run_extensions
from kolabsim.scenario import importer
from kolabsim.scenario.contacts import read_contacts
from kolabsim.scenario.files import read_bytes
from kolabsim.scenario.regions import Columns, read_table
from kolabsim.scenario.scenario import Scenario, shipped
from kolabsim.scenario.shapes import read_shapes
from kolabsim.study.experiment import Experiment
from kolabsim.study.scaffold import as_regions, new_study
from tests.hostile.mutations import (
    CELLS,
    RAW,
    explained,
    files,
    lines,
    places,
    shapes,
    surroundings,
    tables,
    trees,
)

ANEW = int(os.environ.get("KOLABSIM_FUZZ", "0"))
"""How many cases to try that nobody has tried before, instead of those that are always tried."""
SHIPPED = tuple(
    path.read_text(encoding="utf-8").replace("table: regions/", f"table: {path.parent}/regions/")
    .replace("list: regions/", f"list: {path.parent}/regions/")
    for path in sorted(shipped("scenarios").glob("*.yaml"))
    if path.stem in ("kartamantul", "sarbagita", "small-towns", "indonesia", "strategies")
)  # fmt: skip
SCENARIOS = (
    *SHIPPED,
    "extends: kartamantul\nhorizon: 8\nstrategies:\n  mine:\n    title: {en: Mine, id: Punyaku}\n"
    "    mechanisms: {forum: {intensity: 0.5, members: [[a, b]], until: 4}, team: 0.3}\n"
    "    support: {ngo: {intensity: 1, targets: ['34.71'], budget: 1000, paid_by: centre}}\n"
    "    mandates: [{areas: [waste], groups: [a], from: 1}]\n"
    "groups: {a: ['34.71', '34.04'], b: ['34.02', '34.03']}\n"
    "bodies: [{area: waste, members: [a], began: -8}]\n"
    "changes: [{what: demand, growth: 0.02, areas: [waste]}, {what: stress, add: 0.1}]\n"
    "parameters: {quality_value: 0.7}\npopulation: {growth: 0.01}\n",
)  # fmt: skip
EXPERIMENTS = tuple(
    path.read_text(encoding="utf-8") for path in sorted(shipped("experiments").glob("*/*.yaml"))
)
REGIONS = (
    *(
        (shipped("scenarios") / "regions" / name).read_text(encoding="utf-8")
        for name in ("kartamantul.csv", "sarbagita.csv")
    ),
    "kode;nama;jumlah penduduk;lintang;bujur\n1;Kota A;1000;-7.5;110\n2;Kota B;2500;-7,6;110,2\n",
)
CONTACTS = ((shipped("scenarios") / "regions/kartamantul-neighbours.csv").read_text("utf-8"),)
LANGUAGES = st.sampled_from(("en", "id"))


def cases(few: int, many: int):
    """A check in few cases, always; and in many, as a long test."""
    many = pytest.param(ANEW or many, marks=pytest.mark.long, id="many")
    return pytest.mark.parametrize("number", [pytest.param(few, id="few"), many])


def tried(number: int, check, **given_: st.SearchStrategy) -> None:
    """Try a check in a number of cases; pytest-timeout stops one that does not end."""
    how = settings(
        max_examples=number,
        derandomize=not ANEW,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    how(given(**given_)(check))()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    found = tmp_path_factory.mktemp("fuzz")
    surroundings(found)
    return found


def refused_or(work) -> object:
    """What comes of it; None if it is refused, in words."""
    try:
        return work()
    except InputError as error:
        explained(error)
        return None


@cases(50, 3000)
def test_scenarios(number, folder) -> None:
    path = folder / "x.yaml"

    def check(content: bytes, language: str) -> None:
        path.write_bytes(content)
        with speaking(language):
            scenario = refused_or(lambda: Scenario.load(path))
            if scenario is not None:
                assert len(scenario.regions) >= 1
                assert 1 <= scenario.horizon <= 400
                assert np.isfinite(scenario.regions.population).all()
                scenario.resolved()
                assert all(s.title(language) is not None for s in scenario.strategies.values())

    content = files(st.one_of(trees(SCENARIOS), trees(SCENARIOS), lines(SCENARIOS)))
    tried(number, check, content=content, language=LANGUAGES)


@cases(30, 2000)
def test_experiments(number, folder) -> None:
    path = folder / "experiment.yaml"

    def check(content: bytes, language: str, quick: bool) -> None:
        path.write_bytes(content)
        with speaking(language):
            found = refused_or(lambda: Experiment.load(path, quick=quick))
            assert found is None or found.strategies

    content = files(st.one_of(trees(EXPERIMENTS), trees(EXPERIMENTS), lines(EXPERIMENTS)))
    tried(number, check, content=content, language=LANGUAGES, quick=st.booleans())


MEASURED = Columns.model_validate(
    {
        "stress": {"column": "hdi_2024", "from": (60, 90), "to": (0.1, 0.8), "reason": "a trial"},
        "culture": ({"column": "population", "reason": "a trial"},),
    }
)


@cases(25, 1000)
def test_tables_of_regions(number, folder) -> None:
    path = folder / "regions.csv"

    def check(content: bytes, language: str, columns: Columns | None) -> None:
        path.write_bytes(content)
        problems = Problems()

        def read() -> object:
            if columns is None:
                found = as_regions(importer.read(path))
            else:
                found = read_table(path, columns, ("waste",), problems)
            problems.raise_if_any()
            return found

        with speaking(language):
            found = refused_or(read)
        if found is not None:
            assert len(set(found.codes)) == len(found) > 0
            assert all(found.codes)
            assert np.isfinite(found.population).all()
            assert found.population.min() >= 1

    columns = st.sampled_from((None, Columns(), MEASURED))
    content = files(st.one_of(tables(REGIONS), tables(REGIONS), lines(REGIONS)))
    tried(number, check, content=content, language=LANGUAGES, columns=columns)


@cases(20, 3000)
def test_tables_of_contacts(number, folder) -> None:
    path = folder / "contacts.csv"
    codes = tuple(Scenario.load("kartamantul").regions.codes)

    def check(content: bytes) -> None:
        path.write_bytes(content)
        problems = Problems()

        def read() -> object:
            found = read_contacts(path, codes, problems)
            problems.raise_if_any()
            return found

        for row in refused_or(read) or ():
            assert row.distance_km is None or 0 <= row.distance_km < 20_040

    tried(number, check, content=files(st.one_of(tables(CONTACTS), lines(CONTACTS))))


@cases(20, 3000)
def test_a_number_is_read_as_it_was_meant_or_not_at_all(number, folder) -> None:
    path = folder / "numbers.csv"
    columns = Columns.model_validate(
        {"stress": {"column": "x", "from": (1000, 3e9), "to": (0, 1), "reason": "a trial"}}
    )
    styles = {
        "plain": lambda v: f"{v}",
        "Indonesian": lambda v: f"{v:,}".translate(str.maketrans(",.", ".,")),
        "English": lambda v: f"{v:,}",
        "rupiah": lambda v: "Rp " + f"{v:,}".translate(str.maketrans(",.", ".,")),
        "spaced": lambda v: f"{v:,}".replace(",", "\u202f"),
    }

    def check(values: list[float], style: str, separator: str) -> None:
        rows = "".join(
            f'r{k}{separator}5000{separator}"{styles[style](v)}"\n' for k, v in enumerate(values)
        )
        path.write_text(separator.join(("code", "population", "x")) + "\n" + rows, encoding="utf-8")
        problems = Problems()
        regions = read_table(path, columns, (), problems)
        if problems.found:
            return
        order = sorted(range(len(values)), key=lambda k: f"r{k}")
        meant = np.clip((np.array(values, float)[order] - 1000) / (3e9 - 1000), 0, 1)
        np.testing.assert_allclose(regions.stress, meant)

    whole = st.integers(0, 2_000_000_000) | st.integers(900, 20_000)
    decimals = st.integers(0, 10**9).map(lambda v: v / 10) | st.integers(0, 10**6).map(
        lambda v: v / 100
    )
    values = st.lists(whole, min_size=1, max_size=4) | st.lists(decimals, min_size=1, max_size=4)
    style, separator = st.sampled_from(sorted(styles)), st.sampled_from(",;\t")
    tried(number, check, values=values, style=style, separator=separator)


@cases(50, 3000)
def test_shapes_of_regions(number, folder) -> None:
    scenario = Scenario.load("kartamantul")
    path, regions = folder / "x.geojson", scenario.regions
    places = np.column_stack([regions.longitude, regions.latitude])

    def check(data: bytes, code: str, language: str) -> None:
        path.write_bytes(data)
        problems = Problems()
        with speaking(language):
            found = read_shapes(path, code, regions.codes, places, problems)
        if found:
            rings = [ring for shape in found.values() for ring in shape.rings]
            assert all(np.isfinite(ring).all() and len(ring) > 3 for ring in rings)
            assert set(found) <= set(regions.codes)
        else:
            assert problems.found
            explained(InputError(problems.found))

    code = st.sampled_from(("code", "name", "id", "kode", ""))
    tried(number, check, data=files(shapes(SHAPES)), code=code, language=LANGUAGES)


NAMES = st.one_of(
    st.sampled_from(
        ("x.csv", "x.yaml", "y.yml", "kartamantul.yaml", "strategies.yaml", "../x.csv",
        "/etc/passwd",
         "..\\x.csv", "x.py", "x.csv/", "a\0.csv", ".csv", "CON.csv", "É" * 80 + ".csv", "x.yaml\n",
         "upload.yaml", "regions/kartamantul.csv", "𝕏" * 70 + ".csv", "x.geojson", "y.json",
         "../x.geojson", "upload.json")
    ),
    st.text(max_size=12).map(lambda name: f"{name}.csv"),
)  # fmt: skip
UPLOADED = (
    "extends: kartamantul\nhorizon: 8\n", "extends: indonesia\nregions: {table: x.csv}\n",
    "extends: kartamantul\nextensions: [program.py]\ndecision: mine\n",
    "extends: kartamantul\ncontacts: {list: x.csv, nearest: 2}\n",
    "regions: {synthetic: {number: 5, median_population: 1000}}\nfamilies: [administration]\n",
    "regions: {table: x.csv, shapes: x.geojson}\nfamilies: [administration]\n",
    "regions: {table: x.csv, shapes: /etc/passwd}\nfamilies: [administration]\n",
)  # fmt: skip
TOWNS = (("34.71", 110.0, -8.0), ("34.04", 110.5, -7.5))
SHAPES = tuple(
    json.dumps({"type": "FeatureCollection", "features": [
        {"type": "Feature", "id": number, "properties": {"code": code, "name": "Kota"},
         "geometry": {"type": kind, "coordinates": [ring] if kind == "Polygon" else [[ring]]}}
        for number, (code, x, y) in enumerate(TOWNS)
        for ring in ([[x, y], [x + 1, y], [x + 1, y + 1], [x, y]],)
    ]})
    for kind in ("Polygon", "MultiPolygon")
)  # fmt: skip


@cases(15, 1000)
def test_uploads(number, folder, monkeypatch) -> None:
    room = folder / "uploads"
    room.mkdir(exist_ok=True)
    monkeypatch.setattr(tempfile, "tempdir", str(room))
    ships = shipped("scenarios").resolve()

    def run(path: Path) -> None:
        raise AssertionError(path)

    monkeypatch.setattr("kolabsim.model.load.listeners", [run])

    def read(path: Path, *limits: object) -> bytes | None:
        inside = path.resolve()
        assert inside.is_relative_to(room.resolve()) or inside.is_relative_to(ships), path
        return read_bytes(path, *limits)

    for wing in ("files", "shapes", "extensions"):
        monkeypatch.setattr(f"kolabsim.scenario.{wing}.read_bytes", read)

    def check(uploaded: dict[str, bytes], language: str) -> None:
        uploads = Uploads()
        with speaking(language):
            name = refused_or(lambda: uploads.add(uploaded))
        if name is None:
            assert not list(room.iterdir()), "remains of what was refused"
            return
        scenario = uploads.load(name).scenario
        assert not scenario.extensions
        for file in scenario.files:
            inside = file.resolve()
            assert inside.is_relative_to(room.resolve()) or inside.is_relative_to(ships), file
        uploads.close()
        assert not list(room.iterdir())

    tree = files(st.one_of(trees(UPLOADED), trees(SCENARIOS), lines(UPLOADED)))
    outlines = files(shapes(SHAPES))
    content = st.one_of(tree, files(tables(REGIONS)), outlines)
    table = st.one_of(st.sampled_from(REGIONS).map(str.encode), files(tables(REGIONS)))
    tidy = st.fixed_dictionaries({"x.yaml": tree, "x.csv": table}, optional={"x.geojson": outlines})
    uploaded = st.one_of(st.dictionaries(NAMES, content, min_size=1, max_size=3), tidy)
    tried(number, check, uploaded=uploaded, language=LANGUAGES)


# The command line ---------------------------------------------------------------------------------


def kolabsim(*words: str) -> int:
    """The exit code of a command that is run in this process; what it says is fit to be seen."""
    said, warned = io.StringIO(), io.StringIO()
    before, sys.argv = sys.argv, ["kolabsim", *words]
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(warned):
            main()
    except SystemExit as left:
        code = left.code
    finally:
        sys.argv = before
    assert "\x1b" not in said.getvalue() + warned.getvalue()
    assert code == 0 or warned.getvalue().strip(), "nothing was said"
    return code


def remains(folder: Path) -> list[Path]:
    """Files below a folder."""
    return [path for path in folder.rglob("*") if not path.is_dir()]


def stopping(*_words: object, **_more: object) -> None:
    """Instead of running a study: what is tried here comes before it."""
    raise typer.Exit


SETTINGS = st.one_of(
    st.tuples(st.sampled_from(sorted(
        {"horizon", "cap", "title", "groups.a", "parameters.quality_value", "areas.waste.haul", "",
        "a.b",
         "regions.table", "extensions", "strategies.team.mechanisms.team", "." * 100,
         "a." * 2000 + "a"}
    )), st.sampled_from(RAW) | st.text(max_size=10)).map("=".join),
    st.text(max_size=20),
)  # fmt: skip


@cases(15, 1000)
def test_commands(number, folder, monkeypatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(run, "publish", stopping)
    out = folder / "out"

    def check(
        content: bytes, experiment: bytes, words: tuple[str, ...], setting: str, lang: str
    ) -> None:
        (folder / "x.yaml").write_bytes(content)
        (folder / "e.yaml").write_bytes(experiment)
        given_ = ("--set", setting) if words[0] == "run" else ()
        assert kolabsim("--lang", lang, *words, *given_) in (0, 2)
        assert not remains(out) if out.is_dir() else True

    words = st.sampled_from(
        (
            ("check", "x.yaml", "e.yaml"), ("list", "strategies", "--scenario", "x.yaml"),
            ("list", "factors", "--scenario", "x.yaml"), ("run", "e.yaml", "--out", "out"),
            ("run", "e.yaml", "--quick", "--out", "out"), ("run", "e.yaml", "--out", "pipe"),
        )
    )  # fmt: skip
    experiments = tuple(
        text.replace("scenario: kartamantul", "scenario: x.yaml") for text in EXPERIMENTS
    )
    tried(
        number, check, content=files(trees(SCENARIOS[-1:])), experiment=files(trees(experiments)),
        words=words, setting=SETTINGS, lang=LANGUAGES,
    )  # fmt: skip


@cases(15, 150)
def test_new_writes_all_its_files_or_none(number, folder, monkeypatch) -> None:
    monkeypatch.chdir(folder)

    def check(content: bytes, lang: str) -> None:
        (folder / "mine.csv").write_bytes(content)
        with tempfile.TemporaryDirectory(dir=folder) as room:
            made = Path(room) / "new"
            with speaking(lang):
                written = refused_or(lambda: new_study(made, folder / "mine.csv"))
            if written is None:
                assert not made.exists()
                return
            assert sorted(remains(made)) == sorted(written.paths)
            with speaking(lang):
                Scenario.load(made / "scenario.yaml")
                Experiment.load(made / "experiment.yaml")

    tried(number, check, content=files(st.one_of(tables(REGIONS), lines(REGIONS))), lang=LANGUAGES)


# Results, and programs ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The files of a finished study, small."""
    from kolabsim.study.experiment import Experiment
    from kolabsim.study.runner import Study

    room = tmp_path_factory.mktemp("results")
    text = (
        "kind: comparison\nscenario: kartamantul\nplausible: 0\n"
        "strategies: [voluntary, team]\nruns: 2\n"
    )
    text += "set: {horizon: 2}\n"
    (room / "e.yaml").write_text(text, encoding="utf-8")
    Study.plan(Experiment.load(room / "e.yaml"), room / "out").run()
    return {path.relative_to(room / "out"): path.read_bytes() for path in remains(room / "out")}


@cases(15, 150)
def test_damaged_results(number, results, folder) -> None:
    def check(
        name: Path, damage: tuple[int, bytes, int], whole: bytes | None, command: str
    ) -> None:
        with tempfile.TemporaryDirectory(dir=folder) as room:
            for path, content in results.items():
                (Path(room) / path).parent.mkdir(parents=True, exist_ok=True)
                (Path(room) / path).write_bytes(content)
            at, inserted, lost = damage
            content = results[name]
            at %= len(content)
            content = content[:at] + inserted + content[at + lost :] if whole is None else whole
            (Path(room) / name).write_bytes(content)
            if command == "verify":
                assert kolabsim("verify", room, "--sample", "2") in (0, 1, 2)
                return
            code = kolabsim("results", room, "--to", command, "--out", f"{room}/x")
            assert code in (0, 2)
            assert code == 0 or not remains(Path(room) / "x")

    tried(
        number,
        check,
        name=st.sampled_from(sorted(results)),
        damage=st.tuples(st.integers(0, 10**6), st.binary(max_size=4), st.sampled_from((0, 1, 4,
        10**9))),
        whole=st.one_of(
            st.none(), st.none(), st.binary(max_size=20),
            st.sampled_from((b"{}", b"[]", b"[" * 10_000, b"null", b'{"points": 3}',
            b"PK\x03\x04")),
        ),
        command=st.sampled_from(("verify", "csv", "xlsx")),
    )  # fmt: skip


ARGUMENTS = b"options, me, draw, p"
DECLARED = (
    b"from kolabsim.model.declare import decision_rule\n"
    b"@decision_rule(%s)\ndef f(%s):\n    return %s\n"
)
PROGRAMS = (
    b"import sys; sys.exit()", b"raise SystemExit('gone')", b"exit(3)", b"1/0", b"raise ValueError",
    b"def f(:", b"\x00", b"a = '\x00'", b"x = '\xe9'", b"# -*- coding: latin-1 -*-\nx = '\xe9'",
    b"\xff\xfe",
    b"# -*- coding: nothing -*-\n", b"import not_there", b"from . import x", b"def f(): f()\nf()",
    b"(" * 500, b"x = " + b"-" * 100_000 + b"1", b"", b"'" * 3, b"raise MemoryError", b"return 1",
    DECLARED % (b"", b"a", b"0"), DECLARED % (b"x=1", ARGUMENTS, b"0"),
    DECLARED % (b"", ARGUMENTS, b"f(%s)" % ARGUMENTS), DECLARED % (b"", ARGUMENTS, b"10**5000"),
    DECLARED % (b"", ARGUMENTS, b"exit()"), DECLARED % (b"", ARGUMENTS, b"'\x1b[31m'"),
)  # fmt: skip


@cases(15, 600)
def test_programs_that_cannot_be_run(number, folder) -> None:
    path = folder / "rule.py"
    told: list[Path] = []

    def check(content: bytes, cut: int, language: str) -> None:
        path.write_bytes(content[:cut])
        before = len(told)
        with speaking(language), contextlib.redirect_stderr(io.StringIO()):
            refused_or(lambda: run_extensions([path]))
        assert len(told) == before + 1, "it was run before it was told"

    listeners.append(told.append)
    try:
        tried(
            number, check, content=st.sampled_from(PROGRAMS), language=LANGUAGES,
            cut=st.one_of(st.just(10**6), st.integers(0, 200)),
        )  # fmt: skip
    finally:
        listeners.remove(told.append)


def test_what_is_tried_is_worth_trying() -> None:
    assert len(RAW) > 100
    assert len(CELLS) > 50
    assert list(places({"a": [1, {"b": 2}]})) == [("a",), ("a", 0), ("a", 1), ("a", 1, "b")]
    with pytest.raises(KolabsimError):
        Scenario.load("not there")
