"""What the tracker does in a real browser, on the pages of `tracker/pages` (decisions D34, D36, D37)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from tests.browser import TIMEOUT_MS, launch_with
from tests.tracker.conftest import Look, cookie_of, eventually
from tests.tracker.shop import Shop


def add(api: httpx.Client, external_id: str) -> int:
    """The shop's server adds a customer, without a cookie."""
    contact = {
        "externalCustomerId": external_id,
        "channels": [{"type": "email", "value": f"{external_id.lower()}@example.com"}],
    }
    number: int = api.post("/api/v1/contact", json=contact).json()["id"]
    return number


def log_in(page: Page, external_id: str) -> None:
    page.get_by_label("Customer").fill(external_id)
    page.get_by_label("E-mail").fill(f"{external_id.lower()}@example.com")
    page.get_by_role("button", name="Log in").click()


def see(page: Page, key: str) -> None:
    """One visit that can be told from others."""
    page.evaluate("key => eS('sendEvent', key, {})", key)


def known(context: BrowserContext) -> str:
    cookie = cookie_of(context)
    assert cookie is not None
    return cookie


def test_the_cookie_is_first_party_and_rolls_for_thirteen_months(
    context: BrowserContext, shop: Shop
) -> None:
    """Decisions D34."""
    page = context.new_page()
    page.goto(f"{shop.url}/index.html")
    page.wait_for_function("window.eS.version")
    (first,) = context.cookies()
    assert (first["name"], first["domain"], first["sameSite"]) == ("sc", ".shop.example", "Lax")
    now = page.evaluate("Date.now() / 1000")
    assert 394 < (first["expires"] - now) / 86_400 < 396
    page.goto(f"{shop.url}/product.html")
    page.wait_for_function("window.eS.version")
    (second,) = context.cookies()
    assert second["value"] == first["value"]
    assert second["expires"] > first["expires"]
    # Plug-ins read it in both places (wire 9.4).
    assert page.evaluate("JSON.parse(localStorage.esState).customerId") == first["value"]
    assert page.evaluate("window._esConfig.orgId") > 0


def test_a_cookie_that_is_gone_comes_back_from_storage(context: BrowserContext, shop: Shop) -> None:
    page = context.new_page()
    page.goto(f"{shop.url}/index.html")
    page.wait_for_function("window.eS.version")
    cookie = known(context)
    context.clear_cookies()
    page.goto(f"{shop.url}/index.html")
    page.wait_for_function("window.eS.version")
    assert known(context) == cookie


def test_a_logout_and_a_second_user(
    context: BrowserContext, shop: Shop, look: Look, api: httpx.Client
) -> None:
    """D37: before the first login is hers, after the logout nobody's, then his, until she is back."""
    alice, bob = add(api, "LOGOUT-ALICE"), add(api, "LOGOUT-BOB")
    page = context.new_page()
    page.goto(f"{shop.url}/account.html")
    page.wait_for_function("window.eS.version")
    see(page, "Before")
    log_in(page, "LOGOUT-ALICE")
    see(page, "Alices")
    hers = ["PageView", "Before", "CustomerData", "Alices"]
    eventually(lambda: look.visits_of(alice), hers)
    page.get_by_role("button", name="Log out").click()
    see(page, "Between")
    page.reload()
    page.wait_for_function("window.eS.version")
    see(page, "Between")
    log_in(page, "LOGOUT-BOB")
    see(page, "Bobs")
    his = ["CustomerData", "Bobs"]
    eventually(lambda: look.visits_of(bob), his)
    # Without a logout: another person's login takes only what follows.
    log_in(page, "LOGOUT-ALICE")
    see(page, "Again")
    eventually(lambda: look.visits_of(alice), [*hers, "CustomerData", "Again"])
    assert look.visits_of(bob) == his
    everything = look.visits(known(context))
    assert [one for one in everything if one == "Between"] == ["Between"] * 2


