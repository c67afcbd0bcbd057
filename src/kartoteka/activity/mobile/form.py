"""Bodies of the mobile SDK, read (wire 7.4): tolerant of all but who it is about.

Both SDKs send null, blanks and empty lists for what they do not know; all of it means *unchanged*
(decisions D16). The value of an e-commerce event's parameter is JSON in a text.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from kartoteka.contacts.forms.contact import FormRules, read_contact
from kartoteka.contacts.model import ContactInput, Profile
from kartoteka.contacts.values.custom_fields import FieldDefinition
from kartoteka.contacts.values.errors import InvalidValue
from kartoteka.contacts.values.text import clean_text
from kartoteka.errors import InvalidRequest
from kartoteka.identity.kinds import DEVICE, MOBILE_TOKEN
from kartoteka.identity.model import Identifier, Notice
from kartoteka.identity.rules import Person

MOST_EVENTS = 1_000
MOST_PARAMS = 1_000
MOST_WORDS = 100
"""Categories or lists in one call."""
MAX_WORD_CHARS = 255
MAX_TYPE_CHARS = 100
MAX_NAME_CHARS = 100
_FORBIDDEN = frozenset("<;’\\/|\"`'^?!,>")
"""Wire 6.1: what no event type has in its name."""
_MARKET_ID = "MARKET_ID"
_DEVICE_MEMBERS = ("category", "osType", "osVersion", "deviceModel", "appVersion", "advertisingId")
MAX_ATTRIBUTE_CHARS = 255

ECOMMERCE = frozenset(
    (
        *("productViewed", "productCategoryViewed", "productAddedToWishlist", "cartUpdated"),
        *("orderCreated", "orderUpdated", "orderDelivered", "orderCancelled", "searchRequest"),
    )
)
"""Events whose nested values come as JSON in a text (wire 7.4)."""

STATUSES = ("DELIVERED", "OPENED", "CLICKED")


class InvalidAppBody(InvalidRequest):
    """The body of an SDK call lacks something or holds something that cannot be."""

    code = "invalid_body"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} {reason}.", field=name)
        self.params = [{"name": name, "reason": reason}]


class AppCall(msgspec.Struct, frozen=True):
    """What `device` and `user` say: whom the device belongs to, and what is known of that person."""

    device: Identifier | None
    """None: the app sent a value that stands for nobody (decisions D6)."""
    token: Identifier | None
    contact: ContactInput
    """Its person has device and token among the changeable identifiers."""
    subscriptions: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    groups_exclude: tuple[str, ...] = ()
    signature: str | None = None
    """What proves the External ID where claims must be signed (setting `signed_claims`)."""


class AppEvent(msgspec.Struct, frozen=True):
    """One event of an app."""

    type_key: str
    occurred: datetime
    params: dict[str, Any]


class Interaction(msgspec.Struct, frozen=True):
    """What became of a push message."""

    token: Identifier | None
    status: str
    occurred: datetime
    action: dict[str, Any]


def read_device(raw: Mapping[str, Any], rules: FormRules, app_id: str | None) -> AppCall:
    """POST /api/v1/device. Raises `InvalidAppBody` and `InvalidIdentifier`."""
    profile = {name: raw.get(name) for name in ("languageCode", "timeZone")}
    return _read(raw, raw, profile, rules, app_id)


def read_user(raw: Mapping[str, Any], rules: FormRules, app_id: str | None) -> AppCall:
    """POST /api/v1/user. Raises `InvalidAppBody` and `InvalidIdentifier`."""
    said = raw.get("userAttributes")
    if said is None:
        said = {}
    if not isinstance(said, dict):
        raise InvalidAppBody("userAttributes", "must be an object")
    names = ("firstName", "lastName", "languageCode", "timeZone", "address")
    profile = {name: said.get(name) for name in names}
    fields = _fields(said.get("fields"), rules.fields)
    fields += _market_id(said.get("marketId"), rules.fields)
    if fields:
        profile["fields"] = fields
    call = _read(raw, said, profile, rules, app_id)
    return msgspec.structs.replace(
        call,
        subscriptions=_words(raw, "subscriptionKeys"),
        groups=_words(raw, "groupNamesInclude"),
        groups_exclude=_words(raw, "groupNamesExclude"),
    )


def read_whose(raw: Mapping[str, Any], rules: FormRules, app_id: str | None) -> AppCall:
    """Whose the events of POST /api/v1/events are."""
    return _read(raw, {}, {}, rules, app_id)


def _read(
    raw: Mapping[str, Any],
    address: Mapping[str, Any],
    profile: dict[str, Any],
    rules: FormRules,
    app_id: str | None,
) -> AppCall:
    """`address` is where e-mail and phone are; `profile` as in a contact."""
    if raw.get("deviceId") is None or raw.get("deviceId") == "":
        raise InvalidAppBody("deviceId", "must be given")
    contact = read_contact(
        {
            **profile,
            "externalCustomerId": external_user_id(raw),
            "deviceId": raw["deviceId"],
            "channels": [
                {"type": "email", "value": address.get("email")},
                {"type": "sms", "value": address.get("phone")},
                _token_channel(raw, app_id),
            ],
        },
        rules,
    )
    person, device, token = _own(contact.person, raw, app_id)
    signature = raw.get("signature")
    return AppCall(
        device,
        token,
        ContactInput(person, contact.profile, contact.warnings),
        signature=signature if isinstance(signature, str) else None,
    )


def external_user_id(raw: Mapping[str, Any]) -> Any:
    """`externalUserId`, or `user_id` as the guide calls it (decisions D34)."""
    value = raw.get("externalUserId")
    return raw.get("user_id") if value is None or value == "" else value


def _own(
    person: Person, raw: Mapping[str, Any], app_id: str | None
) -> tuple[Person, Identifier | None, Identifier | None]:
    """The person with a device that knows what it is; device and token by themselves."""
    device = next((one for one in person.changeable if one.kind == DEVICE.code), None)
    token = next((one for one in person.changeable if one.kind == MOBILE_TOKEN.code), None)
    if device is not None:
        attributes = _attributes(raw) or None
        device = Identifier(device.kind, device.value, app_id, None, attributes)
    changeable = tuple(one for one in (device, token) if one is not None)
    return msgspec.structs.replace(person, changeable=changeable), device, token


def _token_channel(raw: Mapping[str, Any], app_id: str | None) -> dict[str, Any] | None:
    token = raw.get("pushToken")
    if token is None or token == "":
        return None
    system = " ".join(str(raw[name]) for name in ("osType", "osVersion") if raw.get(name))
    return {
        "type": "mobilepush",
        "value": token,
        "device": {
            "appId": app_id,
            "deviceModel": raw.get("deviceModel"),
            "os": system or None,
            "locale": raw.get("languageCode"),
            "appVersion": raw.get("appVersion"),
            "active": raw.get("pushSubscribed"),
        },
    }


def _attributes(raw: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in _DEVICE_MEMBERS:
        try:
            text = clean_text(raw.get(name), name, max_chars=MAX_ATTRIBUTE_CHARS)
        except InvalidValue:
            continue
        if text is not None:
            found[name] = text
    if isinstance(subscribed := raw.get("pushSubscribed"), bool):
        found["pushSubscribed"] = subscribed
    return found


def _fields(raw: Any, definitions: Mapping[str, FieldDefinition]) -> list[dict[str, Any]]:
    """`LIST.FIELD` to the id of the field; an unknown one keeps its key and gets its notice."""
    if raw is None:
        return []
    ids = {one.path.casefold(): number for number, one in definitions.items()}
    found: list[dict[str, Any]] = []
    for item in raw if isinstance(raw, list) else (raw,):
        if not isinstance(item, dict):
            found.append(item)
            continue
        key = item.get("key")
        known = ids.get(key.strip().casefold()) if isinstance(key, str) else None
        if item.get("value") is not None:
            found.append({"id": known or f"?{key}", "value": item.get("value")})
    return found


def _market_id(raw: Any, definitions: Mapping[str, FieldDefinition]) -> list[dict[str, Any]]:
    """There is no such member of a card: a custom field with the key MARKET_ID holds it."""
    if raw is None or raw == "":
        return []
    found = [number for number, one in definitions.items() if one.key == _MARKET_ID]
    return [{"id": number, "value": raw} for number in found[:1]]


def _words(raw: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A list of keys or names, each once; absent, null and empty say nothing."""
    value = raw.get(name)
    if value is None:
        return ()
    items = value if isinstance(value, list) else [value]
    if len(items) > MOST_WORDS:
        raise InvalidAppBody(name, f"may have at most {MOST_WORDS} elements")
    words: dict[str, None] = {}
    for item in items:
        try:
            text = clean_text(item, name, max_chars=MAX_WORD_CHARS)
        except InvalidValue as error:
            raise InvalidAppBody(name, error.reason) from None
        if text is not None:
            words[text] = None
    return tuple(words)


