"""Reads cards and identifiers into a `WorkingSet`: what commands name, then what rules miss."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from kartoteka.db.arrays import pg_array
from kartoteka.db.named import Query
from kartoteka.db.transaction import Call, Transaction
from kartoteka.identity.model import QUARANTINED, Key, Merge
from kartoteka.identity.policies import LASTING
from kartoteka.identity.store import QUERIES, Digest, hex_bytes
from kartoteka.identity.working_set import Missing, WorkingSet

FEW = 4
"""A batch of at most this many commands saves a round trip rather than work."""


class Reader(msgspec.Struct, frozen=True):
    """Reads facts of one name for the rules of another capability: `WorkingSet.fact`."""

    ask: Callable[[list[Any], bool], tuple[Query, dict[str, Any]]]
    """(keys, whether to lock) to the statement; the account is added."""
    take: Callable[[list[tuple[Any, ...]]], dict[Any, Any]]
    """Its rows to what was found for each key."""
    foresee: Callable[[Sequence[Any], Mapping[Any, Any]], Missing] | None = None
    """(keys, what was found) to what the rules will ask for next: it comes along, for all at once."""


class Loader:
    """Brings into the working set what commands name, in few round trips."""

    def __init__(
        self,
        tx: Transaction,
        ws: WorkingSet,
        digest: Digest,
        readers: Mapping[str, Reader] = {},
        *,
        locks: bool = True,
    ) -> None:
        """`locks` False: cards are only read, for what is never written."""
        self._readers = readers
        self._lock_cards = "lock_cards" if locks else "read_cards"
        self._locks = locks
        self.tx = tx
        self.ws = ws
        self.digest = digest
        self._hashed: dict[bytes, Key] = {}

    async def first(
        self,
        wanted: Sequence[tuple[Sequence[Key], Sequence[int]]],
        *extra: Call,
        facts: Iterable[tuple[str, Any]] = (),
    ) -> list[list[tuple[Any, ...]]]:
        """Load for a batch: (keys, contact ids) of each command. Rows of the extra statements."""
        asked = self._facts(facts)
        extra = (*[call for _, _, call in asked], *extra)
        keys = {key for named, _ in wanted for key in named}
        ids = {contact_id for _, named in wanted for contact_id in named}
        if fields := {key for key in keys if key[0] <= 0}:
            keys -= fields
            await self._look_up(fields)
        rows: list[list[tuple[Any, ...]]] = []
        refusal = self._call("any_refusal")
        if self._locks and 0 < len(wanted) <= FEW:
            found, locked, ((refused,),), *rows = await self.tx.run(
                *self._find_and_lock(keys, ids), refusal, *extra
            )
            self.ws.refuses_nothing = not refused
            self.ws.load_keys(keys, found)
            self.ws.load_cards(ids.union(row[0] for row in locked), locked)
        elif keys:
            found, ((refused,),), *rows = await self.tx.run(self._find(keys), refusal, *extra)
            self.ws.refuses_nothing = not refused
            self.ws.load_keys(keys, found)
        elif extra:
            rows = await self.tx.run(*extra)
        need = _foresee(self.ws, [named for named, _ in wanted], ids)
        for name, fact_keys, _ in asked:
            found_facts = self._take_facts(name, fact_keys, rows.pop(0))
            if (foresee := self._readers[name].foresee) is not None:
                more = foresee(fact_keys, found_facts)
                need.cards |= more.cards
                need.addresses |= more.addresses
        need.cards = {contact_id for contact_id in need.cards if not self.ws.is_asked(contact_id)}
        await self.load(need)
        return rows

    def _find_and_lock(self, keys: Iterable[Key], ids: Iterable[int]) -> tuple[Call, Call]:
        """Identifiers and their cards in one round trip: looked up twice, which only pays for a few
        commands, whose time is the waiting for answers."""
        find, params = self._find(keys)
        return (find, params), (
            QUERIES["lock_holders"],
            {**params, "ids": pg_array(sorted(ids))},
        )

    async def load(self, missing: Missing) -> None:
        """Load what is named; asking for a whole card reads its lists too."""
        await self._load_beside(missing)
        if self.ws.refuses_nothing:
            missing.addresses.clear()
        calls: list[Call] = []
        if missing.keys:
            calls.append(self._find(missing.keys))
        if missing.cards:
            calls.append(self._call(self._lock_cards, ids=pg_array(sorted(missing.cards))))
        if missing.whole:
            ids = pg_array(list(missing.whole))
            calls += [
                self._call(name, ids=ids) for name in ("identifiers_of", "lists_of", "apart_of")
            ]
        if missing.addresses:
            calls += self._addresses(missing.addresses)
        asked = self._facts(missing.facts)
        calls += [call for _, _, call in asked]
        if not calls:
            return
        results = iter(await self.tx.run(*calls))
        if missing.keys:
            self.ws.load_keys(missing.keys, next(results))
        if missing.cards:
            self.ws.load_cards(missing.cards, next(results))
        if missing.whole:
            self.ws.load_whole(missing.whole, *(next(results) for _ in range(3)))
        if missing.addresses:
            self._take_addresses(missing.addresses, next(results), next(results))
        for name, keys, _ in asked:
            self._take_facts(name, keys, next(results))

    def _facts(self, wanted: Iterable[tuple[str, Any]]) -> list[tuple[str, list[Any], Call]]:
        """(name, keys, statement) for each reader that is asked."""
        by_name: dict[str, dict[Any, None]] = {}
        for name, key in wanted:
            by_name.setdefault(name, {})[key] = None
        asked: list[tuple[str, list[Any], Call]] = []
        for name, keys in by_name.items():
            ordered = list(keys)
            query, params = self._readers[name].ask(ordered, self._locks)
            asked.append((name, ordered, (query, {"account_id": self.ws.account_id, **params})))
        return asked

    def _take_facts(
        self, name: str, keys: list[Any], rows: list[tuple[Any, ...]]
    ) -> Mapping[Any, Any]:
        found = self._readers[name].take(rows)
        self.ws.load_facts(name, keys, found)
        return found

    async def _load_beside(self, missing: Missing) -> None:
        """What needs statements of its own."""
        if fields := {key for key in missing.keys if key[0] <= 0}:
            missing.keys -= fields
            await self._look_up(fields)
        for merge_id in missing.merges:
            await self._load_merge(merge_id)

    async def _load_merge(self, merge_id: int) -> None:
        """A merge, and all that happened to its survivor since; for an undo only."""
        names = ("merge", "later_merges", "absorbed_by", "words_since", "lost_since")
        found, later, absorbed, words, lost = await self.tx.run(
            *(self._call(name, merge_id=merge_id) for name in names)
        )
        merge = None
        if found:
            merge_id, survivor_id, absorbed_id, snapshot, undone = found[0]
            merge = Merge(
                merge_id,
                survivor_id,
                absorbed_id,
                snapshot,
                undone,
                [one for (one,) in later],
                [one for (one,) in absorbed],
                [(row[0], row[1], row[2], row[3], row[4], row[5]) for row in words],
                [(row[0], row[1], row[2], row[3]) for row in lost],
            )
        self.ws.load_merge(merge_id, merge)

    async def _look_up(self, keys: Iterable[Key]) -> None:
        """Contacts by contact key and by custom fields: an index that only bitmap scans can read,
        which the writer's connections forbid otherwise."""
        ordered = list(keys)
        named = {
            "fields": pg_array([-field for field, _ in ordered]),
            "values": pg_array([value for _, value in ordered]),
        }
        allow = self._call("allow_bitmap_scan", allowed="on", others="off")
        forbid = self._call("allow_bitmap_scan", allowed="off", others="on")
        found = await self.tx.run(allow, self._call("find_by_field", **named), forbid)
        by_key = await self.tx.run(self._call("find_by_contact_key", **named))
        self.ws.load_found(ordered, [*found[1], *by_key[0]])

    def _find(self, keys: Iterable[Key]) -> Call:
        ordered = list(keys)
        return self._call(
            "find_identifiers",
            kinds=pg_array([kind for kind, _ in ordered]),
            keys=pg_array([text for _, text in ordered]),
        )

    def _addresses(self, keys: Iterable[Key]) -> list[Call]:
        ordered = list(keys)
        kinds = pg_array([kind for kind, _ in ordered])
        self._hashed = {self.digest(self.ws.account_id, key): key for key in ordered}
        digests = [hex_bytes(digest) for digest in self._hashed]
        return [
            self._call("find_refusals", kinds=kinds, keys=pg_array([text for _, text in ordered])),
            self._call("find_suppressions", kinds=kinds, digests=pg_array(digests)),
        ]

    def _take_addresses(
        self,
        keys: set[Key],
        refusals: list[tuple[Any, ...]],
        suppressed: list[tuple[Any, ...]],
    ) -> None:
        named = [
            (self._hashed[bytes(digest)], contact_id, refusal, erased_at)
            for _, digest, contact_id, refusal, erased_at in suppressed
        ]
        self.ws.load_addresses(keys, refusals, named)

    def _call(self, name: str, **params: Any) -> Call:
        return QUERIES[name], {"account_id": self.ws.account_id, **params}


def _foresee(ws: WorkingSet, named: Sequence[Sequence[Key]], ids: set[int]) -> Missing:
    """What the rules will ask for, so that it comes in one round trip: a command whose keys all
    stand on one and the same card needs that card only (design/engine.md: *plain*)."""
    need = Missing(cards=ids)
    refuses = not ws.refuses_nothing
    for keys in named:
        owners: set[int] = set()
        plain = True
        for key in keys:
            if key[0] <= 0:
                owners |= ws.found_by(key)
            elif held := ws.rows_of(key):
                plain = plain and len(held) == 1
                owners.update([one.contact_id for one in held.values()])
            else:
                plain = False
        if owners:
            owners.discard(QUARANTINED)
            need.cards |= owners
            if plain and len(owners) == 1:
                continue
        if refuses:
            need.addresses.update([key for key in keys if key[0] in LASTING])
        if len(owners) > 1:
            need.whole.update(owners)
    return need
