"""Events over HTTP, as clients send them (wire 6, checks 18 and 19 of wire 14, clients 1)."""

from __future__ import annotations

import json
import socket
import time
from base64 import b64encode
from typing import Any

import httpx
import pytest

from kartoteka.api.events import MAX_MESSAGE_ID_CHARS

BAD_SIGNS = "<;’\\/|\"`'^?!,>"


def send(api: httpx.Client, key: str = "seen", version: int = 2, **more: Any) -> httpx.Response:
    params = more.pop("params", [])
    if isinstance(params, dict) and version != 3:
        params = [{"name": name, "value": value} for name, value in params.items()]
    body = {"eventTypeKey": key, "params": params, **more}
    return api.post(f"/api/v{version}/event", json=body)


def contact(api: httpx.Client, external_id: str) -> int:
    made = api.post("/api/v1/contact", json={"externalCustomerId": external_id, "channels": []})
    return int(made.json()["id"])


def timeline(api: httpx.Client, contact_id: int, **query: Any) -> list[dict[str, Any]]:
    answer = api.get(f"/api/v1/contact/{contact_id}/timeline", params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


def test_the_answer_is_empty_to_the_last_byte(server: Any, api: httpx.Client, name: str):
    """200, Content-Length 0, no Content-Type; also by a raw socket."""
    body = json.dumps({"eventTypeKey": "seen", "keyValue": name}).encode()
    host, port = server.url.removeprefix("http://").split(":")
    secret = b64encode(b":" + server.key.encode())
    with socket.create_connection((host, int(port)), timeout=60) as raw:
        raw.sendall(
            b"POST /api/v2/event/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Basic "
            + secret
            + b"\r\nContent-Length: %d\r\n\r\n" % len(body)
            + body
        )
        answer = b""
        while part := raw.recv(4096):
            answer += part
    head, _, rest = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert b"content-length: 0" in head.lower()
    assert b"content-type" not in head.lower()
    assert rest == b""


@pytest.mark.parametrize(
    ("version", "params"),
    [
        (1, [{"name": "sum", "value": "12"}]),
        (2, [{"name": "sum", "value": 12.5}, {"name": "items", "value": [{"id": 1}]}]),
        (3, {"sum": 12, "nested": {"deep": [True, None]}}),
        (3, [{"name": "sum", "value": 1}]),
    ],
)
def test_every_version_stores_what_it_was_given(api: httpx.Client, name: str, version: int, params):
    who = contact(api, name)
    whom = {"externalCustomerId": name}
    both = (
        {**params, **whom}
        if isinstance(params, dict)
        else [*params, {"name": "externalCustomerId", "value": name}]
    )
    assert send(api, version=version, params=both).status_code == 200
    (item,) = timeline(api, who)
    expected = params if isinstance(params, dict) else {p["name"]: p["value"] for p in params}
    assert item["params"] == {**expected, **whom}
    assert (item["type"], item["key"], item["keyValue"]) == ("event", "seen", name)
    assert item["source"] == "api"


def test_an_old_client_that_says_parameters(api: httpx.Client, name: str):
    """clients 1: dkulyk sends `parameters`, jetforms none at all."""
    who = contact(api, name)
    body = {
        "eventTypeKey": "seen",
        "keyValue": "k",
        "parameters": [{"name": "externalCustomerId", "value": name}],
    }
    assert api.post("/api/v1/event", json=body).status_code == 200
    assert api.post("/api/v1/event", json={"eventTypeKey": "s", "keyValue": "k"}).is_success
    assert [item["keyValue"] for item in timeline(api, who)] == ["k"]


def test_check_18_the_key_value_comes_from_the_params(api: httpx.Client, name: str):
    who = contact(api, name)
    assert send(api, params={"externalCustomerId": name}).is_success
    assert timeline(api, who)[0]["keyValue"] == name
    for absent in ("null", "NULL", "", " ", " ", None):
        answer = send(api, params={"externalCustomerId": absent})
        assert (answer.status_code, answer.json()["code"]) == (400, "no_key_value"), absent
    answer = send(api, params={"externalCustomerId": None, "EmailAddress": f"{name}@x.example"})
    assert answer.is_success


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"pushToken": "T", "Phone": "380501112233", "UserEmail": "A@x.example"}, "A@x.example"),
        ({"pushToken": "T-1", "PHONENUMBER": "+38 050 111 22 33"}, "+38 050 111 22 33"),
        ({"PushToken": "T-2"}, "T-2"),
        ({"Contact_id": "12", "email": "a@x.example"}, "12"),
    ],
)
def test_in_the_order_of_the_wire(api: httpx.Client, params, expected):
    answer = api.post(
        "/api/v2/event?explain=true",
        json={"eventTypeKey": "s", "params": [{"name": n, "value": v} for n, v in params.items()]},
    )
    assert answer.is_success
    shown = api.get("/api/v1/event-types/s").json()
    assert shown["key"] == "s"


