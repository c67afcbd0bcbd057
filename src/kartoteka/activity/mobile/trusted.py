"""What a trusted app says is believed like a call of the shop's own server (decisions D7, D36)."""

from __future__ import annotations

import msgspec

from kartoteka.activity.keyed import Said, update_person
from kartoteka.activity.mobile.model import AppUpdate
from kartoteka.contacts.consent import set_subscriptions
from kartoteka.contacts.model import Outcome
from kartoteka.identity.policies import APP_SDK
from kartoteka.identity.working_set import WorkingSet


def update_by_app(ws: WorkingSet, command: AppUpdate) -> Outcome:
    """Find by External ID, device, token; else create; write what the app says (D7, D8, D10, D17)."""
    said = Said(
        command.call.contact, APP_SDK, command.origin, command.occurred, creates=command.creates
    )
    outcome = update_person(ws, said)
    if outcome.resolution.contact_id is not None:
        _lists_and_categories(ws, command, outcome)
    if outcome.said is not None:
        call = command.call
        outcome.said = msgspec.structs.replace(
            outcome.said, groups=call.groups, subscriptions=call.subscriptions
        )
    return outcome


def _lists_and_categories(ws: WorkingSet, command: AppUpdate, outcome: Outcome) -> None:
    """Wire 7.4. The categories are all there are: the SDK sends the whole list when it differs."""
    call, at, resolution = command.call, command.origin.at, outcome.resolution
    assert resolution.contact_id is not None
    card = ws.card(resolution.contact_id)
    if call.subscriptions:
        before = card.consent
        set_subscriptions(ws, card, call.subscriptions)
        if card.consent != before:
            card.updated_at = at
            if resolution.outcome == "unchanged":
                resolution.outcome = "updated"
    if call.groups or call.groups_exclude:
        ws.touch(card.contact_id)  # who absorbs it at this moment inherits the lists too
    for name in call.groups:
        ws.effect("list", name, card.contact_id, at)
    for name in call.groups_exclude:
        ws.effect("leave_list", name, card.contact_id)
