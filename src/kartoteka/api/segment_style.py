"""The tracking API of Segment-style libraries: `/v1/identify`, `/v1/batch` and the rest (clients 6).

Any library of that family works after a change of its host. The key is the user name of Basic, or
`writeKey` in the body. The answer is exactly 200 and `{"success": true}`, or an error with `code` and
`message`; 503 and 429 are sent again by every library, and a message that came already counts once.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Sequence
from typing import Any

from kartoteka.access.keys import require
from kartoteka.access.model import SEGMENT_KEYS, AccountContext, Caller, KeyKind, Rights
from kartoteka.activity.model import Source
from kartoteka.activity.segment_style import commands
from kartoteka.activity.segment_style.messages import (
    Message,
    Reading,
    read_batch,
    read_message,
    write_key_in,
)
from kartoteka.activity.visitors.actions import in_parts
from kartoteka.activity.visitors.model import MOST_TURNS, Claim, Step, Visited, Who
from kartoteka.api.answers import Answer, json_answer
from kartoteka.api.call import Call
from kartoteka.api.limits import ACCOUNT_MESSAGES, address_of
from kartoteka.api.routing import Endpoint, Parameter, Reply, Route, Schema
from kartoteka.contacts.forms.contact import FormRules
from kartoteka.errors import (
    DatabaseUnavailable,
    Forbidden,
    KartotekaError,
    NotFound,
    RateLimited,
    Unauthorised,
)
from kartoteka.identity.kinds import Region
from kartoteka.identity.model import Identifier

BATCH_BYTES = 4_000_000
DONE = Answer(b'{"success": true}')
_PERSONAL = frozenset(("identify", "alias", "group"))
"""Messages that write contacts, for which a server key needs the right to."""


async def batch(call: Call) -> Answer:
    """POST /v1/batch."""
    body = await call.json_object("batch")
    await _admit(call, body)
    region = Region(call.account.settings.region)
    return await _carry_out(call, read_batch(body, call.at, region))


def single(kind: str) -> Endpoint:
    """The end point of one type of message."""

    async def one(call: Call) -> Answer:
        body = await call.json_object()
        await _admit(call, body)
        region = Region(call.account.settings.region)
        message = read_message(kind, body, body.get("sentAt"), call.at, region)
        return await _carry_out(call, Reading([message]))

    return one


# Who calls


async def _admit(call: Call, body: dict[str, Any]) -> None:
    """Whose key it is, and whether it may be used like that (decisions D36)."""
    key = _basic_key(call.headers.get(b"authorization")) or write_key_in(body)
    if key is None:
        _limit(call)  # guessing is what strangers do
        raise Unauthorised("The write key must be the user name of Basic, or writeKey in the body.")
    caller = await call.services.keys.identify(key, SEGMENT_KEYS)
    call.caller = caller
    if caller.kind is KeyKind.BROWSER:
        _limit(call)
        return
    settings = caller.account.settings
    if b"origin" in call.headers and not settings.allow_server_key_in_browser:
        raise Forbidden(
            f"A {caller.kind} key may not be sent by a web page: make one with --kind browser."
        )
    if settings.rate_limits:
        call.services.limits.count(caller.account.account_id, call.route.pool)


def _limit(call: Call) -> None:
    address = address_of(call.scope, call.headers, call.services.trusted_proxies)
    call.services.public_limits.admit(address)


def _basic_key(header: bytes | None) -> str | None:
    """The key in a Basic header: the user name, as these libraries send it, or the password."""
    scheme, _, credentials = (header or b"").strip().partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        text = base64.b64decode(credentials.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    user, _, password = text.partition(":")
    return user.strip() or password.strip() or None


def _check_rights(caller: Caller, messages: Sequence[Message]) -> None:
    """A server key reaches as far here as elsewhere; a write key is made for this."""
    if caller.kind is not KeyKind.SERVER:
        return
    require(caller, Rights.EVENTS)
    if any(message.type in _PERSONAL for message in messages):
        require(caller, Rights.CONTACTS_WRITE)


# What is done


async def _carry_out(call: Call, reading: Reading) -> Answer:
    caller = call.require_caller()
    _check_rights(caller, reading.messages)
    if reading.dropped:
        call.services.metrics.drop("invalid_message", reading.dropped)
    fields = await call.services.definitions.of(call.account.account_id)
    rules = FormRules(Region(call.account.settings.region), fields)
    if caller.kind is KeyKind.BROWSER:
        await _claimed(call, reading.messages, rules)
    else:
        await _keyed(call, reading.messages, rules)
    return DONE


async def _keyed(call: Call, messages: Sequence[Message], rules: FormRules) -> None:
    """All messages together, each person's in their order; those that fail alone are dropped."""
    account_id = call.account.account_id
    waiting = [
        call.write(command)
        for message in messages
        for command in commands.keyed(message, rules, call.origin(), account_id)
    ]
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    refused = [one for one in answers if isinstance(one, BaseException)]
    for error in refused:
        if not isinstance(error, KartotekaError) or isinstance(error, DatabaseUnavailable):
            raise error
    if refused and len(answers) == 1:
        raise refused[0]
    if refused:
        call.services.metrics.drop("invalid_message", len(refused))


