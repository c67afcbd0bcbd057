"""What keyed callers say of a person beside what they did: trusted apps, Segment-style `identify`.

They are believed like a call of the shop's own server (decisions D17, D36), but restore only what was
removed before it happened, and never lift what an erase left (D8, D29).
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from kartoteka.contacts.addressed import is_suppressed
from kartoteka.contacts.model import ContactInput, Outcome, PutOn
from kartoteka.contacts.settle import Settling, settle
from kartoteka.identity.history import Journal
from kartoteka.identity.model import Notice, Origin, Policy, Resolution
from kartoteka.identity.rules import Create, Decision, Nobody, Restore, find
from kartoteka.identity.working_set import WorkingSet


class Said(msgspec.Struct, frozen=True):
    """What one keyed call says of a person."""

    contact: ContactInput
    policy: Policy
    origin: Origin
    occurred: datetime | None = None
    """When it happened: devices, tokens and cookies follow it (D12). None: now."""
    creates: bool = True


def update_person(ws: WorkingSet, said: Said) -> Outcome:
    """Find the person in the policy's order, else create; write what is said (D7, D8, D10, D17)."""
    person = said.contact.person
    resolution = Resolution(warnings=list(said.contact.warnings))
    decision = find(ws, person, said.policy)
    if isinstance(decision, Nobody):
        return nobody(resolution)
    if is_suppressed(ws, person, decision):
        return Outcome(Resolution(None, "suppressed"))
    if isinstance(decision, Create) and not said.creates:
        return nobody(resolution)
    policy = said.policy
    if _may_restore(decision, said):
        policy = msgspec.structs.replace(policy, restores=True)
    work = Settling(
        ws,
        person,
        said.contact.profile,
        policy,
        Journal(ws, said.origin),
        resolution,
        occurred=said.occurred,
    )
    settled = settle(work, decision)
    again = PutOn(
        origin=said.origin,
        contact=said.contact,
        policy=said.policy.name,
        occurred=said.occurred,
    )
    return Outcome(resolution, new=settled.new, said=again)


def _may_restore(decision: Decision, said: Said) -> bool:
    """D8: only what happened after the removal; what comes late is attached to the removed card."""
    if not isinstance(decision, Restore):
        return False
    removed_at = decision.card.removed_at
    return removed_at is None or (said.occurred or said.origin.at) > removed_at


def nobody(resolution: Resolution) -> Outcome:
    """Nothing that may find or create somebody was said."""
    text = "nobody has what was said, and it may create nobody"
    resolution.warnings.append(Notice("no_identifier", text))
    resolution.outcome = "skipped"
    return Outcome(resolution)
