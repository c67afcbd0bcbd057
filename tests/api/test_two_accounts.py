"""Two accounts with the same customers: no route lets one see or touch what is the other's (D21)."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest

from kartoteka.api.routes import ROUTES
from kartoteka.api.routing import Route
from kartoteka.db.embedded import running_url
from tests.api.conftest import make_key
from tests.conftest import COMMAND, clean_environment

SECRETS = {
    "email": "alice.secret@x.example",
    "firstName": "Zlatoslava",
    "token": "secret-token-of-alice",
    "list": "Secret list of Alice",
    "category": "secret-category",
    "field": "Secret field",
}
BODY: dict[str, Any] = {
    "externalCustomerId": "shared",
    "firstName": SECRETS["firstName"],
    "deviceId": "secret-device",
    "channels": [
        {"type": "email", "value": SECRETS["email"]},
        {"type": "sms", "value": "380671234567"},
        {"type": "mobilepush", "value": SECRETS["token"], "device": {"appId": "app-1"}},
    ],
}


@pytest.fixture(scope="module")
def mallory(server: Any) -> Iterator[httpx.Client]:
    """A client with full rights on another account of the same server."""
    environment = clean_environment() | {"KARTOTEKA_DATA_DIR": str(server.log.parent / "data")}
    create = [COMMAND, "accounts", "create", "mallory"]
    subprocess.run(create, env=environment, capture_output=True, check=True)
    key = make_key(server, "--account", "mallory")
    with httpx.Client(base_url=server.url, auth=("", key), timeout=120) as client:
        yield client


@pytest.fixture(scope="module")
def alice_id(api: httpx.Client) -> int:
    """Alice's contact, with something secret wherever something can be."""
    said = {"contact": BODY, "groups": [SECRETS["list"]]}
    contact_id: int = api.post("/api/v1/contact/subscribe", json=said).json()["id"]
    subscriptions = {"subscriptions": [SECRETS["category"]]}
    answer = api.put(f"/api/v1/contact/{contact_id}/subscriptions", json=subscriptions)
    assert answer.status_code == 200
    return contact_id


@pytest.fixture
def stored(server: Any) -> Iterator[Any]:
    """Everything of Alice's account, as text; of that account only."""
    url = running_url(server.log.parent / "data")
    with psycopg.connect(url, autocommit=True) as connection:
        tables = [
            name
            for (name,) in connection.execute(
                "select table_name from information_schema.columns join information_schema.tables "
                "using (table_schema, table_name) where table_schema = 'public' "
                "and table_type = 'BASE TABLE' and column_name = 'account_id' "
                "and table_name <> 'api_key' order by 1"
            )
        ]

        def read() -> str:
            return "\n".join(
                f"{table}: {row}"
                for table in tables
                for (row,) in connection.execute(
                    f"select t::text from {table} t where account_id = 1 order by 1"  # type: ignore[call-overload]
                )
            )

        yield read


def requests_of(route: Route, contact_id: int) -> list[tuple[str, str, Any]]:
    """Calls of one route that name what is Alice's, by path, query and body."""
    values = {"id": str(contact_id), "app": "app-1", "token": SECRETS["token"]}
    path = re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], "1"), route.path)
    queries = ("", "?externalCustomerId=shared", f"?email={SECRETS['email']}", f"?ids={contact_id}")
    queries = (*queries, f"?contactId={contact_id}", "?externalCustomerId=shared&erase=true")
    bodies: list[Any] = [None]
    if route.method in ("POST", "PUT", "PATCH"):
        app_token = {"token": SECRETS["token"], "contactId": contact_id}
        bodies = [
            {"firstName": "Mallory"},
            {"externalCustomerId": "shared", "id": contact_id},
            {"contact": {"externalCustomerId": "shared"}, "groups": [SECRETS["list"]]},
            {"tokens": [app_token], **app_token, "duration": 60},
            {"emails": [SECRETS["email"]], "email": SECRETS["email"]},
            {"keep": contact_id, "absorb": contact_id},
            {"subscriptions": [SECRETS["category"]]},
            {"contactIds": [contact_id]},
            {"externalCustomerIds": ["shared"]},
            {},
        ]
    return [(route.method, path + query, body) for query in queries for body in bodies]


@pytest.mark.parametrize(
    "route",
    # Reading first: later Mallory has lists of the same names herself.
    sorted(
        (route for route in ROUTES if route.right is not None), key=lambda one: one.method != "GET"
    ),
    ids=lambda route: f"{route.method} {route.path}",
)
def test_no_route_leads_to_another_account(
    mallory: httpx.Client, alice_id: int, stored: Any, route: Route
):
    before = stored()
    assert SECRETS["email"] in before
    for method, path, body in requests_of(route, alice_id):
        answer = mallory.request(method, path, json=body)
        assert answer.status_code < 500 or answer.status_code == 501
        asked = f"{path} {body}"
        for secret in SECRETS.values():
            assert secret in asked or secret not in answer.text, (method, path)
        if "json" in answer.headers.get("content-type", "") and answer.text[:1] == "{":
            assert answer.json().get("id") != alice_id
    assert stored() == before
    assert mallory.get(f"/api/v1/contact/{alice_id}").status_code == 404


def test_the_same_customer_of_two_accounts_is_two_contacts(
    api: httpx.Client, mallory: httpx.Client, alice_id: int
):
    hers = mallory.post("/api/v1/contact", json=BODY).json()["id"]
    assert hers != alice_id
    assert api.post("/api/v1/contact", json=BODY).json()["id"] == alice_id
    gone = mallory.delete("/api/v1/contact?externalCustomerId=shared&erase=true")
    assert gone.status_code == 200
    assert api.get(f"/api/v1/contact/{alice_id}").json()["externalCustomerId"] == "shared"
