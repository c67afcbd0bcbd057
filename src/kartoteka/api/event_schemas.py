"""Schemas of events, event types and timelines, as OpenAPI shows them."""

from __future__ import annotations

from kartoteka.api.schemas import Schema

_TEXT: Schema = {"type": "string"}
_TIME: Schema = {"type": "string", "format": "date-time"}

_PARAMS: Schema = {
    "description": "A list of {name, value}, names unique, or an object of names and values. "
    "contactId, externalCustomerId, email, phone, pushToken, deviceId and webId name the contact.",
    "examples": [
        [{"name": "externalCustomerId", "value": "TV12790"}, {"name": "sum", "value": 12}]
    ],
}
EVENT: Schema = {
    "type": "object",
    "required": ["eventTypeKey"],
    "properties": {
        "eventTypeKey": {
            "description": "Up to 100 characters, none of < ; ’ \\ / | \" ` ' ^ ? ! , > .",
            "examples": ["orderPaid"],
        },
        "keyValue": {
            "description": "Up to 300 characters; without it the value of the first parameter that "
            "names the contact.",
            "examples": ["TV12790"],
        },
        "params": _PARAMS,
        "occurred": {
            "description": "When it happened, if not now (our own addition).",
            "examples": ["2026-11-26T10:00"],
        },
        "messageId": {
            "description": "The same one counts once (our own addition).",
            "examples": ["m-1"],
        },
    },
}
PAST_EVENTS: Schema = {
    "type": "object",
    "required": ["events"],
    "properties": {
        "events": {
            "type": "array",
            "maxItems": 500,
            "items": {
                "type": "object",
                "properties": {
                    **EVENT["properties"],
                    "occurred": {"examples": ["2025-03-01T10:00"]},
                },
            },
        }
    },
}
PAST_RESULTS: Schema = {
    "type": "object",
    "required": ["results", "successCount", "errorCount"],
    "properties": {
        "results": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["status"],
                "properties": {
                    "status": {
                        "enum": [
                            "ACCEPTED",
                            "OCCURRED_DATE_IS_REQUIRED",
                            "INCORRECT_OCCURRED_DATE_FORMAT",
                            "OCCURRED_TIME_TOO_DEPTH",
                            "OCCURRED_TIME_IN_FUTURE",
                            "EVENT_SEGMENTATION_DISABLED",
                            "SERVER_ERROR",
                        ]
                    }
                },
            },
        },
        "successCount": {"type": "integer"},
        "errorCount": {"type": "integer"},
    },
}
EVENT_TYPE_CHANGE: Schema = {
    "type": "object",
    "properties": {
        "segmentation": {
            "type": "boolean",
            "description": "On: an event that names an unknown contact creates it. Off by default.",
        },
        "requiredParams": {
            "description": "Names, or objects with name and required; null or [] ends the check.",
            "examples": [["orderId", "sum"]],
        },
    },
}
EVENT_TYPE: Schema = {
    "type": "object",
    "required": ["key", "segmentation"],
    "properties": {
        "key": _TEXT,
        "segmentation": {"type": "boolean"},
        "segmentationSince": _TIME,
        "requiredParams": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "required"],
                "properties": {"name": _TEXT, "required": {"type": "boolean"}},
            },
        },
    },
}
TIMELINE: Schema = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["type", "id", "key", "occurred", "received", "source", "params", "cursor"],
        "properties": {
            "type": {"enum": ["order", "event", "visit"]},
            "id": {"type": "integer"},
            "key": {"description": "The event's type; of an order its external id.", **_TEXT},
            "keyValue": _TEXT,
            "occurred": _TIME,
            "received": _TIME,
            "source": _TEXT,
            "params": {"type": "object"},
            "linkedBy": {"const": "claim"},
            "cursor": {"description": "`before` for what follows this item.", **_TEXT},
        },
    },
}
