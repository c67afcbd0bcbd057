"""Possible duplicates: the same address kept apart, and contacts that look alike (part 6).

Look-alikes are found by `find_duplicates` (a command, and once a night): blocks in memory as 64-bit
hashes, so that a million contacts take some hundred megabytes and minutes, not days.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import combinations
from typing import Any

import msgspec

from kartoteka.db.arrays import pg_array
from kartoteka.db.database import Database
from kartoteka.db.named import load_queries
from kartoteka.identity.alike import LIKELY, Record, blocks, compare, plain
from kartoteka.identity.store import json_text

QUERIES = load_queries(__package__, "duplicates.sql")
LARGEST_BLOCK = 50
"""What more contacts than this share says nothing."""
Pair = tuple[int, int]


class Alike(msgspec.Struct, frozen=True):
    """Two contacts that look like one person."""

    contact_id: int
    other_id: int
    score: float
    fields: dict[str, float]


class Shared(msgspec.Struct, frozen=True):
    """Two contacts with the same e-mail or phone."""

    kind: int
    contact_id: int
    other_id: int


class ToldApart(msgspec.Struct, frozen=True):
    """Two contacts that are not the same person, as somebody said (or took a merge back)."""

    contact_id: int
    other_id: int
    at: datetime
    reason: str
    request_id: str


class Quarantined(msgspec.Struct, frozen=True):
    """A value that stands on too many people."""

    kind: int
    value: str
    since: datetime
    senders: int | None
    rule: str


def pairs(records: Sequence[Record]) -> Iterator[Pair]:
    """Places of records that share a block, each pair once."""
    shared: dict[int, list[int]] = {}
    for place, one in enumerate(records):
        for block in blocks(one):
            shared.setdefault(_short(block), []).append(place)
    seen: set[Pair] = set()
    for places in shared.values():
        if 1 < len(places) <= LARGEST_BLOCK:
            for pair in combinations(places, 2):
                if pair not in seen:
                    seen.add(pair)
                    yield pair


def _short(block: str) -> int:
    return int.from_bytes(hashlib.blake2b(block.encode(), digest_size=8).digest(), "big")


def alike(records: Sequence[Record], least: float = LIKELY) -> Iterator[Alike]:
    """Pairs of these whose score is at least that."""
    for a, b in pairs(records):
        one, other = records[a], records[b]
        score, fields = compare(one, other)
        if score >= least:
            low, high = sorted((one.contact_id, other.contact_id))
            yield Alike(low, high, score, fields)


class Duplicates:
    """Reads and finds possible duplicates of an account."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def shared(self, account_id: int, *, skip: int, rows: int) -> list[Shared]:
        """Pairs with the same e-mail or phone that were kept apart."""
        found = await self._fetch("shared_addresses", account_id, skip=skip, rows=rows)
        return [Shared(*row) for row in found]

    async def alike(
        self, account_id: int, *, skip: int, rows: int, score: float = LIKELY
    ) -> list[Alike]:
        """Pairs that look alike, the likeliest first."""
        found = await self._fetch("look_alikes", account_id, skip=skip, rows=rows, score=score)
        return [Alike(*row) for row in found]

    async def told_apart(self, account_id: int, *, skip: int, rows: int) -> list[ToldApart]:
        """Pairs that are kept apart because somebody said so, the latest first."""
        found = await self._fetch("told_apart", account_id, skip=skip, rows=rows)
        return [ToldApart(*row) for row in found]

    async def quarantine(self, account_id: int, *, skip: int, rows: int) -> list[Quarantined]:
        """Values that name nobody, newest first (D6)."""
        found = await self._fetch("quarantine", account_id, skip=skip, rows=rows)
        return [Quarantined(*row) for row in found]

    async def find(self, account_id: int, at: datetime) -> int:
        """Compare all contacts of the account anew; how many pairs look alike."""
        records = await self.records(account_id)
        found = list(alike(records))
        async with self._database.connection() as connection, connection.transaction():
            account = {"account_id": account_id}
            await connection.execute(QUERIES["forget_duplicates"].sql, account)
            for part in _portions(found, 5000):
                await connection.execute(
                    QUERIES["insert_duplicates"].sql, {**account, "at": at, **_columns(part)}
                )
        return len(found)

    async def records(self, account_id: int) -> list[Record]:
        """What is compared of every live contact."""
        born = await self._fetch("birthday_field", account_id)
        records: list[Record] = []
        after = 0
        while rows := await self._fetch(
            "records", account_id, after=after, born=str(born[0][0]) if born else ""
        ):
            after = rows[-1][0]
            records += [_record(row) for row in rows]
        return records

    async def _fetch(self, name: str, account_id: int, **params: Any) -> list[tuple[Any, ...]]:
        return await self._database.fetch(QUERIES[name], account_id=account_id, **params)


def _record(row: tuple[Any, ...]) -> Record:
    contact_id, first, last, email, phone, *rest = row
    town, address, postcode, born = (plain(one) for one in rest)
    return Record(
        contact_id,
        plain(first),
        plain(last),
        email or "",
        phone or "",
        town,
        address,
        postcode,
        born,
    )


def _columns(found: Sequence[Alike]) -> dict[str, Any]:
    return {
        "contact_id": pg_array([one.contact_id for one in found]),
        "other_id": pg_array([one.other_id for one in found]),
        "score": pg_array([one.score for one in found]),
        "fields": pg_array([json_text(one.fields) for one in found]),
    }


def _portions(found: Sequence[Alike], rows: int) -> Iterable[Sequence[Alike]]:
    for start in range(0, len(found), rows):
        yield found[start : start + rows]
