"""Webhooks over HTTP, with a real receiver: signed, in order, again until received, dead, replayed."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.test_segments import EMPTY, add, email, eventually, make, members
from tests.conftest import launch_again


class Receiver:
    """Somebody's server: keeps what came; refuses while `status` says so."""

    def __init__(self) -> None:
        self.came: list[tuple[dict[str, str], bytes]] = []
        self.status = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.came.append((dict(self.headers), body))
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    def said(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in list(self.came)]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    opened = Receiver()
    yield opened
    opened.server.shutdown()
    opened.server.server_close()


@pytest.fixture(scope="module")
def server(started_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One that may call receivers on this machine."""
    folder = tmp_path_factory.mktemp("server") / "data"
    settings = {"KARTOTEKA_ALLOW_PRIVATE_ADDRESSES": "on"}
    started = launch_again(folder, started_once, **settings).wait_until_ready()
    yield started
    started.stop()


def hook(api: httpx.Client, **body: Any) -> dict[str, Any]:
    answer = api.post("/api/v1/webhooks", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_what_happens_is_told_signed_and_in_order(api, name, receiver):
    made = hook(api, url=receiver.url)
    segment = make(api, EMPTY, name="Told")
    contact = add(api, channels=email(f"{name}@x.example"))
    add(api, externalCustomerId=name, channels=email(f"{name}@x.example"))
    api.delete(f"/api/v1/contact/{contact}")

    def mine() -> list[dict[str, Any]]:
        return [one for one in receiver.said() if one["contactId"] == contact]

    eventually(lambda: len(mine()) >= 5)
    assert [one["event"] for one in mine()] == [
        "segment.entered",
        "contact.created",
        "segment.left",
        "contact.updated",
        "contact.removed",
    ]
    assert mine()[0]["segmentId"] == segment
    assert mine()[0]["segmentName"] == "Told"
    assert mine()[-1]["externalCustomerId"] == name
    headers, body = receiver.came[0]
    seconds, sign = (part.split("=", 1)[1] for part in headers["Kartoteka-Signature"].split(","))
    signed = f"{seconds}.".encode() + body
    assert sign == hmac.new(made["secret"].encode(), signed, hashlib.sha256).hexdigest()
    shown = api.get(f"/api/v1/webhooks/{made['id']}").json()
    assert "secret" not in shown
    deliveries = api.get(f"/api/v1/webhooks/{made['id']}/deliveries?state=delivered")
    assert int(deliveries.headers["TotalCount"]) >= 5
    api.delete(f"/api/v1/webhooks/{made['id']}")


def test_a_merge_names_the_survivor(api, name, receiver):
    made = hook(api, url=receiver.url, events=["contact.merged"])
    token = {"type": "mobilepush", "value": f"token {name}", "device": {"appId": "app"}}
    absorbed = add(api, channels=[token])
    survivor = add(api, externalCustomerId=name)
    add(api, externalCustomerId=name, channels=[token])
    eventually(lambda: bool(receiver.came))
    (said,) = receiver.said()
    assert (said["contactId"], said["mergedInto"]) == (absorbed, survivor)
    api.delete(f"/api/v1/webhooks/{made['id']}")


def test_a_merge_by_hand_and_its_undo_are_told(api, name, receiver):
    """D28: what the other card brings moves membership with the merge, and back with its undo."""
    kept = add(api, externalCustomerId=f"A-{name}", firstName="Ann")
    other = add(api, firstName="Anna", channels=email(f"{name}@x.example"))
    api.post("/api/v1/event", json=event(f"{name}@x.example"))
    wished = make(api, {"field": "event", "type": "wished", "operator": "greater", "value": 0})
    empty = make(api, EMPTY)
    made = hook(api, url=receiver.url, segments=[wished, empty])
    merge = api.post("/api/v1/merges", json={"keep": kept, "absorb": other}).json()["id"]
    assert (kept in members(api, wished), other in members(api, empty)) == (True, False)
    assert api.post(f"/api/v1/merges/{merge}/undo").status_code == 200
    assert (kept in members(api, wished), other in members(api, wished)) == (False, True)
    assert other in members(api, empty)
    eventually(lambda: api.get(f"/api/v1/webhooks/{made['id']}").json()["waiting"] == 0)
    eventually(lambda: len(receiver.said()) == 10)

    def told(contact: int) -> list[tuple[str, int | None]]:
        rows = [one for one in receiver.said() if one["contactId"] == contact]
        about = ("segmentId", "mergedInto", "unmergedFrom")
        return [(one["event"], next(filter(None, map(one.get, about)), None)) for one in rows]

    left, entered, updated = "segment.left", "segment.entered", "contact.updated"
    merged, parted = told(other)[:3], told(other)[3:]
    assert set(merged) == {("contact.merged", kept), (left, empty), (left, wished)}
    assert set(parted) == {(updated, kept), (entered, empty), (entered, wished)}
    assert set(told(kept)[:2]) == {(updated, None), (entered, wished)}
    assert set(told(kept)[2:]) == {(updated, None), (left, wished)}
    api.delete(f"/api/v1/webhooks/{made['id']}")


def event(address: str) -> dict[str, Any]:
    return {"eventTypeKey": "wished", "params": [{"name": "email", "value": address}]}


def test_what_is_refused_waits_and_keeps_its_order(api, name, receiver):
    """A later event of the contact is not told before the one that was refused."""
    receiver.status = 503
    made = hook(api, url=receiver.url, events=["contact.created", "contact.updated"])
    contact = add(api, externalCustomerId=name, firstName="Ann")
    eventually(lambda: bool(receiver.came))
    add(api, externalCustomerId=name, firstName="Bob")
    path = f"/api/v1/webhooks/{made['id']}"
    eventually(lambda: api.get(path).json()["waiting"] == 2)
    receiver.status = 200
    eventually(lambda: api.get(path).json()["waiting"] == 0)
    told = [(one["event"], one["id"]) for one in receiver.said() if one["contactId"] == contact]
    assert [event for event, _ in told][-1] == "contact.updated"
    assert {event for event, _ in told[:-1]} == {"contact.created"}
    assert len({number for _, number in told}) == 2, "one id an event, however often it is tried"
    api.delete(path)


def test_mistakes_and_private_networks_are_refused(api, stranger):
    for body, code in (
        ({}, "invalid_webhook"),
        ({"url": "ftp://x.example"}, "link_refused"),
        ({"url": "http://169.254.169.254/latest"}, "link_refused"),
        ({"url": "https://x.example", "events": ["contact.eaten"]}, "invalid_webhook"),
        ({"url": "https://x.example", "segments": ["7"]}, "invalid_webhook"),
    ):
        answer = api.post("/api/v1/webhooks", json=body)
        assert (answer.status_code, answer.json()["code"]) == (400, code), body
    of_list = api.post("/api/v1/segments", json={"name": "Told of", "type": "Static"}).json()["id"]
    for segment in (of_list, 2**31 - 1):  # neither would ever tell anything
        answer = api.post(
            "/api/v1/webhooks", json={"url": "https://x.example", "segments": [segment]}
        )
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_webhook")
        assert str(segment) in answer.json()["message"]
    assert api.get("/api/v1/webhooks/99999999").status_code == 404
    assert api.put("/api/v1/webhooks/99999999", json={}).status_code == 404
    assert api.delete("/api/v1/webhooks/99999999").status_code == 404
    assert api.post("/api/v1/webhooks/99999999/replay").status_code == 404
