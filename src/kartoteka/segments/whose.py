"""Whose activity a batch changes: owners of what it writes, and contacts that it names (0014)."""

from __future__ import annotations

import msgspec

from kartoteka.activity.orders.rules import FACT as ORDER
from kartoteka.identity.working_set import WorkingSet


class Touched(msgspec.Struct):
    """Whose activity is another after the batch."""

    owners: set[int] = set()
    """Contacts and spans, whosever they are before it and after it."""
    contacts: set[int] = set()

    def __bool__(self) -> bool:
        return bool(self.owners or self.contacts)


def touched_by(ws: WorkingSet) -> Touched:
    """Out of the effects of a batch."""
    found, effects = Touched(), ws.effects
    for (happened,) in effects.get("happened", ()):
        found.owners.add(happened.owner_id)
    for contact_id, *_ in effects.get("event", ()):
        found.contacts.add(contact_id)
    for before, after, *_ in effects.get(ORDER, ()):
        found.owners.update(one.owner_id for one in (before, after) if one is not None)
    for _, _, _, owner_id, contact_id, *_ in effects.get("span", ()):
        found.owners.add(owner_id)
        found.contacts.add(contact_id)
    for _, _, contact_id, *_ in effects.get("came", ()):
        found.contacts.add(contact_id)
    for _, _, former, contact_id, *_ in effects.get("linked", ()):
        found.contacts.update((former, contact_id))
    for owner_id, _, contact_id, *_ in effects.get("turn", ()):
        found.owners.add(owner_id)
        found.contacts.add(contact_id)
    for absorbed, survivor in effects.get("absorbed", ()):
        found.contacts.update((absorbed, survivor))
    found.contacts = {one for one in found.contacts if one is not None and one > 0}
    found.owners.discard(0)
    return found
