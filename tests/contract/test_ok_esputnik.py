"""A client that nobody here wrote: every method of the PyPI package ok-esputnik, unmodified."""

from __future__ import annotations

import pytest


def contact(name: str, **more) -> dict:
    return {"channels": [{"type": "email", "value": f"{name}@example.com"}], **more}


def test_account_version_and_catalogue(ok_esputnik):
    status, data = ok_esputnik.account_info()
    assert status == 200
    assert set(data) == {"userEmail", "organisationName", "orgId"}
    status, data = ok_esputnik.version()
    assert status == 200
    assert set(data) == {"version", "protocolVersion"}
    status, data = ok_esputnik.addressbooks()
    assert status == 200
    assert data["addressBook"]["addressBookId"] == 1
    fields = data["addressBook"]["fieldGroups"]["fields"]
    assert [one["fieldKey"] for one in fields] == ["BIRTHDAY", "GENDER"]


def test_a_contact_from_its_first_call_to_its_last(ok_esputnik, name):
    first = contact(
        name,
        first_name="John",
        last_name="Dou",
        address={"region": "Kyiv", "town": "Kyiv", "address": "Main 1", "postcode": "01001"},
        groups=[{"name": "ignored"}],
    )
    status, data = ok_esputnik.add_contact(first)
    assert status == 200
    contact_id = data["id"]
    assert type(contact_id) is int

    status, data = ok_esputnik.get_contact(str(contact_id))
    assert (status, data["firstName"], data["lastName"]) == (200, "John", "Dou")
    assert data["address"] == first["address"]
    assert data["channels"] == first["channels"]

    changed = contact(name, first_name="Jane")
    changed["channels"].append({"type": "sms", "value": "380671234567"})
    status, data = ok_esputnik.update_contact(str(contact_id), changed)
    assert (status, data) == (200, f"Contact with id='{contact_id}' has been updated".encode())
    data = ok_esputnik.get_contact(str(contact_id)).data
    assert (data["firstName"], data["lastName"]) == ("Jane", "Dou")
    assert data["channels"] == changed["channels"]

    status, data = ok_esputnik.delete_contact(str(contact_id))
    assert (status, data) == (200, f"Contact with id='{contact_id}' has been deleted".encode())
    status, data = ok_esputnik.get_contact(str(contact_id))
    assert (status, data["status"]) == (404, 404)


def test_the_same_contact_twice_is_one_contact(ok_esputnik, name):
    ids = {ok_esputnik.add_contact(contact(name)).data["id"] for _ in range(2)}
    assert len(ids) == 1


def test_search(ok_esputnik, name):
    data = contact(name, first_name="Orysia", last_name="Shevchenko")
    contact_id = ok_esputnik.add_contact(data).data["id"]
    query = {"email": f"{name}@example.com", "first_name": "Orysia", "max_rows": 10}
    status, rows = ok_esputnik.get_contacts(query)
    assert status == 200
    assert [row["id"] for row in rows] == [contact_id]
    assert ok_esputnik.get_contacts({**query, "last_name": "Nobody"}) == (200, [])
    assert ok_esputnik.get_contacts({**query, "start_index": 2}) == (200, [])
    status, rows = ok_esputnik.get_contacts()
    assert status == 200
    assert rows[0]["id"] == contact_id


def test_subscribe(ok_esputnik, name):
    form = {"contact": contact(name), "groups": [f"list {name}"], "form_type": "footer"}
    status, data = ok_esputnik.contact_subscribe(form)
    assert (status, data["new"], data["emailStatus"]) == (200, True, "NEED_CONFIRMATION")
    groups = ok_esputnik.get_contact(str(data["id"])).data["groups"]
    assert [group["name"] for group in groups] == [f"list {name}"]
    assert ok_esputnik.contact_subscribe(form).data["new"] is False


