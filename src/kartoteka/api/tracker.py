"""The collection point of websites: `POST /api/v2` (wire 9.3, 9.4; decisions D21, D36).

No key is needed, and 200 is the answer whatever comes. The answer says nothing but whether our own
script should send the same again, because the database is away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from kartoteka.access.model import AccountContext
from kartoteka.activity.model import Source
from kartoteka.activity.sites.rules import is_page_of
from kartoteka.activity.sites.script import is_site_key
from kartoteka.activity.visitors.actions import in_parts
from kartoteka.activity.visitors.messages import (
    LOGOUT,
    MOST_MESSAGES,
    WEB_CONTACT,
    WEB_PUSH,
    Dropped,
    Message,
    key_value_of,
    messages_in,
    occurred,
    params_of,
    read_message,
    token_of,
    visitor_of,
    who_is,
)
from kartoteka.activity.visitors.model import (
    MOST_TURNS,
    Claim,
    LogOut,
    PushToken,
    Step,
    Visit,
    Visited,
)
from kartoteka.api.answers import Answer
from kartoteka.api.bodies import parse_json, read_body
from kartoteka.api.call import Call
from kartoteka.api.limits import ACCOUNT_MESSAGES, ADDRESS_MESSAGES, address_of
from kartoteka.api.routing import Reply, Route
from kartoteka.errors import DatabaseUnavailable, KartotekaError, NotFound, TooLarge
from kartoteka.identity.kinds import WEB_COOKIE, Region
from kartoteka.identity.model import Identifier, Origin
from kartoteka.log import logger

BODY_BYTES = 1_000_000
"""A batch of our script stays below 60 KB, as browsers want it of a page that is being left."""
NO_KEY = 0
DONE = Answer(b"{}")
AGAIN = Answer(b'{"retry":true}')


async def collect(call: Call) -> Answer:
    """POST /api/v2 and /tracker/api/v2: one message, or a batch of our script."""
    try:
        raw, sent_ms = await _body(call)
    except Dropped as dropped:
        _count(call, dropped)
        return DONE
    by_visitor: dict[tuple[int, str], list[tuple[Message, AccountContext]]] = {}
    try:
        for message in _messages(call, raw):
            try:
                account = await _account_of(call, message)
                by_visitor.setdefault((account.account_id, visitor_of(message)), []).append(
                    (message, account)
                )
            except Dropped as dropped:
                _count(call, dropped)
    except DatabaseUnavailable:
        return AGAIN
    works = [_carry_out(call, visitor, said, sent_ms) for (_, visitor), said in by_visitor.items()]
    return DONE if all(await asyncio.gather(*works)) else AGAIN


async def _body(call: Call) -> tuple[list[Any], int | None]:
    try:
        body = await read_body(call.receive, call.headers, BODY_BYTES)
        return messages_in(parse_json(body, None, "batch"))
    except TooLarge:
        raise Dropped("too_large") from None
    except KartotekaError:
        raise Dropped("unreadable") from None


def _messages(call: Call, raw: list[Any]) -> list[Message]:
    """The messages that may be taken: not too many at once, and of one address."""
    services = call.services
    address = address_of(call.scope, call.headers, services.trusted_proxies)
    if len(raw) > MOST_MESSAGES:
        _count(call, Dropped("too_many", len(raw) - MOST_MESSAGES))
        raw = raw[:MOST_MESSAGES]
    passed = services.public_limits.take(address, ADDRESS_MESSAGES, len(raw))
    if passed < len(raw):
        _count(call, Dropped("address_limit", len(raw) - passed))
    found: list[Message] = []
    for one in raw[:passed]:
        try:
            found.append(read_message(one))
        except Dropped as dropped:
            _count(call, dropped)
    return found


async def _account_of(call: Call, message: Message) -> AccountContext:
    """The account whose website it is; the page must be of that website. Raises `Dropped`."""
    services = call.services
    if message.org_id is not None:
        sites = list(await services.sites.of_organisation(message.org_id))
    else:
        key = message.site_key
        site = await services.sites.find(key) if key is not None and is_site_key(key) else None
        sites = [] if site is None else [site]
    if not sites:
        raise Dropped("unknown_site")
    origin = call.headers.get(b"origin")
    text = None if origin is None else origin.decode("latin-1")
    if not is_page_of(text, [site.domain for site in sites]):
        raise Dropped("foreign_origin")
    try:
        return await services.accounts.context(sites[0].account_id)
    except NotFound:
        raise Dropped("unknown_site") from None


async def _carry_out(
    call: Call, visitor: str, said: Sequence[tuple[Message, AccountContext]], sent_ms: int | None
) -> bool:
    """Store what one visitor did; whether the database was there."""
    account = said[0][1]
    limits = call.services.public_limits
    passed = limits.take(account.account_id, ACCOUNT_MESSAGES, len(said))
    if passed < len(said):
        _count(call, Dropped("account_limit", len(said) - passed))
    steps = [step for one, _ in said[:passed] for step in _steps(call, account, one, sent_ms)]
    if not steps:
        return True
    command = Visited(
        origin=Origin(call.at, call.request_id, NO_KEY, call.route.operation),
        visitor=Identifier(WEB_COOKIE.code, visitor),
        steps=tuple(steps),
        source=Source.WEB,
    )
    work = _write(call, account, command)
    if any(isinstance(step, Claim | PushToken) for step in steps):
        return await call.services.discretion.carry_out(work)
    try:
        await work
    except DatabaseUnavailable:
        return False
    return True


async def _write(call: Call, account: AccountContext, command: Visited) -> None:
    """Raises DatabaseUnavailable; what else goes wrong is logged and counted."""
    for part in in_parts(command, MOST_TURNS):
        try:
            outcome = await call.services.engine.submit(account, part)
        except DatabaseUnavailable:
            raise
        except Exception:  # noqa: BLE001 - 200 whatever comes; the log and the metric know
            logger.exception("tracker_failed", request_id=call.request_id)
            _count(call, Dropped("failed", len(part.steps)))
            continue
        if capped := outcome.answer.get("capped"):
            _count(call, Dropped("capped", capped))


def _steps(
    call: Call, account: AccountContext, message: Message, sent_ms: int | None
) -> list[Step]:
    """What a message says, in order: who the visitor is comes before what it did."""
    at = occurred(message, call.at, sent_ms)
    if message.name == LOGOUT:
        return [LogOut(at)]
    steps: list[Step] = []
    who = call.services.signer.heed(
        account.account_id,
        who_is(message, Region(account.settings.region)),
        needs_signature=account.settings.signed_claims,
    )
    if not who.is_nobody():
        steps.append(Claim(who, at))
    if message.name == WEB_CONTACT:
        return steps
    if message.name == WEB_PUSH:
        token = token_of(message)
        return steps if token is None else [*steps, PushToken(token, at, _web_push(message))]
    steps.append(
        Visit(
            type_key=message.name,
            key_value=key_value_of(message),
            occurred=at,
            params=params_of(message),
            message=_digest(account.account_id, message.message_id),
        )
    )
    return steps


def _digest(account_id: int, message_id: str | None) -> bytes | None:
    if message_id is None:
        return None
    return sha256(f"web:{account_id}:{message_id}".encode("utf-8", "surrogatepass")).digest()


def _web_push(message: Message) -> dict[str, Any]:
    """The subscription's own words (wire 2.2), as far as they are short texts."""
    block = message.raw.get(WEB_PUSH)
    known = ("userAgent", "userAgentLanguage", "os", "subscriptionPage", "swActiveVersion")
    found = {name: block.get(name) for name in known} if isinstance(block, dict) else {}
    return {name: text[:1000] for name, text in found.items() if isinstance(text, str) and text}


def _count(call: Call, dropped: Dropped) -> None:
    call.services.metrics.drop(dropped.reason, dropped.count)


_MESSAGE = {
    "type": "object",
    "description": "GeneralInfo and one object named as the event (wire 9.3), or "
    '`{"batch": [...], "sentAt": ...}`, or a bind `{"webId", "orgId", "externalCustomerId", ...}`.',
    "properties": {"GeneralInfo": {"description": "eventName, siteId, datetime, cookies.sc, who."}},
}

ROUTES = tuple(
    Route(
        method="POST",
        path=path,
        operation=operation,
        right=None,
        cors=True,
        endpoint=collect,
        summary="What visitors of a website do",
        tag="Sites",
        description="For the tracker and for servers. Needs no key and answers 200 whatever comes.",
        body=_MESSAGE,
        replies={
            200: Reply(
                "It came. `retry`: our script keeps it and sends it again.",
                {"type": "object", "properties": {"retry": {"type": "boolean"}}},
            )
        },
        max_body_bytes=BODY_BYTES,
    )
    for path, operation in (("/api/v2", "collect"), ("/tracker/api/v2", "collect_1"))
)
