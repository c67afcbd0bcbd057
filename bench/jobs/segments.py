"""What 50 segments cost the writer, and how quick the empty External ID is counted and read.

`segments`: the first job with 50 segments defined against the same job without them, on one server.
`count-empty`: count and first page of *External ID is empty* over HTTP against the bare SQL.
"""

from __future__ import annotations

import time
from typing import Any

import msgspec
import psycopg

from bench.calls import Client
from bench.figures import Measured
from bench.jobs import post_known
from bench.jobs.base import Checked, Compared, OwnJob
from bench.rounds import WARM_UP_S, send
from bench.setting import Length, Setting, say

MANY = 50
ASKED = 60
PAGE = 50
READS_FIRST_NAME = 20
_HIDE = (
    "update segment_version set account_id = -account_id",
    "update account set segment_epoch = segment_epoch + 1",
)
EMPTY = {"field": "externalCustomerId", "operator": "is_empty"}


def conditions() -> list[dict[str, Any]]:
    """Twenty look at the first name, which every request changes; thirty at what stays."""
    letters = "abcdefghijklmnopqrst"
    reads = [
        {
            "all": [
                {"field": "externalCustomerId", "operator": "is_set"},
                {"field": "firstName", "operator": "contains", "value": f"{one}{two}"},
            ]
        }
        for one, two in zip(letters[:READS_FIRST_NAME], reversed(letters), strict=True)
    ]
    domains = [
        {"field": "emailDomain", "operator": "equals", "value": f"d{n}.example"} for n in range(10)
    ]
    towns = [{"field": "town", "operator": "equals", "value": f"Town {n}"} for n in range(10)]
    others = [
        {"any": [EMPTY, {"field": "languageCode", "operator": "equals", "value": f"x{n}"}]}
        for n in range(MANY - READS_FIRST_NAME - 20)
    ]
    return [*reads, *domains, *towns, *others]


def make(setting: Setting, wanted: list[dict[str, Any]]) -> list[int]:
    """The ids of these segments, filled."""
    client = Client(setting.server)
    made = []
    for number, condition in enumerate(wanted):
        body = {"name": f"Segment {number}", "condition": condition}
        made.append(client.post("/api/v1/segments", msgspec.json.encode(body))["id"])
    with psycopg.connect(setting.server.database_url, autocommit=True) as connection:
        waiting = "select count(*) from segment_version where state <> 'serving'"
        while connection.execute(waiting).fetchone() != (0,):
            time.sleep(0.2)
    return made


def measure_segments(job: OwnJob, setting: Setting, length: Length) -> Measured:
    """Without and with, in turn; hidden segments are nobody's."""
    measured = Measured(job, setting.processes)
    make(setting, conditions())
    with psycopg.connect(setting.server.database_url, autocommit=True) as connection:
        for number in range(length.rounds + 1):
            seconds = length.seconds if number else WARM_UP_S
            for side in (measured.floor, measured.ours):
                for statement in _HIDE:
                    connection.execute(statement)
                report = send(post_known.JOB, setting, seconds)
                if report.failures:
                    measured.failure = report.failure.partition("\r\n")[0]
                    return measured
                rate = len(report.latencies) / report.seconds
                if number:
                    side.add(rate, report.latencies)
                say(f"  {'with' if side is measured.ours else 'without'}: {rate:,.0f}/s")
        held = "select count(*) from segment_match"
        rows = connection.execute(held).fetchone()
    measured.note(
        Checked(f"{rows[0] if rows else 0:,} memberships kept while they were defined", True)
    )
    return measured


def measure_empty(job: OwnJob, setting: Setting, length: Length) -> Measured:
    """One in a hundred has no External ID; both sides one request after another."""
    measured = Measured(job, setting.processes)
    strip = (
        "update contact set external_id = null where account_id = %s and contact_id %% 100 = 0",
        "delete from identifier where account_id = %s and kind = 1 and contact_id %% 100 = 0",
    )
    for url in (setting.server.database_url, setting.floor_url):
        with psycopg.connect(url, autocommit=True) as connection:
            for statement in strip:
                connection.execute(statement, [setting.account_id])
            connection.execute("vacuum (analyze) contact")
    (segment,) = make(setting, [EMPTY])
    client = Client(setting.server)
    bare = "select {} from contact where account_id = %s and status = 0 and external_id is null"
    count, page = bare.format("count(*)"), bare.format("*") + f" order by contact_id limit {PAGE}"
    with psycopg.connect(setting.floor_url, autocommit=True) as connection:
        for _ in range(length.rounds):
            for side in (measured.floor, measured.ours):
                latencies = []
                for _ in range(ASKED):
                    since = time.perf_counter()
                    if side is measured.floor:
                        connection.execute(count, [setting.account_id], prepare=True).fetchone()
                        connection.execute(page, [setting.account_id], prepare=True).fetchall()
                    else:
                        client.get(f"/api/v1/group/{segment}/contacts?maxrows={PAGE}")
                    latencies.append(int((time.perf_counter() - since) * 1e6))
                side.add(1e6 * len(latencies) / sum(latencies), latencies)
            say(
                f"  bare {measured.floor.medians_ms[-1]} ms, ours {measured.ours.medians_ms[-1]} ms"
            )
    return measured


def keep_busy(setting: Setting, seconds: float) -> None:
    send(post_known.JOB, setting, seconds)


JOB = OwnJob(
    name="segments",
    title=f"the first job with {MANY} dynamic segments, {READS_FIRST_NAME} of which read what changes",
    floor_says="the same requests to the same server without segments",
    target=0.75,
    measure=measure_segments,
    keep_busy=keep_busy,
)
EMPTY_JOB = OwnJob(
    name="count-empty",
    title="count and first page of *External ID is empty*, 1 % empty",
    floor_says="the bare SQL: count, and a page of whole rows, over contact with its usual indexes",
    target=2.0,
    grace_ms=2.0,
    compared=Compared.LATENCY,
    measure=measure_empty,
    keep_busy=keep_busy,
)