def test_groups_and_their_contacts(ok_esputnik, name):
    for number in range(2):
        form = {"contact": contact(f"{name}-{number}"), "groups": [f"list {name}"]}
        assert ok_esputnik.contact_subscribe(form).status_code == 200
    status, rows = ok_esputnik.groups()
    assert status == 200
    (group,) = [row for row in rows if row["name"] == f"list {name}"]
    status, rows = ok_esputnik.group_contacts(str(group["id"]))
    assert status == 200
    assert [row["channels"][0]["value"] for row in rows] == [
        f"{name}-{number}@example.com" for number in range(2)
    ]


def test_detaching_without_a_body_empties_the_group(ok_esputnik, name):
    """It knows no other way to detach."""
    form = {"contact": contact(name), "groups": [f"list {name}"]}
    contact_id = ok_esputnik.contact_subscribe(form).data["id"]
    (group,) = ok_esputnik.get_contact(str(contact_id)).data["groups"]
    status, data = ok_esputnik.group_contacts_detach(str(group["id"]))
    assert (status, data) == (200, b"Contacts were detached")
    assert ok_esputnik.group_contacts(str(group["id"])) == (200, [])


def test_the_unsubscribe_list(ok_esputnik, name):
    for emails in (f"{name}@example.com", [f"{name}@example.com", f"{name}2@example.com"]):
        assert ok_esputnik.emails_unsubscribed_add(emails) == (200, b"")
        assert ok_esputnik.emails_unsubscribed_delete(emails) == (200, b"")


def test_contacts_in_bulk(ok_esputnik, name):
    """It dedupes on `email` unless told otherwise."""
    status, data = ok_esputnik.add_contacts(
        {"contacts": [contact(name)], "contact_fields": ["email"], "group_names": ["g"]}
    )
    assert (status, data["id"]) == (200, 0)
    assert data["asyncSessionId"]


def test_a_link_into_the_servers_own_network_is_refused(ok_esputnik):
    status, data = ok_esputnik.contacts_upload(
        {"dedupe_on": "email", "link": "http://127.0.0.1:9/a.csv", "group_names": ["g"]}
    )
    assert (status, data["code"]) == (400, "link_refused")


def test_an_event_is_answered_with_nothing(ok_esputnik, name):
    """clients 1: values of parameters may be numbers and flags."""
    params = [{"name": "a", "value": 1}, {"name": "b", "value": True}]
    event = {"event_type_key": "x", "key_value": name, "params": params}
    assert ok_esputnik.event(event) == (200, b"")


def test_sending_messages_is_not_ours(ok_esputnik):
    for status, data in (ok_esputnik.balance(), ok_esputnik.message_status([1])):
        assert (status, data["status"]) == (404, 404)


@pytest.mark.parametrize("password", ["wrong", "Ключ"])
def test_a_wrong_key_is_401_with_a_body_it_can_read(ok_esputnik, password):
    ok_esputnik.client.api_password = password.encode()
    status, data = ok_esputnik.account_info()
    assert (status, data["status"]) == (401, 401)


def test_an_order_and_one_that_is_refused(ok_esputnik, api, name):
    """An empty body when all were taken, `failedOrders` otherwise."""
    one = {
        "id": name,
        "user_id": name,
        "total_cost": 258.5,
        "date": "2026-01-05T10:11:10",
        "email": f"{name}@example.com",
        "phone": "",
        "items": [
            {
                "id": "1",
                "name": "Tea",
                "quantity": 2,
                "cost": 129.25,
                "url": "https://shop.example/tea",
                "image_url": "https://shop.example/tea.jpg",
                "category": "Food",
            }
        ],
    }
    assert tuple(ok_esputnik.orders({"orders": [one]})) == (200, b"")
    (card,) = api.get("/api/v1/contacts", params={"externalCustomerId": name}).json()
    (stored,) = api.get(f"/api/v1/contact/{card['id']}/orders").json()
    assert (stored["status"], stored["currency"], stored["totalCost"]) == (
        "INITIALIZED",
        "UAH",
        258.5,
    )
    status, data = ok_esputnik.orders({"orders": [{**one, "status": "PAID"}]})
    assert status == 200
    assert [failed["field"] for failed in data["failedOrders"]] == ["status"]
