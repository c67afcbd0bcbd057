"""Malformed, oversized and hostile requests get the error of decisions D21 and change nothing."""

from __future__ import annotations

import gzip
import json
import socket

import httpx
import pytest

from kartoteka.api.bodies import SINGLE_BYTES

CONTACT = "/api/v1/contact"


def refused(answer: httpx.Response, status: int, code: str | None = None) -> dict:
    """The body of a refusal, checked against the shape of all errors."""
    body = answer.json()
    assert (answer.status_code, body["status"]) == (status, status), answer.text
    assert {"timestamp", "error", "message", "path", "code"} <= set(body)
    assert code is None or body["code"] == code
    return body


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" ",
        b"{",
        b'{"externalCustomerId":"X"',
        b'{"externalCustomerId":"X"} {}',
        b"{'externalCustomerId':'X'}",
        b"NaN",
        b'{"a":1e999}',
        b'{"externalCustomerId":"\xff"}',
        b'{"externalCustomerId":"\\ud800"}',
        b'{"firstName":"\\u0000","externalCustomerId":"X"}',
        b'{"\\u0000":1,"externalCustomerId":"X"}',
        '{"externalCustomerId":"X"}'.encode("utf-16"),
        b'{"externalCustomerId":"X"}\x00',
        b"[]",
        b"null",
        b"5",
        b'"text"',
        b'[{"externalCustomerId":"X"}]',
        b"[" * 100 + b"]" * 100,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 70 + b"1" + b"}" * 70,
    ],
    ids=repr,
)
def test_a_body_that_is_no_json_object(api, content):
    refused(api.post(CONTACT, content=content), 400, "invalid_body")
    refused(api.put(f"{CONTACT}/1", content=content), 400, "invalid_body")


def test_escaped_backslash_before_u0000_is_no_nul(api, name):
    content = b'{"firstName":"\\\\u0000","externalCustomerId":"%b"}' % name.encode()
    assert api.post(CONTACT, content=content).status_code == 200


@pytest.mark.parametrize("content_type", ["application/xml", "multipart/form-data", "image/png"])
def test_an_unreadable_body_of_another_type_is_415(api, content_type):
    answer = api.post(CONTACT, content=b"<contact/>", headers={"Content-Type": content_type})
    refused(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_an_unreadable_body_of_a_type_that_may_be_json_is_400(api, content_type):
    answer = api.post(CONTACT, content=b"a=b", headers={"Content-Type": content_type})
    refused(answer, 400, "invalid_body")


@pytest.mark.parametrize(
    ("encoding", "content", "status"),
    [
        ("gzip", b"not gzip", 400),
        ("gzip", gzip.compress(b'{"externalCustomerId":"X"}', mtime=0)[:-9], 400),
        ("gzip", gzip.compress(b'{"externalCustomerId":"X"}', mtime=0) + b"tail", 400),
        ("br", b"x", 415),
        ("gzip, gzip", b"x", 415),
    ],
)
def test_a_body_that_cannot_be_unpacked(api, encoding, content, status):
    answer = api.post(CONTACT, content=content, headers={"Content-Encoding": encoding})
    refused(answer, status)


def big(size: int) -> bytes:
    """A JSON object of that many bytes."""
    return b'{"unknown":"' + b"x" * (size - 14) + b'"}'


def test_the_limit_is_exact(api):
    refused(api.post(CONTACT, content=big(SINGLE_BYTES)), 400, "no_identifier")
    refused(api.post(CONTACT, content=big(SINGLE_BYTES + 1)), 413, "too_large")


def test_a_large_body_without_length_is_refused_too(api):
    parts = (b"x" * 10_000 for _ in range(150))
    refused(api.post(CONTACT, content=parts), 413, "too_large")


def test_a_bomb_is_refused_when_it_has_unpacked_too_much(api):
    content = gzip.compress(big(200_000_000), 9, mtime=0)
    assert len(content) < SINGLE_BYTES
    answer = api.post(CONTACT, content=content, headers={"Content-Encoding": "gzip"})
    refused(answer, 413, "too_large")


def test_a_body_cut_off_changes_nothing(server, api, name):
    """The client promises more than it sends, and hangs up."""
    import base64

    host, _, port = server.url.removeprefix("http://").partition(":")
    body = json.dumps({"externalCustomerId": name}).encode()
    head = (
        f"POST {CONTACT} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic "
        f"{base64.b64encode(f':{server.key}'.encode()).decode()}\r\n"
        f"Content-Length: {len(body) + 10}\r\n\r\n"
    ).encode()
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(head + body)
    removed = api.delete(CONTACT, params={"externalCustomerId": name})
    refused(removed, 404)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/contact/abc", 400),
        ("/api/v1/contact/-1", 400),
        ("/api/v1/contact/1.5", 400),
        ("/api/v1/contact/0", 404),
        ("/api/v1/contact/9223372036854775807", 404),
        ("/api/v1/contact/9223372036854775808", 404),
        ("/api/v1/contact/" + "9" * 5000, 404),
        ("/api/v1/contact/%D9%A1", 400),
        ("/api/v1/contact/%ff", 400),
        ("/api/v1/contact/1%00", 400),
        ("/api/v1/contact/1%2F", 400),
        ("/api/v1/nothing", 404),
        ("/api/v1/contact/1/nothing", 404),
        ("/", 404),
        ("//", 404),
        ("/api/v1/contact/../../etc/passwd", 404),
    ],
)
def test_paths_that_lead_nowhere(api, path, status):
    for method in ("PUT", "DELETE"):
        answer = api.request(method, path, json={})
        assert answer.json()["status"] == answer.status_code
        assert answer.status_code == status or "unknown_path" not in answer.json()["code"]


