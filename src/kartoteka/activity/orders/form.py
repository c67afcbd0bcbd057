"""An order out of JSON: tolerant where shops are sloppy, strict about what counts (wire 5.1).

What is missing or ill-formed and needed refuses the order, and it alone; what is ill-formed beside that
is dropped with a warning (decisions D18). Null, blank and empty say nothing (D16).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from kartoteka.activity.orders.amounts import read_amount
from kartoteka.activity.orders.model import (
    MAX_ORDER_ID_CHARS,
    OrderItem,
    OrderRefused,
    OrderSaid,
    OrderStatus,
)
from kartoteka.activity.orders.moments import read_moment
from kartoteka.contacts.forms.contact import FormRules, read_contact
from kartoteka.contacts.model import ContactInput
from kartoteka.contacts.values.errors import InvalidValue
from kartoteka.contacts.values.text import clean_text
from kartoteka.identity.kinds import InvalidIdentifier, Region
from kartoteka.identity.model import Notice
from kartoteka.identity.text import Unstorable, is_absent

T = TypeVar("T")

MAX_ITEMS = 5_000
MAX_ADDITIONAL = 200
_STATUSES = {status.name: status for status in OrderStatus} | {
    # As the original's exports print them (wire X22).
    "CANCELED": OrderStatus.CANCELLED,
    "IN PROGRESS": OrderStatus.IN_PROGRESS,
}

_REQUIRED = ("status", "totalCost", "date")
_AMOUNTS = ("shipping", "discount", "taxes")
_TEXTS = {
    "restoreUrl": 4_000,
    "statusDescription": 1_000,
    "storeId": 255,
    "deliveryMethod": 500,
    "paymentMethod": 500,
    "deliveryAddress": 1_000,
}
_SNAKE = {
    "restoreUrl": "restore_url",
    "statusDescription": "status_description",
    "storeId": "store_id",
    "deliveryMethod": "delivery_method",
    "paymentMethod": "payment_method",
    "deliveryAddress": "delivery_address",
}
_ITEM_TEXTS = {
    "name": 1_000,
    "category": 1_000,
    "url": 4_000,
    "imageUrl": 4_000,
    "description": 5_000,
}


class ReadOrder(msgspec.Struct, frozen=True):
    """An order as read: what it says, and whom it names (with all warnings)."""

    said: OrderSaid
    contact: ContactInput


def read_order(raw: object, region: Region) -> ReadOrder:
    """One element of POST /api/v1/orders. Raises `OrderRefused`."""
    if isinstance(raw, Unstorable):
        raise OrderRefused("not_storable", "A text of the order contains the character NUL.")
    if not isinstance(raw, dict):
        raise OrderRefused("invalid_order", "An order must be an object.")
    said, warnings = read_said(raw)
    for name, value in zip(_REQUIRED, (said.status, said.total_cost, said.moment), strict=True):
        if value is None:
            raise _missing(name)
    contact = _whom(raw, region)
    if not contact.person.all():
        raise OrderRefused(
            "no_identifier",
            "The order names nobody: give externalCustomerId, email or phone.",
        )
    if warnings:
        contact = msgspec.structs.replace(contact, warnings=(*contact.warnings, *warnings))
    return ReadOrder(msgspec.structs.replace(said, **_named(contact)), contact)


def read_said(raw: dict[str, Any], *, lenient: bool = False) -> tuple[OrderSaid, list[Notice]]:
    """What the object says of the order itself, and what was dropped; required is only its id.

    `lenient`: an item that is not valid is dropped with a warning and refuses nothing (wire X11).
    Raises `OrderRefused`.
    """
    warnings: list[Notice] = []
    external_order_id = read_order_id(raw.get("externalOrderId"), "externalOrderId")
    amounts: dict[str, Any] = {
        name: _kept(read_amount, raw[name], name, warnings) for name in _AMOUNTS if name in raw
    }
    texts: dict[str, Any] = {
        _SNAKE[name]: _kept(_text, raw[name], name, warnings) for name in _TEXTS if name in raw
    }
    return (
        OrderSaid(
            external_order_id,
            _needed(_status, raw.get("status"), "status"),
            _needed(read_amount, raw.get("totalCost"), "totalCost"),
            _needed(_currency, raw.get("currency"), "currency"),
            _needed(read_moment, raw.get("date"), "date"),
            source=_source(raw.get("source")),
            additional=_additional(raw.get("additionalInfo"), warnings),
            items=_items(raw.get("items"), warnings, lenient=lenient),
            **amounts,
            **texts,
        ),
        warnings,
    )


def read_order_id(value: object, field: str) -> str:
    """The id of an order, a number as its digits. Raises `OrderRefused`."""
    order_id = _needed(_order_id, value, field)
    if order_id is None:
        raise _missing(field)
    return order_id


def _missing(field: str) -> OrderRefused:
    return OrderRefused("missing_member", f"{field} is missing or blank.", field)


def _needed(read: Callable[[object, str], T | None], value: object, field: str) -> T | None:
    """A value that the order cannot do without where it is said; ill-formed it refuses the order."""
    try:
        return read(value, field)
    except InvalidValue as error:
        raise OrderRefused("invalid_member", error.message, error.field) from None


def _kept(
    read: Callable[[object, str], T | None], value: object, field: str, warnings: list[Notice]
) -> T | None:
    """A value that is dropped with a warning when it is ill-formed."""
    try:
        return read(value, field)
    except InvalidValue as error:
        warnings.append(Notice("invalid_member", error.message, error.field))
        return None


def _order_id(value: object, field: str) -> str | None:
    return clean_text(value, field, max_chars=MAX_ORDER_ID_CHARS)


def _text(value: object, field: str) -> str | None:
    return clean_text(value, field, max_chars=_TEXTS[field], multiline=True)


def _status(value: object, field: str) -> OrderStatus | None:
    status = _STATUSES.get(value.strip().upper()) if isinstance(value, str) else None
    if status is None:
        if is_absent(value):
            return None
        raise InvalidValue(field, "must be one of " + ", ".join(one.name for one in OrderStatus))
    return status


def _currency(value: object, field: str) -> str | None:
    text = value.strip().upper() if isinstance(value, str) else ""
    if not (len(text) == 3 and text.isascii() and text.isalpha()):
        if is_absent(value):
            return None
        raise InvalidValue(field, "must be three letters of ISO 4217 such as UAH")
    return text


def _source(value: object) -> str | None:
    """`online` for any other value (wire 5.1)."""
    if is_absent(value):
        return None
    is_offline = isinstance(value, str) and value.strip().lower() == "offline"
    return "offline" if is_offline else "online"


def _additional(raw: object, warnings: list[Notice]) -> dict[str, str] | None:
    """A map of texts; what is no text is dropped, with all that is beyond the limit."""
    if not raw or is_absent(raw):
        return None
    if not isinstance(raw, dict):
        warnings.append(Notice("invalid_member", "additionalInfo must be a map.", "additionalInfo"))
        return None
    read: dict[str, str] = {}
    for name, value in list(raw.items())[:MAX_ADDITIONAL]:
        key = _kept(_additional_text, name, "additionalInfo", warnings)
        plain = str(value).lower() if isinstance(value, bool) else value
        text = _kept(_additional_text, plain, "additionalInfo", warnings)
        if key is not None and text is not None:
            read[key] = text
    if len(raw) > MAX_ADDITIONAL:
        message = f"Only the first {MAX_ADDITIONAL} members of additionalInfo are kept."
        warnings.append(Notice("too_many_members", message, "additionalInfo"))
    return read or None


def _additional_text(value: object, field: str) -> str | None:
    return clean_text(value, field, max_chars=5_000, multiline=True)


# Items


def _items(raw: object, warnings: list[Notice], *, lenient: bool) -> tuple[OrderItem, ...] | None:
    """The lines of the order; one object is a list of one. None: nothing said of them."""
    if not raw or is_absent(raw):
        return None
    listed = raw if isinstance(raw, list) else [raw]
    if len(listed) > MAX_ITEMS:
        message = f"An order may have at most {MAX_ITEMS} items."
        raise OrderRefused("too_many_items", message, "items")
    items = []
    for place, one in enumerate(listed):
        dropped: list[Notice] = []
        try:
            items.append(_item(one, dropped))
        except OrderRefused as error:
            if not lenient:
                raise OrderRefused(error.reason, *_within(place, error)) from None
            dropped = [Notice(error.reason, error.message, error.field)]
        warnings += [Notice(one.code, *_within(place, one)) for one in dropped]
    return tuple(items) or None


def _within(place: int, one: OrderRefused | Notice) -> tuple[str, str]:
    """(message, field) of what an item says about its members, as the order names them."""
    item = f"items[{place}]"
    if one.field is None:
        return f"{item}{one.message}", item
    return f"{item}.{one.message}", f"{item}.{one.field}"


def _item(raw: object, dropped: list[Notice]) -> OrderItem:
    """One line. Members are named as the item names them: most lines are in order."""
    if not isinstance(raw, dict):
        raise OrderRefused("invalid_member", " must be an object.")
    get = raw.get
    item_id = read_order_id(get("externalItemId"), "externalItemId")
    quantity = _needed(read_amount, get("quantity"), "quantity")
    if quantity is None:
        raise _missing("quantity")
    cost = get("cost")
    return OrderItem(
        item_id,
        quantity,
        _item_text(get("name"), "name", dropped),
        _item_text(get("category"), "category", dropped),
        None if cost is None else _kept(read_amount, cost, "cost", dropped),
        _item_text(get("url"), "url", dropped),
        _item_text(get("imageUrl"), "imageUrl", dropped),
        _item_text(get("description"), "description", dropped),
    )


def _item_text(value: object, name: str, dropped: list[Notice]) -> str | None:
    if value is None or value == "":
        return None
    try:
        return clean_text(value, name, max_chars=_ITEM_TEXTS[name], multiline=True)
    except InvalidValue as error:
        dropped.append(Notice("invalid_member", error.message, error.field))
        return None


# Whom it names


def _whom(raw: dict[str, Any], region: Region) -> ContactInput:
    """The order's three identifiers and names, with webId and deviceId (decisions D34)."""
    said: dict[str, Any] = {
        "externalCustomerId": raw.get("externalCustomerId"),
        "firstName": raw.get("firstName"),
        "lastName": raw.get("lastName"),
        "channels": [
            {"type": "email", "value": raw.get("email")},
            {"type": "sms", "value": raw.get("phone")},
        ],
        **{name: raw[name] for name in ("webId", "deviceId") if name in raw},
    }
    try:
        contact = read_contact(said, FormRules(region))
    except InvalidIdentifier as error:
        raise OrderRefused("invalid_member", error.message, "externalCustomerId") from None
    if not contact.warnings:
        return contact
    notices = (_with_field(one) for one in contact.warnings)
    return msgspec.structs.replace(contact, warnings=tuple(notices))


def _with_field(notice: Notice) -> Notice:
    """The channel `sms` is the member `phone` of an order."""
    return msgspec.structs.replace(notice, field="phone") if notice.field == "sms" else notice


def _named(contact: ContactInput) -> dict[str, str | None]:
    """Whom the order named, as it is kept with the order."""
    person = contact.person
    return {
        "external_customer_id": None if person.external_id is None else person.external_id.value,
        "email": None if person.email is None else person.email.value,
        "phone": None if person.phone is None else person.phone.value,
        "first_name": person.first_name,
        "last_name": person.last_name,
    }
