"""One contact: what is known, why, and what can be done with it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from kartoteka.access.users import Role
from kartoteka.admin import texts
from kartoteka.admin.contact_form import ADDRESS, PROFILE, read_fields
from kartoteka.admin.pages.timeline import timeline_of
from kartoteka.admin.pictures.identity_graph import identity_graph
from kartoteka.admin.replies import Reply
from kartoteka.admin.request import Request
from kartoteka.admin.routing import Page
from kartoteka.contacts.browsing import ShownCard
from kartoteka.contacts.consent import category
from kartoteka.contacts.identity_reads import Identity
from kartoteka.contacts.model import ContactInput, RemoveContact, SetSubscriptions, UpdateContact
from kartoteka.contacts.values.custom_fields import FieldDefinition
from kartoteka.errors import ExternalIdTaken, NotFound
from kartoteka.identity.model import Consent, Status

HISTORY = 200
CHANNELS = ("email", "sms")
PARTS = {
    "identifiers": ("externalCustomerId", "email", "sms"),
    "profile": (*PROFILE, *ADDRESS),
    "fields": (),
}
"""What is edited together; custom fields are the account's."""
_COLUMNS = {
    "externalCustomerId": "external_id",
    "email": "email",
    "sms": "phone",
    "firstName": "first_name",
    "lastName": "last_name",
    "contactKey": "contact_key",
    "languageCode": "language_code",
    "timeZone": "time_zone",
    **{name: name for name in ADDRESS},
}


async def card(request: Request) -> Reply:
    """GET /admin/contacts/{id}: of a merged one the card that it is part of now."""
    shown = await _card(request)
    if shown.status == Status.MERGED:
        identity = await _identity(request, shown.contact_id, rows=1)
        return request.go(f"/admin/contacts/{identity.contact_id}", "followed")
    return request.render(
        "card.html", **await _everything(request, shown), **await timeline_of(request, shown)
    )


async def identity(request: Request) -> Reply:
    """GET /admin/contacts/{id}/identity: the picture and the history."""
    shown = await _card(request)
    found = await _identity(request, shown.contact_id)
    who = await request.services.users.who_did(
        request.account_id, [row.request_id for row in found.history]
    )
    merges, _ = await request.services.identities.merges(
        request.account_id, shown.contact_id, skip=0, rows=50
    )
    may_undo = request.may(Role.MARKETER)
    return request.render(
        "card_identity.html",
        card=shown,
        identity=found,
        who=who,
        picture=identity_graph(found.history, found.contact_id),
        merges=merges,
        undoable={one.merge_id for one in merges if may_undo and one.undone_at is None},
        is_cut=len(found.history) == HISTORY,
    )


async def peek(request: Request) -> Reply:
    """GET /admin/contacts/{id}/peek: the card in short, for the drawer."""
    shown = await _card(request)
    return request.render("card_peek.html", **await _everything(request, shown, history=6))


async def _everything(request: Request, shown: ShownCard, history: int = 20) -> dict[str, Any]:
    found = await _identity(request, shown.contact_id, rows=history)
    services = request.services
    categories = await services.identities.categories(request.account_id)
    return {
        "card": shown,
        "identity": found,
        "lists": await services.browsing.lists_of(request.account_id, shown.contact_id),
        "definitions": await services.definitions.of(request.account_id),
        "categories": categories,
        "category_names": {one.key: one.name for one in categories},
        "consents": _consents(shown),
        "who": await services.users.who_did(
            request.account_id, [row.request_id for row in found.history]
        ),
    }


async def _card(request: Request) -> ShownCard:
    return await request.services.browsing.card(request.account_id, request.id())


async def _identity(request: Request, contact_id: int, rows: int = HISTORY) -> Identity:
    return await request.services.identities.identity(
        request.account_id, contact_id, skip=0, rows=rows
    )


def _consents(shown: ShownCard) -> list[tuple[str, str]]:
    """(what, state) of channels and categories, channels first."""
    states = {one.value: one.name.lower() for one in Consent}
    channels = [(name, states[shown.consent[name]]) for name in CHANNELS if name in shown.consent]
    prefix = category("")
    others = sorted(
        (name.removeprefix(prefix), states[state])
        for name, state in shown.consent.items()
        if name.startswith(prefix)
    )
    return channels + others


# Editing in place.


async def edit(request: Request) -> Reply:
    """GET /admin/contacts/{id}/edit/{part}."""
    shown, part = await _card(request), _part(request)
    definitions = await request.services.definitions.of(request.account_id)
    values = _values(shown, part, definitions)
    return _edit_form(
        request, shown, part, definitions=definitions, values=values, was=values, problems={}
    )


def _edit_form(
    request: Request,
    shown: ShownCard,
    part: str,
    *,
    definitions: Mapping[str, FieldDefinition],
    values: Mapping[str, str],
    was: Mapping[str, str],
    problems: Mapping[str, str],
) -> Reply:
    """`was`: what its user was shown at first, also after a refusal."""
    return request.render(
        "card_edit.html",
        400 if problems else 200,
        card=shown,
        part=part,
        names=PARTS[part],
        definitions=definitions,
        values=values,
        was=was,
        problems=problems,
    )


def _part(request: Request) -> str:
    part = request.params["part"]
    if part not in PARTS:
        raise NotFound("There is no such part of a card.")
    return part


