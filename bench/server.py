"""The real server on a folder of its own: `kartoteka serve`, its database and its key."""

from __future__ import annotations

import base64
import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import psutil

from kartoteka.db.embedded import running_url

_READY = re.compile(r"is ready: http://(\S+):(\d+)")
_STARTS_WITHIN_S = 120


class Server(msgspec.Struct):
    """A running server."""

    host: str
    port: int
    authorization: str
    """Value of the header."""
    database_url: str
    pid: int
    log: Path

    @property
    def processes(self) -> list[psutil.Process]:
        """The supervisor and its children, without PostgreSQL."""
        parent = psutil.Process(self.pid)
        children = (child for child in parent.children(recursive=True) if _is_ours(child))
        return [parent, *children]

    def complaints(self, most: int = 10) -> str:
        """The last lines of the log that are about something else than a request."""
        lines = self.log.read_text("utf-8").splitlines()
        return "\n".join([line for line in lines if '"level":"info"' not in line][-most:])

    def busiest(self, within_s: float = 1.0) -> tuple[int, float]:
        """The process that works most over that time, and its share of a core."""
        before = {process.pid: _cpu_s(process) for process in self.processes}
        time.sleep(within_s)
        spent = {process.pid: _cpu_s(process) for process in self.processes}
        shares = {pid: (spent[pid] - before.get(pid, 0)) / within_s for pid in spent}
        return max(shares.items(), key=lambda share: share[1])

    def cpu_s(self) -> Spent:
        """Processor time so far, children that ended included."""
        tree = [psutil.Process(self.pid), *psutil.Process(self.pid).children(recursive=True)]
        ours = [process for process in tree if _is_ours(process)]
        database = [process for process in tree if process not in ours]
        return Spent(sum(map(_all_cpu_s, ours)), sum(map(_all_cpu_s, database)))


class Spent(msgspec.Struct):
    """Processor time in seconds."""

    ours: float
    database: float

    def __sub__(self, other: Spent) -> Spent:
        return Spent(self.ours - other.ours, self.database - other.database)

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.ours + other.ours, self.database + other.database)


def _is_ours(process: psutil.Process) -> bool:
    try:
        return process.name() != "postgres"
    except psutil.NoSuchProcess:
        return False


def _cpu_s(process: psutil.Process) -> float:
    try:
        return float(sum(process.cpu_times()[:2]))
    except psutil.NoSuchProcess:
        return 0.0


def _all_cpu_s(process: psutil.Process) -> float:
    """Of it and of its children that ended."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(sum(times[:4]))


@contextmanager
def running_server(folder: Path, processes: int) -> Iterator[Server]:
    """`kartoteka serve` on that folder, which it makes or finds again; stopped after the block."""
    key = secrets.token_hex(20)
    key_file = folder / "key"
    if key_file.exists():
        key = key_file.read_text("ascii")
    key_file.write_text(key, "ascii")
    said, log = folder / "server.out", folder / "server.log"
    with said.open("wb") as stdout, log.open("ab") as stderr:
        started = subprocess.Popen(
            [Path(sys.executable).with_name("kartoteka"), "serve"],
            env=_environment(folder / "data", key, processes),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
        )
    try:
        host, port = _await_ready(started, said, log)
        token = base64.b64encode(f"bench:{key}".encode()).decode()
        url = running_url(folder / "data")
        yield Server(host, port, f"Basic {token}", url, started.pid, log)
    finally:
        started.terminate()
        started.wait()


def _environment(data: Path, key: str, processes: int) -> dict[str, str]:
    kept = {name: text for name, text in os.environ.items() if not name.startswith("KARTOTEKA_")}
    return kept | {
        "KARTOTEKA_DATA_DIR": str(data),
        "KARTOTEKA_PORT": "0",
        "KARTOTEKA_API_KEY": key,
        "KARTOTEKA_PROCESSES": str(processes),
    }


def _await_ready(started: subprocess.Popen[bytes], said: Path, log: Path) -> tuple[str, int]:
    deadline = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < deadline and started.poll() is None:
        if match := _READY.search(said.read_text("utf-8")):
            return match[1], int(match[2])
        time.sleep(0.05)
    raise SystemExit(f"kartoteka serve did not start:\n{log.read_text('utf-8')[-2000:]}")
