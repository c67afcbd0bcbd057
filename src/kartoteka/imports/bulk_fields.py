"""`contactFields` and `customFieldsIDs` of a bulk call: what its rows may write and clear (wire 3.9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from kartoteka.contacts.clearing import FIELD_PREFIX, is_clearable
from kartoteka.contacts.forms.channels import KIND_OF_TYPE
from kartoteka.contacts.model import ContactInput, Unique
from kartoteka.contacts.values.address import ADDRESS_PARTS
from kartoteka.contacts.values.custom_fields import FieldDefinition
from kartoteka.identity.kinds import EMAIL, MOBILE_TOKEN, PHONE, WEB_TOKEN
from kartoteka.identity.model import Notice
from kartoteka.identity.text import is_absent
from kartoteka.imports.members import InvalidOptions, read_number
from kartoteka.imports.unique import EXTERNAL_ID, fields_of

MAX_LISTED = 1_000
NAMES = ("firstName", "lastName")
PROFILE = (*NAMES, "contactKey", "languageCode", "timeZone")
CHANNELS = ("email", "sms", "mobilepush", "webpush")
DEVICES = ("deviceId", "webId")
"""Our own (decisions D34)."""

_KNOWN = {one.lower(): one for one in (*PROFILE, *CHANNELS, *DEVICES, *ADDRESS_PARTS, EXTERNAL_ID)}
_KNOWN["viber"] = "sms"
_IGNORED = frozenset(("ordersinfo",))  # of older versions, in the list still
_CHANNEL_OF = {
    EMAIL.code: "email",
    PHONE.code: "sms",
    MOBILE_TOKEN.code: "mobilepush",
    WEB_TOKEN.code: "webpush",
}
_CHANNEL_OF_TYPE = {word: _CHANNEL_OF[kind.code] for word, kind in KIND_OF_TYPE.items()}
_NOT_LISTED = Notice(
    "field_not_listed",
    "Custom fields are written only where customFieldsIDs lists them.",
    "customFieldsIDs",
)


def read_contact_fields(raw: object) -> tuple[frozenset[str] | None, list[Notice]]:
    """The listed fields, in any case; None where the call lists none, not even unknown ones.

    Raises `InvalidOptions` for what is no list of texts. An unknown name is a notice, not an error:
    it can do no harm but to be missed.
    """
    words = _list(raw, "contactFields")
    if not words:
        return None, []
    found: set[str] = set()
    notices: list[Notice] = []
    for word in words:
        if not isinstance(word, str):
            raise InvalidOptions("contactFields", "contactFields must be a list of field names.")
        name = _KNOWN.get(word.strip().lower())
        if name is not None:
            found.add(name)
        elif word.strip().lower() not in _IGNORED:
            notices.append(_UNKNOWN_NAME)
    return frozenset(found), notices[:1]


def read_custom_ids(
    raw: object, definitions: Mapping[str, FieldDefinition]
) -> tuple[frozenset[str], list[Notice]]:
    """The listed ids as text; one that the account does not have is a notice."""
    found: set[str] = set()
    for one in _list(raw, "customFieldsIDs"):
        number = read_number(one, "customFieldsIDs")
        if number is not None:
            found.add(str(number))
    unknown = found - set(definitions)
    return frozenset(found - unknown), [_UNKNOWN_ID] if unknown else []


def _list(raw: object, member: str) -> list[Any]:
    """The list, one value alone as a list of one, nothing for null and blanks."""
    if is_absent(raw):
        return []
    items = raw if isinstance(raw, list) else [raw]
    if len(items) > MAX_LISTED:
        raise InvalidOptions(member, f"{member} may have at most {MAX_LISTED} entries.")
    return [one for one in items if not is_absent(one)]


_UNKNOWN_NAME = Notice(
    "unknown_contact_field",
    "contactFields lists an unknown field; it was ignored.",
    "contactFields",
)
_UNKNOWN_ID = Notice(
    "unknown_field",
    "customFieldsIDs lists a field that the account does not have.",
    "customFieldsIDs",
)


class Listed:
    """What the rows of one call may write: `fields` None is all of them."""

    def __init__(
        self,
        fields: frozenset[str] | None,
        custom_ids: frozenset[str],
        unique: Unique,
        definitions: Mapping[str, FieldDefinition],
    ) -> None:
        finding = {EXTERNAL_ID, *fields_of(unique)}
        self._fields = fields
        self._readable = None if fields is None else fields | finding
        unique_id = {str(unique.field_id)} if unique.name == "fieldId" else set[str]()
        self._custom_ids = custom_ids | unique_id
        self._clearable = [
            name for name in sorted((fields or set()) - finding) if is_clearable(name)
        ]
        self._clearable_ids = {
            one for one in custom_ids - unique_id if not definitions[one].readonly
        }
        self.can_clear = bool(self._clearable or self._clearable_ids)

    def only(self, raw: dict[str, Any], notices: list[Notice]) -> dict[str, Any]:
        """The contact as it may be read. Names stay: whoever has another name is somebody else."""
        kept = dict(raw)
        if kept.get("fields"):
            kept["fields"] = self._only_fields(kept["fields"], notices)
        if self._readable is None:
            return kept
        for name in (*PROFILE, *DEVICES):
            if name in kept and name not in self._readable and name not in NAMES:
                del kept[name]
        if address := kept.get("address"):
            kept["address"] = self._only_address(address)
        if channels := kept.get("channels"):
            items = channels if isinstance(channels, list) else [channels]
            kept["channels"] = [one for one in items if self._may_read(one)]
        return kept

    def _only_fields(self, raw: object, notices: list[Notice]) -> list[Any]:
        items = raw if isinstance(raw, list) else [raw]
        kept = [
            one for one in items if not isinstance(one, dict) or _id_of(one) in self._custom_ids
        ]
        if len(kept) < len(items):
            notices.append(_NOT_LISTED)
        return kept

    def _only_address(self, raw: object) -> object:
        assert self._readable is not None
        if isinstance(raw, dict):
            return {part: raw.get(part) for part in ADDRESS_PARTS if part in self._readable}
        return raw if self._readable.intersection(ADDRESS_PARTS) else None

    def _may_read(self, channel: object) -> bool:
        assert self._readable is not None
        name = _channel_name(channel)
        return name is None or name in self._readable

    def without_names(self, contact: ContactInput, notices: list[Notice]) -> ContactInput:
        """The contact with these notices before its own, and without names that may not be written."""
        profile, warnings = contact.profile, (*notices, *contact.warnings)
        if self._fields is not None and not self._fields.issuperset(NAMES):
            first = profile.first_name if "firstName" in self._fields else None
            last = profile.last_name if "lastName" in self._fields else None
            profile = msgspec.structs.replace(profile, first_name=first, last_name=last)
            unlisted = set(NAMES) - self._fields
            warnings = tuple(one for one in warnings if one.field not in unlisted)
        if profile is contact.profile and not notices:
            return contact
        return msgspec.structs.replace(contact, profile=profile, warnings=warnings)

    def cleared(self, raw: dict[str, Any]) -> frozenset[str]:
        """Listed fields about which the row says nothing."""
        said = _said(raw)
        names = {name for name in self._clearable if name not in said}
        return frozenset(names | self._cleared_customs(raw.get("fields")))

    def _cleared_customs(self, raw: object) -> set[str]:
        """Those that the row gives as blank or null, and nowhere else with a value."""
        blank, said = set[str](), set[str]()
        for one in raw if isinstance(raw, list) else [raw]:
            if isinstance(one, dict) and (field_id := _id_of(one)) in self._clearable_ids:
                value = one.get("value")
                (blank if is_absent(value) or value == [] else said).add(field_id)
        return {f"{FIELD_PREFIX}{field_id}" for field_id in blank - said}


def _id_of(item: dict[str, Any]) -> str:
    return str(item.get("id")).strip()


def _channel_name(channel: object) -> str | None:
    """`email`, `sms`, `mobilepush` or `webpush`; None for what is none of them."""
    if not isinstance(channel, dict) or not isinstance(channel.get("type"), str):
        return None
    return _CHANNEL_OF_TYPE.get(channel["type"].strip().lower())


def _said(raw: dict[str, Any]) -> set[str]:
    """Fields of which the row says something, valid or not; what cannot be read may say anything."""
    said = {name for name in PROFILE if not is_absent(raw.get(name))}
    address = raw.get("address")
    if isinstance(address, dict):
        said.update(part for part in ADDRESS_PARTS if not is_absent(address.get(part)))
    elif not is_absent(address) and address != []:
        said.update(ADDRESS_PARTS)
    channels = raw.get("channels")
    for one in channels if isinstance(channels, list) else [channels]:
        name = _channel_name(one)
        if name is not None and isinstance(one, dict):
            if not is_absent(one.get("value")):
                said.add(name)
        elif not _is_harmless(one):
            said.update(CHANNELS)
    return said


def _is_harmless(channel: object) -> bool:
    """A channel of another type, or nothing at all: it does not hide one of ours."""
    if isinstance(channel, dict):
        return is_absent(channel.get("value")) or isinstance(channel.get("type"), str)
    return is_absent(channel)
