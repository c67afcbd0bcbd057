"""What all jobs of a run stand on."""

from __future__ import annotations

import random
from pathlib import Path

import msgspec

from bench.rows import People
from bench.server import Server


class Length(msgspec.Struct, frozen=True):
    """How long to measure a job."""

    rounds: int
    seconds: int
    """Of a round and side, where a job sends for a time and not a number of rows."""
    quick: bool = False


class Numbers:
    """Numbers that no request of this run has used yet."""

    def __init__(self) -> None:
        self.next = 1

    def take(self, count: int) -> None:
        self.next += count


class Setting(msgspec.Struct):
    """The server under test, the database of the floors beside it, and who is known in both."""

    server: Server
    floor_url: str
    folder: Path
    contacts: int
    account_id: int
    processes: int
    ours: Numbers
    floors: Numbers
    lists: int = 0
    """How many lists of people were made: no two give a person the same first name."""

    def people(self, rows: int, known: float) -> People:
        """So many people for both sides alike: that share of them known, the others of nobody yet."""
        self.lists += 1
        chosen = random.sample(range(1, self.contacts + 1), min(int(rows * known), self.contacts))
        first = max(self.ours.next, self.floors.next)
        new = range(self.contacts + first, self.contacts + first + rows - len(chosen))
        self.ours.next = self.floors.next = first + len(new)
        return People(chosen, new, self.lists)


def say(text: str) -> None:
    """One line of progress."""
    print(text, flush=True)
