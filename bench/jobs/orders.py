"""`POST /api/v1/orders`, 1,000 a call, delivered orders of known contacts, two calls at once.

The floor inserts the same rows, 1,000 orders a transaction, staged by `copy`: `floors/insert_orders.sql`.
"""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import psycopg

from bench.calls import Client, Unexpected
from bench.figures import Cost, Measured
from bench.jobs.base import Checked, OwnJob
from bench.setting import Length, Setting, say
from bench.upsert import Stretch
from kartoteka.db.database import SESSION_OPTIONS
from kartoteka.db.named import load_queries

CALL_ORDERS = 1_000
CALLS = 12
"""A round, and side."""
CALLS_AT_ONCE = 2
ITEMS = 2
MOST_ROUNDS = 4
QUERIES = load_queries("bench", "floors/insert_orders.sql")
_IDS = itertools.count(10**12)
"""Of the floor's orders, for all rounds and numbers of processes."""
_START = datetime(2026, 1, 1, tzinfo=UTC)


class Bought(msgspec.Struct, frozen=True):
    """One order of both sides."""

    number: int
    person: int
    total: Decimal
    at: datetime
    prefix: str

    @property
    def order_id(self) -> str:
        return f"{self.prefix}{self.number}"


def orders(setting: Setting, count: int, prefix: str) -> list[Bought]:
    """So many orders of people who are known, at moments of this spring."""
    return [
        Bought(
            number,
            random.randint(1, setting.contacts),
            Decimal(random.randint(100, 99_999)) / 100,
            _START + timedelta(seconds=random.randint(0, 80 * 86_400)),
            prefix,
        )
        for number in range(1, count + 1)
    ]


def bodies_of(bought: Sequence[Bought]) -> list[bytes]:
    """The calls, ready to be sent."""
    return [
        msgspec.json.encode({"orders": [_json(one) for one in chunk]}) for chunk in _chunks(bought)
    ]


def _chunks(bought: Sequence[Bought]) -> Iterator[Sequence[Bought]]:
    for start in range(0, len(bought), CALL_ORDERS):
        yield bought[start : start + CALL_ORDERS]


def _json(one: Bought) -> dict[str, Any]:
    return {
        "externalOrderId": one.order_id,
        "externalCustomerId": f"crm-{one.person:07}",
        "email": f"person{one.person:07}@example.com",
        "status": "DELIVERED",
        "date": one.at.isoformat(),
        "totalCost": str(one.total),
        "currency": "UAH",
        "items": [
            {"externalItemId": f"sku-{n}", "name": "Tea", "quantity": 1, "cost": str(one.total / 2)}
            for n in range(ITEMS)
        ],
    }