def _values(
    shown: ShownCard, part: str, definitions: Mapping[str, FieldDefinition]
) -> dict[str, str]:
    if part == "fields":
        return {f"fields.{one}": shown.fields.get(one, "") for one in definitions}
    values = {name: getattr(shown, _COLUMNS[name]) or "" for name in PARTS[part]}
    if values.get("sms"):
        values["sms"] = f"+{values['sms']}"
    return values


async def save(request: Request) -> Reply:
    """POST /admin/contacts/{id}/edit/{part}: only what this form changed is written.

    The form remembers what it showed, so what somebody else changed meanwhile stays.
    """
    shown, part = await _card(request), _part(request)
    definitions = await request.services.definitions.of(request.account_id)
    names = list(_values(shown, part, definitions))
    given = {name: request.form.one(name) for name in names if request.form.has(name)}
    was = {name: text for name, text in request.form.starting("was.").items() if name in names}
    again = partial(
        _edit_form, request, shown, part, definitions=definitions, values=given, was=was
    )
    changed = {name: text for name, text in given.items() if text != was.get(name, "")}
    contact, problems = read_fields(changed, request.region, definitions)
    if problems:
        return again(problems=problems)
    clear = frozenset(name for name, text in changed.items() if not text)
    if changed:
        try:
            await _update(request, shown.contact_id, contact, clear)
        except ExternalIdTaken as error:
            return again(problems={"externalCustomerId": error.message})
        await request.note("contact_changed", shown.contact_id, fields=sorted(changed))
    return request.go(f"/admin/contacts/{shown.contact_id}", "saved")


async def _update(
    request: Request, contact_id: int, contact: ContactInput, clear: frozenset[str]
) -> None:
    await request.write(
        UpdateContact(origin=request.origin(), contact_id=contact_id, contact=contact, clear=clear)
    )


async def edit_consent(request: Request) -> Reply:
    """GET /admin/contacts/{id}/consent: the subscription categories."""
    shown = await _card(request)
    categories = await request.services.identities.categories(request.account_id)
    mine = {what for what, state in _consents(shown) if state == "subscribed"}
    return request.render("card_consent.html", card=shown, categories=categories, mine=mine)


async def save_consent(request: Request) -> Reply:
    """POST /admin/contacts/{id}/consent: exactly these categories."""
    contact_id = request.id()
    keys = tuple(request.form.all("category"))
    await request.write(
        SetSubscriptions(origin=request.origin(), contact_id=contact_id, subscriptions=keys)
    )
    await request.note("consent_changed", contact_id)
    return request.go(f"/admin/contacts/{contact_id}", "saved")


# Out of use, back, and gone for good.


async def ask_remove(request: Request) -> Reply:
    """GET /admin/contacts/{id}/remove."""
    return request.render("card_remove.html", card=await _card(request))


async def remove(request: Request) -> Reply:
    """POST /admin/contacts/{id}/remove."""
    contact_id = request.id()
    await request.write(RemoveContact(origin=request.origin(), contact_id=contact_id))
    await request.note("contact_removed", contact_id)
    return request.go(f"/admin/contacts/{contact_id}", "removed")


async def restore(request: Request) -> Reply:
    """POST /admin/contacts/{id}/restore."""
    contact_id = request.id()
    await _update(request, contact_id, ContactInput(), frozenset())
    await request.note("contact_restored", contact_id)
    return request.go(f"/admin/contacts/{contact_id}", "restored")


async def ask_erase(request: Request) -> Reply:
    """GET /admin/contacts/{id}/erase."""
    shown = await _card(request)
    found = await _identity(request, shown.contact_id)
    return request.render("card_erase.html", card=shown, identity=found, problem="")


async def erase(request: Request) -> Reply:
    """POST /admin/contacts/{id}/erase: only with the contact's id typed in."""
    shown = await _card(request)
    if request.form.one("typed").lstrip("#") != str(shown.contact_id):
        found = await _identity(request, shown.contact_id)
        problem = texts.text("erase.typed_wrong", id=shown.contact_id)
        return request.render("card_erase.html", 400, card=shown, identity=found, problem=problem)
    await request.write(
        RemoveContact(origin=request.origin(), contact_id=shown.contact_id, erase=True)
    )
    await request.note("contact_erased", shown.contact_id)
    return request.go("/admin/contacts", "erased")


_ID = "/admin/contacts/{id}"
PAGES = (
    Page(method="GET", path=_ID, role=Role.READER, handler=card),
    Page(method="GET", path=f"{_ID}/identity", role=Role.READER, handler=identity),
    Page(method="GET", path=f"{_ID}/peek", role=Role.READER, handler=peek),
    Page(method="GET", path=f"{_ID}/edit/{{part}}", role=Role.MARKETER, handler=edit),
    Page(method="POST", path=f"{_ID}/edit/{{part}}", role=Role.MARKETER, handler=save),
    Page(method="GET", path=f"{_ID}/consent", role=Role.MARKETER, handler=edit_consent),
    Page(method="POST", path=f"{_ID}/consent", role=Role.MARKETER, handler=save_consent),
    Page(method="GET", path=f"{_ID}/remove", role=Role.MARKETER, handler=ask_remove),
    Page(method="POST", path=f"{_ID}/remove", role=Role.MARKETER, handler=remove),
    Page(method="POST", path=f"{_ID}/restore", role=Role.MARKETER, handler=restore),
    Page(method="GET", path=f"{_ID}/erase", role=Role.OWNER, handler=ask_erase),
    Page(method="POST", path=f"{_ID}/erase", role=Role.OWNER, handler=erase),
)
