"""One client, one request after another: what a single call costs."""

from __future__ import annotations

from bench.jobs.base import Compared, LoadJob
from bench.jobs.post_known import FLOOR, FLOOR_SAYS, nothing_lost, requests

JOB = LoadJob(
    name="lone-client",
    title="the same known contact call, one client alone",
    requests=requests,
    floor=FLOOR,
    floor_says=f"one client; {FLOOR_SAYS}",
    target=2.5,
    compared=Compared.LATENCY,
    connections=1,
    floor_clients=1,
    answer_holds=b'{"id":',
    check=nothing_lost,
)
