"""Commands as a story tells them: `add(x="X", email="a@x.ua")` is POST contact with both.

Short names of what a request may bring: `x` External ID, `email`, `phone`, `token` (mobile push),
`web` (web push), `telegram`, `device`, `cookie`; `first`, `last` and every other field of `Profile`.
A token that comes together with a device belongs to it, as the SDK and the channels form say.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from kartoteka.activity.mobile.form import AppCall
from kartoteka.activity.mobile.model import AppUpdate, PushSaid
from kartoteka.activity.model import EventInput, RecordEvent, Source
from kartoteka.activity.orders.model import (
    DeleteOrder,
    OrderItem,
    OrderSaid,
    OrderStatus,
    SaveOrder,
)
from kartoteka.activity.segment_style.model import Identify
from kartoteka.activity.visitors.model import Claim, Step, Visit, Visited, Who
from kartoteka.contacts.model import (
    ActivateToken,
    AddAppToken,
    AddContact,
    AppToken,
    AttachContacts,
    Command,
    ContactInput,
    DetachContacts,
    ImportRow,
    MergeContacts,
    MuteToken,
    NotTheSame,
    Profile,
    RefuseAddresses,
    ReleaseValue,
    RemoveContact,
    RowRules,
    SetSubscriptions,
    Subscribe,
    UndoMerge,
    Unique,
    UpdateContact,
)
from kartoteka.identity.kinds import (
    DEVICE,
    EMAIL,
    EXTERNAL_ID,
    MOBILE_TOKEN,
    PHONE,
    TELEGRAM_TOKEN,
    WEB_COOKIE,
    WEB_TOKEN,
    IdentifierKind,
)
from kartoteka.identity.model import Identifier, Origin
from kartoteka.identity.rules import Person
from kartoteka.imports.unique import value_reader

START = datetime(2024, 3, 1, tzinfo=UTC)
KIND = {
    "x": EXTERNAL_ID,
    "email": EMAIL,
    "phone": PHONE,
    "token": MOBILE_TOKEN,
    "web": WEB_TOKEN,
    "telegram": TELEGRAM_TOKEN,
    "device": DEVICE,
    "cookie": WEB_COOKIE,
}
NAMES = {"first": "first_name", "last": "last_name"}
APP = "app-1"
_CHANGEABLE = ("token", "web", "telegram", "device", "cookie")


def contact(**said: Any) -> ContactInput:
    """What a request says of one contact."""
    values = {NAMES.get(name, name): value for name, value in said.items() if name not in KIND}
    profile = Profile(**values)
    changeable = [
        _changeable(KIND[name], value, said.get("device"))
        for name in _CHANGEABLE
        for value in _several(said.get(name))
    ]
    person = Person(
        _lasting(EXTERNAL_ID, said.get("x")),
        _lasting(EMAIL, said.get("email")),
        _lasting(PHONE, said.get("phone")),
        tuple(changeable),
        profile.first_name,
        profile.last_name,
    )
    return ContactInput(person, profile)


def _several(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def _lasting(kind: IdentifierKind, value: str | None) -> Identifier | None:
    return None if value is None else Identifier(kind.code, value)


def _changeable(kind: IdentifierKind, value: str, device: Any) -> Identifier:
    belongs = kind in (MOBILE_TOKEN, WEB_TOKEN) and isinstance(device, str)
    return Identifier(kind.code, value, device=device if belongs else None)


def origin(at: datetime = START, method: str = "test") -> Origin:
    return Origin(at, "request", 1, method)


def add(**said: Any) -> AddContact:
    """POST contact."""
    return AddContact(origin=origin(method="addContact"), contact=contact(**said))


def put(contact_id: int, *, clear: str = "", **said: Any) -> UpdateContact:
    """PUT contact/{id}; `clear` as in the query: names with commas."""
    names = frozenset(name for name in clear.split(",") if name)
    return UpdateContact(
        origin=origin(method="updateContact"),
        contact_id=contact_id,
        contact=contact(**said),
        clear=names,
    )


def subscribe(
    *,
    groups: tuple[str, ...] = (),
    subscriptions: tuple[str, ...] = (),
    form: str | None = None,
    **said: Any,
) -> Subscribe:
    """POST contact/subscribe."""
    return Subscribe(
        origin=origin(method="subscribeContact"),
        contact=contact(**said),
        groups=groups,
        subscriptions=subscriptions,
        form_type=form,
    )


def remove(contact_id: int | None = None, *, x: str | None = None) -> RemoveContact:
    """DELETE."""
    return RemoveContact(
        origin=origin(method="deleteContact"), contact_id=contact_id, external_id=x
    )


def erase(contact_id: int | None = None, *, x: str | None = None) -> RemoveContact:
    """DELETE with erase."""
    return RemoveContact(
        origin=origin(method="deleteContact"), contact_id=contact_id, external_id=x, erase=True
    )


def app_token(token: str, *, contact_id: int | None = None, **said: Any) -> AddAppToken:
    """POST apps/{app}/tokens, one element: a Telegram token."""
    return AddAppToken(
        origin=origin(method="addAppTokens"),
        app=APP,
        kind=TELEGRAM_TOKEN.code,
        item=AppToken(token, contact_id, contact(**said)),
    )


def rules(
    unique: str = "email",
    field_id: int | None = None,
    *,
    changes_id: bool = False,
    restores: bool = False,
    groups: tuple[str, ...] = (),
    exclude: tuple[str, ...] = (),
    event: str | None = None,
    only_find: tuple[str, ...] = (),
) -> RowRules:
    """What a bulk call or file says of all its rows; `changes_id` is the exception of D9."""
    return RowRules(
        Unique(unique, field_id),
        updates_external_id=changes_id,
        groups=groups,
        groups_exclude=exclude,
        restores=restores,
        event_key=event,
        only_find=frozenset(KIND[name].code for name in only_find),
    )


def row(
    by: RowRules, *, number: int = 1, clear: str = "", contact_id: int | None = None, **said: Any
) -> ImportRow:
    """A row of a bulk call or file; `contact_id` where they are unique by id, `clear` as in `put`."""
    given = contact(**said)
    return ImportRow(
        origin=origin(method="addContacts"),
        number=number,
        rules=by,
        contact=given,
        value=value_reader(by.unique)(given, contact_id),
        contact_id=contact_id,
        clear=frozenset(name for name in clear.split(",") if name),
    )


def merge(keep: int, absorb: int) -> MergeContacts:
    """POST merges."""
    return MergeContacts(origin=origin(method="mergeContacts"), keep=keep, absorb=absorb)


def undo(merge_id: int) -> UndoMerge:
    """POST merges/{id}/undo."""
    return UndoMerge(origin=origin(method="undoMerge"), merge_id=merge_id)


def not_the_same(one: int, other: int) -> NotTheSame:
    return NotTheSame(origin=origin(method="notTheSame"), contact_id=one, other_id=other)


def release(name: str, value: str, to: int | None = None) -> ReleaseValue:
    """POST quarantine/release: `name` as in `contact`."""
    kind = KIND[name].code
    return ReleaseValue(origin=origin(method="release"), kind=kind, value=value, contact_id=to)


def activate(token: str, *, active: bool, app: str = APP) -> ActivateToken:
    return ActivateToken(origin=origin(), app=app, token=token, active=active)


def mute(token: str, until: datetime | None, *, app: str = APP) -> MuteToken:
    return MuteToken(origin=origin(), app=app, token=token, until=until)


def set_subscriptions(contact_id: int, *keys: str) -> SetSubscriptions:
    return SetSubscriptions(origin=origin(), contact_id=contact_id, subscriptions=keys)


def attach(segment_id: int, *contact_ids: int, x: tuple[str, ...] = ()) -> AttachContacts:
    """POST group/{id}/contacts/attach; `x` are External IDs."""
    return AttachContacts(
        origin=origin(), segment_id=segment_id, contact_ids=contact_ids, external_ids=x
    )


def detach(segment_id: int, *contact_ids: int, x: tuple[str, ...] = ()) -> DetachContacts:
    """POST group/{id}/contacts/detach."""
    return DetachContacts(
        origin=origin(), segment_id=segment_id, contact_ids=contact_ids, external_ids=x
    )


def unsubscribe(*emails: str) -> RefuseAddresses:
    """POST emails/unsubscribed/add."""
    return RefuseAddresses(origin=origin(), emails=emails, refuse=True)


def forgive(*emails: str) -> RefuseAddresses:
    """POST emails/unsubscribed/delete."""
    return RefuseAddresses(origin=origin(), emails=emails, refuse=False)


def event(
    key: str = "seen",
    *,
    contact_id: int | None = None,
    push: str | None = None,
    at: datetime | None = None,
    message: str | None = None,
    params: dict[str, Any] | None = None,
    past: bool = False,
    **whom: Any,
) -> RecordEvent:
    """POST event; `whom` as in `contact`, `push` a token of unknown kind, `at` its own time."""
    named = contact(**whom)
    return RecordEvent(
        origin=origin(method="registerEvent"),
        event=EventInput(key, "key", params or {}, named.person, push, contact_id, named.profile),
        occurred=at,
        message=None if message is None else message.encode(),
        needs_segmentation=past,
        creates=False if past else None,
    )


def visited(*steps: Step, cookie: str = "S") -> Visited:
    """What one browser did and said."""
    visitor = Identifier(WEB_COOKIE.code, cookie)
    return Visited(origin=origin(method="collect"), visitor=visitor, steps=steps, source=Source.WEB)


def visit(key: str = "seen", at: datetime = START) -> Visit:
    return Visit(key, "", at, {})


def claim(at: datetime = START, *, cid: int | None = None, **whom: str) -> Claim:
    """`whom`: x, email, phone."""
    return Claim(Who(whom.get("x"), whom.get("email"), whom.get("phone"), cid), at)


def order(
    number: str = "O-1",
    *,
    status: str | None = "DELIVERED",
    cost: Any = 10,
    date: datetime | None = START,
    items: Any = None,
    currency: str | None = None,
    **whom: Any,
) -> SaveOrder:
    """An order of POST orders; `whom` as in `contact`."""
    named = contact(**whom)
    said = OrderSaid(
        number,
        None if status is None else OrderStatus[status],
        None if cost is None else Decimal(str(cost)),
        currency,
        date,
        external_customer_id=whom.get("x"),
        email=whom.get("email"),
        phone=whom.get("phone"),
        items=None if items is None else tuple(OrderItem(one, Decimal(1)) for one in items),
    )
    return SaveOrder(origin=origin(method="ordersBulkInsert"), order=said, contact=named)


def app(
    *,
    trusted: bool = False,
    subscriptions: tuple[str, ...] = (),
    groups: tuple[str, ...] = (),
    groups_exclude: tuple[str, ...] = (),
    **said: Any,
) -> AppUpdate:
    """A call of the mobile SDK; `said` as in `contact`."""
    named = contact(**said)
    changeable = {one.kind: one for one in named.person.changeable}
    call = AppCall(
        changeable.get(DEVICE.code),
        changeable.get(MOBILE_TOKEN.code),
        named,
        subscriptions,
        groups,
        groups_exclude,
    )
    return AppUpdate(origin=origin(method="mobileDevice"), call=call, trusted=trusted)


def push_said(token: str, status: str = "CLICKED", number: str = "1") -> PushSaid:
    """PUT interactions/{id}/status of the mobile SDK."""
    return PushSaid(
        origin=origin(),
        token=Identifier(MOBILE_TOKEN.code, token),
        interaction=number,
        status=status,
        occurred=START,
        params={},
        message=f"{number}:{status}".encode(),
    )


def identify(at: datetime = START, **said: Any) -> Identify:
    """`identify` of the Segment-style API with a server key."""
    return Identify(origin=origin(), contact=contact(**said), occurred=at)


def delete_order(number: str) -> DeleteOrder:
    """DELETE orders, one of them."""
    return DeleteOrder(origin=origin(method="deleteOrders"), external_order_id=number)


def arriving(command: Command, at: datetime) -> Command:
    """The command as it arrives at that moment."""
    said = command.origin
    return msgspec.structs.replace(
        command, origin=Origin(at, said.request_id, said.key_id, said.method)
    )
