"""A second PostgreSQL whose tables lie on a tiny disk of their own: a tmpfs in a namespace, without root.

As a program it is that server: it makes the disk's tablespace and prints the URL; each line on its input
fills the disk to the brim (`fill`) or empties it (`free`), and is answered when that is done.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from kartoteka.db.embedded import EmbeddedPostgres

_MOUNT = (
    'mount -t tmpfs -o size=24m,mode=0777 tmpfs "$1" && '
    'exec unshare --user --map-user=1000 --map-group=1000 "$2" -m tests.exports.tiny_disk "$1" "$3"'
)
"""Inside a namespace where it is root it mounts, and goes on as nobody in particular: PostgreSQL does
not run as root."""


_TRY = "mount -t tmpfs tmpfs /mnt && unshare --user --map-user=1000 --map-group=1000 true"


def is_possible() -> bool:
    """Whether the kernel lets this user make namespaces and mount in them."""
    try:
        made = subprocess.run(
            ["unshare", "-rm", "sh", "-c", _TRY], capture_output=True, check=False
        )
    except OSError:
        return False
    return made.returncode == 0


class TinyDisk:
    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self._process = process
        self.url = url

    def fill(self) -> None:
        self._say("fill")

    def free(self) -> None:
        self._say("free")

    def _say(self, word: str) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(word, file=self._process.stdin, flush=True)
        assert self._process.stdout.readline() == f"{word}\n"


@contextmanager
def tiny_disk(folder: Path) -> Iterator[TinyDisk]:
    mount, data = folder / "disk", folder / "data"
    for path in (mount, data):
        path.mkdir(mode=0o777)
    command = ["unshare", "-rm", "sh", "-c", _MOUNT, "sh", str(mount), sys.executable, str(data)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url, "it does not start"
        try:
            yield TinyDisk(process, url)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(60)


def main(mount: Path, data: Path) -> None:
    tables = mount / "tables"
    tables.mkdir(mode=0o700)
    with EmbeddedPostgres(data) as postgres:
        superuser = postgres.url.replace("//kartoteka:", "//postgres:")
        with psycopg.connect(superuser, autocommit=True) as connection:
            place = sql.Literal(str(tables))
            connection.execute(sql.SQL("create tablespace tiny location {}").format(place))
            connection.execute("create database warehouse owner kartoteka tablespace tiny")
        print(postgres.url.replace("/kartoteka?", "/warehouse?"), flush=True)
        for line in sys.stdin:
            _fill(mount / "ballast") if line == "fill\n" else (mount / "ballast").unlink()
            print(line, end="", flush=True)


def _fill(ballast: Path) -> None:
    """Take all that is left."""
    with ballast.open("wb", buffering=0) as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(ballast.parent).free)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
