"""Flips of the rules of lists (wire 3.14): whom a call names, who joins and leaves."""

from __future__ import annotations

from tests.mutate.mutation import Mutation

MEMBERSHIP = "contacts/lists.py"
MEMBERS = "contacts/forms/members.py"

LISTS = [
    Mutation(
        "lists",
        "merged ids are followed",
        MEMBERSHIP,
        "            one = card.merged_into\n",
        "            one = None\n",
    ),
    Mutation(
        "lists",
        "a removed contact does not join",
        MEMBERSHIP,
        "    found, nobody = _members(ws, command, (Status.LIVE,))\n",
        "    found, nobody = _members(ws, command, (Status.LIVE, Status.REMOVED))\n",
    ),
    Mutation(
        "lists",
        "a removed contact leaves",
        MEMBERSHIP,
        "    found, nobody = _members(ws, command, (Status.LIVE, Status.REMOVED))\n",
        "    found, nobody = _members(ws, command, (Status.LIVE,))\n",
    ),
    Mutation(
        "lists",
        "who joins is touched",
        MEMBERSHIP,
        '        ws.touch(contact_id)\n        ws.effect("attach",',
        '        ws.effect("attach",',
    ),
    Mutation(
        "lists",
        "who leaves is touched",
        MEMBERSHIP,
        '        ws.touch(contact_id)\n        ws.effect("detach",',
        '        ws.effect("detach",',
    ),
    Mutation(
        "lists",
        "the last word of a batch counts",
        MEMBERSHIP,
        "    _stay(ws, command.segment_id, found)\n",
        "",
    ),
    Mutation(
        "lists",
        "ids of nobody are counted",
        MEMBERSHIP,
        "            found.add(card.contact_id)\n        else:\n            nobody += 1\n",
        "            found.add(card.contact_id)\n",
    ),
    Mutation(
        "lists",
        "only a body that says nothing names everybody",
        MEMBERS,
        "    if ids is None and external_ids is None:\n        raise",
        "    if ids is None and external_ids is None:\n        return None\n        raise",
    ),
    Mutation(
        "lists",
        "an empty list of ids names nobody",
        MEMBERS,
        "    if not body:\n",
        "    if not body or not any(body.values()):\n",
    ),
    Mutation(
        "lists",
        "one kind of ids a call",
        MEMBERS,
        "    if ids and external_ids:\n",
        "    if False:\n",
    ),
    Mutation(
        "lists",
        "a never-identifier names nobody",
        MEMBERS,
        " and not is_never(EXTERNAL_ID, one)",
        "",
    ),
]
