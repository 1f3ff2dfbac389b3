import math

import pytest
from babel.numbers import format_decimal

from kolabsim.figures.formatting import (
    Scale,
    choose_scale,
    count,
    decimal,
    money,
    percent,
    significant,
    write_interval,
)
from kolabsim.i18n import set_language
from kolabsim.model.measures import MEASURES, REGION_MEASURES


@pytest.fixture(autouse=True)
def speak_english():
    set_language("en")
    yield
    set_language("en")


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("value", "english", "indonesian"),
    [
        (1_234_567, "IDR 1.23 million", "Rp1,23 juta"),
        (1.2e9, "IDR 1.20 billion", "Rp1,20 miliar"),
        (-3.4e12, "−IDR 3.40 trillion", "−Rp3,40 triliun"),
        (45_000, "IDR 45,000", "Rp45.000"),
        (0, "IDR 0", "Rp0"),
    ],
)
def test_money_is_written_as_people_write_it(value, english, indonesian):
    assert plain(money(value, "IDR")) == english
    set_language("id")
    assert plain(money(value, "IDR")) == indonesian


def test_money_without_a_currency_is_in_cost_units():
    assert plain(money(5.2e6, "")) == "5.20 million cost units"
    assert plain(money(5.2e6, "EUR", signed=True)) == "+EUR 5.20 million"


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0%"), (1, "100%"), (0.424, "42%"), (0.0004, "<1%"), (0.9999, ">99%")],
)
def test_what_is_not_all_or_nothing_is_never_shown_as_such(share, text):
    assert plain(percent(share)) == text


def test_what_is_undefined_is_a_dash():
    scale = Scale(1.0, 2, "quarters")
    assert {
        percent(math.nan), significant(math.nan), decimal(math.nan, 1), scale.text(math.nan),
        scale.interval(1.0, math.nan),
    } == {"–"}  # fmt: skip


def test_zero_has_no_sign_and_nothing_no_decimals():
    scale = Scale(0.01, 2, "%")
    assert scale.bare(-0.00001, signed=True) == "0.00"
    assert scale.bare(0.0, signed=True) == "0"
    assert scale.bare(-0.0123, signed=True) == "−1.23"
    assert scale.bare(0.0123, signed=True) == "+1.23"
    assert scale.interval(-0.01, 0.02, signed=True) == "−1.00 to +2.00"


@pytest.mark.parametrize(
    ("error", "decimals"), [(0.29, 2), (0.31, 1), (0.03, 2), (1.2, 1), (4.0, 0), (1e-9, 4)]
)
def test_an_interval_decides_on_the_decimals(error, decimals):
    assert choose_scale("quarters", [1.0], [error]).decimals == decimals


def test_large_numbers_are_grouped_by_locale():
    assert (count(1234567), significant(60000.0)) == ("1,234,567", "60,000")
    set_language("id")
    assert (count(1234567), significant(0.25), decimal(1.5, 2)) == ("1.234.567", "0,25", "1,50")


@pytest.mark.parametrize("language", ["en", "id"])
def test_digits_are_those_of_babel(language):
    set_language(language)
    for value in (0.0, 0.5, 1.5, 2.675, 1234.5678, 999999.995, 7.2e11, 123456789012.3456, 9.9e14):
        for decimals in range(7):
            places = "." + "0" * decimals if decimals else ""
            wanted = format_decimal(round(value, decimals), f"#,##0{places}", locale=language)
            assert decimal(value, decimals) == wanted


def test_every_unit_of_the_model_can_be_written():
    units = {measure.unit for measure in (MEASURES | REGION_MEASURES).values()}
    for unit in units:
        for difference in (True, False):
            scale = choose_scale(unit, [0.5], [0.1], currency="IDR", difference=difference)
            assert scale.text(0.5)
    assert choose_scale("share", [0.2]).label == "percentage points"
    assert choose_scale("share", [0.2], difference=False).label == "%"


@pytest.mark.parametrize("size", [1e30, 1e31, 1e300])
def test_numbers_of_any_size_can_be_written(size):
    assert decimal(-size, 4).startswith("−1.0 × 10")
    assert "× 10" in decimal(size, 0, signed=True)
    assert decimal(size, 2).value == size
    assert "× 10⁻" in significant(1 / size)
    for unit in ("currency", "share", "1"):
        assert "× 10" in choose_scale(unit, [size]).text(size * 0.9)


def test_an_interval_without_a_width_says_so_in_place_of_two_equal_ends():
    scale = Scale(0.01, 2, "%")
    assert scale.interval(0.0, 0.0) == "identical throughout"
    assert write_interval(scale, 0.01, 0.01, runs=30) == "identical in all 30 runs"
    assert (
        write_interval(scale, 0.01, 0.01, futures=20) == "identical in at least 90% of 20 futures"
    )
    assert write_interval(scale, 0.01, 0.01, futures=19) == "identical in all 19 futures"
    assert write_interval(scale, math.nan, math.nan, runs=3) == "identical in all 3 runs"
    assert write_interval(scale, math.nan, math.nan, runs=1) == "no interval from one run"
    assert write_interval(scale, 0.0, 0.01, futures=20) == "0 to 1.00"
