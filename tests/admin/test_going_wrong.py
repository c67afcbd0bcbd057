"""Part 7: a session ends, an account is switched, a server does not answer while somebody types:
what was entered stays, and nothing is written where it does not belong."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.admin.command import command
from tests.admin.conftest import HOSTILE, LOGIN, PASSWORD, Visitor, shoot

UNAUTHORISED, SEE_OTHER, FORBIDDEN = 401, 303, 403
NEW = "/admin/contacts/new"


def sign_in(page: Page, password: str = PASSWORD) -> None:
    page.get_by_label("Login").fill(LOGIN)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def is_known(api, external_id: str) -> bool:
    return bool(api.get("/api/v1/contacts", params={"externalCustomerId": external_id}).json())


def test_without_a_script_a_form_is_kept_through_the_sign_in(open_page, api, name):
    page = open_page(NEW, script=False)
    page.get_by_label("External ID").fill(name)
    page.get_by_label("First name").fill("شريف")
    page.get_by_label("Town").fill(HOSTILE)
    page.context.clear_cookies()
    page.get_by_role("button", name="Create contact").click()
    expect(page.get_by_text("What you entered is kept")).to_be_visible()
    shoot(page, "sign-in-kept-1440")
    sign_in(page, "not the password")
    expect(page.get_by_role("alert")).to_contain_text("Login or password is wrong")
    sign_in(page)
    expect(page.get_by_role("heading", name="Send what you entered?")).to_be_visible()
    expect(page.locator("#content")).to_contain_text("شريف")
    expect(page.locator("#content")).to_contain_text(HOSTILE)
    shoot(page, "send-again-1440")
    assert not is_known(api, name)  # nothing is sent by itself
    page.get_by_role("button", name="Send it now").click()
    page.wait_for_url(re.compile(r"/admin/contacts/\d+$"))
    expect(page.get_by_role("heading", name="شريف")).to_be_visible()
    assert is_known(api, name)


def test_only_a_form_of_ours_without_a_password_is_kept(visitor):
    """What another site sends is dropped at the sign-in, and a password is carried nowhere."""
    kept = visitor.post(NEW, data={"firstName": "Ann"}, headers={"Sec-Fetch-Site": "same-origin"})
    assert kept.status_code == UNAUTHORISED
    assert 'name="kept" value="firstName=Ann"' in kept.text
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        assert visitor.post(NEW, data={"a": "b"}, headers=headers).status_code == SEE_OTHER
    secret = {"login": "bob", "password": "correct horse"}
    assert visitor.post("/admin/settings/users", data=secret).status_code == SEE_OTHER
    for path in ("/admin/sign-out", "/admin/account/password"):
        assert visitor.post(path, data={"a": "b"}).status_code == SEE_OTHER
    for path in ("https://evil.example/", "//evil.example", "/administer", "/admin/\\evil", ""):
        form = {"login": LOGIN, "password": PASSWORD, "kept": "a=b", "kept_path": path}
        assert visitor.post("/admin/sign-in", data=form).status_code == SEE_OTHER, path


def test_with_a_script_any_form_stays_where_it_is(open_page, api, name):
    page = open_page("/admin/sign-in?next=/admin/contacts/new", signed_in=False)
    sign_in(page)
    page.wait_for_url(f"**{NEW}")
    page.get_by_label("External ID").fill(name)
    page.context.clear_cookies()
    page.get_by_role("button", name="Create contact").click()
    ended = page.get_by_role("alert").filter(has_text="Your session has ended")
    expect(ended).to_be_visible()
    expect(page.get_by_label("External ID")).to_have_value(name)
    with page.expect_popup() as opened:
        ended.get_by_role("link", name="Sign in").click()
    sign_in(opened.value)
    opened.value.wait_for_url("**/admin")
    page.bring_to_front()
    page.get_by_role("button", name="Create contact").click()
    page.wait_for_url(re.compile(r"/admin/contacts/\d+$"))
    assert is_known(api, name)


def test_a_server_that_does_not_answer_takes_nothing_that_was_entered(open_page, api, name):
    page = open_page(NEW)
    page.get_by_label("External ID").fill(name)
    page.context.set_offline(True)
    page.get_by_role("button", name="Create contact").click()
    said = page.get_by_role("alert").filter(has_text="The server does not answer")
    expect(said).to_be_visible()
    shoot(page, "offline-1440")
    expect(page.get_by_label("External ID")).to_have_value(name)
    page.locator("a[data-shortcuts]").click()  # a dialog says so too, and opens nothing
    expect(page.locator("dialog")).to_be_hidden()
    page.context.set_offline(False)
    page.get_by_role("button", name="Create contact").click()
    page.wait_for_url(re.compile(r"/admin/contacts/\d+$"))
    assert is_known(api, name)


def test_a_part_that_cannot_be_saved_stays_with_what_was_typed(open_page, api, name):
    contact_id = api.post("/api/v1/contact", json={"externalCustomerId": name}).json()["id"]
    page = open_page(f"/admin/contacts/{contact_id}")
    page.get_by_label("Edit: Profile").click()
    page.get_by_label("First name").fill("Olena")
    api.delete(f"/api/v1/contact/{contact_id}", params={"erase": "true"}).raise_for_status()
    page.locator("#part-profile").get_by_role("button", name="Save").click()
    expect(page.locator("#trouble")).to_contain_text("There is no contact with this id")
    expect(page.get_by_label("First name")).to_have_value("Olena")
    page.locator("#trouble").get_by_role("button", name="Dismiss").click()
    expect(page.locator("#trouble")).to_be_hidden()


@pytest.fixture
def outlet(admin_server, name) -> str:
    """A second account that the owner of the first may enter."""
    command(admin_server, "accounts", "create", name)
    command(admin_server, "users", "share", LOGIN, "--to", name)
    return name


def test_a_page_of_one_account_writes_nothing_into_another(open_page, api, admin_server, outlet):
    """Who switches in another tab meets the account of the page, not that of the tab."""
    page = open_page("/admin/sign-in?next=/admin/contacts/new", signed_in=False)
    sign_in(page)
    page.wait_for_url(f"**{NEW}")
    token = page.locator("input[name=csrf]").first.input_value()
    page.get_by_label("External ID").fill(outlet)
    other = page.context.new_page()
    other.goto("/admin/account")
    other.locator("form", has_text=outlet).get_by_role("button", name="Switch").click()
    other.wait_for_url("**/admin")
    page.bring_to_front()
    page.get_by_role("button", name="Create contact").click()
    said = page.get_by_role("alert").filter(has_text="You have switched to another account")
    expect(said).to_be_visible()
    shoot(page, "other-account-1440")
    # Without the script the token says it: it is the first account's.
    cookies = {one["name"]: one["value"] for one in page.context.cookies()}
    with Visitor(base_url=admin_server.url, cookies=cookies) as one:
        form = {"csrf": token, "externalCustomerId": outlet}
        refused = one.post(NEW, data=form)
        assert refused.status_code == FORBIDDEN
        assert "another account" in refused.text
        # What belongs to no account goes on: whoever wants to switch or to leave can.
        assert one.post("/admin/theme", data={"csrf": token}).status_code == SEE_OTHER
        assert one.post("/admin/theme", data={"csrf": "0" * 32}).status_code == FORBIDDEN
    other.goto("/admin/account")
    other.locator("form", has_text="main").get_by_role("button", name="Switch").click()
    other.wait_for_url("**/admin")
    other.close()
    page.bring_to_front()
    page.get_by_role("button", name="Create contact").click()
    page.wait_for_url(re.compile(r"/admin/contacts/\d+$"))
    assert is_known(api, outlet)
