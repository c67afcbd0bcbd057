"""stderr for log lines, written by the handful: one system call for all requests of a moment."""

from __future__ import annotations

import asyncio
import atexit
from typing import TextIO

WAIT_S = 0.05
"""How long a line may wait for others. Killed with -9, a process takes so much of its log along."""


class LogStream:
    """Gathers lines while an event loop runs, and writes at once where none does."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._lines: list[str] = []
        self._waiting = False
        atexit.register(self.write_out)

    def write(self, text: str) -> None:
        """Take some text; `flush` says that a line is complete."""
        self._lines.append(text)

    def flush(self) -> None:
        """Have it written soon, or now if there is no loop to do it later."""
        if self._waiting:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.write_out()
            return
        self._waiting = True
        loop.call_later(WAIT_S, self.write_out)

    def write_out(self) -> None:
        """Write all that was gathered."""
        self._waiting = False
        text, self._lines = "".join(self._lines), []
        if text and not self._file.closed:
            self._file.write(text)
            self._file.flush()
