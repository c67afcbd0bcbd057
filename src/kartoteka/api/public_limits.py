"""Limits of public end points, by the address that a request comes from (decisions D21).

Each address has a bucket that fills at the rate of the setting `public_rate` and holds ten seconds of
it, so that a page or app that sends a burst after hours offline is not refused.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from kartoteka.errors import RateLimited

BURST_SECONDS = 10
MOST_ADDRESSES = 100_000
"""Above this the fullest buckets are forgotten: a full one says nothing."""
_FORWARDED = b"x-forwarded-for"
_MOST_HOPS = 20


class _Bucket(msgspec.Struct):
    tokens: float
    at: float


class AddressLimits:
    """Counts the public calls of each address; each server process counts for itself."""

    def __init__(
        self,
        per_second: int = 0,
        trusted_proxies: frozenset[str] = frozenset(),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`per_second` 0: no limit."""
        self._per_second = per_second
        self._trusted = trusted_proxies
        self._monotonic = monotonic
        self._buckets: dict[str, _Bucket] = {}

    def count(self, scope: Any, headers: Mapping[bytes, bytes], cost: float = 1.0) -> None:
        """Count one call. Raises `RateLimited` when its address has none left."""
        if not self.allows(address_of(scope, headers, self._trusted), cost):
            raise RateLimited(retry_after_s=1)

    def allows(self, address: str, cost: float = 1.0) -> bool:
        """Whether the address may call now; it is counted if it may."""
        if not self._per_second:
            return True
        now, most = self._monotonic(), float(self._per_second * BURST_SECONDS)
        bucket = self._buckets.get(address)
        if bucket is None:
            if len(self._buckets) >= MOST_ADDRESSES:
                self._forget(now, most)
            bucket = self._buckets[address] = _Bucket(most, now)
        bucket.tokens = min(most, bucket.tokens + (now - bucket.at) * self._per_second)
        bucket.at = now
        if bucket.tokens < cost:
            return False
        bucket.tokens -= cost
        return True

    def _forget(self, now: float, most: float) -> None:
        """Drop what would be full again; when nobody's is, all of them."""
        kept = {
            address: bucket
            for address, bucket in self._buckets.items()
            if bucket.tokens + (now - bucket.at) * self._per_second < most
        }
        self._buckets = kept if len(kept) < MOST_ADDRESSES else {}


def address_of(scope: Any, headers: Mapping[bytes, bytes], trusted: frozenset[str]) -> str:
    """Where a request comes from: the last address that no trusted proxy has.

    A caller may write what it likes in front of X-Forwarded-For; what proxies add stands behind.
    """
    client = scope.get("client")
    address = str(client[0]) if client else "?"
    if address not in trusted:
        return address
    named = headers.get(_FORWARDED, b"").decode("latin-1").split(",")
    for hop in reversed(named[-_MOST_HOPS:]):
        if not (hop := hop.strip()[:64]):
            continue
        address = hop
        if hop not in trusted:
            break
    return address
