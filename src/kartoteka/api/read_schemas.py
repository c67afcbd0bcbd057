"""Schemas of what reading methods answer, as OpenAPI shows them."""

from __future__ import annotations

from kartoteka.api.schemas import COMPONENTS, CONTACT_ID, Schema, ref

CONTACT_OUT = ref("StoredContact")
CONTACTS_OUT: Schema = {"type": "array", "items": CONTACT_OUT}
FOLLOWED = {"Kartoteka-Contact": "The contact's id now, when the id of the path was merged."}
COUNTED = {"TotalCount": "How many there are in all."}

_TEXT: Schema = {"type": "string"}
_ID: Schema = {"type": "integer", "minimum": 1}
_TIME: Schema = {"type": "string", "format": "date-time"}
_FLAG: Schema = {"type": "boolean"}


def _object(required: str, **properties: Schema) -> Schema:
    return {"type": "object", "required": required.split(), "properties": properties}


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


_CHANNEL = _object(
    "type value",
    type={"enum": ["email", "sms", "mobilepush", "webpush"]},
    value=_TEXT,
    device={"type": "object"},
    webPushSubscription={"type": "object"},
)
_ADDRESS = _object(
    "region town address postcode", region=_TEXT, town=_TEXT, address=_TEXT, postcode=_TEXT
)
_STORED_CONTACT = _object(
    "id channels",
    firstName=_TEXT,
    lastName=_TEXT,
    channels=_list(_CHANNEL),
    address=_ADDRESS,
    fields=_list(_object("id value", id=_ID, value=_TEXT)),
    addressBookId=_ID,
    id=CONTACT_ID,
    externalCustomerId=_TEXT,
    contactKey=_TEXT,
    groups=_list(_object("id name type", id=_ID, name=_TEXT, type={"const": "Static"})),
    languageCode=_TEXT,
    timeZone=_TEXT,
)
_STORED_CONTACT["description"] = "What is unset is left out."

_HISTORY = _object(
    "id at action rule contactId method requestId keyId",
    id=_ID,
    at=_TIME,
    action=_TEXT,
    rule=_TEXT,
    contactId=CONTACT_ID,
    otherContactId=CONTACT_ID,
    method=_TEXT,
    requestId=_TEXT,
    keyId={"type": "integer"},
    identifiers=_list({"type": "object"}),
)

COMPONENTS.update(
    StoredContact=_STORED_CONTACT,
    ContactEmail=_object("contactId email", contactId=CONTACT_ID, email=_TEXT),
    Segment=_object(
        "id name type", id=_ID, name=_TEXT, type={"enum": ["Static", "Dynamic", "Combined"]}
    ),
    Subscription=_object(
        "id key groupId name", id=_ID, key=_TEXT, groupId={"type": "integer"}, name=_TEXT
    ),
    Identity=_object(
        "id identifiers history",
        id=CONTACT_ID,
        identifiers=_list(
            _object(
                "kind value since rule",
                kind=_TEXT,
                value=_TEXT,
                since=_TIME,
                rule=_TEXT,
                former=_FLAG,
                app=_TEXT,
                device=_TEXT,
            )
        ),
        history=_list(_HISTORY),
    ),
    Merge=_object(
        "id survivor absorbed at rule method requestId keyId",
        id=_ID,
        survivor=CONTACT_ID,
        absorbed=CONTACT_ID,
        at=_TIME,
        rule=_TEXT,
        method=_TEXT,
        requestId=_TEXT,
        keyId={"type": "integer"},
        undoneAt=_TIME,
    ),
)
COMPONENTS["Category"] = _object(
    "id key groupId contactsCount createdDate updatedDate name",
    id=_ID,
    key=_TEXT,
    groupId={"type": "integer"},
    contactsCount={"type": "integer", "minimum": 0},
    createdDate=_TIME,
    updatedDate=_TIME,
    name=_TEXT,
)
