"""Part 7: segments, built click by click as guide G15 says."""

from __future__ import annotations

import json
import re

import httpx
import psycopg
import pytest
from playwright.sync_api import expect

from kartoteka.db.embedded import running_url
from tests.admin.conftest import LOGIN, PASSWORD, Visitor, eventually, shoot
from tests.admin.test_looks import _RUN as RUN_AXE
from tests.api.test_segments import COUNTING


def add(page, family: str, label: str, where: int = 0) -> None:
    """Add condition → family → label."""
    page.get_by_text("Add condition", exact=True).nth(where).click()
    menu = page.locator("details.menu[open]")
    menu.locator("summary", has_text=family).first.click()
    menu.get_by_role("button", name=label, exact=True).first.click()


def value_of(page):
    """Where the value of a condition is typed."""
    return page.get_by_label("Value", exact=True)


class Slow:
    """The builder's server, whose answers come when the test lets them."""

    def __init__(self, page) -> None:
        self.page = page
        self.asked: list = []
        self.is_slow = True
        page.route("**/admin/segments/build", self._ask)

    def _ask(self, route) -> None:
        if self.is_slow:
            self.asked.append(route)
        else:
            route.continue_()

    def answer(self, times: int = 1) -> None:
        """The next ones, whatever they are of; waits until they were asked for."""
        for _ in range(times):
            eventually(lambda: self.page.wait_for_timeout(10) or self.asked)
            self.asked.pop(0).continue_()

    def hurry(self) -> None:
        """No more waiting."""
        self.is_slow = False
        for route in self.asked:
            route.continue_()


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
    email = {"type": "email", "value": f"{name}@example.com"}
    body = {"firstName": "Sofia", "channels": [email]}
    contact_id = api.post("/api/v1/contact", json=body).json()["id"]
    page.reload()
    expect(page.locator(".figure b")).to_have_text(f"{before + 1:,}")
    api.put(f"/api/v1/contact/{contact_id}", json={"externalCustomerId": name})
    page.reload()
    expect(page.locator(".figure b")).to_have_text(f"{before:,}")
    assert api.get(f"/api/v1/group/{segment_id}/contacts").headers["TotalCount"] == str(before)
    expect(page.locator(".feed > li").first).to_contain_text("Sofia left")
    expect(
        page.get_by_role("img", name=re.compile(rf"From {before:,} .* to {before:,} "))
    ).to_be_visible()


def test_the_count_follows_while_one_types(open_page):
    page = open_page("/admin/segments/new")
    add(page, "Fields", "Last name")
    page.get_by_label("Operator").select_option(label="starts with")
    page.get_by_label("Value", exact=True).fill("Crowd00")
    expect(page.locator("#preview b").first).to_have_text("10")
    page.get_by_label("Value", exact=True).fill("Crowd001")
    expect(page.locator("#preview b").first).to_have_text("1")
    expect(page.locator("#preview")).to_contain_text("Olena Crowd001")


def test_groups_and_the_other_side(open_page, axe, name):
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
    page.evaluate(axe)
    assert page.evaluate(RUN_AXE) == []
    shoot(page, "segment-builder-1440")
    page.get_by_role("button", name="Done").click()
    expect(page.locator(".figure b")).to_have_text("63")
    page.get_by_role("link", name=re.compile("^Why is")).first.click()
    expect(page.locator("dialog")).to_contain_text("starts with")
    page.keyboard.press("Escape")
    # Duplicate, edit, keep as a list, delete.
    page.get_by_label("More").click()
    page.get_by_role("link", name="Duplicate", exact=True).click()
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


def test_what_is_typed_while_an_answer_is_under_way_stays(open_page):
    """Text, focus and caret, from the moment at which an operator is chosen."""
    page = open_page("/admin/segments/new")
    add(page, "Fields", "Last name")
    expect(page.get_by_label("Operator")).to_be_focused()
    expect(page.locator("#segment")).to_have_attribute("aria-busy", "false")
    slow = Slow(page)
    page.get_by_label("Operator").select_option(label="starts with")
    value_of(page).press_sequentially("Crwd")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    slow.answer()
    page.keyboard.type("o")
    expect(value_of(page)).to_be_focused()
    expect(value_of(page)).to_have_value("Crowd")
    slow.hurry()
    expect(page.locator("#preview")).to_contain_text('Last name starts with "Crowd"')
    expect(page.locator("#preview b").first).to_have_text("70")
    expect(value_of(page)).to_be_focused()


