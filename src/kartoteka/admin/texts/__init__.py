"""Every text of the pages, by key: `en.toml` is the only place that has words (docs/decisions/0026)."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any

from markupsafe import Markup

LANGUAGES = ("en",)


@cache
def catalogue(language: str = "en") -> dict[str, str | dict[str, str]]:
    """All texts by `section.key`; a text with a number is {one, other}."""
    text = resources.files(__package__).joinpath(f"{language}.toml").read_text("utf-8")
    found: dict[str, str | dict[str, str]] = {}
    _flatten(tomllib.loads(text), "", found)
    return found


def _flatten(table: dict[str, Any], prefix: str, found: dict[str, str | dict[str, str]]) -> None:
    for key, value in table.items():
        if isinstance(value, dict) and not {"one", "other"} <= set(value):
            _flatten(value, f"{prefix}{key}.", found)
        else:
            found[prefix + key] = value


def text(key: str, **values: Any) -> Markup:
    """The text of that key with its values put in, escaped; `n` chooses singular or plural.

    Texts themselves are ours and may hold simple markup such as <code>.
    """
    template = catalogue()[key]
    if isinstance(template, dict):
        template = template["one" if values.get("n") == 1 else "other"]
    if not values:
        return Markup(template)  # noqa: S704  the catalogue is ours
    shown = {
        name: f"{value:,}" if type(value) is int and name.startswith("n") else value
        for name, value in values.items()
    }
    return Markup(template).format(**shown)  # noqa: S704


def has(key: str) -> bool:
    """Whether there is such a text."""
    return key in catalogue()
