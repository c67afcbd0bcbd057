"""Whoever has an app or reads a page's source has its key: what a forged call can do (decisions D36).

Alice has everything; Bob is removed, Carol erased; Dora and Emil share a mailbox. Forged calls name all
of them: nobody of them is changed, moved, restored, merged or revealed, and nobody is created beyond
what D36 allows.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import psycopg
import pytest

from tests.api.conftest import make_key

Database = psycopg.Connection[tuple[Any, ...]]
DEADLINE_S = 60

ALICE, BOB, CAROL = "ALICE-F", "BOB-F", "CAROL-F"
PROFILE = {
    "firstName": "Mallory",
    "lastName": "Forger",
    "address": {"town": "Nowhere"},
    "fields": [{"key": "PERSONAL.GENDER", "value": "male"}],
}


class Shop(msgspec.Struct):
    """The people of one account, and keys that anybody may have."""

    app_key: str
    app_id: str
    browser_key: str
    alice: int
    bob: int
    dora: int
    emil: int


def person(api: httpx.Client, external_id: str | None, **channels: str) -> int:
    listed = [{"type": name, "value": value} for name, value in channels.items()]
    body = {
        "externalCustomerId": external_id,
        "channels": listed,
        "firstName": "Given",
        "webId": f"cookie-{external_id}",
        "deviceId": f"device-{external_id}",
    }
    answer = api.post("/contact", json=body)
    assert answer.status_code == 200, answer.text
    number: int = answer.json()["id"]
    return number


@pytest.fixture(scope="module")
def shop(server: Any, api: httpx.Client) -> Shop:
    alice = person(
        api, ALICE, email="alice.f@example.com", sms="380501110101", mobilepush="token-alice-f"
    )
    groups = {
        "contact": {"externalCustomerId": ALICE},
        "groups": ["VIP"],
        "subscriptions": ["news"],
    }
    assert api.post("/contact/subscribe", json=groups).status_code == 200
    bob = person(api, BOB, email="bob.f@example.com", mobilepush="token-bob-f")
    assert api.delete(f"/contact/{bob}").status_code == 200
    carol = person(api, CAROL, email="carol.f@example.com")
    assert api.delete(f"/contact/{carol}", params={"erase": "true"}).status_code == 200
    dora, emil = (person(api, name, email="shared.f@example.com") for name in ("DORA-F", "EMIL-F"))
    made = api.post("/apps", json={"name": "Public app"}).json()
    browser = make_key(server, "--kind", "browser")
    return Shop(made["key"], made["id"], browser, alice, bob, dora, emil)


@pytest.fixture
def public(server: Any) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60) as client:
        yield client


def everything(database: Database) -> dict[str, set[str]]:
    """Every row of every table that a request may write; who waits for a card sees its `version`."""
    rows = "select (to_jsonb(t) - 'version')::text"
    tables = database.execute(
        "select relname from pg_class where relkind in ('r', 'p') and not relispartition"
        " and relnamespace = 'public'::regnamespace and relname not like 'procrastinate%'"
        " and relname <> 'api_key'"
    ).fetchall()
    return {
        table: {row[0] for row in database.execute(f'{rows} from "{table}" t')}
        for (table,) in tables
    }


def by_app(public: httpx.Client, shop: Shop, path: str, body: dict[str, Any]) -> httpx.Response:
    return public.post(path, json=body, headers={"X-Reteno-Access-Key": shop.app_key})


def by_page(public: httpx.Client, shop: Shop, path: str, body: dict[str, Any]) -> httpx.Response:
    headers = {"Origin": "https://shop.example"}
    return public.post(path, json=body, auth=(shop.browser_key, ""), headers=headers)


def settle(public: httpx.Client, shop: Shop, database: Database, word: str) -> None:
    """Back when all that was sent before is carried out: two devices of nobody are there."""
    for number in range(2):
        device = f"last-{word}-{number}"
        assert by_app(public, shop, "/api/v1/device", {"deviceId": device}).status_code == 200
        deadline = time.monotonic() + DEADLINE_S
        sql = "select count(*) from identifier where value_key = %s"
        while not (database.execute(sql, [device]).fetchone() or [0])[0]:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def forged_by_app(word: str) -> list[tuple[str, dict[str, Any]]]:
    """What an attacker sends that knows every identifier of everybody."""
    claims: list[dict[str, Any]] = [
        {"externalUserId": BOB},
        {"externalUserId": CAROL},
        {"externalUserId": ALICE, "email": "shared.f@example.com"},
        {"externalUserId": "DORA-F", "phone": "+380501110101"},
        {"email": "alice.f@example.com", "phone": "+380509998877", "externalUserId": BOB},
        {"email": "shared.f@example.com"},
        {"email": "bob.f@example.com"},
        {"pushToken": "token-alice-f"},
        {"pushToken": "token-bob-f"},
        {"pushToken": "token-alice-f", "externalUserId": "NEW-F"},
    ]
    calls: list[tuple[str, dict[str, Any]]] = []
    for number, said in enumerate(claims):
        device = {"deviceId": f"forged-{word}-{number}"}
        calls.append(("/api/v1/device", {**device, **said, "languageCode": "xx"}))
        attributes = {**PROFILE, **{k: v for k, v in said.items() if k in ("email", "phone")}}
        named = {k: v for k, v in said.items() if k == "externalUserId"}
        lists = {
            "subscriptionKeys": ["forged"],
            "groupNamesInclude": ["Forged"],
            "groupNamesExclude": ["VIP"],
        }
        calls.append(("/api/v1/user", {**device, **named, "userAttributes": attributes, **lists}))
        events = [{"eventTypeKey": "forged"}]
        if said.get("externalUserId") not in (ALICE, "DORA-F"):  # alone it is a claim that counts
            calls.append(("/api/v1/events", {**device, **named, "events": events}))
    return calls


def forged_by_page(word: str) -> list[tuple[str, dict[str, Any]]]:
    traits = {"email": "alice.f@example.com", "firstName": "Mallory", "phone": "+380501110101"}
    said: list[tuple[str, dict[str, Any]]] = []
    for number, user in enumerate((BOB, CAROL, "NOBODY-F", ALICE)):
        who = {"userId": user, "anonymousId": f"forged-{word}-{number}"}
        other = {**traits, "email": "shared.f@example.com"} if user == ALICE else traits
        said += [
            ("/v1/identify", {**who, "traits": other}),
            ("/v1/t", {**who, "event": "forged", "context": {"traits": other}}),
            ("/v1/group", {**who, "groupId": "g", "traits": {"name": "G", **other}}),
            ("/v1/page", {**who, "name": "Forged", "context": {"traits": other}}),
            ("/v1/alias", {**who, "previousId": f"older-{word}-{number}", "traits": other}),
        ]
    batch = [{"type": path.removeprefix("/v1/"), **body} for path, body in said[:1]]
    return [*said, ("/v1/batch", {"batch": batch})]


def test_forged_app_calls_change_and_move_nothing(
    public: httpx.Client, database: Database, shop: Shop
) -> None:
    before = everything(database)
    for path, body in forged_by_app("app"):
        answer = by_app(public, shop, path, body)
        assert (answer.status_code, answer.json()) == (200, {})
    settle(public, shop, database, "app")
    after = everything(database)
    for table, rows in before.items():
        assert rows <= after[table], table  # what was there is there as it was
    new = database.execute(
        "select external_id, email, phone, source, keyed, status from contact"
        " where contact_id > %s",
        [shop.emil],
    ).fetchall()
    assert {row[0] for row in new} <= {None, "NEW-F"}  # an External ID that nobody has
    assert {row[1:3] for row in new} == {(None, None)}
    assert {row[3:] for row in new} == {("MOBILE_SDK", False, 0)}
    assert before["segment_member"] == after["segment_member"]
    assert before["subscription_category"] == after["subscription_category"]


def test_forged_browser_calls_create_nobody(
    public: httpx.Client, database: Database, shop: Shop
) -> None:
    before = everything(database)
    for path, body in forged_by_page("page"):
        answer = by_page(public, shop, path, body)
        assert (answer.status_code, answer.json()) == (200, {"success": True}), path
    settle(public, shop, database, "page")
    after = everything(database)
    mine = {row for row in after["contact"] - before["contact"] if "MOBILE_SDK" not in row}
    assert mine == set()
    for table, rows in before.items():
        assert rows <= after[table], table


def test_a_claim_adds_its_own_device_and_fills_blanks_only(
    public: httpx.Client, api: httpx.Client, database: Database, shop: Shop
) -> None:
    """It is all that a public caller may do to Alice: her name, addresses and lists stay."""
    before = api.get(f"/contact/{shop.alice}").json()
    said = {**PROFILE, "email": "alice.f@example.com", "phone": "+380501110101"}
    body = {"deviceId": "alices-second", "externalUserId": ALICE, "userAttributes": said}
    assert by_app(public, shop, "/api/v1/user", body).status_code == 200
    settle(public, shop, database, "claim")
    after = api.get(f"/contact/{shop.alice}").json()
    assert after["firstName"] == before["firstName"] == "Given"
    assert (after["channels"], after["groups"]) == (before["channels"], before["groups"])
    assert (after["lastName"], after["address"]["town"]) == ("Forger", "Nowhere")
    identity = api.get(f"/contact/{shop.alice}/identity").json()
    (device,) = [one for one in identity["identifiers"] if one["value"] == "alices-second"]
    assert device["rule"] == "claim"


def test_a_stolen_device_id_moves_nothing_but_itself(
    public: httpx.Client, api: httpx.Client, database: Database, shop: Shop
) -> None:
    """The device itself may change hands; the person's card, tokens of others and history stay."""
    identity = api.get(f"/contact/{shop.dora}/identity").json()["identifiers"]
    body = {"deviceId": "device-DORA-F", "externalUserId": "EMIL-F"}
    assert by_app(public, shop, "/api/v1/device", body).status_code == 200
    settle(public, shop, database, "stolen")
    left = api.get(f"/contact/{shop.dora}/identity").json()["identifiers"]
    gone = [one["value"] for one in identity if one["value"] not in {o["value"] for o in left}]
    assert gone == ["device-DORA-F"]


