"""Numbers, shares and sums of money as people write them, in the language spoken now.

Nothing is shown with more digits than its interval supports; what is undefined is a dash.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from kolabsim.i18n import _, language

UNDEFINED = "–"
MINUS = "\N{MINUS SIGN}"
SPACE = "\N{NO-BREAK SPACE}"
"""Between a number and what belongs to it."""
SYMBOLS: dict[str, dict[str, str]] = {"id": {"IDR": "Rp"}}
"""Currencies that are written otherwise than by their letters, by language."""
MOST_DECIMALS = 4


class Number(str):
    """A number as it is written, which knows what it is: a spreadsheet takes the number."""

    value: float
    """In the unit in which it is written; a share where it is written in per cent."""
    pattern: str
    """How a spreadsheet writes it alike."""

    def __new__(cls, text: str, value: float, pattern: str = "General") -> Number:
        """A text with the number that it says."""
        made = super().__new__(cls, text)
        made.value, made.pattern = float(value), pattern
        return made


class Interval(str):
    """An interval as it is written, which knows its ends."""

    ends: tuple[str, str]

    def __new__(cls, text: str, low: str, high: str) -> Interval:
        """A text with the ends that it says."""
        made = super().__new__(cls, text)
        made.ends = low, high
        return made


def format_interval(low: str, high: str) -> Interval:
    """Two written numbers as the interval between them."""
    return Interval(_("{low} to {high}").format(low=low, high=high), low, high)


@dataclass(frozen=True)
class Scale:
    """How the values of one measure are written, so that all of them can be compared."""

    divisor: float
    decimals: int
    unit: str
    """What stands after a number: %, quarters, billion cost units."""
    symbol: str = ""
    """What stands before it: the currency."""

    @property
    def label(self) -> str:
        """The unit by itself, for the head of a column or an axis."""
        return f"{self.symbol} {self.unit}".strip()

    def bare(self, value: float, *, signed: bool = False) -> str:
        """The number without its unit; with + where ``signed``. Exactly nothing is a plain 0."""
        if not math.isfinite(value):
            return UNDEFINED
        if value == 0.0:
            return Number("0", 0.0, number_pattern(self.decimals))
        return decimal(value / self.divisor, self.decimals, signed=signed)

    def text(self, value: float, *, signed: bool = False) -> str:
        """The number with its unit."""
        bare = self.bare(value, signed=signed)
        if bare == UNDEFINED:
            return bare
        text, sign = bare, bare[0] in f"+{MINUS}"
        before = f"{self.symbol}{SPACE}" if self.symbol else ""
        after = f"{SPACE}{self.unit}" if self.unit else ""
        text = f"{bare[:sign]}{before}{bare[sign:]}{after}"
        return Number(text, bare.value, number_pattern(self.decimals, before=before, after=after))

    def interval(self, low: float, high: float, *, signed: bool = False) -> str:
        """An interval without its unit."""
        if not (math.isfinite(low) and math.isfinite(high)):
            return UNDEFINED
        return format_interval(self.bare(low, signed=signed), self.bare(high, signed=signed))


def number_pattern(
    decimals: int, *, signed: bool = False, before: str = "", after: str = ""
) -> str:
    """How a spreadsheet writes a number with so many decimals, and words before and after it."""
    number = "#,##0" + ("." + "0" * decimals if decimals else "")
    quoted = [f'"{words}"' if words else "" for words in (before, after)]
    whole = f"{quoted[0]}{number}{quoted[1]}"
    return f"+{whole};-{whole};{whole}" if signed else whole


def decimal(value: float, decimals: int, *, signed: bool = False) -> str:
    """A number with so many decimals; zero has no sign, and what is undefined is a dash."""
    from babel.numbers import format_decimal

    if not math.isfinite(value):
        return UNDEFINED

    places = "." + "0" * decimals if decimals else ""
    text = format_decimal(abs(round(value, decimals)), f"#,##0{places}", locale=language())
    sign = MINUS if value < 0 else "+" if signed else ""
    text = text if round(value, decimals) == 0.0 else sign + text
    return Number(text, value, number_pattern(decimals, signed=signed))


def percent(share: float, *, decimals: int = 0) -> str:
    """A share of a whole in per cent; whatever is not all or nothing is never shown as such."""
    if not math.isfinite(share):
        return UNDEFINED
    least = 0.5 * 10.0 ** -(decimals + 2)
    if 0.0 < share < least:
        text = f"< {decimal(2 * 100 * least, decimals)}"
    elif 1.0 - least < share < 1.0:
        text = f"> {decimal(100 * (1.0 - 2 * least), decimals)}"
    else:
        text = decimal(100.0 * share, decimals)
    return Number(f"{text}{SPACE}%", share, number_pattern(decimals) + "%")


def count(number: float) -> str:
    """A whole number."""
    return decimal(float(number), 0)


def significant(value: float, digits: int = 3) -> str:
    """A number by itself, with so many significant digits."""
    if not math.isfinite(value):
        return UNDEFINED
    if value == 0.0:
        return "0"
    places = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    text = decimal(value, min(places, 2 * MOST_DECIMALS))
    point = "," if language() == "id" else "."
    return Number(text.rstrip("0").rstrip(point) if point in text else text, value)


def choose_scale(
    unit: str,
    values: Iterable[float],
    errors: Iterable[float] = (),
    *,
    currency: str = "",
    difference: bool = True,
) -> Scale:
    """How to write values of a measure in a unit of :mod:`kolabsim.model.measures`.

    ``errors`` are half-widths of their intervals: their lower quartile is written with one digit,
    or with two if it begins with 1 or 2. Without them, the largest value is written with three
    digits. Differences of shares are in percentage points; the currency is the scenario's, '' for
    cost units.
    """
    values, errors = (np.abs(np.array([*part], np.float64)) for part in (values, errors))
    values, errors = values[np.isfinite(values)], errors[np.isfinite(errors) & (errors > 0.0)]
    largest = float(values.max(initial=0.0))
    divisor, words, symbol = unit_labels(unit, largest, currency, difference)
    if len(errors):
        typical = float(np.quantile(errors, 0.25)) / divisor
        wanted = math.ceil(-math.log10(typical / 3.0) - 1e-9)
    elif largest > 0.0:
        wanted = 2 - math.floor(math.log10(largest / divisor))
    else:
        wanted = 0
    return Scale(divisor, min(max(wanted, 0), MOST_DECIMALS), words, symbol)


def unit_labels(
    unit: str, largest: float, currency: str, difference: bool
) -> tuple[float, str, str]:
    """What to divide by, the words after a number, and those before it."""
    if unit == "currency":
        return money_unit(largest, currency)
    if unit == "share of stand-alone cost":
        return 0.01, _("% of stand-alone cost"), ""
    if unit == "share":
        return 0.01, _("percentage points") if difference else "%", ""
    if unit == "share/year":
        return 0.01, _("percentage points a year") if difference else _("% a year"), ""
    if unit == "0..1":
        return 0.01, _("points of 100"), ""
    words = {
        "quarters": _("quarters"),
        "years": _("years"),
        "bodies": _("bodies"),
        "regions": _("regions"),
        "negotiations": _("negotiations"),
        "agreements": _("agreements"),
        "memberships": _("memberships"),
        "1": "",
    }
    return 1.0, words[unit], ""


def money_unit(largest: float, currency: str) -> tuple[float, str, str]:
    """The unit in which the largest of some sums of money has one to three digits."""
    sizes = (
        (1e12, _("trillion")), (1e9, _("billion")), (1e6, _("million")), (1.0, ""),
    )  # fmt: skip
    divisor, size = next((pair for pair in sizes if largest >= pair[0]), sizes[-1])
    if currency:
        return divisor, size, SYMBOLS.get(language(), {}).get(currency, currency)
    units = _("cost units")
    return divisor, f"{size} {units}".strip(), ""


def money(value: float, currency: str, *, signed: bool = False) -> str:
    """A sum of money by itself, with three digits: IDR 1.23 billion, Rp 1,23 miliar."""
    return choose_scale("currency", [value], currency=currency).text(value, signed=signed)
