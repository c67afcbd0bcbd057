"""Values of spreadsheet cells are what people see in them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartoteka.imports.files.cells import (
    date_text,
    float_text,
    is_date_format,
    iso_date_text,
    moment_text,
    number_text,
    plain_text,
    zeros_of,
)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("380671234567", "380671234567"),
        ("3.80671234567E+11", "380671234567"),
        ("380671234567.0", "380671234567"),
        ("999999999999999", "999999999999999"),
        ("12345678901234567890", "12345678901234567890"),
        ("1.23456789012346E+18", "1234567890123460000"),
        ("0.10000000000000001", "0.1"),
        ("1.0000000000000001E-5", "0.00001"),
        ("-0", "0"),
        ("-5.50", "-5.5"),
        ("1E+300", "1e+300"),
        ("nan", ""),
    ],
)
def test_numbers_have_neither_exponent_nor_point_zero(raw: str, text: str) -> None:
    assert number_text(raw) == text


@given(st.integers(-(10**15) + 1, 10**15 - 1))
def test_integers_of_fifteen_digits_are_exact(number: int) -> None:
    assert float_text(float(number)) == str(number)


@pytest.mark.parametrize(
    ("serial", "text"),
    [
        (43831, "2020-01-01"),
        (43831.5, "2020-01-01T12:00"),
        (43831 + 3661 / 86_400, "2020-01-01T01:01:01"),
        (43831.99999999, "2020-01-02"),
        (1, "1900-01-01"),
        (59, "1900-02-28"),
        (61, "1900-03-01"),
        (2958465, "9999-12-31"),
        (2958465.9999999, "2958465.9999999"),
        (0.5, "12:00"),
        (0, "00:00"),
        (-1, "-1"),
        (380671234567, "380671234567"),
    ],
)
def test_day_numbers_are_dates_as_excel_counts_them(serial: float, text: str) -> None:
    assert date_text(serial) == text


def test_a_workbook_of_a_mac_counts_from_1904() -> None:
    assert date_text(42369, since_1904=True) == "2020-01-01"


@given(st.datetimes(datetime(1900, 3, 1), datetime(9999, 12, 31)))  # noqa: DTZ001  cells have no zone
def test_moments_survive_as_day_numbers_to_the_second(moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    serial = (moment - datetime(1899, 12, 30)) / timedelta(days=1)  # noqa: DTZ001

    text = date_text(serial)

    assert datetime.fromisoformat(text) == moment
    assert moment_text(moment) == text


def test_moments_are_rounded_to_the_second() -> None:
    assert moment_text(datetime.fromisoformat("2020-01-01T23:59:59.999999")) == "2020-01-02"
    assert moment_text(date(2020, 1, 1)) == "2020-01-01"
    assert moment_text(time(10, 30)) == "10:30"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("2020-01-01", "2020-01-01"),
        ("2020-01-01T00:00:00", "2020-01-01"),
        ("2020-01-01T10:00:00.000Z", "2020-01-01T10:00"),
        ("2020-01-01T10:00", "2020-01-01T10:00"),
        ("2020-01-01T10:00:05", "2020-01-01T10:00:05"),
    ],
)
def test_iso_dates_are_shortened(raw: str, text: str) -> None:
    assert iso_date_text(raw) == text


@pytest.mark.parametrize(
    "code",
    [
        "dd.mm.yyyy",
        "yyyy\\-mm\\-dd",
        "[$-F800]dddd\\,\\ mmmm",
        "h:mm",
        "mm:ss",
        "d/m/yy;@",
        "General d",
    ],
)
def test_formats_that_show_a_date(code: str) -> None:
    assert is_date_format(164, code)


@pytest.mark.parametrize(
    "code",
    [
        "General",
        "0.00",
        '0 "days"',
        "#,##0\\ [$грн.-422]",
        "[Red]0",
        "@",
        "[h]:mm:ss",
        "0.00E+00",
        '"d"0',
    ],
)
def test_formats_that_show_none(code: str) -> None:
    assert not is_date_format(164, code)


@pytest.mark.parametrize(("code", "zeros"), [("00000", 5), ("0", 0), ("0.00", 0), (None, 0)])
def test_formats_that_fill_up_with_zeros(code: str | None, zeros: int) -> None:
    assert zeros_of(code) == zeros


def test_control_characters_are_read_out_of_their_escapes() -> None:
    assert plain_text("a_x000D_b_x005F_x000D_ _x_") == "a\rb_x000D_ _x_"
    assert plain_text("_xD83D__xDE00_ _xD83D_") == "\U0001f600 \ufffd"
