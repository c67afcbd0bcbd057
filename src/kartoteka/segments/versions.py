"""What a segment meant before: who changed its conditions, when, and into what."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from kartoteka.db.database import Database
from kartoteka.db.named import load_queries
from kartoteka.db.transaction import Call
from kartoteka.segments.conditions.membership import MAX_ID
from kartoteka.segments.model import Definition, SegmentNotFound
from kartoteka.segments.shown import words_of

QUERIES = load_queries(__package__, "versions.sql")
MOST_SHOWN = 200


class Version(msgspec.Struct, frozen=True):
    """A row of query `kept_versions`."""

    number: int
    at: datetime
    who: str
    condition: dict[str, Any]
    exclude: dict[str, Any] | None
    resolved: dict[str, Any]

    @property
    def words(self) -> str:
        """Who was in it."""
        return words_of(self.resolved, has_exclude=self.exclude is not None)


def keep_version(account_id: int, segment_id: int, one: Definition, who: str, at: datetime) -> Call:
    """The statement that keeps the definition as the newest version of its segment."""
    encode = msgspec.json.encode
    return QUERIES["keep_version"], {
        "account_id": account_id,
        "segment_id": segment_id,
        "condition": encode(one.condition).decode(),
        "exclude": None if one.exclude is None else encode(one.exclude).decode(),
        "resolved": encode(one.resolved).decode(),
        "who": who,
        "at": at,
    }


def forget_versions(account_id: int, segment_id: int) -> Call:
    """The statement that takes them away with their segment."""
    return QUERIES["forget_versions"], {"account_id": account_id, "segment_id": segment_id}


class Versions:
    """The versions of all segments, for reading."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self, account_id: int, segment_id: int) -> list[Version]:
        """Of one segment, the newest first; a list has none."""
        return await self._read(account_id, segment_id, None)

    async def find(self, account_id: int, segment_id: int, number: int) -> Version:
        """One of them. Raises `SegmentNotFound`."""
        found = await self._read(account_id, segment_id, number) if number <= MAX_ID else []
        if not found:
            raise SegmentNotFound("This segment has no such version.")
        return found[0]

    async def _read(self, account_id: int, segment_id: int, number: int | None) -> list[Version]:
        rows = await self._database.fetch(
            QUERIES["kept_versions"],
            account_id=account_id,
            segment_id=segment_id,
            number=number,
            rows=MOST_SHOWN,
        )
        return [Version(*row) for row in rows]
