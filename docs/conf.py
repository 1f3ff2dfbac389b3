"""How Sphinx builds these pages, in each language: ``make docs``, without a network."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

from kolabsim import __version__
from kolabsim.i18n import set_language

set_language("en")  # what is read from the code is in English in all pages

project = "kolabsim"
author = "The kolabsim authors"
copyright = "The kolabsim authors, MIT licence"
release = version = __version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "declared",
    "languages",
    "mathml",
    "notebooks",
]
exclude_patterns = ["_build", "_extensions", "_static", "_templates"]
templates_path = ["_templates"]

# English unless `-D language=id` is given; `python tools/update_catalogue.py` refreshes catalogues.
language = "en"
locale_dirs = ["locale"]
gettext_compact = False  # a catalogue for each page

# Mathematics as GitHub writes it: $`...`$ in a line, and blocks fenced as math.
myst_enable_extensions = ["dollarmath"]
myst_fence_as_directive = ["math"]
myst_dmath_double_inline = False
myst_heading_anchors = 4

# Notebooks are shown without results, unless `-D nb_execution_mode=cache` runs what has changed.
nb_execution_mode = "off"
if tags.has("first"):  # noqa: F821, Sphinx gives this name: `-t first` runs the first notebook only
    notebooks = (Path(__file__).parents[1] / "notebooks").glob("*.ipynb")
    others = [one.name for one in notebooks if one.stem not in ("first-run", "simulasi-pertama")]
    nb_execution_excludepatterns = others
nb_execution_in_temp = True
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_output_stderr = "remove"

autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_numpy_docstring = True
napoleon_google_docstring = False

html_theme = "furo"
html_title = f"kolabsim {release}"
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["math.css", "pages.css"]
html_copy_source = False
html_show_sphinx = False


ATTRIBUTES: dict[str, list[str]] = {}


def keep_attribute(_app: Sphinx, what: str, name: str, _found: object, *rest: object) -> None:
    """Keep what an attribute's docstring says before napoleon takes "a, b: c" for a type."""
    if what == "attribute":
        ATTRIBUTES[name] = list(rest[-1])


def put_back_attribute(_app: Sphinx, _what: str, name: str, _found: object, *rest: object) -> None:
    """Put it back."""
    if name in ATTRIBUTES:
        rest[-1][:] = ATTRIBUTES[name]


def setup(app: Sphinx) -> None:
    """Show tables as they are, for which Pygments has no lexer, and attributes in their words."""
    app.add_lexer("csv", TextLexer)
    app.connect("autodoc-process-docstring", keep_attribute, priority=400)
    app.connect("autodoc-process-docstring", put_back_attribute, priority=600)