def call_all(setting: Setting, bodies: Sequence[bytes]) -> Stretch:
    """Send the calls, two at once; each must answer with an empty body."""
    waiting, lock = iter(bodies), threading.Lock()
    latencies: list[int] = []
    errors: list[Unexpected] = []

    def work() -> None:
        client = Client(setting.server)
        while True:
            with lock:
                body = next(waiting, None)
            if body is None or errors:
                return
            since = time.perf_counter()
            try:
                failed = client.post("/api/v1/orders", body)
            except Unexpected as error:
                errors.append(error)
                return
            if failed:
                errors.append(Unexpected(f"orders were refused: {str(failed)[:200]}"))
            latencies.append(int((time.perf_counter() - since) * 1e6))

    started = time.perf_counter()
    threads = [threading.Thread(target=work) for _ in range(CALLS_AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return Stretch(len(bodies) * CALL_ORDERS, time.perf_counter() - started, latencies)


class Floor:
    """One connection to the database beside the server's."""

    def __init__(self, setting: Setting) -> None:
        self._account_id = setting.account_id
        self._connection = psycopg.connect(setting.floor_url, options=SESSION_OPTIONS)
        self._connection.execute(QUERIES["make_orders_stage"].sql)
        self._connection.commit()

    def insert(self, bought: Sequence[Bought]) -> Stretch:
        """A transaction for every thousand orders."""
        blocks = [self._lines(chunk) for chunk in _chunks(bought)]
        latencies = []
        started = time.perf_counter()
        for block in blocks:
            since = time.perf_counter()
            with self._connection.cursor() as cursor:
                with cursor.copy(QUERIES["stage_orders"].sql) as copy:
                    copy.write(block)
                params = {"account_id": self._account_id, "at": datetime.now(UTC)}
                cursor.execute(QUERIES["insert_orders"].sql, params, prepare=True)
            self._connection.commit()
            latencies.append(int((time.perf_counter() - since) * 1e6))
        return Stretch(len(bought), time.perf_counter() - started, latencies)

    def _lines(self, bought: Sequence[Bought]) -> bytes:
        lines = []
        for one in bought:
            number = next(_IDS)
            for item in range(ITEMS):
                lines.append(
                    f"{number},{one.order_id},crm-{one.person:07},person{one.person:07}@example.com,2,"
                    f"{one.total},UAH,{one.at.isoformat()},sku-{item},Tea,1,{one.total / 2}\n"
                )
        return "".join(lines).encode()

    def close(self) -> None:
        self._connection.close()


def measure(job: OwnJob, setting: Setting, length: Length) -> Measured:
    """Rounds: half of the floor, ours, the other half; each looked up in the database."""
    measured = Measured(job, setting.processes)
    floor, count = Floor(setting), CALLS * CALL_ORDERS
    for number in range(min(length.rounds, MOST_ROUNDS) + 1):
        prefix = f"r{number}-{random.randrange(10**9)}-"
        bought = orders(setting, count, prefix)
        bodies = bodies_of(bought)
        try:
            _round(measured, setting, floor, bought, bodies, warms_up=not number)
        except Unexpected as error:
            measured.failure = str(error)
            say(f"  {error}")
            return measured
        measured.note(_look(setting, bought, prefix))
        say(f"  {measured.checked}")
    floor.close()
    return measured


def _round(
    measured: Measured,
    setting: Setting,
    floor: Floor,
    bought: Sequence[Bought],
    bodies: Sequence[bytes],
    *,
    warms_up: bool,
) -> None:
    half = len(bought) // 2
    times = [setting.server.cpu_s()]
    least = floor.insert(bought[:half])
    times.append(setting.server.cpu_s())
    done = call_all(setting, bodies)
    times.append(setting.server.cpu_s())
    least += floor.insert(bought[half:])
    times.append(setting.server.cpu_s())
    cost = Cost(
        of_ours=(times[2] - times[1]).ours * 1e6 / len(bought),
        of_database=(times[2] - times[1]).database * 1e6 / len(bought),
        of_floor=(times[1] - times[0] + times[3] - times[2]).database * 1e6 / len(bought),
    )
    say(
        f"  {'warm-up' if warms_up else 'round'}: floor {least.rate:,.0f} orders/s, "
        f"ours {done.rate:,.0f} orders/s, {done.rate / least.rate:.2f}; processor time: {cost}"
    )
    if not warms_up:
        measured.floor.add(least.rate, least.latencies)
        measured.ours.add(done.rate, done.latencies)
        measured.costs.append(cost)


def _look(setting: Setting, bought: Sequence[Bought], prefix: str) -> Checked:
    """Every order is there once, with its event and items, and all totals are what orders say."""
    params = {"account_id": setting.account_id, "prefix": f"{prefix}%"}
    with psycopg.connect(setting.server.database_url) as connection:
        row = connection.execute(QUERIES["count_orders"].sql, params).fetchone()
        wrong = connection.execute(QUERIES["count_wrong_totals"].sql, params).fetchone()
    assert row is not None
    assert wrong is not None
    wanted = (len(bought), sum(one.total for one in bought), len(bought), ITEMS * len(bought))
    return Checked(
        f"{row[0]:,} orders of {row[1]:,} with {row[2]:,} events and {row[3]:,} items; "
        f"{wrong[0]} owners whose totals are not the sum of their orders",
        tuple(row) == wanted and wrong[0] == 0,
    )


def keep_busy(setting: Setting, seconds: float) -> None:
    """One round after the other."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        prefix = f"busy-{random.randrange(10**9)}-"
        call_all(setting, bodies_of(orders(setting, CALLS * CALL_ORDERS, prefix)))


JOB = OwnJob(
    name="orders",
    title="`POST /api/v1/orders`, 1,000 a call, two calls at once",
    measure=measure,
    keep_busy=keep_busy,
    floor_says=(
        "1,000 orders staged by `copy`, then one statement: insert of the orders, their items and "
        "events, upsert of the totals of their owners; one connection"
    ),
    target=0.4,
    unit=" orders",
)
