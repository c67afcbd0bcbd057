"""The folder of the unix socket: short, ours alone.

A socket's path must stay under 107 bytes, so it cannot be in the data folder, wherever that is.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from pathlib import Path

from kartoteka.db.launch import Owner, can_reach
from kartoteka.errors import SettingsError

LONGEST_PATH = 106
_SOCKET = ".s.PGSQL.5432"


def make_socket_folder(data_dir: Path, owner: Owner) -> Path:
    """A folder with mode 0700 that belongs to `owner`.

    Its name is the same at every start, so that a noted URL stays true, unless somebody else has
    taken it (another owner, another mode, a symlink): then it is random.
    """
    digest = hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:12]
    for parent in _parents(owner):
        folder = parent / f"kartoteka-{digest}"
        if len(os.fsencode(folder / f"{_SOCKET}.lock")) > LONGEST_PATH:
            continue
        with contextlib.suppress(OSError):
            return _claim(folder, owner)
    return _random_folder(owner)


def remove_socket_folder(folder: Path) -> None:
    """Remove it with what a killed server left in it; somebody else's files stay."""
    for name in (_SOCKET, f"{_SOCKET}.lock"):
        with contextlib.suppress(OSError):
            (folder / name).unlink()
    with contextlib.suppress(OSError):
        folder.rmdir()


def is_private(folder: Path, owner: Owner) -> bool:
    """True when it is a real folder of that user which nobody else can enter."""
    found = folder.lstat()
    return (
        stat.S_ISDIR(found.st_mode)
        and found.st_uid == owner.uid
        and stat.S_IMODE(found.st_mode) == 0o700
    )


def _parents(owner: Owner) -> list[Path]:
    if owner.is_us:
        runtime = os.environ.get("XDG_RUNTIME_DIR", "")
        wanted = [Path(runtime)] if runtime.startswith("/") else []
    else:
        wanted = [Path("/run")]
    wanted += [Path(tempfile.gettempdir()), Path("/tmp")]  # noqa: S108  checked by _claim
    return [path for path in wanted if path.is_dir() and can_reach(path / "x", owner)]


def _claim(folder: Path, owner: Owner) -> Path:
    """Raises OSError when the folder is there and not private to `owner`, or cannot be made."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        if not is_private(folder, owner):
            raise
        return folder
    if not owner.is_us:
        # Just made by root in a folder where nobody else may replace it (sticky bit, or root's).
        os.chown(folder, owner.uid, owner.gid, follow_symlinks=False)
    return folder


def _random_folder(owner: Owner) -> Path:
    try:
        folder = Path(tempfile.mkdtemp(prefix="kartoteka-", dir="/tmp"))
    except OSError as error:
        raise SettingsError(
            "There is no place for PostgreSQL's socket; make /tmp writable."
        ) from error
    if not owner.is_us:
        os.chown(folder, owner.uid, owner.gid)
    return folder
