"""Claims that come the longer way, from a page or phone that was offline (decisions D37)."""

from __future__ import annotations

from datetime import datetime

from kartoteka.activity.model import Span, SpanState
from kartoteka.activity.spans import begin, span_at, spans_of
from kartoteka.activity.visitors.model import CLAIM, Claimed, Who
from kartoteka.activity.visitors.naming import contradicts, speak_as_named, survivor
from kartoteka.identity.changes import new_held
from kartoteka.identity.history import Journal, named
from kartoteka.identity.model import Card, Held, Identifier
from kartoteka.identity.sides import home_of, side_of
from kartoteka.identity.working_set import WorkingSet


def is_late(ws: WorkingSet, visitor: Identifier, at: datetime) -> bool:
    """Whether something that decides about the visitor happened since: a message that is repeated, or
    that came the longer way, undoes no logout and no later claim."""
    spans = spans_of(ws, visitor.key)
    return bool(spans) and spans[-1].since is not None and at < spans[-1].since


def divide(
    ws: WorkingSet,
    visitor: Identifier,
    who: Who,
    card: Card | None,
    *,
    at: datetime,
    journal: Journal,
) -> Claimed:
    """A claim that came the longer way fills its own stretch of time, up to the next claim, link or
    logout (D37): what of it comes later still is that person's. Who has the cookie now, keeps it."""
    span = span_at(spans_of(ws, visitor.key), at)
    if span is None or span.since == at:
        return Claimed.ALREADY
    theirs = None if span.contact_id is None else survivor(ws, span.contact_id)
    if card is None:
        if theirs is not None and contradicts(theirs, who):
            begin(ws, visitor, Span(at, ws.new_id(), None, SpanState.NOBODYS, journal.origin.at))
        return Claimed.ALREADY
    if theirs is card:
        return Claimed.ALREADY
    speak_as_named(ws, card, who)
    side = side_of(ws, card.contact_id)
    span = Span(at, ws.new_id(), side, SpanState.LINKED, journal.origin.at)
    begin(ws, visitor, span)
    ws.effect("mark", span.owner_id)
    cookie = new_held(visitor, card.contact_id, at, CLAIM)
    journal.note("claimed", "claim_came_late", card.contact_id, [named(cookie)])
    ws.touch(card.contact_id)
    return Claimed.LINKED


def come_before(
    ws: WorkingSet,
    visitor: Identifier,
    held: Held,
    who: Who,
    card: Card,
    *,
    at: datetime,
    journal: Journal,
) -> Claimed:
    """A claim that was overtaken by the first one, or by a keyed link. Who got the cookie later keeps it
    (D12), and what they have of the time before; what of that time comes now is this person's (D37)."""
    spans, begun = spans_of(ws, visitor.key), journal.origin.at
    if at == held.since:
        return Claimed.ALREADY
    if not spans:
        first = Span(None, ws.new_id(), home_of(held), SpanState.LINKED, begun)
        begin(ws, visitor, first)
    if all(one.since != held.since for one in spans_of(ws, visitor.key)):
        theirs = Span(held.since, ws.new_id(), home_of(held), SpanState.LINKED, begun)
        begin(ws, visitor, theirs)
        if held.rule == CLAIM:
            ws.effect("mark", theirs.owner_id)
    return divide(ws, visitor, who, card, at=at, journal=journal)
