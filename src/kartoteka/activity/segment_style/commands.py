"""What each message of a Segment-style library comes to (clients 6, decisions D17, D34, D36, D37).

With a server or write key a message is a keyed call. With a browser key it is what a page says of its
own cookie: visits and events of that cookie, and claims who it is; traits say nothing then.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from kartoteka.activity.model import EventInput, Kind, RecordEvent, Source
from kartoteka.activity.segment_style.messages import Message
from kartoteka.activity.segment_style.model import Identify
from kartoteka.activity.segment_style.traits import read_traits
from kartoteka.activity.visitors.model import Claim, Step, Visit, Visited, Who
from kartoteka.contacts.forms.contact import FormRules
from kartoteka.contacts.model import Command, ContactInput
from kartoteka.identity.model import Identifier, Origin
from kartoteka.identity.rules import Person

PAGE_VIEW = "PageView"
"""What the tracker calls a page view (wire 9.2)."""
SCREEN_VIEW = "screenView"
"""What the mobile SDK calls one of a screen (wire 7.4)."""
GROUP = "group"
MAX_KEY_CHARS = 300
_PAGE = ("url", "title", "referrer", "path", "search")
_GROUP_FIELDS = {"groupId": "groupId", "company": "name"}
"""Custom fields GROUP_ID and COMPANY take the group's id and name, where an account has them."""


def digest(account_id: int, message: Message) -> bytes | None:
    """What tells that the same message comes again."""
    if message.message_id is None:
        return None
    return sha256(f"segment:{account_id}:{message.message_id}".encode()).digest()


def keyed(message: Message, rules: FormRules, origin: Origin, account_id: int) -> list[Command]:
    """Commands of a server or write key."""
    match message.type:
        case "identify":
            contact = read_traits(
                message.traits, message.context, message.user, _cookies(message), rules
            )
            return [Identify(origin=origin, contact=contact, occurred=message.occurred)]
        case "alias":
            return _alias(message, origin)
        case "group":
            return [_record(message, rules, origin, account_id), *_group(message, rules, origin)]
        case _:
            return [_record(message, rules, origin, account_id)]


def _cookies(message: Message) -> tuple[Identifier, ...]:
    found = (message.anonymous, message.previous)
    return tuple({one.key: one for one in found if one is not None}.values())


def _record(message: Message, rules: FormRules, origin: Origin, account_id: int) -> RecordEvent:
    """The event or visit of whoever the message names: userId, e-mail, phone, then the cookie."""
    traits = {name: message.traits.get(name) for name in ("email", "phone")}
    person = read_traits(traits, {}, message.user, _cookies(message), rules).person
    visit = message.type in ("page", "screen")
    return RecordEvent(
        origin=origin,
        event=EventInput(type_key(message), key_value(message), params(message), person),
        source=Source.SEGMENT,
        occurred=message.occurred,
        message=digest(account_id, message),
        kind=Kind.VISIT if visit else Kind.EVENT,
    )


def _group(message: Message, rules: FormRules, origin: Origin) -> list[Command]:
    said = {"groupId": message.group_id, "name": message.traits.get("name")}
    traits = {name: said[of] for name, of in _GROUP_FIELDS.items()}
    contact = read_traits(traits, {}, message.user, _cookies(message), rules)
    if message.user is None or not contact.profile.fields:
        return []
    return [Identify(origin=origin, contact=contact, occurred=message.occurred, creates=False)]


def _alias(message: Message, origin: Origin) -> list[Command]:
    """The visitor is that person: linked now, or when somebody gets the External ID."""
    cookies = _cookies(message)
    person = Person(external_id=message.user, changeable=cookies)
    contact = ContactInput(person)
    who = Who(external_id=None if message.user is None else message.user.value)
    link = Identify(origin=origin, contact=contact, occurred=message.occurred, creates=False)
    waits = [
        Visited(
            origin=origin,
            visitor=one,
            steps=(Claim(who, message.occurred),),
            source=Source.SEGMENT,
        )
        for one in cookies
    ]
    return [link, *waits]


def claimed(message: Message, rules: FormRules) -> Who:
    """Whom a page says that its visitor is."""
    person = read_traits(
        {name: message.traits.get(name) for name in ("email", "phone")},
        {},
        message.user,
        (),
        rules,
    ).person
    return Who.of(person, message.signature)


def done(message: Message, account_id: int) -> Step | None:
    """What a page says that its visitor did; None for a message that only says who it is."""
    if message.type in ("identify", "alias"):
        return None
    visit = message.type in ("page", "screen")
    return Visit(
        type_key=type_key(message),
        key_value=key_value(message),
        occurred=message.occurred,
        params=params(message),
        message=digest(account_id, message),
        kind=Kind.VISIT if visit else Kind.EVENT,
    )


def type_key(message: Message) -> str:
    """The type of the event or visit."""
    match message.type:
        case "page":
            return PAGE_VIEW
        case "screen":
            return SCREEN_VIEW
        case "group":
            return GROUP
        case _:
            return message.name


def key_value(message: Message) -> str:
    """What it is about: the page's or screen's name, the group."""
    if message.type in ("page", "screen"):
        return message.name[:MAX_KEY_CHARS]
    return (message.group_id or "")[:MAX_KEY_CHARS]


def params(message: Message) -> dict[str, Any]:
    """What is kept of it: its properties; of a page where it was, of a group what it is."""
    if message.type == "group":
        return {"groupId": message.group_id, **_of_group(message.traits)}
    found = dict(message.properties)
    if message.type in ("page", "screen"):
        if message.name:
            found.setdefault("name", message.name)
        page = message.context.get("page")
        for name in _PAGE:
            value = page.get(name) if isinstance(page, dict) else None
            if isinstance(value, str) and value:
                found.setdefault(name, value)
    return found


def _of_group(traits: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in traits.items() if name not in ("email", "phone")}
