"""Segments and who is in them: list, read, attach, detach (wire 3.14)."""

from __future__ import annotations

import secrets

import msgspec

from kartoteka.access.model import Rights
from kartoteka.api import schemas
from kartoteka.api.answers import Answer, list_answer, text_answer
from kartoteka.api.call import Call
from kartoteka.api.contact_json import contact_json
from kartoteka.api.contacts import IDEMPOTENCY
from kartoteka.api.paging import PAGING, read_page
from kartoteka.api.read_schemas import CONTACTS_OUT, COUNTED
from kartoteka.api.routing import Parameter, Reply, Route
from kartoteka.contacts.forms.members import InvalidMembers, Members, read_members
from kartoteka.contacts.model import AttachContacts, DetachContacts, EmptyList
from kartoteka.errors import NotFound
from kartoteka.identity.kinds import Region
from kartoteka.segments.model import Segment, SegmentNotFound, SegmentNotStatic, SegmentType

MOST_ROUNDS = 10
"""Emptying looks so often for who joined behind its back: by being absorbed into, as a rule."""


async def search_groups(call: Call) -> Answer:
    """GET /api/v1/groups: a bare list and `TotalCount`; a blank name is none (client dkulyk)."""
    skip, rows = read_page(call)
    name = call.query.get("name", "").strip()
    account_id = call.account.account_id
    found, total = await call.services.segments.named(account_id, name, skip, rows)
    return list_answer(found, total)


async def group_contacts(call: Call) -> Answer:
    """GET /api/v1/group/{id}/contacts: contacts as GET contact answers them, live ones only."""
    skip, rows = read_page(call)
    account_id, services = call.account.account_id, call.services
    segment = await services.segments.find(account_id, _segment_id(call))
    descending = bool(call.query.get("asc", "").strip()) and not call.flag("asc")
    order = {"by_time": call.flag("orderByTs"), "ascending": not descending}
    if segment.type == SegmentType.STATIC:
        ids, total = await services.segments.members(account_id, segment.id, skip, rows, **order)
    else:
        stored = await services.segments.stored(account_id, segment.id)
        ids, total = await services.segments.matches(account_id, stored, skip, rows, **order)
    cards = await services.cards.live(account_id, ids)
    fields = await services.definitions.of(account_id)
    return list_answer([contact_json(card, fields) for card in cards], total)


async def attach_contacts(call: Call) -> Answer:
    """POST /api/v1/group/{id}/contacts/attach: what belongs to nobody fails nothing."""
    segment, members = await _asked(call)
    if members is None:
        raise InvalidMembers
    nobody = await _write(call, AttachContacts, segment.id, members)
    return _sentence("Contacts were attached", nobody)


async def detach_contacts(call: Call) -> Answer:
    """POST /api/v1/group/{id}/contacts/detach: everybody, when the body is empty."""
    segment, members = await _asked(call)
    if members is None:
        await _empty(call, segment.id)
        return _sentence("Contacts were detached", 0)
    nobody = await _write(call, DetachContacts, segment.id, members)
    return _sentence("Contacts were detached", nobody)


async def _write(
    call: Call,
    command: type[AttachContacts | DetachContacts],
    segment_id: int,
    members: Members,
) -> int:
    """How many of these belong to nobody; the others are on the list now, or off it."""
    if not members.contact_ids and not members.external_ids:
        return members.nobody
    outcome = await call.write(
        command(
            origin=call.origin(),
            segment_id=segment_id,
            contact_ids=members.contact_ids,
            external_ids=members.external_ids,
            repeat=call.repeat(),
        )
    )
    return members.nobody + int(outcome.answer["nobody"])


def _segment_id(call: Call) -> int:
    try:
        return call.path_id()
    except NotFound:
        raise SegmentNotFound from None


async def _asked(call: Call) -> tuple[Segment, Members | None]:
    """The list and whom the body names. Raises what makes the whole call invalid."""
    segment = await call.services.segments.find(call.account.account_id, _segment_id(call))
    members = read_members(await call.json_object(), Region(call.account.settings.region))
    if segment.type != SegmentType.STATIC:
        raise SegmentNotStatic
    return segment, members


