"""Writing files: whole or not at all, and CSV in which a spreadsheet sees no formula.

A text that a spreadsheet would calculate, such as a region called ``=1+1``, is written with an
apostrophe before it, which spreadsheets show as text; :func:`unescape` takes it away again.
Numbers, also negative ones, stay as they are.
"""

from __future__ import annotations

import csv
import io
import math
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from kolabsim.errors import StorageError, shown
from kolabsim.i18n import _

if TYPE_CHECKING:
    import pandas as pd

_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")


def write_whole(path: Path, content: bytes | Callable[[BinaryIO], None]) -> None:
    """Write a file so that, even after a crash, it is there whole or not at all.

    A missing folder is made; a function given as the content writes into the open file. If the
    disk refuses, :class:`StorageError` is raised and an earlier file of this name is intact.
    """
    name = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name[:40]}-", delete=False
        ) as file:
            name = Path(file.name)
            if callable(content):
                content(cast("BinaryIO", file))
            else:
                file.write(content)
            file.flush()
            os.fsync(file.fileno())
        name.chmod(0o644)
        name.replace(path)
        name = None
        _sync_folder(path.parent)
    except OSError as error:
        text = _("{file}: the disk refused to write ({reason}); finished results are intact")
        text = text.format(file=shown(path), reason=error.strerror or error)
        raise StorageError(text) from error
    finally:
        if name is not None:
            with suppress(OSError):
                name.unlink()


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows cannot open a folder
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# CSV ----------------------------------------------------------------------------------------------


def begins_as_formula(text: str) -> bool:
    """Whether a spreadsheet might calculate a text instead of showing it."""
    return bool(_FORMULA.match(text))


def escape(value: object) -> object:
    """The value of a cell, with an apostrophe before a text that begins as formulas do.

    >>> escape("=1+1"), escape("-3"), escape("Bantul")
    ("'=1+1", '-3', 'Bantul')
    """
    if not isinstance(value, str) or not begins_as_formula(value) or _is_number(value):
        return value
    return f"'{value}"


def unescape(text: str) -> str:
    """The text of a cell before :func:`escape`."""
    return text[1:] if text.startswith("'") and begins_as_formula(text) else text


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def table_csv(table: pd.DataFrame, *, header: bool = True, index_label: str | None = None) -> bytes:
    """A table as the content of a CSV file; with its index if that has a label."""
    safe = table.rename(columns=escape, index=escape if index_label else None)
    for place, kind in enumerate(safe.dtypes):
        column = safe.iloc[:, place]
        if kind == "category":
            safe.isetitem(place, column.cat.rename_categories(escape))
        elif kind.kind not in "biuf":
            safe.isetitem(place, column.map(escape, na_action="ignore"))
    text = safe.to_csv(
        index=index_label is not None, index_label=index_label, header=header, lineterminator="\n"
    )
    return text.encode()


def rows_csv(rows: Iterable[Sequence[object]]) -> bytes:
    """Rows, the head among them, as the content of a CSV file."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerows([escape(value) for value in row] for row in rows)
    return stream.getvalue().encode()
