"""Proves membership: what stands there = the condition as SQL over everybody = `holds_for` in Python.

All in one snapshot, so it may run on live data while everybody writes. Contacts whose moment has come and
whom the clock has not asked again yet (at most a minute, D31) are left out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

import msgspec

from kartoteka.db.database import Connection, Database
from kartoteka.db.named import load_queries
from kartoteka.segments.conditions.base import ACTIVITY
from kartoteka.segments.evaluating import Version, version_of
from kartoteka.segments.model import State
from kartoteka.segments.subjects import ROWS_IN_A_PAGE, read_subjects
from kartoteka.segments.waking import ask_again

QUERIES = load_queries(__package__, "verifying.sql")
MOST_NAMED = 1_000
MOST_ROUNDS = 10_000


class Verdict(msgspec.Struct, frozen=True, rename="camel"):
    """What was found of one segment; `missing` and `extra` name the first contacts."""

    segment_id: int
    name: str
    version_id: int
    members: int
    missing: list[int] = []
    """The condition holds, and they are not in it."""
    extra: list[int] = []
    """They are in it, and the condition does not hold."""
    python_differs: list[int] = []
    """SQL and Python do not agree: a fault of a condition."""
    due: int = 0
    """Left out: the clock is about to ask them again."""

    @property
    def is_exact(self) -> bool:
        return not (self.missing or self.extra or self.python_differs)


async def verify(
    database: Database,
    account_id: int,
    now: datetime,
    *,
    in_python: bool = True,
    only_reading: str | None = None,
) -> AsyncIterator[Verdict]:
    """Every segment of an account that serves, by id; or those that read this."""
    async with database.connection() as connection:
        await connection.execute("begin isolation level repeatable read, read only")
        cursor = await connection.execute(
            QUERIES["serving_versions"].sql, {"account_id": account_id}
        )
        for name, version_id, segment_id, resolved in await cursor.fetchall():
            version = version_of(account_id, version_id, segment_id, State.SERVING, resolved)
            if only_reading is not None and only_reading not in version.test.reads:
                continue
            yield await _verdict(connection, version, name, now, in_python=in_python)
        # Not rollback: psycopg would drop the prepared statements that `transaction` counts on.
        await connection.execute("commit")


async def check_activity(database: Database, account_id: int, now: datetime) -> None:
    """Ask again who is wrong in segments about activity: after some of it was deleted in bulk."""
    for _ in range(MOST_ROUNDS):
        found = [
            one
            async for one in verify(
                database, account_id, now, in_python=False, only_reading=ACTIVITY
            )
            if not one.is_exact
        ]
        for one in found:
            await repair(database, account_id, one, now)
        if not found:
            return


async def repair(database: Database, account_id: int, verdict: Verdict, now: datetime) -> None:
    """Ask the named contacts again, as the clock does; they enter and leave, and are told of."""
    ids = {*verdict.missing, *verdict.extra}
    await ask_again(database, account_id, [(verdict.version_id, one) for one in ids], now)


async def _verdict(
    connection: Connection, version: Version, name: str, now: datetime, *, in_python: bool
) -> Verdict:
    params = {"account_id": version.account_id, "version_id": version.version_id, "now": now}
    stands = await _ids(connection, QUERIES["matches"].sql, params)
    due = await _ids(connection, QUERIES["due"].sql, params)
    fresh = await _ids(connection, _fresh(version), version.params(now=now))
    plain = await _in_python(connection, version, now) if in_python else fresh
    return Verdict(
        version.segment_id,
        name,
        version.version_id,
        len(stands),
        sorted(fresh - stands - due)[:MOST_NAMED],
        sorted(stands - fresh - due)[:MOST_NAMED],
        sorted(plain ^ fresh)[:MOST_NAMED],
        len(due),
    )


def _fresh(version: Version) -> str:
    return (
        "select c.contact_id\nfrom contact c\nwhere c.account_id = %(account_id)s::integer\n"
        f"  and c.status = 0\n  and {version.sql.holds}"
    )


async def _ids(connection: Connection, sql: str, params: dict[str, object]) -> set[int]:
    cursor = await connection.execute(sql, params)
    return {contact_id for (contact_id,) in await cursor.fetchall()}


async def _in_python(connection: Connection, version: Version, now: datetime) -> set[int]:
    found: set[int] = set()
    after = 0
    while True:
        subjects = await read_subjects(connection, version.account_id, after, now)
        found.update(one.card.contact_id for one in subjects if version.test.holds_for(one))
        if len(subjects) < ROWS_IN_A_PAGE:
            return found
        after = subjects[-1].card.contact_id
