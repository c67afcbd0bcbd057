"""Bytes on the wire: what clients of this API look at letter by letter (clients 1, wire 1)."""

from __future__ import annotations

import base64
import gzip
import json
import re
import socket
import zlib

import httpx
import pytest


def talk(server, request: bytes, timeout_s: float = 60) -> bytes:
    """All that the server says to these bytes until it hangs up."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=timeout_s) as connection:
        connection.sendall(request)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return answer


def authorisation(server, user: str = "") -> bytes:
    return b"Basic " + base64.b64encode(f"{user}:{server.key}".encode())


def request(server, line: str, body: bytes = b"", headers: bytes = b"") -> bytes:
    return (
        line.encode()
        + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: "
        + authorisation(server)
        + b"\r\n"
        + headers
        + (b"Content-Length: %d\r\n" % len(body) if body else b"")
        + b"\r\n"
        + body
    )


@pytest.mark.parametrize("user", ["", "user", "anyvalue", "anna@example.com", "ключ"])
def test_any_user_name_will_do(server, stranger, user):
    answer = stranger.get(
        "/api/v1/account/info",
        headers={"Authorization": authorisation(server, user).decode()},
    )
    assert answer.status_code == 200
    assert answer.json()["orgId"] > 0


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Basic",
        "Basic !!!",
        "Basic Og==",
        "Basic " + base64.b64encode(b":wrong").decode(),
        "Basic " + base64.b64encode(b"no colon").decode(),
        "Bearer nonsense",
        "Digest x",
        "x" * 10_000,
    ],
)
def test_a_wrong_key_is_401_with_a_json_body(stranger, authorization):
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = stranger.get("/api/v1/account/info", headers=headers)
    body = answer.json()
    assert (answer.status_code, body["status"], body["error"]) == (401, 401, "Unauthorized")
    assert body["path"] == "/api/v1/account/info"
    assert set(body) == {"timestamp", "status", "error", "message", "path", "code"}


def test_the_id_is_a_json_number(server, name):
    body = json.dumps({"externalCustomerId": name}).encode()
    answer = talk(server, request(server, "POST /api/v1/contact", body))
    head, _, text = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"content-type: application/json;charset=UTF-8" in head
    assert re.fullmatch(rb'\{"id":[0-9]+\}', text)


def test_total_count_is_spelled_as_one_client_looks_it_up(server):
    for path in ("/api/v1/contacts?email=nobody@example.com", "/api/v1/contacts/"):
        head, _, _ = talk(server, request(server, f"GET {path}")).partition(b"\r\n\r\n")
        assert re.search(rb"\r\nTotalCount: \d+(\r\n|$)", head), head


def test_put_answers_bare_text(server, api, name):
    contact_id = api.post("/api/v1/contact", json={"externalCustomerId": name}).json()["id"]
    answer = talk(server, request(server, f"PUT /api/v1/contact/{contact_id}", b"{}"))
    head, _, text = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/json;charset=UTF-8" in head
    assert text == f"Contact with id='{contact_id}' has been updated".encode()


def test_delete_takes_the_body_that_a_client_sends_along(server, api, name):
    contact_id = api.post("/api/v1/contact", json={"externalCustomerId": name}).json()["id"]
    answer = talk(server, request(server, f"DELETE /api/v1/contact/{contact_id}/", b"[]"))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(f"Contact with id='{contact_id}' has been deleted".encode())


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=UTF-8",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/xml",
        None,
    ],
)
def test_json_is_json_whatever_the_content_type(api, name, content_type):
    headers = {} if content_type is None else {"Content-Type": content_type}
    content = json.dumps({"externalCustomerId": name}).encode()
    assert api.post("/api/v1/contact", content=content, headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("GZIP", gzip.compress),
        ("deflate", zlib.compress),
        ("identity", bytes),
        ("gzip", lambda body: gzip.compress(body[:3]) + gzip.compress(body[3:])),
    ],
)
def test_packed_bodies_are_unpacked(api, name, encoding, pack):
    content = pack(json.dumps({"externalCustomerId": name}).encode())
    answer = api.post("/api/v1/contact", content=content, headers={"Content-Encoding": encoding})
    assert answer.status_code == 200


def test_a_body_in_chunks_and_a_byte_order_mark(api, name):
    content = b"\xef\xbb\xbf" + json.dumps({"externalCustomerId": name}).encode()
    parts = (content[place : place + 5] for place in range(0, len(content), 5))
    assert api.post("/api/v1/contact", content=parts).status_code == 200


def test_a_request_id_is_taken_or_made(api):
    made = {api.get("/api/v1/version").headers["x-request-id"] for _ in range(3)}
    assert len(made) == 3
    sane = api.get("/api/v1/version", headers={"X-Request-Id": "shop-42:a"})
    assert sane.headers["x-request-id"] == "shop-42:a"
    for bad in ("a b", "x" * 65, "a\tb", "<script>"):
        answer = api.get("/api/v1/version", headers={"X-Request-Id": bad})
        assert answer.headers["x-request-id"] not in ("", bad)


def test_head_is_get_without_a_body(api: httpx.Client):
    answer = api.head("/api/v1/version")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) == len(api.get("/api/v1/version").content)


def test_what_is_no_http_gets_json_too(server):
    answer = talk(server, b"NONSENSE\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body)["code"] == "malformed_http"


def test_headers_without_end_are_refused(server):
    head = b"GET /health HTTP/1.1\r\nHost: x\r\n" + b"X-Long: " + b"x" * 300_000
    try:
        answer = talk(server, head)
    except ConnectionError:  # it hung up before everything was sent
        return
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_pipelined_requests_are_answered_in_order(server):
    key = authorisation(server)
    one = b"GET /api/v1/version HTTP/1.1\r\nHost: x\r\nAuthorization: " + key + b"\r\n\r\n"
    answer = talk(server, one + request(server, "GET /api/v2/version"))
    assert [int(found) for found in re.findall(rb'"protocolVersion":"(\d)"', answer)] == [1, 2]
