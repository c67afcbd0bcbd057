"""Messages of Segment-style libraries, read (clients 6): one by one or in a batch.

A batch is what happened while a library could not reach us, from several people: a message that
cannot be used is dropped and counted, the others are stored. Only what is no batch at all is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from kartoteka.contacts.forms.channels import read_identifier
from kartoteka.contacts.forms.contact import read_external_id
from kartoteka.errors import InvalidRequest
from kartoteka.identity.kinds import WEB_COOKIE, InvalidIdentifier, Region
from kartoteka.identity.model import Identifier

TYPES = ("identify", "track", "page", "screen", "group", "alias")
MOST_MESSAGES = 10_000
MAX_MESSAGE_BYTES = 64_000
MAX_TYPE_CHARS = 100
MAX_ID_CHARS = 255
_FORBIDDEN = dict.fromkeys(map(ord, "<;’\\/|\"`'^?!,>"), " ")
"""Wire 6.1: signs that no event type has; libraries let people write them all the same."""


class InvalidMessage(InvalidRequest):
    """The message cannot be used."""

    code = "invalid_message"


class Message(msgspec.Struct, frozen=True):
    """One message: who did it, when, what."""

    type: str
    occurred: datetime
    message_id: str | None = None
    user: Identifier | None = None
    """`userId`: the External ID."""
    anonymous: Identifier | None = None
    """`anonymousId`: the visitor's cookie."""
    traits: Mapping[str, Any] = {}
    properties: Mapping[str, Any] = {}
    context: Mapping[str, Any] = {}
    name: str = ""
    """Of an event, page or screen."""
    group_id: str | None = None
    previous: Identifier | None = None
    """`previousId` of an alias, as a visitor's cookie."""
    signature: str | None = None


class Reading(msgspec.Struct):
    """What a body came to."""

    messages: list[Message]
    dropped: int = 0
    write_key: str | None = None


def write_key_in(body: Mapping[str, Any]) -> str | None:
    """The key where the header has none: browsers put it into the body."""
    key = body.get("writeKey")
    return key if isinstance(key, str) and key.strip() else None


def read_batch(body: Mapping[str, Any], received: datetime, region: Region) -> Reading:
    """The usable messages of a batch, in their order. Raises `InvalidMessage` for what is none."""
    batch = body.get("batch")
    if not isinstance(batch, list):
        raise InvalidMessage("The body needs a member batch, a list of messages.")
    if len(batch) > MOST_MESSAGES:
        raise InvalidMessage(f"A batch has at most {MOST_MESSAGES} messages.")
    reading = Reading([])
    shared = body.get("context")
    for item in batch:
        raw = item if isinstance(item, dict) else {}
        if isinstance(shared, dict):
            raw = {"context": shared, **raw}
        sent = raw.get("sentAt", body.get("sentAt"))
        try:
            reading.messages.append(read_message(raw.get("type"), raw, sent, received, region))
        except (InvalidMessage, InvalidIdentifier):
            reading.dropped += 1
    return reading


def read_message(
    kind: Any, raw: Mapping[str, Any], sent: Any, received: datetime, region: Region
) -> Message:
    """One message of that type. Raises `InvalidMessage` and `InvalidIdentifier`."""
    if kind not in TYPES:
        raise InvalidMessage(f"type must be one of {', '.join(TYPES)}.")
    user = read_external_id(raw.get("userId"), region, [])
    anonymous = _cookie(raw.get("anonymousId"), region)
    previous = _cookie(raw.get("previousId"), region) if kind == "alias" else None
    if user is None and anonymous is None:
        raise InvalidMessage("A message needs a userId or an anonymousId.")
    if kind == "alias" and (user is None or (previous is None and anonymous is None)):
        raise InvalidMessage("alias needs a userId and a previousId.")
    context = _mapping(raw, "context")
    return Message(
        type=kind,
        occurred=moment_of(raw, sent, received),
        message_id=_id(raw.get("messageId")),
        user=user,
        anonymous=anonymous,
        traits=_traits(raw, context),
        properties=_mapping(raw, "properties"),
        context=context,
        name=_name(kind, raw),
        group_id=_group_id(kind, raw),
        previous=previous,
        signature=_id(context.get("signature")),
    )


def moment_of(raw: Mapping[str, Any], sent: Any, received: datetime) -> datetime:
    """When it happened by our clock: how long before sending it was, before it came (clients 6).

    A sender's clock may be years off, but both of its times are by the same clock. Never later than
    now; without a readable time it is now.
    """
    stated = read_time(raw.get("timestamp"))
    if stated is None:
        stated = read_time(raw.get("originalTimestamp"))
    if stated is None:
        return received
    by_sender = read_time(sent)
    if by_sender is None:
        return min(stated, received)
    before = max(by_sender - stated, timedelta(0))
    try:
        return received - before
    except OverflowError:
        return received


def read_time(value: Any) -> datetime | None:
    """A moment in UTC: ISO 8601, or milliseconds since 1970; None if it cannot be read."""
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value.strip())
        elif isinstance(value, int | float) and not isinstance(value, bool):
            moment = datetime.fromtimestamp(value / 1000, UTC)
        else:
            return None
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _cookie(raw: Any, region: Region) -> Identifier | None:
    value = read_identifier(WEB_COOKIE, raw, region, [])
    return None if value is None else Identifier(WEB_COOKIE.code, value)


def _id(raw: Any) -> str | None:
    if isinstance(raw, int) and not isinstance(raw, bool):
        raw = str(raw)
    return raw if isinstance(raw, str) and 0 < len(raw) <= MAX_ID_CHARS else None


def _mapping(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = raw.get(name)
    return value if isinstance(value, dict) else {}


def _traits(raw: Mapping[str, Any], context: Mapping[str, Any]) -> Mapping[str, Any]:
    """rudder-python has them in the context only, rudder-node in both places (clients 6)."""
    return {**_mapping(context, "traits"), **_mapping(raw, "traits")}


def _name(kind: str, raw: Mapping[str, Any]) -> str:
    """The event of a track; of pages and screens their name, behind the category if there is one."""
    if kind == "track":
        name = type_key_of(raw.get("event"))
        if not name:
            raise InvalidMessage("track needs an event.")
        return name
    parts = [raw.get("category"), raw.get("name")] if kind in ("page", "screen") else []
    return " ".join(part for part in parts if isinstance(part, str) and part.strip())[:MAX_ID_CHARS]


def type_key_of(raw: Any) -> str:
    """A name that an event type may have; signs that none may have become blanks (wire 6.1)."""
    if not isinstance(raw, str):
        return ""
    text = "".join(char if char.isprintable() else " " for char in raw.translate(_FORBIDDEN))
    return " ".join(text.split())[:MAX_TYPE_CHARS].strip()


def _group_id(kind: str, raw: Mapping[str, Any]) -> str | None:
    if kind != "group":
        return None
    group_id = _id(raw.get("groupId"))
    if group_id is None or not group_id.strip():
        raise InvalidMessage("group needs a groupId.")
    return group_id.strip()
