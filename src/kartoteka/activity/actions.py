"""One event of a keyed call: whose it is, what it creates, where it waits (wire 6, decisions D8, D17)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from kartoteka.activity.model import (
    KNOWN,
    NOBODY,
    EventInput,
    EventType,
    Happened,
    Kind,
    KnownContact,
    RecordEvent,
)
from kartoteka.activity.orders.by_event import (
    ORDER_EVENTS,
    OrderPlan,
    carry_out,
    order_facts,
    plan_order,
    said_by,
    unsaved,
)
from kartoteka.activity.orders.rules import ask_for
from kartoteka.activity.spans import SPANS, count_event, keep_for_nobody, owner_at, wait_for
from kartoteka.contacts.addressed import addressed, is_suppressed
from kartoteka.contacts.model import Outcome
from kartoteka.contacts.settle import Settling, settle
from kartoteka.errors import InvalidRequest
from kartoteka.identity.history import Journal
from kartoteka.identity.kinds import (
    BY_NAME,
    DEVICE,
    EXTERNAL_ID,
    MOBILE_TOKEN,
    WEB_COOKIE,
    WEB_TOKEN,
)
from kartoteka.identity.model import Card, Identifier, Key, Policy, Resolution, Status
from kartoteka.identity.policies import CHANGEABLE, EVENT, EVENT_BY_ID, TOKENS
from kartoteka.identity.rules import Create, Decision, Found, Person, Restore, finders
from kartoteka.identity.sides import side_of, speak_by
from kartoteka.identity.working_set import WorkingSet
from kartoteka.intake.deciding import Fact, Named

TYPE, MESSAGE = "event_type", "message"


class ParamsMissing(InvalidRequest):
    """The event lacks parameters that its type requires; the message lists all of the type's."""

    code = "event_params_missing"

    def __init__(self, params: Sequence[dict[str, object]]) -> None:
        listed = msgspec.json.encode(list(params)).decode()
        super().__init__(f"The event should have the following params: {listed}")


class SegmentationDisabled(InvalidRequest):
    """Events of the past are taken for types with segmentation on only."""

    code = "event_segmentation_disabled"


def named_by(command: RecordEvent) -> Named:
    event = command.event
    keys = [one.key for one in event.person.all()]
    if event.push_token is not None:
        keys += [Identifier(kind.code, event.push_token).key for kind in (MOBILE_TOKEN, WEB_TOKEN)]
    return keys, () if event.contact_id is None else (event.contact_id,)


def facts(command: RecordEvent) -> list[Fact]:
    """Its type, its message, and the spans of what may have changed hands."""
    event = command.event
    asked: list[Fact] = [(TYPE, event.type_key)]
    asked += order_facts(said_by(event.type_key, event.params))
    if command.message is not None:
        asked.append((MESSAGE, command.message))
    if event.person.external_id is None:
        asked += [(SPANS, key) for key in named_by(command)[0]]
    elif event.person.changeable or event.push_token is not None:
        asked += [(SPANS, key) for key in named_by(command)[0] if key[0] in CHANGEABLE]
    return asked


def enough(command: RecordEvent) -> Fact | None:
    """Most events name their contact by External ID and say nothing else that could change a card: who
    has it is all they need (D8, D17)."""
    event, person = command.event, command.event.person
    if (
        person.external_id is None
        or person.email is not None
        or person.phone is not None
        or person.changeable
        or event.push_token is not None
        or event.contact_id is not None
        or event.type_key in ORDER_EVENTS
    ):
        return None
    return KNOWN, person.external_id.key


def _known_contact(ws: WorkingSet, command: RecordEvent) -> tuple[KnownContact, Key] | None:
    """The live contact that the event is about and its External ID, where that is enough. What this
    batch has read it may have changed: then the fact is not asked."""
    fact = enough(command)
    if fact is None:
        return None
    key: Key = fact[1]
    if not ws.is_known(key):
        found: KnownContact | None = ws.known_fact(*fact)
        return None if found is None or ws.is_asked(found.contact_id) else (found, key)
    held = next(iter((ws.rows_of(key) or {}).values()), None)
    card = None if held is None else ws.cards.get(held.contact_id)
    if held is None or card is None or card.status != Status.LIVE or card.merges:
        return None
    return KnownContact(held.contact_id, held.former), key


