"""What a file is, its first records, and the CSV it becomes: read by a child process.

A file that cannot be read raises `FileUnreadable` with a sentence for whoever made it; a machine
that cannot read it (no room, no such file) raises the `OSError`. Cancelling ends the child.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from pathlib import Path

import msgspec

from kartoteka.imports.files.model import LIMITS, FileUnreadable, Layout, Limits, Prepared
from kartoteka.imports.files.package import DAMAGED
from kartoteka.imports.files.table import CSV, unfinished
from kartoteka.imports.files.tasks import Answer, Task

# -P: a file of the current folder must not stand in for a module.
_COMMAND = (sys.executable, "-P", "-m", "kartoteka.imports.files.child")


async def look(
    path: Path,
    name: str,
    records: int = 101,
    encoding: str | None = None,
    delimiter: str | None = None,
    *,
    limits: Limits = LIMITS,
) -> tuple[Layout, list[list[str]]]:
    """How the file is to be read, by what it holds, and its first records: at least one.

    The header is among them, blank ones are not. `encoding` and `delimiter` of a CSV are taken as
    they are given: a name out of `ENCODINGS`, and a character or one of comma, semicolon, tab,
    pipe. Spreadsheets have neither.
    """
    task = Task(
        what="look",
        path=str(path),
        name=name,
        records=records,
        encoding=encoding,
        delimiter=delimiter,
        limits=limits,
    )
    answer = await _ask(task, limits.look_seconds)
    assert answer.layout is not None
    assert answer.sample is not None
    return answer.layout, answer.sample


async def prepare(path: Path, layout: Layout, *, limits: Limits = LIMITS) -> Prepared:
    """The file as a CSV whose records are counted and each within the limits.

    A spreadsheet is written as `<path>.csv` beside it, once: who asks again gets the same file.
    """
    task, prepared = _preparation(path, layout, limits)
    answer = await _ask(task, limits.seconds)
    assert answer.records is not None
    return msgspec.structs.replace(prepared, records=answer.records)


def _preparation(path: Path, layout: Layout, limits: Limits) -> tuple[Task, Prepared]:
    """What is to be done with the file, and what will be there then, not yet counted."""
    uploaded = path.stat()
    if layout.format == "csv":
        task = Task(what="count", path=str(path), layout=layout, limits=limits)
        return task, Prepared(path, layout, 0)
    target = path.with_name(f"{path.name}.csv")
    if target.exists() and target.stat().st_mtime_ns >= uploaded.st_mtime_ns:
        task = Task(what="count", path=str(target), layout=CSV, limits=limits)
    else:
        task = Task(what="write", path=str(path), layout=layout, target=str(target), limits=limits)
    return task, Prepared(target, CSV, 0)


async def _ask(task: Task, seconds: float) -> Answer:
    child = await asyncio.create_subprocess_exec(*_COMMAND, stdin=PIPE, stdout=PIPE, stderr=DEVNULL)
    try:
        async with asyncio.timeout(seconds):
            said = await _converse(child, task)
    except TimeoutError:
        raise FileUnreadable("Reading the file takes too long: save it as CSV.") from None
    finally:
        await _end(child)
        _remove_unfinished(task)
    if child.returncode != 0:
        raise _stopped(child.returncode)
    return _checked(msgspec.json.decode(said, type=Answer))


async def _converse(child: Process, task: Task) -> bytes:
    """What it answered. Standard input stays open: that it ends would end the child."""
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(msgspec.json.encode(task) + b"\n")
    with suppress(ConnectionError):
        await child.stdin.drain()
    said = await child.stdout.read()
    await child.wait()
    return said


def _remove_unfinished(task: Task) -> None:
    """What a child that was killed had written so far."""
    if task.what == "write":
        unfinished(Path(task.target)).unlink(missing_ok=True)


async def _end(child: Process) -> None:
    if child.returncode is None:
        with suppress(ProcessLookupError):
            child.kill()
        await asyncio.shield(child.wait())


def _stopped(status: int | None) -> FileUnreadable:
    _warn("file_child_stopped", status=status)
    how = signal.Signals(-status).name if status is not None and status < 0 else f"status {status}"
    return FileUnreadable(
        f"Reading the file was stopped ({how}): try again, or save it as CSV if it is large."
    )


def _checked(answer: Answer) -> Answer:
    if answer.fault is not None:
        raise OSError(answer.fault, os.strerror(answer.fault))
    if answer.error is not None:
        _warn("file_not_read", error=answer.error)
        raise FileUnreadable(DAMAGED)
    if answer.unreadable is not None:
        raise FileUnreadable(answer.unreadable)
    return answer


def _warn(event: str, **values: object) -> None:
    # Late: the child imports this package too, and would take twice as long to start.
    from kartoteka.log import logger

    logger.warning(event, **values)
