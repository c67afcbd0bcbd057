"""The collection point of websites: 200 whatever comes, and nothing of what may not (wire 9.3, 9.4)."""

from __future__ import annotations

import gzip
import json
import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import sql

from kartoteka.db.embedded import running_url
from tests.conftest import url_of
from tests.scenarios.website import Website, eventually

METRIC = re.compile(r'kartoteka_tracker_dropped_total\{reason="(\w+)"\} (\d+)')


@pytest.fixture(scope="module")
def database(server: Any) -> Iterator[Any]:
    with psycopg.connect(running_url(server.log.parent / "data"), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def website(server: Any, api: httpx.Client) -> Iterator[Website]:
    site = api.post("/api/v1/site/domains", json={"domain": "shop.example"}).json()["siteId"]
    org_id = api.get("/api/v1/account/info").json()["orgId"]
    with httpx.Client(base_url=server.url, timeout=60) as client:
        yield Website(client, site, org_id)


def dropped(api: httpx.Client) -> dict[str, int]:
    """How many messages were dropped for each reason."""
    text = api.get("/metrics").text
    return {reason: int(count) for reason, count in METRIC.findall(text)}


def drops(api: httpx.Client, before: dict[str, int]) -> dict[str, int]:
    return {
        reason: count - before.get(reason, 0)
        for reason, count in dropped(api).items()
        if count != before.get(reason, 0)
    }


def events(database: Any, cookie: str) -> list[tuple[Any, ...]]:
    """(type, key, params) of a cookie's visits."""
    return database.execute(
        "select e.type_key, e.key_value, e.params from event e join visitor_span s "
        "on s.owner_id = e.owner_id where s.kind = 8 and s.value_key = %s "
        "order by e.occurred, e.event_id",
        (cookie,),
    ).fetchall()


PAYLOADS: tuple[tuple[str, Any, str], ...] = (
    ("PageView", {"PageView": {}}, ""),
    ("MainPage", {}, ""),
    ("NotFound", {}, ""),
    ("StatusCartPage", {}, ""),
    ("ProductPage", {"ProductPage": {"productKey": "P1", "price": 3, "isInStock": 1}}, "P1"),
    (
        "ProductPage",
        {"ProductPage": {"Product": {"productKey": "P2"}, "Tags": [{"name": "a"}]}},
        "P2",
    ),
    ("CategoryPage", {"CategoryPage": {"categoryKey": "C1"}, "Tags": []}, "C1"),
    ("StatusCart", {"StatusCart": [{"productKey": "P1", "quantity": 2}], "GUID": "G1"}, "G1"),
    ("StatusCart", {"StatusCart": [], "GUID": "G2"}, "G2"),
    ("StatusCart", {"StatusCart": [{"productKey": None, "price": None}], "GUID": "G3"}, "G3"),
    ("PurchasedItems", {"OrderNumber": 77, "PurchasedItems": [{"productKey": "P1"}]}, "77"),
    ("AddToWishlist", {"AddToWishlist": {"productKey": "P3", "price": "1.5"}}, "P3"),
    ("SearchRequest", {"SearchRequest": {"search": "чайник", "isFound": 1}}, "чайник"),
    ("ProductImpressions", {"ProductImpression": [{"product_id": "1"}]}, ""),
    ("ProductUpdate", {"ProductUpdate": [{"productKey": "P1"}]}, ""),
    ("عرض", {"anything": True}, ""),
)
"""Every event name of wire 9.2 in the shapes that pages and plug-ins send, and what each is about."""


def test_every_event_of_a_page_is_a_visit(website: Website, database: Any) -> None:
    """Purchased items too: orders come from the shop's server."""
    cookie = website.new_cookie()
    for name, payload, _ in PAYLOADS:
        message = {"GeneralInfo": website.message(name, cookie)["GeneralInfo"], **payload}
        website.send(message)
    found = events(database, cookie)
    assert [(name, key) for name, key, _ in found] == [(name, key) for name, _, key in PAYLOADS]
    assert [params for _, _, params in found] == [payload for _, payload, _ in PAYLOADS]
    kinds = database.execute("select distinct kind, source from event where kind = 1").fetchall()
    assert kinds == [(1, 2)]
    assert database.execute("select count(*) from orders").fetchone() == (0,)


def test_a_server_sends_the_same(website: Website, database: Any, server: Any) -> None:
    """Without an Origin, with a key in Basic that nobody reads, under both paths (wire 9.3)."""
    cookie = website.new_cookie()
    with httpx.Client(base_url=server.url, auth=("", "any key"), timeout=60) as shop:
        for path in ("/api/v2", "/api/v2/", "/tracker/api/v2"):
            assert shop.post(path, json=website.message("PageView", cookie)).status_code == 200
    assert len(events(database, cookie)) == 3


def test_who_the_visitor_is_said_to_be_is_not_kept_with_the_visit(
    website: Website, database: Any
) -> None:
    """It is a claim: erasing a contact must not leave their address on a stranger's visits."""
    cookie = website.new_cookie()
    said = {
        "externalCustomerId": "KEPT-1",
        "user_email": "kept@example.com",
        "user_phone": "+380501230000",
        "user_name": "Kept",
        "user_tags_color": ["blue"],
    }
    website.says("CustomerData", cookie, said, user_email="kept@example.com")
    eventually(lambda: len(events(database, cookie)), 1)
    assert events(database, cookie) == [
        ("CustomerData", "", {"CustomerData": {"user_tags_color": ["blue"]}})
    ]


def test_the_same_message_counts_once(website: Website, database: Any) -> None:
    cookie = website.new_cookie()
    message = {**website.message("PageView", cookie), "messageId": f"once-{cookie}"}
    website.send(message)
    website.send({"batch": [message, message], "sentAt": int(time.time() * 1000)})
    assert len(events(database, cookie)) == 1


def test_a_late_message_lands_where_it_belongs(website: Website, database: Any) -> None:
    """By its own time; a clock that is wrong is set right by when the page says it sends."""
    cookie, now = website.new_cookie(), int(time.time() * 1000)
    for name, at in (
        ("Second", now - 1_000),
        ("First", now - 86_400_000),
        ("Now", now + 9 * 10**8),
    ):
        website.says(name, cookie, datetime=at)
    skewed = website.message("Skewed", cookie, datetime=now - 7_200_000 - 3_600_000)
    website.send({"batch": [skewed], "sentAt": now - 7_200_000})
    assert [name for name, *_ in events(database, cookie)] == ["First", "Skewed", "Second", "Now"]
    (hours,) = database.execute(
        "select round(extract(epoch from received - occurred) / 3600, 2) from event "
        "where type_key = 'Skewed'"
    ).fetchone()
    assert float(hours) == pytest.approx(1, abs=0.05)


def test_a_batch_of_several_visitors_and_an_oddity(website: Website, database: Any) -> None:
    """What cannot be used takes nothing else along."""
    one, other = website.new_cookie(), website.new_cookie()
    website.send(
        {
            "batch": [
                website.message("PageView", one),
                None,
                {"GeneralInfo": "no"},
                website.message("PageView", other),
                website.message("MainPage", one),
            ]
        }
    )
    assert [name for name, *_ in events(database, one)] == ["PageView", "MainPage"]
    assert [name for name, *_ in events(database, other)] == ["PageView"]


BODIES: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "unreadable"),
    "no JSON": (b"<xml/>", "unreadable"),
    "cut off": (b'{"GeneralInfo": {"eventName": "PageV', "unreadable"),
    "a list": (b"[1, 2]", "unreadable"),
    "a text": (b'"PageView"', "unreadable"),
    "null": (b"null", "unreadable"),
    "NUL": (b'{"GeneralInfo": {"eventName": "a\\u0000"}}', "unreadable"),
    "not UTF-8": (b'{"GeneralInfo": {"eventName": "\xff"}}', "unreadable"),
    "too deep": (b'{"a":' * 100 + b"1" + b"}" * 100, "unreadable"),
    "no list of messages": (b'{"batch": {"0": {}}}', "unreadable"),
    "a megabyte": (b'{"a": "' + b"x" * 1_000_000 + b'"}', "too_large"),
}


