"""Which contacts share a block and are worth comparing, of millions, in little memory.

Blocks are told apart by a keyed hash that nobody keeps, so what is spilled to disk says nothing about
anybody (D29); the files have no name and go with the process.
"""

from __future__ import annotations

import hashlib
import secrets
import tempfile
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import combinations
from typing import IO, Any

import msgspec

from kartoteka.identity.alike import LIKELY, Frequencies, Record, blocks, compare

LARGEST_BLOCK = 50
"""What more contacts than this share says nothing."""
PAIRS_A_CONTACT = 20
"""Comparisons a contact on average; where there would be more, the largest blocks are left out."""
PAIRS_AT_LEAST = 10_000
PARTS = 64
"""Files that blocks and pairs are spread over: only one of them is in memory at a time."""
Pair = tuple[int, int]


class Alike(msgspec.Struct, frozen=True):
    """Two contacts that look like one person."""

    contact_id: int
    other_id: int
    score: float
    fields: dict[str, float]


class Spilled:
    """Pairs of 64-bit numbers in nameless files, by a number's remainder."""

    _AT_ONCE = 1 << 14

    def __init__(self) -> None:
        self._open = ExitStack()
        self._files: list[IO[bytes]] = [
            self._open.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
            for _ in range(PARTS)
        ]
        self._waiting = [array("Q") for _ in range(PARTS)]

    def add(self, part: int, one: int, other: int) -> None:
        waiting = self._waiting[part]
        waiting.append(one)
        waiting.append(other)
        if len(waiting) >= self._AT_ONCE:
            self._flush(part)

    def read(self, part: int) -> Iterator[Pair]:
        """What was added to that part, in order."""
        self._flush(part)
        file = self._files[part]
        file.seek(0)
        content = array("Q")
        content.frombytes(file.read())
        return zip(content[::2], content[1::2], strict=True)

    def close(self) -> None:
        self._open.close()

    def _flush(self, part: int) -> None:
        self._files[part].seek(0, 2)
        self._files[part].write(self._waiting[part].tobytes())
        self._waiting[part] = array("Q")


class Candidates:
    """Contacts by the blocks they are in, then pairs of them. Close it."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(16)
        self._blocks = Spilled()
        self._pairs = Spilled()
        self.frequencies = Frequencies()
        self.pairs = 0
        """How many are worth comparing; one that shares several blocks counts for each."""
        self.largest = LARGEST_BLOCK

    def add(self, records: Sequence[Record]) -> None:
        """Put these contacts into their blocks."""
        self.frequencies.add(records)
        for one in records:
            for block in blocks(one):
                digest = hashlib.blake2b(block.encode(), digest_size=8, key=self._key).digest()
                number = int.from_bytes(digest, "big")
                self._blocks.add(number % PARTS, number, one.contact_id)

    @property
    def contacts(self) -> int:
        """How many were added."""
        return self.frequencies.contacts

    def count(self) -> None:
        """Find out how large a block may be, so that there are not too many pairs."""
        sizes: Counter[int] = Counter()
        for part in range(PARTS):
            sizes.update(len(members) for members in self._shared(part))
        most = PAIRS_A_CONTACT * self.contacts + PAIRS_AT_LEAST
        self.pairs = self.largest = 0
        for size in range(2, LARGEST_BLOCK + 1):
            more = sizes[size] * size * (size - 1) // 2
            if self.pairs + more > most:
                break
            self.pairs, self.largest = self.pairs + more, size

    def pair(self, part: int) -> None:
        """Write down the pairs of one part of the blocks."""
        for members in self._shared(part):
            if len(members) <= self.largest:
                for low, high in combinations(sorted(members), 2):
                    self._pairs.add(low // 1024 % PARTS, low, high)

    def of(self, part: int) -> set[Pair]:
        """One part of the pairs, each once, the smaller id first."""
        return set(self._pairs.read(part))

    def compared(
        self, pairs: set[Pair], records: Mapping[int, Record], least: float = LIKELY
    ) -> list[Alike]:
        """Those of the pairs that look like one person; whoever is gone meanwhile is left out."""
        found = []
        for low, high in pairs:
            one, other = records.get(low), records.get(high)
            if one is not None and other is not None:
                score, fields = compare(one, other, self.frequencies)
                if score >= least:
                    found.append(Alike(low, high, score, fields))
        return found

    def close(self) -> None:
        self._blocks.close()
        self._pairs.close()

    def _shared(self, part: int) -> Iterator[list[int]]:
        members: dict[int, Any] = {}
        for number, contact_id in self._blocks.read(part):
            known = members.get(number)
            if known is None:
                members[number] = contact_id
            elif isinstance(known, list):
                known.append(contact_id)
            else:
                members[number] = [known, contact_id]
        return (one for one in members.values() if isinstance(one, list))


def alike(records: Sequence[Record], least: float = LIKELY) -> Iterator[Alike]:
    """Pairs of these whose score is at least that."""
    by_id = {one.contact_id: one for one in records}
    candidates = Candidates()
    try:
        candidates.add(records)
        candidates.count()
        for part in range(PARTS):
            candidates.pair(part)
        for part in range(PARTS):
            yield from candidates.compared(candidates.of(part), by_id, least)
    finally:
        candidates.close()
