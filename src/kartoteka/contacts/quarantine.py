"""Let a value name people again that stood on too many of them (decisions D6)."""

from __future__ import annotations

from typing import Any

from kartoteka.contacts.merging import would_be
from kartoteka.contacts.model import Outcome, ReleaseValue
from kartoteka.errors import NotFound
from kartoteka.identity.changes import new_held
from kartoteka.identity.history import Journal, named
from kartoteka.identity.kinds import BY_CODE
from kartoteka.identity.model import QUARANTINED, Card, Identifier, Resolution, Status
from kartoteka.identity.working_set import WorkingSet

RULE = "released_by_request"


class NotQuarantined(NotFound):
    """This value is not in quarantine."""

    code = "not_quarantined"


def release_value(ws: WorkingSet, command: ReleaseValue) -> Outcome:
    """Out of quarantine: to the named contact, or to whoever sends it next. Counting begins anew."""
    one = Identifier(command.kind, command.value)
    rows = ws.holders(one.key)
    card = None
    if command.contact_id is not None:
        card = ws.known_card(command.contact_id)
        if card is None or card.status != Status.LIVE:
            raise NotFound(f"No live contact has the id '{command.contact_id}'.")
        ws.need_whole([card.contact_id])
    held = next((row for row in rows if row.contact_id == QUARANTINED), None)
    if held is None:
        raise NotQuarantined
    senders = len(held.senders or ())
    ws.release(held)
    at = max(command.origin.at, held.since)
    ws.effect("linked", *held.key, QUARANTINED, command.contact_id, at, RULE)
    if card is not None:
        held = ws.hold(new_held(one, card.contact_id, at, RULE))
        Journal(ws, command.origin).note("added", RULE, card.contact_id, [named(held)])
        card.updated_at = command.origin.at
    return Outcome(
        Resolution(command.contact_id, "updated"), answer=_answer(ws, command, senders, card)
    )


def _answer(
    ws: WorkingSet, command: ReleaseValue, senders: int, card: Card | None
) -> dict[str, Any]:
    """What changes, all of it: a dry run answers the same. No visit changes hands: what came of the time
    in quarantine, and what comes late, is nobody's for ever."""
    one = {"kind": BY_CODE[command.kind].name, "value": command.value}
    contacts = [] if card is None else [{**would_be(ws, card), "gains": [one]}]
    return {
        **one,
        "senders": senders,
        "identifiers": [{**one, "from": "quarantine", "to": command.contact_id}],
        "contacts": contacts,
    }
