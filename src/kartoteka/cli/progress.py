"""How far something is: one line that changes on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from datetime import timedelta
from typing import Self

import click
import msgspec

EVERY_S = 5.0
BAR_CHARS = 24


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
        self._width = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._width:
            click.echo(err=True)

    def show(self, step: Step) -> None:
        """Say where it is: at once on a terminal, every few seconds in a log."""
        if self._is_terminal:
            line = words(step, with_bar=True)
            # A longer line before this one is written over.
            click.echo(f"\r{line.ljust(self._width)}", nl=False, err=True)
            self._width = len(line)
            return
        now = time.monotonic()
        if self._shown_at is None or now - self._shown_at >= EVERY_S:
            self._shown_at = now
            click.echo(words(step), err=True)


def words(step: Step, *, with_bar: bool = False) -> str:
    """`Importing  45 %  450,000 of 1,000,000 rows  12,345 rows/s  0:00:44 left`."""
    parts = [step.label]
    if step.total:
        share = min(step.done / step.total, 1.0)
        if with_bar:
            filled = int(share * BAR_CHARS)
            parts.append(f"[{'#' * filled}{'-' * (BAR_CHARS - filled)}]")
        parts.append(f"{int(100 * share):3d} %")
        parts.append(f"{step.done:,} of {step.total:,} rows")
    elif step.done:
        parts.append(f"{step.done:,} rows")
    if step.rate:
        parts.append(f"{step.rate:,.0f} rows/s")
    if step.seconds_left is not None:
        parts.append(f"{timedelta(seconds=step.seconds_left)} left")
    return "  ".join(parts)
