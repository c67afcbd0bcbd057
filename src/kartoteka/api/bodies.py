"""Request bodies: read within limits, unpacked, parsed whatever the Content-Type (decisions D21)."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from kartoteka.api.errors import BodyTooSlow
from kartoteka.errors import InvalidRequest, TooLarge, UnsupportedMedia
from kartoteka.identity.text import Unstorable

SINGLE_BYTES = 1_000_000
EVENT_BYTES = 20_000
BULK_BYTES = 32_000_000

MAX_DEPTH = 64
BODY_WAIT_S = 30.0
"""How long the rest of a body may take when its first part is here."""

Receive = Callable[[], Awaitable[Any]]
Headers = Mapping[bytes, bytes]

_DECODE = msgspec.json.Decoder().decode
_READABLE_TYPES = (b"", b"text/plain", b"application/x-www-form-urlencoded")
_BOM = b"\xef\xbb\xbf"
# A gzip member may be a little longer than what it holds.
_GZIP_SLACK_BYTES = 1024


class InvalidBody(InvalidRequest):
    """The body cannot be read."""

    code = "invalid_body"


class ClientGone(Exception):
    """The client hung up before its request was complete: nobody waits for an answer."""


async def read_body(receive: Receive, headers: Headers, max_bytes: int) -> bytes:
    """The body, unpacked. Raises `TooLarge`, `BodyTooSlow`, `InvalidBody`, `ClientGone`."""
    encoding = headers.get(b"content-encoding", b"identity").strip().lower()
    limit = max_bytes if encoding == b"identity" else max_bytes + _GZIP_SLACK_BYTES
    declared = headers.get(b"content-length")
    if declared is not None and declared.isdigit() and int(declared[:16]) > limit:
        raise _too_large(max_bytes)
    message = await receive()
    body: bytes = _part(message)
    if message.get("more_body", False):
        body = await _rest(receive, body, limit)
    if len(body) > limit:
        raise _too_large(max_bytes)
    return body if encoding == b"identity" else unpack(body, encoding, max_bytes)


async def _rest(receive: Receive, first: bytes, limit: int) -> bytes:
    parts, size, more = [first], len(first), True
    try:
        async with asyncio.timeout(BODY_WAIT_S):
            while more and size <= limit:
                message = await receive()
                parts.append(_part(message))
                size += len(parts[-1])
                more = message.get("more_body", False)
    except TimeoutError:
        raise BodyTooSlow from None
    return b"".join(parts)


def _part(message: Any) -> bytes:
    if message["type"] == "http.disconnect":
        raise ClientGone
    body: bytes = message.get("body", b"")
    return body


def unpack(body: bytes, encoding: bytes, max_bytes: int) -> bytes:
    """The body out of gzip or deflate; a bomb stops at `max_bytes`."""
    if encoding not in (b"gzip", b"x-gzip", b"deflate"):
        raise UnsupportedMedia("The body's Content-Encoding must be gzip, deflate or none.")
    unpacked = b""
    try:
        while body:
            # 47: zlib and gzip are told apart by their first bytes.
            stream = zlib.decompressobj(47)
            unpacked += stream.decompress(body, max_bytes + 1 - len(unpacked))
            if len(unpacked) > max_bytes:
                raise _too_large(max_bytes)
            if not stream.eof:
                raise InvalidBody("The compressed body is cut off.")
            body = stream.unused_data
    except zlib.error:
        raise InvalidBody("The body is not what its Content-Encoding says.") from None
    return unpacked


def parse_json(body: bytes, content_type: bytes | None, elements: str | None = None) -> Any:
    """The JSON value in a body; duplicate keys: the last one counts.

    `elements`: the member whose elements each stand for themselves; one with NUL is an `Unstorable`.

    Raises `UnsupportedMedia` when the body is unreadable and its type says that it is no JSON, else
    `InvalidBody`: for NUL and lone surrogates too, which no database text can hold.
    """
    try:
        value = _DECODE(body.removeprefix(_BOM))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _unreadable(error, body, content_type) from None
    if b"\\u0000" in body:
        _set_apart(value, elements)
        _check_texts(value)
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH:
        _check_depth(value)
    return value


def parse_object(
    body: bytes, content_type: bytes | None, elements: str | None = None
) -> dict[str, Any]:
    """The JSON object in a body; what else it may be is an `InvalidBody`."""
    value = parse_json(body, content_type, elements)
    if not isinstance(value, dict):
        raise InvalidBody("The body must be a JSON object.")
    return value


def _unreadable(error: Exception, body: bytes, content_type: bytes | None) -> Exception:
    kind = (content_type or b"").partition(b";")[0].strip().lower()
    if kind not in _READABLE_TYPES and not kind.endswith((b"/json", b"+json")):
        return UnsupportedMedia()
    if not body.strip():
        return InvalidBody("The body is empty; a JSON object is needed.")
    if isinstance(error, RecursionError):
        return _too_deep()
    return InvalidBody("The body is not valid JSON in UTF-8.")


def _check_depth(value: Any) -> None:
    """Lists and objects within each other, level by level."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            part
            for one in level
            for part in (one.values() if type(one) is dict else one)
            if type(part) is dict or type(part) is list
        ]
        if not level:
            return
    raise _too_deep()


def _set_apart(value: Any, elements: str | None) -> None:
    """Elements with NUL are marked in their list, so that they spoil no other."""
    listed = value.get(elements) if isinstance(value, dict) and elements is not None else None
    if isinstance(listed, list):
        for place, one in enumerate(listed):
            try:
                _check_texts(one)
            except InvalidBody:
                listed[place] = Unstorable(one)


def _check_texts(value: Any) -> None:
    """NUL in any text or key."""
    rest = [value]
    while rest:
        one = rest.pop()
        if isinstance(one, str):
            _check_text(one)
        elif isinstance(one, dict):
            for key in one:
                _check_text(key)
            rest += one.values()
        elif isinstance(one, list):
            rest += one


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise InvalidBody("A text in the body contains the character NUL.")


def _too_deep() -> InvalidBody:
    return InvalidBody(f"The body is nested deeper than {MAX_DEPTH} levels.")


def _too_large(max_bytes: int) -> TooLarge:
    return TooLarge(f"The body may have at most {max_bytes} bytes, unpacked.")
