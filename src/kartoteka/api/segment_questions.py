"""Questions about segments: preview, why, who entered and left, what conditions there are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from kartoteka.access.model import Rights
from kartoteka.api.answers import Answer, json_answer, list_answer
from kartoteka.api.call import Call, InvalidParameter
from kartoteka.api.contact_json import contact_json
from kartoteka.api.paging import PAGING, read_page
from kartoteka.api.read_schemas import COUNTED
from kartoteka.api.routing import Parameter, Reply, Route
from kartoteka.api.segment_schemas import (
    CONDITION_SCHEMA,
    DEFINITION,
    SEGMENT_ID,
    operators_of,
    segment_id,
)
from kartoteka.segments.conditions import CONDITIONS
from kartoteka.segments.conditions.operands import read_span
from kartoteka.segments.conditions.operators import OPERATORS
from kartoteka.segments.model import SegmentHasNoCondition

TAG = "Segments"
WITHIN_MS = 2_000
MOST_WITHIN_MS = 30_000
ROWS = 10
MOST_ROWS = 100
GROWTH_DAYS = 90
_Result = TypeVar("_Result")


async def preview_segment(call: Call) -> Answer:
    """POST /api/v1/segments/preview: who hangs up cancels it."""
    body = await call.json_object()
    within_ms = _whole(body, "withinMs", WITHIN_MS, MOST_WITHIN_MS)
    rows = _whole(body, "rows", ROWS, MOST_ROWS)
    account_id, services = call.account.account_id, call.services
    asked = services.asking.preview(account_id, body, rows, within_ms / 1000)
    preview = await _while_wanted(call, asked)
    cards = await services.cards.live(account_id, preview.ids)
    fields = await services.definitions.of(account_id)
    return json_answer(
        {
            "description": preview.description,
            "count": preview.count,
            "exact": preview.is_exact,
            "contacts": [contact_json(card, fields) for card in cards],
        }
    )


def _whole(body: dict[str, Any], name: str, default: int, most: int) -> int:
    given = body.get(name)
    if given is None:
        return default
    if type(given) is not int or given < 0:
        raise InvalidParameter(f"{name} must be a whole number from 0 to {most}.")
    return min(given, most)


async def _while_wanted(call: Call, work: Awaitable[_Result]) -> _Result:
    """The result, unless the caller hangs up first: then the work is cancelled."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_hung_up(call))
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            task.cancel()
        return await task
    finally:
        gone.cancel()


async def _hung_up(call: Call) -> None:
    while (await call.receive())["type"] != "http.disconnect":
        pass


async def why_segment(call: Call) -> Answer:
    """GET /api/v1/segments/{id}/why?contactId=."""
    account_id = call.account.account_id
    stored = await call.services.segments.stored(account_id, segment_id(call))
    text = call.query.get("contactId", "").strip()
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise InvalidParameter("contactId must be the id of a contact.")
    if stored.resolved is None:
        raise SegmentHasNoCondition("A list has no conditions: its contacts were put on it.")
    return json_answer(await call.services.asking.why(account_id, stored, int(text)))


async def segment_events(call: Call) -> Answer:
    """GET /api/v1/segments/{id}/events: who entered and who left, by time."""
    skip, rows = read_page(call)
    account_id, segments = call.account.account_id, call.services.segments
    stored = await segments.stored(account_id, segment_id(call))
    begin = _moment(call, "from", datetime(1970, 1, 1, tzinfo=UTC))
    end = _moment(call, "to", datetime(9999, 1, 1, tzinfo=UTC))
    text = call.query.get("contactId", "").strip()
    if text and not (text.isascii() and text.isdigit() and len(text) < 19):
        raise InvalidParameter("contactId must be the id of a contact.")
    found, total = await segments.flips(
        account_id,
        stored.id,
        begin=begin,
        end=end,
        skip=skip,
        rows=rows,
        contact_id=int(text) if text else None,
    )
    return list_answer(found, total)


def _moment(call: Call, name: str, default: datetime) -> datetime:
    text = call.query.get(name, "").strip()
    if not text:
        return default
    span = read_span(text)
    if span is None:
        raise InvalidParameter(f"{name} must be a date or a time such as 2026-01-31T09:30Z.")
    return span.begin


async def segment_growth(call: Call) -> Answer:
    """GET /api/v1/segments/{id}/growth: how many entered and left each day."""
    account_id, segments = call.account.account_id, call.services.segments
    stored = await segments.stored(account_id, segment_id(call))
    begin = _moment(call, "from", call.at - timedelta(days=GROWTH_DAYS))
    return json_answer(
        {
            "count": await segments.count(account_id, stored),
            "days": await segments.growth(account_id, stored.id, begin),
        }
    )


