"""Exports and runs as API and command line show them: never a secret."""

from __future__ import annotations

from typing import Any

import msgspec

from kartoteka.exports.asked import interval_text
from kartoteka.exports.datasets import BY_NAME, LATEST
from kartoteka.exports.model import Export, ExportRun, State


def export_members(one: Export, last: ExportRun | None) -> dict[str, Any]:
    """The members of an export."""
    return {
        "id": one.export_id,
        "name": one.name,
        "target": one.target,
        "settings": one.settings,
        "datasets": list(one.datasets),
        "options": msgspec.to_builtins(one.options),
        "interval": interval_text(one.interval_s),
        "state": one.state,
        "health": "failing" if one.failures else "ok",
        "failures": one.failures,
        "alertedAt": one.alerted_at,
        "newColumns": one.columns_version < LATEST,
        "nextRun": None if one.state == State.PAUSED else one.next_at,
        "createdAt": one.created_at,
        "lastRun": None if last is None else run_members(last),
    }


def run_members(run: ExportRun) -> dict[str, Any]:
    """The members of a run."""
    seconds = None
    if run.started_at is not None and run.finished_at is not None:
        seconds = round((run.finished_at - run.started_at).total_seconds(), 3)
    return {
        "id": run.run_id,
        "exportId": run.export_id,
        "state": run.state,
        "by": run.by,
        "full": run.full,
        "rows": run.rows,
        "bytes": run.bytes,
        "seconds": seconds,
        "datasets": {
            name: msgspec.to_builtins(run.datasets[name])
            for name in BY_NAME
            if name in run.datasets
        },
        "error": run.error,
        "code": run.code,
        "createdAt": run.created_at,
        "startedAt": run.started_at,
        "finishedAt": run.finished_at,
    }
