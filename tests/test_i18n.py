import ast
import importlib.util
import re
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest

from kolabsim import i18n
from kolabsim.errors import InputError, Problem
from kolabsim.i18n import LanguageError, _, ngettext, set_language

TOOL = Path(__file__).parents[1] / "tools" / "update_catalogue.py"


@pytest.fixture(autouse=True)
def no_language_chosen(monkeypatch):
    monkeypatch.setattr(i18n, "_chosen", [])
    for variable in ("KOLABSIM_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("update_catalogue", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def used(tool):
    """The messages of the code, by room."""
    return tool.messages()


@pytest.fixture(scope="module")
def catalogues(tool):
    """The translated messages, by room."""
    return tool.translated()


def test_english_is_spoken_unless_something_else_is_wished(monkeypatch) -> None:
    assert i18n.language() == "en"
    monkeypatch.setenv("KOLABSIM_LANG", "id_ID.UTF-8")
    assert i18n.language() == "id"
    monkeypatch.setenv("KOLABSIM_LANG", "fr")
    assert i18n.language() == "en"
    set_language("id")
    assert i18n.language() == "id"


@pytest.mark.parametrize(
    ("environment", "code"),
    [
        ({"LANG": "id_ID.UTF-8"}, "id"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "POSIX"}, "en"),
        ({"LANG": "nl_NL.UTF-8"}, "en"),
        ({"LANG": "en_GB.UTF-8", "LC_MESSAGES": "id_ID"}, "id"),
        ({"LANG": "id_ID", "LC_ALL": "C"}, "en"),
        ({"LANG": "id_ID", "LC_ALL": ""}, "id"),
        ({"LANG": "id_ID", "KOLABSIM_LANG": "en"}, "en"),
    ],
)
def test_the_locale_of_the_machine_decides_unless_something_is_chosen(
    environment, code, monkeypatch
) -> None:
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    assert i18n.language() == code
    set_language("en")
    assert i18n.language() == "en"


def test_messages_are_translated_when_they_are_said() -> None:
    assert _("waste") == "waste"
    set_language("id")
    assert _("waste") == "persampahan"
    assert _("a sentence that nobody translated") == "a sentence that nobody translated"
    assert _("") == ""
    text = ngettext("{number} problem:", "{number} problems:", 2)
    assert text.format(number=2) == "2 masalah:"
    assert str(InputError([Problem("x", "a.yaml", 1)])) == "1 masalah dalam a.yaml:\n  a.yaml:1: x"
    set_language("en")
    assert _("waste") == "waste"


def test_other_languages_are_refused() -> None:
    with pytest.raises(LanguageError, match="fr is not a language of kolabsim; allowed: en, id"):
        set_language("fr")


def test_english_needs_no_catalogue() -> None:
    code = (
        "import sys; from kolabsim.i18n import _, language; _('waste'); language();"
        "sys.exit('babel' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_message_has_an_indonesian_translation(tool, used, catalogues) -> None:
    """Run ``python tools/update_catalogue.py`` and translate what it names."""
    for room, found in used.items():
        assert [tool.first(m.id) for m in found if m.id and m.id not in catalogues[room]] == []
        assert tool.untranslated(catalogues[room]) == []


def test_no_translation_is_left_over(used, catalogues) -> None:
    assert set(used) == set(catalogues)
    for room, catalogue in catalogues.items():
        assert [m.id for m in catalogue if m.id and m.id not in used[room]] == []
        assert not catalogue.obsolete


def test_rooms_translate_the_same_message_alike(catalogues) -> None:
    seen = {}
    for room, catalogue in catalogues.items():
        for message in catalogue:
            if message.id:
                first_room, string = seen.setdefault(message.id, (room, message.string))
                assert message.string == string, (first_room, room, message.id)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning")
def test_everything_on_the_translated_pages_has_an_indonesian_translation(tool) -> None:
    for module in ("sphinx", "myst_nb", "furo", "latex2mathml"):
        pytest.importorskip(module, reason=f"needs {module}, of the extra 'docs'")
    said, catalogues = tool.page_messages(), tool.translated_pages()
    lacking = [page for page in said if page not in catalogues]
    lacking += [
        f"{page}: {text}"
        for page, catalogue in catalogues.items()
        for text in sorted(tool.ids(catalogue) ^ tool.ids(said[page]) if page in said else [page])
    ]
    lacking += [
        f"{page}: {text}"
        for page, catalogue in catalogues.items()
        for text in tool.untranslated(catalogue)
    ]
    assert not lacking, f"run '{tool.COMMAND}', and translate what it names: {lacking}"


def test_translations_of_pages_keep_code_links_and_terms(tool) -> None:
    def kept(text: str) -> list[str]:
        marked = r"\{term\}`(?:[^`<]*<)?([^`>]+)>?`|(?<!\})(`[^`]+`)|(\]\([^)]*\))|(\*\*)"
        # A picture may have a twin in Indonesian.
        return sorted(
            "".join(found).replace("-id.png", ".png") for found in re.findall(marked, text)
        )

    for page, catalogue in tool.translated_pages().items():
        for message in catalogue:
            if message.id:
                assert kept(message.id) == kept(message.string), (page, message.id)


def test_translations_have_the_places_of_their_messages(tool, catalogues) -> None:
    def places(text: str) -> set[str]:
        return set(re.findall(r"\{[^{}]*\}|%\([a-z_]+\)s", text))

    for message in chain.from_iterable(catalogues.values()):
        if message.id and message.string:
            english, indonesian = tool.first(message.id), tool.first(message.string)
            assert places(english) == places(indonesian), english
            assert english[:1].isspace() == indonesian[:1].isspace(), english


def test_no_message_is_inside_an_f_string() -> None:
    """Babel does not find it there, so that it would be said in English in every language."""
    package, hidden = Path(i18n.__file__).parent, []
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for call in ast.walk(node) if isinstance(node, ast.JoinedStr) else ():
                name = getattr(getattr(call, "func", None), "id", "")
                if name in ("_", "N_", "ngettext") and isinstance(call.args[0], ast.Constant):
                    hidden.append(f"{path.relative_to(package)}:{call.lineno}")
    assert hidden == []
