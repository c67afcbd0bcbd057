"""Files on their way into the import folder: written piece by piece, whole or not there at all."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import re
import secrets
import shutil
import unicodedata
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from kartoteka.errors import InvalidRequest, KartotekaError, TooLarge
from kartoteka.imports.files.model import MAX_FILE_BYTES
from kartoteka.imports.model import FileInfo

MAX_NAME_CHARS = 255
PIECE_BYTES = 1 << 20
"""What is gathered before a thread writes it: the event loop waits for no disk."""

_NO_ROOM = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
_SEPARATORS = re.compile(r"[/\\]")


class FileTooLarge(TooLarge):
    """The file is larger than an import may be."""

    code = "file_too_large"


class EmptyFile(InvalidRequest):
    """The file is empty."""

    code = "file_empty"


class NoRoom(KartotekaError):
    """The disk of the import folder is full: nothing was imported; free space and send it again."""

    code = "no_room"


class Arrival:
    """One file that is being written; leaving its block without `finish` leaves nothing behind."""

    def __init__(self, folder: Path, max_bytes: int = MAX_FILE_BYTES) -> None:
        self.path = folder / secrets.token_hex(16)
        self.size = 0
        self._max_bytes = max_bytes
        self._part = self.path.with_name(f"{self.path.name}.part")
        self._digest = hashlib.sha256()
        self._pieces: list[bytes] = []
        self._gathered = 0
        self._file = os.fdopen(_open_new(self._part), "wb")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._file.closed:
            self._abandon()

    async def write(self, piece: bytes) -> None:
        """Add it to the end. Raises `FileTooLarge` and `NoRoom`."""
        self.size += len(piece)
        if self.size > self._max_bytes:
            raise too_large(self._max_bytes)
        self._pieces.append(piece)
        self._gathered += len(piece)
        if self._gathered >= PIECE_BYTES:
            await self._flush()

    async def finish(self, name: str) -> FileInfo:
        """The whole file, on disk for good. Raises `EmptyFile` and `NoRoom`.

        `name` is kept for people and never part of a path.
        """
        if not self.size:
            raise EmptyFile
        await self._flush()
        await asyncio.to_thread(self._settle)
        return FileInfo(str(self.path), clean_name(name), self.size, self._digest.hexdigest())

    async def _flush(self) -> None:
        pieces, self._pieces, self._gathered = b"".join(self._pieces), [], 0
        await asyncio.to_thread(self._append, pieces)

    def _append(self, pieces: bytes) -> None:
        self._digest.update(pieces)
        try:
            self._file.write(pieces)
        except OSError as error:
            raise _told(error) from error

    def _settle(self) -> None:
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._part.rename(self.path)
            _sync_folder(self.path.parent)
        except OSError as error:
            raise _told(error) from error

    def _abandon(self) -> None:
        with suppress(OSError):  # what a full disk did not take is not wanted any more
            self._file.close()
        self._part.unlink(missing_ok=True)


def link(path: Path, other: Path) -> None:
    """The same bytes under another name of the folder. Raises `NoRoom`."""
    try:
        os.link(path, other)
    except OSError:  # file systems without links: a copy
        try:
            shutil.copyfile(path, other)
        except OSError as error:
            other.unlink(missing_ok=True)
            raise _told(error) from error


def clean_name(name: str) -> str:
    """The last part of a file's name as it may be shown: no folders, no control characters.

    At most 255 characters, of which the extension stays.
    """
    last = _SEPARATORS.split(unicodedata.normalize("NFC", name))[-1]
    shown = "".join(char for char in last if unicodedata.category(char)[0] != "C").strip()
    if len(shown) <= MAX_NAME_CHARS:
        return shown or "file"
    suffix = Path(shown).suffix[:MAX_NAME_CHARS]
    return shown[: MAX_NAME_CHARS - len(suffix)] + suffix


def too_large(max_bytes: int) -> FileTooLarge:
    """The refusal of a file beyond that size."""
    return FileTooLarge(f"A file may have at most {max_bytes // 1_000_000} MB; split it.")


def _open_new(path: Path) -> int:
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise _told(error) from error


def _told(error: OSError) -> Exception:
    return NoRoom() if error.errno in _NO_ROOM else error


def _sync_folder(folder: Path) -> None:
    """The new name outlives a power cut as the import's row does."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
