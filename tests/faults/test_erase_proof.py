"""After an erase no byte of the person is left: the whole database as text, the files of the data folder
except PostgreSQL's own, and the log (decisions D29; tables, indexes aside)."""

from __future__ import annotations

import hashlib
import subprocess
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psycopg

from kartoteka.db.embedded import running_url
from kartoteka.webhooks.model import MOST_ATTEMPTS
from tests.conftest import COMMAND, clean_environment

VALUES = {
    "external id": "erase-me-external-4711",
    "former id": "erase-me-former-4712",
    "email": "erase.me.quite@example.com",
    "other email": "erase.me.too@example.com",
    "phone": "380671239911",
    "token": "erase-me-token-4713",
    "device": "erase-me-device-4714",
    "cookie": "E4A5EE00-0000-4000-8000-000000004715",
    "first name": "Eraseme-Gwendolyn",
    "last name": "Eraseme-Quetzal",
    "town": "Eraseme-Town",
    "event": "erase-me-param-4716",
    "order": "erase-me-order-4717",
    "visit": "erase-me-product-4718",
}
STRANGER = "E4A5EE00-0000-4000-8000-000000004719"
"""The cookie of whoever claims to be the person: that proves nothing, so the visitor stays, as nobody."""


def live_a_life(api: httpx.Client) -> int:
    """Everything that may leave a trace: calls of all kinds, a merge, its undo, another merge."""
    v = VALUES
    mail = [{"type": "email", "value": v["email"]}, {"type": "sms", "value": v["phone"]}]
    token = {"type": "mobilepush", "value": v["token"]}
    contact = {
        "externalCustomerId": v["external id"],
        "channels": mail,
        "firstName": v["first name"],
    }
    key = {"Idempotency-Key": "erase-proof"}
    who = api.post("/api/v1/contact", json=contact, headers=key).json()["id"]
    visitor = api.post(
        "/api/v1/contact",
        json={"channels": [token], "lastName": v["last name"], "webId": v["cookie"]},
    ).json()["id"]
    merge = api.post("/api/v1/merges", json={"keep": who, "absorb": visitor}).json()["id"]
    api.post("/api/v1/contact", json={"channels": [token], "address": {"town": v["town"]}})
    api.post(f"/api/v1/merges/{merge}/undo")
    api.post("/api/v1/merges", json={"keep": who, "absorb": visitor})
    api.put(f"/api/v1/contact/{who}", json={"externalCustomerId": v["former id"]})
    api.put(f"/api/v1/contact/{who}", json={"externalCustomerId": v["external id"]})
    other = [{"type": "email", "value": v["other email"]}]
    api.put(f"/api/v1/contact/{who}", json={"channels": other, "deviceId": v["device"]})
    event = {
        "eventTypeKey": "seen",
        "keyValue": v["email"],
        "params": [
            {"name": "externalCustomerId", "value": v["external id"]},
            {"name": "thing", "value": v["event"]},
        ],
    }
    assert api.post("/api/v2/event", json=event).status_code == 200
    order = {
        "externalOrderId": v["order"],
        "externalCustomerId": v["external id"],
        "totalCost": 12,
        "status": "DELIVERED",
        "date": "2026-01-02T03:04:05Z",
        "email": v["email"],
        "firstName": v["first name"],
        "items": [],
    }
    assert api.post("/api/v1/orders", json={"orders": [order]}).status_code == 200
    api.post("/api/v1/contact/subscribe", json={"contact": contact, "groups": ["Erase"]})
    on_the_website(api)
    by_import(api)
    elsewhere(api)
    looks_like_another(api)
    hands_on(api)
    return int(who)


def hands_on(api: httpx.Client) -> None:
    """A device's token goes to somebody else: how many people sent it is counted by hashes (D6)."""
    token = [{"type": "mobilepush", "value": "handed-on"}]
    for external_id in (VALUES["external id"], "heir"):
        body = {"externalCustomerId": external_id, "channels": token}
        assert api.post("/api/v1/contact", json=body).status_code == 200


