"""The table of routes, walked with the key of another account: nothing is read, nothing changes."""

from __future__ import annotations

import subprocess
import time
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

ORDER = ("GET", "PUT", "DELETE", "PATCH", "POST")
"""POST last: then Bob has contacts with the same values himself."""
KEYED = sorted(
    (route for route in ROUTES if route.right is not None and 501 not in route.errors),
    key=lambda route: ORDER.index(route.method),
)

ALICE = {
    "externalCustomerId": "ALICE-APART",
    "email": "alice.apart@example.com",
    "sms": "380501119988",
    "firstName": "Alisabeta",
    "lastName": "Apartova",
    "token": "alice-apart-token",
}
WORDS = ("apart", "Alisabeta", "380501119988")
"""In everything that is Alice's, and in nothing that is Bob's."""

_CONTACT = {
    "externalCustomerId": ALICE["externalCustomerId"],
    "firstName": "Changed",
    "channels": [
        {"type": "email", "value": ALICE["email"]},
        {"type": "sms", "value": ALICE["sms"]},
        {"type": "mobilepush", "value": ALICE["token"], "device": {"appId": "apart-app"}},
    ],
}
_EVENT = {
    "eventTypeKey": "seen apart",
    "occurred": "2025-03-01",
    "params": [
        {"name": "externalCustomerId", "value": ALICE["externalCustomerId"]},
        {"name": "pushToken", "value": ALICE["token"]},
    ],
}
_ORDER = {
    "externalOrderId": "O-1077",
    "status": "DELIVERED",
    "totalCost": 10,
    "date": "2026-01-05",
    "externalCustomerId": ALICE["externalCustomerId"],
    "email": ALICE["email"],
    "items": [{"externalItemId": "sku apart", "quantity": 1}],
}
OF_NOBODY = {
    *("/api/v1/account/info", "/api/v1/account/settings", "/api/v1/merges"),
    "/api/v1/duplicates/search",
    *("/api/v1/version", "/api/v2/version", "/api/v1/exports/datasets"),
    *("/api/v1/site/script", "/api/v1/site/signing-key"),
    *("/api/v1/segments/conditions", "/api/v1/webhooks/{id}/deliveries"),
    *("/api/v1/segments/{id}/events", "/api/v1/segments/{id}/growth"),
}
"""Answers that hold no word of a contact."""
OWN = {"updateEventType", "addSiteDomain", "addWebpushDomain", "addWebpushDomain_1"}
"""What Bob makes here is his own, by the name that he gives."""
NEEDS_A_QUERY = {"whySegment", "contactWhy"}
"""400 without it."""
CROWDED = "crowded-apart-token"
"""It stands on too many people (D6)."""
BODIES: dict[str, Any] = {
    "contactsBulkUpdate": {"dedupeOn": "email", "contacts": [_CONTACT], "groupNames": ["apart"]},
    "addContact": _CONTACT,
    "updateContact": _CONTACT,
    "changeAccountSettings": {"absorb": "never"},
    **dict.fromkeys(("registerEvent", "registerEvent_1", "registerEvent_2"), _EVENT),
    **{key: {"events": [_EVENT]} for key in ("registerPastEvents", "registerPastEvents_1")},
    **{
        key: {"domain": "shop-apart.example", "serviceWorkerPath": "/apart/"}
        for key in ("addSiteDomain", "addWebpushDomain", "addWebpushDomain_1")
    },
    "deletePastEvents": {"from": "1990-01-01", "to": "2090-01-01"},
    "ordersBulkInsert": {"orders": [{**_ORDER, "totalCost": 1}]},
    "deleteOrders": {"externalOrderIds": [_ORDER["externalOrderId"]]},
    "subscribeContact": {"contact": _CONTACT, "groups": ["List apart"], "subscriptions": ["apart"]},
}