def test_check_19_segmentation_creates_the_contact(api: httpx.Client, name: str):
    key = f"bought-{name}"
    assert send(api, key, params={"externalCustomerId": name}).is_success
    found = api.get("/api/v1/contacts", params={"externalCustomerId": name})
    assert found.json() == []  # off by default
    switched = api.put(f"/api/v1/event-types/{key}", json={"segmentation": True})
    assert switched.json()["segmentation"] is True
    assert send(api, key, params={"externalCustomerId": name}).is_success
    (card,) = api.get("/api/v1/contacts", params={"externalCustomerId": name}).json()
    assert len(timeline(api, card["id"])) == 2  # what came before is theirs too (D17)
    history = api.get(f"/api/v1/contact/{card['id']}/identity").json()["history"]
    assert (history[0]["action"], history[0]["method"]) == ("created", "registerEvent_1")


@pytest.mark.parametrize(
    "body",
    [
        {"params": []},
        {"eventTypeKey": " ", "keyValue": "k"},
        {"eventTypeKey": "x" * 101, "keyValue": "k"},
        {"eventTypeKey": "s", "keyValue": "k" * 301},
        {"eventTypeKey": "s", "keyValue": {"a": 1}},
        {"eventTypeKey": "s", "keyValue": "k", "params": "text"},
        {"eventTypeKey": "s", "keyValue": "k", "params": [{"name": "a"}]},
        {"eventTypeKey": "s", "keyValue": "k", "params": [{"value": "a"}]},
        {"eventTypeKey": "s", "keyValue": "k", "params": [["a", "b"]]},
        {"eventTypeKey": "s", "keyValue": "k", "params": [{"name": "n" * 101, "value": 1}]},
        {"eventTypeKey": "s", "keyValue": "k", "params": [{"name": "a", "value": 1}] * 2},
        {"eventTypeKey": "s", "keyValue": "k", "occurred": "yesterday"},
        *({"eventTypeKey": f"a{sign}b", "keyValue": "k"} for sign in BAD_SIGNS),
        *({"eventTypeKey": "s", "keyValue": f"a{sign}b"} for sign in BAD_SIGNS),
    ],
)
def test_what_is_refused(api: httpx.Client, body):
    answer = api.post("/api/v2/event", json=body)
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_event"
    assert answer.json()["status"] == 400


def test_twenty_kilobytes_are_enough(api: httpx.Client):
    fits = {"eventTypeKey": "s", "keyValue": "k", "params": [{"name": "a", "value": "x" * 19_000}]}
    assert api.post("/api/v2/event", json=fits).status_code == 200
    fits["params"][0]["value"] = "x" * 20_000  # type: ignore[index]
    assert api.post("/api/v2/event", json=fits).status_code == 413


