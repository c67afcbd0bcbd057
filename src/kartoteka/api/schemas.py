"""Schemas of bodies and answers, as OpenAPI 3.1 (JSON Schema 2020-12) shows them.

They are true, not wishful: a member that is dropped with a warning when it is not valid takes any
value here, and its description says what is meant.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def ref(name: str) -> Schema:
    """A reference to a schema of `COMPONENTS`."""
    return {"$ref": f"#/components/schemas/{name}"}


CONTACT_ID: Schema = {"type": "integer", "format": "int64", "minimum": 1, "maximum": 2**63 - 1}
EMAIL: Schema = {"type": "string", "examples": ["anna@example.com"]}
TOKEN: Schema = {"type": ["string", "integer"], "description": "The token."}
SENTENCE: Schema = {
    "type": "string",
    "description": "Bare text, not JSON, under a JSON content type (as clients expect it).",
}


def _any(description: str, example: Any) -> Schema:
    return {"description": description, "examples": [example]}


_EXTERNAL_ID: Schema = {
    "description": "The customer's id in your own system, 1 to 255 characters; case and leading "
    "zeros count. An integer is taken as its digits. Null, blank and `null` mean none.",
    "type": ["string", "integer", "null"],
    "examples": ["TV12790"],
}

_CONTACT: Schema = {
    "type": "object",
    "description": "Absent, null and blank leave the stored value alone. What is not valid is "
    "dropped with a warning (see `explain`); unknown members are ignored.",
    "properties": {
        "externalCustomerId": _EXTERNAL_ID,
        "channels": _any(
            "A list of channels, or one alone. Types: email, sms, viber, mobilepush, webpush.",
            [
                {"type": "email", "value": "anna@example.com"},
                {"type": "sms", "value": "+380942583691"},
                {"type": "mobilepush", "value": "token", "device": {"appId": "app", "os": "iOS"}},
            ],
        ),
        "firstName": _any("Up to 40 characters.", "Anna"),
        "lastName": _any("Up to 40 characters.", "Kovalenko"),
        "contactKey": _any("An older field: the contact's id in the original base.", "K-1"),
        "languageCode": _any("RFC 5646.", "uk"),
        "timeZone": _any("Name in the TZ database.", "Europe/Kyiv"),
        "address": _any(
            "region, town, address, postcode.", {"town": "Kyiv", "address": "Khreshchatyk 1"}
        ),
        "fields": _any("Custom fields by id, or one alone.", [{"id": 12, "value": "blue"}]),
        "deviceId": _any("Device ids of the mobile SDK: one text or a list.", "b6f0c3d2"),
        "webId": _any("Visitor ids (cookie `sc`): one text or a list.", "7e2c1f90"),
    },
}

_NOTICE: Schema = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {
        "code": {"type": "string"},
        "message": {"type": "string"},
        "field": {"type": ["string", "null"]},
    },
}

_RESOLUTION: Schema = {
    "type": "object",
    "required": ["contactId", "outcome", "matchedBy", "rule", "moved", "absorbed", "warnings"],
    "properties": {
        "contactId": {"type": ["integer", "null"]},
        "outcome": {
            "enum": [
                *("created", "updated", "unchanged", "restored", "skipped", "failed"),
                *("suppressed", "attached_to_removed"),
            ]
        },
        "matchedBy": {"type": ["string", "null"]},
        "rule": {"type": ["string", "null"]},
        "moved": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["kind", "value", "fromContactId"],
                "properties": {
                    "kind": {"type": "string"},
                    "value": {"type": "string"},
                    "fromContactId": {"type": "integer"},
                },
            },
        },
        "absorbed": {"type": "array", "items": {"type": "integer"}},
        "warnings": {"type": "array", "items": _NOTICE},
    },
}

_ERROR: Schema = {
    "type": "object",
    "required": ["timestamp", "status", "error", "message", "path", "code"],
    "properties": {
        "timestamp": {"type": "string", "format": "date-time"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "error": {"type": "string", "description": "The status in words."},
        "message": {"type": "string", "description": "What went wrong and what to do."},
        "path": {"type": "string"},
        "code": {"type": "string", "description": "Stable; see the list of codes in the guide."},
        "details": {"type": "object"},
    },
}

_ANSWERED: Schema = {
    "dryRun": {"const": True},
    "resolution": ref("Resolution"),
}

COMPONENTS: dict[str, Schema] = {
    "Contact": _CONTACT,
    "ContactAnswer": {
        "type": "object",
        "properties": {"id": CONTACT_ID, **_ANSWERED},
        "anyOf": [{"required": ["id"]}, {"required": ["dryRun", "resolution"]}],
    },
    "Subscribe": {
        "type": "object",
        "required": ["contact"],
        "properties": {
            "contact": ref("Contact"),
            "groups": _any("Names of lists; made if missing.", ["Newsletter"]),
            "subscriptions": _any("Keys of categories.", ["news"]),
            "formType": _any("Suffix of the event's key.", "footer"),
        },
    },
    "Subscribed": {
        "type": "object",
        "properties": {
            "id": CONTACT_ID,
            "emailStatus": {
                "enum": ["NEED_CONFIRMATION", "SUBSCRIBED", "ALREADY_SUBSCRIBED", "BLACKLISTED"]
            },
            "new": {"type": "boolean"},
            **_ANSWERED,
        },
        "anyOf": [{"required": ["id", "new"]}, {"required": ["dryRun", "resolution"]}],
    },
    "AppTokens": {
        "type": "object",
        "required": ["tokens"],
        "properties": {
            "tokens": {
                "type": "array",
                "minItems": 1,
                "maxItems": 1000,
                "items": {
                    "type": "object",
                    "required": ["token"],
                    "properties": {
                        "token": TOKEN,
                        "contactId": {"type": ["integer", "string", "null"]},
                        "externalCustomerId": _EXTERNAL_ID,
                        "phone": _any("A phone number.", "+380942583691"),
                        "email": _any("An e-mail address.", "anna@example.com"),
                    },
                },
            }
        },
    },
    "Members": {
        "type": "object",
        "description": "Contacts by one kind of id; an empty list names nobody.",
        "properties": {
            "contactIds": {
                "type": ["array", "null"],
                "maxItems": 500,
                "items": {"type": ["integer", "string"]},
                "examples": [[1, 2]],
            },
            "externalCustomerIds": {
                "type": ["array", "null"],
                "maxItems": 500,
                "items": {"type": ["string", "integer", "null"]},
                "examples": [["TV12790"]],
            },
        },
    },
    "Resolution": _RESOLUTION,
    "Error": _ERROR,
}
