"""A real browser for tests: Debian's Chromium, driven by Playwright.

`make test` installs Chromium where it is missing. Tests of one module share a browser (`launch`); each
test opens a context of its own, which has its own cookies and storage.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright

TIMEOUT_MS = 60_000
ARGUMENTS = (
    "--no-sandbox",  # as root it has none
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP *.example 127.0.0.1",
)
"""Names such as `shop.example` lead to servers of the test."""


def chromium() -> str:
    """The path of the browser."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    assert found, "Chromium is not installed: `make chromium` does it (apt-get install chromium)"
    return found


def launch(playwright: Playwright) -> Browser:
    """A browser without a window; whoever calls closes it."""
    return playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))


@contextmanager
def launch_with(
    playwright: Playwright, folder: Path, preferences: dict[str, Any]
) -> Iterator[BrowserContext]:
    """A browser whose user has set these preferences, such as that no cookies are taken."""
    (folder / "Default").mkdir(parents=True)
    (folder / "Default" / "Preferences").write_text(json.dumps(preferences), "utf-8")
    context = playwright.chromium.launch_persistent_context(
        folder, executable_path=chromium(), args=list(ARGUMENTS)
    )
    context.set_default_timeout(TIMEOUT_MS)
    try:
        yield context
    finally:
        context.close()


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """What starts browsers: one for a module."""
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """One browser for a module."""
    started = launch(playwright)
    yield started
    started.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A visitor's browser, without cookies."""
    opened = browser.new_context()
    opened.set_default_timeout(TIMEOUT_MS)
    yield opened
    opened.close()
