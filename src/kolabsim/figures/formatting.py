"""How numbers, intervals, shares and sums of money are written in the current language.

No number has more digits than its interval supports; an undefined number is a dash.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from kolabsim.analysis.statistics import LEAST_RANGE
from kolabsim.i18n import N_, _, language

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

UNDEFINED = "–"
MINUS = "\N{MINUS SIGN}"
SPACE = "\N{NO-BREAK SPACE}"
"""Between a number and its unit."""
SYMBOLS = {("id", "IDR"): "Rp"}
"""Symbols of currencies, by language and code; all others are written by their code."""
CURRENCY_NAMES = {("id", "IDR"): "rupiah"}
"""Names of currencies in heads, by language and code; all others are written by their code."""
MOST_DECIMALS = 4
LARGEST = 1e15
"""Numbers from this on are written as a power of ten."""
EXACT = 1e15
"""Whole numbers below this, which have up to 15 digits, are exact."""
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
COUNTED = (
    N_("quarters"), N_("months"), N_("years"), N_("bodies"), N_("regions"), N_("negotiations"),
    N_("agreements"), N_("memberships"),
)  # fmt: skip
"""Units whose name is the text after a number."""


class Number(str):
    """A number as text that keeps its value, so that a spreadsheet gets the number itself."""

    value: float
    """In the unit of the text; of a percentage, the share."""
    pattern: str
    """Format code that makes a spreadsheet show the same text."""

    def __new__(cls, text: str, value: float, pattern: str = "General") -> Number:
        """Make a text with its value."""
        made = super().__new__(cls, text)
        made.value, made.pattern = float(value), pattern
        return made


class Interval(str):
    """An interval as text that keeps its ends."""

    ends: tuple[str, str]

    def __new__(cls, text: str, low: str, high: str) -> Interval:
        """Make a text with its ends."""
        made = super().__new__(cls, text)
        made.ends = low, high
        return made


def format_interval(low: str, high: str) -> Interval:
    """Two formatted numbers as the interval between them."""
    return Interval(_("{low} to {high}").format(low=low, high=high), low, high)


@dataclass(frozen=True)
class Scale:
    """Unit and decimals shared by all values of a measure in one table or figure."""

    divisor: float
    decimals: int
    unit: str
    """Text after a number: %, quarters, billion."""
    currency: str = ""
    """Code of the currency, whose symbol stands before a number."""

    def with_decimals(self, least: int = 0, most: int = MOST_DECIMALS) -> Scale:
        """The same scale with at least and at most so many decimals."""
        return replace(self, decimals=min(max(self.decimals, least), most))

    @property
    def label(self) -> str:
        """The unit alone, as in the head of a column: IDR billion, miliar rupiah."""
        if name := CURRENCY_NAMES.get((language(), self.currency)):
            return f"{self.unit} {name}".strip()
        return f"{self.currency} {self.unit}".strip()

    def bare(self, value: float, *, signed: bool = False) -> str:
        """Format a number without its unit; ``signed`` adds +. Exactly zero is a plain 0."""
        if value == 0.0:
            return Number("0", 0.0, number_pattern(self.decimals))
        return decimal(value / self.divisor, self.decimals, signed=signed)

    def text(self, value: float, *, signed: bool = False) -> str:
        """Format a number with its unit."""
        bare = self.bare(value, signed=signed)
        if bare == UNDEFINED:
            return bare
        symbol = SYMBOLS.get((language(), self.currency))
        before = symbol or (f"{self.currency}{SPACE}" if self.currency else "")
        after = self.unit if self.unit[:1] in ("", "%") else f"{SPACE}{self.unit}"
        sign = bare[0] in f"+{MINUS}"
        text = f"{bare[:sign]}{before}{bare[sign:]}{after}"
        pattern = number_pattern(self.decimals, before=before, after=after)
        return Number(text, value / self.divisor, pattern)

    def interval(self, low: float, high: float, *, signed: bool = False) -> str:
        """Format an interval without its unit; one without a width is none.

        :func:`write_interval` says in how many runs or futures all is equal.
        """
        if not (math.isfinite(low) and math.isfinite(high)):
            return UNDEFINED
        if low == high:
            return _("identical throughout")
        return format_interval(self.bare(low, signed=signed), self.bare(high, signed=signed))


def write_interval(
    scale: Scale, low: float, high: float, *, runs: float = 0, futures: float = 0,
    signed: bool = False,
) -> str:  # fmt: skip
    """Format an interval or a range without its unit, or say why there is none.

    ``runs`` or ``futures`` are those behind it; where all are equal, no interval has a width.

    >>> str(write_interval(Scale(1.0, 1, ""), 0.0, 0.0, futures=20))
    'identical in at least 90% of 20 futures'
    """
    is_point = low == high
    if is_point and futures > 1:
        text = _("identical in all {futures} futures")
        if futures >= LEAST_RANGE:  # the few that a range leaves out may differ
            text = _("identical in at least 90% of {futures} futures")
        return text.format(futures=count(futures))
    found = scale.interval(low, high, signed=signed)
    return undefined_interval(runs) if runs and (is_point or found == UNDEFINED) else found


def never_varies(*, is_varied: bool) -> str:
    """What stands in a figure beside a difference without an interval."""
    return _("identical in at least 90% of futures") if is_varied else _("identical in all runs")


def undefined_interval(runs: float) -> str:
    """Why a mean over a number of runs has no interval."""
    if runs > 1:
        return _("identical in all {runs} runs").format(runs=count(runs))
    return _("no interval from one run")


def number_pattern(
    decimals: int, *, signed: bool = False, before: str = "", after: str = ""
) -> str:
    """Format code of a spreadsheet for numbers with these decimals, and text around them."""
    number = "#,##0" + ("." + "0" * decimals if decimals else "")
    quoted = [f'"{text}"' if text else "" for text in (before, after)]
    whole = f"{quoted[0]}{number}{quoted[1]}"
    return f"+{whole};-{whole};{whole}" if signed else whole


def decimal(value: float, decimals: int, *, signed: bool = False) -> str:
    """Format a number with these decimals; zero has no sign."""
    if not math.isfinite(value):
        return UNDEFINED
    if abs(value) >= LARGEST:
        return power(value, signed=signed)
    text = digits(abs(round(value, decimals)), decimals, language())
    sign = MINUS if value < 0 else "+" if signed else ""
    text = text if round(value, decimals) == 0.0 else sign + text
    return Number(text, value, number_pattern(decimals, signed=signed))


def digits(value: float, decimals: int, code: str) -> str:
    """Write a number that was rounded to these decimals as a language does.

    As Babel does, in a tenth of its time: a page writes hundreds of numbers while somebody waits.
    Numbers with more digits than Python's own have are left to Babel.
    """
    if value * 10.0**decimals >= EXACT:
        from babel.numbers import format_decimal

        places = "." + "0" * decimals if decimals else ""
        return format_decimal(value, f"#,##0{places}", locale=code)
    return f"{value:,.{decimals}f}".translate(separators(code))


@cache
def separators(code: str) -> dict[int, str]:
    """What separates thousands and decimals in a language, in place of the English signs."""
    from babel.numbers import get_decimal_symbol, get_group_symbol

    return {ord(","): get_group_symbol(code), ord("."): get_decimal_symbol(code)}


def power(value: float, *, signed: bool = False) -> str:
    """Format a number, however large or small, with a power of ten.

    >>> power(-1.25e31)
    '−1.3 × 10³¹'
    """
    digits, exponent = f"{value:.1e}".split("e")
    raised = str(int(exponent)).translate(SUPERSCRIPTS)
    text = f"{decimal(float(digits), 1, signed=signed)} × 10{raised}"
    return Number(text, value, "0.0E+00")


def percent(share: float, *, decimals: int = 0) -> str:
    """Format a share as a percentage; only exactly 0 and 1 are shown as 0% and 100%."""
    if not math.isfinite(share):
        return UNDEFINED
    least = 0.5 * 10.0 ** -(decimals + 2)
    if 0.0 < share < least:
        text = f"<{decimal(2 * 100 * least, decimals)}"
    elif 1.0 - least < share < 1.0:
        text = f">{decimal(100 * (1.0 - 2 * least), decimals)}"
    else:
        text = decimal(100.0 * share, decimals)
    return Number(f"{text}%", share, number_pattern(decimals) + "%")


def format_price(share: float) -> str:
    """Format the price of a lever, a share, with the decimals that a small one needs.

    >>> [str(format_price(share)) for share in (0.5, 0.006, 0.0015)]
    ['50%', '0.6%', '0.15%']
    """
    return percent(share, decimals=int(share < 0.1) + int(share < 0.005))


def count(number: float) -> str:
    """Format a whole number."""
    return decimal(float(number), 0)


def significant(value: float, digits: int = 3) -> str:
    """Format a number without a unit to these significant digits."""
    if not math.isfinite(value):
        return UNDEFINED
    if value == 0.0:
        return "0"
    places = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    if places > 2 * MOST_DECIMALS + digits:
        return power(value)
    text = decimal(value, min(places, 2 * MOST_DECIMALS))
    point = "," if language() == "id" else "."
    return Number(text.rstrip("0").rstrip(point) if point in text else text, value)


def choose_scale(
    unit: str,
    values: ArrayLike,
    errors: ArrayLike = (),
    *,
    currency: str = "",
    difference: bool = True,
) -> Scale:
    """Choose unit and decimals for values with a unit of :mod:`kolabsim.model.measures`.

    The ``errors`` are half-widths of intervals: their lower quartile is shown with one digit, or
    with two if it begins with 1 or 2. Without them, the largest value is shown with three digits.
    Differences of shares are in percentage points. Without a currency, money is in cost units.
    """
    values, errors = (np.abs(np.ravel(np.asarray(part, np.float64))) for part in (values, errors))
    values, errors = values[np.isfinite(values)], errors[np.isfinite(errors) & (errors > 0.0)]
    largest = float(values.max(initial=0.0))
    divisor, text = unit_label(unit, largest, currency, difference)
    if len(errors):
        typical = math.log10(float(np.quantile(errors, 0.25)) / 3.0) - math.log10(divisor)
        wanted = math.ceil(-typical - 1e-9)
    elif largest > 0.0:
        wanted = 2 - math.floor(math.log10(largest) - math.log10(divisor))
    else:
        wanted = 0
    decimals = min(max(wanted, 0), MOST_DECIMALS)
    return Scale(divisor, decimals, text, currency if unit == "currency" else "")


def unit_label(unit: str, largest: float, currency: str, difference: bool) -> tuple[float, str]:
    """The divisor of a unit, and the text after a number."""
    if unit == "currency":
        return money_unit(largest, currency)
    if unit in COUNTED:
        return 1.0, _(unit)
    labels = {
        "share of stand-alone cost": (0.01, _("% of stand-alone cost")),
        "share": (0.01, _("percentage points") if difference else "%"),
        "share/year": (0.01, _("percentage points a year") if difference else _("% a year")),
        "0..1": (0.01, _("points out of 100")),
        "1": (1.0, ""),
    }  # fmt: skip
    return labels[unit]


def money_unit(largest: float, currency: str) -> tuple[float, str]:
    """The unit in which the largest of some sums of money has one to three digits."""
    sizes = (
        (1e12, _("trillion")), (1e9, _("billion")), (1e6, _("million")), (1.0, ""),
    )  # fmt: skip
    divisor, size = next((pair for pair in sizes if largest >= pair[0]), sizes[-1])
    unit = "" if currency else _("cost units")
    return divisor, f"{size} {unit}".strip()


def money(value: float, currency: str, *, signed: bool = False) -> str:
    """Format one sum of money with three digits: IDR 1.23 billion, Rp1,23 miliar."""
    return choose_scale("currency", [value], currency=currency).text(value, signed=signed)
