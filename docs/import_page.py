"""The page docs/reference/import.md: what columns may be, what names contacts, what rows come to."""

from __future__ import annotations

from collections.abc import Iterator

from docs.tables import code, table
from kartoteka.contacts.uniques import UNIQUES, UniqueField
from kartoteka.imports.fields import FIELDS
from kartoteka.imports.headings import HEADINGS
from kartoteka.imports.link_options import LINK_COLUMNS, LINK_UNIQUES
from kartoteka.imports.model import OUTCOMES, State

FAILURES = {
    "invalid_external_id": "the External ID has control characters, more than 255 characters, or is a "
    "number that a spreadsheet cut short, such as `1.2E+11`; or a character of it could not be read",
    "invalid_contact": "an element of `contacts` of a bulk call is no object",
    "no_identifier": "the row names nobody who could be found or made",
    "not_storable": "the database refuses a value of the row",
}
"""Beside those that have the word of the unique field in them."""
SKIPS = {
    "removed_stays_removed": "`skipped`: the row names a removed contact, and restoring was not asked "
    "for",
    "suppressed": "`suppressed`: the row names an erased person",
}
_STATES = {
    State.QUEUED: "waits for its turn",
    State.RUNNING: "rows are carried out",
    State.PAUSED: "stands still until somebody resumes it",
    State.FINISHED: "every row has its outcome",
    State.CANCELLED: "stopped for good; what was written stays",
    State.FAILED: "cannot go on; `error` says why, resuming tries again",
}


def import_page() -> str:
    """Fields, unique fields, outcomes, codes and states of imports."""
    return (
        "# Imports: fields, outcomes, codes\n\nHow to use them: [Import a file](../import/a-file.md), "
        "[Bulk calls](../api/bulk.md).\n\n## Fields\n\nWhat a column of a file may be, and the headings "
        "by which it is recognised; case, blanks and signs do not count. Tokens, devices and cookies "
        "may have several columns. A custom field is said as `fields.12`, `LIST.FIELD` or by its name, "
        "and recognised by each of these as a heading.\n\n"
        + table(("field", "what it is", "headings", "examples"), _fields())
        + "\n## Unique fields\n\nBy what rows find their contact when the External ID finds none: "
        "`dedupeOn` of a bulk call, `unique` of a file. A file behind a link takes "
        + ", ".join(map(code, LINK_UNIQUES))
        + ".\n\n"
        + table(("word", "the same", "what it is", "looks for"), map(_unique, UNIQUES.values()))
        + "\n## Headings of a link's file\n\n"
        + table(("heading", "field"), [(head, code(to or "")) for head, to in LINK_COLUMNS.items()])
        + "\nCustom fields are headed `LIST.FIELD`; other columns are left out.\n\n## Outcomes\n\n"
        + table(("outcome", "meaning"), [(code(name), text) for name, text in OUTCOMES.items()])
        + "\n## Codes of rows\n\nOf rows that are `failed`, unless it says otherwise.\n\n"
        + table(("code", "meaning"), _codes())
        + "\n## States\n\n"
        + table(("state", "meaning"), [(code(state), text) for state, text in _STATES.items()])
    )


def _fields() -> Iterator[tuple[str, ...]]:
    for one in FIELDS.values():
        headings = ", ".join(HEADINGS.get(one.name, ()))
        yield code(one.name), one.label, headings, ", ".join(map(code, one.examples))


def _unique(one: UniqueField) -> tuple[str, ...]:
    """One line; of several kinds the first one that a row gives counts."""
    looks = ", then ".join(kind.label for kind in one.kinds) or one.label
    if one.name == "fieldId":
        looks = "the custom field that `fieldId` names by its number; or say `LIST.FIELD`"
    return code(one.name), ", ".join(map(code, one.aliases)), one.label, looks


def _codes() -> Iterator[tuple[str, str]]:
    """Codes that have the word of the unique field in them stand together: they mean the same."""
    blank = [f"no_{name}" for name in UNIQUES if name != "id"]
    wrong = [f"invalid_{name}" for name in UNIQUES if name != "externalCustomerId"]
    yield _codes_of(blank), "the unique field is blank, or stands for nobody; no External ID"
    yield (
        code("no_id"),
        "the contact ID is unique, and the row has none, or one that no contact has",
    )
    yield _codes_of(wrong), "the unique field has a value that is not valid; no External ID"
    for name, text in (FAILURES | SKIPS).items():
        yield code(name), text


def _codes_of(names: list[str]) -> str:
    return ", ".join(map(code, names))
