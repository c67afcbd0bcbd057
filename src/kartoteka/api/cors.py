"""CORS for public end points: pages of any site may call them, without credentials (decisions D23)."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from kartoteka.api.answers import Answer, Header

# By name: a wildcard would not cover Authorization (clients 6).
ALLOWED_HEADERS = b"Authorization, Content-Type, X-Retry-Count"
PREFLIGHT_SECONDS = b"86400"


def for_pages(answer: Answer, headers: Mapping[bytes, bytes]) -> Answer:
    """The answer as the page that asked may read it."""
    return msgspec.structs.replace(answer, headers=(*answer.headers, *_allowed(headers)))


def preflight(headers: Mapping[bytes, bytes], methods: str) -> tuple[Header, ...]:
    """What the answer to OPTIONS adds: which methods and headers a page may use."""
    allowed = _allowed(headers)
    if len(allowed) == 1:
        return allowed
    return (
        *allowed,
        (b"access-control-allow-methods", methods.encode()),
        (b"access-control-allow-headers", ALLOWED_HEADERS),
        (b"access-control-max-age", PREFLIGHT_SECONDS),
    )


def _allowed(headers: Mapping[bytes, bytes]) -> tuple[Header, ...]:
    """The asking origin by name; caches must know that another one gets another answer."""
    origin = headers.get(b"origin")
    vary: Header = (b"vary", b"origin")
    return (vary,) if origin is None else (vary, (b"access-control-allow-origin", origin))
