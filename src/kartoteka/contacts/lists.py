"""Who is on a list: attach and detach by id (wire 3.14, decisions D14).

What names nobody fails nothing; the answer says how much of it there was. The cards are touched,
because whoever absorbs one of them at this moment inherits its lists (design/engine.md). Commands of
one batch arrived at the same time: the last word about a contact counts, and against an absorbing
of the same batch leaving a list wins.
"""

from __future__ import annotations

from collections.abc import Iterable

from kartoteka.contacts.model import AttachContacts, DetachContacts, EmptyList, Outcome
from kartoteka.contacts.sayings import remember_joining
from kartoteka.identity.kinds import EXTERNAL_ID
from kartoteka.identity.model import Identifier, Resolution, Status
from kartoteka.identity.working_set import Missing, WorkingSet


def attach_contacts(ws: WorkingSet, command: AttachContacts) -> Outcome:
    """Live contacts join; a removed one is nobody until it is restored (D25)."""
    found, nobody = _members(ws, command, (Status.LIVE,))
    _stay(ws, command.segment_id, found)
    for contact_id in found:
        ws.touch(contact_id)
        ws.effect("attach", command.segment_id, contact_id, command.origin.at)
    remember_joining(ws, command, found)
    return _outcome(found, nobody)


def detach_contacts(ws: WorkingSet, command: DetachContacts) -> Outcome:
    """Live contacts leave, and removed ones, so that restoring does not bring them back to it."""
    found, nobody = _members(ws, command, (Status.LIVE, Status.REMOVED))
    for contact_id in found:
        ws.touch(contact_id)
        ws.effect("detach", command.segment_id, contact_id)
    return _outcome(found, nobody)


def empty_list(ws: WorkingSet, command: EmptyList) -> Outcome:
    """Everybody in this range of contact ids leaves; `mark` comes back with the answer."""
    if command.first <= command.last:
        ws.effect("empty_list", command.segment_id, command.first, command.last)
    return Outcome(Resolution(None, "updated"), answer={"mark": command.mark})


def _outcome(found: set[int], nobody: int) -> Outcome:
    outcome = "updated" if found else "unchanged"
    return Outcome(Resolution(None, outcome), answer={"nobody": nobody})


def _members(
    ws: WorkingSet, command: AttachContacts | DetachContacts, statuses: tuple[Status, ...]
) -> tuple[set[int], int]:
    """(cards of these statuses, how many of the ids named none): merged ids are followed (D14)."""
    named: list[int] = list(command.contact_ids)
    nobody = 0
    for value in command.external_ids:
        held = ws.holders(Identifier(EXTERNAL_ID.code, value).key)
        if held:
            named.append(held[0].contact_id)
        else:
            nobody += 1
    found: set[int] = set()
    for contact_id in _followed(ws, named):
        card = None if contact_id is None else ws.cards.get(contact_id)
        if card is not None and card.status in statuses:
            found.add(card.contact_id)
        else:
            nobody += 1
    return found, nobody


def _followed(ws: WorkingSet, named: Iterable[int]) -> list[int | None]:
    """The card that each id leads to now, None for none; what is missing is asked for at once."""
    missing: set[int] = set()
    last: list[int | None] = []
    for contact_id in named:
        one: int | None = contact_id
        while one is not None:
            card = ws.cards.get(one)
            if card is None and not ws.is_asked(one):
                missing.add(one)
            if card is None or card.status != Status.MERGED:
                break
            one = card.merged_into
        last.append(one)
    if missing:
        raise Missing(cards=missing)
    return last


def _stay(ws: WorkingSet, segment_id: int, contact_ids: set[int]) -> None:
    """They were to leave by an earlier word of this batch, and leaving is written after joining."""
    if rows := ws.effects.get("detach"):
        ws.effects["detach"] = [
            row for row in rows if row[0] != segment_id or row[1] not in contact_ids
        ]
