"""Reading links that people give, strictly: one reading, and nothing after it reads them again.

What browsers forgive (backslashes, `0x7f.1`, two `@`) is refused: every guess about what was meant is
a way to say one host to the check and another to the connection.
"""

from __future__ import annotations

import re
from base64 import b64encode
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import quote, unquote_to_bytes, urljoin

import idna
import msgspec

from kartoteka.errors import LinkRefused

_LONGEST = 8_192
_LONGEST_HOST = 253
_PORTS = {"http": 80, "https": 443}
_PARTS = re.compile(r"(https?)://([^/?#]*)([^#]*)(?:#.*)?", re.IGNORECASE | re.DOTALL)
_PLACE = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::([0-9]{0,5}))?")
_NAME = re.compile(r"(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}")
_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
_UNWANTED = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")
_VISIBLE = "".join(map(chr, range(0x21, 0x7F)))


class Link(msgspec.Struct, frozen=True):
    """A link taken apart; its `repr` has neither path, query nor credentials."""

    scheme: str
    host: str
    """A name in lower case (IDN as `xn--…`) without a dot at the end, or an address as digits."""
    port: int
    target: str
    """Path and query as they are sent: visible ASCII."""
    login: str | None = None
    """The header Authorization that the link's name and password make."""

    def __repr__(self) -> str:
        """Only where it leads, so that no secret gets into a log by accident."""
        return f"Link({self.scheme}://{self.authority}/…)"

    @property
    def origin(self) -> tuple[str, str, int]:
        """What must be the same for credentials to be sent again."""
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """Host and, where it is an odd one, port: the header Host."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def read_link(text: str) -> Link:
    """The link, read. Raises `LinkRefused`, whose sentence quotes nothing of it."""
    text = text.strip(" ")
    if len(text) > _LONGEST:
        raise LinkRefused(f"The link is longer than {_LONGEST} characters.")
    if _UNWANTED.search(text):
        raise LinkRefused("The link has a line break, a control character or a backslash in it.")
    parts = _PARTS.fullmatch(text)
    if parts is None:
        raise LinkRefused("The link must begin with http:// or https://.")
    scheme = parts[1].lower()
    login, _, place = parts[2].rpartition("@")
    host, port = _read_place(place, _PORTS[scheme])
    return Link(scheme, host, port, _read_target(parts[3]), _read_login(login))


def follow(link: Link, location: str) -> Link:
    """Where a redirect of that link leads.

    Credentials stay only on the same origin, and those in the redirect itself are not used. Raises
    `LinkRefused`, also from https to http.
    """
    try:
        to = read_link(_joined(link, location))
    except (LinkRefused, ValueError):
        raise LinkRefused("The link redirects to an address that cannot be used.") from None
    if link.scheme == "https" and to.scheme == "http":
        raise LinkRefused("The link redirects from https to http.")
    return msgspec.structs.replace(to, login=link.login if to.origin == link.origin else None)


def _joined(link: Link, location: str) -> str:
    if _UNWANTED.search(location):  # urljoin would leave line breaks out
        raise ValueError
    return urljoin(f"{link.scheme}://{link.authority}{link.target}", location)


def _read_place(place: str, default_port: int) -> tuple[str, int]:
    found = _PLACE.fullmatch(place)
    if found is None:
        raise LinkRefused("The link has no valid host.")
    port = int(found[2]) if found[2] else default_port
    if not 1 <= port <= 65535:
        raise LinkRefused("The port of the link must be from 1 to 65535.")
    if found[1].startswith("["):
        try:
            return IPv6Address(found[1][1:-1]).compressed, port
        except AddressValueError:
            raise LinkRefused("The link has no valid host.") from None
    return _read_host(found[1]), port


def _read_host(text: str) -> str:
    """The name or IPv4 address; other spellings of addresses (`2130706433`, `0x7f.1`) are refused."""
    if len(text) > _LONGEST_HOST:
        raise LinkRefused("The link has no valid host.")
    try:
        ascii_text = text if text.isascii() else idna.encode(text, uts46=True).decode("ascii")
        host = ascii_text.lower().removesuffix(".")
        if _NUMBER.fullmatch(host):
            return str(IPv4Address(host))
    except (UnicodeError, AddressValueError):
        raise LinkRefused("The link has no valid host.") from None
    if not _NAME.fullmatch(host):
        raise LinkRefused("The link has no valid host.")
    return host


def _read_target(text: str) -> str:
    try:
        target = quote(text, safe=_VISIBLE)
    except UnicodeError:
        raise LinkRefused("The link has characters in it that are none.") from None
    return target if target.startswith("/") else f"/{target}"


def _read_login(text: str) -> str | None:
    if not text:
        return None
    if "@" in text:
        raise LinkRefused("The link has more than one @; write it as %40 in a name or password.")
    try:
        name, _, password = text.partition(":")
        login = unquote_to_bytes(name) + b":" + unquote_to_bytes(password)
    except UnicodeError:
        raise LinkRefused("The link has characters in it that are none.") from None
    if any(byte < 0x20 or byte == 0x7F for byte in login):  # RFC 7617
        raise LinkRefused("The name or password in the link has a control character in it.")
    return f"Basic {b64encode(login).decode('ascii')}"
