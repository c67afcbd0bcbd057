"""The phone number: digits of E.164 without plus (decisions D4)."""

from __future__ import annotations

import re

from kartoteka.segments.conditions.base import column, of_column

_NOT_DIGITS = re.compile(r"[\s()+./-]")


def clean_phone(text: str) -> str:
    """The number, or the beginning of one, as it is stored."""
    return _NOT_DIGITS.sub("", text) or text.strip()


CONDITIONS = (
    of_column(
        "sms",
        "Channels",
        column("Phone", "phone", clean=clean_phone),
        {"operator": "starts_with", "value": "+380 67"},
    ),
)
