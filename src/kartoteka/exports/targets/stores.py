"""Where files go: a folder under KARTOTEKA_EXPORT_DIR, or an S3-compatible store."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from kartoteka.exports.errors import (
    TargetDenied,
    TargetFailed,
    TargetFull,
    TargetRefused,
    TargetUnreachable,
)
from kartoteka.exports.targets.parquet import need_pyarrow

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Store(Protocol):
    """Files by name; a name may have one folder in front."""

    def writing(self, name: str) -> Any:
        """A context with a file to write; the old one is replaced at its end, or stays."""
        ...

    def read(self, name: str) -> bytes | None: ...

    def sizes(self) -> dict[str, int]:
        """All files by name."""
        ...

    def delete(self, name: str) -> None: ...

    def close(self) -> None: ...


class Folder:
    """A folder, entered step by step so that no link leads anywhere else."""

    def __init__(self, root: Path, parts: tuple[str, ...]) -> None:
        with told("opening the folder"):
            root.mkdir(mode=0o750, parents=True, exist_ok=True)
            self._fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
        for part in parts:
            inner = self._enter(self._fd, part)
            os.close(self._fd)
            self._fd = inner

    def _enter(self, above: int, name: str) -> int:
        with told("opening the folder"):
            with suppress(FileExistsError):
                os.mkdir(name, 0o750, dir_fd=above)
            found = os.stat(name, dir_fd=above, follow_symlinks=False)
            if not stat.S_ISDIR(found.st_mode):
                raise TargetRefused("The export's folder is a link or a file; exports follow none.")
            return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=above)

    @contextmanager
    def _at(self, name: str) -> Iterator[tuple[int, str]]:
        """(folder, last part) of a name."""
        folder, slash, last = name.rpartition("/")
        if not slash:
            yield self._fd, name
            return
        inner = self._enter(self._fd, folder)
        try:
            yield inner, last
        finally:
            os.close(inner)

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        with self._at(name) as (folder, last), told(f"writing {name}"):
            part = f".{last}.part"
            with suppress(FileNotFoundError):
                os.unlink(part, dir_fd=folder)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            fd = os.open(part, flags, 0o640, dir_fd=folder)
            try:
                with os.fdopen(fd, "wb") as file:
                    yield file
                    file.flush()
                    os.fsync(file.fileno())
                os.rename(part, last, src_dir_fd=folder, dst_dir_fd=folder)
                os.fsync(folder)
            except BaseException:
                with suppress(OSError):
                    os.unlink(part, dir_fd=folder)
                raise

    def read(self, name: str) -> bytes | None:
        with self._at(name) as (folder, last), told(f"reading {name}"):
            try:
                fd = os.open(last, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder)
            except FileNotFoundError:
                return None
            with os.fdopen(fd, "rb") as file:
                return file.read()

    def sizes(self) -> dict[str, int]:
        with told("looking at the files"):
            found: dict[str, int] = {}
            for entry in os.scandir(self._fd):
                if entry.is_file(follow_symlinks=False):
                    found[entry.name] = entry.stat(follow_symlinks=False).st_size
                elif entry.is_dir(follow_symlinks=False):
                    found.update(self._inside(entry.name))
            return found

    def _inside(self, name: str) -> dict[str, int]:
        fd = self._enter(self._fd, name)
        try:
            return {
                f"{name}/{entry.name}": entry.stat(follow_symlinks=False).st_size
                for entry in os.scandir(fd)
                if entry.is_file(follow_symlinks=False)
            }
        finally:
            os.close(fd)

    def delete(self, name: str) -> None:
        with (
            self._at(name) as (folder, last),
            told(f"deleting {name}"),
            suppress(FileNotFoundError),
        ):
            os.unlink(last, dir_fd=folder)

    def close(self) -> None:
        os.close(self._fd)


class Bucket:
    """A place in an S3-compatible store; an object is replaced whole or not at all."""

    def __init__(self, settings: dict[str, Any], bucket: str, prefix: str) -> None:
        need_pyarrow()
        from pyarrow import fs

        endpoint = settings.get("endpoint")
        more: dict[str, Any] = {}
        if endpoint:
            scheme, _, host = endpoint.partition("://")
            more = {"endpoint_override": host.rstrip("/"), "scheme": scheme}
        with told("connecting"):
            self._fs = fs.S3FileSystem(
                access_key=settings["accessKey"],
                secret_key=settings["secretKey"],
                region=settings.get("region") or "us-east-1",
                connect_timeout=10,
                request_timeout=60,
                **more,
            )
        self._base = f"{bucket}/{prefix}".rstrip("/")

    @contextmanager
    def writing(self, name: str) -> Iterator[Any]:
        """An upload that is broken off leaves the old object."""
        import tempfile

        with told(f"writing {name}"), tempfile.TemporaryFile() as file:
            yield file
            file.seek(0)
            with self._fs.open_output_stream(f"{self._base}/{name}") as out:
                while piece := file.read(4_000_000):
                    out.write(piece)

    def read(self, name: str) -> bytes | None:
        with told(f"reading {name}"):
            try:
                with self._fs.open_input_stream(f"{self._base}/{name}") as file:
                    content: bytes = file.read()
                    return content
            except FileNotFoundError:
                return None

    def sizes(self) -> dict[str, int]:
        from pyarrow import fs

        with told("looking at the files"):
            selector = fs.FileSelector(self._base, recursive=True, allow_not_found=True)
            return {
                one.path.removeprefix(f"{self._base}/"): one.size
                for one in self._fs.get_file_info(selector)
                if one.type == fs.FileType.File
            }

    def delete(self, name: str) -> None:
        with told(f"deleting {name}"), suppress(FileNotFoundError):
            self._fs.delete_file(f"{self._base}/{name}")

    def close(self) -> None:
        """Nothing is held."""


@contextmanager
def told(doing: str) -> Iterator[None]:
    """Raises `TargetFailed` with a sentence instead of `OSError`, which quotes paths and keys."""
    try:
        yield
    except FileNotFoundError as error:
        raise TargetFailed(f"The bucket or folder is not there, while {doing}.") from error
    except PermissionError as error:
        raise TargetDenied(f"A right is missing, while {doing}.") from error
    except OSError as error:
        text = str(error)
        if error.errno == errno.EROFS:
            raise TargetDenied(f"A right is missing, while {doing}.") from error
        if error.errno in _FULL:
            raise TargetFull(
                f"The disk is full, while {doing}; old files are as they were."
            ) from error
        if "ACCESS_DENIED" in text or "403" in text or "SIGNATURE" in text.upper():
            raise TargetDenied(f"The store does not accept the keys, while {doing}.") from error
        if "NO_SUCH_BUCKET" in text:
            raise TargetFailed(f"There is no such bucket, while {doing}.") from error
        if "NETWORK" in text.upper() or "connect" in text.lower():
            raise TargetUnreachable(f"The store does not answer, while {doing}.") from error
        raise TargetFailed(f"The store refused, while {doing}.") from error
