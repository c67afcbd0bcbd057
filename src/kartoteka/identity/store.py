"""Writes what became other in a `WorkingSet` back, set by set; `loading.py` reads it."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from kartoteka.db.arrays import PgArray, pg_array
from kartoteka.db.named import load_queries
from kartoteka.db.transaction import Call
from kartoteka.identity import hashed
from kartoteka.identity.model import Card, Held, Key
from kartoteka.identity.working_set import WorkingSet

QUERIES = load_queries(__package__) | load_queries(__package__, "merges.sql")
CARD_COLUMNS = Card.__struct_fields__
HELD_COLUMNS = Held.__struct_fields__
_JSON = frozenset(
    ("fields", "consent", "attributes", "identifiers", "snapshot", "params", "proof", "by")
)
_HISTORY_COLUMNS = (
    "at",
    "action",
    "rule",
    "contact_id",
    "other",
    "method",
    "request_id",
    "key_id",
    "identifiers",
    "snapshot",
    "undoes",
    "by",
)
_USUAL: dict[str, Any] = {
    "status": 0,
    "former_ids": 0,
    "fields": {},
    "consent": {},
    "keyed": True,
    "merges": 0,
    "proof": [],
    "ordinal": 0,
    "former": False,
}
"""What nearly every new card and identifier has; the statements that insert them say it."""
EMPTY = pg_array(())
_encode = msgspec.json.Encoder().encode
_encode_lines = msgspec.json.Encoder().encode_lines


Digest = hashed.Digest


def digest_with(secret: str) -> Digest:
    """HMAC-SHA-256 under the installation's secret, account and kind mixed in (decisions D29)."""
    keyed = hmac.new(secret.encode(), digestmod=hashlib.sha256)

    def digest(account_id: int, of: Key) -> bytes:
        one = keyed.copy()  # the key is worked in once
        one.update(f"{account_id}:{of[0]}:{of[1]}".encode())
        return one.digest()

    return digest


def hex_bytes(value: bytes) -> str:
    """How a bytea is spelled in an array."""
    return "\\x" + value.hex()


def json_text(value: Any) -> str | None:
    """How a jsonb is spelled in an array."""
    return None if value is None else _encode(value).decode()


def _json_texts(column: Sequence[Any]) -> list[str | None]:
    """The same of a whole column, in one go where every row has a value."""
    if any(value is None for value in column):
        return [json_text(value) for value in column]
    texts: list[str | None] = [*_encode_lines(column).decode().split("\n")]
    return texts[:-1]  # each ends its line


def columns(
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
    as_json: frozenset[str] = _JSON,
    usual: Mapping[str, Any] = {},
) -> dict[str, Any]:
    """Rows turned to one array a column, as parameters of a set-based statement.

    A column of nothing but NULLs is sent as an empty array: `unnest` of several fills it up. So is
    one of nothing but its `usual` value, where the statement says `coalesce`.
    """
    params: dict[str, Any] = {}
    for name, column in zip(names, zip(*rows, strict=True), strict=True):
        most = None if column[0] is None else usual.get(name)
        is_usual = column[0] == most and column.count(most) == len(column)
        params[name] = EMPTY if is_usual else _array(column, name in as_json)
    return params


def _array(column: Sequence[Any], is_json: bool) -> PgArray:
    return pg_array(_json_texts(column) if is_json else column)


def changed_columns(
    before: Sequence[Sequence[Any]], rows: Sequence[Sequence[Any]]
) -> dict[str, Any]:
    """The columns of these cards that are not what they were before, their ids, and NULL for others."""
    params: dict[str, Any] = {}
    turned = zip(*before, strict=True), zip(*rows, strict=True)
    for name, old, new in zip(CARD_COLUMNS, *turned, strict=True):
        is_key = name == "contact_id"
        params[name] = _array(new, name in _JSON) if is_key or old != new else None
    return params


def difference(ws: WorkingSet, at: datetime) -> list[Call]:
    """Statements that bring the database to where the working set is, in the order they need.

    `at`: when the batch came, kept in the row of table `change` that names its cards.
    """
    account = {"account_id": ws.account_id}
    calls: list[Call] = []

    def add(name: str, params: dict[str, Any]) -> None:
        calls.append((QUERIES[name], {**account, **params}))

    deleted, inserted, updated = rows_changed = ws.changed_rows()
    new, changed = ws.changed_cards(rows_changed)
    ws.written = (rows_changed, new, changed)
    if new:
        rows = [msgspec.structs.astuple(one) for one in new]
        add("insert_contacts", columns(CARD_COLUMNS, rows, usual=_USUAL))
    if changed:
        before = [ws.loaded_card(one.contact_id) for one in changed]
        rows = [msgspec.structs.astuple(one) for one in changed]
        add("update_contacts", changed_columns(before, rows))
    if deleted:
        add("delete_identifiers", columns(("kind", "value_key", "ordinal"), deleted))
    if inserted:
        inserted.sort(key=_row_key)  # neighbours in the index are written together
        add("insert_identifiers", held_columns(inserted, usual=_USUAL))
    if updated:
        add("update_identifiers", held_columns(updated))
    history = ws.effects.get("history")
    if history:
        add("insert_history", columns(_HISTORY_COLUMNS, history))
    ids = {card.contact_id for card in (*new, *changed)}
    for name, place in _NAMING_CONTACTS.items():
        ids.update(row[place] for row in ws.effects.get(name, ()))
    owners = [owner_id for (owner_id,) in ws.effects.get("owner", ())]
    if ids or owners:
        changed_ids = {"contact_ids": pg_array(list(ids)), "owner_ids": pg_array(owners)}
        add("insert_change", {"at": at, **changed_ids})
    return calls


_NAMING_CONTACTS = {"history": 3, "list": 1, "attach": 1, "leave_list": 1, "detach": 1}
"""Effects that change what exports show of a contact, and where in a row its id stands."""


def _row_key(held: Held) -> tuple[int, str, int]:
    return held.row_key


def held_columns(held: Sequence[Held], usual: Mapping[str, Any] = {}) -> dict[str, Any]:
    """Identifier rows turned to one array a column."""
    params = columns(HELD_COLUMNS, [msgspec.structs.astuple(one) for one in held], usual=usual)
    if params["senders"] is not EMPTY:
        params["senders"] = pg_array([_braced(one.senders) for one in held])
    return params


def _braced(numbers: list[int] | None) -> str | None:
    return None if numbers is None else "{" + ",".join(map(str, numbers)) + "}"