@pytest.mark.parametrize("path", ["/api/v1/device", "/api/v1/user", "/api/v1/events"])
def test_an_app_cannot_tell_who_is_known(public: httpx.Client, shop: Shop, path: str) -> None:
    """Decisions D36: neither answer nor headers; the time is a fixed one (api/discretion.py)."""
    answers = []
    for number, user in enumerate((ALICE, BOB, CAROL, "NOBODY-KNOWN-F")):
        body = {"deviceId": f"asks-{number}-{path[-4:]}", "externalUserId": user, "events": []}
        answer = by_app(public, shop, path, body)
        headers = {k: v for k, v in answer.headers.items() if k not in ("date", "x-request-id")}
        answers.append((answer.status_code, answer.content, headers))
    assert all(one == answers[0] for one in answers)


def test_a_page_cannot_tell_who_is_known(public: httpx.Client, shop: Shop) -> None:
    answers = []
    for number, user in enumerate((ALICE, BOB, CAROL, "NOBODY-KNOWN-F")):
        body = {"anonymousId": f"asks-{number}", "userId": user}
        answer = by_page(public, shop, "/v1/identify", body)
        headers = {k: v for k, v in answer.headers.items() if k not in ("date", "x-request-id")}
        answers.append((answer.status_code, answer.content, headers))
    assert all(one == answers[0] for one in answers)


