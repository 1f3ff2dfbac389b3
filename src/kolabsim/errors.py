"""Errors of inputs and disks, reported all at once and with a way out."""

from __future__ import annotations

import difflib
import os
import re
import shlex
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from kolabsim.i18n import _, ngettext

SHOWN = 50
"""Most problems that the text of an error lists; the error itself carries all of them."""
SEARCHED = 2000
"""Most words among which a nearest spelling is looked for: among more, it would take too long."""
LONGEST_WORD = 100
"""Most letters of a word whose nearest spelling is looked for."""
LONGEST_MESSAGE = 2000
"""Most letters of a message that are shown: what it quotes may be as long as a file."""
UNPRINTABLE = (
    r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff"
)
"""Characters, as a set in a regular expression, that no text needs and that do harm where it is
shown: they steer a terminal, turn the direction of what follows, or are not allowed in XML."""


class KolabsimError(Exception):
    """Anything that kolabsim refuses to do, and says why."""

    def __str__(self) -> str:
        return printable(super().__str__())


class StorageError(KolabsimError):
    """A disk that refuses to read or write."""


class StoppedError(KolabsimError):
    """Work that was stopped before its end; finished results are stored."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with an input, and where it is written."""

    message: str
    file: str | None = None
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        return printable(f"{place}: {self.message}" if place else self.message)


class InputError(KolabsimError):
    """An input with problems; its text lists them in the order in which they are written."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    @classmethod
    def of(cls, text: str, file: str | None = None, /, **words: object) -> InputError:
        """An error of one problem: a text with its words filled in, and where it is written.

        >>> raise InputError.of("the rule {rule} is unknown", rule="x")
        Traceback (most recent call last):
            ...
        kolabsim.errors.InputError: 1 problem:
          the rule x is unknown
        """
        return cls([Problem(text.format(**words) if words else text, file)])

    def __str__(self) -> str:
        number = len(self.problems)
        files = list(dict.fromkeys(p.file for p in self.problems if p.file))
        if files:
            head = ngettext("{number} problem in {files}:", "{number} problems in {files}:", number)
        else:
            head = ngettext("{number} problem:", "{number} problems:", number)
        lines = [printable(head.format(number=number, files=", ".join(files)))]
        lines += [f"  {problem}" for problem in self.problems[:SHOWN]]
        if number > SHOWN:
            lines.append("  " + _("... and {number} more").format(number=number - SHOWN))
        return "\n".join(lines)


def install_command(extra: str) -> str:
    """The command that installs an extra from the folder of kolabsim's source.

    >>> install_command("maps")
    "pip install -e '.[maps]'"
    """
    return f"pip install -e '.[{extra}]'"


def require(package: str, *, extra: str, what: str) -> None:
    """Raise :class:`InputError` if a package, as it is imported, is not installed.

    ``extra`` is the extra of kolabsim that installs it, and ``what`` the feature that needs it, as
    the subject of a sentence.
    """
    if find_spec(package) is None:
        text = _(
            "{what} needs the extra '{extra}'; in the folder of kolabsim's source, run: {command}"
        )
        raise InputError.of(text, what=what, extra=extra, command=install_command(extra))


class RenamedWarning(FutureWarning):
    """A spelling that still works and that the next version refuses."""


class EditionWarning(FutureWarning):
    """Settings of the first edition of the model, taken as those of the second."""


def warn_renamed(
    old: str, new: str, *, file: str | Path | None = None, line: int | None = None
) -> None:
    """Warn that a key or word of an input has a new spelling.

    >>> import warnings
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     warn_renamed("uncertainty", "robustness")
    >>> print(caught[0].message)
    'uncertainty' is now 'robustness'; the next version refuses the old spelling
    """
    text = _("'{old}' is now '{new}'; the next version refuses the old spelling")
    problem = Problem(text.format(old=old, new=new), None if file is None else shown(file), line)
    warnings.warn(str(problem), RenamedWarning, stacklevel=2)


@dataclass
class Problems:
    """Collects problems while an input is read, so that they are reported together."""

    found: dict[Problem, None] = field(default_factory=dict)

    def add(
        self,
        message: str,
        /,
        *,
        file: str | Path | None = None,
        line: int | None = None,
        column: int | None = None,
        **words: object,
    ) -> None:
        """Note a problem, whose message is formatted with ``words``; the same one is noted once."""
        text = message.format(**words) if words else message
        self.found[Problem(text, None if file is None else shown(file), line, column)] = None

    def raise_if_any(self) -> None:
        """Raise :class:`InputError` with all problems: file by file, each from top to bottom."""
        if self.found:
            files = list(dict.fromkeys(problem.file for problem in self.found))
            raise InputError(
                sorted(self.found, key=lambda p: (files.index(p.file), p.line or 0, p.column or 0))
            )


def printable(text: str) -> str:
    """A text as it can be shown anywhere: unprintable characters by their codes, and cut short."""
    if len(text) > LONGEST_MESSAGE:
        text = f"{text[: LONGEST_MESSAGE * 2 // 3]} ... {text[-LONGEST_MESSAGE // 3 :]}"
    return re.sub(f"[{UNPRINTABLE}]", lambda found: ascii(found[0])[1:-1], text)


def shown(path: str | Path) -> str:
    """A path as people see it: from the present folder where it lies inside it."""
    path, folder = Path(path), Path.cwd()
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else os.fspath(path)


def typed(path: str | Path) -> str:
    """A path as it is typed in a command: quoted, and never like an option."""
    text = Path(path).as_posix()
    return shlex.quote(f"./{text}" if text.startswith("-") else text)


def nearest(word: str, allowed: Iterable[str]) -> str | None:
    """The allowed spelling that is most like the word, if any is; case, ``-`` and ``_`` aside.

    One that begins with the word, or that the word begins with, is like it too.
    """
    if len(word) > LONGEST_WORD:
        return None
    spellings, bare = {_bare(name): name for name in allowed}, _bare(word)
    if len(spellings) > SEARCHED:
        return None
    close = difflib.get_close_matches(bare, spellings, n=1, cutoff=0.7)
    if not close and len(bare) > 2:
        close = [s for s in spellings if s and (s.startswith(bare) or bare.startswith(s))]
    return spellings[close[0]] if close else None


def suggestion(word: str, allowed: Iterable[str]) -> str:
    """The end of a sentence about a wrong word: ``; did you mean 'x'?`` or ``; allowed: a, b``."""
    allowed = list(allowed)
    name = nearest(word, allowed)
    if name is not None:
        return _("; did you mean '{name}'?").format(name=name)
    if not allowed:
        return ""
    if len(allowed) > 30:
        text = _("; allowed: {names} ... ({number} in all)")
        return text.format(names=", ".join(allowed[:10]), number=len(allowed))
    return _("; allowed: {names}").format(names=", ".join(allowed))


def _bare(word: str) -> str:
    return word.casefold().translate(str.maketrans("", "", "_- "))
