"""The table of all routes: every method of every path, with the right it needs."""

from __future__ import annotations

from kartoteka.api import account, contacts, later, operations, subscribe, tokens
from kartoteka.api.routing import Route

ROUTES: tuple[Route, ...] = (
    *contacts.ROUTES,
    *subscribe.ROUTES,
    *tokens.ROUTES,
    *account.ROUTES,
    *later.ROUTES,
    *operations.ROUTES,
)
