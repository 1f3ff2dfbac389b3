"""The pages under docs/ build without a warning, and what the new ones show is what happens."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pages import follow, in_own_process, in_process

pytestmark = pytest.mark.long

TOP = Path(__file__).parents[1]
PAGES = (
    "tutorials/first-study.md", "tutorials/your-own-regions.md", "tutorials/plan-for-ten-years.md",
    "how-to/own-rule.md", "how-to/own-mechanism.md", "how-to/dated-strategies.md",
    "how-to/existing-bodies.md", "how-to/observed-bodies.md", "how-to/figures.md",
    "how-to/mesa.md", "how-to/why.md", "tutorials/play-a-region.md",
)  # fmt: skip


def build(language, trees, pages, *settings):
    for module in ("sphinx", "myst_nb", "furo", "latex2mathml"):
        pytest.importorskip(module, reason=f"needs {module}, of the extra 'docs'")
    words = ["-q", "-W", "--keep-going", "-b", "html", "-D", f"language={language}", *settings]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *words, "-d", str(trees), str(TOP / "docs"), str(pages)],
        capture_output=True, text=True, encoding="utf-8", timeout=560,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return pages


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("docs")
    return build("en", folder / "trees", folder / "html")


@pytest.fixture(scope="module")
def built_in_indonesian(built):
    return build("id", built.parent / "trees-id", built / "id")


def test_every_page_is_built_and_none_says_a_path_of_this_machine(built):
    for source in (TOP / "docs").rglob("*.md"):
        page = built / source.relative_to(TOP / "docs").with_suffix(".html")
        if "_build" not in source.parts:
            assert page.is_file(), source
            assert str(TOP) not in page.read_text(encoding="utf-8"), source


def test_equations_are_drawn_without_a_network(built):
    source = (TOP / "docs/explanation/odd.md").read_text(encoding="utf-8")
    page = (built / "explanation/odd.html").read_text(encoding="utf-8")
    equations = source.count("```math\n") + len(re.findall(r"\$`.*?`\$", source))
    assert page.count("<math ") == equations
    assert "$`" not in page
    assert not re.search(r"\\(frac|text|begin|left)\b", page)
    assert not re.findall(r"<script[^>]*src=\"https?:", page)
    assert not re.findall(r"<link[^>]*stylesheet[^>]*href=\"https?:", page)


def test_the_reference_has_what_is_declared(built):
    import kolabsim
    from kolabsim.cli import program
    from kolabsim.model.measures import MEASURES
    from kolabsim.model.parameters import PARAMETERS
    from kolabsim.scenario.importer import ANSWERS
    from kolabsim.scenario.presets import PRESETS
    from kolabsim.scenario.scenario import Scenario
    from kolabsim.study.tables import TABLES

    def has(page, words):
        text = (built / f"reference/{page}.html").read_text(encoding="utf-8")
        return [word for word in words if f">{word}<" not in text and f'"{word}"' not in text] == []

    assert has("parameters", PARAMETERS)
    assert has("measures", MEASURES)
    assert has("results", [*TABLES, *(c.name for table in TABLES.values() for c in table.columns)])
    keys = {field.alias or name for name, field in Scenario.model_fields.items()}
    assert has("scenarios", keys)
    assert has("importing", [*(one.flag for one in ANSWERS.values()), *PRESETS])
    assert has("python", [f"kolabsim.regions.{name}" for name in ("read", "examine", "Decision")])
    assert has("python", [f"kolabsim.{name}" for name in kolabsim.__all__])
    page = (built / "reference/cli.html").read_text(encoding="utf-8")
    for command in program.registered_commands:
        name = command.name or command.callback.__name__
        assert f"kolabsim {name}" in page


def test_each_notebook_is_a_page(built):
    contents = (built / "tutorials/notebooks.html").read_text(encoding="utf-8")
    for path in (TOP / "notebooks").glob("*.ipynb"):
        assert f'href="../notebooks/{path.stem}.html"' in contents
        assert (built / f"notebooks/{path.stem}.html").is_file()


@pytest.mark.long
def test_notebooks_show_what_their_cells_give(tmp_path):
    """The first one in each language; `test_notebooks.py` runs the cells of all."""
    run = ["nb_execution_mode=cache", f"nb_execution_cache_path={tmp_path / 'cache'}"]
    words = ["-t", "first", *(word for one in run for word in ("-D", one))]
    pages = build("id", tmp_path / "trees", tmp_path / "html", *words)
    told = "Halaman ini hanya tersedia dalam bahasa Inggris."
    for path in (TOP / "notebooks" / f"{name}.ipynb" for name in ("first-run", "simulasi-pertama")):
        page = (pages / f"notebooks/{path.stem}.html").read_text(encoding="utf-8")
        assert "cell_output" in page
        assert ("<img" in page) == ("%matplotlib inline" in path.read_text(encoding="utf-8"))
        assert (told in page) == ('"lang": "id"' not in path.read_text(encoding="utf-8"))
        assert str(TOP) not in page


@pytest.mark.long
def test_each_page_leads_to_itself_in_the_other_language_and_back(built, built_in_indonesian):
    def other(page):
        [link] = re.findall(r'class="[^"]*other-language" href="([^"]+)"', page.read_text("utf-8"))
        return (page.parent / link).resolve()

    pages = [page for page in built.rglob("*.html") if built_in_indonesian not in page.parents]
    assert {built / name for name in ("search.html", "tutorials/notebooks.html")} < set(pages)
    for page in pages:
        translated = built_in_indonesian / page.relative_to(built)
        assert other(page) == translated
        assert other(translated) == page


@pytest.mark.long
def test_indonesian_pages_are_in_indonesian_or_say_that_they_are_not(built_in_indonesian):
    first = (built_in_indonesian / "tutorials/first-study.html").read_text(encoding="utf-8")
    measures = (built_in_indonesian / "reference/measures.html").read_text(encoding="utf-8")
    told = "Halaman ini hanya tersedia dalam bahasa Inggris."
    assert '<html class="no-js" lang="id"' in first
    assert "<h1>Studi pertama<" in first
    assert told not in first
    assert told in measures
    for english in ("On this page", "Back to top", "Made with", ">Next<", "Link to this heading"):
        assert english not in first


@pytest.mark.long
@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_shows_is_what_happens(page, tmp_path):
    is_compared = page == "tutorials/your-own-regions.md"
    run = in_process if is_compared else in_own_process
    follow(TOP / "docs" / page, tmp_path, run, compare=is_compared)
