"""Merge two contacts by hand, take merges back, tell two contacts apart (decisions D28)."""

from __future__ import annotations

from typing import Any

from kartoteka.access.model import Rights
from kartoteka.api import schemas
from kartoteka.api.answers import Answer, json_answer
from kartoteka.api.call import MAX_ID, Call, InvalidParameter
from kartoteka.api.contacts import DRY_RUN
from kartoteka.api.routing import Parameter, Reply, Route
from kartoteka.contacts.model import MergeContacts, NotTheSame, UndoMerge
from kartoteka.contacts.undo import UnknownMerge


async def merge(call: Call) -> Answer:
    """POST /api/v1/merges: `{keep, absorb, dryRun?}`."""
    body = await call.json_object()
    keep, absorb = body_id(body, "keep"), body_id(body, "absorb")
    dry_run = is_dry_run(call, body)
    outcome = await call.write(
        MergeContacts(origin=call.origin(), keep=keep, absorb=absorb, dry_run=dry_run)
    )
    answer: dict[str, Any] = {"keep": keep, "absorb": absorb}
    if dry_run:
        answer["dryRun"] = True
    else:
        account_id = call.account.account_id
        answer["id"] = await call.services.identities.merge_of(account_id, keep, absorb)
    return json_answer({**answer, **outcome.answer})


async def undo(call: Call) -> Answer:
    """POST /api/v1/merges/{id}/undo."""
    body = await call.json_object()
    text = call.params["id"]
    if not (text.isascii() and text.isdigit()):
        raise InvalidParameter("The id in the path must be a number.")
    if len(text) > 19 or not 0 < int(text) <= MAX_ID:
        raise UnknownMerge
    dry_run = is_dry_run(call, body)
    outcome = await call.write(UndoMerge(origin=call.origin(), merge_id=int(text), dry_run=dry_run))
    answer: dict[str, Any] = {"id": int(text)}
    if dry_run:
        answer["dryRun"] = True
    return json_answer({**answer, **outcome.answer})


async def not_the_same(call: Call) -> Answer:
    """POST /api/v1/duplicates/not-the-same: `{contactId, otherId, takeBack?}`."""
    body = await call.json_object()
    one, other = body_id(body, "contactId"), body_id(body, "otherId")
    taken_back = body.get("takeBack")
    if taken_back not in (None, True, False):
        raise InvalidParameter("takeBack must be true or false.")
    outcome = await call.write(
        NotTheSame(
            origin=call.origin(), contact_id=one, other_id=other, taken_back=bool(taken_back)
        )
    )
    return json_answer(
        {"contactId": one, "otherId": other, "changed": outcome.resolution.outcome == "updated"}
    )


def query_id(call: Call, name: str) -> int:
    """A contact id of the query."""
    text = call.query.get(name, "").strip()
    if not (text.isascii() and text.isdigit() and len(text) < 20 and 0 < int(text) <= MAX_ID):
        raise InvalidParameter(f"{name} must be a contact id.")
    return int(text)


def body_id(body: dict[str, Any], name: str) -> int:
    """A contact id of the body: a number, or its digits."""
    value = body.get(name)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MAX_ID:
        raise InvalidParameter(f"{name} must be a contact id.")
    return value


def is_dry_run(call: Call, body: dict[str, Any]) -> bool:
    """As the body or the query says. What is neither true nor false is no permission to write."""
    said = body.get("dryRun")
    if said not in (None, True, False):
        raise InvalidParameter("dryRun must be true or false.")
    return bool(said) or call.flag("dryRun")


_MERGED = {
    "type": "object",
    "properties": {
        "id": {"type": "integer", "description": "The merge's id; a dry run has none."},
        "dryRun": {"type": "boolean"},
        "keep": schemas.CONTACT_ID,
        "absorb": schemas.CONTACT_ID,
        "contact": {"type": "object", "description": "The contact as it is then."},
        "leaves": {
            "type": "array",
            "items": {"type": "object"},
            "description": "Identifiers that leave the contact and are kept for the undo.",
        },
    },
}
_UNDONE = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "dryRun": {"type": "boolean"},
        "survivor": {"type": "object", "description": "The kept contact as it is then."},
        "absorbed": {"type": "object", "description": "The contact that is back."},
        "joins": {
            "type": "array",
            "items": schemas.CONTACT_ID,
            "description": "Contacts made meanwhile by nothing but an e-mail or phone that had left with "
            "the merge: part of its owner now, by merges of their own. Left out where there is none.",
        },
    },
}
_PAIR = {
    "type": "object",
    "required": ["contactId", "otherId"],
    "properties": {"contactId": schemas.CONTACT_ID, "otherId": schemas.CONTACT_ID},
}
_DRY = {"type": "boolean", "description": "Say what would come of it, and change nothing."}

ROUTES = (
    Route(
        method="POST",
        path="/api/v1/merges",
        operation="mergeContacts",
        right=Rights.FULL,
        endpoint=merge,
        summary="Merge two contacts",
        description="`absorb` becomes part of `keep`: events, orders, lists and identifiers are its "
        "own from now on, the stricter consent holds. Of two External IDs the kept one's stays primary "
        "and the other becomes a former one; of two e-mails or phones the kept one's stays. It can be "
        "undone.",
        tag="Merges",
        parameters=(DRY_RUN,),
        body={
            "type": "object",
            "required": ["keep", "absorb"],
            "properties": {
                "keep": schemas.CONTACT_ID,
                "absorb": schemas.CONTACT_ID,
                "dryRun": _DRY,
            },
        },
        replies={200: Reply("What came of it.", _MERGED)},
        errors=(400, 404, 409, 413, 415),
    ),
    Route(
        method="POST",
        path="/api/v1/merges/{id}/undo",
        operation="undoMerge",
        right=Rights.FULL,
        endpoint=undo,
        summary="Undo a merge",
        description="The absorbed contact is back with all that it had, and with what came since by its "
        "identifiers. Refused with 409 when a later merge is in the way (`later_merge`), the person "
        "was erased (`merge_erased`), or somebody else has an External ID that would come back "
        "(`undo_breaks_external_id`); then nothing changes.",
        tag="Merges",
        parameters=(
            Parameter("id", "The merge's id.", {"type": "integer"}, place="path", required=True),
            DRY_RUN,
        ),
        body={"type": "object", "properties": {"dryRun": _DRY}},
        body_optional=True,
        replies={200: Reply("Both contacts.", _UNDONE)},
        errors=(400, 404, 409, 413, 415),
    ),
    Route(
        method="POST",
        path="/api/v1/duplicates/not-the-same",
        operation="notTheSame",
        right=Rights.FULL,
        endpoint=not_the_same,
        summary="Say that two contacts are different people",
        description="No rule merges them from now on, and they are not shown as duplicates any more. "
        "Merging them by hand takes it back, and so does the same call with takeBack.",
        tag="Merges",
        body={
            **_PAIR,
            "properties": {
                **_PAIR["properties"],  # type: ignore[dict-item]
                "takeBack": {"type": "boolean", "description": "Say it no more."},
            },
        },
        replies={
            200: Reply(
                "Whether it was new.",
                {**_PAIR, "properties": {**_PAIR["properties"], "changed": {"type": "boolean"}}},  # type: ignore[dict-item]
            )
        },
        errors=(400, 404, 409, 413, 415),
    ),
)
