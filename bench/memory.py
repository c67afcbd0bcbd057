"""How much memory the server's processes use while it works."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

import psutil

from bench.server import Server

_EVERY_S = 0.25
_MB = 1 << 20


class Memory:
    """Resident memory of all processes of the server together, looked at inside the block.

    Pages that a child shares with its parent count twice: the sum is never too low.
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
            self.seen_mb.append(sum(map(_resident, self._server.processes)) / _MB)
            if self._over.wait(_EVERY_S):
                return


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
