"""Contacts that rows of an import have come to, so that a second row of one can be told."""

from __future__ import annotations

from collections.abc import Iterable

_BITS = 16
_CHUNK_BYTES = (1 << _BITS) // 8


class Seen:
    """A set of contact ids in little memory: a bit each, where ids lie close together."""

    def __init__(self) -> None:
        self._chunks: dict[int, bytearray] = {}

    def add(self, contact_ids: Iterable[int]) -> None:
        for contact_id in contact_ids:
            place = contact_id >> _BITS
            chunk = self._chunks.get(place)
            if chunk is None:
                chunk = self._chunks[place] = bytearray(_CHUNK_BYTES)
            bit = contact_id & ((1 << _BITS) - 1)
            chunk[bit >> 3] |= 1 << (bit & 7)

    def __contains__(self, contact_id: int) -> bool:
        chunk = self._chunks.get(contact_id >> _BITS)
        bit = contact_id & ((1 << _BITS) - 1)
        return chunk is not None and bool(chunk[bit >> 3] & (1 << (bit & 7)))
