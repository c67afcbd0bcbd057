"""BigQuery, with Google's own client: load jobs into staging tables, one MERGE into the table.

A load or a MERGE is all or nothing. The mark up to which a table is stands in its labels, written after
the rows: a run that was killed in between does the same again, and the rows are the same.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from kartoteka.exports.datasets import Column, Dataset, Type
from kartoteka.exports.errors import (
    InvalidExport,
    TargetChanged,
    TargetDenied,
    TargetFailed,
    TargetFull,
    TargetMissingExtra,
    TargetUnreachable,
)
from kartoteka.exports.targets.base import (
    Caution,
    Checked,
    Surroundings,
    Wanted,
    Work,
    digest,
    place_of,
)
from kartoteka.exports.targets.hosts import addresses_of
from kartoteka.exports.targets.parquet import need_pyarrow, write_parquet

_PROJECT = re.compile(r"(?:[a-z0-9.-]{1,60}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]")
_DATASET = re.compile(r"\w{1,1024}", re.ASCII)
_LOCATION = re.compile(r"[A-Za-z0-9-]{1,40}")
_TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105  an address
_SERVICE_ACCOUNT = ("client_email", "private_key", "token_uri")
_WITHIN_S = 3_600.0
_STAGING_LIVES_MS = 86_400_000
_TYPES = {
    Type.BIGINT: "INT64",
    Type.INTEGER: "INT64",
    Type.NUMERIC: "NUMERIC",
    Type.TEXT: "STRING",
    Type.JSON: "STRING",
    Type.BOOLEAN: "BOOL",
    Type.TIME: "TIMESTAMP",
}
_OLD_NAMES = {"INTEGER": "INT64", "BOOLEAN": "BOOL"}
EXPORT_LABEL, MARK_LABEL = "kartoteka_export", "kartoteka_mark"


class _Kind:
    name: str = "bigquery"
    label: str = "BigQuery"
    default_interval_s: int = 86_400

    def read(self, raw_settings: Mapping[str, Any], surroundings: Surroundings) -> Checked:
        project = _text(raw_settings, "project", _PROJECT)
        dataset = _text(raw_settings, "dataset", _DATASET)
        location = (
            _text(raw_settings, "location", _LOCATION) if raw_settings.get("location") else None
        )
        endpoint = raw_settings.get("endpoint") or None
        if endpoint is not None:
            _check_endpoint(endpoint, surroundings)
        credentials = _credentials(raw_settings.get("credentials"))
        if credentials is None and endpoint is None:
            raise InvalidExport("settings.credentials must be the JSON key of a service account.")
        full = {
            "project": project,
            "dataset": dataset,
            "location": location,
            "endpoint": endpoint,
            "credentials": credentials,
        }
        shown = {
            "project": project,
            "dataset": dataset,
            "location": location,
            "endpoint": endpoint,
            "account": credentials["client_email"] if credentials else None,
        }
        return Checked(full, shown, place_of("bigquery", endpoint, project, dataset))

    def given(self, full: dict[str, Any]) -> dict[str, Any]:
        return full

    def open(self, uid: str, full: dict[str, Any], surroundings: Surroundings) -> BigQuery:
        return BigQuery(uid, full, surroundings)


KIND = _Kind()


def _text(settings: Mapping[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    value = settings.get(name)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise InvalidExport(f"settings.{name} is missing or not valid for BigQuery.")
    return value


def _check_endpoint(endpoint: object, surroundings: Surroundings) -> None:
    parts = urlsplit(endpoint) if isinstance(endpoint, str) else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidExport("settings.endpoint must be an http or https address.")
    addresses_of(parts.hostname, surroundings, only_if_known=True)


def _credentials(given: object) -> dict[str, str] | None:
    """The service account's key: an object, or its text. Only what is needed is kept."""
    if given is None or given == "":
        return None
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError:
            given = None
    if (
        not isinstance(given, dict)
        or given.get("type") != "service_account"
        or not all(isinstance(given.get(one), str) for one in ("client_email", "private_key"))
    ):
        raise InvalidExport(
            "settings.credentials must be the JSON key of a service account (type service_account, "
            "client_email, private_key)."
        )
    # Where tokens come from is not for the file to say: it would be an address of anybody's choice.
    return {
        "type": "service_account",
        "client_email": given["client_email"],
        "private_key": given["private_key"],
        "private_key_id": str(given.get("private_key_id", "")),
        "token_uri": _TOKEN_URI,
    }


