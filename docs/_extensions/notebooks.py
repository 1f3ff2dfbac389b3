"""The notebooks as pages: Sphinx reads only what lies in its folder, so they are copied there."""

from __future__ import annotations

from pathlib import Path
from tempfile import NamedTemporaryFile

from sphinx.application import Sphinx

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def copy_notebooks(app: Sphinx, _config: object) -> None:
    """Copy the notebooks; one that is as it was keeps its time, and is not read again."""
    folder = Path(app.srcdir) / "notebooks"
    folder.mkdir(exist_ok=True)
    sources = {path.name: path for path in NOTEBOOKS.glob("*.ipynb")}
    for path in folder.glob("*.ipynb"):
        if path.name not in sources:
            path.unlink()
    for name, path in sources.items():
        copy = folder / name
        if not copy.exists() or copy.read_bytes() != path.read_bytes():
            # Whole or not at all: pages may be built twice at the same time.
            with NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as part:
                part.write(path.read_bytes())
            Path(part.name).replace(copy)


def setup(app: Sphinx) -> dict[str, object]:
    """Copy them before Sphinx looks for pages."""
    app.connect("config-inited", copy_notebooks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
