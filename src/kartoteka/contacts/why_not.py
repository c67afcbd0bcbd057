"""Why are these two kept apart, though they may be one person? For reading only (D26)."""

from __future__ import annotations

from typing import Any

import msgspec

from kartoteka.contacts.why import Standing
from kartoteka.identity.kinds import BY_CODE
from kartoteka.identity.model import Card, Settings, Status
from kartoteka.identity.rules import Names, Person, may_absorb
from kartoteka.identity.working_set import WorkingSet


def why_not(
    settings: Settings, one: Standing, other: Standing, apart: str | None
) -> dict[str, Any]:
    """The rule that keeps two contacts apart, and what they share."""
    a, b = one.card, other.card
    if a.contact_id == b.contact_id:
        return {"rule": "the_same_contact", "contactId": a.contact_id}
    keys = [{held.key for held in each.held} for each in (one, other)]
    shared = [
        {"kind": BY_CODE[held.kind].name, "value": held.value}
        for held in one.held
        if held.key in keys[1]
    ]
    answer: dict[str, Any] = {"shared": shared}
    if Status.REMOVED in (a.status, b.status):
        return {**answer, "rule": "removed"}
    if apart is not None:
        return {**answer, "rule": apart}
    reasons = [_may(settings, *pair) for pair in ((one, other), (other, one))]
    for (allowed, why_), (survivor, absorbed) in zip(reasons, ((a, b), (b, a)), strict=True):
        if allowed:
            rule = "no_request_named_both" if not shared else "no_request_since"
            return {
                **answer,
                "rule": rule,
                "would": why_,
                "survivor": survivor.contact_id,
                "absorbed": absorbed.contact_id,
            }
    names = [why_ for _, why_ in reasons]
    rule = names[1] if names[0] == "has_external_id" else names[0]
    return {**answer, "rule": rule, "differs": _differences(a, b)}


def _may(settings: Settings, survivor: Standing, other: Standing) -> tuple[bool, str]:
    ws = WorkingSet(0, settings, lambda: 0)
    for person in (survivor, other):
        ids = [person.card.contact_id]
        ws.load_cards(ids, [msgspec.structs.astuple(person.card)])
        rows = [msgspec.structs.astuple(held) for held in person.held]
        # A shared e-mail has a row on each card; the ordinal keeps them apart.
        ws.load_whole(ids, rows, ())
    names = Names(survivor.card.first_name, survivor.card.last_name)
    return may_absorb(ws, survivor.card, names, Person(), other.card)


def _differences(a: Card, b: Card) -> list[dict[str, Any]]:
    named = (("external_id", "external_id"), ("email", "email"), ("phone", "phone"))
    fields = (*named, ("first_name", "firstName"), ("last_name", "lastName"))
    return [
        {"field": shown, "values": [getattr(a, name), getattr(b, name)]}
        for name, shown in fields
        if None not in (getattr(a, name), getattr(b, name)) and getattr(a, name) != getattr(b, name)
    ]
