"""Generate an event: POST /api/v1/event, v2 and v3 (wire 6.1–6.4)."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from kartoteka.access.account_settings import AccountSettings
from kartoteka.access.model import Rights
from kartoteka.activity.actions import ParamsMissing
from kartoteka.activity.forms import EventRules, InvalidEvent, read_event, read_time
from kartoteka.activity.model import EventInput, RecordEvent
from kartoteka.api import event_schemas
from kartoteka.api.answers import Answer, empty_answer, text_answer
from kartoteka.api.bodies import EVENT_BYTES
from kartoteka.api.call import Call
from kartoteka.api.contacts import DRY_RUN, EXPLAIN, IDEMPOTENCY, explained, wants
from kartoteka.api.routing import Reply, Route
from kartoteka.contacts.forms.contact import FormRules
from kartoteka.errors import InvalidRequest
from kartoteka.identity.kinds import Region

MAX_MESSAGE_ID_CHARS = 255


@lru_cache(maxsize=256)
def _mapping(entries: tuple[str, ...]) -> dict[str, str]:
    pairs = (one.partition("=") for one in entries)
    return {name.strip().lower(): field.strip() for name, _, field in pairs}


@lru_cache(maxsize=256)
def _rules(settings: AccountSettings) -> EventRules:
    mapping, zone = _mapping(settings.event_mapping), ZoneInfo(settings.time_zone)
    return EventRules(FormRules(Region(settings.region)), mapping, zone)


async def event_rules(call: Call) -> EventRules:
    """How the account reads its events; custom fields are read where a contactJson needs them."""
    rules = _rules(call.account.settings)
    if b"contactJson" not in call.body:
        return rules
    fields = await call.services.definitions.of(call.account.account_id)
    return EventRules(FormRules(rules.form.region, fields), rules.mapping, rules.zone)


async def register_event(call: Call) -> Answer:
    """One event: 200 with an empty body, as clients expect it (clients 1)."""
    dry_run, explain = wants(call)
    body = await call.json_object()
    rules = await event_rules(call)
    command = _command(call, body, read_event(body, rules), rules)
    command.dry_run = dry_run
    command.repeat = None if dry_run else call.repeat()
    try:
        outcome = await call.write(command)
    except ParamsMissing as error:
        answer = text_answer(error.message)  # compared as text by clients (wire 6.2)
        answer.status = 400
        return answer
    if dry_run or explain:
        return explained(outcome, dry_run=dry_run, answer={})
    return empty_answer()


def _command(call: Call, body: dict[str, Any], event: EventInput, rules: EventRules) -> RecordEvent:
    occurred = None
    if (raw := body.get("occurred")) not in (None, ""):
        moment = read_time(raw, rules.zone)
        if moment is None:
            raise InvalidEvent("occurred must be a date or a time, such as 2026-11-26T10:00.")
        occurred = min(moment, call.at)
    return RecordEvent(
        origin=call.origin(),
        event=event,
        occurred=occurred,
        message=message_digest(body.get("messageId")),
    )


def message_digest(raw: object) -> bytes | None:
    """What a messageId is remembered by; None without one. Raises `InvalidRequest`."""
    if raw is None or raw == "":
        return None
    if not isinstance(raw, str | int) or len(str(raw)) > MAX_MESSAGE_ID_CHARS:
        text = f"messageId must be a text of at most {MAX_MESSAGE_ID_CHARS} characters."
        raise InvalidRequest(text, code="invalid_message_id")
    return hashlib.sha256(str(raw).encode("utf-8", "surrogatepass")).digest()


def _route(version: int, operation: str, right: Rights, about: str) -> Route:
    return Route(
        method="POST",
        path=f"/api/v{version}/event",
        operation=operation,
        right=right,
        endpoint=register_event,
        summary=f"Generate an event (v{version})",
        tag="Events",
        description="Attaches it to the contact that its parameters name; what names nobody yet "
        "waits for the contact that gets its External ID, device or token within 30 days. " + about,
        parameters=(EXPLAIN, DRY_RUN, IDEMPOTENCY),
        body=event_schemas.EVENT,
        replies={200: Reply("Stored: an empty body, no Content-Type.")},
        errors=(400, 413, 415, 422),
        max_body_bytes=EVENT_BYTES,
        pool="event" if version < 3 else None,
    )


ROUTES = (
    _route(1, "registerEvent", Rights.EVENT_TOKEN, "Takes a Bearer token too."),
    _route(2, "registerEvent_1", Rights.EVENTS, "Values of parameters may be of any type."),
    _route(3, "registerEvent_2", Rights.EVENTS, "params may be an object of names and values."),
)