async def _empty(call: Call, segment_id: int) -> None:
    """Take everybody off, in parts that leave room for others; then it has been done.

    A call that is cut off leaves the rest on the list, and the same call again takes it off. Under
    an Idempotency-Key it is done once: the last command stores that, and the first look asks for it.
    """
    mark = secrets.token_hex(8)
    done = EmptyList(origin=call.origin(), segment_id=segment_id, mark=mark, repeat=call.repeat())
    if done.repeat is not None:
        earlier = await call.write(msgspec.structs.replace(done, dry_run=True))
        if earlier.answer["mark"] != mark:
            return
    for _ in range(MOST_ROUNDS):
        if not await _empty_once(call, segment_id):
            break
    if done.repeat is not None:
        await call.write(done)


async def _empty_once(call: Call, segment_id: int) -> bool:
    """Walk over all members by contact id; whether there were any."""
    account_id, after = call.account.account_id, 0
    while (last := await call.services.segments.part(account_id, segment_id, after)) is not None:
        await call.write(
            EmptyList(origin=call.origin(), segment_id=segment_id, first=after + 1, last=last)
        )
        after = last
    return after > 0


def _sentence(done: str, nobody: int) -> Answer:
    if not nobody:
        return text_answer(done)
    rest = "id that belongs" if nobody == 1 else "ids that belong"
    return text_answer(f"{done}, except {nobody} {rest} to nobody")


GROUP_ID = Parameter(
    "id",
    "The segment id.",
    {"type": "integer", "format": "int32", "minimum": 1},
    place="path",
    required=True,
)

ROUTES = (
    Route(
        method="GET",
        path="/api/v1/groups",
        operation="searchGroups",
        right=Rights.CONTACTS,
        endpoint=search_groups,
        summary="List segments",
        tag="Segments",
        parameters=(
            Parameter("name", "A part of the name, in any case; exact matches come first."),
            *PAGING,
        ),
        replies={
            200: Reply(
                "One page.", {"type": "array", "items": schemas.ref("Segment")}, headers=COUNTED
            )
        },
        errors=(400,),
    ),
    Route(
        method="GET",
        path="/api/v1/group/{id}/contacts",
        operation="getGroupContacts",
        right=Rights.CONTACTS,
        endpoint=group_contacts,
        summary="Get the contacts of a segment",
        tag="Segments",
        description="Live contacts, by contact id.",
        parameters=(
            GROUP_ID,
            *PAGING,
            Parameter(
                "orderByTs",
                "In the order in which they joined.",
                {"type": "boolean", "default": False},
            ),
            Parameter("asc", "False: the other way round.", {"type": "boolean", "default": True}),
        ),
        replies={200: Reply("One page.", CONTACTS_OUT, headers=COUNTED)},
        errors=(400, 404),
    ),
    Route(
        method="POST",
        path="/api/v1/group/{id}/contacts/attach",
        operation="attachContacts",
        right=Rights.CONTACTS_WRITE,
        endpoint=attach_contacts,
        summary="Put contacts on a list",
        tag="Segments",
        description="Up to 500 contact ids or External IDs a call. Ids that belong to nobody fail "
        "nothing: the sentence says how many there were. Static segments only.",
        parameters=(GROUP_ID, IDEMPOTENCY),
        body=schemas.ref("Members"),
        replies={200: Reply("Contacts were attached", schemas.SENTENCE)},
        errors=(400, 404, 413, 415, 422),
    ),
    Route(
        method="POST",
        path="/api/v1/group/{id}/contacts/detach",
        operation="detachContacts",
        right=Rights.CONTACTS_WRITE,
        endpoint=detach_contacts,
        summary="Take contacts off a list",
        tag="Segments",
        description="As attach. An empty body, or `{}`, takes everybody off; an empty list of ids "
        "nobody; null or an unknown member alone is a mistake, 400.",
        parameters=(GROUP_ID, IDEMPOTENCY),
        body=schemas.ref("Members"),
        body_optional=True,
        replies={200: Reply("Contacts were detached", schemas.SENTENCE)},
        errors=(400, 404, 413, 415, 422),
    ),
)