class BigQuery:
    """A client of one dataset."""

    def __init__(self, uid: str, full: dict[str, Any], surroundings: Surroundings) -> None:
        self._uid = uid
        self._bq = _library()
        need_pyarrow()
        self._dataset = f"{full['project']}.{full['dataset']}"
        self._location = full["location"]
        if full["endpoint"]:
            host = urlsplit(full["endpoint"]).hostname
            addresses_of(host or "", surroundings)
        with _in_words("connecting"):
            self._client = self._bq.Client(
                project=full["project"],
                credentials=_token_source(full["credentials"]),
                location=self._location,
                client_options={"api_endpoint": full["endpoint"]} if full["endpoint"] else None,
            )

    def abort(self) -> None:
        """Requests have timeouts of their own."""

    def close(self) -> None:
        self._client.close()

    def check(self, wanted: Sequence[Wanted]) -> list[Caution]:
        with _in_words("checking"):
            self._client.query_and_wait("select 1", wait_timeout=60)
        self.states(wanted)
        return []

    def states(self, wanted: Sequence[Wanted]) -> dict[str, str | None]:
        with _in_words("looking at the tables"):
            return {one.dataset.name: self._state(one) for one in wanted}

    def _state(self, wanted: Wanted) -> str | None:
        """The mark in the table's labels. Raises `TargetChanged` for a table of somebody else."""
        table = self._find(wanted.dataset.name)
        if table is None:
            return None
        owner = (table.labels or {}).get(EXPORT_LABEL)
        if owner is None and table.num_rows:
            raise TargetChanged(
                f"There is a table {self._dataset}.{wanted.dataset.name} that no export keeps (its "
                "labels say so). Choose another dataset, or drop or rename it."
            )
        have = {field.name for field in table.schema}
        if owner != self._uid or any(one.name not in have for one in wanted.columns):
            return None
        mark: str | None = table.labels.get(MARK_LABEL)
        return mark

    def _find(self, name: str) -> Any:
        from google.api_core.exceptions import NotFound

        try:
            return self._client.get_table(f"{self._dataset}.{name}")
        except NotFound:
            return None

    def write(self, work: Work) -> None:
        name = work.dataset.name
        with _in_words(f"writing table {self._dataset}.{name}"):
            table = self._prepare(work)
            if work.full:
                self._load(f"{self._dataset}.{name}", work.columns, work.rows("csv"), work)
            else:
                if (table.labels or {}).get(MARK_LABEL) != work.before:
                    raise TargetChanged(
                        f"Table {self._dataset}.{name} is not as this run found it; the next run "
                        "fills it anew."
                    )
                self._merge(work)
            work.about_to_commit()
            table = self._client.get_table(f"{self._dataset}.{name}")
            table.labels = {EXPORT_LABEL: self._uid, MARK_LABEL: digest(work.mark)}
            self._client.update_table(table, ["labels"])

    def _prepare(self, work: Work) -> Any:
        """The table with every column that is wanted, made if need be."""
        name = work.dataset.name
        table = self._find(name)
        if table is None:
            dataset = self._bq.Dataset(self._dataset)
            if self._location:
                dataset.location = self._location
            self._client.create_dataset(dataset, exists_ok=True)
            return self._client.create_table(self._new(work.dataset, work.columns))
        known = {field.name: field.field_type for field in table.schema}
        for column in work.columns:
            there = known.get(column.name)
            if there and _OLD_NAMES.get(there, there) != _TYPES[column.type]:
                raise TargetChanged(
                    f"Column {column.name} of table {self._dataset}.{name} is {there} now, not "
                    f"{_TYPES[column.type]}. Change it back, or drop the table: the next run makes "
                    "it anew."
                )
        missing = [one for one in work.columns if one.name not in known]
        if missing:  # only of a run that writes everything: `states` gives no mark then
            self._client.delete_table(table)
            return self._client.create_table(self._new(work.dataset, work.columns))
        return table

    def _new(self, dataset: Dataset, columns: Sequence[Column]) -> Any:
        table = self._bq.Table(f"{self._dataset}.{dataset.name}", schema=self._fields(columns))
        table.labels = {EXPORT_LABEL: self._uid}
        table.description = "Kept by Kartoteka: read it, do not write. Rows are replaced."
        if dataset.month_of:
            table.time_partitioning = self._bq.TimePartitioning(type_="DAY", field=dataset.month_of)
        names = {one.name for one in columns}
        if (scope := next((one.column for one in dataset.scopes), None)) in names:
            table.clustering_fields = [scope]
        return table

    def _fields(self, columns: Sequence[Column]) -> list[Any]:
        return [self._bq.SchemaField(one.name, _TYPES[one.type]) for one in columns]

    def _merge(self, work: Work) -> None:
        """Rows within the scopes go, new ones come: one statement but for erased contacts."""
        stage = f"{self._dataset}._kartoteka_{self._uid}_{work.dataset.name}"
        first, *others = work.scopes
        ids = [Column("id", Type.BIGINT)]
        for column, some in others:
            if some:
                self._stage(f"{stage}_ids", tuple(ids), _lines(some), work, counted=False)
                self._dml(
                    f"DELETE FROM `{self._dataset}.{work.dataset.name}` WHERE `{column}` IN "  # noqa: S608  names of ours
                    f"(SELECT id FROM `{stage}_ids`)",
                    work,
                )
        self._stage(f"{stage}_rows", work.columns, work.rows("csv"), work, counted=True)
        self._stage(f"{stage}_ids", tuple(ids), _lines(first[1]), work, counted=False)
        self._dml(self._statement(work, stage, first[0]), work)
        for suffix in ("rows", "ids"):
            self._client.delete_table(f"{stage}_{suffix}", not_found_ok=True)

    def _statement(self, work: Work, stage: str, scope: str) -> str:
        names = ", ".join(f"`{one.name}`" for one in work.columns)
        nulls = ", ".join(f"CAST(NULL AS {_TYPES[one.type]})" for one in work.columns)
        bounds = ""
        if work.dataset.month_of:  # lets BigQuery leave out partitions that hold none of the rows
            bounds = self._bounds(work.dataset.month_of, f"{stage}_rows")
        return (
            f"MERGE `{self._dataset}.{work.dataset.name}` T USING ("  # noqa: S608  names of ours
            f"SELECT CAST(NULL AS INT64) AS kartoteka_scope, {names} FROM `{stage}_rows` "
            f"UNION ALL SELECT id, {nulls} FROM `{stage}_ids`) S "
            f"ON T.`{scope}` = S.kartoteka_scope{bounds} "
            "WHEN MATCHED THEN DELETE "
            "WHEN NOT MATCHED AND S.kartoteka_scope IS NULL THEN "
            f"INSERT ({names}) VALUES ({names})"
        )

    def _bounds(self, column: str, stage: str) -> str:
        rows = self._client.query_and_wait(
            f"SELECT MIN(`{column}`), MAX(`{column}`) FROM `{stage}`"  # noqa: S608  names of ours
        )
        low, high = next(iter(rows))
        if low is None:
            return ""
        return (
            f" AND T.`{column}` BETWEEN TIMESTAMP '{low.isoformat()}' "
            f"AND TIMESTAMP '{high.isoformat()}'"
        )

    def _dml(self, statement: str, work: Work) -> None:
        work.check()
        job = self._client.query(statement)
        job.result(timeout=_WITHIN_S)

    def _stage(
        self,
        name: str,
        columns: tuple[Column, ...],
        blocks: Iterator[bytes],
        work: Work,
        *,
        counted: bool,
    ) -> None:
        """A staging table with these rows; one that a killed run left behind goes by itself."""
        import datetime as dt

        self._client.delete_table(name, not_found_ok=True)
        table = self._bq.Table(name, schema=self._fields(columns))
        now = dt.datetime.now(dt.UTC)
        table.expires = now + dt.timedelta(milliseconds=_STAGING_LIVES_MS)
        self._client.create_table(table)
        self._load(name, columns, blocks, work, counted=counted)

    def _load(
        self,
        name: str,
        columns: tuple[Column, ...],
        blocks: Iterator[bytes],
        work: Work,
        *,
        counted: bool = True,
    ) -> None:
        """Replace that table by these rows, in one load job over a resumable upload."""
        from kartoteka.exports.model import Done

        done = work.done if counted else Done()
        with tempfile.TemporaryFile() as file:
            write_parquet(file, columns, blocks, done, work.check)
            size = file.tell()
            file.seek(0)
            config = self._bq.LoadJobConfig(
                source_format="PARQUET",
                write_disposition="WRITE_TRUNCATE",
                schema=self._fields(columns),
            )
            if work.dataset.month_of and counted and work.full:
                config.time_partitioning = self._bq.TimePartitioning(
                    type_="DAY", field=work.dataset.month_of
                )
                config.clustering_fields = [work.dataset.scopes[0].column]
            # Without a size the client uploads in resumable pieces.
            job = self._client.load_table_from_file(file, name, job_config=config)
            job.result(timeout=_WITHIN_S)
            done.bytes += size