def unkeyed_hashes(value: str) -> set[str]:
    """What anybody could compute who tries all values that may be meant; D29 allows none of it."""
    content = value.encode()
    digests = [hashlib.new(name, content) for name in ("md5", "sha1", "sha256")]
    crc = zlib.crc32(content)
    return {one.hexdigest() for one in digests} | {str(crc), str(crc & 0x7FFFFFFF)}


def elsewhere(api: httpx.Client) -> None:
    """What goes to others: an export of files in the data folder, and deliveries that nobody takes."""
    v = VALUES
    hook = {"url": "http://127.0.0.1:9/nobody-listens", "events": ["contact.updated"]}
    made = api.post("/api/v1/webhooks", json=hook)
    assert made.status_code in (200, 201), made.text
    body = {"externalCustomerId": v["external id"], "languageCode": "uk", "channels": []}
    assert api.post("/api/v1/contact", json=body).status_code == 200
    deliveries = f"/api/v1/webhooks/{made.json()['id']}/deliveries"
    wait_for(lambda: api.get(deliveries).json() != [])
    export = {
        "name": "all",
        "target": "files",
        "settings": {"format": "csv", "folder": "all"},
        "paused": True,
    }
    made = api.post("/api/v1/exports", json=export)
    assert made.status_code in (200, 201), made.text
    run_exports(api)


def nobody_ever_came(url: str, api: httpx.Client) -> None:
    """The deliveries are given up after their last attempt: dead rows stay until they are replayed."""
    last = "update webhook_delivery set attempts = %s, due = now() where state = 0"

    def is_dead() -> bool:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(last, (MOST_ATTEMPTS - 1,))
        [hook] = api.get("/api/v1/webhooks").json()
        return (hook["dead"] > 0, hook["waiting"]) == (True, 0)

    wait_for(is_dead)


def run_exports(api: httpx.Client) -> None:
    for one in api.get("/api/v1/exports").json():
        run = api.post(f"/api/v1/exports/{one['id']}/run?wait=true").json()
        assert run["state"] == "finished", run


def looks_like_another(api: httpx.Client) -> None:
    """A possible duplicate, told apart, and a value of the person that too many others sent."""
    v = VALUES
    twin = {
        "externalCustomerId": "twin",
        "firstName": v["first name"],
        "lastName": v["last name"],
        "address": {"town": v["town"]},
        "channels": [{"type": "email", "value": v["other email"]}],
    }
    other = api.post("/api/v1/contact", json=twin).json()["id"]
    who = api.get(f"/api/v1/contacts?externalCustomerId={v['external id']}").json()[0]["id"]
    assert api.post("/api/v1/duplicates/search").status_code == 202
    search = "/api/v1/duplicates/search"
    wait_for(lambda: api.get(search).json()["state"] == "finished")
    said = {"contactId": who, "otherId": other}
    assert api.post("/api/v1/duplicates/not-the-same", json=said).status_code == 200
    for kind in ("email", "firstName", "consent.email"):
        api.get(f"/api/v1/contact/{who}/why", params={"kind": kind})
    api.get("/api/v1/why-not", params={"a": who, "b": other})
    # The twin is another person: with their own name they keep nothing of hers.
    gone = api.delete(f"/api/v1/contact/{other}", params={"erase": "true"})
    assert gone.status_code == 200


def on_the_website(api: httpx.Client) -> None:
    """Visits and a claim of a known cookie, and a claim that waits for somebody not yet known."""
    v = VALUES
    site = api.post("/api/v1/site/domains", json={"domain": "shop.example"}).json()["siteId"]
    said = [
        ("PageView", v["cookie"], {}),
        ("CustomerData", v["cookie"], {"externalCustomerId": v["external id"]}),
        ("ProductPage", v["cookie"], {"productKey": v["visit"]}),
        ("CustomerData", STRANGER, {"user_email": v["email"], "user_phone": v["phone"]}),
    ]
    for name, cookie, payload in said:
        info = {
            "eventName": name,
            "siteId": site,
            "datetime": int(time.time() * 1000),
            "cookies": {"sc": cookie},
        }
        body = {"GeneralInfo": info, name: payload}
        headers = {"Origin": "https://shop.example"}
        assert api.post("/api/v2", json=body, headers=headers).status_code == 200
    wait_for(lambda: v["visit"] in api.get(by_id(api) + "/timeline").text)


