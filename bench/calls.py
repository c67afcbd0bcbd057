"""Bulk calls and file imports, as a client of the API makes them."""

from __future__ import annotations

import http.client
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from bench.rows import COLUMNS
from bench.server import Server

OVER = ("finished", "cancelled", "failed")
_ANSWERS_WITHIN_S = 120.0
_BLOCK_BYTES = 1 << 20
_POLL_S = 0.05


class Unexpected(Exception):
    """The server did not do what was asked."""


class Client:
    """One keep-alive connection."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._connection = http.client.HTTPConnection(
            server.host, server.port, timeout=_ANSWERS_WITHIN_S
        )

    def get(self, path: str) -> Any:
        return self._ask("GET", path)

    def post(self, path: str, body: bytes = b"{}") -> Any:
        return self._ask("POST", path, body, {"Content-Type": "application/json"})

    def start_import(self, file: Path, **options: Any) -> int:
        """POST /api/v1/imports of that file, found by External ID; the id of the import."""
        boundary = secrets.token_hex(16)
        options = {"unique": "externalCustomerId", "map": COLUMNS} | options
        head, tail = _around(boundary, file.name, options)
        headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Content-Length": str(len(head) + file.stat().st_size + len(tail)),
        }
        body = _stream(head, file, tail)
        return int(self._ask("POST", "/api/v1/imports", body, headers)["id"])

    def wait(
        self,
        import_id: int,
        arrived: Callable[[dict[str, Any]], bool],
        within_s: float,
        poll_s: float = 0.1,
    ) -> dict[str, Any]:
        """Ask for that import until it is as wished; raises `Unexpected` when it is over before."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            found: dict[str, Any] = self.get(f"/api/v1/imports/{import_id}")
            if arrived(found):
                return found
            if found["state"] in OVER:
                raise Unexpected(f"the import is {found['state']}: {found.get('error')}")
            time.sleep(poll_s)
        raise Unexpected(f"the import is still {found['state']} after {within_s:.0f} s")

    def await_session(self, session: str, within_s: float) -> None:
        """Ask for the status of a bulk call until it is FINISHED."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            status = self.get(f"/api/v1/importstatus/{session}")["status"]
            if status == "FINISHED":
                return
            if status == "ERROR":
                raise Unexpected("a bulk call came to ERROR")
            time.sleep(_POLL_S)
        raise Unexpected(f"a bulk call is not FINISHED after {within_s:.0f} s")

    def _ask(self, method: str, path: str, body: Any = None, headers: Any = None) -> Any:
        headers = {"Authorization": self._server.authorization} | (headers or {})
        try:
            self._connection.request(method, path, body, headers)
            answer = self._connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise Unexpected(f"{method} {path}: {error!r}") from error
        if answer.status != 200:
            raise Unexpected(f"{method} {path}: {answer.status} {_said(text)}")
        return msgspec.json.decode(text) if text else None


def _said(text: bytes) -> str:
    """The sentence in the body of an error."""
    try:
        return str(msgspec.json.decode(text)["message"])[:200]
    except (msgspec.DecodeError, KeyError, TypeError):
        return text.decode("utf-8", "replace")[:200]


def _around(boundary: str, name: str, options: dict[str, Any]) -> tuple[bytes, bytes]:
    """What stands before and behind the file in the body."""
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="options"\r\n'
        f"Content-Type: application/json\r\n\r\n{msgspec.json.encode(options).decode()}\r\n"
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        "Content-Type: text/csv\r\n\r\n"
    )
    return head.encode(), f"\r\n--{boundary}--\r\n".encode()


def _stream(head: bytes, path: Path, tail: bytes) -> Iterator[bytes]:
    yield head
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            yield block
    yield tail
