"""What is asked of the child process that reads files, and what it answers."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Literal

import msgspec

from kartoteka.imports.files.model import FileUnreadable, Layout, Limits
from kartoteka.imports.files.table import count_records, look_at, write_csv

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_OURS = (*_NO_ROOM, errno.EIO, errno.ENOENT, errno.EACCES, errno.EROFS)
"""Faults of this machine; any other error of reading is the file's."""


class Task(msgspec.Struct, kw_only=True):
    """What to do with the file."""

    what: Literal["look", "count", "write"]
    path: str
    limits: Limits
    name: str = ""
    encoding: str | None = None
    delimiter: str | None = None
    layout: Layout = Layout("csv")
    records: int = 0
    target: str = ""


class Answer(msgspec.Struct, omit_defaults=True):
    """What came of it: one member, of a look two."""

    layout: Layout | None = None
    sample: list[list[str]] | None = None
    records: int | None = None
    unreadable: str | None = None
    """Why, in words for the user."""
    fault: int | None = None
    """A number of `errno`: the machine's fault."""
    error: str | None = None
    """The class of an error that was not foreseen."""


def carry_out(task: Task) -> Answer:
    """Raises whatever the libraries raise at a damaged file."""
    path, limits = Path(task.path), task.limits
    match task.what:
        case "look":
            given = task.encoding, task.delimiter
            layout, found = look_at(path, task.name, task.records, given, limits)
            return Answer(layout=layout, sample=found)
        case "count":
            return Answer(records=count_records(path, task.layout, limits))
        case "write":
            return Answer(records=write_csv(path, task.layout, Path(task.target), limits))


def answer(task: Task) -> Answer:
    """The answer to a task, whatever happens."""
    try:
        return carry_out(task)
    except FileUnreadable as error:
        return Answer(unreadable=error.message)
    except MemoryError:
        return Answer(unreadable="Reading the file takes too much memory: save it as CSV.")
    except OSError as error:
        if error.errno in _OURS:
            return Answer(fault=error.errno)
        return Answer(error=type(error).__name__)
    except BaseException as error:  # noqa: BLE001  a damaged file can make a library raise anything
        return Answer(error=type(error).__name__)
