"""What is answered while the database starts (decisions D21)."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from kartoteka.serving.waiting import answer_to

AT = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("head", "path"),
    [
        (b"POST /api/v1/contact?explain=true HTTP/1.1\r\nHost: x\r\n\r\n", "/api/v1/contact"),
        (b"GET /api/v1/\xff HTTP/1.1\r\n\r\n", "/api/v1/\u00ff"),
        (b"\r\n\r\n", ""),
    ],
)
def test_a_server_that_starts_answers_as_any_error_of_the_api(head, path):
    """D21: every error is JSON whose `status` is a number; clients read it."""
    said, _, body = answer_to(head, AT).partition(b"\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 503 ")
    assert b"Retry-After: 1" in said
    assert f"Content-Length: {len(body)}".encode() in said
    assert json.loads(body) == {
        "timestamp": "2026-01-31T09:30:00.000Z",
        "status": 503,
        "error": "Service Unavailable",
        "message": "The server is starting; try again in a moment.",
        "path": path,
        "code": "database_unavailable",
    }


def test_health_says_that_it_starts():
    body = answer_to(b"GET /health HTTP/1.1\r\n\r\n", AT).partition(b"\r\n\r\n")[2]
    assert json.loads(body) == {"status": "starting"}
