"""Values of spreadsheet cells as the text that people see, free of the way Excel stores them."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite

Value = str | float | bool | date | datetime | time | timedelta | None
"""What the libraries make of a cell."""
_DIGITS = 15
"""What Excel keeps of a number."""
_ZEROS = re.compile(r"0{2,15}")


def value_text(value: Value) -> str:
    """Numbers of up to fifteen digits without exponent and without `.0`, days as yyyy-mm-dd, durations
    in days."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return float_text(value)
        case timedelta():
            return float_text(value / timedelta(days=1))
        case _:
            return moment_text(value)


def float_text(number: float) -> str:
    """A number as Excel shows it in a cell that is wide enough; blank if it is none.

    One of more than fifteen digits keeps its exponent: Excel has put zeros in the place of the others,
    and an id that ends in them would be another customer's.
    """
    if not isfinite(number):
        return ""
    if number.is_integer() and abs(number) < 10**_DIGITS:
        return str(int(number))
    text = f"{number:.{_DIGITS}G}"
    return format(Decimal(text), "f") if "E" in text and 1e-30 < abs(number) < 1 else text


def moment_text(moment: datetime | date | time) -> str:
    """yyyy-mm-dd, yyyy-mm-ddThh:mm(:ss) unless it is midnight, of a time hh:mm(:ss)."""
    if isinstance(moment, time):
        _, _, clock = moment_text(datetime.combine(date(2000, 1, 1), moment)).partition("T")
        return clock or "00:00"
    if not isinstance(moment, datetime):
        return moment.isoformat()
    # Excel's fractions of days are microseconds off; 9999 ends where no second can be added.
    with suppress(OverflowError):
        moment += timedelta(milliseconds=500)
    if moment.time() < time(0, 0, 1):
        return moment.date().isoformat()
    return moment.isoformat(timespec="seconds").removesuffix(":00")


def zeros_of(code: str | None) -> int:
    """How many digits a format like `00000` fills up with zeros: a postcode 01001; else 0."""
    return len(code) if code is not None and _ZEROS.fullmatch(code) else 0
