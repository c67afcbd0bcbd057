"""What strangers may send, and by which address they are counted (decisions D21, D37)."""

from __future__ import annotations

import pytest

from kartoteka.api.limits import ADDRESS_MESSAGES, MOST_BUCKETS, PublicLimits, address_of

PROXIES = ("127.0.0.1", "::1", "10.0.0.9")


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_empties_and_fills_up_again():
    clock = Clock()
    limits = PublicLimits(clock)
    assert limits.take("a", (10, 100), 60) == 60
    assert limits.take("a", (10, 100), 60) == 40
    assert limits.take("a", (10, 100), 1) == 0
    clock.now += 0.55
    assert limits.take("a", (10, 100), 60) == 5
    clock.now += 1_000
    assert limits.take("a", (10, 100), 500) == 100, "it never holds more"


def test_addresses_do_not_share_a_bucket_and_accounts_have_their_own():
    limits = PublicLimits(Clock())
    most = int(ADDRESS_MESSAGES[1])
    assert limits.take("203.0.113.1", ADDRESS_MESSAGES, most + 1) == most
    assert limits.take("203.0.113.2", ADDRESS_MESSAGES, 1) == 1
    assert limits.take(1, (1, 2), 3) == 2


def test_memory_stays_bounded():
    clock = Clock()
    limits = PublicLimits(clock)
    for number in range(2 * MOST_BUCKETS):
        limits.take(number, (1, 10), 1)
    assert len(limits._buckets) <= MOST_BUCKETS
    limits.take("kept", (1, 10), 10)
    clock.now += 30
    for number in range(MOST_BUCKETS):
        limits.take(number, (0, 10), 1)


@pytest.mark.parametrize(
    ("client", "forwarded", "address"),
    [
        ("203.0.113.5", None, "203.0.113.5"),
        ("203.0.113.5", "198.51.100.1", "203.0.113.5"),  # anyone can write it
        ("127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "198.51.100.1, 10.0.0.9", "198.51.100.1"),
        ("127.0.0.1", " , ", "127.0.0.1"),
        ("127.0.0.1", None, "127.0.0.1"),
        ("127.0.0.1", "10.0.0.9", "10.0.0.9"),
        ("2001:db8:1:2:3:4:5:6", None, "2001:db8:1:2::"),
        ("::1", "2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("::ffff:203.0.113.5", None, "203.0.113.5"),
        ("127.0.0.1", "unknown" * 50, ("unknown" * 50)[:64]),
    ],
)
def test_whose_address_it_is(client: str, forwarded: str | None, address: str):
    headers = {} if forwarded is None else {b"x-forwarded-for": forwarded.encode()}
    assert address_of({"client": (client, 1)}, headers, PROXIES) == address


def test_a_socket_without_an_address_is_one_caller():
    assert address_of({"client": None}, {}, PROXIES) == address_of({}, {}, PROXIES)
