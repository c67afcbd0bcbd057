"""An event of a known person: what a shop sends at every step of a visit."""

from __future__ import annotations

import random
from collections.abc import Iterator

import psycopg

from bench import people
from bench.jobs.base import Checked, LoadJob, Request, Stint

TYPE = "productViewed"
_SUBJECT = """
select count(*)
from unnest(%s::text[], %s::text[]) as w (external_id, sku)
join contact c on c.external_id = w.external_id
where exists (
    select from event e
    where e.account_id = c.account_id
      and e.owner_id = c.contact_id
      and e.params ->> 'sku' = w.sku
)
"""


def requests(stint: Stint) -> Iterator[Request]:
    while True:
        number = 1 + int(random.random() * stint.contacts)
        sku = str(next(stint.numbers))
        body = (
            f'{{"eventTypeKey":"{TYPE}","params":[{{"name":"externalCustomerId","value":'
            f'"{people.external_id(number)}"}},{{"name":"sku","value":"{sku}"}},'
            f'{{"name":"price","value":12.5}}]}}'
        )
        yield (
            (
                f"POST /api/v2/event HTTP/1.1\r\nHost: {stint.host}\r\n"
                f"Authorization: {stint.authorization}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n{body}"
            ).encode(),
            (number, sku),
        )


def all_there(database_url: str, written: dict[int, str]) -> Checked:
    """Every contact has the event that was acknowledged last."""
    wanted = [people.external_id(number) for number in written]
    with psycopg.connect(database_url) as connection:
        row = connection.execute(_SUBJECT, [wanted, list(written.values())]).fetchone()
    there = row[0] if row else 0
    sentence = f"{len(wanted):,} contacts asked for their last event: {there:,} have it"
    return Checked(sentence, there == len(wanted))


JOB = LoadJob(
    name="event",
    title="`POST /api/v2/event`, known contact, 64 connections",
    requests=requests,
    floor="insert_event",
    floor_says="one insert of one event row",
    target=0.5,
    goal=1.0,
    check=all_there,
)
