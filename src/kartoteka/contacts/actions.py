"""What one can do with a card: one function a command, each the story of a method.

`ACTIONS` is what `intake` is handed: it knows every command. The functions read and change a
`WorkingSet` only; they raise errors of `errors.py` before they change anything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from kartoteka.contacts.bulk import import_row
from kartoteka.contacts.clearing import clear_fields
from kartoteka.contacts.consent import forgive, set_subscriptions, subscribe_to
from kartoteka.contacts.filling import BY_APP, tell_by_app
from kartoteka.contacts.lists import attach_contacts, detach_contacts, empty_list
from kartoteka.contacts.merging import keep_apart, merge_contacts
from kartoteka.contacts.model import (
    ActivateToken,
    AddAppToken,
    AddContact,
    AttachContacts,
    Command,
    DetachContacts,
    EmptyList,
    ImportRow,
    MergeContacts,
    MuteToken,
    NotTheSame,
    Outcome,
    PutOn,
    RefuseAddresses,
    ReleaseValue,
    RemoveContact,
    SetSubscriptions,
    Subscribe,
    UndoMerge,
    UpdateContact,
)
from kartoteka.contacts.quarantine import release_value
from kartoteka.contacts.refusals import refuse_addresses
from kartoteka.contacts.removal import remove_contact
from kartoteka.contacts.retelling import Say
from kartoteka.contacts.settle import Settling, settle
from kartoteka.contacts.tokens import activate_token, add_app_token, mute_token
from kartoteka.contacts.undo import undo_merge
from kartoteka.errors import ExternalIdTaken, NoIdentifier, NotFound
from kartoteka.identity.history import Journal
from kartoteka.identity.model import Card, Consent, Identifier, Notice, Resolution, Status
from kartoteka.identity.policies import (
    ADD_CONTACT,
    APP_SDK,
    EVENT,
    EVENT_BY_ID,
    IDENTIFY,
    MANUAL_CONTACT,
    ORDER,
    SUBSCRIBE,
    UPDATE_CONTACT,
)
from kartoteka.identity.proof import prove_consent
from kartoteka.identity.rules import Decision, Found, Nobody, Person, Restore, find
from kartoteka.identity.sides import side_of, speak_as
from kartoteka.identity.working_set import WorkingSet


def add_contact(ws: WorkingSet, command: AddContact, decision: Decision | None = None) -> Outcome:
    """POST /api/v1/contact: find by External ID, else by other identifiers, else create (G8).

    `decision`, here as below: whose card it is, if that is known (`retelling.py`).
    """
    resolution = Resolution(warnings=list(command.contact.warnings))
    policy = MANUAL_CONTACT if command.manual else ADD_CONTACT
    if decision is None:
        decision = find(ws, command.contact.person, policy)
    if isinstance(decision, Nobody):
        raise NoIdentifier
    work = Settling(
        ws,
        command.contact.person,
        command.contact.profile,
        policy,
        Journal(ws, command.origin),
        resolution,
    )
    settled = settle(work, decision)
    return Outcome(resolution, new=settled.new)


def update_contact(ws: WorkingSet, command: UpdateContact) -> Outcome:
    """PUT /api/v1/contact/{id}: addressed by its path, never creates, restores (G9, D11, D16)."""
    card = follow(ws, command.contact_id)
    speak_as(ws, card, command.contact_id)
    person = command.contact.person
    journal = Journal(ws, command.origin)
    _refuse_taken(ws, card, person, journal)
    resolution = Resolution(warnings=list(command.contact.warnings))
    decision = (
        Restore(card, "contact_id", "restored_by_contact_id")
        if card.status == Status.REMOVED
        else Found(card, "contact_id", "contact_id")
    )
    if command.clear:
        ws.identifiers_of(card.contact_id)
    work = Settling(
        ws,
        person,
        command.contact.profile,
        UPDATE_CONTACT,
        journal,
        resolution,
        replace_external_id=True,
    )
    settle(work, decision)
    if command.clear and clear_fields(ws, card, command.clear, command.contact, journal):
        if resolution.outcome == "unchanged":
            resolution.outcome = "updated"
        if not ws.identifiers_of(card.contact_id):
            resolution.warnings.append(
                Notice("no_identifier_left", "nothing but its contact id finds this contact now")
            )
    return Outcome(resolution)


def _refuse_taken(ws: WorkingSet, card: Card, person: Person, journal: Journal) -> None:
    """G9.1, D11: another contact's External ID, live or removed, former or not, is refused."""
    if person.external_id is None:
        return
    for held in ws.holders(person.external_id.key):
        if held.contact_id != card.contact_id:
            owner = ws.card(held.contact_id)
            journal.note("refused", "external_id_taken", card.contact_id, other=owner.contact_id)
            raise external_id_taken(owner)


