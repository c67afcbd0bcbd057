"""Part 7: a file on its way from the drop zone to the statement."""

from __future__ import annotations

import csv
import io
import re

import pytest
from playwright.sync_api import expect

from tests.admin.conftest import eventually, shoot
from tests.api.test_imports import held

PEOPLE = """External ID;Email;Phone;First name;Birthday;Comment
{0}-1;{0}1@example.com;0671234501;Olha;1990-01-31;x
{0}-2;not an address;0671234502;Ivan;1991-02-30;y
;{0}3@example.com;0671234503;Petro;1992-03-01;
{0}-4;{0}4@example.com;;شريف;;hello
"""


_FILE = """([name, text]) => {
    const carried = new DataTransfer();
    carried.items.add(new File([text], name, {type: "text/csv"}));
    return carried;
}"""


def drop(page, name: str, content: str) -> None:
    """The file is dragged over the zone and falls into it."""
    carried = page.evaluate_handle(_FILE, [f"{name}.csv", content])
    page.dispatch_event("[data-drop]", "dragover", {"dataTransfer": carried})
    expect(page.locator("[data-drop]")).to_have_class(re.compile(r"\bover\b"))
    page.dispatch_event("[data-drop]", "drop", {"dataTransfer": carried})
    page.wait_for_url("**/imports/file/**")


def test_a_file_is_mapped_put_right_and_carried_out(open_page, api, name):
    page = open_page("/admin/imports")
    drop(page, name, PEOPLE.format(name))
    mapping = page.locator("table").first
    expect(mapping).to_contain_text("Recognised")
    expect(mapping).to_contain_text("Finds the contact")
    expect(page.locator("td.red")).to_have_count(1)
    expect(page.locator("td.orange")).to_have_count(2)
    shoot(page, "import-preview-1440")
    page.fill("input[name='fix.2.1']", f"{name}2@example.com")
    page.keyboard.press("Tab")
    # What was put right loses its colour, and whoever goes on typing is not disturbed.
    expect(page.locator("td.orange")).to_have_count(1)
    expect(page.locator("input[name='fix.2.4']")).to_be_focused()
    page.fill("input[name='fix.2.4']", "1991-02-28")
    page.fill("input[name='fix.3.0']", f"{name}-3")
    page.keyboard.press("Tab")
    expect(page.locator("td.red, td.orange")).to_have_count(0)
    expect(page.get_by_text("4 fine")).to_be_visible()
    page.get_by_role("button", name="Import", exact=True).click()
    page.wait_for_url(re.compile(r"/admin/imports/\d+$"))
    expect(page.locator("#import")).to_contain_text("Finished", timeout=120_000)
    expect(page.locator("#import")).to_contain_text("Created 4")
    (ivan,) = api.get("/api/v1/contacts", params={"externalCustomerId": f"{name}-2"}).json()
    assert {"type": "email", "value": f"{name}2@example.com"} in ivan["channels"]
    assert api.get("/api/v1/contacts", params={"externalCustomerId": f"{name}-3"}).json()


def test_the_preview_fits_a_phone(open_page, name):
    page = open_page("/admin/imports", width=390)
    drop(page, name, PEOPLE.format(name))
    expect(page.locator("td.red")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    shoot(page, "import-preview-390")


def test_the_mapping_can_be_changed_and_what_does_not_fit_is_said(open_page, name):
    page = open_page("/admin/imports")
    drop(page, name, "a,b\nann@x.example,Ann\n")
    expect(page.get_by_role("alert")).to_contain_text("No column can name a contact")
    expect(page.get_by_role("button", name="Import", exact=True)).to_be_disabled()
    page.locator("#map-0").select_option("email")
    expect(page.get_by_role("button", name="Import", exact=True)).to_be_enabled()
    page.locator("#map-1").select_option("firstName")
    expect(page.get_by_text("1 fine")).to_be_visible()


def test_a_dry_run_writes_nothing_and_the_file_waits_for_the_real_one(open_page, api, name):
    page = open_page("/admin/imports")
    drop(page, name, f"External ID,First name\n{name},Dry\n")
    waiting = page.url
    page.get_by_role("button", name="Dry run").click()
    expect(page.locator("#import")).to_contain_text("nothing was written")
    expect(page.locator("#import")).to_contain_text("Created 1", timeout=120_000)
    assert not api.get("/api/v1/contacts", params={"externalCustomerId": name}).json()
    page.goto(waiting)
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator("#import")).to_contain_text("Finished", timeout=120_000)
    assert api.get("/api/v1/contacts", params={"externalCustomerId": name}).json()


