"""The mobile SDK's end points, under the paths that are compiled into it (wire 7).

The SDK identifies itself with the access key of its application. Only 200 is success for it, a 4xx is
final: what it sent is dropped from its queue. So a body is refused only when nothing of it can be used.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import msgspec

from kartoteka.access.apps import accounts_with_apps
from kartoteka.access.model import APP_KEYS, AccountContext
from kartoteka.activity.mobile.form import (
    AppCall,
    AppEvent,
    Interaction,
    read_device,
    read_events,
    read_interaction,
    read_user,
    read_whose,
)
from kartoteka.activity.mobile.model import AppUpdate, PushSaid
from kartoteka.activity.model import EventInput, Kind, RecordEvent, Source
from kartoteka.activity.visitors.actions import in_parts
from kartoteka.activity.visitors.model import MOST_TURNS, Claim, Step, Visit, Visited, Who
from kartoteka.api.answers import Answer
from kartoteka.api.call import Call
from kartoteka.api.mobile_calls import DONE, access_key, admit, of_app, problem, sdk_route
from kartoteka.api.mobile_schemas import ACCESS_KEY, DEVICE, EVENTS, INTERACTION, USER
from kartoteka.api.routing import Parameter
from kartoteka.contacts.forms.contact import FormRules
from kartoteka.contacts.model import ContactInput
from kartoteka.errors import DatabaseUnavailable, KartotekaError, NotFound
from kartoteka.identity.kinds import Region
from kartoteka.identity.model import Origin
from kartoteka.identity.rules import Person

MAX_INTERACTION_CHARS = 255
MAX_KEY_CHARS = 300
_NO_KEY = 0


# Devices and users


async def device(call: Call) -> Answer:
    """POST /api/v1/device."""
    return await _update(call, read_device(*await _read(call)))


async def user(call: Call) -> Answer:
    """POST /api/v1/user."""
    return await _update(call, read_user(*await _read(call)))


async def _read(
    call: Call, elements: str | None = None
) -> tuple[dict[str, Any], FormRules, str | None]:
    body = await call.json_object(elements)
    fields = await call.services.definitions.of(call.account.account_id)
    rules = FormRules(Region(call.account.settings.region), fields)
    return body, rules, call.require_caller().app_id


async def _update(call: Call, said: AppCall) -> Answer:
    await _carry_out(call, _command(call, said))
    return DONE


def _command(call: Call, said: AppCall, **more: Any) -> AppUpdate:
    trusted = call.require_caller().trusted
    if not trusted:
        said = _heeded(call, said)
    return AppUpdate(origin=call.origin(), call=said, trusted=trusted, **more)


def _heeded(call: Call, said: AppCall) -> AppCall:
    """What counts of an untrusted app's claim: all of it, or what is proved (`signed_claims`)."""
    account, person = call.account, said.contact.person
    if not account.settings.signed_claims or not person.names_lasting():
        return said
    heeded = call.services.signer.heed(
        account.account_id, Who.of(person, said.signature), needs_signature=True
    )
    if not heeded.is_nobody():
        return said
    bare = Person(changeable=person.changeable)
    return msgspec.structs.replace(said, contact=ContactInput(bare, warnings=said.contact.warnings))


async def _carry_out(call: Call, *commands: AppUpdate | Visited) -> None:
    """Back after the commit; of claims after a fixed time, which tells nothing (decisions D36)."""

    async def work() -> None:
        for command in commands:
            outcome = await call.services.engine.submit(call.account, command)
            if outcome.resolution.outcome == "suppressed":  # D29: accepted and dropped
                return

    claims = any(_claims(command) for command in commands)
    if not claims:
        await work()
    elif not await call.services.discretion.carry_out(work()):
        raise DatabaseUnavailable


def _claims(command: AppUpdate | Visited) -> bool:
    if isinstance(command, AppUpdate):
        return not command.trusted and command.call.contact.person.names_lasting()
    return any(isinstance(step, Claim) for step in command.steps)


# Events


