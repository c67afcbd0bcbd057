"""Files are read by a child process that ends with its task and its parent, whatever happens."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import xlsxwriter

from kartoteka.imports.files import (
    FileUnreadable,
    Layout,
    Limits,
    read_records,
)
from kartoteka.imports.files.reading import look, prepare
from tests.rules.imports.files.made import cells, workbook, worksheet

PATIENCE_S = 120


def write_sheet(path: Path, rows: int) -> None:
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        sheet = book.add_worksheet("Клієнти")
        for number in range(rows):
            sheet.write_row(number, 0, [f"name {number}", 380671234567 + number])


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An .xlsx that takes seconds to be read."""
    path = tmp_path_factory.mktemp("large") / "large.xlsx"
    row = "<row><c t='inlineStr'><is><t>name</t></is></c><c><v>380671234567</v></c></row>"
    path.write_bytes(workbook(worksheet(row * 200_000)))
    return path


def has_begun(path: Path) -> bool:
    return Path(f"{path}.csv.part").exists()


LIMITS = Limits(seconds=0.2, ratio=2_000)  # a quick machine reads it in less than a second
LARGE = Layout("xlsx", sheet="Клієнти")


def children(parent: int | None = None) -> list[psutil.Process]:
    found = psutil.Process(parent).children()
    return [child for child in found if "kartoteka.imports.files.child" in command_of(child)]


def command_of(process: psutil.Process) -> list[str]:
    """Nothing where it has just ended."""
    with suppress(psutil.NoSuchProcess):
        return process.cmdline()
    return []


async def child_of_this_test() -> psutil.Process:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        # It is at work when it has taken the limits on itself.
        if (found := children()) and found[0].nice() > 0:
            return found[0]
        await asyncio.sleep(0.01)
    raise AssertionError("no child was started")


async def test_a_csv_is_found_looked_at_counted_and_read(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    text = "Ім'я;Телефон\r\n\r\nОлена;380671234567\r\nВ'ячеслав;\"0;1\"\r\n"
    path.write_bytes(text.encode("windows-1251"))

    layout, first = await look(path, "клієнти.csv", 2)
    prepared = await prepare(path, layout)

    assert layout == Layout("csv", "windows-1251", ";")
    assert first == [["Ім'я", "Телефон"], ["Олена", "380671234567"]]
    assert (prepared.path, prepared.layout, prepared.records) == (path, layout, 3)
    assert len(list(read_records(prepared.path, prepared.layout))) == 3


async def test_what_the_caller_says_of_a_csv_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes("a,b;c\nОлена,1;2\n".encode("koi8-u"))

    layout, first = await look(path, "a.csv", encoding="KOI8-U", delimiter="semicolon")

    assert layout == Layout("csv", "koi8-u", ";")
    assert first == [["a,b", "c"], ["Олена,1", "2"]]
    with pytest.raises(FileUnreadable, match="Line 2 is not text in the encoding utf-8"):
        await look(path, "a.csv", encoding="utf-8")


async def test_a_spreadsheet_is_prepared_once(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    write_sheet(path, 3)

    layout, _ = await look(path, "клієнти.xlsx")
    prepared = await prepare(path, layout)
    written = prepared.path.stat().st_mtime_ns

    assert layout == Layout("xlsx", sheet="Клієнти")
    assert prepared.path == tmp_path / "upload.csv"
    assert prepared.records == 3
    assert next(read_records(prepared.path, prepared.layout)) == ["name 0", "380671234567"]
    assert await prepare(path, layout) == prepared
    assert prepared.path.stat().st_mtime_ns == written


async def test_a_file_that_is_gone_is_said_to_be_gone(tmp_path: Path) -> None:
    for layout in (LARGE, Layout("csv", "utf-8", ",")):
        with pytest.raises(FileNotFoundError):
            await prepare(tmp_path / "gone", layout)


async def test_no_cell_stands_in_the_message(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_text('email\nolena@example.com,"secret\n')

    with pytest.raises(FileUnreadable) as refused:
        await prepare(path, Layout("csv", "utf-8", ","))
    assert "secret" not in refused.value.message
    assert "olena" not in refused.value.message


async def test_a_killed_child_is_a_file_that_cannot_be_read(large: Path) -> None:
    reading = asyncio.create_task(prepare(large, LARGE, limits=Limits(ratio=2_000)))
    (await child_of_this_test()).kill()

    with pytest.raises(FileUnreadable, match=r"stopped \(SIGKILL\)"):
        await reading
    assert [file.name for file in large.parent.iterdir()] == ["large.xlsx"]


async def test_a_cancelled_task_takes_its_child_along(large: Path) -> None:
    reading = asyncio.create_task(prepare(large, LARGE, limits=Limits(ratio=2_000)))
    child = await child_of_this_test()
    async with asyncio.timeout(PATIENCE_S):
        while not has_begun(large):  # noqa: ASYNC110  another process makes it
            await asyncio.sleep(0.01)
    reading.cancel()

    with pytest.raises(asyncio.CancelledError):
        await reading
    assert not child.is_running()
    assert [file.name for file in large.parent.iterdir()] == ["large.xlsx"]


async def test_reading_has_a_longest_time(large: Path) -> None:
    with pytest.raises(FileUnreadable, match="takes too long"):
        await prepare(large, LARGE, limits=LIMITS)
    assert children() == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds the memory of a process")
async def test_reading_has_a_most_memory(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    texts = f"<si><t>{'x' * 30_000}</t></si>" * 5_000
    path.write_bytes(workbook(cells("<c t='s'><v>4999</v></c>"), texts))
    limits = Limits(memory_bytes=150_000_000, ratio=2_000)

    with pytest.raises(FileUnreadable, match=r"too much memory"):
        await prepare(path, LARGE, limits=limits)


PARENT = """
import asyncio, sys
from pathlib import Path
from kartoteka.imports.files import Layout, Limits
from kartoteka.imports.files.reading import prepare
asyncio.run(prepare(Path(sys.argv[1]), Layout("xlsx"), limits=Limits(ratio=2_000)))
"""


def test_the_child_ends_when_its_parent_is_gone(large: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(large)])
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not ((found := children(parent.pid)) and found[0].nice() > 0):
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    _, alive = psutil.wait_procs(found, timeout=PATIENCE_S)
    assert not [child for child in alive if child.status() != psutil.STATUS_ZOMBIE]
    Path(f"{large}.csv.part").unlink(missing_ok=True)
