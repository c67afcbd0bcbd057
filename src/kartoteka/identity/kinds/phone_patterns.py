"""A quick way to read the usual spelling: country code and number, as the shop's system stores it.

It knows nothing by itself: the patterns come out of libphonenumber's own metadata, and whatever they
do not settle is left to libphonenumber. A test compares both on numbers of every region.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import phonenumbers
from phonenumbers import PhoneMetadata

_TYPES = (
    "fixed_line",
    "mobile",
    "toll_free",
    "premium_rate",
    "shared_cost",
    "voip",
    "personal_number",
    "pager",
    "uan",
    "voicemail",
)


class Patterns:
    """What a region's numbers look like, with and without its country code."""

    def __init__(self, code: str, national: re.Pattern[str], own: re.Pattern[str]) -> None:
        self.code = code
        self.national = national
        self.own = own


@cache
def patterns_of(region: str) -> Patterns | None:
    """The region's patterns; None where several regions share the country code."""
    code = phonenumbers.country_code_for_region(region)
    if not code or len(phonenumbers.region_codes_for_country_code(code)) != 1:
        return None
    metadata: Any = PhoneMetadata.metadata_for_region(region)
    general = metadata.general_desc
    kinds = [getattr(metadata, name) for name in _TYPES]
    valid = [_pattern(kind, general) for kind in kinds if kind and kind.national_number_pattern]
    prefix = metadata.national_prefix_for_parsing
    if not valid or (prefix and not prefix.isdigit()):
        return None
    barred = f"(?!{prefix})" if prefix else ""
    return Patterns(
        str(code),
        re.compile(f"{barred}(?:" + "|".join(valid) + ")", re.ASCII),
        re.compile(general.national_number_pattern, re.ASCII),
    )


def _pattern(kind: Any, general: Any) -> str:
    """One type of number: its pattern, at the lengths that the region has for it."""
    lengths = "|".join(
        f"[0-9]{{{n}}}" for n in kind.possible_length or general.possible_length if n > 0
    )
    return f"(?=(?:{lengths})$)(?:{kind.national_number_pattern})"


def read_quickly(digits: str, region: str) -> str | None:
    """The number if these digits, without plus, can only be the region's country code and a valid
    number of it; None leaves the answer to libphonenumber."""
    patterns = patterns_of(region)
    if patterns is None or not digits.startswith(patterns.code):
        return None
    national = digits[len(patterns.code) :]
    if len(national) < 6 or patterns.own.fullmatch(digits) is not None:
        return None
    if patterns.own.fullmatch(national) is None or patterns.national.fullmatch(national) is None:
        return None
    return digits
