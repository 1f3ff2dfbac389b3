"""A preview of an uploaded table: its questions, its answers, and what follows from them."""

import asyncio
import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

import kolabsim as ks
from kolabsim.app import charts
from kolabsim.app.form import Choice, title_of
from kolabsim.app.importing import (
    Preview,
    archive,
    begin_choice,
    click_region,
    explain,
    impossible,
    options_of,
    study_name,
)
from kolabsim.app.texts import decision_texts, import_summary
from kolabsim.i18n import speaking
from kolabsim.scenario.question_forms import QUESTIONS
from tests.terminal import kolabsim

TOTAL = """\
Jumlah Penduduk per Kabupaten/Kota

Kabupaten/Kota;Lintang;Bujur;Jumlah Penduduk 2023;Belanja
Kota Rasake;-7,1;110,2;279.679;410
Kabupaten Ritoke;-7,2;110,4;1.200.674;1200
Kabupaten Kelogo;-7,4;110,1;659.989;800
Kabupaten Sumade;-7,5;110,5;401.000;500
Provinsi Radugo;;;2.541.342;2910
Sumber: Badan Statistik
"""
PLAIN = "code,name,population,province\n01,Aa,5200,X\n02,Bb,81000,X\n03,Cc,9100,Y\n"


def squares(people=True):
    """A map of four squares in a row."""
    features = [
        {
            "type": "Feature",
            "properties": {"code": f"S{k}"} | ({"population": 40000 + 9000 * k} if people else {}),
            "geometry": {"type": "Polygon", "coordinates": [[
                [k / 10, 0], [(k + 1) / 10, 0], [(k + 1) / 10, 0.1], [k / 10, 0.1], [k / 10, 0],
            ]]},
        }
        for k in range(4)
    ]  # fmt: skip
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


SIMPLE = "code,population\n" + "".join(f"S{k},{40000 + 9000 * k}\n" for k in range(4))


def look(files):
    preview = Preview(files)
    return preview, preview.look(preview.form)


@pytest.fixture
def total():
    """A preview of a table with a row of totals, and its view after the answer to leave it out."""
    preview, view = look({"jawa (1).csv": TOTAL.encode()})
    (question,) = view.questions
    preview.form = preview.form.answered(*question.options[0])
    return preview, preview.look(preview.form)


def test_an_open_question_keeps_the_study_back_until_it_is_answered(total):
    preview, view = total
    asked = preview.look(replace(preview.form, answers={}))
    assert asked.draft is None
    assert [title_of(*option) for option in asked.questions[0].options] == [
        "leave them out", "keep them as regions",
    ]  # fmt: skip
    assert not view.questions
    assert view.draft.scenario.regions.codes == view.regions.codes
    assert len(view.regions) == 4
    assert "4 regions with 2,541,342 people" in import_summary(view)
    assert all(map(any, map(decision_texts, view.found.decisions)))
    assert preview.look(preview.form.answered("drop_totals", None)).questions


def test_columns_are_corrected_one_by_one(total):
    preview, view = total
    assert {"Belanja", "Jumlah Penduduk 2023"} <= set(view.columns())
    assert view.amounts() == ["Belanja"]
    form = preview.form.answered("columns", {"population": "Belanja"})
    form = form.answered("columns", {"price": "Belanja"})
    assert form.answers["columns"] == {"population": "Belanja", "price": "Belanja"}
    form = form.answered("columns", {"price": ""}).answered("drop_totals", True)
    assert preview.look(form).found.columns["population"] == "Belanja"
    assert "columns" not in form.answered("columns", {"population": ""}).answers
    assert form.answered("nonsense", 1) is form


def test_a_file_that_is_not_understood_says_why_and_can_be_answered():
    _preview, view = look({"x.csv": b"a;b\n1;zwei\n2;drei\n"})
    assert view.found is None
    assert view.problems[0].file == "x.csv"
    assert not view.taking_part
    assert import_summary(view) == ""
    assert look({"x.png": b"\x89PNG\r\n\x1a\n\0\0"})[1].problems