async def events(call: Call) -> Answer:
    """POST /api/v1/events: what the app's user did, attached to whoever had the device then."""
    body, rules, app_id = await _read(call, "events")
    whose = read_whose(body, rules, app_id)
    found, _ = read_events(body, call.at)
    if call.require_caller().trusted:
        await _record(call, whose, found)
        return DONE
    latest = max((one.occurred for one in found), default=call.at)
    command = _command(call, whose, occurred=latest, creates=False)
    person = command.call.contact.person
    commands: list[AppUpdate | Visited] = [command] if person.names_lasting() else []
    if whose.device is not None and found:
        steps: list[Step] = [_visit(one) for one in found]
        if person.names_lasting():
            steps.insert(0, Claim(Who.of(person), latest))
        done = Visited(
            origin=call.origin(), visitor=whose.device, steps=tuple(steps), source=Source.SDK
        )
        commands += in_parts(done, MOST_TURNS)
    await _carry_out(call, *commands)
    return DONE


async def _record(call: Call, whose: AppCall, found: Sequence[AppEvent]) -> None:
    """Keyed events: of the External ID, else of the device; they may be about orders (wire 5.2)."""
    person = whose.contact.person
    await asyncio.gather(
        *(
            call.write(
                RecordEvent(
                    origin=call.origin(),
                    event=EventInput(one.type_key, _key_value(one), one.params, person),
                    source=Source.SDK,
                    occurred=one.occurred,
                    checks_params=False,
                )
            )
            for one in found
        )
    )


def _visit(one: AppEvent) -> Visit:
    return Visit(one.type_key, _key_value(one), one.occurred, one.params, kind=Kind.EVENT)


def _key_value(one: AppEvent) -> str:
    """The order that it is about, where it is about one."""
    key = one.params.get("externalOrderId")
    return key[:MAX_KEY_CHARS] if isinstance(key, str) else ""


# What became of a push


async def interaction(call: Call) -> Answer:
    """PUT /api/v1/interactions/{id}/status: Android sends no key with it, iOS a Basic one."""
    try:
        admit(call)
        accounts = await _accounts_of(call)
        number = call.path_text("id", MAX_INTERACTION_CHARS)
        said = read_interaction(await call.json_object(), call.at)
        for account in accounts:
            if (command := _push_said(call, account, number, said)) is not None:
                await call.services.engine.submit(account, command)
    except KartotekaError as error:
        return problem(error, call)
    return DONE


async def _accounts_of(call: Call) -> list[AccountContext]:
    """The key's account; without one those that have an application: the token says whose it is."""
    services = call.services
    header = call.headers.get(b"authorization")
    if call.headers.get(b"x-reteno-access-key"):
        return [(await services.keys.identify(access_key(call), APP_KEYS)).account]
    if header is not None:
        caller = await services.keys.authenticate(header.decode("latin-1"), APP_KEYS)
        return [caller.account]
    found: list[AccountContext] = []
    for account_id in await accounts_with_apps(services.database):
        try:
            found.append(await services.accounts.context(account_id))
        except NotFound:
            continue
    return found


def _push_said(
    call: Call, account: AccountContext, number: str, said: Interaction
) -> PushSaid | None:
    if said.token is None:
        return None
    text = f"push:{account.account_id}:{number}:{said.status}:{said.token.value}"
    return PushSaid(
        origin=Origin(call.at, call.request_id, _NO_KEY, call.route.operation),
        token=said.token,
        interaction=number,
        status=said.status,
        occurred=said.occurred,
        params={"interactionId": number, "status": said.status, **said.action},
        message=sha256(text.encode("utf-8", "surrogatepass")).digest(),
    )


_ID = Parameter("id", "The message's interaction.", {"type": "string"}, place="path", required=True)

ROUTES = (
    sdk_route(
        *("POST", "/api/v1/device", "mobileDevice", of_app(device)),
        "An app's device, its push token and its user",
        body=DEVICE,
    ),
    sdk_route(
        *("POST", "/api/v1/user", "mobileUser", of_app(user)),
        "What an app knows of its user",
        body=USER,
        description="Absent and null mean unchanged. An application that is not trusted only claims.",
    ),
    sdk_route(
        *("POST", "/api/v1/events", "mobileEvents", of_app(events)),
        "What an app's user did",
        body=EVENTS,
    ),
    sdk_route(
        *("PUT", "/api/v1/interactions/{id}/status", "mobileInteraction", interaction),
        "What became of a push message",
        body=INTERACTION,
        parameters=(ACCESS_KEY, _ID),
        description="The key may be missing: the token then says whose it is.",
    ),
)
