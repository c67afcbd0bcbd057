"""Schemas of orders, as OpenAPI shows them: true, not wishful (see `schemas`)."""

from __future__ import annotations

from kartoteka.activity.orders.model import OrderStatus
from kartoteka.api.schemas import COMPONENTS, CONTACT_ID, Schema, ref

_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "number"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_TIME: Schema = {"type": "string", "format": "date-time"}
_STATUS: Schema = {"enum": [one.name for one in OrderStatus]}


def _any(description: str, example: object) -> Schema:
    return {"description": description, "examples": [example]}


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


COMPONENTS["Order"] = {
    "type": "object",
    "description": "Null, blank and absent leave what is stored. An order without its id, status, "
    "total or date, with one of these ill-formed, or that names nobody, is in `failedOrders`; what is "
    "ill-formed besides is dropped with a warning (see `explain`).",
    "properties": {
        "externalOrderId": _any(
            "Your id of the order, up to 255 characters; a number too.", "1001"
        ),
        "status": _any(", ".join(one.name for one in OrderStatus) + ".", "DELIVERED"),
        "totalCost": _any("A number, or its text with a point.", "258.00"),
        "date": _any(
            "ISO 8601. Without an offset: in the contact's time zone, else the account's.",
            "2026-01-05T10:11:10+02:00",
        ),
        "currency": _any("ISO 4217; absent: the account's.", "UAH"),
        "externalCustomerId": _any("The customer's id in your own system.", "TV12790"),
        "email": _any("An e-mail address.", "anna@example.com"),
        "phone": _any("A phone number.", "+380942583691"),
        "firstName": _any("For a contact that the order makes.", "Anna"),
        "lastName": _any("For a contact that the order makes.", "Kovalenko"),
        "shipping": _any("A number.", "50.00"),
        "discount": _any("A number.", "10.00"),
        "taxes": _any("A number.", "43.00"),
        "restoreUrl": _any("Leads back to an abandoned cart.", "https://shop.example/cart/1"),
        "statusDescription": _any("Words for the customer.", "On its way"),
        "storeId": _any("Which of several shops.", "kyiv-1"),
        "source": _any("online or offline; anything else is online.", "online"),
        "deliveryMethod": _any("A text.", "Courier"),
        "paymentMethod": _any("A text.", "Card"),
        "deliveryAddress": _any("A text.", "Khreshchatyk 1, Kyiv"),
        "additionalInfo": _any("A map of texts.", {"comment": "Ring twice"}),
        "items": _any(
            "A list, or one alone, each with externalItemId and quantity; name, category, cost, url, "
            "imageUrl, description. Takes the place of the order's items.",
            [{"externalItemId": "sku-1", "name": "Tea", "quantity": 2, "cost": 129}],
        ),
        "webId": _any("Visitor ids (cookie `sc`): one text or a list.", "7e2c1f90"),
        "deviceId": _any("Device ids of the mobile SDK: one text or a list.", "b6f0c3d2"),
    },
}
COMPONENTS["OrderResolution"] = {
    "description": "What became of the contact, and of the order.",
    "allOf": [
        ref("Resolution"),
        {
            "type": "object",
            "required": ["order"],
            "properties": {
                "externalOrderId": _TEXT,
                "order": {"enum": ["created", "updated", "unchanged", "failed"]},
            },
        },
    ],
}
COMPONENTS["FailedOrder"] = {
    "type": "object",
    "required": ["order", "error", "code"],
    "properties": {
        "order": {"description": "The order as it was sent."},
        "error": {"type": "string", "description": "What is wrong with it."},
        "code": _TEXT,
        "field": {"type": "string", "description": "Which member, such as `items[2].quantity`."},
    },
}
COMPONENTS["StoredOrder"] = {
    "type": "object",
    "description": "What is unset is left out.",
    "required": ["orderId", "externalOrderId", "status", "totalCost", "currency", "date", "items"],
    "properties": {
        "orderId": {"type": "integer", "minimum": 1},
        "status": _STATUS,
        "date": _TIME,
        "created": _TIME,
        "updated": _TIME,
        "source": {"enum": ["online", "offline"]},
        "additionalInfo": {"type": "object", "additionalProperties": _TEXT},
        **dict.fromkeys(("totalCost", "shipping", "discount", "taxes"), _NUMBER),
        **dict.fromkeys(
            (
                *("externalOrderId", "currency", "externalCustomerId", "email", "phone"),
                *("firstName", "lastName", "restoreUrl", "statusDescription", "storeId"),
                *("deliveryMethod", "paymentMethod", "deliveryAddress"),
            ),
            _TEXT,
        ),
        "items": _list(
            {
                "type": "object",
                "required": ["externalItemId", "quantity"],
                "properties": {
                    **dict.fromkeys(("quantity", "cost"), _NUMBER),
                    **dict.fromkeys(
                        (
                            *("externalItemId", "name", "category"),
                            *("url", "imageUrl", "description"),
                        ),
                        _TEXT,
                    ),
                },
            }
        ),
    },
}

ORDERS: Schema = {
    "type": "object",
    "required": ["orders"],
    "properties": {
        "orders": {
            "description": "1 to 1,000 orders, or one alone.",
            "anyOf": [_list(ref("Order")) | {"minItems": 1, "maxItems": 1000}, ref("Order")],
        }
    },
}
TAKEN: Schema = {
    "type": "object",
    "properties": {
        "failedOrders": _list(ref("FailedOrder")),
        "resolutions": _list(ref("OrderResolution")),
        "id": {"const": 0},
        "dryRun": {"const": True},
    },
}
ORDER_IDS: Schema = {
    "type": "object",
    "required": ["externalOrderIds"],
    "properties": {
        "externalOrderIds": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1000,
            "items": {"type": ["string", "integer"]},
            "examples": [["1001", "1002"]],
        }
    },
}
DELETED: Schema = {
    "type": "object",
    "required": ["deleted", "notFound"],
    "properties": {"deleted": _COUNT, "notFound": _list(_TEXT)},
}
CONTACT_ORDERS: Schema = _list(ref("StoredOrder"))
TOTALS: Schema = {
    "type": "object",
    "required": ["id", "orders", "delivered", "currencies"],
    "properties": {
        "id": CONTACT_ID,
        "orders": _COUNT,
        "delivered": _COUNT,
        "firstDate": _TIME,
        "lastDate": _TIME,
        "currencies": _list(
            {
                "type": "object",
                "required": ["currency", "orders", "delivered", "sum"],
                "properties": {
                    "currency": _TEXT,
                    "orders": _COUNT,
                    "delivered": _COUNT,
                    "sum": _NUMBER,
                    "average": _NUMBER,
                },
            }
        ),
    },
}
