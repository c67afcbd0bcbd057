"""What pages and servers say to the tracker, read (wire 9.2–9.4): pure, and tolerant of everything.

A body is one message or a batch of our script. What cannot be used is dropped with a reason, a word of
`REASONS`: the tracker answers 200 whatever comes (decisions D21), and metrics count the reasons.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from kartoteka.activity.visitors.model import Who
from kartoteka.contacts.forms.channels import read_identifier
from kartoteka.identity.kinds import EMAIL, EXTERNAL_ID, PHONE, WEB_COOKIE, WEB_TOKEN, Region
from kartoteka.identity.kinds.base import DEFAULT_REGION, IdentifierKind, InvalidIdentifier
from kartoteka.identity.never import is_never

REASONS = {
    "unreadable": "the body is no JSON, or no message",
    "too_large": "the body or a message is longer than allowed, or nested too deeply",
    "too_many": "a batch has more messages than allowed",
    "address_limit": "too many messages from one address",
    "account_limit": "too many messages for one account",
    "unknown_site": "no website has the siteId, no account the orgId",
    "foreign_origin": "the page is not of a registered domain of the website",
    "no_cookie": "no visitor is named, or by a value that stands for nobody",
    "no_event": "no event is named, or by a name that is not allowed",
    "capped": "the visitor has as many visits as are kept while nobody knows who it is",
    "failed": "it could not be stored",
    "invalid_message": "a message of a Segment-style library names nobody or nothing, or was refused",
}
"""Why a message was dropped: the label of the metric."""

MOST_MESSAGES = 100
MAX_MESSAGE_BYTES = 20_000
MAX_NAME_CHARS = 100
MAX_KEY_CHARS = 300
MAX_TEXT_CHARS = 2_000
MAX_ID_CHARS = 255
KEPT = timedelta(days=396)
"""Visits are kept for 13 months (decisions D37): an older one is not taken."""

UNDERWAY = timedelta(seconds=30)
"""Longer no message is on its way from a page: what is beyond is a clock that is wrong."""

LOGOUT = "logout"
WEB_CONTACT = "webcontact"
WEB_PUSH = "WebPush"

_FORBIDDEN = frozenset("<;’\\/|\"`'^?!,>")
"""Wire 6.1: what no event type has in its name."""
_PERSONAL = frozenset(
    (
        *("externalCustomerId", "user_email", "user_phone", "user_name", "user_es_contact_id"),
        *("user_client_id", "signature", "email", "phone", "token"),
    )
)
"""Who somebody is said to be is a claim, not something that they did: no visit keeps it."""
_ENVELOPE = frozenset(("GeneralInfo", "Page", "messageId"))
_KEYS = ("productKey", "categoryKey", "OrderNumber", "search", "GUID")
"""What a visit is about, the first that it has."""
_YESPO_ID = re.compile(r"(?:Yespo|Kartoteka)-([0-9]{1,18})", re.IGNORECASE)
_YESPO_SOURCE = re.compile(r"(?:Yespo|Kartoteka)-.+", re.IGNORECASE)
_encode = msgspec.json.Encoder().encode


class Message(msgspec.Struct, frozen=True):
    """One thing that a page said, not yet read for an account."""

    name: str
    raw: Mapping[str, Any]
    info: Mapping[str, Any]
    site_key: str | None = None
    org_id: int | None = None
    message_id: str | None = None


class Dropped(Exception):
    """A message cannot be used; `reason` is one of `REASONS`."""

    def __init__(self, reason: str, count: int = 1) -> None:
        super().__init__(reason)
        self.reason = reason
        self.count = count


def messages_in(body: Any) -> tuple[list[Any], int | None]:
    """(what may be messages, when the sender says it sends them); raises `Dropped`."""
    if not isinstance(body, dict):
        raise Dropped("unreadable")
    if "batch" not in body:
        return [body], None
    batch = body["batch"]
    if not isinstance(batch, list):
        raise Dropped("unreadable")
    return batch, _milliseconds(body.get("sentAt"))


def read_message(raw: Any) -> Message:
    """The envelope of one message; raises `Dropped`."""
    if not isinstance(raw, dict):
        raise Dropped("unreadable")
    info = raw.get("GeneralInfo")
    if isinstance(raw.get("webId"), str) and not isinstance(info, dict):
        return _web_contact(raw)
    if not isinstance(info, dict):
        raise Dropped("unreadable")
    name = _event_name(info.get("eventName"))
    if name is None:
        raise Dropped("no_event")
    if len(_encode(raw)) > MAX_MESSAGE_BYTES:
        raise Dropped("too_large")
    site_key = info.get("siteId")
    return Message(
        name=name,
        raw=raw,
        info=info,
        site_key=site_key if isinstance(site_key, str) else None,
        message_id=_message_id(raw, info),
    )


def _web_contact(raw: Mapping[str, Any]) -> Message:
    """Wire 9.4: the explicit bind of a cookie, with the number of the account."""
    info = {
        "externalCustomerId": raw.get("externalCustomerId"),
        "user_email": raw.get("email"),
        "user_phone": raw.get("phone"),
        "signature": raw.get("signature"),
        "datetime": raw.get("datetime"),
        "cookies": {"sc": raw.get("webId")},
    }
    org_id = raw.get("orgId")
    if isinstance(org_id, str) and org_id.isascii() and org_id.isdigit() and len(org_id) < 11:
        org_id = int(org_id)
    return Message(
        name=WEB_CONTACT,
        raw=raw,
        info=info,
        org_id=org_id if type(org_id) is int else None,
        message_id=_message_id(raw, raw),
    )


def _event_name(raw: Any) -> str | None:
    if not isinstance(raw, str) or not 0 < len(name := raw.strip()) <= MAX_NAME_CHARS:
        return None
    return name if name.isprintable() and _FORBIDDEN.isdisjoint(name) else None


def _message_id(*places: Mapping[str, Any]) -> str | None:
    for place in places:
        value = place.get("messageId")
        if isinstance(value, str) and 0 < len(value) <= MAX_ID_CHARS:
            return value
    return None


def visitor_of(message: Message) -> str:
    """The cookie; raises `Dropped` for none and for values that stand for nobody (decisions D6)."""
    cookies = message.info.get("cookies")
    value = cookies.get("sc") if isinstance(cookies, dict) else None
    found = read_identifier(WEB_COOKIE, value, DEFAULT_REGION, [])
    if found is None:
        raise Dropped("no_cookie")
    return found


def token_of(message: Message) -> str | None:
    """The web push token that the page registered for its visitor (decisions D10)."""
    block = message.raw.get(WEB_PUSH) if message.name == WEB_PUSH else None
    return _usable(WEB_TOKEN, block.get("token")) if isinstance(block, dict) else None


def occurred(message: Message, received: datetime, sent_ms: int | None) -> datetime:
    """When it happened, by the clock of the sender, set right where that is wrong by more than a way of
    the message can take: messages of one page keep their order.

    Never in the future and never older than what is kept: such a time says nothing.
    """
    stated = _milliseconds(message.info.get("datetime"))
    if stated is None:
        return received
    moment = datetime.fromtimestamp(stated / 1000, UTC)
    if sent_ms is not None:
        wrong = received - datetime.fromtimestamp(sent_ms / 1000, UTC)
        moment += wrong if abs(wrong) > UNDERWAY else timedelta()
    return received if moment > received or moment < received - KEPT else moment


def _milliseconds(value: Any) -> int | None:
    """A moment as milliseconds since 1970; text of digits too."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 15:
        value = int(value)
    if type(value) is float and value == value and abs(value) < 1e13:  # noqa: PLR0124 - NaN
        value = int(value)
    return value if type(value) is int and 0 < value < 10**13 else None


