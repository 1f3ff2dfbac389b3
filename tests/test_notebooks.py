"""The notebooks run from their first cell to their last, and teach the same in both languages."""

import re
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="needs nbformat, of the extra 'dev'")
nbclient = pytest.importorskip("nbclient", reason="needs nbclient, of the extra 'dev'")
pytest.importorskip("ipykernel", reason="needs ipykernel, of the extra 'dev'")

FOLDER = Path(__file__).parents[1] / "notebooks"
NAMES = sorted(path.name for path in FOLDER.glob("*.ipynb"))
LONG = ("reading-a-report.ipynb", "your-own-rule.ipynb")
"""Those that take more than ten seconds."""


def read(name):
    return nbformat.read(FOLDER / name, as_version=4)


def code_of(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow if n in LONG else ()) for n in NAMES]
)
# What jupyter_client and zmq warn of on some systems is not ours.
@pytest.mark.filterwarnings("default")
def test_every_cell_runs(name, tmp_path):
    notebook = read(name)
    place = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=300, resources=place).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert outputs
    assert not [output for output in outputs if output.output_type == "error"]
    drawing = "%matplotlib inline" in "\n".join(code_of(notebook))
    assert drawing == any("image/png" in output.get("data", {}) for output in outputs)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_kept_without_outputs_and_has_exercises_with_answers(name):
    notebook = read(name)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    asked, _heading, answered = re.split(r"^## (Answers|Jawaban)$", text, flags=re.MULTILINE)
    _before, _heading, asked = re.split(r"^## (Exercises|Latihan)$", asked, flags=re.MULTILINE)
    numbers = re.findall(r"^(\d)\. ", asked, re.MULTILINE)
    assert 2 <= len(numbers) <= 3
    assert re.findall(r"^\*\*(\d)\.\*\*", answered, re.MULTILINE) == numbers


def test_the_first_notebook_has_the_same_code_in_both_languages():
    english, indonesian = (code_of(read(f"{n}.ipynb")) for n in ("first-run", "simulasi-pertama"))
    assert sum('set_language("en")' in cell for cell in english) == 1
    assert indonesian == [
        cell.replace('set_language("en")', 'set_language("id")') for cell in english
    ]
