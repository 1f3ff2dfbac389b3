import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kolabsim import language
from kolabsim.errors import InputError, Problem
from kolabsim.language import _, ngettext, set_language

TOOL = Path(__file__).parents[1] / "tools" / "update_catalogue.py"


@pytest.fixture(autouse=True)
def no_language_chosen(monkeypatch):
    monkeypatch.setattr(language, "_chosen", [])
    monkeypatch.delenv("KOLABSIM_LANG", raising=False)


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("update_catalogue", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_english_is_spoken_unless_something_else_is_wished(monkeypatch) -> None:
    assert language.language() == "en"
    monkeypatch.setenv("KOLABSIM_LANG", "id_ID.UTF-8")
    assert language.language() == "id"
    monkeypatch.setenv("KOLABSIM_LANG", "fr")
    assert language.language() == "en"
    set_language("id")
    assert language.language() == "id"


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
    with pytest.raises(InputError, match="fr is not a language of kolabsim; allowed: en, id"):
        set_language("fr")


def test_english_needs_no_catalogue() -> None:
    code = (
        "import sys; from kolabsim.language import _, language; _('waste'); language();"
        "sys.exit('babel' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_everything_that_is_said_has_an_indonesian_translation(tool) -> None:
    """Run ``python tools/update_catalogue.py`` and translate what it names."""
    catalogue = tool.translated()
    said = tool.messages()
    assert [tool.first(m.id) for m in said if m.id and m.id not in catalogue] == []
    assert tool.untranslated(catalogue) == []


def test_nothing_is_translated_that_is_no_longer_said(tool) -> None:
    said = tool.messages()
    catalogue = tool.translated()
    assert [m.id for m in catalogue if m.id and m.id not in said] == []
    assert not catalogue.obsolete


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
        return sorted("".join(found) for found in re.findall(marked, text))

    for page, catalogue in tool.translated_pages().items():
        for message in catalogue:
            if message.id:
                assert kept(message.id) == kept(message.string), (page, message.id)


def test_translations_have_the_places_of_their_messages(tool) -> None:
    def places(text: str) -> set[str]:
        return set(re.findall(r"\{[^{}]*\}|%\([a-z_]+\)s", text))

    for message in tool.translated():
        if message.id and message.string:
            english, indonesian = tool.first(message.id), tool.first(message.string)
            assert places(english) == places(indonesian), english
            assert english[:1].isspace() == indonesian[:1].isspace(), english
