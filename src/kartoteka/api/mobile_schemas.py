"""The mobile SDK's bodies as OpenAPI describes them (wire 7.4)."""

from __future__ import annotations

from kartoteka.api.routing import Parameter, Schema

ACCESS_KEY = Parameter(
    "X-Reteno-Access-Key",
    "The access key of the application.",
    {"type": "string"},
    place="header",
)

EMPTY: Schema = {"type": "object"}
_TEXT: Schema = {"type": ["string", "null"]}
_TEXTS: Schema = {"type": ["array", "null"], "items": {"type": "string"}}
_PERSON: dict[str, Schema] = {
    "deviceId": {"type": "string", "minLength": 1, "description": "The installed app."},
    "externalUserId": {
        "type": ["string", "integer", "null"],
        "description": "The External ID; also `user_id`.",
    },
    "signature": {**_TEXT, "description": "HMAC-SHA-256, where the account wants claims signed."},
}

DEVICE: Schema = {
    "type": "object",
    "required": ["deviceId"],
    "properties": {
        **_PERSON,
        "pushToken": _TEXT,
        "pushSubscribed": {"type": ["boolean", "null"]},
        "category": {**_TEXT, "description": "MOBILE or TABLET."},
        "osType": {**_TEXT, "description": "ANDROID or IOS."},
        "osVersion": _TEXT,
        "deviceModel": _TEXT,
        "appVersion": _TEXT,
        "languageCode": _TEXT,
        "timeZone": _TEXT,
        "advertisingId": _TEXT,
        "phone": _TEXT,
        "email": _TEXT,
    },
}
USER: Schema = {
    "type": "object",
    "required": ["deviceId"],
    "properties": {
        **_PERSON,
        "userAttributes": {
            "type": ["object", "null"],
            "description": "phone, email, firstName, lastName, languageCode, timeZone, marketId, "
            "address, fields.",
            "properties": {
                "fields": {
                    "type": ["array", "null"],
                    "items": {
                        "type": "object",
                        "properties": {
                            "key": {"type": "string", "description": "LIST.FIELD"},
                            "value": _TEXT,
                        },
                    },
                }
            },
        },
        "subscriptionKeys": _TEXTS,
        "groupNamesInclude": _TEXTS,
        "groupNamesExclude": _TEXTS,
    },
}
EVENTS: Schema = {
    "type": "object",
    "required": ["deviceId", "events"],
    "properties": {
        **_PERSON,
        "events": {
            "type": "array",
            "maxItems": 1000,
            "items": {
                "type": "object",
                "required": ["eventTypeKey"],
                "properties": {
                    "eventTypeKey": {"type": "string", "minLength": 1, "maxLength": 100},
                    "occurred": _TEXT,
                    "params": {
                        "type": ["array", "null"],
                        "items": {
                            "type": "object",
                            "properties": {"name": {"type": "string"}, "value": {}},
                        },
                    },
                },
            },
        },
    },
}
INTERACTION: Schema = {
    "type": "object",
    "required": ["status"],
    "properties": {
        "token": _TEXT,
        "status": {"enum": ["DELIVERED", "OPENED", "CLICKED"]},
        "time": _TEXT,
        "action": {"type": ["object", "null"]},
    },
}
