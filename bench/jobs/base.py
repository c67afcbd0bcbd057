"""What a job is: something to do for us and for the floor, and the ratio that was promised."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from bench.figures import Measured
    from bench.setting import Length, Setting

Note = tuple[int, str]
"""(number of a person, what the request wrote): kept for requests that were answered."""
Request = tuple[bytes, Note | None]


class Compared(StrEnum):
    """What the ratio of a job compares."""

    RATE = "rate"
    """Ours divided by the floor's; at least the target."""
    LATENCY = "latency"
    """Our median divided by the floor's; at most the target."""
    P99 = "p99"
    """The same of the slowest hundredth."""


class Stint(msgspec.Struct):
    """What the requests of one connection are made from."""

    host: str
    authorization: str
    contacts: int
    """Numbers 1 to this are known people."""
    connection: int
    connections: int
    numbers: Iterator[int]
    """Never used before in this run; one supply for all connections."""


class Checked(msgspec.Struct):
    """What a look into the database after a job came to."""

    sentence: str
    passed: bool


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table."""

    name: str
    title: str
    floor_says: str
    """What one of its floor's transactions does."""
    target: float
    goal: float | None = None
    compared: Compared = Compared.RATE
    grace_ms: float = 0
    """Where latencies are compared: so many milliseconds are allowed beside the ratio."""
    p99_ms: float | None = None
    memory_mb: int | None = None
    """What all processes of the server together stay under."""
    unit: str = ""
    """What is counted, where it is not requests."""


class LoadJob(Job, frozen=True, kw_only=True):
    """Requests for some seconds against a pgbench script for as many; see `bench/rounds.py`."""

    requests: Callable[[Stint], Iterator[Request]]
    """Without an end; whole requests, ready to be sent."""
    floor: str
    """Name of a pgbench script in `floors/`."""
    connections: int = 64
    floor_clients: int = 32
    answer_holds: bytes = b""
    """What every answer has in it, so that finding nobody does not count as quick."""
    check: Callable[[str, dict[int, str]], Checked] | None = None
    """Given the URL of our database and the last acknowledged note of every person."""


class OwnJob(Job, frozen=True, kw_only=True):
    """A job that does something else than sending requests for some seconds."""

    measure: Callable[[OwnJob, Setting, Length], Measured]
    keep_busy: Callable[[Setting, float], None]
    """Gives the server this work for about so many seconds, to be looked at by `--profile`."""
