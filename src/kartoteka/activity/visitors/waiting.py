"""Claims that name nobody yet: what waits with them, and what ends that (decisions D36, D37)."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from kartoteka.activity.model import Span, SpanState
from kartoteka.activity.spans import (
    SPANS,
    after,
    begin,
    change_begun,
    keep_for_nobody,
    put_stub,
    spans_of,
    wait_for,
)
from kartoteka.activity.visitors.model import CLAIM, Claimed, Waiting, Who
from kartoteka.activity.visitors.naming import (
    contradicts,
    holder,
    is_removed,
    key_of,
    live_holders,
    removed_named,
    same_person,
)
from kartoteka.identity.history import Journal, named
from kartoteka.identity.kinds import EXTERNAL_ID
from kartoteka.identity.model import Card, Held, Identifier, Key
from kartoteka.identity.sides import home_of, side_of
from kartoteka.identity.working_set import WorkingSet

WAITING = "claim"
"""The fact for a cookie or device: the claim that waits for its person, or None."""
WAITS = timedelta(days=30)
ONCE_A_DAY = timedelta(days=1)


def end_waiting(
    ws: WorkingSet, visitor: Identifier, earlier: Waiting, who: Who, card: Card
) -> None:
    """What waited for the same person is theirs now; another person's stays nobody's (D36)."""
    ours = same_person(earlier, who) or (
        card.external_id is not None and earlier.external_key == key_of(card.external_id)
    )
    turn(ws, visitor.key, SpanState.CLAIMED, SpanState.LINKED if ours else SpanState.NOBODYS, card)
    forget_claim(ws, visitor.key, card.contact_id if ours else None)


def forget_claim(ws: WorkingSet, key: Key, contact_id: int | None) -> None:
    """The claim of this cookie or device is decided, also where this batch wrote it down."""
    ws.take_back("claim", *key)
    ws.effect("unclaim", *key, contact_id)
    ws.know(WAITING, key, None)


def wait(ws: WorkingSet, visitor: Identifier, who: Who, at: datetime, journal: Journal) -> Claimed:
    """A claim that names nobody yet waits 30 days; its visits wait with it, for nobody else."""
    earlier: Waiting | None = ws.fact(WAITING, visitor.key)
    held = holder(ws, visitor)
    if not who.identifiers() and not is_removed(ws, who.contact_id):
        return Claimed.REFUSED  # a contact id that nobody has: nobody ever will
    if held is not None and at <= held.since:
        return Claimed.ALREADY
    if held is not None and contradicts(ws.card(held.contact_id), who):
        _leave(ws, visitor, held, at, journal)
    elif held is not None:
        pass  # it may be the same person: their cookie stays with them until somebody else comes
    elif earlier is not None and same_person(earlier, who):
        _begin_if_logged_out(ws, visitor, at, journal)
    elif earlier is not None:
        turn(ws, visitor.key, SpanState.CLAIMED, SpanState.NOBODYS, None)
        ws.effect("unclaim", *visitor.key, None)
        _begin_claimed(ws, visitor, at, journal)
    else:
        _begin_if_logged_out(ws, visitor, at, journal)
        turn(ws, visitor.key, SpanState.OPEN, SpanState.CLAIMED, None)
    keep(ws, visitor, who, at)
    return Claimed.WAITS


def keep(ws: WorkingSet, visitor: Identifier, who: Who, at: datetime) -> None:
    """Write a claim down that names nobody yet, and look out for the person (D36)."""
    for one in who.identifiers():
        if ws.stub(one.key) is None and not live_holders(ws, one):
            _look_out_for(ws, one, at)
    if _remember(ws, visitor.key, ws.fact(WAITING, visitor.key), who, at):
        for contact_id in removed_named(ws, who):  # who restores it at this moment sees the claim
            ws.touch(contact_id)


def _look_out_for(ws: WorkingSet, one: Identifier, at: datetime) -> None:
    """Whoever gets this identifier is told of the claim; events that named only an e-mail or phone stay
    nobody's (D17)."""
    if one.kind == EXTERNAL_ID.code:
        if not ws.holders(one.key):  # a removed contact's is seen when it is restored
            wait_for(ws, one, at)
    else:
        put_stub(ws, one, keep_for_nobody(ws, one, at), at)


