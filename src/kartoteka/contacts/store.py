"""Writes what a batch causes besides cards and identifiers: lists, events, refusals.

`after` turns the effects of a `WorkingSet` into statements; the order of `_WRITERS` is the order in
which they run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

import msgspec

from kartoteka.db.arrays import pg_array
from kartoteka.db.named import Query, load_queries
from kartoteka.db.transaction import Call
from kartoteka.identity.kinds import BY_CODE
from kartoteka.identity.model import Key
from kartoteka.identity.store import Digest, columns, hex_bytes
from kartoteka.identity.working_set import WorkingSet

QUERIES = load_queries(__package__)
Rows = list[tuple[Any, ...]]
Statement = tuple[str, dict[str, Any]]
Writer: TypeAlias = "Callable[[Batch, Rows], list[Statement]]"
Writers: TypeAlias = "Mapping[str, Writer]"


class Batch(msgspec.Struct, frozen=True):
    """What a writer may need to know of the batch."""

    ws: WorkingSet
    digest: Callable[[Key], bytes]
    at: datetime
    survivors: dict[int, int]
    """Cards that this batch absorbs, and into which."""

    def survivor(self, contact_id: int) -> int:
        """The card that this one is part of after the batch."""
        while contact_id in self.survivors:
            contact_id = self.survivors[contact_id]
        return contact_id


def _events(_: Batch, rows: Rows) -> list[Statement]:
    names = ("contact_id", "type_key", "key_value", "occurred", "params")
    return [("insert_events", columns(names, rows))]


def _lists(_: Batch, rows: Rows) -> list[Statement]:
    params = columns(("name", "contact_id", "at"), rows)
    return [
        ("create_lists", {"name": params["name"], "at": params["at"]}),
        ("join_lists", params),
    ]


def _attached(_: Batch, rows: Rows) -> list[Statement]:
    return [("attach_members", columns(("segment_id", "contact_id", "at"), rows))]


def _absorbed(batch: Batch, rows: Rows) -> list[Statement]:
    """Absorbed by one that was absorbed in the same batch: straight to the last."""
    pairs = [(absorbed, batch.survivor(absorbed)) for absorbed, _ in rows]
    params = columns(("absorbed_id", "survivor_id"), pairs)
    return [("inherit_lists", {**params, "at": batch.at})]


def _left(batch: Batch, rows: Rows) -> list[Statement]:
    """After lists were inherited: who left one and was absorbed takes it nowhere."""
    return [("leave_lists", columns(("name", "contact_id"), _by_survivor(batch, rows)))]


def _detached(batch: Batch, rows: Rows) -> list[Statement]:
    return [("detach_members", columns(("segment_id", "contact_id"), _by_survivor(batch, rows)))]


def _by_survivor(batch: Batch, rows: Rows) -> Rows:
    return [(which, batch.survivor(contact_id)) for which, contact_id in rows]


def _emptied(batch: Batch, rows: Rows) -> list[Statement]:
    return [
        ("detach_range", {**columns(("segment_id", "first", "last"), rows), "at": batch.at}),
    ]


def _categories(batch: Batch, rows: Rows) -> list[Statement]:
    return [("create_categories", {"key": pg_array([key for (key,) in rows]), "at": batch.at})]


def _refuse(batch: Batch, rows: Rows) -> list[Statement]:
    return [("refuse_addresses", {**columns(("kind", "value_key", "state"), rows), "at": batch.at})]


def _forgive(_: Batch, rows: Rows) -> list[Statement]:
    return [("forgive_addresses", {"value_key": pg_array([value for (value,) in rows])})]


def _lift(batch: Batch, rows: Rows) -> list[Statement]:
    hashed = [(key[0], hex_bytes(batch.digest(key)), contact) for key, contact in rows]
    return [("lift_suppressions", columns(("kind", "digest", "contact_id"), hashed))]


def _suppress(batch: Batch, rows: Rows) -> list[Statement]:
    names = ("kind", "value_key", "digest", "contact_id", "refusal", "at")
    hashed = [
        (key[0], key[1], hex_bytes(batch.digest(key)), contact, refusal, moment)
        for key, contact, refusal, moment in rows
    ]
    return [("insert_suppressions", columns(names, hashed))]


def _forget_refusals(_: Batch, rows: Rows) -> list[Statement]:
    """Before what the same batch refuses anew."""
    return [("forget_refusals", columns(("kind", "value_key"), rows))]


def _forget_value(batch: Batch, rows: Rows) -> list[Statement]:
    return [
        (
            "forget_value",
            {
                "contact_id": contact_id,
                "kind": BY_CODE[kind].name,
                "value": value,
                "at": batch.at,
            },
        )
        for contact_id, kind, value in rows
    ]


def _apart(_: Batch, rows: Rows) -> list[Statement]:
    names = ("contact_id", "other_id", "at", "reason", "request_id", "key_id")
    return [("insert_apart", columns(names, rows))]


def _join(_: Batch, rows: Rows) -> list[Statement]:
    return [("delete_apart", columns(("contact_id", "other_id"), rows))]


def _parted(_: Batch, rows: Rows) -> list[Statement]:
    """Undone merges: words go with their side, lists go back to whom they came from."""
    statements: list[Statement] = []
    for merge_id, survivor_id, absorbed, own, back in rows:
        both = {
            "survivor_id": survivor_id,
            "absorbed_id": absorbed[0],
            "absorbed": pg_array(absorbed),
        }
        lists = {**_lists_joined("own", own), **_lists_joined("back", back)}
        statements += [
            ("part_words", {**both, "merge_id": merge_id}),
            ("part_lists", {**both, **lists}),
        ]
    return statements


def _lists_joined(whose: str, joined: list[tuple[int | str, datetime]]) -> dict[str, Any]:
    """Lists by id (#12) and by name (=News), as two arrays."""
    names = [f"#{one}" if isinstance(one, int) else f"={one}" for one, _ in joined]
    return {f"{whose}_lists": pg_array(names), f"{whose}_at": pg_array([at for _, at in joined])}


_WRITERS: Writers = {
    "event": _events,
    "list": _lists,
    "attach": _attached,
    "absorbed": _absorbed,
    "apart": _apart,
    "join": _join,
    "parted": _parted,
    "leave_list": _left,
    "detach": _detached,
    "empty_list": _emptied,
    "category": _categories,
    "lift": _lift,
    "suppress": _suppress,
    "forget_refusal": _forget_refusals,
    "refuse": _refuse,
    "forgive": _forgive,
    "forget_value": _forget_value,
}


def after(ws: WorkingSet, digest: Digest, at: datetime) -> list[Call]:
    """Statements for the effects of this batch, to run behind `identity.store.difference`."""
    return write_effects(ws, digest, at, _WRITERS, QUERIES)


def write_effects(
    ws: WorkingSet, digest: Digest, at: datetime, writers: Writers, queries: Mapping[str, Query]
) -> list[Call]:
    """What each writer makes of the effects of its name, in the order of the writers."""
    calls: list[Call] = []
    survivors: dict[int, int] = dict(ws.effects.get("absorbed", ()))
    batch = Batch(ws, lambda key: digest(ws.account_id, key), at, survivors)
    for name, write in writers.items():
        rows = ws.effects.get(name)
        if rows:
            for query, params in write(batch, rows):
                calls.append((queries[query], {"account_id": ws.account_id, **params}))
    return calls
