"""What one can do with segments that have conditions: make, change, delete, copy to a list."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from kartoteka.clock import Clock
from kartoteka.contacts.definitions import Definitions
from kartoteka.db.arrays import pg_array
from kartoteka.db.database import Database
from kartoteka.db.failures import UniqueViolation
from kartoteka.db.named import load_queries
from kartoteka.db.transaction import Transaction
from kartoteka.errors import DatabaseUnavailable
from kartoteka.segments.defining import (
    QUERIES,
    DefinitionsChanged,
    call,
    change_definitions,
    read_epoch,
)
from kartoteka.segments.drafts import (
    InvalidSegment,
    Nameable,
    context_of,
    definition_of,
    is_list,
    mentions,
    read_name,
    read_purpose,
    read_sides,
    read_tags,
    resolve_again,
)
from kartoteka.segments.filling import CHANNEL, Filling
from kartoteka.segments.model import (
    Definition,
    SegmentHasNoCondition,
    SegmentInUse,
    SegmentIsDeleted,
    SegmentNameTaken,
    SegmentNotFound,
    SegmentNotReady,
    SegmentType,
    TooManySegments,
)
from kartoteka.segments.store import Segments
from kartoteka.segments.versions import forget_versions, keep_version

WALKING = load_queries(__package__, "walking.sql")
MOST_DYNAMIC = 1_000
MOST_TRIES = 50
FILL_AT_ONCE_S = 2.0
"""So long whoever asks waits for a segment to be filled; jobs do the rest."""
Result = TypeVar("Result")
_encode = msgspec.json.encode


class SegmentActions:
    """One for each process."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        definitions: Definitions,
        segments: Segments,
        filling: Filling | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._definitions = definitions
        self._segments = segments
        self._filling = filling or Filling(database, clock)

    async def nameable(self, account_id: int) -> dict[int, Nameable]:
        """What conditions of this account may name, by id."""
        rows = await self._database.fetch(QUERIES["nameable_segments"], account_id=account_id)
        return {row[0]: Nameable(*row) for row in rows}

    async def zone(self, account_id: int) -> str:
        """In which this account reads dates without an offset. Raises `InvalidSegment`."""
        row = await self._database.fetch_one(QUERIES["zone_of_account"], account_id=account_id)
        zone, is_known = row or ("UTC", True)
        if not is_known:
            raise InvalidSegment(f"The database does not know the account's time zone, {zone}.")
        return str(zone)

    async def create(self, account_id: int, body: Mapping[str, Any], who: str = "") -> int:
        """Make a segment; its id. Raises `InvalidSegment`, `InvalidCondition`, `TooManySegments`.

        `who`: a login, a key: its versions say so.
        """
        if is_list(body):
            if body.get("condition") is not None or body.get("exclude") is not None:
                raise InvalidSegment(
                    "A segment of type Static is a list and has no conditions.", field="type"
                )
            return await self.add_list(account_id, body)
        segment_id, version_id = await _insist(lambda: self._create(account_id, body, who))
        await self._begin(account_id, [version_id])
        return segment_id

    async def _create(self, account_id: int, body: Mapping[str, Any], who: str) -> tuple[int, int]:
        epoch = await read_epoch(self._database, account_id)
        name, purpose, tags = read_name(body), read_purpose(body), read_tags(body)
        fields = await self._definitions.read(account_id)
        zone = await self.zone(account_id)
        context = context_of(fields, await self.nameable(account_id), zone)
        definition = definition_of(name, read_sides(body, context), zone, purpose, tags)

        async def work(tx: Transaction) -> tuple[int, int]:
            at = self._clock.now()
            counted, contacts = await tx.run(
                call("count_dynamic", account_id), call("count_contacts", account_id)
            )
            if counted[0][0] >= MOST_DYNAMIC:
                raise TooManySegments
            (((segment_id,),),) = await tx.run(
                call("add_segment", account_id, at=at, **_columns(definition))
            )
            version = _version(segment_id, definition, contacts[0][0], at)
            ((version_id,),), _ = await tx.run(
                call("add_version", account_id, **version),
                keep_version(account_id, segment_id, definition, who, at),
            )
            return segment_id, version_id

        made: tuple[int, int] = await change_definitions(
            self._database, account_id, work, epoch=epoch
        )
        return made

    async def add_list(self, account_id: int, body: Mapping[str, Any]) -> int:
        """Make an empty list; its id. Raises `InvalidSegment` and `SegmentNameTaken`."""
        row = await self._database.fetch_one(
            QUERIES["add_list"],
            account_id=account_id,
            name=read_name(body),
            at=self._clock.now(),
            purpose=read_purpose(body),
            tags=pg_array(read_tags(body)),
        )
        if row is None:
            raise SegmentNameTaken
        return int(row[0])

    async def change(
        self, account_id: int, segment_id: int, body: Mapping[str, Any], who: str = ""
    ) -> None:
        """Change what is given. The old conditions serve until the new ones are filled.

        Raises what `create` raises, `SegmentNotFound`, `SegmentHasNoCondition`, `SegmentIsDeleted`.
        """
        versions = await _insist(lambda: self._change(account_id, segment_id, body, who))
        await self._begin(account_id, versions)

    async def _change(
        self, account_id: int, segment_id: int, body: Mapping[str, Any], who: str
    ) -> list[int]:
        epoch = await read_epoch(self._database, account_id)
        stored = await self._segments.stored(account_id, segment_id)
        if stored.leaving is not None:
            raise SegmentIsDeleted
        if is_list(body) not in (None, stored.type is SegmentType.STATIC):
            raise InvalidSegment("type cannot change: make another segment.", field="type")
        name = read_name(body) if body.get("name") is not None else stored.name
        purpose = read_purpose(body) if "purpose" in body else stored.purpose
        tags = read_tags(body) if "tags" in body else stored.tags
        if stored.type is SegmentType.STATIC:
            if body.get("condition") is not None or body.get("exclude") is not None:
                raise SegmentHasNoCondition
            await self._rename_list(account_id, segment_id, name, purpose, tags)
            return []
        fields = await self._definitions.read(account_id)
        known = await self.nameable(account_id)
        sides = {
            "condition": stored.condition if body.get("condition") is None else body["condition"],
            "exclude": body.get("exclude", stored.exclude),
        }
        zone = await self.zone(account_id)
        tests = read_sides(sides, context_of(fields, known, zone, segment_id))
        definition = definition_of(name, tests, zone, purpose, tags)
        changed = [(segment_id, definition)]
        if definition.resolved != stored.resolved:
            own = Nameable(
                segment_id, name, definition.resolved, definition.condition, definition.exclude
            )
            changed += [(one.id, _again(one)) for one in resolve_again(own, known, fields, zone)]
        else:
            changed = []

        async def work(tx: Transaction) -> list[int]:
            at = self._clock.now()
            ((named), ((contacts,),)) = await tx.run(
                call("name_segment", account_id, segment_id=segment_id, **_columns(definition)),
                call("count_contacts", account_id),
            )
            if not named:
                raise SegmentNotFound
            made: list[int] = []
            for id_, one in changed:
                _, ((version_id,),) = await tx.run(
                    call("retire_versions", account_id, segment_id=id_, all=False),
                    call("add_version", account_id, **_version(id_, one, contacts, at)),
                )
                made.append(version_id)
            if changed:
                await tx.run(keep_version(account_id, segment_id, definition, who, at))
            return made

        made: list[int] = await change_definitions(self._database, account_id, work, epoch=epoch)
        return made

    async def _rename_list(
        self, account_id: int, segment_id: int, name: str, purpose: str, tags: tuple[str, ...]
    ) -> None:
        try:
            await self._database.fetch_one(
                QUERIES["name_segment"],
                account_id=account_id,
                segment_id=segment_id,
                name=name,
                purpose=purpose,
                tags=pg_array(tags),
                type=SegmentType.STATIC,
            )
        except UniqueViolation:
            raise SegmentNameTaken from None

    async def delete(self, account_id: int, segment_id: int, *, remove_contacts: bool) -> None:
        """Delete the segment; with `remove_contacts` jobs remove its contacts first (restorable).

        Raises `SegmentNotFound` and `SegmentInUse`.
        """
        await _insist(lambda: self._delete(account_id, segment_id, remove_contacts))
        await self._ring()

    async def _delete(self, account_id: int, segment_id: int, remove_contacts: bool) -> None:
        epoch = await read_epoch(self._database, account_id)
        stored = await self._segments.stored(account_id, segment_id)
        known = await self.nameable(account_id)
        users = [one for one in known.values() if _names(one, segment_id)]
        if users:
            raise SegmentInUse(segments=[one.id for one in users])
        if not remove_contacts:
            kind = stored.type
            await delete_segment(self._database, account_id, segment_id, kind, epoch=epoch)
            return

        async def work(tx: Transaction) -> None:
            params = {"segment_id": segment_id, "leaving": "remove"}
            await tx.run(call("leave_segment_to_jobs", account_id, **params))

        await change_definitions(self._database, account_id, work, epoch=epoch)

    async def snapshot(self, account_id: int, segment_id: int, body: Mapping[str, Any]) -> int:
        """A new list of who is in the segment now; its id. Raises what `add_list` raises."""
        stored = await self._segments.stored(account_id, segment_id)
        if stored.type is SegmentType.STATIC:
            raise SegmentHasNoCondition(
                "A list is a list already: only segments are copied to one."
            )
        if stored.version_id is None:
            raise SegmentNotReady
        list_id = await self.add_list(account_id, body)
        after: int | None = 0
        at = self._clock.now()
        while after is not None:
            row = await self._database.fetch_one(
                WALKING["snapshot_members"],
                account_id=account_id,
                segment_id=list_id,
                version_id=stored.version_id,
                after=after,
                at=at,
            )
            after = None if row is None else row[0]
        return list_id

    async def _begin(self, account_id: int, versions: list[int]) -> None:
        """Fill for as long as somebody may wait; the jobs go on."""
        for version_id in versions:
            if not await self._filling.advance(account_id, version_id, FILL_AT_ONCE_S):
                break
        await self._ring()

    async def _ring(self) -> None:
        await self._database.execute(f"notify {CHANNEL}")


