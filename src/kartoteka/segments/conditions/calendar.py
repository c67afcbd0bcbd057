"""Days and anniversaries, in UTC: in Python and the same in SQL."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta

from kartoteka.segments.conditions.base import Sql

DAY = timedelta(days=1)
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


def occurrences(value: datetime, ahead: int, now: datetime) -> list[datetime]:
    """The midnights `ahead` days before the anniversaries around now; 29 February is 28 elsewhere."""
    found = []
    for year in (now.year + offset for offset in _YEARS):
        last = calendar.monthrange(year, value.month)[1]
        day = datetime(year, value.month, min(value.day, last), tzinfo=UTC)
        found.append(day - timedelta(days=ahead))
    return found


def _occurrences_sql(x: str, ahead: int) -> str:
    first = (
        f"make_date(extract(year from {Sql.now})::integer + y, extract(month from {x})::integer, 1)"
    )
    last = f"extract(day from {first} + interval '1 month' - interval '1 day')"
    day = f"least(extract(day from {x}), {last})::integer"
    return (
        f"(select ({first} + {day} - 1 - {ahead})::timestamp at time zone 'UTC' as begin "
        f"from generate_series({_YEARS[0]}, {_YEARS[-1]}) as y) as o"
    )


def is_occurrence_sql(x: str, ahead: int) -> str:
    """Whether now is such a day."""
    window = f"o.begin <= {Sql.now} and {Sql.now} < o.begin + interval '1 day'"
    return f"exists (select from {_occurrences_sql(x, ahead)} where {window})"


def next_occurrence_sql(x: str, ahead: int) -> str:
    """When the next such day begins or the running one ends."""
    return (
        f"(select min(m.at) from {_occurrences_sql(x, ahead)} "
        f"cross join lateral (values (o.begin), (o.begin + interval '1 day')) as m (at) "
        f"where m.at > {Sql.now})"
    )
