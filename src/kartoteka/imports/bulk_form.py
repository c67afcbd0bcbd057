"""POST /api/v1/contacts as rows: whom each contact names, and what it may write (wire 3.9)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from kartoteka.contacts.forms.contact import FormRules, read_contact
from kartoteka.contacts.model import ImportRow, RowRules, Unique
from kartoteka.contacts.uniques import UNIQUES
from kartoteka.identity.kinds import EMAIL, MOBILE_TOKEN, PHONE, WEB_TOKEN, InvalidIdentifier
from kartoteka.identity.model import Notice, Origin
from kartoteka.identity.text import Unstorable
from kartoteka.imports.bulk_fields import Listed, read_contact_fields, read_custom_ids
from kartoteka.imports.contact_id import read_contact_id
from kartoteka.imports.members import (
    InvalidOptions,
    read_event_key,
    read_flag,
    read_groups,
    read_number,
    read_word,
)
from kartoteka.imports.model import RowFailed
from kartoteka.imports.unique import CHOICES, EXTERNAL_ID, read_unique, unnamed, value_reader

MAX_CONTACTS = 3_000
_CHANNEL = {
    EMAIL.code: "email",
    PHONE.code: "sms",
    MOBILE_TOKEN.code: "mobilepush",
    WEB_TOKEN.code: "webpush",
}
"""The name under which `contactFields` lists a kind."""
_NOTHING: frozenset[str] = frozenset()


class BulkCall(msgspec.Struct, frozen=True):
    """What one call comes to, before anything is looked up."""

    rules: RowRules
    rows: list[ImportRow]
    failed: list[tuple[RowFailed, Any]]
    """With the element of `contacts` as it came, for the echo in `failedContacts`."""
    notices: tuple[Notice, ...] = ()
    """What of the call itself was ignored."""

    @property
    def total(self) -> int:
        """How many contacts the call had."""
        return len(self.rows) + len(self.failed)


def read_bulk(body: Mapping[str, Any], form_rules: FormRules, origin: Origin) -> BulkCall:
    """The rows of a bulk call, in order. Raises `InvalidOptions` for what concerns all of them.

    - No `contactFields` (or null, or an empty list, which many clients send for it): every given
      field is written, nothing is cleared.
    - `contactFields`: only these are written, whether the contact is known or new; a listed one that
      the row does not give is cleared on a known contact. The External ID and the unique field stay
      in the row to find or create the contact and are never cleared. A value that is given and not
      valid is dropped with a notice and clears nothing: it may be a typing error (decisions D18).
    - `customFieldsIDs`: only these custom fields are written (wire 2.10), so without it none is; a
      row that gives others gets the notice `field_not_listed`. A listed field that a row gives as
      blank or null is cleared, one that it does not give is left alone: lists of fields belong to
      the call, and rows differ in what is known of them.
    """
    unique = _read_unique(body, form_rules)
    listed, notices = read_contact_fields(body.get("contactFields"))
    custom_ids, more = read_custom_ids(body.get("customFieldsIDs"), form_rules.fields)
    rules = RowRules(
        unique=unique,
        updates_external_id=unique.name != EXTERNAL_ID and EXTERNAL_ID in (listed or ()),
        groups=read_groups(body, "groupNames"),
        groups_exclude=read_groups(body, "groupNamesExclude"),
        restores=read_flag(body, "restoreDeleted"),
        only_find=_only_find(unique, listed),
        event_key=read_event_key(body),
    )
    writable = Listed(listed, custom_ids, unique, form_rules.fields)
    reader = _BulkReader(rules, writable, form_rules, origin)
    rows: list[ImportRow] = []
    failed: list[tuple[RowFailed, Any]] = []
    for number, raw in enumerate(_contacts(body), start=1):
        read = reader.read(number, raw)
        if isinstance(read, RowFailed):
            failed.append((read, raw))
        else:
            rows.append(read)
    return BulkCall(rules, rows, failed, (*notices, *more))


def _only_find(unique: Unique, listed: Collection[str] | None) -> frozenset[int]:
    """Kinds of the unique field that the call does not list, and so does not write (wire 3.9)."""
    if listed is None:
        return frozenset()
    kinds = UNIQUES[unique.name].kinds
    return frozenset(kind.code for kind in kinds if _CHANNEL.get(kind.code) not in listed)


def _read_unique(body: Mapping[str, Any], form_rules: FormRules) -> Unique:
    word = read_word(body, "dedupeOn")
    if word is None:
        raise InvalidOptions("dedupeOn", f"dedupeOn is needed: one of {CHOICES} or fieldId.")
    field_id = read_number(body.get("fieldId"), "fieldId")
    return read_unique("dedupeOn", word, field_id, form_rules.fields)


def _contacts(body: Mapping[str, Any]) -> list[Any]:
    """One object is a list of one (wire 1.4)."""
    raw = body.get("contacts")
    contacts = [raw] if isinstance(raw, dict) else raw
    if not isinstance(contacts, list) or not contacts:
        raise InvalidOptions("contacts", "contacts must be a list of 1 to 3000 contacts.")
    if len(contacts) > MAX_CONTACTS:
        raise InvalidOptions("contacts", f"contacts may be at most {MAX_CONTACTS} in a call.")
    return contacts


class _BulkReader:
    """Reads the elements of one call."""

    def __init__(
        self, rules: RowRules, listed: Listed, form_rules: FormRules, origin: Origin
    ) -> None:
        self._rules = rules
        self._listed = listed
        self._form_rules = form_rules
        self._origin = origin
        self._value = value_reader(rules.unique)

    def read(self, number: int, raw: object) -> ImportRow | RowFailed:
        """The command, or why there is none."""
        if isinstance(raw, Unstorable):
            reason = "A text of the contact contains the character NUL."
            return RowFailed(number, "not_storable", reason, "contacts")
        if not isinstance(raw, dict):
            return RowFailed(number, "invalid_contact", "A contact must be an object.", "contacts")
        listed, notices = self._listed, list[Notice]()
        try:
            contact = read_contact(listed.only(raw, notices), self._form_rules)
        except InvalidIdentifier as error:
            return RowFailed(number, "invalid_external_id", str(error), EXTERNAL_ID)
        contact_id = self._contact_id(raw, notices)
        contact = listed.without_names(contact, notices)
        value = self._value(contact, contact_id)
        if value is None and contact.person.external_id is None:
            return unnamed(number, self._rules.unique, contact, self._form_rules.fields)
        return ImportRow(
            origin=self._origin,
            number=number,
            rules=self._rules,
            contact=contact,
            value=value,
            contact_id=contact_id,
            clear=listed.cleared(raw) if listed.can_clear else _NOTHING,
        )

    def _contact_id(self, raw: dict[str, Any], notices: list[Notice]) -> int | None:
        """The member `id`, which means something only where it is the unique field."""
        if self._rules.unique.name != "id":
            return None
        try:
            return read_contact_id(raw.get("id"))
        except InvalidIdentifier as error:
            notices.append(Notice("invalid_contact_id", str(error), "id"))
            return None
