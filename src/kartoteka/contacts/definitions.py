"""The custom fields that an account defines, kept in memory for a few seconds (wire 2.10)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from kartoteka.contacts.values.custom_fields import FieldDefinition, FieldType
from kartoteka.db.database import Database, Row
from kartoteka.db.named import load_queries

_QUERY = load_queries(__package__, "definitions.sql")["field_definitions"]
CACHE_S = 1.0
"""How old the definitions may be that a request is read with."""


class Definitions:
    """Definitions of all accounts, each read when somebody asks."""

    def __init__(self, database: Database, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._monotonic = monotonic
        self._known: dict[int, tuple[float, Mapping[str, FieldDefinition]]] = {}

    async def of(self, account_id: int) -> Mapping[str, FieldDefinition]:
        """The account's definitions by id, as text: `{"12": ...}`."""
        known = self._known.get(account_id)
        if known is not None and known[0] > self._monotonic():
            return known[1]
        until = self._monotonic() + CACHE_S
        rows = await self._database.fetch(_QUERY, account_id=account_id)
        definitions = {str(row[0]): _definition(row) for row in rows}
        self._known[account_id] = (until, definitions)
        return definitions

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
