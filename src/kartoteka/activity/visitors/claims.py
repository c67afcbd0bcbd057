"""What public callers may say about who their visitor is: decisions D36 and D37, as plain functions.

A claim links a cookie or device to a person. It reads cards and changes none: what it writes are the
identifier row of its own cookie or device, spans, the history, and a row of table `claim` where it names
nobody yet. Everything is asked for by `prepare` before anything is changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    span_at,
    spans_of,
    wait_for,
)
from kartoteka.activity.visitors.model import Claim, Claimed, Waiting, Who
from kartoteka.contacts.filling import CLAIM
from kartoteka.identity.changes import Change, count_senders, new_held
from kartoteka.identity.history import Journal, named
from kartoteka.identity.kinds import BY_CODE, EMAIL, EXTERNAL_ID, PHONE
from kartoteka.identity.model import (
    QUARANTINED,
    Card,
    Held,
    Identifier,
    Key,
    Notice,
    Resolution,
    Status,
)
from kartoteka.identity.policies import TOKENS
from kartoteka.identity.rules import Person, finders, is_never
from kartoteka.identity.sides import home_of, side_of, speak_as, speak_by
from kartoteka.identity.working_set import WorkingSet

WAITING = "claim"
"""The fact for a cookie or device: the claim that waits for its person, or None."""
WAITS = timedelta(days=30)
ONCE_A_DAY = timedelta(days=1)
VISITOR = "visitor"
"""The attribute of a token that says which cookie registered it: that one may take it along."""


def prepare(ws: WorkingSet, visitor: Identifier, claims: Iterable[Claim]) -> None:
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
            _survivor(ws, span.contact_id)
    ws.need_cards(concerned)
    if held is not None or any(ws.card(contact_id).merges for contact_id in concerned):
        ws.need_whole(concerned)


def holder(ws: WorkingSet, visitor: Identifier) -> Held | None:
    """The row of the card that has this cookie or device, None if none has."""
    return holder_of(ws, visitor.key)


def holder_of(ws: WorkingSet, key: Key) -> Held | None:
    """The same by its key."""
    rows = ws.holders(key)
    return rows[0] if rows and rows[0].contact_id != QUARANTINED else None


def person_named(ws: WorkingSet, who: Who) -> tuple[Card | None, bool]:
    """(the one live contact that a claim names, whether the claim must be refused) (D36).

    The External ID names it; without one, the contact on which every e-mail and phone that it gives
    stands. Refused: one of them stands on live contacts but not on that one, or they name several.
    (None, False): nobody yet.
    """
    given = {one.kind: _live_holders(ws, one) for one in who.identifiers()}
    said = set() if who.contact_id is None else _live_contact(ws, who.contact_id)
    return whom_they_name(ws, given, said)


def whom_they_name(
    ws: WorkingSet, given: Mapping[int, set[int]], said: set[int]
) -> tuple[Card | None, bool]:
    """As `person_named`: live contacts by kind of identifier, and of the contact id."""
    standing = [ids for ids in (*given.values(), said) if ids]
    if EXTERNAL_ID.code in given:
        named_ids = given[EXTERNAL_ID.code]
        if any(not named_ids & ids for ids in standing) and named_ids:
            return None, True
    elif not standing:
        return None, False
    else:
        if not set.intersection(*standing):
            return None, True
        named_ids = set.intersection(*(given.values() or standing), *standing)
        if len(named_ids) > 1:
            return None, True
    if not named_ids:
        return None, False
    card = ws.card(min(named_ids))
    return (None, True) if _is_known_by_phone_alone(ws, card, given, said) else (card, False)


def _is_known_by_phone_alone(
    ws: WorkingSet, card: Card, given: Mapping[int, set[int]], said: set[int]
) -> bool:
    """D10a: families share phones, so that a phone alone names no contact that has an e-mail."""
    if said or set(given) != {PHONE.code}:
        return False
    return card.has_external_id if ws.settings.phone_is_personal else card.email is not None


def _live_holders(ws: WorkingSet, one: Identifier) -> set[int]:
    """Live contacts on which this identifier stands; a never-identifier says nothing (D6)."""
    rows = finders(ws, one)
    ws.need_cards(held.contact_id for held in rows)
    return {held.contact_id for held in rows if ws.is_live(held.contact_id)}


def _live_contact(ws: WorkingSet, contact_id: int) -> set[int]:
    """The live contact of this id, through merges (D14); it may come from a link anyone can write."""
    card = _survivor(ws, contact_id)
    return {card.contact_id} if card is not None and card.status == Status.LIVE else set()


def claim(ws: WorkingSet, visitor: Identifier, who: Who, at: datetime, journal: Journal) -> Claimed:
    """This cookie or device is said to be that person from `at` on. `prepare` was called before."""
    who = _without_never(ws, who)
    card, refused = person_named(ws, who)
    if (
        who.is_nobody()
        or refused
        or any(row.contact_id == QUARANTINED for row in ws.holders(visitor.key))
    ):
        return Claimed.REFUSED
    if _is_late(ws, visitor, at):
        return _divide(ws, visitor, who, card, at=at, journal=journal)
    if ws.fact(WAITING, visitor.key) is None:  # an erase cancelled what these waited for
        _turn(ws, visitor.key, SpanState.CLAIMED, SpanState.NOBODYS, None)
    if card is None:
        return _wait(ws, visitor, who, at, journal)
    _speak_as_named(ws, card, who)
    earlier: Waiting | None = ws.fact(WAITING, visitor.key)
    held = holder(ws, visitor)
    if held is not None and held.contact_id != card.contact_id and at <= held.since:
        return _come_before(ws, visitor, held, who, card, at=at, journal=journal)
    if earlier is not None:
        end_waiting(ws, visitor, earlier, who, card)
    if held is not None and held.contact_id == card.contact_id:
        return Claimed.ALREADY
    if held is None:
        held = ws.hold(new_held(visitor, card.contact_id, at, CLAIM))
        journal.note("claimed", CLAIM, card.contact_id, [named(held)])
        _turn(ws, visitor.key, SpanState.OPEN, SpanState.LINKED, card)
    else:
        _hand_over(ws, visitor, held, card, at=at, journal=journal)
    _go_on_as(ws, visitor, card, at, journal)
    ws.touch(card.contact_id)
    return Claimed.LINKED


def _speak_as_named(ws: WorkingSet, card: Card, who: Who) -> None:
    """On a merged card the claim is about the side that it names (D28)."""
    ws.speaking.pop(
        card.contact_id, None
    )  # an earlier step of this visitor may have named the other
    speak_by(ws, card, Person(changeable=tuple(who.identifiers())))
    if who.contact_id is not None and card.contact_id not in ws.speaking:
        speak_as(ws, card, who.contact_id)


def _without_never(ws: WorkingSet, who: Who) -> Who:
    """An account's own mailboxes and phones are nobody's, and nobody is waited for by them (D6)."""
    email, phone = who.email, who.phone
    if email is not None and is_never(ws.settings, EMAIL.code, email):
        email = None
    if phone is not None and is_never(ws.settings, PHONE.code, phone):
        phone = None
    return msgspec.structs.replace(who, email=email, phone=phone)


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


def _is_late(ws: WorkingSet, visitor: Identifier, at: datetime) -> bool:
    """Whether something that decides about the visitor happened since: a message that is repeated, or
    that came the longer way, undoes no logout and no later claim."""
    spans = spans_of(ws, visitor.key)
    return bool(spans) and spans[-1].since is not None and at < spans[-1].since


def _divide(
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
    theirs = None if span.contact_id is None else _survivor(ws, span.contact_id)
    if card is None:
        if theirs is not None and _contradicts(theirs, who):
            begin(ws, visitor, Span(at, ws.new_id(), None, SpanState.NOBODYS, journal.origin.at))
        return Claimed.ALREADY
    if theirs is card:
        return Claimed.ALREADY
    _speak_as_named(ws, card, who)
    side = side_of(ws, card.contact_id)
    span = Span(at, ws.new_id(), side, SpanState.LINKED, journal.origin.at)
    begin(ws, visitor, span)
    ws.effect("mark", span.owner_id)
    cookie = new_held(visitor, card.contact_id, at, CLAIM)
    journal.note("claimed", "claim_came_late", card.contact_id, [named(cookie)])
    ws.touch(card.contact_id)
    return Claimed.LINKED


def _come_before(
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
    return _divide(ws, visitor, who, card, at=at, journal=journal)


def _survivor(ws: WorkingSet, contact_id: int) -> Card | None:
    """The card that this one was merged into at last, through any chain (D14)."""
    card = ws.known_card(contact_id)
    while card is not None and card.status == Status.MERGED:
        card = ws.known_card(card.merged_into or 0)
    return card


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
    ws.reassign(held, card.contact_id)
    held.since, held.rule = at, CLAIM
    journal.note("claimed", CLAIM, card.contact_id, [named(held)], other=former.contact_id)


def is_own_token(token: Held, visitor: Held) -> bool:
    """A token that came with this device, or that this cookie registered (D12, D36)."""
    return token.device == visitor.value or (token.attributes or {}).get(VISITOR) == visitor.value


def end_waiting(
    ws: WorkingSet, visitor: Identifier, earlier: Waiting, who: Who, card: Card
) -> None:
    """What waited for the same person is theirs now; another person's stays nobody's (D36)."""
    ours = same_person(earlier, who) or (
        card.external_id is not None and earlier.external_key == _key_of(card.external_id)
    )
    _turn(ws, visitor.key, SpanState.CLAIMED, SpanState.LINKED if ours else SpanState.NOBODYS, card)
    forget_claim(ws, visitor.key, card.contact_id if ours else None)


def forget_claim(ws: WorkingSet, key: Key, contact_id: int | None) -> None:
    """The claim of this cookie or device is decided, also where this batch wrote it down."""
    ws.take_back("claim", *key)
    ws.effect("unclaim", *key, contact_id)
    ws.know(WAITING, key, None)


def _key_of(external_id: str) -> str:
    return Identifier(EXTERNAL_ID.code, external_id).key[1]


def same_person(earlier: Waiting, who: Who) -> bool:
    """Whether two claims may be of one person: they share an identifier and contradict in none."""
    ours = {one.kind: one.key[1] for one in who.identifiers()}
    theirs = {1: earlier.external_key, 2: earlier.email, 3: earlier.phone}
    pairs = [(ours[kind], value) for kind, value in theirs.items() if value and kind in ours]
    if not pairs and not ours and who.contact_id is not None:
        return who.contact_id == earlier.contact_id
    return bool(pairs) and all(a == b for a, b in pairs)


def _wait(ws: WorkingSet, visitor: Identifier, who: Who, at: datetime, journal: Journal) -> Claimed:
    """A claim that names nobody yet waits 30 days; its visits wait with it, for nobody else."""
    earlier: Waiting | None = ws.fact(WAITING, visitor.key)
    held = holder(ws, visitor)
    if not who.identifiers() and not _is_removed(ws, who.contact_id):
        return Claimed.REFUSED  # a contact id that nobody has: nobody ever will
    if held is not None and at <= held.since:
        return Claimed.ALREADY
    if held is not None and _contradicts(ws.card(held.contact_id), who):
        _leave(ws, visitor, held, at, journal)
    elif held is not None:
        pass  # it may be the same person: their cookie stays with them until somebody else comes
    elif earlier is not None and same_person(earlier, who):
        _begin_if_logged_out(ws, visitor, at, journal)
    elif earlier is not None:
        _turn(ws, visitor.key, SpanState.CLAIMED, SpanState.NOBODYS, None)
        ws.effect("unclaim", *visitor.key, None)
        _begin_claimed(ws, visitor, at, journal)
    else:
        _begin_if_logged_out(ws, visitor, at, journal)
        _turn(ws, visitor.key, SpanState.OPEN, SpanState.CLAIMED, None)
    keep(ws, visitor, who, at)
    return Claimed.WAITS


def keep(ws: WorkingSet, visitor: Identifier, who: Who, at: datetime) -> None:
    """Write a claim down that names nobody yet, and look out for the person (D36)."""
    for one in who.identifiers():
        if ws.stub(one.key) is None and not _live_holders(ws, one):
            _look_out_for(ws, one, at)
    _remember(ws, visitor.key, ws.fact(WAITING, visitor.key), who, at)


def _look_out_for(ws: WorkingSet, one: Identifier, at: datetime) -> None:
    """Whoever gets this identifier is told of the claim; events that named only an e-mail or phone stay
    nobody's (D17)."""
    if one.kind == EXTERNAL_ID.code:
        if not ws.holders(one.key):  # a removed contact's is seen when it is restored
            wait_for(ws, one, at)
    else:
        put_stub(ws, one, keep_for_nobody(ws, one, at), at)


