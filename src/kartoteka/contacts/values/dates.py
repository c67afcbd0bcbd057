"""Dates and times as clients write them, to one spelling (wire 1.3, 2.10)."""

from __future__ import annotations

import re
from datetime import date, time

# A two-digit year up to this one is of this century. The dates are birthdays before all, and a
# fixed year keeps the rule free of the clock: the same row gives the same card whenever it comes.
LAST_SHORT_YEAR_OF_2000S = 45

_ISO = r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})"
_TIME = r"(?P<hour>\d{2}):(?P<minute>\d{2})(?::\d{2}(?:[.,]\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?"
_ISO_DATE = re.compile(rf"{_ISO}(?:[T ]{_TIME})?", re.ASCII | re.IGNORECASE)
_DAY_FIRST = re.compile(
    r"(?P<day>\d{2})/(?P<month>\d{2})/(?P<year>\d{4})"
    r"|(?P<day2>\d{2})\.(?P<month2>\d{2})\.(?P<year2>\d{4}|\d{2})",
    re.ASCII,
)


def read_date(text: str) -> str | None:
    """`yyyy-MM-dd` from yyyy-MM-dd, dd/MM/yyyy, dd.MM.yyyy or dd.MM.yy; None if it is no date.

    A time behind an ISO date is left out.
    """
    if found := _ISO_DATE.fullmatch(text):
        return _iso(found["year"], found["month"], found["day"]) if _time_of(found) else None
    if found := _DAY_FIRST.fullmatch(text):
        day, month, year = (part for part in found.groups() if part is not None)
        return _iso(_full_year(year), month, day)
    return None


def read_datetime(text: str) -> str | None:
    """`yyyy-MM-ddTHH:mm` from an ISO date with or without a time; None if it is none.

    The time stays as the clock on the client's wall showed it: seconds and offset are left out.
    """
    found = _ISO_DATE.fullmatch(text)
    if found is None:
        return None
    day, at = _iso(found["year"], found["month"], found["day"]), _time_of(found)
    return f"{day}T{at}" if day and at else None


def _iso(year: str, month: str, day: str) -> str | None:
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None


def _time_of(found: re.Match[str]) -> str | None:
    """HH:mm, midnight where no time was given; None for a time that no clock shows."""
    try:
        return time(int(found["hour"] or 0), int(found["minute"] or 0)).isoformat("minutes")
    except ValueError:
        return None


def _full_year(year: str) -> str:
    if len(year) == 4:
        return year
    return f"20{year}" if int(year) <= LAST_SHORT_YEAR_OF_2000S else f"19{year}"
