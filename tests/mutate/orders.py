"""Flips of the rules of orders (wire 5.1, D8, D12, D13, D17, D29)."""

from __future__ import annotations

from tests.mutate.mutation import Mutation

RULES = "activity/orders/rules.py"
POLICIES = "identity/policies.py"
ABSORBING = "identity/absorbing.py"

ORDERS = [
    Mutation(
        "orders",
        "a known order is a change",
        RULES,
        "        return _take(ws, command)\n    return _change(ws, command, known)\n",
        "        return _take(ws, command)\n    return _take(ws, command)\n",
    ),
    Mutation(
        "orders",
        "a known order stays with its contact",
        RULES,
        "    if isinstance(decision, Found) and decision.card is card:\n",
        "    if isinstance(decision, Found):\n",
    ),
    Mutation(
        "orders",
        "what names another does not come into the order",
        RULES,
        "    said = _without_whom(said)\n",
        "",
    ),
    Mutation(
        "orders",
        "an older order does not restore",
        RULES,
        "        if decision.card.removed_at is None or moment <= decision.card.removed_at:\n",
        "        if decision.card.removed_at is None:\n",
    ),
    Mutation(
        "orders",
        "an older order does not lift",
        RULES,
        "        if moment <= erased_at:\n",
        "        if moment > erased_at:\n",
    ),
    Mutation(
        "orders",
        "an erased person's order id is known",
        RULES,
        "    if ws.suppressed.get(key):\n",
        "    if not key:\n",
    ),
    Mutation(
        "orders",
        "a live holder of the address is not erased",
        RULES,
        "if one and not _is_held(ws, one)]\n",
        "if one]\n",
    ),
    Mutation(
        "orders",
        "the card of a changed order is touched",
        RULES,
        "        ws.effect(FACT, known, order, items, None)\n        ws.touch(card.contact_id)\n",
        "        ws.effect(FACT, known, order, items, None)\n",
    ),
    Mutation(
        "orders",
        "the card of a new order is touched",
        RULES,
        "    ws.effect(FACT, None, order, items or (), via)\n    ws.touch(card.contact_id)\n",
        "    ws.effect(FACT, None, order, items or (), via)\n",
    ),
    Mutation(
        "orders",
        "only another status is told of",
        RULES,
        "        if order.status != known.status:\n",
        "        if order.status >= 0:\n",
    ),
    Mutation(
        "orders",
        "identifiers follow the order's own date",
        RULES,
        "        resolution,\n        occurred=min(moment, at),\n",
        "        resolution,\n        occurred=at,\n",
    ),
    Mutation(
        "orders",
        "the contact's zone comes first",
        RULES,
        "card.time_zone or ws.settings.time_zone\n",
        "ws.settings.time_zone\n",
    ),
    Mutation(
        "orders",
        "an order replaces nothing",
        POLICIES,
        '    "ORDER",\n    _CREATES,\n    restores=False,\n    replaces=False,\n',
        '    "ORDER",\n    _CREATES,\n    restores=False,\n',
    ),
    Mutation(
        "orders",
        "an order absorbs only who is anonymous",
        ABSORBING,
        'if allowed and (policy.absorbs_lasting or why == "absorbed_anonymous"):\n',
        "if allowed:\n",
    ),
]
