"""Part 7: with the keyboard alone, and with what a screen reader is told."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.admin.conftest import shoot


def test_a_dialog_is_named_holds_the_focus_and_gives_it_back(open_page, api, name):
    contact_id = api.post("/api/v1/contact", json={"externalCustomerId": name}).json()["id"]
    page = open_page(f"/admin/contacts/{contact_id}")
    more = page.get_by_label("More")
    more.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Remove")).to_be_focused()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name=f"Remove #{contact_id}?")
    expect(dialog).to_be_visible()
    for _ in range(6):
        page.keyboard.press("Tab")
        outside = "!document.querySelector('dialog').contains(document.activeElement)"
        assert not page.evaluate(f"{outside} && document.activeElement !== document.body")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(more).to_be_focused()


def test_escape_closes_a_menu_and_leaving_it_does_too(open_page):
    page = open_page("/admin/contacts")
    columns = page.locator("summary", has_text="Columns")
    columns.focus()
    page.keyboard.press("Enter")
    box = page.get_by_role("checkbox", name="Town")
    expect(box).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    expect(columns).to_be_focused()
    page.keyboard.press("Enter")
    expect(box).to_be_visible()
    page.locator("#q").focus()
    expect(box).to_be_hidden()


def test_the_menu_of_a_phone_says_whether_it_is_open(open_page):
    page = open_page("/admin", width=390)
    menu = page.get_by_role("button", name="Menu")
    expect(menu).to_have_attribute("aria-expanded", "false")
    menu.focus()
    page.keyboard.press("Enter")
    expect(menu).to_have_attribute("aria-expanded", "true")
    shoot(page, "menu-390")
    page.keyboard.press("Escape")
    expect(menu).to_have_attribute("aria-expanded", "false")
    expect(menu).to_be_focused()


def test_a_search_says_how_many_it_found_and_does_not_read_the_table(open_page):
    page = open_page("/admin/contacts")
    page.keyboard.press("/")
    page.keyboard.type("olena crowd00")
    expect(page.locator("#found")).to_have_text("10 contacts")
    page.keyboard.type("zzz")
    expect(page.locator("#found")).to_have_text("Nobody matches")
    assert page.locator("#results[aria-live]").count() == 0
