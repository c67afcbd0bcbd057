"""Why does this stand on this card, and why are these two kept apart? For reading only (D26)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from kartoteka.contacts.clearing import PROFILE
from kartoteka.contacts.identity_reads import IdentityReads
from kartoteka.contacts.reads import QUERIES, CardNotFound
from kartoteka.db.arrays import pg_array
from kartoteka.db.database import Database
from kartoteka.errors import InvalidRequest, NotFound
from kartoteka.identity.changes import short_hash
from kartoteka.identity.evidence import Node, Row, Step, card_node, chain, steps_of
from kartoteka.identity.history import rebuild
from kartoteka.identity.kinds import BY_CODE, KINDS
from kartoteka.identity.model import Card, Consent, Held, Settings, Status
from kartoteka.identity.proof import saying_of
from kartoteka.identity.rules import Names, Person, may_absorb
from kartoteka.identity.working_set import WorkingSet


class NothingSaysSo(NotFound):
    """This does not stand on this contact."""

    code = "not_on_contact"


class UnknownKind(InvalidRequest):
    """kind must be an identifier kind, a field such as firstName or fields.12, or consent.email."""

    code = "invalid_parameter"


class Reasons(msgspec.Struct, rename="camel"):
    """The chain for one value of a card. `complete` False: what it rests on was destroyed,
    or left again with its device."""

    contact_id: int
    kind: str
    value: str
    anchor: dict[str, str]
    complete: bool
    chain: list[Step]


class Known(msgspec.Struct):
    """A card with all that is known of how it came to be."""

    card: Card
    held: list[Held]
    cards: set[int]
    rows: list[Row]
    snapshots: dict[int, Any]


def why(person: Known, kind: str, value: str | None) -> Reasons:
    """The chain of requests that put this value on the card. Raises `NothingSaysSo`."""
    card = person.card
    anchor: Node = (
        ("external_id", card.external_id) if card.external_id else card_node(card.contact_id)
    )
    steps = steps_of(person.rows, person.cards)
    if kind in {one.name for one in KINDS}:
        held = [one for one in person.held if BY_CODE[one.kind].name == kind]
        found = [one for one in held if value is None or one.value == value]
        if not found:
            raise NothingSaysSo
        shown = found[0].value
        node = (kind, shown)
        if node == anchor:  # why is the anchor on this card at all
            anchor = card_node(card.contact_id)
        start = [one for one in steps if node in one.nodes]
        first: list[Step] = []
        if found[0].device and chain(steps, start, anchor) is None:
            first = _follows(person, steps, node, ("device", found[0].device), anchor)
            start = first[-1:]
    else:
        name, shown = _value_of(card, kind)
        if value is not None and shown != value:
            raise NothingSaysSo
        first = _who_said(person, steps, name)
        start = list(first)
        if first and chain(steps, start, anchor) is None:
            followed = _carrier_follows(person, steps, first[0], anchor)
            first, start = [*followed, *first], followed[-1:] or start
    way = chain(steps, start, anchor)
    whole = sorted([*first, *[one for one in way or [] if one not in first]], key=_order)
    return Reasons(
        card.contact_id,
        kind,
        shown,
        {"kind": anchor[0], "value": anchor[1]},
        way is not None,
        whole,
    )


def _carrier_follows(person: Known, steps: Sequence[Step], said: Step, anchor: Node) -> list[Step]:
    """Where a token carried the request that had come with its device."""
    for held in person.held:
        token = (BY_CODE[held.kind].name, held.value)
        if held.device and token in said.nodes:
            return _follows(person, steps, token, ("device", held.device), anchor)
    return []


def _follows(
    person: Known, steps: Sequence[Step], token: Node, device: Node, anchor: Node
) -> list[Step]:
    """A token that came with its device: who said that it belongs to it, and who moved the device."""
    moves = [
        row
        for row in person.rows
        if row.rule == "follows_device"
        and row.contact_id in person.cards
        and any((one["kind"], one["value"]) == token for one in row.identifiers or ())
    ]
    if not moves:
        return []
    last = moves[-1]
    anywhere = steps_of(person.rows)
    both = {token, device}
    said = [one for one in anywhere if both <= one.nodes and one.order < last.history_id]
    since = said[0].order if said else 0
    moved = [one for one in steps if {device, anchor} <= one.nodes and one.order > since] or [
        one for one in steps if (one.request_id, one.at) == (last.request_id, last.at)
    ]
    return [*said[:1], *moved[:1]] if said and moved else []


def _order(step: Step) -> tuple[datetime, int]:
    return (step.at, step.order)


def _value_of(card: Card, kind: str) -> tuple[str, str]:
    """(name in `Card.proof`, value as text) of a field or consent state."""
    if kind in PROFILE:
        name, value = PROFILE[kind], getattr(card, PROFILE[kind])
    elif kind.startswith("fields.") and kind[7:].isdecimal():
        name, value = f"field:{kind[7:]}", card.fields.get(kind[7:])
    elif kind.startswith("consent."):
        state = card.consent.get(kind[8:])
        name = f"consent:{kind[8:]}"
        value = None if state is None else Consent(state).name.lower()
    else:
        raise UnknownKind
    if value is None:
        raise NothingSaysSo
    return name, value


def _who_said(person: Known, steps: Sequence[Step], name: str) -> list[Step]:
    """The request that said the value, with what it named; through absorbed cards to where it was."""
    card: Card = person.card
    saying = saying_of(card.proof, name)
    while saying is not None and len(saying) > 6:  # a merge brought it
        snapshot = person.snapshots.get(saying[6])
        if snapshot is None:
            return []
        card, _, _ = rebuild(snapshot)
        saying = saying_of(card.proof, name)
    if saying is None:
        return [one for one in steps if card_node(card.contact_id) in one.nodes][:1]
    at, request_id, key_id, method, found_by, rule = saying[:6]
    moment = datetime.fromisoformat(at)
    for step in steps:
        if step.request_id == request_id and step.at == moment and step.nodes:
            return [step]
    node = _found_by(person, card, found_by, moment)
    names = [] if node is None else [{"kind": node[0], "value": node[1]}]
    nodes = set() if node is None else {node}
    return [
        Step(
            moment, request_id, key_id, method, card.contact_id, [rule], names, nodes, nodes, 2**62
        )
    ]


def _found_by(person: Known, card: Card, kind: str | None, at: datetime) -> Node | None:
    """The identifier of that kind, and hash, that the card had then."""
    kind, _, hashed = (kind or "").partition(":")
    if kind in ("", "contact_id", "contact_key", "custom_field"):
        return card_node(card.contact_id)
    said = [
        (row.history_id, one["value"])
        for row in person.rows
        if row.at <= at
        for one in (*(row.identifiers or ()), *(row.by or ()))
        if one["kind"] == kind and hashed in ("", str(short_hash(one["value"])))
    ]
    return (kind, max(said)[1]) if said else None


def why_not(settings: Settings, one: Known, other: Known, apart: str | None) -> dict[str, Any]:
    """The rule that keeps two contacts apart, and what they share."""
    a, b = one.card, other.card
    if a.contact_id == b.contact_id:
        return {"rule": "the_same_contact", "contactId": a.contact_id}
    keys = [{held.key for held in each.held} for each in (one, other)]
    shared = [
        {"kind": BY_CODE[held.kind].name, "value": held.value}
        for held in one.held
        if held.key in keys[1]
    ]
    answer: dict[str, Any] = {"shared": shared}
    if Status.REMOVED in (a.status, b.status):
        return {**answer, "rule": "removed"}
    if apart is not None:
        return {**answer, "rule": apart}
    reasons = [_may(settings, *pair) for pair in ((one, other), (other, one))]
    for (allowed, why_), (survivor, absorbed) in zip(reasons, ((a, b), (b, a)), strict=True):
        if allowed:
            rule = "no_request_named_both" if not shared else "no_request_since"
            return {
                **answer,
                "rule": rule,
                "would": why_,
                "survivor": survivor.contact_id,
                "absorbed": absorbed.contact_id,
            }
    names = [why_ for _, why_ in reasons]
    rule = names[1] if names[0] == "has_external_id" else names[0]
    return {**answer, "rule": rule, "differs": _differences(a, b)}


def _may(settings: Settings, survivor: Known, other: Known) -> tuple[bool, str]:
    ws = WorkingSet(0, settings, lambda: 0)
    for person in (survivor, other):
        ids = [person.card.contact_id]
        ws.load_cards(ids, [msgspec.structs.astuple(person.card)])
        rows = [msgspec.structs.astuple(held) for held in person.held]
        # A shared e-mail has a row on each card; the ordinal keeps them apart.
        ws.load_whole(ids, rows, ())
    names = Names(survivor.card.first_name, survivor.card.last_name)
    return may_absorb(ws, survivor.card, names, Person(), other.card)


def _differences(a: Card, b: Card) -> list[dict[str, Any]]:
    named = (("external_id", "external_id"), ("email", "email"), ("phone", "phone"))
    fields = (*named, ("first_name", "firstName"), ("last_name", "lastName"))
    return [
        {"field": shown, "values": [getattr(a, name), getattr(b, name)]}
        for name, shown in fields
        if None not in (getattr(a, name), getattr(b, name)) and getattr(a, name) != getattr(b, name)
    ]


class Why:
    """Reads what `why` and `why_not` need."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._identities = IdentityReads(database)

    async def person(self, account_id: int, contact_id: int) -> Known:
        """The card that the id leads to. Raises `CardNotFound`."""
        ids = [one for one, _ in await self._identities.person(account_id, contact_id)]
        fetch = self._database.fetch
        cards = await fetch(QUERIES["card_for_why"], account_id=account_id, ids=pg_array(ids[:1]))
        if not cards or cards[0][1] == Status.ERASED:
            raise CardNotFound("Contact not found: there is none with this id.")
        held = await fetch(QUERIES["held_for_why"], account_id=account_id, contact_id=ids[0])
        rows = await fetch(QUERIES["evidence"], account_id=account_id, ids=pg_array(ids))
        snapshots = await fetch(
            QUERIES["absorbed_snapshots"], account_id=account_id, ids=pg_array(ids)
        )
        return Known(
            Card(*cards[0]),
            [Held(*row) for row in held],
            set(ids),
            [Row(*row) for row in rows],
            dict(snapshots),
        )

    async def apart(self, account_id: int, one: int, other: int) -> str | None:
        """Whether somebody said that they are not the same: `undone`, `not_the_same`."""
        row = await self._database.fetch_one(
            QUERIES["apart"], account_id=account_id, one=min(one, other), other=max(one, other)
        )
        return None if row is None else row[0]
