"""Consent on the card: channel and category states, and what an address refuses by itself.

States stand in `card.consent` under "email", "sms" and "category:<key>". A refusal that belongs to an
address (unsubscribe list, spam, blacklist) outlives the card that had it (decisions D10, D14, D29).
"""

from __future__ import annotations

from kartoteka.identity.kinds import EMAIL, PHONE
from kartoteka.identity.model import Card, Consent, Identifier, Key
from kartoteka.identity.rules import Person, is_refusal
from kartoteka.identity.working_set import WorkingSet

CHANNEL = {EMAIL.code: "email", PHONE.code: "sms"}


def addresses(person: Person) -> list[Key]:
    """What refusals and suppressions are looked up by."""
    return [one.key for one in (person.external_id, person.email, person.phone) if one]


def refusal_of(ws: WorkingSet, one: Identifier) -> int | None:
    """The strictest refusal that this address brings along, of live lists or of an erased card."""
    states = [state for _, state in ws.suppressed.get(one.key, []) if state is not None]
    if state := ws.refusals.get(one.key):
        states.append(state)
    return max(states, default=None)


def state_for_new_address(
    ws: WorkingSet, card: Card, one: Identifier, given: Consent | None
) -> dict[str, int]:
    """The card's consent after it got this address: its own refusals and the person's stay.

    `given` is what the method grants: POST contact confirms an e-mail, subscribe leaves it
    unconfirmed (wire 3.1, 3.6). Spam and blacklist belong to the old address and go with it.
    """
    channel = CHANNEL[one.kind]
    if channel not in card.consent and one.key not in ws.suppressed and one.key not in ws.refusals:
        return card.consent if given is None else {**card.consent, channel: int(given)}
    states = [state for state in (refusal_of(ws, one), given) if state is not None]
    if card.consent.get(channel) == Consent.UNSUBSCRIBED:
        states.append(Consent.UNSUBSCRIBED)
    consent = {name: state for name, state in card.consent.items() if name != channel}
    if states:
        consent[channel] = int(max(states))
    return consent


def lift_suppression(ws: WorkingSet, person: Person) -> None:
    """D29: the person or their shop just named them, so they may be stored again.

    What their address had refused stays refused: it moves from the hash to the address.
    """
    for key in addresses(person):
        for contact_id, refusal in ws.suppressed.get(key, []):
            if not ws.take_back("suppress", key, contact_id):
                ws.effect("lift", key, contact_id)
            if refusal is not None and is_refusal(refusal):
                refuse(ws, key, refusal)
        ws.suppressed[key] = []


def refuse(ws: WorkingSet, key: Key, state: int) -> None:
    """The address refuses this from now on, for the next command of the batch too."""
    ws.take_back("forgive", key[1])
    ws.effect("refuse", key[0], key[1], state)
    ws.refusals[key] = max(state, ws.refusals.get(key, 0))


def forgive(ws: WorkingSet, key: Key) -> None:
    """The address is off the unsubscribe list; spam reports and the blacklist stay."""
    if ws.refusals.get(key, 0) <= Consent.UNSUBSCRIBED:
        ws.take_back("refuse", *key)
        ws.effect("forgive", key[1])
        ws.refusals[key] = 0


def category(key: str) -> str:
    return "category:" + key


def subscribed_to(card: Card) -> list[str]:
    """Keys of the categories that the card is subscribed to, in order."""
    prefix = category("")
    return sorted(
        name[len(prefix) :]
        for name, state in card.consent.items()
        if name.startswith(prefix) and state == Consent.SUBSCRIBED
    )


def subscribe_to(ws: WorkingSet, card: Card, keys: tuple[str, ...]) -> None:
    """Add these categories to the card."""
    for key in keys:
        ws.effect("category", key)
    card.consent = {**card.consent, **{category(key): int(Consent.SUBSCRIBED) for key in keys}}


def set_subscriptions(ws: WorkingSet, card: Card, keys: tuple[str, ...]) -> None:
    """Make these the card's categories: what it had besides is unsubscribed (wire 3.13)."""
    left = [key for key in subscribed_to(card) if key not in keys]
    card.consent = {**card.consent, **{category(key): int(Consent.UNSUBSCRIBED) for key in left}}
    subscribe_to(ws, card, keys)