@pytest.mark.parametrize(
    ("choice", "answer"),
    [
        (Choice("all"), "all"),
        (Choice("tier:A {b}"), "tier:A {b}"),
        (Choice("around:CODE:KM", {"region": "A:1", "km": "50"}), "around:A:1:50"),
        (Choice("around:CODE:KM", {"region": "A", "km": " "}), None),
        (Choice("list:CODE,CODE", {"regions": "A,B"}), "list:A,B"),
        (Choice("total:AMOUNT CURRENCY", {"amount": "5000", "currency": "EUR", "shares": ""}),
         "total:5000 EUR"),
        (Choice("total:AMOUNT CURRENCY",
                {"amount": "5 000", "currency": "EUR", "shares": "finance=3, training=1"}),
         "total:5 000 EUR; finance=3, training=1"),
        (Choice("column:NAME CURRENCY", {"column": "A b", "currency": "IDR", "shares": ""}),
         "column:A b IDR"),
        (Choice("nearest:NUMBER", {"number": "8"}), "nearest:8"),
        (Choice("list:FILE", {"file": "b.csv"}), "list:b.csv"),
    ],
)  # fmt: skip
def test_a_choice_is_an_answer_and_back(choice, answer):
    assert choice.answer == answer
    question = next(
        (q for q, one in QUESTIONS.items() if choice.option in one.forms), "neighbourhood"
    )
    if answer:
        assert Choice.read(question, answer) == choice


def test_the_five_questions_state_options_reasons_and_obstacles():
    _preview, view = look({"plain.csv": PLAIN.encode()})
    answers = view.setup.answers
    assert answers["neighbours"].value == "none"
    assert any("no places" in text for text in impossible(answers["neighbourhood"]))
    assert any("code_a" in text for text in impossible(answers["neighbours"]))
    assert "Dutch municipalities" in explain(answers["services"], view.choice("services"))
    assert {"tier:X", "tier:Y", "all"} < {one.value for one in options_of(answers["neighbourhood"])}


def test_services_can_be_paired(total):
    preview, view = total
    options = {one.value: one for one in options_of(view.setup.answers["services"])}
    pair = "administration,infrastructure"
    assert not options[pair].obstacle
    assert [value for value in options if "," in value] == [pair]
    view = preview.look(preview.form.chosen("services", Choice(pair)))
    assert view.setup.families == ("administration", "infrastructure")
    assert view.choice("services") == Choice(pair)


def test_answers_are_given_corrected_and_taken_back(total):
    preview, view = total
    form = preview.form
    for option in ("around:CODE:KM", "list:CODE,CODE"):
        choice = begin_choice("neighbourhood", option, view)
        assert choice.answer, "an answer to begin with"
    money = begin_choice("prices", "total:AMOUNT CURRENCY", view)
    assert money.answer is None
    incomplete = preview.look(form.chosen("prices", money))
    assert "all parts" in incomplete.refusals["prices"]
    assert incomplete.draft is None
    assert incomplete.choice("prices").option == "total:AMOUNT CURRENCY"
    wrong = Choice(money.option, {"amount": "x", "currency": "IDR"})
    assert "digits" in preview.look(form.chosen("prices", wrong)).refusals["prices"]
    right = Choice(money.option, {"amount": "9e9", "currency": "IDR"})
    priced = preview.look(form.chosen("prices", right))
    assert priced.draft.scenario.currency == "IDR"
    assert preview.look(priced.form.chosen("prices", None)).draft.scenario.currency == ""


def test_no_answer_names_a_file_of_the_server():
    preview, _view = look({"plain.csv": PLAIN.encode()})
    passwords = Choice("list:FILE", {"file": "/etc/passwd"})
    view = preview.look(preview.form.chosen("neighbours", passwords))
    assert "there is no file" in view.refusals["neighbours"]
    record = json.dumps({"study": {"neighbours": "list:/etc/passwd"}}).encode()
    _preview, view = look({"plain.csv": PLAIN.encode(), "import.json": record})
    assert "there is no file" in view.refusals["neighbours"]
    assert view.draft is None


