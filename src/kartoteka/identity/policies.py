"""What each method may do, a line each (decisions D7, D10, D17, D29)."""

from __future__ import annotations

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