def test_identifiers_that_a_page_gave_once_go_along_until_logout(
    context: BrowserContext, shop: Shop
) -> None:
    """Wire 4.5: kept by the script; those of another person replace them all."""
    page = context.new_page()

    def said(open_page: bool = True) -> dict[str, Any]:
        """GeneralInfo of the next message, as far as it says who the visitor is."""
        with page.expect_request("**/api/v2") as asked:
            page.goto(f"{shop.url}/index.html") if open_page else see(page, "Next")
        (*_, last) = json.loads(asked.value.post_data or "")["batch"]
        names = ("externalCustomerId", "user_email", "user_phone")
        return {name: last["GeneralInfo"][name] for name in names if name in last["GeneralInfo"]}

    assert said() == {}
    page.evaluate("eS('sendEvent', 'Any', {GeneralInfo: {user_email: 'kept@example.com'}})")
    assert said() == {"user_email": "kept@example.com"}
    page.evaluate("eS('webcontact', {externalCustomerId: 7, phone: '', email: null})")
    assert said() == {"user_email": "kept@example.com", "externalCustomerId": "7"}
    page.evaluate("eS('sendEvent', 'CustomerData', {CustomerData: {externalCustomerId: '8'}})")
    assert said() == {"externalCustomerId": "8"}
    page.evaluate("eS('logout')")
    assert said() == {}
    assert said(open_page=False) == {}


def test_calls_that_are_wrong_do_no_harm(context: BrowserContext, shop: Shop, look: Look) -> None:
    """The script fails silently, whatever a page hands it, and goes on."""
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{shop.url}/index.html")
    page.wait_for_function("window.eS.version")
    page.evaluate(
        """() => {
            var ring = {}; ring.ring = ring;
            eS(); eS("no such"); eS("hasOwnProperty"); eS("constructor"); eS("sendEvent");
            eS("sendEvent", "Ring", ring); eS("sendEvent", "Text", "text"); eS("webcontact");
            eS("sendEvent", "Getter", {get GeneralInfo() { throw new Error("page"); }});
            localStorage.esState = "7"; eS("sendEvent", "Odd", null);
            localStorage.esQueue = "{"; eS("sendEvent", "Fine", {});
            localStorage.esState = "null"; eS("sendEvent", "Still", {});
        }"""
    )
    eventually(lambda: look.visits(known(context))[-1:], ["Still"])
    assert errors == []


def test_a_login_before_the_contact_exists(
    context: BrowserContext, shop: Shop, look: Look, api: httpx.Client
) -> None:
    """D36: a claim that names nobody yet waits, and takes effect when the contact comes."""
    contacts = look.contacts()
    page = context.new_page()
    page.goto(f"{shop.url}/account.html")
    page.wait_for_function("window.eS.version")
    log_in(page, "LATE-CAROL")
    eventually(lambda: look.visits(known(context)), ["PageView", "CustomerData"])
    assert look.contacts() == contacts
    carol = add(api, "LATE-CAROL")
    assert look.visits_of(carol) == ["PageView", "CustomerData"]
    see(page, "Follows")
    eventually(lambda: look.visits_of(carol), ["PageView", "CustomerData", "Follows"])


def test_offline_and_back(context: BrowserContext, shop: Shop, look: Look) -> None:
    """What happens without a connection arrives later, in its own time, once."""
    page = context.new_page()
    page.goto(f"{shop.url}/index.html")
    page.wait_for_function("window.eS.version")
    eventually(lambda: look.visits(known(context)), ["PageView"])
    context.set_offline(True)
    see(page, "First")
    page.wait_for_timeout(100)
    see(page, "Second")
    page.wait_for_function("JSON.parse(localStorage.esQueue || '[]').length == 2")
    context.set_offline(False)
    eventually(lambda: look.visits(known(context)), ["PageView", "First", "Second"])
    page.wait_for_function("!localStorage.esQueue")


def test_a_server_that_is_away_gets_it_later(
    context: BrowserContext, shop: Shop, look: Look
) -> None:
    """Faults on the way, a gateway's error, and our own "again": the script keeps what it has."""
    answers = [
        lambda route: route.abort(),
        lambda route: route.fulfill(status=503, body="gateway"),
        lambda route: route.fulfill(
            status=200, body='{"retry":true}', headers={"access-control-allow-origin": "*"}
        ),
    ]
    waiting = list(answers)
    context.route(
        "**/api/v2", lambda route: waiting.pop(0)(route) if waiting else route.continue_()
    )
    page = context.new_page()
    page.goto(f"{shop.url}/index.html")
    page.wait_for_function("window.eS.version")
    eventually(lambda: look.visits(known(context)), ["PageView"])
    assert waiting == []
    page.wait_for_function("!localStorage.esQueue")


