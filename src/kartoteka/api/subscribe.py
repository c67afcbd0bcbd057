"""Subscribe a contact, set its categories, keep the unsubscribe list (wire 3.6, 3.13)."""

from __future__ import annotations

import re
from typing import Any

from kartoteka.access.model import Rights
from kartoteka.api import schemas
from kartoteka.api.answers import Answer, empty_answer, json_answer, text_answer
from kartoteka.api.bodies import InvalidBody
from kartoteka.api.call import Call
from kartoteka.api.contacts import (
    CONTACT_ID,
    DRY_RUN,
    EXPLAIN,
    IDEMPOTENCY,
    explained,
    read_form,
    wants,
)
from kartoteka.api.routing import Reply, Route
from kartoteka.contacts.model import RefuseAddresses, SetSubscriptions, Subscribe
from kartoteka.contacts.values.errors import InvalidValue
from kartoteka.contacts.values.text import clean_text
from kartoteka.errors import NoIdentifier
from kartoteka.identity.kinds import EMAIL, InvalidIdentifier, Region

MAX_WORDS = 500
MAX_WORD_CHARS = 255
MAX_FORM_TYPE_CHARS = 77
"""An event type key has 100 characters; `subscribeUpdateFromApi-` takes 23 of them."""
MAX_EMAILS = 5_000

_NOT_IN_FORM_TYPE = re.compile(r"""[<>;’\\/|"`'^?!,]""")


async def subscribe(call: Call) -> Answer:
    """POST /api/v1/contact/subscribe (guide G11)."""
    dry_run, explain = wants(call)
    body = await call.json_object()
    raw = body.get("contact")
    if not isinstance(raw, dict):
        raise InvalidBody("The body needs a member contact, an object.")
    groups = words(body.get("groups"), "groups", MAX_WORD_CHARS)
    subscriptions = words(body.get("subscriptions"), "subscriptions", MAX_WORD_CHARS)
    form_type = _form_type(body.get("formType"))
    contact = await read_form(call, raw)
    if not contact.person.all():
        raise NoIdentifier
    outcome = await call.write(
        Subscribe(
            origin=call.origin(),
            contact=contact,
            groups=groups,
            subscriptions=subscriptions,
            form_type=form_type,
            dry_run=dry_run,
            repeat=None if dry_run else call.repeat(refusable=True),
        ),
    )
    answer: dict[str, Any] = {"id": outcome.resolution.contact_id}
    if outcome.email_status is not None:
        answer["emailStatus"] = outcome.email_status
    answer["new"] = outcome.new
    if dry_run or explain:
        return explained(outcome, dry_run=dry_run, answer=answer)
    return json_answer(answer)


def words(raw: object, field: str, max_chars: int) -> tuple[str, ...]:
    """Names or keys: a list or one alone, texts or objects with a name or key; blanks are nothing."""
    if raw is None:
        return ()
    found: dict[str, None] = {}
    for item in raw if isinstance(raw, list) else [raw]:
        one = item.get("name", item.get("key")) if isinstance(item, dict) else item
        text = _clean(one, field, max_chars)
        if text is not None:
            found[text] = None
    if len(found) > MAX_WORDS:
        raise InvalidBody(f"{field} may have at most {MAX_WORDS} entries.")
    return tuple(found)


def _clean(raw: object, field: str, max_chars: int) -> str | None:
    try:
        return clean_text(raw, field, max_chars=max_chars)
    except InvalidValue as error:
        raise InvalidBody(str(error)) from None


def _form_type(raw: object) -> str | None:
    text = _clean(raw, "formType", MAX_FORM_TYPE_CHARS)
    if text is not None and _NOT_IN_FORM_TYPE.search(text):
        raise InvalidBody("formType may not contain any of < > ; ’ \\ / | \" ` ' ^ ? ! ,")
    return text


async def set_subscriptions(call: Call) -> Answer:
    """PUT /api/v1/contact/{id}/subscriptions: the full set of category keys."""
    contact_id = call.path_id()
    body = await call.json_object()
    if not isinstance(body.get("subscriptions"), list | str):
        raise InvalidBody("The body needs a member subscriptions, a list of category keys.")
    keys = words(body["subscriptions"], "subscriptions", MAX_WORD_CHARS)
    await call.write(
        SetSubscriptions(
            origin=call.origin(), contact_id=contact_id, subscriptions=keys, repeat=call.repeat()
        ),
    )
    return text_answer(f"Subscriptions of the contact with id='{contact_id}' have been updated")


