"""Lists over HTTP (wire 3.14): named, read, joined, left, emptied."""

from __future__ import annotations

import itertools
import subprocess
from typing import Any

import httpx
import pytest

from tests.api.conftest import make_key
from tests.conftest import COMMAND, clean_environment


def add(api, **contact) -> int:
    answer = api.post("/api/v1/contact", json=contact)
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


class Group:
    """A list by its id, and what one can do with it."""

    def __init__(self, api: httpx.Client, group_id: int) -> None:
        self.api = api
        self.id = group_id
        self.path = f"/api/v1/group/{group_id}/contacts"

    def page(self, **query: Any) -> tuple[list[int], str]:
        answer = self.api.get(self.path, params=query)
        assert answer.status_code == 200, answer.text
        return [row["id"] for row in answer.json()], answer.headers["TotalCount"]

    def members(self) -> list[int]:
        return self.page()[0]

    def attach(self, **body: Any) -> str:
        return self._done("attach", json=body)

    def detach(self, **body: Any) -> str:
        return self._done("detach", json=body)

    def empty(self, **request: Any) -> str:
        return self._done("detach", **request)

    def _done(self, what: str, **request: Any) -> str:
        answer = self.api.post(f"{self.path}/{what}", **request)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/json;charset=UTF-8"
        return answer.text


def make_group(api: httpx.Client, name: str) -> Group:
    """Lists are made when they are named; who named it leaves it, so it is empty."""
    contact = {"externalCustomerId": f"first of {name}"}
    answer = api.post("/api/v1/contact/subscribe", json={"contact": contact, "groups": [name]})
    (found,) = api.get(f"/api/v1/contact/{answer.json()['id']}").json()["groups"]
    group = Group(api, found["id"])
    group.detach(contactIds=[answer.json()["id"]])
    return group


@pytest.fixture
def group(api, name) -> Group:
    return make_group(api, f"List {name}")


@pytest.fixture
def people(api, name) -> list[int]:
    """Three contacts, by their External IDs `<name>-0` to `-2`."""
    return [add(api, externalCustomerId=f"{name}-{n}") for n in range(3)]


# GET groups


@pytest.fixture(scope="module")
def shelf(server) -> Any:
    """An account of its own with five lists, so that their order is known."""
    key = make_key_of_another_account(server)
    with httpx.Client(base_url=server.url, auth=("", key), timeout=120) as client:
        for one in ("Sale news", "NEWS", "News", "Old_news", "100%"):
            make_group(client, one)
        yield client


def make_key_of_another_account(server: Any) -> str:
    environment = clean_environment() | {"KARTOTEKA_DATA_DIR": str(server.log.parent / "data")}
    create = [COMMAND, "accounts", "create", "shelf"]
    subprocess.run(create, env=environment, capture_output=True, check=True)
    return make_key(server, "--account", "shelf")


