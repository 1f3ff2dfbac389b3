"""Pages in English and in Indonesian, each with a link to itself in the other language.

English pages lie at the top, Indonesian ones in its folder ``id``. Links between them are relative,
so that they work in files that were copied together. ``-D language=id`` makes the Indonesian pages,
from the catalogues under ``locale/id``; those without a catalogue stay English, and say so.
"""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.locale import _

from kolabsim.i18n import LANGUAGES

ENGLISH = "en"


def link_to_other(
    app: Sphinx, page: str, _template: str, context: dict[str, object], _tree: nodes.document | None
) -> None:
    """Tell a page where it is in the other language, and its reader if it is not translated."""
    language = app.config.language
    [other] = LANGUAGES.keys() - {language}
    top = "../" * page.count("/")
    folder = f"{top}{other}/" if language == ENGLISH else f"{top}../"
    link = folder + page + app.builder.out_suffix
    context["other_language"] = {"code": other, "name": LANGUAGES[other], "link": link}
    context["metatags"] = (
        f'{context.get("metatags", "")}<link rel="alternate" hreflang="{other}" href="{link}">'
    )
    if page in app.env.found_docs and not is_translated(app, page):
        told = _("This page is in English only.")
        context["body"] = (
            f'<div class="admonition note"><p>{told}</p></div>\n'
            f'<div lang="{ENGLISH}">{context["body"]}</div>'
        )


def is_translated(app: Sphinx, page: str) -> bool:
    """Whether a page is in the language of the others."""
    language = app.config.language
    catalogue = app.srcdir / "locale" / language / "LC_MESSAGES" / f"{page}.po"
    written = app.env.metadata[page].get("lang", ENGLISH)
    return language in (ENGLISH, written) or catalogue.is_file()


def setup(app: Sphinx) -> dict[str, object]:
    """Register what is done to each page."""
    app.connect("html-page-context", link_to_other)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