def by_id(api: httpx.Client) -> str:
    found = api.get(f"/api/v1/contacts?externalCustomerId={VALUES['external id']}").json()
    return f"/api/v1/contact/{found[0]['id']}"


def by_import(api: httpx.Client) -> None:
    """A bulk call and a file with them, both finished."""
    v = VALUES
    row = {"externalCustomerId": v["external id"], "firstName": v["first name"]}
    body = {"contacts": [row], "dedupeOn": "externalCustomerId"}
    session = api.post("/api/v1/contacts", json=body).json()["asyncSessionId"]
    status = f"/api/v1/importstatus/{session}"
    wait_for(lambda: api.get(status).json()["status"] == "FINISHED")
    content = f"External ID,First name\n{v['external id']},{v['first name']}\n"
    started = api.post("/api/v1/imports", files={"file": ("people.csv", content)}).json()["id"]
    wait_for(lambda: api.get(f"/api/v1/imports/{started}").json()["state"] == "finished")


def wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def what_if(folder: Path) -> None:
    """Tells the history again: it leaves nothing behind."""
    environment = clean_environment() | {"KARTOTEKA_DATA_DIR": str(folder)}
    for command in (["what-if", "absorb=never"], ["verify"], ["duplicates"]):
        ran = subprocess.run(
            [COMMAND, "identity", *command],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        said = ran.stdout + ran.stderr
        assert not [name for name, value in VALUES.items() if value in said]


def dump(url: str) -> str:
    """Every row of every table as text."""
    with psycopg.connect(url, autocommit=True) as connection:
        tables = connection.execute(
            "select format('%I.%I', schemaname, tablename) from pg_tables"
            " where schemaname not in ('pg_catalog', 'information_schema')"
        ).fetchall()
        rows: list[tuple[Any, ...]] = []
        for (table,) in tables:
            rows += connection.execute(f"select '{table}', t::text from {table} t").fetchall()
    return "\n".join(f"{table} {row}" for table, row in rows)


def test_no_byte_of_an_erased_person_is_left(start_server, tmp_path: Path):
    server = start_server(KARTOTEKA_ALLOW_PRIVATE_ADDRESSES="on")
    folder = server.log.parent / "data"
    with httpx.Client(base_url=server.url, auth=("", server.key), timeout=60) as api:
        who = live_a_life(api)
        nobody_ever_came(running_url(folder), api)
        before = dump(running_url(folder))
        known = {name for name, value in VALUES.items() if value in before}
        assert known >= VALUES.keys() - {"cookie", "other email", "last name", "town", "former id"}
        assert found_in([*folder.rglob("*.csv")]) >= {"external id", "other email"}
        erased = api.delete(f"/api/v1/contact/{who}", params={"erase": "true"})
        assert erased.status_code == 200, erased.text
        run_exports(api)
        what_if(folder)
    after = dump(running_url(folder))
    left = {
        name: [line.split(" ")[0] for line in after.splitlines() if value in line]
        for name, value in VALUES.items()
        if value in after
    }
    assert left == {}
    for value in VALUES.values():
        assert not [one for one in unkeyed_hashes(value) if one in after]
    assert "public.claim " not in after
    assert "public.webhook_delivery " in after
    files = [path for path in folder.rglob("*") if path.is_file() and "postgres" not in str(path)]
    for path in [*files, server.log]:
        assert not found_in([path]), path


def found_in(files: list[Path]) -> set[str]:
    """Which of the values stand in these files."""
    content = b"\n".join(path.read_bytes() for path in files)
    return {name for name, value in VALUES.items() if value.encode() in content}
