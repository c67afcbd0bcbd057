"""Keys and tokens: made at random, recognised by their SHA-256."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets

KEY_BYTES = 24
"""192 random bits: no salt and no slow hash is needed to store the digest only."""
SHOWN_CHARS = 6
MAX_KEY_BYTES = 1_024


def make_key() -> str:
    """The text of a new API key: `kk_` and 32 characters that need no quoting anywhere."""
    return f"kk_{secrets.token_urlsafe(KEY_BYTES)}"


def make_token() -> str:
    """The text of a new Bearer or contact token."""
    return f"kt_{secrets.token_urlsafe(KEY_BYTES)}"


def make_password() -> str:
    """A password of 90 random bits, for the first start."""
    return secrets.token_urlsafe(12)[:15]


def digest_of(text: bytes | str) -> bytes:
    """What is stored of a key or token."""
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).digest()


def shown_part(key: str) -> str:
    """The first characters, enough to recognise a key in a list; none of a short one."""
    return key[:SHOWN_CHARS] if len(key) >= 4 * SHOWN_CHARS else ""


def basic_password(credentials: str) -> bytes | None:
    """The password out of Basic credentials, whatever the user name; None if they are malformed.

    Blanks around it are dropped: keys are pasted with a line end. Missing padding is forgiven.
    """
    compact = credentials.strip()
    try:
        plain = base64.b64decode(compact + "=" * (-len(compact) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    _, colon, password = plain.partition(b":")
    password = password.strip()
    return password if colon and 0 < len(password) <= MAX_KEY_BYTES else None