async def _claimed(call: Call, messages: Sequence[Message], rules: FormRules) -> None:
    """What a page says of its own cookies: one command for each visitor."""
    account = call.account
    limits = call.services.public_limits
    if limits.take(account.account_id, ACCOUNT_MESSAGES, len(messages)) < len(messages):
        raise RateLimited(retry_after_s=1)
    visitors = [
        Visited(origin=call.origin(), visitor=visitor, steps=tuple(steps), source=Source.SEGMENT)
        for visitor, steps in _by_visitor(call, account, messages, rules)
    ]

    async def write(said: Visited) -> None:
        for part in in_parts(said, MOST_TURNS):
            await call.write(part)

    async def write_all() -> None:
        await asyncio.gather(*(write(said) for said in visitors))

    if not any(isinstance(step, Claim) for said in visitors for step in said.steps):
        await write_all()
    elif not await call.services.discretion.carry_out(write_all()):
        raise DatabaseUnavailable


def _by_visitor(
    call: Call, account: AccountContext, messages: Sequence[Message], rules: FormRules
) -> list[tuple[Identifier, list[Step]]]:
    """(cookie, what it did and who it is said to be); without a cookie nothing can be its own."""
    steps: dict[Identifier, list[Step]] = {}
    said: dict[Identifier, Who] = {}
    for message in messages:
        visitor = message.anonymous or message.previous
        if visitor is None:
            call.services.metrics.drop("no_cookie")
            continue
        found = steps.setdefault(visitor, [])
        who = call.services.signer.heed(
            account.account_id,
            commands.claimed(message, rules),
            needs_signature=account.settings.signed_claims,
        )
        if not who.is_nobody() and said.get(visitor) != who:
            said[visitor] = who
            found.append(Claim(who, message.occurred))
        step = commands.done(message, account.account_id)
        if step is not None:
            found.append(step)
    return [(visitor, found) for visitor, found in steps.items() if found]


# What the browser library asks first


async def settings(call: Call) -> Answer:
    """GET /v1/projects/{key}/settings: where analytics.js sends to, and nothing else to load."""
    _limit(call)
    key = call.params["key"]
    try:
        await call.services.keys.identify(key, frozenset({KeyKind.BROWSER}))
    except Unauthorised:
        raise NotFound("There is no browser key like that.") from None
    host = call.headers.get(b"host", b"").decode("latin-1")
    segment: dict[str, Any] = {
        "apiKey": key,
        "unbundledIntegrations": [],
        "addBundledMetadata": True,
    }
    if host:
        segment |= {"apiHost": f"{host}/v1", "protocol": _scheme(call)}
    document = {
        "integrations": {"Segment.io": segment},
        "plan": {"track": {"__default": {"enabled": True, "integrations": {}}}},
        "edgeFunction": {},
        "analyticsNextEnabled": True,
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "metrics": {"sampleRate": 0},
        "legacyVideoPluginsEnabled": False,
        "remotePlugins": [],
    }
    return json_answer(document, headers=((b"cache-control", b"public, max-age=120"),))


