"""What real clients need of an answer and send in a request: the facts of their code, as tests.

Each test names the client whose code depends on it: vendor's plug-ins (WooCommerce, Shopify,
OpenCart), and community clients (brownie, busfor, dkulyk, jetforms, Multitest, updevru).
"""

from __future__ import annotations

import json

import pytest


def add(api, **contact) -> int:
    answer = api.post("/api/v1/contact", json=contact)
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


def get(api, contact_id: int) -> dict:
    return api.get(f"/api/v1/contact/{contact_id}").json()


def email_of(name: str) -> dict[str, str]:
    return {"type": "email", "value": f"{name}@example.com"}


# What the answers must look like


def test_401_has_a_json_body_with_status(raw):
    """Shopify parses the body before it looks at the status; WooCommerce reads `status`."""
    answer = raw("GET /api/v1/account/info", key="wrong")
    assert (answer.status, answer.json["status"]) == (401, 401)


@pytest.mark.parametrize("line", ["GET /api/v1/contact/999999999", "GET /api/v1/nothing"])
def test_errors_have_a_message_at_the_top(raw, line):
    """Shopify shows `message`, and "Unknown error" without one."""
    answer = raw(line)
    assert answer.json["message"]
    assert answer.json["status"] == answer.status == 404


@pytest.mark.parametrize("user", ["", "user", "anyvalue", "anna@shop.example"])
def test_any_user_name_goes_with_the_key(raw, user):
    """WooCommerce sends none, Shopify `user`, OpenCart `anyvalue`."""
    assert raw("GET /api/v1/account/info", user=user).status == 200


def test_trailing_slashes_keep_body_and_query(raw, name):
    """updevru/php-esputnik-api: /contact/, /contacts/, /contact/123/."""
    body = json.dumps({"externalCustomerId": name}).encode()
    added = raw("POST /api/v1/contact/", body)
    contact_id = added.json["id"]
    assert added.status == 200
    found = raw(f"GET /api/v1/contacts/?externalCustomerId={name}")
    assert [row["id"] for row in found.json] == [contact_id]
    assert raw(f"GET /api/v1/contact/{contact_id}/").status == 200
    assert raw(f"PUT /api/v1/contact/{contact_id}/", b'{"firstName": "A"}').status == 200
    assert raw(f"DELETE /api/v1/contact/?externalCustomerId={name}").status == 200


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=UTF-8", "text/plain", None]
)
def test_a_body_is_json_whatever_its_type(api, name, content_type):
    headers = {} if content_type is None else {"Content-Type": content_type}
    body = json.dumps({"externalCustomerId": name}).encode()
    assert api.post("/api/v1/contact", content=body, headers=headers).status_code == 200


def test_get_and_delete_may_carry_a_body(raw, api, name):
    """brownie sends the JSON body `[]` with every request."""
    contact_id = add(api, externalCustomerId=name)
    for line in (
        f"GET /api/v1/contact/{contact_id}",
        f"GET /api/v1/contacts?externalCustomerId={name}",
        "GET /api/v1/account/info",
        "GET /api/v1/version",
        f"DELETE /api/v1/contact/{contact_id}",
    ):
        assert raw(line, b"[]").status == 200


def test_post_contact_answers_a_number(raw, name):
    answer = raw("POST /api/v1/contact", json.dumps({"externalCustomerId": name}).encode())
    assert answer.body == b'{"id":%d}' % answer.json["id"]


def test_put_and_delete_answer_the_very_sentences(raw, api, name):
    """brownie compares them as a whole; the body is no JSON under a JSON type."""
    contact_id = add(api, externalCustomerId=name)
    put = raw(f"PUT /api/v1/contact/{contact_id}", b"{}")
    assert (put.status, put.body) == (
        200,
        b"Contact with id='%d' has been updated" % contact_id,
    )
    types = {key.lower(): value for key, value in put.headers.items()}
    assert types["content-type"] == "application/json;charset=UTF-8"
    deleted = raw(f"DELETE /api/v1/contact/{contact_id}")
    assert (deleted.status, deleted.body) == (
        200,
        b"Contact with id='%d' has been deleted" % contact_id,
    )
    assert raw("PUT /api/v1/contact/999999999", b"{}").status == 404


@pytest.mark.parametrize("erase", ["", "&erase=true", "&erase=false", "&erase=1", "&erase=0"])
def test_delete_by_external_id_is_200_and_unknown_says_not_found(raw, api, name, erase):
    """WooCommerce takes exactly 200; OpenCart sends erase=1; Shopify looks for `not found`."""
    add(api, externalCustomerId=name)
    assert raw(f"DELETE /api/v1/contact?externalCustomerId={name}{erase}").status == 200
    unknown = raw(f"DELETE /api/v1/contact?externalCustomerId={name}-never{erase}")
    assert unknown.status == 404
    assert "not found" in unknown.json["message"]


