"""Translation of messages: English in the code, Indonesian in one catalogue for each package.

Messages are whole English sentences with ``{named}`` places. Their Indonesian is in
``locale/id/PACKAGE.po``. The catalogues are read as text, so nothing needs compiling.
"""

from __future__ import annotations

import gettext
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from io import BytesIO
from pathlib import Path

LANGUAGES: dict[str, str] = {"en": "English", "id": "Bahasa Indonesia"}
"""Languages that kolabsim speaks, by code."""

_chosen: list[str] = []
_temporary: ContextVar[str] = ContextVar("language")


class LanguageError(ValueError):
    """A language that kolabsim does not speak; the message names those that it does."""


def language() -> str:
    """Return the code of the language spoken now.

    An explicit choice comes first: :func:`speaking`, :func:`set_language`, then
    ``$KOLABSIM_LANG``. Otherwise the locale of the machine decides, as ``$LC_ALL``,
    ``$LC_MESSAGES`` or ``$LANG`` give it. Languages that kolabsim does not speak, and the locales
    C and POSIX, mean English.
    """
    if code := _temporary.get(""):
        return code
    if _chosen:
        return _chosen[-1]
    for variable in ("KOLABSIM_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(variable):
            code = re.split(r"[_.@-]", value.lower(), maxsplit=1)[0]
            return code if code in LANGUAGES else "en"
    return "en"


def set_language(code: str) -> None:
    """Speak this language from now on.

    Raises :class:`LanguageError` for a language that kolabsim does not speak.
    """
    _check(code)
    _chosen[:] = [code]


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Speak a language within a ``with`` block; other threads and tasks keep theirs.

    >>> with speaking("id"):
    ...     print(language())
    id

    Raises :class:`LanguageError` for a language that kolabsim does not speak.
    """
    _check(code)
    before = _temporary.set(code)
    try:
        yield
    finally:
        _temporary.reset(before)


def _check(code: str) -> None:
    """Raise :class:`LanguageError` for a language that kolabsim does not speak."""
    if code not in LANGUAGES:
        text = _("{code} is not a language of kolabsim; allowed: {names}")
        raise LanguageError(text.format(code=code, names=", ".join(LANGUAGES)))


def _(message: str) -> str:
    """The message in the language spoken now."""
    return _catalogue(language()).gettext(message) if message else ""


def N_(message: str) -> str:  # noqa: N802 (the name by which catalogues know it)
    """The message as it is, to be translated where it is shown."""
    return message


def ngettext(one: str, many: str, number: int) -> str:
    """The message for one thing or for many, in the language spoken now."""
    return _catalogue(language()).ngettext(one, many, number)


LARGEST = 1e15
"""From here on numbers have an exponent: digits beyond would be invented."""


class Amount(float):
    """A number in a message, written with the marks of the language in which it is shown.

    >>> with speaking("id"):
    ...     print("{people}; {share}".format(people=Amount(90000), share=Amount(2.25, 1)))
    90.000; 2,2
    """

    decimals: int
    """Most decimals that are shown; zeros at the end are not."""

    def __new__(cls, value: float, decimals: int = 0) -> Amount:
        """Take a number, and the most decimals that are shown of it."""
        found = super().__new__(cls, value)
        found.decimals = decimals
        return found

    def __str__(self) -> str:
        from babel.numbers import format_decimal

        if abs(self) >= LARGEST:
            return f"{float(self):g}"
        places = "." + "#" * self.decimals if self.decimals else ""
        return str(format_decimal(float(self), f"#,##0{places}", locale=language()))

    def __format__(self, pattern: str) -> str:
        return str(self)


@cache
def _catalogue(code: str) -> gettext.NullTranslations:
    if code == "en":
        return gettext.NullTranslations()
    from babel.messages.catalog import Catalog
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    catalogue = Catalog(code)
    catalogue.mime_headers = [("Plural-Forms", "nplurals=1; plural=0;")]  # Indonesian has no plural
    for path in sorted((Path(__file__).parent / "locale" / code).glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=code):
                if message.id and message.string:
                    catalogue[message.id] = message
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
