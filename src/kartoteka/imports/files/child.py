"""The child process that reads files of strangers: with limits, and not longer than its parent.

`python -m kartoteka.imports.files.child`: a task as a line of JSON on standard input, which stays
open while the parent lives; the answer as JSON on standard output. It never asks for anything else
and knows neither settings nor database.
"""

from __future__ import annotations

import gc
import os
import resource
import sys
import threading
from contextlib import suppress
from pathlib import Path

import msgspec

from kartoteka.imports.files.model import Limits
from kartoteka.imports.files.tasks import Task, answer


def main() -> None:
    """Read the task, answer it, end."""
    # Libraries that print must not print into the answer.
    out = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    task = msgspec.json.decode(sys.stdin.buffer.readline(), type=Task)
    # openpyxl takes numpy along where it finds it: a tenth of a second, and much address space.
    sys.modules["numpy"] = None  # type: ignore[assignment]
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _limit(task.limits)
    # It lives for one file, whose millions of cells hold no circles: a tenth of the time.
    gc.disable()
    with os.fdopen(out, "wb") as file:
        file.write(msgspec.json.encode(answer(task)))


def _end_with_parent() -> None:
    """The parent writes nothing more; that standard input ends says that it is gone."""
    while os.read(0, 1):
        pass
    os._exit(1)


def _limit(limits: Limits) -> None:
    """Less memory than the machine has, less right to the processor than those who answer."""
    os.nice(10)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        # A machine that is out of memory ends this before anything that keeps data.
        with suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000")
        resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))


if __name__ == "__main__":
    main()
