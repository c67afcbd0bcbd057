"""A segment is made: until everybody is in it who belongs there, by what its condition reads.

The floor finds the same people in one statement that reads each table once, and keeps them in a table
with the same indexes. Neither blocks a writer; ours is done in ranges and goes on where it was killed.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import psycopg

from bench import seed
from bench.figures import Cost, Measured
from bench.jobs.base import Checked, OwnJob
from bench.jobs.segments import make
from bench.setting import Length, Setting, say

_KEPT = "create table if not exists bench_match (like segment_match including all)"
_KEEP = """
insert into bench_match (account_id, version_id, contact_id, since)
select account_id, -1, contact_id, now() from ({}) found
"""
_CARDS = """
select account_id, contact_id from contact
where account_id = {account} and status = 0 and right(phone, 1) = '7'
"""
_ORDERS = """
select c.account_id, c.contact_id from contact c
join order_totals t on t.account_id = c.account_id and t.owner_id = c.contact_id
where c.account_id = {account} and c.status = 0
group by c.account_id, c.contact_id having sum(t.delivered_sum) > 1000
"""
_EVENTS = """
select c.account_id, c.contact_id from contact c
join event e on e.account_id = c.account_id and e.owner_id = c.contact_id
where c.account_id = {account} and c.status = 0 and e.kind = 0 and e.type_key = 'wishlist'
  and (e.params ->> 'price')::numeric > 250
group by c.account_id, c.contact_id having count(*) > 0
"""


def measure_fill(
    condition: dict[str, Any], bare: str, job: OwnJob, setting: Setting, length: Length
) -> Measured:
    """Rounds: the bare statement, then a segment made over HTTP until it says that it is ready."""
    measured = Measured(job, setting.processes)
    server, rounds = setting.server, min(length.rounds, 2)
    with psycopg.connect(server.database_url, autocommit=True) as connection:
        if connection.execute("select not exists (select from order_totals)").fetchone() == (True,):
            seed.seed_activity(server.database_url, setting.contacts, setting.account_id)
        connection.execute(_KEPT)
        for number in range(rounds):
            connection.execute("truncate bench_match")
            statement = _KEEP.format(bare.format(account=setting.account_id))
            before, started = server.cpu_s(), time.perf_counter()
            wanted = connection.execute(statement).rowcount
            floor_s, floor = time.perf_counter() - started, server.cpu_s() - before
            before, started = server.cpu_s(), time.perf_counter()
            (segment,) = make(setting, [condition])
            ours_s, ours = time.perf_counter() - started, server.cpu_s() - before
            measured.floor.add(setting.contacts / floor_s, [int(floor_s * 1e6)])
            measured.ours.add(setting.contacts / ours_s, [int(ours_s * 1e6)])
            spent = (ours.ours, ours.database, floor.database)
            measured.costs.append(Cost(*(1e6 * one / setting.contacts for one in spent)))
            counted = (
                "select count(*) from segment_match m join segment s using (version_id)"
                " where s.segment_id = %s"
            )
            held = connection.execute(counted, [segment]).fetchone()
            say(f"  round {number + 1}: bare {floor_s:.1f} s, ours {ours_s:.1f} s")
            sentence = f"{wanted:,} found by the bare statement, {held[0] if held else 0:,} by ours"
            measured.note(Checked(sentence, held == (wanted,)))
        connection.execute("drop table bench_match")
    return measured


def keep_busy(condition: dict[str, Any], setting: Setting, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        make(setting, [condition])


def _job(what: str, title: str, condition: dict[str, Any], bare: str, target: float) -> OwnJob:
    return OwnJob(
        name=f"fill-{what}",
        title=f"a segment by {title} is made, until everybody is in it",
        floor_says="one statement that finds the same people, into a table like it",
        target=target,
        unit=" contacts",
        measure=partial(measure_fill, condition, bare),
        keep_busy=partial(keep_busy, condition),
    )


_PRICE = {"name": "price", "operator": "greater", "value": 250}
JOBS = (
    _job("cards", "phone", {"field": "sms", "operator": "ends_with", "value": "7"}, _CARDS, 0.2),
    _job(
        "orders",
        "sum of delivered orders",
        {"field": "orderSum", "operator": "greater", "value": 1000},
        _ORDERS,
        0.2,
    ),
    _job(
        "events",
        "number of events with a parameter",
        {
            "field": "event",
            "type": "wishlist",
            "params": [_PRICE],
            "operator": "greater",
            "value": 0,
        },
        _EVENTS,
        0.2,
    ),
)
