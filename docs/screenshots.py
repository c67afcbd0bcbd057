"""`make screenshots`: the pictures of README and docs, taken of the real pages with the demo data.

A server of its own on a temporary folder, the CDNOW customers, one person with a story, chromium.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

IMAGES = Path(__file__).with_name("images")
PASSWORD, KEY = "a password for pictures", "kk_screenshots_0123456789abcdefghij"
CUSTOMERS = "400"
SHOTS = {
    "home": "/admin",
    "contacts": "/admin/contacts",
    "card": "/admin/contacts/{ann}",
    "identity": "/admin/contacts/{ann}/identity",
    "segment": "/admin/segments/{segment}/edit",
    "import": "/admin/imports",
    "duplicates": "/admin/duplicates",
    "simulator": "/admin/simulator",
}
IN_DARK = ("home", "card")
"""What README shows by the reader's theme."""
ON_A_PHONE = ("card",)
SHARED = "family@example.com"
FILE = """\
External ID;Name;Surname;E-mail;Birthday
shop-20001;Olena;Shevchenko;olena@example.com;1990-01-31
shop-20002;Ivan;Franko;ivan at example.com;1986-08-27
;Lesya;Kosach;lesya@example.com;1991-02-30
shop-20004;شريف;عبد الرحمن;sharif@example.com;1978-03-09
"""


def main() -> None:
    """Take them all, in light and dark."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, _server(Path(folder)) as url:
        ids = _fill(url, Path(folder))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path="/usr/bin/chromium", args=["--no-sandbox"]
            )
            pages = {name: url + path.format(**ids) for name, path in SHOTS.items()}
            for kind, names in (("light", SHOTS), ("dark", IN_DARK), ("phone", ON_A_PHONE)):
                page = _signed_in(browser, url, kind)
                for name in names:
                    _take(page, pages[name], IMAGES / f"{name}-{kind}.png", name)
            browser.close()


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    given = {
        "KARTOTEKA_DATA_DIR": str(folder / "data"),
        "KARTOTEKA_PORT": "0",
        "KARTOTEKA_API_KEY": KEY,
        "KARTOTEKA_ADMIN_PASSWORD": PASSWORD,
    }
    command = [str(Path(sys.executable).with_name("kartoteka")), "serve"]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            command, env=os.environ | given, stdout=subprocess.PIPE, stderr=log, text=True
        )
    assert server.stdout is not None
    try:
        for line in server.stdout:
            if "is ready: " in line:
                yield line.rpartition(" ")[2].strip()
                return
        raise SystemExit((folder / "log").read_text())
    finally:
        server.terminate()
        server.wait(60)


def _fill(url: str, folder: Path) -> dict[str, Any]:
    """The demo's customers, and Ann, who came by an app, a browser and a form."""
    command = str(Path(sys.executable).with_name("kartoteka"))
    environment = os.environ | {"KARTOTEKA_DATA_DIR": str(folder / "data")}
    demo = [command, "demo", "--customers", CUSTOMERS, "--base-url", url, "--api-key", KEY]
    subprocess.run(demo, env=environment, check=True)
    with httpx.Client(base_url=url, auth=("", KEY), timeout=60) as client:
        token = {"type": "mobilepush", "value": "fcm:dQw4w9WgXcQ"}
        email = {"type": "email", "value": "ann@shop.example"}
        ann = 0
        for body in (
            {"channels": [token], "deviceId": "ios-6E3F"},
            {"channels": [{"type": "webpush", "value": "push:8f3a91"}]},
            {"externalCustomerId": "shop-10482", "firstName": "Ann", "lastName": "Lee",
             "channels": [token, email], "deviceId": "ios-6E3F", "languageCode": "en"},
            {"channels": [{"type": "email", "value": "ann.lee@example.com"}]},
            {"externalCustomerId": "shop-10482", "webId": "v-19af03c2",
             "channels": [{"type": "sms", "value": "+380671234567"},
                          {"type": "webpush", "value": "push:8f3a91"}]},
            {"externalCustomerId": "shop-10482", "address": {"town": "Lviv"},
             "channels": [{"type": "email", "value": "ann.lee@example.com"}]},
        ):  # fmt: skip
            ann = client.post("/api/v1/contact", json=body).raise_for_status().json()["id"]
            time.sleep(1.1)
        for reader in ("olha", "petro", "nina"):
            body = {"channels": [{"type": "email", "value": f"{reader}@example.com"}]}
            client.post("/api/v1/contact", json=body).raise_for_status()
        for first, number in (("Mark", "1"), ("Nina", "2")):
            body = {"externalCustomerId": f"home-{number}", "firstName": first, "lastName": "Petrenko",
                    "channels": [{"type": "email", "value": SHARED}]}  # fmt: skip
            client.post("/api/v1/contact", json=body).raise_for_status()
        _activity(client)
        nameless = {"all": [{"field": "externalCustomerId", "operator": "is_empty"}]}
        segment = client.post(
            "/api/v1/segments", json={"name": "Without External ID", "condition": nameless}
        )
        return {"ann": ann, "segment": segment.raise_for_status().json()["id"]}


