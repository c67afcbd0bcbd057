"""Domains of websites: reading them, and which pages belong to them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

import idna

MAX_CHARS = 2_000
_NAME = re.compile(
    r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*"
)


def read_domain(text: object) -> str | None:
    """The domain in lower case as A-labels, out of a name or a whole address; None if it is none.

    Plug-ins send `get_site_url()`: scheme, port and path are left out, and `www.` too, since a domain
    stands for all names under it.
    """
    if not isinstance(text, str) or len(text) > MAX_CHARS:
        return None
    text = text.strip()
    return _address(text) or _host(text if "//" in text else f"//{text}")


def origin_host(origin: str) -> str | None:
    """The host of a header `Origin`; None for `null` and what no browser sends."""
    return _host(origin) if origin.startswith(("http://", "https://")) else None


def _host(address: str) -> str | None:
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or "@" in parts.netloc:
        return None
    return _address(host) or _name(host.rstrip("."))


def _address(host: str) -> str | None:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None


def _name(host: str) -> str | None:
    try:
        name = host.lower() if host.isascii() else idna.encode(host, uts46=True).decode("ascii")
    except UnicodeError:
        return None
    name = name.removeprefix("www.")
    if not _NAME.fullmatch(name) or name.rpartition(".")[2].isdigit():
        return None
    return name if "." in name or name == "localhost" else None


def is_page_of(origin: str | None, domains: Iterable[str]) -> bool:
    """Whether a message with this `Origin` may be of a website with these domains.

    A browser says where the page is that sends; a page of another website must not write into this
    one's history. A server says nothing and is let in (wire 9.3 is used by servers too): what it could
    forge, anyone could, and it can do no more than a visitor (decisions D36).
    """
    if origin is None:
        return True
    host = origin_host(origin)
    return host is not None and any(
        host == domain or host.endswith("." + domain) for domain in domains
    )
