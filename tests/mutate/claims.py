"""Flips of the rules of public callers: D36 and D37."""

from __future__ import annotations

from tests.mutate.mutation import Mutation

CLAIMS = "activity/visitors/claims.py"

CLAIMING = [
    Mutation(
        "D36",
        "an e-mail, phone or contact id on another live contact refuses the claim",
        CLAIMS,
        "    if any(ids and contact_id not in ids for ids in given):\n        return None, True\n",
        "",
    ),
    Mutation(
        "D36",
        "without an External ID: whom all agree on, not the first",
        CLAIMS,
        "        named_ids = set.intersection(*standing)\n",
        "        named_ids = set(standing[0])\n",
    ),
    Mutation(
        "D36",
        "several live contacts are nobody in particular",
        CLAIMS,
        "        if len(named_ids) != 1:\n            return None, True\n",
        "        if not named_ids:\n            return None, True\n",
    ),
    Mutation(
        "D36",
        "a removed contact counts as nobody",
        CLAIMS,
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
        "        if token.kind in TOKENS and _is_own_token(token, held):\n",
        "        if token.kind in TOKENS:\n",
    ),
    Mutation(
        "D37",
        "a late claim undoes no logout",
        CLAIMS,
        "    if _is_late(ws, visitor, at):\n        return Claimed.ALREADY\n",
        "",
    ),
    Mutation(
        "D37",
        "an unknown person's claim ends the time of a known one",
        CLAIMS,
        "    if held is not None:\n        _leave(ws, visitor, held, at, journal)\n    elif earlier",
        "    if held is not None:\n        pass\n    elif earlier",
    ),
    Mutation(
        "D37",
        "what waits for one person is open to no other",
        CLAIMS,
        "        _turn(ws, visitor.key, SpanState.OPEN, SpanState.CLAIMED, None)\n",
        "        pass\n",
    ),
]
