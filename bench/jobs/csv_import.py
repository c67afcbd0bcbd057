"""`POST /api/v1/imports`: a CSV file of a million customers, a fifth of them known, until finished.

The floor gets the same lines; see `jobs/bulk.py`. Meanwhile the memory of all server processes is
watched, and the progress that a client is shown.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import msgspec

from bench.calls import Client, Unexpected
from bench.figures import Measured
from bench.jobs.base import Checked, OwnJob
from bench.jobs.bulk import FLOOR_SAYS
from bench.memory import Memory
from bench.portions import make_file, measure_round
from bench.rows import People
from bench.setting import Length, Setting, say
from bench.statement import look
from bench.upsert import Stretch

ROWS, QUICK_ROWS = 1_000_000, 100_000
KNOWN = 0.2
SLOWEST = 500
"""Rows a second; below that we stop waiting."""
_STEPS = 10
_POLL_S = 0.1


class Seen(msgspec.Struct):
    """What the client and the kernel were shown while the import ran."""

    import_id: int = 0
    progress: list[int] = []
    """`done`, whenever it was another number."""
    memory_mb: list[float] = []


def measure(job: OwnJob, setting: Setting, length: Length) -> Measured:
    """One round: the file is large enough to be measured once."""
    rows = QUICK_ROWS if length.quick else ROWS
    job = msgspec.structs.replace(job, title=job.title.format(rows=rows))
    measured, seen = Measured(job, setting.processes), Seen()
    people = setting.people(rows, KNOWN)
    try:
        measure_round(measured, setting, people, lambda path: carry_out(setting, path, rows, seen))
    except Unexpected as error:
        measured.failure = str(error)
        say(f"  {error}")
        return measured
    measured.memory_mb = max(seen.memory_mb)
    _note(measured, setting, people, seen)
    say(f"  {measured.checked}")
    return measured


def carry_out(setting: Setting, path: Path, rows: int, seen: Seen) -> Stretch:
    """Upload the file and wait until it is finished: all of that is its time."""
    client = Client(setting.server)

    def is_over(found: dict[str, Any]) -> bool:
        if found["done"] and seen.progress[-1:] != [found["done"]]:
            seen.progress.append(found["done"])
            _show(seen.progress, rows, found)
        return bool(found["state"] == "finished")

    started = time.perf_counter()
    with Memory(setting.server) as memory:
        seen.import_id = client.start_import(path)
        client.wait(seen.import_id, is_over, 60 + rows / SLOWEST, _POLL_S)
    seconds = time.perf_counter() - started
    seen.memory_mb = memory.seen_mb
    return Stretch(rows, seconds, [])


def _show(progress: list[int], rows: int, found: dict[str, Any]) -> None:
    """A line at every tenth."""
    before = progress[-2] if len(progress) > 1 else 0
    if before * _STEPS // rows < progress[-1] * _STEPS // rows:
        say(f"    {100 * progress[-1] // rows} %, {found.get('rate') or 0:,.0f} rows/s")


def _note(measured: Measured, setting: Setting, people: People, seen: Seen) -> None:
    """The database, how often progress was seen, and the memory."""
    checked = look(setting, people, imports=[seen.import_id]).checked()
    first, most = seen.memory_mb[0], max(seen.memory_mb)
    middle = len(seen.memory_mb) // 2
    sentence = (
        f"{checked.sentence}; progress seen {len(seen.progress)} times; all processes of the server "
        f"together had {first:.0f} MB before, {max(seen.memory_mb[:middle] or [first]):.0f} MB at "
        f"most in the first half and {max(seen.memory_mb[middle:]):.0f} MB in the second"
    )
    measured.memory_mb = most
    measured.note(Checked(sentence, checked.passed and len(seen.progress) >= _STEPS))


def keep_busy(setting: Setting, seconds: float) -> None:
    """An import that takes longer than that, cancelled then."""
    path = make_file(setting, setting.people(int(seconds * 20_000), KNOWN))
    client = Client(setting.server)
    import_id = client.start_import(path)
    until = time.monotonic() + seconds
    client.wait(
        import_id,
        lambda found: found["state"] == "finished" or time.monotonic() > until,
        seconds + 60,
    )
    if time.monotonic() > until:
        client.post(f"/api/v1/imports/{import_id}/cancel")


JOB = OwnJob(
    name="csv",
    title="CSV import of {rows:,} rows, ten columns, a fifth of them known, until finished",
    measure=measure,
    keep_busy=keep_busy,
    floor_says=FLOOR_SAYS,
    target=0.5,
    goal=0.8,
    memory_mb=300,
    unit=" rows",
)