@pytest.mark.parametrize(
    ("query", "names", "total"),
    [
        ({}, ["Sale news", "NEWS", "News", "Old_news", "100%"], "5"),
        ({"name": ""}, ["Sale news", "NEWS", "News", "Old_news", "100%"], "5"),
        ({"name": "news"}, ["NEWS", "News", "Sale news", "Old_news"], "4"),
        ({"name": "News"}, ["News", "NEWS", "Sale news", "Old_news"], "4"),
        ({"name": "le ne"}, ["Sale news"], "1"),
        ({"name": "d_n"}, ["Old_news"], "1"),
        ({"name": "%"}, ["100%"], "1"),
        ({"name": "nobody calls it so"}, [], "0"),
        ({"name": "News", "maxrows": 1}, ["News"], "4"),
        ({"name": "News", "startindex": 2, "maxrows": 2}, ["NEWS", "Sale news"], "4"),
        ({"name": "News", "startindex": 9}, [], "4"),
        ({"maxrows": 0}, [], "5"),
        ({"maxrows": 501}, ["Sale news", "NEWS", "News", "Old_news", "100%"], "5"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "expected",
)
def test_groups_are_found_by_a_part_of_their_name(shelf, query, names, total):
    answer = shelf.get("/api/v1/groups", params=query)
    assert [row["name"] for row in answer.json()] == names
    assert answer.headers["TotalCount"] == total


def test_a_group_is_id_name_and_type(api, group, name):
    assert api.get("/api/v1/groups", params={"name": name}).json() == [
        {"id": group.id, "name": f"List {name}", "type": "Static"}
    ]


# GET group/{id}/contacts


def test_members_are_contacts_as_get_contact_answers_them(api, group, name):
    contact = {
        "externalCustomerId": name,
        "firstName": "Anna",
        "channels": [{"type": "email", "value": f"{name}@example.com"}],
        "address": {"town": "Kyiv"},
        "fields": [{"id": 1, "value": "1990-05-17"}],
    }
    contact_id = add(api, **contact)
    group.attach(contactIds=[contact_id])
    expected = api.get(f"/api/v1/contact/{contact_id}").json()
    assert expected["groups"][0]["id"] == group.id
    assert api.get(group.path).json() == [expected]


def test_only_live_members_are_shown_and_counted(api, group, people):
    group.attach(contactIds=people)
    api.delete(f"/api/v1/contact/{people[0]}")
    assert group.page() == (people[1:], "2")
    assert group.page(orderByTs=True) == (people[1:], "2")
    api.delete(f"/api/v1/contact/{people[1]}?erase=true")
    assert group.page(maxrows=1) == (people[2:], "1")


def test_an_empty_group(group):
    assert group.page() == ([], "0")
    assert group.page(startindex=5) == ([], "0")


@pytest.fixture
def ordered(group, people) -> Group:
    """The second joined first, the first last."""
    for position in (1, 2, 0):
        group.attach(contactIds=[people[position]])
    return group


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ({}, (0, 1, 2)),
        ({"asc": "true"}, (0, 1, 2)),
        ({"asc": ""}, (0, 1, 2)),
        ({"asc": "false"}, (2, 1, 0)),
        ({"orderByTs": "true"}, (1, 2, 0)),
        ({"orderByTs": "1", "asc": "0"}, (0, 2, 1)),
        ({"orderByTs": "false"}, (0, 1, 2)),
    ],
    ids=str,
)
def test_the_order_is_by_id_or_by_joining(ordered, people, query, order):
    expected = [people[position] for position in order]
    assert ordered.page(**query) == (expected, "3")
    pages = [ordered.page(**query, startindex=n, maxrows=1) for n in (1, 2, 3, 4)]
    assert pages == [*(([one], "3") for one in expected), ([], "3")]


def test_a_page_has_at_most_500_rows(api, group, name):
    ids = [add(api, externalCustomerId=f"{name}-{n}") for n in range(501)]
    group.attach(contactIds=ids[:500])
    group.attach(contactIds=ids[500:])
    for query in ({}, {"maxrows": 10_000}):
        found, total = group.page(**query)
        assert (found, total) == (ids[:500], "501")
    assert group.page(startindex=501) == (ids[500:], "501")


@pytest.mark.parametrize("method", ["GET", "attach", "detach"])
@pytest.mark.parametrize("group_id", [2_000_000_000, 2**40, 10**30])
def test_an_unknown_group_is_404(api, method, group_id):
    path = f"/api/v1/group/{group_id}/contacts"
    said = {"json": {"contactIds": [1]}}
    answer = api.get(path) if method == "GET" else api.post(f"{path}/{method}", **said)
    assert answer.status_code == 404
    assert answer.json()["message"].startswith("Segment not found")


@pytest.mark.parametrize("query", [{"maxrows": "x"}, {"asc": "up"}, {"orderByTs": "x"}], ids=str)
def test_nonsense_is_400(group, query):
    assert group.api.get(group.path, params=query).status_code == 400


# attach and detach