@pytest.mark.parametrize(("body", "reason"), BODIES.values(), ids=BODIES)
def test_what_cannot_be_read_is_dropped_and_counted(
    website: Website, api: httpx.Client, body: bytes, reason: str
) -> None:
    """Decisions D21: 200 whatever comes."""
    before = dropped(api)
    answer = website.client.post("/api/v2", content=body)
    assert (answer.status_code, answer.content) == (200, b"{}")
    assert drops(api, before) == {reason: 1}


def test_a_message_with_nul_spoils_no_other_of_its_batch(
    website: Website, api: httpx.Client, database: Any
) -> None:
    cookie, before = website.new_cookie(), dropped(api)
    batch = [website.message("PageView", cookie), website.message("PageView", cookie, more="\x00")]
    website.client.post("/api/v2", json={"batch": batch})
    assert len(events(database, cookie)) == 1
    assert drops(api, before) == {"unreadable": 1}


def test_a_compressed_body_is_read_and_a_bomb_is_not(
    website: Website, api: httpx.Client, database: Any
) -> None:
    cookie, before = website.new_cookie(), dropped(api)
    body = gzip.compress(json.dumps(website.message("PageView", cookie)).encode())
    bomb = gzip.compress(b" " * 20_000_000)
    for content in (body, bomb, body[:-9]):
        headers = {"Content-Encoding": "gzip"}
        assert website.client.post("/api/v2", content=content, headers=headers).status_code == 200
    assert len(events(database, cookie)) == 1
    assert drops(api, before) == {"too_large": 1, "unreadable": 1}


