"""Passwords of admin users: scrypt, with its own random salt and parameters beside each hash."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

_N, _R, _P = 2**15, 8, 3
"""32 MB and about a quarter of a second: what OWASP's password storage sheet asks of scrypt."""
_MAX_MEMORY_BYTES = 256 * 1024 * 1024
_SALT_BYTES = 16


def hash_password(password: str) -> str:
    """`scrypt$n$r$p$salt$digest`, ready to be stored. Slow by purpose: run it in a thread."""
    salt = secrets.token_bytes(_SALT_BYTES)
    digest = _scrypt(password, salt, _N, _R, _P)
    return "$".join(("scrypt", str(_N), str(_R), str(_P), _text(salt), _text(digest)))


def is_password(password: str, stored: str) -> bool:
    """Whether that is the password behind the stored hash; False for a hash of another form too."""
    try:
        scheme, n, r, p, salt, digest = stored.split("$")
        made = _scrypt(password, base64.b64decode(salt), int(n), int(r), int(p))
    except (ValueError, MemoryError):
        return False
    return scheme == "scrypt" and hmac.compare_digest(made, base64.b64decode(digest))


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(
        password.encode("utf-8", "surrogatepass"), salt=salt, n=n, r=r, p=p,
        maxmem=_MAX_MEMORY_BYTES, dklen=32,
    )  # fmt: skip


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