@pytest.mark.parametrize(
    "query",
    [
        "dryRun=maybe",
        "explain=2",
        "explain=%ff",
        "explain=%00",
        "&".join(f"a{n}=1" for n in range(101)),
    ],
)
def test_parameters_that_cannot_be_read(api, query):
    refused(api.post(f"{CONTACT}?{query}", json={"externalCustomerId": "X"}), 400)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?externalCustomerId=",
        "?externalCustomerId=%20",
        "?externalCustomerId=null",
        "?externalCustomerId=undefined",
    ],
)
def test_delete_needs_an_external_id(api, query):
    refused(api.delete(CONTACT + query), 400, "no_external_id")


@pytest.mark.parametrize("query", ["dryRun=true", "dryrun=1", "DRYRUN=yes"])
def test_a_dry_run_that_would_write_is_refused(api, name, query):
    """D27: DELETE has none; whoever asks for one wants nothing to happen."""
    made = {"externalCustomerId": name, "channels": []}
    api.post(CONTACT, json=made)
    refused(api.delete(f"{CONTACT}?externalCustomerId={name}&{query}"), 400, "invalid_parameter")
    assert len(api.get(f"/api/v1/contacts?externalCustomerId={name}").json()) == 1
    if query != "dryRun=true":
        again = made | {"externalCustomerId": f"{name}-2"}
        refused(api.post(f"{CONTACT}?{query}", json=again), 400, "invalid_parameter")
        assert api.get(f"/api/v1/contacts?externalCustomerId={name}-2").json() == []
    assert api.get(f"/api/v1/contacts?externalCustomerId={name}&{query}").status_code == 200
    assert api.delete(f"{CONTACT}?externalCustomerId={name}&dryRun=false").status_code == 200


def test_clear_takes_known_names_only(api):
    for query in ("clear=firstName,shoeSize", "clear=shoeSize&clear=firstName"):
        refused(api.put(f"{CONTACT}/1?{query}", json={}), 400, "invalid_parameter")


@pytest.mark.parametrize("key", ["", "x" * 256, "ключ".encode()])
def test_an_idempotency_key_must_be_printable(api, key):
    answer = api.post(CONTACT, json={"externalCustomerId": "X"}, headers={"Idempotency-Key": key})
    refused(answer, 400, "invalid_parameter")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"channels": []},
        {"channels": [{"type": "sms", "value": " "}]},
        {"externalCustomerId": "undefined"},
        {"firstName": "Anna"},
        {"channels": [{"type": "email", "value": "nonsense"}]},
    ],
)
def test_a_contact_that_names_nobody(api, body):
    refused(api.post(CONTACT, json=body), 400, "no_identifier")
    refused(api.post(f"{CONTACT}/subscribe", json={"contact": body}), 400, "no_identifier")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/contact/subscribe", {}),
        ("/api/v1/contact/subscribe", {"contact": []}),
        ("/api/v1/contact/subscribe", {"contact": {"externalCustomerId": "X"}, "formType": "a<b"}),
        ("/api/v1/contact/subscribe", {"contact": {"externalCustomerId": "X"}, "groups": [[]]}),
        ("/api/v1/apps/a/tokens", {}),
        ("/api/v1/apps/a/tokens", {"tokens": []}),
        ("/api/v1/apps/a/tokens", {"tokens": ["x"]}),
        ("/api/v1/apps/a/tokens", {"tokens": [{"token": "t"}]}),
        ("/api/v1/apps/a/tokens", {"tokens": [{"email": "a@example.com"}]}),
        ("/api/v1/apps/a/tokens", {"tokens": [{"token": "t", "contactId": "x"}]}),
        ("/api/v1/apps/a/token/mute", {"token": "t"}),
        ("/api/v1/apps/a/token/mute", {"token": "t", "duration": 4}),
        ("/api/v1/apps/a/token/mute", {"duration": 60}),
        ("/api/v1/emails/unsubscribed/add", {}),
        ("/api/v1/emails/unsubscribed/add", {"emails": ["nonsense"]}),
        ("/api/v1/auth/contact/token", {}),
    ],
)
def test_bodies_that_lack_what_the_method_needs(api, path, body):
    refused(api.post(path, json=body), 400)


def test_settings_are_checked(api):
    for body in ({"absorb": "all"}, {"region": "ZZ"}, {"no_such": 1}, {"rate_limits": "yes"}):
        refused(api.patch("/api/v1/account/settings", json=body), 400, "invalid_setting")
