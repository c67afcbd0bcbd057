"""Floor, ours, floor, ours …: so that a noisy neighbour meets both sides alike."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from statistics import median

import msgspec

from bench import pgbench
from bench.figures import Measured, Side
from bench.jobs.base import Job
from bench.load import Order, Report
from bench.server import Server

WARM_UP_S = 2
_ROOT = Path(__file__).parents[1]
"""Where the package `bench` is found, wherever we were started."""


class Numbers:
    """Numbers that no request of this run has used yet."""

    def __init__(self) -> None:
        self.next = 1

    def take(self, count: int) -> None:
        self.next += count


class Setting(msgspec.Struct):
    """What all jobs of a run stand on."""

    server: Server
    floor_url: str
    folder: Path
    contacts: int
    account_id: int
    processes: int
    ours: Numbers
    floors: Numbers


def measure(job: Job, setting: Setting, rounds: int, seconds: int) -> Measured:
    """That many rounds of that many seconds on each side, after a warm-up of both."""
    measured = Measured(job, setting.processes, Side([], [], []), Side([], [], []))
    written: dict[int, str] = {}
    costs: list[float] = []
    for number in range(rounds + 1):
        length = seconds if number else WARM_UP_S
        floor = _floor(job, setting, length)
        ours = send(job, setting, length)
        written |= ours.written
        if ours.failures:
            measured.failure = ours.failure.partition("\r\n")[0]
            _say(f"  {ours.failures} requests failed, the first with:\n{ours.failure}")
            return measured
        rate = len(ours.latencies) / ours.seconds
        _say(
            f"  {f'round {number}' if number else 'warm-up'}: floor {floor.rate:,.0f}/s, "
            f"ours {rate:,.0f}/s, {rate / floor.rate:.2f}"
        )
        if number:
            measured.floor.add(floor.rate, floor.latencies)
            measured.ours.add(rate, ours.latencies)
            costs.append(ours.cpu_us)
    measured.load_cpu_us = median(costs)
    _check(measured, setting, written)
    return measured


def _check(measured: Measured, setting: Setting, written: dict[int, str]) -> None:
    if measured.job.check is None:
        return
    checked = measured.job.check(setting.server.database_url, written)
    measured.checked = checked.sentence
    _say(f"  {checked.sentence}")
    if not checked.passed:
        measured.failure = f"wrong: {checked.sentence}"


def _floor(job: Job, setting: Setting, seconds: int) -> pgbench.FloorReport:
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


def send(job: Job, setting: Setting, seconds: float) -> Report:
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


def _say(text: str) -> None:
    print(text, flush=True)
