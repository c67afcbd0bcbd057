"""What other settings would have made of the same requests: the history told again, in memory.

The identity history says of every request that put identifiers together what it named (D26). They are
told twice to an empty account, with the settings that stand and with others, by the same rules that
carried them out; what comes to different cards is the answer. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from kartoteka.contacts.model import Profile
from kartoteka.contacts.settle import Settling, settle
from kartoteka.identity.absorbing import absorb
from kartoteka.identity.evidence import Row
from kartoteka.identity.history import Journal
from kartoteka.identity.kinds import BY_NAME, DEVICE, EMAIL, EXTERNAL_ID, PHONE
from kartoteka.identity.model import (
    Card,
    Held,
    Identifier,
    Key,
    Origin,
    Policy,
    Resolution,
    Settings,
    Status,
)
from kartoteka.identity.policies import ADD_CONTACT, APP_TOKEN, IMPORT_ROW, SUBSCRIBE
from kartoteka.identity.rules import Decision, Found, Nobody, Person, Restore, find
from kartoteka.identity.working_set import WorkingSet

Names = Mapping[tuple[str, datetime], tuple[str | None, str | None]]
"""First and last name that a request said, where somebody still has it."""
_TELLS = frozenset(
    ("created", "added", "moved", "external_id_set", "external_id_replaced", "restored", "absorbed")
)
_BY_HAND = frozenset(("merged_by_request", "undone_by_request"))
_AS_TOLD = frozenset((*_BY_HAND, "absorbed_by_claim"))
_SAYS_NOTHING = frozenset(("said", "refused", "quarantined"))
_PART_OF_ANOTHER = frozenset(("replaced", "external_id_replaced", "kept_for_undo"))
"""Rules of what the same request drops when it is told again."""
_POLICIES = {"subscribeContact": SUBSCRIBE, "addContacts": IMPORT_ROW, "addAppTokens": APP_TOKEN}


class Known(msgspec.Struct, frozen=True):
    """What the history itself does not say."""

    names: Names = {}
    apart: Sequence[tuple[int, int]] = ()
    """Contacts that somebody said are not the same."""
    devices: Mapping[tuple[int, str], str] = {}
    """The device that a token belongs to."""


class Everything(WorkingSet):
    """A whole account in memory: nothing is ever missing."""

    def is_known(self, key: Key) -> bool:
        return True

    def is_whole(self, contact_id: int) -> bool:
        return True

    def holders(self, key: Key) -> list[Held]:
        found = self._by_key.get(key, {})
        return [found[row_key] for row_key in sorted(found)]

    def is_stranger(self, identifiers: Iterable[Identifier]) -> bool:
        return not any(self._by_key.get(one.key) for one in identifiers)

    def card(self, contact_id: int) -> Card:
        return self.cards[contact_id]

    def known_card(self, contact_id: int) -> Card | None:
        return self.cards.get(contact_id)

    def identifiers_of(self, contact_id: int) -> list[Held]:
        found = self._by_card.get(contact_id, {})
        return [found[row_key] for row_key in sorted(found)]

    def row_of(self, key: Key, contact_id: int) -> Held | None:
        found = self._by_key.get(key, {}).values()
        return next((held for held in found if held.contact_id == contact_id), None)

    def need_cards(self, ids: Iterable[int]) -> None:
        pass

    def need_whole(self, ids: Iterable[int]) -> None:
        pass

    def need_addresses(self, keys: Iterable[Key]) -> None:
        pass

    def lists_of(self, contact_id: int) -> set[int]:
        return set()

    def end_of(self, contact_id: int) -> int:
        """The card that holds it now."""
        while (into := self.cards[contact_id].merged_into) is not None:
            contact_id = into
        return contact_id


class Request(msgspec.Struct):
    """One request of the history: the rows that it left about one contact."""

    origin: Origin
    contact_id: int
    rows: list[Row]

    @property
    def place(self) -> int:
        return self.rows[0].history_id


class Came(msgspec.Struct):
    """What a request came to in one telling."""

    request: Request
    card: int
    rule: str
    absorbed: list[int]
    absorbed_by: str | None = None
    """The rule that let it absorb others."""


def requests_of(rows: Iterable[Row]) -> list[Request]:
    """The rows of the history by request and contact, in order."""
    requests: dict[tuple[str, datetime, int], Request] = {}
    for row in rows:
        if row.action in _SAYS_NOTHING or (
            row.action == "dropped" and row.rule in _PART_OF_ANOTHER
        ):
            continue
        key = (row.request_id, row.at, row.contact_id)
        request = requests.get(key)
        if request is None:
            origin = Origin(row.at, row.request_id, row.key_id, row.method)
            request = requests[key] = Request(origin, row.contact_id, [])
        request.rows.append(row)
    return list(requests.values())


class Telling:
    """An account that hears one request after the other."""

    def __init__(self, settings: Settings, known: Known) -> None:
        self.ws = Everything(0, settings, self._new_id)
        self.came: list[Came] = []
        self._known = known
        self._apart = {frozenset(pair) for pair in known.apart}
        self._cards: dict[int, int] = {}
        """The card that the requests which made a contact came to here, by its id."""
        self._real_id: int | None = None
        self._next = 0

    def hear(self, request: Request) -> None:
        """Carry out what the request said."""
        actions = {row.action for row in request.rows}
        for row in request.rows:
            self._hear_row(row)
        if actions & _TELLS and any(_tells(row) for row in request.rows):
            self._settle(request, creates="created" in actions)
        self.ws.effects.clear()

    def card_of(self, contact_id: int) -> int | None:
        """The card here of what is that contact there."""
        card = self._cards.get(contact_id)
        return None if card is None else self.ws.end_of(card)

    def live(self) -> set[int]:
        """Ids of the contacts that stand here; below 0 where none of that contact does today."""
        cards = self.ws.cards.values()
        return {card.contact_id for card in cards if card.status == Status.LIVE}

    def _new_id(self) -> int:
        if self._real_id is not None and self._real_id not in self.ws.cards:
            return self._real_id
        self._next -= 1
        return self._next

    def _hear_row(self, row: Row) -> None:
        """What no rule decides: removed, erased, cleared, claimed, merged by hand."""
        card = self.card_of(row.contact_id)
        if card is None:
            return
        ws = self.ws
        if row.action == "removed":
            ws.cards[card].status = Status.REMOVED
        elif row.action == "erased":
            for held in ws.identifiers_of(card):
                ws.release(held)
            ws.cards[card] = Card(card, Status.ERASED)
        elif row.action == "dropped":
            for one in _identifiers(row):
                self._drop(card, one)
        elif row.action == "claimed" or row.rule == "claim":
            for one in _identifiers(row):
                self._give(card, one, row.at)
        elif row.action == "absorbed" and row.rule in _AS_TOLD and not row.undone:
            other = self.card_of(row.other_contact_id or 0)
            if other is not None and other != card and ws.is_live(other):
                origin = Origin(row.at, row.request_id, row.key_id, row.method)
                absorb(ws, ws.cards[card], ws.cards[other], row.rule, Journal(ws, origin))

    def _drop(self, card: int, one: Identifier) -> None:
        held = self.ws.row_of(one.key, card)
        if held is None:
            return
        self.ws.release(held)
        stood = self.ws.cards[card]
        if held.former:
            stood.former_ids -= 1
        elif (field := _FIELD.get(held.kind)) is not None:
            setattr(stood, field, None)

    def _give(self, card: int, one: Identifier, at: datetime) -> None:
        held = next(iter(self.ws.holders(one.key)), None)
        if held is None:
            long_value = None if one.key[1] == one.value else one.value
            self.ws.hold(Held(one.kind, one.key[1], 0, card, long_value, False, at, "claim"))
        elif held.contact_id != card:
            self.ws.reassign(held, card)
            held.since = at

    def _settle(self, request: Request, *, creates: bool) -> None:
        first, last = self._known.names.get(
            (request.origin.request_id, request.origin.at), (None, None)
        )
        person, by_id = _person(request, first, last)
        person = msgspec.structs.replace(
            person,
            changeable=tuple(
                Identifier(one.kind, one.value, device=self._device_of(one, person))
                for one in person.changeable
            ),
        )
        policy = _POLICIES.get(request.origin.method, ADD_CONTACT)
        self._real_id = request.contact_id if creates else None
        replaces = any(row.action == "external_id_replaced" for row in request.rows)
        decision = self._decide(request, person, policy, by_id)
        if isinstance(decision, Nobody):
            return
        if (replaces or by_id) and self._is_anothers(decision, person):
            person = msgspec.structs.replace(person, external_id=None)
        self._load_apart(person, decision)
        resolution = Resolution()
        settled = settle(
            Settling(
                self.ws,
                person,
                Profile(first_name=first, last_name=last),
                policy,
                Journal(self.ws, request.origin),
                resolution,
                replace_external_id=replaces,
            ),
            decision,
        )
        self._cards.setdefault(request.contact_id, settled.card.contact_id)
        rules = [row[2] for row in self.ws.effects.get("history", ()) if row[1] == "absorbed"]
        self.came.append(
            Came(
                request,
                settled.card.contact_id,
                resolution.rule or "",
                resolution.absorbed,
                rules[0] if rules else None,
            )
        )

    def _device_of(self, one: Identifier, person: Person) -> str | None:
        """The device that this token came with, if the request named it too (D12)."""
        device = self._known.devices.get((one.kind, one.value))
        named = any(
            other.value == device for other in person.changeable if other.kind == DEVICE.code
        )
        return device if named else None

    def _decide(self, request: Request, person: Person, policy: Policy, by_id: bool) -> Decision:
        card = self.card_of(request.contact_id)
        if by_id and card is not None:
            found = self.ws.cards[card]
            if found.status == Status.REMOVED:
                return Restore(found, "contact_id", "restored_by_contact_id")
            return Found(found, "contact_id", "contact_id")
        return find(self.ws, person, policy)

    def _is_anothers(self, decision: Decision, person: Person) -> bool:
        if person.external_id is None:
            return False
        own = decision.card.contact_id if isinstance(decision, (Found, Restore)) else None
        return any(held.contact_id != own for held in self.ws.holders(person.external_id.key))

    def _load_apart(self, person: Person, decision: Decision) -> None:
        """Who was said not to be the same, as the cards are called here."""
        if not self._apart:
            return
        cards = {held.contact_id for one in person.all() for held in self.ws.holders(one.key)}
        if isinstance(decision, (Found, Restore)):
            cards.add(decision.card.contact_id)
        theirs = {pair for pair in self._apart if len(pair & cards) == 2}
        self.ws.apart = {(min(pair), max(pair)) for pair in theirs}


_FIELD = {EXTERNAL_ID.code: "external_id", EMAIL.code: "email", PHONE.code: "phone"}


def _tells(row: Row) -> bool:
    return row.action in _TELLS and row.rule not in _AS_TOLD and row.rule != "claim"


def _identifiers(row: Row) -> list[Identifier]:
    return [
        Identifier(BY_NAME[one["kind"]].code, one["value"])
        for one in row.identifiers or ()
        if one["kind"] in BY_NAME
    ]


def _person(request: Request, first: str | None, last: str | None) -> tuple[Person, bool]:
    """Whom the request named, and whether it named the contact by its id."""
    named: dict[tuple[str, str], Identifier] = {}
    by_id = any(row.rule.endswith("contact_id") for row in request.rows)
    for row in request.rows:
        if not _tells(row):
            continue
        said = list(row.by or ())
        if row.action != "absorbed" and row.rule != "follows_device":
            said += row.identifiers or ()
        for one in said:
            if one["kind"] == "contact_id":
                by_id = by_id or bool(one.get("found"))
            elif one["kind"] in BY_NAME:
                kind = BY_NAME[one["kind"]].code
                named.setdefault((one["kind"], one["value"]), Identifier(kind, one["value"]))
    ones = list(named.values())
    last_of = {one.kind: one for one in ones}
    changeable = tuple(one for one in ones if one.kind not in _FIELD)
    return (
        Person(
            last_of.get(EXTERNAL_ID.code),
            last_of.get(EMAIL.code),
            last_of.get(PHONE.code),
            changeable,
            first,
            last,
        ),
        by_id,
    )


class Asked(msgspec.Struct, frozen=True):
    """Which settings instead of which, for requests from when on (None: all)."""

    settings: Settings
    others: Settings
    since: datetime | None = None


def tell(
    requests: Sequence[Request],
    asked: Asked,
    known: Known,
    progress: Callable[[int], None] = lambda _: None,
) -> tuple[Telling, Telling]:
    """The same requests under the settings that stand, and under the other ones."""
    as_it_is, otherwise = (Telling(asked.settings, known) for _ in range(2))
    for number, request in enumerate(requests):
        if asked.since is None or request.origin.at >= asked.since:
            otherwise.ws.settings = asked.others
        as_it_is.hear(request)
        otherwise.hear(request)
        if number % 1000 == 0:
            progress(number)
    return as_it_is, otherwise
