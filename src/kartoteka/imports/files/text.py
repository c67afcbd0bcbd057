"""CSV as records: streamed, with bounds on what one record may hold."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TextIO

from kartoteka.imports.files.delimiters import announced
from kartoteka.imports.files.model import LIMITS, FileUnreadable, Layout, Limits

UNREADABLE = "\ufffd"
"""Stands where a byte is no letter of the encoding, and for NUL, which no column can hold."""


def open_text(path: Path, encoding: str) -> TextIO:
    """The file as text, line ends as they are, without the byte order mark."""
    name = "utf-8-sig" if encoding == "utf-8" else encoding
    return path.open(encoding=name, errors="replace", newline="")


def read_records(path: Path, layout: Layout, limits: Limits = LIMITS) -> Iterator[list[str]]:
    """The records of a CSV in order, the header among them, as wide as each is.

    Blank records are left out, and a first line `sep=;`. Spaces after a delimiter do not count.
    Raises `FileUnreadable` at a record that is longer than the limits.
    """
    # The limit is the module's, for the whole process; nobody else of ours reads CSV with less.
    csv.field_size_limit(max(csv.field_size_limit(), limits.cell_chars))
    with open_text(path, layout.encoding or "utf-8") as file:
        lines = Lines(file, limits)
        reader = csv.reader(lines, delimiter=layout.delimiter or ",", skipinitialspace=True)
        try:
            for record in reader:
                lines.pending = 0
                if not any(record) or not any(map(str.strip, record)):
                    continue
                if len(record) > limits.columns:
                    raise FileUnreadable(_too_wide(reader.line_num, limits))
                yield record
        except csv.Error:
            raise FileUnreadable(_too_long(reader.line_num, limits)) from None


class Lines:
    """The lines of a file, none of them endless, nor more of them than one record may have."""

    def __init__(self, file: TextIO, limits: Limits) -> None:
        self.pending = 0
        """Characters since the last record ended; whoever reads records sets it back."""
        self._limits = limits
        self._number = 0
        self._began = 1
        self._next = iter(partial(file.readline, limits.record_chars), "")

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        """The next line with its end; the first one without mark and `sep=`."""
        if self.pending == 0:
            self._began = self._number + 1
        line = next(self._next, "")
        if not line:
            raise self._end()
        self._number += 1
        if self._number == 1:
            line = line.removeprefix("\ufeff")
            if announced(line) is not None:
                line = "\n"
        self.pending += len(line)
        if self.pending >= self._limits.record_chars:
            raise FileUnreadable(_too_long(self._number, self._limits))
        return line.replace("\0", UNREADABLE) if "\0" in line else line

    def _end(self) -> Exception:
        """The file is over; in the middle of a record, its rest was swallowed by one cell."""
        if self.pending == 0:
            return StopIteration()
        return FileUnreadable(
            f'A quotation mark (") in the row that begins on line {self._began} is never closed.'
        )


def _too_long(line: int, limits: Limits) -> str:
    return (
        f"Line {line}: a cell is longer than {limits.cell_chars:,} characters, or the row longer "
        f"than {limits.record_chars:,}. Perhaps a quotation mark is never closed, or the encoding "
        "or the delimiter is another one."
    )


def _too_wide(line: int, limits: Limits) -> str:
    return f"Line {line} has more than {limits.columns:,} columns."
