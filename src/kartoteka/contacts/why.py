"""Why does this stand on this card? For reading only (D26)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from kartoteka.contacts.clearing import PROFILE
from kartoteka.contacts.identity_reads import cards_of_person
from kartoteka.contacts.reads import CardNotFound
from kartoteka.contacts.shortest import Link, shortest_chain
from kartoteka.contacts.what_if import Known as Besides
from kartoteka.contacts.what_if_store import names_said, who_made
from kartoteka.db.arrays import pg_array
from kartoteka.db.database import Database
from kartoteka.db.named import load_queries
from kartoteka.errors import InvalidRequest, NotFound
from kartoteka.identity.evidence import Node, Row, Step, card_node, chain, steps_of
from kartoteka.identity.hashed import Digest, shortened, unkeyed
from kartoteka.identity.history import rebuild
from kartoteka.identity.kinds import BY_CODE, BY_NAME, KINDS
from kartoteka.identity.kinds.key import value_key
from kartoteka.identity.model import Card, Consent, Held, Settings, Status
from kartoteka.identity.proof import saying_of

QUERIES = load_queries(__package__, "why.sql")


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
    link: Link

    def brings(self, step: Step) -> bool:
        """Whether this request brought the value itself; the others make the link to the card."""
        return self.link.brought_by(step)


class Standing(msgspec.Struct):
    """A card as it stands, with its identifiers."""

    card: Card
    held: list[Held]


class Known(Standing):
    """And all that is known of how it came to be."""

    cards: set[int]
    rows: list[Row]
    snapshots: dict[int, Any]
    besides: Besides = Besides()
    """Names, devices and who is not the same: what telling it again needs."""
    account_id: int = 0
    digest: Digest = unkeyed


def why(person: Known, kind: str, value: str | None, settings: Settings | None = None) -> Reasons:
    """The shortest chain of requests that put this value on the card, under the account's settings.
    Raises `NothingSaysSo`."""
    card = person.card
    node: Node | None = None
    said: Step | None = None
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
        said = first[0] if first else None
        if first and chain(steps, start, anchor) is None:
            followed = _carrier_follows(person, steps, first[0], anchor)
            first, start = [*followed, *first], followed[-1:] or start
    way = chain(steps, start, anchor)
    whole = sorted([*first, *[one for one in way or [] if one not in first]], key=_order)
    asked = Link(node, said, anchor)
    proven = shortest_chain(person.rows, whole, asked, settings or Settings(), person.besides)
    return Reasons(
        card.contact_id,
        kind,
        shown,
        {"kind": anchor[0], "value": anchor[1]},
        way is not None or proven is not None,
        whole if proven is None else proven,
        asked,
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
    elif kind == "consent" and len(card.consent) == 1:
        return _value_of(card, f"consent.{next(iter(card.consent))}")
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
    nodes = _found_by(person, card, found_by, moment)
    names = [{"kind": kind, "value": value} for kind, value in sorted(nodes)]
    return [
        Step(
            moment, request_id, key_id, method, card.contact_id, [rule], names, nodes, nodes, 2**62
        )
    ]


def _found_by(person: Known, card: Card, finders: str | None, at: datetime) -> set[Node]:
    """The identifiers of those kinds, and hashes, that the card had then."""
    if (finders or "").partition(":")[0] in ("", "contact_id", "contact_key", "custom_field"):
        return {card_node(card.contact_id)}
    found = set()
    for finder in (finders or "").split():
        kind, _, hashed = finder.partition(":")
        said = [
            (row.history_id, one["value"])
            for row in person.rows
            if row.at <= at
            for one in (*(row.identifiers or ()), *(row.by or ()))
            if one["kind"] == kind and hashed in ("", str(_short_hash(person, kind, one["value"])))
        ]
        if said:
            found.add((kind, max(said)[1]))
    return found


def _short_hash(person: Known, kind: str, value: str) -> int:
    key = (BY_NAME[kind].code, value_key(value))
    return shortened(person.digest(person.account_id, key))


class Why:
    """Reads what `why` and `why_not` need."""

    def __init__(self, keyed: Database, digest: Digest = unkeyed) -> None:
        """`keyed` has connections that look up keys and never scan (`db.database.WRITER_OPTIONS`)."""
        self._keyed = keyed
        self._digest = digest

    async def person(self, account_id: int, contact_id: int) -> Known:
        """The card that the id leads to. Raises `CardNotFound`."""
        ids = [one for one, _ in await cards_of_person(self._keyed, account_id, contact_id)]
        fetch = self._keyed.fetch
        standing = (await self.standing(account_id, ids[:1])).get(ids[0]) if ids else None
        if standing is None or standing.card.status == Status.ERASED:
            raise CardNotFound("Contact not found: there is none with this id.")
        rows = await fetch(QUERIES["evidence"], account_id=account_id, ids=pg_array(ids))
        snapshots = await fetch(
            QUERIES["absorbed_snapshots"], account_id=account_id, ids=pg_array(ids)
        )
        known = [Row(*row) for row in rows]
        return Known(
            standing.card,
            standing.held,
            set(ids),
            known,
            dict(snapshots),
            await self._besides(account_id, known),
            account_id,
            self._digest,
        )

    async def standing(self, account_id: int, ids: Sequence[int]) -> dict[int, Standing]:
        """Those of these cards that there are, by id."""
        asked = {"account_id": account_id, "ids": pg_array(ids)}
        cards = await self._keyed.fetch(QUERIES["cards_for_why"], **asked)
        found = {row[0]: Standing(Card(*row), []) for row in cards}
        for row in await self._keyed.fetch(QUERIES["held_for_why"], **asked):
            held = Held(*row)
            if held.contact_id in found:
                found[held.contact_id].held.append(held)
        return found

    async def _besides(self, account_id: int, rows: list[Row]) -> Besides:
        """Of all contacts that the history names: their names, tokens' devices, who is not the same."""
        named = {one for row in rows for one in (row.contact_id, row.other_contact_id) if one}
        key: dict[str, Any] = {"account_id": account_id, "ids": pg_array(sorted(named))}
        fetch = self._keyed.fetch
        names = [
            *await fetch(QUERIES["names_absorbed_for_why"], **key),
            *await fetch(QUERIES["names_for_why"], **key),
        ]
        apart = await fetch(QUERIES["apart_for_why"], **key)
        devices = await fetch(QUERIES["devices_for_why"], **key)
        return Besides(
            names_said(names, who_made(rows)),
            [(one, other) for one, other in apart],
            {(kind, value): device for kind, value, device in devices},
        )

    async def apart(self, account_id: int, one: int, other: int) -> str | None:
        """Whether somebody said that they are not the same: `undone`, `not_the_same`."""
        row = await self._keyed.fetch_one(
            QUERIES["apart"], account_id=account_id, one=min(one, other), other=max(one, other)
        )
        return None if row is None else row[0]