def external_id_taken(owner: Card) -> ExternalIdTaken:
    """D11: names the owner and, if it is removed, what frees the ID."""
    removed = owner.status == Status.REMOVED
    text = f"This External ID belongs to the contact with id='{owner.contact_id}'"
    if removed:
        text += ", which is removed: restoring or erasing it frees the External ID"
    return ExternalIdTaken(text + ".", contactId=owner.contact_id, removed=removed)


def subscribe_contact(
    ws: WorkingSet, command: Subscribe, decision: Decision | None = None
) -> Outcome:
    """POST /api/v1/contact/subscribe: fills, never replaces; lists, categories, one event (G11)."""
    contact = command.contact
    resolution = Resolution(warnings=list(contact.warnings))
    if decision is None:
        decision = find(ws, contact.person, SUBSCRIBE)
    if isinstance(decision, Nobody):
        raise NoIdentifier
    before = None if not isinstance(decision, (Found, Restore)) else decision.card
    known_email = before.email if before else None
    journal = Journal(ws, command.origin)
    work = Settling(
        ws,
        contact.person,
        contact.profile,
        SUBSCRIBE,
        journal,
        resolution,
        email_state=Consent.UNCONFIRMED,
    )
    settled = settle(work, decision)
    card = settled.card
    consent = card.consent
    status = _email_status(ws, card, known_email, contact.person.email)
    subscribe_to(ws, card, command.subscriptions)
    if card.consent != consent:
        card.updated_at = command.origin.at
        prove_consent(card, consent, command.origin, resolution.matched_by, "subscribed")
        resolution.outcome = "updated" if resolution.outcome == "unchanged" else resolution.outcome
    ws.touch(card.contact_id)  # the event and the lists are the card's, though not in its row
    for name in command.groups:
        ws.effect("list", name, card.contact_id, command.origin.at)
    _subscribe_event(ws, command, card, settled.new)
    return Outcome(resolution, new=settled.new, email_status=status)


def _email_status(
    ws: WorkingSet, card: Card, known_email: str | None, named: Identifier | None
) -> str | None:
    """Wire 3.6: what subscribing did to the stored address; nothing to say without one.

    Only who names the stored address ends its unsubscription: a phone or another mailbox does not.
    """
    if card.email is None:
        return None
    state = card.consent.get("email", Consent.SUBSCRIBED)
    if state >= Consent.SPAM:
        return "BLACKLISTED"
    if state == Consent.UNCONFIRMED or card.email != known_email:
        return "NEED_CONFIRMATION"
    if state == Consent.SUBSCRIBED:
        return "ALREADY_SUBSCRIBED"
    if named is None or named.value != card.email:
        return "NEED_CONFIRMATION"
    card.consent = {**card.consent, "email": int(Consent.SUBSCRIBED)}
    forgive(ws, named.key)
    return "SUBSCRIBED"


def _subscribe_event(ws: WorkingSet, command: Subscribe, card: Card, new: bool) -> None:
    """Wire 3.6: subscribeFromApi or subscribeUpdateFromApi, with the form's name behind a dash."""
    key = "subscribeFromApi" if new else "subscribeUpdateFromApi"
    if command.form_type:
        key += "-" + command.form_type
    owner = side_of(ws, card.contact_id)
    params: dict[str, Any] = {"ContactId": owner}
    if command.contact.person.email:
        params["EmailAddress"] = command.contact.person.email.value
    ws.effect("event", owner, key, str(owner), command.origin.at, params)


