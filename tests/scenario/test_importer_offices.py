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
