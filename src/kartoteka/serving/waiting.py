"""Answers 503 to everything while the database starts or migrates."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from datetime import datetime
from typing import Any

import msgspec

from kartoteka.clock import Clock
from kartoteka.errors import DatabaseUnavailable
from kartoteka.serving.children import Lifeline, Serve

_LONGEST_HEAD = 64 * 1024
_READ_WITHIN_S = 5


def answer_to(head: bytes, at: datetime) -> bytes:
    """503, as any error of the API (decisions D21); `/health` is for whoever watches the start."""
    path = head.split(b" ", 2)[1].partition(b"?")[0].decode("latin-1") if b" " in head else ""
    body: dict[str, Any] = {"status": "starting"}
    if path != "/health":
        body = {
            "timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "status": 503,
            "error": "Service Unavailable",
            "message": "The server is starting; try again in a moment.",
            "path": path,
            "code": DatabaseUnavailable.code,
        }
    said = msgspec.json.encode(body)
    return (
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json;charset=UTF-8\r\n"
        b"Retry-After: 1\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(said), said)
    )


def serve_waiting(listening: socket.socket) -> Serve:
    """A child that asks everybody to come back in a second."""

    def serve(lifeline: Lifeline) -> None:
        asyncio.run(_serve(listening, lifeline))

    return serve


async def _serve(listening: socket.socket, lifeline: Lifeline) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(lifeline.parent, stop.set)
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    server = await asyncio.start_server(_answer, sock=listening.dup(), limit=_LONGEST_HEAD)
    lifeline.say_ready()
    async with server:
        await stop.wait()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, TimeoutError, asyncio.LimitOverrunError, EOFError):
        async with asyncio.timeout(_READ_WITHIN_S):
            head = await reader.readuntil(b"\r\n\r\n")
            writer.write(answer_to(head, Clock().now()))
            await writer.drain()
    writer.close()