def test_the_statement_is_filtered_and_downloaded(owner, open_page, name):
    page = open_page("/admin/imports")
    drop(page, name, PEOPLE.format(name))
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator("#import")).to_contain_text("Finished", timeout=120_000)
    page.get_by_role("link", name="Failed").click()
    page.wait_for_url("**outcome=failed")
    rows = page.locator("#import tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("no External ID")
    path = page.get_by_role("link", name="Download CSV").get_attribute("href")
    (row,) = csv.DictReader(io.StringIO(owner.get(path).content.decode("utf-8-sig")))
    assert row["outcome"] == "failed"


def test_progress_survives_a_reload_pauses_and_goes_on(open_page, owner, api, admin_server, name):
    """It comes to a row that somebody keeps locked, so that it is not over meanwhile."""
    locked = api.post("/api/v1/contact", json={"externalCustomerId": f"{name}-2500"}).json()["id"]
    page = open_page("/admin/imports")
    rows = "".join(f"{name}-{n},Bulk\n" for n in range(5_000))
    drop(page, name, f"External ID,First name\n{rows}")
    with held(admin_server, locked):
        page.get_by_role("button", name="Import", exact=True).click()
        page.wait_for_url(re.compile(r"/admin/imports/\d+$"))
        expect(page.get_by_text("You may leave this page: the import goes on")).to_be_visible()
        shoot(page, "import-running-1440")
        page.get_by_role("button", name="Pause").click()
        expect(page.locator("#import .badge").first).to_contain_text("Paused")
        page.reload()
        expect(page.locator("#import .badge").first).to_contain_text("Paused")
        page.get_by_role("button", name="Resume").click()
        expect(page.locator("#import .badge").first).to_contain_text(re.compile("Waiting|Running"))
        page.get_by_role("button", name="Cancel").click()
        expect(page.locator("#import .badge").first).to_contain_text("Cancelled")
    log = owner.get("/admin/settings/audit").text
    assert all(f"{word} import" in log for word in ("started", "paused", "resumed", "cancelled"))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"", "The file is empty"), (b"\x7fELF" + bytes(range(256)) * 20, "file")],
    ids=["empty", "a program"],
)
def test_a_file_that_is_no_table_is_refused_in_words(owner, content, sentence):
    answer = owner.post(
        "/admin/imports/upload",
        data={"csrf": owner.csrf},
        files={"file": ("people.csv", content, "text/csv")},
    )
    assert answer.status_code in (303, 400)
    if answer.status_code == 400:
        assert sentence in answer.text


def test_an_upload_without_the_token_leaves_nothing_behind(owner, admin_server):
    folder = admin_server.log.parent / "data" / "imports"
    before = set(folder.glob("*")) if folder.exists() else set()
    answer = owner.post(
        "/admin/imports/upload", files={"file": ("x.csv", b"a,b\n1,2\n", "text/csv")}
    )
    assert answer.status_code == 403
    eventually(lambda: set(folder.glob("*")) <= before)


def test_it_works_without_a_script(open_page, api, name):
    page = open_page("/admin/imports", script=False)
    file = {"name": "p.csv", "mimeType": "text/csv", "buffer": f"a,b\n{name},x\n".encode()}
    page.set_input_files("#file", file)
    page.get_by_role("button", name="Look into it").click()
    page.locator("#map-0").select_option("externalCustomerId")
    page.get_by_role("button", name="Look again").click()
    page.get_by_role("button", name="Import", exact=True).click()
    page.wait_for_url(re.compile(r"/admin/imports/\d+$"))
    eventually(lambda: api.get("/api/v1/contacts", params={"externalCustomerId": name}).json())
