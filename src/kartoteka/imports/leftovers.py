"""Housekeeping of imports: old statements, files that nobody needs any more."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import msgspec

from kartoteka.clock import Clock
from kartoteka.db.database import Database
from kartoteka.imports.files_of import unlink
from kartoteka.imports.model import FileInfo
from kartoteka.imports.store import QUERIES

STATEMENT_KEPT = timedelta(days=30)
UPLOAD_KEPT = timedelta(days=1)


async def clean_up(database: Database, clock: Clock, folder: Path) -> None:
    """Drop imports that are over for 30 days, uploads older than a day, and files of neither."""
    now = clock.now()
    while rows := await database.fetch(QUERIES["old_imports"], before=now - STATEMENT_KEPT):
        for account_id, import_id, path in rows:
            key = {"account_id": account_id, "import_id": import_id}
            for query in _TRACES:
                await database.execute(QUERIES[query], **key)
            if path is not None:
                await asyncio.to_thread(unlink, Path(path))
    for (file,) in await database.fetch(QUERIES["old_uploads"], before=now - UPLOAD_KEPT):
        await asyncio.to_thread(unlink, Path(msgspec.convert(file, FileInfo).path))
    used = {path for (path,) in await database.fetch(QUERIES["files_in_use"])}
    oldest = (now - UPLOAD_KEPT).timestamp()
    await asyncio.to_thread(_sweep, folder, used, oldest)


_TRACES = ("drop_payload", "forget_import_rows", "forget_import_batches", "drop_import")


def _sweep(folder: Path, used: set[str], oldest: float) -> None:
    """Files of uploads that were cut off by a crash: younger ones may be on their way."""
    for path in folder.iterdir() if folder.is_dir() else ():
        belongs_to = str(path).removesuffix(".csv")
        if belongs_to not in used and path.is_file() and path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)
