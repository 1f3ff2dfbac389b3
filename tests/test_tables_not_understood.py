"""The how-to on tables that are not understood: each message comes, and its answer helps."""

import io
import json
import re
import shlex
import zipfile

import pytest

from tests.pages import TOP, in_process

PAGE = TOP / "docs/how-to/tables-not-understood.md"
PAIR = re.compile(
    r"^```text\n(?P<message>(?P<file>\S+): [^\n]*)\n```|^```sh\n(?P<commands>.*?)^```",
    re.MULTILINE | re.DOTALL,
)
HEAD, PLACED = "Code;Name;Population", "Code;Name;Population;Latitude;Longitude"
THREE = ("1;Ford;8200", "2;Weir;5600", "3;Mill;11800")
FOUR = ("1;Ford;8200;46.31;7.12", "3;Mill;11800;46.25;7.09", "4;Bridge;31000;46.22;7.31")


def lines(*rows):
    return "".join(f"{row}\n" for row in rows).encode()


def archive(**files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as zipped:
        for name, content in files.items():
            zipped.writestr(f"{name}.csv", content)
    return packed.getvalue()


def workbook(**sheets):
    openpyxl = pytest.importorskip("openpyxl", reason="needs openpyxl, of the extra 'export'")
    book, packed = openpyxl.Workbook(), io.BytesIO()
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append([int(cell) if cell.isdigit() else cell for cell in row.split(";")])
    book.save(packed)
    return packed.getvalue()


def squares(side, west, south):
    def square(x, y):
        return [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]

    shapes = {}
    for place, row in enumerate(THREE):
        code, name, people = row.split(";")
        properties = {"code": code, "name": name, "population": int(people)}
        ring = square(west + place * side, south)
        shape = {"type": "Polygon", "coordinates": [ring]}
        shapes[code] = {"type": "Feature", "properties": properties, "geometry": shape}
    return json.dumps({"type": "FeatureCollection", "features": list(shapes.values())}).encode()


@pytest.fixture
def tables():
    """A table, or map, of each kind that the page names."""
    parts = [
        f"{code};{name};{part};{people}"
        for code, name, whole in (r.split(";") for r in THREE)
        for part, people in (("Total", int(whole)), ("Urban", int(whole) // 4),
                             ("Rural", int(whole) - int(whole) // 4))
    ]  # fmt: skip
    many = [f"{code};Town {code};{code * 900}" for code in range(10, 19)]
    return {
        "sheets.xlsx": workbook(**{"2023": (HEAD, *THREE), "2024": (HEAD, *THREE)}),
        "archive.zip": archive(north=lines(HEAD, *THREE), south=lines(HEAD, *THREE)),
        "letters.csv": lines(HEAD, "1;Förde;8200", *THREE[1:]).decode().encode("cp1252"),
        "header.csv": lines("Contents;;Page", "Map;;4", "Towns;;5", HEAD, *THREE),
        "column.csv": lines("Code;Name;Nationals;Foreigners;Households", "1;Ford;4000;4200;6100",
                            "2;Weir;2700;2900;4000", "3;Mill;5800;6000;8800"),
        "two.csv": lines("Code;Name;Population (census);Population (register)",
                         "1;Ford;8200;9100", "2;Weir;5600;6900", "3;Mill;11800;13100"),
        "rows.csv": lines("Code;Name;Area;Population", *parts),
        "totals.csv": lines(HEAD, *THREE, ";Valley;25600"),
        "totals-next-year.csv": lines(HEAD, "1;Ford;8300", *THREE[1:], ";Valley;25700"),
        "missing.csv": lines(HEAD, THREE[0], "2;Weir;..", THREE[2], "4;Common;3150"),
        "twice.csv": lines(HEAD, THREE[0], THREE[1], "2;Weir East;1400", *many),
        "unit.csv": lines(HEAD, "1;Ford;8.2", "2;Weir;5.6", "3;Mill;11.8"),
        "places.csv": lines(PLACED, FOUR[0], "2;Weir;5600;7.25;46.35", *FOUR[1:]),
        "map.geojson": squares(9000, 355_000, 5_130_000),
        "metres.csv": lines("Code;Name;Population;X;Y", *(
            f"{row};{355_000 + 9000 * place};5130000" for place, row in enumerate(THREE))),
        "plain.csv": lines(HEAD, *THREE),
        "degrees.geojson": squares(0.1, 7.1, 46.2),
    }  # fmt: skip


def test_messages_come_as_they_are_shown_and_their_answers_help(tables, tmp_path):
    text, refused = PAGE.read_text(encoding="utf-8"), set()
    for number, part in enumerate(PAIR.finditer(text)):
        folder = tmp_path / str(number)
        folder.mkdir()
        for name, content in tables.items():
            (folder / name).write_bytes(content)
        if part["file"]:
            done = in_process(["kolabsim", "new", "study", "--regions", part["file"]], folder)
            assert done.returncode == 2, part["message"]
            assert done.stderr.splitlines()[1].strip() == part["message"]
            refused.add(part["file"])
            continue
        for line in part["commands"].splitlines():
            done = in_process(shlex.split(line), folder)
            assert done.returncode == 0, (line, done.stderr)
            refused.discard(line.split()[4])
    assert not refused
    assert text.count("```text\n") + text.count("```sh\n") == number + 1


def test_the_lines_of_python_run(tables, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "totals.csv").write_bytes(tables["totals.csv"])
    [code] = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S)
    exec(compile(code, PAGE.name, "exec"), {})
    assert "--drop-totals" in capsys.readouterr().out


def test_the_page_explains_every_answer_and_every_key_of_the_record(tables):
    import kolabsim as ks
    from kolabsim.scenario.importer import ANSWERS
    from kolabsim.study.scaffold import draft_study

    text = PAGE.read_text(encoding="utf-8")
    missing = [one.flag for one in ANSWERS.values() if one.flag not in text]
    record = json.loads(draft_study("x", {"plain.csv": tables["plain.csv"]}).files["import.json"])
    missing += [name for name in (*record, *record["decisions"][0]) if f"`{name}`" not in text]
    assert [name for name in missing if name not in {"what", "needs_answer"}] == []
    assert ks.regions.ANSWERS is ANSWERS
