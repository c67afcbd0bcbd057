"""Tokens of applications: added, activated, muted (wire 3.12)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from kartoteka.access.model import Rights
from kartoteka.api import schemas
from kartoteka.api.answers import Answer, json_answer, text_answer
from kartoteka.api.bodies import InvalidBody
from kartoteka.api.call import MAX_ID, Call
from kartoteka.api.contacts import IDEMPOTENCY
from kartoteka.api.routing import Parameter, Reply, Route
from kartoteka.contacts.forms.contact import FormRules, read_contact
from kartoteka.contacts.model import (
    ActivateToken,
    AddAppToken,
    AppToken,
    ContactInput,
    MuteToken,
    Outcome,
)
from kartoteka.errors import InvalidRequest, NoIdentifier
from kartoteka.identity.kinds import TELEGRAM_TOKEN, Region
from kartoteka.identity.never import is_never

MAX_APP_CHARS = 255
MAX_TOKEN_CHARS = 4096
MAX_TOKENS = 1_000
MUTE_SECONDS = (5, 31_536_000)


class NoToken(InvalidRequest):
    """Token must be specified."""

    code = "no_token"


class InvalidDuration(InvalidRequest):
    """Duration must be positive: 5 to 31536000 seconds."""

    code = "invalid_duration"


async def add_app_tokens(call: Call) -> Answer:
    """POST /api/v1/apps/{app}/tokens: each token to the contact that its element names."""
    app = call.path_text("app", MAX_APP_CHARS)
    body = await call.json_object()
    raw = body.get("tokens")
    items = raw if isinstance(raw, list) else [raw]
    if raw is None or not items or len(items) > MAX_TOKENS:
        raise InvalidBody(f"The body needs a member tokens, a list of 1 to {MAX_TOKENS} elements.")
    region = Region(call.account.settings.region)
    read = [_app_token(item, position, region) for position, item in enumerate(items, start=1)]
    outcomes = await asyncio.gather(
        *(
            call.write(
                AddAppToken(
                    origin=call.origin(),
                    app=app,
                    kind=TELEGRAM_TOKEN.code,
                    item=item,
                    repeat=call.repeat(part=part),
                ),
            )
            for part, item in enumerate(read)
        ),
        return_exceptions=True,
    )
    return text_answer(_added(outcomes))


def _added(outcomes: Sequence[Outcome | BaseException]) -> str:
    """What became of the tokens; an error only where nothing was stored (decisions D21).

    One whose contactId nobody has, or whose person was erased (D29), leaves the others as they are.
    """
    errors = [one for one in outcomes if isinstance(one, BaseException)]
    of_nobody = sum(isinstance(error, NoIdentifier) for error in errors)
    if errors and (of_nobody < len(errors) or of_nobody == len(outcomes)):
        raise next((one for one in errors if not isinstance(one, NoIdentifier)), errors[0])
    erased = sum(
        one.resolution.outcome == "suppressed" for one in outcomes if isinstance(one, Outcome)
    )
    exceptions = [f"{of_nobody} of nobody"] * bool(of_nobody)
    exceptions += [f"{erased} of erased persons"] * bool(erased)
    return "Tokens have been added" + ", except " * bool(exceptions) + " and ".join(exceptions)


def _app_token(raw: object, position: int, region: Region) -> AppToken:
    if not isinstance(raw, dict):
        raise InvalidBody(f"Element {position} of tokens must be an object.")
    token = read_token(raw.get("token"), region)
    contact_id = _contact_id(raw.get("contactId"), position)
    contact = read_contact(
        {
            "externalCustomerId": raw.get("externalCustomerId"),
            "channels": [
                {"type": "sms", "value": raw.get("phone")},
                {"type": "email", "value": raw.get("email")},
            ],
        },
        FormRules(region),
    )
    if contact_id is None and not contact.person.all():
        raise InvalidRequest(
            f"Element {position} of tokens names nobody: give contactId, externalCustomerId, "
            "phone or email.",
            code="no_identifier",
        )
    return AppToken(token, contact_id, ContactInput(contact.person, warnings=contact.warnings))


def read_token(raw: object, region: Region) -> str:
    """A token that a call must name. Raises `NoToken` and `InvalidIdentifier`."""
    value = TELEGRAM_TOKEN.normalise(str(raw) if type(raw) is int else raw, region)
    if value is None or is_never(TELEGRAM_TOKEN, value):
        raise NoToken
    return value


def _contact_id(raw: object, position: int) -> int | None:
    text = raw.strip() if isinstance(raw, str) else raw
    if text is None or text == "":
        return None
    if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= 19:
        text = int(text)
    if type(text) is not int or not 0 <= text <= MAX_ID:
        raise InvalidBody(f"contactId in element {position} of tokens must be a number.")
    return text or None


async def activate_token(call: Call) -> Answer:
    """PUT /api/v1/contact/token/activated/{app}/{token}: `{"active": true}` both ways."""
    app = call.path_text("app", MAX_APP_CHARS)
    token = call.path_text("token", MAX_TOKEN_CHARS)
    body = await call.json_object()
    active = _boolean(body.get("active"))
    await call.write(
        ActivateToken(
            origin=call.origin(), app=app, token=token, active=active, repeat=call.repeat()
        ),
    )
    return json_answer({"active": active})


def _boolean(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw.strip().lower() in ("true", "false"):
        return raw.strip().lower() == "true"
    raise InvalidBody("The body needs a member active, true or false.")


async def mute_token(call: Call) -> Answer:
    """POST /api/v1/apps/{app}/token/mute: silent for `duration` seconds."""
    body = await call.json_object()
    return await _mute(call, body, _duration(body.get("duration")))


async def unmute_token(call: Call) -> Answer:
    """POST /api/v1/apps/{app}/token/unmute."""
    return await _mute(call, await call.json_object(), None)


async def _mute(call: Call, body: dict[str, Any], duration_s: int | None) -> Answer:
    app = call.path_text("app", MAX_APP_CHARS)
    token = read_token(body.get("token"), Region(call.account.settings.region))
    until = None if duration_s is None else call.at + timedelta(seconds=duration_s)
    await call.write(
        MuteToken(origin=call.origin(), app=app, token=token, until=until, repeat=call.repeat()),
    )
    return text_answer("Token has been unmuted" if until is None else "Token has been muted")


def _duration(raw: object) -> int:
    if isinstance(raw, str) and raw.strip().isascii() and raw.strip().isdigit():
        raw = int(raw[:20])
    if isinstance(raw, float) and raw.is_integer():
        raw = int(raw)
    if type(raw) is not int or not MUTE_SECONDS[0] <= raw <= MUTE_SECONDS[1]:
        raise InvalidDuration
    return raw


APP = Parameter(
    "app",
    "The application's id, as the settings show it (a UUID or a number).",
    {"type": "string", "minLength": 1, "maxLength": MAX_APP_CHARS},
    place="path",
    required=True,
)
TOKEN = Parameter(
    "token",
    "The token, percent-encoded.",
    {"type": "string", "minLength": 1, "maxLength": MAX_TOKEN_CHARS},
    place="path",
    required=True,
)
_ACTIVE = {"type": "object", "required": ["active"], "properties": {"active": {"type": "boolean"}}}

ROUTES = (
    Route(
        method="POST",
        path="/api/v1/apps/{app}/tokens",
        operation="addAppTokens",
        right=Rights.CONTACTS_WRITE,
        endpoint=add_app_tokens,
        summary="Add tokens of an application",
        tag="Tokens",
        description="Each element names a contact: contactId, then externalCustomerId, phone, "
        "email. Not found: created. Identifiers of a found contact never change.",
        parameters=(APP, IDEMPOTENCY),
        body=schemas.ref("AppTokens"),
        replies={200: Reply("A sentence.", schemas.SENTENCE)},
        errors=(400, 404, 409, 413, 415, 422),
    ),
    Route(
        method="POST",
        path="/api/v1/apps/{app}/token/mute",
        operation="muteToken",
        right=Rights.CONTACTS_WRITE,
        endpoint=mute_token,
        summary="Keep a token silent for a while",
        tag="Tokens",
        parameters=(APP, IDEMPOTENCY),
        body={
            "type": "object",
            "required": ["token", "duration"],
            "properties": {
                "token": schemas.TOKEN,
                "duration": {
                    "type": "integer",
                    "minimum": MUTE_SECONDS[0],
                    "maximum": MUTE_SECONDS[1],
                    "description": "Seconds.",
                },
            },
        },
        replies={200: Reply("A sentence.", schemas.SENTENCE)},
        errors=(400, 404, 413, 415, 422),
    ),
    Route(
        method="POST",
        path="/api/v1/apps/{app}/token/unmute",
        operation="unmuteToken",
        right=Rights.CONTACTS_WRITE,
        endpoint=unmute_token,
        summary="End a token's silence",
        tag="Tokens",
        parameters=(APP, IDEMPOTENCY),
        body={"type": "object", "required": ["token"], "properties": {"token": schemas.TOKEN}},
        replies={200: Reply("A sentence.", schemas.SENTENCE)},
        errors=(400, 404, 413, 415, 422),
    ),
    Route(
        method="PUT",
        path="/api/v1/contact/token/activated/{app}/{token}",
        operation="setTokenActivated",
        right=Rights.CONTACTS_WRITE,
        endpoint=activate_token,
        summary="Switch a token on or off",
        tag="Tokens",
        parameters=(APP, TOKEN, IDEMPOTENCY),
        body=_ACTIVE,
        replies={200: Reply("The token's state.", _ACTIVE)},
        errors=(400, 404, 413, 415, 422),
    ),
)
