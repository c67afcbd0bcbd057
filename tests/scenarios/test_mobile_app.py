"""Guide G4 by the mobile SDK, step by step, in the shapes that both SDKs send (wire 7; D36)."""

from __future__ import annotations

import copy
import gzip
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import psycopg
import pytest

from tests.rules.activity.recorded import ANDROID, IOS
from tests.scenarios.test_guide import get, values

Database = psycopg.Connection[tuple[Any, ...]]
DEADLINE_S = 60
BOTH = pytest.mark.parametrize("trusted", [True, False], ids=["trusted", "untrusted"])


class Phone:
    """An installed app: sends what its SDK would, with the access key of the application."""

    def __init__(self, client: httpx.Client, key: str, device: str) -> None:
        self._client = client
        self._headers = {
            "X-Reteno-Access-Key": key,
            "X-Reteno-SDK-Version": "Android 2.8.7",
            "Content-Type": "application/json; charset=UTF-8",
            "Accept": "*/*",
        }
        self.device = device

    def send(
        self, path: str, recorded: dict[str, Any], *, zipped: bool = False, **other: Any
    ) -> None:
        """A recorded body with other values, in chunks as Android sends it; only 200 is success."""
        body = {**copy.deepcopy(recorded), "deviceId": self.device, **other}
        content = json.dumps(body).encode()
        headers = self._headers | ({"Content-Encoding": "gzip"} if zipped else {})
        content = gzip.compress(content) if zipped else content
        answer = self._client.post(path, content=chunks(content), headers=headers)
        assert answer.status_code == 200, answer.text
        assert answer.json() == {}


def chunks(content: bytes) -> Iterator[bytes]:
    yield content[:7]
    yield content[7:]


@pytest.fixture
def sdk(server: Any) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60) as client:
        yield client


@pytest.fixture
def phone(api: httpx.Client, sdk: httpx.Client) -> Callable[..., Phone]:
    """`phone("D", trusted=True)`: an app of an application made for it."""

    def install(device: str, *, trusted: bool = False) -> Phone:
        made = api.post("/apps", json={"name": f"App of {device}", "trusted": trusted})
        assert made.status_code == 200, made.text
        return Phone(sdk, made.json()["key"], device)

    return install


