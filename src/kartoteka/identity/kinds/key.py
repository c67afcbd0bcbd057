"""The text under which a value stands in the index."""

from __future__ import annotations

import hashlib

MAX_KEY_BYTES = 500
DIGEST_PREFIX = "sha256:"
_SURELY_SHORT = MAX_KEY_BYTES // 4


def value_key(value: str) -> str:
    """The value itself, or `sha256:` and the hex digest of a long one.

    A btree entry holds 2,704 bytes and a token may be longer (design, engine). A short value that
    looks like a digest is digested too, so that two values never share a key.
    """
    # One character is at most 4 bytes, so most values need no encoding to be known as short.
    if len(value) > _SURELY_SHORT and len(value.encode()) > MAX_KEY_BYTES:
        return _digest(value)
    return _digest(value) if value.startswith(DIGEST_PREFIX) else value


def _digest(value: str) -> str:
    return DIGEST_PREFIX + hashlib.sha256(value.encode()).hexdigest()
