"""Telegram token: what a Telegram bot calls one chat (guide G2)."""

from __future__ import annotations

from kartoteka.identity.kinds.base import IdentifierKind
from kartoteka.identity.kinds.verbatim import verbatim

KIND = IdentifierKind(
    code=6,
    name="telegram_token",
    label="Telegram token",
    lasting=False,
    exclusive=True,
    normalise=verbatim("telegram_token"),
    examples=(("telegram-5512", "telegram-5512"), (" ", None), ("null", None), (None, None)),
)
