"""Calls to BigQuery through Google's client: repeated while it makes sense, ended when told to.

Google's own retries would go on for ten minutes and more, whoever waits; here a run can be stopped at
any time, and each step of it has one id under which it is repeated, so that nothing is done twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import urlsplit

from kartoteka.exports.datasets import Column, Type
from kartoteka.exports.errors import Stopped, TargetMissingExtra
from kartoteka.exports.targets.base import Surroundings
from kartoteka.exports.targets.bigquery_errors import is_an_answer, is_passing
from kartoteka.exports.targets.bigquery_settings import token_source
from kartoteka.exports.targets.hosts import addresses_of
from kartoteka.exports.targets.parquet import need_pyarrow

Result = TypeVar("Result")
Announce = Callable[[str], None]
TIMEOUT_S = (10.0, 60.0)
"""Of one request: to connect, to be answered."""
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
PATIENCE_S = 180.0
"""Pauses of one call together."""
FIRST_PATIENCE_S = 5.0
"""The same as long as nobody has ever answered: an address that is wrong."""
TYPES = {
    Type.BIGINT: "INT64",
    Type.INTEGER: "INT64",
    Type.NUMERIC: "NUMERIC",
    Type.TEXT: "STRING",
    Type.JSON: "STRING",
    Type.BOOLEAN: "BOOL",
    Type.TIME: "TIMESTAMP",
}


def pauses(patience_s: float) -> Iterator[float]:
    """Growing pauses between calls, in seconds, which together are not more than that."""
    pause, left = FIRST_PAUSE_S, patience_s
    while pause <= left:
        yield pause
        left -= pause
        pause = min(pause * 2, LONGEST_PAUSE_S)


class Service:
    """A client of one project and dataset."""

    def __init__(self, full: dict[str, Any], surroundings: Surroundings) -> None:
        self.bq = _library()
        need_pyarrow()
        self.dataset = f"{full['project']}.{full['dataset']}"
        self._wanted: str | None = full["location"]
        self._location = self._wanted
        if full["endpoint"]:
            addresses_of(urlsplit(full["endpoint"]).hostname or "", surroundings)
        self._client = self.bq.Client(
            project=full["project"],
            credentials=token_source(full["credentials"]),
            client_options={"api_endpoint": full["endpoint"]} if full["endpoint"] else None,
        )
        if full["endpoint"]:  # only the address that was checked, not one that it names
            self._client._http.max_redirects = 0  # noqa: SLF001  there is no other way to say it
        self._stopping = threading.Event()
        self._was_answered = False

    def stop(self) -> None:
        """Let whoever waits end with `Stopped`; from another thread."""
        self._stopping.set()

    def close(self) -> None:
        self._client.close()

    def ask(self, call: Callable[..., Result], *values: Any, **named: Any) -> Result:
        """The answer of a method of the client, called again after growing pauses while it may help.

        Raises Google's last error, or `Stopped`.
        """
        waiting = pauses(PATIENCE_S if self._was_answered else FIRST_PATIENCE_S)
        while True:
            try:
                answer = call(*values, **named, timeout=TIMEOUT_S)
            except Exception as error:
                self._was_answered |= is_an_answer(error)
                pause = next(waiting, None) if is_passing(error) else None
                if pause is None:
                    raise
                self._pause(pause)
            else:
                self._was_answered = True
                return answer

    def _pause(self, seconds: float) -> None:
        if self._stopping.wait(seconds):
            raise Stopped

    def table(self, name: str) -> Any:
        """The table; None where there is none, or no dataset."""
        return self._find(self._client.get_table, f"{self.dataset}.{name}")

    def find_location(self) -> str | None:
        """Where the dataset lies, and so where jobs run; None where there is no dataset."""
        dataset = self._find(self._client.get_dataset, self.dataset)
        if dataset is None:
            return None
        where: str = dataset.location
        self._location = where
        return where

    def _find(self, get: Callable[..., Any], name: str, **named: Any) -> Any:
        from google.api_core.exceptions import NotFound

        try:
            return self.ask(get, name, **named, retry=None)
        except NotFound:
            return None

    def make_dataset(self) -> None:
        """Where it is missing. Who may only write into one may not even ask for one that is there."""
        if self.find_location() is None:
            dataset = self.bq.Dataset(self.dataset)
            if self._wanted:
                dataset.location = self._wanted
            self.ask(self._client.create_dataset, dataset, exists_ok=True, retry=None)
            self.find_location()

    def make_table(self, table: Any) -> Any:
        return self.ask(self._client.create_table, table, exists_ok=True, retry=None)

    def drop(self, name: str) -> None:
        self.ask(self._client.delete_table, f"{self.dataset}.{name}", not_found_ok=True, retry=None)

    def label(self, name: str, labels: dict[str, str]) -> None:
        """Set these labels of a table, whatever its others are."""
        table = self.bq.Table(f"{self.dataset}.{name}")
        table.labels = labels
        self.ask(self._client.update_table, table, ["labels"], retry=None)

    def fields(self, columns: Sequence[Column]) -> list[Any]:
        return [self.bq.SchemaField(one.name, TYPES[one.type]) for one in columns]

    def try_to_drop(self, name: str) -> None:
        """Drop a table that does no harm if it stays."""
        with suppress(Exception):
            self._client.delete_table(
                f"{self.dataset}.{name}", not_found_ok=True, retry=None, timeout=TIMEOUT_S
            )

    def query(self, statement: str, step: str, announce: Announce | None = None) -> Any:
        """Run a statement to its end. `announce` is told the id of each job before there is one."""

        def begin(job_id: str, **timeout: Any) -> Any:
            return self._client.query(
                statement,
                job_id=job_id,
                job_retry=None,
                retry=None,
                location=self._location,
                **timeout,
            )

        return self._carry_out(begin, step, announce)

    def load(
        self, file: Any, name: str, config: Any, step: str, announce: Announce | None = None
    ) -> Any:
        """Load that Parquet file into a table: a resumable upload, then a job."""

        def begin(job_id: str, **timeout: Any) -> Any:
            return self._client.load_table_from_file(
                file,
                f"{self.dataset}.{name}",
                rewind=True,
                num_retries=0,  # `ask` does that
                job_id=job_id,
                job_config=config,
                location=self._location,
                **timeout,
            )

        return self._carry_out(begin, step, announce)

    def _carry_out(self, begin: Callable[..., Any], step: str, announce: Announce | None) -> Any:
        """A job to its end. A call that got no answer is made again with the id of the first, and finds
        the job that it made; a job that failed for a reason that passes is made anew."""
        for number, pause in enumerate((*pauses(PATIENCE_S), None), 1):
            job_id = f"{step}_{number}"
            if announce is not None:
                announce(job_id)
            job = self._begin(begin, job_id)
            self._wait(job)
            error = job.exception(timeout=TIMEOUT_S[1])
            if error is None:
                return job
            if pause is None or not is_passing(error):
                raise error
            self._pause(pause)
        raise AssertionError

    def _begin(self, begin: Callable[..., Any], job_id: str) -> Any:
        from google.api_core.exceptions import Conflict

        try:
            return self.ask(begin, job_id)
        except Conflict:
            return self.ask(self._client.get_job, job_id, location=self._location, retry=None)

    def _wait(self, job: Any) -> None:
        pause = 0.05
        while not self.ask(job.done, retry=None):
            try:
                self._pause(pause)
            except Stopped:
                self._cancel(job)
                raise
            pause = min(pause * 1.5, 5.0)

    def _cancel(self, job: Any) -> None:
        with suppress(Exception):  # it is asked for; who takes the table over waits for it
            job.cancel(retry=None, timeout=TIMEOUT_S[0])

    def settle(self, job_id: str | None) -> None:
        """End a job that a run left behind: it must not write after whoever comes now."""
        job = self._find(self._client.get_job, job_id, location=self._location) if job_id else None
        if job is not None and not self.ask(job.done, retry=None):
            self._cancel(job)
            self._wait(job)


def _library() -> Any:
    try:
        from google.cloud import bigquery
    except ImportError:
        raise TargetMissingExtra(
            "BigQuery needs packages more: pip install 'kartoteka[bigquery]'."
        ) from None
    return bigquery
