"""Credentials at rest: AES-256-GCM under a key made of KARTOTEKA_SECRET_KEY, never shown again."""

from __future__ import annotations

import hashlib
import hmac
import os
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from kartoteka.exports.errors import SecretUnreadable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


class Safe:
    """Encrypts settings of exports; a text of one account cannot be read as another's."""

    def __init__(self, secret_key: str) -> None:
        self._key = hmac.digest(secret_key.encode(), b"kartoteka exports", hashlib.sha256)

    @cached_property
    def _cipher(self) -> AESGCM:
        """Loaded when there is an export: it is 6 MB in each process."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(self._key)

    def close(self, account_id: int, settings: dict[str, Any]) -> bytes:
        """The settings, encrypted."""
        nonce = os.urandom(_NONCE_BYTES)
        text = msgspec.json.encode(settings)
        return nonce + self._cipher.encrypt(nonce, text, str(account_id).encode())

    def open(self, account_id: int, secret: bytes) -> dict[str, Any]:
        """What `close` was given. Raises `SecretUnreadable`."""
        from cryptography.exceptions import InvalidTag

        nonce, text = secret[:_NONCE_BYTES], secret[_NONCE_BYTES:]
        try:
            opened = self._cipher.decrypt(nonce, text, str(account_id).encode())
        except InvalidTag:
            raise SecretUnreadable from None
        settings: dict[str, Any] = msgspec.json.decode(opened)
        return settings
