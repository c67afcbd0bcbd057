"""An import (bulk call, file or link), its states, and the outcome of every row."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from kartoteka.contacts.model import RowRules
from kartoteka.identity.model import Notice


class Source(StrEnum):
    """Where the rows come from. Stored in `import.source`."""

    CALL = "call"
    """POST /api/v1/contacts."""
    FILE = "file"
    LINK = "link"
    """POST /api/v1/contacts/upload."""


class State(StrEnum):
    """Where an import is in its life. Stored in `import.state`."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"
    """It cannot go on; `error` says why. Resuming tries again from where it was."""


OUTCOMES = {
    "created": "a new contact",
    "updated": "a known contact, changed",
    "unchanged": "a known contact that said all this already",
    "restored": "a removed contact that came back",
    "merged": "a contact that absorbed others on the way; `mergedWith` names them",
    "skipped": "nothing was done; `code` and `reason` say why",
    "failed": "nothing was done, the row is wrong; `code`, `reason` and `field` say why",
    "suppressed": "nothing was done: the row names an erased person (decisions D29)",
}
"""Every row has exactly one of these; stored as the position in this table."""
OUTCOME_CODES = {name: code for code, name in enumerate(OUTCOMES)}


class RowFailed(msgspec.Struct, frozen=True):
    """A row that cannot be carried out, found while reading it."""

    number: int
    code: str
    message: str
    field: str | None = None
    value: str | None = None


class RowOutcome(msgspec.Struct, rename="camel", omit_defaults=True):
    """One line of the statement."""

    row: int
    outcome: str
    contact_id: int | None = None
    value: str | None = None
    """The row's unique value; gone when the person is erased."""
    merged_with: list[int] = []
    code: str | None = None
    reason: str | None = None
    field: str | None = None
    warnings: list[Notice] = []


class FileInfo(msgspec.Struct, frozen=True, rename="camel"):
    """The file that rows are read from, as it lies on disk."""

    path: str
    name: str
    size: int
    digest: str
    """SHA-256 of its bytes, hexadecimal."""


class Import(msgspec.Struct, kw_only=True):
    """A row of table `import`, with its progress."""

    account_id: int
    import_id: int
    session_id: str
    """What `asyncSessionId` of a bulk call and `importId` of a link are."""
    source: Source
    state: State
    rules: RowRules
    options: dict[str, Any] = {}
    """What a file's rows are read by: mapping, encoding, delimiter … as asked for and found."""
    dry_run: bool = False
    file: FileInfo | None = None
    same_as: int | None = None
    """An earlier import of the same bytes with the same options."""
    total: int | None = None
    """Rows to carry out; None while they are not counted."""
    done: int = 0
    counts: dict[str, int] = {}
    """Rows by outcome."""
    rate: float | None = None
    """Rows a second, lately."""
    error: str | None = None
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    changed_at: datetime
    key_id: int = 0
    request_id: str = ""
    method: str = ""
