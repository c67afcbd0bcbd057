"""Flips of the rules that say whose an event is (decisions D8, D12, D17, D29, D36, D37)."""

from __future__ import annotations

from tests.mutate.mutation import Mutation

SPANS = "activity/spans.py"
ACTIONS = "activity/actions.py"
POLICIES = "identity/policies.py"

ACTIVITY = [
    Mutation(
        "D37",
        "a moment belongs to the span that it falls into",
        SPANS,
        "if one.since is None or one.since <= at), None)",
        "), None)",
    ),
    Mutation(
        "D37",
        "a late event of a device that moved is its former holder's",
        ACTIONS,
        "            if held is not None and at < held.since:\n",
        "            if False:\n",
    ),
    Mutation(
        "D37",
        "in one batch with the move too",
        SPANS,
        "        if at < since and not spans:",
        "        if False:",
    ),
    Mutation(
        "D37",
        "after a logout the cookie is on no card",
        SPANS,
        "    ws.release(held)\n",
        "",
    ),
    Mutation(
        "D37",
        "a late logout takes nothing from the next person",
        SPANS,
        "    if at < held.since:\n        span = span_at",
        "    if False:\n        span = span_at",
    ),
    Mutation(
        "D37",
        "a logout ends a stretch for ever",
        SPANS,
        "    begin(ws, one, Span(since, owner, None, SpanState.NOBODYS, journal.origin.at))\n",
        "    begin(ws, one, Span(since, owner, None, SpanState.OPEN, journal.origin.at))\n",
    ),
    Mutation(
        "D37",
        "a cookie of nobody has a cap",
        SPANS,
        "            if span.events >= ws.settings.visits_per_cookie:\n",
        "            if False:\n",
    ),
    Mutation(
        "D17",
        "an event sets no External ID",
        POLICIES,
        "    sets_external_id=False,\n",
        "",
    ),
    Mutation(
        "D17",
        "unless contactId names the card",
        POLICIES,
        "replace(EVENT, fills=True, sets_external_id=True)",
        "replace(EVENT)",
    ),
    Mutation(
        "D17",
        "an unknown External ID waits",
        ACTIONS,
        "        return [person.external_id]\n",
        "        return []\n",
    ),
    Mutation(
        "D17",
        "creates only where the type says so",
        ACTIONS,
        "    elif isinstance(decision, Create) and may_create:\n",
        "    elif isinstance(decision, Create):\n",
    ),
    Mutation(
        "D17",
        "never waits for an e-mail or phone",
        SPANS,
        "    begin(ws, one, Span(None, owner, None, SpanState.NOBODYS, at))\n",
        "    begin(ws, one, Span(None, owner, None, SpanState.OPEN, at))\n"
        "    put_stub(ws, one, owner, at)\n",
    ),
    Mutation(
        "D10a",
        "another person's device waits for nobody",
        ACTIONS,
        "        if ws.holders(one.key):  # another person's (D10a)\n            continue\n",
        "",
    ),
    Mutation(
        "D8",
        "what happened before the removal restores nobody",
        ACTIONS,
        "and at <= card.removed_at:",
        "and False:",
    ),
    Mutation(
        "D29",
        "an event of an erased person is dropped",
        ACTIONS,
        "    if is_suppressed(ws, person, decision):\n",
        "    if False:\n",
    ),
    Mutation(
        "D22",
        "the same message counts once",
        ACTIONS,
        "    if command.message is not None and ws.fact(MESSAGE, command.message):\n",
        "    if False:\n",
    ),
]
