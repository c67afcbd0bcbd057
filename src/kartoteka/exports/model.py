"""Exports, their runs, and what a target is asked to write."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec


class State(StrEnum):
    """Whether an export runs by itself. Stored in `export.state`."""

    ACTIVE = "active"
    PAUSED = "paused"


class RunState(StrEnum):
    """Where one run is. Stored in `export_run.state`."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


OVER = frozenset((RunState.FINISHED, RunState.FAILED, RunState.CANCELLED))


class Options(msgspec.Struct, frozen=True, rename="camel"):
    """What an export does otherwise than the others. Stored in `export.options`."""

    keep_removed: bool = False
    """Removed contacts stay, marked by `contactStatus`."""


class Done(msgspec.Struct, rename="camel"):
    """How far a run is with one data set."""

    rows: int = 0
    """Rows written."""
    deleted: int = 0
    """Rows taken away or replaced."""
    bytes: int = 0
    full: bool = False
    done: bool = False


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """One export; `secret` is what only `secret_settings` can read."""

    account_id: int
    export_id: int
    uid: str
    name: str
    target: str
    settings: dict[str, Any]
    secret: bytes
    datasets: tuple[str, ...]
    options: Options
    columns_version: int
    interval_s: int
    state: State
    marks: dict[str, str]
    pending: dict[str, str]
    failures: int
    alerted_at: datetime | None
    next_at: datetime
    created_at: datetime
    changed_at: datetime


class ExportRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run of an export."""

    run_id: int
    export_id: int
    state: RunState
    by: str
    full: bool
    attempts: int
    datasets: dict[str, Done]
    rows: int
    bytes: int
    error: str | None
    code: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
