"""Disks of targets that are full or closed: told in words, nothing half, and then it goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.exports.conftest import Exporting, Warehouse, picture, table
from tests.exports.tiny_disk import TinyDisk, is_possible, tiny_disk
from tests.rules.stories import add


@pytest.fixture
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TinyDisk | None]:
    """None where the kernel makes no namespaces for this user."""
    if not is_possible():
        yield None
        return
    folder = tmp_path_factory.mktemp("tiny")
    for path in (folder, folder.parent):
        path.chmod(0o755)
    with tiny_disk(folder) as opened:
        yield opened


class Refusing:
    """Where there can be no tiny disk, the server is told to say the same: SQLSTATE 53100."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def fill(self) -> None:
        self._warehouse.run(
            "create function full_disk() returns trigger language plpgsql as "
            "$$begin raise exception using errcode = '53100'; end$$; "
            "create trigger full_disk before insert on contacts execute function full_disk()"
        )

    def free(self) -> None:
        self._warehouse.run("drop function full_disk() cascade")


async def test_a_full_disk_is_told_and_the_next_run_goes_on(
    exporting: Exporting, warehouse: Warehouse, disk: TinyDisk | None
):
    there = warehouse if disk is None else Warehouse(disk.url)
    full = disk or Refusing(warehouse)
    one = await exporting.to(there.url, "contacts")
    await exporting.shop.id(add(x="X1", email="x1@example.com"))
    await exporting.good_run(one)
    before = table(there, "contacts")
    people = [add(x=f"X{n}", email=f"x{n}@example.com", first="Anna" * 10) for n in range(400)]
    await exporting.shop.together(*people)
    full.fill()
    run = await exporting.run(one)
    assert (run.state, run.code) == ("failed", "export_target_full")
    assert run.error.startswith("Its disk is full, said the target database while writing table")
    assert table(there, "contacts") == before
    full.free()
    await exporting.good_run(one)
    assert table(there, "contacts") == picture(exporting, "contacts")
    assert len(table(there, "contacts")) == len(people)


_FILES = """
import contextlib, json, os, subprocess, sys
from pathlib import Path
from kartoteka.exports.datasets import Column
from kartoteka.exports.errors import TargetFailed
from kartoteka.exports.model import Done
from kartoteka.exports.targets.parquet import write_parquet
from kartoteka.exports.targets.stores import Folder

def said(name, write):
    try:
        with folder.writing(name) as file:
            write(file)
    except TargetFailed as error:
        return [error.code, error.message]

rows = (os.urandom(300_000).hex().encode() + b"\\n" for _ in range(20))
folder = Folder(Path(sys.argv[1]), ("lake",))
with folder.writing("x.csv") as file:
    file.write(b"old")
found = [
    said("x.csv", lambda file: file.write(b"x" * 2_000_000)),
    said("x.csv", lambda file: write_parquet(file, (Column("a"),), rows, Done(), lambda: None)),
]
subprocess.run(["mount", "-o", "remount,ro", sys.argv[1]], check=True)
found.append(said("x.csv", lambda file: file.write(b"new")))
print(json.dumps([*found, folder.read("x.csv").decode(), folder.sizes()]))
"""


def test_a_folder_on_a_full_or_closed_disk_keeps_the_old_files(tmp_path: Path):
    """On a disk of one megabyte, then on one that is mounted to be read only."""
    if not is_possible():  # tests/exports/test_files.py asks the kernel in another way
        return
    mount = 'mount -t tmpfs -o size=1m tmpfs "$1" && exec "$2" -c "$3" "$1"'
    ran = subprocess.run(
        [*("unshare", "-rm", "sh", "-c", mount, "sh"), str(tmp_path), sys.executable, _FILES],
        capture_output=True,
        text=True,
        check=True,
    )
    full, as_full, closed, content, sizes = json.loads(ran.stdout)
    assert full == as_full
    assert full == [
        *(
            "export_target_full",
            "The disk is full, while writing x.csv; old files are as they were.",
        )
    ]
    assert closed == ["export_target_denied", "A right is missing, while writing x.csv."]
    assert (content, sizes) == ("old", {"x.csv": 3})
