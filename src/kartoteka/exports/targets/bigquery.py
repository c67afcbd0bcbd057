"""BigQuery, with Google's own client: load jobs into staging tables, one MERGE into the table.

A load or a MERGE is all or nothing. The mark up to which a table is stands in its labels, written after
the rows: a run that was killed in between does the same again, and the rows are the same. The labels
also name the job that writes, so that whoever comes after a kill lets none of the dead write later.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from kartoteka.exports.datasets import Dataset
from kartoteka.exports.errors import TargetChanged, TargetRefused
from kartoteka.exports.targets.base import (
    Caution,
    Checked,
    Surroundings,
    Wanted,
    Work,
    digest,
)
from kartoteka.exports.targets.bigquery_errors import in_words
from kartoteka.exports.targets.bigquery_service import TYPES, Service
from kartoteka.exports.targets.bigquery_settings import read_settings
from kartoteka.exports.targets.bigquery_writing import (
    EXPORT_LABEL,
    JOB_LABEL,
    MARK_LABEL,
    Writing,
    clustering,
    partitioning,
)

_OLD_NAMES = {"INTEGER": "INT64", "BOOLEAN": "BOOL"}
"""BigQuery answers with either."""


class _Kind:
    name: str = "bigquery"
    label: str = "BigQuery"
    default_interval_s: int = 86_400

    def read(self, raw_settings: Mapping[str, Any], surroundings: Surroundings) -> Checked:
        return read_settings(raw_settings, surroundings)

    def given(self, full: dict[str, Any]) -> dict[str, Any]:
        return full

    def open(self, uid: str, full: dict[str, Any], surroundings: Surroundings) -> BigQuery:
        with in_words("connecting"):
            return BigQuery(uid, full["location"], Service(full, surroundings))


KIND = _Kind()


class BigQuery:
    """One dataset that an export writes to."""

    def __init__(self, uid: str, location: str | None, service: Service) -> None:
        self._uid = uid
        self._location = location
        self._service = service
        self._dataset = service.dataset

    def abort(self) -> None:
        self._service.stop()

    def close(self) -> None:
        self._service.close()

    def check(self, wanted: Sequence[Wanted]) -> list[Caution]:
        self.states(wanted)
        with in_words("checking"):
            self._service.query("select 1", f"kartoteka_{secrets.token_hex(8)}_check")
        return []

    def states(self, wanted: Sequence[Wanted]) -> dict[str, str | None]:
        with in_words("looking at the tables"):
            there = self._service.find_location()
            if there and self._location and there.lower() != self._location.lower():
                raise TargetRefused(
                    f"Dataset {self._dataset} lies in {there}, not in {self._location}: change location "
                    "in the settings, or choose another dataset."
                )
            return {one.dataset.name: self._state(one) for one in wanted}

    def _state(self, wanted: Wanted) -> str | None:
        """The mark in the table's labels. Raises `TargetChanged` for a table of somebody else."""
        table = self._find(wanted.dataset)
        if table is None or any(one.name not in _types(table) for one in wanted.columns):
            return None
        mark: str | None = table.labels.get(MARK_LABEL)
        return mark if table.labels.get(EXPORT_LABEL) == self._uid else None

    def _find(self, dataset: Dataset) -> Any:
        table = self._service.table(dataset.name)
        if table is None:
            return None
        if table.table_type not in (None, "TABLE"):
            raise TargetChanged(f"{self._dataset}.{dataset.name} is not a table.")
        if EXPORT_LABEL not in table.labels and table.num_rows:
            raise TargetChanged(
                f"There is a table {self._dataset}.{dataset.name} that no export keeps (its labels say "
                "so). Choose another dataset, or drop or rename it: an export replaces rows."
            )
        return table

    def write(self, work: Work) -> None:
        name = work.dataset.name
        with in_words(f"writing table {self._dataset}.{name}"):
            table = self._prepare(work)
            if not work.full and table.labels.get(MARK_LABEL) != work.before:
                raise TargetChanged(
                    f"Table {self._dataset}.{name} is not as this run found it; the next run fills it "
                    "anew."
                )
            writing = Writing(self._service, self._uid, work)
            if work.full:
                writing.replace_all()
            else:
                writing.merge()
            work.about_to_commit()
            self._service.label(name, {EXPORT_LABEL: self._uid, MARK_LABEL: digest(work.mark)})

    def _prepare(self, work: Work) -> Any:
        """The table with every column that is wanted, made if need be; nobody else writes to it."""
        table = self._find(work.dataset)
        if table is None:
            self._service.make_dataset()
            return self._service.make_table(self._new(work))
        self._service.settle(table.labels.get(JOB_LABEL))
        known = _types(table)
        for column in work.columns:
            there = known.get(column.name, TYPES[column.type])
            if there != TYPES[column.type]:
                raise TargetChanged(
                    f"Column {column.name} of table {self._dataset}.{work.dataset.name} is {there} now, "
                    f"not {TYPES[column.type]}. Change it back, or drop the table: the next run makes "
                    "it anew."
                )
        if all(one.name in known for one in work.columns):
            return table
        # Only of a run that writes everything: `states` gives no mark then.
        self._service.drop(work.dataset.name)
        return self._service.make_table(self._new(work))

    def _new(self, work: Work) -> Any:
        bq, dataset = self._service.bq, work.dataset
        table = bq.Table(
            f"{self._dataset}.{dataset.name}", schema=self._service.fields(work.columns)
        )
        table.labels = {EXPORT_LABEL: self._uid}
        table.description = "Kept by Kartoteka: read it, do not write. Rows are replaced."
        table.time_partitioning = partitioning(bq, dataset)
        table.clustering_fields = clustering(dataset)
        return table


def _types(table: Any) -> dict[str, str]:
    """Columns of a table of BigQuery and their types, by the names that `TYPES` has."""
    return {one.name: _OLD_NAMES.get(one.field_type, one.field_type) for one in table.schema}