async def _insist(work: Callable[[], Awaitable[Result]]) -> Result:
    """Think it out again while others change segments meanwhile."""
    for _ in range(MOST_TRIES):
        try:
            return await work()
        except DefinitionsChanged:
            continue
    raise DatabaseUnavailable("Too many others change segments; try again in a moment.")


async def delete_segment(
    database: Database,
    account_id: int,
    segment_id: int,
    kind: SegmentType,
    *,
    epoch: int | None = None,
) -> None:
    """The segment goes now; jobs take its versions away. `epoch`: as in `change_definitions`."""

    async def work(tx: Transaction) -> None:
        await tx.run(
            call("retire_versions", account_id, segment_id=segment_id, all=True),
            call("delete_segment", account_id, segment_id=segment_id, at=Clock().now()),
            forget_versions(account_id, segment_id),
        )

    await change_definitions(database, account_id, work, epoch=epoch)
    if kind is SegmentType.STATIC:
        await database.execute(
            QUERIES["delete_list_members"], account_id=account_id, segment_id=segment_id
        )


def _names(one: Nameable, segment_id: int) -> bool:
    return one.id != segment_id and mentions(one.resolved, segment_id)


def _again(one: Nameable) -> Definition:
    assert one.condition is not None
    assert one.resolved is not None
    return Definition(one.name, one.condition, one.exclude, one.resolved)


def _columns(one: Definition) -> dict[str, Any]:
    return {
        "name": one.name,
        "type": one.type.value,
        "purpose": one.purpose,
        "tags": pg_array(one.tags),
    }


def _version(segment_id: int, one: Definition, expected: int, at: datetime) -> dict[str, Any]:
    return {
        "segment_id": segment_id,
        "condition": _encode(one.condition).decode(),
        "exclude": None if one.exclude is None else _encode(one.exclude).decode(),
        "resolved": _encode(one.resolved).decode(),
        "expected": expected,
        "at": at,
    }
