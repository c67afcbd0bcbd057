"""Keeps segments exact: what a batch changes decides, in its own transaction, who is in which (D31).

Of segments that read nothing but the card, old membership is `holds_for(old card)` and new is
`holds_for(new card)`: nothing is read, and only flips are written (design/engine.md). Of all others one
statement a segment asks for the contacts that changed in something that it reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from kartoteka.db.arrays import PgArray, pg_array
from kartoteka.db.database import Row
from kartoteka.db.named import Query, load_queries
from kartoteka.db.transaction import Call, Transaction
from kartoteka.identity.model import Status
from kartoteka.identity.store import columns
from kartoteka.identity.working_set import WorkingSet
from kartoteka.segments.changed import BIT, COLUMNS, Changes, changes_of, mask_of
from kartoteka.segments.conditions.base import ACTIVITY, LISTS
from kartoteka.segments.evaluating import Version, version_of
from kartoteka.segments.model import Kind, State
from kartoteka.segments.quick import Quick, quick
from kartoteka.segments.whose import touched_by

QUERIES = load_queries(__package__, "watch.sql")
_TOLD = ("kind", "contact_id", "segment_id", "other_id")
Flip = tuple[int, int]
"""(version id, contact id)"""


class Watched(msgspec.Struct, frozen=True, eq=False):
    """A version as the writer needs it."""

    version: Version
    mask: int
    is_plain: bool
    """It reads the card alone, and no clock."""
    settle: Query
    holds: Quick


class Definitions(msgspec.Struct, frozen=True, eq=False):
    """All versions of an account, as of one epoch."""

    epoch: int
    watched: tuple[Watched, ...]
    has_webhook: bool


class Flips(msgspec.Struct):
    """What plain segments come to in one batch."""

    entered: list[Flip] = []
    left: list[Flip] = []
    marked: list[tuple[int, int, bool]] = []
    told: list[tuple[int, int, int | None, int | None]] = []


class SegmentWatch:
    """One for each engine; the definitions of an account are read when its epoch is another."""

    def __init__(self) -> None:
        self._known: dict[int, Definitions] = {}

    def reads(self, account_id: int) -> Sequence[Call]:
        return [(QUERIES["segment_epoch"], {"account_id": account_id})]

    async def changes(
        self, tx: Transaction, ws: WorkingSet, rows: Sequence[list[Row]], at: datetime
    ) -> list[Call]:
        epoch = rows[0][0][0] if rows[0] else 0
        known = await self._definitions(tx, ws.account_id, epoch)
        account = {"account_id": ws.account_id}
        held: list[Call] = [
            (QUERIES["enter_segment_gate"], account),
            (QUERIES["hold_segment_epoch"], account),
        ]
        if not known.watched and not known.has_webhook:
            return held
        emptied = await self._emptied(tx, ws, known)
        owners, active = await self._active(tx, ws, known)
        changes = changes_of(ws, {**active, **emptied}, at)
        calls: list[Call] = []
        if owners or active:
            named = {"ids": pg_array(sorted(active)), "owners": owners}
            calls.append((QUERIES["touch_active"], {**account, **named}))
        if emptied:  # nobody touched these cards, and somebody may be changing them at this moment
            touched = pg_array(sorted(emptied))
            calls.append((QUERIES["touch_emptied"], {**account, "ids": touched}))
        flips = Flips()
        for one in known.watched:
            ids = [contact_id for contact_id, mask in changes.masks.items() if mask & one.mask]
            if not ids and (owners is None or not one.version.reads_activity):
                continue
            if one.is_plain:
                _flip(one, ids, changes, flips)
            else:
                params = one.version.params(
                    ids=pg_array(ids), owners=owners or pg_array([]), at=at, now=at
                )
                calls.append((one.settle, params))
        if known.has_webhook:
            flips.told += cards_told(changes)
        return [*_written(ws.account_id, flips, at), *calls, *held]

    async def _definitions(self, tx: Transaction, account_id: int, epoch: int) -> Definitions:
        known = self._known.get(account_id)
        if known is None or known.epoch != epoch:
            known = await read_definitions(tx, account_id, epoch)
            self._known[account_id] = known
        return known

    async def _active(
        self, tx: Transaction, ws: WorkingSet, known: Definitions
    ) -> tuple[PgArray | None, dict[int, int]]:
        """(owners of what is written, contacts whose activity it is now or that are named).

        Nobody may have touched their cards: visits change no card.
        """
        touched = touched_by(ws)
        if not touched or not any(one.mask & BIT[ACTIVITY] for one in known.watched):
            return None, {}
        owners = pg_array(sorted(touched.owners))
        (found,) = await tx.run(
            (QUERIES["contacts_of_owners"], {"account_id": ws.account_id, "owners": owners})
        )
        ids = touched.contacts | {contact_id for (contact_id,) in found}
        return owners, dict.fromkeys(ids, BIT[ACTIVITY])

    async def _emptied(self, tx: Transaction, ws: WorkingSet, known: Definitions) -> dict[int, int]:
        """Contacts that leave a list because it is emptied: nobody names them."""
        rows = ws.effects.get("empty_list")
        if not rows or not any(one.mask & BIT[LISTS] for one in known.watched):
            return {}
        params = columns(("segment_id", "first", "last"), rows)
        (found,) = await tx.run(
            (QUERIES["members_in_range"], {"account_id": ws.account_id, **params})
        )
        return {contact_id: BIT[LISTS] for (contact_id,) in found}


async def read_definitions(tx: Transaction, account_id: int, epoch: int) -> Definitions:
    """What the snapshot of this transaction has."""
    account = {"account_id": account_id}
    versions, ((has_webhook,),) = await tx.run(
        (QUERIES["watched_versions"], account), (QUERIES["has_webhook"], account)
    )
    return Definitions(
        epoch, tuple(_watched(version_of(account_id, *row)) for row in versions), has_webhook
    )


def _watched(version: Version) -> Watched:
    reads = version.test.reads
    is_plain = reads <= COLUMNS and not version.test.is_timed
    return Watched(version, mask_of(reads), is_plain, version.settle(), quick(version.test))


def _flip(one: Watched, ids: Iterable[int], changes: Changes, flips: Flips) -> None:
    version, holds = one.version, one.holds
    for contact_id in ids:
        after = changes.after.get(contact_id)
        if after is None:  # an identifier or list of a card that itself stayed: nothing plain
            continue
        is_in = after.card.status == Status.LIVE and holds(after)
        if version.is_filling:
            flips.marked.append((version.version_id, contact_id, is_in))
            continue
        before = changes.before.get(contact_id)
        was_in = before is not None and before.card.status == Status.LIVE and holds(before)
        if is_in is was_in:
            continue
        (flips.entered if is_in else flips.left).append((version.version_id, contact_id))
        if version.state is State.SERVING:
            kind = Kind.ENTERED if is_in else Kind.LEFT
            flips.told.append((kind, contact_id, version.segment_id, None))


def cards_told(changes: Changes) -> list[tuple[int, int, int | None, int | None]]:
    """What to tell of the cards themselves: created, updated, merged or removed."""
    told: list[tuple[int, int, int | None, int | None]] = []
    for contact_id, subject in changes.after.items():
        card, before = subject.card, changes.before.get(contact_id)
        was = Status.MERGED if before is None else before.card.status
        if card.status == Status.LIVE:
            is_new = before is None
            if is_new or changes.masks[contact_id]:
                told.append((Kind.CREATED if is_new else Kind.UPDATED, contact_id, None, None))
        elif card.status == Status.MERGED:
            if before is not None and was != Status.MERGED:
                told.append((Kind.MERGED, contact_id, None, card.merged_into))
        elif was in (Status.LIVE, Status.REMOVED) and was != card.status:
            told.append((Kind.REMOVED, contact_id, None, None))
    return told


def _written(account_id: int, flips: Flips, at: datetime) -> list[Call]:
    calls: list[Call] = []

    def add(name: str, **params: Any) -> None:
        calls.append((QUERIES[name], {"account_id": account_id, **params}))

    names = ("version_id", "contact_id")
    if flips.left:
        add("leave_segments", **columns(names, sorted(flips.left)))
    if flips.entered:
        add("enter_segments", at=at, **columns(names, sorted(flips.entered)))
    if flipped := {contact_id for _, contact_id in (*flips.left, *flips.entered)}:
        add("note_flips", at=at, contact_id=pg_array(sorted(flipped)))
    if flips.marked:
        add("mark_segments", at=at, **columns((*names, "holds"), sorted(flips.marked)))
    if flips.told:
        add("tell_happenings", at=at, **columns(_TOLD, flips.told))
    return calls