def _remember(ws: WorkingSet, key: Key, earlier: Waiting | None, who: Who, at: datetime) -> bool:
    """Whether it was written: a page repeats its claim with everything it sends, once a day is enough."""
    keys = {one.kind: one.key[1] for one in who.identifiers()}
    waiting = Waiting(keys.get(1), keys.get(2), keys.get(3), who.contact_id, at + WAITS)
    if earlier is not None:
        same = msgspec.structs.replace(waiting, expires_at=earlier.expires_at) == earlier
        if same and earlier.expires_at > waiting.expires_at - ONCE_A_DAY:
            return False
    ws.effect("claim", *key, *msgspec.structs.astuple(waiting), at)
    ws.know(WAITING, key, waiting)
    return True


def _leave(ws: WorkingSet, visitor: Identifier, held: Held, at: datetime, journal: Journal) -> None:
    """Somebody else uses the browser now, whom nobody knows yet: what follows waits for them."""
    former = held.contact_id
    if not spans_of(ws, visitor.key):  # what came before and comes late is still theirs
        first = Span(None, ws.new_id(), home_of(held), SpanState.LINKED, journal.origin.at)
        begin(ws, visitor, first)
    ws.release(held)
    ws.touch(former)
    journal.note("dropped", CLAIM, former, [named(held)])
    _begin_claimed(ws, visitor, at, journal)


def _begin_if_logged_out(
    ws: WorkingSet, visitor: Identifier, at: datetime, journal: Journal
) -> None:
    """There is a span for what the claim is about: not the one after a logout."""
    spans = spans_of(ws, visitor.key)
    if not spans:
        wait_for(ws, visitor, at)
    elif spans[-1].state == SpanState.NOBODYS or spans[-1].contact_id is not None:
        _begin_claimed(ws, visitor, at, journal)


def _begin_claimed(ws: WorkingSet, visitor: Identifier, at: datetime, journal: Journal) -> None:
    _go_on(ws, visitor, SpanState.CLAIMED, at, journal)


def end_session(ws: WorkingSet, visitor: Identifier, at: datetime, journal: Journal) -> bool:
    """D37: a logout while a claim waits ends what waits with it; whether that was so."""
    if holder(ws, visitor) is not None or ws.fact(WAITING, visitor.key) is None:
        return False
    spans = spans_of(ws, visitor.key)
    if not spans or spans[-1].state != SpanState.CLAIMED:
        return True
    _go_on(ws, visitor, SpanState.NOBODYS, at, journal)
    return True


def _go_on(
    ws: WorkingSet, visitor: Identifier, state: SpanState, at: datetime, journal: Journal
) -> None:
    """A new span of a cookie or device that no card has."""
    owner, since = ws.new_id(), after(spans_of(ws, visitor.key), at)
    begin(ws, visitor, Span(since, owner, None, state, journal.origin.at))
    ws.forget(visitor.key)
    put_stub(ws, visitor, owner, at)


def turn(ws: WorkingSet, key: Key, before: SpanState, state: SpanState, card: Card | None) -> None:
    """All spans of this state get that one: in memory, where this batch began them, and stored."""
    linked = card is not None and state == SpanState.LINKED
    contact_id = side_of(ws, card.contact_id) if card is not None and linked else None
    turned: list[Span] = []
    for one in spans_of(ws, key):
        if one.state != before or one.contact_id is not None:
            turned.append(one)
            continue
        turned.append(msgspec.structs.replace(one, state=int(state), contact_id=contact_id))
        if not change_begun(ws, one.owner_id, state, contact_id):
            ws.effect("turn", one.owner_id, int(state), contact_id)
        elif contact_id is not None:
            ws.effect("mark", one.owner_id)
    ws.know(SPANS, key, tuple(turned))
