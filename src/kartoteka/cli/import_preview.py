"""What a file is and what is wrong with its first rows, as `kartoteka import --preview` prints it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kartoteka.cli.tables import print_table
from kartoteka.imports.preview import ERROR, OK, WARNING, Preview, PreviewColumn, PreviewRow
from kartoteka.imports.settling import Look

ROWS_SHOWN = 10
_SAMPLE_CHARS = 30


def print_preview(path: Path, look: Look) -> None:
    """The file, its columns, and the rows that would not be imported whole.

    Raises `click.ClickException` when it cannot be imported with these options.
    """
    layout, shown = look.layout, look.shown
    parts = [layout.format.upper(), layout.encoding, layout.sheet]
    if layout.delimiter is not None:
        parts.append(f"delimiter {'tab' if layout.delimiter == chr(9) else layout.delimiter}")
    click.echo(f"{path.name}: {', '.join(part for part in parts if part)}")
    print_table(("column", "heading", "values", "field"), map(_column, shown.columns))
    if look.problem is not None:
        raise click.ClickException(look.problem.message)
    locked = " (locked: a column is the External ID)" if shown.unique.locked else ""
    click.echo(f"\nUnique by {shown.unique.label}{locked}.")
    for notice in shown.notices:
        click.echo(f"Note: {notice.message}")
    _print_rows(shown)


def _print_rows(shown: Preview) -> None:
    counts = shown.counts
    if not shown.rows:
        return
    rows = "first row" if len(shown.rows) == 1 else f"first {len(shown.rows)} rows"
    click.echo(
        f"The {rows}: {counts[OK]} fine, {counts[WARNING]} with a value that "
        f"is left out, {counts[ERROR]} not imported."
    )
    wrong = [one for one in shown.rows if one.verdict != OK]
    if wrong:
        click.echo()
        print_table(("row", "", "reason"), [_row(one) for one in wrong[:ROWS_SHOWN]])
    if len(wrong) > ROWS_SHOWN:
        click.echo(f"… and {len(wrong) - ROWS_SHOWN} more")


def _column(one: PreviewColumn) -> tuple[Any, ...]:
    values = " | ".join(sample[:_SAMPLE_CHARS] for sample in one.samples)
    field = one.label if one.label is None or not one.unique else f"{one.label} (unique)"
    return (one.letter, one.heading, values or None, field)


def _row(one: PreviewRow) -> tuple[Any, ...]:
    reason = one.reason or "; ".join(notice.message for notice in one.warnings)
    return (one.row, one.verdict, reason)
