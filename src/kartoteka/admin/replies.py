"""What a page answers: HTML, a redirect, a file; every one with the headers that keep it safe."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from urllib.parse import quote

import msgspec

Header = tuple[bytes, bytes]

HTML = b"text/html; charset=utf-8"
POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    b"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SAFE: tuple[Header, ...] = (
    (b"content-security-policy", POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
PRIVATE: Header = (b"cache-control", b"no-store")
"""Pages hold people's data: no cache, not even the browser's, keeps them."""


class Reply(msgspec.Struct):
    """One answer of a page."""

    body: bytes
    status: int = 200
    content_type: bytes | None = HTML
    headers: tuple[Header, ...] = ()
    stream: AsyncGenerator[bytes, None] | None = None
    """The body in pieces instead of `body`."""

    def with_header(self, name: bytes, value: bytes) -> Reply:
        """The same with one more header."""
        self.headers = (*self.headers, (name, value))
        return self


def html(text: str, status: int = 200) -> Reply:
    """A page or a part of one."""
    return Reply(text.encode("utf-8", "replace"), status)


def redirect(path: str) -> Reply:
    """To another page of ours, by GET. `path` begins with one slash."""
    assert path.startswith("/"), path
    assert not path.startswith("//"), path
    location = quote(path, safe="/?&=%:+,.~-_#")
    return Reply(b"", 303, None, ((b"location", location.encode("ascii")),))


def download(stream: AsyncGenerator[bytes, None], content_type: bytes, name: str) -> Reply:
    """A file of that name, which is ours: letters, digits, dots and dashes."""
    disposition = f'attachment; filename="{name}"'.encode("ascii")
    return Reply(b"", 200, content_type, ((b"content-disposition", disposition),), stream)
