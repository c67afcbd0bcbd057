"""Webhooks: made, changed, deleted; their deliveries read and replayed."""

from __future__ import annotations

from typing import Any

from kartoteka.access.model import Rights
from kartoteka.api import schemas
from kartoteka.api.answers import Answer, json_answer, list_answer, text_answer
from kartoteka.api.call import Call, InvalidParameter
from kartoteka.api.paging import PAGING, read_page
from kartoteka.api.read_schemas import COUNTED
from kartoteka.api.routing import Parameter, Reply, Route
from kartoteka.errors import NotFound
from kartoteka.webhooks.model import EVENTS, DeliveryNotFound, State, WebhookNotFound

TAG = "Webhooks"


async def add_webhook(call: Call) -> Answer:
    """POST /api/v1/webhooks: the secret is shown this once."""
    made, secret = await call.services.webhooks.add(
        call.account.account_id, await call.json_object()
    )
    return json_answer({"id": made, "secret": secret})


async def list_webhooks(call: Call) -> Answer:
    """GET /api/v1/webhooks."""
    found = await call.services.webhooks.all(call.account.account_id)
    return list_answer(found, len(found))


async def get_webhook(call: Call) -> Answer:
    """GET /api/v1/webhooks/{id}."""
    return json_answer(await call.services.webhooks.find(call.account.account_id, _id(call)))


async def change_webhook(call: Call) -> Answer:
    """PUT /api/v1/webhooks/{id}: what is left out stays as it is."""
    account_id, webhook_id = call.account.account_id, _id(call)
    await call.services.webhooks.change(account_id, webhook_id, await call.json_object())
    return json_answer(await call.services.webhooks.find(account_id, webhook_id))


async def delete_webhook(call: Call) -> Answer:
    """DELETE /api/v1/webhooks/{id}."""
    webhook_id = _id(call)
    await call.services.webhooks.delete(call.account.account_id, webhook_id)
    return text_answer(f"Webhook with id='{webhook_id}' has been deleted")


async def list_deliveries(call: Call) -> Answer:
    """GET /api/v1/webhooks/{id}/deliveries: the latest first."""
    skip, rows = read_page(call)
    given = call.query.get("state", "").strip().upper()
    if given and given not in State.__members__:
        raise InvalidParameter("state must be waiting, delivered or dead.")
    state = State[given] if given else None
    found, total = await call.services.webhooks.deliveries(
        call.account.account_id, _id(call), state, skip, rows
    )
    return list_answer(found, total)


async def replay_dead(call: Call) -> Answer:
    """POST /api/v1/webhooks/{id}/replay: all that are dead."""
    replayed = await call.services.webhooks.replay(call.account.account_id, _id(call))
    return json_answer({"replayed": replayed})


async def replay_delivery(call: Call) -> Answer:
    """POST /api/v1/webhooks/{id}/deliveries/{delivery}/replay."""
    try:
        delivery_id = call.path_id("delivery")
    except NotFound:
        raise DeliveryNotFound from None
    replayed = await call.services.webhooks.replay(call.account.account_id, _id(call), delivery_id)
    return json_answer({"replayed": replayed})


def _id(call: Call) -> int:
    try:
        return call.path_id()
    except NotFound:
        raise WebhookNotFound from None


_NUMBER = {"type": "integer", "format": "int64", "minimum": 1}
_ID = Parameter("id", "The webhook's id.", _NUMBER, place="path", required=True)
_DELIVERY_ID = Parameter("delivery", "The delivery's id.", _NUMBER, place="path", required=True)
_DEFINITION: dict[str, Any] = {
    "type": "object",
    "properties": {
        "url": {"type": "string", "examples": ["https://shop.example/kartoteka"]},
        "events": {"type": "array", "items": {"enum": list(EVENTS)}},
        "segments": {"type": "array", "items": {"type": "integer"}},
        "enabled": {"type": "boolean"},
    },
}
_WEBHOOK: dict[str, Any] = {
    "type": "object",
    "required": ["id", "url", "events"],
    "properties": {
        "id": {"type": "integer"},
        **_DEFINITION["properties"],
        "createdAt": {"type": "string", "format": "date-time"},
        "waiting": {"type": "integer"},
        "dead": {"type": "integer"},
    },
}
_REPLAYED: dict[str, Any] = {
    "type": "object",
    "properties": {"replayed": {"type": "integer"}},
}


def _route(
    method: str, path: str, operation: str, endpoint: Any, summary: str, **more: Any
) -> Route:
    return Route(
        method=method,
        path=f"/api/v1/webhooks{path}",
        operation=operation,
        right=Rights.FULL,
        endpoint=endpoint,
        summary=summary,
        tag=TAG,
        **more,
    )


ROUTES = (
    _route(
        "GET",
        "",
        "listWebhooks",
        list_webhooks,
        "List webhooks",
        replies={200: Reply("All.", {"type": "array", "items": _WEBHOOK}, headers=COUNTED)},
    ),
    _route(
        "POST",
        "",
        "addWebhook",
        add_webhook,
        "Make a webhook",
        description="`events` left out: all; `segments` left out: all. Each call is signed with the "
        "secret, which is shown only here.",
        body={**_DEFINITION, "required": ["url"]},
        replies={
            200: Reply(
                "Its id and secret.",
                {
                    "type": "object",
                    "required": ["id", "secret"],
                    "properties": {"id": {"type": "integer"}, "secret": {"type": "string"}},
                },
            )
        },
        errors=(400, 413, 415),
    ),
    _route(
        "GET",
        "/{id}",
        "getWebhook",
        get_webhook,
        "Get a webhook",
        parameters=(_ID,),
        replies={200: Reply("The webhook.", _WEBHOOK)},
        errors=(400, 404),
    ),
    _route(
        "PUT",
        "/{id}",
        "changeWebhook",
        change_webhook,
        "Change a webhook",
        description="What is left out stays as it is.",
        parameters=(_ID,),
        body=_DEFINITION,
        replies={200: Reply("The webhook.", _WEBHOOK)},
        errors=(400, 404, 413, 415),
    ),
    _route(
        "DELETE",
        "/{id}",
        "deleteWebhook",
        delete_webhook,
        "Delete a webhook",
        parameters=(_ID,),
        replies={200: Reply("A sentence.", schemas.SENTENCE)},
        errors=(400, 404),
    ),
    _route(
        "GET",
        "/{id}/deliveries",
        "webhookDeliveries",
        list_deliveries,
        "What was sent to a webhook, and what waits or is dead",
        parameters=(
            _ID,
            Parameter("state", "Only these.", {"enum": [one.name.lower() for one in State]}),
            *PAGING,
        ),
        replies={
            200: Reply(
                "One page, the latest first.",
                {"type": "array", "items": {"type": "object"}},
                headers=COUNTED,
            )
        },
        errors=(400, 404),
    ),
    _route(
        "POST",
        "/{id}/replay",
        "replayWebhook",
        replay_dead,
        "Try all dead deliveries again",
        parameters=(_ID,),
        replies={200: Reply("How many.", _REPLAYED)},
        errors=(400, 404),
    ),
    _route(
        "POST",
        "/{id}/deliveries/{delivery}/replay",
        "replayDelivery",
        replay_delivery,
        "Try a dead delivery again",
        parameters=(_ID, _DELIVERY_ID),
        replies={200: Reply("How many: 1.", _REPLAYED)},
        errors=(400, 404),
    ),
)