def _remember(ws: WorkingSet, key: Key, earlier: Waiting | None, who: Who, at: datetime) -> None:
    """A page repeats its claim with everything it sends: once a day is enough."""
    keys = {one.kind: one.key[1] for one in who.identifiers()}
    waiting = Waiting(keys.get(1), keys.get(2), keys.get(3), who.contact_id, at + WAITS)
    if earlier is not None:
        same = msgspec.structs.replace(waiting, expires_at=earlier.expires_at) == earlier
        if same and earlier.expires_at > waiting.expires_at - ONCE_A_DAY:
            return
    ws.effect("claim", *key, *msgspec.structs.astuple(waiting), at)
    ws.know(WAITING, key, waiting)


def _is_removed(ws: WorkingSet, contact_id: int | None) -> bool:
    """A removed contact counts as nobody, who may come back (D36)."""
    card = None if contact_id is None else ws.known_card(contact_id)
    return card is not None and card.status == Status.REMOVED


def _contradicts(card: Card, who: Who) -> bool:
    """Whether the card is surely another person's than the one that the claim names."""
    if who.external_id is not None and card.has_external_id:
        return True
    if who.email is not None and card.email is not None and card.email != who.email:
        return True
    return who.phone is not None and card.phone is not None and card.phone != who.phone


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


def _go_on(
    ws: WorkingSet, visitor: Identifier, state: SpanState, at: datetime, journal: Journal
) -> None:
    """A new span of a cookie or device that no card has."""
    owner, since = ws.new_id(), after(spans_of(ws, visitor.key), at)
    begin(ws, visitor, Span(since, owner, None, state, journal.origin.at))
    ws.forget(visitor.key)
    put_stub(ws, visitor, owner, at)


def _turn(ws: WorkingSet, key: Key, before: SpanState, state: SpanState, card: Card | None) -> None:
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


def end_session(ws: WorkingSet, visitor: Identifier, at: datetime, journal: Journal) -> bool:
    """D37: a logout while a claim waits ends what waits with it; whether that was so."""
    if holder(ws, visitor) is not None or ws.fact(WAITING, visitor.key) is None:
        return False
    spans = spans_of(ws, visitor.key)
    if not spans or spans[-1].state != SpanState.CLAIMED:
        return True
    _go_on(ws, visitor, SpanState.NOBODYS, at, journal)
    return True


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
