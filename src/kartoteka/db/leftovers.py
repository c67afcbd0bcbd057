"""What a server that was killed may leave behind: processes, and a file that names them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil


def end_leftover(cluster: Path, *, timeout_s: float = 20.0) -> None:
    """Stop a PostgreSQL that outlived its parent on this cluster, and forget one that is dead."""
    pid = _noted_pid(cluster)
    if pid is None:
        return
    for stop in (signal.SIGINT, signal.SIGQUIT):
        if not is_postmaster(pid, cluster):
            break
        os.kill(pid, stop)
        _await_end(pid, cluster, timeout_s)
    _forget(cluster, pid)


def is_alive(pid: int) -> bool:
    """True when that process runs; one that has ended but was not collected does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.AccessDenied:
        return True
    except psutil.Error:
        return False


def is_postmaster(pid: int, cluster: Path) -> bool:
    """True when that process is PostgreSQL on this cluster."""
    try:
        process = psutil.Process(pid)
        return process.name() == "postgres" and Path(process.cwd()) == cluster.resolve()
    except psutil.AccessDenied:
        return True  # it is there, of another user: whoever asks must not touch it
    except psutil.Error:
        return False


def postmaster_lines(cluster: Path) -> list[str]:
    """The lines of `postmaster.pid`: pid, folder, …, socket folder (5th), state (8th)."""
    try:
        return (cluster / "postmaster.pid").read_text().splitlines()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return []


def _noted_pid(cluster: Path) -> int | None:
    lines = postmaster_lines(cluster)
    return int(lines[0]) if lines and lines[0].strip().isdigit() else None


def _await_end(pid: int, cluster: Path, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while is_postmaster(pid, cluster) and time.monotonic() < deadline:
        time.sleep(0.02)


def _forget(cluster: Path, pid: int) -> None:
    """Remove a `postmaster.pid` whose number now is somebody else's, or nobody's.

    PostgreSQL would take any process of that number for its former self and not start: in a
    container numbers return soon, and dead processes may stay uncollected. It stays while a
    process works on the cluster: PostgreSQL itself then waits for that one by its shared memory.
    """
    if _noted_pid(cluster) == pid and not any(_processes_on(cluster)):
        (cluster / "postmaster.pid").unlink(missing_ok=True)


def _processes_on(cluster: Path) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        if is_postmaster(process.pid, cluster) and is_alive(process.pid):
            yield process
