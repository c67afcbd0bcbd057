"""What stands between a client and the BigQuery emulator: Google's moods, on demand.

Everything that is not told otherwise goes through to the emulator, a real query engine. As the real
service does and the emulator does not, it knows each job by the id that the client gave it, and refuses
a second one of that id.
"""

from __future__ import annotations

import http.client
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

_HOP = {"connection", "transfer-encoding", "content-length", "content-encoding", "keep-alive"}


class Asked:
    """One request."""

    def __init__(self, method: str, path: str, headers: Any, body: bytes) -> None:
        self.method, self.path, self.headers, self.body = method, path, headers, body

    @property
    def json(self) -> dict[str, Any]:
        try:
            found = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def statement(self) -> str:
        """The SQL of a new query job."""
        configuration = self.json.get("configuration", {})
        return str(configuration.get("query", {}).get("query", ""))

    @property
    def is_load(self) -> bool:
        """Whether it is the last piece of an upload, with which a load job begins."""
        return self.method == "PUT" and "upload_id=" in self.path

    @property
    def is_merge(self) -> bool:
        return self.method == "POST" and self.statement.startswith("MERGE")


class Answer:
    def __init__(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body


def refusal(status: int, reason: str) -> Answer:
    """An error as Google words it."""
    said = {"error": {"code": status, "message": reason, "errors": [{"reason": reason}]}}
    return Answer(status, [("Content-Type", "application/json")], json.dumps(said).encode())


class Cut(Exception):
    """The connection breaks, and the answer with it."""


Rule = Callable[["Front", Asked], Answer | None]


class Front:
    """`rules` are asked in turn; the first that answers is asked no more, unless it is in `always`."""

    def __init__(self, emulator: str) -> None:
        self._emulator = urlsplit(emulator).netloc
        self.rules: list[Rule] = []
        self.always: list[Rule] = []
        self.begun: list[str] = []
        """Ids of the jobs that began, as the client gave them."""
        self.cancelled: list[str] = []
        self._uploads: dict[str, str] = {}
        self._ids: dict[str, str] = {}
        self._lock = threading.Lock()
        self.url = ""

    def answer(self, asked: Asked) -> Answer:
        for rule in self.always:
            if (answer := rule(self, asked)) is not None:
                return answer
        with self._lock:
            rules = list(self.rules)
        for rule in rules:
            if (answer := rule(self, asked)) is not None:
                self.rules.remove(rule)
                return answer
        return self.forward(asked)

    def forward(self, asked: Asked) -> Answer:
        job_id = self._job_of(asked)
        if job_id in self.begun:
            return refusal(409, "duplicate")
        answer = self._pass_on(asked)
        if job_id and answer.status == 200:
            self.begun.append(job_id)
            self._ids[job_id] = json.loads(answer.body)["jobReference"]["jobId"]
        if location := dict(answer.headers).get("location"):
            self._uploads[_upload(location)] = asked.json["jobReference"]["jobId"]
        return answer

    def _job_of(self, asked: Asked) -> str | None:
        """The id of the job that this request begins."""
        if asked.is_load:
            return self._uploads[_upload(asked.path)]
        if asked.method == "POST" and urlsplit(asked.path).path.endswith("/jobs"):
            return asked.json.get("jobReference", {}).get("jobId") if asked.statement else None
        return None

    def _pass_on(self, asked: Asked) -> Answer:
        path = asked.path
        for ours, theirs in self._ids.items():
            path = path.replace(f"/jobs/{ours}", f"/jobs/{theirs}")
        if cancelled := re.search(r"/jobs/(\w+)/cancel", asked.path):
            self.cancelled.append(cancelled[1])
        connection = http.client.HTTPConnection(self._emulator, timeout=60)
        try:
            connection.request(asked.method, path, asked.body, asked.headers)
            found = connection.getresponse()
            headers = [(name.lower(), value) for name, value in found.getheaders()]
            return Answer(found.status, headers, found.read())
        finally:
            connection.close()


def _upload(address: str) -> str:
    return parse_qs(urlsplit(address).query)["upload_id"][0]


@contextmanager
def standing(emulator: str) -> Iterator[Front]:
    """A front of that emulator."""
    front = Front(emulator)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {
                name: value
                for name, value in self.headers.items()
                if name.lower() not in ("accept-encoding", "connection", "content-length")
            }
            try:
                answer = front.answer(Asked(self.command, self.path, headers, body))
            except Cut:
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in answer.headers:
                if name.lower() not in _HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any  # noqa: N815  names of http.server

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    front.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield front
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
