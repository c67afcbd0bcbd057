"""The table of all routes: every method of every path, with the right it needs."""

from __future__ import annotations

from kartoteka.api import (
    account,
    bulk,
    contacts,
    duplicates,
    event_types,
    events,
    fields,
    groups,
    identity_reading,
    import_files,
    imports,
    later,
    merges,
    operations,
    orders,
    past_events,
    reading,
    subscribe,
    timeline,
    tokens,
    why,
)
from kartoteka.api.routing import Route

ROUTES: tuple[Route, ...] = (
    *contacts.ROUTES,
    *reading.ROUTES,
    *subscribe.ROUTES,
    *tokens.ROUTES,
    *events.ROUTES,
    *past_events.ROUTES,
    *event_types.ROUTES,
    *timeline.ROUTES,
    *identity_reading.ROUTES,
    *groups.ROUTES,
    *fields.ROUTES,
    *bulk.ROUTES,
    *orders.ROUTES,
    *import_files.ROUTES,
    *imports.ROUTES,
    *account.ROUTES,
    *merges.ROUTES,
    *duplicates.ROUTES,
    *why.ROUTES,
    *later.ROUTES,
    *operations.ROUTES,
)
