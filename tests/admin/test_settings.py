"""Part 7: what an account is set up with, and who did what."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import expect

from tests.admin.conftest import eventually
from tests.browser import TIMEOUT_MS


def test_a_new_key_is_shown_once_and_works(open_page, admin_server, name):
    page = open_page("/admin/settings/keys")
    page.get_by_label("What for").fill(name)
    page.get_by_label("Rights").select_option("contacts_write")
    page.get_by_role("button", name="Create key").click()
    text = page.locator("#new-key").inner_text()
    assert text.startswith("kk_")
    url = f"{admin_server.url}/api/v1"
    body = {"externalCustomerId": name}
    with httpx.Client(auth=("", text), timeout=60) as client:
        assert client.post(f"{url}/contact", json=body).status_code == 200
        assert client.get(f"{url}/contacts").status_code == 403
    page.goto("/admin/settings/keys")
    assert text not in page.content()
    row = page.locator("tr", has_text=name)
    row.get_by_role("button", name="Disable").click()
    expect(page.locator("tr", has_text=name)).to_contain_text("Disabled")
    page.locator("tr", has_text=name).get_by_role("link", name="Delete").click()
    expect(page.locator("dialog")).to_contain_text("refused within a second")
    page.locator("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator("tr", has_text=name)).to_have_count(0)


@pytest.mark.parametrize("host", ["127.0.0.1", "kartoteka.example"])
def test_what_is_shown_once_is_copied_with_a_click(browser, admin_server, state, api, name, host):
    """Also where the pages are served without TLS: such pages get no clipboard from the browser."""
    api.post("/api/v1/site/domains", json={"domain": f"{name}.example"}).raise_for_status()
    context = browser.new_context(
        base_url=f"http://{host}:{admin_server.url.rpartition(':')[2]}",
        permissions=["clipboard-read", "clipboard-write"],
    )
    context.set_default_timeout(TIMEOUT_MS)
    context.add_cookies([{**state["cookies"][0], "domain": host}])
    page = context.new_page()
    page.goto("/admin/settings/websites")
    assert page.evaluate("window.isSecureContext") is (host == "127.0.0.1")
    shown = page.locator(".snippet pre").first.inner_text()
    page.get_by_role("button", name="Copy").first.click()
    expect(page.locator("#copied")).to_have_text("Copied")
    page.goto("/admin/simulator")
    page.get_by_label("As JSON").focus()
    page.keyboard.press("Control+v")
    expect(page.get_by_label("As JSON")).to_have_value(shown)
    context.close()


def test_a_custom_field_is_made_used_and_taken_away(open_page, api, name):
    label = f"Colour {name}"
    page = open_page("/admin/settings/fields")
    page.get_by_role("link", name="New field").click()
    page.get_by_label("Name").fill(label)
    page.get_by_label("Type").select_option("COMBOBOX")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("possibleValues")
    page.get_by_label("Possible values").fill("red\ngreen\n")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("tr", has_text=label)).to_contain_text("One of several")
    contact_id = api.post("/api/v1/contact", json={"externalCustomerId": name}).json()["id"]
    page.goto(f"/admin/contacts/{contact_id}")
    page.get_by_label("Edit: Fields").click()
    page.get_by_label(label).select_option("green")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#part-fields")).to_contain_text("green")
    (field,) = [one for one in api.get("/api/v1/additionalfields").json() if one["name"] == label]
    stored = api.get(f"/api/v1/contact/{contact_id}").json()["fields"]
    assert {"id": field["id"], "value": "green"} in stored
    page.goto("/admin/settings/fields")
    page.get_by_label(f"Delete {label}").click()
    page.locator("dialog").get_by_role("button", name="Delete field").click()
    expect(page.locator("tr", has_text=label)).to_have_count(0)


def test_a_setting_says_what_follows_and_takes_only_what_makes_sense(open_page, api):
    page = open_page("/admin/settings/account")
    expect(page.locator("#content form")).to_contain_text(
        "Families that share a phone share a card"
    )
    page.locator("#f-currency").fill("hryvnia")
    page.get_by_role("button", name="Save").first.click()
    expect(page.get_by_role("alert")).to_contain_text("currency must be three capital letters")
    page.locator("#f-currency").fill("EUR")
    page.locator("#f-refuse_repeats").select_option("true")
    page.get_by_role("button", name="Save").first.click()
    expect(page.get_by_text("Settings saved.")).to_be_visible()
    settings = api.get("/api/v1/account/settings").json()
    assert (settings["currency"], settings["refuse_repeats"]) == ("EUR", True)
    page.locator("#f-currency").fill("UAH")
    page.locator("#f-refuse_repeats").select_option("false")
    page.get_by_role("button", name="Save").first.click()
    # What is said of the first time may still stand there; others go on with these settings.
    eventually(lambda: not api.get("/api/v1/account/settings").json()["refuse_repeats"])
    expect(page.get_by_text("Settings saved.")).to_be_visible()


def test_users_are_added_and_changed(open_page, name):
    page = open_page("/admin/settings/users")
    page.get_by_label("Login").fill(name)
    page.get_by_label("Password").fill("short")
    page.get_by_role("button", name="Add user").click()
    expect(page.get_by_role("alert")).to_contain_text("10 to 200 characters")
    page.get_by_label("Password").fill("long enough for us")
    page.get_by_role("button", name="Add user").click()
    page.get_by_role("link", name=name).click()
    page.get_by_label("Role").select_option("reader")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("tr", has_text=name)).to_contain_text("Read only")
    page.get_by_role("link", name=name).click()
    page.get_by_role("link", name="Delete user").click()
    expect(page.locator("dialog")).to_contain_text("Their sessions end at once")
    page.locator("dialog").get_by_role("button", name="Delete user").click()
    expect(page.locator("tr", has_text=name)).to_have_count(0)


def test_the_log_names_who_did_what_and_holds_no_values(open_page, owner, api, name):
    contact_id = api.post("/api/v1/contact", json={"externalCustomerId": name}).json()["id"]
    secret = "Verysecretname"
    owner.submit(f"/admin/contacts/{contact_id}/edit/profile", lastName=secret)
    page = open_page("/admin/settings/audit")
    row = page.locator("tr", has_text=f"#{contact_id}").first
    expect(row).to_contain_text("changed contact")
    expect(row).to_contain_text("admin")
    expect(row).to_contain_text("lastName")
    assert secret not in page.content()
    page.goto(f"/admin/contacts/{contact_id}/edit/identifiers")
    page.get_by_label("Phone").fill("+380671112233")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#part-history")).to_contain_text("by admin")


def test_the_theme_stays_chosen(open_page):
    page = open_page("/admin")
    page.get_by_role("button", name="Theme: system").click()
    page.get_by_role("button", name="Theme: light").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.goto("/admin/contacts")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_a_website_gets_its_script_and_says_when_visits_arrive(open_page, admin_server, name):
    page = open_page("/admin/settings/websites")
    page.get_by_label("Domain").fill("not a domain")
    page.get_by_role("button", name="Add website").click()
    expect(page.get_by_role("alert")).to_contain_text("shop.example")
    page.get_by_label("Domain").fill(f"https://www.{name}.example/page")
    page.get_by_role("button", name="Add website").click()
    panel = page.locator("section", has_text=f"{name}.example")
    expect(panel).to_contain_text("/scripts/")
    panel.get_by_role("button", name="Is it installed?").click()
    expect(panel).to_contain_text("could not be looked at")
    expect(panel).to_contain_text("No visit yet")
    site_key = re.search(r"/scripts/(\w+)\.js", panel.inner_text())[1]
    visit = {
        "GeneralInfo": {
            "eventName": "MainPage",
            "siteId": site_key,
            "cookies": {"sc": f"c-{name}"},
        },
        "Page": {"url": f"https://www.{name}.example/"},
    }
    headers = {"Origin": f"https://www.{name}.example"}
    url = f"{admin_server.url}/api/v2"
    httpx.post(url, json=visit, headers=headers, timeout=60).raise_for_status()
    # It says so by itself, and what the look brought stays.
    expect(panel).to_contain_text("Visits arrive")
    expect(panel).to_contain_text("could not be looked at")
    panel.get_by_role("link", name="Remove").click()
    page.locator("dialog").get_by_role("button", name="Remove website").click()
    expect(page.get_by_text(f"{name}.example")).to_have_count(0)


def test_an_event_type_is_made(open_page, api, name):
    page = open_page("/admin/settings/event-types")
    page.get_by_label("Key").fill(name)
    page.get_by_label("Required parameters").fill("total, currency")
    page.get_by_label("An event of this type may make a contact").check()
    page.get_by_role("button", name="Save").click()
    row = page.locator("tr", has_text=name)
    expect(row).to_contain_text("Yes since")
    expect(row).to_contain_text("total, currency")
    row.get_by_role("link", name=name).click()  # it can be changed: the form has what it says now
    expect(page.get_by_label("Required parameters")).to_have_value("total, currency")
    expect(page.get_by_label("An event of this type may make a contact")).to_be_checked()
    assert api.get(f"/api/v1/event-types/{name}").json()["segmentation"] is True


def test_what_is_optional_stays_optional(open_page, api, name):
    params = [{"name": "total"}, {"name": "coupon", "required": False}]
    api.put(f"/api/v1/event-types/{name}", json={"requiredParams": params}).raise_for_status()
    page = open_page(f"/admin/settings/event-types?key={name}")
    expect(page.get_by_label("Required parameters")).to_have_value("total")
    expect(page.get_by_label("Optional parameters")).to_have_value("coupon")
    page.get_by_label("An event of this type may make a contact").check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("tr", has_text=name)).to_contain_text("Yes since")
    stored = api.get(f"/api/v1/event-types/{name}").json()["requiredParams"]
    assert {one["name"]: one["required"] for one in stored} == {"total": True, "coupon": False}


def test_an_application_gets_its_access_key_once(open_page, name):
    page = open_page("/admin/settings/apps")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Create application").click()
    assert page.locator("#new-key").inner_text().startswith("kk_")
    row = page.locator("tr", has_text=name)
    row.get_by_role("button", name="Trust", exact=True).click()
    expect(page.locator("tr", has_text=name)).to_contain_text("Trusted")
    page.locator("tr", has_text=name).get_by_role("button", name="New key").click()
    expect(page.locator("tr", has_text=name).locator("td.num")).to_have_text("2")
    page.locator("tr", has_text=name).get_by_role("link", name="Delete").click()
    expect(page.locator("dialog")).to_contain_text("Its tokens stay on their contacts")
    page.locator("dialog").get_by_role("button", name="Delete application").click()
    expect(page.locator("tr", has_text=name)).to_have_count(0)


def test_a_webhook_shows_its_secret_once_and_what_did_not_arrive(open_page, api, name):
    page = open_page("/admin/settings/webhooks")
    page.get_by_label("Address").fill("no address")
    page.get_by_role("button", name="Create webhook").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Address").fill(f"https://{name}.example/hook")
    page.get_by_role("button", name="Create webhook").click()
    assert page.locator("#new-secret").inner_text().startswith("whsec_")
    page.get_by_role("link", name=f"https://{name}.example/hook").click()
    api.post("/api/v1/contact", json={"externalCustomerId": name})

    def told() -> bool:
        page.reload()
        return page.locator("tr", has_text="contact.created").count() > 0

    eventually(told)
    page.get_by_role("button", name="Disable").click()
    page.get_by_role("link", name="Delete").click()
    page.locator("dialog").get_by_role("button", name="Delete webhook").click()
    expect(page.locator("tr", has_text=name)).to_have_count(0)


def test_other_settings_are_tried_on_the_past_before_they_are_saved(open_page, api, name):
    token = {"type": "mobilepush", "value": f"fcm:{name}"}
    device = api.post("/api/v1/contact", json={"channels": [token]}).json()["id"]
    body = {"externalCustomerId": name, "channels": [token]}
    api.post("/api/v1/contact", json=body)
    segment = {"name": name, "condition": {"field": "externalCustomerId", "operator": "is_empty"}}
    api.post("/api/v1/segments", json=segment).raise_for_status()
    page = open_page("/admin/settings/account")
    told = page.locator("#what-if")
    page.locator("#f-absorb").select_option("never")
    page.get_by_role("button", name="What would change?").click()
    expect(told).to_contain_text("requests were told again")
    expect(told.get_by_role("link", name=f"#{device}", exact=True)).to_have_count(0)
    assert page.locator("#f-absorb").input_value() == "never"
    # Its connection had all statements deallocated, and is in nobody else's way.
    api.post("/api/v1/segments", json=segment).raise_for_status()
    page.reload()
    assert page.locator("#f-absorb").input_value() != "never"
