"""Bytes that are no proper HTTP: refused or dropped, never a fault of ours, and nothing is written."""

from __future__ import annotations

import base64
import re
import socket
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from kartoteka.db.embedded import running_url

BODY = b'{"externalCustomerId":"hostile"}'
CHUNKED = b"Transfer-Encoding: chunked\r\n"
LONG = b"Content-Length: %d\r\n" % len(BODY)


def post(*headers: bytes, path: bytes = b"/api/v1/contact") -> bytes:
    """The head of a POST up to the blank line; AUTH stands for the key."""
    return b"POST %b HTTP/1.1\r\nHost: x\r\nAUTH\r\n%b\r\n" % (path, b"".join(headers))


HOSTILE = {
    "chunk size that is no number": post(CHUNKED) + b"zz\r\n" + BODY + b"\r\n0\r\n\r\n",
    "negative chunk size": post(CHUNKED) + b"-5\r\n" + BODY + b"\r\n0\r\n\r\n",
    "huge chunk size": post(CHUNKED) + b"fffffffffffffffff\r\n" + BODY,
    "chunk shorter than its size": post(CHUNKED) + b"ff\r\n" + BODY + b"\r\n0\r\n\r\n",
    "chunks without an end": post(CHUNKED) + b"5\r\n" + BODY[:5] + b"\r\n",
    "length that is no number": post(b"Content-Length: abc\r\n") + BODY,
    "negative length": post(b"Content-Length: -1\r\n") + BODY,
    "length beyond 64 bits": post(b"Content-Length: 99999999999999999999\r\n") + BODY,
    "two lengths": post(LONG, b"Content-Length: 3\r\n") + BODY,
    "length and chunks": post(LONG, CHUNKED) + b"0\r\n\r\n" + BODY,
    "length too short": post(b"Content-Length: 5\r\n") + BODY,
    "length too long": post(b"Content-Length: 5000\r\n") + BODY,
    "unknown transfer encoding": post(b"Transfer-Encoding: gzip, cow\r\n") + BODY,
    "blank in a header name": post(b"X Bad: 1\r\n", b"Content-Length: 0\r\n"),
    "NUL in a header": post(b"X-Bad: a\x00b\r\n", b"Content-Length: 0\r\n"),
    "folded header": post(b"X-Bad: a\r\n b\r\n", b"Content-Length: 0\r\n"),
    "path of raw bytes": post(b"Content-Length: 0\r\n", path=b"/api/v1/contact/\xff\xfe"),
    "path with a control character": post(b"Content-Length: 0\r\n", path=b"/api/v1/\x01"),
    "no path": post(b"Content-Length: 0\r\n", path=b""),
    "no version": b"POST /api/v1/contact\r\n\r\n",
    "version 9": b"POST /api/v1/contact HTTP/9.9\r\nHost: x\r\n\r\n",
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),
    "only line ends": b"\r\n" * 1000,
    "bytes of all kinds": bytes(range(256)) * 20 + b"\r\n\r\n",
    "ten thousand headers": post(*(b"X-%d: 1\r\n" % n for n in range(10_000)), LONG)[:-2],
    "path of a megabyte": post(LONG, path=b"/" + b"a" * 1_000_000),
    "query of a megabyte": post(LONG, path=b"/api/v1/contact?a=" + b"a" * 1_000_000),
    "connect": b"CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\nAUTH\r\n\r\n",
    "upgrade": b"GET /api/v1/version HTTP/1.1\r\nHost: x\r\nAUTH\r\nConnection: upgrade\r\n"
    b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n\r\n",
    "method of a kilobyte": b"X" * 1000 + b" /api/v1/contact HTTP/1.1\r\nHost: x\r\nAUTH\r\n\r\n",
}


@pytest.fixture(scope="module")
def connection(server: Any) -> Iterator[psycopg.Connection[Any]]:
    """A connection to the database under the server."""
    url = running_url(server.log.parent / "data")
    with psycopg.connect(url, autocommit=True) as opened:
        yield opened


def talk(server: Any, request: bytes, patience_s: float = 0.4) -> bytes:
    """What the server says until it hangs up or says nothing for a while."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    key = base64.b64encode(f":{server.key}".encode())
    said = b""
    with socket.create_connection((host, int(port)), timeout=60) as opened:
        try:
            opened.sendall(request.replace(b"AUTH", b"Authorization: Basic " + key))
            opened.settimeout(patience_s)
            while part := opened.recv(65536):
                said += part
        except (TimeoutError, ConnectionError):
            pass
    return said


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bytes_are_refused_and_change_nothing(server, api, connection, name):
    count = "select count(*) from contact"
    before = connection.execute(count).fetchone()
    said = talk(server, HOSTILE[name])
    for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", said):
        assert status.startswith(b"4") or name == "upgrade", said[:300]
    assert connection.execute(count).fetchone() == before
    assert api.get("/health").json()["status"] == "ok"


def test_many_slow_clients_keep_nobody_waiting(server, api):
    """Heads and bodies that never come to an end, three hundred of them."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    slow = [socket.create_connection((host, int(port)), timeout=60) for _ in range(300)]
    try:
        for number, one in enumerate(slow):
            one.sendall(b"POST /api/v1/contact HTTP/1.1\r\n" if number % 2 else post(LONG) + b"{")
        started = time.monotonic()
        for _ in range(20):
            assert api.get("/api/v1/version").status_code == 200
        assert time.monotonic() - started < 60
    finally:
        for one in slow:
            one.close()


def test_a_thousand_pipelined_writes_are_each_answered(server, api, name):
    """In order, one after the other: the last one counts."""
    requests = b""
    for number in range(1000):
        body = b'{"externalCustomerId":"%b","contactKey":"%d"}' % (name.encode(), number)
        requests += post(b"Content-Length: %d\r\n" % len(body)) + body
    said = _pipelined(server, requests, 1000)
    assert re.findall(rb"HTTP/1\.1 (\d{3}) ", said) == [b"200"] * 1000
    found = api.get("/api/v1/contacts", params={"externalCustomerId": name}).json()
    contact = api.get(f"/api/v1/contact/{found[0]['id']}").json()
    assert contact["contactKey"] == "999"


def _pipelined(server: Any, requests: bytes, number: int) -> bytes:
    host, _, port = server.url.removeprefix("http://").partition(":")
    key = base64.b64encode(f":{server.key}".encode())
    said = b""
    with socket.create_connection((host, int(port)), timeout=120) as opened:
        opened.sendall(requests.replace(b"AUTH", b"Authorization: Basic " + key))
        while said.count(b"HTTP/1.1 ") < number or not said.endswith(b"}"):
            part = opened.recv(65536)
            if not part:
                break
            said += part
    return said
