"""An import as our own methods show it; what is unset is left out."""

from __future__ import annotations

import math
from typing import Any

from kartoteka.imports.model import OUTCOMES, Import, RowFailed, State


def import_json(one: Import, same: Import | None = None) -> dict[str, Any]:
    """State, what it reads and how, and how far it is. `same`: the import of `same_as`, if known."""
    body: dict[str, Any] = {
        "id": one.import_id,
        "sessionId": one.session_id,
        "state": one.state,
        "source": one.source,
        "dryRun": one.dry_run,
        "unique": one.rules.unique.name,
        "done": one.done,
        "counts": {name: one.counts.get(name, 0) for name in OUTCOMES},
        "createdAt": one.created_at,
    }
    if one.file is not None:
        body["file"] = {"name": one.file.name, "size": one.file.size}
    given = {
        "fieldId": one.rules.unique.field_id,
        "total": one.total,
        "percent": percent_of(one),
        "rate": None if one.rate is None else round(one.rate, 1),
        "secondsLeft": seconds_left(one),
        "startedAt": one.started_at,
        "finishedAt": one.finished_at,
        "error": one.error,
        "sameAs": same_as_json(one, same),
    }
    body.update((name, value) for name, value in given.items() if value is not None)
    return body


def percent_of(one: Import) -> float | None:
    """How much of it is done, rounded down to a tenth: 100 is all. None while nobody has counted."""
    if one.total is None:
        return None
    if not one.total:
        return 100.0
    return math.floor(1000 * one.done / one.total) / 10


def seconds_left(one: Import) -> int | None:
    """How long it will take at the rate of the last seconds; None when nobody can tell."""
    if one.state is not State.RUNNING or one.total is None or not one.rate:
        return None
    return math.ceil(max(one.total - one.done, 0) / one.rate)


def same_as_json(one: Import, same: Import | None) -> dict[str, Any] | None:
    """The earlier import of the same file with the same options."""
    if one.same_as is None:
        return None
    body: dict[str, Any] = {"id": one.same_as}
    if same is not None and same.finished_at is not None:
        body["finishedAt"] = same.finished_at
    return body


def failure_json(failure: RowFailed) -> dict[str, Any]:
    """What is wrong with a contact of a bulk call, beside its echo (wire 3.9)."""
    return {"error": failure.message, "code": failure.code}
