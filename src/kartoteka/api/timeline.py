"""What belongs to a contact, newest first: GET /api/v1/contact/{id}/timeline."""

from __future__ import annotations

from kartoteka.access.model import Rights
from kartoteka.activity.timeline import TYPES, read_before, shown
from kartoteka.api import event_schemas
from kartoteka.api.answers import CONTACT, TOTAL_COUNT, Answer, Header, json_answer
from kartoteka.api.call import Call, InvalidParameter
from kartoteka.api.contacts import CONTACT_ID
from kartoteka.api.paging import MAX_ROWS, read_page
from kartoteka.api.read_schemas import COUNTED, FOLLOWED
from kartoteka.api.routing import Parameter, Reply, Route


async def contact_timeline(call: Call) -> Answer:
    """Orders, events and visits of the card that the id leads to (decisions D14).

    The first page says how many there are (D23); a later one would count them all over again.
    """
    asked = call.path_id()
    _, rows = read_page(call)
    before = read_before(call.query.get("before", ""), call.at)
    types = _types(call.query.get("type", ""))
    account_id = call.account.account_id
    card = await call.services.cards.get(account_id, asked)
    items = (
        await call.services.timelines.page(account_id, card.contact_id, before, rows, types)
        if rows
        else []
    )
    headers: list[Header] = []
    if card.contact_id != asked:
        headers.append((CONTACT, b"%d" % card.contact_id))
    if not call.query.get("before", "").strip():
        size = await call.services.timelines.size(account_id, card.contact_id, types)
        headers.append((TOTAL_COUNT, b"%d" % size))
    return json_answer([shown(item) for item in items], headers=headers)


def _types(text: str) -> frozenset[str]:
    asked = frozenset(name for part in text.split(",") if (name := part.strip().lower()))
    if not asked.issubset(TYPES):
        raise InvalidParameter(f"type must be of {', '.join(TYPES)}.")
    return asked or frozenset(TYPES)


_COUNTED = {"TotalCount": COUNTED["TotalCount"] + " Only without `before`."}

ROUTES = (
    Route(
        method="GET",
        path="/api/v1/contact/{id}/timeline",
        operation="contactTimeline",
        right=Rights.CONTACTS,
        endpoint=contact_timeline,
        summary="Read what belongs to a contact",
        tag="Events",
        description="Orders, events and visits, newest first by when they happened; with those of "
        "contacts that were merged into it and of visitors that were found to be it.",
        parameters=(
            CONTACT_ID,
            Parameter(
                "maxrows",
                f"How many; more than {MAX_ROWS} are {MAX_ROWS}.",
                {"type": "integer", "minimum": 0, "default": MAX_ROWS},
            ),
            Parameter(
                "before",
                "Only what comes behind this: the `cursor` of the last item of a page, or a moment.",
            ),
            Parameter("type", "Only these, with commas between: order, event, visit."),
        ),
        replies={200: Reply("The items.", event_schemas.TIMELINE, headers=FOLLOWED | _COUNTED)},
        errors=(400, 404),
    ),
)
