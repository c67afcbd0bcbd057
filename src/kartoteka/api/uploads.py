"""Files in multipart bodies, streamed to disk as they come, in flat memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from multipart import (  # type: ignore[import-untyped]
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
    parse_options_header,
)

from kartoteka.api.bodies import SINGLE_BYTES, Headers, InvalidBody, Receive, parse_json
from kartoteka.api.unpacking import pieces_of
from kartoteka.errors import TooLarge
from kartoteka.imports.arrivals import Arrival, too_large
from kartoteka.imports.files import MAX_FILE_BYTES
from kartoteka.imports.model import FileInfo
from kartoteka.outbound.naming import file_name

FILE_PART, OPTIONS_PART = "file", "options"
MAX_PARTS = 16
# What other parts and the lines between parts may add to the file.
_BESIDE_BYTES = 2 * SINGLE_BYTES


class Form(msgspec.Struct):
    """What a multipart body had: its file, whole and on disk, and its options as JSON."""

    file: FileInfo
    options: Any


def is_form(headers: Headers) -> bool:
    """Whether the body is multipart, as its Content-Type says; else it is JSON."""
    kind = headers.get(b"content-type", b"").partition(b";")[0]
    return kind.strip().lower() == b"multipart/form-data"


async def receive_form(receive: Receive, headers: Headers, folder: Path) -> Form:
    """The parts `file` and `options` of the body, in any order; the file is in that folder.

    Raises `InvalidBody`, `FileTooLarge`, `EmptyFile`, `BodyTooSlow`, `ClientGone`: then nothing of
    it stays on disk.
    """
    file, texts = await receive_upload(receive, headers, folder)
    return Form(file, read_options_part(texts))


async def receive_upload(
    receive: Receive, headers: Headers, folder: Path
) -> tuple[FileInfo, dict[str, bytes]]:
    """(the part `file` as a file in that folder, the other parts by name). Raises as above."""
    parser = _parser(headers)
    beside = MAX_FILE_BYTES + _BESIDE_BYTES
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and int(declared[:16]) > beside:
        raise too_large(MAX_FILE_BYTES)
    async with Arrival(folder) as arrival:
        parts = Parts(arrival)
        async for piece in pieces_of(receive, headers):
            beside -= len(piece)
            if beside < 0:
                raise too_large(MAX_FILE_BYTES)
            for event in _events(parser, piece):
                await parts.take(event)
        _check_whole(parser)
        texts = parts.texts()
        read_options_part(texts)  # what cannot be read leaves no file behind
        return await arrival.finish(parts.file_name()), texts


class Parts:
    """The parts of one body, as the parser finds them."""

    def __init__(self, arrival: Arrival) -> None:
        self._arrival = arrival
        self._file_name: str | None = None
        self._texts: dict[str, bytearray] = {}
        self._part = ""

    async def take(self, event: MultipartSegment | bytes | None) -> None:
        """One event: a part begins, a piece of it, None for its end."""
        if isinstance(event, MultipartSegment):
            self._begin(event)
        elif event is not None and self._part == FILE_PART:
            await self._arrival.write(bytes(event))
        elif event is not None:
            text = self._texts[self._part]
            text += event
            if len(text) > SINGLE_BYTES:
                raise TooLarge(f"Parts other than the file may have {SINGLE_BYTES} bytes.")

    def _begin(self, segment: MultipartSegment) -> None:
        self._part = str(segment.name)
        if self._part in self._texts or (self._part == FILE_PART and self._file_name is not None):
            raise InvalidBody("A part of the multipart body comes twice; send one file a call.")
        if self._part == FILE_PART:
            self._file_name = segment.filename or _coded_name(segment)
        else:
            self._texts[self._part] = bytearray()

    def file_name(self) -> str:
        """What the client calls the file. Raises `InvalidBody` when there was none."""
        if self._file_name is None:
            raise InvalidBody(f"The multipart body needs a part named {FILE_PART}: the file.")
        return self._file_name

    def texts(self) -> dict[str, bytes]:
        """The other parts by name, as they came."""
        return {name: bytes(text) for name, text in self._texts.items()}


def read_options_part(texts: Mapping[str, bytes]) -> Any:
    """The JSON of the part `options`, an empty object without it. Raises `InvalidBody`."""
    text = texts.get(OPTIONS_PART, b"")
    if not text.strip():
        return {}
    try:
        return parse_json(text, None)
    except InvalidBody:
        raise InvalidBody(f"The part {OPTIONS_PART} must be a JSON object in UTF-8.") from None


def _coded_name(segment: MultipartSegment) -> str:
    """A name that older clients send as `filename*=UTF-8''…`; empty when there is none."""
    return file_name(segment.header("Content-Disposition", ""))


def _parser(headers: Headers) -> PushMultipartParser:
    text = headers[b"content-type"].decode("latin-1")
    try:
        boundary = parse_options_header(text)[1].get("boundary", "")
        return PushMultipartParser(boundary, max_segment_count=MAX_PARTS)
    except MultipartError:
        raise InvalidBody("The Content-Type multipart/form-data needs a boundary.") from None


def _events(parser: PushMultipartParser, piece: bytes) -> list[MultipartSegment | bytes | None]:
    try:
        return list(parser.parse(piece))
    except MultipartError as error:
        # The parser's words speak of form, never of what is in it.
        raise InvalidBody(f"The multipart body is not valid: {error.args[0]}.") from None


def _check_whole(parser: PushMultipartParser) -> None:
    try:
        parser.close()
    except MultipartError:
        raise InvalidBody("The multipart body is cut off.") from None
