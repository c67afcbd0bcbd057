"""The e-mail address and its domain: stored in lower case, the domain as A-label (decisions D4)."""

from __future__ import annotations

import re

import idna

from kartoteka.segments.conditions.base import Source, Subject, ValueType, column, of_column

_BEFORE = re.compile(r"^[@\s]+")
_DOTS = re.compile("[.\u3002\uff0e\uff61]")
"""As IDNA reads them."""


def clean_domain(text: str) -> str:
    """The domain, or some labels of one (`.рф`), as it is stored; what is no domain finds nothing."""
    text = _BEFORE.sub("", text).rstrip().lower()
    return text if text.isascii() else ".".join(_label(one) for one in _DOTS.split(text))


def _label(text: str) -> str:
    try:
        return text if text.isascii() else idna.encode(text, uts46=True).decode("ascii")
    except idna.IDNAError:
        return text


def clean_email(text: str) -> str:
    """The address, or the part of one, as it is stored."""
    name, at, domain = text.strip().rpartition("@")
    return f"{name.lower()}{at}{clean_domain(domain) if at else domain.lower()}"


def _domain(who: Subject) -> str | None:
    return None if who.card.email is None else who.card.email.rpartition("@")[2]


CONDITIONS = (
    of_column(
        "email",
        "Channels",
        column("E-mail", "email", clean=clean_email),
        {"operator": "is_set"},
    ),
    of_column(
        "emailDomain",
        "Channels",
        Source(
            "E-mail domain",
            ValueType.TEXT,
            frozenset(("email",)),
            _domain,
            lambda _: "split_part(c.email, '@', -1)",
            clean=clean_domain,
        ),
        {"operator": "one_of", "value": ["gmail.com", "ukr.net"]},
    ),
)