def test_required_params_letter_by_letter(api: httpx.Client, name: str):
    key = f"order-{name}"
    params = ["sum", {"name": "note", "required": False}]
    assert api.put(f"/api/v1/event-types/{key}", json={"requiredParams": params}).is_success
    answer = send(api, key, keyValue="k")
    listed = '[{"name":"sum","required":true},{"name":"note","required":false}]'
    text = f"The event should have the following params: {listed}"
    assert (answer.status_code, answer.text) == (400, text)
    assert send(api, key, keyValue="k", params={"sum": 1}).is_success
    api.put(f"/api/v1/event-types/{key}", json={"requiredParams": []})
    assert send(api, key, keyValue="k").is_success


def test_contact_json_is_checked_whole(api: httpx.Client, name: str):
    contact_json = {"firstname": "A" * 41, "lastname": "Ok", "sms": "12", "timeZone": "Mars/One"}
    for value in (contact_json, json.dumps(contact_json)):
        answer = send(api, params={"externalCustomerId": name, "contactJson": value})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_contact_json")
        assert answer.json()["details"]["fields"] == ["firstname", "timeZone", "sms"]
    for value in ("{", "[]", 7):
        answer = send(api, params={"externalCustomerId": name, "contactJson": value})
        assert answer.json()["code"] == "invalid_contact_json"
    field = api.post("/api/v1/additionalfields", json={"name": f"Size {name}", "type": "NUMBER"})
    inputs = [{"profileInputId": field.json().get("id", 1), "value": "42"}]
    good = {"firstname": "Ada", "sms": "380501112299", "confirmed": True, "profileInputs": inputs}
    key = f"json-{name}"
    api.put(f"/api/v1/event-types/{key}", json={"segmentation": True})
    answer = send(api, key, params={"externalCustomerId": name, "contactJson": json.dumps(good)})
    assert answer.is_success, answer.text
    (card,) = api.get("/api/v1/contacts", params={"externalCustomerId": name}).json()
    assert card["firstName"] == "Ada"
    assert card["channels"] == []  # the parameters name the contact, nothing else


def test_explain_and_dry_run(api: httpx.Client, name: str):
    who = contact(api, name)
    body = {"eventTypeKey": "s", "params": [{"name": "externalCustomerId", "value": name}]}
    told = api.post("/api/v2/event?explain=true", json=body).json()["resolution"]
    assert (told["contactId"], told["rule"], told["outcome"]) == (who, "external_id", "unchanged")
    dry = api.post("/api/v2/event?dryRun=true", json=body).json()
    assert (dry["dryRun"], dry["resolution"]["contactId"]) == (True, who)
    assert len(timeline(api, who)) == 1


def test_the_same_message_and_the_same_idempotency_key_count_once(api: httpx.Client, name: str):
    who = contact(api, name)
    whom = {"externalCustomerId": name}
    for _ in range(2):
        assert send(api, params=whom, messageId=f"m-{name}").is_success
    body = {"eventTypeKey": "s", "params": [{"name": "externalCustomerId", "value": name}]}
    for _ in range(2):
        headers = {"Idempotency-Key": f"i-{name}"}
        answer = api.post("/api/v2/event", json=body, headers=headers)
        assert (answer.status_code, answer.content) == (200, b"")
    assert len(timeline(api, who)) == 2
    long = "m" * (MAX_MESSAGE_ID_CHARS + 1)
    assert send(api, params=whom, messageId=long).json()["code"] == "invalid_message_id"


def test_the_accounts_own_parameter(api: httpx.Client, name: str):
    """Wire 11.4: one rule of the account, beside the names that always count."""
    who = contact(api, name)
    rule = {"event_mapping": ["loyaltyCard=externalCustomerId"]}
    assert api.patch("/api/v1/account/settings", json=rule).is_success
    try:
        body = {"eventTypeKey": "s", "keyValue": "k", "params": {"LOYALTYCARD": name}}
        deadline = time.monotonic() + 60  # the settings are believed for a second
        while (
            api.post("/api/v3/event?explain=true", json=body).json()["resolution"]["contactId"]
            != who
        ):
            assert time.monotonic() < deadline
        wrong = {"event_mapping": ["loyaltyCard=nothing"]}
        assert api.patch("/api/v1/account/settings", json=wrong).status_code == 400
    finally:
        api.patch("/api/v1/account/settings", json={"event_mapping": None})


