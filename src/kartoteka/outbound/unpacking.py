"""Unpacking what arrives, in bounded pieces: a small answer may unpack to any size."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Protocol

from kartoteka.errors import LinkFailed

_PIECE_BYTES = 262_144
_MOST_MEMBERS = 10_000
"""Of a gzip stream: each costs a copy of what is left, and a bomb is made of empty ones."""


class Unpacking(Protocol):
    """One answer's body; raises `LinkFailed` when it cannot be unpacked."""

    def feed(self, received: bytes) -> Iterator[bytes]:
        """What those bytes unpack to, in pieces of at most 256 KB or as they came."""

    def finish(self) -> Iterator[bytes]:
        """What was held back; nothing follows it."""


def unpacking(content_encoding: str) -> Unpacking:
    """How an answer with that header Content-Encoding is unpacked; we ask for gzip only."""
    codings = [coding.strip().lower() for coding in content_encoding.split(",")]
    match [coding for coding in codings if coding not in ("", "identity")]:
        case []:
            return _Plain()
        case ["gzip" | "x-gzip"]:
            return _Gzip()
    raise LinkFailed("The link answers in a compression that was not asked for.")


class _Plain:
    def feed(self, received: bytes) -> Iterator[bytes]:
        yield received

    def finish(self) -> Iterator[bytes]:
        yield from ()


class _Gzip:
    """One or more gzip members after each other (RFC 1952), zeros at the end left out."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        self._members = 1
        self._is_empty = True

    def feed(self, received: bytes) -> Iterator[bytes]:
        while received:
            self._is_empty = False
            if self._member.eof:
                received = received.lstrip(b"\0")
                if not received:
                    return
                self._begin_member()
            try:
                yield self._member.decompress(received, _PIECE_BYTES)
            except zlib.error:
                raise LinkFailed("What the link answers cannot be unpacked.") from None
            # Nothing left to read while more could come out happens: `finish` gives that.
            received = self._member.unused_data or self._member.unconsumed_tail

    def finish(self) -> Iterator[bytes]:
        if self._is_empty:
            return
        yield self._member.flush()
        if not self._member.eof:
            raise LinkFailed("What the link answers ends before it is complete.")

    def _begin_member(self) -> None:
        self._members += 1
        if self._members > _MOST_MEMBERS:
            raise LinkFailed("What the link answers cannot be unpacked.")
        self._member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