def test_unset_members_are_left_out_never_null(raw, api, name):
    """A key that dkulyk does not know, null or not, stops it."""
    contact_id = add(api, externalCustomerId=name, firstName=None, address=None, fields=[])
    body = raw(f"GET /api/v1/contact/{contact_id}").json
    assert body == {
        "channels": [],
        "addressBookId": 1,
        "id": contact_id,
        "externalCustomerId": name,
    }


def test_an_address_has_all_four_keys(api, name):
    """brownie and Multitest read region, town, address and postcode."""
    contact_id = add(api, externalCustomerId=name, address={"town": "Lviv"})
    address = get(api, contact_id)["address"]
    assert address == {"region": "", "town": "Lviv", "address": "", "postcode": ""}


def test_search_answers_a_bare_list_and_total_count_by_that_spelling(raw, api, name):
    """dkulyk looks TotalCount up letter by letter; Pipedream pages until `[]`."""
    for n in range(3):
        add(api, externalCustomerId=f"{name}-{n}", channels=[email_of(name)])
    path = f"GET /api/v1/contacts?email={name}@example.com&maxrows=2&startindex="
    sizes = []
    for start in (1, 3, 5):
        answer = raw(path + str(start))
        assert answer.headers["TotalCount"] == "3"
        sizes.append(len(answer.json))
    assert sizes == [2, 1, 0]
    assert raw("GET /api/v1/contacts?email=nobody@example.com").body == b"[]"
    assert raw("GET /api/v1/contacts?maxrows=10000").status == 200


def test_subscribe_answers_an_id(raw, name):
    """jetforms takes an empty id as a failure."""
    body = {"contact": {"channels": [email_of(name)]}, "groups": None, "formType": None}
    answer = raw("POST /api/v1/contact/subscribe", json.dumps(body).encode())
    assert answer.status == 200
    assert answer.json["id"] > 0


def test_account_info_has_a_number_of_the_organisation(raw):
    """All three vendor plug-ins refuse to connect without it."""
    body = raw("GET /api/v1/account/info").json
    assert set(body) == {"userEmail", "organisationName", "orgId"}
    assert body["orgId"] > 0


def test_a_contact_token_for_the_app_inbox(raw, api, name):
    """Shopify and OpenCart; an unknown contact has an empty token."""
    add(api, externalCustomerId=name)
    path = "POST /api/v1/auth/contact/token"
    known = raw(path, json.dumps({"externalCustomerId": name}).encode())
    unknown = raw(path, json.dumps({"externalCustomerId": name + "?"}).encode())
    assert (known.status, unknown.status) == (200, 200)
    assert known.json["token"]
    assert unknown.json == {"token": ""}


def list_of(api, name: str, members: int = 2) -> tuple[int, list[int]]:
    """(id, members) of a list that subscribing makes."""
    ids = []
    for number in range(members):
        contact = {"externalCustomerId": f"{name}-{number}"}
        body = {"contact": contact, "groups": [name]}
        ids.append(api.post("/api/v1/contact/subscribe", json=body).json()["id"])
    (group,) = get(api, ids[0])["groups"]
    return group["id"], ids


def test_a_blank_name_lists_all_groups(raw, api, name):
    """dkulyk sends `name=` when nobody gave one; brownie reads id, name and type of each."""
    group_id, _ = list_of(api, name)
    answer = raw("GET /api/v1/groups?startindex=1&maxrows=500&name=")
    found = {one["id"]: (one["name"], one["type"]) for one in answer.json}
    assert found[group_id] == (name, "Static")
    assert set(answer.json[0]) == {"id", "name", "type"}


def test_members_of_a_group_come_with_total_count(raw, api, name):
    """dkulyk looks `TotalCount` up letter by letter and pages with startindex from 1."""
    group_id, ids = list_of(api, name, 3)
    answer = raw(f"GET /api/v1/group/{group_id}/contacts?startindex=2&maxrows=1")
    assert answer.headers["TotalCount"] == "3"
    assert [one["id"] for one in answer.json] == ids[1:2]
    assert answer.json[0]["externalCustomerId"] == f"{name}-1"


def test_members_are_taken_off_page_by_page(raw, api, name):
    """An integration reads a page, detaches its ids, and stops at `[]`."""
    group_id, _ = list_of(api, name, 3)
    pages = 0
    while page := raw(f"GET /api/v1/group/{group_id}/contacts?startindex=1&maxrows=2").json:
        body = json.dumps({"contactIds": [one["id"] for one in page]}).encode()
        detached = raw(f"POST /api/v1/group/{group_id}/contacts/detach", body)
        assert (detached.status, detached.body) == (200, b"Contacts were detached")
        pages += 1
    assert pages == 2


