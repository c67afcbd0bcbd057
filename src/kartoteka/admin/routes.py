"""The table of all pages, each with the role it needs."""

from __future__ import annotations

from kartoteka.admin.pages import (
    card,
    contacts,
    exports,
    home,
    imports,
    look_alikes,
    merging,
    quarantine,
    segments,
    settings,
    sign_in,
    simulator,
    styleguide,
    timeline,
)
from kartoteka.admin.routing import Page

PAGES: tuple[Page, ...] = (
    *sign_in.PAGES,
    *home.PAGES,
    *contacts.PAGES,
    *card.PAGES,
    *timeline.PAGES,
    *segments.PAGES,
    *imports.PAGES,
    *exports.PAGES,
    *merging.PAGES,
    *look_alikes.PAGES,
    *quarantine.PAGES,
    *simulator.PAGES,
    *settings.PAGES,
    *styleguide.PAGES,
)
