"""Events out of request bodies: what happened, and whom the parameters name (wire 6.1, 6.3, 6.4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any

import msgspec

from kartoteka.activity.contact_json import read_contact_json
from kartoteka.activity.model import EventInput
from kartoteka.contacts.forms.channels import read_identifier
from kartoteka.contacts.forms.contact import FormRules, read_external_id
from kartoteka.contacts.model import Profile
from kartoteka.errors import InvalidRequest
from kartoteka.identity.kinds import (
    DEVICE,
    EMAIL,
    MOBILE_TOKEN,
    PHONE,
    TELEGRAM_TOKEN,
    WEB_COOKIE,
    WEB_TOKEN,
    IdentifierKind,
)
from kartoteka.identity.model import Identifier, Notice
from kartoteka.identity.rules import Person
from kartoteka.identity.text import has_control_characters, is_absent

MAX_TYPE_CHARS = 100
MAX_KEY_CHARS = 300
MAX_NAME_CHARS = 100
FORBIDDEN = frozenset("<;’\\/|\"`'^?!,>")
"""What the original refuses in type keys and key values (wire 6.1)."""
_MAX_ID = 2**63 - 1
_DATE = re.compile(
    r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d{1,9})?)?\s?(Z|[+-]\d\d(:?\d\d)?)?)?", re.ASCII
)

CONTACT_ID, EXTERNAL_ID, PUSH_TOKEN = "contactId", "externalCustomerId", "pushToken"
FIELDS = (
    *(CONTACT_ID, EXTERNAL_ID, "email", "phone", PUSH_TOKEN),
    *("mobPushToken", "webPushToken", "telegramBotToken", "deviceId", "webId"),
)
"""What a parameter may name, in the order in which the key value is taken from them (wire 6.1)."""
_ALIASES = {
    **{name.lower(): name for name in FIELDS},
    "contact_id": CONTACT_ID,
    **dict.fromkeys(("emailaddress", "useremail", "contactemail"), "email"),
    **dict.fromkeys(("sms", "phonenumber"), "phone"),
}
_KINDS: dict[str, IdentifierKind] = {
    "mobPushToken": MOBILE_TOKEN,
    "webPushToken": WEB_TOKEN,
    "telegramBotToken": TELEGRAM_TOKEN,
    "deviceId": DEVICE,
    "webId": WEB_COOKIE,
}


class InvalidEvent(InvalidRequest):
    """The event is not valid."""

    code = "invalid_event"


class NoKeyValue(InvalidEvent):
    """The event needs a keyValue, or a parameter that names the contact: contactId,
    externalCustomerId, email, phone or pushToken."""

    code = "no_key_value"


class EventRules(msgspec.Struct, frozen=True):
    """How an account reads its events."""

    form: FormRules = FormRules()
    mapping: Mapping[str, str] = {}
    """{parameter name in lower case: what it names}, the account's own rule (wire 11.4)."""
    zone: tzinfo = UTC
    """Of a time without an offset (wire X12)."""


def read_event(body: Any, rules: EventRules) -> EventInput:
    """The event. Raises `InvalidEvent`, `InvalidIdentifier` for a bad External ID (decisions D3)."""
    if not isinstance(body, dict):
        raise InvalidEvent("An event must be a JSON object.")
    raw_type = body.get("eventTypeKey")
    is_usual = type(raw_type) is str and len(raw_type) <= MAX_TYPE_CHARS
    type_key = _known_type(raw_type) if is_usual else _read_type(raw_type)
    params = _read_params(body.get("params", body.get("parameters")))
    key_value = read_key(body.get("keyValue"), "keyValue", MAX_KEY_CHARS)
    warnings: list[Notice] = []
    said = _named(params, rules)
    person, push_token, contact_id, usable = _read_person(said, rules, warnings)
    if key_value is None:
        if not usable:
            raise NoKeyValue
        key_value = next(iter(usable.values()))
    profile = Profile()
    if "contactJson" in params:
        profile = read_contact_json(params["contactJson"], rules.form)
        person = msgspec.structs.replace(
            person, first_name=profile.first_name, last_name=profile.last_name
        )
    return EventInput(
        type_key, key_value, params, person, push_token, contact_id, profile, tuple(warnings)
    )


def _read_type(raw: object) -> str:
    key = read_key(raw, "eventTypeKey", MAX_TYPE_CHARS)
    if key is None:
        raise InvalidEvent("eventTypeKey is missing.")
    return key


_known_type = lru_cache(maxsize=1024)(_read_type)
"""An account has a handful of types, and sends them again and again."""


def read_key(raw: object, name: str, max_chars: int) -> str | None:
    """A type key or key value; None if absent. Raises `InvalidEvent`."""
    if isinstance(raw, int) and not isinstance(raw, bool) and abs(raw) <= _MAX_ID:
        raw = str(raw)
    if is_absent(raw):
        return None
    if not isinstance(raw, str):
        raise InvalidEvent(f"{name} must be a text.")
    text = raw.strip()
    if len(text) > max_chars:
        raise InvalidEvent(f"{name} is longer than {max_chars} characters.")
    if not FORBIDDEN.isdisjoint(text) or has_control_characters(text):
        raise InvalidEvent(f"{name} may contain none of " + "< ; ’ \\ / | \" ` ' ^ ? ! , > .")
    return text