async def add_unsubscribed(call: Call) -> Answer:
    """POST /api/v1/emails/unsubscribed/add."""
    return await _refuse(call, refuse=True)


async def delete_unsubscribed(call: Call) -> Answer:
    """POST /api/v1/emails/unsubscribed/delete."""
    return await _refuse(call, refuse=False)


async def _refuse(call: Call, *, refuse: bool) -> Answer:
    body = await call.json_object()
    emails = _emails(body.get("emails"), Region(call.account.settings.region))
    repeat = call.repeat()
    if emails:
        await call.write(
            RefuseAddresses(origin=call.origin(), emails=emails, refuse=refuse, repeat=repeat)
        )
    return empty_answer()


def _emails(raw: object, region: Region) -> tuple[str, ...]:
    """The addresses, each once. One that is none is an error: it would stay subscribed unseen."""
    if not isinstance(raw, list | str):
        raise InvalidBody("The body needs a member emails, a list of addresses.")
    found: dict[str, None] = {}
    for position, item in enumerate(raw if isinstance(raw, list) else [raw], start=1):
        try:
            email = EMAIL.normalise(item, region)
        except InvalidIdentifier:
            raise InvalidBody(f"Entry {position} of emails is not an e-mail address.") from None
        if email is not None:
            found[email] = None
    if len(found) > MAX_EMAILS:
        raise InvalidBody(f"emails may have at most {MAX_EMAILS} entries.")
    return tuple(found)


_EMAILS = {
    "type": "object",
    "required": ["emails"],
    "properties": {
        "emails": {"type": "array", "items": schemas.EMAIL, "maxItems": MAX_EMAILS},
    },
}

ROUTES = (
    Route(
        method="POST",
        path="/api/v1/contact/subscribe",
        operation="subscribeContact",
        right=Rights.CONTACTS_WRITE,
        endpoint=subscribe,
        summary="Subscribe a contact",
        description="Looks for External ID, e-mail, phone. Adds what the contact lacks, replaces "
        "no e-mail and no phone; makes the lists it names; stores one event.",
        parameters=(EXPLAIN, DRY_RUN, IDEMPOTENCY),
        body=schemas.ref("Subscribe"),
        replies={200: Reply("The contact's id and whether it is new.", schemas.ref("Subscribed"))},
        errors=(400, 409, 413, 415, 422),
    ),
    Route(
        method="PUT",
        path="/api/v1/contact/{id}/subscriptions",
        operation="updateContactSubscriptions",
        right=Rights.CONTACTS_WRITE,
        endpoint=set_subscriptions,
        summary="Set the subscription categories of a contact",
        tag="Subscriptions",
        parameters=(CONTACT_ID, IDEMPOTENCY),
        body={
            "type": "object",
            "required": ["subscriptions"],
            "properties": {
                "subscriptions": {
                    "type": "array",
                    "items": {"type": "string", "maxLength": MAX_WORD_CHARS},
                    "maxItems": MAX_WORDS,
                }
            },
        },
        replies={200: Reply("A sentence.", schemas.SENTENCE)},
        errors=(400, 404, 413, 415, 422),
    ),
    Route(
        method="POST",
        path="/api/v1/emails/unsubscribed/add",
        operation="addUnsubscribedEmails",
        right=Rights.CONTACTS_WRITE,
        endpoint=add_unsubscribed,
        summary="Put addresses on the unsubscribe list",
        tag="Subscriptions",
        parameters=(IDEMPOTENCY,),
        body=_EMAILS,
        replies={200: Reply("Done; the body is empty.")},
        errors=(400, 413, 415, 422),
    ),
    Route(
        method="POST",
        path="/api/v1/emails/unsubscribed/delete",
        operation="deleteUnsubscribedEmails",
        right=Rights.CONTACTS_WRITE,
        endpoint=delete_unsubscribed,
        summary="Take addresses off the unsubscribe list",
        tag="Subscriptions",
        parameters=(IDEMPOTENCY,),
        body=_EMAILS,
        replies={200: Reply("Done; the body is empty.")},
        errors=(400, 413, 415, 422),
    ),
)