def test_clicks_and_words_come_in_any_order_and_all_of_them_count(open_page):
    """Three changes asked for before the first is answered, and words typed between them."""
    page = open_page("/admin/segments/new")
    add(page, "Fields", "First name")
    add(page, "Fields", "Last name")
    expect(page.locator(".condition")).to_have_count(2)
    slow = Slow(page)
    page.get_by_label("Remove this condition").first.click()
    value_of(page).last.fill("Crowd0")
    page.get_by_label("Operator").last.select_option(label="starts with")
    add(page, "Channels", "Mobile token")
    value_of(page).last.click()
    page.keyboard.press("End")
    page.keyboard.type("0")
    slow.answer(3)
    expect(page.locator(".condition .what")).to_have_text(["Last name", "Mobile token"])
    expect(value_of(page)).to_be_focused()
    expect(value_of(page)).to_have_value("Crowd00")
    page.get_by_role("button", name="Done").click()
    slow.hurry()
    expect(page.get_by_role("heading", name=re.compile("Crowd00"))).to_be_visible()


def test_done_waits_for_the_change_that_is_under_way(open_page, name):
    page = open_page("/admin/segments/new")
    add(page, "Fields", "First name")
    add(page, "Fields", "Last name")
    expect(page.locator(".condition")).to_have_count(2)
    value_of(page).last.fill(name)
    slow = Slow(page)
    page.get_by_label("Remove this condition").first.click()
    page.get_by_role("button", name="Done").click()
    slow.hurry()
    expect(page.get_by_role("heading", name=f'Last name is "{name}"')).to_be_visible()


def test_a_count_that_nobody_waits_for_is_called_off(owner, admin_server, name):
    """Held up by a lock, then nobody is there any more: the statement goes, no page is made of it."""
    url = running_url(admin_server.log.parent / "data")
    form = {"w.in.0.field": "lastName", "w.in.0.operator": "equals", "w.in.0.value": "Crowd001"}
    who = {"login": name, "password": f"{name} password"}
    owner.submit("/admin/settings/users", role="marketer", **who)
    users = owner.get("/admin/settings/users").text
    [user_id] = re.findall(rf'users/(\d+)"><bdi>{name}', users)

    def made() -> int:
        """Of the pages of nobody else."""
        *whole, _ = admin_server.log.read_text("utf-8").split("\n")
        lines = map(json.loads, whole)
        asked = ("/admin/segments/build", int(user_id))
        return [(one.get("page"), one.get("user_id")) for one in lines].count(asked)

    with (
        Visitor(base_url=admin_server.url) as marketer,
        psycopg.connect(url) as blocker,
        psycopg.connect(url, autocommit=True) as watcher,
    ):
        assert marketer.sign_in(**who).status_code == 303
        blocker.execute("lock table contact in access exclusive mode")
        with pytest.raises(httpx.ReadTimeout):
            marketer.post("/admin/segments/build", data={"csrf": marketer.csrf, **form}, timeout=1)
        eventually(lambda: watcher.execute(COUNTING).fetchone() == (0,))
        blocker.rollback()
        assert "1</b>" in marketer.submit("/admin/segments/build", **form).text
    eventually(lambda: made() > 0)
    assert made() == 1


def test_the_count_is_of_the_words_that_were_typed_last(open_page):
    page = open_page("/admin/segments/new")
    add(page, "Fields", "Last name")
    slow = Slow(page)
    value_of(page).fill("Crowd001")
    eventually(lambda: page.wait_for_timeout(10) or slow.asked)
    value_of(page).fill("Crowd002")
    slow.hurry()
    expect(page.locator("#preview")).to_contain_text("Crowd002")
    assert "Crowd001" not in page.locator("#preview").inner_text()


