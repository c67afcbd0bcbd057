"""Where the server spends its time under a job: py-spy's view of one worker."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from bench.jobs.base import Job
from bench.rounds import Setting, send

_FORMATS = {".svg": "flamegraph", ".json": "speedscope", ".txt": "raw"}
_RATE = 500


def profile(job: Job, setting: Setting, seconds: int, wanted: str) -> Path:
    """Record a worker while that job runs; the file's name decides its format (see `_FORMATS`)."""
    path = Path(wanted or tempfile.mkstemp(prefix="kartoteka-profile-", suffix=".svg")[1])
    beside = Path(sys.executable).with_name("py-spy")
    program = str(beside) if beside.exists() else shutil.which("py-spy")
    if program is None:
        raise SystemExit("py-spy is missing; install it: pip install py-spy")
    send(job, setting, 2)
    load = threading.Thread(target=send, args=(job, setting, seconds + 3))
    load.start()
    subprocess.run(
        [
            *[program, "record", "--pid", str(setting.server.worker_pid), "--output", str(path)],
            *["--duration", str(seconds), "--rate", str(_RATE)],
            *["--format", _FORMATS.get(path.suffix, "flamegraph")],
        ],
        check=True,
    )
    load.join()
    return path
