"""Read where identities stand and came from: tokens, categories, history, merges (wire 3.12, 3.13)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from kartoteka.access.model import Rights
from kartoteka.api import read_schemas, schemas
from kartoteka.api.answers import CONTACT, Answer, json_answer, list_answer
from kartoteka.api.call import MAX_ID, Call, InvalidParameter
from kartoteka.api.contacts import CONTACT_ID
from kartoteka.api.paging import PAGING, read_page
from kartoteka.api.routing import Parameter, Reply, Route
from kartoteka.api.tokens import APP, MAX_APP_CHARS, MAX_TOKEN_CHARS, TOKEN
from kartoteka.contacts.identity_reads import Category, HeldIdentifier, HistoryRow, Merge
from kartoteka.identity.kinds import BY_CODE


async def token_contact(call: Call) -> Answer:
    """GET /api/v1/contact/token/{app}/{token}/contactId."""
    contact_id, _ = await _token(call)
    return json_answer({"id": contact_id})


async def token_activated(call: Call) -> Answer:
    """GET /api/v1/contact/token/activated/{app}/{token}."""
    _, active = await _token(call)
    return json_answer({"active": active})


async def _token(call: Call) -> tuple[int, bool]:
    app = call.path_text("app", MAX_APP_CHARS)
    token = call.path_text("token", MAX_TOKEN_CHARS)
    return await call.services.identities.token(call.account.account_id, app.strip(), token.strip())


async def contact_subscriptions(call: Call) -> Answer:
    """GET /api/v1/contact/{id}/subscriptions: always a list, counted (wire 3.13, decisions D23)."""
    asked = call.path_id()
    account_id = call.account.account_id
    card = await call.services.cards.get(account_id, asked)
    keys = set(card.categories)
    known = await call.services.identities.categories(account_id) if keys else []
    body = [_subscription(one) for one in known if one.key in keys]
    answer = list_answer(body, len(body))
    if card.contact_id != asked:
        answer.headers = (*answer.headers, (CONTACT, b"%d" % card.contact_id))
    return answer


def _subscription(one: Category) -> dict[str, Any]:
    return {"id": one.category_id, "key": one.key, "groupId": one.group_id, "name": one.name}


async def subscription_categories(call: Call) -> Answer:
    """GET /api/v1/subscriptions."""
    account_id = call.account.account_id
    known = await call.services.identities.categories(account_id)
    counts = await call.services.identities.category_counts(account_id) if known else {}
    rows = [
        {
            "id": one.category_id,
            "key": one.key,
            "groupId": one.group_id,
            "contactsCount": counts.get(one.key, 0),
            "createdDate": moment(one.created_at),
            "updatedDate": moment(one.updated_at),
            "name": one.name,
        }
        for one in known
    ]
    return list_answer(rows, len(rows))


async def contact_identity(call: Call) -> Answer:
    """GET /api/v1/contact/{id}/identity (decisions D26); `startindex` and `maxrows` page the history."""
    asked = call.path_id()
    skip, rows = read_page(call)
    found = await call.services.identities.identity(
        call.account.account_id, asked, skip=skip, rows=rows
    )
    body = {
        "id": found.contact_id,
        "identifiers": [_identifier(one) for one in found.identifiers],
        "history": [_history(one) for one in found.history],
    }
    if found.contact_id == asked:
        return json_answer(body)
    return json_answer(body, headers=((CONTACT, b"%d" % found.contact_id),))


def _identifier(one: HeldIdentifier) -> dict[str, Any]:
    body: dict[str, Any] = {
        "kind": BY_CODE[one.kind].name,
        "value": one.value,
        "since": moment(one.since),
        "rule": one.rule,
    }
    if one.former:
        body["former"] = True
    if one.app is not None:
        body["app"] = one.app
    if one.device is not None:
        body["device"] = one.device
    return body


def _history(row: HistoryRow) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": row.history_id,
        "at": moment(row.at),
        "action": row.action,
        "rule": row.rule,
        "contactId": row.contact_id,
    }
    if row.other_contact_id is not None:
        body["otherContactId"] = row.other_contact_id
    body.update(method=row.method, requestId=row.request_id, keyId=row.key_id)
    if row.identifiers:
        body["identifiers"] = row.identifiers
    return body


async def merges(call: Call) -> Answer:
    """GET /api/v1/merges?contactId= (decisions D28)."""
    skip, rows = read_page(call)
    found, total = await call.services.identities.merges(
        call.account.account_id, _contact_id(call), skip=skip, rows=rows
    )
    return list_answer([_merge(one) for one in found], total)


def _contact_id(call: Call) -> int | None:
    if "contactId" not in call.query:
        return None
    text = call.query["contactId"].strip()
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= MAX_ID):
        raise InvalidParameter("contactId must be a contact id.")
    return int(text)


def _merge(one: Merge) -> dict[str, Any]:
    return {
        "id": one.merge_id,
        "survivor": one.survivor_id,
        "absorbed": one.absorbed_id,
        "at": moment(one.at),
        "rule": one.rule,
        "method": one.method,
        "requestId": one.request_id,
        "keyId": one.key_id,
        **({} if one.undone_at is None else {"undoneAt": moment(one.undone_at)}),
    }


def moment(at: datetime) -> str:
    """A time as answers show it: ISO 8601 in UTC, milliseconds."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


