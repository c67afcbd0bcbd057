"""Flips of the rules of public callers: D36 and D37."""

from __future__ import annotations

from tests.mutate.mutation import Mutation

CLAIMS = "activity/visitors/claims.py"
NAMING = "activity/visitors/naming.py"
WAITING = "activity/visitors/waiting.py"
LATE = "activity/visitors/late.py"
DUE = "activity/visitors/due.py"

CLAIMING = [
    Mutation(
        "D36",
        "an e-mail, phone or contact id on another live contact refuses the claim",
        NAMING,
        "        if any(not named_ids & ids for ids in standing) and named_ids:\n"
        "            return None, True\n",
        "",
    ),
    Mutation(
        "D36",
        "without an External ID: whom all agree on, not the first",
        NAMING,
        "        if not set.intersection(*standing):\n            return None, True\n",
        "",
    ),
    Mutation(
        "D36",
        "every e-mail and phone that is given must stand on the contact",
        NAMING,
        "        named_ids = set.intersection(*(given.values() or standing), *standing)\n",
        "        named_ids = set.intersection(*standing)\n",
    ),
    Mutation(
        "D36",
        "several live contacts are nobody in particular",
        NAMING,
        "        if len(named_ids) > 1:\n            return None, True\n",
        "",
    ),
    Mutation(
        "D10a",
        "a phone alone names no contact that has an e-mail",
        NAMING,
        "    if said or set(given) != {PHONE.code}:\n        return False\n",
        "    return False\n",
    ),
    Mutation(
        "D36",
        "a removed contact counts as nobody",
        NAMING,
        "    return {held.contact_id for held in rows if ws.is_live(held.contact_id)}\n",
        "    return {held.contact_id for held in rows}\n",
    ),
    Mutation(
        "D36",
        "a claim changes no time of update",
        CLAIMS,
        "    _go_on_as(ws, visitor, card, at, journal)\n    ws.touch(card.contact_id)\n",
        "    _go_on_as(ws, visitor, card, at, journal)\n    card.updated_at = at\n",
    ),
    Mutation(
        "D36",
        "a token moves from nobody else's card",
        CLAIMS,
        '    if rows:\n        return Notice("identifier_stays"',
        '    if False:\n        return Notice("identifier_stays"',
    ),
    Mutation(
        "D36",
        "only a token that this cookie registered goes along",
        CLAIMS,
        "        if ours and token.kind in TOKENS and is_own_token(token, held):\n",
        "        if ours and token.kind in TOKENS:\n",
    ),
    Mutation(
        "D37",
        "a late claim undoes no logout",
        CLAIMS,
        "    if is_late(ws, visitor, at):\n        return divide",
        "    if False:\n        return divide",
    ),
    Mutation(
        "D37",
        "an unknown person's claim ends the time of a known one",
        WAITING,
        "        _leave(ws, visitor, held, at, journal)\n    elif held",
        "        pass\n    elif held",
    ),
    Mutation(
        "D37",
        "what waits for one person is open to no other",
        WAITING,
        "        turn(ws, visitor.key, SpanState.OPEN, SpanState.CLAIMED, None)\n",
        "        pass\n",
    ),
    Mutation(
        "D37",
        "a late claim fills its own time only where it is another's or nobody's",
        LATE,
        "    if theirs is card:\n        return Claimed.ALREADY\n",
        "",
    ),
    Mutation(
        "D37",
        "who has the cookie keeps it when an earlier claim comes late",
        LATE,
        "    if all(one.since != held.since for one in spans_of(ws, visitor.key)):\n",
        "    if False:\n",
    ),
    Mutation(
        "D36",
        "a claim beside a card takes effect when its person comes",
        DUE,
        "        if _still_moves(one):\n            _bring(ws, one, journal)\n",
        "",
    ),
]
