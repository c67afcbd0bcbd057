"""Take orders, delete them, read those of a contact (wire 5.1)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec

from kartoteka.access.model import Rights
from kartoteka.activity.orders.form import read_order, read_order_id
from kartoteka.activity.orders.model import DeleteOrder, OrderRefused, SaveOrder
from kartoteka.api import order_schemas as schemas
from kartoteka.api.answers import CONTACT, TOTAL_COUNT, Answer, empty_answer, json_answer
from kartoteka.api.bodies import BULK_BYTES, InvalidBody
from kartoteka.api.call import Call
from kartoteka.api.contacts import CONTACT_ID, DRY_RUN, EXPLAIN, IDEMPOTENCY, wants
from kartoteka.api.errors import InternalError
from kartoteka.api.order_json import order_json, totals_json
from kartoteka.api.paging import PAGING, read_page
from kartoteka.api.read_schemas import COUNTED, FOLLOWED
from kartoteka.api.routing import Reply, Route
from kartoteka.contacts.model import Outcome, Repeat
from kartoteka.errors import DatabaseUnavailable, IdempotencyMismatch, KartotekaError
from kartoteka.identity.kinds import Region
from kartoteka.identity.model import Notice, Origin, Resolution
from kartoteka.identity.text import Unstorable

MOST_ORDERS = 1_000
_AFTER_ANOTHER = timedelta(microseconds=1)
_ENCODE = msgspec.json.Encoder(decimal_format="number").encode
"""Amounts as numbers, digit for digit."""

Read = SaveOrder | OrderRefused


async def add_orders(call: Call) -> Answer:
    """POST /api/v1/orders: 200 with an empty body when all were taken, else `failedOrders`."""
    dry_run, explain = wants(call)
    raw = _listed(await call.json_object("orders"), "orders")
    # In a thread: a thousand orders take longer than a single call should wait.
    read = await asyncio.to_thread(_read_all, call, raw, dry_run)
    commands = [one for one in read if isinstance(one, SaveOrder)]
    done: Sequence[Outcome | BaseException]
    if dry_run:
        done = await call.services.engine.rehearse_all(call.account, commands)
    else:
        engine, account = call.services.engine, call.account
        waiting = [engine.enqueue(account, command) for command in commands]
        done = await asyncio.gather(*waiting, return_exceptions=True)
    answers = iter(done)
    results = [next(answers) if isinstance(one, SaveOrder) else one for one in read]
    _raise_what_concerns_all(results)
    if dry_run:
        resolutions = _resolutions(read, results)
        return json_answer({"id": 0, "dryRun": True, "resolutions": resolutions})
    failed = [
        _failure(one, result)
        for one, result in zip(raw, results, strict=True)
        if not isinstance(result, Outcome)
    ]
    if explain:
        shown = {"failedOrders": failed} if failed else {}
        return json_answer({**shown, "resolutions": _resolutions(read, results)})
    return json_answer({"failedOrders": failed}) if failed else empty_answer()


def _listed(body: dict[str, Any], name: str) -> list[Any]:
    """The member's elements; one alone may come without its list."""
    raw = body.get(name)
    listed = raw if isinstance(raw, list) else [raw]
    if raw is None or not 1 <= len(listed) <= MOST_ORDERS:
        raise InvalidBody(
            f"The body needs a member {name}, a list of 1 to {MOST_ORDERS:,} elements."
        )
    return listed


def _read_all(call: Call, raw: Sequence[Any], dry_run: bool) -> list[Read]:
    """A command for each order that can be read, else what is wrong with it. They come one after the
    other: of two that bring a token, the last one wins (decisions D12)."""
    region, repeat = Region(call.account.settings.region), call.repeat()
    read = [_read_one(one, region, call.origin()) for one in raw]
    for place, one in enumerate(read):
        if isinstance(one, SaveOrder):
            at = one.origin.at + place * _AFTER_ANOTHER
            one.origin = msgspec.structs.replace(one.origin, at=at)
            one.repeat = None if dry_run else _part(repeat, place)
    return read


def _read_one(raw: Any, region: Region, origin: Origin) -> Read:
    try:
        read = read_order(raw, region)
    except OrderRefused as error:
        return error
    return SaveOrder(origin=origin, order=read.said, contact=read.contact)


def _part(repeat: Repeat | None, place: int) -> Repeat | None:
    """How one order of a repeated call is recognised: the body is digested once, not a thousand times."""
    if repeat is None:
        return None
    digest = hashlib.sha256(repeat.digest + b"%d" % place).digest()
    return Repeat(digest, f"{repeat.idempotency_key}#{place}")


def _raise_what_concerns_all(results: Sequence[Outcome | BaseException]) -> None:
    """Without a database, or with a key that was used for another body, the call as a whole fails:
    the same call again takes what is left, and changes nothing else."""
    for result in results:
        if isinstance(result, (DatabaseUnavailable, IdempotencyMismatch)):
            raise result
        if isinstance(result, BaseException) and not isinstance(result, Exception):
            raise result


def _failure(raw: Any, error: Any) -> dict[str, Any]:
    """The order as it was sent, and what is wrong with it."""
    code, message, field = _words(error)
    sent = raw.raw if isinstance(raw, Unstorable) else raw
    failure = {"order": sent, "error": message, "code": code}
    return failure if field is None else {**failure, "field": field}


def _words(error: Any) -> tuple[str, str, str | None]:
    if isinstance(error, OrderRefused):
        return error.reason, error.message, error.field
    known = error if isinstance(error, KartotekaError) else InternalError()
    return known.code, known.message, None


