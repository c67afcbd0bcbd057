"""Part 7: exports, from the choice of a target to a run that failed and why."""

from __future__ import annotations

from playwright.sync_api import expect


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


def test_a_target_that_does_not_answer_is_said_in_words(open_page, name):
    page = open_page("/admin/exports/new?target=postgres")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Connection string").fill("nonsense")
    page.get_by_role("button", name="Create export").click()
    expect(page.get_by_role("alert")).to_contain_text("settings.url")
    page.get_by_label("Connection string").fill("postgresql://u:secret-word@127.0.0.1:9/shop")
    page.get_by_role("button", name="Test the connection").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_role("button", name="Create export").click()
    expect(page.locator("#runs")).to_contain_text("Nobody listens", timeout=120_000)
    page.get_by_label("More").click()
    page.get_by_role("link", name="Edit").click()
    assert "secret-word" not in page.content()
    page.get_by_label("How often").fill("1d")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".page-head")).to_contain_text("every 1d")
