"""The table of all routes: every method of every path, with the right it needs."""

from __future__ import annotations

from kartoteka.api import (
    account,
    contacts,
    fields,
    identity_reading,
    imports,
    later,
    operations,
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
    *fields.ROUTES,
    *imports.ROUTES,
    *account.ROUTES,
    *later.ROUTES,
    *operations.ROUTES,
)
