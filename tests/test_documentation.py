import ast
import re
import tomllib
from pathlib import Path

import yaml

from kolabsim.model.areas import AREA_ATTRIBUTES, FAMILIES
from kolabsim.model.decision_rules import BUILT_IN
from kolabsim.model.declare import RULES
from kolabsim.model.parameters import PARAMETERS
from tests.pages import follow, in_process

TOP = Path(__file__).parents[1]
KEY = re.compile(r"\b[a-z]+(?:_[a-z]+)*_(?:19|20)\d\d\b")


def keys_of_bibliography():
    text = (TOP / "docs/reference/bibliography.md").read_text(encoding="utf-8")
    return set(re.findall(r"^\| ([a-z_]+_\d{4}) \|", text, re.MULTILINE))


def docstrings(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = ast.Module | ast.FunctionDef | ast.ClassDef
    return [ast.get_docstring(node) or "" for node in ast.walk(tree) if isinstance(node, kinds)]


def test_every_key_in_a_docstring_is_in_the_bibliography():
    known = keys_of_bibliography()
    for path in sorted((TOP / "src/kolabsim").rglob("*.py")):
        for text in docstrings(path):
            for group in re.findall(r"\[([a-z_0-9, ]+)\]", text):
                assert set(KEY.findall(group)) <= known, (path.name, group)


def test_every_parameter_says_where_it_comes_from():
    known = keys_of_bibliography()
    rules = {f"{r}.{n}": q for r in BUILT_IN for n, q in RULES[r].parameters.items()}
    for name, entry in (PARAMETERS | AREA_ATTRIBUTES | rules).items():
        assert entry.source == "assumed" or entry.source in known, name
        assert entry.meaning, name
        assert entry.symbol, name
        assert entry.least <= entry.low <= entry.default <= entry.high <= entry.most, name
    for family in FAMILIES.values():
        for name, area in family.items():
            assert "assumed" in area.source or set(KEY.findall(area.source)) & known, name


def test_no_two_parameters_share_a_symbol():
    symbols = [entry.symbol for entry in PARAMETERS.values()]
    assert len(symbols) == len(set(symbols)), {s for s in symbols if symbols.count(s) > 1}


def test_ci_make_and_readme_run_the_same_tests():
    command = "-m pytest -n 2 -rs"
    for name in ("README.md", ".ci/run", "Makefile"):
        assert command in (TOP / name).read_text(encoding="utf-8"), name


def test_citation_and_changelog_know_the_version():
    import kolabsim

    assert f"version: {kolabsim.__version__}" in (TOP / "CITATION.cff").read_text(encoding="utf-8")
    assert "version" in tomllib.loads((TOP / "pyproject.toml").read_text())["project"]["dynamic"]


def blocks(path, language):
    text = path.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_recipes_for_clusters_are_sound_python_and_yaml():
    path = TOP / "docs/how-to/large-studies.md"
    for code in blocks(path, "python"):
        compile(code, str(path), "exec")
    [described] = [yaml.safe_load(text) for text in blocks(path, "yaml")]
    assert described["kind"] == "DaskCluster"
    assert described["spec"]["worker"]["spec"]["containers"][0]["args"][0] == "dask"
    assert "not run" in " ".join(path.read_text(encoding="utf-8").split())


def test_links_in_the_documents_lead_somewhere():
    for path in [*TOP.glob("*.md"), *TOP.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (path.parent / target).exists(), (path.name, target)


def test_the_path_of_collaboration_names_what_exists_and_all_levers_in_order():
    from kolabsim.model.levers import MECHANISMS, SUPPORTERS
    from kolabsim.model.measures import MEASURES

    text = (TOP / "docs/explanation/path-of-collaboration.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    names = re.findall(r"`([a-z_.]+)`", "\n".join(rows))
    levers = [f"mechanisms.{n}" for n in MECHANISMS] + [f"support.{n}" for n in SUPPORTERS]
    assert set(levers) == {name for name in names if "." in name}
    assert {name for name in names if "." not in name} <= set(PARAMETERS) | set(MEASURES)


def test_where_do_i_change_names_files_that_exist():
    text = (TOP / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.partition("## Where do I change")[2].partition("\nPaths are below")[0]
    names = re.findall(r"`((?:[a-z_]+/)+(?:[\w.]+\.(?:py|md))?|[a-z_/]+\.(?:py|md))`", table)
    assert len(names) > 40
    missing = [
        n for n in names if not any((top / n).exists() for top in (TOP / "src/kolabsim", TOP))
    ]
    assert not missing


def test_names_that_the_how_tos_import_are_in_the_reference():
    reference = "\n".join(p.read_text(encoding="utf-8") for p in TOP.glob("docs/reference/*.md"))
    for page in TOP.glob("docs/how-to/*.md"):
        for code in blocks(page, "python"):
            for module, names in re.findall(r"^from (kolabsim\.[\w.]+) import (.+)$", code, re.M):
                for name in names.split(", "):
                    known = f"{module}.{name}" in reference or name in reference
                    assert known or name == "set_language", (page.name, module, name)


def test_the_tutorial_on_your_own_regions_shows_what_is_printed(tmp_path):
    page = TOP / "docs/tutorials/your-own-regions.md"
    follow(page, tmp_path, in_process, ("new", "check"))
