"""Cells that somebody put right before the import: written into a copy of the file.

Into the file and not into the options of the import, because they are people's values: the file goes
when the import is over, the options stay (decisions D29).
"""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

from kartoteka.imports.arrivals import Arrival
from kartoteka.imports.files import Layout, read_records
from kartoteka.imports.files.reading import prepare
from kartoteka.imports.model import FileInfo
from kartoteka.imports.rows_of import FileGone

Fixes = Mapping[tuple[int, int], str]
"""Texts by (row from 1, column from 0)."""
PIECE_RECORDS = 2_000
FIXED = Layout("csv", encoding="utf-8", delimiter=",")
"""How the copy is read, whatever the file was."""


def with_fixes(records: list[list[str]], fixes: Fixes, *, header: bool) -> list[list[str]]:
    """The records with these cells; a record that is too short becomes long enough."""
    fixed = [list(record) for record in records]
    for (row, column), text in fixes.items():
        index = row - 1 + header
        if not 0 <= index < len(fixed):
            continue
        record = fixed[index]
        record.extend([""] * (column + 1 - len(record)))
        record[column] = text
    return fixed


async def fixed_copy(
    file: FileInfo, layout: Layout, fixes: Fixes, folder: Path, *, header: bool
) -> FileInfo:
    """A CSV beside the file that has these cells. Raises `FileGone`, `FileUnreadable`, `NoRoom`."""
    try:
        prepared = await prepare(Path(file.path), layout)
    except FileNotFoundError:
        raise FileGone from None
    records = read_records(prepared.path, prepared.layout)
    async with Arrival(folder, max_bytes=2_000_000_000) as arrival:
        number = 1 - header
        while piece := await asyncio.to_thread(_piece, records, number, fixes):
            await arrival.write(piece)
            number += PIECE_RECORDS
        stem = file.name.rpartition(".")[0] or file.name
        return await arrival.finish(f"{stem}.csv")


def _piece(records: Iterator[list[str]], first: int, fixes: Fixes) -> bytes:
    """The next records as CSV, empty when there are no more; `first` is the row of the first."""
    out = io.StringIO()
    writer = csv.writer(out)
    last = max((row for row, _ in fixes), default=0)
    for number in range(first, first + PIECE_RECORDS):
        record = next(records, None)
        if record is None:
            break
        if 0 < number <= last:
            mine = {(1, column): text for (row, column), text in fixes.items() if row == number}
            (record,) = with_fixes([record], mine, header=False)
        writer.writerow(record)
    return out.getvalue().encode()