def record_event(ws: WorkingSet, command: RecordEvent) -> Outcome:
    """POST event, past_events, Segment-style track: store it with its owner (D17)."""
    event = command.event
    known: EventType | None = ws.fact(TYPE, event.type_key)
    _check_type(command, known)
    resolution = Resolution(warnings=list(event.warnings))
    if command.message is not None and ws.fact(MESSAGE, command.message):
        resolution.rule = "came_already"
        return Outcome(resolution)
    if (named := _known_contact(ws, command)) is not None:
        contact, key = named
        resolution.contact_id, resolution.matched_by = contact.contact_id, EXTERNAL_ID.name
        resolution.rule = "former_external_id" if contact.former else "external_id"
        _write(ws, command, contact.contact_id, key)
        _note_what_came(ws, command, known)
        return Outcome(resolution)
    at = command.occurred or command.origin.at
    person = _with_push_token(ws, event)
    policy = EVENT if event.contact_id is None else EVENT_BY_ID
    decision, person = addressed(ws, event.contact_id, person, policy, resolution)
    if is_suppressed(ws, person, decision):
        resolution.outcome = "suppressed"
        return Outcome(resolution)
    segmented = known is not None and known.segmentation
    plan = _plan_order(ws, event) if segmented else None
    if plan is not None:
        for card in (plan.owner, getattr(decision, "card", None)):
            ask_for(ws, card)
    may_create = segmented if command.creates is None else command.creates
    if isinstance(decision, (Found, Restore)):
        owner, via, new = _of_card(ws, command, decision, person, resolution)
    elif isinstance(decision, Create) and may_create:
        owner, via, new = _put_on_card(ws, command, decision, person, resolution)
    else:
        owner, via = _of_nobody(ws, person, at, resolution)
        new = False
    if owner is not None:
        _write(ws, command, owner, via)
    if event.type_key in ORDER_EVENTS:
        card = None if owner is None else ws.cards.get(owner)
        resolution.warnings += unsaved(plan, card, segmented=segmented)
        carry_out(ws, command.origin, plan, card, via)
    _note_what_came(ws, command, known)
    return Outcome(resolution, new=new)


def _note_what_came(ws: WorkingSet, command: RecordEvent, known: EventType | None) -> None:
    """Its type exists from now on, and its message came."""
    event = command.event
    if known is None and command.kind == Kind.EVENT:
        ws.effect(TYPE, event.type_key)
        ws.know(TYPE, event.type_key, EventType(event.type_key))
    if command.message is not None:
        ws.effect(MESSAGE, command.message)
        ws.know(MESSAGE, command.message, True)


def _plan_order(ws: WorkingSet, event: EventInput) -> OrderPlan | None:
    """Wire 5.2: some types are about an order, where segmentation is on."""
    return plan_order(ws, event.type_key, said_by(event.type_key, event.params))


def _check_type(command: RecordEvent, known: EventType | None) -> None:
    """Wire 6.2, 6.4: what the type asks of its events."""
    if command.needs_segmentation and not (known and known.segmentation):
        raise SegmentationDisabled
    if command.checks_params and known is not None and known.required_params:
        params = command.event.params
        if any(one["required"] and one["name"] not in params for one in known.required_params):
            raise ParamsMissing(known.required_params)


def _with_push_token(ws: WorkingSet, event: EventInput) -> Person:
    """`PushToken` names a mobile or a web push: whichever somebody has, else a mobile one."""
    person = event.person
    if event.push_token is None:
        return person
    web = Identifier(WEB_TOKEN.code, event.push_token)
    mobile = Identifier(MOBILE_TOKEN.code, event.push_token)
    token = web if ws.holders(web.key) and not ws.holders(mobile.key) else mobile
    return msgspec.structs.replace(person, changeable=(token, *person.changeable))


