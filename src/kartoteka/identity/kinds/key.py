"""The text under which a value stands in the index."""

from __future__ import annotations

import hashlib

MAX_KEY_BYTES = 500
DIGEST_PREFIX = "sha256:"


def value_key(value: str) -> str:
    """The value itself, or `sha256:` and the hex digest of a long one.

    A btree entry holds 2,704 bytes and a token may be longer (design, engine). A short value that
    looks like a digest is digested too, so that two values never share a key.
    """
    # One character is at most 4 bytes, so most values need no encoding to be known as short.
    is_short = len(value) * 4 <= MAX_KEY_BYTES or len(value.encode()) <= MAX_KEY_BYTES
    if is_short and not value.startswith(DIGEST_PREFIX):
        return value
    return DIGEST_PREFIX + hashlib.sha256(value.encode()).hexdigest()