_ACTIVE = {"type": "object", "required": ["active"], "properties": {"active": {"type": "boolean"}}}
_ID = {"type": "object", "required": ["id"], "properties": {"id": schemas.CONTACT_ID}}


def _list_of(name: str) -> schemas.Schema:
    return {"type": "array", "items": schemas.ref(name)}


ROUTES = (
    Route(
        method="GET",
        path="/api/v1/contact/token/{app}/{token}/contactId",
        operation="getContactIdByToken",
        right=Rights.CONTACTS,
        endpoint=token_contact,
        summary="Whose token this is",
        description="Answers for tokens of that application and for tokens without one.",
        tag="Tokens",
        parameters=(APP, TOKEN),
        replies={200: Reply("The contact's id.", _ID)},
        errors=(400, 404),
        pool="token_contact_id",
    ),
    Route(
        method="GET",
        path="/api/v1/contact/token/activated/{app}/{token}",
        operation="getTokenActivated",
        right=Rights.CONTACTS,
        endpoint=token_activated,
        summary="Whether a token is switched on",
        tag="Tokens",
        parameters=(APP, TOKEN),
        replies={200: Reply("The token's state.", _ACTIVE)},
        errors=(400, 404),
    ),
    Route(
        method="GET",
        path="/api/v1/contact/{id}/subscriptions",
        operation="getContactSubscriptions",
        right=Rights.CONTACTS,
        endpoint=contact_subscriptions,
        summary="Subscription categories of a contact",
        tag="Subscriptions",
        parameters=(CONTACT_ID,),
        replies={
            200: Reply(
                "The categories.",
                _list_of("Subscription"),
                headers=read_schemas.COUNTED | read_schemas.FOLLOWED,
            )
        },
        errors=(400, 404),
    ),
    Route(
        method="GET",
        path="/api/v1/subscriptions",
        operation="getSubscriptions",
        right=Rights.CONTACTS,
        endpoint=subscription_categories,
        summary="Subscription categories of the account",
        tag="Subscriptions",
        replies={200: Reply("The categories.", _list_of("Category"), headers=read_schemas.COUNTED)},
    ),
    Route(
        method="GET",
        path="/api/v1/contact/{id}/identity",
        operation="getContactIdentity",
        right=Rights.CONTACTS,
        endpoint=contact_identity,
        summary="Identifiers of a contact and how it came to them",
        description="History newest first, that of the contacts it absorbed included. A removed "
        "contact has its identity too.",
        tag="Identity",
        parameters=(CONTACT_ID, *PAGING),
        replies={
            200: Reply("The identity.", schemas.ref("Identity"), headers=read_schemas.FOLLOWED)
        },
        errors=(400, 404),
    ),
    Route(
        method="GET",
        path="/api/v1/merges",
        operation="getMerges",
        right=Rights.FULL,
        endpoint=merges,
        summary="Merges, newest first",
        description="With contactId: those that the contact of this id took part in, as either of the "
        "two.",
        tag="Merges",
        parameters=(
            Parameter("contactId", "A contact id, of a merged contact too.", schemas.CONTACT_ID),
            *PAGING,
        ),
        replies={200: Reply("One page.", _list_of("Merge"), headers=read_schemas.COUNTED)},
        errors=(400,),
    ),
)
