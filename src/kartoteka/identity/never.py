"""Values that stand for nobody, or for many people at once (decisions D6)."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from kartoteka.errors import InvalidRequest
from kartoteka.identity.kinds import EMAIL, PHONE, IdentifierKind, InvalidIdentifier, Region
from kartoteka.identity.kinds.email import normalise_domain

NEVER_IDENTIFIERS = frozenset(
    (
        # Absence, as programming languages, databases and spreadsheets spell it.
        *("null", "(null)", "<null>", "[null]", "nul", "nil", "<nil>", "none", "(none)", "<none>"),
        *("undefined", "(undefined)", "nan", "n/a", "#n/a", "empty", "(empty)", "void", "unset"),
        *("not set", "(not set)", "not_set", "missing", "default", "-1", "\\n", "\\0"),
        *("true", "false", "{}", "[]", "()", "''", '""', "``", "?", "*", ".", "...", "#"),
        # An object where its id was meant.
        *("[object object]", "[object null]", "[object undefined]", "[object promise]"),
        # Nobody in particular.
        *(
            "guest",
            "(guest)",
            "anonymous",
            "anonym",
            "anon",
            "unknown",
            "(unknown)",
            "unknown user",
        ),
        *("nobody", "noname", "no name", "unregistered", "unauthorized", "not logged in"),
        *("test", "testing", "test test", "test_user", "testuser", "dummy", "sample", "example"),
        # What push services and devices answer instead of a token or an id.
        *("blacklisted", "service_not_available", "missing_instanceid_service", "timeout"),
        *("internal_server_error", "authentication_failed", "fis_auth_error", "unavailable"),
        # One id on many devices: a fault of Android 2.2, and the address that Android and iOS give
        # to programs that may not see the real one.
        *("9774d56d682e549c", "02:00:00:00:00:00"),
    )
)

# Zeros and dashes in any order: "0", "000", "--", "0.0", an all-zero UUID, in braces or not.
_NOTHING = re.compile(r"[0\s{}._:\u2010-\u2015\u2212-]+")


def is_never(kind: IdentifierKind, value: str) -> bool:
    """Whether the normalised value stands for nobody: only where it would name one person (D6).

    E-mail and phone may stand on several contacts anyway; an account lists its own.
    """
    if not kind.exclusive:
        return False
    word = value.strip().lower()
    if word in NEVER_IDENTIFIERS:
        return True
    return not word[:1].isalpha() and _NOTHING.fullmatch(word) is not None


class InvalidNeverIdentifier(InvalidRequest):
    """An entry of never_identifiers is no e-mail, mail domain or phone."""

    code = "invalid_never_identifier"

    def __init__(self, position: int) -> None:
        super().__init__(
            f"Entry {position} of never_identifiers is no e-mail, mail domain or phone.",
            position=position,
        )
        self.position = position


class NeverIdentifiers(msgspec.Struct, frozen=True):
    """The account's own e-mails, mail domains and phones that find nobody (setting of D6)."""

    emails: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()

    def matches(self, kind: IdentifierKind, value: str) -> bool:
        """Whether the normalised e-mail or phone is one of these."""
        if kind is EMAIL:
            return value in self.emails or value.rpartition("@")[2] in self.domains
        return kind is PHONE and value in self.phones


def parse_never_identifiers(entries: Iterable[str], region: Region) -> NeverIdentifiers:
    """Read the setting: `guest@shop.example`, `@shop.example`, `shop.example` or `+380...`.

    A domain stands for itself, not for its subdomains. Blank entries are skipped. Raises
    `InvalidNeverIdentifier` with the entry's position, counted from 1.
    """
    emails, domains, phones = set[str](), set[str](), set[str]()
    for position, entry in enumerate(entries, start=1):
        if not entry.strip():
            continue
        if (email := _read(EMAIL, entry, region)) is not None:
            emails.add(email)
        elif (phone := _read(PHONE, entry, region)) is not None:
            phones.add(phone)
        elif (domain := normalise_domain(entry.strip().removeprefix("@"))) is not None:
            domains.add(domain)
        else:
            raise InvalidNeverIdentifier(position)
    return NeverIdentifiers(frozenset(emails), frozenset(domains), frozenset(phones))


def _read(kind: IdentifierKind, entry: str, region: Region) -> str | None:
    try:
        return kind.normalise(entry, region)
    except InvalidIdentifier:
        return None
