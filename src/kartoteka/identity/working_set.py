"""The cards and identifiers that a batch works on, in memory; the difference is what gets written.

Rules read it and change it; they never meet the database. Whatever a rule asks for that has not been
loaded raises `Missing`: the engine loads it and asks the rule again, so a rule asks before it changes.

An identifier that nobody's card has, but for which something waits (a visitor's history, a claim), is a
row with the negative id of its span. No rule sees these *stubs*: who gets the identifier takes their
place (`hold`), and the effect `came` says so (docs/decisions/0014).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from kartoteka.identity.hashed import Digest, shortened, unkeyed
from kartoteka.identity.kinds.key import value_key
from kartoteka.identity.model import Card, Held, Identifier, Key, Merge, Settings, Status
from kartoteka.identity.policies import EXCLUSIVE

MOST_ROWS_READ = 1000
"""As many rows of one value as `find_identifiers` reads; an office's address may have more."""
_MOST_ORDINALS = 2**31 - 1

RowKey = tuple[int, str, int]
ChangedRows = tuple[list[RowKey], list[Held], list[Held]]
astuple = msgspec.structs.astuple


class Missing(Exception):
    """A rule needs something that is not loaded yet; nothing has been changed."""

    def __init__(
        self,
        *,
        keys: Iterable[Key] = (),
        cards: Iterable[int] = (),
        whole: Iterable[int] = (),
        addresses: Iterable[Key] = (),
        merges: Iterable[int] = (),
        facts: Iterable[tuple[str, Any]] = (),
    ) -> None:
        super().__init__("not loaded")
        self.keys = set(keys)
        self.cards = set(cards)
        self.whole = set(whole)
        self.addresses = set(addresses)
        self.merges = set(merges)
        self.facts = set(facts)