def test_clicks_choose_regions(total):
    preview, view = total
    first, second = view.regions.codes[:2]
    choice = click_region(view, first)
    assert choice.answer == f"list:{first}"
    view = preview.look(preview.form.chosen("neighbourhood", choice))
    assert view.taking_part == {first}
    assert view.draft.notices[0].is_total
    view = preview.look(view.form.chosen("neighbourhood", click_region(view, second)))
    assert view.taking_part == {first, second}
    assert list(view.draft.scenario.regions.codes) == sorted([first, second])
    view = preview.look(view.form.chosen("neighbourhood", click_region(view, first)))
    assert click_region(view, second) is None, "an empty list is no answer"
    around = begin_choice("neighbourhood", "around:CODE:KM", view)
    view = preview.look(view.form.chosen("neighbourhood", around))
    assert click_region(view, second).parts["region"] == second


@pytest.mark.parametrize("files", [
    {"map.geojson": squares()}, {"t.csv": SIMPLE.encode(), "map.geojson": squares(people=False)},
])  # fmt: skip
def test_a_map_is_drawn_with_those_that_take_part(files):
    _preview, view = look(files)
    chart = charts.choice_map(view.regions, frozenset({"S1"}))
    drawn = {one["name"]: one["itemStyle"] for one in chart.options["geo"]["regions"]}
    assert {"", "S0", "S1", "S2", "S3"} == set(drawn)
    assert drawn["S1"]["areaColor"] != drawn["S2"]["areaColor"] == drawn["S0"]["areaColor"]
    assert view.setup.answers["neighbours"].value == "shapes"
    assert len(charts.geography(view.regions)["features"]) == 5
    assert "S3" in charts.register_code(view.regions)


def test_files_can_be_added():
    preview, view = look({"t.csv": SIMPLE.encode()})
    assert not view.regions.mapped
    preview.add({"map.geojson": squares(people=False)})
    assert preview.look(preview.form).regions.mapped


def test_too_many_regions_are_previewed_and_can_be_taken_home():
    rows = "".join(f"{k:05},{1000 + k},{1 + k % 40 / 10},{1 + k // 40 / 10}\n" for k in range(700))
    preview, view = look({"many.csv": f"code,population,latitude,longitude\n{rows}".encode()})
    assert view.is_too_large
    assert view.draft is None
    assert len(preview.draft(view).scenario.regions) == 700
    assert (
        len(charts.choice_map(view.regions, view.taking_part).options["series"][0]["data"]) == 700
    )
    near = Choice("around:CODE:KM", {"region": "00300", "km": "20"})
    assert preview.look(preview.form.chosen("neighbourhood", near)).draft


def test_names_of_studies():
    assert study_name({"kab. a & b.csv": b""}) == "kab.-a-b"
    assert study_name({"(1).csv": b""}) == "1"
    assert study_name({"...": b""}) == "my-study"
    preview = Preview({"x.csv": b""})
    for typed, name in {
        "My valley": "My-valley",
        "a/b.c": "b.c",
        "": "x",
        "..": "my-study",
    }.items():
        preview.rename(typed)
        assert preview.form.name == name


# The three doors ----------------------------------------------------------------------------------

