"""PostgreSQL: each data set of a run is one transaction, so readers see all of it or nothing.

The mark up to which a table is stands in its comment, committed with its rows: a table that was
dropped, restored or taken away by hand has none, and is filled anew.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kartoteka.db.copying import (
    Session,
    compose,
    conninfo,
    joined,
    literal,
    names,
    raw,
)
from kartoteka.exports.datasets import Column, Dataset
from kartoteka.exports.errors import TargetChanged, TargetRefused
from kartoteka.exports.targets.base import (
    Caution,
    Checked,
    Surroundings,
    Wanted,
    Work,
    digest,
)
from kartoteka.exports.targets.postgres_errors import in_words
from kartoteka.exports.targets.postgres_settings import OWN_DATABASE, dial, read_settings

_COMMENT = re.compile(r"Kept by Kartoteka, export (\w+), mark (\w+)\.")
_IDS_A_STATEMENT = 20_000
_TEXT = ("text", "character varying", "json", "jsonb")
_SAME_TYPE = {
    "text": _TEXT,
    "json": _TEXT,
    "timestamptz": ("timestamp with time zone",),
    "numeric": ("numeric", "double precision"),
    "integer": ("integer", "bigint"),
    "boolean": ("boolean",),
    "bigint": ("bigint", "numeric"),
}
"""What a column may have been made by hand without a run failing on it."""


class _Kind:
    name: str = "postgres"
    label: str = "PostgreSQL"
    default_interval_s: int = 3600

    def read(self, raw_settings: Mapping[str, Any], surroundings: Surroundings) -> Checked:
        return read_settings(raw_settings, surroundings)

    def given(self, full: dict[str, Any]) -> dict[str, Any]:
        again = {"url": conninfo(full["parts"]), "schema": full["schema"]}
        return again | {"rootCertificate": full["rootCertificate"]}

    def open(self, uid: str, full: dict[str, Any], surroundings: Surroundings) -> Postgres:
        return Postgres(uid, full, surroundings)


KIND = _Kind()


def _refuse_own(is_own: bool) -> None:
    if is_own:
        raise TargetRefused(OWN_DATABASE)


class Postgres:
    """An open connection to the warehouse."""

    def __init__(self, uid: str, full: dict[str, Any], surroundings: Surroundings) -> None:
        self._uid = uid
        self._schema: str = full["schema"]
        self._sslmode: str = full["parts"].get("sslmode", "prefer")
        with in_words("connecting"), tempfile.TemporaryDirectory() as folder:
            self._session = Session.open(dial(full, surroundings, Path(folder)))
        try:
            with in_words("connecting"):
                self._session.run("set timezone = 'UTC'")
                self._session.run("set lock_timeout = '60s'")
                self._session.run("set statement_timeout = 0")
                self._session.run("set search_path = pg_catalog, pg_temp")
                self._session.notice_hang_up()
                _refuse_own(surroundings.is_own_database(self._session))
        except BaseException:
            self._session.close()
            raise

    def abort(self) -> None:
        self._session.abort()

    def close(self) -> None:
        self._session.close()

    def check(self, wanted: Sequence[Wanted]) -> list[Caution]:
        with in_words("checking"):
            ((may_create, may_use),) = self._session.rows(
                "select has_database_privilege(current_database(), 'create'), "
                "(select has_schema_privilege(oid, 'create') and has_schema_privilege(oid, 'usage') "
                "from pg_namespace where nspname = %(schema)s)",
                schema=self._schema,
            )
            if may_use is None and not may_create:
                raise TargetRefused(
                    f"There is no schema {self._schema}, and this user may not create it."
                )
            if may_use is False:
                raise TargetRefused(f"This user may not create tables in schema {self._schema}.")
            self.states(wanted)
            return self._warnings()

    def _warnings(self) -> list[Caution]:
        if self._session.is_local:
            return []
        if not self._session.is_encrypted:
            return [
                Caution(
                    "no_tls",
                    "The connection is not encrypted: others on the way can read all that is "
                    "exported. Add sslmode=verify-full.",
                )
            ]
        if not self._sslmode.startswith("verify"):
            return [
                Caution(
                    "tls_not_verified",
                    "The connection is encrypted, but nobody checks who answers. Add "
                    "sslmode=verify-full, with rootCertificate if the server has its own.",
                )
            ]
        return []

    def states(self, wanted: Sequence[Wanted]) -> dict[str, str | None]:
        with in_words("looking at the tables"):
            return {one.dataset.name: self._state(one) for one in wanted}

    def _state(self, wanted: Wanted) -> str | None:
        mark = self._look(wanted.dataset)
        known = self._columns(wanted.dataset)
        return mark if all(one.name in known for one in wanted.columns) else None

    def _look(self, dataset: Dataset) -> str | None:
        """The mark in the table's comment. Raises `TargetChanged` for a table of somebody else."""
        found = self._session.rows(
            "select obj_description(c.oid, 'pg_class'), c.relkind in ('r', 'p') from pg_class c "
            "join pg_namespace n on n.oid = c.relnamespace "
            "where n.nspname = %(schema)s and c.relname = %(name)s",
            schema=self._schema,
            name=dataset.name,
        )
        if not found:
            return None
        comment, is_table = found[0]
        if not is_table:
            raise TargetChanged(f"{self._schema}.{dataset.name} is not a table.")
        match = _COMMENT.match(comment or "")
        if match is None and self._has_rows(dataset):
            raise TargetChanged(
                f"There is a table {self._schema}.{dataset.name} that no export keeps (its comment "
                "says so). Choose another schema, or drop or rename it: an export replaces rows."
            )
        return match[2] if match is not None and match[1] == self._uid else None

    def _has_rows(self, dataset: Dataset) -> bool:
        return bool(
            self._session.rows(compose("select 1 from {table} limit 1", table=self._table(dataset)))
        )

    def _table(self, dataset: Dataset) -> tuple[str, str]:
        return (self._schema, dataset.name)

    def write(self, work: Work) -> None:
        name = f"{self._schema}.{work.dataset.name}"
        with in_words(f"writing table {name}"):
            self._session.run("begin")
            try:
                self._write(work)
                work.about_to_commit()
                self._session.run("commit")
            except BaseException:
                if not self._session.is_broken:
                    self._session.run("rollback")
                raise

    def _write(self, work: Work) -> None:
        table = self._table(work.dataset)
        lock = f"kartoteka {self._schema}.{work.dataset.name}"
        self._session.rows("select pg_advisory_xact_lock(hashtextextended(%(name)s, 0))", name=lock)
        mark = self._look(work.dataset)
        if not work.full and mark != work.before:
            raise TargetChanged(
                f"Table {self._schema}.{work.dataset.name} is not as this run found it; the next "
                "run fills it anew."
            )
        self._prepare_table(work)
        if work.full:
            if self._has_rows(work.dataset):
                work.done.deleted += self._session.run(compose("delete from {t}", t=table))
        else:
            for column, ids in work.scopes:
                self._delete(work, column, ids)
        self._copy(work)
        self._index(work)
        comment = (
            f"Kept by Kartoteka, export {self._uid}, mark {digest(work.mark)}. Read it, do not write: "
            "rows are replaced."
        )
        self._session.run(
            compose("comment on table {t} is {comment}", t=table, comment=literal(comment))
        )

    def _prepare_table(self, work: Work) -> None:
        """The table with every column that is wanted. Raises `TargetChanged` for a changed type."""
        table = self._table(work.dataset)
        known = self._columns(work.dataset)
        if not known:
            have = self._session.rows(
                "select 1 from pg_namespace where nspname = %(name)s", name=self._schema
            )
            if not have:
                self._session.run(compose("create schema {schema}", schema=self._schema))
            self._session.run(
                compose("create table {t} ({columns})", t=table, columns=_definitions(work.columns))
            )
            return
        for column in work.columns:
            if column.name not in known:
                added = compose("alter table {t} add column {c} ", t=table, c=column.name)
                self._session.run(added + raw(column.type.value))
            elif known[column.name].split("(")[0] not in _SAME_TYPE[column.type.value]:
                raise TargetChanged(
                    f"Column {column.name} of table {self._schema}.{work.dataset.name} is "
                    f"{known[column.name]} now, not {column.type.value}. Change it back, or drop "
                    "the table: the next run makes it anew."
                )

    def _columns(self, dataset: Dataset) -> dict[str, str]:
        return dict(
            self._session.rows(
                "select a.attname, format_type(a.atttypid, a.atttypmod) from pg_attribute a "
                "join pg_class c on c.oid = a.attrelid "
                "join pg_namespace n on n.oid = c.relnamespace "
                "where n.nspname = %(schema)s and c.relname = %(name)s "
                "and a.attnum > 0 and not a.attisdropped",
                schema=self._schema,
                name=dataset.name,
            )
        )

    def _delete(self, work: Work, column: str, ids: tuple[int, ...]) -> None:
        statement = compose(
            "delete from {t} where {c} = any(%(ids)s::bigint[])",
            t=self._table(work.dataset),
            c=column,
        )
        for start in range(0, len(ids), _IDS_A_STATEMENT):
            work.check()
            some = list(ids[start : start + _IDS_A_STATEMENT])
            work.done.deleted += self._session.run(statement, ids=some)

    def _copy(self, work: Work) -> None:
        statement = compose(
            "copy {t} ({columns}) from stdin",
            t=self._table(work.dataset),
            columns=names([one.name for one in work.columns]),
        )
        with self._session.copy_in(statement) as write:
            for block in work.rows("text"):
                work.check()
                write(block)
                work.done.bytes += len(block)
                work.done.rows += block.count(b"\n")

    def _index(self, work: Work) -> None:
        """What later runs find rows by; after the rows, which is quicker."""
        dataset, table = work.dataset, self._table(work.dataset)
        have = {
            name
            for (name,) in self._session.rows(
                "select indexname from pg_indexes where schemaname = %(schema)s "
                "and tablename = %(name)s",
                schema=self._schema,
                name=dataset.name,
            )
        }
        for column in dict.fromkeys([dataset.key, *(scope.column for scope in dataset.scopes)]):
            index = f"{dataset.name}_by_{column}"
            if column and index not in have:
                unique = "unique " if column == dataset.key else ""
                head = compose(f"create {unique}index {{i}} on {{t}} ", i=index, t=table)
                self._session.run(head + compose("({c})", c=column))


def _definitions(columns: tuple[Column, ...]) -> Any:
    parts = [compose("{c} ", c=one.name) + raw(one.type.value) for one in columns]
    return joined(parts)
