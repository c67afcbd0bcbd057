"""What is no longer kept: deleted in batches, each a transaction; partitions that nobody needs go."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from kartoteka.access.accounts import Accounts
from kartoteka.access.model import AccountContext
from kartoteka.activity.erasing import finish_all_erasing
from kartoteka.activity.model import Source
from kartoteka.activity.partitions import drop_empty_months, make_months, months_ahead
from kartoteka.clock import Clock
from kartoteka.db.arrays import pg_array
from kartoteka.db.database import Database
from kartoteka.db.named import load_queries

QUERIES = load_queries(__package__, "retention.sql")
ROWS_IN_A_BATCH = 5_000
MESSAGES_KEPT = timedelta(days=30)
_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)


async def make_partitions(database: Database, clock: Clock) -> None:
    """This month and the next ones; safe to repeat."""
    await make_months(database, months_ahead(clock.now()))


async def delete_past(
    database: Database, account_id: int, since: datetime, until: datetime, at: datetime
) -> int:
    """Delete what was sent as past events and happened in between; how many there were.

    `at`: now, kept for exports.
    """
    params = {"account_id": account_id, "since": since, "until": until, "source": int(Source.PAST)}
    total = 0
    while True:
        row = await database.fetch_one(
            QUERIES["delete_past_events"], **params, at=at, rows=ROWS_IN_A_BATCH
        )
        gone = 0 if row is None else int(row[0])
        total += gone
        if gone < ROWS_IN_A_BATCH:
            return total


async def keep_house(database: Database, clock: Clock, accounts: Accounts) -> None:
    """Every night: partitions ahead, erases that a crash cut short, and what is older than an account
    keeps it."""
    await make_partitions(database, clock)
    await finish_all_erasing(database)
    now = clock.now()
    kept: list[datetime] = []
    for account in await accounts.all():
        kept.append(await _keep_house_of(database, account, now))
    await drop_empty_months(database, min(kept, default=now))


async def _keep_house_of(database: Database, account: AccountContext, now: datetime) -> datetime:
    """From when on something of this account may be needed."""
    account_id, settings = account.account_id, account.settings
    kept_from = _BEGINNING
    if months := settings.event_retention_months:
        kept_from = months_before(now, months)
        await _in_batches(database, "delete_old_events", account_id=account_id, until=kept_from)
    until = months_before(now, settings.anonymous_retention_months)
    await _in_batches(database, "delete_old_of_nobody", account_id=account_id, until=until)
    await _forget_old_spans(database, account_id, until)
    await database.execute(
        QUERIES["forget_messages"], account_id=account_id, until=now - MESSAGES_KEPT
    )
    return kept_from


async def _forget_old_spans(database: Database, account_id: int, until: datetime) -> None:
    """What waits for identifiers and has no event any more stops waiting."""
    while rows := await database.fetch(
        QUERIES["old_spans"], account_id=account_id, until=until, rows=ROWS_IN_A_BATCH
    ):
        columns: Iterable[tuple[object, ...]] = zip(*rows, strict=True)
        names = ("kind", "value_key", "owner_id")
        params = {n: pg_array(list(column)) for n, column in zip(names, columns, strict=True)}
        forgotten = 0
        async with database.connection() as connection, connection.transaction():
            for name in ("forget_stubs", "forget_spans"):
                cursor = await connection.execute(
                    QUERIES[name].sql, {"account_id": account_id, **params}
                )
                forgotten = cursor.rowcount
        if not forgotten or len(rows) < ROWS_IN_A_BATCH:
            return


async def _in_batches(database: Database, name: str, **params: object) -> int:
    """Run a statement that deletes some until there is nothing left; how many went."""
    total = 0
    while True:
        gone = await database.execute(QUERIES[name], **params, rows=ROWS_IN_A_BATCH)
        total += gone
        if gone < ROWS_IN_A_BATCH:
            return total


def months_before(now: datetime, months: int) -> datetime:
    """The same moment so many months earlier; of a shorter month its last day."""
    number = now.year * 12 + now.month - 1 - months
    year, month = divmod(number, 12)
    if year < 1:
        return _BEGINNING
    first = now.replace(year=year, month=month + 1, day=1)
    following = (first + timedelta(days=31)).replace(day=1)
    return first.replace(day=min(now.day, (following - first).days))
