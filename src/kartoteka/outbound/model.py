"""What came back from outside."""

from __future__ import annotations

import msgspec


class Downloaded(msgspec.Struct, frozen=True):
    """A file that was fetched whole."""

    size: int
    """Bytes on disk, after unpacking."""
    digest: str
    """SHA-256 of them, in hex."""
    content_type: str
    """As in `text/csv`, without parameters; empty when not said."""
    name: str
    """What the sender calls the file, without folders; empty when nothing names it."""


class Answered(msgspec.Struct, frozen=True):
    """What an address answered to one request, whatever its status."""

    status: int
    headers: dict[str, str]
    """Names in lower case; of headers that came twice the last."""
    body: bytes
    """As it arrived: not unpacked."""
    cut: bool
    """Whether the body is only the beginning: too long, or the connection broke."""