def change_subscriptions(ws: WorkingSet, command: SetSubscriptions) -> Outcome:
    """PUT /api/v1/contact/{id}/subscriptions: exactly these categories (wire 3.13)."""
    card = follow(ws, command.contact_id)
    if card.status != Status.LIVE:
        raise NotFound("No contact has this id.")
    speak_as(ws, card, command.contact_id)
    before = card.consent
    set_subscriptions(ws, card, command.subscriptions)
    if card.consent != before:
        card.updated_at = command.origin.at
        prove_consent(card, before, command.origin, "contact_id", "subscriptions")
    outcome = "unchanged" if card.consent == before else "updated"
    return Outcome(Resolution(card.contact_id, outcome, "contact_id", "contact_id"))


def follow(ws: WorkingSet, contact_id: int) -> Card:
    """The card that holds this id now, through any chain of merges (D14); NotFound if none does."""
    card = ws.known_card(contact_id)
    while card is not None and card.status == Status.MERGED:
        card = ws.known_card(card.merged_into or 0)
    if card is None or card.status == Status.ERASED:
        raise NotFound("No contact has this id.")
    return card


_PUT_BY = {
    "order": ORDER,
    "known_order": ORDER,
    "event": EVENT,
    "event_by_id": EVENT_BY_ID,
    APP_SDK.name: APP_SDK,
    IDENTIFY.name: IDENTIFY,
}


def _put_on(ws: WorkingSet, command: PutOn, decision: Decision) -> None:
    """What an order, event, app or `identify` said, told again to one of the people on a merged card."""
    assert isinstance(decision, (Found, Restore))
    if command.policy == BY_APP:
        tell_by_app(ws, decision.card, command)
        return
    policy = _PUT_BY[command.policy]
    occurred = command.occurred
    if isinstance(decision, Restore):
        late = (occurred or command.origin.at) <= (decision.card.removed_at or command.origin.at)
        if not late and command.policy != "known_order":
            policy = msgspec.structs.replace(policy, restores=True)
        elif command.policy not in (APP_SDK.name, IDENTIFY.name):
            return  # of orders and events the removed contact is told nothing
    if occurred is not None and policy.name == ORDER.name:
        occurred = min(occurred, command.origin.at)
    work = Settling(
        ws,
        command.contact.person,
        command.contact.profile,
        policy,
        Journal(ws, command.origin),
        Resolution(),
        occurred=occurred,
    )
    card = settle(work, decision).card
    if command.subscriptions:
        before = card.consent
        set_subscriptions(ws, card, command.subscriptions)
        if card.consent != before:
            card.updated_at = command.origin.at
    for name in command.groups:
        ws.effect("list", name, card.contact_id, command.origin.at)


def _touch(_: WorkingSet, command: Command, decision: Decision) -> None:
    """The token's row has what was said of it; the card was changed then."""
    assert isinstance(decision, (Found, Restore))
    decision.card.updated_at = command.origin.at


_SAY: Say = {
    AddContact: add_contact,
    UpdateContact: lambda ws, command, _: update_contact(ws, command),
    Subscribe: subscribe_contact,
    ImportRow: import_row,
    AddAppToken: add_app_token,
    ActivateToken: _touch,
    MuteToken: _touch,
    SetSubscriptions: lambda ws, command, _: change_subscriptions(ws, command),
    RefuseAddresses: lambda ws, command, _: refuse_addresses(ws, command),
    RemoveContact: lambda ws, command, _: remove_contact(ws, command),
    PutOn: _put_on,
}
"""What can be told again to a card of which it is known that it was meant (`undo.py`)."""


ACTIONS: dict[type[Command], Callable[[WorkingSet, Any], Outcome]] = {
    AddContact: add_contact,
    UpdateContact: update_contact,
    Subscribe: subscribe_contact,
    RemoveContact: remove_contact,
    SetSubscriptions: change_subscriptions,
    AddAppToken: add_app_token,
    ActivateToken: activate_token,
    MuteToken: mute_token,
    RefuseAddresses: refuse_addresses,
    ImportRow: import_row,
    AttachContacts: attach_contacts,
    DetachContacts: detach_contacts,
    EmptyList: empty_list,
    MergeContacts: merge_contacts,
    UndoMerge: lambda ws, command: undo_merge(ws, command, _SAY),
    NotTheSame: keep_apart,
    ReleaseValue: release_value,
}
"""What `intake` is handed: it carries a command out on the working set; `Missing` when something has
to be loaded first."""
