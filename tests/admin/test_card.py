"""Part 7: one contact, changed, removed, erased; what strangers wrote on it stays text."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from tests.admin.conftest import HOSTILE

_EXACT = """at => new Intl.DateTimeFormat(
    undefined, {dateStyle: "medium", timeStyle: "medium"}).format(new Date(at))"""


def contact(api, name: str, **more) -> int:
    body = {"externalCustomerId": name, "firstName": "Card", **more}
    return api.post("/api/v1/contact", json=body).json()["id"]


def test_a_field_is_changed_in_place(open_page, api, name):
    one = contact(api, name, lastName="Old", contactKey="K")
    page = open_page(f"/admin/contacts/{one}")
    page.get_by_label("Edit: Profile").click()
    page.get_by_label("Last name").fill("New")
    page.get_by_label("Contact key").fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#part-profile dd").nth(1)).to_have_text("New")
    expect(page.locator("#card-head h1")).to_have_text("Card New")
    assert page.url.endswith(f"/admin/contacts/{one}")
    after = api.get(f"/api/v1/contact/{one}").json()
    assert after["lastName"] == "New"
    assert "contactKey" not in after


def test_a_custom_field_is_changed_in_place(open_page, owner, api, name):
    made = {"name": name, "list_name": "Shop", "key": name.upper(), "type": "TEXTFIELD"}
    assert owner.submit("/admin/settings/fields/new", **made).status_code == 303
    one = contact(api, name)
    page = open_page(f"/admin/contacts/{one}")
    page.get_by_label("Edit: Fields").click()
    page.get_by_label(name).fill("Надія")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#part-fields")).to_contain_text("Надія")
    values = [field["value"] for field in api.get(f"/api/v1/contact/{one}").json()["fields"]]
    assert values == ["Надія"]


def test_the_keyboard_goes_on_where_the_part_was_changed(open_page, api, name):
    one = contact(api, name, firstName="Ann")
    page = open_page(f"/admin/contacts/{one}")
    page.get_by_label("Edit: Identifiers").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#f-externalCustomerId")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.type("no address")
    page.keyboard.press("Enter")
    expect(page.locator("#d-email")).to_be_visible()
    expect(page.locator("#f-email")).to_be_focused()
    page.fill("#f-email", f"{name}@example.com")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Edit: Identifiers")).to_be_focused()


def test_what_somebody_else_changed_stays_after_a_refusal_too(owner, api, name):
    one = contact(api, name, lastName="Old")
    path = f"/admin/contacts/{one}/edit/profile"
    shown = {"was.lastName": "Old", "was.languageCode": "", "lastName": "Old"}
    api.put(f"/api/v1/contact/{one}", json={"lastName": "Theirs"})
    refused = owner.submit(path, **shown, languageCode="no language")
    assert refused.status_code == 400
    assert 'name="was.lastName" value="Old"' in refused.text
    owner.submit(path, **shown, languageCode="uk")
    after = api.get(f"/api/v1/contact/{one}").json()
    assert (after["lastName"], after["languageCode"]) == ("Theirs", "uk")


def test_what_somebody_else_changed_meanwhile_stays(open_page, api, name):
    one = contact(api, name, lastName="Old")
    page = open_page(f"/admin/contacts/{one}/edit/profile")
    api.put(f"/api/v1/contact/{one}", json={"lastName": "Theirs"})
    page.get_by_label("Town").fill("Lviv")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#part-profile")).to_contain_text("Lviv")
    after = api.get(f"/api/v1/contact/{one}").json()
    assert after["lastName"] == "Theirs"


def test_a_wrong_value_is_said_beside_its_field(open_page, api, name):
    one = contact(api, name)
    page = open_page(f"/admin/contacts/{one}/edit/identifiers")
    page.get_by_label("Phone").fill("12")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#d-sms")).to_contain_text("phone")


def test_an_external_id_of_another_contact_is_refused(open_page, api, name):
    """Guide G9.1."""
    one, other = contact(api, name), contact(api, f"{name}-other")
    page = open_page(f"/admin/contacts/{one}/edit/identifiers")
    page.get_by_role("textbox", name="External ID").fill(f"{name}-other")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#d-externalCustomerId")).to_contain_text(str(other))
    assert api.get(f"/api/v1/contact/{one}").json()["externalCustomerId"] == name


def test_every_identifier_says_why_it_is_here(open_page):
    page = open_page("/admin/contacts/1")
    panel = page.locator("#part-identifiers")
    expect(panel).to_contain_text(
        "A new External ID joined the card that its Mobile push token found"
    )
    expect(panel).to_contain_text("The request gave it to this card")
    expect(page.locator("#part-history")).to_contain_text("absorbed")


def test_the_identity_is_drawn(open_page):
    page = open_page("/admin/contacts/1/identity")
    picture = page.locator("svg.picture")
    expect(picture).to_contain_text("This card, #1")
    expect(picture).to_contain_text("absorbed_contained")
    expect(picture.locator("path.join")).to_have_count(1)
    assert picture.locator("line.lane").count() >= 5
    clock = picture.locator("[data-style=clock]").first
    at = datetime.fromisoformat(clock.get_attribute("data-at"))
    assert clock.text_content() == at.astimezone(ZoneInfo("Europe/Kyiv")).strftime("%H:%M")


def test_removed_and_restored(open_page, api, name):
    one = contact(api, name)
    page = open_page(f"/admin/contacts/{one}")
    page.get_by_label("More").click()
    page.get_by_role("link", name="Remove").click()
    expect(page.locator("dialog")).to_contain_text("It can be restored at any time")
    page.locator("dialog").get_by_role("button", name="Remove").click()
    expect(page.locator("#card-head")).to_contain_text("Removed")
    assert api.get(f"/api/v1/contact/{one}").status_code == 404
    page.get_by_role("button", name="Restore").click()
    expect(page.locator("#card-head")).to_contain_text("Live")
    assert api.get(f"/api/v1/contact/{one}").status_code == 200


def test_erasing_spells_out_what_follows_and_wants_the_number(open_page, api, name):
    """Decisions D29."""
    one = contact(api, name)
    page = open_page(f"/admin/contacts/{one}")
    page.get_by_label("More").click()
    page.get_by_role("link", name="Erase for good").click()
    dialog = page.locator("dialog")
    for words in ("Destroys the profile", "history", "hashes stay", "no way back"):
        expect(dialog).to_contain_text(words)
    dialog.get_by_role("textbox").fill("1")
    dialog.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_text(f"Type {one}, the number of this contact.")).to_be_visible()
    page.get_by_role("textbox", name=f"Type {one}").fill(str(one))
    page.get_by_role("button", name="Erase for good").click()
    page.wait_for_url("**/admin/contacts")
    assert page.goto(f"/admin/contacts/{one}").status == 404
    answer = api.post("/api/v1/contact", json={"externalCustomerId": name})
    assert answer.json()["id"] != one


def test_a_merged_id_leads_to_the_card_it_is_part_of(open_page):
    page = open_page("/admin/contacts/2")
    page.wait_for_url("**/admin/contacts/1")
    expect(page.get_by_text("That contact was merged")).to_be_visible()


@pytest.mark.parametrize(
    "part", ["", "/identity", "/peek", "/edit/identifiers", "/edit/profile", "/erase"]
)
def test_what_strangers_wrote_stays_text(open_page, api, part):
    """Names, keys, tokens and SVG: `open_page` fails when a script runs."""
    (found,) = api.get("/api/v1/contacts", params={"externalCustomerId": HOSTILE}).json()
    page = open_page(f"/admin/contacts/{found['id']}{part}")
    assert page.locator("script:not([src])").count() == 0
    assert page.locator("#content b, #content svg[onload]").count() == 0
    page.goto("/admin/contacts?q=mallory")
    assert page.locator("script:not([src])").count() == 0


def test_times_stand_in_the_viewers_zone(open_page, api, name):
    one = contact(api, name)
    page = open_page(f"/admin/contacts/{one}")
    time = page.locator("#card-head time").first
    stored = time.get_attribute("datetime")
    assert stored.endswith("+00:00")
    shown = time.get_attribute("title")
    in_kyiv = page.evaluate(_EXACT, stored)
    assert shown == in_kyiv


def test_categories_are_set_as_a_whole(open_page, api, owner, name):
    owner.submit("/admin/settings/categories", key=name, name=f"News {name}")
    one = contact(api, name)
    page = open_page(f"/admin/contacts/{one}")
    page.get_by_label("Edit: Consent").click()
    page.locator("dialog").get_by_label(f"News {name}").check()
    page.locator("dialog").get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    (mine,) = api.get(f"/api/v1/contact/{one}/subscriptions").json()
    assert mine["key"] == name
