"""Write one contact: add, update, remove (wire 3.1, 3.2, 3.4, 3.5)."""

from __future__ import annotations

from typing import Any

from kartoteka.access.model import Rights
from kartoteka.activity.erasing import finish_erasing
from kartoteka.api import schemas
from kartoteka.api.answers import Answer, json_answer, text_answer
from kartoteka.api.call import Call, InvalidParameter
from kartoteka.api.routing import Parameter, Reply, Route
from kartoteka.contacts.clearing import is_clearable
from kartoteka.contacts.forms.contact import (
    UNKNOWN_FIELD,
    FormRules,
    read_contact,
    read_external_id,
)
from kartoteka.contacts.model import (
    AddContact,
    ContactInput,
    Outcome,
    RemoveContact,
    UpdateContact,
)
from kartoteka.errors import InvalidRequest, NoIdentifier
from kartoteka.identity.kinds import Region


class NoExternalId(InvalidRequest):
    """Say which contact: externalCustomerId is blank or a value that stands for nobody."""

    code = "no_external_id"


async def read_form(call: Call, raw: dict[str, Any]) -> ContactInput:
    """The contact of a body, read by the account's rules.

    A field that is not known may have been defined a moment ago, by another process: nothing is dropped
    before the definitions were read again.
    """
    region, account_id = Region(call.account.settings.region), call.account.account_id
    if not raw.get("fields"):
        return read_contact(raw, FormRules(region))
    definitions = call.services.definitions
    contact = read_contact(raw, FormRules(region, await definitions.of(account_id)))
    if UNKNOWN_FIELD in contact.warnings:
        contact = read_contact(raw, FormRules(region, await definitions.read(account_id)))
    return contact


def wants(call: Call) -> tuple[bool, bool]:
    """Whether the caller asks for `dryRun` and for `explain`, which need the right to read (D21)."""
    if not call.scope["query_string"]:
        return False, False
    dry_run, explain = call.flag("dryRun"), call.flag("explain")
    if dry_run or explain:
        call.needs(Rights.CONTACTS)
    return dry_run, explain


def explained(outcome: Outcome, *, dry_run: bool, answer: dict[str, Any]) -> Answer:
    """The answer with its resolution; of a dry run nothing but that (decisions D27, D30)."""
    if dry_run:
        return json_answer({"dryRun": True, "resolution": outcome.resolution})
    return json_answer({**answer, "resolution": outcome.resolution})


async def add_contact(call: Call) -> Answer:
    """POST /api/v1/contact: create, update or restore (guide G8)."""
    dry_run, explain = wants(call)
    contact = await read_form(call, await call.json_object())
    if not contact.person.all():
        raise NoIdentifier
    outcome = await call.write(
        AddContact(
            origin=call.origin(),
            contact=contact,
            dry_run=dry_run,
            repeat=None if dry_run else call.repeat(refusable=True),
        ),
    )
    contact_id = outcome.resolution.contact_id
    if dry_run or explain:
        return explained(outcome, dry_run=dry_run, answer={"id": contact_id})
    return Answer(b'{"id":%d}' % (contact_id or 0))


async def update_contact(call: Call) -> Answer:
    """PUT /api/v1/contact/{id}: bare text, compared by clients as a whole (guide G9)."""
    contact_id = call.path_id()
    dry_run, explain = wants(call)
    clear = _clear(call)
    contact = await read_form(call, await call.json_object())
    outcome = await call.write(
        UpdateContact(
            origin=call.origin(),
            contact_id=contact_id,
            contact=contact,
            clear=clear,
            dry_run=dry_run,
            repeat=None if dry_run else call.repeat(refusable=True),
        ),
    )
    if dry_run or explain:
        return explained(outcome, dry_run=dry_run, answer={"id": contact_id})
    return text_answer(f"Contact with id='{contact_id}' has been updated")


def _clear(call: Call) -> frozenset[str]:
    """`?clear=firstName,sms`: what the call empties (decisions D16)."""
    names = frozenset(call.query_list("clear"))
    if not all(is_clearable(name) for name in names):
        raise InvalidParameter("clear names a field that cannot be cleared; see /docs.")
    return names


async def remove_contact(call: Call) -> Answer:
    """DELETE /api/v1/contact/{id}."""
    contact_id = call.path_id()
    erase = _erase(call)
    await call.write(RemoveContact(origin=call.origin(), contact_id=contact_id, erase=erase))
    await _finish(call, erase)
    return text_answer(f"Contact with id='{contact_id}' has been deleted")