DOORS = {
    "plain": ({"plain.csv": PLAIN.encode()}, {}, {}),
    "totals": (
        {"jawa (1).csv": TOTAL.encode()}, {"drop_totals": True},
        {"neighbourhood": "around:Kota Rasake:40", "prices": "column:Belanja IDR"},
    ),
    "kept": (
        {"jawa.csv": TOTAL.encode()},
        {"columns": {"price": "Belanja", "population": "Jumlah Penduduk 2023"},
         "rows": {"Kabupaten/Kota": "Kota Rasake|Kabupaten Ritoke"}},
        {"acquaintance": "nearest:1", "services": "infrastructure", "prices": "preset"},
    ),
    "borders": (
        {"plain.csv": PLAIN.encode(),
         "b.csv": b"code_a,code_b,distance_km\n01,02,9\n02,03,8\n"}, {},
        {"neighbours": "list:b.csv", "neighbourhood": "tier:X"},
    ),
    "shapes": (
        {"t.csv": SIMPLE.encode(), "map.geojson": squares(people=False)}, {},
        {"neighbourhood": "list:S0,S1"},
    ),
    "map": ({"map.geojson": squares()}, {}, {"neighbourhood": "list:S0,S1,S2"}),
    "latin": (
        {"été.csv": "Commune;Département;Population\nÉpinal;88;32 100\nSaint-Dié;88;19\u00a0200\n"
                    "Rambervillers;88;5 300\n".encode("latin-1")}, {},
        {"prices": "total:5000000 EUR; finance=3, procurement=1, training=1, technology=2"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("lang", ["en", "id"])
@pytest.mark.parametrize("table", DOORS)
def test_the_page_the_terminal_and_python_give_the_same_study(
    table, lang, uploads, tmp_path, monkeypatch
):
    files, answers, questions = DOORS[table]
    source, *beside = files
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    shapes = next((name for name in beside if name.endswith(".geojson")), None)
    flags = ["--shapes", shapes] if shapes else []
    for name, value in answers.items():
        if isinstance(value, dict):
            for key, one in value.items():
                flags += ["--column" if name == "columns" else f"--{name}", f"{key}={one}"]
        else:
            flags.append("--drop-totals")
    for name, value in reversed(questions.items()):
        flags += [f"--{name}", value]
    typed = kolabsim(
        "new", "my-study", "--regions", source, "--lang", lang, *flags, folder=tmp_path
    )
    assert typed.returncode == 0, typed.stderr

    with speaking(lang):
        preview = uploads.preview(uploads.open(files))
        preview.rename("my-study")
        for name, value in reversed(answers.items()):
            preview.form = preview.form.answered(name, value)
        for name, value in questions.items():
            preview.form = preview.form.chosen(name, Choice.read(name, value))
        view = preview.look(preview.form)
        assert not view.refusals
        shown = uploads.load(uploads.add(view.draft.files, study=preview.form.name))
        folder = tmp_path / "python" / "my-study"
        monkeypatch.chdir(tmp_path)
        ks.new_study(folder, source, shapes=shapes, **answers, **questions)

    def content(place):
        return {path.name: path.read_bytes() for path in place.iterdir()}

    assert content(tmp_path / "my-study") == dict(shown.files)
    assert content(folder) == dict(shown.files)
    assert archive(shown.files) == archive(dict(shown.files))


def test_an_earlier_study_is_repeated(total):
    preview, _view = total
    preview.form = preview.form.chosen("acquaintance", Choice.read("acquaintance", "nearest:2"))
    earlier = preview.look(preview.form).draft.files
    again, view = look({"jawa (1).csv": TOTAL.encode(), "import.json": earlier["import.json"]})
    again.rename(preview.form.name)
    assert again.look(again.form).draft.files == earlier
    assert view.choice("acquaintance") == Choice("nearest:NUMBER", {"number": "2"})


def test_a_page_that_is_closed_while_its_files_are_read_builds_nothing(monkeypatch):
    """It ended in an AssertionError when somebody closed it at the right moment."""
    import_page = pytest.importorskip("kolabsim.app.import_page", reason="no extra 'app'")
    page = object.__new__(import_page.ImportPage)
    page.client, page.lang, page.view = SimpleNamespace(is_deleted=True), "en", None
    asyncio.run(page.show(look({"a.csv": PLAIN.encode()})))
    assert page.view is None
    page.client.is_deleted = False

    async def close(client, _code, _seconds):
        client.is_deleted, page.view = True, None

    monkeypatch.setattr(import_page, "ask_browser", close)
    asyncio.run(page.show(look({"a.csv": PLAIN.encode()})))
    assert page.view is None
