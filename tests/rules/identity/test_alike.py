"""Do two contacts look like one person: what agrees, what contradicts, what is compared (part 6)."""

from __future__ import annotations

import pytest

from kartoteka.contacts.look_alikes import LARGEST_BLOCK, Candidates, alike
from kartoteka.identity.alike import LIKELY, Frequencies, Record, blocks, compare, plain

HOME = {"town": "lviv", "address": "rynok 1", "postcode": "79000"}


def person(number: int, first: str, last: str, **said: str) -> Record:
    return Record(number, plain(first), plain(last), **said)


@pytest.mark.parametrize(
    ("one", "other", "likely"),
    [
        (("Kateryna", "Shevchenko", HOME), ("Katerina", "Shevchenko", HOME), True),
        (("Kateryna", "Shevchenko", HOME), ("Shevchenko", "Kateryna", HOME), True),
        (("Kateryna", "Shevchenko", HOME), ("Shevchenk", "Kateryna", HOME), True),
        (("شريف", "عبد الرحمن", HOME), ("شريف", "عبدالرحمن", HOME), True),
        # A household: surname, address and phone are everybody's.
        (("Ann", "Koval", HOME), ("Petro", "Koval", HOME), False),
        (
            ("Ann", "Koval", {**HOME, "phone": "380671112233"}),
            ("Petro", "Koval", {**HOME, "phone": "380671112233"}),
            False,
        ),
        # A namesake elsewhere.
        (("Ann", "Koval", {"town": "lviv"}), ("Ann", "Koval", {"town": "kyiv"}), False),
        (
            ("Ann", "Koval", {"born": "19900401"}),
            ("Ann", "Koval", {"born": "19900401"}),
            True,
        ),
        (("Ann", "Koval", {"born": "19900401"}), ("Ann", "Koval", {"born": "19520817"}), False),
        (
            ("Ann", "Koval", {"email": "ann.koval@x.ua"}),
            ("Ann", "Koval", {"email": "ann.koval@y.ua"}),
            True,
        ),
    ],
)
def test_who_looks_like_one_person(one, other, likely: bool) -> None:
    a, b = (
        person(number, first, last, **said)
        for number, (first, last, said) in enumerate((one, other))
    )
    assert (compare(a, b)[0] >= LIKELY) is likely
    assert compare(a, b) == compare(b, a)
    if likely:
        assert [(found.contact_id, found.other_id) for found in alike([a, b])] == [(0, 1)]


def test_a_frequent_name_says_less() -> None:
    many = Frequencies()
    many.add([person(number, "Ivan", "Melnyk") for number in range(20_000)])
    many.add([person(number, "Zoreslava", "Dziuba") for number in range(2)])
    home = {"town": "lviv", "postcode": "79000"}
    often = compare(person(1, "Ivan", "Melnyk", **home), person(2, "Ivan", "Melnyk", **home), many)
    rare = compare(
        person(1, "Zoreslava", "Dziuba", **home), person(2, "Zoreslava", "Dziuba", **home), many
    )
    assert often[0] < LIKELY <= rare[0]


def test_a_crowd_that_shares_everything_is_not_compared_pair_by_pair() -> None:
    """A block that is too large says nothing, and all together there is a limit."""
    crowd = [person(number, "Test", "Test", **HOME) for number in range(LARGEST_BLOCK + 1)]
    assert list(alike(crowd)) == []
    candidates = Candidates()
    try:
        for group in range(400):
            home = {"town": f"t{group}", "address": f"street {group}", "postcode": f"{group}"}
            candidates.add(
                [person(group * 50 + one, f"f{group}", f"l{group}", **home) for one in range(50)]
            )
        candidates.count()
        assert candidates.pairs <= 20 * candidates.contacts + 10_000
    finally:
        candidates.close()


def test_nobody_is_compared_who_says_nothing() -> None:
    assert blocks(Record(1)) == set()
    assert list(alike([Record(1), Record(2)])) == []
