"""A plain HTTP client for commands that talk to a running server: one connection a thread."""

from __future__ import annotations

import base64
import secrets
import threading
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

import click
import msgspec

TIMEOUT_S = 60
JSON = "application/json"


class Reply(msgspec.Struct, frozen=True):
    """What the server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON; None if it is none."""
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            return None


class Client:
    """Calls of one server with one key; usable from many threads, each with its own connection."""

    def __init__(self, base_url: str, api_key: str) -> None:
        """Raises `click.ClickException` when the URL is none."""
        parts = urlsplit(base_url.rstrip("/"))
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise click.ClickException(f"{base_url!r} is no URL such as http://127.0.0.1:8080")
        self._base_url = base_url
        self._kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._place = (parts.hostname, parts.port)
        self._prefix = parts.path
        credentials = base64.b64encode(f":{api_key}".encode()).decode()
        self._headers = {"Authorization": f"Basic {credentials}"}
        self._local = threading.local()

    def get(self, path: str) -> Reply:
        """Raises `click.ClickException` when the server does not answer."""
        return self._call("GET", path, None)

    def post(self, path: str, value: object) -> Reply:
        """The same, with a body of JSON."""
        return self._call("POST", path, msgspec.json.encode(value))

    def post_file(self, path: str, name: str, content: bytes, options: object) -> Reply:
        """The same, with a file and options beside it, as a form."""
        boundary = f"kartoteka-{secrets.token_hex(16)}"
        parts = (
            ('name="options"', msgspec.json.encode(options)),
            (f'name="file"; filename="{name}"', content),
        )
        body = b"".join(
            f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode()
            + part
            + b"\r\n"
            for head, part in parts
        )
        body += f"--{boundary}--\r\n".encode()
        return self._call("POST", path, body, f"multipart/form-data; boundary={boundary}")

    def _call(self, method: str, path: str, body: bytes | None, kind: str = JSON) -> Reply:
        try:
            return self._exchange(method, path, body, kind)
        except (HTTPException, ConnectionError):
            self._forget()  # a server may end an idle connection: once more on a new one
        except OSError as error:
            self._forget()
            raise self._no_answer() from error
        try:
            return self._exchange(method, path, body, kind)
        except (HTTPException, OSError) as error:
            self._forget()
            raise self._no_answer() from error

    def _exchange(self, method: str, path: str, body: bytes | None, kind: str) -> Reply:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._kind(*self._place, timeout=TIMEOUT_S)
        headers = self._headers
        if body is not None:
            headers = {**headers, "Content-Type": kind}
        connection.request(method, self._prefix + path, body, headers)
        answer = connection.getresponse()
        return Reply(answer.status, dict(answer.getheaders()), answer.read())

    def _forget(self) -> None:
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
        self._local.connection = None

    def _no_answer(self) -> click.ClickException:
        return click.ClickException(
            f"No server answers at {self._base_url}; start one with `kartoteka serve`."
        )
