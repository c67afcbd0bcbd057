"""Calls of public end points are limited by address (decisions D21)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from kartoteka.api.limits import ADDRESS_CALLS, PublicLimits
from kartoteka.api.mobile_calls import problem
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


def test_a_refused_app_is_told_when_to_come_again():
    """429 is not final for the SDK; the iOS one shows `title` and `detail` (wire 7.3)."""
    call: Any = SimpleNamespace(scope={"path": "/api/v1/device"}, at=datetime.now(UTC))
    answer = problem(RateLimited(retry_after_s=1), call)
    assert (answer.status, (b"retry-after", b"1") in list(answer.headers)) == (429, True)
    said = json.loads(answer.body)
    assert said["code"] == "rate_limited"
    assert (said["title"], said["invalid-params"]) == ("Too Many Requests", [])