def _activity(client: httpx.Client) -> None:
    """What the first page tells of: events of today, a copy that is current and one that is not."""
    for n in range(1, 38):
        _event(client, "productViewed", f"{n:05}", product=f"Album {n}")
    _event(client, "productViewed", "shop-10482", product="Blue Train")
    _event(client, "cartUpdated", "shop-10482", product="Blue Train", total="19.90")
    for name, target, settings in (
        ("Nightly files", "files", {"format": "csv", "folder": "nightly"}),
        ("Warehouse", "postgres", {"url": "postgresql://shop@127.0.0.1:9/warehouse"}),
    ):
        body = {"name": name, "target": target, "settings": settings}
        made = client.post("/api/v1/exports", json=body).raise_for_status().json()
        runs = f"/api/v1/exports/{made['id']}/runs"
        while not any(run["finishedAt"] for run in client.get(runs).raise_for_status().json()):
            time.sleep(0.3)


def _event(client: httpx.Client, key: str, external_id: str, **more: str) -> None:
    said = {"externalCustomerId": external_id, **more}
    params = [{"name": name, "value": value} for name, value in said.items()]
    event = {"eventTypeKey": key, "keyValue": external_id, "params": params}
    client.post("/api/v2/event", json=event).raise_for_status()


def _signed_in(browser: Browser, url: str, kind: str) -> Page:
    context = browser.new_context(
        viewport={"width": 390, "height": 844}
        if kind == "phone"
        else {"width": 1280, "height": 800},
        color_scheme="dark" if kind == "dark" else "light",
        device_scale_factor=1,
    )
    page = context.new_page()
    page.goto(f"{url}/admin/sign-in")
    page.fill("#f-login", "admin")
    page.fill("#f-password", PASSWORD)
    page.click("button.primary")
    page.wait_for_url("**/admin")
    return page


def _take(page: Page, address: str, path: Path, name: str) -> None:
    page.goto(address)
    if name == "home":
        page.locator("#figures .only-wide .curve").wait_for()
    if name == "import":
        file = {"name": "customers.csv", "mimeType": "text/csv", "buffer": FILE.encode()}
        page.set_input_files("#file", file)
        page.locator("td.red").first.wait_for()
        page.locator("td.red").first.scroll_into_view_if_needed()
    if name == "simulator":
        page.get_by_label("E-mail").fill("ann.lee@example.com")
        page.get_by_label("Mobile push token").fill("fcm:dQw4w9WgXcQ")
        page.locator("#outcome svg.picture").wait_for()
    page.wait_for_load_state("networkidle")
    page.screenshot(path=path)


if __name__ == "__main__":
    main()
