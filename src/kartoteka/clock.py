"""The time, as an argument: rules and stores are handed it and never ask the system."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_TICK = timedelta(microseconds=1)


class Clock:
    """Times in UTC to the microsecond, each later than the one before within this process."""

    def __init__(self) -> None:
        self._last = datetime.min.replace(tzinfo=UTC)

    def now(self) -> datetime:
        """A time later than every time this clock gave out, even when the system's goes back."""
        self._last = max(datetime.now(UTC), self._last + _TICK)
        return self._last


class FixedClock(Clock):
    """A clock for tests: it starts where it is told and moves when it is told.

    Each `now()` is one microsecond later than the last, like the real one.
    """

    def __init__(self, start: datetime) -> None:
        super().__init__()
        self._last = start.astimezone(UTC) - _TICK

    def now(self) -> datetime:
        self._last += _TICK
        return self._last

    def advance(self, by: timedelta) -> None:
        """Let that much time pass."""
        self._last += by
