"""What the mobile SDK asks for and is not ours: answered empty, so that it goes on (wire 7)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from kartoteka.api.answers import Answer, json_answer
from kartoteka.api.call import Call
from kartoteka.api.mobile_calls import DONE, admit, of_app, sdk_route
from kartoteka.api.mobile_schemas import ACCESS_KEY, EMPTY
from kartoteka.api.routing import Parameter, Schema


def nothing(answer: dict[str, Any]) -> Callable[[Call], Awaitable[Answer]]:
    """An end point that has nothing for this device, in the shape that the SDK reads."""

    async def empty(_: Call) -> Answer:
        return json_answer(answer)

    return of_app(empty)


async def no_logs(call: Call) -> Answer:
    """POST /logs/v1/events: diagnostics for the vendor; nobody reads them here, and no key comes."""
    admit(call)
    return DONE


_ID = Parameter("id", "The message's interaction.", {"type": "string"}, place="path", required=True)
_VARIANT = Parameter("variant", "The variant.", {"type": "string"}, place="path", required=True)


def _list_of(name: str, **more: Any) -> tuple[dict[str, Any], Schema]:
    """(an answer with an empty list of that name, its schema)."""
    schema: Schema = {
        "type": "object",
        "required": [name],
        "properties": {name: {"type": "array", "maxItems": 0}},
    }
    return {name: [], **more}, schema


_EMPTY_ANSWERS: tuple[tuple[str, str, str, str, tuple[dict[str, Any], Schema]], ...] = (
    ("GET", "/api/v1/appinbox/messages", "appInbox", "App Inbox", _list_of("list", totalPages=0)),
    (
        *("GET", "/api/v1/appinbox/messages/count", "appInboxCount", "Unread messages"),
        ({"unreadCount": 0}, {"type": "object", "required": ["unreadCount"]}),
    ),
    ("POST", "/api/v1/appinbox/messages/status", "appInboxStatus", "Messages read", ({}, EMPTY)),
    ("POST", "/api/v1/recoms/events", "recomEvents", "Recommendations seen", ({}, EMPTY)),
    (
        *("POST", "/api/v1/recoms/{variant}/request", "recoms", "Recommendations"),
        _list_of("recoms"),
    ),
    ("GET", "/api/v1/inapp/messages", "inAppMessages", "In-app messages", _list_of("messages")),
    (
        *("POST", "/api/v1/inapp/contents/request", "inAppContents", "Contents of in-app messages"),
        _list_of("contents"),
    ),
    (
        *("POST", "/api/v1/inapp/async-rules/check", "inAppRules", "Rules of in-app messages"),
        _list_of("checks"),
    ),
    (
        *("GET", "/api/v1/inapp/interactions/{id}/message", "inAppMessage", "An in-app message"),
        ({}, EMPTY),
    ),
    ("POST", "/api/v1/interaction", "inAppInteraction", "An in-app message was seen", ({}, EMPTY)),
)
"""Method, path, operation, what there is none of, (answer, schema); docs/api/mobile-app.md lists them."""


def _path_parameters(path: str) -> tuple[Parameter, ...]:
    found = {"{id}": _ID, "{variant}": _VARIANT}
    return (ACCESS_KEY, *(one for name, one in found.items() if name in path))


_EITHER_WAY = ("/api/v1/appinbox/", "/api/v1/inapp/")
"""Wire 7.1 has GET and POST for what is under these: versions of the SDK differ."""


def _methods(method: str, path: str, operation: str) -> tuple[tuple[str, str], ...]:
    """(method, operation) of the ways in which the path is asked."""
    if not path.startswith(_EITHER_WAY):
        return ((method, operation),)
    return (method, operation), ("POST" if method == "GET" else "GET", f"{operation}_1")


ROUTES = (
    *(
        sdk_route(
            *(way, path, name, nothing(answer), f"{summary}: there are none"),
            reply=schema,
            parameters=_path_parameters(path),
            errors=(401, 403, 429),
        )
        for method, path, operation, summary, (answer, schema) in _EMPTY_ANSWERS
        for way, name in _methods(method, path, operation)
    ),
    sdk_route(
        *("POST", "/logs/v1/events", "mobileLogs", no_logs),
        "Diagnostics of the SDK: not kept",
        parameters=(),
        errors=(429,),
    ),
)
