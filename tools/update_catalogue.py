"""Bring the Indonesian catalogue up to date with what kolabsim says.

Adds the messages that are not yet in ``locale/id.po``, to be translated by hand, drops those that
are no longer said, keeps all translations, and reports what is missing:

    python tools/update_catalogue.py
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "kolabsim"
CATALOGUE = PACKAGE / "locale" / "id.po"
KEYWORDS = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2)}
READERS = {".py": "python", ".j2": "jinja2", ".html": "jinja2"}
HEADER = """\
# What kolabsim says, in Indonesian. After a change of messages: python tools/update_catalogue.py
msgid ""
msgstr ""
"Language: id\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

"""


def messages() -> Catalog:
    """Everything that kolabsim says, with the files in which it says so."""
    found = Catalog("id")
    found.mime_headers = [("Plural-Forms", "nplurals=1; plural=0;")]
    for path in sorted(PACKAGE.rglob("*")):
        if path.suffix in READERS:
            place = path.relative_to(ROOT).as_posix()
            for _line, message, *_rest in extract_from_file(READERS[path.suffix], path, KEYWORDS):
                found.add(message, locations=[(place, None)])
    for module, text in registry_texts():
        if text:
            found.add(text, locations=[(f"src/kolabsim/model/{module}.py", None)])
    return found


def registry_texts() -> Iterator[tuple[str, str]]:
    """The texts of all that is declared once, each with the module that declares it."""
    from kolabsim.model.areas import AREA_ATTRIBUTES, AREA_TITLES, FAMILIES
    from kolabsim.model.extension import RULES
    from kolabsim.model.levers import LEVERS
    from kolabsim.model.parameters import PARAMETERS
    from kolabsim.model.rules import BUILT_IN

    of_rules = [entry for name in BUILT_IN for entry in RULES[name].parameters.values()]
    parameters = {
        "parameters": PARAMETERS.values(),
        "areas": AREA_ATTRIBUTES.values(),
        "rules": of_rules,
    }
    for module, entries in parameters.items():
        for entry in entries:
            yield module, entry.meaning
            if entry.unit != "1":
                yield module, entry.unit
    for title in AREA_TITLES.values():
        yield "areas", title
    for family in FAMILIES.values():
        for area in family.values():
            yield "areas", area.source
    for lever in LEVERS.values():
        yield "levers", lever.title
        yield "levers", lever.meaning
    if (PACKAGE / "model" / "measures.py").is_file():
        for measure in importlib.import_module("kolabsim.model.measures").MEASURES.values():
            yield "measures", getattr(measure, "title", "")
            yield "measures", measure.meaning


def translated() -> Catalog:
    """The catalogue as it is now."""
    if not CATALOGUE.is_file():
        return Catalog("id")
    with CATALOGUE.open("rb") as file:
        return read_po(file, "id")


def update() -> tuple[list[str], list[str]]:
    """Write the catalogue anew; what it still lacks, and what was dropped from it."""
    now, before = messages(), translated()
    for message in now:
        known = before.get(message.id)
        if message.id and known is not None:
            message.string = known.string
    with CATALOGUE.open("wb") as file:
        file.write(HEADER.encode())
        write_po(file, now, width=100, omit_header=True, include_lineno=False)
    dropped = [first(message.id) for message in before if message.id and message.id not in now]
    return untranslated(now), dropped


def untranslated(catalogue: Catalog) -> list[str]:
    """The messages that a catalogue has no translation of."""
    return [first(m.id) for m in catalogue if m.id and not (m.string and first(m.string))]


def first(message: str | tuple[str, ...]) -> str:
    """The message, or its singular."""
    return message if isinstance(message, str) else message[0]


if __name__ == "__main__":
    for title, texts in zip(("to be translated", "dropped"), update(), strict=True):
        sys.stdout.write(f"{len(texts)} {title}\n" + "".join(f"  {text!r}\n" for text in texts))
