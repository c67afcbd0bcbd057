"""The custom fields that an account defines: kept in memory for a second, made, changed, taken away.

A field belongs to a list; `LIST.KEY` is its name in merge tags and the mobile SDK, its id its name in
the API (wire 2.10). Every account starts with the list Personal (`access`, when it is made).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from kartoteka.contacts.values.custom_fields import FieldDefinition, FieldType
from kartoteka.db.arrays import pg_array
from kartoteka.db.database import Database, Row
from kartoteka.db.named import load_queries
from kartoteka.errors import Conflict, InvalidRequest, NotFound

QUERIES = load_queries(__package__, "definitions.sql")
CACHE_S = 1.0
"""How old the definitions may be that a request is read with."""
MAX_FIELDS = 1_000
MAX_NAME_CHARS = 100
MAX_POSSIBLE_VALUES = 1_000
_KEY = re.compile(r"[A-Z0-9_]{1,50}")
_NOT_IN_A_KEY = re.compile(r"[^A-Z0-9]+")
_WITH_CHOICES = frozenset((FieldType.COMBOBOX, FieldType.CHECKBOXLIST))
_WITH_LIMITS = frozenset((FieldType.NUMBER, FieldType.DECIMAL))


class InvalidDefinition(InvalidRequest):
    """The definition of a custom field is not valid."""

    code = "invalid_definition"


class FieldKeyTaken(Conflict):
    """This list has a custom field of that key already."""

    code = "field_key_taken"


class FieldNotFound(NotFound):
    """Custom field not found: the account has none with this id."""


class NewField(msgspec.Struct, frozen=True):
    """What a field is made of; keys that are not given come from the names."""

    name: str
    type: FieldType = FieldType.TEXTFIELD
    list_name: str = "Personal"
    key: str = ""
    list_key: str = ""
    possible_values: tuple[str, ...] = ()
    min_value: Decimal | None = None
    max_value: Decimal | None = None
    required: bool = False
    readonly: bool = False
    recurring: bool = False


class Definitions:
    """Definitions of all accounts, each read when somebody asks."""

    def __init__(self, database: Database, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._monotonic = monotonic
        self._known: dict[int, tuple[float, Mapping[str, FieldDefinition]]] = {}

    async def of(self, account_id: int) -> Mapping[str, FieldDefinition]:
        """The account's definitions by id, as text: `{"12": ...}`, in the order of their ids."""
        known = self._known.get(account_id)
        if known is not None and known[0] > self._monotonic():
            return known[1]
        return await self.read(account_id)

    async def read(self, account_id: int) -> Mapping[str, FieldDefinition]:
        """The same, read now."""
        until = self._monotonic() + CACHE_S
        rows = await self._database.fetch(QUERIES["field_definitions"], account_id=account_id)
        definitions = {str(row[0]): _definition(row) for row in rows}
        self._known[account_id] = (until, definitions)
        return definitions

    async def add(self, account_id: int, new: NewField) -> FieldDefinition:
        """Make a field. Raises `InvalidDefinition` and `FieldKeyTaken`."""
        known = await self.read(account_id)
        if len(known) >= MAX_FIELDS:
            raise InvalidDefinition(f"An account has at most {MAX_FIELDS} custom fields.")
        list_key, list_name = _list_of(new, known)
        definition = _checked(
            FieldDefinition(
                0,
                list_key,
                list_name,
                new.key or _key_of(new.name),
                new.name,
                new.type,
                new.possible_values,
                new.min_value,
                new.max_value,
                new.required,
                new.readonly,
                new.recurring,
            )
        )
        row = await self._database.fetch_one(
            QUERIES["insert_field"], account_id=account_id, **_columns(definition)
        )
        if row is None:
            raise FieldKeyTaken(f"The list {list_key} has a field {definition.key} already.")
        self._known.pop(account_id, None)
        return msgspec.structs.replace(definition, id=row[0])

    async def change(
        self, account_id: int, field_id: int, changes: Mapping[str, Any]
    ) -> FieldDefinition:
        """The field with these members replaced: all but its keys, its list and its type.

        Raises `FieldNotFound` and `InvalidDefinition`.
        """
        known = await self.read(account_id)
        if (before := known.get(str(field_id))) is None:
            raise FieldNotFound
        definition = _checked(msgspec.structs.replace(before, **changes))
        row = await self._database.fetch_one(
            QUERIES["update_field"],
            account_id=account_id,
            field_id=field_id,
            **_columns(definition),
        )
        self._known.pop(account_id, None)
        if row is None:
            raise FieldNotFound
        return definition

    async def delete(self, account_id: int, field_id: int) -> None:
        """Take the field away. Raises `FieldNotFound`."""
        row = await self._database.fetch_one(
            QUERIES["delete_field"], account_id=account_id, field_id=field_id
        )
        self._known.pop(account_id, None)
        if row is None:
            raise FieldNotFound

    def forget(self) -> None:
        """Read them anew: after a change in this process."""
        self._known.clear()


