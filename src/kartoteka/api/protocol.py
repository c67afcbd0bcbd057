"""uvicorn's HTTP/1.1 protocol with what it leaves open: a cap on headers, and errors as JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeAlias

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from kartoteka.api.errors import error_answer
from kartoteka.errors import InvalidRequest

MAX_HEADER_BYTES = 65_536
HEADER_WAIT_S = 30.0
AT_ONCE = "kartoteka.at_once"
"""The extension of ASGI that the protocol offers in `scope["extensions"]`: `Protocol.at_once`. uvicorn's
own way is two coroutines that compose and check head and body anew (docs/decisions/0030)."""
Send: TypeAlias = Callable[[Any], Awaitable[None]]


class MalformedHTTP(InvalidRequest):
    """This is not a valid HTTP/1.1 request."""

    code = "malformed_http"


class HeadersTooSlow(InvalidRequest):
    """The headers did not arrive in time."""

    code = "request_timeout"


class JoinedWrites:
    """The transport, with the head of an answer held back until its body comes: uvicorn writes the two
    apart, and every write is a system call here and a wake-up there."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""
        self.is_closing = transport.is_closing
        self.get_extra_info = transport.get_extra_info
        self.pause_reading = transport.pause_reading
        self.resume_reading = transport.resume_reading

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send it, unless it is the head of an answer, which goes with what comes next."""
        if self._head:
            data, self._head = self._head + data, b""
        elif data.startswith(b"HTTP/1.1 ") and not data.startswith(b"HTTP/1.1 100"):
            self._head = data
            return
        self._transport.write(data)

    def write_whole(self, data: bytes) -> None:
        """Send a head together with its body."""
        self._transport.write(self._head + data)
        self._head = b""

    def send_head(self) -> None:
        """Send a head that no body follows."""
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head)

    def close(self) -> None:
        """Close when all is sent."""
        self.send_head()
        self._transport.close()


class Protocol(HttpToolsProtocol):
    """Give it to uvicorn as `http`. Names of answers' headers keep their spelling by
    `answers.HeaderName`, which needs nothing here."""

    _joined: JoinedWrites
    _defaults: tuple[Any, bytes] = (None, b"")
    """The headers that uvicorn gives every answer (a date that is another each second), and as bytes."""
    _header_bytes = 0
    _reads_headers = True
    _between_requests = True
    _begun = 0
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A connection that says nothing is not kept for ever."""
        super().connection_made(transport)
        self.transport = self._joined = JoinedWrites(transport)  # type: ignore[assignment]
        self._deadline = self.loop.call_later(HEADER_WAIT_S, self._give_up)
        self._extensions = {AT_ONCE: self.at_once}

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._stop_waiting()
        self._extensions.clear()  # requests name the extensions, and those the connection: a circle
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Headers that never end are refused; httptools would gather them for ever.

        What came before the last of several requests in one piece is not counted as its headers.
        """
        may_begin, self._begun = int(self._between_requests), 0
        super().data_received(data)
        if self._reads_headers and not self.transport.is_closing():
            if self._begun <= may_begin:
                self._header_bytes += len(data)
            if self._header_bytes > MAX_HEADER_BYTES:
                self._refuse(MalformedHTTP(f"The headers have more than {MAX_HEADER_BYTES} bytes."))
            elif self._deadline is None:
                self._deadline = self.loop.call_later(HEADER_WAIT_S, self._give_up)

    def on_response_complete(self) -> None:
        """An answer is whole: one without a body has its head sent now."""
        self._joined.send_head()
        super().on_response_complete()

    def on_message_begin(self) -> None:
        """The parser's first words of a request."""
        self._reads_headers = True
        self._between_requests = False
        self._begun += 1
        self._header_bytes = 0
        super().on_message_begin()
        self.scope["extensions"] = self._extensions  # type: ignore[typeddict-item]

    def on_headers_complete(self) -> None:
        """The parser has all headers; the body has limits of its own."""
        self._reads_headers = False
        if self._deadline is not None:
            self._stop_waiting()
        super().on_headers_complete()

    def at_once(self, send: Send, status: int, headers: bytes, body: bytes) -> bool:
        """Answer in one piece the request whose answer `send` takes; `headers` are lines of ours,
        Content-Length among them.

        False, and nothing done, where uvicorn's way must do it: the client hung up or reads too slowly,
        or the connection ends with this answer.
        """
        cycle: RequestResponseCycle = send.__self__  # type: ignore[attr-defined]
        if (
            cycle.response_started
            or cycle.disconnected
            or not cycle.keep_alive
            or self.flow.write_paused
            or cycle.scope["method"] == "HEAD"
        ):
            return False
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        self._joined.write_whole(
            b"%b%b%b\r\n%b" % (STATUS_LINE[status], self._default_lines(), headers, body)
        )
        cycle.message_event.set()
        cycle.on_response()
        return True

    def _default_lines(self) -> bytes:
        defaults = self.server_state.default_headers
        if self._defaults[0] is not defaults:
            lines = b"".join([b"%b: %b\r\n" % header for header in defaults])
            self._defaults = (defaults, lines)
        return self._defaults[1]

    def on_message_complete(self) -> None:
        """The parser has all of a request; the next one may follow in the same piece."""
        self._between_requests = True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, and hang up."""
        self._refuse(MalformedHTTP())

    def _give_up(self) -> None:
        self._deadline = None
        if not self._header_bytes:
            self.transport.close()
        elif not self.transport.is_closing():
            self._refuse(HeadersTooSlow())

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self, error: InvalidRequest) -> None:
        answer = error_answer(error, "", datetime.now(UTC))
        head = (
            f"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json;charset=UTF-8\r\n"
            f"content-length: {len(answer.body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode("ascii") + answer.body)
        self.transport.close()
