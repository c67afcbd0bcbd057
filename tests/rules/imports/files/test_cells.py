"""Values of spreadsheet cells are what people see in them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kartoteka.imports.files.cells import Value, float_text, moment_text, value_text, zeros_of


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (380671234567, "380671234567"),
        (3.80671234567e11, "380671234567"),
        (999999999999999.0, "999999999999999"),
        (12345678901234567890, "12345678901234567890"),
        # Excel cut these short: they must not look like ids.
        (1.234567890123457e16, "1.23456789012346E+16"),
        (1e15, "1E+15"),
        (0.1 + 0.2, "0.3"),
        (1.0000000000000001e-5, "0.00001"),
        (-0.0, "0"),
        (-5.5, "-5.5"),
        (1e300, "1E+300"),
        (float("nan"), ""),
        (True, "true"),
        (False, "false"),
        (None, ""),
        (" a ", " a "),
        (timedelta(days=1, hours=12), "1.5"),
        (date(2020, 1, 1), "2020-01-01"),
    ],
)
def test_values_are_what_people_see(value: Value, text: str) -> None:
    assert value_text(value) == text


@given(st.integers(-(10**15) + 1, 10**15 - 1))
def test_integers_of_fifteen_digits_are_exact(number: int) -> None:
    assert float_text(float(number)) == str(number)


@given(st.datetimes(), st.timedeltas(timedelta(milliseconds=-499), timedelta(milliseconds=499)))
def test_moments_survive_to_the_second(moment: datetime, off: timedelta) -> None:
    moment = moment.replace(microsecond=0)
    assume(timedelta(0) <= off or moment.year > 1)
    assume(off < timedelta(milliseconds=0) or moment.year < 9999)

    assert datetime.fromisoformat(moment_text(moment + off)) == moment


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        ("2020-01-01T00:00:00", "2020-01-01"),
        ("2020-01-01T13:45:30", "2020-01-01T13:45:30"),
        ("2020-01-01T13:45:00", "2020-01-01T13:45"),
        ("2020-01-01T23:59:59.999999", "2020-01-02"),
        ("9999-12-31T23:59:59.997", "9999-12-31T23:59:59"),
    ],
)
def test_moments_are_rounded_to_the_second(moment: str, text: str) -> None:
    assert moment_text(datetime.fromisoformat(moment)) == text


@pytest.mark.parametrize(
    ("clock", "text"),
    [("10:30:00", "10:30"), ("00:00:00", "00:00"), ("10:30:05", "10:30:05")],
)
def test_times_have_no_day(clock: str, text: str) -> None:
    assert moment_text(time.fromisoformat(clock)) == text


@pytest.mark.parametrize(("code", "zeros"), [("00000", 5), ("0", 0), ("0.00", 0), (None, 0)])
def test_formats_that_fill_up_with_zeros(code: str | None, zeros: int) -> None:
    assert zeros_of(code) == zeros