def _definition(row: Row) -> FieldDefinition:
    field_id, list_key, list_name, key, name, type_name, possible_values, *rest = row
    return FieldDefinition(
        field_id,
        list_key,
        list_name,
        key,
        name,
        FieldType(type_name),
        tuple(possible_values),
        *rest,
    )


def _columns(definition: FieldDefinition) -> dict[str, Any]:
    columns = msgspec.structs.asdict(definition)
    del columns["id"]
    columns["type"] = definition.type.value
    columns["possible_values"] = pg_array(definition.possible_values)
    return columns


def _list_of(new: NewField, known: Mapping[str, FieldDefinition]) -> tuple[str, str]:
    """(key, name) of the list: one that exists keeps its name."""
    list_key = new.list_key or _key_of(new.list_name)
    names = (one.list_name for one in known.values() if one.list_key == list_key)
    return list_key, next(names, new.list_name)


def _key_of(name: str) -> str:
    """`FAVOURITE_COLOUR` for `Favourite colour`; blank for a name without Latin letters or digits."""
    return _NOT_IN_A_KEY.sub("_", name.upper()).strip("_")[:50]


def _checked(one: FieldDefinition) -> FieldDefinition:
    """The definition, if it makes sense. Raises `InvalidDefinition`."""
    for key, what in ((one.key, "key"), (one.list_key, "listKey")):
        if not _KEY.fullmatch(key):
            raise InvalidDefinition(
                f"{what} must be 1 to 50 capital letters A-Z, digits and underscores; give one when "
                "the name has none of them."
            )
    for name, what in ((one.name, "name"), (one.list_name, "listName")):
        if not name or len(name) > MAX_NAME_CHARS:
            raise InvalidDefinition(f"{what} must have 1 to {MAX_NAME_CHARS} characters.")
    _check_choices(one)
    _check_limits(one)
    if one.recurring and one.type is not FieldType.DATE:
        raise InvalidDefinition("Only a field of type DATE can be recurring.")
    return one


def _check_choices(one: FieldDefinition) -> None:
    values = one.possible_values
    if bool(values) != (one.type in _WITH_CHOICES):
        raise InvalidDefinition(
            "possibleValues go with COMBOBOX and CHECKBOXLIST, which need them."
        )
    if len(values) > MAX_POSSIBLE_VALUES or len(set(values)) < len(values):
        raise InvalidDefinition(
            f"possibleValues must be different ones, at most {MAX_POSSIBLE_VALUES}."
        )
    if any(not value or len(value) > MAX_NAME_CHARS for value in values):
        raise InvalidDefinition(f"A possible value must have 1 to {MAX_NAME_CHARS} characters.")
    if one.type is FieldType.CHECKBOXLIST and any("," in value for value in values):
        raise InvalidDefinition("A value of a CHECKBOXLIST may not contain a comma.")


def _check_limits(one: FieldDefinition) -> None:
    low, high = one.min_value, one.max_value
    if (low is not None or high is not None) and one.type not in _WITH_LIMITS:
        raise InvalidDefinition("minValue and maxValue go with NUMBER and DECIMAL.")
    if low is not None and high is not None and low > high:
        raise InvalidDefinition("minValue must not be greater than maxValue.")
