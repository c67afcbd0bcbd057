"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import psycopg


def describe_machine(database_url: str) -> str:
    """One line: cores, processor, memory, versions, and that commits are durable."""
    with psycopg.connect(database_url) as connection:
        row = connection.execute(
            "select current_setting('server_version'), current_setting('fsync'), "
            "current_setting('synchronous_commit')"
        ).fetchone()
    assert row is not None
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return (
        f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB, {platform.system()} "
        f"{platform.release().split('-')[0]}, Python {platform.python_version()}, "
        f"PostgreSQL {row[0]} (fsync {row[1]}, synchronous_commit {row[2]})"
    )


def describe_run() -> str:
    """The commit, marked when files differ from it, and the date."""
    date = datetime.now(UTC).date().isoformat()
    commit = _git("rev-parse", "--short", "HEAD")
    if commit is None:
        return f"no git checkout, {date}"
    changed = "" if not _git("status", "--porcelain", "src", "bench") else " with changes"
    return f"commit {commit}{changed}, {date}"


def load_average() -> float:
    """What else was running, in processes, over the last minute."""
    return os.getloadavg()[0]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.machine())


def _git(*arguments: str) -> str | None:
    root = Path(__file__).parents[1]
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=root, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
