"""Events that happened earlier: POST past_events in all versions, DELETE v1/past_events (wire 6.4)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
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
from kartoteka.api.contacts import DRY_RUN, EXPLAIN, IDEMPOTENCY, wants
from kartoteka.api.events import event_rules, message_digest
from kartoteka.api.routing import Reply, Route
from kartoteka.contacts.model import Outcome
from kartoteka.errors import (
    Conflict,
    DatabaseUnavailable,
    IdempotencyMismatch,
    InvalidRequest,
    KartotekaError,
)
from kartoteka.identity.model import Notice, Resolution
from kartoteka.identity.text import Unstorable
from kartoteka.segments.verifying import check_activity

Read = RecordEvent | str
"""An event, or the status of one that cannot be read."""
Result = Outcome | BaseException | str

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
    dry_run, explain = wants(call)
    body = await call.json_object("events")
    events = body.get("events")
    if not isinstance(events, list) or not 0 < len(events) <= MOST_EVENTS:
        raise InvalidPastEvents
    rules = await event_rules(call)
    read = [_read(call, one, rules) for one in events]
    results = await _carry_out(call, read, dry_run=dry_run)
    statuses = [_status(one) for one in results]
    accepted = statuses.count(ACCEPTED)
    answer = {
        "results": [{"status": status} for status in statuses],
        "successCount": accepted,
        "errorCount": len(statuses) - accepted,
    }
    if dry_run or explain:
        answer["resolutions"] = [_resolution(one) for one in results]
    return json_answer({"id": 0, "dryRun": True, **answer} if dry_run else answer)


async def _carry_out(call: Call, read: Sequence[Read], *, dry_run: bool) -> list[Result]:
    """What became of each event that could be read, in the order of the call."""
    commands = [one for one in read if isinstance(one, RecordEvent)]
    done: Sequence[Result]
    if dry_run:
        done = await call.services.engine.rehearse_all(call.account, commands)
    else:
        for place, one in enumerate(read):
            if isinstance(one, RecordEvent):
                one.repeat = call.repeat(part=place)
        done = await asyncio.gather(*map(call.write, commands), return_exceptions=True)
    answers = iter(done)
    return [next(answers) if isinstance(one, RecordEvent) else one for one in read]


def _read(call: Call, body: Any, rules: EventRules) -> Read:
    """The command, or the status that says why there is none."""
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
        return RecordEvent(
            origin=call.origin(),
            event=read_event(body, rules),
            source=Source.PAST,
            occurred=min(occurred, call.at),
            message=message_digest(body.get("messageId")),
            creates=False,
            needs_segmentation=True,
            checks_params=False,
        )
    except KartotekaError:
        return "SERVER_ERROR"


def _status(result: Result) -> str:
    """The original's word for it. Raises what concerns the call as a whole."""
    match result:
        case Outcome():
            return ACCEPTED
        case str():
            return result
        case SegmentationDisabled():
            return "EVENT_SEGMENTATION_DISABLED"
        case DatabaseUnavailable() | IdempotencyMismatch():
            raise result
        case KartotekaError():
            return "SERVER_ERROR"
        case _:
            raise result


def _resolution(result: Result) -> Resolution:
    """Decisions D27, D30."""
    if isinstance(result, Outcome):
        return result.resolution
    notice = Notice("past_event_refused", f"the event is refused: {_status(result)}")
    return Resolution(outcome="failed", warnings=[notice])


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
        parameters=(EXPLAIN, DRY_RUN, IDEMPOTENCY),
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
        parameters=(),
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
