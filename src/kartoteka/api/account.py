"""The account of a key: its name, its settings, tokens, and the server's version."""

from __future__ import annotations

from typing import Any

import msgspec

from kartoteka.access.model import AccountContext, Rights
from kartoteka.access.setting_values import SETTINGS, Setting, read_members
from kartoteka.api.answers import Answer, json_answer
from kartoteka.api.call import Call
from kartoteka.api.routing import Reply, Route, Schema
from kartoteka.contacts.forms.contact import FormRules, read_contact
from kartoteka.contacts.whose import live_contact_id
from kartoteka.errors import NoIdentifier
from kartoteka.identity.account_check import check_settings
from kartoteka.identity.account_rules import rules_of
from kartoteka.identity.kinds import Region

PROTOCOL_VERSIONS = {"/api/v1/version": "1", "/api/v2/version": "2"}


async def account_info(call: Call) -> Answer:
    """GET /api/v1/account/info: how every vendor plug-in tests a key."""
    account = call.account
    return json_answer(
        {
            "userEmail": account.user_email,
            "organisationName": account.name,
            "orgId": account.org_id,
        }
    )


async def version(call: Call) -> Answer:
    """GET /api/v1/version and /api/v2/version."""
    protocol = PROTOCOL_VERSIONS[call.route.path]
    return json_answer({"version": call.services.version, "protocolVersion": protocol})


async def event_token(call: Call) -> Answer:
    """POST /api/v1/auth/token: a Bearer token for event methods, as a JSON string."""
    return json_answer(await call.services.tokens.issue_event_token(call.require_caller()))


async def contact_token(call: Call) -> Answer:
    """POST /api/v1/auth/contact/token: a token for the App Inbox, empty for an unknown contact."""
    body = await call.json_object()
    contact = read_contact(
        {
            "externalCustomerId": body.get("externalCustomerId"),
            "channels": [
                {"type": "email", "value": body.get("email")},
                {"type": "sms", "value": body.get("phone")},
            ],
        },
        FormRules(Region(call.account.settings.region)),
    )
    if not contact.person.all():
        raise NoIdentifier
    account_id = call.account.account_id
    contact_id = await live_contact_id(
        call.services.database, account_id, contact.person, rules_of(call.account.settings)
    )
    if contact_id is None:
        return json_answer({"token": ""})
    return json_answer(
        {"token": await call.services.tokens.issue_contact_token(account_id, contact_id)}
    )


async def read_settings(call: Call) -> Answer:
    """GET /api/v1/account/settings: every setting with the value that holds now."""
    account = await call.services.accounts.read(call.account.account_id)
    return _settings_answer(account)


async def change_settings(call: Call) -> Answer:
    """PATCH /api/v1/account/settings: null is the default again; all or nothing."""
    changes = read_members(await call.json_object())
    account = await call.services.accounts.change_settings(
        call.account.account_id, changes, check_settings
    )
    call.services.keys.forget()
    return _settings_answer(account)


def _settings_answer(account: AccountContext) -> Answer:
    return json_answer(msgspec.structs.asdict(account.settings))


def _setting_schema(setting: Setting) -> Schema:
    schema: dict[str, Any] = {"description": setting.about.meaning}
    if setting.choices:
        schema["enum"] = list(setting.choices)
    elif setting.type is bool:
        schema["type"] = "boolean"
    elif setting.type is int:
        schema.update(type="integer", minimum=setting.about.least, maximum=setting.about.most)
    elif setting.type is str:
        schema.update(type="string", pattern=f"^{setting.about.pattern}$")
    else:
        schema.update(type="array", items={"type": "string"})
    return schema


_SETTINGS: Schema = {
    "type": "object",
    "properties": {name: _setting_schema(one) for name, one in SETTINGS.items()},
}
_CHANGES: Schema = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        name: {"anyOf": [_setting_schema(one), {"type": "null"}]} for name, one in SETTINGS.items()
    },
}
_VERSION: Schema = {
    "type": "object",
    "required": ["version", "protocolVersion"],
    "properties": {"version": {"type": "string"}, "protocolVersion": {"type": "string"}},
}

ROUTES = (
    Route(
        method="GET",
        path="/api/v1/account/info",
        operation="accountInfo",
        right=Rights.EVENTS,
        endpoint=account_info,
        summary="The account of the key",
        tag="Account",
        replies={
            200: Reply(
                "The account.",
                {
                    "type": "object",
                    "required": ["userEmail", "organisationName", "orgId"],
                    "properties": {
                        "userEmail": {"type": "string"},
                        "organisationName": {"type": "string"},
                        "orgId": {"type": "integer", "minimum": 1},
                    },
                },
            )
        },
    ),
    *(
        Route(
            method="GET",
            path=path,
            operation=f"version_{number}",
            right=Rights.EVENTS,
            endpoint=version,
            summary="The server's version",
            tag="Account",
            replies={200: Reply("The version.", _VERSION)},
        )
        for path, number in PROTOCOL_VERSIONS.items()
    ),
    Route(
        method="POST",
        path="/api/v1/auth/token",
        operation="generateApiKey",
        right=Rights.EVENTS,
        endpoint=event_token,
        summary="A Bearer token for event methods",
        tag="Account",
        replies={200: Reply("The token, good for 24 hours.", {"type": "string"})},
    ),
    Route(
        method="POST",
        path="/api/v1/auth/contact/token",
        operation="generateContactToken",
        right=Rights.CONTACTS,
        endpoint=contact_token,
        summary="A token that speaks for one contact",
        tag="Account",
        description="For the App Inbox. An unknown contact gets an empty token.",
        body={
            "type": "object",
            "properties": {
                "externalCustomerId": {"type": ["string", "integer", "null"]},
                "email": {"description": "An e-mail address.", "examples": ["anna@example.com"]},
                "phone": {"description": "A phone number.", "examples": ["+380942583691"]},
            },
        },
        replies={
            200: Reply(
                "The token, good for 24 hours, or an empty text.",
                {
                    "type": "object",
                    "required": ["token"],
                    "properties": {"token": {"type": "string"}},
                },
            )
        },
        errors=(400, 413, 415),
    ),
    Route(
        method="GET",
        path="/api/v1/account/settings",
        operation="getAccountSettings",
        right=Rights.FULL,
        endpoint=read_settings,
        summary="The account's settings",
        tag="Account",
        replies={200: Reply("Every setting.", _SETTINGS)},
    ),
    Route(
        method="PATCH",
        path="/api/v1/account/settings",
        operation="changeAccountSettings",
        right=Rights.FULL,
        endpoint=change_settings,
        summary="Change settings of the account",
        tag="Account",
        description="Give what is to change; null is the default again. All or nothing.",
        body=_CHANGES,
        replies={200: Reply("Every setting.", _SETTINGS)},
        errors=(400, 413, 415),
    ),
)
