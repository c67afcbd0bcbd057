"""The table of routes as OpenAPI 3.1."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from kartoteka import __version__
from kartoteka.access.model import Rights
from kartoteka.api.routing import Parameter, Reply, Route
from kartoteka.api.schemas import COMPONENTS, ref

BODY_TYPES = ("application/json",)
FORM_TYPE = "multipart/form-data"
_KEYED_ERRORS = (401, 403, 429, 503)
_CONDITIONS = {
    400: "The request is not valid; nothing was changed.",
    401: "The key is missing, wrong or disabled.",
    403: "The key does not have the right to do that.",
    404: "There is no such contact, token or thing.",
    408: "The body did not arrive in time.",
    409: "The request contradicts what is stored, or is a repeat that the account refuses.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "The Idempotency-Key was used for another request.",
    429: "Too many requests; Retry-After says when to come back.",
    501: "Kartoteka does not serve this; nothing was stored.",
    503: "The database does not answer; try again in a moment.",
    507: "The disk is full; nothing was imported.",
}


def describe(routes: Sequence[Route]) -> dict[str, Any]:
    """The OpenAPI document of these routes."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Kartoteka",
            "version": __version__,
            "description": "One card per customer. Paths work with and without a trailing slash; "
            "every error is JSON with `status`, `message` and a stable `code`.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(route.tag for route in routes)],
        "paths": paths,
        "components": {
            "schemas": COMPONENTS,
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "Any user name, also none; the password is the API key.",
                },
                "eventToken": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": route.operation,
        "summary": route.summary,
        "tags": [route.tag],
        "responses": _responses(route),
        "security": _security(route),
    }
    text = " ".join(part for part in (route.description, right_text(route)) if part)
    described["description"] = text
    if route.parameters:
        described["parameters"] = [_parameter(one) for one in route.parameters]
    if content := _bodies(route):
        described["requestBody"] = {"required": not route.body_optional, "content": content}
    return described


def _bodies(route: Route) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if route.form is not None:
        content[FORM_TYPE] = {"schema": route.form}
    if route.body is not None:
        content.update((media, {"schema": route.body}) for media in BODY_TYPES)
    return content


def right_text(route: Route) -> str:
    """Which key the route needs, as a sentence."""
    if route.right is None:
        return "Needs no key."
    return f"Needs the right: {route.right.label}."


def _security(route: Route) -> list[dict[str, list[str]]]:
    if route.right is None:
        return []
    key: dict[str, list[str]] = {"key": []}
    return [key, {"eventToken": []}] if route.right <= Rights.EVENT_TOKEN else [key]


def _parameter(one: Parameter) -> dict[str, Any]:
    return {
        "name": one.name,
        "in": one.place,
        "required": one.required,
        "description": one.description,
        "schema": one.schema,
    }


def _responses(route: Route) -> dict[str, Any]:
    responses = {str(status): _reply(reply) for status, reply in sorted(route.replies.items())}
    for status in sorted(error_statuses(route)):
        responses.setdefault(str(status), _error(status))
    return responses


def error_statuses(route: Route) -> set[int]:
    """Every error that the route can answer; 400 also for a parameter that cannot be read."""
    statuses = set(route.errors)
    if route.right is not None:
        statuses.update(_KEYED_ERRORS)
    if route.parameters:
        statuses.add(400)
    if route.body is not None or route.form is not None:
        statuses.update((400, 408, 413, 415))
    return statuses


def _reply(reply: Reply) -> dict[str, Any]:
    described: dict[str, Any] = {"description": reply.description}
    if reply.schema is not None:
        media = {reply.media: reply.schema, **reply.also}
        described["content"] = {name: {"schema": schema} for name, schema in media.items()}
    if reply.headers:
        described["headers"] = {
            name: {"description": text, "schema": {"type": "string"}}
            for name, text in reply.headers.items()
        }
    return described


def _error(status: int) -> dict[str, Any]:
    return {
        "description": f"{HTTPStatus(status).phrase}. {condition(status)}",
        "content": {"application/json": {"schema": ref("Error")}},
    }


def condition(status: int) -> str:
    """When a status is answered, as a sentence."""
    return _CONDITIONS.get(status, "")