def test_versions_say_who_changed_what_and_come_back(open_page, owner, api, axe, name):
    form = {"w.in.0.field": "town", "w.in.0.operator": "equals", "w.in.0.value": name}
    owner.submit("/admin/segments/save", name=name, **form)
    (group,) = api.get("/api/v1/groups", params={"name": name}).json()
    condition = {"field": "firstName", "operator": "equals", "value": "Vera"}
    address = f"/api/v1/segments/{group['id']}"
    api.put(address, json={"condition": condition}).raise_for_status()
    api.put(address, json={"name": f"{name} 2"}).raise_for_status()  # no other conditions
    page = open_page(f"/admin/segments/{group['id']}")
    versions = page.locator("#versions li")
    expect(versions).to_have_count(2)
    expect(versions.first).to_contain_text('First name is "Vera"')
    expect(versions.first).to_contain_text("API key")
    expect(versions.last).to_contain_text(f'Town is "{name}"')
    expect(versions.last).to_contain_text("admin")
    page.evaluate(axe)
    assert page.evaluate(RUN_AXE) == []
    shoot(page, "segment-1440")
    versions.last.get_by_role("link", name="Restore version 1").click()
    expect(page.get_by_text("These are the conditions of version 1.")).to_be_visible()
    page.get_by_label("Operator").select_option(label="starts with")
    expect(page.get_by_text("These are the conditions of version 1.")).to_be_visible()
    page.get_by_label("Operator").select_option(label="is")
    page.get_by_role("button", name="Done").click()
    expect(versions).to_have_count(3)
    expect(versions.first).to_contain_text(f'Town is "{name}"')
    expect(page.get_by_role("heading", name=f"{name} 2")).to_be_visible()
    assert api.get(address).json()["condition"]["all"][0]["value"] == name
    # Who came and went is drawn.
    contact_id = api.post("/api/v1/contact", json={"externalCustomerId": name}).json()["id"]
    api.put(f"/api/v1/contact/{contact_id}", json={"address": {"town": name}})
    page.reload()
    expect(page.get_by_role("img", name=re.compile("From 0 on .* to 1 on"))).to_be_visible()


def test_a_system_is_told_about_a_segment_from_its_page(open_page, owner, admin_server, api, name):
    form = {"w.in.0.field": "lastName", "w.in.0.operator": "equals", "w.in.0.value": name}
    owner.submit("/admin/segments/save", name=name, **form)
    (group,) = api.get("/api/v1/groups", params={"name": name}).json()
    page = open_page(f"/admin/segments/{group['id']}")
    page.get_by_label("Tell another system").fill(f"https://{name}.example/hook")
    page.get_by_role("button", name="Add webhook").click()
    assert page.locator("#new-secret").inner_text().startswith("whsec_")
    page.goto(f"/admin/segments/{group['id']}")
    page.locator("#webhooks").get_by_role("link", name=f"{name}.example").click()
    (made,) = [one for one in api.get("/api/v1/webhooks").json() if name in one["url"]]
    assert made["segments"] == [group["id"]]
    assert set(made["events"]) == {"segment.entered", "segment.left"}
    # Addresses may hold secrets: they are the owner's to see.
    who = {"login": f"{name}-m", "password": f"{name} password"}
    owner.submit("/admin/settings/users", role="marketer", **who)
    with Visitor(base_url=admin_server.url, timeout=60) as marketer:
        assert marketer.sign_in(**who).status_code == 303
        text = marketer.get(f"/admin/segments/{group['id']}").text
    assert name in text
    assert f"{name}.example" not in text
    api.delete(f"/api/v1/webhooks/{made['id']}").raise_for_status()


def test_what_is_not_complete_is_said(open_page):
    page = open_page("/admin/segments/new")
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_role("alert")).to_have_text("Add a condition first: it says who is in it.")
    add(page, "Fields", "First name")
    expect(page.locator("#preview")).to_contain_text("First name still needs a value.")
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_role("alert")).to_have_text("First name still needs a value.")
    page.route("**/admin/segments/build", lambda route: route.abort())
    value_of(page).fill("Ann")
    expect(page.locator("#preview")).to_contain_text("What you entered is kept")
    page.unroute("**/admin/segments/build")
    page.get_by_label("Operator").select_option(label="contains")
    expect(page.locator("#preview")).to_contain_text('First name contains "Ann"')


