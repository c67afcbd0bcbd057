"""Flips of what untrusted apps may do (D36): `activity/mobile/claims.py`."""

from __future__ import annotations

from tests.mutate.mutation import Mutation

FILLING = "contacts/filling.py"
CLAIMS = "activity/mobile/claims.py"
KEYED = "activity/keyed.py"

APPS = [
    Mutation(
        "apps",
        "an untrusted app is no keyed call",
        "activity/mobile/part.py",
        "update_by_app(ws, command) if command.trusted else claim_by_app(ws, command)",
        "update_by_app(ws, command)",
    ),
    Mutation(
        "apps",
        "a claim that names several people links nothing",
        CLAIMS,
        "    if whom.refused:\n",
        "    if whom.refused and False:\n",
    ),
    Mutation(
        "apps",
        "an External ID is set only where nothing lasting is",
        CLAIMS,
        "    if own is not None and is_anonymous(ws, own):\n",
        "    if own is not None and not own.has_external_id:\n",
    ),
    Mutation(
        "apps",
        "a removed contact keeps its External ID",
        CLAIMS,
        "    if work.whom.taken:  #",
        "    if False:  #",
    ),
    Mutation(
        "apps",
        "a token of another device stays",
        CLAIMS,
        "            if holder is not card and not is_anonymous(ws, holder):\n",
        "            if holder is None:\n",
    ),
    Mutation(
        "apps",
        "only what is this device's alone is absorbed",
        CLAIMS,
        "    if own is not None and own is not card and _is_only(ws, own, person):\n",
        "    if own is not None and own is not card:\n",
    ),
    Mutation(
        "apps",
        "blanks are filled, nothing is replaced",
        FILLING,
        "        if value is not None and getattr(card, name) is None:\n",
        "        if value is not None:\n",
    ),
    Mutation(
        "apps",
        "custom fields are filled, none is replaced",
        FILLING,
        "in profile.fields.items() if key not in card.fields}",
        "in profile.fields.items()}",
    ),
    Mutation(
        "apps",
        "e-mail and phone only where no keyed call has written",
        FILLING,
        "    if card.keyed or getattr(",
        "    if getattr(",
    ),
    Mutation(
        "apps",
        "an address of somebody else is not given away",
        FILLING,
        "is not None or ws.holders(one.key):\n",
        "is not None:\n",
    ),
    Mutation(
        "apps",
        "an app's card is not keyed",
        CLAIMS,
        "keyed=False, ",
        "",
    ),
    Mutation(
        "apps",
        "what a claim linked is marked so",
        CLAIMS,
        "    _take(work, card, _its_own(ws, card, person), CLAIM)\n",
        "    _take(work, card, _its_own(ws, card, person))\n",
    ),
    Mutation(
        "apps",
        "an erased person is not stored again by a claim",
        CLAIMS,
        '    if is_suppressed(ws, person, Create("new_contact")):\n',
        "    if False:\n",
    ),
    Mutation(
        "apps",
        "an erased person is not stored again by a keyed call",
        KEYED,
        "    if is_suppressed(ws, person, decision):\n",
        "    if False:\n",
    ),
    Mutation(
        "apps",
        "a keyed call restores by External ID",
        KEYED,
        "    if _may_restore(decision, said):\n",
        "    if False:\n",
    ),
    Mutation(
        "D36",
        "who became known since keeps the device that a claim waits for",
        "activity/visitors/due.py",
        "    if one.holder is one.card or one.holder.has_external_id:\n        return False\n",
        "    if one.holder is one.card:\n        return False\n",
    ),
    Mutation(
        "D36",
        "a waiting claim absorbs an anonymous card of the device alone",
        "activity/visitors/due.py",
        "        if one is not held and not (one.kind in TOKENS and one.device == held.value):\n",
        "        if False:\n",
    ),
]
