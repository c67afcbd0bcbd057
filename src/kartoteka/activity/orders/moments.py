"""The date of an order: fractions of any length, any offset or none (wire 1.3, 5.1, clients 2)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from kartoteka.contacts.values.errors import InvalidValue
from kartoteka.identity.text import is_absent

FIRST_YEAR, LAST_YEAR = 1970, 2099
_MOMENT = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})"
    r"(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,12}))?)?"
    r"\s?(?:(Z)|([+-])(\d{2}):?(\d{2})?)?)?",
    re.ASCII | re.IGNORECASE,
)

_USUAL = re.compile(
    r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[+-][0-9]{2}:[0-9]{2}"
)


def read_moment(value: object, field: str) -> datetime | None:
    """The moment in UTC, or naive where the text has no offset; None if absent.

    Finer than a microsecond is cut off. Raises `InvalidValue`.
    """
    if isinstance(value, str) and _USUAL.fullmatch(value):
        moment = _usual(value)
        if moment is not None:
            return moment
    found = _MOMENT.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        if is_absent(value):
            return None
        raise InvalidValue(field, "must be a date such as 2026-01-31T09:30:00+02:00")
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise InvalidValue(field, f"must be of the years {FIRST_YEAR} to {LAST_YEAR}")
    fraction = int((found[7] or "0").ljust(6, "0")[:6])
    try:
        moment = datetime(year, month, day, hour, minute, second, fraction)  # noqa: DTZ001
        return moment if (zone := _zone(found)) is None else _in_utc(moment, zone)
    except ValueError:
        raise InvalidValue(field, "is no date of the calendar") from None


def _usual(value: str) -> datetime | None:
    """The same of the usual spelling, in C; None for what has to be looked at."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment.astimezone(UTC) if FIRST_YEAR <= moment.year <= LAST_YEAR else None


def _zone(found: re.Match[str]) -> timezone | None:
    if found[8]:
        return UTC
    if not found[9]:
        return None
    offset = timedelta(hours=int(found[10]), minutes=int(found[11] or 0))
    return timezone(offset if found[9] == "+" else -offset)


def _in_utc(moment: datetime, zone: timezone) -> datetime:
    return moment.replace(tzinfo=zone).astimezone(UTC)


def placed(moment: datetime, zone: str) -> datetime:
    """The moment in UTC: one without an offset is what clocks in that zone of the TZ database show."""
    if moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