def who_is(message: Message, region: Region) -> Who:
    """Whom the message claims its visitor to be: GeneralInfo, CustomerData, else the page's address."""
    data = message.raw.get("CustomerData")
    places = (message.info, data if isinstance(data, dict) else {})
    who = Who(
        external_id=_first(EXTERNAL_ID, places, "externalCustomerId", region),
        email=_first(EMAIL, places, "user_email", region),
        phone=_first(PHONE, places, "user_phone", region),
        contact_id=_contact_id(next((p[_CID] for p in places if p.get(_CID)), None)),
        signature=_text(next((p["signature"] for p in places if p.get("signature")), None), 128),
    )
    return Who(contact_id=_contact_id_of_link(message)) if who.is_nobody() else who


_CID = "user_es_contact_id"


def _first(
    kind: IdentifierKind, places: Iterable[Mapping[str, Any]], name: str, region: Region
) -> str | None:
    for place in places:
        value = _usable(kind, place.get(name), region)
        if value is not None:
            return value
    return None


def _usable(kind: IdentifierKind, raw: Any, region: Region = DEFAULT_REGION) -> str | None:
    """The normalised value; None if it is not valid or stands for nobody (decisions D6)."""
    try:
        value = kind.normalise(raw, region)
    except InvalidIdentifier:
        return None
    return None if value is None or is_never(kind, value) else value


