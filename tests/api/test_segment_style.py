"""Segment-style messages over HTTP: repeats, clocks, claims, what is dropped (clients 6)."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest


@pytest.fixture(scope="module")
def write(server, keys) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, auth=(keys["write"], ""), timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def page(server, keys) -> Iterator[httpx.Client]:
    """A page of a shop, with its public key."""
    headers = {"Origin": "https://shop.example"}
    with httpx.Client(
        base_url=server.url, auth=(keys["browser"], ""), headers=headers, timeout=60
    ) as client:
        yield client


def contact(api: httpx.Client, external_id: str) -> dict | None:
    found = api.get("/api/v1/contacts", params={"externalCustomerId": external_id}).json()
    return api.get(f"/api/v1/contact/{found[0]['id']}").json() if found else None


def timeline(api: httpx.Client, external_id: str) -> list[dict]:
    found = contact(api, external_id)
    assert found is not None
    return api.get(f"/api/v1/contact/{found['id']}/timeline").json()


def wait_for(look):
    deadline = time.monotonic() + 60
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def send(client: httpx.Client, path: str, **body) -> None:
    answer = client.post(path, json=body)
    assert (answer.status_code, answer.content) == (200, b'{"success": true}'), answer.text


def test_the_same_message_counts_once(write, api, name):
    send(write, "/v1/identify", userId=name)
    batch = [{"type": "track", "userId": name, "event": "e", "messageId": f"m-{name}"}] * 2
    send(write, "/v1/batch", batch=batch)
    send(write, "/v1/track", **batch[0])
    assert [one["key"] for one in timeline(api, name)] == ["e"]


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", "application/x-www-form-urlencoded", None]
)
def test_a_body_is_json_whatever_its_type(write, api, name, content_type):
    body = gzip.compress(json.dumps({"userId": name, "traits": {"firstName": "Ann"}}).encode())
    headers = {"Content-Encoding": "gzip"}
    if content_type is not None:
        headers["Content-Type"] = content_type
    assert write.post("/v1/i", content=body, headers=headers).status_code == 200
    assert (contact(api, name) or {})["firstName"] == "Ann"


def test_a_clock_that_is_ten_years_off_does_no_harm(write, api, name):
    send(write, "/v1/identify", userId=name)
    wrong = datetime.now(UTC) - timedelta(days=3650)
    hour = timedelta(hours=1)
    said = {"timestamp": wrong.isoformat(), "sentAt": (wrong + hour).isoformat()}
    send(write, "/v1/track", userId=name, event="an hour ago", **said)
    (event,) = timeline(api, name)
    occurred = datetime.fromisoformat(event["occurred"])
    assert abs(datetime.now(UTC) - hour - occurred) < timedelta(minutes=30)


def test_a_batch_keeps_what_can_be_used(write, api, name):
    batch = [
        {"type": "identify", "userId": name, "traits": {"email": "no address", "lastName": "Ok"}},
        {"type": "track", "userId": name},
        {"type": "nonsense", "userId": name},
        {"type": "track", "userId": {"no": "text"}, "event": "x"},
        "nonsense",
        {"type": "track", "userId": name, "event": "kept", "properties": {"a": "\x00"}},
        {"type": "track", "userId": name, "event": "kept"},
    ]
    send(write, "/v1/batch", batch=batch)
    assert (contact(api, name) or {})["lastName"] == "Ok"
    assert [one["key"] for one in timeline(api, name)] == ["kept"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/track", {"userId": "A"}, 400),
        ("/v1/track", {"event": "x"}, 400),
        ("/v1/identify", {"userId": "x" * 256}, 400),
        ("/v1/group", {"userId": "A"}, 400),
        ("/v1/alias", {"userId": "A"}, 400),
        ("/v1/batch", {"batch": {}}, 400),
        ("/v1/batch", {"batch": [{}] * 10_001}, 400),
    ],
)
def test_a_refusal_has_code_and_message(write, path, body, status):
    answer = write.post(path, json=body)
    assert answer.status_code == status
    assert answer.json()["code"]
    assert answer.json()["message"]


def test_a_batch_of_more_than_four_megabytes_is_too_large(write):
    answer = write.post("/v1/batch", content=b'{"batch":["' + b"x" * 4_000_000 + b'"]}')
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_only_identify_creates(write, api, name):
    """Decisions D17; what came before goes to the contact that gets the External ID."""
    send(write, "/v1/track", userId=name, event="first")
    send(write, "/v1/page", userId=name, name="Home")
    send(write, "/v1/group", userId=name, groupId="g")
    assert contact(api, name) is None
    send(write, "/v1/identify", userId=name)
    types = sorted((one["type"], one["key"]) for one in timeline(api, name))
    assert types == [("event", "first"), ("event", "group"), ("visit", "PageView")]


def test_a_visitor_becomes_known_by_identify_or_alias(write, api, name):
    """Guide G5; decisions D37."""
    send(write, "/v1/page", anonymousId=f"a-{name}", name="Home")
    send(write, "/v1/track", anonymousId=f"b-{name}", event="earlier")
    send(write, "/v1/alias", previousId=f"b-{name}", userId=name)  # it waits for its person
    assert contact(api, name) is None
    send(write, "/v1/identify", userId=name, anonymousId=f"a-{name}")
    wait_for(lambda: len(timeline(api, name)) == 2)
    assert {one["key"] for one in timeline(api, name)} == {"PageView", "earlier"}


def test_a_visitor_alone_makes_no_contact(write, api, name):
    """Decisions D10: not even with traits."""
    send(write, "/v1/identify", anonymousId=f"v-{name}", traits={"firstName": "Ann"})
    found = api.get("/api/v1/contacts", params={"firstname": "Ann"}).json()
    assert all("externalCustomerId" in one for one in found)


def test_a_group_goes_into_the_fields_made_for_it(write, api, name):
    for key in ("GROUP_ID", "COMPANY"):
        made = api.post("/api/v1/additionalfields", json={"name": key, "key": key})
        assert made.status_code in (200, 409)
    send(write, "/v1/identify", userId=name)
    send(write, "/v1/group", userId=name, groupId="acme", traits={"name": "Acme & Co"})
    values = {field["value"] for field in (contact(api, name) or {})["fields"]}
    assert values == {"acme", "Acme & Co"}


def test_identify_restores_only_what_was_removed_before_it_happened(write, api, name):
    """Decisions D8."""
    send(write, "/v1/identify", userId=name)
    number = (contact(api, name) or {})["id"]
    assert api.delete(f"/api/v1/contact/{number}").status_code == 200
    now = datetime.now(UTC)
    late = {"timestamp": (now - timedelta(days=1)).isoformat(), "sentAt": now.isoformat()}
    send(write, "/v1/identify", userId=name, **late)
    assert contact(api, name) is None
    send(write, "/v1/identify", userId=name)
    assert (contact(api, name) or {})["id"] == number


def test_identify_of_an_erased_person_is_accepted_and_dropped(write, api, name):
    """Decisions D29."""
    send(write, "/v1/identify", userId=name)
    number = (contact(api, name) or {})["id"]
    api.delete(f"/api/v1/contact/{number}", params={"erase": "true"})
    send(write, "/v1/identify", userId=name, traits={"firstName": "Ann"})
    assert contact(api, name) is None


def test_what_a_page_says_is_a_claim(page, write, api, name):
    """Decisions D36, D37: history attaches, the card stays."""
    send(write, "/v1/identify", userId=name, traits={"firstName": "Ann"})
    send(page, "/v1/p", anonymousId=f"v-{name}", name="Home")
    send(page, "/v1/i", anonymousId=f"v-{name}", userId=name, traits={"firstName": "Mallory"})
    send(page, "/v1/t", anonymousId=f"v-{name}", userId=name, event="bought")
    wait_for(lambda: len(timeline(api, name)) == 2)
    assert (contact(api, name) or {})["firstName"] == "Ann"
    send(page, "/v1/t", userId=name, event="without a cookie")
    assert len(timeline(api, name)) == 2


def test_a_claim_that_came_first_waits_for_its_contact(page, write, api, name):
    send(page, "/v1/b", batch=[
        {"type": "page", "anonymousId": f"v-{name}", "userId": name, "name": "Home"},
    ])  # fmt: skip
    assert contact(api, name) is None
    send(write, "/v1/identify", userId=name)
    wait_for(lambda: [one["key"] for one in timeline(api, name)] == ["PageView"])


def test_the_browser_library_is_told_where_to_send(page, keys, server):
    answer = page.get(f"/v1/projects/{keys['browser']}/settings")
    segment = answer.json()["integrations"]["Segment.io"]
    assert segment["apiHost"] == server.url.removeprefix("http://") + "/v1"
    assert (segment["apiKey"], segment["protocol"]) == (keys["browser"], "http")
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
