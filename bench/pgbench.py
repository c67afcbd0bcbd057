"""The floor: pgbench with one of our scripts, on the database beside the server's."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

import msgspec

from kartoteka.db.programs import BIN, connection_environment, find_program
from kartoteka.errors import SettingsError

SCRIPTS = Path(__file__).with_name("floors")
_RATE = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
_FAILED = re.compile(r"^number of failed transactions: (\d+)", re.MULTILINE)


class FloorReport(msgspec.Struct):
    """Transactions a second and the latencies of all of them, in microseconds."""

    rate: float
    latencies: list[int]


def program() -> Path:
    """The wheel's pgbench, of the same version as its server, else the system's."""
    try:
        return find_program("pgbench") if not (BIN / "pgbench").exists() else BIN / "pgbench"
    except SettingsError:
        raise SystemExit("pgbench is missing; install it: apt install postgresql-contrib") from None


def run(
    script: str, database_url: str, *, clients: int, seconds: int, folder: Path, **variables: int
) -> FloorReport:
    """Run that script of `floors/` for some seconds, statements prepared, without vacuuming first."""
    prefix = folder / "pgbench"
    options = ["-n", "-M", "prepared", "-l", f"--log-prefix={prefix}", "-T", str(seconds)]
    options += ["-c", str(clients), "-j", str(min(clients, os.cpu_count() or 1))]
    for name, value in variables.items():
        options += ["-D", f"{name}={value}"]
    done = subprocess.run(
        [program(), *options, "-f", SCRIPTS / f"{script}.sql"],
        env=connection_environment(database_url),
        capture_output=True,
        text=True,
        check=False,
    )
    logs = sorted(folder.glob("pgbench.*"))
    latencies = list(_latencies(logs))
    for log in logs:
        log.unlink()
    rate, failed = _RATE.search(done.stdout), _FAILED.search(done.stdout)
    if done.returncode or rate is None or (failed and int(failed[1])):
        raise SystemExit(f"pgbench failed on {script}:\n{done.stderr[-2000:]}{done.stdout[-500:]}")
    return FloorReport(float(rate[1]), latencies)


def _latencies(logs: Iterable[Path]) -> Iterable[int]:
    """The third column of pgbench's transaction log."""
    for log in logs:
        with log.open("rb") as lines:
            for line in lines:
                yield int(line.split(b" ", 3)[2])
