"""The unique field of a call or file: which one it is, and its value in a row (guide G13, D7)."""

from __future__ import annotations

from collections.abc import Callable

from kartoteka.contacts.clearing import FIELD_PREFIX
from kartoteka.contacts.model import ContactInput, Unique
from kartoteka.contacts.uniques import UNIQUES, unique_field
from kartoteka.contacts.values.custom_fields import FieldDefinition
from kartoteka.identity.kinds import (
    DEVICE,
    MOBILE_TOKEN,
    TELEGRAM_TOKEN,
    WEB_COOKIE,
    WEB_TOKEN,
)
from kartoteka.imports.fields import Definitions, custom_named
from kartoteka.imports.members import InvalidOptions
from kartoteka.imports.model import RowFailed

EXTERNAL_ID = "externalCustomerId"
CHOICES = ", ".join(name for name in UNIQUES if name != "fieldId")
_FIELDS_OF = {"email_or_sms": ("sms", "email"), "push": ("mobilepush",)}

Value = Callable[[ContactInput, int | None], str | None]


def read_unique(member: str, word: str, field_id: int | None, definitions: Definitions) -> Unique:
    """The unique field that a word means, in any case: a line of `UNIQUES` or a custom field.

    A custom field is said as `fieldId` with its number beside it, as `fields.12` or as `LIST.FIELD`.
    Raises `InvalidOptions` for a word that means none and a field that the account does not have.
    """
    known = unique_field(word)
    if known is not None and known.name != "fieldId":
        return Unique(known.name)
    if known is None:
        custom = custom_named(word, definitions)
        if custom is None:
            raise InvalidOptions(
                member,
                f"{member} must be one of {CHOICES}; or fieldId with the number of a custom field; "
                "or a custom field's LIST.FIELD.",
            )
    else:
        if field_id is None:
            raise InvalidOptions("fieldId", f"{member} fieldId needs fieldId, a number.")
        custom = definitions.get(str(field_id))
        if custom is None:
            raise InvalidOptions("fieldId", "The account has no custom field with this fieldId.")
    return _custom(member, custom)


def _custom(member: str, custom: FieldDefinition) -> Unique:
    """A field that rows may not write would make a new contact of the same row each time."""
    if custom.readonly:
        raise InvalidOptions(member, f"{custom.path} cannot be written, so it cannot be unique.")
    return Unique("fieldId", custom.id)


def fields_of(unique: Unique) -> tuple[str, ...]:
    """The columns that hold it, in the order in which contacts are looked up."""
    if unique.name == "fieldId":
        return (f"{FIELD_PREFIX}{unique.field_id}",)
    return _FIELDS_OF.get(unique.name, (unique.name,))


def value_reader(unique: Unique) -> Value:
    """Gives the row's unique value in canonical form, None if the row has none."""
    if unique.name == "fieldId":
        field_id = str(unique.field_id)
        return lambda contact, _: contact.profile.fields.get(field_id)
    return _VALUES[unique.name]


def _email(contact: ContactInput, _id: int | None) -> str | None:
    return contact.person.email.value if contact.person.email else None


def _phone(contact: ContactInput, _id: int | None) -> str | None:
    return contact.person.phone.value if contact.person.phone else None


def _external_id(contact: ContactInput, _id: int | None) -> str | None:
    return contact.person.external_id.value if contact.person.external_id else None


def _first_of(kind: int) -> Value:
    def read(contact: ContactInput, _id: int | None) -> str | None:
        return next((one.value for one in contact.person.changeable if one.kind == kind), None)

    return read


_VALUES: dict[str, Value] = {
    EXTERNAL_ID: _external_id,
    "email": _email,
    "sms": _phone,
    "email_or_sms": lambda contact, _: _phone(contact, None) or _email(contact, None),
    "push": _first_of(MOBILE_TOKEN.code),
    "webpush": _first_of(WEB_TOKEN.code),
    "telegram": _first_of(TELEGRAM_TOKEN.code),
    "deviceId": _first_of(DEVICE.code),
    "webId": _first_of(WEB_COOKIE.code),
    "id": lambda _, contact_id: None if contact_id is None else str(contact_id),
    "contactKey": lambda contact, _: contact.profile.contact_key,
}


def unnamed(
    number: int, unique: Unique, contact: ContactInput, definitions: Definitions
) -> RowFailed:
    """The failure of a row that has neither its unique value nor an External ID (decisions D18).

    Its code is `invalid_` and the word of the unique field where the row gives a value that cannot
    be used, else `no_` and the word: blank, `null` or a value that stands for nobody (D6).
    """
    label, field = UNIQUES[unique.name].label, fields_of(unique)[0]
    if unique.name == "fieldId" and str(unique.field_id) in definitions:
        label = field = definitions[str(unique.field_id)].path
    for notice in contact.warnings:
        if _speaks_of(notice.code, notice.field, unique, definitions):
            text = f"The unique field is not valid: {notice.message}"
            return RowFailed(number, f"invalid_{unique.name}", text, notice.field)
    message = f"The row has no {label}, by which contacts are found, and no External ID."
    if unique.name == EXTERNAL_ID:
        message = "The row has no External ID, by which contacts are found."
    return RowFailed(number, f"no_{unique.name}", message, field)


def _speaks_of(code: str, field: str | None, unique: Unique, definitions: Definitions) -> bool:
    """Whether the notice says that the unique value was dropped as invalid."""
    if unique.name == "fieldId":
        definition = definitions.get(str(unique.field_id))
        return code == "invalid_field" and definition is not None and field == definition.path
    if unique.name == "contactKey":
        return code == "invalid_contact_key"
    if unique.name == "id":
        return code == "invalid_contact_id"
    return code in {f"invalid_{kind.name}" for kind in UNIQUES[unique.name].kinds}
