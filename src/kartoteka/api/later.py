"""Paths of the original that a later version serves: 501 until then, after key and rights."""

from __future__ import annotations

from kartoteka.access.model import Rights
from kartoteka.api.answers import Answer
from kartoteka.api.call import Call
from kartoteka.api.routing import Parameter, Route
from kartoteka.errors import NotAvailableYet


async def not_yet(call: Call) -> Answer:
    """Says which method is missing, and that nothing was stored."""
    raise NotAvailableYet(
        f"This version of Kartoteka does not do {call.route.method} {call.route.path} yet; "
        "nothing was stored."
    )


_READ, _FULL = Rights.CONTACTS, Rights.FULL

_LATER: tuple[tuple[str, str, str, Rights], ...] = (
    ("GET", "/api/v1/workflows", "workflows", _READ),
    ("GET", "/api/v2/contacts/activity", "contactsActivity", _READ),
    ("GET", "/api/v2/contacts/messages", "contactsMessages", _READ),
)

_TAGS = (
    ("group", "Segments"),
    ("merge", "Merges"),
)


def _path_parameters(path: str) -> tuple[Parameter, ...]:
    return tuple(
        Parameter(part[1:-1], "Part of the path.", place="path", required=True)
        for part in path.split("/")
        if part.startswith("{")
    )


def _route(method: str, path: str, operation: str, right: Rights) -> Route:
    return Route(
        method=method,
        path=path,
        operation=operation,
        right=right,
        endpoint=not_yet,
        summary="Not available yet",
        tag=next((tag for word, tag in _TAGS if word in path), "Contacts"),
        description="A later version serves it; until then it answers 501.",
        parameters=_path_parameters(path),
        errors=(501,),
    )


ROUTES = tuple(_route(*one) for one in _LATER)
