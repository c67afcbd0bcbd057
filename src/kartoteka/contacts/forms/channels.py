"""Channels of a request body as identifiers: e-mail, phone and push tokens (wire 2.2, decisions D5)."""

from __future__ import annotations

from typing import Any

import msgspec

from kartoteka.contacts.values.errors import InvalidValue
from kartoteka.contacts.values.text import clean_text
from kartoteka.identity.kinds import (
    EMAIL,
    MOBILE_TOKEN,
    PHONE,
    WEB_TOKEN,
    IdentifierKind,
    InvalidIdentifier,
    Region,
)
from kartoteka.identity.model import Identifier, Notice
from kartoteka.identity.never import is_never

KIND_OF_TYPE: dict[str, IdentifierKind] = {
    "email": EMAIL,
    "sms": PHONE,
    "viber": PHONE,
    "mobilepush": MOBILE_TOKEN,
    "webpush": WEB_TOKEN,
}
OTHER_TYPES = frozenset(("appinbox", "widget", "inapp", "telegrambot"))
"""Channels of the original that name nobody: nothing to store, nothing to warn of (wire 2.2)."""

MAX_ATTRIBUTE_CHARS = 1000
_DEVICE = ("deviceModel", "os", "locale", "clientVersion", "appVersion")
_WEB_PUSH = (
    *("userAgent", "userAgentVersion", "userAgentLanguage"),
    *("os", "ip", "subscriptionPage", "swActiveVersion"),
)
_BLOCKS = {
    MOBILE_TOKEN.code: ("device", _DEVICE),
    WEB_TOKEN.code: ("webPushSubscription", _WEB_PUSH),
}


class Channels(msgspec.Struct):
    """What the channels of one request name."""

    email: Identifier | None = None
    phone: Identifier | None = None
    tokens: list[Identifier] = []


def read_channels(
    raw: object, region: Region, device: str | None, warnings: list[Notice]
) -> Channels:
    """The usable channels; each other one is dropped with a notice (decisions D18).

    `raw` is a list or one object (clients send both). Tokens belong to `device` (decisions D12).
    """
    channels = Channels(tokens=[])
    for item in raw if isinstance(raw, list) else (raw,):
        if not isinstance(item, dict):
            if item is not None and item != "":
                warnings.append(_INVALID_CHANNEL)
            continue
        kind = _kind(item.get("type"), warnings)
        if kind is EMAIL:
            channels.email = _single(EMAIL, item, channels.email, region, warnings)
        elif kind is PHONE:
            channels.phone = _single(PHONE, item, channels.phone, region, warnings)
        elif kind is not None:
            _add_token(channels, kind, item, region=region, device=device, warnings=warnings)
    return channels


def _kind(name: object, warnings: list[Notice]) -> IdentifierKind | None:
    """Types are taken in any case (a page of the original spells `webPush`)."""
    if isinstance(name, str):
        kind = KIND_OF_TYPE.get(name) or KIND_OF_TYPE.get(name.strip().lower())
        if kind is not None or name.strip().lower() in OTHER_TYPES:
            return kind
    warnings.append(_UNKNOWN_TYPE)
    return None


def _single(
    kind: IdentifierKind,
    item: dict[str, Any],
    known: Identifier | None,
    region: Region,
    warnings: list[Notice],
) -> Identifier | None:
    """One e-mail and one phone: the first valid one counts (decisions D5)."""
    try:
        value = kind.normalise(item.get("value"), region)
    except InvalidIdentifier as error:
        warnings.append(Notice(f"invalid_{kind.name}", str(error), item["type"]))
        return known
    if value is None:
        return known
    if known is None:
        return Identifier(kind.code, value)
    if known.value != value:
        message = f"A contact has one {kind.name}: the first one counts."
        warnings.append(Notice(f"second_{kind.name}", message, "channels"))
    return known


def _add_token(
    channels: Channels,
    kind: IdentifierKind,
    item: dict[str, Any],
    *,
    region: Region,
    device: str | None,
    warnings: list[Notice],
) -> None:
    value = read_identifier(kind, item.get("value"), region, warnings)
    if value is None or any(
        one.value == value and one.kind == kind.code for one in channels.tokens
    ):
        return
    name, known = _BLOCKS[kind.code]
    block = item.get(name)
    if not isinstance(block, dict):
        channels.tokens.append(Identifier(kind.code, value, None, device))
        return
    app = _text(block.get("appId"), f"{name}.appId", warnings)
    attributes = _attributes(block, name, known, warnings)
    channels.tokens.append(Identifier(kind.code, value, app, device, attributes or None))


def read_identifier(
    kind: IdentifierKind, raw: object, region: Region, warnings: list[Notice]
) -> str | None:
    """Its value as it is stored; None with a notice if it is invalid or stands for nobody (D6)."""
    try:
        value = kind.normalise(raw, region)
    except InvalidIdentifier as error:
        warnings.append(Notice(f"invalid_{kind.name}", str(error), kind.name))
        return None
    if value is not None and is_never(kind, value):
        warnings.append(never_notice(kind))
        return None
    return value


def never_notice(kind: IdentifierKind, field: str | None = None) -> Notice:
    """The warning of decisions D6: the value was read as absent."""
    message = f"The {kind.label} is a value that stands for nobody; it was read as absent."
    return Notice("never_identifier", message, field or kind.name)


def _attributes(
    block: dict[str, Any], name: str, known: tuple[str, ...], warnings: list[Notice]
) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    for member in known:
        raw = block.get(member)
        if raw is not None and (text := _text(raw, f"{name}.{member}", warnings)) is not None:
            attributes[member] = text
    active = block.get("active")
    if isinstance(active, bool):
        attributes["active"] = active
    return attributes


def _text(raw: object, field: str, warnings: list[Notice]) -> str | None:
    try:
        return clean_text(raw, field, max_chars=MAX_ATTRIBUTE_CHARS)
    except InvalidValue as error:
        warnings.append(Notice("invalid_attribute", str(error), field))
        return None


_INVALID_CHANNEL = Notice("invalid_channel", "A channel must be an object.", "channels")
_UNKNOWN_TYPE = Notice("unknown_channel", "The type of a channel is not known.", "channels")