def test_what_a_closed_page_could_not_send_the_next_one_sends(
    context: BrowserContext, shop: Shop, look: Look
) -> None:
    page = context.new_page()
    page.goto(f"{shop.url}/index.html")
    page.wait_for_function("window.eS.version")
    eventually(lambda: look.visits(known(context)), ["PageView"])
    context.set_offline(True)
    see(page, "Kept")
    page.close()
    context.set_offline(False)
    context.new_page().goto(f"{shop.url}/index.html")
    eventually(lambda: look.visits(known(context)), ["PageView", "Kept", "PageView"])


def test_the_stored_queue_is_bounded(context: BrowserContext, shop: Shop, look: Look) -> None:
    page = context.new_page()
    page.goto(f"{shop.url}/index.html")
    page.wait_for_function("window.eS.version")
    context.set_offline(True)
    page.evaluate("for (var i = 0; i < 300; i++) eS('sendEvent', 'Many', {number: i})")
    assert page.evaluate("JSON.parse(localStorage.esQueue).length") == 100
    context.set_offline(False)
    eventually(lambda: len(look.visits(known(context))) >= 100, True)
    assert look.params(known(context), "Many")[-1]["number"] == 299


def test_the_last_words_of_a_page_go_out_when_it_is_left(
    context: BrowserContext, shop: Shop, look: Look
) -> None:
    """sendBeacon: the browser sends it though the page is gone."""
    context.add_init_script(
        "var send = navigator.sendBeacon; navigator.sendBeacon = function (url) {"
        "sessionStorage.beacon = url; return send.apply(navigator, arguments); }"
    )
    page = context.new_page()
    page.goto(f"{shop.url}/index.html")
    page.wait_for_function("window.eS.version")
    cookie = known(context)
    see(page, "Leaving")
    page.goto(f"{shop.url}/plain.html")
    eventually(lambda: look.visits(cookie), ["PageView", "Leaving"])
    assert page.evaluate("sessionStorage.beacon") == f"{shop.tracker}/api/v2"


def test_two_tabs_are_one_visitor(
    context: BrowserContext, shop: Shop, look: Look, api: httpx.Client
) -> None:
    """The cookie, the person and the queue are shared; nothing is counted twice."""
    tina = add(api, "TABS-TINA")
    first, second = context.new_page(), context.new_page()
    for page in (first, second):
        page.goto(f"{shop.url}/account.html")
        page.wait_for_function("window.eS.version")
    log_in(first, "TABS-TINA")
    see(second, "Second")
    see(first, "First")
    expected = ["CustomerData", "First", "PageView", "PageView", "Second"]
    eventually(lambda: sorted(look.visits_of(tina)), expected)
    first.get_by_role("button", name="Log out").click()
    see(second, "Out")
    eventually(lambda: look.visits(known(context))[-1], "Out")
    assert sorted(look.visits_of(tina)) == expected


def test_a_page_that_changes_its_address(context: BrowserContext, shop: Shop, look: Look) -> None:
    """Single-page applications: each address is a page view, with the title that belongs to it."""
    page = context.new_page()
    page.goto(f"{shop.url}/app.html")
    page.wait_for_function("window.eS.version")

    def seen() -> list[tuple[str, str]]:
        found = look.params(known(context), "PageView")
        return [(one["title"], one["url"].rpartition("/app.html")[2]) for one in found]

    page.get_by_role("button", name="Next").click()
    step = [("App", ""), ("Step 1", "?step=1")]
    eventually(seen, step)
    page.get_by_role("button", name="Same").click()
    page.get_by_role("link", name="Part").click()
    page.get_by_role("link", name="Deep").click()
    step.append(("Step 1", "?step=1#/deep"))
    eventually(seen, step)
    page.evaluate("eS('init', {TRACKING: false})")
    page.get_by_role("button", name="Next").click()
    see(page, "Own")
    eventually(lambda: look.visits(known(context))[-1], "Own")
    assert seen() == step


def test_a_page_with_a_strict_policy(context: BrowserContext, shop: Shop, look: Look) -> None:
    """No inline scripts, no eval: the one line of the docs is enough."""
    page = context.new_page()
    violations: list[str] = []
    page.on("console", lambda message: violations.append(message.text))
    page.goto(f"{shop.url}/csp.html")
    page.wait_for_function("window.eS.version", polling=100)
    eventually(lambda: look.visits(known(context)), ["PageView"])
    assert violations == []


