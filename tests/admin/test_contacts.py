"""Part 7: the table of contacts, as somebody works with it."""

from __future__ import annotations

import csv
import io
import re

import pytest
from playwright.sync_api import expect

from tests.admin.conftest import ARABIC


def test_search_answers_as_one_types(open_page):
    page = open_page("/admin/contacts")
    page.keyboard.press("/")
    page.keyboard.type("olena crowd01")
    rows = page.locator("#results tbody tr")
    expect(rows).to_have_count(10)
    expect(page.locator("#results .paging")).to_contain_text("10 contacts")
    expect(page).to_have_url(re.compile("q=olena%20crowd01$"))
    page.fill("#q", "nobody at all")
    expect(page.get_by_role("heading", name="Nobody matches")).to_be_visible()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("Ann Lee", "shop-1"),
        ("lee ann", "shop-1"),
        ("ANN.NEW@example", "shop-1"),
        ("extid:shop-1", "shop-1"),
        ("id:1", "shop-1"),
        ("شريف", ARABIC),
        ("crowd-7 olena007", "crowd-7"),
        ("067 190 77 77 phoned", "phone-1"),
        ("+38 (067) 190", "phone-1"),
    ],
)
def test_words_are_names_addresses_and_ids(owner, api, words, found):
    phone = {"type": "sms", "value": "+380671907777"}
    body = {"externalCustomerId": "phone-1", "firstName": "Phoned", "channels": [phone]}
    api.post("/api/v1/contact", json=body)
    answer = owner.get("/admin/contacts", params={"q": words})
    assert found in answer.text
    assert "Crowd050" not in answer.text


def test_pages_lead_through_everybody_and_back(open_page):
    page = open_page("/admin/contacts?channel=email&source=IMPORT")
    expect(page.locator("#results .paging")).to_contain_text("70 contacts")
    first = page.locator("#results tbody tr").count()
    page.get_by_role("link", name="Older").click()
    page.wait_for_url("**before=*")
    assert first + page.locator("#results tbody tr").count() == 70
    page.get_by_role("link", name="Newer").click()
    page.wait_for_url("**after=*")
    assert page.locator("#results tbody tr").count() == first
    expect(page.locator("#results tbody tr").first).to_contain_text("Crowd069")


def test_what_is_typed_counts_for_the_export_and_the_filters_too(open_page):
    page = open_page("/admin/contacts?source=IMPORT")
    page.fill("#q", "olena crowd01")
    expect(page.locator("#results tbody tr")).to_have_count(10)
    export = page.locator("#content").get_by_role("link", name="Export CSV")
    expect(export).to_have_attribute("href", re.compile(r"q=olena\+crowd01"))
    page.locator(".chip a").click()
    page.wait_for_url(re.compile(r"q=olena(\+|%20)crowd01$"))
    expect(page.locator("#results tbody tr")).to_have_count(10)
    page.fill("#q", "olena crowd011")
    expect(page.locator("#results tbody tr")).to_have_count(1)
    page.locator("summary", has_text="Filter").click()
    page.get_by_role("checkbox", name="without External ID").check()
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url(re.compile("noid"))
    expect(page.locator("#q")).to_have_value("olena crowd011")


def test_filters_read_as_a_sentence_and_go_one_by_one(open_page):
    page = open_page("/admin/contacts")
    page.get_by_text("Filter", exact=True).click()
    page.get_by_label("without External ID").check()
    page.get_by_label("Has").select_option("email")
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url("**noid=*")
    expect(page.locator(".chip")).to_have_count(2)
    page.get_by_label("Remove the filter: without External ID").click()
    page.wait_for_url(lambda url: "noid" not in url)
    expect(page.locator(".chip")).to_have_count(1)


def test_columns_are_chosen_and_remembered(open_page):
    page = open_page("/admin/contacts?q=lee")
    page.get_by_text("Columns", exact=True).click()
    page.get_by_role("checkbox", name="Town").check()
    page.get_by_role("checkbox", name="Source").uncheck()
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("th", has_text="Town")).to_be_visible()
    page.goto("/admin/contacts?q=ann")
    expect(page.locator("th", has_text="Town")).to_be_visible()
    expect(page.locator("th", has_text="Source")).to_have_count(0)


def test_picked_contacts_go_on_a_new_list(open_page, api, name):
    page = open_page("/admin/contacts")
    page.locator("input[name=pick]").first.check()
    page.get_by_text("Lists", exact=True).click()
    expect(page.locator(".bulk .drop")).to_be_in_viewport(ratio=1)
    page.goto("/admin/contacts?q=crowd-2")
    page.locator("[data-pick-all]").check()
    expect(page.locator("[data-picked]")).to_have_text("11 picked")
    page.get_by_text("Lists", exact=True).click()
    page.get_by_label("Name of the new list").fill(name)
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("Added to the list.")).to_be_visible()
    (group,) = api.get("/api/v1/groups", params={"name": name}).json()
    members = api.get(f"/api/v1/group/{group['id']}/contacts")
    assert members.headers["TotalCount"] == "11"


