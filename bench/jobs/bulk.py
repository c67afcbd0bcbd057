"""`POST /api/v1/contacts`, 3,000 a call, half of them known, until every call is FINISHED.

The floor is what the database can do of the same rows at best: `floors/upsert_rows.sql`, staged by
`copy`, 3,000 rows a transaction, on two connections. `floors/variants.md` says what was tried.
"""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import msgspec

from bench.calls import Client, Unexpected
from bench.figures import Measured
from bench.jobs.base import OwnJob
from bench.portions import measure_round
from bench.rows import People
from bench.setting import Length, Setting, say
from bench.statement import Found, look
from bench.upsert import Stretch

CALL_ROWS = 3_000
CALLS = 6
"""A round."""
MOST_ROUNDS = 4
KNOWN = 0.5
_WITHIN_S = 120


def call_all(client: Client, bodies: list[bytes]) -> tuple[Stretch, list[str]]:
    """Send one call after the other, then wait for them; latencies are until FINISHED."""
    sent: list[tuple[str, float]] = []
    latencies = []
    started = time.perf_counter()
    for body in bodies:
        since = time.perf_counter()
        sent.append((client.post("/api/v1/contacts", body)["asyncSessionId"], since))
    for session, since in sent:
        client.await_session(session, _WITHIN_S)
        latencies.append(int((time.perf_counter() - since) * 1e6))
    seconds = time.perf_counter() - started
    return Stretch(CALL_ROWS * len(bodies), seconds, latencies), [session for session, _ in sent]


def bodies_of(people: People) -> list[bytes]:
    """The calls, ready to be sent."""
    contacts = people.contacts()
    bodies = []
    while chunk := list(itertools.islice(contacts, CALL_ROWS)):
        bodies.append(msgspec.json.encode({"dedupeOn": "externalCustomerId", "contacts": chunk}))
    return bodies


def measure(job: OwnJob, setting: Setting, length: Length) -> Measured:
    """Rounds of `CALLS` calls, each looked up in the database."""
    measured, found = Measured(job, setting.processes), Found()
    client = Client(setting.server)
    for number in range(min(length.rounds, MOST_ROUNDS) + 1):
        people = setting.people(CALLS * CALL_ROWS, KNOWN)
        bodies = bodies_of(people)
        sessions: list[str] = []

        def ours(_: Path, bodies: list[bytes] = bodies, into: list[str] = sessions) -> Stretch:
            done, names = call_all(client, bodies)
            into += names
            return done

        try:
            measure_round(measured, setting, people, ours, warms_up=not number)
        except Unexpected as error:
            measured.failure = str(error)
            say(f"  {error}")
            return measured
        found.add(look(setting, people, sessions=sessions))
    measured.note(found.checked())
    say(f"  {measured.checked}")
    return measured


def keep_busy(setting: Setting, seconds: float) -> None:
    """One round after the other."""
    client = Client(setting.server)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        call_all(client, bodies_of(setting.people(CALLS * CALL_ROWS, KNOWN)))


FLOOR_SAYS = (
    "3,000 rows staged by `copy`, then one statement: update of the known cards, insert of the new "
    "ones, insert of the identifiers that are not there; two connections"
)

JOB = OwnJob(
    name="bulk",
    title="`POST /api/v1/contacts`, 3,000 a call, half of them new, until FINISHED",
    measure=measure,
    keep_busy=keep_busy,
    floor_says=FLOOR_SAYS,
    target=0.5,
    goal=0.8,
    unit=" rows",
)