def test_by_contact_id_numbers_and_their_text(group, people):
    assert group.attach(contactIds=[people[0], str(people[1]), f" {people[2]} "]) == (
        "Contacts were attached"
    )
    assert group.members() == people
    assert group.detach(contactIds=[str(people[0])]) == "Contacts were detached"
    assert group.members() == people[1:]


def test_by_external_id_texts_and_numbers(api, group, name):
    number = next(_numbers)
    ids = [add(api, externalCustomerId=number), add(api, externalCustomerId=name)]
    assert group.attach(externalCustomerIds=[number, f" {name} "]) == "Contacts were attached"
    assert group.members() == ids
    assert group.detach(externalCustomerIds=[str(number)]) == "Contacts were detached"
    assert group.members() == ids[1:]


_numbers = itertools.count(7_700_000)


def test_what_belongs_to_nobody_is_counted_and_fails_nothing(api, group, people, name):
    api.delete(f"/api/v1/contact/{people[0]}")
    api.delete(f"/api/v1/contact/{people[1]}?erase=true")
    given = [people[2], people[0], people[1], 999_999_999, -5, 0, 10**30, 999_999_999]
    assert group.attach(contactIds=given) == (
        "Contacts were attached, except 6 ids that belong to nobody"
    )
    assert group.members() == people[2:]
    assert group.detach(externalCustomerIds=[f"{name}-2", "nobody at all"]) == (
        "Contacts were detached, except 1 id that belongs to nobody"
    )
    assert group.members() == []


def test_blank_external_ids_and_never_identifiers_are_nobody(api, group, name):
    add(api, externalCustomerId=name)
    given = [name, "", " ", None, "null", "undefined", "0"]
    assert group.attach(externalCustomerIds=given) == (
        "Contacts were attached, except 3 ids that belong to nobody"
    )


def test_nulls_and_empty_lists_beside_a_list_are_none(group, people, name):
    group.attach(contactIds=[people[0]], externalCustomerIds=None)
    group.attach(contactIds=[], externalCustomerIds=[f"{name}-1"], unknown=1)
    assert group.members() == people[:2]


@pytest.mark.parametrize("what", ["attach", "detach"])
@pytest.mark.parametrize(
    "body",
    [
        {"contactIds": [1], "externalCustomerIds": ["a"]},
        {"contactIds": None},
        {"contactIds": None, "externalCustomerIds": None},
        {"ids": [1]},
        {"contactIds": 1},
        {"contactIds": {"0": 1}},
        {"contactIds": ["x"]},
        {"contactIds": [1.5]},
        {"contactIds": [True]},
        {"contactIds": [None]},
        {"contactIds": list(range(1, 502))},
        {"externalCustomerIds": "a"},
        {"externalCustomerIds": [{}]},
        {"externalCustomerIds": ["a\tb"]},
        {"externalCustomerIds": ["x" * 256]},
        {"externalCustomerIds": [f"x{n}" for n in range(501)]},
        [],
        None,
    ],
    ids=lambda body: str(body)[:40],
)
def test_a_body_that_is_not_clear_is_400_and_changes_nothing(group, people, what, body):
    """Above all it never empties the list."""
    group.attach(contactIds=people)
    answer = group.api.post(f"{group.path}/{what}", json=body) if body is not None else None
    answer = answer or group.api.post(f"{group.path}/{what}", content=b"null")
    assert answer.status_code == 400
    assert group.members() == people


@pytest.mark.parametrize("kind", ["contactIds", "externalCustomerIds"])
def test_an_empty_list_of_ids_is_nothing_to_do(group, people, kind):
    """Not the same as none: a page that found nobody must not empty the list."""
    assert group.attach(**{kind: []}) == "Contacts were attached"
    group.attach(contactIds=people)
    assert group.detach(**{kind: []}) == "Contacts were detached"
    assert group.members() == people


