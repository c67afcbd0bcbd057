"""Possible duplicates, and values in quarantine (decisions D6, D28)."""

from __future__ import annotations

import subprocess
import time
import uuid
from typing import Any

import httpx
import psycopg
import pytest

from kartoteka.contacts.duplicate_search import CHANNEL, LOCK
from kartoteka.db.embedded import running_url
from tests.api.conftest import COMMAND
from tests.api.test_merges import channels, make
from tests.conftest import clean_environment


def pairs(api: httpx.Client, **params: str) -> dict[tuple[int, int], dict]:
    answer = api.get("/api/v1/duplicates", params={"maxrows": "500", **params})
    assert answer.status_code == 200, answer.text
    return {(one["contactId"], one["otherId"]): one for one in answer.json()}


def test_the_same_address_kept_apart_says_why(api: httpx.Client, name: str):
    mail = channels(("email", f"{name}@x.ua"))
    ann = make(api, externalCustomerId=f"A-{name}", firstName="Ann", channels=mail)
    ben = make(api, externalCustomerId=f"B-{name}", firstName="Ben", channels=mail)
    found = pairs(api)[ann, ben]
    assert (found["shares"], found["rule"]) == ("email", "has_external_id")
    assert {one["field"] for one in found["differs"]} == {"external_id", "firstName"}
    said = {"contactId": ann, "otherId": ben}
    api.post("/api/v1/duplicates/not-the-same", json=said)
    assert (ann, ben) not in pairs(api)
    assert pairs(api, by="apart")[ann, ben]["rule"] == "not_the_same"
    for changed in (True, False):
        back = api.post("/api/v1/duplicates/not-the-same", json={**said, "takeBack": True})
        assert (back.status_code, back.json()["changed"]) == (200, changed)
    assert (ann, ben) in pairs(api)
    assert (ann, ben) not in pairs(api, by="apart")


@pytest.mark.parametrize("goes", ["merged", "removed", "erased"])
def test_who_is_gone_is_no_duplicate(api: httpx.Client, name: str, goes: str):
    mail = channels(("email", f"{name}@x.ua"))
    ann = make(api, externalCustomerId=f"A-{name}", channels=mail)
    ben = make(api, externalCustomerId=f"B-{name}", channels=mail)
    assert (ann, ben) in pairs(api)
    if goes == "merged":
        api.post("/api/v1/merges", json={"keep": ann, "absorb": ben})
    else:
        api.delete(f"/api/v1/contact/{ben}", params={"erase": "true"} if goes == "erased" else {})
    assert (ann, ben) not in pairs(api)


def test_pages_follow_each_other(api: httpx.Client, name: str):
    mail = channels(("email", f"{name}@x.ua"))
    four = [make(api, externalCustomerId=f"{one}-{name}", channels=mail) for one in range(4)]
    whole = list(pairs(api))
    assert {(one, other) for one in four for other in four if one < other} <= set(whole)
    paged = [
        (one["contactId"], one["otherId"])
        for start in range(1, len(whole) + 2, 4)
        for one in api.get("/api/v1/duplicates", params={"startindex": start, "maxrows": 4}).json()
    ]
    assert paged == whole
    counted = api.get("/api/v1/duplicates", params={"maxrows": 1})
    assert counted.headers["TotalCount"] == str(len(whole))


def test_both_kinds_stand_in_one_list_of_what_is_there_now(api: httpx.Client, name: str):
    """Issue 7: the same address with its reason, look-alikes with their score; nobody asked to look."""
    home = {"town": "Kharkiv", "address": "Sumska 5", "postcode": "61000"}
    last = "Alike" + "".join(chr(97 + ord(one) % 26) for one in uuid.uuid4().hex[:12])
    mail = channels(("email", f"both.{name}@x.ua"))
    ann = make(
        api, externalCustomerId=f"A-{name}", firstName="Solomiia", lastName=last, address=home
    )
    twin = make(
        api, externalCustomerId=f"B-{name}", firstName="Solomia", lastName=last, address=home
    )
    found = pairs(api)[ann, twin]
    assert (found["score"] > 0.9, found["fields"]["lastName"]) == (True, 1.0)
    assert "shares" not in found
    for who in (ann, twin):
        api.put(f"/api/v1/contact/{who}", json={"channels": mail})
    found = pairs(api)[ann, twin]
    assert (found["shares"], found["rule"]) == ("email", "has_external_id")
    assert found["score"] > 0.9
    assert (ann, twin) in pairs(api, by="likeness")
    assert "score" not in pairs(api, by="address")[ann, twin]


def test_a_search_that_is_asked_for_is_carried_out_behind_the_answer(
    api: httpx.Client, server: Any, name: str
):
    path = "/api/v1/duplicates/search"
    assert api.get(path).json()["state"] in ("never", "finished")
    word = "".join(filter(str.isalpha, name))
    same = {"firstName": "Oleksandr", "lastName": f"Twin-{word}"}
    home = {"town": "Lviv", "address": "Rynok 1", "postcode": "79000"}
    one, other = (
        make(api, externalCustomerId=f"{which}-{name}", address=home, **same) for which in "AB"
    )
    with psycopg.connect(running_url(server.log.parent / "data"), autocommit=True) as holder:
        # Nobody may begin it yet.
        holder.execute("select pg_advisory_lock(%s, account_id::int) from account", [LOCK])
        asked = api.post(path)
        assert (asked.status_code, asked.json()["state"]) == (202, "waiting")
        assert api.post(path).json()["askedAt"] == asked.json()["askedAt"]
        holder.execute("select pg_advisory_unlock_all()")
        holder.execute(f"notify {CHANNEL}")  # or they look again in five seconds
    deadline = time.monotonic() + 180
    while (state := api.get(path).json())["state"] != "finished":
        assert time.monotonic() < deadline, state
        time.sleep(0.2)
    assert state["contacts"] >= 2
    assert state["found"] >= 1
    assert (one, other) in pairs(api, by="likeness")


