"""The table of all routes: every method of every path, with the right it needs."""

from __future__ import annotations

from kartoteka.api import (
    account,
    bulk,
    contacts,
    exports,
    fields,
    groups,
    identity_reading,
    import_files,
    imports,
    later,
    operations,
    orders,
    reading,
    subscribe,
    tokens,
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
    *orders.ROUTES,
    *import_files.ROUTES,
    *imports.ROUTES,
    *exports.ROUTES,
    *account.ROUTES,
    *later.ROUTES,
    *operations.ROUTES,
)