class WorkingSet:
    """What one transaction has read and will write, for one account."""

    def __init__(
        self,
        account_id: int,
        settings: Settings,
        new_id: Callable[[], int],
        digest: Digest = unkeyed,
    ) -> None:
        self.account_id = account_id
        self.digest = digest
        self.settings = settings
        self.new_id = new_id
        self.cards: dict[int, Card] = {}
        self.rows: dict[RowKey, Held] = {}
        self.lists: dict[int, set[int]] = {}
        self.refusals: dict[Key, int] = {}
        self.suppressed: dict[Key, list[tuple[int, int | None]]] = {}
        self.refuses_nothing = False
        """The account had no refused address and no erased person when the transaction began."""
        self.erased_at: dict[tuple[Key, int], datetime] = {}
        """Since when the key is suppressed for that contact."""
        self.effects: dict[str, list[tuple[Any, ...]]] = {}
        self.speaking: dict[int, int] = {}
        """Of which side of a merged card the present command speaks: {card: side} (`sides.py`)."""
        self.apart: set[tuple[int, int]] = set()
        """Pairs that are not the same person, the smaller id first, of cards that are whole and of
        those that were merged into them."""
        self._survivors: dict[int, int] = {}
        """For ids in such pairs: the card that they are part of, as it was when they were loaded."""
        self.merges: dict[int, Merge | None] = {}
        self._facts: dict[str, dict[Any, Any]] = {}
        self._stubs: dict[Key, Held] = {}
        self._new_stubs: dict[Key, Held] = {}
        self._loaded_cards: dict[int, tuple[Any, ...]] = {}
        self._loaded_rows: dict[RowKey, tuple[Any, ...]] = {}
        self._by_key: dict[Key, dict[RowKey, Held]] = {}
        self._known_keys: set[Key] = set()
        self._by_card: dict[int, dict[RowKey, Held]] = {}
        self._whole: set[int] = set()
        self._asked_cards: set[int] = set()
        self._known_addresses: set[Key] = set()
        self._found: dict[Key, set[int]] = {}
        self._touched: set[int] = set()
        self.written: tuple[ChangedRows, list[Card], list[Card]] | None = None
        """The difference that is written, once it is known: rows, new cards, changed cards."""
        self._joined: set[tuple[int, int]] = set()

    def short_hash(self, key: Key) -> int:
        """Stands for an identifier where its value must not be kept (D29)."""
        return shortened(self.digest(self.account_id, key))

    # Loading: only the engine calls these.

    def load_keys(self, keys: Iterable[Key], rows: Iterable[tuple[Any, ...]]) -> None:
        self._known_keys.update(keys)
        for row in rows:
            self._load_row(row)

    def load_found(self, keys: Iterable[Key], rows: Iterable[tuple[int, str, int]]) -> None:
        """Contacts that have these values in fields that are no identifiers."""
        for key in keys:
            self._found.setdefault(key, set())
        for field, value, contact_id in rows:
            self._found[(-field, value)].add(contact_id)

    def load_cards(self, ids: Iterable[int], rows: Iterable[tuple[Any, ...]]) -> None:
        self._asked_cards.update(ids)
        for row in rows:
            card = Card(*row)
            self.cards[card.contact_id] = card
            self._loaded_cards[card.contact_id] = row

    def load_whole(
        self,
        ids: Iterable[int],
        rows: Iterable[tuple[Any, ...]],
        lists: Iterable[tuple[int, int]],
        apart: Iterable[tuple[int, int, int, int]] = (),
    ) -> None:
        """All identifiers and lists of these cards, and who they are not: pairs of ids, and the cards
        that these are part of; what the batch changed already stays as it is."""
        for one, other, survivor_of_one, survivor_of_other in apart:
            self._survivors[one], self._survivors[other] = survivor_of_one, survivor_of_other
            if (one, other) not in self._joined:
                self.apart.add((one, other))
        for row in rows:
            self._load_row(row)
        for contact_id, segment_id in lists:
            self.lists.setdefault(contact_id, set()).add(segment_id)
        self._whole.update(ids)

    def load_merge(self, merge_id: int, merge: Merge | None) -> None:
        self.merges[merge_id] = merge

    def load_addresses(
        self,
        keys: Iterable[Key],
        refusals: Iterable[tuple[int, str, int]],
        suppressed: Iterable[tuple[Key, int, int | None, datetime]],
    ) -> None:
        self._known_addresses.update(keys)
        for kind, text, state in refusals:
            self.refusals.setdefault((kind, text), state)
        for key, contact_id, refusal, erased_at in suppressed:
            self.suppress(key, contact_id, refusal, erased_at)

    def load_facts(self, name: str, keys: Iterable[Any], found: Mapping[Any, Any]) -> None:
        """What another capability reads for its rules; what the batch changed already stays."""
        facts = self._facts.setdefault(name, {})
        for key in keys:
            facts.setdefault(key, found.get(key))

    def _load_row(self, row: tuple[Any, ...]) -> None:
        row_key = (row[0], row[1], row[2])
        if row_key not in self._loaded_rows:
            self._loaded_rows[row_key] = row
            held = Held(*row)
            if held.contact_id < 0:
                self._stubs[held.key] = held
                return
            self._index(held)
            if row[0] in EXCLUSIVE:  # there is no other row
                self._known_keys.add((row[0], row[1]))

    def _index(self, held: Held) -> None:
        kind, text = key = held.key
        row_key = (kind, text, held.ordinal)
        self.rows[row_key] = held
        rows = self._by_key.get(key)
        if rows is None:  # nearly always: no dict is made in vain
            self._by_key[key] = {row_key: held}
        else:
            rows[row_key] = held
        rows = self._by_card.get(held.contact_id)
        if rows is None:
            self._by_card[held.contact_id] = {row_key: held}
        else:
            rows[row_key] = held

    # Asking.

    def is_known(self, key: Key) -> bool:
        """Whether all who hold it are loaded: a card that was loaded whole brings its own row only."""
        return key in self._known_keys

    def is_asked(self, contact_id: int) -> bool:
        """Whether this card was looked for, found or not."""
        return contact_id in self._asked_cards

    def is_whole(self, contact_id: int) -> bool:
        return contact_id in self._whole

    def holders(self, key: Key) -> list[Held]:
        """The rows of one identifier, smallest ordinal first.

        A whole card brings its own row of a shared value, not those of others: that is not enough.
        """
        found = self._by_key.get(key)
        if key not in self._known_keys:
            raise Missing(keys=[key])
        if not found:
            return []
        if len(found) == 1:
            return [*found.values()]
        return [found[row_key] for row_key in sorted(found)]

    def rows_of(self, key: Key) -> Mapping[RowKey, Held] | None:
        """The same rows in no order, for who counts them; nothing is copied."""
        if not self.is_known(key):
            raise Missing(keys=[key])
        return self._by_key.get(key)

    def is_stranger(self, identifiers: Iterable[Identifier]) -> bool:
        """Whether nobody holds any of these."""
        by_key, known = self._by_key, self._known_keys
        for one in identifiers:
            key = one.key
            if key not in known:
                raise Missing(keys=[key])
            if by_key.get(key):
                return False
        return True

    def stub(self, key: Key) -> int | None:
        """The span that waits for whoever gets this identifier, None if nothing waits."""
        if not self.is_known(key):
            raise Missing(keys=[key])
        stub = self._stubs.get(key)
        return None if stub is None else -stub.contact_id

    def fact(self, name: str, key: Any) -> Any:
        """What the reader of that name found for the key, None if nothing."""
        facts = self._facts.get(name)
        if facts is None or key not in facts:
            raise Missing(facts=[(name, key)])
        return facts[key]

    def known_fact(self, name: str, key: Any) -> Any:
        """The same where it may not have been asked for: None too."""
        return self._facts.get(name, {}).get(key)

    def know(self, name: str, key: Any, value: Any) -> None:
        """This batch changed a fact: the next command reads it so."""
        self._facts.setdefault(name, {})[key] = value

    def found_by(self, key: Key) -> set[int]:
        """Ids of contacts that have this value in a field that is no identifier (see `Key`)."""
        if key not in self._found:
            raise Missing(keys=[key])
        return self._found[key]

    def note_found(self, key: Key, contact_id: int) -> None:
        """This batch gave the contact that value: the next row finds it."""
        self._found.setdefault(key, set()).add(contact_id)

    def card(self, contact_id: int) -> Card:
        card = self.cards.get(contact_id)
        if card is None:
            raise Missing(cards=[contact_id])
        return card

    def known_card(self, contact_id: int) -> Card | None:
        """The card, or None if there is none of this id (it may come from a request)."""
        card = self.cards.get(contact_id)
        if card is None and contact_id not in self._asked_cards:
            raise Missing(cards=[contact_id])
        return card

    def identifiers_of(self, contact_id: int) -> list[Held]:
        """Every identifier of a card, by kind and value."""
        if contact_id not in self._whole:
            raise Missing(whole=[contact_id])
        found = self._by_card.get(contact_id, {})
        return [found[row_key] for row_key in sorted(found)]

    def row_of(self, key: Key, contact_id: int) -> Held | None:
        """The row of one identifier on one card, None where it has none."""
        if contact_id in self._whole:
            rows = self._by_card.get(contact_id, {}).values()
            return next((held for held in rows if held.key == key), None)
        rows_read = self.holders(key)
        found = next((held for held in rows_read if held.contact_id == contact_id), None)
        if found is None and len(rows_read) >= MOST_ROWS_READ:  # it may be beyond those read
            raise Missing(whole=[contact_id])
        return found

    def need_cards(self, ids: Iterable[int]) -> None:
        """Make sure that these are loaded, all at once."""
        missing = [contact_id for contact_id in ids if contact_id not in self.cards]
        if missing:
            raise Missing(cards=missing)

    def need_whole(self, ids: Iterable[int]) -> None:
        """Make sure that everything on these cards is loaded, all at once."""
        missing = [contact_id for contact_id in ids if contact_id not in self._whole]
        if missing:
            raise Missing(whole=missing)

    def lists_of(self, contact_id: int) -> set[int]:
        if contact_id not in self._whole:
            raise Missing(whole=[contact_id])
        return self.lists.get(contact_id, set())

    def need_addresses(self, keys: Iterable[Key]) -> None:
        """Make sure that refusals and suppressions of these are loaded."""
        if self.refuses_nothing:
            return
        missing = [key for key in keys if key not in self._known_addresses]
        if missing:
            raise Missing(addresses=missing)

    def are_apart(self, one: int, other: int) -> bool:
        """Whether these two, or who is part of them, are known to be different people; both are whole."""
        return bool(self.apart) and bool(self._pairs_of(one, other))

    def _pairs_of(self, one: int, other: int) -> list[tuple[int, int]]:
        both = {one, other}
        return [pair for pair in self.apart if {self._part_of(who) for who in pair} == both]

    def _part_of(self, contact_id: int) -> int:
        """The card that holds this one now, merges of this batch included."""
        card = self.cards.get(contact_id)
        if card is None:
            contact_id = self._survivors.get(contact_id, contact_id)
            card = self.cards.get(contact_id)
        while card is not None and card.status == Status.MERGED:
            contact_id = card.merged_into or 0
            card = self.cards.get(contact_id)
        return contact_id

    def merge(self, merge_id: int) -> Merge | None:
        """A merge of the history with what came after it; None if there is none of this id."""
        if merge_id not in self.merges:
            raise Missing(merges=[merge_id])
        return self.merges[merge_id]

    # Changing.

    def suppress(self, key: Key, contact_id: int, refusal: int | None, at: datetime) -> None:
        """From now on the key is known as an erased person's (decisions D29)."""
        self.suppressed.setdefault(key, []).append((contact_id, refusal))
        self.erased_at[(key, contact_id)] = at

    def create(self, card: Card) -> Card:
        self.cards[card.contact_id] = card
        self._whole.add(card.contact_id)
        return card

    def hold(self, held: Held) -> Held:
        """Put a new identifier on a card; a shareable one gets the first free ordinal.

        Where not all rows are read, nobody knows which is free: one of the contact's own, far above.
        What waited for it is told of in the effect `came`.
        """
        key = held.key
        if self._stubs.pop(key, None) is not None:
            self._new_stubs.pop(key, None)
            side = self.speaking.get(held.contact_id, held.contact_id)
            self.effect("came", *key, side, held.since, held.rule)
        ordinal = 0
        if taken := self._by_key.get(key):
            while (*key, ordinal) in taken:
                ordinal += 1
            if ordinal >= MOST_ROWS_READ:
                ordinal = MOST_ROWS_READ + held.contact_id % (_MOST_ORDINALS - MOST_ROWS_READ)
        held.ordinal = ordinal
        held.home = self._home_on(held.contact_id)
        self._index(held)
        return held

    def _home_on(self, contact_id: int) -> int | None:
        """The side that an identifier joins which the present command puts on this card."""
        side = self.speaking.get(contact_id)
        return None if side == contact_id else side

    def wait(self, stub: Held) -> None:
        """Put a stub where nobody has the identifier: `contact_id` is minus the id of its span."""
        ordinal = 0
        while (stub.kind, stub.value_key, ordinal) in self.rows:
            ordinal += 1
        stub.ordinal = ordinal
        self._stubs[stub.key] = self._new_stubs[stub.key] = stub

    def forget(self, key: Key) -> None:
        """Take the stub of this identifier away: nothing waits for it any more."""
        self._stubs.pop(key, None)
        self._new_stubs.pop(key, None)

    def release(self, held: Held) -> None:
        row_key = held.row_key
        del self.rows[row_key]
        del self._by_key[held.key][row_key]
        del self._by_card[held.contact_id][row_key]

    def reassign(self, held: Held, contact_id: int) -> None:
        """Move a row to another card as it is."""
        del self._by_card[held.contact_id][held.row_key]
        held.contact_id = contact_id
        held.home = self._home_on(contact_id)
        self._by_card.setdefault(contact_id, {})[held.row_key] = held

    def keep_apart(self, one: int, other: int, *row: Any) -> None:
        """These two are not the same person: `row` says when, why and who said so."""
        pair = (min(one, other), max(one, other))
        self._joined.discard(pair)
        self.apart.add(pair)
        self.take_back("join", *pair)
        self.effect("apart", *pair, *row)

    def join(self, one: int, other: int) -> None:
        """They are the same person after all."""
        for pair in self._pairs_of(one, other):
            self.apart.discard(pair)
            self._joined.add(pair)
            self.take_back("apart", *pair)
            self.effect("join", *pair)

    def touch(self, contact_id: int) -> None:
        """Write the card even if it stays as it is: something that belongs to it changes.

        Who waits for its lock and decides on what it read before must run again (design/engine.md).
        """
        self._touched.add(contact_id)

    def effect(self, name: str, *row: Any) -> None:
        """Something else that this transaction writes: a row for the writer of that name."""
        self.effects.setdefault(name, []).append(row)

    def take_back(self, name: str, *start: Any) -> bool:
        """Drop effects of this batch whose row begins so; whether there were any."""
        rows = self.effects.get(name, [])
        kept = [row for row in rows if row[: len(start)] != start]
        if len(kept) == len(rows):
            return False
        self.effects[name] = kept
        return True

    # The difference.

    def changed_cards(self, rows: ChangedRows | None = None) -> tuple[list[Card], list[Card]]:
        """(new, changed) cards. Every identity change writes the cards it involves (`touch`)."""
        deleted, inserted, updated = rows or self.changed_rows()
        touched = {self._loaded_rows[row_key][3] for row_key in deleted}
        touched.update(held.contact_id for held in (*inserted, *updated))
        touched |= self._touched
        new: list[Card] = []
        changed: list[Card] = []
        for contact_id, card in self.cards.items():
            before = self._loaded_cards.get(contact_id)
            if before is None:
                new.append(card)
            elif contact_id in touched or before != astuple(card):
                changed.append(card)
        return new, changed

    def changed_rows(self) -> ChangedRows:
        """(deleted row keys, inserted, updated in place); a move is a delete and an insert."""
        deleted: list[RowKey] = []
        inserted: list[Held] = []
        updated: list[Held] = []
        for row_key, before in self._loaded_rows.items():
            held = self.rows.get(row_key)
            if held is None and before[3] < 0:
                held = self._stubs.get((row_key[0], row_key[1]))
            if held is None or held.contact_id != before[3]:
                deleted.append(row_key)
        inserted += self._new_stubs.values()
        for row_key, held in self.rows.items():
            loaded = self._loaded_rows.get(row_key)
            if loaded is None or loaded[3] != held.contact_id:
                inserted.append(held)
            elif loaded != astuple(held):
                updated.append(held)
        return deleted, inserted, updated

    def loaded_row(self, row_key: RowKey) -> Held:
        """The row as it was loaded, before this batch changed it."""
        return Held(*self._loaded_rows[row_key])

    def loaded_exclusive(self, key: Key) -> Held | None:
        """The row of an exclusive identifier as it was loaded; None where there was none."""
        row = self._loaded_rows.get((*key, 0))
        return None if row is None else Held(*row)

    def loaded_card(self, contact_id: int) -> tuple[Any, ...]:
        """The card as it was loaded, before this batch changed it: values by column."""
        return self._loaded_cards[contact_id]

    def is_live(self, contact_id: int) -> bool:
        return self.card(contact_id).status == Status.LIVE


def key_of(kind: int, value: str) -> Key:
    return (kind, value_key(value))
