"""Floor, ours, floor, ours …: so that a noisy neighbour meets both sides alike."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from statistics import median

import msgspec

from bench import pgbench
from bench.figures import Measured
from bench.jobs.base import Job, LoadJob, OwnJob
from bench.order import Order, Report
from bench.setting import Length, Setting, say

WARM_UP_S = 2
_ROOT = Path(__file__).parents[1]
"""Where the package `bench` is found, wherever we were started."""


def measure(job: Job, setting: Setting, length: Length) -> Measured:
    """Both sides of that job, in turn."""
    if isinstance(job, OwnJob):
        return job.measure(job, setting, length)
    assert isinstance(job, LoadJob)
    return _measure_load(job, setting, length)


def _measure_load(job: LoadJob, setting: Setting, length: Length) -> Measured:
    """That many rounds of that many seconds on each side, after a warm-up of both."""
    measured = Measured(job, setting.processes)
    written: dict[int, str] = {}
    costs: list[float] = []
    for number in range(length.rounds + 1):
        seconds = length.seconds if number else WARM_UP_S
        floor = _floor(job, setting, seconds)
        ours = send(job, setting, seconds)
        written |= ours.written
        if ours.failures:
            measured.failure = ours.failure.partition("\r\n")[0]
            say(f"  {ours.failures} requests failed, the first with:\n{ours.failure}")
            return measured
        rate = len(ours.latencies) / ours.seconds
        say(
            f"  {f'round {number}' if number else 'warm-up'}: floor {floor.rate:,.0f}/s, "
            f"ours {rate:,.0f}/s, {rate / floor.rate:.2f}"
        )
        if number:
            measured.floor.add(floor.rate, floor.latencies)
            measured.ours.add(rate, ours.latencies)
            costs.append(ours.cpu_us)
    measured.load_cpu_us = median(costs)
    if job.check is not None:
        measured.note(job.check(setting.server.database_url, written))
        say(f"  {measured.checked}")
    return measured


def _floor(job: LoadJob, setting: Setting, seconds: int) -> pgbench.FloorReport:
    report = pgbench.run(
        job.floor,
        setting.floor_url,
        clients=job.floor_clients,
        seconds=seconds,
        folder=setting.folder,
        account=setting.account_id,
        contacts=setting.contacts,
        first=setting.contacts + setting.floors.next,
        i=0,
    )
    # Clients count for themselves; one may run ahead of the others, hardly ever twice as far.
    setting.floors.take(2 * len(report.latencies) + 2 * job.floor_clients)
    return report


def send(job: LoadJob, setting: Setting, seconds: float) -> Report:
    """The load of that job, from a process of its own."""
    server = setting.server
    order = Order(
        job.name,
        server.host,
        server.port,
        server.authorization,
        setting.contacts,
        seconds,
        setting.ours.next,
    )
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        input=msgspec.json.encode(order),
        stdout=subprocess.PIPE,
        cwd=_ROOT,
        check=True,
    )
    report = msgspec.json.decode(done.stdout, type=Report)
    setting.ours.take(report.sent + 1)
    return report
