"""Reads the service's own database for one run: one snapshot, and what changed since a mark.

A mark is the text of a snapshot (`pg_current_snapshot()`). What a row of `change` was written by and a
mark did not see is new, however late it was committed (docs/decisions/0022).
"""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Self

import msgspec

from kartoteka.db.copying import Session, read_conninfo
from kartoteka.db.named import load_queries
from kartoteka.exports.datasets import QUERIES, Column, Dataset
from kartoteka.exports.model import Options

CHANGES = load_queries(__package__, "changes.sql")
FORMS = {
    "text": "format text",
    "csv": r"format csv, null '\N'",
    "spreadsheet": "format csv, null ''",
}
"""Formats of rows, as options of COPY; `spreadsheet` has no formulas."""


class Reading:
    """One transaction on the service's database; closed by the end of the block."""

    def __init__(self, url: str, account_id: int, options: Options) -> None:
        self._session = Session.open(url, application_name="kartoteka export")
        self._account_id = account_id
        self._options = options
        self._since: str | None = ""
        """The mark that the temporary tables are filled for; None: everything."""
        self.mark = ""
        """What this transaction sees."""
        self._knows_activity = False
        self._all_owners = False

    def __enter__(self) -> Self:
        session = self._session
        session.run("set timezone = 'UTC'")
        session.run("set idle_in_transaction_session_timeout = 0")
        session.run("begin isolation level repeatable read")
        ((self.mark, _),) = session.rows(CHANGES["snapshot"])
        for statement in CHANGES["make_tables"].sql.split(";"):
            session.run(statement)
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def is_readable(self, mark: str) -> bool:
        """Whether everything since that mark can be found."""
        ((yes,),) = self._session.rows(
            CHANGES["is_readable"], mark=mark, account_id=self._account_id
        )
        return bool(yes)

    def has_changes(self, mark: str) -> bool:
        """Whether anything changed since that mark."""
        ((yes,),) = self._session.rows(
            CHANGES["has_changes"], mark=mark, account_id=self._account_id
        )
        return bool(yes)

    def read_since(self, mark: str | None) -> None:
        """Let what follows be about changes since that mark; None: about everything."""
        if mark == self._since:
            return
        params = {"account_id": self._account_id, "mark": mark, "everything": mark is None}
        self._session.run(CHANGES["empty_tables"])
        for name in ("contacts", "segments", "redirects") if mark is not None else ():
            self._session.run(CHANGES[f"fill_{name}"], **params)
        self._session.run(CHANGES["analyse"])
        self._since = mark
        self._knows_activity = self._all_owners = False

    def read_activity(self) -> None:
        """Look into events and orders too.

        Only when somebody wants it, and last of all: it holds the tables' partitions, and who makes
        a new one has to wait for the end of this transaction.
        """
        if self._knows_activity:
            return
        mark = self._since
        params = {"account_id": self._account_id, "mark": mark, "everything": mark is None}
        for name in ("owners", "events", "orders") if mark is not None else ():
            self._session.run(CHANGES[f"fill_{name}"], **params)
        self._session.run(CHANGES["fill_elsewhere"], **params)
        self._session.run(CHANGES["analyse"])
        self._knows_activity = True
        self._all_owners = mark is None

    def scopes(self, dataset: Dataset) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """(column, ids) of what is to be replaced."""
        return tuple(
            (scope.column, tuple(row[0] for row in self._rows(scope.query)))
            for scope in dataset.scopes
        )

    def _rows(self, name: str) -> list[tuple[Any, ...]]:
        return self._session.rows(QUERIES[name], account_id=self._account_id)

    def rows(self, dataset: Dataset, columns: tuple[Column, ...], form: str) -> Iterator[bytes]:
        """The rows in blocks: all, or those of what changed."""
        return self._copy(dataset, columns, form, everything=self._since is None)

    def everything(
        self, dataset: Dataset, columns: tuple[Column, ...], form: str, month: str | None
    ) -> Iterator[bytes]:
        """All rows, or those of one month (`2026-11`), whatever changed."""
        self._know_all_owners(dataset)
        return self._copy(dataset, columns, form, everything=True, month=month)

    def _know_all_owners(self, dataset: Dataset) -> None:
        if dataset.of_activity and self._since is not None and not self._all_owners:
            params = {"account_id": self._account_id, "everything": True}
            self._session.run("truncate pg_temp.owner_elsewhere")
            self._session.run(CHANGES["fill_elsewhere"], **params)
            self._all_owners = True

    def _copy(
        self,
        dataset: Dataset,
        columns: tuple[Column, ...],
        form: str,
        *,
        everything: bool,
        month: str | None = None,
    ) -> Iterator[bytes]:
        params: dict[str, Any] = {
            "account_id": self._account_id,
            "everything": everything,
            "last_status": 1 if self._options.keep_removed else 0,
            "month": None if month is None else f"{month}-01T00:00:00Z",
        }
        select = dataset.select(
            columns,
            everything=everything,
            of_month=month is not None,
            for_spreadsheets=form == "spreadsheet",
        )
        return self._session.copy_out(select, params, FORMS[form])

    def months(self, dataset: Dataset) -> Sequence[str]:
        """All months of that data set's rows, as `2026-11`."""
        self._know_all_owners(dataset)
        params = {"account_id": self._account_id, "everything": True, "last_status": 0}
        query = QUERIES[f"months_of_{dataset.name}"]
        return [row[0] for row in self._session.rows(query, **params)]

    def changed_months(self) -> Sequence[str]:
        """Months with events that were written, deleted or passed to another contact."""
        return [row[0] for row in self._session.rows(CHANGES["changed_months"])]

    def changed_between(self) -> tuple[datetime, datetime] | None:
        """The first and the last time of those events; None when there are none."""
        ((first, last),) = self._session.rows(CHANGES["changed_between"])
        return None if first is None else (first, last)

    def digest(self, dataset: Dataset, columns: tuple[Column, ...]) -> str:
        """A mark made of the rows themselves, for data sets of few rows."""
        found = hashlib.sha256()
        for block in self.rows(dataset, columns, "text"):
            found.update(block)
        return f"rows {found.hexdigest()}"


