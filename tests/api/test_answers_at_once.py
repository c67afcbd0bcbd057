"""Hot methods are answered in one piece, others by uvicorn: nobody can tell on the wire (ADR 0030)."""

from __future__ import annotations

import base64
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

BODY = b'{"externalCustomerId":"at-once"}'
POST = b"POST /api/v1/contact HTTP/1.1\r\nHost: x\r\nAUTH\r\nContent-Length: %d\r\n\r\n" % len(BODY)
VERSION = b"GET /api/v1/version HTTP/1.1\r\nHost: x\r\nAUTH\r\n\r\n"
STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


class Wire:
    """One connection, byte by byte; AUTH stands for the key."""

    def __init__(self, server: Any, opened: socket.socket) -> None:
        key = base64.b64encode(f":{server.key}".encode())
        self._authorization = b"Authorization: Basic " + key
        self.socket = opened
        self._file = opened.makefile("rb")

    def say(self, request: bytes) -> None:
        self.socket.sendall(request.replace(b"AUTH", self._authorization))

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """(status, headers, body) of the next one; the status is 0 when the server hung up."""
        line = self._file.readline()
        if not line:
            return 0, {}, b""
        headers: dict[str, str] = {}
        while header := self._file.readline().decode().rstrip("\r\n"):
            name, _, value = header.partition(": ")
            headers[name] = value
        length = int(headers.get("content-length", "0"))
        return int(line.split()[1]), headers, self._file.read(length)


@contextmanager
def wire(server: Any) -> Iterator[Wire]:
    host, _, port = server.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=120) as opened:
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield Wire(server, opened)


@pytest.fixture(scope="module")
def contact(api: Any) -> bytes:
    """The path of a contact."""
    return b"/api/v1/contact/%d" % api.post("/api/v1/contact", content=BODY).json()["id"]


def get(path: bytes, *headers: bytes, version: bytes = b"1.1") -> bytes:
    return b"GET %b HTTP/%b\r\nHost: x\r\nAUTH\r\n%b\r\n" % (path, version, b"".join(headers))


def test_both_ways_say_the_same(server, contact):
    """An answer with which the connection ends is made by uvicorn."""
    with wire(server) as one:
        one.say(get(contact))
        status, headers, body = one.answer()
        one.say(get(contact, b"Connection: close\r\n"))
        assert one.answer()[1].pop("connection") == "close"
        assert one.answer()[0] == 0
    with wire(server) as one:
        one.say(get(contact, b"Connection: close\r\n"))
        closing = one.answer()
    assert (status, body) == (closing[0], closing[2])
    assert list(headers) == [name for name in closing[1] if name != "connection"]


@pytest.mark.parametrize("path", [None, b"/api/v1/version"])
def test_http_1_0_ends_with_its_answer(server, contact, path):
    with wire(server) as one:
        one.say(get(path or contact, version=b"1.0"))
        status, headers, body = one.answer()
        assert (status, headers["connection"], body != b"") == (200, "close", True)
        assert one.answer()[0] == 0


def test_both_ways_in_turn_in_one_piece_are_answered_in_order(server, contact):
    with wire(server) as one:
        one.say((get(contact) + VERSION + POST + BODY + get(b"/api/v1/nothing")) * 50)
        for _ in range(50):
            assert [one.answer()[0] for _ in range(4)] == [200, 200, 200, 404]


def test_requests_come_byte_by_byte(server, contact):
    with wire(server) as one:
        one.say(POST[:-1])
        for byte in POST[-1:] + BODY + get(contact)[:30]:
            one.socket.sendall(bytes([byte]))
        assert one.answer()[0] == 200
        one.say(get(contact)[30:])
        assert one.answer()[0] == 200


def test_a_client_may_wait_for_100(server):
    with wire(server) as one:
        one.say(POST.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
        assert one.answer()[0] == 100
        one.say(BODY)
        assert one.answer()[0] == 200


def test_refused_before_its_body_came(server, contact):
    """The connection goes on behind the body that nobody wanted."""
    with wire(server) as one:
        one.say(POST.replace(b"AUTH\r\n", b""))
        assert one.answer()[0] == 401
        one.say(BODY + get(contact))
        assert one.answer()[0] == 200


def test_a_client_that_reads_late_gets_every_answer(server, contact):
    """More answers than the buffers hold: the server stops reading until it may write again."""
    number = 5_000
    with wire(server) as one:
        one.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        sending = threading.Thread(target=one.say, args=(get(contact) * number,))
        sending.start()
        sending.join(timeout=0.5)
        statuses = {one.answer()[0] for _ in range(number)}
        sending.join()
    assert statuses == {200}


def test_whoever_hangs_up_in_the_middle_takes_nobody_along(server, contact):
    for cut in range(0, len(POST + BODY), 7):
        with wire(server) as one:
            one.say(POST + BODY if cut == 0 else (POST + BODY)[:cut])
    with wire(server) as one:
        one.say(get(contact))
        assert one.answer()[0] == 200
    assert '"event":"failed"' not in server.log.read_text("utf-8")
