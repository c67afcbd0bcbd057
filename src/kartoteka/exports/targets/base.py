"""What an export target is: checks its settings, says what it holds, takes changes.

Everything here is synchronous and runs in a thread of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import msgspec

from kartoteka.exports.datasets import Column, Dataset
from kartoteka.exports.model import Done


class Surroundings(msgspec.Struct, frozen=True):
    """What a target may use of the server that it runs in."""

    allow_private: bool
    """Whether hosts in the server's own network may be connected to."""
    export_dir: Path
    """Folder targets lie under it."""
    is_own_database: Callable[[Any], bool] = lambda _session: False
    """Whether a session is connected to the service's own database."""
    is_own_address: Callable[[Mapping[str, str]], bool] = lambda _parts: False
    """Whether a connection string plainly names it, so that nobody needs to connect."""


class Checked(msgspec.Struct, frozen=True):
    """Settings that a target accepts."""

    full: dict[str, Any]
    """All of them, to be encrypted."""
    shown: dict[str, Any]
    """Those that may be shown."""
    place: str
    """Names where it writes: two exports never have the same."""


class Caution(msgspec.Struct, frozen=True):
    """A warning for whoever sets the export up."""

    code: str
    message: str


class Wanted(msgspec.Struct, frozen=True):
    """A data set with the columns that the export has of it."""

    dataset: Dataset
    columns: tuple[Column, ...]


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """One data set of a run: what the target is to write."""

    dataset: Dataset
    columns: tuple[Column, ...]
    full: bool
    """Replace the whole table; else only rows within `scopes`."""
    rows: Callable[[str], Iterator[bytes]]
    """The rows in blocks; the argument is a format of `reading.FORMS`."""
    everything: Callable[[str, str | None], Iterator[bytes]]
    """All rows, also of a run that is not full, or those of one month (`2026-11`)."""
    all_months: Callable[[], Sequence[str]]
    changed_months: Callable[[], Sequence[str]]
    changed_between: Callable[[], tuple[datetime, datetime] | None]
    """The first and the last time of what changed; only of data sets that are cut by time."""
    scopes: tuple[tuple[str, tuple[int, ...]], ...]
    """(column, ids): rows of the target with one of these ids go before `rows` come."""
    before: str | None
    """The mark that the target has; None: none, or it does not matter."""
    mark: str
    """What it is to have afterwards."""
    done: Done
    """Counted as it goes."""
    check: Callable[[], None]
    """Raises `Stopped` when the run is to end; called between blocks."""
    about_to_commit: Callable[[], None]
    """To be called right before the commit."""

    @property
    def erased(self) -> bool:
        """Whether rows go that only their contact names: nobody knows of which month."""
        return any(ids for _, ids in self.scopes[1:])

    def months(self, *, everything: bool) -> Sequence[str]:
        """The months that there are, or those with changes."""
        return self.all_months() if everything else self.changed_months()


class Target(Protocol):
    """One opened target of one export."""

    def check(self, wanted: Sequence[Wanted]) -> list[Caution]:
        """Warnings, when it can be written; raises `TargetFailed` when it cannot."""
        ...

    def states(self, wanted: Sequence[Wanted]) -> dict[str, str | None]:
        """The digest of the mark that each has, by name.

        None where there is nothing to go on from: no table, somebody's else, or missing columns.
        """
        ...

    def write(self, work: Work) -> None:
        """All of it or nothing, where the target can do that."""
        ...

    def abort(self) -> None:
        """Let a call that waits for the target end with an error; from another thread."""
        ...

    def close(self) -> None: ...


class TargetKind(Protocol):
    """A kind of target: one module of `exports/targets/`."""

    name: str
    label: str
    default_interval_s: int

    def read(self, raw: Mapping[str, Any], surroundings: Surroundings) -> Checked:
        """Settings of a request body, checked. Raises `InvalidExport`, `TargetRefused`."""
        ...

    def given(self, full: dict[str, Any]) -> dict[str, Any]:
        """The settings that `read` made these of: what is left blank in a form stays as it is."""
        ...

    def open(self, uid: str, full: dict[str, Any], surroundings: Surroundings) -> Target:
        """Connect. Raises `TargetFailed`."""
        ...


def digest(mark: str) -> str:
    """A mark as targets keep it: short, and of signs that are allowed everywhere."""
    return hashlib.sha256(mark.encode()).hexdigest()[:40]


def place_of(*parts: object) -> str:
    """A name of a place, without showing it."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()
