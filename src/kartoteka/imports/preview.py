"""The first rows of a file as an import would read them: what is wrong, cell by cell (wire 11.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import islice

import msgspec

from kartoteka.contacts.uniques import UNIQUES
from kartoteka.contacts.values.custom_fields import FieldDefinition
from kartoteka.identity.kinds import Region
from kartoteka.identity.model import Notice, Origin
from kartoteka.imports.fields import ImportField, all_fields, label_of
from kartoteka.imports.mapping import column_letter
from kartoteka.imports.model import RowFailed
from kartoteka.imports.options import FileOptions
from kartoteka.imports.rows import Note, RowReader
from kartoteka.imports.unique import fields_of

PREVIEW_ROWS = 100
SAMPLES = 3
MAX_CELL_CHARS = 200
"""Longer cells are shown cut."""
ERROR, WARNING, OK = "error", "warning", "ok"

# Rows of a preview are carried out by nobody.
_NOBODY = Origin(datetime(1970, 1, 1, tzinfo=UTC), "", 0, "preview")


class PreviewColumn(msgspec.Struct, frozen=True, rename="camel"):
    """One column of the file and what it is taken for."""

    letter: str
    heading: str | None
    """None in a file without a header."""
    samples: tuple[str, ...]
    """Its first cells that are not blank."""
    field: str | None
    """None: left out."""
    label: str | None
    guessed: bool
    unique: bool


class PreviewMark(msgspec.Struct, frozen=True, rename="camel"):
    """A coloured cell. `error` (red): the row is not saved; `warning` (orange): the value is not."""

    column: int
    """From 0."""
    level: str
    code: str
    message: str


class PreviewRow(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One row. `verdict` is `ok`, `warning` or `error`; `code`, `reason`, `field` go with the last."""

    row: int
    verdict: str
    cells: tuple[str, ...]
    marks: tuple[PreviewMark, ...] = ()
    code: str | None = None
    reason: str | None = None
    field: str | None = None
    warnings: tuple[Notice, ...] = ()


class PreviewUnique(msgspec.Struct, frozen=True, rename="camel"):
    """The field by which rows find contacts; `locked` where a column is the External ID."""

    name: str
    label: str
    field_id: int | None
    locked: bool


class Preview(msgspec.Struct, frozen=True, rename="camel"):
    """What is shown before an import begins; all of it can stand in JSON."""

    unique: PreviewUnique
    header: bool
    columns: tuple[PreviewColumn, ...]
    rows: tuple[PreviewRow, ...]
    counts: dict[str, int]
    """Rows by verdict, of those shown."""
    notices: tuple[Notice, ...]
    fields: tuple[ImportField, ...]
    """What a column may be mapped to."""


def preview(
    records: Iterable[list[str]],
    options: FileOptions,
    region: Region,
    fields: Mapping[str, FieldDefinition],
) -> Preview:
    """The first hundred rows of `records`, of which the first is the header if there is one."""
    first = list(islice(records, PREVIEW_ROWS + options.header))
    header = first[0] if options.header and first else None
    records = first[1:] if options.header else first
    reader = RowReader(options, region, fields, _NOBODY)
    rows = tuple(_row(reader, options, number, cells) for number, cells in enumerate(records, 1))
    return Preview(
        unique=_unique(options, fields),
        header=options.header,
        columns=tuple(
            _column(index, options, header, records, fields)
            for index in range(len(options.columns))
        ),
        rows=rows,
        counts={level: sum(one.verdict == level for one in rows) for level in (OK, WARNING, ERROR)},
        notices=options.notices,
        fields=tuple(all_fields(fields)),
    )


def _unique(options: FileOptions, fields: Mapping[str, FieldDefinition]) -> PreviewUnique:
    name, field_id = options.unique.name, options.unique.field_id
    label = UNIQUES[name].label
    if field_id is not None:
        label = label_of(fields_of(options.unique)[0], fields)
    return PreviewUnique(name, label, field_id, options.locked)


def _column(
    index: int,
    options: FileOptions,
    header: list[str] | None,
    records: list[list[str]],
    fields: Mapping[str, FieldDefinition],
) -> PreviewColumn:
    name = options.columns[index]
    cells = (record[index] for record in records if index < len(record))
    samples = islice((_shown(cell) for cell in cells if cell.strip()), SAMPLES)
    return PreviewColumn(
        letter=column_letter(index),
        heading=_shown(header[index]) if header and index < len(header) else None,
        samples=tuple(samples),
        field=name,
        label=None if name is None else label_of(name, fields),
        guessed=index < len(options.guessed) and options.guessed[index],
        unique=name is not None and name in fields_of(options.unique),
    )


def _row(reader: RowReader, options: FileOptions, number: int, cells: list[str]) -> PreviewRow:
    read, notes = reader.explain(number, cells)
    shown = tuple(_shown(cell) for cell in cells)
    marks = {
        note[0]: PreviewMark(note[0], WARNING, note[1].code, note[1].message)
        for note in notes
        if note[0] is not None
    }
    warnings = tuple(note[1] for note in notes)
    if not isinstance(read, RowFailed):
        verdict = WARNING if notes else OK
        return PreviewRow(number, verdict, shown, _sorted(marks), warnings=warnings)
    for index in _red(read, options, notes):
        marks[index] = PreviewMark(index, ERROR, read.code, read.message)
    return PreviewRow(
        number, ERROR, shown, _sorted(marks), read.code, read.message, read.field, warnings
    )


def _red(failed: RowFailed, options: FileOptions, notes: list[Note]) -> list[int]:
    """The cells that fail the row: the invalid ones of the unique field, else all of it."""
    names = fields_of(options.unique)
    if failed.code == "invalid_external_id":
        names = ("externalCustomerId",)
    indexes = [index for index, name in enumerate(options.columns) if name in names]
    noted = {index for index, _ in notes}
    return [index for index in indexes if index in noted] or indexes


def _sorted(marks: dict[int, PreviewMark]) -> tuple[PreviewMark, ...]:
    return tuple(marks[index] for index in sorted(marks))


def _shown(cell: str) -> str:
    return cell if len(cell) <= MAX_CELL_CHARS else f"{cell[:MAX_CELL_CHARS]}…"
