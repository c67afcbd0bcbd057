"""Part 7: every page looked at by axe-core and kept as a picture, in light and dark, on a phone too."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import expect

from tests.admin.conftest import ARABIC, shoot
from tests.conftest import Server

LONG = "Featherstonehaugh-Cholmondeley-" * 3

PAGES = {
    "home": "/admin",
    "contacts": "/admin/contacts",
    "contacts-none": "/admin/contacts?q=nobody",
    "contact-new": "/admin/contacts/new",
    "card": "/admin/contacts/1",
    "card-identity": "/admin/contacts/1/identity",
    "card-edit": "/admin/contacts/1/edit/identifiers",
    "card-erase": "/admin/contacts/1/erase",
    "imports": "/admin/imports",
    "import": "/admin/imports/1",
    "segments": "/admin/segments",
    "segment-new": "/admin/segments/new",
    "duplicates": "/admin/duplicates",
    "duplicates-alike": "/admin/duplicates?by=likeness",
    "duplicates-apart": "/admin/duplicates/apart",
    "quarantine": "/admin/quarantine",
    "merge": "/admin/merge?keep=1",
    "exports": "/admin/exports",
    "export-new": "/admin/exports/new",
    "export-form": "/admin/exports/new?target=postgres",
    "simulator": "/admin/simulator",
    "settings-keys": "/admin/settings/keys",
    "settings-fields": "/admin/settings/fields",
    "settings-field": "/admin/settings/fields/new",
    "settings-categories": "/admin/settings/categories",
    "settings-websites": "/admin/settings/websites",
    "settings-webhooks": "/admin/settings/webhooks",
    "settings-apps": "/admin/settings/apps",
    "settings-event-types": "/admin/settings/event-types",
    "settings-account": "/admin/settings/account",
    "settings-users": "/admin/settings/users",
    "settings-user": "/admin/settings/users/1",
    "settings-audit": "/admin/settings/audit",
    "account": "/admin/account",
    "shortcuts": "/admin/shortcuts",
    "styleguide": "/admin/styleguide",
    "not-found": "/admin/nowhere",
    "figures": "/admin/figures",
    "export": "/admin/exports/{export}",
    "export-edit": "/admin/exports/{export}/edit",
    "export-delete": "/admin/exports/{export}/delete",
    "settings-app-delete": "/admin/settings/apps/looks/delete",
    "settings-user-delete": "/admin/settings/users/1/delete",
}
_RUN = """rules => axe.run(document, {resultTypes: ["violations"], runOnly: rules || undefined})
    .then(found => found.violations.map(one =>
        one.id + ": " + one.nodes.slice(0, 3).map(node => node.html.slice(0, 160)).join(" | ")))"""
NARROW = ["scrollable-region-focusable", "label"]
"""What a narrow window can break."""


@pytest.fixture(scope="module")
def pages(admin_server: Server) -> dict[str, str]:
    """Every page by its name, with an export that fails and an application."""
    with httpx.Client(base_url=admin_server.url, auth=("", admin_server.key), timeout=60) as api:
        settings = {"url": "postgresql://u:secret-word@127.0.0.1:9/looks"}
        body = {"name": ARABIC, "target": "postgres", "settings": settings}
        export = api.post("/api/v1/exports", json=body).raise_for_status().json()["id"]
        api.post("/api/v1/apps", json={"name": LONG, "id": "looks"}).raise_for_status()
        api.post("/api/v1/site/domains", json={"domain": "looks.example"})
    return {name: path.format(export=export) for name, path in PAGES.items()}


_QUIET = """() => !document.querySelector(
    ".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added, #figures:not([data-live])")"""
"""Whether all that a page loads by itself is there."""


@pytest.mark.parametrize(("theme", "narrow"), [("light", 1024), ("dark", 390)])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(
    open_page, axe, theme, narrow, pages
):
    page = open_page("/admin", theme=theme)
    for name, path in pages.items():
        page.set_viewport_size({"width": 1440, "height": 900})
        page.goto(path)
        page.wait_for_function(_QUIET)
        page.evaluate(axe)
        assert page.evaluate(_RUN) == [], name
        shoot(page, f"{name}-1440-{theme}")
        for width in (1440, narrow):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert page.evaluate(_RUN, NARROW) == [], name
        shoot(page, f"{name}-{narrow}")


def test_axe_finds_nothing_at_the_sign_in(open_page, axe):
    page = open_page("/admin/sign-in", signed_in=False)
    page.evaluate(axe)
    assert page.evaluate(_RUN) == []
    shoot(page, "sign-in-1440-light")


def test_a_row_of_a_table_is_read_whole_on_a_phone(open_page, pages):
    """No column hides beyond the edge: every cell stands below the name, with its heading."""
    page = open_page(pages["imports"], width=390)
    row = page.locator(".stacks tbody tr").first
    boxes = row.locator("td:visible").evaluate_all(
        "cells => cells.map(one => one.getBoundingClientRect()).map(box => [box.left, box.right])"
    )
    assert len(boxes) >= 4
    assert all(0 <= left <= right <= 390 for left, right in boxes)
    heading = "one => getComputedStyle(one, '::before').content"
    assert "State" in row.locator("td[data-label]").first.evaluate(heading)


def test_the_menu_opens_on_a_phone(open_page):
    page = open_page("/admin", width=390)
    expect(page.get_by_role("link", name="Contacts", exact=True)).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Contacts", exact=True).click()
    page.wait_for_url("**/admin/contacts")


def test_long_and_arabic_names_keep_their_place(open_page, api):
    (arabic,) = api.get("/api/v1/contacts", params={"externalCustomerId": "ar-1"}).json()
    page = open_page(f"/admin/contacts/{arabic['id']}", width=390)
    expect(page.get_by_role("heading", name=ARABIC)).to_be_visible()
    shoot(page, "card-arabic-390")
    page.goto("/admin/contacts?q=bbbb")
    shoot(page, "contacts-long-390")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_empty_pages_say_what_they_are_for(open_page, admin_server, name):
    from tests.admin.command import command
    from tests.admin.conftest import LOGIN, PASSWORD

    command(admin_server, "accounts", "create", name)
    command(admin_server, "users", "share", LOGIN, "--to", name)
    page = open_page("/admin/sign-in", signed_in=False)
    page.fill("#f-login", LOGIN)
    page.fill("#f-password", PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.goto("/admin/account")
    row = page.locator("form", has_text=name)
    row.get_by_role("button", name="Switch").click()
    expect(page.get_by_role("heading", name="First steps")).to_be_visible()
    for path in (
        "contacts",
        "segments",
        "imports",
        "exports",
        "settings/webhooks",
        "settings/apps",
    ):
        page.goto(f"/admin/{path}")
        expect(page.locator(".empty")).to_be_visible()
        shoot(page, f"{path.replace('/', '-')}-empty-1440")


def test_while_it_loads_the_page_says_so(open_page):
    page = open_page("/admin", script=False)
    assert page.locator(".skeleton").count() == 8
    shoot(page, "home-loading-1440")