def test_a_server_key_is_refused_in_a_page(
    server: Any, public: httpx.Client, api: httpx.Client, shop: Shop
) -> None:
    """Decisions D36, setting `allow_server_key_in_browser`."""
    write = make_key(server, "--kind", "write")
    body = {"userId": "IN-PAGE-F", "traits": {}}
    origin = {"Origin": "https://shop.example"}
    for key in (server.key, write):
        refused = public.post("/v1/identify", json=body, auth=(key, ""), headers=origin)
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
        assert public.post("/v1/identify", json=body, auth=(key, "")).status_code == 200
    allowed = {"allow_server_key_in_browser": True}
    assert api.patch("/account/settings", json=allowed).status_code == 200
    try:
        answer = public.post("/v1/identify", json=body, auth=(write, ""), headers=origin)
        assert answer.status_code == 200
    finally:
        api.patch("/account/settings", json={"allow_server_key_in_browser": None})


def test_signed_claims_need_their_proof(
    public: httpx.Client, api: httpx.Client, database: Database, shop: Shop
) -> None:
    """Setting `signed_claims`: without the HMAC-SHA-256 of its External ID a claim says nothing."""
    key = api.get("/site/signing-key").json()["signingKey"]
    proof = hmac.new(key.encode(), ALICE.encode(), hashlib.sha256).hexdigest()
    assert api.patch("/account/settings", json={"signed_claims": True}).status_code == 200
    try:
        for device, signature in (("unsigned", None), ("wrong", "0" * 64), ("signed", proof)):
            body = {"deviceId": device, "externalUserId": ALICE, "signature": signature}
            assert by_app(public, shop, "/api/v1/device", body).status_code == 200
        settle(public, shop, database, "signed")
    finally:
        api.patch("/account/settings", json={"signed_claims": None})
    identity = api.get(f"/contact/{shop.alice}/identity").json()["identifiers"]
    values = {one["value"] for one in identity}
    assert "signed" in values
    assert not {"unsigned", "wrong"} & values