MESSAGES: dict[str, tuple[Any, str]] = {
    "an unknown site": ({"siteId": "0" * 32}, "unknown_site"),
    "no site": ({"siteId": None}, "unknown_site"),
    "a site that is no text": ({"siteId": {"a": 1}}, "unknown_site"),
    "no cookie": ({"cookies": {}}, "no_cookie"),
    "no cookies": ({"cookies": None}, "no_cookie"),
    "a cookie that is nobody": ({"cookies": {"sc": "undefined"}}, "no_cookie"),
    "a zero cookie": ({"cookies": {"sc": "00000000-0000-0000-0000-000000000000"}}, "no_cookie"),
    "a list for a cookie": ({"cookies": {"sc": ["A"]}}, "no_cookie"),
    "an endless cookie": ({"cookies": {"sc": "A" * 5000}}, "no_cookie"),
    "no event": ({"eventName": None}, "no_event"),
    "a blank event": ({"eventName": "  "}, "no_event"),
    "a forbidden name": ({"eventName": "<script>"}, "no_event"),
    "a name too long": ({"eventName": "x" * 101}, "no_event"),
    "a message too long": ({"more": "x" * 20_000}, "too_large"),
}


@pytest.mark.parametrize(("info", "reason"), MESSAGES.values(), ids=MESSAGES)
def test_a_message_that_cannot_be_used_is_dropped_and_counted(
    website: Website, api: httpx.Client, info: dict[str, Any], reason: str
) -> None:
    before = dropped(api)
    website.says("PageView", "DROPPED", **info)
    assert drops(api, before) == {reason: 1}


ORIGINS: dict[str, str | None] = {
    "https://shop.example": None,
    "http://shop.example:8080": None,
    "https://www.shop.example": None,
    "https://m.SHOP.example": None,
    "https://thief.example": "foreign_origin",
    "https://notshop.example": "foreign_origin",
    "https://shop.example.thief.example": "foreign_origin",
    "null": "foreign_origin",
    "": "foreign_origin",
    "https://shop.example@thief.example": "foreign_origin",
}


@pytest.mark.parametrize(("origin", "reason"), ORIGINS.items(), ids=ORIGINS)
def test_only_pages_of_the_website_are_heard(
    website: Website, api: httpx.Client, database: Any, origin: str, reason: str | None
) -> None:
    """And any page is answered so that it can read the answer (decisions D23)."""
    cookie, before = website.new_cookie(), dropped(api)
    answer = website.send(website.message("PageView", cookie), origin=origin)
    assert drops(api, before) == ({} if reason is None else {reason: 1})
    assert len(events(database, cookie)) == (0 if reason else 1)
    assert answer.headers["access-control-allow-origin"] == origin


def test_a_bind_names_the_account_by_its_number(
    website: Website, api: httpx.Client, database: Any
) -> None:
    """Wire 9.4: `webcontact` has an orgId, as a number or its digits, and no siteId."""
    contact = {"externalCustomerId": "BIND-1", "channels": []}
    number = api.post("/api/v1/contact", json=contact).json()["id"]
    for org_id in (website.org_id, str(website.org_id)):
        cookie = website.new_cookie()
        website.send({"externalCustomerId": "BIND-1", "webId": cookie, "orgId": org_id})
        eventually(lambda cookie=cookie: _holder(database, cookie), number)
    before = dropped(api)
    website.send({"externalCustomerId": "BIND-1", "webId": "OTHER", "orgId": website.org_id ^ 1})
    website.send({"externalCustomerId": "BIND-1", "webId": "OTHER"})
    thief = {"webId": "OTHER", "orgId": website.org_id, "externalCustomerId": "BIND-1"}
    website.send(thief, origin="https://thief.example")
    assert drops(api, before) == {"unknown_site": 2, "foreign_origin": 1}


