"""A folder for one run."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_DISK = Path("/var/tmp")  # on disk where /tmp is memory: a commit in memory costs nothing


@contextmanager
def scratch_folder(folder: Path | None) -> Iterator[Path]:
    """A folder for this run, gone afterwards; PostgreSQL's own user may pass through it."""
    parent = folder or (_DISK if _DISK.is_dir() else None)
    path = Path(tempfile.mkdtemp(prefix="kartoteka-bench-", dir=parent))
    path.chmod(0o711)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
