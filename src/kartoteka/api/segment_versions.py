"""What a segment meant before: its kept definitions (guide G15)."""

from __future__ import annotations

from typing import Any

from kartoteka.access.model import Rights
from kartoteka.api.answers import Answer, list_answer
from kartoteka.api.call import Call
from kartoteka.api.identity_reading import moment
from kartoteka.api.paging import PAGING, read_page
from kartoteka.api.read_schemas import COUNTED
from kartoteka.api.routing import Reply, Route
from kartoteka.api.segment_schemas import SEGMENT_ID, segment_id
from kartoteka.segments.shown import ordered
from kartoteka.segments.versions import MOST_SHOWN, Version, Versions


async def segment_versions(call: Call) -> Answer:
    """GET /api/v1/segments/{id}/versions."""
    skip, rows = read_page(call)
    account_id, wanted = call.account.account_id, segment_id(call)
    await call.services.segments.stored(account_id, wanted)  # or SegmentNotFound
    found = await Versions(call.services.database).all(account_id, wanted)
    return list_answer([_shown(one) for one in found[skip : skip + rows]], len(found))


def _shown(one: Version) -> dict[str, Any]:
    body: dict[str, Any] = {
        "number": one.number,
        "at": moment(one.at),
        "who": one.who,
        "condition": ordered(one.condition),
    }
    if one.exclude is not None:
        body["exclude"] = ordered(one.exclude)
    return {**body, "description": one.words}


_VERSION: dict[str, Any] = {
    "type": "object",
    "required": ["number", "at", "who", "condition", "description"],
    "properties": {
        "number": {"type": "integer", "description": "Counted from 1."},
        "at": {"type": "string", "format": "date-time"},
        "who": {"type": "string", "examples": ["olha", "API key 3"]},
        "condition": {"type": "object"},
        "exclude": {"type": "object"},
        "description": {"type": "string", "examples": ["External ID is empty"]},
    },
}

ROUTES = (
    Route(
        method="GET",
        path="/api/v1/segments/{id}/versions",
        operation="getSegmentVersions",
        right=Rights.CONTACTS,
        endpoint=segment_versions,
        summary="What a segment meant before",
        description="Each change of its conditions, the newest first: who made it, when, the conditions "
        f"and what they say in words. The newest {MOST_SHOWN} are kept; a list has none. To take one "
        "back, send its `condition` and `exclude` (null where it has none) with PUT.",
        tag="Segments",
        parameters=(SEGMENT_ID, *PAGING),
        replies={
            200: Reply(
                "One page, the newest first.",
                {"type": "array", "items": _VERSION},
                headers=COUNTED,
            )
        },
        errors=(400, 404),
    ),
)