async def list_conditions(_call: Call) -> Answer:
    """GET /api/v1/segments/conditions: what a builder offers."""
    rows = [
        {
            "field": one.key,
            "label": one.label,
            "family": one.family,
            "type": None if one.type is None else one.type.value,
            "operators": operators_of(one.type),
            "parameters": [
                {"name": p.name, "meaning": p.meaning, "required": p.required}
                for p in one.parameters
            ],
            "choices": list(one.choices),
            "example": dict(one.example),
        }
        for one in CONDITIONS
    ]
    operators = {
        type_.value: [
            {"name": op.name, "words": op.words, "value": op.takes.value} for op in known.values()
        ]
        for type_, known in OPERATORS.items()
    }
    return json_answer({"conditions": rows, "operators": operators, "schema": CONDITION_SCHEMA})


_ANY: dict[str, Any] = {"type": "object"}
_FROM = Parameter("from", "The first moment; a day or a time (UTC).")
_CONTACT = {"type": "integer", "format": "int64"}

ROUTES = (
    Route(
        method="GET",
        path="/api/v1/segments/conditions",
        operation="listConditions",
        right=Rights.CONTACTS,
        endpoint=list_conditions,
        summary="What segments can be made of",
        tag=TAG,
        replies={
            200: Reply(
                "Conditions, operators by the type of the value, and the JSON Schema of both.", _ANY
            )
        },
    ),
    Route(
        method="POST",
        path="/api/v1/segments/preview",
        operation="previewSegment",
        right=Rights.CONTACTS,
        endpoint=preview_segment,
        summary="Count who a segment would have",
        description="Changes nothing. What cannot be counted within `withinMs` (at most "
        f"{MOST_WITHIN_MS}) is estimated, and `exact` is false. Hanging up cancels the count.",
        tag=TAG,
        body={
            **DEFINITION,
            "required": ["condition"],
            "properties": {
                "condition": DEFINITION["properties"]["condition"],
                "exclude": DEFINITION["properties"]["exclude"],
                "withinMs": {"type": "integer", "default": WITHIN_MS},
                "rows": {"type": "integer", "default": ROWS},
            },
        },
        replies={
            200: Reply(
                "How many, in words, and the first of them.",
                {
                    "type": "object",
                    "required": ["description", "count", "exact", "contacts"],
                    "properties": {
                        "description": {"type": "string"},
                        "count": {"type": "integer"},
                        "exact": {"type": "boolean"},
                        "contacts": {"type": "array", "items": {"type": "object"}},
                    },
                },
            )
        },
        errors=(400, 413, 415),
    ),
    Route(
        method="GET",
        path="/api/v1/segments/{id}/why",
        operation="whySegment",
        right=Rights.CONTACTS,
        endpoint=why_segment,
        summary="Why a contact is in a segment, or is not",
        tag=TAG,
        parameters=(
            SEGMENT_ID,
            Parameter("contactId", "The contact.", _CONTACT, required=True),
        ),
        replies={200: Reply("Each condition, whether it holds, and the value it asks.", _ANY)},
        errors=(400, 404),
    ),
    Route(
        method="GET",
        path="/api/v1/segments/{id}/events",
        operation="segmentEvents",
        right=Rights.CONTACTS,
        endpoint=segment_events,
        summary="Who entered and left a segment",
        description="By time, the oldest first. Who was in it when it was made did not enter.",
        tag=TAG,
        parameters=(
            SEGMENT_ID,
            _FROM,
            Parameter("to", "Before this moment."),
            Parameter("contactId", "Only this contact.", _CONTACT),
            *PAGING,
        ),
        replies={
            200: Reply(
                "One page.",
                {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "id": {"type": "integer"},
                            "at": {"type": "string", "format": "date-time"},
                            "event": {"enum": ["entered", "left"]},
                            "contactId": _CONTACT,
                        },
                    },
                },
                headers=COUNTED,
            )
        },
        errors=(400, 404),
    ),
    Route(
        method="GET",
        path="/api/v1/segments/{id}/growth",
        operation="segmentGrowth",
        right=Rights.CONTACTS,
        endpoint=segment_growth,
        summary="How many entered and left a segment each day",
        tag=TAG,
        parameters=(SEGMENT_ID, _FROM),
        replies={200: Reply("Days (UTC) on which something happened.", _ANY)},
        errors=(400, 404),
    ),
)
