"""What each method may do, a line each (decisions D7, D10, D17, D29)."""

from __future__ import annotations

import msgspec

from kartoteka.identity.kinds import (
    DEVICE,
    EMAIL,
    KINDS,
    MOBILE_TOKEN,
    PHONE,
    TELEGRAM_TOKEN,
    WEB_COOKIE,
    WEB_TOKEN,
)
from kartoteka.identity.model import Policy

TOKENS = (MOBILE_TOKEN.code, WEB_TOKEN.code, TELEGRAM_TOKEN.code)
CHANGEABLE = (*TOKENS, DEVICE.code, WEB_COOKIE.code)
EXCLUSIVE = frozenset(kind.code for kind in KINDS if kind.exclusive)
LASTING = frozenset(kind.code for kind in KINDS if kind.lasting)

_CREATES = frozenset((EMAIL.code, PHONE.code, *TOKENS, DEVICE.code))
_BY_EMAIL = (EMAIL.code, PHONE.code, *CHANGEABLE)

ADD_CONTACT = Policy("addContact", _BY_EMAIL, "API", _CREATES, lifts_suppression=True)
MANUAL_CONTACT = Policy("manualContact", _BY_EMAIL, "MANUAL", _CREATES, lifts_suppression=True)
SUBSCRIBE = Policy(
    "subscribeContact",
    (EMAIL.code, PHONE.code),
    "SUBSCRIPTION",
    _CREATES,
    order_if_anonymous=CHANGEABLE,
    replaces=False,
    phone_alone_suffices=True,
    lifts_suppression=True,
)
UPDATE_CONTACT = Policy("updateContact", (), "API", frozenset(), lifts_suppression=True)
IMPORT_ROW = Policy("importRow", _BY_EMAIL, "IMPORT", _CREATES, takes_from_known=False)
"""By External ID; `contacts/bulk.py` puts another unique field's kinds in place of the order (D7)."""
APP_TOKEN = Policy(
    "addAppTokens",
    (PHONE.code, EMAIL.code),
    "API",
    frozenset((PHONE.code, EMAIL.code)),
    restores=False,
    replaces=False,
    fills=False,
    absorbs=False,
    writes_profile=False,
)
APP_SDK = Policy(
    "mobileSdk",
    (DEVICE.code, MOBILE_TOKEN.code),
    "MOBILE_SDK",
    _CREATES,
    restores=False,
)
"""A call of a trusted app; of the others `activity/mobile/claims.py` says what they may do (D36)."""
IDENTIFY = Policy("segmentIdentify", _BY_EMAIL, "API", _CREATES, restores=False)
"""Of a server or write key; a browser's `identify` is a claim (D36)."""
EVENT = msgspec.structs.replace(
    APP_TOKEN,
    name="event",
    order=_BY_EMAIL,
    source="EVENT",
    creates_by=_CREATES,
    sets_external_id=False,
    absorbs=True,
    absorbs_lasting=False,
)
"""D17: events write no field, e-mail, phone or External ID to the card that they find."""
EVENT_BY_ID = msgspec.structs.replace(EVENT, fills=True, sets_external_id=True)
"""D17: unless contactId names the card and it has none."""
ORDER = Policy(
    "ordersBulkInsert",
    _BY_EMAIL,
    "ORDER",
    _CREATES,
    restores=False,
    replaces=False,
    absorbs_lasting=False,
    writes_profile=False,
)
"""A new order; one that is dated after the removal of its contact restores it, and one that is dated
after an erase lifts the suppression (D8, D29): `activity/orders/rules.py`."""
