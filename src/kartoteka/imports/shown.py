"""An import as people and programs see it: the same over HTTP and on the command line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from kartoteka.imports.mapping import column_letter
from kartoteka.imports.model import OUTCOMES, Import, State


def import_members(one: Import, same: Import | None = None) -> dict[str, Any]:
    """State, what it reads and how, and how far it is; what is unset is left out.

    `same`: the import of `same_as`, where somebody has looked.
    """
    members: dict[str, Any] = {
        "id": one.import_id,
        "sessionId": one.session_id,
        "state": one.state,
        "source": one.source,
        "dryRun": one.dry_run,
        "unique": one.rules.unique.name,
        "done": one.done,
        "counts": {name: one.counts.get(name, 0) for name in OUTCOMES},
        "createdAt": one.created_at,
        **_file_members(one),
    }
    given = {
        "fieldId": one.rules.unique.field_id,
        "total": one.total,
        "percent": percent_of(one),
        "rate": None if one.rate is None else round(one.rate, 1),
        "secondsLeft": seconds_left(one),
        "startedAt": one.started_at,
        "finishedAt": one.finished_at,
        "error": one.error,
        "sameAs": same_as(one, same),
    }
    members.update((name, value) for name, value in given.items() if value is not None)
    return members


def _file_members(one: Import) -> dict[str, Any]:
    if one.file is None:
        return {}
    layout, options = one.options.get("layout", {}), one.options.get("file", {})
    members = {name: layout[name] for name in ("encoding", "delimiter") if layout.get(name)}
    return {
        "file": {"name": one.file.name, "size": one.file.size},
        "locked": options.get("locked", False),
        "mapping": mapping_members(options.get("columns", ()), options.get("guessed", ())),
        **members,
    }


def mapping_members(
    columns: Sequence[str | None], guessed: Sequence[bool], headings: Sequence[str] | None = None
) -> list[dict[str, Any]]:
    """What each column of a file is: its letter, heading where we have it, field or None."""
    mapping: list[dict[str, Any]] = []
    for index, name in enumerate(columns):
        members: dict[str, Any] = {"column": column_letter(index)}
        if headings is not None and index < len(headings):
            members["heading"] = headings[index]
        is_guess = name is not None and index < len(guessed) and guessed[index]
        mapping.append({**members, "field": name, "guessed": is_guess})
    return mapping


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


def same_as(one: Import, same: Import | None = None) -> dict[str, Any] | None:
    """The earlier import of the same file with the same options."""
    if one.same_as is None:
        return None
    members: dict[str, Any] = {"id": one.same_as}
    if same is not None and same.finished_at is not None:
        members["finishedAt"] = same.finished_at
    return members
