"""Where the server spends its time under a job: py-spy's view of its busiest process."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from bench.jobs.base import Job, LoadJob, OwnJob
from bench.rounds import send
from bench.setting import Setting, say

_FORMATS = {".svg": "flamegraph", ".json": "speedscope", ".txt": "raw"}
_RATE = 500
_WARM_UP_S = 3
_BUSY = 0.2
"""Share of a core that is work."""
_BUSY_WITHIN_S = 60


def profile(job: Job, setting: Setting, seconds: int, wanted: str) -> Path:
    """Record the process that works most under that job; see `_FORMATS` for names of the file.

    Under `csv` and `bulk` that is the child that carries jobs out, under the others a worker.
    """
    path = Path(wanted or tempfile.mkstemp(prefix="kartoteka-profile-", suffix=".svg")[1])
    beside = Path(sys.executable).with_name("py-spy")
    program = str(beside) if beside.exists() else shutil.which("py-spy")
    if program is None:
        raise SystemExit("py-spy is missing; install it: pip install py-spy")
    load = threading.Thread(target=_keep_busy, args=(job, setting, seconds + 2 * _WARM_UP_S + 1))
    load.start()
    subprocess.run(
        [
            *[program, "record", "--pid", str(_working(setting)), "--output", str(path)],
            *["--duration", str(seconds), "--rate", str(_RATE)],
            *["--format", _FORMATS.get(path.suffix, "flamegraph")],
        ],
        check=True,
    )
    load.join()
    return path


def _keep_busy(job: Job, setting: Setting, seconds: float) -> None:
    if isinstance(job, OwnJob):
        job.keep_busy(setting, seconds)
    else:
        assert isinstance(job, LoadJob)
        send(job, setting, seconds)


def _working(setting: Setting) -> int:
    """The busiest process, once there is one and it is warm."""
    deadline = time.monotonic() + _BUSY_WITHIN_S
    while setting.server.busiest()[1] < _BUSY:
        if time.monotonic() > deadline:
            raise SystemExit("nothing to look at: the server has nothing to do")
    time.sleep(_WARM_UP_S - 1)
    pid, share = setting.server.busiest()
    say(f"Process {pid} works most, {100 * share:.0f} % of a core.")
    return pid
