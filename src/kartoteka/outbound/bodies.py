"""Reading answers: to disk whole, or the beginning of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpcore

from kartoteka.errors import LinkFailed
from kartoteka.outbound.failures import BROKEN
from kartoteka.outbound.part_file import PartFile
from kartoteka.outbound.unpacking import unpacking

_BLOCK_BYTES = 262_144
_PIECES_A_TURN = 64


async def save(response: httpcore.Response, file: PartFile) -> None:
    """Write the body into that file and put it in its place; raises `LinkFailed`."""
    headers = headers_of(response)
    announced = headers.get("content-length", "")
    file.refuse_longer(int(announced) if announced.isdecimal() else 0)
    unpack = unpacking(headers.get("content-encoding", ""))
    async for block in _blocks(response):
        await asyncio.to_thread(file.take, block, unpack)
    await asyncio.to_thread(file.keep, unpack)


async def beginning(response: httpcore.Response, max_bytes: int) -> tuple[bytes, bool]:
    """The body up to that length, and whether it was cut.

    A connection that breaks only cuts: the status says already what became of the request.
    """
    body = bytearray()
    try:
        async for piece in _pieces(response):
            body += piece
            if len(body) > max_bytes:
                return bytes(body[:max_bytes]), True
    except BROKEN:
        return bytes(body), True
    return bytes(body), False


async def _blocks(response: httpcore.Response) -> AsyncIterator[bytes]:
    """The body in blocks large enough for a thread each."""
    block = bytearray()
    try:
        async for piece in _pieces(response):
            block += piece
            if len(block) >= _BLOCK_BYTES:
                yield bytes(block)
                block.clear()
    except BROKEN:
        raise LinkFailed("The connection to the link broke off before all had arrived.") from None
    yield bytes(block)


async def _pieces(response: httpcore.Response) -> AsyncIterator[bytes]:
    """The body as it comes; others have their turn even when it comes in chunks of a byte."""
    count = 0
    async for piece in response.aiter_stream():
        yield piece
        count += 1
        if count % _PIECES_A_TURN == 0:
            await asyncio.sleep(0)


def headers_of(response: httpcore.Response) -> dict[str, str]:
    """Its headers, names in lower case; of one that came twice the last."""
    return {name.decode("ascii").lower(): _text(value) for name, value in response.headers}


def _text(value: bytes) -> str:
    """Headers are Latin-1 by the rules and UTF-8 in life."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")
