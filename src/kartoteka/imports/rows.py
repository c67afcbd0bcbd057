"""A row of a file as a command: cells read by their columns (wire 11.1, decisions D18).

The mapping is compiled once, for there may be a million rows. What is invalid beside a usable
identifier is dropped with a notice; a row whose unique value is blank or invalid fails, unless an
External ID names the contact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from kartoteka.contacts.clearing import is_clearable
from kartoteka.contacts.forms.channels import never_notice
from kartoteka.contacts.model import ContactInput, ImportRow, Profile
from kartoteka.contacts.values.address import ADDRESS_PARTS
from kartoteka.contacts.values.custom_fields import FieldDefinition, check_value
from kartoteka.contacts.values.errors import InvalidField, InvalidValue
from kartoteka.errors import InvalidRequest
from kartoteka.identity.kinds import (
    DEVICE,
    EMAIL,
    EXTERNAL_ID,
    MOBILE_TOKEN,
    PHONE,
    WEB_TOKEN,
    IdentifierKind,
    InvalidIdentifier,
    Region,
)
from kartoteka.identity.model import Identifier, Notice, Origin
from kartoteka.identity.never import is_never
from kartoteka.identity.rules import Person
from kartoteka.imports.cells import CODES, TOKENS, Clean, cleaner, is_blank, unescaped
from kartoteka.imports.fields import FIELDS, definition_of
from kartoteka.imports.files import UNREADABLE
from kartoteka.imports.model import RowFailed
from kartoteka.imports.options import FileOptions
from kartoteka.imports.spoilt import NOT_READABLE, refuse_cut_short
from kartoteka.imports.unique import fields_of, unnamed, value_reader

Note = tuple[int | None, Notice]
"""A notice and the index of the column that it is about."""

# Where a cleaned value waits until the row is built; the profile's are in the order of `Profile`,
# whose last member, the custom fields, comes behind them.
_SLOTS = (
    *("email", "sms", "id", "firstName", "lastName", "contactKey", "languageCode", "timeZone"),
    *ADDRESS_PARTS,
)
_EMAIL, _PHONE, _ID, _FIRST, _LAST = range(5)
_OF_A_DEVICE = (MOBILE_TOKEN.code, WEB_TOKEN.code)
_EXTRA_CELLS = Notice(
    "extra_cells", "The row has more cells than the file has columns; they were left out."
)
_NOTHING: frozenset[str] = frozenset()


class RowReader:
    """Reads the rows of one file. `fields`: the account's custom fields by id as text."""

    def __init__(
        self,
        options: FileOptions,
        region: Region,
        fields: Mapping[str, FieldDefinition],
        origin: Origin,
    ) -> None:
        self._rules = options.rules()
        self._origin = origin
        self._region = region
        self._definitions = fields
        self._width = len(options.columns)
        self._unique = options.unique
        self._value = value_reader(options.unique)
        self._external_id: int | None = None
        self._texts: list[tuple[int, int, Clean]] = []
        self._tokens: list[tuple[int, IdentifierKind]] = []
        self._customs: list[tuple[int, str, FieldDefinition | None]] = []
        self._names = options.columns
        for index, name in enumerate(options.columns):
            if name is not None:
                self._compile(index, name)
        self._clears = _clears(options) if options.empty_values else {}

    def _compile(self, index: int, name: str) -> None:
        if name == "externalCustomerId":
            self._external_id = index
        elif name in TOKENS:
            self._tokens.append((index, TOKENS[name]))
        elif name in FIELDS:
            if name != "id" or self._unique.name == "id":
                self._texts.append((index, _SLOTS.index(name), cleaner(name, self._region)))
        else:
            definition = definition_of(name, self._definitions)
            self._customs.append((index, name.partition(".")[2], definition))

    def read(self, number: int, cells: Sequence[str]) -> ImportRow | RowFailed:
        """The command of the row, or why there is none.

        Codes of failures: `no_` and the word of the unique field where its cell is blank, says
        `null` or stands for nobody; `invalid_` and the word where it is invalid (both only without
        an External ID); `invalid_external_id`, whatever else the row has (decisions D3).
        """
        return self.explain(number, cells)[0]

    def explain(
        self, number: int, cells: Sequence[str]
    ) -> tuple[ImportRow | RowFailed, list[Note]]:
        """The same, with the notices and the columns that they are about."""
        notes: list[Note] = []
        if len(cells) != self._width:
            cells = self._fitted(cells, notes)
        given = cells
        try:
            if UNREADABLE in "".join(cells):
                cells = self._readable(cells, notes)
            external_id = self._read_external_id(cells, notes)
        except InvalidIdentifier as error:
            return _invalid_external_id(number, error), notes
        texts = self._read_texts(cells, notes)
        texts.append(self._read_customs(cells, notes) if self._customs else {})
        contact = ContactInput(
            Person(
                external_id,
                None if texts[_EMAIL] is None else Identifier(EMAIL.code, texts[_EMAIL]),
                None if texts[_PHONE] is None else Identifier(PHONE.code, texts[_PHONE]),
                self._read_tokens(cells, notes) if self._tokens else (),
                texts[_FIRST],
                texts[_LAST],
            ),
            Profile(*texts[_FIRST:]),
            tuple([note[1] for note in notes]) if notes else (),
        )
        contact_id = None if texts[_ID] is None else int(texts[_ID])
        value = self._value(contact, contact_id)
        if value is None and external_id is None:
            return unnamed(number, self._unique, contact, self._definitions), notes
        row = ImportRow(
            origin=self._origin,
            number=number,
            rules=self._rules,
            contact=contact,
            value=value,
            contact_id=contact_id,
            clear=self._cleared(given) if self._clears else _NOTHING,
        )
        return row, notes

    def _fitted(self, cells: Sequence[str], notes: list[Note]) -> Sequence[str]:
        """As many cells as there are columns: missing ones are blank."""
        if any(cell.strip() for cell in cells[self._width :]):
            notes.append((None, _EXTRA_CELLS))
        missing = self._width - len(cells)
        return [*cells, *[""] * missing] if missing > 0 else cells[: self._width]

    def _readable(self, cells: Sequence[str], notes: list[Note]) -> list[str]:
        """Blank where a character could not be read, with a notice. Raises `InvalidIdentifier` for the
        External ID: it could be another customer's."""
        readable = list(cells)
        for index, name in enumerate(self._names):
            if UNREADABLE not in cells[index]:
                continue
            readable[index] = ""
            if name == "externalCustomerId":
                raise InvalidIdentifier(EXTERNAL_ID.name, NOT_READABLE)
            if name is not None:
                code, field = self._notice_of(name)
                notes.append((index, Notice(code, f"{field} {NOT_READABLE}.", field)))
        return readable

    def _notice_of(self, name: str) -> tuple[str, str]:
        """(code, field) of the notice that a value of this column was dropped."""
        if name in TOKENS:
            return f"invalid_{TOKENS[name].name}", name
        if name in FIELDS:
            return CODES[name], name
        definition = definition_of(name, self._definitions)
        return "invalid_field", name if definition is None else definition.path

    def _read_external_id(self, cells: Sequence[str], notes: list[Note]) -> Identifier | None:
        """Raises `InvalidIdentifier`, for 1.2E+11 too: that is the beginning of many numbers."""
        index = self._external_id
        if index is None or not cells[index]:
            return None
        value = EXTERNAL_ID.normalise(unescaped(cells[index]), self._region)
        if value is None:
            return None
        refuse_cut_short(value, partial(InvalidIdentifier, EXTERNAL_ID.name))
        if is_never(EXTERNAL_ID, value):
            notes.append((index, never_notice(EXTERNAL_ID, "externalCustomerId")))
            return None
        return Identifier(EXTERNAL_ID.code, value)

    def _read_texts(self, cells: Sequence[str], notes: list[Note]) -> list[Any]:
        """A text or None for each of `_SLOTS`."""
        texts: list[Any] = [None] * len(_SLOTS)
        for index, slot, clean in self._texts:
            cell = cells[index]
            if not cell:
                continue
            try:
                texts[slot] = clean(unescaped(cell) if cell[0] == "'" else cell)
            except (InvalidValue, InvalidIdentifier) as error:
                name = self._names[index] or ""
                notes.append((index, Notice(CODES[name], str(error), name)))
        return texts

    def _read_tokens(self, cells: Sequence[str], notes: list[Note]) -> tuple[Identifier, ...]:
        """Tokens, each once; those of a row with one device belong to it (decisions D12)."""
        found: dict[tuple[int, str], None] = {}
        for index, kind in self._tokens:
            cell = cells[index].strip()
            if not cell:
                continue
            try:
                value = kind.normalise(unescaped(cell), self._region)
                refuse_cut_short(cell, partial(InvalidIdentifier, kind.name))
            except InvalidIdentifier as error:
                notice = Notice(f"invalid_{kind.name}", str(error), self._names[index])
                notes.append((index, notice))
                continue
            if value is not None and is_never(kind, value):
                notes.append((index, never_notice(kind, self._names[index])))
            elif value is not None:
                found[kind.code, value] = None
        devices = [value for code, value in found if code == DEVICE.code]
        device = devices[0] if len(devices) == 1 else None
        return tuple(
            Identifier(code, value, None, device if code in _OF_A_DEVICE else None)
            for code, value in found
        )

    def _read_customs(self, cells: Sequence[str], notes: list[Note]) -> dict[str, str]:
        fields: dict[str, str] = {}
        for index, field_id, definition in self._customs:
            cell = cells[index]
            if not cell:
                continue
            if definition is None:
                notes.append((index, _FIELD_GONE))
                continue
            try:
                text = check_value(definition, unescaped(cell) if cell[0] == "'" else cell)
                if definition.id == self._unique.field_id:
                    refuse_cut_short(cell.strip(), partial(InvalidField, definition.path))
            except InvalidField as error:
                notes.append((index, Notice("invalid_field", str(error), error.field)))
                continue
            if text is not None:
                fields[field_id] = text
        return fields

    def _cleared(self, cells: Sequence[str]) -> frozenset[str]:
        """What blank cells empty: a field of several columns only if all of them are blank."""
        return frozenset(
            name
            for name, indexes in self._clears.items()
            if all(is_blank(cells[index]) for index in indexes)
        )


_FIELD_GONE = Notice("unknown_field", "The account does not have this custom field any more.")


def _clears(options: FileOptions) -> dict[str, list[int]]:
    """Columns by the field that their blanks empty: never what finds the contact (wire 3.9)."""
    kept = {"externalCustomerId", *fields_of(options.unique)}
    clears: dict[str, list[int]] = {}
    for index, name in enumerate(options.columns):
        if name is not None and name not in kept and is_clearable(name):
            clears.setdefault(name, []).append(index)
    return clears


def _invalid_external_id(number: int, error: InvalidRequest) -> RowFailed:
    return RowFailed(number, "invalid_external_id", str(error), "externalCustomerId")