def body_of(alice: Alice, route: Route, contact_id: int) -> dict[str, Any]:
    """A body that names all that is Alice's, in whatever member the route looks for it."""
    if route.form is not None:
        return {"upload": alice.upload}
    if route.operation == "releaseQuarantined":
        return {"kind": "mobile_token", "value": CROWDED, "contactId": contact_id}
    token = {"token": ALICE["token"], "contactId": contact_id, "email": ALICE["email"]}
    return BODIES.get(route.operation) or {
        "externalCustomerId": ALICE["externalCustomerId"],
        "email": ALICE["email"],
        "phone": ALICE["sms"],
        "emails": [ALICE["email"]],
        "contactIds": [contact_id],
        "keep": contact_id,
        "absorb": alice.other_id,
        "otherId": alice.other_id,
        "subscriptions": [],
        "active": False,
        "duration": 60,
        "name": "Changed",
        **token,
        "tokens": [token],
    }


class Alice:
    """An account with one contact that has everything, and what the database holds of it."""

    def __init__(self, api: httpx.Client, database: psycopg.Connection[Any]) -> None:
        self.database = database
        contact = {**_CONTACT, "firstName": ALICE["firstName"], "lastName": ALICE["lastName"]}
        field = api.post("/api/v1/additionalfields", json={"name": "Size apart"}).json()
        self.field_id = field["id"]
        body = {"contact": contact, "groups": ["List apart"], "subscriptions": ["apart"]}
        self.contact_id = api.post("/api/v1/contact/subscribe", json=body).json()["id"]
        segmented = {"segmentation": True}
        assert api.put("/api/v1/event-types/seen%20apart", json=segmented).status_code == 200
        assert api.post("/api/v2/event", json=_EVENT).status_code == 200
        past = api.post("/api/v1/past_events", json={"events": [_EVENT]})
        assert past.json()["successCount"] == 1
        site = BODIES["addWebpushDomain_1"]
        assert api.post("/api/v1/site/webpush/domain", json=site).status_code == 200
        emails = {"emails": ["refused.apart@example.com"]}
        assert api.post("/api/v1/emails/unsubscribed/add", json=emails).status_code == 200
        app = {"name": "App apart", "id": "apart-app"}
        assert api.post("/api/v1/apps", json=app).status_code == 200
        anonymous = {"channels": [{"type": "mobilepush", "value": "second-apart-token"}]}
        self.absorbed = api.post("/api/v1/contact", json=anonymous).json()["id"]
        merge = {"externalCustomerId": ALICE["externalCustomerId"], **anonymous}
        assert api.post("/api/v1/contact", json=merge).json()["id"] == self.contact_id
        merges = api.get(f"/api/v1/merges?contactId={self.contact_id}").json()
        self.merge_id = merges[0]["id"]
        assert api.post("/api/v1/orders", json={"orders": [_ORDER]}).content == b""
        (group,) = api.get(f"/api/v1/contact/{self.contact_id}").json()["groups"]
        self.group_id = group["id"]
        condition = {
            "field": "externalCustomerId",
            "operator": "equals",
            "value": ALICE["externalCustomerId"],
        }
        segment = {"name": "Segment apart", "condition": condition}
        self.segment_id = api.post("/api/v1/segments", json=segment).json()["id"]
        hook = {"url": "https://apart.example/hook", "events": ["contact.removed"]}
        self.webhook_id = api.post("/api/v1/webhooks", json=hook).json()["id"]
        off = api.put(f"/api/v1/webhooks/{self.webhook_id}", json={"enabled": False})
        assert off.json()["enabled"] is False
        self._import_file(api)
        self.export_id = self._export(api)
        name = "select account_id from contact where external_id = %s"
        [self.account_id] = database.execute(name, [ALICE["externalCustomerId"]]).fetchone() or []
        self.other_id = self._who_shares_the_mailbox(api)
        self._quarantine()

    def _who_shares_the_mailbox(self, api: httpx.Client) -> int:
        """Two contacts with one address, kept apart by what each is called."""
        mail = [{"type": "email", "value": ALICE["email"]}]
        other = {"externalCustomerId": "OTHER-APART", "firstName": "Ann", "channels": mail}
        other_id: int = api.post("/api/v1/contact", json=other).json()["id"]
        return other_id

    def _quarantine(self) -> None:
        """As if 51 External IDs had sent the token."""
        self.database.execute(
            "insert into identifier (account_id, kind, value_key, ordinal, contact_id, since, rule,"
            " senders) values (%s, 4, %s, 0, 0, '2026-01-05Z', 'too_many_people', '{1,2}')",
            [self.account_id, CROWDED],
        )

    def _export(self, api: httpx.Client) -> int:
        """An export that ran once and waits."""
        body = {
            "name": "apart",
            "target": "files",
            "settings": {"format": "csv", "folder": "apart"},
            "paused": True,
        }
        export_id: int = api.post("/api/v1/exports", json=body).json()["id"]
        run = api.post(f"/api/v1/exports/{export_id}/run?wait=true").json()
        assert run["state"] == "finished", run
        return export_id

    def _import_file(self, api: httpx.Client) -> None:
        """An import that is over, and a file that waits for another one."""
        content = f"External ID\n{ALICE['externalCustomerId']}\n".encode()
        file = {"file": ("apart.csv", content)}
        self.upload = api.post("/api/v1/imports/preview", files=file).json()["upload"]
        started = api.post("/api/v1/imports", files=file).json()
        self.import_id, self.session_id = started["id"], started["sessionId"]
        deadline = time.monotonic() + 60
        while api.get(f"/api/v1/imports/{self.import_id}").json()["state"] != "finished":
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def everything(self) -> dict[str, list[str]]:
        """Every row of the account, by table; when its keys were last used aside."""
        tables = self.database.execute(
            "select table_name from information_schema.columns"
            " where table_schema = 'public' and column_name = 'account_id'"
        ).fetchall()
        assert len(tables) > 10
        return {table: self._rows(table) for (table,) in tables if table != "event_default"}

    def _rows(self, table: str) -> list[str]:
        sql = (
            f"select (to_jsonb(t) - 'last_used_at')::text from \"{table}\" t where account_id = %s"
        )
        return sorted(row for (row,) in self.database.execute(sql, [self.account_id]).fetchall())


