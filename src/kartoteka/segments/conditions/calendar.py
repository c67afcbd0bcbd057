"""Days and anniversaries in the zone of an account: in Python and the same in SQL."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from kartoteka.segments.conditions.base import Sql

DAY = timedelta(days=1)
_NONE = timedelta()
_YEARS = range(-1, 3)
"""Around this year: an anniversary up to a year ahead, the running one and the next."""


def shifted(moment: datetime, days: int) -> datetime | None:
    """So many days later; None beyond the calendar."""
    try:
        return moment + timedelta(days=days)
    except OverflowError:
        return None


def after(now: datetime, *moments: datetime | None) -> list[datetime]:
    """Those that are still to come."""
    return [moment for moment in moments if moment is not None and moment > now]


def after_sql(*moments: str) -> list[str]:
    """The same as expressions, null where it is over."""
    return [f"case when {moment} > {Sql.now} then {moment} end" for moment in moments]


def instant(shown: datetime, zone: str) -> datetime:
    """The moment at which clocks of that zone show this time.

    As PostgreSQL reads it: what is shown twice is meant the second time, what is never shown is counted
    from before the clocks were put forward. Beyond the calendar: its first or last moment.
    """
    if zone == "UTC":
        return shown.replace(tzinfo=UTC)
    first, second = (shown.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1))
    is_twice = (first.utcoffset() or _NONE) > (second.utcoffset() or _NONE)
    try:
        return (second if is_twice else first).astimezone(UTC)
    except OverflowError:
        is_first = shown.year == 1
        return datetime.min.replace(tzinfo=UTC) if is_first else datetime.max.replace(tzinfo=UTC)


def _shown(moment: datetime, zone: str) -> datetime:
    try:
        return moment.astimezone(ZoneInfo(zone))
    except OverflowError:
        return moment


def occurrences(
    value: datetime, ahead: int, now: datetime, zone: str
) -> list[tuple[datetime, datetime]]:
    """The days `ahead` days before the anniversaries around now; 29 February is 28 elsewhere."""
    found = []
    of, this_year = _shown(value, zone), _shown(now, zone).year
    for year in (this_year + offset for offset in _YEARS):
        last = calendar.monthrange(year, of.month)[1]
        day = date(year, of.month, min(of.day, last)) - timedelta(days=ahead)
        begin = datetime.combine(day, time())
        found.append((instant(begin, zone), instant(begin + DAY, zone)))
    return found


def _occurrences_sql(x: str, ahead: int, zone: str) -> str:
    of, now = f"({x} at time zone {zone})", f"({Sql.now} at time zone {zone})"
    first = (
        f"make_date(extract(year from {now})::integer + y, extract(month from {of})::integer, 1)"
    )
    last = f"extract(day from {first} + interval '1 month' - interval '1 day')"
    day = f"({first} + least(extract(day from {of}), {last})::integer - 1 - {ahead})"
    return (
        f"(select {day}::timestamp at time zone {zone} as begin, "
        f"({day} + 1)::timestamp at time zone {zone} as finish "
        f"from generate_series({_YEARS[0]}, {_YEARS[-1]}) as y) as o"
    )


def is_occurrence_sql(x: str, ahead: int, zone: str) -> str:
    """Whether now is such a day; `zone` is an expression."""
    window = f"o.begin <= {Sql.now} and {Sql.now} < o.finish"
    return f"exists (select from {_occurrences_sql(x, ahead, zone)} where {window})"


def next_occurrence_sql(x: str, ahead: int, zone: str) -> str:
    """When the next such day begins or the running one ends."""
    return (
        f"(select min(m.at) from {_occurrences_sql(x, ahead, zone)} "
        f"cross join lateral (values (o.begin), (o.finish)) as m (at) "
        f"where m.at > {Sql.now})"
    )
