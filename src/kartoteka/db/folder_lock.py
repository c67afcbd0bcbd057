"""One server on one data folder."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from kartoteka.db.leftovers import is_alive
from kartoteka.errors import SettingsError


class FolderLock:
    """An exclusive lock on a data folder, gone with the last process that inherited it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "lock"
        self._fd: int | None = None

    @property
    def is_ours(self) -> bool:
        """True between `take` and `release`."""
        return self._fd is not None

    def take(self, *, wait_s: float = 15.0) -> None:
        """Lock the folder or raise `SettingsError`, which names the process that has it.

        When that process is dead (kill -9), its children are about to end: wait for them.
        """
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        deadline = time.monotonic() + wait_s
        while not _try_lock(fd):
            holder = _read_pid(fd)
            if holder is None or is_alive(holder) or time.monotonic() > deadline:
                os.close(fd)
                raise SettingsError(_occupied(self._path.parent, holder))
            time.sleep(0.05)
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        self._fd = fd

    def release(self) -> None:
        """Let another server have the folder."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def _try_lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read_pid(fd: int) -> int | None:
    text = os.pread(fd, 32, 0).decode("ascii", "replace").strip()
    return int(text) if text.isdigit() else None


def _occupied(folder: Path, holder: int | None) -> str:
    who = f"process {holder}" if holder else "another process"
    return (
        f"A Kartoteka server already runs on the data folder {folder} ({who}). "
        "Stop it first, or choose another folder with KARTOTEKA_DATA_DIR."
    )
