"""The identifier kinds (decisions D1). A new kind is a file beside these and a line in `KINDS`."""

from __future__ import annotations

from typing import Final

from kartoteka.identity.kinds import (
    device,
    email,
    external_id,
    mobile_token,
    phone,
    telegram_token,
    web_cookie,
    web_token,
)
from kartoteka.identity.kinds.base import (
    DEFAULT_REGION,
    IdentifierKind,
    InvalidIdentifier,
    Region,
)

__all__ = [
    "BY_CODE",
    "BY_NAME",
    "DEFAULT_REGION",
    "DEVICE",
    "EMAIL",
    "EXTERNAL_ID",
    "KINDS",
    "MOBILE_TOKEN",
    "PHONE",
    "TELEGRAM_TOKEN",
    "WEB_COOKIE",
    "WEB_TOKEN",
    "IdentifierKind",
    "InvalidIdentifier",
    "Region",
]

KINDS: Final[tuple[IdentifierKind, ...]] = (
    EXTERNAL_ID := external_id.KIND,
    EMAIL := email.KIND,
    PHONE := phone.KIND,
    MOBILE_TOKEN := mobile_token.KIND,
    WEB_TOKEN := web_token.KIND,
    TELEGRAM_TOKEN := telegram_token.KIND,
    DEVICE := device.KIND,
    WEB_COOKIE := web_cookie.KIND,
)

BY_CODE: Final = {kind.code: kind for kind in KINDS}
BY_NAME: Final = {kind.name: kind for kind in KINDS}
