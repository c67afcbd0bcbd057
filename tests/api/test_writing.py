"""Answers of the writing methods over HTTP (wire 3, decisions D16–D30)."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

CONTACT = "/api/v1/contact"


def add(api: httpx.Client, **body) -> int:
    answer = api.post(CONTACT, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


def email(value: str) -> dict:
    return {"type": "email", "value": value}


def test_the_same_person_gets_the_same_id(api, name):
    first = add(api, externalCustomerId=name, channels=[email(f"{name}@example.com")])
    assert add(api, externalCustomerId=name) == first
    assert add(api, channels=email(f"{name}@example.com")) == first


def test_token_then_external_id_is_one_contact(api, name):
    """Check 1 of wire 14, guide G4."""
    token = {"type": "mobilepush", "value": f"token-{name}"}
    first = add(api, channels=[token])
    again = add(api, channels=[token, email(f"{name}@example.com")], externalCustomerId=name)
    assert again == first


def test_woocommerce_body_with_blanks(api, name):
    """Check 16 of wire 14."""
    answer = api.post(
        f"{CONTACT}?explain=true",
        json={
            "externalCustomerId": 4639541,
            "firstName": " ",
            "lastName": " ",
            "channels": [{"type": "sms", "value": " "}, email(f"{name}@example.com")],
            "address": {"region": "", "town": " ", "address": "", "postcode": ""},
            "languageCode": "uk",
        },
    )
    assert (answer.status_code, answer.json()["resolution"]["warnings"]) == (200, [])


def test_explain_adds_the_resolution_and_nothing_else_changes(api, name):
    body = {"externalCustomerId": name, "firstName": "123"}
    plain = api.post(CONTACT, json=body)
    assert list(plain.json()) == ["id"]
    explained = api.post(CONTACT, params={"explain": "true"}, json=body).json()
    assert explained["id"] == plain.json()["id"]
    resolution = explained["resolution"]
    assert (resolution["contactId"], resolution["outcome"]) == (explained["id"], "unchanged")
    assert (resolution["matchedBy"], resolution["rule"]) == ("external_id", "external_id")
    assert [warning["code"] for warning in resolution["warnings"]] == ["invalid_name"]


def test_a_dry_run_stores_nothing(api, name):
    body = {"externalCustomerId": name}
    answer = api.post(CONTACT, params={"dryRun": "true"}, json=body).json()
    assert answer["dryRun"] is True
    assert (answer["resolution"]["contactId"], answer["resolution"]["outcome"]) == (None, "created")
    assert api.delete(CONTACT, params=body).status_code == 404


def test_put_follows_explain_and_dry_run(api, name):
    contact_id = add(api, externalCustomerId=name)
    path = f"{CONTACT}/{contact_id}"
    dry = api.put(path, params={"dryRun": 1}, json={"firstName": "Anna"}).json()
    assert (dry["dryRun"], dry["resolution"]["outcome"]) == (True, "updated")
    done = api.put(path, params={"explain": 1}, json={"firstName": "Anna"}).json()
    assert (done["id"], done["resolution"]["outcome"]) == (contact_id, "updated")


def test_put_of_a_wrapped_body_changes_nothing_and_succeeds(api, name):
    contact_id = add(api, externalCustomerId=name)
    body = {"contact": {"firstName": "Anna"}, "groups": None, "formType": None}
    answer = api.put(f"{CONTACT}/{contact_id}", json=body)
    assert answer.text == f"Contact with id='{contact_id}' has been updated"


def test_put_clears_what_it_names(api, name):
    contact_id = add(api, externalCustomerId=name, firstName="Anna")
    answer = api.put(
        f"{CONTACT}/{contact_id}",
        params={"clear": "firstName,externalCustomerId", "explain": "true"},
        json={},
    )
    warnings = answer.json()["resolution"]["warnings"]
    assert [warning["code"] for warning in warnings] == ["no_identifier_left"]


def test_put_clears_what_a_repeated_clear_names(api, name):
    """Decisions D16: a list with commas, as the other spelling of a list in a query."""
    contact_id = add(api, externalCustomerId=name, firstName="Anna", lastName="K", contactKey="k")
    query = "clear=firstName&clear=lastName,%20contactKey"
    assert api.put(f"{CONTACT}/{contact_id}?{query}", json={}).status_code == 200
    left = api.get(f"{CONTACT}/{contact_id}").json()
    assert not left.keys() & {"firstName", "lastName", "contactKey"}


def test_put_of_somebody_elses_external_id_names_the_owner(api, name):
    """Check 5 of wire 14, decisions D11."""
    owner = add(api, externalCustomerId=name)
    other = add(api, externalCustomerId=f"{name}-2")
    answer = api.put(f"{CONTACT}/{other}", json={"externalCustomerId": name})
    body = answer.json()
    assert (answer.status_code, body["code"]) == (400, "external_id_taken")
    assert f"id='{owner}'" in body["message"]
    assert body["details"]["contactId"] == owner


def test_delete_by_external_id_as_plug_ins_spell_it(api, name):
    contact_id = add(api, externalCustomerId=name)
    for erase in ("false", "0", "", "true", "1"):
        answer = api.delete(CONTACT, params={"externalCustomerId": name, "erase": erase})
        assert answer.status_code == 200, erase
        assert answer.text == f"Contact with id='{contact_id}' has been deleted"
    unknown = api.delete(CONTACT, params={"externalCustomerId": f"never-{name}"})
    assert unknown.status_code == 404
    assert "not found" in unknown.json()["message"]


def test_removed_then_named_again_is_restored_erased_is_new(api, name):
    """Checks 3 and 4 of wire 14."""
    contact_id = add(api, externalCustomerId=name)
    api.delete(f"{CONTACT}/{contact_id}")
    assert add(api, externalCustomerId=name) == contact_id
    api.delete(f"{CONTACT}/{contact_id}", params={"erase": "true"})
    assert add(api, externalCustomerId=name) != contact_id


def test_subscribe_tells_id_status_and_whether_it_is_new(api, name):
    contact = {"channels": [email(f"{name}@example.com")]}
    body = {"contact": contact, "groups": "Newsletter", "subscriptions": None, "formType": None}
    first = api.post(f"{CONTACT}/subscribe", json=body).json()
    assert (first["emailStatus"], first["new"]) == ("NEED_CONFIRMATION", True)
    again = api.post(f"{CONTACT}/subscribe/", json=body).json()
    assert (again["id"], again["new"]) == (first["id"], False)


def test_subscribe_with_a_phone_only_has_no_email_status(api):
    contact = {"channels": {"type": "sms", "value": "+380671234567"}}
    answer = api.post(f"{CONTACT}/subscribe", json={"contact": contact, "dedupeOn": "sms"}).json()
    assert set(answer) == {"id", "new"}


def test_app_tokens_are_added_activated_and_muted(api, name):
    contact_id = add(api, externalCustomerId=name)
    app, token = f"app-{name}", f"tele/{name}?"
    tokens = {"tokens": [{"token": token, "contactId": contact_id}]}
    assert api.post(f"/api/v1/apps/{app}/tokens", json=tokens).status_code == 200
    path = f"/api/v1/contact/token/activated/{app}/tele%2F{name}%3F"
    answer = api.put(path, json={"active": "false"})
    assert (answer.status_code, answer.json()) == (200, {"active": False})
    body = {"token": token, "duration": 60}
    assert api.post(f"/api/v1/apps/{app}/token/mute", json=body).status_code == 200
    assert api.post(f"/api/v1/apps/{app}/token/unmute", json={"token": token}).status_code == 200
    unknown = api.post(f"/api/v1/apps/{app}/token/mute", json={**body, "token": "other"})
    assert unknown.status_code == 404


def test_a_token_of_nobody_leaves_the_others_of_its_call(api, name):
    """Decisions D8, D21: never an error over what was stored."""
    path, nobody = f"/api/v1/apps/app-{name}/tokens", {"token": f"n-{name}", "contactId": 2**40}
    tokens = [{"token": f"t-{name}", "email": f"{name}@example.com"}, nobody]
    answer = api.post(path, json={"tokens": tokens})
    assert (answer.status_code, answer.text) == (200, "Tokens have been added, except 1 of nobody")
    assert api.post(path, json={"tokens": tokens[:1]}).text == "Tokens have been added"
    answer = api.post(path, json={"tokens": [nobody, nobody]})
    assert (answer.status_code, answer.json()["code"]) == (400, "no_identifier")


def test_subscriptions_and_the_unsubscribe_list(api, name):
    contact_id = add(api, channels=[email(f"{name}@example.com")])
    path = f"{CONTACT}/{contact_id}/subscriptions"
    assert api.put(path, json={"subscriptions": ["news", "news"]}).status_code == 200
    for what in ("add", "delete"):
        answer = api.post(
            f"/api/v1/emails/unsubscribed/{what}", json={"emails": [f"{name}@example.com"]}
        )
        assert (answer.status_code, answer.content) == (200, b"")
        assert "content-type" not in answer.headers


def test_a_contact_token_is_empty_for_nobody(api, name):
    path = "/api/v1/auth/contact/token"
    add(api, externalCustomerId=name, channels=[email(f"{name}@example.com")])
    known = api.post(path, json={"email": f"{name.upper()}@example.com", "phone": ""})
    assert known.json()["token"]
    stranger = {"externalCustomerId": f"never-{name}", "email": f"{name}@example.com"}
    answer = api.post(path, json=stranger)
    assert (answer.status_code, answer.json()) == (200, {"token": ""})


def test_an_idempotency_key_gives_the_same_answer_again(api, name):
    headers = {"Idempotency-Key": name}
    body = {"contact": {"externalCustomerId": name}}
    first = api.post(f"{CONTACT}/subscribe", json=body, headers=headers)
    again = api.post(f"{CONTACT}/subscribe", json=body, headers=headers)
    assert first.json()["new"] is True
    assert again.json() == first.json()
    other = api.post(
        f"{CONTACT}/subscribe", json={"contact": {"externalCustomerId": "Y"}}, headers=headers
    )
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


@pytest.fixture
def setting(api: httpx.Client):
    """Changes a setting, and back after the test."""
    changed: list[str] = []

    def change(**settings) -> None:
        changed.extend(settings)
        assert api.patch("/api/v1/account/settings", json=settings).status_code == 200

    yield change
    back = dict.fromkeys(changed)
    while api.patch("/api/v1/account/settings", json=back).status_code == 429:
        time.sleep(0.2)


def test_repeats_are_refused_where_the_account_wants_it(api, setting, name):
    """Check 13 of wire 14."""
    setting(refuse_repeats=True)
    body = {"externalCustomerId": name}
    assert api.post(CONTACT, json=body).status_code == 200
    repeat = api.post(CONTACT, json=body)
    assert (repeat.status_code, repeat.json()["code"]) == (409, "duplicated_request")
    assert "Duplicated request" in repeat.json()["message"]
    assert api.post(CONTACT, json={**body, "firstName": "Anna"}).status_code == 200


def test_rate_limits_where_the_account_wants_them(api, setting):
    """Of what is limited most, which a slow machine reaches too: five in a second."""
    setting(rate_limits=True)
    refused: list[httpx.Response] = []
    deadline = time.monotonic() + 60
    with ThreadPoolExecutor(8) as threads:
        while not refused:
            assert time.monotonic() < deadline
            asked = [threads.submit(api.request, "DELETE", "/api/v1/past_events") for _ in range(8)]
            answers = [one.result() for one in asked]
            refused = [answer for answer in answers if answer.status_code == 429]
            assert {answer.status_code for answer in answers} <= {400, 409, 429}
    assert refused[0].headers["retry-after"] == "1"
    assert refused[0].json()["code"] == "rate_limited"


def test_settings_are_shown_changed_and_set_back(api):
    path = "/api/v1/account/settings"
    before = api.get(path).json()
    changed = api.patch(path, json={"absorb": "never", "never_identifiers": ["shop.example"]})
    assert (changed.json()["absorb"], changed.json()["never_identifiers"]) == (
        "never",
        ["shop.example"],
    )
    assert api.patch(path, json={"absorb": None, "never_identifiers": None}).json() == before


def test_health_and_metrics_tell_a_stranger_only_up_or_down(api, stranger):
    assert stranger.get("/health").json() == {"status": "ok"}
    assert set(api.get("/health").json()) == {"status", "version", "database"}
    lines = [line for line in stranger.get("/metrics").text.splitlines() if line[0] != "#"]
    assert lines == ["kartoteka_up 1"]
    assert (
        'kartoteka_http_requests_total{operation="health",status="200"}' in api.get("/metrics").text
    )


def test_log_lines_name_routes_never_values(server, api, name):
    add(api, externalCustomerId=f"secret-{name}", channels=[email(f"secret-{name}@example.com")])
    api.delete(CONTACT, params={"externalCustomerId": f"secret-{name}"})
    api.put(f"/api/v1/contact/token/activated/a/secret-{name}", json={"active": True})
    answer = api.get("/api/v1/version", headers={"X-Request-Id": f"last-{name}"})
    assert answer.status_code == 200
    deadline = time.monotonic() + 60
    while f"last-{name}" not in (text := server.log.read_text()) and time.monotonic() < deadline:
        time.sleep(0.02)  # lines are written a moment later, many at once
    assert f"secret-{name}" not in text
    assert server.key not in text
    lines = [json.loads(line) for line in text.splitlines() if f"last-{name}" in line]
    assert (lines[0]["route"], lines[0]["status"]) == ("/api/v1/version", 200)
    assert lines[0]["key_id"] > 0
