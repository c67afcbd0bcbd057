"""How much memory the server's processes use while it works."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from bench.server import Server

_EVERY_S = 0.25
_MB = 1 << 20


class Memory:
    """Memory of all processes of the server together, looked at inside the block.

    Of a page that several have each counts its part (PSS): the sum is what the machine gives them. Where
    the kernel does not tell, resident memory, to which shared pages count once for each process.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._look)
        self.seen_mb: list[float] = []

    def __enter__(self) -> Self:
        self._watch.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._watch.join()

    def _look(self) -> None:
        while True:
            self.seen_mb.append(sum(map(_own_part, self._server.processes)) / _MB)
            if self._over.wait(_EVERY_S):
                return


def _own_part(process: psutil.Process) -> int:
    try:
        for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text("ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) << 10
    except OSError:  # it ended, or the system has no such file
        pass
    return _resident(process)


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
