"""E-mail address: lower case, domain as A-label (decisions D4)."""

from __future__ import annotations

import re
import unicodedata

import idna

from kartoteka.identity.kinds.base import IdentifierKind, InvalidIdentifier, Region
from kartoteka.identity.text import is_absent

NAME = "email"
MAX_BYTES = 254
MAX_LOCAL_BYTES = 64

_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# The last label is a name of the DNS, never a number: that refuses IP addresses.
_TOP_LABEL = r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+{_TOP_LABEL}")
_ADDRESS = re.compile(rf"{_LOCAL.pattern}@{_DOMAIN.pattern}")


def normalise(value: object, _region: Region) -> str | None:
    """The address in lower case with its domain as A-labels, so the Unicode form finds it too."""
    if not isinstance(value, str):
        if value is None:
            return None
        raise InvalidIdentifier(NAME, "must be a text")
    if is_absent(value):
        return None
    if len(value) > 2 * MAX_BYTES:
        raise InvalidIdentifier(NAME, "is too long")
    address = value.strip().lower()
    if not address.isascii() or "xn--" in address:
        address = _to_ascii_domain(address)
    elif _ADDRESS.fullmatch(address) is None:
        raise InvalidIdentifier(NAME, "is not an e-mail address")
    if _is_too_long(address):
        raise InvalidIdentifier(NAME, "is too long")
    return address


def _is_too_long(address: str) -> bool:
    at = address.rindex("@")
    if address.isascii():
        return at > MAX_LOCAL_BYTES or len(address) > MAX_BYTES
    return len(address[:at].encode()) > MAX_LOCAL_BYTES or len(address.encode()) > MAX_BYTES


def normalise_domain(text: str) -> str | None:
    """The mail domain in lower case as A-labels, or None when it is not one."""
    try:
        domain = idna.encode(text.strip().lower(), uts46=True).decode("ascii")
    except UnicodeError:
        return None
    return domain if _DOMAIN.fullmatch(domain) else None


def _to_ascii_domain(address: str) -> str:
    local, _, name = address.rpartition("@")
    domain = normalise_domain(name)
    local = unicodedata.normalize("NFC", local)
    if domain is None or not _is_local_part(local):
        raise InvalidIdentifier(NAME, "is not an e-mail address")
    return f"{local}@{domain}"


def _is_local_part(local: str) -> bool:
    """Whether the text may stand before the @: letters of any alphabet count (RFC 6531)."""
    as_letters = "".join("a" if ord(char) > 127 else char for char in local)
    return local.isprintable() and " " not in local and _LOCAL.fullmatch(as_letters) is not None


KIND = IdentifierKind(
    code=2,
    name=NAME,
    label="E-mail",
    lasting=True,
    exclusive=False,
    normalise=normalise,
    examples=(
        ("alice@example.com", "alice@example.com"),
        (" Alice@Example.COM ", "alice@example.com"),
        ("bob@пошта.укр", "bob@xn--80a1acn3a.xn--j1amh"),
        ("bob@XN--80A1ACN3A.XN--J1AMH", "bob@xn--80a1acn3a.xn--j1amh"),
        ("", None),
        ("null", None),
        (None, None),
    ),
)
