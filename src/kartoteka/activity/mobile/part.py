"""What the mobile SDK hands the engine."""

from __future__ import annotations

from kartoteka.activity.mobile.claims import claim_by_app
from kartoteka.activity.mobile.model import AppUpdate, PushSaid
from kartoteka.activity.mobile.trusted import update_by_app
from kartoteka.activity.model import Happened, Kind, Source
from kartoteka.activity.spans import SPANS
from kartoteka.activity.visitors.waiting import WAITING
from kartoteka.contacts.model import Outcome
from kartoteka.identity.model import QUARANTINED, Key, Resolution, Status
from kartoteka.identity.sides import home_of
from kartoteka.identity.working_set import WorkingSet
from kartoteka.intake.deciding import Action, Fact, Part


def app_update(ws: WorkingSet, command: AppUpdate) -> Outcome:
    """By a trusted app a keyed call; by any other a claim, and the few things of D36."""
    return update_by_app(ws, command) if command.trusted else claim_by_app(ws, command)


def named_by(command: AppUpdate) -> tuple[list[Key], list[int]]:
    """The identifiers of device and person."""
    return [one.key for one in command.call.contact.person.all()], []


def facts(command: AppUpdate) -> list[Fact]:
    """What a claim of the device asks, so that it comes with the first read."""
    device, person = command.call.device, command.call.contact.person
    if command.trusted or device is None or not person.names_lasting():
        return []
    lasting = (person.external_id, person.email, person.phone)
    return [(WAITING, device.key), *((SPANS, one.key) for one in (device, *lasting) if one)]


def push_said(ws: WorkingSet, command: PushSaid) -> Outcome:
    """An event of whoever has the token; of nobody where nobody has it, and no visitor is made of it."""
    rows = ws.holders(command.token.key)
    seen = ws.fact("message", command.message)
    card = ws.card(rows[0].contact_id) if rows and rows[0].contact_id != QUARANTINED else None
    if card is None or card.status != Status.LIVE or seen:
        return Outcome(Resolution())
    ws.effect("message", command.message)
    ws.know("message", command.message, True)
    type_key = f"push{command.status}"
    ws.effect("event_type", type_key)
    happened = Happened(
        home_of(rows[0]),
        Kind.EVENT,
        Source.SDK,
        type_key,
        command.interaction,
        command.occurred,
        command.origin.at,
        command.token.key,
        command.params,
    )
    ws.effect("happened", happened)
    return Outcome(Resolution(card.contact_id))


MOBILE = Part(
    actions={
        AppUpdate: Action(app_update, named_by, facts),
        PushSaid: Action(
            push_said,
            lambda command: ([command.token.key], ()),
            lambda command: [("message", command.message)],
        ),
    }
)
