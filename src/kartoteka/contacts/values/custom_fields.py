"""Additional fields of an account: definition, and the one spelling of a value (wire 2.10)."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from enum import Enum

import msgspec

from kartoteka.contacts.values.dates import read_date, read_datetime
from kartoteka.contacts.values.errors import InvalidField, InvalidValue
from kartoteka.contacts.values.text import clean_text
from kartoteka.identity.text import is_absent

MAX_TEXT_CHARS = 1000
MAX_AREA_CHARS = 5000
INT32 = range(-(2**31), 2**31)

_INTEGER = re.compile(r"[+-]?[0-9]{1,20}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{1,20})?")


class FieldType(Enum):
    """Types of the original, spelled as in its schema."""

    TEXTFIELD = "TEXTFIELD"
    TEXTAREA = "TEXTAREA"
    NUMBER = "NUMBER"
    DECIMAL = "DECIMAL"
    DATE = "DATE"
    DATETIME = "DATETIME"
    COMBOBOX = "COMBOBOX"
    CHECKBOXLIST = "CHECKBOXLIST"
    TAGS = "TAGS"


class FieldDefinition(msgspec.Struct, frozen=True):
    """One additional field: row of table `field_definition`."""

    id: int
    list_key: str
    list_name: str
    key: str
    name: str
    type: FieldType
    possible_values: tuple[str, ...] = ()
    min_value: Decimal | int | None = None
    max_value: Decimal | int | None = None
    required: bool = False
    readonly: bool = False
    recurring: bool = False
    """A date that comes every year, such as a birthday."""

    @property
    def path(self) -> str:
        """`LIST.KEY`: how merge tags and the mobile SDK name the field."""
        return f"{self.list_key}.{self.key}"


def check_value(definition: FieldDefinition, raw: object) -> str | None:
    """The text to store for a JSON value, None if it says nothing.

    Numbers are stored as digits, dates as `yyyy-MM-dd`, times as `yyyy-MM-ddTHH:mm`, checkboxes and
    tags with commas between. Checking a stored text again changes nothing. `required` and
    `readonly` are the writer's business. Raises `InvalidField`.
    """
    try:
        text = clean_text(
            _joined(raw) if definition.type in _SEVERAL else raw,
            definition.path,
            max_chars=MAX_TEXT_CHARS if definition.type is FieldType.TEXTFIELD else MAX_AREA_CHARS,
            multiline=definition.type is FieldType.TEXTAREA,
        )
    except InvalidValue as error:
        raise InvalidField(error.field, error.reason) from None
    return None if text is None else _CHECKS[definition.type](definition, text)


def _joined(raw: object) -> object:
    """A JSON list of texts as the one text that the original takes."""
    if isinstance(raw, list | tuple) and all(isinstance(part, str) for part in raw):
        return ",".join(raw)
    return raw


def _text(_definition: FieldDefinition, text: str) -> str:
    return text


def _number(definition: FieldDefinition, text: str) -> str:
    if _INTEGER.fullmatch(text) is None or int(text) not in INT32:
        raise InvalidField(definition.path, "must be a 32-bit integer")
    _check_range(definition, Decimal(text))
    return str(int(text))


def _decimal(definition: FieldDefinition, text: str) -> str:
    if _DECIMAL.fullmatch(text) is None:
        raise InvalidField(definition.path, "must be a number such as 9.99, up to 20 digits a side")
    number = Decimal(text)
    _check_range(definition, number)
    # Text, not Decimal.normalize: that one rounds to 28 digits.
    digits = f"{number:f}"
    digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return "0" if number == 0 else digits


def _check_range(definition: FieldDefinition, number: Decimal) -> None:
    low, high = definition.min_value, definition.max_value
    if low is not None and number < low:
        raise InvalidField(definition.path, f"must be at least {low}")
    if high is not None and number > high:
        raise InvalidField(definition.path, f"must be at most {high}")


def _date(definition: FieldDefinition, text: str) -> str:
    day = read_date(text)
    if day is None:
        raise InvalidField(definition.path, "must be a date such as 2026-01-31")
    return day


def _datetime(definition: FieldDefinition, text: str) -> str:
    moment = read_datetime(text)
    if moment is None:
        raise InvalidField(definition.path, "must be a date and time such as 2026-01-31T09:30")
    return moment


def _choice(definition: FieldDefinition, text: str) -> str:
    if text not in definition.possible_values:
        raise InvalidField(definition.path, "must be one of the field's possible values")
    return text


def _choices(definition: FieldDefinition, text: str) -> str | None:
    tags = _tags(definition, text)
    for part in tags.split(",") if tags else ():
        _choice(definition, part)
    return tags


def _tags(_definition: FieldDefinition, text: str) -> str | None:
    """The parts in the order given, each once."""
    parts = dict.fromkeys(part.strip() for part in text.split(","))
    return ",".join(part for part in parts if not is_absent(part)) or None


_SEVERAL = frozenset((FieldType.CHECKBOXLIST, FieldType.TAGS))

_CHECKS: dict[FieldType, Callable[[FieldDefinition, str], str | None]] = {
    FieldType.TEXTFIELD: _text,
    FieldType.TEXTAREA: _text,
    FieldType.NUMBER: _number,
    FieldType.DECIMAL: _decimal,
    FieldType.DATE: _date,
    FieldType.DATETIME: _datetime,
    FieldType.COMBOBOX: _choice,
    FieldType.CHECKBOXLIST: _choices,
    FieldType.TAGS: _tags,
}
