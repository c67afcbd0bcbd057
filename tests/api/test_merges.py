"""Merges by hand and their undo over HTTP (decisions D11, D14, D28)."""

from __future__ import annotations

from typing import Any

import httpx


def make(api: httpx.Client, **said: Any) -> int:
    return int(api.post("/api/v1/contact", json=said).json()["id"])


def channels(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"type": kind, "value": value} for kind, value in pairs]


def two(api: httpx.Client, name: str) -> tuple[int, int]:
    """Ann with an External ID, and somebody who has a mailbox and a token."""
    ann = make(api, externalCustomerId=f"A-{name}", firstName="Ann")
    other = make(
        api,
        firstName="Anna",
        lastName="Koval",
        channels=channels(("email", f"{name}@x.example"), ("mobilepush", f"T-{name}")),
    )
    return ann, other


def test_a_dry_run_shows_the_result_and_changes_nothing(api: httpx.Client, name: str):
    ann, other = two(api, name)
    dry = api.post("/api/v1/merges", json={"keep": ann, "absorb": other, "dryRun": True})
    said = dry.json()
    assert (dry.status_code, said["dryRun"], "id" in said) == (200, True, False)
    assert (said["contact"]["firstName"], said["contact"]["lastName"]) == ("Ann", "Koval")
    assert {one["value"] for one in said["contact"]["identifiers"]} == {
        f"A-{name}",
        f"{name}@x.example",
        f"T-{name}",
    }
    assert said["leaves"] == []
    assert api.get(f"/api/v1/contact/{other}").json()["id"] == other


def test_merge_list_undo(api: httpx.Client, name: str):
    ann, other = two(api, name)
    merged = api.post("/api/v1/merges", json={"keep": ann, "absorb": str(other)}).json()
    followed = api.get(f"/api/v1/contact/{other}")
    assert (followed.json()["id"], followed.headers["Kartoteka-Contact"]) == (ann, str(ann))
    [listed] = api.get("/api/v1/merges", params={"contactId": other}).json()
    assert (listed["id"], listed["rule"]) == (merged["id"], "merged_by_request")
    assert "undoneAt" not in listed
    api.post(
        "/api/v1/contact", json={"town": "x", "channels": channels(("mobilepush", f"T-{name}"))}
    )
    api.post(
        "/api/v1/contact",
        json={"lastName": "Nova", "channels": channels(("mobilepush", f"T-{name}"))},
    )
    api.post("/api/v1/contact", json={"externalCustomerId": f"A-{name}", "lastName": "Lee"})
    path = f"/api/v1/merges/{merged['id']}/undo"
    dry = api.post(path, params={"dryRun": "true"}).json()
    assert (dry["dryRun"], dry["absorbed"]["lastName"]) == (True, "Nova")
    assert api.get(f"/api/v1/contact/{other}").json()["id"] == ann
    undone = api.post(path).json()
    assert (undone["survivor"]["lastName"], undone["absorbed"]["lastName"]) == ("Lee", "Nova")
    back = api.get(f"/api/v1/contact/{other}").json()
    assert (back["id"], back["firstName"], back["lastName"]) == (other, "Anna", "Nova")
    assert {"type": "email", "value": f"{name}@x.example"} in back["channels"]
    again = api.post(path)
    assert (again.status_code, again.json()["code"]) == (409, "merge_undone")
    assert "undoneAt" in api.get("/api/v1/merges", params={"contactId": ann}).json()[0]
    history = api.get(f"/api/v1/contact/{other}/identity").json()["history"]
    assert "undone" in {row["action"] for row in history}
    assert "said" not in {row["action"] for row in history}


def test_lists_and_events_come_back_too(api: httpx.Client, name: str):
    ann, other = two(api, name)
    subscribe = "/api/v1/contact/subscribe"
    mail = {"channels": channels(("email", f"{name}@x.example"))}
    api.post(subscribe, json={"contact": mail, "groups": [f"Before {name}"]})
    merge_id = api.post("/api/v1/merges", json={"keep": ann, "absorb": other}).json()["id"]
    api.post(subscribe, json={"contact": mail, "groups": [f"Since {name}"]})
    by_id = {"contact": {"externalCustomerId": f"A-{name}"}, "groups": [f"Ann {name}"]}
    api.post(subscribe, json=by_id)

    def lists(contact_id: int) -> set[str]:
        groups = api.get(f"/api/v1/contact/{contact_id}").json().get("groups", [])
        return {one["name"].split()[0] for one in groups}

    assert lists(ann) == {"Before", "Since", "Ann"}
    assert api.post(f"/api/v1/merges/{merge_id}/undo").status_code == 200
    assert (lists(ann), lists(other)) == ({"Ann"}, {"Before", "Since"})


def test_a_later_merge_is_named(api: httpx.Client, name: str):
    ann, other = two(api, name)
    third = make(api, externalCustomerId=f"B-{name}")
    first = api.post("/api/v1/merges", json={"keep": ann, "absorb": other}).json()["id"]
    later = api.post("/api/v1/merges", json={"keep": third, "absorb": ann}).json()["id"]
    refused = api.post(f"/api/v1/merges/{first}/undo")
    assert (refused.status_code, refused.json()["code"]) == (409, "later_merge")
    assert refused.json()["details"] == {"mergeId": later}
    for one in (later, first):
        assert api.post(f"/api/v1/merges/{one}/undo").status_code == 200


def test_what_is_asked_must_be_two_live_contacts(api: httpx.Client, name: str):
    ann, other = two(api, name)
    for body in ({}, {"keep": ann}, {"keep": ann, "absorb": "x"}, {"keep": True, "absorb": 1}):
        assert api.post("/api/v1/merges", json=body).status_code == 400
    same = api.post("/api/v1/merges", json={"keep": ann, "absorb": ann})
    assert (same.status_code, same.json()["code"]) == (400, "same_contact")
    assert api.post("/api/v1/merges", json={"keep": ann, "absorb": 10**15}).status_code == 404
    assert api.post("/api/v1/merges/999999999/undo").json()["code"] == "merge_unknown"
    api.post("/api/v1/merges", json={"keep": ann, "absorb": other})
    merged = api.post("/api/v1/merges", json={"keep": ann, "absorb": other})
    assert (merged.status_code, merged.json()["details"]) == (409, {"contactId": ann})


def test_not_the_same_is_remembered(api: httpx.Client, name: str):
    ann = make(api, externalCustomerId=f"A-{name}")
    token = channels(("mobilepush", f"T-{name}"))
    visitor = make(api, channels=token)
    pair = {"contactId": ann, "otherId": visitor}
    assert api.post("/api/v1/duplicates/not-the-same", json=pair).json()["changed"] is True
    assert api.post("/api/v1/duplicates/not-the-same", json=pair).json()["changed"] is False
    back = {**pair, "takeBack": True}
    for changed in (True, False):
        said = api.post("/api/v1/duplicates/not-the-same", json=back).json()
        assert said["changed"] is changed
    wrong = api.post("/api/v1/duplicates/not-the-same", json={**pair, "takeBack": "yes"})
    assert wrong.status_code == 400
    assert api.post("/api/v1/duplicates/not-the-same", json=pair).json()["changed"] is True
    make(api, externalCustomerId=f"A-{name}", channels=token)
    assert api.get(f"/api/v1/contact/{visitor}").json()["id"] == visitor
