"""A body piece by piece as it comes, for what is too large to be held: unpacked, counted, timed."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator

from kartoteka.api.bodies import ClientGone, Headers, InvalidBody, Receive
from kartoteka.api.errors import BodyTooSlow
from kartoteka.errors import UnsupportedMedia

IDLE_S = 30.0
"""How long a client may say nothing; a slow line may take as long as it needs."""
_MOST_AT_ONCE = 1 << 20


async def pieces_of(receive: Receive, headers: Headers) -> AsyncIterator[bytes]:
    """The unpacked body. Raises `ClientGone`, `BodyTooSlow`, `InvalidBody`, `UnsupportedMedia`."""
    encoding = headers.get(b"content-encoding", b"identity").strip().lower()
    unpacking = None if encoding == b"identity" else Unpacking(encoding)
    more = True
    while more:
        try:
            async with asyncio.timeout(IDLE_S):
                message = await receive()
        except TimeoutError:
            raise BodyTooSlow from None
        if message["type"] == "http.disconnect":
            raise ClientGone
        more = message.get("more_body", False)
        body: bytes = message.get("body", b"")
        if unpacking is None:
            if body:
                yield body
            continue
        for piece in unpacking.pieces(body):
            yield piece
    if unpacking is not None:
        unpacking.check_whole()


class Unpacking:
    """A gzip or deflate stream, some of it at a time: a bomb is met by whoever counts the pieces."""

    def __init__(self, encoding: bytes) -> None:
        if encoding not in (b"gzip", b"x-gzip", b"deflate"):
            raise UnsupportedMedia("The body's Content-Encoding must be gzip, deflate or none.")
        self._stream = _stream()
        self._has_begun = False

    def pieces(self, packed: bytes) -> Iterator[bytes]:
        """What these bytes unpack to, at most a megabyte each."""
        try:
            while packed:
                if self._stream.eof:  # gzip may be several members, one after the other
                    self._stream = _stream()
                self._has_begun = True
                if piece := self._stream.decompress(packed, _MOST_AT_ONCE):
                    yield piece
                packed = self._stream.unused_data or self._stream.unconsumed_tail
        except zlib.error:
            raise InvalidBody("The body is not what its Content-Encoding says.") from None

    def check_whole(self) -> None:
        """Raises `InvalidBody` for a stream that has no end."""
        if self._has_begun and not self._stream.eof:
            raise InvalidBody("The compressed body is cut off.")


def _stream() -> zlib._Decompress:
    # 47: zlib and gzip are told apart by their first bytes.
    return zlib.decompressobj(47)
