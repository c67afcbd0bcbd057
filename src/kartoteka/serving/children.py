"""Child processes that answer on the shared socket and end with their parent."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from typing import NoReturn

import msgspec

from kartoteka.errors import KartotekaError
from kartoteka.log import finish_logging, logger

Serve = Callable[["Lifeline"], None]
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_parents_ends: set[int] = set()
"""The parent's ends of all pipes: a child closes them, or its siblings would miss our end."""


class Lifeline(msgspec.Struct, frozen=True):
    """A child's ends of two pipes."""

    parent: int
    """Reading it ends when the parent is gone, however it went."""
    ready: int
    """A byte written here says: I answer."""

    def say_ready(self) -> None:
        """Tell the parent that requests are answered from now on."""
        os.write(self.ready, b"1")


class Child:
    """One forked process."""

    def __init__(self, pid: int, lifeline: int, ready: int) -> None:
        self.pid = pid
        self.born = time.monotonic()
        self.is_ready = False
        self.status: int | None = None
        self._lifeline = lifeline
        self._ready = ready

    @classmethod
    def fork(cls, serve: Serve) -> Child:
        """A child that runs `serve` and exits: 0 after it returned, 1 after an error.

        The parent must have no threads and no running event loop.
        """
        (parent_end, lifeline), (ready, ready_end) = os.pipe(), os.pipe()
        _parents_ends.update((lifeline, ready))
        sys.stdout.flush()
        sys.stderr.flush()
        # A signal between the fork and the child's own handlers would run the parent's.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        pid = os.fork()
        if pid == 0:
            _run(serve, Lifeline(parent_end, ready_end))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        os.close(parent_end)
        os.close(ready_end)
        os.set_blocking(ready, False)
        return cls(pid, lifeline, ready)

    def poll(self) -> bool:
        """True while it runs. Notes when it became ready."""
        if self.status is None:
            self._read_ready()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
                for end in (self._lifeline, self._ready):
                    os.close(end)
                    _parents_ends.discard(end)
        return self.status is None

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Ask it to finish what it does and end."""
        if self.poll():
            os.kill(self.pid, how)

    def _read_ready(self) -> None:
        if not self.is_ready:
            try:
                self.is_ready = bool(os.read(self._ready, 1))
            except BlockingIOError:
                return


def stop_all(children: list[Child], *, timeout_s: float) -> None:
    """End them: gently, and after that time not gently."""
    for child in children:
        child.stop()
    deadline = time.monotonic() + timeout_s
    while running := [child for child in children if child.poll()]:
        if time.monotonic() > deadline:
            for child in running:
                child.stop(signal.SIGKILL)
        time.sleep(0.01)


def _run(serve: Serve, lifeline: Lifeline) -> NoReturn:
    """In the child: never returns, never unwinds into the parent's frames."""
    status = 1
    try:
        _settle()
        serve(lifeline)
        status = 0
    except SystemExit as exit_:
        status = exit_.code if isinstance(exit_.code, int) else 1
    except KartotekaError as error:
        logger.error("worker_failed", reason=error.message)
    except BaseException:  # noqa: BLE001  the process ends here, whatever it was
        logger.error("worker_failed", exc_info=True)
    finally:
        finish_logging()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _settle() -> None:
    """Take leave of the parent's pipes and signals."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    # Ctrl-C and a closed terminal reach the whole group; the parent decides when we stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    for end in _parents_ends:
        os.close(end)
