"""A known person sends a new first name: the most common call of a shop."""

from __future__ import annotations

import random
from collections.abc import Iterator

import psycopg

from bench import people
from bench.jobs.base import Checked, LoadJob, Request, Stint

_LETTERS = str.maketrans("0123456789", "ghijklmnop")
"""A name with many digits is no name: the server leaves it out, and there is nothing to write."""
_SUBJECT = "select external_id, first_name from contact where external_id = any(%s::text[])"


def requests(stint: Stint) -> Iterator[Request]:
    """Each connection has its own share of the people, so that the last answer is the last word."""
    share = stint.contacts // stint.connections
    while True:
        number = stint.connection + 1 + stint.connections * int(random.random() * share)
        name = f"Anna{next(stint.numbers):08x}".translate(_LETTERS)
        yield people.post_contact(stint, number, name), (number, name)


def nothing_lost(database_url: str, written: dict[int, str]) -> Checked:
    """Every contact has the first name that was acknowledged last."""
    wanted = {people.external_id(number): name for number, name in written.items()}
    with psycopg.connect(database_url) as connection:
        stored = dict(connection.execute(_SUBJECT, [list(wanted)]).fetchall())
    lost = sum(stored.get(external_id) != name for external_id, name in wanted.items())
    return Checked(f"no lost update: {len(wanted):,} contacts compared, {lost} differ", lost == 0)


FLOOR = "update_card"
FLOOR_SAYS = (
    "one transaction: update of the card found by External ID, upsert of its e-mail and phone "
    "(one statement; a row that would stay as it is is locked, not rewritten)"
)

JOB = LoadJob(
    name="post-known",
    title="`POST /api/v1/contact`, known, new first name, 64 connections",
    requests=requests,
    floor=FLOOR,
    floor_says=FLOOR_SAYS,
    target=0.7,
    goal=1.0,
    p99_ms=50,
    answer_holds=b'{"id":',
    check=nothing_lost,
)
