"""The e-mail address and its domain: stored in lower case, the domain as A-label (decisions D4)."""

from __future__ import annotations

import idna

from kartoteka.segments.conditions.base import Source, Subject, ValueType, column, of_column


def clean_domain(text: str) -> str:
    """The domain as it is stored; what is no domain stays as it is, and finds nothing."""
    text = text.strip().removeprefix("@").lower()
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