def read_events(raw: Mapping[str, Any], received: datetime) -> tuple[list[AppEvent], list[Notice]]:
    """The events of POST /api/v1/events, and what was dropped: one that is bad spoils no other.

    The SDK drops a whole call that is refused from its queue, so only a body without a list is.
    """
    events = raw.get("events")
    if isinstance(events, dict):
        events = [events]
    if not isinstance(events, list):
        raise InvalidAppBody("events", "must be a list")
    if len(events) > MOST_EVENTS:
        raise InvalidAppBody("events", f"may have at most {MOST_EVENTS} elements")
    found: list[AppEvent] = []
    dropped: list[Notice] = []
    for item in events:
        try:
            found.append(_event(item, received))
        except InvalidAppBody as error:
            dropped.append(Notice("invalid_event", error.message, error.params[0]["name"]))
    return found, dropped


def _event(raw: Any, received: datetime) -> AppEvent:
    if not isinstance(raw, dict):
        raise InvalidAppBody("events", "must be objects")
    type_key = raw.get("eventTypeKey")
    if not isinstance(type_key, str) or not 0 < len(type_key := type_key.strip()) <= MAX_TYPE_CHARS:
        raise InvalidAppBody("eventTypeKey", f"must have 1 to {MAX_TYPE_CHARS} characters")
    if not type_key.isprintable() or not _FORBIDDEN.isdisjoint(type_key):
        raise InvalidAppBody("eventTypeKey", "has a sign that is not allowed")
    occurred = read_moment(raw.get("occurred"), received)
    return AppEvent(type_key, occurred, _params(type_key, raw.get("params")))


