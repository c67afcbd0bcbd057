"""What an end point answers: status, body and headers, ready to be sent."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any

import msgspec

Header = tuple[bytes, bytes]

JSON_TYPE = b"application/json;charset=UTF-8"
_ENCODER = msgspec.json.Encoder()


class HeaderName(bytes):
    """A header name that keeps its spelling on HTTP/1.1, such as `TotalCount` (clients 1).

    uvicorn lower-cases the names it is given, by `name.lower()`; one client looks the header up
    letter by letter. A test reads it from a raw socket.
    """

    def lower(self) -> HeaderName:
        return self


TOTAL_COUNT = HeaderName(b"TotalCount")
CONTACT = HeaderName(b"Kartoteka-Contact")


class Answer(msgspec.Struct):
    """One HTTP answer. Length and request id are added when it is sent."""

    body: bytes
    status: int = 200
    content_type: bytes | None = JSON_TYPE
    """None: the answer has no Content-Type (an empty body, clients 1)."""
    headers: Sequence[Header] = ()
    stream: AsyncGenerator[bytes, None] | None = None
    """The body in pieces instead of `body`, for what is too long to be held: sent as it is made."""


def json_answer(value: Any, status: int = 200, headers: Sequence[Header] = ()) -> Answer:
    """The value as JSON."""
    return Answer(_ENCODER.encode(value), status, JSON_TYPE, headers)


def list_answer(rows: Sequence[Any], total: int) -> Answer:
    """A bare JSON list with the header `TotalCount` (wire 3.7)."""
    return json_answer(rows, headers=((TOTAL_COUNT, b"%d" % total),))


def text_answer(text: str) -> Answer:
    """Bare text under the JSON content type, as the original does it (wire 1.5)."""
    return Answer(text.encode())


def file_answer(stream: AsyncGenerator[bytes, None], content_type: bytes, name: str) -> Answer:
    """A download of that name, which is ours: letters, digits, dots and dashes."""
    disposition = f'attachment; filename="{name}"'.encode("ascii")
    headers = ((b"content-disposition", disposition),)
    return Answer(b"", content_type=content_type, headers=headers, stream=stream)


def empty_answer() -> Answer:
    """200 without body and Content-Type."""
    return Answer(b"", content_type=None)
