"""Reading contacts over HTTP: GET contact, search, tokens, categories, identity, merges."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.api.conftest import make_key
from tests.conftest import COMMAND, clean_environment


def add(api, **contact) -> int:
    answer = api.post("/api/v1/contact", json=contact)
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


def email_of(name: str) -> dict[str, str]:
    return {"type": "email", "value": f"{name}@example.com"}


def phone_of(number: int) -> dict[str, str]:
    return {"type": "sms", "value": f"+38050{number:07d}"}


def push(token: str, **device) -> dict:
    channel: dict = {"type": "mobilepush", "value": token}
    return {**channel, "device": device} if device else channel


# GET contact


def test_a_contact_has_what_is_set_and_nothing_else(api, name):
    contact_id = add(api, externalCustomerId=name)
    assert api.get(f"/api/v1/contact/{contact_id}").json() == {
        "channels": [],
        "addressBookId": 1,
        "id": contact_id,
        "externalCustomerId": name,
    }


def test_a_whole_contact(api, name):
    channels = [
        email_of(name),
        {"type": "sms", "value": "+380942583691"},
        push(f"m-{name}", appId="app-1", os="iOS", deviceModel="X", active=True),
        {
            "type": "webpush",
            "value": f"w-{name}",
            "webPushSubscription": {"appId": 17, "userAgent": "Firefox"},
        },
    ]
    contact_id = add(
        api,
        externalCustomerId=name,
        firstName="Anna",
        lastName="Kovalenko",
        contactKey="K-1",
        languageCode="uk",
        timeZone="Europe/Kyiv",
        address={"town": "Kyiv", "address": "Khreshchatyk 1"},
        channels=channels,
    )
    channels[1] = {"type": "sms", "value": "380942583691"}
    assert api.get(f"/api/v1/contact/{contact_id}").json() == {
        "firstName": "Anna",
        "lastName": "Kovalenko",
        "channels": channels,
        "address": {"region": "", "town": "Kyiv", "address": "Khreshchatyk 1", "postcode": ""},
        "addressBookId": 1,
        "id": contact_id,
        "externalCustomerId": name,
        "contactKey": "K-1",
        "languageCode": "uk",
        "timeZone": "Europe/Kyiv",
    }


def test_groups_are_static_lists_with_id_name_and_type(api, name):
    contact = {"externalCustomerId": name, "channels": [email_of(name)]}
    body = {"contact": contact, "groups": [f"list {name}"]}
    contact_id = api.post("/api/v1/contact/subscribe", json=body).json()["id"]
    (group,) = api.get(f"/api/v1/contact/{contact_id}").json()["groups"]
    assert group.pop("id") > 0
    assert group == {"name": f"list {name}", "type": "Static"}


def test_removed_erased_and_unknown_contacts_are_not_found(api, name):
    removed = add(api, externalCustomerId=name)
    api.delete(f"/api/v1/contact/{removed}")
    erased = add(api, externalCustomerId=name + "x")
    api.delete(f"/api/v1/contact/{erased}?erase=true")
    for contact_id in (removed, erased, 999_999_999, 10**30):
        assert api.get(f"/api/v1/contact/{contact_id}").status_code == 404


@pytest.fixture
def merged(api, name) -> tuple[int, list[int]]:
    """(survivor, ids that lead to it, one of them through another)."""
    first = add(api, channels=[push(f"1-{name}")])
    second = add(api, channels=[push(f"2-{name}")])
    third = add(api, channels=[push(f"3-{name}")])
    # The first absorbs the second with its token, then the customer's card absorbs the first.
    api.put(f"/api/v1/contact/{first}", json={"channels": [push(f"2-{name}")]})
    last = add(api, externalCustomerId=name)
    tokens = [push(f"{one}-{name}") for one in (1, 3)]
    assert add(api, externalCustomerId=name, channels=[email_of(name), *tokens]) == last
    return last, [first, second, third]


def test_the_id_of_a_merged_contact_leads_to_the_survivor(api, merged):
    survivor, retired = merged
    expected = api.get(f"/api/v1/contact/{survivor}")
    assert "kartoteka-contact" not in expected.headers
    for contact_id in retired:
        answer = api.get(f"/api/v1/contact/{contact_id}")
        assert answer.json() == expected.json()
        assert answer.headers["Kartoteka-Contact"] == str(survivor)


def test_what_is_written_to_a_retired_id_reaches_the_survivor(api, merged, name):
    """Decisions D14: PUT, subscriptions and app tokens follow; texts echo the id of the path."""
    survivor, retired = merged
    for number, contact_id in enumerate(retired):
        path = f"/api/v1/contact/{contact_id}"
        answer = api.put(path, json={"lastName": "abc"[number]})
        assert answer.text == f"Contact with id='{contact_id}' has been updated"
        assert api.get(f"/api/v1/contact/{survivor}").json()["lastName"] == "abc"[number]
        keys = [f"news-{number}-{name}"]
        assert api.put(f"{path}/subscriptions", json={"subscriptions": keys}).status_code == 200
        found = api.get(f"/api/v1/contact/{survivor}/subscriptions").json()
        assert [one["key"] for one in found] == keys
        token = f"tg-{number}-{name}"
        body = {"tokens": [{"token": token, "contactId": contact_id}]}
        assert api.post("/api/v1/apps/app/tokens", json=body).status_code == 200
        owner = api.get(f"/api/v1/contact/token/app/{token}/contactId").json()
        assert owner == {"id": survivor}


def test_retired_ids_are_in_no_search(api, merged, name):
    survivor, _ = merged
    rows = api.get("/api/v1/contacts", params={"email": f"{name}@example.com"}).json()
    assert [row["id"] for row in rows] == [survivor]
    emails = api.get("/api/v1/contacts/email", params={"ids": f"{merged[1][0]}"}).json()
    assert emails == {"results": []}


# Search


def test_search_by_external_id(api, name):
    contact_id = add(api, externalCustomerId=name, channels=[email_of(name)])
    answer = api.get("/api/v1/contacts", params={"externalCustomerId": name})
    assert answer.headers["TotalCount"] == "1"
    (row,) = answer.json()
    assert (row["id"], row["externalCustomerId"]) == (contact_id, name)


def test_a_former_external_id_finds_its_contact(api, name):
    contact_id = add(api, externalCustomerId=name)
    api.put(f"/api/v1/contact/{contact_id}", json={"externalCustomerId": f"{name}-new"})
    for value in (name, f"{name}-new"):
        (row,) = api.get("/api/v1/contacts", params={"externalCustomerId": value}).json()
        assert (row["id"], row["externalCustomerId"]) == (contact_id, f"{name}-new")


def test_external_ids_keep_their_case_and_zeros(api, name):
    add(api, externalCustomerId=f"00{name}")
    for other in (name, f"0{name}", f"00{name.upper()}", f"00{name} x"):
        assert api.get("/api/v1/contacts", params={"externalCustomerId": other}).json() == []


def test_a_removed_contact_is_not_found_by_its_external_id(api, name):
    add(api, externalCustomerId=name)
    api.delete("/api/v1/contact", params={"externalCustomerId": name})
    answer = api.get("/api/v1/contacts", params={"externalCustomerId": name})
    assert (answer.json(), answer.headers["TotalCount"]) == ([], "0")


@pytest.mark.parametrize("other", ["email", "sms", "firstname", "lastname"])
def test_an_external_id_excludes_other_conditions(api, other):
    answer = api.get("/api/v1/contacts", params={"externalCustomerId": "x", other: "y"})
    assert (answer.status_code, answer.json()["code"]) == (400, "external_id_stands_alone")


def test_an_external_id_goes_with_paging_and_order(api, name):
    add(api, externalCustomerId=name)
    query = {"externalCustomerId": name, "maxrows": 10, "sortBy": "contactId"}
    assert len(api.get("/api/v1/contacts", params=query).json()) == 1
    beyond = api.get("/api/v1/contacts", params=query | {"startindex": 2})
    assert (beyond.json(), beyond.headers["TotalCount"]) == ([], "1")


def test_conditions_are_normalised_and_all_must_hold(api, name):
    contact_id = add(
        api,
        firstName="Ганна",
        lastName=f"O'{name.split('-')[0][1:] or 'x'}-Ї".strip("0123456789"),
        externalCustomerId=name,
        channels=[email_of(name), phone_of(1)],
    )
    add(api, firstName="Іван", externalCustomerId=name + "b", channels=[email_of(name)])
    both = {"email": f" {name.upper()}@EXAMPLE.com "}
    assert len(api.get("/api/v1/contacts", params=both).json()) == 2
    for more in ({"sms": "050 000 00 01"}, {"firstname": "ганна"}, {"firstname": " ГАННА "}):
        (row,) = api.get("/api/v1/contacts", params=both | more).json()
        assert row["id"] == contact_id
    assert api.get("/api/v1/contacts", params=both | {"firstname": "Ганн"}).json() == []
    assert api.get("/api/v1/contacts", params=both | {"sms": "+380500000002"}).json() == []


def test_search_by_names_alone(api):
    contact_id = add(api, firstName="Zinaida", lastName="Ґалаґан", externalCustomerId="names-1")
    add(api, firstName="Olha", lastName="Ґалаґан", externalCustomerId="names-2")
    found = api.get("/api/v1/contacts", params={"lastname": "ґалаґан"})
    assert found.headers["TotalCount"] == "2"
    for query in ({"lastname": "Ґалаґан", "firstname": "zinaida"}, {"firstname": "ZINAIDA"}):
        assert [row["id"] for row in api.get("/api/v1/contacts", params=query).json()] == [
            contact_id
        ]


@pytest.mark.parametrize(
    "query",
    [
        "externalCustomerId=",
        "externalCustomerId=%20",
        "externalCustomerId=null",
        "externalCustomerId=undefined",
        "externalCustomerId=" + "x" * 300,
        "email=",
        "email=nonsense",
        "sms=%20",
        "sms=12",
        "firstname=",
        "lastname=%C2%A0",
        "email=x@example.com&firstname=",
    ],
)
def test_a_condition_that_says_nothing_finds_nobody(api, query):
    answer = api.get(f"/api/v1/contacts?{query}")
    assert (answer.status_code, answer.json(), answer.headers["TotalCount"]) == (200, [], "0")


def test_what_the_account_says_is_nobodys_finds_nobody(api, name):
    """Decisions D6, D24: it stays on the cards, and a search by it hands out no stranger."""
    settings = "/api/v1/account/settings"
    mailbox, phone = f"guest@{name}.example", phone_of(7)
    with_it = [{"type": "email", "value": mailbox}, phone]
    contact_id = add(api, externalCustomerId=name, channels=with_it)
    searches = [{"email": mailbox}, {"email": mailbox, "lastname": "Bob"}, {"sms": phone["value"]}]
    assert api.get("/api/v1/contacts", params=searches[0]).headers["TotalCount"] == "1"
    api.patch(settings, json={"never_identifiers": [f"@{name}.example", phone["value"]]})
    try:
        for search in searches:
            answer = api.get("/api/v1/contacts", params=search)
            assert (answer.json(), answer.headers["TotalCount"]) == ([], "0")
        for named in ({"email": mailbox}, {"phone": phone["value"]}):
            answer = api.post("/api/v1/auth/contact/token", json=named)
            assert answer.json() == {"token": ""}
        assert len(api.get(f"/api/v1/contact/{contact_id}").json()["channels"]) == 2
    finally:
        api.patch(settings, json={"never_identifiers": None})


def test_pages_of_a_search(api, name):
    ids = [add(api, externalCustomerId=f"{name}-{n}", channels=[email_of(name)]) for n in range(5)]
    query = {"email": f"{name}@example.com"}

    def page(**paging) -> tuple[list[int], str]:
        answer = api.get("/api/v1/contacts", params=query | paging)
        return [row["id"] for row in answer.json()], answer.headers["TotalCount"]

    newest_first = ids[::-1]
    assert page() == (newest_first, "5")
    assert page(startindex=0) == (newest_first, "5")
    assert page(startindex=-7) == (newest_first, "5")
    assert page(startindex=2, maxrows=2) == (newest_first[1:3], "5")
    assert page(startindex=5, maxrows=2) == (newest_first[4:], "5")
    assert page(startindex=6) == ([], "5")
    assert page(maxrows=0) == ([], "5")
    assert page(maxrows=501) == (newest_first, "5")
    api.put(f"/api/v1/contact/{ids[2]}", json={"firstName": "Updated"})
    assert page(maxrows=1) == ([ids[2]], "5")


def test_a_page_has_at_most_500_rows(api, name):
    """Check 12 of wire 14, decisions D24."""
    shared = {"channels": [email_of(name)]}
    with ThreadPoolExecutor(20) as clients:
        list(
            clients.map(lambda n: add(api, externalCustomerId=f"{name}-{n}", **shared), range(501))
        )
    for paging in ({}, {"maxrows": 500}, {"maxrows": 501}, {"maxrows": 10_000}):
        query = {"email": f"{name}@example.com"} | paging
        answer = api.get("/api/v1/contacts", params=query)
        assert (len(answer.json()), answer.headers["TotalCount"]) == (500, "501")
    assert len(api.get("/api/v1/contacts", params=query | {"startindex": 501}).json()) == 1


@pytest.mark.parametrize("query", ["maxrows=x", "maxrows=-1", "startindex=1.5", "sortBy=email"])
def test_nonsense_in_paging_is_refused(api, query):
    answer = api.get(f"/api/v1/contacts?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")


def test_all_contacts_page_by_page(api, name):
    newest = [add(api, externalCustomerId=f"{name}-{n}") for n in range(3)][::-1]
    answer = api.get("/api/v1/contacts", params={"maxrows": 3})
    assert [row["id"] for row in answer.json()] == newest
    total = int(answer.headers["TotalCount"])
    by_id = api.get("/api/v1/contacts", params={"sortBy": "contactId", "startindex": total - 1})
    assert [row["id"] for row in by_id.json()] == newest[:2][::-1]
    beyond = api.get("/api/v1/contacts", params={"startindex": total + 1})
    assert (beyond.json(), beyond.headers["TotalCount"]) == ([], str(total))


# Tokens, categories, e-mails


def test_a_token_answers_for_its_app_or_for_any_without_one(api, name):
    contact_id = add(api, channels=[push(f"a-{name}", appId="app-1"), push(f"b-{name}")])

    def whose(app: str, token: str):
        answer = api.get(f"/api/v1/contact/token/{app}/{token}/contactId")
        return answer.json() if answer.status_code == 200 else answer.status_code

    assert whose("app-1", f"a-{name}") == {"id": contact_id}
    assert whose("app-2", f"a-{name}") == 404
    assert whose("app-2", f"b-{name}") == {"id": contact_id}
    assert whose("app-1", f"c-{name}") == 404
    api.delete(f"/api/v1/contact/{contact_id}")
    assert whose("app-1", f"a-{name}") == 404


def test_a_long_token_with_slashes_is_found(api, name):
    token = f"{name}/" + "x" * 1000
    contact_id = add(api, channels=[push(token, appId="app-1")])
    path = "/api/v1/contact/token/app-1/" + token.replace("/", "%2F") + "/contactId"
    assert api.get(path).json() == {"id": contact_id}
    (channel,) = api.get(f"/api/v1/contact/{contact_id}").json()["channels"]
    assert channel["value"] == token


def test_a_token_is_switched_on_until_it_is_switched_off(api, name):
    add(api, channels=[push(name, appId="app-1")])
    path = f"/api/v1/contact/token/activated/app-1/{name}"
    assert api.get(path).json() == {"active": True}
    api.put(path, json={"active": False})
    assert api.get(path).json() == {"active": False}
    assert api.get(f"/api/v1/contact/token/activated/other/{name}").status_code == 404


def test_subscriptions_of_a_contact_are_always_a_list(api, name):
    contact_id = add(api, externalCustomerId=name)
    path = f"/api/v1/contact/{contact_id}/subscriptions"
    assert api.get(path).json() == []
    api.put(path, json={"subscriptions": [f"news-{name}"]})
    answer = api.get(path)
    assert answer.headers["TotalCount"] == "1"
    (one,) = answer.json()
    assert one.pop("id") > 0
    assert one == {"key": f"news-{name}", "groupId": 0, "name": f"news-{name}"}
    api.put(path, json={"subscriptions": []})
    assert api.get(path).json() == []


def test_categories_count_their_contacts(api, name):
    for n in range(2):
        contact_id = add(api, externalCustomerId=f"{name}-{n}")
        path = f"/api/v1/contact/{contact_id}/subscriptions"
        api.put(path, json={"subscriptions": [name]})
    answer = api.get("/api/v1/subscriptions")
    (one,) = [row for row in answer.json() if row["key"] == name]
    assert set(one) == {
        *("id", "key", "groupId", "contactsCount", "createdDate", "updatedDate", "name")
    }
    assert one["contactsCount"] == 2
    assert answer.headers["TotalCount"] == str(len(answer.json()))
    api.delete(f"/api/v1/contact/{contact_id}")
    (one,) = [row for row in api.get("/api/v1/subscriptions").json() if row["key"] == name]
    assert one["contactsCount"] == 1


def test_emails_of_one_contact_are_an_object_of_several_a_list(api, name):
    ids = [add(api, channels=[email_of(f"{name}-{n}")]) for n in range(2)]
    silent = add(api, externalCustomerId=name)

    def results(*asked: int):
        query = {"ids": ",".join(map(str, asked))}
        return api.get("/api/v1/contacts/email", params=query).json()["results"]

    one = {"contactId": ids[0], "email": f"{name}-0@example.com"}
    assert results(ids[0], silent) == one
    assert results(*ids) == [one, {"contactId": ids[1], "email": f"{name}-1@example.com"}]
    assert results(silent) == []


@pytest.mark.parametrize("query", ["", "ids=", "ids=x", "ids=1,x", "ids=" + "1," * 501])
def test_emails_of_nonsense_are_refused(api, query):
    assert api.get(f"/api/v1/contacts/email?{query}").status_code == 400


# Identity and merges


def test_identity_lists_identifiers_and_history(api, name):
    contact_id = add(api, channels=[push(name)])
    add(api, channels=[push(name), email_of(name)], externalCustomerId=name)
    api.put(f"/api/v1/contact/{contact_id}", json={"externalCustomerId": f"{name}-new"})
    body = api.get(f"/api/v1/contact/{contact_id}/identity").json()
    found = {(one["kind"], one["value"]): one.get("former", False) for one in body["identifiers"]}
    assert found == {
        ("external_id", name): True,
        ("external_id", f"{name}-new"): False,
        ("email", f"{name}@example.com"): False,
        ("mobile_token", name): False,
    }
    assert all(one["since"].endswith("Z") and one["rule"] for one in body["identifiers"])
    actions = [row["action"] for row in body["history"]]
    assert (actions[0], actions[-1]) == ("external_id_replaced", "created")
    ids = [row["id"] for row in body["history"]]
    assert ids == sorted(ids, reverse=True)
    named = [row["identifiers"] for row in body["history"] if row["action"] == "added"]
    assert named[-1] == [{"kind": "mobile_token", "value": name}]


def test_identity_of_a_merged_contact_is_the_survivors(api, merged):
    survivor, retired = merged
    expected = api.get(f"/api/v1/contact/{survivor}/identity").json()
    for contact_id in retired:
        answer = api.get(f"/api/v1/contact/{contact_id}/identity")
        assert answer.json() == expected
        assert answer.headers["Kartoteka-Contact"] == str(survivor)
    born = {row["contactId"] for row in expected["history"] if row["action"] == "created"}
    assert born == {survivor, *retired}


def test_identity_of_a_removed_contact_says_so_and_of_an_erased_one_nothing(api, name):
    contact_id = add(api, externalCustomerId=name)
    api.delete(f"/api/v1/contact/{contact_id}")
    body = api.get(f"/api/v1/contact/{contact_id}/identity").json()
    assert body["history"][0]["action"] == "removed"
    api.delete(f"/api/v1/contact/{contact_id}?erase=true")
    assert api.get(f"/api/v1/contact/{contact_id}/identity").status_code == 404


def test_merges_of_a_contact(api, merged):
    survivor, (first, second, third) = merged
    for contact_id in (survivor, first, second, third):
        answer = api.get("/api/v1/merges", params={"contactId": contact_id})
        assert answer.headers["TotalCount"] == "3"
        pairs = [(row["survivor"], row["absorbed"]) for row in answer.json()]
        assert set(pairs) == {(survivor, first), (survivor, third), (first, second)}
        assert pairs[-1] == (first, second)
    (row,) = api.get("/api/v1/merges", params={"contactId": survivor, "startindex": 3}).json()
    assert row["rule"]
    assert row["requestId"]
    assert api.get("/api/v1/merges", params={"contactId": 999_999_999}).json() == []
    everything = api.get("/api/v1/merges")
    assert int(everything.headers["TotalCount"]) == len(everything.json()) >= 3
    assert api.get("/api/v1/merges?contactId=x").status_code == 400


# Two accounts


@pytest.fixture(scope="module")
def charlie(server):
    """A client of another account on the same server."""
    environment = clean_environment() | {"KARTOTEKA_DATA_DIR": str(server.log.parent / "data")}
    command = [COMMAND, "accounts", "create", "charlie"]
    subprocess.run(command, env=environment, capture_output=True, check=True)
    key = make_key(server, "--account", "charlie")
    with httpx.Client(base_url=server.url, auth=("", key), timeout=120) as client:
        yield client


def test_another_account_reads_nothing(api, charlie, name):
    contact_id = add(
        api,
        externalCustomerId=name,
        firstName="Zoreslava",
        lastName="Zoreslavska",
        channels=[email_of(name), push(name, appId="app-1")],
    )
    api.put(f"/api/v1/contact/{contact_id}/subscriptions", json={"subscriptions": [name]})
    for path in ("", "/subscriptions", "/identity"):
        assert api.get(f"/api/v1/contact/{contact_id}{path}").status_code == 200
        assert charlie.get(f"/api/v1/contact/{contact_id}{path}").status_code == 404
    token = f"/api/v1/contact/token/app-1/{name}/contactId"
    activated = f"/api/v1/contact/token/activated/app-1/{name}"
    for path in (token, activated):
        assert api.get(path).status_code == 200
        assert charlie.get(path).status_code == 404
    searches: list[dict] = [{}, {"externalCustomerId": name}, {"email": f"{name}@example.com"}]
    searches += [{"firstname": "Zoreslava"}, {"lastname": "Zoreslavska"}, {"sortBy": "contactId"}]
    for query in searches:
        assert len(api.get("/api/v1/contacts", params=query).json()) >= 1
        answer = charlie.get("/api/v1/contacts", params=query)
        assert (answer.json(), answer.headers["TotalCount"]) == ([], "0")
    emails = charlie.get("/api/v1/contacts/email", params={"ids": contact_id})
    assert emails.json() == {"results": []}
    assert charlie.get("/api/v1/subscriptions").json() == []
    for query in ({}, {"contactId": contact_id}):
        assert charlie.get("/api/v1/merges", params=query).json() == []