def _params(type_key: str, raw: Any) -> dict[str, Any]:
    params: dict[str, Any] = {}
    for item in raw if isinstance(raw, list) else ():
        name = item.get("name") if isinstance(item, dict) else None
        if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME_CHARS:
            continue
        if len(params) >= MOST_PARAMS:
            break
        value = item.get("value")
        params[name] = nested(value) if type_key in ECOMMERCE else value
    if type_key in ECOMMERCE and "currencyCode" in params:
        params.setdefault("currency", params["currencyCode"])  # as orders call it (wire 5.2)
    return params


def nested(value: Any) -> Any:
    """The object or list that a text holds as JSON; else the value as it is."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
        return value
    try:
        parsed = msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return value
    return parsed if "\\u0000" not in value else value


def read_moment(raw: Any, received: datetime) -> datetime:
    """When it happened: never in the future, and now where nothing readable was said."""
    if not isinstance(raw, str):
        return received
    try:
        moment = datetime.fromisoformat(raw.strip())
    except ValueError:
        return received
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(moment.astimezone(UTC), received)


def read_interaction(raw: Mapping[str, Any], received: datetime) -> Interaction:
    """PUT /api/v1/interactions/{id}/status. Raises `InvalidAppBody`."""
    status = raw.get("status")
    if status not in STATUSES:
        raise InvalidAppBody("status", f"must be one of {', '.join(STATUSES)}")
    contact = read_contact(
        {"channels": [_token_channel({"pushToken": raw.get("token")}, None)]}, FormRules()
    )
    token = next(iter(contact.person.changeable), None)
    said = raw.get("action")
    names = ("type", "targetComponentId", "url")
    action = {
        name: said[name]
        for name in names
        if isinstance(said, dict) and isinstance(said.get(name), str)
    }
    return Interaction(token, status, read_moment(raw.get("time"), received), action)


NO_PROFILE = Profile()
