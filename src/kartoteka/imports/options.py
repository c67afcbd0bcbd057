"""What the options of a file come to for this file, and the rules of its rows (wire 11.1, G13)."""

from __future__ import annotations

from collections.abc import Sequence

from kartoteka.contacts.model import RowRules, Unique
from kartoteka.contacts.uniques import UNIQUES
from kartoteka.identity.model import Notice
from kartoteka.imports.asked import AskedOptions, Kept, read_options
from kartoteka.imports.fields import Definitions, label_of
from kartoteka.imports.mapping import column_letter, map_columns
from kartoteka.imports.members import InvalidOptions
from kartoteka.imports.unique import EXTERNAL_ID, fields_of, read_unique

__all__ = ["AskedOptions", "FileOptions", "InvalidOptions", "read_options", "settle_options"]

DEFAULT_UNIQUES = (
    *(EXTERNAL_ID, "email", "sms", "id", "push", "webpush", "telegram", "deviceId"),
    *("webId", "contactKey"),
)
"""Without the option `unique`, the first of these that has a column."""


class FileOptions(Kept, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """How a file's rows are read: settled, and stored as JSON with the import.

    Nothing of the file's text is in it: a first line that is no header holds somebody's values.
    """

    unique: Unique
    columns: tuple[str | None, ...]
    """The field of each column (`imports.fields`), None for those left out."""
    guessed: tuple[bool, ...] = ()
    """Which columns were recognised by their heading."""
    locked: bool = False
    """A column is the External ID, so it is the unique field (wire 11.1)."""

    def rules(self) -> RowRules:
        """What all rows have in common."""
        return RowRules(
            unique=self.unique,
            updates_external_id=self.update_external_id,
            groups=self.group_names,
            groups_exclude=self.group_names_exclude,
            restores=self.restore_deleted,
            event_key=self.event_key_for_new_contacts,
        )


def settle_options(
    asked: AskedOptions, first: Sequence[str], definitions: Definitions
) -> FileOptions:
    """What the options come to for a file whose first record is `first`.

    Raises `InvalidOptions`: an unknown column or field, two columns of one field, or no column that
    can name a contact.
    """
    mapping = map_columns(
        asked.map, first, header=asked.header, guess=asked.guess, definitions=definitions
    )
    notices = [*asked.notices, *_about_header(asked, first)]
    has_external_id = EXTERNAL_ID in mapping.columns
    updates = asked.update_external_id and has_external_id
    if asked.update_external_id and not has_external_id:
        notices.append(_NO_EXTERNAL_ID_COLUMN)
    unique = _unique(asked, mapping.columns, first, definitions, updates=updates)
    locked = has_external_id and not updates
    if locked and unique.name != EXTERNAL_ID:
        unique = Unique(EXTERNAL_ID)
        if asked.unique is not None:
            notices.append(_LOCKED)
    notices += _left_out(mapping.columns, unique)
    kept = {name: getattr(asked, name) for name in Kept.__struct_fields__}
    kept.update(update_external_id=updates, notices=tuple(notices))
    return FileOptions(
        unique=unique,
        columns=mapping.columns,
        guessed=mapping.guessed,
        locked=locked,
        **kept,
    )


def _unique(
    asked: AskedOptions,
    columns: tuple[str | None, ...],
    first: Sequence[str],
    definitions: Definitions,
    *,
    updates: bool,
) -> Unique:
    """The unique field asked for, else the first usual one that has a column.

    With `updateExternalId` it is another field than the External ID (decisions D9).
    """
    if asked.unique is None and asked.field_id is None:
        for name in DEFAULT_UNIQUES:
            if fields_of(Unique(name))[0] in columns and not (updates and name == EXTERNAL_ID):
                return Unique(name)
        raise InvalidOptions("map", _nothing_identifies(asked, columns, first, updates=updates))
    unique = read_unique("unique", asked.unique or "fieldId", asked.field_id, definitions)
    if unique.name == EXTERNAL_ID and asked.update_external_id:
        raise InvalidOptions(
            "unique",
            "With updateExternalId contacts are found by another unique field, such as email.",
        )
    if EXTERNAL_ID in columns and not updates:
        return unique  # it gives way to the External ID
    if not any(name in columns for name in fields_of(unique)):
        label = UNIQUES[unique.name].label
        if unique.name == "fieldId":
            label = label_of(fields_of(unique)[0], definitions)
        raise InvalidOptions("unique", f"No column is mapped to the unique field {label}.")
    return unique


def _nothing_identifies(
    asked: AskedOptions, columns: tuple[str | None, ...], first: Sequence[str], *, updates: bool
) -> str:
    if updates:
        return (
            "With updateExternalId contacts are found by another field than the External ID: "
            "map a column to email, sms or id."
        )
    mapped = sum(name is not None for name in columns)
    text = (
        f"No column can name a contact ({mapped} of {len(columns)} columns are mapped): map one to "
        "externalCustomerId, email, sms, id or a token, or say which field is unique."
    )
    if not asked.header:
        return f"{text} Without headings nothing is recognised: map each by its letter."
    return " ".join([text, *(notice.message for notice in _about_header(asked, first))])


def _about_header(asked: AskedOptions, first: Sequence[str]) -> list[Notice]:
    """A first line with an e-mail address in it, or without any letter, is hardly a header."""
    if not asked.header or not first:
        return []
    is_value = any("@" in cell and "." in cell.rpartition("@")[2] for cell in first)
    if is_value or not any(any(char.isalpha() for char in cell) for cell in first):
        return [_NO_HEADER]
    return []


def _left_out(columns: tuple[str | None, ...], unique: Unique) -> list[Notice]:
    """What of the file is not used."""
    notices = []
    left = [column_letter(index) for index, name in enumerate(columns) if name is None]
    if left:
        more = " …" if len(left) > 30 else ""
        text = f"Columns that are not mapped are left out: {', '.join(left[:30])}{more}."
        notices.append(Notice("columns_left_out", text, "map"))
    if "id" in columns and unique.name != "id":
        notices.append(_ID_NOT_USED)
    return notices


_LOCKED = Notice(
    "unique_is_external_id",
    "A column is mapped to External ID, so External ID is the unique field. Leave that column out, "
    "or turn on updateExternalId, to use another one.",
    "unique",
)
_NO_EXTERNAL_ID_COLUMN = Notice(
    "no_external_id_column",
    "updateExternalId does nothing: no column is mapped to External ID.",
    "updateExternalId",
)
_NO_HEADER = Notice(
    "first_line_is_no_header",
    'The first line looks like a row. If it is one, say "header": false (--no-header).',
    "header",
)
_ID_NOT_USED = Notice(
    "contact_id_not_used", "The contact ID is not the unique field; its column is not used.", "map"
)
