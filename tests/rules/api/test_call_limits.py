"""Calls of public end points are limited by address (decisions D21)."""

from __future__ import annotations

import pytest

from kartoteka.api.limits import ADDRESS_CALLS, PublicLimits
from kartoteka.errors import RateLimited


def test_a_burst_may_come_at_once_then_the_rate_holds():
    now = 0.0
    limits = PublicLimits(lambda: now)
    rate, most = ADDRESS_CALLS
    for _ in range(int(most)):
        limits.admit("192.0.2.1")
    with pytest.raises(RateLimited):
        limits.admit("192.0.2.1")
    limits.admit("192.0.2.2")  # another address has its own
    now = 1.0
    for _ in range(int(rate)):
        limits.admit("192.0.2.1")
    with pytest.raises(RateLimited):
        limits.admit("192.0.2.1")
