"""Part 7: what a contact did, in one line of time, with filters and without an end."""

from __future__ import annotations

from playwright.sync_api import expect

FIRST = "2026-01-01T10:00:00"


def test_events_orders_and_decisions_stand_in_one_line(open_page, api, name):
    body = {"externalCustomerId": name, "firstName": "Busy"}
    contact_id = api.post("/api/v1/contact", json=body).json()["id"]
    order = {
        "externalOrderId": f"{name}-1",
        "externalCustomerId": name,
        "totalCost": 100,
        "status": "DELIVERED",
        "date": "2026-01-01T10:00:00.000Z",
        "currency": "EUR",
        "items": [{"externalItemId": "s", "quantity": 1, "name": "Tea", "cost": 100}],
    }
    assert api.post("/api/v1/orders", json={"orders": [order]}).text in ("", "{}")
    for number in range(40):
        event = {
            "eventTypeKey": "looked",
            "keyValue": name,
            "params": [
                {"name": "externalCustomerId", "value": name},
                {"name": "what", "value": f"<b>thing</b> {number}"},
            ],
        }
        assert api.post("/api/v2/event", json=event).status_code == 200
    page = open_page(f"/admin/contacts/{contact_id}")
    line = page.locator("#part-history")
    expect(line).to_contain_text("<b>thing</b> 39")
    assert "<b>thing</b> 0 " not in line.inner_text()
    # It goes on as one scrolls.
    line.locator("li").last.scroll_into_view_if_needed()
    expect(line).to_contain_text("was created")
    expect(line).to_contain_text(f"Order {name}-1")
    line.get_by_role("link", name="Orders", exact=True).click()
    expect(line).not_to_contain_text("looked")
    expect(line).to_contain_text("100.00 EUR")
    line.get_by_role("link", name="Identity", exact=True).click()
    expect(line).to_contain_text("was created")
    expect(page.locator(".third")).to_contain_text("100.00 EUR")
    expect(page.locator(".third")).to_contain_text("1 delivered of 1")


def test_days_of_the_timeline_are_the_viewers(open_page, api, name):
    """Half past eleven at night in UTC is the next day in Kyiv: a day stands above each, once."""
    api.post("/api/v1/contact", json={"externalCustomerId": name}).raise_for_status()
    hours = ("2026-01-01T20:30", "2026-01-01T21:30", "2026-01-01T22:30", "2026-01-01T23:30")
    orders = [
        {"externalOrderId": f"{name}-{n}", "externalCustomerId": name, "totalCost": 1234.5,
         "status": "DELIVERED", "date": f"{hour}:00.000Z", "currency": "EUR",
         "items": [{"externalItemId": "s", "quantity": 1, "name": "Tea", "cost": 1234.5}]}
        for n, hour in enumerate(hours)
    ]  # fmt: skip
    assert api.post("/api/v1/orders", json={"orders": orders}).text in ("", "{}")
    (one,) = api.get("/api/v1/contacts", params={"externalCustomerId": name}).json()
    page = open_page(f"/admin/contacts/{one['id']}?show=order")
    lines = page.locator("#part-history .feed > li")
    expect(lines).to_have_count(6)
    said = ["Jan 2, 2026", f"{name}-3", f"{name}-2", "Jan 1, 2026", f"{name}-1", f"{name}-0"]
    for number, words in enumerate(said):
        expect(lines.nth(number)).to_contain_text(words)
    expect(lines.nth(1)).to_contain_text("1,234.50 EUR")
