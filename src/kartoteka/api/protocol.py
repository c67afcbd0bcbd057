"""uvicorn's HTTP/1.1 protocol with what it leaves open: a cap on headers, and errors as JSON."""

from __future__ import annotations

from datetime import UTC, datetime

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from kartoteka.api.errors import error_answer
from kartoteka.errors import InvalidRequest

MAX_HEADER_BYTES = 65_536


class MalformedHTTP(InvalidRequest):
    """This is not a valid HTTP/1.1 request."""

    code = "malformed_http"


class Protocol(HttpToolsProtocol):
    """Give it to uvicorn as `http`. Names of answers' headers keep their spelling by
    `answers.HeaderName`, which needs nothing here."""

    _header_bytes = 0
    _reads_headers = True

    def data_received(self, data: bytes) -> None:
        """Headers that never end are refused; httptools would gather them for ever."""
        super().data_received(data)
        if self._reads_headers:
            self._header_bytes += len(data)
            if self._header_bytes > MAX_HEADER_BYTES and not self.transport.is_closing():
                self.send_400_response("headers too large")

    def on_message_begin(self) -> None:
        self._reads_headers = True
        self._header_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._reads_headers = False
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, and hang up."""
        answer = error_answer(MalformedHTTP(), "", datetime.now(UTC))
        head = (
            f"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json;charset=UTF-8\r\n"
            f"content-length: {len(answer.body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode("ascii") + answer.body)
        self.transport.close()
