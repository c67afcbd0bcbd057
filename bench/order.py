"""What the process of the load is told, and what it answers."""

from __future__ import annotations

import msgspec


class Order(msgspec.Struct):
    """What to send, where, how long."""

    job: str
    host: str
    port: int
    authorization: str
    contacts: int
    seconds: float
    first: int
    """Numbers from here on are free."""


class Report(msgspec.Struct):
    """What came back. Latencies in microseconds, of answers inside the time only."""

    seconds: float
    latencies: list[int]
    written: dict[int, str]
    """The last acknowledged note of every person."""
    sent: int
    failures: int
    failure: str = ""
    """The first of them."""
    cpu_us: float = 0
    """Processor time of the load itself, a request."""