def _of_card(
    ws: WorkingSet,
    command: RecordEvent,
    decision: Found | Restore,
    person: Person,
    resolution: Resolution,
) -> tuple[int | None, Key | None, bool]:
    """Of a card that the event found: by its own time, where only a device or cookie found it."""
    card = decision.card
    at = command.occurred or command.origin.at
    resolution.contact_id, resolution.rule = card.contact_id, decision.rule
    resolution.matched_by = decision.matched_by
    kind = BY_NAME.get(decision.matched_by)
    if kind is not None and kind.code in CHANGEABLE:
        for one in person.of_kind(kind.code):
            held = next((h for h in finders(ws, one) if h.contact_id == card.contact_id), None)
            if held is not None and at < held.since:
                return owner_at(ws, one, at), one.key, False
    if isinstance(decision, Restore) and card.removed_at is not None and at <= card.removed_at:
        resolution.outcome = "attached_to_removed"  # D8: it happened before the removal
        speak_by(ws, card, person)
        return card.contact_id, _carrier(ws, card, decision, person), False
    return _put_on_card(ws, command, decision, person, resolution)


def _put_on_card(
    ws: WorkingSet,
    command: RecordEvent,
    decision: Decision,
    person: Person,
    resolution: Resolution,
) -> tuple[int, Key | None, bool]:
    """D12, D13: tokens move to the card, anonymous cards are absorbed; D17: nothing else."""
    policy: Policy = EVENT_BY_ID if decision_names_id(decision) else EVENT
    if isinstance(decision, Restore):
        policy = msgspec.structs.replace(policy, restores=True)
    work = Settling(
        ws,
        person,
        command.event.profile,
        policy,
        Journal(ws, command.origin),
        resolution,
        occurred=command.occurred,
    )
    settled = settle(work, decision)
    card = settled.card
    return card.contact_id, _carrier(ws, card, decision, person), settled.new


def decision_names_id(decision: Decision) -> bool:
    return isinstance(decision, (Found, Restore)) and decision.matched_by == "contact_id"


def _carrier(ws: WorkingSet, card: Card, decision: Decision, person: Person) -> Key | None:
    """The identifier that found the card: to whom the event goes when a merge is undone (D28)."""
    if isinstance(decision, (Found, Restore)):
        kind = BY_NAME.get(decision.matched_by)
        wanted = () if kind is None else person.of_kind(kind.code)
    else:
        wanted = tuple(person.all())
    for one in wanted:
        if any(held.contact_id == card.contact_id for held in ws.holders(one.key)):
            return one.key
    return None


def _of_nobody(
    ws: WorkingSet, person: Person, at: datetime, resolution: Resolution
) -> tuple[int | None, Key | None]:
    """D17: it waits for the contact that gets its External ID, device or token, or cookie; never for
    one that has its e-mail or phone alone. None: over the cap of a cookie (D37)."""
    for one in _may_wait_for(person):
        if ws.holders(one.key):  # another person's (D10a)
            continue
        owner = owner_at(ws, one, at)
        if owner is None:
            owner = wait_for(ws, one, at)
        resolution.rule = "waits_for_contact"
        if one.kind == WEB_COOKIE.code and not count_event(ws, one.key, owner):
            return None, one.key
        return owner, one.key
    resolution.rule = "event_of_nobody"
    for address in (person.email, person.phone):
        if address is not None and not ws.holders(address.key):
            return keep_for_nobody(ws, address, at), address.key
    return NOBODY, None


def _may_wait_for(person: Person) -> list[Identifier]:
    if person.external_id is not None:
        return [person.external_id]
    order = (DEVICE.code, *TOKENS, WEB_COOKIE.code)
    return [one for kind in order for one in person.of_kind(kind)]


def _write(ws: WorkingSet, command: RecordEvent, owner: int, via: Key | None) -> None:
    event, at = command.event, command.origin.at
    ws.effect(
        "happened",
        Happened(
            owner_id=side_of(ws, owner),
            kind=command.kind,
            source=command.source,
            type_key=event.type_key,
            key_value=event.key_value,
            occurred=command.occurred or at,
            received=at,
            via=via,
            params=event.params,
        ),
    )
