"""Whose is what a cookie, device or other identifier carried at a moment? (decisions D17, D36, D37)

Rows of one identifier follow each other in time; the last one says nothing about who has it now, that
is what `identifier` says. Rules only: they read and change a `WorkingSet`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from kartoteka.activity.model import NOBODY, Span, SpanState
from kartoteka.identity.history import Journal, named
from kartoteka.identity.model import QUARANTINED, Held, Identifier, Key
from kartoteka.identity.sides import home_of
from kartoteka.identity.working_set import WorkingSet

SPANS = "spans"
"""The fact that `store.py` reads for a key: its spans, the earliest first."""
_INSTANT = timedelta(microseconds=1)


def spans_of(ws: WorkingSet, key: Key) -> Sequence[Span]:
    """The spans of an identifier, the earliest first; none where it was with one contact only."""
    return ws.fact(SPANS, key) or ()


def span_at(spans: Sequence[Span], at: datetime) -> Span | None:
    """The span that this moment falls into."""
    return next((one for one in reversed(spans) if one.since is None or one.since <= at), None)


def owner_at(ws: WorkingSet, one: Identifier, at: datetime) -> int | None:
    """The owner of what the identifier carried at that moment; None: it was never heard of."""
    spans, holders = spans_of(ws, one.key), ws.holders(one.key)
    if holders:
        return _owner_of_held(ws, holders[0], spans, at)
    stub, span = ws.stub(one.key), span_at(spans, at)
    if span is None or span is not spans[-1]:
        return stub if span is None else span.owner_id
    if stub is not None:
        return stub
    if span.contact_id is None:
        put_stub(ws, one, span.owner_id, span.created_at)
        return span.owner_id
    return None


def _owner_of_held(ws: WorkingSet, held: Held, spans: Sequence[Span], at: datetime) -> int:
    for _, _, former, _, since, _ in moves_of(ws, held.key):
        if at < since and not spans:  # moved in this batch: no span is written yet
            return former or NOBODY
    span = span_at(spans, at)
    later = at >= held.since
    if held.contact_id == QUARANTINED:
        return NOBODY if later or span is None else span.owner_id
    if not spans:
        return home_of(held)
    if span is None:
        return NOBODY
    if later and span is spans[-1] and span.contact_id != home_of(held):
        return home_of(held)
    return span.owner_id


def moves_of(ws: WorkingSet, key: Key) -> list[tuple[Any, ...]]:
    """How it changed hands in this batch: (kind, key, former, new contact, since, rule)."""
    return [row for row in ws.effects.get("linked", ()) if (row[0], row[1]) == key]


def wait_for(ws: WorkingSet, one: Identifier, at: datetime) -> int:
    """A new span for an identifier that nobody has: whoever gets it gets what the span owns."""
    since = after(spans_of(ws, one.key), at)
    owner = ws.new_id()
    begin(ws, one, Span(since, owner, None, SpanState.OPEN, at))
    put_stub(ws, one, owner, at)
    return owner


def keep_for_nobody(ws: WorkingSet, one: Identifier, at: datetime) -> int:
    """The span of an e-mail or phone that nobody had: no contact ever gets what it owns (D17), but who
    erases that address finds it (D29)."""
    for span in spans_of(ws, one.key):
        return span.owner_id
    owner = ws.new_id()
    begin(ws, one, Span(None, owner, None, SpanState.NOBODYS, at))
    return owner


def log_out(ws: WorkingSet, one: Identifier, at: datetime, journal: Journal) -> None:
    """D37: from this moment to the next link the identifier is nobody's.

    Of a visitor whom nobody knows it says nothing. One that comes late, after the identifier went to
    another, ends the span of that time only.
    """
    spans, holders = spans_of(ws, one.key), ws.holders(one.key)
    held = holders[0] if holders and holders[0].contact_id != QUARANTINED else None
    if held is None:
        return
    if at < held.since:
        span = span_at(spans, at)
        if span is not None and span.contact_id is not None and span.since != at:
            begin(ws, one, Span(at, ws.new_id(), None, SpanState.NOBODYS, journal.origin.at))
        return
    card = ws.card(held.contact_id)
    if not spans:  # what came before and comes late is still theirs
        first = Span(None, ws.new_id(), home_of(held), SpanState.LINKED, journal.origin.at)
        begin(ws, one, first)
    ws.release(held)
    ws.touch(card.contact_id)  # not its time of update: anyone may log out (D36)
    journal.note("dropped", "logout", card.contact_id, [named(held)])
    owner, since = ws.new_id(), after(spans_of(ws, one.key), at)
    begin(ws, one, Span(since, owner, None, SpanState.NOBODYS, journal.origin.at))
    put_stub(ws, one, owner, at)


def after(spans: Sequence[Span], at: datetime) -> datetime | None:
    """A moment that no span begins at; None where there is none before it."""
    if not spans:
        return None
    last = spans[-1].since
    return at if last is None or at > last else last + _INSTANT


def begin(ws: WorkingSet, one: Identifier, span: Span) -> None:
    """Write a new span down; it follows the others of its identifier in time."""
    spans = [*spans_of(ws, one.key), span]
    spans.sort(key=lambda each: (each.since is not None, each.since or each.created_at))
    ws.effect("span", *one.key, *msgspec.structs.astuple(span)[:-1])
    ws.know(SPANS, one.key, tuple(spans))


def change_begun(ws: WorkingSet, owner: int, state: SpanState, contact_id: int | None) -> bool:
    """Give a span that this batch began another state; whether it began it."""
    rows = ws.effects.get("span", [])
    for place, row in enumerate(rows):
        if row[3] == owner:
            rows[place] = (*row[:4], contact_id, state, *row[6:])
            return True
    return False


def put_stub(ws: WorkingSet, one: Identifier, owner: int, at: datetime) -> None:
    """Let the identifier stand for this span until a card gets it."""
    kind, text = one.key
    long_value = None if text == one.value else one.value
    ws.wait(Held(kind, text, 0, -owner, long_value, False, at, "waits"))


def count_event(ws: WorkingSet, key: Key, owner: int) -> bool:
    """Count one more of a span that is nobody's; whether its cap allows it (D37)."""
    spans = spans_of(ws, key)
    for place, span in enumerate(spans):
        if span.owner_id == owner and span.contact_id is None:
            if span.events >= ws.settings.visits_per_cookie:
                return False
            counted = msgspec.structs.replace(span, events=span.events + 1)
            ws.know(SPANS, key, (*spans[:place], counted, *spans[place + 1 :]))
            ws.effect("counted", *key, owner)
            break
    return True
