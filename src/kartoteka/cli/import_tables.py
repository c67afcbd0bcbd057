"""Imports and their rows as commands print them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import click

from kartoteka.cli.tables import print_table
from kartoteka.imports.model import OUTCOMES, Import, RowOutcome
from kartoteka.imports.shown import percent_of, seconds_left

MOST_CHARS = 60
"""Of a cell: reasons are sentences."""


def print_import(one: Import) -> None:
    """State, file and counts, a line each."""
    lines: dict[str, Any] = {
        "Import": f"{one.import_id}, {one.state}{', dry run' if one.dry_run else ''}",
        "Session": one.session_id,
        "File": None if one.file is None else f"{one.file.name}, {one.file.size:,} bytes",
        "Same as": None if one.same_as is None else f"import {one.same_as}: the same file",
        "Rows": _rows(one),
        "Rate": None if not one.rate else f"{one.rate:,.0f} rows/s",
        "Left": _left(one),
        "Created": _time(one.created_at),
        "Started": _time(one.started_at),
        "Finished": _time(one.finished_at),
        "Error": one.error,
    }
    for name, value in lines.items():
        if value is not None:
            click.echo(f"{name + ':':<10}{value}")
    if one.done:
        click.echo()
        counts_table(one)


def counts_table(one: Import) -> None:
    """Rows by outcome, those that there are."""
    counts = [(name, one.counts.get(name, 0)) for name in OUTCOMES]
    print_table(("outcome", "rows"), [(name, f"{count:,}") for name, count in counts if count])


def rows_table(rows: Iterable[RowOutcome]) -> None:
    """Lines of the statement."""
    columns = ("row", "outcome", "contact", "value", "field", "reason")
    print_table(columns, [_row(one) for one in rows])


def _rows(one: Import) -> str:
    if one.total is None:
        return f"{one.done:,}, not counted yet"
    return f"{one.done:,} of {one.total:,} ({percent_of(one):g} %)"


def _left(one: Import) -> str | None:
    seconds = seconds_left(one)
    return None if seconds is None else str(timedelta(seconds=seconds))


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.strftime("%Y-%m-%d %H:%M:%S UTC")


def _row(one: RowOutcome) -> tuple[Any, ...]:
    reason = one.reason or "; ".join(notice.message for notice in one.warnings)
    if one.merged_with:
        reason = f"merged with {', '.join(map(str, one.merged_with))} {reason}".strip()
    cells = (_short(one.value), one.field, _short(reason) or None)
    return (one.row, one.outcome, one.contact_id, *cells)


def _short(text: str | None) -> str | None:
    if text is None or len(text) <= MOST_CHARS:
        return text
    return f"{text[: MOST_CHARS - 1]}…"
