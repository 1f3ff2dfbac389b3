"""Tables as offices of many countries publish them: what is asked, and what is read."""

import pytest

import kolabsim as ks
from kolabsim.scenario.importer import examine
from kolabsim.scenario.importer.letters import guess_encoding
from tests.scenario.office_tables import LETTERS, TABLES
from tests.scenario.test_importer import people, refused


def content(table):
    return table.text if isinstance(table.text, bytes) else table.text.encode(table.encoding)


@pytest.mark.parametrize("style", TABLES)
def test_tables_of_offices_are_read_or_asked_about(style):
    table = TABLES[style]
    if table.asks:
        messages = refused(content(table), name=table.file)
        assert len(messages) <= len(table.asks)
        for part in table.asks:
            assert any(part in message for message in messages), messages
    elif not table.answers:
        assert not examine({table.file: content(table)}).questions
    found = ks.regions.read({table.file: content(table)}, **table.answers)
    assert people(found) == table.people
    assert {key: found.columns[key] for key in table.columns} == table.columns


@pytest.mark.parametrize(("encodings", "text"), LETTERS)
def test_encodings_are_recognised_by_words_and_letters(encodings, text):
    for encoding in encodings.split():
        data = text.encode(encoding)
        assert data.decode(guess_encoding(data)[0], "replace") == text, encoding


@pytest.mark.parametrize("style", ["geometries as text", "TopoJSON"])
def test_shapes_in_texts_and_topologies_give_borders(style):
    pytest.importorskip("shapely")
    table = TABLES[style]
    found = ks.regions.read({table.file: content(table)})
    assert len(found.neighbours) == len(found.regions) - 1
    assert found.neighbours["border_km"][0] == pytest.approx(111.2, rel=1e-3)
    assert found.regions["latitude"].tolist() == [-7.5] * len(found.regions)


@pytest.mark.parametrize(
    "style", ["points as text", "latitude and longitude in one cell", "degrees and minutes"]
)
def test_places_in_one_cell_or_in_degrees_and_minutes_are_read(style):
    table = TABLES[style]
    found = ks.regions.read({table.file: content(table)})
    assert found.regions["latitude"].between(-8.2, -7.5).all()
    assert found.regions["longitude"].between(110, 111).all()
