"""A person nobody knows: a new card with three identifiers."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg

from bench import people
from bench.jobs.base import Checked, LoadJob, Request, Stint

_SUBJECT = """
select c.external_id, count(distinct (i.kind, i.value_key))
from contact c
join identifier i on i.account_id = c.account_id and i.contact_id = c.contact_id
where c.external_id = any(%s::text[])
group by c.account_id, c.contact_id
"""


def requests(stint: Stint) -> Iterator[Request]:
    while True:
        number = stint.contacts + next(stint.numbers)
        yield people.post_contact(stint, number, "Anna"), (number, "Anna")


def all_there(database_url: str, written: dict[int, str]) -> Checked:
    """Every acknowledged person has one card with three identifiers."""
    wanted = [people.external_id(number) for number in written]
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(_SUBJECT, [wanted]).fetchall()
    right = sum(count == 3 for _, count in rows)
    passed = len(rows) == right == len(wanted)
    return Checked(f"{len(wanted):,} new people: {right:,} cards with three identifiers", passed)


JOB = LoadJob(
    name="post-new",
    title="`POST /api/v1/contact`, new contact, 64 connections",
    requests=requests,
    floor="insert_card",
    floor_says="one transaction: insert of a card and of its three identifiers (one statement)",
    target=0.6,
    goal=1.0,
    p99_ms=50,
    answer_holds=b'{"id":',
    check=all_there,
)
