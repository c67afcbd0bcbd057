"""Values of spreadsheet cells as the text that people see, free of the way Excel stores them."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from math import isfinite

_DIGITS = 15
"""What Excel keeps of a number."""
_NOT_SHOWN = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')
"""Parts of a number format that are literal text, padding, colours, conditions, elapsed time."""
_BUILT_IN_DATES = frozenset([*range(14, 23), *range(27, 37), 45, 47, *range(50, 59)])
_ELAPSED = re.compile(r"\[(h+|m+|s+)\]", re.IGNORECASE)
_ZEROS = re.compile(r"0{2,15}")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_LAST_DAY = 2_958_466
"""One after 9999-12-31."""


def number_text(raw: str) -> str:
    """A number as .xlsx stores it, without exponent and without `.0`: `3.80671E+11` → digits."""
    if raw.isdecimal() and raw.isascii():
        return raw
    return float_text(float(raw))


def float_text(number: float) -> str:
    """A number as Excel shows it in a cell that is wide enough; blank if it is none."""
    if not isfinite(number):
        return ""
    if float(number).is_integer() and abs(number) < 10**_DIGITS:
        return str(int(number))
    text = f"{number:.{_DIGITS}g}"
    return format(Decimal(text), "f") if "e" in text and 1e-30 < abs(number) < 1e30 else text


@lru_cache(maxsize=4_096)
def date_text(serial: float, *, since_1904: bool = False) -> str:
    """A day number as yyyy-mm-dd, with a fraction yyyy-mm-ddThh:mm(:ss), below one hh:mm(:ss).

    A number that is no day of Excel's calendar stays a number.
    """
    if not isfinite(serial) or not 0 <= serial < _LAST_DAY:
        return float_text(serial)
    days, seconds = divmod(round(serial * 86_400), 86_400)
    if days == 0:
        return _clock_text(seconds)
    # Excel believes in a 29 February 1900, the day 60.
    start = date(1904, 1, 1) if since_1904 else date(1899, 12, 31 if days < 60 else 30)
    try:
        day = (start + timedelta(days)).isoformat()
    except OverflowError:
        return float_text(serial)
    return f"{day}T{_clock_text(seconds)}" if seconds else day


def moment_text(moment: datetime | date | time) -> str:
    """The same of a day or time that is read already."""
    if isinstance(moment, time):
        moment = datetime.combine(date(2000, 1, 1), moment)
        return _clock_text(_seconds(moment) % 86_400)
    if not isinstance(moment, datetime):
        return moment.isoformat()
    seconds = _seconds(moment)
    day = (moment.date() + timedelta(seconds // 86_400)).isoformat()
    return f"{day}T{_clock_text(seconds % 86_400)}" if seconds % 86_400 else day


def iso_date_text(raw: str) -> str:
    """A cell of type `d`, which holds ISO 8601 already; midnight is left out."""
    day, _, clock = raw.strip().removesuffix("Z").partition("T")
    clock = clock.partition(".")[0]
    if len(clock) == len("hh:mm:00"):
        clock = clock.removesuffix(":00")
    return f"{day}T{clock}" if clock not in ("", "00:00") else day


def plain_text(raw: str) -> str:
    """A text cell; control characters stand in it as `_x000D_`."""
    if "_x" not in raw:
        return raw
    text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), raw)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def is_date_format(number: int, code: str | None) -> bool:
    """True if a cell of that number format shows a date or a time of day."""
    if code is None:
        return number in _BUILT_IN_DATES
    if _ELAPSED.search(code):
        return False
    shown = _NOT_SHOWN.sub("", code.partition(";")[0]).lower().replace("general", "")
    return any(letter in shown for letter in "ymdhs")


def zeros_of(code: str | None) -> int:
    """How many digits a format like `00000` fills up with zeros: a postcode 01001; else 0."""
    return len(code) if code is not None and _ZEROS.fullmatch(code) else 0


def _seconds(moment: datetime) -> int:
    """Since midnight; Excel's fractions of days are microseconds off."""
    since = moment - datetime.combine(moment.date(), time())
    return round(since.total_seconds())


def _clock_text(seconds: int) -> str:
    minutes, second = divmod(seconds, 60)
    clock = f"{minutes // 60:02}:{minutes % 60:02}"
    return f"{clock}:{second:02}" if second else clock