def _lines(ids: Sequence[int]) -> Iterator[bytes]:
    for start in range(0, len(ids), 50_000):
        yield b"".join(b"%d\n" % one for one in ids[start : start + 50_000])


def _library() -> Any:
    try:
        from google.cloud import bigquery
    except ImportError:
        raise TargetMissingExtra(
            "BigQuery needs packages more: pip install 'kartoteka[bigquery]'."
        ) from None
    return bigquery


def _token_source(credentials: dict[str, str] | None) -> Any:
    if credentials is None:
        from google.auth.credentials import AnonymousCredentials

        return AnonymousCredentials()  # type: ignore[no-untyped-call]
    from google.oauth2.service_account import Credentials

    try:
        return Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
            credentials, scopes=["https://www.googleapis.com/auth/bigquery"]
        )
    except ValueError:
        raise TargetDenied("The private key of the service account cannot be read.") from None


@contextmanager
def _in_words(doing: str) -> Iterator[None]:
    """Raises `TargetFailed` with a sentence instead of Google's errors."""
    from google.api_core import exceptions as api
    from google.auth import exceptions as auth
    from requests.exceptions import RequestException

    try:
        yield
    except (api.Forbidden, api.TooManyRequests) as error:
        reason = str((error.errors or [{}])[0].get("reason", ""))
        if "quota" in reason.lower() or "rate" in reason.lower() or error.code == 429:
            raise TargetFull(
                f"A quota of BigQuery is used up, while {doing}; the next run tries again."
            ) from error
        raise TargetDenied(
            f"The service account lacks a right, while {doing}: it needs BigQuery Data Editor and "
            "BigQuery Job User."
        ) from error
    except api.Unauthorized as error:
        raise TargetDenied("Google does not accept the service account's key.") from error
    except auth.GoogleAuthError as error:
        raise TargetDenied("Google does not accept the service account's key.") from error
    except api.NotFound as error:
        raise TargetChanged(f"Something that was there is gone, while {doing}.") from error
    except (api.BadRequest, api.Conflict) as error:
        raise TargetChanged(
            f"BigQuery refused what was asked, while {doing}: a table is not what this export made. "
            "Drop it, and the next run makes it anew."
        ) from error
    except (api.GoogleAPICallError, api.RetryError, RequestException, TimeoutError) as error:
        raise TargetUnreachable(
            f"BigQuery does not answer, while {doing}; the next run goes on."
        ) from error
    except OSError as error:
        raise TargetFailed(
            f"The server's own disk could not take what is to be sent ({error.strerror})."
        ) from error