@pytest.fixture(scope="module")
def alice(server: Any, api: httpx.Client) -> Iterator[Alice]:
    url = running_url(server.log.parent / "data")
    with psycopg.connect(url, autocommit=True) as database:
        yield Alice(api, database)


@pytest.fixture(scope="module")
def bob(server: Any) -> Iterator[httpx.Client]:
    """Full rights on another account."""
    environment = clean_environment() | {"KARTOTEKA_DATA_DIR": str(server.log.parent / "data")}
    command = [COMMAND, "accounts", "create", "bob"]
    subprocess.run(command, env=environment, capture_output=True, check=True)
    key = make_key(server, "--account", "bob")
    with httpx.Client(base_url=server.url, auth=("", key), timeout=120) as client:
        yield client


def path_of(alice: Alice, route: Route, contact_id: int) -> str:
    number = alice.field_id if "additionalfields" in route.path else contact_id
    number = alice.group_id if "/group/" in route.path else number
    number = alice.segment_id if "/segments/" in route.path else number
    number = alice.webhook_id if "/webhooks/" in route.path else number
    number = alice.import_id if "/imports/" in route.path else number
    number = alice.export_id if "/exports/" in route.path else number
    number = alice.merge_id if "/merges/" in route.path else number
    return route.path.format(
        id=number,
        app="apart-app",
        token=ALICE["token"],
        sessionId=alice.session_id,
        key="seen apart",
        delivery=1,
    )


