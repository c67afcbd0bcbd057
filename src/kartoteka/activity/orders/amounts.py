"""Amounts as shops write them: numbers, texts, blanks (wire 1.4, clients 2)."""

from __future__ import annotations

import re
from decimal import Decimal

from kartoteka.contacts.values.errors import InvalidValue
from kartoteka.contacts.values.text import number_text
from kartoteka.identity.text import is_absent

MOST_WHOLE_DIGITS = 15
MOST_DECIMALS = 10
_MOST = 10**MOST_WHOLE_DIGITS - 1
_PLAIN = re.compile(r"(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,10})?")
_AMOUNT = re.compile(rf"([+-]?)0*([0-9]{{1,{MOST_WHOLE_DIGITS}}})(\.[0-9]{{0,{MOST_DECIMALS}}})?")


def read_amount(value: object, field: str) -> Decimal | None:
    """The amount exactly as written, None if absent. Raises `InvalidValue`.

    A point before the decimals, nothing between the thousands: anything else could be read two ways.
    """
    if type(value) is int and -_MOST <= value <= _MOST:
        return Decimal(value)
    if type(value) is str and _PLAIN.fullmatch(value):  # by far the most
        return Decimal(value)
    if is_absent(value):
        return None
    text = value.strip() if isinstance(value, str) else _digits(value, field)
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise InvalidValue(
            field,
            f"must be an amount such as 258.00: up to {MOST_WHOLE_DIGITS} digits, "
            f"up to {MOST_DECIMALS} behind the point",
        )
    return Decimal(found[1] + found[2] + (found[3] or "").rstrip("."))


def _digits(value: object, field: str) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidValue(field, "must be a number")
    return number_text(value) or ""
