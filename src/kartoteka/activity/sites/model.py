"""A website of an account."""

from __future__ import annotations

import msgspec


class Site(msgspec.Struct, frozen=True):
    """One registered domain; its key names the account in every message of the tracker."""

    account_id: int
    site_key: str
    domain: str
    web_push: dict[str, str] | None = None
    """Name, path and scope of the service worker, once web push is set up for the domain."""