PAST = [
    ({"occurred": "2025-03-01T10:00"}, "ACCEPTED"),
    ({"occurred": "1997-01-01"}, "ACCEPTED"),
    ({"occurred": "2025-03-01T10:00:30.1234567+03:00"}, "ACCEPTED"),
    ({}, "OCCURRED_DATE_IS_REQUIRED"),
    ({"occurred": None}, "OCCURRED_DATE_IS_REQUIRED"),
    ({"occurred": "01.03.2025"}, "INCORRECT_OCCURRED_DATE_FORMAT"),
    ({"occurred": "2025-02-30"}, "INCORRECT_OCCURRED_DATE_FORMAT"),
    ({"occurred": 1740823200}, "INCORRECT_OCCURRED_DATE_FORMAT"),
    ({"occurred": "1812-01-01"}, "OCCURRED_TIME_TOO_DEPTH"),
    ({"occurred": "2099-01-01"}, "OCCURRED_TIME_IN_FUTURE"),
    ({"occurred": "2025-03-01", "eventTypeKey": "other"}, "EVENT_SEGMENTATION_DISABLED"),
    ({"occurred": "2025-03-01", "eventTypeKey": "a,b"}, "SERVER_ERROR"),
    ({"occurred": "2025-03-01", "keyValue": "\x00"}, "SERVER_ERROR"),
]


@pytest.mark.parametrize("version", [1, 2, 3])
def test_events_of_the_past(api: httpx.Client, name: str, version: int):
    who = contact(api, name)
    api.put("/api/v1/event-types/bought", json={"segmentation": True})
    params = [{"name": "externalCustomerId", "value": name}]
    events = [{"eventTypeKey": "bought", "keyValue": "k", "params": params, **p} for p, _ in PAST]
    answer = api.post(f"/api/v{version}/past_events", json={"events": [*events, "text"]})
    assert answer.status_code == 200
    results = [one["status"] for one in answer.json()["results"]]
    assert results == [*(status for _, status in PAST), "OCCURRED_DATE_IS_REQUIRED"]
    assert (answer.json()["successCount"], answer.json()["errorCount"]) == (3, 11)
    assert [item["occurred"] for item in timeline(api, who)] == [
        "2025-03-01T10:00:00.000Z",
        "2025-03-01T07:00:30.123Z",
        "1997-01-01T00:00:00.000Z",
    ]


def test_a_dry_run_of_events_of_the_past_stores_none(api: httpx.Client, name: str):
    """D27: the answer of lists, in the order of the call."""
    who = contact(api, name)
    api.put("/api/v1/event-types/bought", json={"segmentation": True})
    params = [{"name": "externalCustomerId", "value": name}]
    good = {"eventTypeKey": "bought", "keyValue": "k", "params": params, "occurred": "2025-03-01"}
    body = {"events": [good, {**good, "occurred": "soon"}, {**good, "eventTypeKey": f"{name}-off"}]}
    answer = api.post("/api/v1/past_events?dryRun=true", json=body).json()
    assert (answer["id"], answer["dryRun"], answer["successCount"]) == (0, True, 1)
    first, *refused = answer["resolutions"]
    assert (first["contactId"], first["matchedBy"]) == (who, "external_id")
    assert [(one["outcome"], one["warnings"][0]["code"]) for one in refused] == [
        ("failed", "past_event_refused")
    ] * 2
    assert timeline(api, who) == []
    explained = api.post("/api/v1/past_events?explain=true", json=body).json()
    assert explained["resolutions"][0]["contactId"] == who
    assert "dryRun" not in explained
    assert len(timeline(api, who)) == 1