def queries_of(alice: Alice, contact_id: int) -> list[dict[str, Any]]:
    """Conditions that each find Alice in her own account."""
    return [
        {},
        {"externalCustomerId": ALICE["externalCustomerId"], "erase": "true"},
        {"email": ALICE["email"]},
        {"sms": ALICE["sms"]},
        {"firstname": ALICE["firstName"]},
        {"lastname": ALICE["lastName"]},
        {"ids": f"{contact_id}", "contactId": contact_id},
        {"kind": "email", "a": contact_id, "b": alice.other_id},
    ]


def words_in(answer: httpx.Response) -> list[str]:
    """What is Alice's in an answer; an error may repeat the path that was asked for."""
    text = answer.text.replace(answer.request.url.path, "")
    return [word for word in WORDS if word.lower() in text.lower()]


@pytest.mark.parametrize("route", KEYED, ids=lambda route: f"{route.method} {route.path}")
def test_with_the_key_of_another_account_nothing_is_seen_and_nothing_changes(
    alice: Alice, bob: httpx.Client, route: Route
):
    before = alice.everything()
    for contact_id in (alice.contact_id, alice.absorbed):
        path = path_of(alice, route, contact_id)
        body = body_of(alice, route, contact_id) if route.body else None
        for query in queries_of(alice, contact_id):
            answer = bob.request(route.method, path, params=query, json=body)
            assert answer.status_code in (200, 201, 202, 400, 404, 409), answer.text
            made = route.operation in OWN
            assert made or words_in(answer) == [], answer.text
            unasked = route.operation in NEEDS_A_QUERY and answer.status_code == 400
            if "{" in route.path and route.method != "POST" and not made and not unasked:
                assert answer.status_code == 404, answer.text
    assert alice.everything() == before


PUBLIC = [route for route in ROUTES if route.tag in ("Mobile SDK", "Segment-style")]


@pytest.mark.parametrize("kind", ["app", "browser", "write"])
def test_with_a_public_key_of_another_account_nothing_changes(
    server: Any, alice: Alice, bob: httpx.Client, kind: str
):
    """Apps, pages and libraries of Bob name all that is Alice's."""
    options = ["--account", "bob", "--kind", kind]
    if kind == "app":
        options += ["--app", bob.post("/api/v1/apps", json={"name": "Public"}).json()["id"]]
    key = make_key(server, *options)
    before = alice.everything()
    person = {"externalUserId": ALICE["externalCustomerId"], "userId": ALICE["externalCustomerId"]}
    traits = {"email": ALICE["email"], "phone": ALICE["sms"]}
    body = {
        **person,
        **traits,
        **dict.fromkeys(("deviceId", "anonymousId", "previousId", "groupId"), "apart-of-bob"),
        "pushToken": ALICE["token"],
        "userAttributes": traits,
        "traits": traits,
        "event": "apart",
        "events": [{"eventTypeKey": "apart"}],
        "batch": [{"type": "identify", **person, "traits": traits}],
    }
    for route in PUBLIC:
        if route.method != "POST":
            continue
        header = {"X-Reteno-Access-Key": key} if kind == "app" else {}
        auth = None if kind == "app" else (key, "")
        path = route.path.replace("{variant}", "1")
        answer = httpx.post(server.url + path, json=body, headers=header, auth=auth, timeout=60)
        assert answer.status_code in (200, 400, 401, 403), answer.text
        assert words_in(answer) == []
    assert alice.everything() == before


@pytest.mark.parametrize("route", [r for r in KEYED if r.method == "GET"], ids=lambda r: r.path)
def test_with_her_own_key_the_same_questions_find_alice(
    alice: Alice, api: httpx.Client, route: Route
):
    """So that the walk above can fail."""
    path = path_of(alice, route, alice.contact_id)
    answers = [api.get(path, params=query) for query in queries_of(alice, alice.contact_id)]
    if "{" in route.path:
        without = {400} if route.operation in NEEDS_A_QUERY else set()
        assert {answer.status_code for answer in answers} == {200} | without
    elif route.path not in OF_NOBODY:
        assert any(words_in(answer) for answer in answers)
