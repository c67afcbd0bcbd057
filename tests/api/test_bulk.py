"""POST contacts and importstatus, as the clients of the original use them (wire 3.9, 3.10)."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from tests.api.conftest import make_key


def contact(email: str, **more: Any) -> dict[str, Any]:
    return {"channels": [{"type": "email", "value": email}], **more}


def post(api: httpx.Client, *contacts: Any, **more: Any) -> httpx.Response:
    return api.post("/api/v1/contacts", json={"dedupeOn": "email", "contacts": contacts, **more})


def status_of(api: httpx.Client, answer: httpx.Response, timeout_s: float = 60) -> dict[str, Any]:
    """The status of a call when it is over."""
    path = f"/api/v1/importstatus/{answer.json()['asyncSessionId']}"
    deadline = time.monotonic() + timeout_s
    while (body := api.get(path).json())["status"] not in ("FINISHED", "ERROR"):
        assert body["status"] in ("STARTED", "IMPORTING")
        assert time.monotonic() < deadline, body
        time.sleep(0.1)
    return body


def test_a_call_answers_as_clients_need_it(api: httpx.Client, name: str):
    answer = post(api, contact(f"{name}@example.com", firstName="Alice"))
    assert answer.status_code == 200
    assert set(answer.json()) == {"id", "asyncSessionId"}
    assert answer.json()["id"] == 0
    assert isinstance(answer.json()["asyncSessionId"], str)


def test_what_was_sent_is_there_when_the_status_says_so(api: httpx.Client, name: str):
    emails = [f"{name}-{number}@example.com" for number in range(3)]
    answer = post(api, *[contact(email, firstName="Alice") for email in emails])
    status = status_of(api, answer)
    assert status["status"] == "FINISHED"
    assert "description" not in status
    assert [pair["dedupeValue"] for pair in status["mapping"]] == emails
    for pair in status["mapping"]:
        found = api.get("/api/v1/contacts", params={"email": pair["dedupeValue"]}).json()
        assert [one["id"] for one in found] == [pair["contactId"]]
        assert found[0]["firstName"] == "Alice"


def test_the_mapping_of_one_contact_is_a_list_too(api: httpx.Client, name: str):
    status = status_of(api, post(api, contact(f"{name}@example.com")))
    assert isinstance(status["mapping"], list)
    assert len(status["mapping"]) == 1


def test_one_failed_contact_is_an_object_several_are_a_list(api: httpx.Client, name: str):
    good, nameless = contact(f"{name}@example.com"), {"firstName": "Nobody", "fields": []}
    one = post(api, good, nameless)
    assert one.status_code == 200
    assert one.json()["failedContacts"] == {
        **nameless,
        "error": "The row has no E-mail, by which contacts are found, and no External ID.",
        "code": "no_email",
    }
    two = post(api, nameless, good, "Alice").json()["failedContacts"]
    assert [failed["code"] for failed in two] == ["no_email", "invalid_contact"]
    assert two[1]["contact"] == "Alice"
    nul = {**good, "firstName": "\x00"}
    assert post(api, nul, good).json()["failedContacts"] == {
        **nul,
        "error": "A text of the contact contains the character NUL.",
        "code": "not_storable",
    }


def test_failed_contacts_stand_in_the_statement(api: httpx.Client, name: str):
    answer = post(api, {"firstName": "Nobody"}, contact(f"{name}@example.com"))
    assert len(status_of(api, answer)["mapping"]) == 1
    newest = api.get("/api/v1/imports", params={"maxrows": 1}).json()[0]
    assert newest["sessionId"] == answer.json()["asyncSessionId"]
    assert (newest["source"], newest["state"], newest["total"]) == ("call", "finished", 2)
    rows = api.get(f"/api/v1/imports/{newest['id']}/rows").json()
    assert [(row["row"], row["outcome"]) for row in rows] == [(1, "failed"), (2, "created")]
    assert rows[0]["code"] == "no_email"


@pytest.mark.parametrize(
    ("body", "member"),
    [
        ({"dedupeOn": "email"}, "contacts"),
        ({"dedupeOn": "email", "contacts": []}, "contacts"),
        ({"dedupeOn": "email", "contacts": "all"}, "contacts"),
        ({"dedupeOn": "email", "contacts": [{}] * 3_001}, "contacts"),
        ({"contacts": [{}]}, "dedupeOn"),
        ({"dedupeOn": "shoe size", "contacts": [{}]}, "dedupeOn"),
        ({"dedupeOn": "fieldId", "contacts": [{}]}, "fieldId"),
        ({"dedupeOn": "email", "contacts": [{}], "restoreDeleted": "perhaps"}, "restoreDeleted"),
    ],
    ids=[
        *("no contacts", "empty", "no list", "too many", "no dedupeOn", "unknown dedupeOn"),
        *("no fieldId", "no flag"),
    ],
)
def test_a_call_that_makes_no_sense_is_refused_whole(
    api: httpx.Client, body: dict[str, Any], member: str
):
    before = api.get("/api/v1/imports").headers["totalcount"]
    answer = api.post("/api/v1/contacts", json=body)
    assert (answer.status_code, answer.json()["details"]) == (400, {"member": member})
    assert api.get("/api/v1/imports").headers["totalcount"] == before


def test_three_thousand_contacts_go_in_one_call(api: httpx.Client, name: str):
    contacts = [contact(f"{name}-{number}@example.com") for number in range(3_000)]
    status = status_of(api, post(api, *contacts))
    assert (status["status"], len(status["mapping"])) == ("FINISHED", 3_000)


def test_a_dry_run_answers_at_once_in_the_order_of_the_call(api: httpx.Client, name: str):
    known = contact(f"{name}-known@example.com")
    status_of(api, post(api, known))
    new = contact(f"{name}-new@example.com", externalCustomerId=name)
    before = api.get("/api/v1/imports").headers["totalcount"]
    answer = api.post(
        "/api/v1/contacts?dryRun=true",
        json={"dedupeOn": "email", "contacts": [known, {"firstName": "No"}, new, new]},
    )
    body = answer.json()
    assert (answer.status_code, body["id"], body["dryRun"]) == (200, 0, True)
    outcomes = [one["outcome"] for one in body["resolutions"]]
    assert outcomes == ["unchanged", "failed", "created", "unchanged"]
    assert body["resolutions"][1]["warnings"][0]["code"] == "no_email"
    assert [one["contactId"] for one in body["resolutions"][2:]] == [None, None]
    assert api.get("/api/v1/contacts", params={"externalCustomerId": name}).json() == []
    assert api.get("/api/v1/imports").headers["totalcount"] == before


def test_a_dry_run_needs_the_right_to_read(server: Any, name: str):
    key = make_key(server, "--rights", "contacts_write")
    with httpx.Client(base_url=server.url, auth=("", key), timeout=120) as writer:
        body = {"dedupeOn": "email", "contacts": [contact(f"{name}@example.com")]}
        assert writer.post("/api/v1/contacts", json=body).status_code == 200
        assert writer.post("/api/v1/contacts?dryRun=1", json=body).status_code == 403
        assert writer.post("/api/v1/contacts?explain=1", json=body).status_code == 403


def test_the_same_idempotency_key_is_the_same_call(api: httpx.Client, name: str):
    headers = {"Idempotency-Key": name}
    body = {"dedupeOn": "email", "contacts": [contact(f"{name}@example.com"), {"firstName": "No"}]}
    first = api.post("/api/v1/contacts", json=body, headers=headers)
    again = api.post("/api/v1/contacts", json=body, headers=headers)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json()
    other = {**body, "restoreDeleted": True}
    refused = api.post("/api/v1/contacts", json=other, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")


def test_without_a_key_the_same_call_is_another_one(api: httpx.Client, name: str):
    sent = contact(f"{name}@example.com")
    first, again = post(api, sent), post(api, sent)
    assert first.json()["asyncSessionId"] != again.json()["asyncSessionId"]
    pairs = status_of(api, first)["mapping"], status_of(api, again)["mapping"]
    assert pairs[0] == pairs[1]


def test_a_listed_field_that_is_not_given_is_cleared(api: httpx.Client, name: str):
    """WooCommerce removes a phone this way (clients 2)."""
    email = f"{name}@example.com"
    phone = {"type": "sms", "value": "+380671234567"}
    full = {"channels": [{"type": "email", "value": email}, phone], "firstName": "Alice"}
    status_of(api, post(api, full))
    status_of(api, post(api, contact(email), contactFields=["sms"]))
    found = api.get("/api/v1/contacts", params={"email": email}).json()[0]
    assert [one["type"] for one in found["channels"]] == ["email"]
    assert found["firstName"] == "Alice"


def test_an_unknown_session_is_not_found(api: httpx.Client):
    answer = api.get("/api/v1/importstatus/abc23456789")
    assert (answer.status_code, answer.json()["status"]) == (404, 404)
