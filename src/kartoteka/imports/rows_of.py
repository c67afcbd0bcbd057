"""The rows of an import out of where they lie: the payload of a call, or a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from kartoteka.access.account_settings import AccountSettings
from kartoteka.contacts.values.custom_fields import FieldDefinition
from kartoteka.errors import InvalidRequest
from kartoteka.identity.kinds import Region
from kartoteka.identity.model import Origin
from kartoteka.imports.files import Layout, read_records
from kartoteka.imports.files.reading import prepare
from kartoteka.imports.model import Import
from kartoteka.imports.options import FileOptions
from kartoteka.imports.rows import RowReader
from kartoteka.imports.statement import Item


class FileGone(InvalidRequest):
    """The uploaded file is not in the import folder of this machine any more: send it again."""

    code = "file_gone"


class FileRows(msgspec.Struct):
    """A file that is ready to be read."""

    path: Path
    layout: Layout
    options: FileOptions
    total: int

    def read(
        self,
        settings: AccountSettings,
        fields: dict[str, FieldDefinition],
        origin: Origin,
        first: int = 1,
    ) -> Iterator[Item]:
        """Rows from that number on."""
        reader = RowReader(self.options, Region(settings.region), fields, origin)
        records = read_records(self.path, self.layout)
        if self.options.header:
            next(records, None)
        for number, cells in enumerate(records, start=1):
            if number >= first:
                yield reader.read(number, cells)


async def open_file(one: Import) -> FileRows:
    """Count the rows of the import's file; a spreadsheet is written as CSV first.

    Raises `FileGone`, `FileUnreadable`.
    """
    assert one.file is not None
    path = Path(one.file.path)
    said: dict[str, Any] = one.options
    options = msgspec.convert(said["file"], FileOptions)
    layout = msgspec.convert(said["layout"], Layout)
    try:
        prepared = await prepare(path, layout)
    except FileNotFoundError:
        raise FileGone from None
    total = max(prepared.records - options.header, 0)
    return FileRows(prepared.path, prepared.layout, options, total)