def _read_params(raw: object) -> dict[str, Any]:
    """A list of name and value, or a flat map (v3); names are unique."""
    if raw is None:
        return {}
    if isinstance(raw, dict):
        return {_read_name(name): value for name, value in raw.items()}
    if not isinstance(raw, list):
        raise InvalidEvent("params must be a list of objects with name and value, or an object.")
    params: dict[str, Any] = {}
    for place, one in enumerate(raw, start=1):
        if not isinstance(one, dict) or "name" not in one or "value" not in one:
            raise InvalidEvent(f"Element {place} of params needs both name and value.")
        name = _read_name(one["name"])
        if name in params:
            raise InvalidEvent("Two of the params have the same name.")
        params[name] = one["value"]
    return params


def _read_name(raw: object) -> str:
    if type(raw) is str and len(raw) <= MAX_NAME_CHARS:
        return _known_name(raw)
    return _param_name(raw)


def _param_name(raw: object) -> str:
    if not isinstance(raw, str) or not raw.strip():
        raise InvalidEvent("The name of a parameter must be a text.")
    name = raw.strip()
    if len(name) > MAX_NAME_CHARS:
        raise InvalidEvent(f"The name of a parameter is longer than {MAX_NAME_CHARS} characters.")
    return name


_known_name = lru_cache(maxsize=4096)(_param_name)
"""So it is with the names of parameters."""


@lru_cache(maxsize=4096)
def _field_of(name: str) -> str | None:
    """What a parameter of that name names, in an account without a rule of its own."""
    return _ALIASES.get(name.lower())


def _named(params: Mapping[str, Any], rules: EventRules) -> dict[str, list[Any]]:
    """What each parameter names; the account's own rule only adds what no other says."""
    said: dict[str, list[Any]] = {}
    for name, value in params.items():
        if (field := _field_of(name)) is not None:
            said.setdefault(field, []).append(value)
    for name, value in params.items() if rules.mapping else ():
        field = rules.mapping.get(name.lower())
        if field is not None and all(is_absent(one) for one in said.get(field, ())):
            said[field] = [value]
    return said


def _read_person(
    said: Mapping[str, list[Any]], rules: EventRules, warnings: list[Notice]
) -> tuple[Person, str | None, int | None, dict[str, str]]:
    """(whom they name, push token of unknown kind, contact id, the texts of what is usable)."""
    region = rules.form.region
    usable: dict[str, str] = {}
    """In the order of `FIELDS`."""

    def first(name: str, read: Any) -> Any:
        for raw in said.get(name, ()):
            if (value := read(raw)) is not None:
                usable[name] = str(raw).strip()
                return value
        return None

    contact_id = first(CONTACT_ID, lambda raw: _contact_id(raw, warnings))
    external_id = first(EXTERNAL_ID, lambda raw: read_external_id(raw, region, warnings))
    email = first("email", lambda raw: _address(EMAIL, raw, rules, warnings))
    phone = first("phone", lambda raw: _address(PHONE, raw, rules, warnings))
    push_token = first(PUSH_TOKEN, lambda raw: read_identifier(MOBILE_TOKEN, raw, region, warnings))
    changeable = []
    for name, kind in _KINDS.items():
        if name not in said:
            continue
        value = first(name, lambda raw, kind=kind: read_identifier(kind, raw, region, warnings))
        if value is not None:
            changeable.append(Identifier(kind.code, value))
    person = Person(external_id, email, phone, tuple(changeable))
    return person, push_token, contact_id, usable


def _contact_id(raw: object, warnings: list[Notice]) -> int | None:
    text = str(raw).strip() if isinstance(raw, (str, int)) and not isinstance(raw, bool) else ""
    if text.isascii() and text.isdigit() and len(text) <= 19 and 0 < int(text) <= _MAX_ID:
        return int(text)
    if not is_absent(raw):
        warnings.append(Notice("invalid_contact_id", "contactId must be a number", CONTACT_ID))
    return None


def _address(
    kind: IdentifierKind, raw: object, rules: EventRules, warnings: list[Notice]
) -> Identifier | None:
    value = read_identifier(kind, raw, rules.form.region, warnings)
    return None if value is None else Identifier(kind.code, value)


def read_time(raw: object, zone: tzinfo = UTC) -> datetime | None:
    """A moment as `YYYY-MM-DD` or `YYYY-MM-DDTHH:mm`, with seconds and offset if it has them; in that
    zone without one. None if it is none of that."""
    if not isinstance(raw, str) or _DATE.fullmatch(text := raw.strip()) is None:
        return None
    try:
        moment = datetime.fromisoformat(text.replace(",", ".").replace(" Z", "Z"))
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
