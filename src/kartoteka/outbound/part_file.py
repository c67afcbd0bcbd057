"""A file that appears whole or not at all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

from kartoteka.errors import LinkFailed
from kartoteka.outbound.unpacking import Unpacking


class PartFile:
    """Written beside its place as `….part`, readable by this user alone; `keep` puts it there.

    Without `keep` nothing is left. Methods may run in a thread that a cancelled caller no longer
    waits for: the lock lets them end before the file is closed.
    """

    def __init__(self, place: Path, max_bytes: int) -> None:
        self._place = place
        self._part = place.with_name(f"{place.name}.part")
        self._max_bytes = max_bytes
        self._received = 0
        self._sha256 = hashlib.sha256()
        self._lock = Lock()
        self._is_kept = False
        self.size = 0

    def __enter__(self) -> Self:
        self._part.unlink(missing_ok=True)  # of a process that was killed
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        self._file = os.fdopen(os.open(self._part, flags, 0o600), "wb")
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        with self._lock:
            try:
                self._file.close()
            finally:
                self._part.unlink(missing_ok=True)
                if error is not None and self._is_kept:  # cancelled at the last moment
                    self._place.unlink(missing_ok=True)

    @property
    def digest(self) -> str:
        """SHA-256 of what was written, in hex."""
        return self._sha256.hexdigest()

    def refuse_longer(self, announced: int) -> None:
        """Raises `LinkFailed` when that many bytes are more than allowed."""
        if announced > self._max_bytes:
            largest = self._max_bytes / 1_000_000
            raise LinkFailed(f"The file behind the link is larger than {largest:g} MB.")

    def take(self, received: bytes, unpacking: Unpacking) -> None:
        """Unpack and write; raises `LinkFailed` past the limit, before or after unpacking."""
        with self._lock:
            self._received += len(received)
            self.refuse_longer(self._received)
            self._write(unpacking.feed(received))

    def keep(self, unpacking: Unpacking) -> None:
        """Everything has arrived: write what was held back and put the file in its place."""
        with self._lock:
            self._write(unpacking.finish())
            self._file.flush()
            os.fsync(self._file.fileno())
            self._part.replace(self._place)
            self._is_kept = True

    def _write(self, pieces: Iterable[bytes]) -> None:
        if self._file.closed:
            return
        for piece in pieces:
            self.size += len(piece)
            self.refuse_longer(self.size)
            self._sha256.update(piece)
            self._file.write(piece)