# What requests a server must take


def test_an_external_id_may_be_a_number(api, name):
    """WooCommerce sends integers; it is kept, searched and given back as text."""
    number = 4_639_541_000 + id(name) % 100_000
    contact_id = add(api, externalCustomerId=number)
    assert get(api, contact_id)["externalCustomerId"] == str(number)
    assert add(api, externalCustomerId=str(number)) == contact_id
    (row,) = api.get("/api/v1/contacts", params={"externalCustomerId": number}).json()
    assert row["id"] == contact_id


def test_guests_with_a_blank_external_id_are_not_one_person(api, name):
    """Shopify sends `""` for guests."""
    ids = {add(api, externalCustomerId="", channels=[email_of(f"{name}-{n}")]) for n in range(2)}
    assert len(ids) == 2
    assert all("externalCustomerId" not in get(api, one) for one in ids)


@pytest.mark.parametrize(
    "blank", [{"type": "sms", "value": ""}, {"type": "sms", "value": " "}, {"type": "sms"}]
)
def test_people_without_a_phone_are_not_one_person(api, name, blank):
    """WooCommerce and busfor send empty channels."""
    ids = {add(api, channels=[email_of(f"{name}-{n}"), blank]) for n in range(2)}
    assert len(ids) == 2
    assert all(len(get(api, one)["channels"]) == 1 for one in ids)


@pytest.mark.parametrize("language", ["uk", "en-US"])
def test_blank_names_and_address_parts_are_nothing(api, name, language):
    """WooCommerce and Shopify."""
    contact_id = add(
        api,
        firstName=" ",
        lastName="",
        languageCode=language,
        address={"region": "", "town": " ", "address": "", "postcode": ""},
        channels=[email_of(name)],
    )
    body = get(api, contact_id)
    assert set(body) == {"channels", "addressBookId", "id", "languageCode"}


def test_one_object_for_a_list(api, name):
    """jetforms and Multitest."""
    contact_id = add(api, channels=email_of(name), groups={"name": "x"})
    assert get(api, contact_id)["channels"] == [email_of(name)]


def test_null_and_empty_lists_for_everything_unset(api, name):
    """busfor, dkulyk, brownie; and a Shopify customer without e-mail and phone."""
    contact_id = add(
        api,
        id=None,
        fieldId=None,
        address=None,
        contactKey=None,
        firstName=None,
        fields=[],
        groups=[],
        subscriptions=[],
        channels=[],
        externalCustomerId=name,
    )
    assert get(api, contact_id)["externalCustomerId"] == name


def test_unknown_members_and_parameters_are_ignored(api, name):
    """OpenCart sends email and phone beside channels, Multitest strange query parameters."""
    answer = api.post(
        "/api/v1/contact?channels=type&channels=value",
        json={
            "externalCustomerId": name,
            "channels": [email_of(name)],
            "email": "other@example.com",
            "phone": "+380671112233",
            "address": {"town": "Kyiv", "countryCode": "UA"},
        },
    )
    assert answer.status_code == 200
    assert get(api, answer.json()["id"])["channels"] == [email_of(name)]


def test_a_wrapped_contact_in_put_changes_nothing(raw, api, name):
    """busfor: answered 200 by the real service."""
    contact_id = add(api, externalCustomerId=name, firstName="Anna")
    body = {"contact": {"firstName": "Olha"}, "groups": None, "formType": None}
    answer = raw(f"PUT /api/v1/contact/{contact_id}", json.dumps(body).encode())
    assert answer.body == b"Contact with id='%d' has been updated" % contact_id
    assert get(api, contact_id)["firstName"] == "Anna"


def test_a_mobile_token_alone_is_a_contact(api, name):
    """brownie and kirillbdev without the device block, rubik with it."""
    bare = {"type": "mobilepush", "value": f"{name}-1"}
    device = {"type": "mobilepush", "value": f"{name}-2", "device": {"appId": "a", "os": "ios"}}
    for channel in (bare, device):
        assert get(api, add(api, channels=[channel]))["channels"] == [channel]


def test_a_contact_sent_twice_is_an_update(api, name):
    assert len({add(api, externalCustomerId=name) for _ in range(3)}) == 1


def test_post_contact_restores_by_external_id(api, name):
    """Shopify and the guide."""
    contact_id = add(api, externalCustomerId=name)
    api.delete("/api/v1/contact", params={"externalCustomerId": name})
    assert add(api, externalCustomerId=name) == contact_id
    assert get(api, contact_id)["id"] == contact_id
