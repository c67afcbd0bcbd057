"""What an account in memory has stored, and how a batch reads it: lazily, key by key."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from kartoteka.activity.model import EventType, Happened, Span
from kartoteka.activity.orders.model import Order, OrderItem
from kartoteka.activity.orders.rules import FACT, ORDERS_OF
from kartoteka.activity.spans import SPANS
from kartoteka.activity.visitors.due import CLAIMS_ABOUT
from kartoteka.activity.visitors.model import Waiting
from kartoteka.activity.visitors.waiting import WAITING
from kartoteka.identity.model import Card, Held, Key, Merge, Settings, Status
from kartoteka.identity.working_set import Missing, WorkingSet
from tests.rules.stories import START


class Line(msgspec.Struct, frozen=True):
    """A row of the identity history, in the order of the effect."""

    at: datetime
    action: str
    rule: str
    contact_id: int
    other: int | None
    method: str
    request_id: str
    key_id: int
    identifiers: list[dict[str, Any]] | None
    snapshot: dict[str, Any] | None
    undoes: int | None = None
    by: list[dict[str, Any]] | None = None


def through_text(content: Any) -> Any:
    """As jsonb keeps it."""
    return msgspec.json.decode(msgspec.json.encode(content))


class Stored:
    """The tables of one account."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.now = START
        self.at = START
        self.cards: dict[int, tuple[Any, ...]] = {}
        self.rows: dict[tuple[int, str, int], tuple[Any, ...]] = {}
        self.lists: dict[str, set[int]] = {}
        self.refusals: dict[Key, int] = {}
        self.suppressions: dict[Key, dict[int, int | None]] = {}
        self.erased_at: dict[tuple[Key, int], datetime] = {}
        self.categories: set[str] = set()
        self.history: list[Line] = []
        self.owned: list[tuple[int, str, dict[str, Any]]] = []
        self.vias: dict[tuple[str, int], int] = {}
        self.joined_at: dict[tuple[str, int], datetime] = {}
        self.apart: set[tuple[int, int]] = set()
        self.event_keys: list[str] = []
        self.event_times: list[datetime] = []
        self.spans: dict[Key, list[Span]] = {}
        self.happened: list[Happened] = []
        self.event_types: dict[str, EventType] = {}
        self.orders: dict[str, Order] = {}
        self.items: dict[int, Sequence[OrderItem]] = {}
        self.messages: set[bytes] = set()
        self.claims: dict[Key, Waiting] = {}
        self.written: set[int] = set()
        """Whose rows the last batch wrote."""
        self._ids = itertools.count(1)
        self._span_ids = itertools.count(1_000_000)

    def card(self, contact_id: int) -> Card:
        return Card(*self.cards[contact_id])

    def held(self, contact_id: int) -> list[Held]:
        return [
            Held(*self.rows[key]) for key in sorted(self.rows) if self.rows[key][3] == contact_id
        ]

    def has(self, contact_id: int) -> set[str]:
        """Values of every identifier on the card."""
        return {one.value for one in self.held(contact_id)}

    def survivor(self, who: int) -> int:
        while (into := self.card(who).merged_into) is not None:
            who = into
        return who

    def orders_of(self, contact_id: int) -> list[str]:
        """Ids of a card's orders, with those of the cards that were merged into it."""
        person = self._person(contact_id)
        return [key for key, one in self.orders.items() if one.owner_id in person]

    def _person(self, who: int) -> set[int]:
        """A card and all that were merged into it."""
        person = {who}
        while more := {one for one in self.cards if self.card(one).merged_into in person} - person:
            person |= more
        return person

    def _load(self, ws: WorkingSet, missing: Missing) -> None:
        rows = [self.rows[row_key] for row_key in sorted(self.rows)]
        fields = {key for key in missing.keys if key[0] <= 0}
        ws.load_found(fields, [found for key in fields for found in self._with_value(key)])
        new = [key for key in missing.keys - fields if not ws.is_known(key)]
        ws.load_keys(new, [row for row in rows if (row[0], row[1]) in new])
        cards = [who for who in missing.cards if who not in ws.cards]
        ws.load_cards(cards, [self.cards[who] for who in cards if who in self.cards])
        ws.load_whole(
            missing.whole,
            [row for row in rows if row[3] in missing.whole],
            [
                (who, number)
                for who in missing.whole
                for number, name in enumerate(self.lists)
                if who in self.lists[name]
            ],
            [
                (*pair, *map(self.survivor, pair))
                for pair in self.apart
                if missing.whole.intersection(map(self.survivor, pair))
            ],
        )
        for merge_id in missing.merges:
            ws.load_merge(merge_id, self._merge(merge_id))
        ws.load_addresses(
            missing.addresses,
            [(*key, state) for key, state in self.refusals.items() if key in missing.addresses],
            [
                (key, who, refusal, self.erased_at[(key, who)])
                for key in missing.addresses
                for who, refusal in self.suppressions.get(key, {}).items()
            ],
        )
        for name, key in missing.facts:
            facts: dict[str, Callable[[Any], Any]] = {
                SPANS: lambda key: tuple(self.spans.get(key, ())),
                "event_type": self.event_types.get,
                "message": lambda digest: digest in self.messages or None,
                FACT: lambda order_id: copy.copy(self.orders.get(order_id)),
                ORDERS_OF: self.orders_of,
                WAITING: self.claims.get,
                CLAIMS_ABOUT: self._claims_about,
            }
            ws.load_facts(name, [key], {key: facts[name](key)})

    def _merge(self, merge_id: int) -> Merge | None:
        """What `merge` and its neighbours in identity/merges.sql say, through jsonb."""
        if not 0 < merge_id <= len(self.history):
            return None
        line = self.history[merge_id - 1]
        if line.action != "absorbed" or line.other is None:
            return None
        undone = {one.undoes for one in self.history}
        since = list(enumerate(self.history, 1))[merge_id:]
        absorbed = [line.other]
        for who in absorbed:
            absorbed += [one for one in self.cards if self.card(one).merged_into == who]
        return Merge(
            merge_id,
            line.contact_id,
            line.other,
            through_text(line.snapshot),
            merge_id in undone,
            [
                place
                for place, one in since
                if one.action == "absorbed"
                and line.contact_id in (one.contact_id, one.other)
                and place not in undone
            ],
            absorbed,
            [
                (place, one.at, one.request_id, one.key_id, one.method, through_text(one.snapshot))
                for place, one in since
                if one.action == "said"
                and (
                    one.contact_id == line.contact_id
                    or (
                        one.snapshot
                        and one.snapshot["side"] == 0
                        and self._was(line.contact_id, one.contact_id, place)
                    )
                )
            ],
            [
                (place, one.at, one.rule, one.identifiers or [])
                for place, one in since
                if (
                    one.action in ("moved", "claimed")
                    and self._was(line.contact_id, one.other, place)
                )
                or (
                    (one.action == "quarantined" or one.rule in ("logout", "claim"))
                    and one.action in ("quarantined", "dropped")
                    and self._was(line.contact_id, one.contact_id, place)
                )
            ],
        )

    def _was(self, who: int, whole: int | None, place: int) -> bool:
        """Whether the card was that one then, or part of it by a merge that was undone since."""
        return who == whole or any(
            line.action == "undone"
            and (line.contact_id, line.other) == (who, whole)
            and (line.undoes or 0) < place < number
            for number, line in enumerate(self.history, 1)
        )

    def _with_value(self, key: Key) -> list[tuple[int, str, int]]:
        """Who has this contact key or custom field, as `load_found` takes it."""
        field, value = -key[0], key[1]
        return [
            (field, value, card.contact_id)
            for card in map(self.card, self.cards)
            if card.status in (Status.LIVE, Status.REMOVED)
            and (card.fields.get(str(field)) if field else card.contact_key) == value
        ]

    def _claims_about(self, key: Key) -> list[Key]:
        kind, text = key
        return [
            visitor
            for visitor, one in self.claims.items()
            if text == (str(one.contact_id), one.external_key, one.email, one.phone)[kind]
            and any(row[:2] == visitor and row[3] > 0 for row in self.rows.values())
        ]