def _contact_id(raw: Any) -> int | None:
    if isinstance(raw, str) and raw.isascii() and raw.isdigit() and len(raw) < 19:
        raw = int(raw)
    return raw if type(raw) is int and 0 < raw < 2**63 else None


def _contact_id_of_link(message: Message) -> int | None:
    """Wire 4.2: etm_term, then utm_content `Yespo-<id>`, then utm_source `Yespo-…` with utm_content."""
    page = message.raw.get("Page")
    url = _text(page.get("url"), MAX_TEXT_CHARS) if isinstance(page, dict) else None
    if not url or "?" not in url:
        return None
    try:
        query = dict(parse_qsl(urlsplit(url).query, max_num_fields=100))
    except ValueError:
        return None
    if (found := _contact_id(query.get("etm_term"))) is not None:
        return found
    content = query.get("utm_content", "")
    if match := _YESPO_ID.fullmatch(content):
        return _contact_id(match[1])
    return _contact_id(content) if _YESPO_SOURCE.fullmatch(query.get("utm_source", "")) else None


def params_of(message: Message) -> dict[str, Any]:
    """What a visit keeps: everything but the envelope and who the visitor is said to be."""
    said = {name: value for name, value in message.raw.items() if name not in _ENVELOPE}
    kept: dict[str, Any] = _without_personal(said)
    page = message.raw.get("Page")
    if isinstance(page, dict):
        for member in ("url", "title", "referrer"):
            if text := _text(page.get(member), MAX_TEXT_CHARS):
                kept[member] = text
    return kept


def _without_personal(value: Any) -> Any:
    """Bodies are nested no deeper than the edge lets them."""
    if isinstance(value, dict):
        return {
            name: _without_personal(one) for name, one in value.items() if name not in _PERSONAL
        }
    return [_without_personal(one) for one in value] if isinstance(value, list) else value


def key_value_of(message: Message) -> str:
    """What the visit is about: a product, a category, an order, a search."""
    block = message.raw.get(message.name)
    places = [block, message.raw] if isinstance(block, dict) else [message.raw]
    if isinstance(block, dict) and isinstance(block.get("Product"), dict):
        places.insert(0, block["Product"])  # the form with tags (wire 9.2)
    for name in _KEYS:
        for place in places:
            value = place.get(name)
            if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
                return str(value).strip()[:MAX_KEY_CHARS]
    return ""


def _text(raw: Any, most: int) -> str | None:
    return raw[:most] if isinstance(raw, str) and raw.strip() else None
