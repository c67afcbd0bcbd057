"""Event types: what an account's events are, and what is asked of them (wire 6.2, 6.3)."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from kartoteka.access.model import Rights
from kartoteka.activity.event_types import read_change, read_type_key
from kartoteka.activity.model import EventType
from kartoteka.api import event_schemas
from kartoteka.api.answers import Answer, json_answer, list_answer
from kartoteka.api.call import Call
from kartoteka.api.paging import PAGING, read_page
from kartoteka.api.read_schemas import COUNTED
from kartoteka.api.routing import Parameter, Reply, Route

_KEY = Parameter("key", "The event type's key.", place="path", required=True)


async def event_types(call: Call) -> Answer:
    """GET /api/v1/event-types: by key, counted."""
    skip, rows = read_page(call)
    page, total = await call.services.event_types.page(call.account.account_id, skip, rows)
    return list_answer([_shown(one) for one in page], total)


async def event_type(call: Call) -> Answer:
    """GET /api/v1/event-types/{key}."""
    key = read_type_key(call.params["key"])
    return json_answer(_shown(await call.services.event_types.find(call.account.account_id, key)))


async def update_event_type(call: Call) -> Answer:
    """PUT /api/v1/event-types/{key}: makes it, or changes what the body says."""
    key = read_type_key(call.params["key"])
    change = read_change(await call.json_object())
    changed = await call.services.event_types.change(call.account.account_id, key, change)
    return json_answer(_shown(changed))


def _shown(one: EventType) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "key": one.key,
        "segmentation": one.segmentation,
        "requiredParams": list(one.required_params or ()),
    }
    if one.segmentation_since is not None:
        since = one.segmentation_since.astimezone(UTC)
        shown["segmentationSince"] = since.isoformat(timespec="seconds").replace("+00:00", "Z")
    return shown


ROUTES = (
    Route(
        method="GET",
        path="/api/v1/event-types",
        operation="eventTypes",
        right=Rights.FULL,
        endpoint=event_types,
        summary="List event types",
        tag="Events",
        description="A type is made by its first event, or by PUT.",
        parameters=PAGING,
        replies={
            200: Reply(
                "Types by key.",
                {"type": "array", "items": event_schemas.EVENT_TYPE},
                headers=COUNTED,
            )
        },
        errors=(400,),
    ),
    Route(
        method="GET",
        path="/api/v1/event-types/{key}",
        operation="eventType",
        right=Rights.FULL,
        endpoint=event_type,
        summary="Read an event type",
        tag="Events",
        parameters=(_KEY,),
        replies={200: Reply("The type.", event_schemas.EVENT_TYPE)},
        errors=(400, 404),
    ),
    Route(
        method="PUT",
        path="/api/v1/event-types/{key}",
        operation="updateEventType",
        right=Rights.FULL,
        endpoint=update_event_type,
        summary="Make or change an event type",
        tag="Events",
        description="At most fifty types may have segmentation on. What the body leaves out stays.",
        parameters=(_KEY,),
        body=event_schemas.EVENT_TYPE_CHANGE,
        replies={200: Reply("The type as it is now.", event_schemas.EVENT_TYPE)},
        errors=(400, 409, 413, 415),
    ),
)