def test_removing_many_asks_first_and_says_what_follows(open_page, api, name):
    for number in range(2):
        api.post("/api/v1/contact", json={"externalCustomerId": f"{name}-{number}"})
    page = open_page(f"/admin/contacts?q={name}")
    page.locator("[data-pick-all]").check()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("heading", name="Remove these 2 contacts?")).to_be_visible()
    assert api.get("/api/v1/contacts", params={"externalCustomerId": f"{name}-0"}).json()
    page.get_by_role("button", name="Remove").click()
    expect(page.locator(".toast[role=status]")).to_contain_text("Removed")
    assert not api.get("/api/v1/contacts", params={"externalCustomerId": f"{name}-0"}).json()
    page.goto(f"/admin/contacts?removed=1&q={name}")
    expect(page.locator("#results tbody tr")).to_have_count(2)


def test_the_export_has_what_the_filter_shows_and_no_formula(owner, api, name):
    body = {"externalCustomerId": f"={name}", "firstName": "=cmd", "lastName": "Formula"}
    api.post("/api/v1/contact", json=body)
    answer = owner.get("/admin/contacts/export.csv", params={"q": f"={name}"})
    (row,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert row["External ID"] == f"'={name}"
    assert row["Last name"] == "Formula"
    everybody = owner.get("/admin/contacts/export.csv", params={"channel": "email"}).text
    assert everybody.count("@crowd.example") == 70


def test_picked_contacts_are_exported_and_taken_off_a_list(owner, api, name):
    ids = [
        api.post("/api/v1/contact", json={"externalCustomerId": f"{name}-{n}"}).json()["id"]
        for n in range(3)
    ]
    answer = owner.submit("/admin/contacts/bulk", action="export", pick=[str(ids[0]), str(ids[2])])
    rows = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert {row["External ID"] for row in rows} == {f"{name}-0", f"{name}-2"}
    picked = [str(one) for one in ids]
    assert owner.submit("/admin/contacts/bulk", action="attach", new_list=name, pick=picked)
    (group,) = api.get("/api/v1/groups", params={"name": name}).json()
    form = {"list": str(group["id"]), "pick": picked[:1], "back": f"?q={name}"}
    answer = owner.submit("/admin/contacts/bulk", action="detach", **form)
    assert answer.headers["location"] == f"/admin/contacts?q={name}"
    members = api.get(f"/api/v1/group/{group['id']}/contacts")
    assert members.headers["TotalCount"] == "2"


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"from": "2026-01-01"}, True),
        ({"from": "2999-01-01"}, False),
        ({"to": "2020-01-01"}, False),
        ({"source": "API"}, True),
        ({"source": "IMPORT"}, False),
        ({"channel": "mobile_token"}, True),
        ({"channel": "telegram_token"}, False),
        ({"noid": "1"}, False),
        ({"removed": "1"}, False),
    ],
)
def test_every_filter_narrows_what_is_shown_and_counted(owner, asked, found):
    shown = owner.get("/admin/contacts", params={"q": "bob", **asked})
    assert ("shop-2" in shown.text) is found
    assert ("1 contact<" in shown.text.replace("\n", "")) is found


def test_a_new_contact_comes_by_hand(open_page, api, name):
    page = open_page("/admin/contacts")
    page.keyboard.press("n")
    page.get_by_label("External ID").fill(name)
    page.get_by_label("E-mail").fill("not an address")
    page.get_by_role("button", name="Create contact").click()
    expect(page.locator("#d-email")).to_be_visible()
    page.get_by_label("E-mail").fill(f"{name}@example.com")
    page.get_by_label("First name").fill("Надія")
    page.get_by_role("button", name="Create contact").click()
    expect(page.get_by_role("heading", name="Надія")).to_be_visible()
    expect(page.locator("#card-head")).to_contain_text("By hand")
    (found,) = api.get("/api/v1/contacts", params={"externalCustomerId": name}).json()
    assert found["firstName"] == "Надія"


def test_who_is_known_already_is_shown_and_not_overwritten(open_page, api, name):
    body = {"externalCustomerId": name, "firstName": "Before"}
    contact_id = api.post("/api/v1/contact", json=body).json()["id"]
    page = open_page("/admin/contacts/new")
    page.get_by_label("External ID").fill(name)
    page.get_by_label("First name").fill("After")
    page.get_by_role("button", name="Create contact").click()
    expect(page.get_by_text(f"This is contact #{contact_id} already.")).to_be_visible()
    assert api.get(f"/api/v1/contact/{contact_id}").json()["firstName"] == "Before"
    page.get_by_role("button", name="Update it with this").click()
    page.wait_for_url(f"**/contacts/{contact_id}")
    assert api.get(f"/api/v1/contact/{contact_id}").json()["firstName"] == "After"


def test_keys_lead_everywhere(open_page):
    page = open_page("/admin")
    page.keyboard.press("g")
    page.keyboard.press("c")
    page.wait_for_url("**/admin/contacts")
    page.keyboard.press("j")
    page.keyboard.press("Space")
    expect(page.locator("dialog")).to_contain_text("Open the card")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("dialog")).to_contain_text("Keyboard shortcuts")


def test_it_works_without_a_script(open_page, api, name):
    api.post("/api/v1/contact", json={"externalCustomerId": name, "firstName": "Plain"})
    page = open_page("/admin/contacts", script=False)
    page.fill("#q", name)
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Plain").click()
    page.get_by_role("link", name="Edit: Profile").click()
    page.get_by_label("Last name").fill("Html")
    page.get_by_role("button", name="Save").click()
    assert page.get_by_role("heading", name="Plain Html").is_visible()
