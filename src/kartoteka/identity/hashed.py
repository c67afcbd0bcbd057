"""Short hashes of identifiers, kept where a value itself would outlive an erased person (D6, D29).

They come of the same keyed hash that recognises erased people: without the installation's secret nobody
can tell whose they are, not even by trying all External IDs of a shop.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from kartoteka.identity.model import Key

Digest = Callable[[int, Key], bytes]
"""(account id, key) to the keyed hash that outlives an erased person."""


def unkeyed(_account_id: int, of: Key) -> bytes:
    """Where nothing is stored: to ask rules about made-up cards."""
    return hashlib.sha256(f"{of[0]}:{of[1]}".encode()).digest()


def shortened(digest: bytes) -> int:
    """31 bits of it: enough to count different ones to fifty."""
    return int.from_bytes(digest[:4], "big") & 0x7FFFFFFF
