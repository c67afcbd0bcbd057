"""Part 7: exports, from the choice of a target to a run that failed and why."""

from __future__ import annotations

from pathlib import Path

import certifi
from playwright.sync_api import expect

from tests.admin.conftest import shoot


def test_files_are_exported_and_the_run_is_told(open_page, name):
    page = open_page("/admin/exports/new")
    page.get_by_role("link", name="Parquet or CSV files").click()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Format").select_option("csv")
    page.get_by_label("Folder under").fill(name)
    page.get_by_role("button", name="Test the connection").click()
    expect(page.get_by_text("It can be written to.")).to_be_visible()
    page.get_by_role("button", name="Create export").click()
    expect(page.locator("#runs")).to_contain_text("Finished", timeout=120_000)
    page.get_by_role("button", name="Run now").click()
    expect(page.locator("#runs tbody tr")).to_have_count(2)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".page-head")).to_contain_text("paused")
    page.get_by_role("button", name="Resume").click()
    page.get_by_label("More").click()
    page.get_by_role("link", name="Delete export").click()
    expect(page.locator("dialog")).to_contain_text("stay where they are")
    page.locator("dialog").get_by_role("button", name="Delete export").click()
    expect(page.get_by_text("Export deleted.")).to_be_visible()


def test_the_form_says_what_is_wrong_while_it_is_filled_in(open_page, name, api):
    taken = {
        "name": f"{name}-there",
        "target": "files",
        "settings": {"format": "csv", "folder": name},
    }
    api.post("/api/v1/exports", json=taken).raise_for_status()
    page = open_page("/admin/exports/new?target=postgres")
    address = page.get_by_label("Connection string")
    address.press_sequentially("nonsense", delay=20)
    expect(page.locator("[id='d-settings.url']")).to_contain_text(
        "Connection string is no connection"
    )
    # What is typed, and where, stays.
    assert address.input_value() == "nonsense"
    assert address.evaluate("one => one === document.activeElement")
    expect(address).to_have_attribute("aria-invalid", "true")
    address.fill("postgresql://u:secret-word@db.shop.example/shop")
    expect(page.locator("[id='d-settings.url']")).to_have_count(0)
    page.get_by_label("Name").fill(f"{name}-there")
    expect(page.locator("#d-name")).to_contain_text("an export of that name already")
    page.get_by_label("Name").fill(name)
    expect(page.locator("#d-name")).to_have_count(0)
    page.get_by_label("How often").fill("now and then")
    expect(page.locator("#d-interval")).to_contain_text("must be from 1m to 366d")
    for one in page.locator("input[name=dataset]").all():
        one.uncheck()
    expect(page.locator("#d-dataset")).to_have_text("Choose at least one data set.")
    shoot(page, "export-form-errors-1440")
    assert "secret-word" not in page.content()


def test_a_target_that_does_not_answer_is_said_in_words(open_page, name):
    page = open_page("/admin/exports/new?target=postgres")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Connection string").fill("nonsense")
    page.get_by_role("button", name="Create export").click()
    expect(page.get_by_role("alert")).to_contain_text("Connection string is no connection string")
    page.get_by_label("Connection string").fill(f"postgresql://u:secret-word@127.0.0.1:9/{name}")
    page.get_by_role("button", name="Test the connection").click()
    expect(page.get_by_role("alert")).to_contain_text("Nobody listens")
    page.get_by_role("button", name="Create export").click()
    runs = page.locator("#runs")
    expect(runs).to_contain_text("Nobody listens", timeout=120_000)
    expect(runs.get_by_role("alert")).to_contain_text("Check that host and port are right")
    shoot(page, "export-failed-1440")


def test_settings_that_stay_blank_stay_as_they_are(open_page, name):
    page = open_page("/admin/exports/new?target=postgres")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Connection string").fill(f"postgresql://u:secret-word@127.0.0.1:9/{name}")
    page.get_by_label("Schema").fill("one")
    page.get_by_role("button", name="Create export").click()
    expect(page.locator("#runs")).to_contain_text("Nobody listens", timeout=120_000)
    page.get_by_label("More").click()
    page.get_by_role("link", name="Edit").click()
    assert "secret-word" not in page.content()
    assert page.get_by_label("Schema").input_value() == "one"
    page.get_by_label("Schema").fill("two")
    page.get_by_label("How often").fill("1d")
    page.get_by_role("button", name="Test the connection").click()
    # The connection string is still known: without it nobody could be asked.
    expect(page.get_by_role("alert")).to_contain_text("Nobody listens")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".page-head")).to_contain_text("every day")
    expect(page.locator("#content")).to_contain_text("two")
    expect(page.locator("#content")).to_contain_text("127.0.0.1")
    assert "secret-word" not in page.content()


def test_a_root_certificate_is_taken_off(open_page, name, api):
    end = "-----END CERTIFICATE-----\n"
    authority = Path(certifi.where()).read_text("ascii").partition(end)[0] + end
    settings = {
        "url": "postgresql://u:secret-word@127.0.0.1:9/shop",
        "rootCertificate": authority[authority.index("-----BEGIN") :],
    }
    body = {"name": name, "target": "postgres", "settings": settings, "paused": True}
    made = api.post("/api/v1/exports", json=body).raise_for_status().json()
    address = f"/api/v1/exports/{made['id']}"
    page = open_page(f"/admin/exports/{made['id']}/edit")
    page.get_by_role("button", name="Save").click()  # left alone it stays
    expect(page.get_by_text("Export saved.")).to_be_visible()
    assert api.get(address).json()["settings"]["rootCertificate"] is True
    page.goto(f"/admin/exports/{made['id']}/edit")
    page.get_by_label("Take the root certificate off").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Export saved.")).to_be_visible()
    now = api.get(address).json()["settings"]
    assert (now["rootCertificate"], now["user"], now["sslmode"]) == (False, "u", "verify-full")
    page.goto(f"/admin/exports/{made['id']}/edit")
    expect(page.get_by_label("Take the root certificate off")).to_have_count(0)