@pytest.mark.parametrize(
    "says",
    [
        "Object.defineProperty(navigator, 'globalPrivacyControl', {get: () => true})",
        "Object.defineProperty(navigator, 'doNotTrack', {get: () => '1'})",
    ],
)
def test_who_does_not_want_to_be_tracked_is_not(
    browser: Browser, shop: Shop, look: Look, says: str
) -> None:
    """Do Not Track and Global Privacy Control: no message, no cookie, no trace of an earlier one."""
    context = browser.new_context()
    context.set_default_timeout(TIMEOUT_MS)
    context.add_cookies(
        [{"name": "sc", "value": "EARLIER", "domain": ".shop.example", "path": "/"}]
    )
    context.add_init_script(says)
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.goto(f"{shop.url}/product.html")
    page.wait_for_function("window.eS.version")
    page.get_by_role("button", name="Add to cart").click()
    page.evaluate("eS('logout')")
    assert context.cookies() == []
    assert page.evaluate("Object.keys(localStorage)") == []
    page.goto(f"{shop.url}/plain.html")
    context.close()
    assert not [url for url in asked if url.endswith("/api/v2")]


def test_the_account_may_say_otherwise(
    browser: Browser, shop: Shop, look: Look, api: httpx.Client
) -> None:
    """Setting `respect_do_not_track`, delivered with the script."""
    api.patch("/api/v1/account/settings", json={"respect_do_not_track": False})
    try:
        context = browser.new_context()
        context.set_default_timeout(TIMEOUT_MS)
        context.add_init_script("Object.defineProperty(navigator, 'doNotTrack', {get: () => '1'})")
        delivered = (
            f"{shop.tracker.replace('kartoteka.example', '127.0.0.1')}/scripts/{shop.site}.js"
        )
        eventually(lambda: '"respect"' in httpx.get(delivered, timeout=60).text, False)
        context.new_page().goto(f"{shop.url}/index.html")
        eventually(lambda: cookie_of(context) is not None, True)
        eventually(lambda: look.visits(known(context)), ["PageView"])
        context.close()
    finally:
        api.patch("/api/v1/account/settings", json={"respect_do_not_track": None})


def test_blocked_cookies_and_storage(
    playwright: Playwright, shop: Shop, look: Look, tmp_path: Path
) -> None:
    """A browser that keeps nothing: the page works, and nothing is sent."""
    blocked: dict[str, Any] = {"profile": {"default_content_setting_values": {"cookies": 2}}}
    with launch_with(playwright, tmp_path / "profile", blocked) as context:
        asked: list[str] = []
        errors: list[str] = []
        context.on("request", lambda request: asked.append(request.url))
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{shop.url}/product.html")
        page.wait_for_function("window.eS.version")
        assert page.evaluate("() => { try { localStorage; } catch (e) { return e.name } }")
        page.get_by_role("button", name="Add to cart").click()
        page.goto(f"{shop.url}/plain.html")
        assert errors == []
        assert not [url for url in asked if url.endswith("/api/v2")]


def test_a_page_of_another_site_is_not_taken(
    context: BrowserContext, shop: Shop, look: Look
) -> None:
    """Somebody else copies the snippet: its messages are dropped (the origin must be registered)."""
    page = context.new_page()
    with page.expect_response("**/api/v2") as answered:
        page.goto(shop.url.replace("shop.example", "thief.example") + "/index.html")
    assert answered.value.status == 200
    assert look.visits(known(context)) == []


def test_a_web_push_token_stays_with_the_visitor_until_they_are_known(
    context: BrowserContext, shop: Shop, look: Look, api: httpx.Client
) -> None:
    """Decisions D10: the token makes nobody; a claim brings it along."""
    contacts = look.contacts()
    page = context.new_page()
    page.goto(f"{shop.url}/account.html")
    page.wait_for_function("window.eS.version")
    page.evaluate("eS('webpush', 'https://push.example/endpoint-of-wendy', {os: 'Linux'})")
    eventually(lambda: look.visits(known(context)), ["PageView"])
    assert look.contacts() == contacts
    wendy = add(api, "PUSH-WENDY")
    log_in(page, "PUSH-WENDY")

    def tokens() -> list[str]:
        card = api.get(f"/api/v1/contact/{wendy}").json()
        return [one["value"] for one in card["channels"] if one["type"] == "webpush"]

    eventually(tokens, ["https://push.example/endpoint-of-wendy"])