def _resolutions(read: Sequence[Read], results: Sequence[Any]) -> list[dict[str, Any]]:
    """What each order came to, in the order of the call (decisions D27, D30)."""
    return [_resolution(one, result) for one, result in zip(read, results, strict=True)]


def _resolution(read: Read, result: Any) -> dict[str, Any]:
    known = {}
    if isinstance(read, SaveOrder):
        known["externalOrderId"] = read.order.external_order_id
    if isinstance(result, Outcome):
        body = msgspec.to_builtins(result.resolution)
        return {**known, "order": result.answer["order"], **body}
    code, message, field = _words(result)
    outcome = "suppressed" if code == "suppressed" else "failed"
    failed = Resolution(outcome=outcome, warnings=[Notice(code, message, field)])
    return {**known, "order": "failed", **msgspec.to_builtins(failed)}


async def delete_orders(call: Call) -> Answer:
    """DELETE /api/v1/orders: the orders of these ids, and what they counted for."""
    raw = _listed(await call.json_object(), "externalOrderIds")
    ids = list(dict.fromkeys(_order_id(one, place) for place, one in enumerate(raw)))
    outcomes = await asyncio.gather(
        *(call.write(DeleteOrder(origin=call.origin(), external_order_id=one)) for one in ids)
    )
    missing = [
        one
        for one, outcome in zip(ids, outcomes, strict=True)
        if outcome.answer["order"] == "not_found"
    ]
    return json_answer({"deleted": len(ids) - len(missing), "notFound": missing})


def _order_id(raw: Any, place: int) -> str:
    try:
        return read_order_id(raw, f"externalOrderIds[{place}]")
    except OrderRefused as error:
        raise InvalidBody(error.message) from None


async def contact_orders(call: Call) -> Answer:
    """GET /api/v1/contact/{id}/orders: newest first, with their items."""
    asked, (skip, rows) = call.path_id(), read_page(call)
    account_id, orders = call.account.account_id, call.services.orders
    card = await call.services.cards.get(account_id, asked)
    page = await orders.of_contact(account_id, card.contact_id, skip=skip, rows=rows)
    count = sum(one.orders for one in await orders.totals(account_id, card.contact_id))
    headers = [(TOTAL_COUNT, b"%d" % count), *_followed(asked, card.contact_id)]
    return Answer(_ENCODE([order_json(*one) for one in page]), headers=headers)


async def contact_order_totals(call: Call) -> Answer:
    """GET /api/v1/contact/{id}/orders/totals."""
    asked, account_id = call.path_id(), call.account.account_id
    card = await call.services.cards.get(account_id, asked)
    totals = await call.services.orders.totals(account_id, card.contact_id)
    body = totals_json(card.contact_id, totals)
    return Answer(_ENCODE(body), headers=_followed(asked, card.contact_id))


def _followed(asked: int, contact_id: int) -> list[tuple[bytes, bytes]]:
    return [] if asked == contact_id else [(CONTACT, b"%d" % contact_id)]


ROUTES = (
    Route(
        method="POST",
        path="/api/v1/orders",
        operation="ordersBulkInsert",
        right=Rights.CONTACTS_WRITE,
        endpoint=add_orders,
        summary="Add or update orders",
        tag="Orders",
        description="1 to 1,000 orders, each new or a change of the one with its externalOrderId. "
        "A new one belongs to the contact that its External ID, e-mail or phone names, which is made "
        "if nobody has them; a known one stays with its contact. An order that cannot be taken fails "
        "no other.",
        parameters=(EXPLAIN, DRY_RUN, IDEMPOTENCY),
        body=schemas.ORDERS,
        replies={200: Reply("All taken: an empty body. Else those that were not.", schemas.TAKEN)},
        errors=(400, 413, 415, 422),
        max_body_bytes=BULK_BYTES,
    ),
    Route(
        method="DELETE",
        path="/api/v1/orders",
        operation="deleteOrders",
        right=Rights.FULL,
        endpoint=delete_orders,
        summary="Delete orders",
        tag="Orders",
        description="The orders of these ids, with their items and what they counted for. Their "
        "events stay. Unknown ids are named in the answer.",
        body=schemas.ORDER_IDS,
        replies={200: Reply("How many there were, and which there were not.", schemas.DELETED)},
        errors=(400, 413, 415),
    ),
    Route(
        method="GET",
        path="/api/v1/contact/{id}/orders",
        operation="contactOrders",
        right=Rights.CONTACTS,
        endpoint=contact_orders,
        summary="Orders of a contact",
        tag="Orders",
        description="Newest first, with their items; also those that came to cards which were merged "
        "into this one.",
        parameters=(CONTACT_ID, *PAGING),
        replies={
            200: Reply("A page.", schemas.CONTACT_ORDERS, headers={**COUNTED, **FOLLOWED}),
        },
        errors=(400, 404),
    ),
    Route(
        method="GET",
        path="/api/v1/contact/{id}/orders/totals",
        operation="contactOrderTotals",
        right=Rights.CONTACTS,
        endpoint=contact_order_totals,
        summary="What a contact's orders come to",
        tag="Orders",
        description="Only delivered orders count in sum, average and dates. Amounts of different "
        "currencies are never added up.",
        parameters=(CONTACT_ID,),
        replies={200: Reply("The totals.", schemas.TOTALS, headers=FOLLOWED)},
        errors=(400, 404),
    ),
)
