"""A real browser for tests: Debian's chromium, driven by Playwright.

`browser` is one for the whole run. Where chromium is missing the test fails and says how to get it:
`make test` installs it first.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

SCREENSHOTS = Path(__file__).parents[1] / "build" / "screenshots"
"""Artefacts of `make test`: what the pages looked like."""
WAIT_MS = 60_000
"""The machine may be ten times slower than ours."""


def chromium() -> str:
    """The path of chromium."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if (path := shutil.which(name)) is not None:
            return path
    raise AssertionError("These tests need chromium: `apt-get install chromium` (`make test` does)")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A browser without a window; root has to switch its sandbox off."""
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=arguments)
        yield started
        started.close()


def shoot(page: Page, name: str) -> None:
    """Keep what the page looks like now."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
