"""Merges by hand and their undo over HTTP (decisions D11, D14, D28)."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from tests.api.conftest import make_key
from tests.conftest import COMMAND, clean_environment


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
    for who in (ann, other):  # D28: of either side, also when it was undone
        assert "undoneAt" in api.get("/api/v1/merges", params={"contactId": who}).json()[0]
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


def test_who_was_told_apart_stays_apart_on_another_card(api: httpx.Client, name: str):
    """One of them is part of a third card by now; taken back for that card, the rules decide again."""
    one, two = (channels(("mobilepush", f"{n}-{name}")) for n in "TU")
    a, b, c = make(api, channels=one), make(api, channels=two), make(api, externalCustomerId=name)
    undo(api, merge(api, a, b).json()["id"])
    assert merge(api, c, a).status_code == 200
    assert api.get("/api/v1/why-not", params={"a": b, "b": c}).json()["rule"] == "undone"
    pair = {"contactId": b, "otherId": c}
    back = {**pair, "takeBack": True}
    assert api.post("/api/v1/duplicates/not-the-same", json=pair).json()["changed"] is False
    make(api, externalCustomerId=name, channels=two)
    assert api.get(f"/api/v1/contact/{b}").json()["id"] == b
    assert api.post("/api/v1/duplicates/not-the-same", json=back).json()["changed"] is True
    assert api.post("/api/v1/duplicates/not-the-same", json=back).json()["changed"] is False


def merge(api: httpx.Client, keep: int, absorb: int) -> httpx.Response:
    return api.post("/api/v1/merges", json={"keep": keep, "absorb": absorb})


def undo(api: httpx.Client, merge_id: int) -> httpx.Response:
    return api.post(f"/api/v1/merges/{merge_id}/undo")


def seen(api: httpx.Client, *contact_ids: int) -> list[Any]:
    """All that is shown of these contacts, whoever holds them now."""
    paths = [f"/api/v1/contact/{one}{more}" for one in contact_ids for more in ("", "/identity")]
    paths += [f"/api/v1/merges?contactId={one}" for one in contact_ids]
    found = [(answer.status_code, answer.json()) for answer in map(api.get, paths)]
    for _, body in found:
        if isinstance(body, dict):
            body.pop("timestamp", None)
    return found


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_nobody_is_merged_with_who_is_not_there(api: httpx.Client, name: str):
    """Removed and erased contacts, on either side; then nothing changes."""
    ann, other = two(api, name)
    removed, erased = (
        make(api, externalCustomerId=f"R-{name}"),
        make(api, firstName="Eve", **_token(name)),
    )
    api.delete(f"/api/v1/contact/{removed}")
    api.delete(f"/api/v1/contact/{erased}", params={"erase": "true"})
    before = seen(api, ann, other)
    for gone in (removed, erased):
        assert merge(api, ann, gone).status_code == 404
        assert merge(api, gone, ann).status_code == 404
    assert seen(api, ann, other) == before


def _token(name: str) -> dict[str, Any]:
    return {"channels": channels(("mobilepush", f"E-{name}"))}


def test_an_automatic_absorption_is_undone_too(api: httpx.Client, name: str):
    ann = make(
        api, externalCustomerId=f"A-{name}", channels=channels(("email", f"a{name}@x.example"))
    )
    visitor = make(api, firstName="Anna", channels=channels(("mobilepush", f"T-{name}")))
    before = seen(api, ann)[0], seen(api, visitor)[0]
    make(api, externalCustomerId=f"A-{name}", channels=channels(("mobilepush", f"T-{name}")))
    [listed] = api.get("/api/v1/merges", params={"contactId": visitor}).json()
    assert listed["rule"] == "absorbed_anonymous"
    assert undo(api, listed["id"]).status_code == 200
    assert (seen(api, ann)[0], seen(api, visitor)[0]) == before
    make(api, externalCustomerId=f"A-{name}", channels=channels(("mobilepush", f"T-{name}")))
    assert api.get(f"/api/v1/contact/{visitor}").json()["id"] == visitor


def test_of_two_undos_at_once_one_is_refused(api: httpx.Client, name: str):
    """And of two merges of one pair at once, whichever way round."""
    ann, other = two(api, name)
    with ThreadPoolExecutor(4) as threads:
        pairs = [(ann, other), (other, ann), (ann, other), (other, ann)]
        answers = list(threads.map(lambda pair: merge(api, *pair), pairs))
        assert sorted(one.status_code for one in answers) == [200, 409, 409, 409]
        [done] = [one.json()["id"] for one in answers if one.status_code == 200]
        answers = list(threads.map(lambda merge_id: undo(api, merge_id), [done] * 4))
    assert sorted(one.status_code for one in answers) == [200, 409, 409, 409]
    assert {api.get(f"/api/v1/contact/{one}").json()["id"] for one in (ann, other)} == {ann, other}


def test_what_was_erased_does_not_come_back(api: httpx.Client, name: str):
    ann, other = two(api, name)
    done = merge(api, ann, other).json()["id"]
    assert api.delete(f"/api/v1/contact/{ann}", params={"erase": "true"}).status_code == 200
    before = seen(api, ann, other)
    assert refusal(undo(api, done)) == (409, "merge_erased")
    assert seen(api, ann, other) == before
    assert [status for status, _ in before[:4:2]] == [404, 404]


def test_an_external_id_that_is_elsewhere_is_named_and_nothing_changes(
    api: httpx.Client, name: str
):
    """D11: cleared off the merged contact, and somebody else got it."""
    ann, ben = make(api, externalCustomerId=f"A-{name}"), make(api, externalCustomerId=f"B-{name}")
    done = merge(api, ann, ben).json()["id"]
    assert api.put(f"/api/v1/contact/{ann}?clear=formerExternalIds", json={}).status_code == 200
    other = make(api, externalCustomerId=f"B-{name}")
    before = seen(api, ann, ben, other)
    refused = undo(api, done)
    assert refusal(refused) == (409, "undo_breaks_external_id")
    assert refused.json()["details"] == {"contactId": other}
    assert seen(api, ann, ben, other) == before


def test_a_dry_run_is_what_then_happens(api: httpx.Client, name: str):
    """Of a merge and of its undo; a dry run of either leaves everything as it was."""
    ann, other = two(api, name)
    before = seen(api, ann, other)
    dry = api.post("/api/v1/merges?dryRun=true", json={"keep": ann, "absorb": other}).json()
    assert seen(api, ann, other) == before
    done = merge(api, ann, other).json()
    shown = api.get(f"/api/v1/contact/{ann}").json()
    assert (dry["contact"]["firstName"], dry["contact"]["lastName"]) == (
        shown["firstName"],
        shown["lastName"],
    )
    merged = seen(api, ann, other)
    path = f"/api/v1/merges/{done['id']}/undo"
    dry = api.post(path, params={"dryRun": "true"}).json()
    assert seen(api, ann, other) == merged
    undone = api.post(path).json()
    assert {key: dry[key] for key in ("survivor", "absorbed")} == {
        key: undone[key] for key in ("survivor", "absorbed")
    }


def test_what_came_by_an_address_that_had_left_comes_to_its_owner(api: httpx.Client, name: str):
    """Issue 7: what stands is what would stand had the merge never happened, orders and lists too."""
    mails = [channels(("email", f"{who}.{name}@x.ua")) for who in ("ann", "ben")]
    ann, ben = (
        make(api, externalCustomerId=f"{who}-{name}", channels=mail)
        for who, mail in zip("AB", mails, strict=True)
    )
    merge = api.post("/api/v1/merges", json={"keep": ann, "absorb": ben}).json()["id"]
    order = {
        "externalOrderId": f"O-{name}",
        "email": f"ben.{name}@x.ua",
        "totalCost": 5,
        "status": "DELIVERED",
        "date": "2026-01-01T00:00:00Z",
    }
    assert api.post("/api/v1/orders", json={"orders": [order]}).content == b""
    body = {"contact": {"channels": mails[1]}, "groups": [f"News {name}"]}
    came = api.post("/api/v1/contact/subscribe", json=body).json()["id"]
    assert came not in (ann, ben)
    dry = api.post(f"/api/v1/merges/{merge}/undo?dryRun=true").json()
    undone = api.post(f"/api/v1/merges/{merge}/undo").json()
    assert dry == {**undone, "dryRun": True}
    assert undone["joins"] == [came]
    card = api.get(f"/api/v1/contact/{came}")
    assert (card.json()["id"], card.headers["Kartoteka-Contact"]) == (ben, str(ben))
    assert [one["name"] for one in card.json()["groups"]] == [f"News {name}"]
    seen = api.get(f"/api/v1/contact/{ben}/timeline").text
    assert f"O-{name}" in seen
    assert f"O-{name}" not in api.get(f"/api/v1/contact/{ann}/timeline").text
    listed = api.get("/api/v1/merges", params={"contactId": ben}).json()
    assert [one["absorbed"] for one in listed] == [came, ben]
    assert api.post(f"/api/v1/merges/{listed[0]['id']}/undo").status_code == 200
    assert api.get(f"/api/v1/contact/{came}").json()["id"] == came


def test_only_a_key_of_full_rights_merges(
    api: httpx.Client, stranger: httpx.Client, keys: dict[str, str], name: str
):
    """D21: nor is anybody else told which merges there were."""
    ann, other = two(api, name)
    done = merge(api, ann, other).json()["id"]
    before = seen(api, ann, other)
    for rights in ("contacts", "contacts_write", "events", "write", "browser", "app"):
        key = ("", keys[rights])
        body = {"keep": ann, "absorb": other, "dryRun": True}
        assert stranger.post("/api/v1/merges", json=body, auth=key).status_code in (401, 403)
        for dry in ("false", "true"):
            answer = stranger.post(f"/api/v1/merges/{done}/undo?dryRun={dry}", auth=key)
            assert answer.status_code in (401, 403)
        listed = stranger.get(f"/api/v1/merges?contactId={ann}", auth=key)
        assert listed.status_code in (401, 403)
    assert stranger.post(f"/api/v1/merges/{done}/undo").status_code == 401
    assert seen(api, ann, other) == before


def test_another_accounts_merges_are_not_there(api: httpx.Client, server: Any, name: str):
    ann, other = two(api, name)
    done = merge(api, ann, other).json()["id"]
    folder = {"KARTOTEKA_DATA_DIR": str(server.log.parent / "data")}
    create = [COMMAND, "accounts", "create", name]
    subprocess.run(create, env=clean_environment() | folder, capture_output=True, check=True)
    key = make_key(server, "--account", name)
    before = seen(api, ann, other)
    with httpx.Client(base_url=server.url, auth=("", key), timeout=120) as mallory:
        hers = make(mallory, externalCustomerId="M")
        assert refusal(undo(mallory, done)) == (404, "merge_unknown")
        assert merge(mallory, hers, ann).status_code == 404
        assert merge(mallory, ann, hers).status_code == 404
        listed = mallory.get("/api/v1/merges", params={"contactId": ann})
        assert listed.status_code == 404 or listed.json() == []
    assert seen(api, ann, other) == before
