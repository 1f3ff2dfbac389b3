"""Files as bytes and text, with a problem for each file that cannot be read."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from pathlib import Path

from kolabsim.errors import UNPRINTABLE, Problems, suggestion
from kolabsim.i18n import N_, _

_UNPRINTABLE = re.compile(f"[{UNPRINTABLE}]")


def shipped(kind: str) -> Path:
    """Return the folder of the ``scenarios`` or ``experiments`` that ship with kolabsim."""
    package = Path(__file__).parents[1]
    inside = package / "shipped" / kind
    return inside if inside.is_dir() else package.parents[1] / kind


def unprintable(character: str) -> str:
    """Return the message that a character cannot be part of a text."""
    message = _("the control character U+{code} cannot be part of a text")
    return message.format(code=f"{ord(character):04X}")


def is_file(path: Path) -> bool:
    """Whether this is a file; False for a path that no file can have."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def read_bytes(path: Path, largest: int, problems: Problems) -> bytes | None:
    """Return the bytes of a file of at most ``largest`` bytes; None, after adding the problem."""
    try:
        if path.is_file():
            with path.open("rb") as file:
                data = file.read(largest + 1)
            if len(data) <= largest:
                return data
            message = _("larger than {megabytes} MB").format(megabytes=largest // 1_000_000)
        elif path.is_dir():
            message = _("a folder, where a file is needed")
        elif path.exists():
            message = _("not an ordinary file")
        else:
            beside = [p.name for p in path.parent.glob(f"*{path.suffix}")]
            hint = suggestion(path.name, beside)
            message = _("there is no such file{suggestion}")
            message = message.format(suggestion=hint if hint.endswith("?") else "")
    except PermissionError:
        message = _("you are not allowed to read this file")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        message = _("this file cannot be read ({reason})").format(reason=reason)
    problems.add(message, file=path)
    return None


def read_text(path: Path, largest: int, problems: Problems) -> str | None:
    """Return the text of a file; None, after adding the problem.

    Reads UTF-8, and UTF-16 with the byte-order mark that Excel writes.
    """
    data = read_bytes(path, largest, problems)
    if data is None:
        return None
    kind = next((kind for start, kind in _MAGIC.items() if data.startswith(start)), None)
    try:
        text = data.decode("utf-16" if data.startswith(_WIDE) else "utf-8-sig")
    except UnicodeDecodeError as error:
        line, byte = data.count(b"\n", 0, error.start) + 1, data[error.start]
        letter = bytes([byte]).decode("cp1252", "replace")
        message = _(
            "this is not UTF-8 text (the byte {byte} is '{letter}' in Windows-1252); save the "
            "file again with the encoding UTF-8, which Excel calls CSV UTF-8"
        ).format(byte=f"0x{byte:02X}", letter=letter)
    else:
        found = _UNPRINTABLE.search(text)
        if found is None:
            return text
        line, message = text.count("\n", 0, found.start()) + 1, unprintable(found[0])
    if kind is not None:
        message = _("this is {kind}, and not a text file; save the table as CSV UTF-8")
        problems.add(message, file=path, kind=_(kind))
    else:
        problems.add(message, file=path, line=line)
    return None


_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MAGIC: Mapping[bytes, str] = {
    b"PK\x03\x04": N_("an Excel workbook"),
    b"\xd0\xcf\x11\xe0": N_("an Excel workbook"),
    b"%PDF": N_("a PDF file"),
    b"\x1f\x8b": N_("a packed file"),
}
"""First bytes of files that people often mistake for tables."""