@pytest.mark.parametrize(
    "request_", [{}, {"content": b" "}, {"json": {}}], ids=["no body", "blank", "{}"]
)
def test_detach_without_any_id_empties_the_group(api, group, people, request_):
    group.attach(contactIds=people)
    api.delete(f"/api/v1/contact/{people[0]}")
    assert group.empty(**request_) == "Contacts were detached"
    assert group.page() == ([], "0")
    assert "groups" not in api.get(f"/api/v1/contact/{people[1]}").json()


def test_attach_without_any_id_is_400(group):
    for request in ({}, {"json": {}}):
        assert group.api.post(f"{group.path}/attach", **request).status_code == 400


def test_who_was_removed_when_the_list_was_emptied_is_not_on_it_when_restored(
    api, group, people, name
):
    group.attach(contactIds=people)
    api.delete(f"/api/v1/contact/{people[0]}")
    group.empty()
    assert add(api, externalCustomerId=f"{name}-0") == people[0]
    assert group.members() == []


def test_other_lists_stay(api, group, people, name):
    other = make_group(api, f"Other {name}")
    for one in (group, other):
        one.attach(contactIds=people)
    group.empty()
    group.attach(contactIds=people[:1])
    group.detach(contactIds=people)
    assert (group.members(), other.members()) == ([], people)


def test_a_merged_id_is_followed(api, group, name):
    """D14; GET contact of the survivor shows the list."""
    token = {"type": "mobilepush", "value": f"token of {name}"}
    anonymous = add(api, channels=[token])
    survivor = add(api, externalCustomerId=name)
    assert add(api, externalCustomerId=name, channels=[token]) == survivor
    assert group.attach(contactIds=[anonymous]) == "Contacts were attached"
    assert group.members() == [survivor]
    assert api.get(f"/api/v1/contact/{anonymous}").json()["groups"][0]["id"] == group.id
    assert group.detach(contactIds=[anonymous]) == "Contacts were detached"
    assert group.members() == []


def test_the_list_of_who_is_absorbed_passes_to_the_survivor(api, group, name):
    token = {"type": "mobilepush", "value": f"token of {name}"}
    anonymous = add(api, channels=[token])
    group.attach(contactIds=[anonymous])
    survivor = add(api, externalCustomerId=name)
    add(api, externalCustomerId=name, channels=[token])
    assert group.page() == ([survivor], "1")


# Repeats (D22)


def test_an_idempotency_key_answers_the_same_and_does_it_once(group, people):
    headers = {"Idempotency-Key": f"attach {people}"}
    body = {"contactIds": [*people, 999_999_999]}
    first, again = (
        group.api.post(f"{group.path}/attach", json=body, headers=headers) for _ in range(2)
    )
    assert first.text == again.text == "Contacts were attached, except 1 id that belongs to nobody"
    group.detach(contactIds=people)
    group.api.post(f"{group.path}/attach", json=body, headers=headers)
    assert group.members() == []
    other = group.api.post(f"{group.path}/attach", json={"contactIds": [1]}, headers=headers)
    assert other.status_code == 422


def test_emptying_under_an_idempotency_key_is_done_once(group, people):
    group.attach(contactIds=people)
    headers = {"Idempotency-Key": f"empty {people}"}
    assert group.empty(headers=headers) == "Contacts were detached"
    assert group.members() == []
    group.attach(contactIds=people)
    assert group.empty(headers=headers) == "Contacts were detached"
    assert group.members() == people
    other = group.api.post(f"{group.path}/detach", json={}, headers=headers)
    assert other.status_code == 422


# Other types


def test_only_static_segments_take_contacts(api, name, people):
    condition = {"field": "externalCustomerId", "operator": "starts_with", "value": f"{name}-"}
    made = api.post("/api/v1/segments", json={"name": f"Segment {name}", "condition": condition})
    group = Group(api, made.json()["id"])
    for what, body in (("attach", {"contactIds": people}), ("detach", {})):
        answer = api.post(f"{group.path}/{what}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (400, "segment_not_static")
    assert group.members() == people
    (found,) = api.get("/api/v1/groups", params={"name": f"Segment {name}"}).json()
    assert found["type"] == "Dynamic"
