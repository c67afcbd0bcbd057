"""Times never repeat; errors say what happened."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from kartoteka.clock import Clock, FixedClock
from kartoteka.errors import ContactMerged, DuplicatedRequest, KartotekaError, RateLimited

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_every_time_is_later_than_the_one_before():
    clock = Clock()
    times = [clock.now() for _ in range(10_000)]
    assert all(earlier < later for earlier, later in itertools.pairwise(times))


def test_a_fixed_clock_starts_where_it_is_told_and_moves_when_it_is_told():
    clock = FixedClock(START)
    assert clock.now() == START
    clock.advance(timedelta(hours=1))
    assert clock.now() - START == timedelta(hours=1, microseconds=1)


def test_the_docstring_is_the_message_and_details_are_kept():
    error = ContactMerged(into=7)
    assert str(error) == error.message == "This contact was merged into another one."
    assert (error.code, error.details) == ("contact_merged", {"into": 7})


def test_a_repeated_request_is_told_in_the_words_that_clients_know():
    assert "Duplicated request" in DuplicatedRequest().message


def test_a_limit_says_when_to_come_back():
    assert RateLimited(retry_after_s=30).retry_after_s == 30


def test_codes_are_set_for_every_error():
    waiting = [KartotekaError]
    while waiting:
        error = waiting.pop()
        waiting += error.__subclasses__()
        assert error.code
        assert error is KartotekaError or error.code != "error"
