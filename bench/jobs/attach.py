"""A visitor with a million page views registers: as quick as one with a single one, and nobody waits.

The floor is the same call for a visitor with one view. Meanwhile another connection writes contacts.
"""

from __future__ import annotations

import secrets
import threading
import time

import msgspec
import psycopg

from bench.calls import Client, Unexpected
from bench.figures import Measured
from bench.jobs.base import Checked, Compared, OwnJob
from bench.setting import Length, Setting, say

VIEWS, FEW_VIEWS = 1_000_000, 100_000
LINKS = 10
"""Visitors with one view, a round."""
_FILL = """
insert into event (account_id, owner_id, kind, source, type_key, occurred, received, params)
select s.account_id, s.owner_id, 1, 2, 'pageView', now() - n * interval '20 seconds', now(),
       '{"page": "https://shop.example/a"}'
from visitor_span s, generate_series(1, %s) n
where s.account_id = %s and s.kind = 8 and s.value_key = %s
"""
_COUNT = """
select count(*)
from owners_of(%(account)s, array[%(contact)s::bigint]) o
join event e on e.account_id = %(account)s and e.owner_id = o.owner_id
"""


def _visit(client: Client, cookie: str) -> None:
    event = {"eventTypeKey": "seen", "params": {"webId": cookie}}
    client.post("/api/v3/event", msgspec.json.encode(event))


def _link(client: Client, cookie: str) -> tuple[int, int]:
    """(contact, microseconds that the call took)."""
    body = {"externalCustomerId": f"X-{cookie}", "webId": cookie, "channels": []}
    started = time.perf_counter()
    answer = client.post("/api/v1/contact", msgspec.json.encode(body))
    return answer["id"], int((time.perf_counter() - started) * 1e6)


def measure(job: OwnJob, setting: Setting, length: Length) -> Measured:
    """Rounds: the visitor with many views, then visitors with one; all views are looked up."""
    measured = Measured(job, setting.processes)
    views = FEW_VIEWS if length.quick else VIEWS
    try:
        for number in range(length.rounds):
            _round(measured, setting, views)
            say(f"  round {number + 1}: {measured.checked}")
    except Unexpected as error:
        measured.failure = str(error)
    return measured


def _round(measured: Measured, setting: Setting, views: int) -> None:
    client, many = Client(setting.server), f"many-{secrets.token_hex(6)}"
    _visit(client, many)
    with psycopg.connect(setting.server.database_url, autocommit=True) as connection:
        connection.execute(_FILL, [views - 1, setting.account_id, many])
    few = [f"few-{secrets.token_hex(6)}" for _ in range(LINKS)]
    for cookie in few:
        _visit(client, cookie)
    waits = _Others(setting)
    contact, took = _link(client, many)
    slowest = waits.end()
    times = [_link(client, cookie)[1] for cookie in few]
    measured.ours.add(1e6 / took, [took])
    measured.floor.add(len(times) / sum(times) * 1e6, times)
    with psycopg.connect(setting.server.database_url) as connection:
        params = {"account": setting.account_id, "contact": contact}
        row = connection.execute(_COUNT, params).fetchone()
    count = row[0] if row else 0
    sentence = (
        f"{count:,} of {views:,} views are the contact's; another's slowest call meanwhile "
        f"{slowest * 1e3:.0f} ms"
    )
    measured.note(Checked(sentence, count == views))


class _Others:
    """Somebody else who goes on writing; `end` tells how long their slowest call took."""

    def __init__(self, setting: Setting) -> None:
        self._client = Client(setting.server)
        self._over = threading.Event()
        self._slowest = 0.0
        self._thread = threading.Thread(target=self._write)
        self._thread.start()
        time.sleep(0.2)

    def _write(self) -> None:
        while not self._over.is_set():
            body = {"externalCustomerId": f"O-{secrets.token_hex(4)}", "channels": []}
            started = time.perf_counter()
            self._client.post("/api/v1/contact", msgspec.json.encode(body))
            self._slowest = max(self._slowest, time.perf_counter() - started)

    def end(self) -> float:
        time.sleep(0.2)
        self._over.set()
        self._thread.join()
        return self._slowest


def keep_busy(setting: Setting, seconds: float) -> None:
    """One registration after the other."""
    client, until = Client(setting.server), time.monotonic() + seconds
    while time.monotonic() < until:
        cookie = f"busy-{secrets.token_hex(6)}"
        _visit(client, cookie)
        _link(client, cookie)


JOB = OwnJob(
    name="attach",
    title="`POST /api/v1/contact` that makes a visitor with 1,000,000 views known",
    floor_says="the same call for a visitor with one view, on the same server",
    target=3.0,
    compared=Compared.LATENCY,
    measure=measure,
    keep_busy=keep_busy,
)
