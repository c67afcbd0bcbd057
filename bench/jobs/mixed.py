"""Single calls while a CSV file is imported, against the same calls on a quiet server.

The import is paused for the quiet rounds and resumed for the others. Its people and those of the
calls are the same ones, so they also meet at the locks of a card.
"""

from __future__ import annotations

import time
from typing import Any

from bench.calls import Client, Unexpected
from bench.figures import Measured
from bench.jobs import post_known
from bench.jobs.base import Checked, Compared, OwnJob
from bench.order import Report
from bench.portions import make_file
from bench.rounds import WARM_UP_S, send
from bench.setting import Length, Setting, say

ROWS, QUICK_ROWS = 500_000, 250_000
KNOWN = 0.2
MOST_ROUNDS = 3
_WITHIN_S = 60


class Background:
    """An import that runs when told to."""

    def __init__(self, setting: Setting, rows: int) -> None:
        self.client = Client(setting.server)
        path = make_file(setting, setting.people(rows, KNOWN))
        self.import_id = self.client.start_import(path)
        self.done = 0
        self.seconds = 0.0
        self._since = (0, 0.0)

    def go_on(self) -> None:
        """Resume it if need be; it is under way afterwards."""
        if self._found()["state"] == "paused":
            self._tell("resume")
        before = self._found()["done"]
        found = self.client.wait(self.import_id, lambda now: now["done"] > before, _WITHIN_S)
        self._since = (found["done"], time.perf_counter())

    def still_runs(self) -> bool:
        """Whether it is under way; counts what it did since it went on."""
        found = self._found()
        self.done += found["done"] - self._since[0]
        self.seconds += time.perf_counter() - self._since[1]
        return bool(found["state"] == "running")

    def pause(self) -> None:
        """It writes nothing any more afterwards."""
        self._tell("pause")
        self.client.wait(self.import_id, lambda now: now["state"] == "paused", _WITHIN_S)
        time.sleep(0.5)  # the batches under way

    def cancel(self) -> None:
        self._tell("cancel")
        self.client.wait(self.import_id, lambda now: now["state"] == "cancelled", _WITHIN_S)

    def _found(self) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get(f"/api/v1/imports/{self.import_id}")
        return found

    def _tell(self, what: str) -> None:
        self.client.post(f"/api/v1/imports/{self.import_id}/{what}")


def measure(job: OwnJob, setting: Setting, length: Length) -> Measured:
    """Rounds of some seconds beside the import and as many without it."""
    measured = Measured(job, setting.processes)
    try:
        _rounds(measured, setting, length)
    except Unexpected as error:
        measured.failure = str(error)
        say(f"  {error}")
    return measured


def _rounds(measured: Measured, setting: Setting, length: Length) -> None:
    send(post_known.JOB, setting, WARM_UP_S)
    background = Background(setting, QUICK_ROWS if length.quick else ROWS)
    for _ in range(min(length.rounds, MOST_ROUNDS)):
        background.go_on()
        beside = _send(setting, length)
        if not background.still_runs():
            raise Unexpected("the import was over before the calls beside it")
        background.pause()
        quiet = _send(setting, length)
        _add(measured, quiet, beside)
    background.cancel()
    rate = background.done / background.seconds
    measured.note(Checked(f"beside the calls the import went on with {rate:,.0f} rows/s", rate > 0))
    say(f"  {measured.checked}")


def _send(setting: Setting, length: Length) -> Report:
    report = send(post_known.JOB, setting, length.seconds)
    if report.failures:
        raise Unexpected(report.failure.partition("\r\n")[0])
    return report


def _add(measured: Measured, quiet: Report, beside: Report) -> None:
    measured.floor.add(len(quiet.latencies) / quiet.seconds, quiet.latencies)
    measured.ours.add(len(beside.latencies) / beside.seconds, beside.latencies)
    say(
        f"  quiet p99 {measured.floor.p99s_ms[-1]:.1f} ms at {measured.floor.rates[-1]:,.0f}/s, "
        f"beside the import {measured.ours.p99s_ms[-1]:.1f} ms at {measured.ours.rates[-1]:,.0f}/s, "
        f"{measured.ratios[-1]:.1f}"
    )


def keep_busy(setting: Setting, seconds: float) -> None:
    """Both for that long."""
    background = Background(setting, int(seconds * 15_000))
    background.go_on()
    send(post_known.JOB, setting, seconds)
    background.cancel()


JOB = OwnJob(
    name="mixed",
    title="the same known contact call, 64 connections, while a CSV file is imported",
    measure=measure,
    keep_busy=keep_busy,
    floor_says="the same calls to the same server while the import is paused (not the database alone)",
    target=4,
    compared=Compared.P99,
)
