"""What public callers may say about who their visitor is: decisions D36 and D37, as plain functions.

A claim links a cookie or device to a person. It reads cards and changes none: what it writes are the
identifier row of its own cookie or device, spans, the history, and a row of table `claim` where it names
nobody yet. Everything is asked for by `prepare` before anything is changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from kartoteka.activity.model import Span, SpanState
from kartoteka.activity.spans import after, begin, span_at, spans_of, wait_for
from kartoteka.activity.visitors.late import come_before, divide, is_late
from kartoteka.activity.visitors.model import CLAIM, VISITOR, Claim, Claimed, Waiting, Who
from kartoteka.activity.visitors.naming import (
    holder,
    person_named,
    speak_as_named,
    survivor,
    without_never,
)
from kartoteka.activity.visitors.waiting import WAITING, end_waiting, turn, wait
from kartoteka.identity.changes import Change, count_senders, new_held
from kartoteka.identity.history import Journal, named
from kartoteka.identity.kinds import BY_CODE
from kartoteka.identity.model import QUARANTINED, Card, Held, Identifier, Notice, Resolution
from kartoteka.identity.policies import TOKENS
from kartoteka.identity.sides import home_of, side_of, speak_as
from kartoteka.identity.working_set import WorkingSet


def prepare(ws: WorkingSet, visitor: Identifier, claims: Sequence[Claim]) -> None:
    """Ask for all that these claims may need, before any change."""
    held = holder(ws, visitor)
    spans = spans_of(ws, visitor.key)
    ws.fact(WAITING, visitor.key)
    concerned = set() if held is None else {held.contact_id}
    for said in claims:
        card, _ = person_named(ws, said.who)
        if card is not None:
            concerned.add(card.contact_id)
        for one in said.who.identifiers():
            spans_of(ws, one.key)
            ws.stub(one.key)
        span = span_at(spans, said.at)
        if span is not None and span.contact_id is not None:  # what a late claim may divide
            survivor(ws, span.contact_id)
    ws.need_cards(concerned)
    # The second claim of one call takes the cookie from whom the first one gave it to.
    changes_hands = held is not None or len(claims) > 1
    if changes_hands or any(ws.card(contact_id).merges for contact_id in concerned):
        ws.need_whole(concerned)


def claim(ws: WorkingSet, visitor: Identifier, who: Who, at: datetime, journal: Journal) -> Claimed:
    """This cookie or device is said to be that person from `at` on. `prepare` was called before."""
    who = without_never(ws, who)
    card, refused = person_named(ws, who)
    if (
        who.is_nobody()
        or refused
        or any(row.contact_id == QUARANTINED for row in ws.holders(visitor.key))
    ):
        return Claimed.REFUSED
    if is_late(ws, visitor, at):
        return divide(ws, visitor, who, card, at=at, journal=journal)
    if ws.fact(WAITING, visitor.key) is None:  # an erase cancelled what these waited for
        turn(ws, visitor.key, SpanState.CLAIMED, SpanState.NOBODYS, None)
    if card is None:
        return wait(ws, visitor, who, at, journal)
    speak_as_named(ws, card, who)
    earlier: Waiting | None = ws.fact(WAITING, visitor.key)
    held = holder(ws, visitor)
    if held is not None and held.contact_id != card.contact_id and at <= held.since:
        return come_before(ws, visitor, held, who, card, at=at, journal=journal)
    if earlier is not None:
        end_waiting(ws, visitor, earlier, who, card)
    if held is not None and held.contact_id == card.contact_id:
        return Claimed.ALREADY
    if held is None:
        held = ws.hold(new_held(visitor, card.contact_id, at, CLAIM))
        journal.note("claimed", CLAIM, card.contact_id, [named(held)])
        turn(ws, visitor.key, SpanState.OPEN, SpanState.LINKED, card)
    else:
        _hand_over(ws, visitor, held, card, at=at, journal=journal)
    _go_on_as(ws, visitor, card, at, journal)
    ws.touch(card.contact_id)
    return Claimed.LINKED


def _go_on_as(
    ws: WorkingSet, visitor: Identifier, card: Card, at: datetime, journal: Journal
) -> None:
    """What follows is the card's, in a span that says it was a claim."""
    spans = spans_of(ws, visitor.key)
    side = side_of(ws, card.contact_id)
    if spans and spans[-1].contact_id == side:
        return
    if spans:  # a visit that is written into it at this moment is written again
        ws.effect("touch_span", spans[-1].owner_id)
    owner, since = ws.new_id(), after(spans, at)
    span = Span(since, owner, side, SpanState.LINKED, journal.origin.at)
    begin(ws, visitor, span)
    ws.effect("mark", owner)


def _hand_over(
    ws: WorkingSet, visitor: Identifier, held: Held, card: Card, *, at: datetime, journal: Journal
) -> None:
    """Another person on the same browser: what follows is theirs, and the tokens it registered (D37)."""
    former = ws.card(held.contact_id)
    if not spans_of(ws, visitor.key):  # what came before and comes late is still the former's
        first = Span(None, ws.new_id(), home_of(held), SpanState.LINKED, journal.origin.at)
        begin(ws, visitor, first)
    for token in ws.identifiers_of(former.contact_id):
        ours = home_of(token) == home_of(held)
        if ours and token.kind in TOKENS and is_own_token(token, held):
            side = side_of(ws, card.contact_id)
            ws.effect("linked", *token.key, home_of(token), side, at, CLAIM)
            _pass_on(ws, token, former, card, at=at, journal=journal)
    _pass_on(ws, held, former, card, at=at, journal=journal)
    ws.touch(former.contact_id)
    count_senders(Change(ws, journal, Resolution(), at), former, card, held)


def _pass_on(
    ws: WorkingSet, held: Held, former: Card, card: Card, *, at: datetime, journal: Journal
) -> None:
    former.last_word = None  # as in identity/changes.py
    ws.reassign(held, card.contact_id)
    held.since, held.rule = at, CLAIM
    journal.note("claimed", CLAIM, card.contact_id, [named(held)], other=former.contact_id)


def is_own_token(token: Held, visitor: Held) -> bool:
    """A token that came with this device, or that this cookie registered (D12, D36)."""
    return token.device == visitor.value or (token.attributes or {}).get(VISITOR) == visitor.value


def add_token(
    ws: WorkingSet, visitor: Identifier, token: Identifier, at: datetime, journal: Journal
) -> Notice | None:
    """D10, D36: the token stays with the visitor, who may be known. It moves from nobody else's card."""
    rows = ws.holders(token.key)
    if rows:
        return Notice("identifier_stays", "this token is known", BY_CODE[token.kind].name)
    held = holder(ws, visitor)
    if held is not None:
        speak_as(ws, ws.card(held.contact_id), home_of(held))
        new = ws.hold(new_held(token, held.contact_id, at, CLAIM))
        journal.note("claimed", CLAIM, held.contact_id, [named(new)])
        ws.touch(held.contact_id)
        return None
    owner = ws.stub(visitor.key)
    if owner is None:
        owner = wait_for(ws, visitor, at)
    if ws.stub(token.key) != owner:
        ws.forget(token.key)
        ws.wait(new_held(token, -owner, at, "waits"))
    return None