def test_it_works_without_a_script(open_page, name):
    page = open_page("/admin/segments/new", script=False)
    page.get_by_text("Add condition", exact=True).first.click()
    page.locator("details.menu[open] summary", has_text="Fields").first.click()
    page.get_by_role("button", name="Last name", exact=True).first.click()
    page.get_by_label("Operator").select_option(label="starts with")
    value_of(page).fill("Crowd00")
    page.get_by_role("button", name="Count").click()
    assert page.locator("#preview b").first.inner_text() == "10"
    page.get_by_role("button", name="Add group").first.click()
    page.get_by_label("Remove this group").first.click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Done").click()
    assert page.get_by_role("heading", name=name).is_visible()
    assert page.locator(".figure b").inner_text() == "10"


def test_the_card_names_its_segments_and_why(open_page, owner, axe, name):
    form = {"w.in.0.field": "lastName", "w.in.0.operator": "equals", "w.in.0.value": "Lee"}
    saved = owner.submit("/admin/segments/save", name=name, **form)
    assert saved.status_code == 303, saved.text
    page = open_page("/admin/contacts/1")
    panel = page.locator(".panel", has_text="Lists and segments")
    expect(panel).to_contain_text(name)
    page.evaluate(axe)
    assert page.evaluate(RUN_AXE) == []
    panel.locator("div", has_text=name).get_by_role("link", name="Why?").first.click()
    expect(page.locator("dialog")).to_contain_text('Last name is "Lee"')


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", '" onfocus="alert(1)'])
def test_names_of_segments_stay_text(open_page, owner, hostile):
    form = {"w.in.0.field": "lastName", "w.in.0.operator": "equals", "w.in.0.value": hostile}
    owner.submit("/admin/segments/save", name=hostile, **form)
    page = open_page("/admin/segments")
    assert page.locator("script:not([src])").count() == 0
    page.get_by_role("link", name=hostile).first.click()
    assert page.locator("script:not([src])").count() == 0


def test_a_session_that_ends_meanwhile_takes_nothing_that_was_entered(open_page, api, name):
    page = open_page("/admin/sign-in?next=/admin/segments/new", signed_in=False)
    sign_in(page)
    page.wait_for_url("**/admin/segments/new")
    page.locator("#f-name").fill(name)
    add(page, "Fields", "First name")
    value_of(page).fill("Olena")
    expect(page.locator("#preview .figure")).to_be_visible()
    other = page.context.new_page()
    other.goto("/admin/account")
    other.get_by_role("button", name="Sign out").click()
    expect(other.get_by_label("Login")).to_be_visible()
    other.close()
    page.bring_to_front()  # a page behind others draws no frame, and nothing can be typed into it
    ended = page.get_by_role("alert").filter(has_text="Your session has ended")
    value_of(page).fill("Olenk")
    expect(ended).to_be_visible()
    page.get_by_role("button", name="Done").click()
    expect(value_of(page)).to_have_value("Olenk")
    shoot(page, "session-ended-1440")
    with page.expect_popup() as opened:
        ended.get_by_role("link", name="Sign in").click()
    sign_in(opened.value)
    opened.value.wait_for_url("**/admin")
    opened.value.close()
    page.bring_to_front()
    # It goes on where it stopped, with the new session's token.
    add(page, "Fields", "Last name")
    expect(value_of(page)).to_have_count(2)
    expect(ended).to_be_hidden()
    page.get_by_role("button", name="Remove this condition").last.click()
    expect(value_of(page)).to_have_count(1)
    page.get_by_role("button", name="Done").click()
    page.wait_for_url(re.compile(r"/admin/segments/\d+$"))
    made = api.get(f"/api/v1/segments/{page.url.rpartition('/')[2]}").json()
    assert made["name"] == name
    assert made["description"] == 'First name is "Olenk"'


def sign_in(page) -> None:
    page.get_by_label("Login").fill(LOGIN)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
