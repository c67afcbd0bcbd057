"""Use case: website, with a real browser, step by step as the guide tells it (guide G5)."""

from __future__ import annotations

import httpx
from playwright.sync_api import BrowserContext

from tests.tracker.conftest import COOKIE, Look, cookie_of, eventually
from tests.tracker.shop import Shop


def test_a_visitor_of_a_website_registers(
    context: BrowserContext, shop: Shop, look: Look, api: httpx.Client
) -> None:
    contacts = look.contacts()
    # (1) A visitor who is not logged in comes.
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{shop.url}/index.html")
    # (2) The tracking script records cookies and behaviour; no contact is created.
    page.get_by_role("link", name="Teapot").click()
    page.get_by_role("button", name="Add to cart").click()
    page.goto(f"{shop.url}/register.html")
    cookie = cookie_of(context)
    assert cookie is not None
    assert COOKIE.fullmatch(cookie)
    seen = ["PageView", "PageView", "ProductPage", "StatusCart", "PageView"]
    eventually(lambda: look.visits(cookie), seen)
    assert look.contacts() == contacts
    # (3) The visitor registers.
    page.get_by_label("Name").fill("Олена")
    page.get_by_label("E-mail").fill("olena@example.com")
    page.get_by_label("Phone").fill("+380501112233")
    page.get_by_role("button", name="Register").click()
    page.wait_for_url("**/register")
    # (4) Lasting identifiers reach the client's system, (5) which gives an External ID and sends it with
    # the others: Add/update a contact. That is shop.register; the cookie came with the form.
    (sent,) = shop.asked
    assert sent["webId"] == cookie
    # (6) The contact is saved with all of them,
    (contact_id,) = shop.registered
    card = api.get(f"/api/v1/contact/{contact_id}").json()
    assert card["externalCustomerId"] == sent["externalCustomerId"]
    assert {one["value"] for one in card["channels"]} == {"olena@example.com", "380501112233"}
    identity = api.get(f"/api/v1/contact/{contact_id}/identity").json()
    assert {"kind": "web_cookie", "value": cookie}.items() <= next(
        one for one in identity["identifiers"] if one["kind"] == "web_cookie"
    ).items()
    # and the earlier history of that cookie is added to it.
    timeline = api.get(f"/api/v1/contact/{contact_id}/timeline").json()
    assert [one["key"] for one in reversed(timeline)][: len(seen)] == seen
    assert {one["type"] for one in timeline} == {"visit"}
    assert {one.get("linkedBy") for one in timeline} == {None}, "its own server said whose it is"
    # What follows is the contact's too (guide G6).
    eventually(lambda: look.visits_of(contact_id), [*seen, "PageView"])
    assert look.contacts() == contacts + 1
    assert errors == []


def test_a_visitor_of_a_website_subscribes(
    context: BrowserContext, shop: Shop, look: Look, api: httpx.Client
) -> None:
    """G5.5 the other way: Subscribe; the page says whose the cookie is, before the server does."""
    contacts = look.contacts()
    page = context.new_page()
    page.goto(f"{shop.url}/product.html")
    page.goto(f"{shop.url}/account.html")
    page.get_by_label("Customer").fill("SUBSCRIBER-1")
    page.get_by_label("E-mail").fill("subscriber@example.com")
    page.get_by_role("button", name="Log in").click()
    cookie = cookie_of(context)
    assert cookie is not None
    seen = ["PageView", "ProductPage", "PageView", "CustomerData"]
    eventually(lambda: look.visits(cookie), seen)
    assert look.contacts() == contacts
    contact = {
        "externalCustomerId": "SUBSCRIBER-1",
        "channels": [{"type": "email", "value": "subscriber@example.com"}],
    }
    answer = api.post("/api/v1/contact/subscribe", json={"contact": contact, "formType": "footer"})
    contact_id = answer.json()["id"]
    timeline = api.get(f"/api/v1/contact/{contact_id}/timeline?type=visit").json()
    assert [one["key"] for one in reversed(timeline)] == seen
    assert {one["linkedBy"] for one in timeline} == {"claim"}
    assert look.contacts() == contacts + 1
