"""Writing files: whole or not at all, and CSV in which a spreadsheet sees no formula.

A text that a spreadsheet would calculate, such as a region called ``=1+1``, is written with an
apostrophe before it, which spreadsheets show as text; :func:`unescape` takes it away again.
Numbers, also negative ones, stay as they are.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
import os
import re
import secrets
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, TypeAlias
from urllib.parse import quote

import numpy as np

from kolabsim.errors import StorageError, shown
from kolabsim.i18n import _

if TYPE_CHECKING:
    import pandas as pd

_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")


class WrittenFile(NamedTuple):
    """A file that was written in the folder where it belongs, under another name."""

    path: Path
    sha256: str
    size: int


Content: TypeAlias = "bytes | Callable[[BinaryIO], None]"
"""Bytes, or a function that writes into an open file."""
_routes: ContextVar[tuple[tuple[Path, Callable[[Path, Content], None]], ...]] = ContextVar(
    "routes", default=()
)


@contextmanager
def routed(folder: Path, write: Callable[[Path, Content], None]) -> Iterator[None]:
    """Let a function write all files that :func:`write_whole` would write into a folder."""
    before = _routes.set(((folder.absolute(), write), *_routes.get()))
    try:
        yield
    finally:
        _routes.reset(before)


def is_routed(path: Path) -> bool:
    """Whether another function writes and removes this file."""
    return any(path.absolute().is_relative_to(folder) for folder, _write in _routes.get())


def write_whole(path: Path, content: Content) -> None:
    """Write a file so that, even after a crash, it is there whole or not at all.

    A missing folder is made, and rights follow the umask. If the disk refuses,
    :class:`StorageError` is raised and an earlier file of this name is intact.
    """
    for folder, write in _routes.get():
        if path.absolute().is_relative_to(folder):
            write(path, content)
            return
    replace_whole(path, content, mark=secrets.token_hex(4))


def replace_whole(
    path: Path, content: Content | WrittenFile, *, mark: str, unless: str = ""
) -> tuple[str, int]:
    """Write a file as :func:`write_whole` does, and return its SHA-256 and size.

    Until it is complete the file is called :func:`unfinished`. A file whose SHA-256 is ``unless``
    is left as it is.
    """
    name = unfinished(path, mark)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, WrittenFile):
            content.path.replace(path)
            _sync_folder(path.parent)
            return content.sha256, content.size
        with name.open("w+b") as file:
            if callable(content):
                content(file)
            else:
                file.write(content)
            size = file.tell()
            file.seek(0)
            found = hashlib.file_digest(file, "sha256").hexdigest()
            if found == unless:
                return found, size
            os.fsync(file.fileno())
        name.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        text = _("{file}: the disk refused to write ({reason}); finished results are intact")
        text = text.format(file=shown(path), reason=error.strerror or error)
        raise StorageError(text) from error
    finally:
        with suppress(OSError):
            name.unlink(missing_ok=True)
    return found, size


def unfinished(path: Path, mark: str) -> Path:
    """The name of a file while it is written; each writer has a mark of its own."""
    return path.with_name(f".{path.name[:40]}-{mark}")


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows cannot open a folder
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# Names ----------------------------------------------------------------------------------------

LONGEST_NAME = 120
"""Most bytes of a text that a file name keeps."""


def file_names(texts: Iterable[str]) -> dict[str, str]:
    """A name for each text that is safe in any folder and, quoted (:func:`link`), in any address.

    Letters, digits, ``_``, ``-`` and ``.`` stay. Names that would be the same, also where a disk
    does not tell ``A`` from ``a``, get a hash of their text.

    >>> file_names(["34.71", "../x", "..#x"])
    {'34.71': '34.71', '../x': '.._x-d6b96a97', '..#x': '.._x-5a294965'}
    """
    bare = {text: re.sub(r"[^\w.-]", "_", unicodedata.normalize("NFC", text)) for text in texts}
    bare = {
        text: name.encode()[:LONGEST_NAME].decode(errors="ignore") for text, name in bare.items()
    }
    shared = Counter(name.casefold() for name in bare.values())
    return {
        text: name
        if shared[name.casefold()] == 1 and name
        else f"{name}-{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()[:8]}"
        for text, name in bare.items()
    }


def link(name: str) -> str:
    """The address of a file in the same folder as the page that links to it."""
    return quote(name)


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
    columns = [_cells(table.iloc[:, place]) for place in range(table.shape[1])]
    head: list[object] = list(table.columns)
    if index_label is not None:
        head, columns = [index_label, *head], [_cells(table.index.to_series()), *columns]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    if header:
        writer.writerow([escape(name) for name in head])
    writer.writerows(zip(*columns, strict=True))
    return stream.getvalue().encode()


def _cells(column: pd.Series) -> list[object]:
    """The cells of a column, by kind: ``to_csv`` of pandas gives the same in thrice the time."""
    if column.dtype == "category":
        texts = [*map(escape, column.cat.categories), ""]
        return [texts[code] for code in column.cat.codes.tolist()]
    cells: list[object] = column.tolist()
    if column.dtype == np.float32:
        cells = list(map(str, column.to_numpy()))  # seven digits, not those of the 64-bit float
    elif column.dtype.kind not in "biuf":
        cells = list(map(escape, cells))
    for place in np.flatnonzero(column.isna()).tolist():
        cells[place] = ""
    return cells


def rows_csv(rows: Iterable[Sequence[object]]) -> bytes:
    """Rows, the head among them, as the content of a CSV file."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerows([escape(value) for value in row] for row in rows)
    return stream.getvalue().encode()
