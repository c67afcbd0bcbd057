"""Keeps the workers and the embedded database running until told to stop."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from kartoteka.errors import KartotekaError
from kartoteka.log import logger
from kartoteka.serving.children import Child, Serve, stop_all

STOP_WITHIN_S = 30.0
_STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_PAUSE_AFTER_DEATH_S = 0.5


class Stopped(BaseException):
    """SIGTERM or Ctrl-C came; unwinds whatever the parent is doing."""


class WorkersFail(KartotekaError):
    """The workers end before they answer anything; the lines above say why."""

    code = "workers_fail"


class Signals:
    """Whether a signal came, and a pipe that wakes `select` when one does."""

    def __init__(self) -> None:
        self.came = False
        self.raises = True
        self.pipe, self.wake = os.pipe()
        os.set_blocking(self.pipe, False)
        os.set_blocking(self.wake, False)

    def on_stop(self, _number: int, _frame: FrameType | None) -> None:
        if self.raises and not self.came:
            self.came = True
            raise Stopped
        self.came = True

    def sleep(self, seconds: float) -> None:
        """Sleep that long or until a signal comes (a child that ends sends one too)."""
        if select.select([self.pipe], [], [], seconds)[0]:
            os.read(self.pipe, 512)


@contextmanager
def stop_signals() -> Iterator[Signals]:
    """Inside the block SIGTERM, SIGINT and SIGHUP raise `Stopped`, once."""
    signals = Signals()
    before = {number: signal.signal(number, signals.on_stop) for number in _STOPPING}
    before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
    old_wake = signal.set_wakeup_fd(signals.wake, warn_on_full_buffer=False)
    try:
        yield signals
    finally:
        signal.set_wakeup_fd(old_wake)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(signals.pipe)
        os.close(signals.wake)


def supervise(
    serves: Sequence[Serve],
    signals: Signals,
    *,
    on_ready: Callable[[], None],
    restart_database: Callable[[], bool],
) -> None:
    """Run a worker of each, replacing those that die, until a stop signal came.

    `on_ready` is called once, when all of them answer; `restart_database` starts an embedded
    database that died and says whether it did. Raises `WorkersFail` when a worker ends before the
    first of them ever answered.
    """
    signals.raises = False
    children = [Child.fork(serve) for serve in serves]
    announced = False
    try:
        while not signals.came:
            if restart_database():
                logger.warning("database_restarted")
            children = [
                _alive(child, serve, announced=announced)
                for child, serve in zip(children, serves, strict=True)
            ]
            if not announced and all(child.is_ready for child in children):
                announced = True
                on_ready()
            signals.sleep(1.0 if announced else 0.01)
    finally:
        stop_all(children, timeout_s=STOP_WITHIN_S)


def _alive(child: Child, serve: Serve, *, announced: bool) -> Child:
    """That child, or a new one in its place."""
    if child.poll():
        return child
    if not announced:
        raise WorkersFail
    logger.warning("worker_restarted", pid=child.pid, status=child.status)
    if time.monotonic() - child.born < _PAUSE_AFTER_DEATH_S:
        time.sleep(_PAUSE_AFTER_DEATH_S)  # one that dies at once must not take all the CPU
    return Child.fork(serve)
