"""The table of all routes: every method of every path, with the right it needs."""

from __future__ import annotations

from kartoteka.api import (
    account,
    apps,
    bulk,
    contacts,
    fields,
    groups,
    identity_reading,
    import_files,
    imports,
    later,
    mobile,
    operations,
    reading,
    sites,
    subscribe,
    tokens,
    tracker,
)
from kartoteka.api.routing import Route

ROUTES: tuple[Route, ...] = (
    *contacts.ROUTES,
    *reading.ROUTES,
    *subscribe.ROUTES,
    *tokens.ROUTES,
    *identity_reading.ROUTES,
    *groups.ROUTES,
    *fields.ROUTES,
    *bulk.ROUTES,
    *import_files.ROUTES,
    *imports.ROUTES,
    *sites.ROUTES,
    *tracker.ROUTES,
    *account.ROUTES,
    *apps.ROUTES,
    *mobile.ROUTES,
    *later.ROUTES,
    *operations.ROUTES,
)
