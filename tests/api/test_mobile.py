"""The mobile SDK's end points: what is refused, what is answered empty, who may call (wire 7)."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest


@pytest.fixture(scope="module")
def app(server, api: httpx.Client) -> Iterator[httpx.Client]:
    """An application that is not trusted."""
    key = api.post("/api/v1/apps", json={"name": "App"}).json()["key"]
    headers = {"X-Reteno-Access-Key": key}
    with httpx.Client(base_url=server.url, headers=headers, timeout=60) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("/api/v1/device", {}, "deviceId"),
        ("/api/v1/user", {"deviceId": ""}, "deviceId"),
        ("/api/v1/user", {"deviceId": "d", "externalUserId": {}}, "externalUserId"),
        ("/api/v1/user", {"deviceId": "d", "externalUserId": "x" * 256}, "externalUserId"),
        ("/api/v1/user", {"deviceId": "d", "userAttributes": "x"}, "userAttributes"),
        ("/api/v1/user", {"deviceId": "d", "groupNamesInclude": ["x"] * 101}, "groupNamesInclude"),
        ("/api/v1/events", {"deviceId": "d"}, "events"),
        ("/api/v1/events", {"deviceId": "d", "events": [{}] * 1001}, "events"),
    ],
)
def test_a_refusal_names_the_member_as_ios_shows_it(app: httpx.Client, path, body, param):
    answer = app.post(path, json=body)
    said = answer.json()
    assert (answer.status_code, said["status"]) == (400, 400)
    assert [one["name"] for one in said["invalid-params"]] == [param]
    assert said["title"] == "Bad Request"
    assert said["detail"] == said["message"]


def test_an_event_with_nul_spoils_no_other(app: httpx.Client, api: httpx.Client, name: str):
    who = api.post("/api/v1/contact", json={"externalCustomerId": name, "deviceId": name}).json()
    said = [{"eventTypeKey": "seen", "params": [{"name": "a", "value": one}]} for one in "a\x00b"]
    assert app.post("/api/v1/events", json={"deviceId": name, "events": said}).status_code == 200
    shown = api.get(f"/api/v1/contact/{who['id']}/timeline").json()
    assert sorted(one["params"]["a"] for one in shown) == ["a", "b"]


def test_a_status_that_no_push_has_is_refused(app: httpx.Client):
    answer = app.put("/api/v1/interactions/1/status", json={"token": "t", "status": "READ"})
    assert (answer.status_code, answer.json()["invalid-params"][0]["name"]) == (400, "status")


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b'{"deviceId":"a\\u0000b"}'])
def test_what_is_no_object_is_refused(app: httpx.Client, content: bytes):
    answer = app.post("/api/v1/device", content=content)
    assert answer.status_code == 400
    assert {"title", "detail", "invalid-params", "code"} <= answer.json().keys()


def test_a_disabled_key_and_a_deleted_application_stop(server, api: httpx.Client):
    made = api.post("/api/v1/apps", json={"name": "Short-lived"}).json()
    headers = {"X-Reteno-Access-Key": made["key"]}
    path, body = "/api/v1/device", {"deviceId": "short-lived"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=60) as client:
        assert client.post(path, json=body).status_code == 200
        assert api.delete(f"/api/v1/apps/{made['id']}").json() == {"deleted": True}
        assert client.post(path, json=body).status_code == 401
    assert api.delete(f"/api/v1/apps/{made['id']}").status_code == 404


def test_an_application_is_renamed_trusted_and_given_another_key(api: httpx.Client):
    made = api.post("/api/v1/apps", json={"name": "Крамниця"}).json()
    path = f"/api/v1/apps/{made['id']}"
    changed = api.patch(path, json={"name": "Shop", "trusted": True}).json()
    assert (changed["name"], changed["trusted"], changed["keys"]) == ("Shop", True, 1)
    assert api.post(path + "/keys", json={}).json()["key"] != made["key"]
    listed = api.get("/api/v1/apps").json()
    (one,) = [app for app in listed if app["id"] == made["id"]]
    assert (one["keys"], "key" in one) == (2, False)
    for body in ({"name": " "}, {"trusted": "yes"}, {"name": "x" * 101}):
        assert api.patch(path, json=body).status_code == 400
    taken = api.post("/api/v1/apps", json={"name": "Twice", "id": made["id"]})
    assert (taken.status_code, taken.json()["code"]) == (409, "app_id_taken")
    web = {"name": "Bot", "kind": "telegram", "trusted": True}
    assert api.post("/api/v1/apps", json=web).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "empty"),
    [
        ("GET", "/api/v1/appinbox/messages?page=1&pageSize=10", {"list": [], "totalPages": 0}),
        ("GET", "/api/v1/appinbox/messages/count", {"unreadCount": 0}),
        ("POST", "/api/v1/appinbox/messages/status", {}),
        ("POST", "/api/v1/recoms/v1/request", {"recoms": []}),
        ("POST", "/api/v1/recoms/events", {}),
        ("GET", "/api/v1/inapp/messages", {"messages": []}),
        ("POST", "/api/v1/inapp/contents/request", {"contents": []}),
        ("POST", "/api/v1/inapp/async-rules/check", {"checks": []}),
        ("GET", "/api/v1/inapp/interactions/7/message", {}),
        ("POST", "/api/v1/interaction", {}),
        ("POST", "/logs/v1/events", {}),
    ],
)
def test_what_we_do_not_do_is_answered_empty(app: httpx.Client, method, path, empty):
    """Wire 7.1: App Inbox and in-app messages are asked by GET and by POST."""
    either = "/appinbox/" in path or "/inapp/" in path
    for way in ("GET", "POST") if either else (method,):
        content = None if way == "GET" else json.dumps({"any": [1]}).encode()
        answer = app.request(way, path, content=content)
        assert (answer.status_code, answer.json()) == (200, empty)