def test_look_alikes_with_their_score_by_field(api: httpx.Client, server, name: str):
    one = make(
        api,
        externalCustomerId=f"A-{name}",
        firstName="Kateryna",
        lastName="Shevchenko",
        address={"town": "Lviv", "address": "Rynok 1", "postcode": "79000"},
    )
    other = make(
        api,
        externalCustomerId=f"B-{name}",
        firstName="Katerina",
        lastName="Shevchenko",
        address={"town": "Lviv", "address": "Rynok, 1", "postcode": "79000"},
    )
    far = make(api, externalCustomerId=f"C-{name}", firstName="Ivan", lastName="Shevchenko")
    done = subprocess.run(
        [COMMAND, "identity", "duplicates"],
        env=clean_environment() | {"KARTOTEKA_DATA_DIR": str(server.log.parent / "data")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "alike" in done.stdout
    found = pairs(api, by="likeness")
    assert found[one, other]["score"] > 0.9
    assert found[one, other]["fields"]["lastName"] == 1.0
    assert not any(far in pair for pair in found)
    api.post("/api/v1/merges", json={"keep": one, "absorb": other})
    assert (one, other) not in pairs(api, by="likeness")
    assert api.get("/api/v1/duplicates", params={"by": "magic"}).status_code == 400
    assert api.get("/api/v1/duplicates", params={"by": "likeness", "score": "2"}).status_code == 400


def everything(api: httpx.Client, people: list[int]) -> dict[int, Any]:
    """Of each of these contacts what it has and what it did."""
    whole = {}
    for who in people:
        identity = api.get(f"/api/v1/contact/{who}/identity").json()
        held = {(held["kind"], held["value"]) for held in identity["identifiers"]}
        did = api.get(f"/api/v1/contact/{who}/timeline", params={"type": "event"}).text
        whole[who] = (held, did)
    return whole


def test_a_quarantined_cookie_goes_to_nobody_and_its_visits_stay_where_they_are(
    api: httpx.Client, name: str
):
    cookie = str(uuid.uuid5(uuid.NAMESPACE_URL, name)).upper()
    owner = make(api, externalCustomerId=f"0-{name}", webId=cookie)
    event = {"eventTypeKey": "seen", "params": [{"name": "webId", "value": cookie}]}
    assert api.post("/api/v2/event", json=event).status_code == 200
    people = [
        owner,
        *(make(api, externalCustomerId=f"{one}-{name}", webId=cookie) for one in range(1, 53)),
    ]
    assert api.post("/api/v2/event", json=event).status_code == 200  # nobody's
    people = [*people[:2], *people[-3:]]
    said = {"kind": "web_cookie", "value": cookie}
    path = "/api/v1/quarantine/release"
    before = everything(api, people)
    assert "seen" in before[owner][1]
    dry = api.post(path, json={**said, "dryRun": True}).json()
    assert dry["contacts"] == []
    assert dry["identifiers"] == [{**said, "from": "quarantine", "to": None}]
    released = api.post(path, json=said).json()
    assert released == {key: value for key, value in dry.items() if key != "dryRun"}
    assert everything(api, people) == before
    gets_it = make(api, externalCustomerId=f"next-{name}", webId=cookie)
    held, did = everything(api, [gets_it])[gets_it]
    assert ("web_cookie", cookie) in held
    assert "seen" not in did
    assert everything(api, people) == before


def test_a_quarantined_value_is_listed_and_released(api: httpx.Client, name: str):
    token = channels(("mobilepush", f"T-{name}"))
    people = [
        make(api, externalCustomerId=f"{number}-{name}", channels=token) for number in range(53)
    ]
    listed = {one["value"]: one for one in api.get("/api/v1/quarantine").json()}
    assert listed[f"T-{name}"]["senders"] > 50
    owner = make(api, externalCustomerId=f"owner-{name}")
    said = {"kind": "mobile_token", "value": f"T-{name}", "contactId": owner}
    path = "/api/v1/quarantine/release"
    dry = api.post(path, json={**said, "dryRun": True}).json()
    assert (dry["dryRun"], dry["contactId"], dry["senders"] > 50) == (True, owner, True)
    one = {"kind": "mobile_token", "value": f"T-{name}"}
    assert dry["identifiers"] == [{**one, "from": "quarantine", "to": owner}]
    [changed] = dry["contacts"]
    assert (changed["id"], changed["gains"]) == (owner, [one])
    people = [*people[:2], *people[-2:], owner]
    before = everything(api, people)
    assert f"T-{name}" in {one["value"] for one in api.get("/api/v1/quarantine").json()}
    unclear = api.post(path, json={**said, "dryRun": "yes"})
    assert unclear.status_code == 400, "what is no yes and no no is no permission to write"
    released = api.post(path, json=said)
    assert released.json() == {key: value for key, value in dry.items() if key != "dryRun"}
    after = everything(api, people)
    assert {who for who in after if after[who] != before[who]} == {owner}
    assert after[owner][0] == {(held["kind"], held["value"]) for held in changed["identifiers"]}
    assert f"T-{name}" not in {one["value"] for one in api.get("/api/v1/quarantine").json()}
    assert make(api, firstName="Ann", channels=token) == owner
    again = api.post(path, json=said)
    assert (again.status_code, again.json()["code"]) == (404, "not_quarantined")
    assert api.post(path, json={"kind": "shoe", "value": "1"}).status_code == 400