def wait_for(found: Callable[[], Any]) -> Any:
    """What is found in the end: the answer to a claim comes before or after it is carried out."""
    deadline = time.monotonic() + DEADLINE_S
    while not (value := found()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return value


def holder(database: Database, value: str) -> int | None:
    """The contact that has this identifier."""
    row = database.execute(
        "select contact_id from identifier where value_key = %s and contact_id > 0", [value]
    ).fetchone()
    return None if row is None else row[0]


def by_external_id(api: httpx.Client, external_id: str) -> int | None:
    found = api.get("/contacts", params={"externalCustomerId": external_id}).json()
    return found[0]["id"] if found else None


def history(api: httpx.Client, database: Database, contact_id: int) -> list[str]:
    """Types of the contact's events and visits, by their time."""
    rows = database.execute(
        "select type_key from event e where owner_id in"
        " (select owner_id from owners_of(1, array[%s]::bigint[])) order by occurred, type_key",
        [contact_id],
    ).fetchall()
    return [row[0] for row in rows]


@BOTH
def test_an_app_is_installed_and_its_user_registers(
    api: httpx.Client, database: Database, phone: Callable[..., Phone], trusted: bool
) -> None:
    """Guide G4 (1)–(7)."""
    word = f"g4-{trusted}"
    alice = phone(f"device-{word}", trusted=trusted)
    token, external_id = f"token-{word}", f"ALICE-{word}"
    email, sms = f"{word}@example.com".lower(), f"38050111220{int(trusted)}"
    # (1) The app is installed, (2) and sends its mobile token.
    alice.send("/api/v1/device", ANDROID["device"], pushToken=token)
    # (3) A contact with that token as its identifier is created.
    anonymous = wait_for(lambda: holder(database, token))
    card = get(api, anonymous)
    assert values(card, "mobilepush") == [token]
    assert "externalCustomerId" not in card
    assert card["languageCode"] == "uk"
    # What the app does before anybody knows whose it is.
    alice.send("/api/v1/events", ANDROID["events"])
    # (4) Alice registers. (5) E-mail, phone and name reach the shop, (6) which gives her an External
    # ID; the app sends it with the rest.
    said = {**ANDROID["user"]["userAttributes"], "email": email, "phone": "+" + sms}
    alice.send(
        "/api/v1/user",
        ANDROID["user"],
        externalUserId=external_id,
        userAttributes=said,
        zipped=True,
    )
    # (7) The contact with that token is found and the same contact gets the new identifiers.
    assert wait_for(lambda: by_external_id(api, external_id)) == anonymous
    card = get(api, anonymous)
    assert values(card, "email") == [email]
    assert values(card, "sms") == [sms]
    assert values(card, "mobilepush") == [token]
    assert (card["firstName"], card["address"]["town"]) == ("Alice", "Kyiv")
    lists = {group["name"] for group in card.get("groups", [])}
    assert lists == (
        {"App users"} if trusted else set()
    )  # D36: an untrusted app has no say in lists
    (source,) = database.execute(
        "select source from contact where contact_id = %s", [anonymous]
    ).fetchone() or [None]
    assert source == "MOBILE_SDK"
    # Her earlier history is hers.
    assert history(api, database, anonymous) == ["SessionStarted", "productViewed", "screenView"]
    # G6: afterwards the shop updates her by External ID.
    again = api.post("/contact", json={"channels": [], "externalCustomerId": external_id}).json()
    assert again["id"] == anonymous


def test_the_shops_server_registers_whom_the_app_knows_by_its_token(
    api: httpx.Client, database: Database, phone: Callable[..., Phone]
) -> None:
    """Guide G4 with the SDK for steps 1–3 and POST contact for steps 5–7."""
    app = phone("device-half")
    app.send("/api/v1/device", ANDROID["device"], pushToken="token-half")
    anonymous = wait_for(lambda: holder(database, "token-half"))
    registered = api.post(
        "/contact",
        json={
            "externalCustomerId": "HALF-1",
            "channels": [
                {"type": "mobilepush", "value": "token-half"},
                {"type": "email", "value": "half@example.com"},
            ],
        },
    ).json()["id"]
    assert registered == anonymous
    app.send("/api/v1/events", ANDROID["events"], externalUserId="HALF-1")
    wait_for(lambda: len(history(api, database, anonymous)) == 3)


def test_what_a_claim_absorbed_is_marked_and_explained(
    api: httpx.Client, database: Database, phone: Callable[..., Phone]
) -> None:
    """D36: marked in history and timeline; D26: the chain that made the link."""
    app = phone("device-marked")
    known = api.post("/contact", json={"channels": [], "externalCustomerId": "MARKED"}).json()["id"]
    app.send("/api/v1/device", ANDROID["device"], pushToken="token-marked")
    wait_for(lambda: holder(database, "token-marked"))
    app.send("/api/v1/events", ANDROID["events"])
    app.send("/api/v1/user", {}, externalUserId="MARKED")
    wait_for(lambda: holder(database, "device-marked") == known)
    identity = api.get(f"/contact/{known}/identity").json()
    rules = {one["kind"]: one["rule"] for one in identity["identifiers"]}
    assert (rules["device"], rules["mobile_token"]) == ("claim", "claim")
    merged = identity["history"][0]
    assert (merged["action"], merged["rule"]) == ("absorbed", "absorbed_by_claim")
    timeline = wait_for(lambda: api.get(f"/contact/{known}/timeline").json())
    assert [one.get("linkedBy") for one in timeline] == ["claim"] * 3
    for kind in ("device", "mobile_token"):
        why = api.get(f"/contact/{known}/why?kind={kind}").json()
        assert why["complete"] is True
        methods = ["addContact", "mobileDevice", "mobileUser"]
        assert [one["method"] for one in why["chain"]] == methods
    undone = api.post(f"/merges/{merged['id']}/undo")
    assert undone.status_code == 200, undone.text
    assert holder(database, "device-marked") == merged["otherContactId"]


@BOTH
def test_the_next_user_of_the_phone(
    api: httpx.Client, database: Database, phone: Callable[..., Phone], trusted: bool
) -> None:
    """Check 21 of wire 14: device and token go to the user named by the update; history stays."""
    word = f"c21-{trusted}"
    app = phone(f"device-{word}", trusted=trusted)
    app.send("/api/v1/device", ANDROID["device"], pushToken=f"token-{word}")
    app.send("/api/v1/user", {}, externalUserId=f"X-{word}")
    first = wait_for(lambda: by_external_id(api, f"X-{word}"))
    app.send("/api/v1/events", ANDROID["events"], externalUserId=f"X-{word}")
    wait_for(lambda: len(history(api, database, first)) == 3)
    second = api.post("/contact", json={"channels": [], "externalCustomerId": f"X2-{word}"}).json()
    app.send("/api/v1/user", {}, externalUserId=f"X2-{word}")
    wait_for(lambda: holder(database, f"device-{word}") == second["id"])
    assert holder(database, f"token-{word}") == second["id"]
    # What the first one did and comes late is still the first one's.
    late = {"eventTypeKey": "late", "occurred": "2026-11-20T10:00:00.000Z"}
    app.send("/api/v1/events", {"events": [late]})
    wait_for(lambda: "late" in history(api, database, first))
    assert "late" not in history(api, database, second["id"])
    now = {"eventTypeKey": "now"}
    app.send("/api/v1/events", {"events": [now]}, externalUserId=f"X2-{word}")
    wait_for(lambda: history(api, database, second["id"]) == ["now"])


def test_ios_before_it_has_a_token(
    api: httpx.Client, database: Database, phone: Callable[..., Phone]
) -> None:
    app = phone("device-ios")
    app.send("/api/v1/device", IOS["device"])
    number = wait_for(lambda: holder(database, "device-ios"))
    assert values(get(api, number), "mobilepush") == []
    app.send("/api/v1/device", IOS["device"], pushToken="apns-1", pushSubscribed=True)
    assert wait_for(lambda: holder(database, "apns-1")) == number


ORDER = {
    "externalOrderId": "ORDER-7",
    "totalCost": "41.5",
    "status": "INITIALIZED",
    "date": "2026-11-20T10:11:10Z",
    "currencyCode": "UAH",
    "items": '[{"externalItemId":"P-1","name":"Shirt","category":"Shirts","quantity":1.0,'
    '"cost":41.5,"url":"https://shop.example/p1","imageUrl":"https://shop.example/p1.png"}]',
}


@BOTH
def test_an_order_of_an_app(
    api: httpx.Client, database: Database, phone: Callable[..., Phone], trusted: bool
) -> None:
    """Wire 5.2, 7.4: a trusted app's orderCreated is an order; what others say is an event only."""
    word = f"order-{trusted}"
    assert api.put("/event-types/orderCreated", json={"segmentation": True}).status_code == 200
    app = phone(f"device-{word}", trusted=trusted)
    app.send("/api/v1/user", {}, externalUserId=f"X-{word}")
    number = wait_for(lambda: by_external_id(api, f"X-{word}"))
    said = {**ORDER, "externalOrderId": word, "externalCustomerId": f"X-{word}"}
    params = [{"name": name, "value": value} for name, value in said.items()]
    events = [{"eventTypeKey": "orderCreated", "params": params}]
    app.send("/api/v1/events", {"events": events}, externalUserId=f"X-{word}")
    wait_for(lambda: "orderCreated" in history(api, database, number))
    orders = api.get(f"/contact/{number}/orders").json()
    assert [one["externalOrderId"] for one in orders] == ([word] if trusted else [])


def basic(app: Phone) -> str:
    return httpx.BasicAuth("username", app._headers["X-Reteno-Access-Key"])._auth_header


def test_what_became_of_a_push_is_told_once(
    api: httpx.Client, database: Database, phone: Callable[..., Phone], sdk: httpx.Client
) -> None:
    """Wire 7.1, 7.2: Android sends no key with it; the token says whose it is."""
    app = phone("device-push")
    app.send("/api/v1/device", ANDROID["device"], pushToken="token-push")
    number = wait_for(lambda: holder(database, "token-push"))
    body = {**IOS["interaction"], "token": "token-push"}
    for path, headers in (
        ("/api/v1/interactions/i-1/status", {}),
        ("/api/v1/interactions/i-1/status", {}),
        ("/api/v1/interactions/i-2/status", app._headers),
        ("/api/v1/interactions/i-2/status", {"Authorization": basic(app)}),  # as iOS does
    ):
        assert sdk.put(path, json=body, headers=headers).status_code == 200
    unknown = {**body, "token": "nobody-has-it"}
    assert sdk.put("/api/v1/interactions/i-3/status", json=unknown).status_code == 200
    assert history(api, database, number) == ["pushCLICKED", "pushCLICKED"]
    assert holder(database, "nobody-has-it") is None
    rows = database.execute("select key_value from event where type_key = 'pushCLICKED'").fetchall()
    assert sorted(rows) == [("i-1",), ("i-2",)]


def test_a_claim_that_came_before_its_contact(
    api: httpx.Client, database: Database, phone: Callable[..., Phone]
) -> None:
    """Decisions D36: a removed contact counts as nobody; the claim counts when a keyed call restores."""
    number = api.post("/contact", json={"channels": [], "externalCustomerId": "GONE-1"}).json()[
        "id"
    ]
    assert api.delete(f"/contact/{number}").status_code == 200
    app = phone("device-gone")
    app.send("/api/v1/user", {}, externalUserId="GONE-1")
    app.send("/api/v1/events", ANDROID["events"], externalUserId="GONE-1")
    wait_for(
        lambda: database.execute("select 1 from claim where value_key = 'device-gone'").fetchone()
    )
    assert api.get(f"/contact/{number}").status_code == 404
    assert holder(database, "device-gone") is None
    api.post("/contact", json={"channels": [], "externalCustomerId": "GONE-1"})
    assert by_external_id(api, "GONE-1") == number
    assert wait_for(lambda: holder(database, "device-gone")) == number
    wait_for(lambda: len(history(api, database, number)) == 3)


def test_a_claim_waits_beside_the_contact_that_has_the_device(
    api: httpx.Client, database: Database, phone: Callable[..., Phone]
) -> None:
    """Decisions D36: the app's anonymous contact becomes part of the one that the shop restores."""
    number = api.post("/contact", json={"channels": [], "externalCustomerId": "GONE-2"}).json()[
        "id"
    ]
    assert api.delete(f"/contact/{number}").status_code == 200
    app = phone("device-beside")
    app.send("/api/v1/device", ANDROID["device"], externalUserId=None, pushToken="beside-token")
    anonymous = wait_for(lambda: holder(database, "device-beside"))
    app.send("/api/v1/user", {}, externalUserId="GONE-2")
    app.send("/api/v1/events", ANDROID["events"], externalUserId=None)
    wait_for(
        lambda: database.execute("select 1 from claim where value_key = 'device-beside'").fetchone()
    )
    assert holder(database, "device-beside") == anonymous
    api.post("/contact", json={"channels": [], "externalCustomerId": "GONE-2"})
    assert holder(database, "device-beside") == holder(database, "beside-token") == number
    assert not database.execute("select 1 from claim where value_key = 'device-beside'").fetchone()
    wait_for(lambda: len(history(api, database, number)) == 3)
    identity = api.get(f"/contact/{number}/identity").json()
    assert {one["value"]: one["rule"] for one in identity["identifiers"]}[
        "device-beside"
    ] == "claim"
    assert "absorbed" in {one["action"] for one in identity["history"]}
