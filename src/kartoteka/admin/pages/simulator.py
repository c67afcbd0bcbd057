"""What a request would come to: carried out by the engine and rolled back, then drawn."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from kartoteka.access.users import Role
from kartoteka.activity.forms import EventRules, read_event
from kartoteka.activity.model import RecordEvent
from kartoteka.admin import texts
from kartoteka.admin.bodies import Fields
from kartoteka.admin.pictures.outcome_map import outcome_map
from kartoteka.admin.replies import Reply
from kartoteka.admin.request import Request
from kartoteka.admin.routing import Page
from kartoteka.contacts.browsing import Row
from kartoteka.contacts.forms.contact import FormRules, read_contact
from kartoteka.contacts.model import AddContact, Command, ContactInput, Subscribe, UpdateContact
from kartoteka.errors import InvalidRequest, KartotekaError, NoIdentifier
from kartoteka.identity.model import Resolution

_CHANNELS = {"email": "email", "sms": "sms", "mobilepush": "mobilepush", "webpush": "webpush"}


class NotJson(InvalidRequest):
    """This is not a JSON object."""


async def simulator(request: Request) -> Reply:
    """GET /admin/simulator."""
    return request.render("simulator.html", form=request.form, shown=None, problem="")


async def run(request: Request) -> Reply:
    """POST /admin/simulator: nothing is stored or used up (decisions D27)."""
    try:
        command = await _command(request)
        (outcome,) = await request.services.engine.rehearse_all(request.account, [command])
        if isinstance(outcome, Exception):
            raise outcome
    except KartotekaError as error:
        return request.render(
            "simulator.html", 400, form=request.form, shown=None, problem=error.message
        )
    shown = await _shown(request, outcome.resolution, _contact_of(command))
    return request.render("simulator.html", form=request.form, shown=shown, problem="")


async def send(request: Request) -> Reply:
    """POST /admin/simulator/send: the same request for real."""
    command = await _command(request)
    outcome = await request.services.engine.submit(request.account, command)
    contact_id = outcome.resolution.contact_id
    await request.note("contact_added", contact_id or "", outcome=outcome.resolution.outcome)
    return request.go(
        f"/admin/contacts/{contact_id}" if contact_id else "/admin/simulator", "saved"
    )


async def _command(request: Request) -> Command:
    definitions = await request.services.definitions.of(request.account_id)
    raw = _body(request.form)
    contact = read_contact(raw, FormRules(request.region, definitions))
    origin = request.origin()
    method = request.form.one("method")
    if method == "event":
        return _event(request)
    if method == "update":
        return UpdateContact(
            origin=origin, contact_id=request.form.number("contact_id"), contact=contact
        )
    if not contact.person.all():
        raise NoIdentifier
    if method == "subscribe":
        return Subscribe(origin=origin, contact=contact)
    return AddContact(origin=origin, contact=contact)


def _event(request: Request) -> Command:
    """An event that names the same person by its parameters (wire 6.1)."""
    form, settings = request.form, request.settings
    names = {"externalCustomerId": "externalCustomerId", "email": "email", "sms": "phone"}
    params = [
        {"name": name, "value": form.one(field)} for field, name in names.items() if form.one(field)
    ]
    if form.one("mobilepush"):
        params.append({"name": "pushToken", "value": form.one("mobilepush")})
    body = {
        "eventTypeKey": form.one("event_type") or "simulated",
        "keyValue": form.one("externalCustomerId") or form.one("email") or form.one("sms"),
        "params": params,
    }
    if text := form.one("json"):
        body = _object(text)
    rules = EventRules(FormRules(request.region), {}, ZoneInfo(settings.time_zone))
    return RecordEvent(origin=request.origin(), event=read_event(body, rules))


def _object(text: str) -> dict[str, Any]:
    """The JSON object. Raises `NotJson`."""
    try:
        raw = msgspec.json.decode(text.encode())
    except (msgspec.DecodeError, RecursionError):
        raise NotJson from None
    if not isinstance(raw, dict):
        raise NotJson
    return raw


def _body(form: Fields) -> dict[str, Any]:
    """The body of the call, as typed or out of the fields. Raises `NotJson`."""
    if text := form.one("json"):
        raw = _object(text)
        inner = raw.get("contact")
        return inner if isinstance(inner, dict) else raw
    names = ("externalCustomerId", "firstName", "lastName", "deviceId", "webId")
    raw = {name: form.one(name) or None for name in names}
    raw["channels"] = [
        {"type": kind, "value": form.one(name)}
        for name, kind in _CHANNELS.items()
        if form.one(name)
    ]
    return raw


def _contact_of(command: Command) -> ContactInput:
    if isinstance(command, RecordEvent):
        return ContactInput(command.event.person)
    assert isinstance(command, AddContact | UpdateContact | Subscribe)
    return command.contact


class Shown(msgspec.Struct):
    """What the page draws."""

    resolution: Resolution
    words: Any
    picture: Any
    card: Row | None
    """The contact as it is now; None: it would be created."""


async def _shown(request: Request, resolution: Resolution, contact: ContactInput) -> Shown:
    rows = await request.services.browsing.rows(
        request.account_id, [resolution.contact_id] if resolution.contact_id else []
    )
    key = f"simulator.outcome_{resolution.outcome}"
    if not texts.has(key):
        key = "simulator.outcome_other"
    words = texts.text(key, who=f"#{resolution.contact_id}", outcome=resolution.outcome)
    return Shown(resolution, words, outcome_map(resolution, contact), rows[0] if rows else None)


PAGES = (
    Page(method="GET", path="/admin/simulator", role=Role.READER, handler=simulator),
    Page(method="POST", path="/admin/simulator", role=Role.READER, handler=run),
    Page(method="POST", path="/admin/simulator/send", role=Role.MARKETER, handler=send),
)