def _holder(database: Any, cookie: str) -> Any:
    row = database.execute(
        "select contact_id from identifier where kind = 8 and value_key = %s", (cookie,)
    ).fetchone()
    return None if row is None else row[0]


def test_a_visitor_of_nobody_has_a_cap(website: Website, api: httpx.Client, database: Any) -> None:
    """Decisions D37, setting `visits_per_cookie`: more is counted and dropped; a contact has none."""
    api.patch("/api/v1/account/settings", json={"visits_per_cookie": 5})
    try:
        eventually(lambda: _capped_at(website, database), 5)
        cookie, before = website.new_cookie(), dropped(api)
        website.send({"batch": [website.message("PageView", cookie) for _ in range(8)]})
        assert len(events(database, cookie)) == 5
        assert drops(api, before) == {"capped": 3}
        contact = {"externalCustomerId": "CAP-1", "channels": [], "webId": cookie}
        api.post("/api/v1/contact", json=contact)
        website.send({"batch": [website.message("PageView", cookie) for _ in range(8)]})
        assert len(events(database, cookie)) == 13
    finally:
        api.patch("/api/v1/account/settings", json={"visits_per_cookie": None})


def _capped_at(website: Website, database: Any) -> int:
    """The setting as the answering process knows it, a second old at most."""
    cookie = website.new_cookie()
    website.send({"batch": [website.message("PageView", cookie) for _ in range(6)]})
    return len(events(database, cookie))


def test_one_address_has_a_limit(website: Website, api: httpx.Client, database: Any) -> None:
    """By the address that a trusted proxy names; others go on (decisions D21)."""
    cookie, before = website.new_cookie(), dropped(api)
    many = {"batch": [website.message("PageView", cookie) for _ in range(100)]}
    for _ in range(9):
        website.send(many, **{"x-forwarded-for": "203.0.113.7, 127.0.0.1"})
    assert drops(api, before)["address_limit"] > 100
    other = website.new_cookie()
    forwarded = {
        "x-forwarded-for": "203.0.113.7, 203.0.113.8"
    }  # the first is what anyone can write
    website.send(website.message("PageView", other), **forwarded)
    assert len(events(database, other)) == 1


def test_a_batch_has_a_limit(website: Website, api: httpx.Client, database: Any) -> None:
    cookie, before = website.new_cookie(), dropped(api)
    forwarded = {"x-forwarded-for": "203.0.113.9"}
    website.send({"batch": [website.message("PageView", cookie)] * 105}, **forwarded)
    assert len(events(database, cookie)) == 100
    assert drops(api, before) == {"too_many": 5}


def test_while_the_database_is_away_the_script_is_asked_to_come_again(
    website: Website, server: Any, database: Any
) -> None:
    """200 all the same; `retry` keeps the batch in the browser (decisions D21)."""
    cookie = website.new_cookie()
    (name,) = database.execute("select current_database()").fetchone()
    elsewhere = url_of(running_url(server.log.parent / "data"), "template1")
    forbid = sql.SQL("alter database {} with allow_connections {}")
    own = "select pg_backend_pid()"
    (pid,) = database.execute(own).fetchone()
    with psycopg.connect(elsewhere, autocommit=True) as admin:
        admin.execute(forbid.format(sql.Identifier(name), sql.SQL("false")))
        try:
            admin.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where datname = %s and pid <> %s and usename = current_user",
                (name, pid),
            )
            bodies = [
                website.message("PageView", cookie),
                website.message("CustomerData", cookie, {"externalCustomerId": "AWAY-1"}),
            ]
            answers = [website.send(body).content for body in bodies]
        finally:
            admin.execute(forbid.format(sql.Identifier(name), sql.SQL("true")))
    assert answers == [b'{"retry":true}'] * 2
    assert events(database, cookie) == []
    website.send({"batch": bodies})
    eventually(lambda: len(events(database, cookie)), 2)
