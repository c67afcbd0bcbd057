"""Reads what the history has to say for `what_if`, out of one snapshot of the database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from kartoteka.contacts.what_if import Asked, Known, Names, Request, requests_of, tell
from kartoteka.contacts.what_if_report import WhatIf, compare, compare_segments
from kartoteka.db.arrays import pg_array
from kartoteka.db.database import Connection, Database
from kartoteka.db.named import load_queries
from kartoteka.identity.evidence import Row
from kartoteka.identity.proof import Saying, saying_of

QUERIES = load_queries(__package__, "what_if.sql")
ROWS_IN_A_PAGE = 20_000


async def what_if(
    database: Database,
    account_id: int,
    asked: Asked,
    progress: Callable[[str], None] = lambda _: None,
) -> WhatIf:
    """What other settings would have made of the account. Nothing is written: a transaction
    that may not, of one snapshot. Memory: about 2 KB a request of the history."""
    # psycopg deallocates every statement at a rollback: nobody else gets this connection.
    async with database.connection(once=True) as connection:
        await connection.execute("begin isolation level repeatable read read only")
        try:
            return await _what_if(connection, account_id, asked, progress)
        finally:
            await connection.execute("rollback")


async def _what_if(
    connection: Connection,
    account_id: int,
    asked: Asked,
    progress: Callable[[str], None],
) -> WhatIf:
    key = {"account_id": account_id}
    requests = await _requests(connection, account_id, progress)
    names = await _names(connection, account_id, requests)
    pairs = await _rows(connection, "what_if_apart", **key)
    apart = [(one, other) for one, other in pairs]
    rows = await _rows(connection, "what_if_devices", **key)
    devices = {(kind, value): device for kind, value, device in rows}
    total = len(requests)
    as_it_is, otherwise = tell(
        requests,
        asked,
        Known(names, apart, devices),
        lambda done: progress(f"{done:,} of {total:,} requests told"),
    )
    merges, splits = compare(as_it_is, otherwise)
    ids = {contact for one in merges for contact in one.contacts} | {
        one.contact_id for one in splits
    }
    members = await _rows(connection, "what_if_members", **key, ids=pg_array(sorted(ids)))
    segments = dict(await _rows(connection, "what_if_segments", **key))
    stand = {one for (one,) in await _rows(connection, "what_if_live", **key)}
    return WhatIf(
        total,
        len(as_it_is.live()),
        len(otherwise.live()),
        merges,
        splits,
        compare_segments(merges, splits, members, segments),
        len(as_it_is.live() ^ stand),
    )


async def _requests(
    connection: Connection, account_id: int, progress: Callable[[str], None]
) -> list[Request]:
    rows: list[Row] = []
    after = 0
    while page := await _rows(
        connection, "what_if_history", account_id=account_id, after=after, limit=ROWS_IN_A_PAGE
    ):
        rows += [Row(*row) for row in page]
        after = page[-1][0]
        progress(f"{len(rows):,} rows of history read")
    return requests_of(rows)


async def _names(connection: Connection, account_id: int, requests: list[Request]) -> Names:
    """Names by the request that said them (`identity/proof.py`)."""
    rows = [row for request in requests for row in request.rows]
    found: list[tuple[Any, ...]] = []
    for query in ("what_if_names_absorbed", "what_if_names"):
        found += await _rows(connection, query, account_id=account_id)
    return names_said(found, who_made(rows))


def who_made(rows: Iterable[Row]) -> Mapping[int, tuple[str, datetime]]:
    """The request that created each contact."""
    return {row.contact_id: (row.request_id, row.at) for row in rows if row.action == "created"}


def names_said(
    rows: Iterable[tuple[Any, ...]], made: Mapping[int, tuple[str, datetime]]
) -> dict[tuple[str, datetime], tuple[str | None, str | None]]:
    """Which request said which names; rows as query `what_if_names` gives them, cards as they stand
    last."""
    names: dict[tuple[str, datetime], tuple[str | None, str | None]] = {}
    for first, last, proof, contact_id in rows:
        for place, (name, field) in enumerate(((first, "first_name"), (last, "last_name"))):
            by = _said_by(saying_of(proof, field), made.get(contact_id))
            if name is not None and by is not None:
                before = names.get(by, (None, None))
                names[by] = (name, before[1]) if place == 0 else (before[0], name)
    return names


def _said_by(
    saying: Saying | None, made: tuple[str, datetime] | None
) -> tuple[str, datetime] | None:
    if saying is None:
        return made
    if len(saying) > 6:  # a merge brought it: the absorbed card says by whom
        return None
    return (saying[1], datetime.fromisoformat(saying[0]))


async def _rows(connection: Connection, name: str, **params: Any) -> list[tuple[Any, ...]]:
    return await (await connection.execute(QUERIES[name].sql, params, prepare=False)).fetchall()
