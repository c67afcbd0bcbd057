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
    "contacts": "/admin/contacts",
    "card": "/admin/contacts/{ann}",
    "identity": "/admin/contacts/{ann}/identity",
    "segment": "/admin/segments/{segment}/edit",
    "simulator": "/admin/simulator",
}


def main() -> None:
    """Take them all, in light and dark."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, _server(Path(folder)) as url:
        ids = _fill(url, Path(folder))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path="/usr/bin/chromium", args=["--no-sandbox"]
            )
            for theme in ("light", "dark"):
                page = _signed_in(browser, url, theme)
                for name, path in SHOTS.items():
                    _take(page, url + path.format(**ids), IMAGES / f"{name}-{theme}.png", name)
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
        nameless = {"all": [{"field": "externalCustomerId", "operator": "is_empty"}]}
        segment = client.post(
            "/api/v1/segments", json={"name": "Without External ID", "condition": nameless}
        )
        return {"ann": ann, "segment": segment.raise_for_status().json()["id"]}


def _signed_in(browser: Browser, url: str, theme: Any) -> Page:
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, color_scheme=theme, device_scale_factor=1
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
    if name == "simulator":
        page.get_by_label("E-mail").fill("ann.lee@example.com")
        page.get_by_label("Mobile push token").fill("fcm:dQw4w9WgXcQ")
        page.locator("#outcome svg.picture").wait_for()
    page.wait_for_load_state("networkidle")
    page.screenshot(path=path)


if __name__ == "__main__":
    main()
