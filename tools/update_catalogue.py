"""Bring the Indonesian catalogues up to date with what kolabsim and its documentation say.

Each room of the package has its own catalogue, ``src/kolabsim/locale/id/ROOM.po``; a message that
several rooms use stands in each, and must be translated alike.

Adds the messages that are not yet in these or, for the translated pages of
the documentation, in ``docs/locale/id/LC_MESSAGES/``, to be translated by hand; drops those that
are no longer said, keeps all translations, and reports what is missing:

    python tools/update_catalogue.py

A sentence of a page that was changed keeps its old translation, marked "fuzzy" and not shown:
correct it, and take the mark away. Pages are read by Sphinx, of the extra "docs".
"""

from __future__ import annotations

import importlib.util
import io
import re
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "kolabsim"
CATALOGUES = PACKAGE / "locale" / "id"
KEYWORDS = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2)}
COMMAND = "python tools/update_catalogue.py"
DOCS = ROOT / "docs"
PAGES = (
    "index.md",
    "tutorials/*.md",
    "how-to/*.md",
    "explanation/*.md",
    "reference/glossary.md",
)
"""The pages that are translated."""
SAME = re.compile(r"\$?`[^`]+`\$?|\bE\d+\b|(?<![\d.,])\d+(?![\d.,])|[ ,>-]")
"""The parts of a message that are the same in all languages: code, whole numbers, E12."""
FORMULA = re.compile(r"^```math\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
PAGE_CATALOGUES = DOCS / "locale" / "id" / "LC_MESSAGES"
READERS = {".py": "python", ".j2": "jinja2", ".html": "jinja2"}
HEADER = f"""\
# What kolabsim says, in Indonesian. After a change of messages: {COMMAND}
msgid ""
msgstr ""
"Language: id\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

"""


def messages() -> dict[str, Catalog]:
    """Everything that kolabsim says, room by room, with the files in which it says so."""
    found: dict[str, Catalog] = {}

    def add(text: str | tuple[str, ...], path: Path) -> None:
        parts = path.relative_to(PACKAGE).parts
        room = parts[0] if len(parts) > 1 else "kolabsim"
        found.setdefault(room, empty()).add(
            text, locations=[(path.relative_to(ROOT).as_posix(), None)]
        )

    for path in sorted(PACKAGE.rglob("*")):
        if path.suffix in READERS:
            for _line, message, *_rest in extract_from_file(READERS[path.suffix], path, KEYWORDS):
                add(message, path)
    for module, text in registry_texts():
        if text:
            add(text, PACKAGE / "model" / f"{module}.py")
    return found


def empty() -> Catalog:
    """A catalogue without messages."""
    catalogue = Catalog("id")
    catalogue.mime_headers = [("Plural-Forms", "nplurals=1; plural=0;")]
    return catalogue


def registry_texts() -> Iterator[tuple[str, str]]:
    """The texts of all that is declared once, each with the module that declares it."""
    from kolabsim.model.areas import AREA_ATTRIBUTES, AREA_TITLES, FAMILIES
    from kolabsim.model.decision_rules import BUILT_IN
    from kolabsim.model.declare import RULES, load_built_in
    from kolabsim.model.levers import LEVERS, TERMS
    from kolabsim.model.measures import MEASURES, REGION_MEASURES
    from kolabsim.model.parameters import PARAMETERS

    of_rules = [entry for name in BUILT_IN for entry in RULES[name].parameters.values()]
    parameters = {
        "parameters": PARAMETERS.values(),
        "areas": AREA_ATTRIBUTES.values(),
        "decision_rules": of_rules,
    }
    for module, entries in parameters.items():
        for entry in entries:
            yield module, entry.title
            yield module, entry.meaning
            if entry.unit != "1":
                yield module, entry.unit
    for title in AREA_TITLES.values():
        yield "areas", title
    for family in FAMILIES.values():
        for area in family.values():
            yield "areas", area.source
    load_built_in()  # so that all terms are declared
    for term in TERMS.values():
        yield "levers", term.meaning
        yield "levers", term.unit
    for lever in LEVERS.values():
        yield "levers", lever.title
        yield "levers", lever.meaning
    for measure in (*MEASURES.values(), *REGION_MEASURES.values()):
        yield "measures", measure.title
        yield "measures", measure.meaning
        if measure.unit != "1":
            yield "measures", measure.unit


def translated() -> dict[str, Catalog]:
    """The catalogues as they are now, by room."""
    return {path.stem: catalogue_of(path) for path in sorted(CATALOGUES.glob("*.po"))}


def update() -> tuple[list[str], list[str]]:
    """Rewrite the catalogues; return what they still lack and what was dropped."""
    now, before = messages(), translated()
    known = {m.id: m.string for catalogue in before.values() for m in catalogue if m.string}
    lacking, dropped = [], []
    CATALOGUES.mkdir(parents=True, exist_ok=True)
    for room, catalogue in now.items():
        own = before.pop(room, Catalog("id"))
        for message in catalogue:
            if message.id:
                there = own.get(message.id)
                message.string = (there and there.string) or known.get(message.id, "")
        with (CATALOGUES / f"{room}.po").open("wb") as file:
            file.write(HEADER.encode())
            write_po(file, catalogue, width=100, omit_header=True, include_lineno=False)
        lacking += [f"{room}: {text}" for text in untranslated(catalogue)]
        dropped += [f"{room}: {text}" for text in sorted(ids(own) - ids(catalogue))]
    for room in before:
        (CATALOGUES / f"{room}.po").unlink()
        dropped.append(f"{room}: the room")
    return lacking, dropped


def page_messages() -> dict[str, Catalog]:
    """Everything that the translated pages say, page by page, as Sphinx reads them."""
    from sphinx.application import Sphinx

    with TemporaryDirectory() as folder:
        made = Path(folder)
        Sphinx(
            DOCS, DOCS, made, made / "trees", "gettext",
            confoverrides={"include_patterns": PAGES}, status=None, warning=io.StringIO(),
        ).build()  # fmt: skip
        found = {
            path.relative_to(made).with_suffix("").as_posix(): catalogue_of(path)
            for path in sorted(made.rglob("*.pot"))
        }
    for page, catalogue in found.items():
        formulas = FORMULA.findall((DOCS / page).with_suffix(".md").read_text(encoding="utf-8"))
        for text in ids(catalogue):
            if text in formulas or not SAME.sub("", text):
                catalogue.delete(text)
    return found


def translated_pages() -> dict[str, Catalog]:
    """The catalogues of pages as they are now."""
    return {
        path.relative_to(PAGE_CATALOGUES).with_suffix("").as_posix(): catalogue_of(path)
        for path in sorted(PAGE_CATALOGUES.rglob("*.po"))
        if path != PAGE_CATALOGUES / "sphinx.po"  # what the theme says, written by hand
    }


def catalogue_of(path: Path) -> Catalog:
    """A catalogue as it is in its file."""
    with path.open("rb") as file:
        return read_po(file, "id")


def update_pages() -> tuple[list[str], list[str]]:
    """Rewrite the catalogues of pages; return what they lack and what was dropped."""
    lacking, dropped = [], []
    now, before = page_messages(), translated_pages()
    for page, template in now.items():
        catalogue = before.pop(page, Catalog("id"))
        known = ids(catalogue)
        catalogue.update(template, no_fuzzy_matching=False, update_header_comment=False)
        for message in catalogue:
            message.user_comments = []  # Babel takes the last update's "#|" lines for comments
        path = PAGE_CATALOGUES / f"{page}.po"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.write(HEADER.encode())
            write_po(
                file, catalogue, width=100, omit_header=True, no_location=True,
                ignore_obsolete=True, include_previous=True,
            )  # fmt: skip
        lacking += [f"{page}: {text}" for text in untranslated(catalogue)]
        dropped += [f"{page}: {text}" for text in sorted(known - ids(template))]
    for page in before:
        (PAGE_CATALOGUES / f"{page}.po").unlink()
        dropped.append(f"{page}: the page")
    return lacking, dropped


def ids(catalogue: Catalog) -> set[str]:
    """The messages of a catalogue."""
    return {first(message.id) for message in catalogue if message.id}


def untranslated(catalogue: Catalog) -> list[str]:
    """The messages that a catalogue has no translation of, or one that is to be looked at again."""
    return [
        first(m.id) for m in catalogue if m.id and (m.fuzzy or not (m.string and first(m.string)))
    ]


def first(message: str | tuple[str, ...]) -> str:
    """The message, or its singular."""
    return message if isinstance(message, str) else message[0]


if __name__ == "__main__":
    found = [update()]
    if importlib.util.find_spec("sphinx"):
        found.append(update_pages())
    else:
        sys.stdout.write("the pages were left as they are: pip install -e '.[docs]'\n")
    for title, *parts in zip(("to be translated", "dropped"), *found, strict=True):
        texts = list(chain(*parts))
        sys.stdout.write(f"{len(texts)} {title}\n" + "".join(f"  {text!r}\n" for text in texts))
