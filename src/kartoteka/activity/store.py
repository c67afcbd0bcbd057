"""Reads and writes activity: what rules ask for, and what the effects of a batch come to."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from kartoteka.activity.model import KNOWN, EventType, Happened, KnownContact, Span
from kartoteka.contacts.store import Batch, Rows, Statement, Writers, write_effects
from kartoteka.db.arrays import pg_array
from kartoteka.db.named import Query, load_queries
from kartoteka.db.transaction import Call
from kartoteka.identity.kinds import EXTERNAL_ID
from kartoteka.identity.loading import Reader
from kartoteka.identity.model import Identifier, Key
from kartoteka.identity.store import Digest, columns, hex_bytes
from kartoteka.identity.working_set import WorkingSet

QUERIES = load_queries(__package__)
WAITS_FOR = timedelta(days=30)
"""How long what came for an unknown External ID, device or token waits for its contact (D17)."""
_HAPPENED = Happened.__struct_fields__
_astuple = msgspec.structs.astuple


# What rules ask for: `WorkingSet.fact`.


def _ask_spans(keys: list[Any], locks: bool) -> tuple[Query, dict[str, Any]]:
    kinds, texts = [kind for kind, _ in keys], [text for _, text in keys]
    query = QUERIES["find_spans" if locks else "read_spans"]
    return query, {"kinds": pg_array(kinds), "keys": pg_array(texts)}


def _take_spans(rows: list[tuple[Any, ...]]) -> dict[Any, tuple[Span, ...]]:
    spans: dict[Any, list[Span]] = {}
    for kind, value_key, *rest in rows:
        spans.setdefault((kind, value_key), []).append(Span(*rest))
    return {key: tuple(found) for key, found in spans.items()}


def _ask_known(keys: list[Any], _: bool) -> tuple[Query, dict[str, Any]]:
    return QUERIES["lock_known"], {"keys": pg_array([text for _, text in keys])}


def _take_known(rows: list[tuple[Any, ...]]) -> dict[Any, KnownContact]:
    return {(EXTERNAL_ID.code, key): KnownContact(*rest) for key, *rest in rows}


def _ask_types(keys: list[Any], _: bool) -> tuple[Query, dict[str, Any]]:
    return QUERIES["find_event_types"], {"keys": pg_array(keys)}


def _ask_messages(digests: list[Any], _: bool) -> tuple[Query, dict[str, Any]]:
    spelled = pg_array([hex_bytes(digest) for digest in digests])
    return QUERIES["find_messages"], {"digests": spelled}


READERS = {
    KNOWN: Reader(_ask_known, _take_known),
    "spans": Reader(_ask_spans, _take_spans),
    "event_type": Reader(_ask_types, lambda rows: {row[0]: EventType(*row) for row in rows}),
    "message": Reader(_ask_messages, lambda rows: {bytes(row[0]): True for row in rows}),
}


# What the effects of a batch come to.


def _spans(_: Batch, rows: Rows) -> list[Statement]:
    names = ("kind", "value_key", "since", "owner_id", "contact_id", "state", "at")
    return [("insert_spans", columns(names, rows))]


def _came(batch: Batch, rows: Rows) -> list[Statement]:
    """The last of several that got one identifier in this batch has it: `linked` tells of the others."""
    names = ("kind", "value_key", "contact_id", "since", "rule")
    params = columns(names, list({row[:2]: row for row in rows}.values()))
    given = {name: params[name] for name in names[:3]}
    recent = {"recent": batch.at - WAITS_FOR}
    return [
        ("take_recent_events", {**given, **recent, "at": batch.at}),
        ("link_open_spans", {**given, **recent, "rule": params["rule"], "at": batch.at}),
        ("continue_spans", {**params, "at": batch.at}),
    ]


def _linked(batch: Batch, rows: Rows) -> list[Statement]:
    places: dict[Key, int] = {}
    last: dict[Key, datetime] = {}
    turned: Rows = []
    for kind, value_key, former, contact_id, since, rule in rows:
        key = (kind, value_key)
        places[key] = places.get(key, 0) + 1
        last[key] = max(since, last[key] + timedelta(microseconds=1)) if key in last else since
        turned.append((kind, value_key, former, contact_id, last[key], places[key], rule))
    names = ("kind", "value_key", "former", "contact_id", "since", "place", "rule")
    params = columns(names, turned)
    keys = {"kind": params["kind"], "value_key": params["value_key"]}
    first = {**keys, "former": params["former"], "place": params["place"], "at": batch.at}
    rest = {name: params[name] for name in ("contact_id", "since", "place", "rule")}
    return [
        ("begin_spans_of_former", first),
        ("touch_spans", keys),
        ("follow_identifiers", {**keys, **rest, "at": batch.at}),
    ]


def _counted(_: Batch, rows: Rows) -> list[Statement]:
    return [("count_events", {"owner_id": pg_array([owner for _, _, owner in rows])})]


def _happened(batch: Batch, rows: Rows) -> list[Statement]:
    """`via` is what an undo knows the carrier by: 8 bytes of its keyed digest."""
    digest = batch.digest
    events = [
        (*first, None if key is None else via(digest(key)), params)
        for *first, key, params in [_astuple(one) for (one,) in rows]
    ]
    return [("insert_happened", {**columns(_HAPPENED, events), "at": batch.at})]


def via_of(batch: Batch, key: Key) -> Any:
    return via(batch.digest(key))


def via(digest: bytes) -> int:
    """How `event.via` and `orders.via` name an identifier, from its keyed digest."""
    return int.from_bytes(digest[:8], "big", signed=True)


def _types(batch: Batch, rows: Rows) -> list[Statement]:
    keys = sorted({key for (key,) in rows})
    return [("create_event_types", {"key": pg_array(keys), "at": batch.at})]


def _types_of_contacts(batch: Batch, rows: Rows) -> list[Statement]:
    """What contact methods cause is of a type too, and that exists from now on."""
    return _types(batch, [(key,) for _, key, *_ in rows])


def _messages(batch: Batch, rows: Rows) -> list[Statement]:
    digests = [hex_bytes(digest) for (digest,) in rows]
    return [("remember_messages", {"digest": pg_array(digests), "at": batch.at})]


def _forgotten(_: Batch, rows: Rows) -> list[Statement]:
    """A former External ID that is erased alone: what it carried stays the contact's, without it."""
    keys = [Identifier(kind, value).key for _, kind, value in rows]
    return [("forget_span_values", columns(("kind", "value_key"), keys))]


_WRITERS: Writers = {
    "span": _spans,
    "came": _came,
    "linked": _linked,
    "counted": _counted,
    "event_type": _types,
    "event": _types_of_contacts,
    "message": _messages,
    "happened": _happened,
    "forget_value": _forgotten,
}


def after(ws: WorkingSet, digest: Digest, at: datetime) -> list[Call]:
    """Statements for the effects of this batch."""
    return write_effects(ws, digest, at, _WRITERS, QUERIES)
