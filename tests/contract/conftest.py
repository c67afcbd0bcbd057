"""The real server as its clients see it: a socket, and a client that nobody here wrote."""

from __future__ import annotations

import base64
import collections
import collections.abc
import importlib
import itertools
import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import msgspec
import pytest

_numbers = itertools.count(1)


@pytest.fixture
def name() -> str:
    """A word that no other test of this run uses."""
    return f"c{next(_numbers)}-{id(object()):x}"


@pytest.fixture(scope="module")
def api(server: Any) -> Iterator[httpx.Client]:
    """A client with a key of full rights."""
    with httpx.Client(base_url=server.url, auth=("", server.key), timeout=120) as client:
        yield client


class RawAnswer(msgspec.Struct):
    """An answer as it came over the socket; header names are spelled as they were sent."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Raw = Callable[..., RawAnswer]


@pytest.fixture
def raw(server: Any) -> Raw:
    """`raw("GET /api/v1/contacts", body)`: one request over a socket of its own."""

    def talk(line: str, body: bytes | None = None, *, user: str = "", key: str = "") -> RawAnswer:
        credentials = base64.b64encode(f"{user}:{key or server.key}".encode()).decode()
        head = [f"{line} HTTP/1.1", "Host: x", "Connection: close"]
        head.append(f"Authorization: Basic {credentials}")
        if body is not None:
            head += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        host, _, port = server.url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            connection.sendall("\r\n".join([*head, "", ""]).encode() + (body or b""))
            return _read(connection)

    return talk


def _read(connection: socket.socket) -> RawAnswer:
    answer = b""
    while part := connection.recv(65536):
        answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return RawAnswer(int(first.split()[1]), headers, body)


@pytest.fixture
def ok_esputnik(server: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The PyPI package ok-esputnik 0.3 as it is, with only its host changed.

    It insists on trafaret 1.2.0, which asks `collections` for a name that Python 3.10 took away. We
    put that name back while it is imported; neither package is changed.
    """
    monkeypatch.setattr(collections, "Mapping", collections.abc.Mapping, raising=False)
    module = importlib.import_module("esputnik.esputnik")
    return module.ESputnikAPIAdaptor(
        user="anybody@shop.example", password=server.key, host=f"{server.url}/api/"
    )