def _scheme(call: Call) -> str:
    client = call.scope.get("client")
    forwarded = call.headers.get(b"x-forwarded-proto", b"").decode("latin-1").strip().lower()
    if client and client[0] in call.services.trusted_proxies and forwarded in ("http", "https"):
        return forwarded
    return str(call.scope.get("scheme", "http"))


_KINDS = {
    "identify": "Who somebody is, with traits",
    "track": "What somebody did",
    "page": "A page that somebody saw",
    "screen": "A screen that somebody saw",
    "group": "Which group somebody belongs to",
    "alias": "A visitor is that user",
}
_MESSAGE: Schema = {
    "type": "object",
    "properties": {
        "userId": {"type": ["string", "integer", "null"], "description": "The External ID."},
        "anonymousId": {"type": ["string", "null"], "description": "The visitor's cookie."},
        "messageId": {"type": ["string", "null"]},
        "timestamp": {"type": ["string", "null"]},
        "sentAt": {"type": ["string", "null"]},
        "writeKey": {"type": ["string", "null"]},
        "event": {"type": ["string", "null"]},
        "traits": {"type": ["object", "null"]},
        "properties": {"type": ["object", "null"]},
        "context": {"type": ["object", "null"]},
    },
}
_BATCH: Schema = {
    "type": "object",
    "required": ["batch"],
    "properties": {
        "batch": {
            "type": "array",
            "items": {**_MESSAGE, "required": ["type"]},
            "maxItems": 10_000,
        },
        "sentAt": {"type": ["string", "null"]},
        "writeKey": {"type": ["string", "null"]},
    },
}
_SUCCESS: Schema = {
    "type": "object",
    "required": ["success"],
    "properties": {"success": {"const": True}},
}
_AUTHORIZATION = Parameter(
    "Authorization",
    "Basic with the write key as user name; or `writeKey` in the body.",
    {"type": "string"},
    place="header",
)


def _route(path: str, operation: str, endpoint: Endpoint, summary: str, body: Schema) -> Route:
    return Route(
        method="POST",
        path=path,
        operation=operation,
        right=None,
        cors=True,
        endpoint=endpoint,
        summary=summary,
        tag="Segment-style",
        parameters=(_AUTHORIZATION,),
        body=body,
        replies={200: Reply("It is stored.", _SUCCESS)},
        errors=(400, 401, 403, 413, 415, 429),
        max_body_bytes=BATCH_BYTES,
    )


ROUTES = (
    *(
        route
        for kind, summary in _KINDS.items()
        for route in (
            _route(f"/v1/{kind}", f"segment_{kind}", single(kind), summary, _MESSAGE),
            _route(f"/v1/{kind[0]}", f"segment_{kind[0]}", single(kind), summary, _MESSAGE),
        )
    ),
    _route("/v1/batch", "segment_batch", batch, "Many messages", _BATCH),
    _route("/v1/b", "segment_b", batch, "Many messages", _BATCH),
    Route(
        method="GET",
        path="/v1/projects/{key}/settings",
        operation="segment_settings",
        right=None,
        cors=True,
        endpoint=settings,
        summary="What analytics.js loads first",
        tag="Segment-style",
        parameters=(
            Parameter("key", "A browser key.", {"type": "string"}, place="path", required=True),
        ),
        replies={
            200: Reply(
                "The settings document.",
                {"type": "object", "required": ["integrations"]},
            )
        },
        errors=(401, 403, 404, 429),
    ),
)
