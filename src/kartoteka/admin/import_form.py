"""What the form of an import says: mapping, options, cells that were put right."""

from __future__ import annotations

from typing import Any

from kartoteka.admin.bodies import Fields
from kartoteka.imports.asked import AskedOptions, read_options

MAX_FIXES = 2_000
_FLAGS = ("emptyValues", "restoreDeleted", "updateExternalId")
_TEXTS = ("unique", "encoding", "delimiter", "eventKeyForNewContacts")


def read_import_form(form: Fields) -> AskedOptions:
    """The options as asked for; a form that nobody filled in yet guesses. Raises `InvalidOptions`."""
    if not form.has("filled"):
        return read_options({})
    raw: dict[str, Any] = {name: form.flag(name) for name in _FLAGS}
    raw.update((name, form.one(name) or None) for name in _TEXTS)
    unique = form.one("unique")
    if unique.startswith("fields."):
        raw.update(unique="fieldId", fieldId=unique.removeprefix("fields."))
    raw["header"] = form.flag("header")
    raw["groupNames"] = _names(form.one("groupNames"))
    raw["groupNamesExclude"] = _names(form.one("groupNamesExclude"))
    raw["dryRun"] = form.flag("dryRun")
    columns = form.starting("map.")
    if columns:
        count = form.number("columns")
        raw["map"] = [columns.get(str(index)) or None for index in range(min(count, 1_000))]
        raw["guess"] = False
    return read_options(raw)


def _names(text: str) -> list[str]:
    return [name for part in text.split(",") if (name := part.strip())]


def read_fixes(form: Fields) -> dict[tuple[int, int], str]:
    """Cells that were put right, by row and column: those that say something else than before."""
    fixes: dict[tuple[int, int], str] = {}
    was = form.starting("was.")
    for name, text in form.starting("fix.").items():
        row, _, column = name.partition(".")
        if row.isdigit() and column.isdigit() and text != was.get(name, "") and len(name) < 20:
            fixes[int(row), int(column)] = text
    return dict(list(fixes.items())[:MAX_FIXES])