def test_past_events_with_an_idempotency_key_count_once(api: httpx.Client, name: str):
    """D22: the same key with another body is a 422, as everywhere."""
    who = contact(api, name)
    api.put("/api/v1/event-types/bought", json={"segmentation": True})
    params = [{"name": "externalCustomerId", "value": name}]
    good = {"eventTypeKey": "bought", "keyValue": "k", "params": params, "occurred": "2025-03-01"}
    key = {"Idempotency-Key": f"{name}-past"}
    for _ in range(2):
        answer = api.post("/api/v1/past_events", json={"events": [good, good]}, headers=key)
        assert answer.json()["successCount"] == 2
    assert len(timeline(api, who)) == 2
    other = {"events": [{**good, "keyValue": "other"}]}
    assert api.post("/api/v1/past_events", json=other, headers=key).status_code == 422


@pytest.mark.parametrize("body", [{}, {"events": []}, {"events": {}}, {"events": [{}] * 501}])
def test_past_events_that_are_no_list_of_them(api: httpx.Client, body):
    answer = api.post("/api/v1/past_events", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_past_events")


def test_deleting_past_events_is_off_and_takes_only_those(api: httpx.Client, name: str):
    who = contact(api, name)
    api.put("/api/v1/event-types/bought", json={"segmentation": True})
    params = [{"name": "externalCustomerId", "value": name}]
    past = [
        {"eventTypeKey": "bought", "keyValue": "k", "params": params, "occurred": at}
        for at in ("2024-05-01T00:00", "2024-05-31T23:59", "2024-06-01")
    ]
    assert api.post("/api/v1/past_events", json={"events": past}).json()["successCount"] == 3
    live = {"eventTypeKey": "bought", "occurred": "2024-05-15", "params": params}
    assert api.post("/api/v2/event", json=live).is_success
    may = {"from": "2024-05-01", "to": "2024-05-31"}
    refused = api.request("DELETE", "/api/v1/past_events", json=may)
    assert (refused.status_code, refused.json()["code"]) == (409, "delete_past_events_off")
    api.patch("/api/v1/account/settings", json={"delete_past_events": True})
    try:
        deadline = time.monotonic() + 60  # the settings are believed for a second
        while (done := api.request("DELETE", "/api/v1/past_events", json=may)).status_code == 409:
            assert time.monotonic() < deadline
        assert (done.status_code, done.content) == (200, b"")
        wrong = api.request("DELETE", "/api/v1/past_events", json={"from": "2024-05-01"})
        assert wrong.status_code == 400
    finally:
        api.patch("/api/v1/account/settings", json={"delete_past_events": None})
    left = [(item["source"], item["occurred"][:10]) for item in timeline(api, who)]
    assert left == [("past", "2024-06-01"), ("api", "2024-05-15")]


def test_event_types(api: httpx.Client, name: str):
    key = f"type {name}"
    assert api.get(f"/api/v1/event-types/{key}").json()["code"] == "not_found"
    made = api.put(f"/api/v1/event-types/{key}", json={})
    assert made.json() == {"key": key, "segmentation": False, "requiredParams": []}
    listed = api.get("/api/v1/event-types", params={"maxrows": 500})
    assert key in [one["key"] for one in listed.json()]
    assert int(listed.headers["TotalCount"]) >= len(listed.json())
    for wrong in (
        {"segmentation": "yes"},
        {"requiredParams": "sum"},
        {"requiredParams": [1]},
        {"requiredParams": [{"name": "a", "required": 1}]},
    ):
        answer = api.put(f"/api/v1/event-types/{key}", json=wrong)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_event_type")
    assert api.put("/api/v1/event-types/a%3Bb", json={}).status_code == 400


def test_fifty_types_may_have_segmentation(api: httpx.Client, name: str):
    on = [one for one in api.get("/api/v1/event-types").json() if one["segmentation"]]
    made = [f"s{number}-{name}" for number in range(50 - len(on))]
    for key in made:
        assert api.put(f"/api/v1/event-types/{key}", json={"segmentation": True}).is_success
    one_more = api.put(f"/api/v1/event-types/more-{name}", json={"segmentation": True})
    assert (one_more.status_code, one_more.json()["code"]) == (409, "too_many_segmented_types")
    assert api.put(f"/api/v1/event-types/{made[0]}", json={"segmentation": True}).is_success
    for key in made:
        api.put(f"/api/v1/event-types/{key}", json={"segmentation": False})


def test_what_subscribe_causes_stands_in_the_timeline(api: httpx.Client, name: str):
    body = {"contact": {"channels": [{"type": "email", "value": f"{name}@x.example"}]}}
    who = api.post("/api/v1/contact/subscribe", json=body).json()["id"]
    (item,) = timeline(api, who)
    assert (item["key"], item["source"]) == ("subscribeFromApi", "contact")
    assert api.get("/api/v1/event-types/subscribeFromApi").is_success


def test_a_timeline_is_paged_without_holes(api: httpx.Client, name: str):
    """Equal moments too; an id of a merged contact leads to the survivor (D14)."""
    who = contact(api, name)
    whom = {"externalCustomerId": name}
    for number in range(7):
        at = "2025-01-01T10:00" if number < 4 else f"2019-0{number}-01"
        assert send(api, f"e{number}", params=whom, occurred=at).is_success
    every = timeline(api, who)
    assert [item["key"] for item in every] == ["e3", "e2", "e1", "e0", "e6", "e5", "e4"]
    pages, before = [], ""
    while page := timeline(api, who, maxrows=2, before=before):
        pages += page
        before = page[-1]["cursor"]
    assert pages == every
    assert [i["key"] for i in timeline(api, who, before="2019-06-01")] == ["e5", "e4"]
    assert timeline(api, who, maxrows=0) == []
    assert timeline(api, who, type="order,visit") == []
    assert len(timeline(api, who, type="event")) == 7
    for asked, there in ({"maxrows": 2}, "7"), ({"type": "order"}, "0"), ({"before": "2019"}, None):
        answer = api.get(f"/api/v1/contact/{who}/timeline", params=asked)
        assert answer.headers.get("TotalCount") == there  # D23; behind `before` it is known
    for wrong in ({"before": "x"}, {"before": "2019-01-01~1"}, {"type": "mail"}, {"maxrows": "x"}):
        assert api.get(f"/api/v1/contact/{who}/timeline", params=wrong).status_code == 400
    assert api.get("/api/v1/contact/999999999/timeline").status_code == 404


def test_the_timeline_follows_a_retired_id(api: httpx.Client, name: str):
    token = {"channels": [{"type": "mobilepush", "value": f"T-{name}"}]}
    anonymous = api.post("/api/v1/contact", json=token).json()["id"]
    assert send(api, params={"pushToken": f"T-{name}"}).is_success
    who = contact(api, name)
    assert api.post("/api/v1/contact", json={"externalCustomerId": name, **token}).is_success
    answer = api.get(f"/api/v1/contact/{anonymous}/timeline")
    assert answer.headers["Kartoteka-Contact"] == str(who)
    assert len(answer.json()) == 1


def test_arabic_emoji_and_hostile_params(api: httpx.Client, name: str):
    who = contact(api, name)
    params = {"اسم": "مرحبا", "emoji": "🦊", "quote": "'; drop table event; --", "big": 10**40}
    assert send(api, "حدث", params={**params, "externalCustomerId": name}).is_success
    (item,) = timeline(api, who)
    assert (item["key"], item["params"]["اسم"], item["params"]["big"]) == ("حدث", "مرحبا", 10**40)
