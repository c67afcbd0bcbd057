"""Events that happened earlier: POST past_events in all versions, DELETE v1/past_events (wire 6.4)."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, tzinfo
from typing import Any

import msgspec

from kartoteka.access.model import Rights
from kartoteka.activity.actions import SegmentationDisabled
from kartoteka.activity.forms import EventRules, read_event, read_time
from kartoteka.activity.model import RecordEvent, Source
from kartoteka.activity.partitions import FIRST_YEAR
from kartoteka.activity.retention import delete_past
from kartoteka.api import event_schemas
from kartoteka.api.answers import Answer, empty_answer, json_answer
from kartoteka.api.call import Call
from kartoteka.api.events import event_rules, message_digest
from kartoteka.api.routing import Reply, Route
from kartoteka.errors import Conflict, DatabaseUnavailable, InvalidRequest, KartotekaError
from kartoteka.identity.text import Unstorable
from kartoteka.segments.verifying import check_activity

MOST_EVENTS = 500
ACCEPTED = "ACCEPTED"
_SOON = timedelta(minutes=5)
"""Clocks differ: so far ahead is now."""


class InvalidPastEvents(InvalidRequest):
    """The body needs a list of 1 to 500 events."""

    code = "invalid_past_events"


class DeletingIsOff(Conflict):
    """Deleting past events is switched off; setting delete_past_events allows it."""

    code = "delete_past_events_off"


async def register_past_events(call: Call) -> Answer:
    """Each event by itself: 200 with what became of it, in their order."""
    body = await call.json_object("events")
    events = body.get("events")
    if not isinstance(events, list) or not 0 < len(events) <= MOST_EVENTS:
        raise InvalidPastEvents
    rules = await event_rules(call)
    statuses = await asyncio.gather(
        *(_register(call, one, rules, place) for place, one in enumerate(events))
    )
    accepted = statuses.count(ACCEPTED)
    return json_answer(
        {
            "results": [{"status": status} for status in statuses],
            "successCount": accepted,
            "errorCount": len(statuses) - accepted,
        }
    )


async def _register(call: Call, body: Any, rules: EventRules, place: int) -> str:
    if isinstance(body, Unstorable):
        return "SERVER_ERROR"
    raw = body.get("occurred") if isinstance(body, dict) else None
    if raw is None or raw == "":
        return "OCCURRED_DATE_IS_REQUIRED"
    occurred = read_time(raw, rules.zone)
    if occurred is None:
        return "INCORRECT_OCCURRED_DATE_FORMAT"
    if occurred.year < FIRST_YEAR:
        return "OCCURRED_TIME_TOO_DEPTH"
    if occurred > call.at + _SOON:
        return "OCCURRED_TIME_IN_FUTURE"
    try:
        command = RecordEvent(
            origin=call.origin(),
            event=read_event(body, rules),
            source=Source.PAST,
            occurred=min(occurred, call.at),
            message=message_digest(body.get("messageId")),
            creates=False,
            needs_segmentation=True,
            checks_params=False,
            repeat=call.repeat(part=place),
        )
        await call.write(command)
    except SegmentationDisabled:
        return "EVENT_SEGMENTATION_DISABLED"
    except DatabaseUnavailable:
        raise
    except KartotekaError:
        return "SERVER_ERROR"
    return ACCEPTED


async def delete_past_events(call: Call) -> Answer:
    """What was sent as past events and happened from one moment to another, both included."""
    if not call.account.settings.delete_past_events:
        raise DeletingIsOff
    body = await call.json_object()
    zone = (await event_rules(call)).zone
    since, until = _limit(body, "from", zone), _limit(body, "to", zone)
    if since > until:
        raise InvalidPastEvents("from must not be later than to.")
    database, account_id = call.services.database, call.account.account_id
    await delete_past(database, account_id, since, _after(body, until), call.at)
    await check_activity(database, account_id, call.at)
    return empty_answer()


def _limit(body: dict[str, Any], name: str, zone: tzinfo) -> datetime:
    moment = read_time(body.get(name), zone)
    if moment is None:
        raise InvalidPastEvents(f"{name} must be a date or a time, such as 2025-03-01T10:00.")
    return moment


def _after(body: dict[str, Any], until: datetime) -> datetime:
    """The first moment that is not meant any more: a date means its whole day, a time its minute."""
    text = str(body["to"]).strip()
    lasts = timedelta(days=1) if len(text) == len("2025-03-01") else timedelta(minutes=1)
    if len(text) > len("2025-03-01T10:00") and text[16] == ":":
        lasts = timedelta(seconds=1)
    try:
        return until + lasts
    except OverflowError:
        return until


def _route(version: int, operation: str, right: Rights) -> Route:
    return Route(
        method="POST",
        path=f"/api/v{version}/past_events",
        operation=operation,
        right=right,
        endpoint=register_past_events,
        summary=f"Add events of the past (v{version})",
        tag="Events",
        description="Up to 500, each with the time it happened; they create no contact, and their "
        "type must have segmentation on.",
        body=event_schemas.PAST_EVENTS,
        replies={200: Reply("What became of each.", event_schemas.PAST_RESULTS)},
        errors=(400, 413, 415, 422),
        pool="past_events" if version < 3 else None,
    )


_V1 = _route(1, "registerPastEvents", Rights.EVENT_TOKEN)
ROUTES = (
    _V1,
    _route(2, "registerPastEvents_1", Rights.EVENTS),
    _route(3, "registerPastEvents_2", Rights.EVENTS),
    msgspec.structs.replace(
        _V1,
        method="DELETE",
        operation="deletePastEvents",
        endpoint=delete_past_events,
        summary="Delete events of the past",
        description="Only what was sent as past events, from one moment to another, both included; "
        "setting `delete_past_events` must allow it.",
        body={
            "type": "object",
            "required": ["from", "to"],
            "properties": {
                "from": {"examples": ["2025-03-01"]},
                "to": {"examples": ["2025-03-31T23:59"]},
            },
        },
        replies={200: Reply("Deleted: an empty body.")},
        errors=(400, 409, 413, 415),
        pool="delete_past_events",
    ),
)
