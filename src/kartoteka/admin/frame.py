"""What every page has around it: the menu, the theme, the word that is said once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from kartoteka.access.users import Role
from kartoteka.admin import texts

if TYPE_CHECKING:
    from kartoteka.admin.request import Request

MENU: tuple[tuple[str, str, str, str, Role], ...] = (
    ("home", "/admin", "house", "h", Role.READER),
    ("contacts", "/admin/contacts", "users", "c", Role.READER),
    ("segments", "/admin/segments", "filter", "s", Role.READER),
    ("imports", "/admin/imports", "file-up", "i", Role.READER),
    ("exports", "/admin/exports", "database-zap", "e", Role.READER),
    ("duplicates", "/admin/duplicates", "copy-check", "d", Role.READER),
    ("simulator", "/admin/simulator", "flask-conical", "x", Role.READER),
    ("settings", "/admin/settings", "settings", ",", Role.READER),
)
"""(name, path, icon, key behind `g`, role) in order."""

SETTINGS_MENU: tuple[tuple[str, str, Role], ...] = (
    ("keys", "/admin/settings/keys", Role.OWNER),
    ("fields", "/admin/settings/fields", Role.READER),
    ("categories", "/admin/settings/categories", Role.READER),
    ("websites", "/admin/settings/websites", Role.READER),
    ("apps", "/admin/settings/apps", Role.OWNER),
    ("event_types", "/admin/settings/event-types", Role.READER),
    ("webhooks", "/admin/settings/webhooks", Role.OWNER),
    ("account", "/admin/settings/account", Role.OWNER),
    ("users", "/admin/settings/users", Role.OWNER),
    ("audit", "/admin/settings/audit", Role.OWNER),
)
"""(name, path, role) of the second menu."""


class Item(msgspec.Struct, frozen=True):
    """One line of the menu."""

    name: str
    path: str
    icon: str
    key: str
    is_current: bool


def menu(request: Request) -> list[Item]:
    """The menu for who is signed in."""
    here = request.path or "/admin"
    return [
        Item(name, path, picture, key, _is_current(path, here))
        for name, path, picture, key, role in MENU
        if request.may(role)
    ]


def _is_current(path: str, here: str) -> bool:
    return here == path or (path != "/admin" and here.startswith(path + "/"))


def theme(request: Request) -> str:
    """`light`, `dark`, or blank: as the system has it."""
    chosen = request.cookies.get("kartoteka_theme", "")
    return chosen if chosen in ("light", "dark") else ""


def next_theme(request: Request) -> str:
    """What the button changes to: system, light, dark, system …"""
    return {"": "light", "light": "dark", "dark": ""}[theme(request)]


def said(request: Request) -> str:
    """The key of what the page before has to say; only words of ours are said."""
    key = request.cookies.get("kartoteka_said", "")
    return key if key and texts.has(f"said.{key}") else ""
