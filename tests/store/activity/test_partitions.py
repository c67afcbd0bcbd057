"""Months of table `event` are made before they come (part 3)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kartoteka.activity.partitions import MONTHS_AHEAD, months_ahead
from kartoteka.activity.retention import make_partitions
from kartoteka.db.database import Database


class At:
    """A clock that stands still."""

    def __init__(self, moment: datetime) -> None:
        self._moment = moment

    def now(self) -> datetime:
        return self._moment


@pytest.mark.parametrize(
    ("now", "months"),
    [
        (datetime(2031, 5, 1, tzinfo=UTC), [(2031, 5), (2031, 6), (2031, 7)]),
        (datetime(2031, 11, 30, 23, 59, tzinfo=UTC), [(2031, 11), (2031, 12), (2032, 1)]),
        (datetime(2031, 12, 31, tzinfo=UTC), [(2031, 12), (2032, 1), (2032, 2)]),
    ],
)
def test_the_next_months_follow_across_the_year(now: datetime, months: list[tuple[int, int]]):
    assert months_ahead(now) == months
    assert len(months) == MONTHS_AHEAD + 1


async def test_months_are_made_ahead_and_events_of_them_need_no_default_partition(database_url):
    """Twice changes nothing; an event of a month that is still to come has its partition."""
    database = await Database.open(database_url, max_size=1)
    try:
        for _ in range(2):
            await make_partitions(database, At(datetime(2031, 11, 30, 23, 59, tzinfo=UTC)))  # type: ignore[arg-type]
        rows = await database.fetch(
            "select relname from pg_class where relname ~ '^event_203[0-9]_[0-9]+$' order by 1"
        )
        assert [name for (name,) in rows] == ["event_2031_11", "event_2031_12", "event_2032_01"]
        ends = ("2031-11-01Z", "2031-12-31 23:59:59.999999Z", "2032-01-01Z")
        for moment in ends:
            await database.execute(
                "insert into event (account_id, owner_id, type_key, occurred, received)"
                " values (1, 1, 'seen', %(at)s, %(at)s)",
                at=moment,
            )
        rows = await database.fetch("select tableoid::regclass::text from event order by occurred")
        assert [name for (name,) in rows] == ["event_2031_11", "event_2031_12", "event_2032_01"]
    finally:
        await database.close()
