"""Answers 503 to everything while the database starts or migrates."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket

from kartoteka.serving.children import Lifeline, Serve

_BODY = b'{"status":"starting"}'
_ANSWER = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\n"
    b"Connection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(_BODY), _BODY)
)
_LONGEST_HEAD = 64 * 1024
_READ_WITHIN_S = 5


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
            await reader.readuntil(b"\r\n\r\n")
            writer.write(_ANSWER)
            await writer.drain()
    writer.close()
