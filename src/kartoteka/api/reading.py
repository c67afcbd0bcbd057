"""Read contacts: one by id, a page by search, their e-mails (wire 3.3, 3.7, 3.13)."""

from __future__ import annotations

from typing import Any

from kartoteka.access.model import Rights
from kartoteka.api import schemas
from kartoteka.api.answers import CONTACT, Answer, json_answer, list_answer
from kartoteka.api.call import Call, InvalidParameter
from kartoteka.api.contact_json import contact_json
from kartoteka.api.contacts import CONTACT_ID
from kartoteka.api.paging import PAGING, read_page
from kartoteka.api.read_schemas import CONTACT_OUT, CONTACTS_OUT, FOLLOWED
from kartoteka.api.routing import Parameter, Reply, Route
from kartoteka.contacts.reads import Search
from kartoteka.contacts.values.errors import InvalidValue
from kartoteka.contacts.values.names import clean_first_name, clean_last_name
from kartoteka.errors import InvalidRequest
from kartoteka.identity.account_rules import rules_of
from kartoteka.identity.kinds import (
    EMAIL,
    EXTERNAL_ID,
    PHONE,
    IdentifierKind,
    InvalidIdentifier,
    Region,
)
from kartoteka.identity.never import is_never

CONDITIONS = ("email", "sms", "firstname", "lastname")
MAX_IDS = 500


class ExternalIdStandsAlone(InvalidRequest):
    """externalCustomerId cannot be combined with email, sms, firstname or lastname."""

    code = "external_id_stands_alone"


async def get_contact(call: Call) -> Answer:
    """GET /api/v1/contact/{id} (wire 3.3, decisions D14, D25)."""
    asked = call.path_id()
    account_id = call.account.account_id
    card = await call.services.cards.get(account_id, asked)
    fields = await call.services.definitions.of(account_id)
    body = contact_json(card, fields)
    if card.contact_id == asked:
        return json_answer(body)
    return json_answer(body, headers=((CONTACT, b"%d" % card.contact_id),))


async def search_contacts(call: Call) -> Answer:
    """GET /api/v1/contacts: a bare list and `TotalCount` (wire 3.7, decisions D24)."""
    search = _search(call)
    if search is None:
        return list_answer((), 0)
    account_id = call.account.account_id
    page = await call.services.cards.search(account_id, search)
    fields = await call.services.definitions.of(account_id)
    return list_answer([contact_json(card, fields) for card in page.cards], page.total)


def _search(call: Call) -> Search | None:
    """What the query asks for; None when it can find nobody."""
    query = call.query
    skip, rows = read_page(call)
    by_id = _sort(query)
    if "externalCustomerId" in query:
        if any(name in query for name in CONDITIONS):
            raise ExternalIdStandsAlone
        value = _normalised(EXTERNAL_ID, query["externalCustomerId"], call)
        return None if value is None else Search(external_id=value, skip=skip, rows=rows)
    given = {
        "email": _normalised(EMAIL, query["email"], call) if "email" in query else "",
        "phone": _normalised(PHONE, query["sms"], call) if "sms" in query else "",
        "first_name": _name(query, "firstname"),
        "last_name": _name(query, "lastname"),
    }
    if None in given.values():
        return None
    wanted = {name: value for name, value in given.items() if value}
    return Search(**wanted, by_id=by_id, skip=skip, rows=rows)


def _sort(query: dict[str, str]) -> bool:
    text = query.get("sortBy", "").strip()
    if text not in ("", "contactId"):
        raise InvalidParameter("sortBy can only be contactId.")
    return bool(text)


def _normalised(kind: IdentifierKind, text: str, call: Call) -> str | None:
    """None for what finds nobody: blank, not of its kind, a never-identifier, the account's own too
    (D6, D24): of all who gave the shop's mailbox none is the one that a client looks for."""
    settings = call.account.settings
    try:
        value = kind.normalise(text, Region(settings.region))
    except InvalidIdentifier:
        return None
    if value is None or is_never(kind, value):
        return None
    never = rules_of(settings).never
    return None if never is not None and never.matches(kind, value) else value


def _name(query: dict[str, str], parameter: str) -> str | None:
    """The name; "" when nobody asks for one, None when nobody can have it."""
    if parameter not in query:
        return ""
    clean = clean_first_name if parameter == "firstname" else clean_last_name
    try:
        return clean(query[parameter])
    except InvalidValue:
        return None


async def contact_emails(call: Call) -> Answer:
    """GET /api/v1/contacts/email?ids=1,2,3: an object instead of a list of one (wire 1.4)."""
    found = await call.services.identities.emails(call.account.account_id, _ids(call))
    results: list[dict[str, Any]] = [{"contactId": one, "email": email} for one, email in found]
    return json_answer({"results": results[0] if len(results) == 1 else results})


def _ids(call: Call) -> list[int]:
    parts = call.query_list("ids")
    if not parts or len(parts) > MAX_IDS:
        raise InvalidParameter(f"ids must be 1 to {MAX_IDS} contact ids with commas between.")
    if not all(part.isascii() and part.isdigit() and len(part) < 20 for part in parts):
        raise InvalidParameter("ids must be contact ids with commas between.")
    return [number for part in parts if (number := int(part)) < 2**63]


ROUTES = (
    Route(
        method="GET",
        path="/api/v1/contact/{id}",
        operation="getContact",
        right=Rights.CONTACTS,
        endpoint=get_contact,
        summary="Get a contact",
        description="The id of a contact that was merged leads to the one it is part of now; the "
        "header Kartoteka-Contact then names it.",
        parameters=(CONTACT_ID,),
        replies={200: Reply("The contact.", CONTACT_OUT, headers=FOLLOWED)},
        errors=(400, 404),
    ),
    Route(
        method="GET",
        path="/api/v1/contacts",
        operation="searchContacts",
        right=Rights.CONTACTS,
        endpoint=search_contacts,
        summary="Search contacts",
        description="Exact matches of live contacts; all conditions must hold. A condition that is "
        "given but blank finds nobody. Without conditions: all contacts, newest update first.",
        parameters=(
            Parameter(
                "externalCustomerId",
                "The External ID, a former one too; goes with paging only.",
            ),
            Parameter("email", "The e-mail address."),
            Parameter("sms", "The phone number."),
            Parameter("firstname", "The first name, in any case."),
            Parameter("lastname", "The last name, in any case."),
            *PAGING,
            Parameter("sortBy", "Order of a search without conditions.", {"enum": ["contactId"]}),
        ),
        replies={
            200: Reply(
                "One page.",
                CONTACTS_OUT,
                headers={"TotalCount": "How many contacts match."},
            )
        },
        errors=(400,),
        pool="search",
    ),
    Route(
        method="GET",
        path="/api/v1/contacts/email",
        operation="getContactsEmails",
        right=Rights.CONTACTS,
        endpoint=contact_emails,
        summary="E-mails of contacts",
        description="`results` is an object when there is exactly one.",
        parameters=(
            Parameter("ids", f"Up to {MAX_IDS} contact ids, commas between.", required=True),
        ),
        replies={
            200: Reply(
                "The addresses of live contacts that have one.",
                {
                    "type": "object",
                    "required": ["results"],
                    "properties": {
                        "results": {
                            "anyOf": [
                                schemas.ref("ContactEmail"),
                                {"type": "array", "items": schemas.ref("ContactEmail")},
                            ]
                        }
                    },
                },
            )
        },
        errors=(400,),
    ),
)
