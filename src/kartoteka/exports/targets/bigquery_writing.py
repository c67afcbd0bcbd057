"""The jobs that bring a table of BigQuery up: one load of everything, or staging tables and a MERGE."""

from __future__ import annotations

import datetime as dt
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any

from kartoteka.exports.datasets import Column, Dataset, Type
from kartoteka.exports.model import Done
from kartoteka.exports.targets.base import Work
from kartoteka.exports.targets.bigquery_service import TYPES, Service
from kartoteka.exports.targets.parquet import write_parquet

EXPORT_LABEL, MARK_LABEL, JOB_LABEL = "kartoteka_export", "kartoteka_mark", "kartoteka_job"
_STAGING_LIVES = dt.timedelta(days=1)
_IDS = (Column("id", Type.BIGINT),)


class Writing:
    """One data set of one run. Its staging tables and jobs have names that nobody else's have, so a
    process that should be dead cannot get into them."""

    def __init__(self, service: Service, uid: str, work: Work) -> None:
        self._service = service
        self._work = work
        self._name = work.dataset.name
        self._labels = {EXPORT_LABEL: uid}
        if work.before is not None:  # it stays while its rows do: a run that fails goes on from it
            self._labels[MARK_LABEL] = work.before
        self._mine = f"kartoteka_{uid}_{secrets.token_hex(8)}"
        self._staged: list[str] = []

    def replace_all(self) -> None:
        """All rows that there are, in one load job."""
        work = self._work
        config = self._config(work.columns)
        config.time_partitioning = partitioning(self._service.bq, work.dataset)
        config.clustering_fields = clustering(work.dataset)
        with tempfile.TemporaryFile() as file:
            write_parquet(file, work.columns, work.rows("csv"), work.done, work.check)
            work.done.bytes += file.tell()
            self._service.load(file, self._name, config, f"{self._mine}_all", self._announce)

    def merge(self) -> None:
        """Rows within the scopes go, new ones come: one statement but for erased contacts."""
        work = self._work
        (scope, ids), *others = work.scopes
        table = self._table(self._name)
        try:
            for number, (column, some) in enumerate(others):
                if some:
                    stage = self._stage(f"ids{number}", _IDS, _lines(some), Done())
                    self._change(_delete(table, column, stage), f"delete{number}")
            rows = self._stage("rows", work.columns, work.rows("csv"), work.done)
            gone = self._stage("ids", _IDS, _lines(ids), Done())
            self._change(_merge(work, table, scope, rows, gone), "merge")
        finally:
            for name in self._staged:  # one that stays goes by itself
                self._service.try_to_drop(name)

    def _table(self, name: str) -> str:
        return f"{self._service.dataset}.{name}"

    def _change(self, statement: str, word: str) -> None:
        """Run a statement on the table; `word` tells its job from the others."""
        job = self._service.query(statement, f"{self._mine}_{word}", self._announce)
        self._work.done.deleted += deleted_by(job)

    def _announce(self, job_id: str) -> None:
        """The table's labels name the job before there is one."""
        self._work.check()
        self._service.label(self._name, {**self._labels, JOB_LABEL: job_id})

    def _stage(
        self, what: str, columns: tuple[Column, ...], blocks: Iterator[bytes], done: Done
    ) -> str:
        """A staging table with these rows; its whole name."""
        name = f"_{self._mine}_{self._name}_{what}"
        table = self._service.bq.Table(self._table(name), schema=self._service.fields(columns))
        table.expires = dt.datetime.now(dt.UTC) + _STAGING_LIVES
        self._staged.append(name)
        self._service.make_table(table)
        with tempfile.TemporaryFile() as file:
            write_parquet(file, columns, blocks, done, self._work.check)
            done.bytes += file.tell()
            self._service.load(file, name, self._config(columns), f"{self._mine}_{what}")
        return self._table(name)

    def _config(self, columns: tuple[Column, ...]) -> Any:
        return self._service.bq.LoadJobConfig(
            source_format="PARQUET",
            write_disposition="WRITE_TRUNCATE",
            schema=self._service.fields(columns),
        )


def partitioning(bq: Any, dataset: Dataset) -> Any:
    """By day of the time that the data set is cut by; None for the others."""
    return bq.TimePartitioning(type_="DAY", field=dataset.month_of) if dataset.month_of else None


def clustering(dataset: Dataset) -> list[str] | None:
    """By what later runs find rows by."""
    return [dataset.scopes[0].column] if dataset.scopes else None


def deleted_by(job: Any) -> int:
    """Rows that a statement took away, as far as BigQuery says it."""
    counts = job.dml_stats
    return counts.deleted_row_count if counts else 0


def _lines(ids: Sequence[int]) -> Iterator[bytes]:
    for start in range(0, len(ids), 50_000):
        yield b"".join(b"%d\n" % one for one in ids[start : start + 50_000])


def _delete(table: str, column: str, ids: str) -> str:
    return f"DELETE FROM `{table}` WHERE `{column}` IN (SELECT id FROM `{ids}`)"  # noqa: S608  names of ours


def _merge(work: Work, table: str, scope: str, rows: str, ids: str) -> str:
    names = ", ".join(f"`{one.name}`" for one in work.columns)
    nulls = ", ".join(f"CAST(NULL AS {TYPES[one.type]})" for one in work.columns)
    return (
        f"MERGE `{table}` T USING ("  # noqa: S608  names of ours
        f"SELECT CAST(NULL AS INT64) AS kartoteka_scope, {names} FROM `{rows}` "
        f"UNION ALL SELECT id, {nulls} FROM `{ids}`) S "
        f"ON T.`{scope}` = S.kartoteka_scope{_bounds(work)} "
        "WHEN MATCHED THEN DELETE "
        "WHEN NOT MATCHED AND S.kartoteka_scope IS NULL THEN "
        f"INSERT ({names}) VALUES ({names})"
    )


def _bounds(work: Work) -> str:
    """Lets BigQuery leave out partitions with none of the rows that are written, deleted or moved."""
    if not work.dataset.month_of or (between := work.changed_between()) is None:
        return ""
    low, high = (one.astimezone(dt.UTC).isoformat() for one in between)
    column = work.dataset.month_of
    return f" AND T.`{column}` BETWEEN TIMESTAMP '{low}' AND TIMESTAMP '{high}'"
