"""Amounts and dates of orders as real clients write them (wire 1.3, 1.4, 5.1; clients 2)."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartoteka.activity.orders.amounts import read_amount
from kartoteka.activity.orders.moments import placed, read_moment
from kartoteka.contacts.values.errors import InvalidValue


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("41.00", "41.00"),
        ("258.0", "258.0"),
        (" 41 ", "41"),
        ("41.", "41"),
        ("007.50", "7.50"),
        ("-3.2", "-3.2"),
        ("+3", "3"),
        (41, "41"),
        (41.1, "41.1"),
        (0, "0"),
        (1e3, "1000"),
        (0.0000001, "0.0000001"),
        ("999999999999999.9999999999", "999999999999999.9999999999"),
    ],
)
def test_amounts_are_read_as_written(sent, read):
    amount = read_amount(sent, "totalCost")
    assert amount == Decimal(read)
    assert f"{amount:f}" == read


@pytest.mark.parametrize("sent", ["", " ", None, "null", "\u00a0"])
def test_blank_amounts_say_nothing(sent):
    """WooCommerce and OpenCart send `""` for shipping, discount and taxes."""
    assert read_amount(sent, "taxes") is None


@pytest.mark.parametrize(
    "sent",
    [
        "1,5",
        "1 000",
        "1e3",
        "NaN",
        "Infinity",
        "٤١",
        "0x1",
        ".5",
        "1.2.3",
        "9" * 16,
        True,
        [],
        {},
        "1." + "1" * 11,
        10**400,
        float("1e300"),
        "$5",
    ],
)
def test_what_could_be_read_two_ways_is_refused(sent):
    with pytest.raises(InvalidValue, match=r"^totalCost must be"):
        read_amount(sent, "totalCost")


@given(st.decimals(-(10**15) + 1, 10**15 - 1, places=6))
def test_reading_an_amount_changes_nothing(amount):
    assert read_amount(f"{amount:f}", "x") == amount


def wall(*parts: int) -> datetime:
    return datetime(*parts)  # noqa: DTZ001  what clocks show, in a zone that is not said


UTC_CASES = [
    ("2026-01-05T10:11:10+02:00", wall(2026, 1, 5, 8, 11, 10)),
    ("2026-01-05T10:11:10.123456+02:00", wall(2026, 1, 5, 8, 11, 10, 123456)),
    ("2026-01-05T10:11:10.1234567+03:00", wall(2026, 1, 5, 7, 11, 10, 123456)),
    ("2026-01-05T10:11:10.702+02:00", wall(2026, 1, 5, 8, 11, 10, 702000)),
    ("2026-01-05T08:11:10Z", wall(2026, 1, 5, 8, 11, 10)),
    ("2026-01-05t08:11:10z", wall(2026, 1, 5, 8, 11, 10)),
    ("2026-01-05 08:11:10 +0000", wall(2026, 1, 5, 8, 11, 10)),
    ("2026-01-05T08:11-05", wall(2026, 1, 5, 13, 11)),
    ("1997-01-01T23:30:00-01:00", wall(1997, 1, 2, 0, 30)),
]
NAIVE_CASES = [
    ("2026-01-05", wall(2026, 1, 5)),
    ("2026-01-05T10:11", wall(2026, 1, 5, 10, 11)),
    (" 2026-01-05T10:11:12,5 ", wall(2026, 1, 5, 10, 11, 12, 500000)),
]


@pytest.mark.parametrize(("sent", "moment"), UTC_CASES)
def test_dates_with_an_offset_are_moments(sent, moment):
    assert read_moment(sent, "date") == moment.replace(tzinfo=UTC)


@pytest.mark.parametrize(("sent", "moment"), NAIVE_CASES)
def test_dates_without_one_wait_for_a_zone(sent, moment):
    assert read_moment(sent, "date") == moment


@pytest.mark.parametrize("sent", ["", None, " ", "null"])
def test_a_blank_date_says_nothing(sent):
    assert read_moment(sent, "date") is None


@pytest.mark.parametrize(
    "sent",
    [
        "2026-02-30",
        "2026-13-01",
        "05.01.2026",
        "2026-01-05T25:00",
        "2026-01-05T10:61",
        "tomorrow",
        "0001-01-01",
        "9999-12-31T23:59:59-12:00",
        "1969-12-31",
        1767600670,
        True,
        ["2026-01-05"],
        "2026-01-05T10:11:10+99:00",
        "٢٠٢٦-٠١-٠٥",
        "2026-1-5",
        "2026-01-05T10",
    ],
)
def test_what_is_no_date_is_refused(sent):
    with pytest.raises(InvalidValue, match=r"^date "):
        read_moment(sent, "date")


@pytest.mark.parametrize(
    ("zone", "moment"),
    [
        ("Europe/Kyiv", wall(2026, 7, 1, 9, 0)),  # summer
        ("UTC", wall(2026, 7, 1, 12, 0)),
        ("America/New_York", wall(2026, 7, 1, 16, 0)),
    ],
)
def test_a_date_without_an_offset_is_what_clocks_of_the_zone_show(zone, moment):
    """Wire X12."""
    naive = read_moment("2026-07-01T12:00", "date")
    assert placed(naive, zone) == moment.replace(tzinfo=UTC)


def test_an_hour_that_no_clock_shows_is_still_a_moment():
    """Clocks of Kyiv went from 03:00 to 04:00 on 29 March 2026."""
    moment = placed(read_moment("2026-03-29T03:30", "date"), "Europe/Kyiv")
    assert moment == wall(2026, 3, 29, 1, 30).replace(tzinfo=UTC)


def test_an_offset_beats_every_zone():
    moment = read_moment("2026-07-01T12:00+00:00", "date")
    assert placed(moment, "America/New_York") == wall(2026, 7, 1, 12).replace(tzinfo=UTC)
