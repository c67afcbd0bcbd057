"""Part 7: segments, built click by click as guide G15 says."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect


def add(page, family: str, label: str, where: int = 0) -> None:
    """Add condition → family → label."""
    page.get_by_text("Add condition", exact=True).nth(where).click()
    menu = page.locator("details.menu[open]")
    menu.locator("summary", has_text=family).first.click()
    menu.get_by_role("button", name=label, exact=True).first.click()


def test_contacts_without_an_external_id(open_page, api, name):
    """Guide G15: Contacts → Segments → Add segment → Fields → External ID → is empty → Done."""
    page = open_page("/admin")
    page.get_by_role("link", name="Contacts", exact=True).click()
    page.locator(".tabs").get_by_role("link", name="Segments").click()
    page.get_by_role("link", name="Add segment").first.click()
    add(page, "Fields", "External ID")
    page.get_by_label("Operator").select_option(label="is empty")
    expect(page.locator("#preview")).to_contain_text("External ID is empty")
    before = int(page.locator("#preview b").first.inner_text().replace(",", ""))
    page.get_by_role("button", name="Done").click()
    page.wait_for_url(re.compile(r"/admin/segments/\d+$"))
    expect(page.get_by_role("heading", name="External ID is empty")).to_be_visible()
    segment_id = page.url.rpartition("/")[2]
    # Dynamic: each new one joins by itself, and leaves when it gets its External ID.
    email = {"channels": [{"type": "email", "value": f"{name}@example.com"}]}
    contact_id = api.post("/api/v1/contact", json=email).json()["id"]
    page.reload()
    expect(page.locator(".figure b")).to_have_text(f"{before + 1:,}")
    api.put(f"/api/v1/contact/{contact_id}", json={"externalCustomerId": name})
    page.reload()
    expect(page.locator(".figure b")).to_have_text(f"{before:,}")
    assert api.get(f"/api/v1/group/{segment_id}/contacts").headers["TotalCount"] == str(before)
    expect(page.locator(".feed")).to_contain_text("left")


def test_the_count_follows_while_one_types(open_page):
    page = open_page("/admin/segments/new")
    add(page, "Fields", "Last name")
    page.get_by_label("Operator").select_option(label="starts with")
    page.get_by_label("Value", exact=True).fill("Crowd00")
    expect(page.locator("#preview b").first).to_have_text("10")
    page.get_by_label("Value", exact=True).fill("Crowd001")
    expect(page.locator("#preview b").first).to_have_text("1")
    expect(page.locator("#preview")).to_contain_text("Olena Crowd001")


def test_groups_and_the_other_side(open_page, name):
    page = open_page("/admin/segments/new")
    add(page, "Fields", "Last name")
    page.get_by_label("Operator").select_option(label="starts with")
    page.get_by_label("Value", exact=True).fill("Crowd")
    page.get_by_role("button", name="Add group").first.click()
    expect(page.locator("fieldset.group")).to_have_count(3)
    add(page, "Channels", "Mobile token", 0)
    page.get_by_label("Operator").nth(1).select_option(label="is empty")
    add(page, "Fields", "Last name", 2)
    page.get_by_label("Operator").nth(2).select_option(label="ends with")
    page.get_by_label("Value", exact=True).nth(1).fill("0")
    preview = page.locator("#preview")
    expect(preview).to_contain_text("except")
    expect(preview.locator("b").first).to_have_text("63")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Done").click()
    expect(page.locator(".figure b")).to_have_text("63")
    page.get_by_role("link", name=re.compile("^Why is")).first.click()
    expect(page.locator("dialog")).to_contain_text("starts with")
    page.keyboard.press("Escape")
    # Duplicate, edit, keep as a list, delete.
    page.get_by_label("More").click()
    page.get_by_role("link", name="Duplicate").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value(f"Copy of {name}")
    page.go_back()
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Remove this condition").last.click()
    expect(page.locator("#preview b").first).to_have_text("70")
    page.get_by_role("button", name="Done").click()
    expect(page.locator(".figure b")).to_have_text("70")
    page.get_by_label("More").click()
    page.get_by_role("button", name="Keep as a list").click()
    expect(page.locator(".page-head")).to_contain_text("List")
    expect(page.locator(".figure b")).to_have_text("70")
    page.get_by_label("More").click()
    page.get_by_role("link", name="Delete").click()
    page.locator("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Segment deleted.")).to_be_visible()


def test_what_is_not_complete_is_said(open_page):
    page = open_page("/admin/segments/new")
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_role("alert")).to_be_visible()
    add(page, "Fields", "First name")
    expect(page.locator("#preview .notice")).to_be_visible()


def test_it_works_without_a_script(open_page, name):
    page = open_page("/admin/segments/new", script=False)
    page.get_by_text("Add condition", exact=True).first.click()
    page.locator("details.menu[open] summary", has_text="Fields").first.click()
    page.get_by_role("button", name="External ID", exact=True).first.click()
    page.get_by_label("Operator").select_option(label="is empty")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Done").click()
    assert page.get_by_role("heading", name=name).is_visible()


def test_the_card_names_its_segments_and_why(open_page, owner, name):
    form = {"w.in.0.field": "lastName", "w.in.0.operator": "equals", "w.in.0.value": "Lee"}
    saved = owner.submit("/admin/segments/save", name=name, **form)
    assert saved.status_code == 303, saved.text
    page = open_page("/admin/contacts/1")
    panel = page.locator(".panel", has_text="Lists and segments")
    expect(panel).to_contain_text(name)
    panel.locator("div", has_text=name).get_by_role("link", name="Why?").first.click()
    expect(page.locator("dialog")).to_contain_text('Last name is "Lee"')


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", '" onfocus="alert(1)'])
def test_names_of_segments_stay_text(open_page, owner, hostile):
    form = {"w.in.0.field": "lastName", "w.in.0.operator": "equals", "w.in.0.value": hostile}
    owner.submit("/admin/segments/save", name=hostile, **form)
    page = open_page("/admin/segments")
    assert page.locator("script").count() == 2
    page.get_by_role("link", name=hostile).first.click()
    assert page.locator("script").count() == 2
