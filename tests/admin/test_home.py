"""Part 7: the first page: figures, who has no External ID, the feed, health of copies, first steps."""

from __future__ import annotations

import base64
import re
from contextlib import closing
from datetime import UTC, datetime

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.admin.command import command
from tests.admin.conftest import LOGIN, PASSWORD, Visitor, eventually, shoot

FEED = "#feed > li"


@pytest.fixture
def key(admin_server, name) -> str:
    """The key of an account of its own, named as the test; the admin is its owner too."""
    command(admin_server, "accounts", "create", name)
    command(admin_server, "users", "share", LOGIN, "--to", name)
    return command(admin_server, "keys", "create", "--account", name).split("\n")[1]


@pytest.fixture
def in_account(open_page, key, name):
    """`in_account(path)`: a page of the owner, who works in that account."""

    def opened(path: str = "/admin", **settings) -> Page:
        page = open_page("/admin/sign-in", signed_in=False, **settings)
        page.fill("#f-login", LOGIN)
        page.fill("#f-password", PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.goto("/admin/account")
        page.locator("form", has_text=name).get_by_role("button", name="Switch").click()
        page.wait_for_url("**/admin")
        if path != "/admin":
            page.goto(path)
        return page

    return opened


def call(admin_server, key: str, path: str, body: object = None, **headers: str) -> httpx.Response:
    """A call with that key; a POST where there is a body."""
    answer = httpx.request(
        "GET" if body is None else "POST",
        f"{admin_server.url}{path}",
        json=body,
        headers={"Authorization": "Basic " + base64.b64encode(f":{key}".encode()).decode()}
        | headers,
        timeout=60,
    )
    return answer.raise_for_status()


def test_an_empty_account_is_told_what_to_do_and_the_list_ticks_itself(
    in_account, admin_server, key, name
):
    page = in_account()
    expect(page.get_by_role("heading", name="First steps")).to_be_visible()
    assert page.locator("#step-call pre").inner_text().startswith("curl -u :YOUR_KEY http://")
    shoot(page, "home-empty-1440")
    call(admin_server, key, "/api/v1/account/info")
    expect(page.locator("#step-call")).to_have_class("done")
    # The website: its snippet comes with its name, and a visit ticks it.
    page.get_by_placeholder("shop.example").fill(f"{name}.example")
    page.get_by_role("button", name="Add website").click()
    page.wait_for_url("**/admin")
    script = page.locator("#step-script pre").inner_text()
    assert "<script>" in script
    site_key = re.search(r"/scripts/(\w+)\.js", script)[1]
    visit = {
        "GeneralInfo": {
            "eventName": "MainPage",
            "siteId": site_key,
            "cookies": {"sc": f"c-{name}"},
        },
        "Page": {"url": f"https://{name}.example/"},
    }
    headers = {"Origin": f"https://{name}.example"}
    url = f"{admin_server.url}/api/v2"
    httpx.post(url, json=visit, headers=headers, timeout=60).raise_for_status()
    expect(page.locator("#step-script")).to_have_class("done")
    # The app: made here, its snippet is a call of its SDK, and the call ticks it.
    page.get_by_role("link", name="Create application").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Create application").click()
    access_key = page.locator("#new-key").inner_text()
    page.goto("/admin")
    snippet = page.locator("#step-app pre").inner_text().replace("YOUR_ACCESS_KEY", access_key)
    body = re.search(r"-d '(.+)'", snippet, re.DOTALL)[1]
    address = snippet.split()[1]
    assert address == f"{admin_server.url}/api/v1/user"
    app = {"X-Reteno-Access-Key": access_key, "Content-Type": "application/json"}
    httpx.post(address, content=body, headers=app, timeout=60).raise_for_status()
    # Somebody is there now: the whole page comes in the place of the list, without a reload.
    expect(page.locator(FEED).first).to_be_visible()
    expect(page.locator("#step-app")).to_have_class("done")
    expect(page.locator("#figures .figure").first).to_be_visible()
    page.get_by_role("button", name="Hide").click()
    expect(page.locator("#steps")).to_have_count(0)


def test_who_has_no_external_id_is_one_click_away(in_account, admin_server, key):
    for email in ("a@example.com", "b@example.com"):
        body = {"channels": [{"type": "email", "value": email}]}
        call(admin_server, key, "/api/v1/contact", body)
    call(admin_server, key, "/api/v1/contact", {"externalCustomerId": "1"})
    page = in_account()
    figures = page.locator("#figures")
    expect(figures).to_contain_text("33.3%")
    expect(figures).to_contain_text("2 contacts have no External ID")
    figures.get_by_role("button", name="Make the segment").click()
    page.wait_for_url(re.compile(r"/admin/segments/\d+$"))
    made = page.url
    expect(page.get_by_role("heading", name="Without External ID")).to_be_visible()
    page.goto("/admin")
    page.get_by_role("link", name="Open the segment").click()
    page.wait_for_url(made)
    segments = call(admin_server, key, "/api/v1/segments").json()
    assert [one["name"] for one in segments] == ["Without External ID"]


def test_events_of_today_are_counted_in_the_time_zone_of_the_account(
    in_account, admin_server, key, name
):
    """It is noon there, so that today does not end meanwhile."""
    ahead = 12 - datetime.now(UTC).hour
    command(admin_server, "accounts", "set", name, f"time_zone=Etc/GMT{-ahead:+d}")
    for value in ("1", "2"):
        event = {"eventTypeKey": "viewed", "keyValue": value, "params": []}
        call(admin_server, key, "/api/v2/event", event)
    call(admin_server, key, "/api/v1/contact", {"externalCustomerId": "1"})
    page = in_account()
    figure = page.locator(".figure", has_text="Events today")
    expect(figure.locator("b")).to_have_text("2")


def test_the_feed_comes_in_by_itself_and_disturbs_nobody(in_account, admin_server, key):
    call(admin_server, key, "/api/v1/contact", {"externalCustomerId": "1", "firstName": "Ann"})
    page = in_account()
    first = page.locator(FEED).first
    expect(first).to_contain_text("Ann")
    first.get_by_role("link").first.focus()
    page.evaluate("window.mark = document.activeElement")
    call(admin_server, key, "/api/v1/contact", {"externalCustomerId": "2", "firstName": "Bob"})
    expect(first).to_contain_text("Bob")
    # The row of Ann is the same node, with the focus that it had.
    assert page.evaluate("window.mark.isConnected && window.mark === document.activeElement")


def test_nothing_is_asked_for_while_nobody_looks(in_account, admin_server, key):
    call(admin_server, key, "/api/v1/contact", {"externalCustomerId": "1", "firstName": "Ann"})
    page = in_account()
    page.evaluate(
        "Object.defineProperty(document, 'hidden', {get: () => window.away === true}); window.away = true"
    )
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url))
    page.evaluate(
        "new Promise(done => { let n = 0; document.addEventListener('htmx:beforeRequest',"
        " () => ++n == 2 && done()) })"
    )
    assert not asked
    call(admin_server, key, "/api/v1/contact", {"externalCustomerId": "2", "firstName": "Bob"})
    page.evaluate("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator(FEED).first).to_contain_text("Bob")


def test_a_server_that_does_not_answer_leaves_the_page_as_it_was(in_account, admin_server, key):
    call(admin_server, key, "/api/v1/contact", {"externalCustomerId": "1", "firstName": "Ann"})
    page = in_account()
    expect(page.locator(FEED).first).to_contain_text("Ann")
    asked: list[int] = []
    page.route("**/admin", lambda route: (asked.append(1), route.fulfill(status=503, body="<p>")))
    eventually(lambda: page.wait_for_timeout(100) or len(asked) > 1)
    expect(page.locator(FEED).first).to_contain_text("Ann")


def test_every_page_of_the_menu_is_two_keys_away(open_page):
    page = open_page("/admin")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("?")
    expect(page.locator("dialog")).to_contain_text("Go to Exports")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_be_hidden()
    for key, path in (
        ("c", "contacts"), ("s", "segments"), ("i", "imports"), ("e", "exports"),
        ("d", "duplicates"), ("x", "simulator"), (",", "settings/keys"),
    ):  # fmt: skip
        page.keyboard.press("g")
        page.keyboard.press(key)
        page.wait_for_url(f"**/admin/{path}")
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("g h")  # whoever types goes nowhere
    assert page.url.endswith("/admin/settings/keys")


def test_health_says_how_the_last_run_went_and_why(in_account, admin_server, key, name):
    call(admin_server, key, "/api/v1/contact", {"externalCustomerId": "1"})
    target = {"url": f"postgresql://u:secret-word@127.0.0.1:9/{name}"}
    body = {"name": "Warehouse", "target": "postgres", "settings": target}
    call(admin_server, key, "/api/v1/exports", body)
    rows = {"contacts": [{"externalCustomerId": "1"}, {"firstName": "Nobody"}], "dedupeOn": "email"}
    call(admin_server, key, "/api/v1/contacts", rows)
    page = in_account()
    exports = page.locator("#health-exports")
    expect(exports).to_contain_text("Nobody listens")
    expect(exports).to_contain_text("Failing")
    assert "secret-word" not in page.content()
    expect(page.locator("#health-imports")).to_contain_text("1 failed")
    shoot(page, "home-failing-1440")


def test_a_reader_is_offered_nothing_that_is_refused(admin_server, key, name):
    call(
        admin_server,
        key,
        "/api/v1/contact",
        {"channels": [{"type": "email", "value": "a@b.example"}]},
    )
    made = command(admin_server, "users", "create", name, "--account", name, "--role", "reader")
    password = re.search(r"Password: (\S+)", made)[1]
    with closing(Visitor(base_url=admin_server.url, timeout=60)) as one:
        assert one.sign_in(name, password).status_code == 303
        page = one.get("/admin").text + one.get("/admin/figures").text
    assert "Make the segment" not in page
    assert "/admin/contacts?noid=1" in page
    assert "New export" not in page
