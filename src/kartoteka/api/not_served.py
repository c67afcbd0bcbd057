"""Paths of the original that Kartoteka has nothing for: 501, after key and right are checked.

They tell of messages that were sent, and of what sends them, which is left to others. Shop plug-ins ask
some of them; 501 says so to a client that can read it, where 404 would look like a wrong address.
"""

from __future__ import annotations

from kartoteka.access.model import Rights
from kartoteka.api.answers import Answer
from kartoteka.api.call import Call
from kartoteka.api.routing import Route
from kartoteka.errors import NotServed


async def nothing(call: Call) -> Answer:
    """Says which method is missing, and that nothing was stored."""
    raise NotServed(
        f"Kartoteka sends no messages and does not serve {call.route.method} {call.route.path}; "
        "nothing was stored."
    )


def _route(path: str, operation: str, what: str) -> Route:
    return Route(
        method="GET",
        path=path,
        operation=operation,
        right=Rights.CONTACTS,
        endpoint=nothing,
        summary=f"{what}: not served",
        tag="Not served",
        description="Kartoteka sends no messages; it answers 501.",
        errors=(501,),
    )


ROUTES = (
    _route("/api/v1/workflows", "workflows", "Workflows"),
    _route("/api/v2/contacts/activity", "contactsActivity", "What contacts did with messages"),
    _route("/api/v2/contacts/messages", "contactsMessages", "Messages to contacts"),
)
