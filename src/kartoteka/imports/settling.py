"""A file that has arrived, looked into: what it is and how its rows will be read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from kartoteka.contacts.model import Unique
from kartoteka.identity.kinds import Region
from kartoteka.identity.model import Notice
from kartoteka.imports.fields import Definitions
from kartoteka.imports.files import Layout
from kartoteka.imports.files.reading import look
from kartoteka.imports.mapping import guess_columns
from kartoteka.imports.members import InvalidOptions
from kartoteka.imports.model import FileInfo
from kartoteka.imports.options import AskedOptions, FileOptions, settle_options
from kartoteka.imports.preview import Preview, preview
from kartoteka.imports.rows_of import FileGone
from kartoteka.imports.unique import EXTERNAL_ID

Settle = Callable[[list[str], Definitions], FileOptions]
_AT_ONCE = asyncio.Semaphore(2)
"""Files looked into by this process: each takes a child process and much of its memory."""


class SettledFile(msgspec.Struct, frozen=True):
    """A file with its layout, its first records and the options that hold for it."""

    file: FileInfo
    layout: Layout
    records: list[list[str]]
    """The first ones, up to 101, that of the headings included."""
    options: FileOptions

    def stored(self) -> dict[str, Any]:
        """What the import keeps of it: how its rows are read."""
        return {
            "file": msgspec.to_builtins(self.options),
            "layout": msgspec.to_builtins(self.layout),
        }

    def headings(self) -> list[str] | None:
        """The first record, where it is no row."""
        return self.records[0] if self.options.header and self.records else None


class Look(msgspec.Struct, frozen=True):
    """The beginning of a file as an import would read it."""

    layout: Layout
    shown: Preview
    """Without rows where there is a problem."""
    problem: InvalidOptions | None
    """Why the file cannot be imported so; with another mapping it may."""


async def look_into(file: FileInfo, asked: AskedOptions) -> tuple[Layout, list[list[str]]]:
    """What the file is, and its first records. Raises `FileUnreadable` and `FileGone`."""
    path = Path(file.path)
    try:
        async with _AT_ONCE:
            return await look(path, file.name, encoding=asked.encoding, delimiter=asked.delimiter)
    except FileNotFoundError:
        raise FileGone from None


async def settle_file(
    file: FileInfo, asked: AskedOptions, definitions: Definitions, settle: Settle | None = None
) -> SettledFile:
    """What the options come to for this file. Raises what `look_into` raises, and `InvalidOptions`.

    `settle` takes the place of `settle_options` where headings mean something else.
    """
    layout, records = await look_into(file, asked)
    settle = settle or partial(settle_options, asked)
    options = _noticing(settle(records[0] if records else [], definitions), records)
    return SettledFile(file, layout, records, options)


async def preview_file(
    file: FileInfo, asked: AskedOptions, definitions: Definitions, region: Region
) -> Look:
    """What an import of this file would read. Raises what `look_into` raises.

    Options that do not fit the file are a `problem` of the answer: who sees the columns can map them.
    """
    layout, records = await look_into(file, asked)
    first = records[0] if records else []
    try:
        options = _noticing(settle_options(asked, first, definitions), records)
    except InvalidOptions as error:
        guessed = guess_columns(first, definitions) if asked.header else [None] * len(first)
        options = FileOptions(
            unique=Unique(EXTERNAL_ID),
            columns=tuple(guessed),
            guessed=tuple(name is not None for name in guessed),
            header=asked.header,
        )
        shown = preview(records, options, region, definitions)
        return Look(layout, msgspec.structs.replace(shown, rows=(), counts={}), error)
    return Look(layout, preview(records, options, region, definitions), None)


def _noticing(options: FileOptions, records: list[list[str]]) -> FileOptions:
    """The same, with a notice where the headings are all there is."""
    if len(records) > options.header:
        return options
    return msgspec.structs.replace(options, notices=(*options.notices, _NO_ROWS))


_NO_ROWS = Notice("no_rows", "There is no row under the headings: there is nothing to import.")
