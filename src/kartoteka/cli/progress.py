"""How far something is: one line that changes on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import os
import sys
import time
from datetime import timedelta
from typing import Self

import click
import msgspec

EVERY_S = 5.0
BAR_CHARS = 24
NARROWEST_BAR = 4
USUAL_COLUMNS = 80


class Step(msgspec.Struct, frozen=True):
    """Where it is now; what nobody knows yet is None."""

    label: str
    done: int
    total: int | None
    rate: float | None
    """Rows a second."""
    seconds_left: int | None


class Progress:
    """Shows steps as they come. Use it as a context: its line ends with the block."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._shown_at: float | None = None
        self._said = ""
        self._width = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._width:
            click.echo(err=True)

    def show(self, step: Step) -> None:
        """Say where it is: at once on a terminal; in a log every few seconds, if it is further."""
        if self._is_terminal:
            # A line that is as wide as the terminal cannot be written over: it has become two.
            line = line_of(step, _columns() - 1)
            click.echo(f"\r{line.ljust(self._width)}", nl=False, err=True)
            self._width = len(line)
            return
        now = time.monotonic()
        if self._shown_at is None or now - self._shown_at >= EVERY_S:
            self._shown_at = now
            if (line := words(step)) != self._said:
                click.echo(line, err=True)
            self._said = line


def words(step: Step) -> str:
    """`Importing   45 %  450,000 of 1,000,000 rows  12,345 rows/s  0:00:44 left`."""
    return "  ".join((step.label, *_figures(step)))


def line_of(step: Step, columns: int) -> str:
    """The same with a bar as wide as there is room for, and cut off where there is not."""
    figures = _figures(step)
    room = columns - len(words(step)) - len("  []")
    if step.total and room >= NARROWEST_BAR:
        chars = min(room, BAR_CHARS)
        filled = int(min(step.done / step.total, 1.0) * chars)
        figures.insert(0, f"[{'#' * filled}{'-' * (chars - filled)}]")
    return "  ".join((step.label, *figures))[:columns]


def _figures(step: Step) -> list[str]:
    parts: list[str] = []
    if step.total:
        parts.append(f"{int(100 * min(step.done / step.total, 1.0)):3d} %")
        parts.append(f"{step.done:,} of {step.total:,} rows")
    elif step.done:
        parts.append(f"{step.done:,} rows")
    if step.rate:
        parts.append(f"{step.rate:,.0f} rows/s")
    if step.seconds_left is not None:
        parts.append(f"{timedelta(seconds=step.seconds_left)} left")
    return parts


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or USUAL_COLUMNS
    except (OSError, ValueError):
        return USUAL_COLUMNS
