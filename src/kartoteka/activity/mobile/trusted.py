"""What a trusted app says is believed like a call of the shop's own server (decisions D7, D36)."""

from __future__ import annotations

import msgspec

from kartoteka.activity.mobile.model import AppUpdate
from kartoteka.contacts.consent import set_subscriptions
from kartoteka.contacts.model import Outcome
from kartoteka.contacts.settle import Settling, settle
from kartoteka.contacts.tokens import is_suppressed
from kartoteka.identity.history import Journal
from kartoteka.identity.model import Card, Notice, Resolution
from kartoteka.identity.policies import APP_SDK
from kartoteka.identity.rules import Create, Decision, Nobody, Restore, find
from kartoteka.identity.working_set import WorkingSet

RESTORING = msgspec.structs.replace(APP_SDK, restores=True)
"""A removed contact comes back by its External ID only (D8), never by a device (D10)."""


def update_by_app(ws: WorkingSet, command: AppUpdate) -> Outcome:
    """Find by External ID, device, token; else create; write what the app says (D7, D8, D10, D17)."""
    contact = command.call.contact
    person = contact.person
    resolution = Resolution(warnings=list(contact.warnings))
    decision = find(ws, person, APP_SDK)
    if isinstance(decision, Nobody):
        return _nobody(resolution)
    if is_suppressed(ws, person, decision):
        return Outcome(Resolution(None, "suppressed"))
    if isinstance(decision, Create) and not command.creates:
        return _nobody(resolution)
    journal = Journal(ws, command.origin)
    work = Settling(
        ws,
        person,
        contact.profile,
        RESTORING if _may_restore(decision, command) else APP_SDK,
        journal,
        resolution,
        occurred=command.occurred,
    )
    settled = settle(work, decision)
    _lists_and_categories(ws, command, settled.card, resolution)
    return Outcome(resolution, new=settled.new)


def _may_restore(decision: Decision, command: AppUpdate) -> bool:
    """D8: only what happened after the removal; what comes late is attached to the removed card."""
    if not isinstance(decision, Restore):
        return False
    removed_at = decision.card.removed_at
    return removed_at is None or (command.occurred or command.origin.at) > removed_at


def _nobody(resolution: Resolution) -> Outcome:
    text = "the app named nobody: no External ID, and a device that stands for nobody"
    resolution.warnings.append(Notice("no_identifier", text))
    resolution.outcome = "skipped"
    return Outcome(resolution)


def _lists_and_categories(
    ws: WorkingSet, command: AppUpdate, card: Card, resolution: Resolution
) -> None:
    """Wire 7.4. The categories are all there are: the SDK sends the whole list when it differs."""
    call, at = command.call, command.origin.at
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
