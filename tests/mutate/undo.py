"""Flips of the rules of merging by hand and of undoing: D15, D28."""

from __future__ import annotations

from tests.mutate.mutation import Mutation

ABSORBING = "identity/absorbing.py"
CHANGES = "identity/changes.py"
SIDES = "identity/sides.py"
UNDO = "contacts/undo.py"
RETELLING = "contacts/retelling.py"
RULES = "identity/rules.py"

UNDOING = [
    Mutation(
        "D28",
        "of two External IDs the absorbed one's becomes a former one",
        ABSORBING,
        "        one.former = True\n        card.former_ids += 1\n",
        "        pass\n",
    ),
    Mutation(
        "D28",
        "an identifier of the absorbed card goes home",
        ABSORBING,
        "    one.home = home\n",
        "    one.home = None\n",
    ),
    Mutation(
        "D28",
        "what was said is kept by the side that carried it",
        SIDES,
        "            ws.speaking[card.contact_id] = home_of(held)\n            return\n",
        "            return\n",
    ),
    Mutation(
        "D28",
        "who came by an address that had left is taken in, and nobody else",
        UNDO,
        "        and card.created_at > merged_at\n",
        "",
    ),
    Mutation(
        "D26",
        "what neither side has after an undo is told",
        UNDO,
        "    if nobodys:\n",
        "    if False:\n",
    ),
    Mutation(
        "D28",
        "to say the same again after a token was lost is something new",
        CHANGES,
        "    former.last_word = None",
        "    pass",
    ),
    Mutation(
        "D28",
        "a later merge is in the way",
        UNDO,
        "    if merge.later:\n",
        "    if False:\n",
    ),
    Mutation(
        "D11",
        "an External ID that is somebody's by now stops the undo",
        UNDO,
        "                if holder.contact_id != merge.survivor_id:\n",
        "                if False:\n",
    ),
    Mutation(
        "D28",
        "words are told to their side only",
        RETELLING,
        "        if word.side not in mine:\n            continue\n",
        "",
    ),
    Mutation(
        "D12",
        "what others got does not come back",
        RETELLING,
        "                alone.release(held)\n",
        "                pass\n",
    ),
    Mutation(
        "D10",
        "what an address refused since holds for who gets it back",
        UNDO,
        "        if state and held.kind in CHANNEL:\n",
        "        if False:\n",
    ),
    Mutation(
        "D28",
        "no rule merges again what was undone",
        RULES,
        "    if ws.are_apart(survivor.contact_id, other.contact_id):\n",
        "    if False:\n",
    ),
]
