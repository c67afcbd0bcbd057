"""The language of a contact, as RFC 5646 spells it (wire 2.7)."""

from __future__ import annotations

import re

from kartoteka.contacts.values.errors import InvalidValue
from kartoteka.identity.text import is_absent

FIELD = "languageCode"
MAX_CHARS = 35

_CANONICAL = re.compile(r"[a-z]{2}(-[A-Z]{2})?")
# RFC 5646 2.1: language, extended language, script, region, variants, extensions, private use. No
# language has a primary tag longer than three letters, so `English` is none.
_TAG = re.compile(
    r"(?P<language>[a-z]{2,3}(?:-[a-z]{3}){0,3})"
    r"(?:-(?P<script>[a-z]{4}))?"
    r"(?:-(?P<region>[a-z]{2}|[0-9]{3}))?"
    r"(?P<rest>(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*"
    r"(?:-[0-9a-wy-z](?:-[a-z0-9]{2,8})+)*"
    r"(?:-x(?:-[a-z0-9]{1,8})+)?)"
)


def clean_language(value: object) -> str | None:
    """The language tag as usually spelled (`en-us`, `en_US`: `en-US`), or None if absent.

    The form is checked, not the registry of languages. Raises `InvalidValue`.
    """
    if isinstance(value, str) and _CANONICAL.fullmatch(value):
        return value
    if is_absent(value):
        return None
    if not isinstance(value, str):
        raise InvalidValue(FIELD, "must be a text")
    text = value.strip().replace("_", "-").lower() if len(value) <= 4 * MAX_CHARS else ""
    tag = _TAG.fullmatch(text) if len(text) <= MAX_CHARS else None
    if tag is None:
        raise InvalidValue(FIELD, "is not a language code such as uk or en-US")
    return _spell(tag)


def _spell(tag: re.Match[str]) -> str:
    parts = [tag["language"], (tag["script"] or "").title(), (tag["region"] or "").upper()]
    return "-".join(part for part in parts if part) + tag["rest"]
