"""Why something stands on a contact, and why two contacts are kept apart (decisions D26, D28)."""

from __future__ import annotations

from typing import Any

from kartoteka.access.model import Rights
from kartoteka.api import read_schemas, schemas
from kartoteka.api.answers import CONTACT, Answer, json_answer
from kartoteka.api.call import Call, InvalidParameter
from kartoteka.api.contacts import CONTACT_ID
from kartoteka.api.identity_reading import moment
from kartoteka.api.merges import query_id
from kartoteka.api.routing import Parameter, Reply, Route
from kartoteka.contacts.why import Why, why
from kartoteka.contacts.why_asked import asked
from kartoteka.contacts.why_not import why_not
from kartoteka.identity.account_rules import rules_of
from kartoteka.identity.evidence import Step
from kartoteka.identity.kinds import Region


async def contact_why(call: Call) -> Answer:
    """GET /api/v1/contact/{id}/why?kind=&value=."""
    contact_id = call.path_id()
    kind = call.query.get("kind", "").strip()
    if not kind:
        raise InvalidParameter("Say what to explain: kind, and value where there are several.")
    definitions = await call.services.definitions.of(call.account.account_id)
    kind, value = asked(
        kind,
        call.query.get("value", "").strip() or None,
        definitions.values(),
        Region(call.account.settings.region),
    )
    known = await Why(call.services.keyed, call.services.digest).person(
        call.account.account_id, contact_id
    )
    found = why(known, kind, value, rules_of(call.account.settings))
    body = {
        "contactId": found.contact_id,
        "kind": found.kind,
        "value": found.value,
        "anchor": found.anchor,
        "complete": found.complete,
        "chain": [_step(one, brings=found.brings(one)) for one in found.chain],
    }
    if found.contact_id == contact_id:
        return json_answer(body)
    return json_answer(body, headers=((CONTACT, b"%d" % found.contact_id),))


def _step(one: Step, *, brings: bool) -> dict[str, Any]:
    return {
        "at": moment(one.at),
        "requestId": one.request_id,
        "keyId": one.key_id,
        "method": one.method,
        "contactId": one.contact_id,
        "rules": [rule for rule in one.rules if rule],
        "names": one.names,
        "gives": "value" if brings else "link",
    }


async def contacts_why_not(call: Call) -> Answer:
    """GET /api/v1/why-not?a=&b=."""
    ids = [query_id(call, name) for name in ("a", "b")]
    reader, account_id = Why(call.services.keyed), call.account.account_id
    one, other = [await reader.person(account_id, contact_id) for contact_id in ids]
    pair = (one.card.contact_id, other.card.contact_id)
    apart = await reader.apart(account_id, *pair)
    answer = why_not(rules_of(call.account.settings), one, other, apart)
    return json_answer({"a": pair[0], "b": pair[1], **answer})


_OBJECT: dict[str, Any] = {"type": "object"}
_PAIR = {"type": "object", "properties": {"kind": {"type": "string"}, "value": {"type": "string"}}}
_CHAIN = {
    "type": "object",
    "required": ["contactId", "kind", "value", "anchor", "complete", "chain"],
    "properties": {
        "contactId": schemas.CONTACT_ID,
        "kind": {"type": "string"},
        "value": {"type": "string"},
        "anchor": _PAIR,
        "complete": {
            "type": "boolean",
            "description": "False: what it rests on was destroyed with an erased person, or "
            "left again with its device.",
        },
        "chain": {
            "type": "array",
            "items": {
                "type": "object",
                "required": [
                    *("at", "requestId", "keyId", "method", "contactId", "rules", "names", "gives"),
                ],
                "properties": {
                    "at": {"type": "string", "format": "date-time"},
                    "requestId": {"type": "string"},
                    "keyId": {"type": "integer"},
                    "method": {"type": "string"},
                    "contactId": schemas.CONTACT_ID,
                    "rules": {"type": "array", "items": {"type": "string"}},
                    "names": {"type": "array", "items": _PAIR},
                    "gives": {
                        "enum": ["value", "link"],
                        "description": "value: it said what is asked about; link: it ties that to "
                        "the anchor.",
                    },
                },
            },
        },
    },
}

ROUTES = (
    Route(
        method="GET",
        path="/api/v1/contact/{id}/why",
        operation="contactWhy",
        right=Rights.CONTACTS,
        endpoint=contact_why,
        summary="Why something stands on a contact",
        description="The shortest chain of requests that put an identifier, a field value or a consent "
        "state on this card: from what is asked to the External ID, or where there is none to the "
        "contact itself. Told alone, these requests make the link; without any of them there is none.",
        tag="Identity",
        parameters=(
            CONTACT_ID,
            Parameter(
                "kind",
                "An identifier kind (email, phone, device …, or as on the wire: sms, mobilepush), a "
                "field (firstName, fields.12, PERSONAL.BIRTHDAY), or a consent state (consent.email; "
                "consent where there is one).",
                required=True,
            ),
            Parameter("value", "Which one, where there are several; in any notation (D4)."),
        ),
        replies={200: Reply("The chain.", _CHAIN, headers=read_schemas.FOLLOWED)},
        errors=(400, 404),
    ),
    Route(
        method="GET",
        path="/api/v1/why-not",
        operation="contactsWhyNot",
        right=Rights.CONTACTS,
        endpoint=contacts_why_not,
        summary="Why two contacts are kept apart",
        description="The rule that does, what they share and what differs.",
        tag="Identity",
        parameters=tuple(
            Parameter(name, "A contact id.", schemas.CONTACT_ID, required=True)
            for name in ("a", "b")
        ),
        replies={200: Reply("The rule.", _OBJECT)},
        errors=(400, 404),
    ),
)
