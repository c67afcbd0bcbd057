"""Part 7: what a request would come to, drawn, and nothing written (decisions D27)."""

from __future__ import annotations

from playwright.sync_api import expect


def test_it_shows_which_card_which_rule_and_what_moves(open_page, api, name):
    token = {"type": "mobilepush", "value": f"fcm:{name}"}
    holder = api.post("/api/v1/contact", json={"channels": [token]}).json()["id"]
    body = {"externalCustomerId": name, "firstName": "Sim"}
    known = api.post("/api/v1/contact", json=body).json()["id"]
    page = open_page("/admin/simulator")
    page.get_by_label("External ID").fill(name)
    page.get_by_label("Mobile push token").fill(f"fcm:{name}")
    outcome = page.locator("#outcome")
    expect(outcome).to_contain_text(f"Contact #{known} would be updated")
    expect(outcome).to_contain_text("The External ID names the card")
    expect(outcome).to_contain_text(f"#{holder} would be absorbed")
    expect(outcome.locator("svg.picture")).to_contain_text(f"#{holder}")
    identity = api.get(f"/api/v1/contact/{known}/identity").json()
    assert [one["kind"] for one in identity["identifiers"]] == ["external_id"]


def test_a_new_contact_is_announced_and_not_made(open_page, api, name):
    page = open_page("/admin/simulator")
    page.get_by_label("E-mail").fill(f"{name}@example.com")
    expect(page.locator("#outcome")).to_contain_text("A new contact would be created")
    assert not api.get("/api/v1/contacts", params={"email": f"{name}@example.com"}).json()


def test_json_is_taken_as_the_api_takes_it(open_page, name):
    page = open_page("/admin/simulator")
    page.get_by_label("As JSON").fill("{not json")
    expect(page.locator("#outcome")).to_contain_text("not a JSON object")
    page.get_by_label("As JSON").fill(f'{{"externalCustomerId": "{name}"}}')
    expect(page.locator("#outcome")).to_contain_text("A new contact would be created")


def test_sending_it_for_real_is_a_separate_act(open_page, api, name):
    page = open_page("/admin/simulator")
    page.get_by_label("External ID").fill(name)
    page.get_by_role("button", name="Send it for real").click()
    page.wait_for_url("**/admin/contacts/*")
    assert api.get("/api/v1/contacts", params={"externalCustomerId": name}).json()


def test_an_event_names_the_same_person_and_is_not_recorded(open_page, api, name):
    known = api.post("/api/v1/contact", json={"externalCustomerId": name}).json()["id"]
    page = open_page("/admin/simulator")
    page.get_by_label("Method").select_option("event")
    page.get_by_label("External ID").fill(name)
    expect(page.locator("#outcome")).to_contain_text(f"#{known}")
    assert api.get(f"/api/v1/contact/{known}/timeline").json() == []
