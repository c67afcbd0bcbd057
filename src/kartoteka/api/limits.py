"""Rate limits of keyed calls, when the account wants them (setting `rate_limits`, wire 1.6)."""

from __future__ import annotations

import time
from collections.abc import Callable

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