class OwnDatabase(msgspec.Struct, frozen=True):
    """Tells whether a session is connected to the service's own database, by whatever name.

    No name, address or identifier is compared, all of which can differ for one database: a lock is
    taken here, and looked for there.
    """

    url: str

    def __call__(self, session: Session) -> bool:
        import secrets

        one, two = secrets.randbits(31), secrets.randbits(31)
        with Session.open(self.url, application_name="kartoteka export") as own:
            own.rows("select pg_advisory_lock(%(one)s, %(two)s)", one=one, two=two)
            found = session.rows(
                "select 1 from pg_locks l join pg_database d on d.oid = l.database "
                "where l.locktype = 'advisory' and d.datname = current_database() "
                "and l.classid = %(one)s::bigint::oid and l.objid = %(two)s::bigint::oid",
                one=one,
                two=two,
            )
            return bool(found)

    def is_at(self, parts: Mapping[str, str]) -> bool:
        """Whether host, port and database of a connection string are its own: a first look, for whoever
        makes an export; other names of it are found out by the session."""
        own = read_conninfo(self.url)
        if any(parts.get(name, usual) != own.get(name, usual) for name, usual in _USUAL.items()):
            return False
        return not _places(parts["host"]).isdisjoint(_places(own.get("host", "")))


_USUAL = {"port": "5432", "dbname": ""}


def _places(host: str) -> set[str]:
    if host.startswith("/"):
        return {os.path.realpath(host)}
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM) if host else []
    except OSError:
        found = []
    return {host, *(str(one[4][0]) for one in found)}
