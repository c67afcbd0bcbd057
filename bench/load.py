"""The load: keep-alive connections of one process, each sending its next request when answered.

It shares the cores with the server, so it costs as little as Python can: plain sockets, one `poll`,
no parsing beyond Content-Length (about 15 µs a request). Run as `python -m bench.load`, told by JSON
on standard input, answering with JSON: `order.py`.
"""

from __future__ import annotations

import itertools
import select
import socket
import sys
import time
from collections.abc import Iterator

import msgspec

from bench.jobs.all import BY_NAME
from bench.jobs.base import LoadJob, Note, Request, Stint
from bench.order import Order, Report

_LENGTH = b"content-length: "
_ANSWERED_WITHIN_S = 30


class _Line:
    """One connection with at most one request under way."""

    __slots__ = ("answer", "note", "requests", "since", "socket")

    def __init__(self, address: tuple[str, int], requests: Iterator[Request]) -> None:
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.requests = requests
        self.answer = b""
        self.note: Note | None = None
        self.since = 0.0

    def ask(self) -> None:
        request, self.note = next(self.requests)
        self.answer = b""
        self.since = time.perf_counter()
        self.socket.sendall(request)


def is_complete(answer: bytes) -> bool:
    """True when the head is there and as much behind it as its Content-Length says."""
    head = answer.find(b"\r\n\r\n")
    if head < 0:
        return False
    start = answer.lower().find(_LENGTH, 0, head) + len(_LENGTH)
    return len(answer) >= head + 4 + int(answer[start : answer.find(b"\r", start)])


def run(order: Order) -> Report:
    """Send for that long, then wait for the last answers."""
    job = BY_NAME[order.job]
    assert isinstance(job, LoadJob)
    numbers = itertools.count(order.first)
    lines: dict[int, _Line] = {}
    poller = select.poll()
    for connection in range(job.connections):
        stint = Stint(
            f"{order.host}:{order.port}",
            order.authorization,
            order.contacts,
            connection,
            job.connections,
            numbers,
        )
        line = _Line((order.host, order.port), job.requests(stint))
        lines[line.socket.fileno()] = line
        poller.register(line.socket, select.POLLIN)
    report = Report(0, [], {}, 0, 0)
    started, cpu = time.perf_counter(), time.process_time()
    for line in lines.values():
        line.ask()
    _exchange(poller, lines, started + order.seconds, report, job.answer_holds)
    report.cpu_us = (time.process_time() - cpu) * 1e6 / max(len(report.latencies), 1)
    report.seconds = order.seconds
    report.sent = next(numbers) - order.first
    return report


def _exchange(
    poller: select.poll,
    lines: dict[int, _Line],
    deadline: float,
    report: Report,
    holds: bytes,
) -> None:
    now, under_way = time.perf_counter, len(lines)
    latencies, written = report.latencies, report.written
    while under_way:
        ready = poller.poll(_ANSWERED_WITHIN_S * 1000)
        if not ready:
            raise SystemExit(f"no answer within {_ANSWERED_WITHIN_S} seconds")
        for fd, _ in ready:
            line = lines[fd]
            part = line.socket.recv(65536)
            if not part:
                raise SystemExit("the server closed a connection")
            line.answer = answer = line.answer + part if line.answer else part
            if not is_complete(answer):
                continue
            at = now()
            if not answer.startswith(b"HTTP/1.1 200") or holds not in answer:
                _note_failure(report, answer)
            elif line.note is not None:
                written[line.note[0]] = line.note[1]
            if at > deadline:
                under_way -= 1
                poller.unregister(fd)
                continue
            latencies.append(int((at - line.since) * 1e6))
            line.ask()


def _note_failure(report: Report, answer: bytes) -> None:
    report.failures += 1
    report.failure = report.failure or answer.decode("utf-8", "replace")[:600]


if __name__ == "__main__":
    done = run(msgspec.json.decode(sys.stdin.buffer.read(), type=Order))
    sys.stdout.buffer.write(msgspec.json.encode(done))
