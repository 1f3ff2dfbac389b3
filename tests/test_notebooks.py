"""The notebooks run from their first cell to their last, and teach the same in both languages."""

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas
import pytest

nbformat = pytest.importorskip("nbformat", reason="needs nbformat, of the extra 'dev'")
nbclient = pytest.importorskip("nbclient", reason="needs nbclient, of the extra 'dev'")
pytest.importorskip("ipykernel", reason="needs ipykernel, of the extra 'dev'")

FOLDER = Path(__file__).parents[1] / "notebooks"
NAMES = sorted(path.name for path in FOLDER.glob("*.ipynb"))
PAIRS = {
    "first-run": "simulasi-pertama",
    "model-by-hand": "menghitung-model",
    "reading-a-report": "membaca-laporan",
    "sensitivity": "sensitivitas",
    "your-own-regions": "daerah-anda-sendiri",
    "your-own-rule": "aturan-anda-sendiri",
}
"""The English notebooks and their Indonesian counterparts."""
EVERY_DAY = ("first-run", "model-by-hand", "your-own-regions")
"""Those whose code runs by default. All run in Jupyter in the long tests."""


def read(name):
    return nbformat.read(FOLDER / name, as_version=4)


def code_of(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.parametrize("name", EVERY_DAY)
def test_its_code_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = "\n".join(code_of(read(f"{name}.ipynb"))).replace("%matplotlib inline", "")
    with pandas.option_context("display.max_colwidth", None):  # one that a notebook changes
        exec(compile(code, name, "exec"), space := {"__name__": "__main__"})
    for made in space.values():
        if isinstance(made, TemporaryDirectory):
            made.cleanup()


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
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


def test_every_notebook_exists_in_both_languages():
    assert sorted(f"{name}.ipynb" for pair in PAIRS.items() for name in pair) == NAMES


@pytest.mark.parametrize(("english", "indonesian"), PAIRS.items())
def test_a_notebook_has_the_same_code_in_both_languages(english, indonesian):
    first, second = (code_of(read(f"{name}.ipynb")) for name in (english, indonesian))
    assert sum('set_language("en")' in cell for cell in first) == 1
    assert second == [cell.replace('set_language("en")', 'set_language("id")') for cell in first]


@pytest.mark.parametrize(("english", "indonesian"), PAIRS.items())
def test_a_notebook_names_its_counterpart(english, indonesian):
    for name, other in ((english, indonesian), (indonesian, english)):
        assert f"`{other}.ipynb`" in read(f"{name}.ipynb").cells[0].source
