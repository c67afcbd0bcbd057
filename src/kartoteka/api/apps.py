"""Applications and their access keys: what the mobile SDK identifies itself with."""

from __future__ import annotations

from typing import Any

from kartoteka.access.apps import Apps
from kartoteka.access.model import App, AppKind, Rights
from kartoteka.api.answers import Answer, json_answer, list_answer
from kartoteka.api.bodies import InvalidBody
from kartoteka.api.call import Call
from kartoteka.api.routing import Reply, Route
from kartoteka.api.tokens import APP, MAX_APP_CHARS


async def list_apps(call: Call) -> Answer:
    """GET /api/v1/apps."""
    found = await _apps(call).all()
    return list_answer([_members(app) for app in found], len(found))


async def create_app(call: Call) -> Answer:
    """POST /api/v1/apps: its access key is in this answer and never again."""
    body = await call.json_object()
    made = await _apps(call).create(
        _text(body, "name") or "",
        _kind(body.get("kind")),
        trusted=_boolean(body, "trusted") or False,
        app_id=_text(body, "id"),
    )
    answer = _members(made.app)
    if made.key is not None:
        answer["key"] = made.key.text
    return json_answer(answer)


async def change_app(call: Call) -> Answer:
    """PATCH /api/v1/apps/{app}."""
    app_id = call.path_text("app", MAX_APP_CHARS)
    body = await call.json_object()
    changed = await _apps(call).change(
        app_id, name=_text(body, "name"), trusted=_boolean(body, "trusted")
    )
    call.services.keys.forget()
    return json_answer(_members(changed))


async def delete_app(call: Call) -> Answer:
    """DELETE /api/v1/apps/{app}."""
    await _apps(call).delete(call.path_text("app", MAX_APP_CHARS))
    call.services.keys.forget()
    return json_answer({"deleted": True})


async def add_key(call: Call) -> Answer:
    """POST /api/v1/apps/{app}/keys."""
    app_id = call.path_text("app", MAX_APP_CHARS)
    body = await call.json_object()
    new = await _apps(call).add_key(app_id, _text(body, "description") or "")
    return json_answer({"id": new.key.key_id, "app": app_id, "key": new.text})


def _apps(call: Call) -> Apps:
    return Apps(call.services.database, call.services.clock, call.account.account_id)


def _members(app: App) -> dict[str, Any]:
    return {
        "id": app.app_id,
        "name": app.name,
        "kind": app.kind.value,
        "trusted": app.trusted,
        "keys": app.keys,
        "createdAt": app.created_at,
    }


def _text(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is None or isinstance(value, str):
        return value
    raise InvalidBody(f"{name} must be a text.")


def _boolean(body: dict[str, Any], name: str) -> bool | None:
    value = body.get(name)
    if value is None or isinstance(value, bool):
        return value
    raise InvalidBody(f"{name} must be true or false.")


def _kind(raw: object) -> AppKind:
    if raw is None:
        return AppKind.MOBILE
    if isinstance(raw, str) and raw in set(AppKind):
        return AppKind(raw)
    raise InvalidBody(f"kind must be one of {', '.join(AppKind)}.")


_APP = {
    "type": "object",
    "required": ["id", "name", "kind", "trusted", "keys", "createdAt"],
    "properties": {
        "id": {"type": "string"},
        "name": {"type": "string"},
        "kind": {"enum": [kind.value for kind in AppKind]},
        "trusted": {"type": "boolean", "description": "Its calls are keyed calls."},
        "keys": {"type": "integer", "description": "How many access keys it has."},
        "createdAt": {"type": "string", "format": "date-time"},
        "key": {"type": "string", "description": "The access key; only when it was just made."},
    },
}
_CHANGES: dict[str, Any] = {
    "name": {"type": ["string", "null"], "minLength": 1, "maxLength": 100},
    "trusted": {"type": ["boolean", "null"]},
}

ROUTES = (
    Route(
        method="GET",
        path="/api/v1/apps",
        operation="listApps",
        right=Rights.FULL,
        endpoint=list_apps,
        summary="The account's applications",
        tag="Apps",
        replies={
            200: Reply(
                "All of them, the oldest first.",
                {"type": "array", "items": _APP},
                headers={"TotalCount": "How many there are."},
            )
        },
    ),
    Route(
        method="POST",
        path="/api/v1/apps",
        operation="createApp",
        right=Rights.FULL,
        endpoint=create_app,
        summary="Make an application",
        tag="Apps",
        description="A mobile one gets an access key for its SDK: it is in this answer only.",
        body={
            "type": "object",
            "required": ["name"],
            "properties": {
                "name": {"type": "string", "minLength": 1, "maxLength": 100},
                "kind": {"enum": [kind.value for kind in AppKind]},
                "trusted": {"type": "boolean", "default": False},
                "id": {"type": "string", "description": "An id that is in use already."},
            },
        },
        replies={200: Reply("The application.", _APP)},
        errors=(400, 409, 413, 415),
    ),
    Route(
        method="PATCH",
        path="/api/v1/apps/{app}",
        operation="changeApp",
        right=Rights.FULL,
        endpoint=change_app,
        summary="Rename an application, trust it or not",
        tag="Apps",
        parameters=(APP,),
        body={"type": "object", "properties": _CHANGES},
        replies={200: Reply("The application.", _APP)},
        errors=(400, 404, 413, 415),
    ),
    Route(
        method="DELETE",
        path="/api/v1/apps/{app}",
        operation="deleteApp",
        right=Rights.FULL,
        endpoint=delete_app,
        summary="Delete an application and its access keys",
        tag="Apps",
        description="Tokens stay on the contacts that have them.",
        parameters=(APP,),
        replies={
            200: Reply(
                "It is gone.",
                {
                    "type": "object",
                    "required": ["deleted"],
                    "properties": {"deleted": {"type": "boolean"}},
                },
            )
        },
        errors=(400, 404),
    ),
    Route(
        method="POST",
        path="/api/v1/apps/{app}/keys",
        operation="addAppKey",
        right=Rights.FULL,
        endpoint=add_key,
        summary="Make another access key of a mobile application",
        tag="Apps",
        parameters=(APP,),
        body={"type": "object", "properties": {"description": {"type": "string"}}},
        replies={
            200: Reply(
                "The key, in this answer only.",
                {
                    "type": "object",
                    "required": ["id", "app", "key"],
                    "properties": {
                        "id": {"type": "integer"},
                        "app": {"type": "string"},
                        "key": {"type": "string"},
                    },
                },
            )
        },
        errors=(400, 404, 413, 415),
    ),
)
