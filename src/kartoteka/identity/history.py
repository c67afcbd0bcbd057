"""The identity history: its actions, its rules, and the rows that a change leaves (decisions D26)."""

from __future__ import annotations

from typing import Any

import msgspec

from kartoteka.identity.kinds import BY_CODE, KINDS
from kartoteka.identity.model import Card, Held, Identifier, Origin
from kartoteka.identity.working_set import WorkingSet

ACTIONS = {
    "created": "a contact was created with these identifiers",
    "added": "an identifier was added to a contact",
    "moved": "an exclusive identifier moved from another contact",
    "dropped": "an identifier left a contact",
    "external_id_set": "a contact got its External ID",
    "external_id_replaced": "another External ID took the place of the former one",
    "restored": "a removed contact came back",
    "removed": "a contact was removed (restorable)",
    "absorbed": "another contact was absorbed; the snapshot brings it back",
    "erased": "the person's values were destroyed",
    "quarantined": "a value stands on too many people and finds nobody from now on",
    "refused": "a change was refused and nothing changed",
    "undone": "a merge was taken back; the contact has its own again",
    "said": "what a request said to a merged contact, kept for the undo",
    "claimed": "a public caller said that its cookie or device is this contact's",
}

_FOUND = {f"found_by_{kind.name}": f"D10: found by {kind.label}" for kind in KINDS if kind.code > 1}
_JOINED = {
    f"external_id_joins_{kind.name}": f"D9: an unknown External ID joined the card found by {kind.label}"
    for kind in KINDS
    if kind.code > 1
}
_RESTORED = {
    f"restored_by_{kind.name}": f"D8, D10: a removed card came back by {kind.label}"
    for kind in KINDS
}

RULES = {
    "external_id": "D8, G8.1: the External ID names the card",
    "former_external_id": "D11: a former External ID still finds its card",
    "contact_id": "G7, G9.3: the contact id in the path names the card",
    "known_order": "wire 5.1: an order that is known stays with the contact that it came to first",
    "new_external_id": "D9, G8.3: nobody has this External ID and nobody may join it",
    "new_contact": "D10: nobody has any of these identifiers",
    **_FOUND,
    **_JOINED,
    **_RESTORED,
    "restored_by_contact_id": "D8: PUT of a removed contact, or a row that names it, restores it",
    "found_by_contact_key": "G13: the row's contact key names the card",
    "found_by_custom_field": "G13: the row's custom field names the card",
    "restored_by_contact_key": "D10: a removed card came back by contact key",
    "restored_by_custom_field": "D10: a removed card came back by a custom field",
    "removed_stays_removed": "D8, D10: the row names a removed contact and restoring was not asked for",
    "given": "D17: the request gives the card this identifier",
    "replaced": "D17: the request's e-mail or phone takes the place of the stored one",
    "external_id_replaced": "D9, D11: PUT or a row replaces the External ID; the old one is kept",
    "former_id_again_primary": "D11: a former External ID becomes primary again",
    "newer_request": "D12: an exclusive identifier follows the newer request",
    "belongs_to_device": "D12: the request says to which device the token belongs",
    "follows_device": "D12: a token moves with its device",
    "absorbed_contained": "D13: every lasting identifier of the other card is one of this card",
    "absorbed_anonymous": "D13: the other card had no lasting identifier",
    "absorbed_by_claim": "D36: all that the other card had was the device of the claim",
    "cleared": "D16: the request cleared the identifier",
    "removed_by_request": "wire 3.4: DELETE",
    "erased_by_request": "D29: DELETE with erase",
    "waits_for_contact": "D17: nobody has the event's External ID, device, token or cookie yet",
    "event_of_nobody": "D17: the event names nobody who could be found later",
    "came_already": "D22: an event with this messageId was counted before",
    "external_id_taken": "D11, G9.1: the External ID belongs to another contact",
    "merged_by_request": "D28: POST merges",
    "kept_for_undo": "D28: the kept contact has another one; it comes back with an undo",
    "undone_by_request": "D28: POST merges/{id}/undo",
    "said": "D28: a request spoke of one of the people on a merged contact",
    "logout": "D37: somebody logged out; the cookie is nobody's until the next link",
    "released_by_request": "D6: POST quarantine/release names the contact",
    "claim": "D36: a page or app said who its visitor is; the cookie or device was linked",
    "claim_came_late": "D37: a claim that was overtaken by others counts for its own stretch of time",
    "claim_waited": "D36: a claim that came before its contact took effect",
    "with_visitor": "D10: a web push token came along with its visitor",
    "too_many_people": "D6: more than 50 External IDs have sent this value",
}
"""Stable names of what can decide; docs list them, `resolution.rule` and the history use them."""


def named(held: Held) -> dict[str, Any]:
    """An identifier as history and answers name it."""
    return {"kind": BY_CODE[held.kind].name, "value": held.value}


def named_as(one: Identifier) -> dict[str, Any]:
    """The same of an identifier that a request names."""
    return {"kind": BY_CODE[one.kind].name, "value": one.value}


class Journal:
    """Collects the history rows of one command."""

    def __init__(self, ws: WorkingSet, origin: Origin) -> None:
        self.ws = ws
        self.origin = origin
        self.by: list[dict[str, Any]] | None = None
        """Identifiers that the request names: what its rows rest on."""

    def note(
        self,
        action: str,
        rule: str,
        contact_id: int,
        identifiers: list[dict[str, Any]] | None = None,
        *,
        other: int | None = None,
        snapshot: dict[str, Any] | None = None,
        undoes: int | None = None,
    ) -> None:
        origin = self.origin
        self.ws.effect(
            "history",
            origin.at,
            action,
            rule,
            contact_id,
            other,
            origin.method,
            origin.request_id,
            origin.key_id,
            identifiers,
            snapshot,
            undoes,
            self.by,
        )


def snapshot_of(card: Card, identifiers: list[Held], lists: set[int]) -> dict[str, Any]:
    """All that brings an absorbed card back: the card, its identifier rows, its lists (D14, D15)."""
    return {
        "card": msgspec.to_builtins(card),
        "identifiers": [msgspec.to_builtins(held) for held in identifiers],
        "lists": sorted(lists),
    }


def snapshots_of(
    ws: WorkingSet, card: Card, other: Card, held: list[Held], lists: set[int]
) -> dict[str, Any]:
    """Both cards before a merge: the absorbed one, and beside it the survivor, which goes on (D15)."""
    own = ws.identifiers_of(card.contact_id)
    survivor = snapshot_of(card, own, ws.lists_of(card.contact_id))
    return {**snapshot_of(other, held, lists), "survivor": survivor}


def rebuild(snapshot: dict[str, Any]) -> tuple[Card, list[Held], set[int]]:
    """What `snapshot_of` was given."""
    return (
        msgspec.convert(snapshot["card"], Card),
        [msgspec.convert(row, Held) for row in snapshot["identifiers"]],
        set(snapshot["lists"]),
    )
