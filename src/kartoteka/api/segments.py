"""Segments with conditions: made, read, changed, deleted (decisions D31, D32; wire 8)."""

from __future__ import annotations

from typing import Any

from kartoteka.access.model import Rights
from kartoteka.api import schemas
from kartoteka.api.answers import Answer, json_answer, list_answer, text_answer
from kartoteka.api.call import Call, InvalidParameter
from kartoteka.api.paging import PAGING, read_page
from kartoteka.api.read_schemas import COUNTED
from kartoteka.api.routing import Parameter, Reply, Route
from kartoteka.api.segment_schemas import DEFINITION, MADE, SEGMENT, SEGMENT_ID, segment_id
from kartoteka.segments.model import SegmentType
from kartoteka.segments.shown import segment_json

TAG = "Segments"


async def create_segment(call: Call) -> Answer:
    """POST /api/v1/segments."""
    made = await call.services.segment_actions.create(
        call.account.account_id, await call.json_object(), _who(call)
    )
    return json_answer({"id": made})


def _who(call: Call) -> str:
    """Whom the versions of a segment name."""
    return f"API key {call.require_caller().key_id}"


async def get_segment(call: Call) -> Answer:
    """GET /api/v1/segments/{id}."""
    return json_answer(await shown(call, segment_id(call)))


async def list_segments(call: Call) -> Answer:
    """GET /api/v1/segments."""
    skip, rows = read_page(call)
    text = call.query.get("text", "").strip()
    given = call.query.get("type", "").strip()
    names = {one.value.lower(): one for one in SegmentType}
    if given and given.lower() not in names:
        raise InvalidParameter(f"type must be one of {', '.join(SegmentType)}.")
    found, total = await call.services.segments.search(
        call.account.account_id, text, skip, rows, type_=names.get(given.lower())
    )
    return list_answer([segment_json(one) for one in found], total)


async def change_segment(call: Call) -> Answer:
    """PUT /api/v1/segments/{id}: what is left out stays as it is."""
    wanted = segment_id(call)
    account_id = call.account.account_id
    await call.services.segment_actions.change(
        account_id, wanted, await call.json_object(), _who(call)
    )
    return json_answer(await shown(call, wanted))


async def delete_segment(call: Call) -> Answer:
    """DELETE /api/v1/segments/{id}."""
    wanted = segment_id(call)
    contacts = call.query.get("contacts", "").strip() or "keep"
    if contacts not in ("keep", "remove"):
        raise InvalidParameter("contacts must be keep or remove.")
    await call.services.segment_actions.delete(
        call.account.account_id, wanted, remove_contacts=contacts == "remove"
    )
    return text_answer(f"Segment with id='{wanted}' has been deleted")


async def snapshot_segment(call: Call) -> Answer:
    """POST /api/v1/segments/{id}/snapshot: a list of who is in it now."""
    made = await call.services.segment_actions.snapshot(
        call.account.account_id, segment_id(call), await call.json_object()
    )
    return json_answer({"id": made})


async def shown(call: Call, wanted: int) -> dict[str, Any]:
    """One segment with its count."""
    account_id, segments = call.account.account_id, call.services.segments
    stored = await segments.stored(account_id, wanted)
    return {**segment_json(stored), "count": await segments.count(account_id, stored)}


ROUTES = (
    Route(
        method="GET",
        path="/api/v1/segments",
        operation="listSegments",
        right=Rights.CONTACTS,
        endpoint=list_segments,
        summary="List segments with their conditions",
        tag=TAG,
        parameters=(
            Parameter("text", "A part of the name in any case, a tag, or an id."),
            Parameter("type", "Only of this type.", {"enum": [one.value for one in SegmentType]}),
            *PAGING,
        ),
        replies={
            200: Reply("One page, by id.", {"type": "array", "items": SEGMENT}, headers=COUNTED)
        },
        errors=(400,),
    ),
    Route(
        method="POST",
        path="/api/v1/segments",
        operation="createSegment",
        right=Rights.CONTACTS,
        endpoint=create_segment,
        summary="Make a segment",
        description="Its id is the group id of `/api/v1/groups`. Who is in it is exact at once and "
        "from then on. With `type` Static and no condition it is an empty list.",
        tag=TAG,
        body={**DEFINITION, "required": ["name"]},
        replies={200: Reply("Its id.", MADE)},
        errors=(400, 409, 413, 415),
    ),
    Route(
        method="GET",
        path="/api/v1/segments/{id}",
        operation="getSegment",
        right=Rights.CONTACTS,
        endpoint=get_segment,
        summary="Get a segment",
        tag=TAG,
        parameters=(SEGMENT_ID,),
        replies={200: Reply("The segment.", SEGMENT)},
        errors=(400, 404),
    ),
    Route(
        method="PUT",
        path="/api/v1/segments/{id}",
        operation="changeSegment",
        right=Rights.CONTACTS,
        endpoint=change_segment,
        summary="Change a segment",
        description="What is left out stays as it is; `exclude: null` takes that side away. Until "
        "everybody is evaluated by new conditions, the old ones serve.",
        tag=TAG,
        parameters=(SEGMENT_ID,),
        body=DEFINITION,
        replies={200: Reply("The segment.", SEGMENT)},
        errors=(400, 404, 409, 413, 415),
    ),
    Route(
        method="DELETE",
        path="/api/v1/segments/{id}",
        operation="deleteSegment",
        right=Rights.CONTACTS,
        endpoint=delete_segment,
        summary="Delete a segment or list",
        description="With `contacts=remove` its contacts are removed too, in the background; they "
        "can be restored.",
        tag=TAG,
        parameters=(
            SEGMENT_ID,
            Parameter(
                "contacts",
                "What becomes of its contacts.",
                {"enum": ["keep", "remove"], "default": "keep"},
            ),
        ),
        replies={200: Reply("A sentence.", schemas.SENTENCE)},
        errors=(400, 404, 409),
    ),
    Route(
        method="POST",
        path="/api/v1/segments/{id}/snapshot",
        operation="snapshotSegment",
        right=Rights.CONTACTS,
        endpoint=snapshot_segment,
        summary="Make a list of who is in a segment now",
        tag=TAG,
        parameters=(SEGMENT_ID,),
        body={
            "type": "object",
            "required": ["name"],
            "properties": {"name": {"type": "string", "examples": ["VIP, May"]}},
        },
        replies={200: Reply("The id of the list.", MADE)},
        errors=(400, 404, 409, 413, 415),
    ),
)
