"""Public end points are limited by address (decisions D21), and an address cannot be made up."""

from __future__ import annotations

import pytest

from kartoteka.api.public_limits import MOST_ADDRESSES, AddressLimits, address_of
from kartoteka.errors import RateLimited

PROXIES = frozenset({"127.0.0.1", "10.0.0.1"})


class Watch:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def call(limits: AddressLimits, address: str = "192.0.2.1") -> bool:
    return limits.allows(address)


def test_ten_seconds_may_come_at_once_then_the_rate_holds():
    watch = Watch()
    limits = AddressLimits(2, monotonic=watch)
    assert [call(limits) for _ in range(21)] == [True] * 20 + [False]
    watch.now = 1.0
    assert [call(limits) for _ in range(3)] == [True, True, False]
    assert call(limits, "192.0.2.2")
    watch.now = 1000.0
    assert [call(limits) for _ in range(21)] == [True] * 20 + [False]


def test_nothing_is_counted_where_there_is_no_limit():
    limits = AddressLimits(0)
    assert all(call(limits) for _ in range(1000))


def test_the_call_above_is_refused():
    limits = AddressLimits(1, monotonic=Watch())
    scope = {"client": ("192.0.2.1", 5)}
    for _ in range(10):
        limits.count(scope, {})
    with pytest.raises(RateLimited):
        limits.count(scope, {})


def test_addresses_are_forgotten_before_memory_is_full():
    watch = Watch()
    limits = AddressLimits(1, monotonic=watch)
    for number in range(MOST_ADDRESSES + 10):
        assert call(limits, str(number))
    assert len(limits._buckets) <= MOST_ADDRESSES


@pytest.mark.parametrize(
    ("client", "forwarded", "expected"),
    [
        ("192.0.2.7", None, "192.0.2.7"),
        ("192.0.2.7", b"198.51.100.1", "192.0.2.7"),  # a stranger says it is somebody else
        ("127.0.0.1", None, "127.0.0.1"),
        ("127.0.0.1", b"192.0.2.9", "192.0.2.9"),
        ("127.0.0.1", b"198.51.100.1, 192.0.2.9", "192.0.2.9"),
        ("127.0.0.1", b"198.51.100.1, 192.0.2.9, 10.0.0.1", "192.0.2.9"),
        ("127.0.0.1", b"", "127.0.0.1"),
        ("127.0.0.1", b" , ,", "127.0.0.1"),
        (None, b"192.0.2.9", "?"),
    ],
)
def test_the_address_is_the_last_one_that_no_proxy_has(client, forwarded, expected):
    scope = {"client": (client, 1) if client else None}
    headers = {} if forwarded is None else {b"x-forwarded-for": forwarded}
    assert address_of(scope, headers, PROXIES) == expected
