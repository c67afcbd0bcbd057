"""What lies in the folder for an import, and how it goes."""

from __future__ import annotations

import asyncio
from pathlib import Path

from kartoteka.imports.model import Import


async def drop_files(one: Import) -> None:
    """The file of an import that is over, and what was made of it."""
    if one.file is not None:
        await asyncio.to_thread(unlink, Path(one.file.path))


def unlink(path: Path) -> None:
    """The file and, of a spreadsheet, the rows that were written beside it."""
    for each in (path, path.with_name(path.name + ".csv")):
        each.unlink(missing_ok=True)