async def remove_by_external_id(call: Call) -> Answer:
    """DELETE /api/v1/contact?externalCustomerId=X."""
    erase = _erase(call)
    region = Region(call.account.settings.region)
    one = read_external_id(call.query.get("externalCustomerId"), region, [])
    if one is None:
        raise NoExternalId
    outcome = await call.write(
        RemoveContact(origin=call.origin(), external_id=one.value, erase=erase)
    )
    await _finish(call, erase)
    return text_answer(f"Contact with id='{outcome.resolution.contact_id}' has been deleted")


async def _finish(call: Call, erase: bool) -> None:
    """What was written for the person while the erase waited for it goes too (decisions D29)."""
    if erase:
        await finish_erasing(call.services.database, call.account.account_id)


def _erase(call: Call) -> bool:
    erase = call.flag("erase")
    if erase:
        call.needs(Rights.FULL)
    return erase


DRY_RUN = Parameter(
    "dryRun",
    "Do everything, then roll it back and answer only what would have happened.",
    {"type": "boolean", "default": False},
)
EXPLAIN = Parameter(
    "explain",
    "Add `resolution`: which contact was found, by which rule, and what was dropped.",
    {"type": "boolean", "default": False},
)
IDEMPOTENCY = Parameter(
    "Idempotency-Key",
    "The same key with the same request within 24 hours gets the same answer again; "
    "with another request 422.",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    place="header",
)
CONTACT_ID = Parameter("id", "The contact id.", schemas.CONTACT_ID, place="path", required=True)
ERASE = Parameter(
    "erase",
    "Destroy the person's values for good (needs full rights); else the contact can be restored.",
    {"type": "boolean", "default": False},
)

_UPDATED = {"oneOf": [schemas.SENTENCE, schemas.ref("ContactAnswer")]}
"""The sentence; with `explain` or `dryRun` JSON."""

ROUTES = (
    Route(
        method="POST",
        path="/api/v1/contact",
        operation="addContact",
        right=Rights.CONTACTS_WRITE,
        endpoint=add_contact,
        summary="Add or update a contact",
        description="Looks the External ID up first, then e-mail, phone and tokens; restores a "
        "removed contact; creates one if nobody is found.",
        parameters=(EXPLAIN, DRY_RUN, IDEMPOTENCY),
        body=schemas.ref("Contact"),
        replies={200: Reply("The contact's id.", schemas.ref("ContactAnswer"))},
        errors=(400, 409, 413, 415, 422),
    ),
    Route(
        method="PUT",
        path="/api/v1/contact/{id}",
        operation="updateContact",
        right=Rights.CONTACTS_WRITE,
        endpoint=update_contact,
        summary="Update a contact",
        description="Changes what the body gives; what is absent, null or blank stays. The answer "
        "is bare text under a JSON content type, as clients compare it; JSON with `explain`.",
        parameters=(
            CONTACT_ID,
            Parameter(
                "clear",
                "What to empty, with commas between: firstName, lastName, contactKey, "
                "languageCode, timeZone, region, town, address, postcode, externalCustomerId, "
                "formerExternalIds, email, sms, mobilepush, webpush, fields.12",
            ),
            EXPLAIN,
            DRY_RUN,
            IDEMPOTENCY,
        ),
        body=schemas.ref("Contact"),
        replies={200: Reply("Contact with id='N' has been updated", _UPDATED)},
        errors=(400, 404, 409, 413, 415, 422),
    ),
    Route(
        method="DELETE",
        path="/api/v1/contact/{id}",
        operation="deleteContact_1",
        right=Rights.CONTACTS,
        endpoint=remove_contact,
        summary="Remove or erase a contact",
        parameters=(CONTACT_ID, ERASE),
        replies={200: Reply("Contact with id='N' has been deleted", schemas.SENTENCE)},
        errors=(400, 404, 409),
    ),
    Route(
        method="DELETE",
        path="/api/v1/contact",
        operation="deleteContact",
        right=Rights.CONTACTS,
        endpoint=remove_by_external_id,
        summary="Remove or erase the contact with an External ID",
        parameters=(
            Parameter(
                "externalCustomerId",
                "The External ID.",
                {"type": "string", "minLength": 1, "maxLength": 255},
                required=True,
            ),
            ERASE,
        ),
        replies={200: Reply("Contact with id='N' has been deleted", schemas.SENTENCE)},
        errors=(400, 404, 409),
    ),
)
