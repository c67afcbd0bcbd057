"""Flips of the rules that find the card: D6 to D10a."""

from __future__ import annotations

from tests.mutate.mutation import Mutation

RULES = "identity/rules.py"
POLICIES = "identity/policies.py"
CHANGES = "identity/changes.py"
TOKENS = "contacts/tokens.py"
ADDRESSED = "contacts/addressed.py"

FINDING = [
    Mutation(
        "D6",
        "an account's never-identifier finds nobody",
        RULES,
        "    if is_never(ws.settings, one.kind, one.value):\n        return []",
        "    if False:\n        return []",
    ),
    Mutation(
        "D6",
        "a never-identifier alone creates nobody",
        RULES,
        "        and not is_never(ws.settings, one.kind, one.value)\n",
        "",
    ),
    Mutation(
        "D6",
        "a quarantined token alone creates nobody",
        RULES,
        "        and not is_quarantined(ws, one.key)\n",
        "",
    ),
    Mutation(
        "D6",
        "what comes late of the time in quarantine is nobody's",
        CHANGES,
        'change.ws.effect("linked", *held.key, home_of(held), QUARANTINED, held.since, rule)',
        "pass",
    ),
    Mutation(
        "D6",
        "more than 50 External IDs",
        CHANGES,
        "if len(senders) > MOST_SENDERS:",
        "if len(senders) >= MOST_SENDERS:",
    ),
    Mutation(
        "D6",
        "the holder's External ID counts too",
        CHANGES,
        "for one in (former, card)",
        "for one in (former,)",
    ),
    Mutation(
        "D7",
        "POST contact: e-mail, then phone",
        POLICIES,
        "_BY_EMAIL = (EMAIL.code, PHONE.code, *CHANGEABLE)",
        "_BY_EMAIL = (PHONE.code, EMAIL.code, *CHANGEABLE)",
    ),
    Mutation(
        "D7",
        "tokens, then device, then cookie",
        POLICIES,
        "CHANGEABLE = (*TOKENS, DEVICE.code, WEB_COOKIE.code)",
        "CHANGEABLE = (WEB_COOKIE.code, DEVICE.code, *TOKENS)",
    ),
    Mutation(
        "D7",
        "subscribe: e-mail, then phone",
        POLICIES,
        '    "subscribeContact",\n    (EMAIL.code, PHONE.code),',
        '    "subscribeContact",\n    (PHONE.code, EMAIL.code),',
    ),
    Mutation(
        "D7",
        "subscribe looks for no token of a named person",
        POLICIES,
        '    "subscribeContact",\n    (EMAIL.code, PHONE.code),',
        '    "subscribeContact",\n    _BY_EMAIL,',
    ),
    Mutation(
        "D7",
        "subscribe of a device finds it again",
        POLICIES,
        "    order_if_anonymous=CHANGEABLE,\n",
        "",
    ),
    Mutation(
        "D7",
        "app tokens: phone, then e-mail",
        POLICIES,
        '    "addAppTokens",\n    (PHONE.code, EMAIL.code),',
        '    "addAppTokens",\n    (EMAIL.code, PHONE.code),',
    ),
    Mutation(
        "D8",
        "the External ID decides first",
        RULES,
        "    if person.external_id is not None:\n        return _find_by_external_id",
        "    if person.external_id is not None and not person.email:\n"
        "        return _find_by_external_id",
    ),
    Mutation(
        "D8",
        "a removed contact is restored by its External ID",
        RULES,
        "        if card.status == Status.REMOVED:\n            return Restore(card, EXTERNAL_ID",
        "        if card.status == Status.MERGED:\n            return Restore(card, EXTERNAL_ID",
    ),
    Mutation(
        "D8",
        "an app token restores nobody",
        "contacts/settle.py",
        "isinstance(decision, Restore) and work.policy.restores)",
        "isinstance(decision, Restore))",
    ),
    Mutation(
        "D8",
        "another's External ID beside a contactId is ignored",
        ADDRESSED,
        "if owners and owners != [card.contact_id]:",
        "if False:",
    ),
    Mutation(
        "D8",
        "an unknown contactId is as if absent",
        ADDRESSED,
        "    if contact_id is not None and card is None:\n",
        "    if False:\n",
    ),
    Mutation(
        "D9",
        "never a contact with another External ID",
        RULES,
        "            for card in cards_found(ws, person, kind, Status.LIVE)\n"
        "            if not card.has_external_id and may_take(",
        "            for card in cards_found(ws, person, kind, Status.LIVE)\n            if may_take(",
    ),
    Mutation(
        "D9",
        "an unknown External ID joins the found card",
        "contacts/settle.py",
        "    may_set = work.policy.sets_external_id and not card.has_external_id\n",
        "    may_set = False\n",
    ),
    Mutation(
        "D10",
        "removed: only one without an External ID",
        RULES,
        "                for card in cards_found(ws, person, kind, Status.REMOVED)\n"
        "                if not card.has_external_id and may_take(",
        "                for card in cards_found(ws, person, kind, Status.REMOVED)\n"
        "                if may_take(",
    ),
    Mutation(
        "D10",
        "removed: only by POST contact and subscribe",
        RULES,
        "    if policy.restores:\n        for kind in order:",
        "    if True:\n        for kind in order:",
    ),
    Mutation(
        "D10",
        "removed: only where no live contact is found",
        RULES,
        "        if candidates:\n            return Found(best(candidates), BY_CODE[kind].name, "
        '"found_by_"',
        "        if candidates and False:\n            return Found(best(candidates), "
        'BY_CODE[kind].name, "found_by_"',
    ),
    Mutation(
        "D10",
        "of several: with External ID first",
        RULES,
        "return (not card.has_external_id, -updated, card.contact_id)",
        "return (card.has_external_id, -updated, card.contact_id)",
    ),
    Mutation(
        "D10",
        "then the most recently updated",
        RULES,
        "return (not card.has_external_id, -updated, card.contact_id)",
        "return (not card.has_external_id, updated, card.contact_id)",
    ),
    Mutation(
        "D10",
        "then the smaller id",
        RULES,
        "return (not card.has_external_id, -updated, card.contact_id)",
        "return (not card.has_external_id, -updated, -card.contact_id)",
    ),
    Mutation(
        "D10",
        "a cookie alone never creates",
        POLICIES,
        "_CREATES = frozenset((EMAIL.code, PHONE.code, *TOKENS, DEVICE.code))",
        "_CREATES = frozenset((EMAIL.code, PHONE.code, *CHANGEABLE))",
    ),
    Mutation(
        "D10",
        "token and device do create",
        POLICIES,
        "_CREATES = frozenset((EMAIL.code, PHONE.code, *TOKENS, DEVICE.code))",
        "_CREATES = frozenset((EMAIL.code, PHONE.code))",
    ),
    Mutation(
        "D10",
        "an app token alone names nobody",
        POLICIES,
        "    frozenset((PHONE.code, EMAIL.code)),",
        "    _CREATES,",
    ),
    Mutation(
        "D10",
        "an address keeps its own refusals",
        "contacts/consent.py",
        "    if state := ws.refusals.get(one.key):",
        "    if state := None:",
    ),
    Mutation(
        "D10a",
        "an e-mail is enough",
        RULES,
        "    if EMAIL.code in kinds:\n        return True",
        "    if EMAIL.code in kinds:\n        return not contradicts_lasting(card, person)",
    ),
    Mutation(
        "D10a",
        "a device must not contradict e-mail or phone",
        RULES,
        "    if kinds == {PHONE.code} or contradicts_lasting(card, person):",
        "    if kinds == {PHONE.code}:",
    ),
    Mutation(
        "D10a",
        "only a phone is not a phone and a device",
        RULES,
        "    if kinds == {PHONE.code} or contradicts_lasting(card, person):",
        "    if PHONE.code in kinds or contradicts_lasting(card, person):",
    ),
    Mutation(
        "D10a",
        "a known person's device: no other lasting identifier",
        RULES,
        "    return not person.names_lasting()\n\n\ndef contradicts_lasting",
        "    return True\n\n\ndef contradicts_lasting",
    ),
    Mutation(
        "D10a",
        "a device's card with another e-mail",
        RULES,
        "card.email is not None and card.email != person.email.value:",
        "False:",
    ),
    Mutation(
        "D10a",
        "a device's card with another phone",
        RULES,
        "    return bool(person.phone and card.phone is not None and card.phone != ",
        "    return bool(False and card.phone != ",
    ),
    Mutation(
        "D10a",
        "subscribe takes a card found only by phone",
        RULES,
        "    if policy.phone_alone_suffices:\n        return True",
        "    if policy.phone_alone_suffices:\n        pass",
    ),
    Mutation(
        "D10a",
        "only subscribe does",
        RULES,
        "    if policy.phone_alone_suffices:\n        return True",
        "    if True:\n        return True",
    ),
    Mutation(
        "D10a",
        "found by phone: its e-mail is missing or the request's",
        RULES,
        "    if card.email is not None and (person.email is None or person.email.value != "
        "card.email):\n        return False",
        "    if card.email is not None and person.email is not None and person.email.value != "
        "card.email:\n        return False",
    ),
    Mutation(
        "D10a",
        "found by phone with a new External ID: names agree",
        RULES,
        "        return False\n    return person.external_id is None or not names_disagree(card, "
        "person)\n",
        "        return False\n    return True\n",
    ),
    Mutation(
        "D10a",
        "names matter with a new External ID only",
        RULES,
        "        return False\n    return person.external_id is None or not names_disagree(card, "
        "person)\n",
        "        return False\n    return not names_disagree(card, person)\n",
    ),
    Mutation(
        "D10a",
        "first and last name",
        RULES,
        "    return names_contradict(card.first_name, person.first_name) or names_contradict(\n"
        "        card.last_name, person.last_name\n    )",
        "    return names_contradict(card.first_name, person.first_name)",
    ),
    Mutation(
        "D10a",
        "setting phone_is_personal",
        RULES,
        "    if settings.phone_is_personal:\n",
        "    if False:\n",
    ),
    Mutation(
        "D10a",
        "phone_is_personal: only without External ID",
        RULES,
        "        return not card.has_external_id\n    if card.email is not None and (",
        "        return True\n    if card.email is not None and (",
    ),
]
