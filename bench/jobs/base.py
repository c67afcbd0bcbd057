"""What a job is: requests for us, a script for the floor, and the ratio that was promised."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum

import msgspec

Note = tuple[int, str]
"""(number of a person, what the request wrote): kept for requests that were answered."""
Request = tuple[bytes, Note | None]


class Compared(StrEnum):
    """What the ratio of a job compares."""

    RATE = "requests a second"
    """Ours divided by the floor's; at least the target."""
    LATENCY = "latency"
    """Our median divided by the floor's; at most the target."""


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
    requests: Callable[[Stint], Iterator[Request]]
    """Without an end; whole requests, ready to be sent."""
    floor: str
    """Name of a pgbench script in `floors/`."""
    floor_says: str
    """What one of its transactions does."""
    target: float
    goal: float | None = None
    compared: Compared = Compared.RATE
    connections: int = 64
    floor_clients: int = 32
    p99_ms: float | None = None
    answer_holds: bytes = b""
    """What every answer has in it, so that finding nobody does not count as quick."""
    check: Callable[[str, dict[int, str]], Checked] | None = None
    """Given the URL of our database and the last acknowledged note of every person."""
