"""Keeps segments exact: what a batch changes decides, in its own transaction, who is in which (D31).

Of segments that read nothing but the card, old membership is `holds_for(old card)` and new is
`holds_for(new card)`: nothing is read, and only flips are written (design/engine.md). Of all others one
statement a segment asks for the contacts that changed in something that it reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeAlias

import msgspec

from kartoteka.db.arrays import PgArray, pg_array
from kartoteka.db.database import Row
from kartoteka.db.named import Query, load_queries
from kartoteka.db.transaction import Call, Transaction
from kartoteka.identity.model import Status
from kartoteka.identity.store import columns
from kartoteka.identity.working_set import WorkingSet
from kartoteka.segments.changed import BIT, COLUMNS, SHOWN, Changes, changes_of, mask_of
from kartoteka.segments.conditions.base import ACTIVITY, LISTS
from kartoteka.segments.evaluating import Version, version_of
from kartoteka.segments.model import Kind, State
from kartoteka.segments.quick import Quick, quick
from kartoteka.segments.whose import touched_by

QUERIES = load_queries(__package__, "watch.sql")
_TOLD = ("kind", "contact_id", "segment_id", "other_id")
_MOST_MASKS = 1_000
Flip: TypeAlias = tuple[int, int]
"""(version id, contact id)"""
Told: TypeAlias = tuple[int, int, int | None, int | None]
"""(kind, contact id, segment id, other id)"""


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
    by_mask: dict[int, tuple[Watched, ...]] = {}
    """Remembered: most cards of a batch change in the same columns."""

    @property
    def asked(self) -> list[Watched]:
        """Those that only SQL can answer."""
        return [one for one in self.watched if not one.is_plain]

    def plain(self, mask: int) -> tuple[Watched, ...]:
        """Those that read nothing but the card, and something of what changed."""
        found = self.by_mask.get(mask)
        if found is None:
            if len(self.by_mask) >= _MOST_MASKS:
                self.by_mask.clear()
            found = tuple(one for one in self.watched if one.is_plain and one.mask & mask)
            self.by_mask[mask] = found
        return found


class Flips(msgspec.Struct):
    """What plain segments come to in one batch."""

    entered: list[Flip] = []
    left: list[Flip] = []
    marked: list[tuple[int, int, bool]] = []
    told: list[Told] = []

    def add(self, version: Version, contact_id: int, is_in: bool) -> None:
        """It changes sides; of a version that serves that is told."""
        (self.entered if is_in else self.left).append((version.version_id, contact_id))
        if version.state is State.SERVING:
            kind = Kind.ENTERED if is_in else Kind.LEFT
            self.told.append((kind, contact_id, version.segment_id, None))


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
        for one in known.asked:
            ids = [contact_id for contact_id, mask in changes.masks.items() if mask & one.mask]
            if ids or (owners is not None and one.version.reads_activity):
                params = one.version.params(
                    ids=pg_array(ids), owners=owners or pg_array([]), at=at, now=at
                )
                calls.append((one.settle, params))
        flips = flips_of(known, changes)
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


def flips_of(known: Definitions, changes: Changes) -> Flips:
    """What the segments that read the card alone come to: nothing is read."""
    flips = Flips()
    for contact_id, after in changes.after.items():
        concerned = known.plain(changes.masks[contact_id])
        if not concerned:
            continue
        card, before = after.card, changes.before.get(contact_id)
        is_live = card.status == Status.LIVE
        if before is not None and before.card.status != Status.LIVE:
            before = None
        for one in concerned:
            is_in = is_live and one.holds(after, card)
            if one.version.is_filling:
                flips.marked.append((one.version.version_id, contact_id, is_in))
            elif is_in is not (before is not None and one.holds(before, before.card)):
                flips.add(one.version, contact_id, is_in)
    return flips


def cards_told(changes: Changes) -> list[Told]:
    """What to tell of the cards themselves: created, updated, merged or removed.

    Who comes back out of a merged card is told as updated, with the card that it was part of.
    """
    told: list[Told] = []
    for contact_id, subject in changes.after.items():
        card, before = subject.card, changes.before.get(contact_id)
        was = Status.MERGED if before is None else before.card.status
        if card.status == Status.LIVE:
            if before is None:
                told.append((Kind.CREATED, contact_id, None, None))
            elif changes.masks[contact_id] & SHOWN:
                told.append((Kind.UPDATED, contact_id, None, before.card.merged_into))
        elif card.status == Status.MERGED:
            if before is not None and was != Status.MERGED:
                told.append((Kind.MERGED, contact_id, None, card.merged_into))
        elif was in (Status.LIVE, Status.REMOVED) and was != card.status:
            told.append((Kind.REMOVED, contact_id, None, None))
    return told


def _written(account_id: int, flips: Flips, at: datetime) -> list[Call]:
    account: dict[str, Any] = {"account_id": account_id, "at": at}
    calls: list[Call] = []
    if flips.left or flips.entered or flips.told:
        params = {
            **_turned(("left", "who_left"), sorted(flips.left)),
            **_turned(("entered", "who_entered"), sorted(flips.entered)),
            **_turned(_TOLD, flips.told),
        }
        calls.append((QUERIES["flip_segments"], {**account, **params}))
    if flips.marked:
        names = ("version_id", "contact_id", "holds")
        calls.append(
            (QUERIES["mark_segments"], {**account, **columns(names, sorted(flips.marked))})
        )
    return calls


def _turned(names: Sequence[str], rows: Sequence[tuple[int | None, ...]]) -> dict[str, Any]:
    return columns(names, rows) if rows else dict.fromkeys(names, pg_array([]))
