"""Proofs that a claim comes from the account's own server (setting `signed_claims`, decisions D36)."""

from __future__ import annotations

import hashlib
import hmac

import msgspec

from kartoteka.activity.visitors.model import Who


class ClaimSigner:
    """Makes the signing key of each account out of the installation's secret, and checks signatures."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def key_of(self, account_id: int) -> str:
        """What the account's server signs External IDs with: never to be shown to a browser."""
        text = f"claims:{account_id}".encode()
        return hmac.digest(self._secret, text, hashlib.sha256).hex()

    def sign(self, account_id: int, external_id: str) -> str:
        """HMAC-SHA-256 of the External ID, in hexadecimal."""
        key = self.key_of(account_id).encode()
        return hmac.digest(key, external_id.encode(), hashlib.sha256).hex()

    def heed(self, account_id: int, who: Who, *, needs_signature: bool) -> Who:
        """The claim as far as it counts: without its proof, where one is needed, it says nothing."""
        if not needs_signature:
            return who
        if who.external_id is None or who.signature is None:
            return Who()
        proof = self.sign(account_id, who.external_id)
        given = who.signature.strip().lower()
        if not given.isascii() or not hmac.compare_digest(proof, given):
            return Who()
        return msgspec.structs.replace(who, signature=None)
