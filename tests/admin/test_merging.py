"""Part 7: duplicates side by side, merging by hand with a preview, taking it back, quarantine."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import expect

from kartoteka.admin.pages.look_alikes import percent_of
from kartoteka.contacts.duplicate_search import Search
from tests.admin.command import command
from tests.admin.conftest import eventually

NOW = datetime(2026, 11, 26, tzinfo=UTC)


def person(api, external_id: str, phone: str, **more) -> int:
    body = {
        "externalCustomerId": external_id,
        "channels": [{"type": "sms", "value": phone}],
        **more,
    }
    return api.post("/api/v1/contact", json=body).json()["id"]


def turn_to(page, text: str) -> None:
    """Turn the pages, by the key for that, until the pair with that text is there."""
    while page.get_by_text(text, exact=True).count() == 0:
        before = page.url
        page.keyboard.press("ArrowRight")
        page.wait_for_url(lambda url, before=before: url != before)


def test_a_pair_is_looked_at_merged_and_taken_apart_again(open_page, api, name):
    phone = "+380671900001"
    one = person(api, f"{name}-1", phone, firstName="Olha", lastName="Pair")
    other = person(api, f"{name}-2", phone, firstName="Olena", lastName="Pair")
    page = open_page("/admin/duplicates")
    turn_to(page, f"{name}-1")
    expect(page.get_by_text("Both have: Phone.")).to_be_visible()
    expect(page.locator("tr.differs", has_text="First name")).to_have_count(1)
    page.keyboard.press("m")
    page.wait_for_url("**/admin/merge**")
    expect(page.locator("#ask")).to_contain_text("becomes part of")
    expect(page.locator("#ask")).to_contain_text(f"{name}-1")
    assert api.get(f"/api/v1/contact/{other}").json()["id"] == other
    page.get_by_role("button", name="Merge").click()
    expect(page.get_by_text("Merged.")).to_be_visible()
    kept = int(page.url.rpartition("/")[2])
    assert {kept} < {one, other} | {kept}
    gone = other if kept == one else one
    assert api.get(f"/api/v1/contact/{gone}").json()["id"] == kept
    page.goto(f"/admin/contacts/{kept}/identity")
    page.get_by_role("link", name="Undo merge", exact=True).click()
    expect(page.locator("dialog")).to_contain_text(f"#{gone}")
    page.locator("dialog").get_by_role("button", name="Undo merge").click()
    expect(page.get_by_text("The merge was taken back.")).to_be_visible()
    assert api.get(f"/api/v1/contact/{gone}").json()["id"] == gone


def test_who_is_not_the_same_is_shown_no_more(open_page, api, name):
    phone = "+380671900002"
    one, other = person(api, f"{name}-1", phone), person(api, f"{name}-2", phone)
    page = open_page("/admin/duplicates")
    turn_to(page, f"{name}-1")
    page.keyboard.press("n")
    expect(page.get_by_text("They are kept apart from now on.")).to_be_visible()
    page.goto("/admin/duplicates")
    expect(page.get_by_text(f"{name}-1", exact=True)).to_have_count(0)
    # Taken back: they may be one person again.
    page.get_by_role("link", name="Told apart").click()
    row = page.locator("tr", has_text=f"{name}-1")
    expect(row).to_contain_text("said to be different people · admin")
    row.get_by_role("button", name="Take back").click()
    expect(page.get_by_text("the rules decide about them again")).to_be_visible()
    expect(page.locator("tr", has_text=f"{name}-1")).to_have_count(0)
    pairs = api.get("/api/v1/duplicates", params={"maxrows": 100}).json()
    assert {one, other} in [{pair["contactId"], pair["otherId"]} for pair in pairs]


def test_who_looks_alike_stands_side_by_side_with_the_score_by_field(
    open_page, api, admin_server, name
):
    for number, first in enumerate(("Zinoviy", "Zinovii")):
        person(
            api, f"{name}-{number}", f"+38067190010{number}", firstName=first, lastName="Zalizniak",
            address={"town": "Zhovkva", "address": "Lvivska 7"},
        )  # fmt: skip
    command(admin_server, "identity", "duplicates")
    page = open_page("/admin/duplicates?by=likeness")
    turn_to(page, f"{name}-0")
    expect(page.get_by_text(re.compile(r"\d+% likely one person"))).to_be_visible()
    expect(page.locator("tr.differs", has_text="First name").locator(".alike")).to_have_text("94%")
    expect(page.locator("tr", has_text="Last name").locator(".alike")).to_have_text("100%")
    expect(page.locator("tr", has_text="Town").locator(".alike")).to_have_text("100%")
    page.keyboard.press("n")
    expect(page.get_by_text("They are kept apart from now on.")).to_be_visible()


def state_of_search(api) -> dict[str, Any]:
    found: dict[str, Any] = api.get("/api/v1/duplicates/search").json()
    return found


def test_look_alikes_are_looked_for_when_somebody_asks(open_page, api, name):
    for number, first in enumerate(("Yevhenia", "Yevheniya")):
        person(
            api, f"{name}-{number}", f"+38067190020{number}", firstName=first, lastName="Kotsiubynska",
            address={"town": "Vinnytsia", "address": "Soborna 9"},
        )  # fmt: skip
    page = open_page("/admin/duplicates?by=likeness")
    before = state_of_search(api)
    page.get_by_role("button", name="Look now").click()
    eventually(
        lambda: (now := state_of_search(api)) != before and now["state"] == "finished",
    )
    search = page.locator("#look-alikes")
    # It says by itself how far it is, and then what was found; the pair on the page stays.
    link, button = search.get_by_role("link", name="Show what"), search.get_by_role("button")
    expect(link.or_(button)).to_be_visible()
    expect(search).to_contain_text(re.compile("looks? alike"))
    if link.count():
        link.click()
    expect(search.get_by_role("button", name="Look now")).to_be_visible()
    turn_to(page, f"{name}-0")
    page.keyboard.press("n")
    expect(page.get_by_text("They are kept apart from now on.")).to_be_visible()
    page.goto("/admin/settings/audit")
    expect(page.locator("tr", has_text="had look-alikes looked for").first).to_contain_text("admin")


@pytest.mark.parametrize(
    ("search", "percent"),
    [
        (Search(), 0),
        (Search(NOW), 0),
        (Search(NOW, NOW, None, "reading", 1, 4), 12),
        (Search(NOW, NOW, None, "reading", 0, 0), 0),
        (Search(NOW, NOW, None, "comparing", 8, 16), 75),
        (Search(NOW, NOW, NOW, "comparing", 16, 16), 100),
    ],
)
def test_reading_is_half_of_a_search(search, percent):
    assert percent_of(search) == percent


def test_a_merge_is_undone_from_the_history(open_page, api, name):
    keep = person(api, f"{name}-1", "+380671900021", firstName="Keep")
    absorb = person(api, f"{name}-2", "+380671900022", firstName="Absorb")
    api.post("/api/v1/merges", json={"keep": keep, "absorb": absorb}).raise_for_status()
    page = open_page(f"/admin/contacts/{keep}/identity")
    page.get_by_role("link", name=f"Undo merge of #{absorb}").click()
    dialog = page.locator("dialog")
    expect(dialog.locator("tr", has_text="First name")).to_contain_text("Absorb")
    dialog.get_by_role("button", name="Undo merge").click()
    expect(page.get_by_text("The merge was taken back.")).to_be_visible()
    page.goto(f"/admin/contacts/{keep}/identity")
    expect(page.get_by_role("link", name="Undo merge of")).to_have_count(0)


def test_two_cards_are_merged_from_the_card(open_page, api, name):
    keep = person(api, f"{name}-1", "+380671900003")
    absorb = person(api, f"{name}-2", "+380671900004")
    page = open_page(f"/admin/contacts/{keep}")
    page.get_by_label("More").click()
    page.get_by_role("link", name="Merge with").click()
    page.locator("dialog").get_by_role("textbox").fill("999999999")
    page.locator("dialog").get_by_role("button", name="Look at it").click()
    expect(page.get_by_role("alert")).to_contain_text("999999999")
    page.get_by_role("textbox", name="Number of the contact").fill(str(absorb))
    page.get_by_role("button", name="Look at it").click()
    expect(page.locator("#ask")).to_contain_text("Leaves the contact")
    expect(page.locator("tr", has_text="External ID").locator("td.after")).to_have_text(f"{name}-1")
    page.get_by_role("button", name="Merge").click()
    page.wait_for_url(f"**/admin/contacts/{keep}")
    assert api.get(f"/api/v1/contact/{absorb}").json()["id"] == keep


def test_a_quarantined_value_is_let_go_with_a_preview(open_page, api, name):
    token = {"type": "mobilepush", "value": f"shared:{name}"}
    for number in range(52):
        api.post(
            "/api/v1/contact", json={"externalCustomerId": f"{name}-{number}", "channels": [token]}
        )
    page = open_page("/admin/quarantine")
    row = page.locator("tr", has_text=f"shared:{name}")
    row.get_by_role("link", name="Let go").click()
    expect(page.locator("dialog")).to_contain_text("people have sent it")
    page.locator("dialog").get_by_role("textbox").fill("999999999")
    page.locator("dialog").get_by_role("button", name="Let go").click()
    expect(page.get_by_role("alert")).to_contain_text("No live contact has the id '999999999'")
    expect(page.locator("#ask")).to_contain_text("people have sent it")
    page.get_by_role("textbox", name="Contact number").fill("")
    page.get_by_role("button", name="Let go").click()
    expect(page.get_by_text("It names people again.")).to_be_visible()
    expect(page.locator("tr", has_text=f"shared:{name}")).to_have_count(0)
    page.goto("/admin/settings/audit")
    line = page.locator("tr", has_text="let a quarantined value go").first
    expect(line).to_contain_text("admin")
    expect(line).to_contain_text("mobile_token")
    assert f"shared:{name}" not in page.content()
