"""Rate limits: of keyed calls, when the account wants them (setting `rate_limits`, wire 1.6), and of
public end points, always (decisions D21, D37)."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Collection, Hashable, Mapping
from typing import Any

from kartoteka.errors import RateLimited

SHARED = "shared"
PER_SECOND = {
    SHARED: 200,
    "token_contact_id": 150,
    "search": 50,
    "event": 350,
    "past_events": 100,
    "delete_past_events": 5,
}
"""Calls a second: every method without a pool of its own counts in the shared one."""


class RateLimits:
    """Counts the calls of each account and pool in windows of one second.

    Each server process counts for itself: with several, an account gets as many times the limit.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._second = 0
        self._counts: dict[tuple[int, str], int] = {}

    def count(self, account_id: int, pool: str | None) -> None:
        """Count one call. Raises `RateLimited` until the window resets."""
        second = int(self._monotonic())
        if second != self._second:
            self._second = second
            self._counts.clear()
        name = pool or SHARED
        calls = self._counts.get((account_id, name), 0) + 1
        if calls > PER_SECOND[name]:
            raise RateLimited(retry_after_s=1)
        self._counts[(account_id, name)] = calls


ADDRESS_MESSAGES = (20.0, 600.0)
"""Messages of one address: so many a second for long, so many at once. A family, an office and a shop's
own server stay below it; what offline browsers kept comes at once."""
ADDRESS_CALLS = (50.0, 1_000.0)
"""Calls of one address to the SDK's end points and with browser keys: the phones of a mobile network
share addresses."""
ACCOUNT_MESSAGES = (2_000.0, 20_000.0)
"""The same for all messages of one account."""
MOST_BUCKETS = 50_000


class PublicLimits:
    """What strangers may send: a bucket for each address or account, which fills up as time goes by.

    Each server process counts for itself.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._buckets: dict[Hashable, tuple[float, float]] = {}
        """(how much is in it, since when)."""

    def take(self, who: Hashable, limit: tuple[float, float], count: int) -> int:
        """How many of `count` messages may pass now."""
        rate, most = limit
        now = self._monotonic()
        if len(self._buckets) >= MOST_BUCKETS:
            self._forget_full(now)
        level, at = self._buckets.get(who, (most, now))
        level = min(most, level + (now - at) * rate)
        passed = min(count, int(level))
        self._buckets[who] = (level - passed, now)
        return passed

    def admit(self, address: str) -> None:
        """Count one call to a public end point. Raises `RateLimited` when its address has none left."""
        if not self.take(("call", address), ADDRESS_CALLS, 1):
            raise RateLimited(retry_after_s=1)

    def _forget_full(self, now: float) -> None:
        """Buckets that nobody used for a minute have filled up; else all are forgotten: new addresses by
        the ten thousand are an attack that no bucket stops."""
        fresh = {who: one for who, one in self._buckets.items() if one[1] > now - 60}
        self._buckets = fresh if len(fresh) < MOST_BUCKETS else {}


def address_of(
    scope: Mapping[str, Any], headers: Mapping[bytes, bytes], trusted: Collection[str]
) -> str:
    """The network address that a request comes from; of IPv6 the /64 that one customer has.

    A proxy that is trusted (setting `trusted_proxies`) says who asked it: of the addresses in
    `X-Forwarded-For` the last one that is not a proxy of ours. What comes before it, anyone can write.
    """
    client = scope.get("client") or ("",)
    address = str(client[0])
    if address in trusted:
        named = headers.get(b"x-forwarded-for", b"").decode("latin-1").split(",")
        for one in reversed([name.strip() for name in named]):
            if not one:
                continue
            address = one
            if address not in trusted:
                break
    return _network(address)


def _network(address: str) -> str:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False).network_address)
    return str(found)
