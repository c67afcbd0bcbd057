"""An export of all contacts to PostgreSQL, and the next run after 1,000 changes.

The floor copies the same rows out of the service's tables and into a table without indexes: two `psql`
with a pipe between them. Both write into a second database of the same PostgreSQL.
"""

from __future__ import annotations

import random
import secrets
import string
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import msgspec
import psycopg
from psycopg import sql

from bench.calls import Client, Unexpected
from bench.figures import Cost, Measured
from bench.jobs.base import Checked, OwnJob
from bench.setting import Length, Setting, say
from kartoteka.db.programs import find_program
from kartoteka.exports.datasets import BY_NAME, LATEST

CHANGES = 1_000
MOST_ROUNDS = 3
NEXT_WITHIN_S = 2.0
_CONTACTS = BY_NAME["contacts"]


@contextmanager
def warehouse(setting: Setting) -> Iterator[str]:
    """A second database on the server's PostgreSQL."""
    name = f"bench_warehouse_{secrets.token_hex(4)}"
    url = setting.server.database_url
    _administer(url, "create database {}", name)
    try:
        yield urlsplit(url)._replace(path=f"/{name}").geturl()
    finally:  # not by force: an autovacuum worker in it may only be ended by a superuser
        _administer(url, "drop database {}", name)


def _administer(url: str, statement: str, name: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))  # type: ignore[arg-type]


def copy_over(setting: Setting, target: str, table: str) -> float:
    """Seconds that the floor takes."""
    columns = _CONTACTS.columns_of(LATEST, keep_removed=False)
    select = _CONTACTS.select(columns, everything=True)
    with psycopg.connect(setting.server.database_url) as connection:
        params = {"account_id": setting.account_id, "everything": True, "last_status": 0}
        connection.execute("create temporary table changed_contact (contact_id bigint)")
        with psycopg.ClientCursor(connection) as cursor:
            text = cursor.mogrify(select, params)
    with psycopg.connect(target, autocommit=True) as connection:
        names = ", ".join(f'"{one.name}" {one.type}' for one in columns)
        connection.execute(f"create table {table} ({names})")
    psql = str(find_program("psql"))
    started = time.perf_counter()
    make = "create temporary table changed_contact (contact_id bigint);"
    out = subprocess.Popen(
        [psql, "-qXc", make, "-c", f"copy ({text}) to stdout", setting.server.database_url],
        stdout=subprocess.PIPE,
    )
    subprocess.run([psql, "-qXc", f"copy {table} from stdin", target], stdin=out.stdout, check=True)
    assert out.stdout is not None
    out.stdout.close()
    if out.wait():
        raise Unexpected("the floor's psql failed")
    return time.perf_counter() - started


def run(client: Client, export_id: int) -> tuple[dict[str, Any], float]:
    """One run to its end, and the seconds from asking to the answer."""
    started = time.perf_counter()
    found = client.post(f"/api/v1/exports/{export_id}/run?wait=true")
    if found["state"] != "finished":
        raise Unexpected(f"the run is {found['state']}: {found['error']}")
    return found, time.perf_counter() - started


def make_export(client: Client, target: str, schema: str) -> int:
    body = {
        "name": schema,
        "target": "postgres",
        "settings": {"url": target, "schema": schema},
        "datasets": ["contacts"],
        "paused": True,
    }
    return int(client.post("/api/v1/exports", msgspec.json.encode(body))["id"])


def change_some(setting: Setting, client: Client) -> None:
    """Another first name for so many contacts, one call each."""
    for person in random.sample(range(1, setting.contacts + 1), CHANGES):
        name = "".join(random.choices(string.ascii_lowercase, k=12))
        body = {"externalCustomerId": f"crm-{person:07}", "firstName": name}
        client.post("/api/v1/contact", msgspec.json.encode(body))


def measure(job: OwnJob, setting: Setting, length: Length) -> Measured:
    """Rounds: floor, ours, floor; then a run after changes."""
    measured = Measured(job, setting.processes)
    client = Client(setting.server)
    with warehouse(setting) as target:
        for number in range(min(length.rounds, MOST_ROUNDS) + 1):
            try:
                _round(measured, setting, client, target, number)
            except Unexpected as error:
                measured.failure = str(error)
                say(f"  {error}")
                return measured
    return measured


def _round(measured: Measured, setting: Setting, client: Client, target: str, number: int) -> None:
    spent = [setting.server.cpu_s()]
    least = copy_over(setting, target, f"floor_{number}_a")
    spent.append(setting.server.cpu_s())
    export_id = make_export(client, target, f"round{number}")
    done, seconds = run(client, export_id)
    spent.append(setting.server.cpu_s())
    least = (least + copy_over(setting, target, f"floor_{number}_b")) / 2
    rows = done["rows"]
    cost = Cost(
        of_ours=(spent[2] - spent[1]).ours * 1e6 / rows,
        of_database=(spent[2] - spent[1]).database * 1e6 / rows,
        of_floor=(spent[1] - spent[0]).database * 1e6 / rows,
    )
    change_some(setting, client)
    after, next_s = run(client, export_id)
    say(
        f"  {'round' if number else 'warm-up'}: floor {rows / least:,.0f} rows/s, ours "
        f"{rows / seconds:,.0f} rows/s, {least / seconds:.2f}; next run {next_s:.2f} s; "
        f"processor time: {cost}"
    )
    right = _same(target, number) == (rows, rows) and after["rows"] == CHANGES
    if number:
        measured.floor.add(rows / least, [int(least * 1e6)])
        measured.ours.add(rows / seconds, [int(seconds * 1e6)])
        measured.costs.append(cost)
        measured.note(
            Checked(
                f"{rows:,} rows, each once; the next run after {CHANGES:,} changes wrote "
                f"{after['rows']:,} rows in {next_s:.2f} s",
                right and next_s < NEXT_WITHIN_S,
            )
        )


def _same(target: str, number: int) -> tuple[Any, ...]:
    """How many rows the export's table has, and how many of them the floor's has too."""
    statement = (
        f'select count(*), count(f."contactId") from round{number}.contacts c '
        f'left join floor_{number}_b f using ("contactId")'
    )
    with psycopg.connect(target) as connection:
        return tuple(connection.execute(statement).fetchone() or ())  # type: ignore[arg-type]


def keep_busy(setting: Setting, seconds: float) -> None:
    """One export after the other."""
    client = Client(setting.server)
    until = time.monotonic() + seconds
    with warehouse(setting) as target:
        while time.monotonic() < until:
            run(client, make_export(client, target, f"busy{secrets.token_hex(4)}"))


JOB = OwnJob(
    name="export",
    title="export of all contacts to PostgreSQL, first run",
    measure=measure,
    keep_busy=keep_busy,
    floor_says="`copy` out of the same select and `copy` into a table without indexes, by two `psql`",
    target=0.4,
    unit=" rows",
)
