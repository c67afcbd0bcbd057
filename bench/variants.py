"""`python -m bench.variants`: which form of the floor of rows is the quickest.

Writes the table that `bench/RESULTS.md` ends with: `floors/variants.md`. About a minute, and only on a
quiet machine does it say anything.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from bench import machine, seed
from bench.jobs.bulk import KNOWN
from bench.rows import COLUMNS, People, read_blocks, write_csv
from bench.scratch import scratch_folder
from bench.setting import say
from bench.table import VARIANTS
from bench.upsert import BATCH_ROWS, CONNECTIONS, QUERIES, Form, by_copy, upsert
from kartoteka.app import prepare_database
from kartoteka.db.embedded import EmbeddedPostgres

CONTACTS, ROWS, ROUNDS = 200_000, 30_000, 3
_ACCOUNT = 1
_NAMES = (
    "external_id, email, phone, first_name, last_name, town, region, postcode, language_code, "
    "contact_key"
)
_ARRAYS = ", ".join(f"%(c{place})s::text[]" for place in range(len(COLUMNS)))
_UPSERT = QUERIES["upsert"].sql
_BY_UNNEST = _UPSERT.replace(
    "with ", f"with stage ({_NAMES}) as (select * from unnest({_ARRAYS})), ", 1
)
_BY_CONFLICT = (
    _UPSERT.partition("   or not exists")[0]
    + """
   or k.kind > 1
order by k.kind, k.value
on conflict (account_id, kind, value_key, ordinal) do update
    set contact_id = excluded.contact_id
    where identifier.contact_id <> excluded.contact_id"""
)
_UNORDERED = _UPSERT.removesuffix("order by k.kind, k.value")


def by_unnest(cursor: psycopg.Cursor[Any], block: bytes, params: dict[str, Any]) -> None:
    """Ten arrays instead of a staged copy."""
    columns = zip(*(line.split(",") for line in block.decode().splitlines()), strict=True)
    arrays = {f"c{place}": f"{{{','.join(column)}}}" for place, column in enumerate(columns)}
    cursor.execute(_BY_UNNEST, params | arrays, prepare=True)


def staged(sql: str) -> Form:
    """A staged copy with another statement behind it."""

    def form(cursor: psycopg.Cursor[Any], block: bytes, params: dict[str, Any]) -> None:
        with cursor.copy(QUERIES["stage"].sql) as copy:
            copy.write(block)
        cursor.execute(sql, params, prepare=True)

    return form


FORMS: dict[str, tuple[Form, int, int]] = {
    "as it is used": (by_copy, BATCH_ROWS, CONNECTIONS),
    "one connection": (by_copy, BATCH_ROWS, 1),
    "1,000 rows a transaction": (by_copy, 1_000, CONNECTIONS),
    "10,000 rows a transaction": (by_copy, 10_000, CONNECTIONS),
    "arrays and `unnest` instead of `copy`": (by_unnest, BATCH_ROWS, CONNECTIONS),
    "`on conflict do update` instead of `not exists`": (
        staged(_BY_CONFLICT),
        BATCH_ROWS,
        CONNECTIONS,
    ),
    "identifiers in the order of the rows": (staged(_UNORDERED), BATCH_ROWS, CONNECTIONS),
}


def main() -> None:
    """All forms in turn, so that a noisy neighbour meets them alike."""
    rates: dict[str, list[float]] = {name: [] for name in FORMS}
    busy = machine.load_average()
    with scratch_folder(None) as folder, EmbeddedPostgres(folder / "data") as database:
        asyncio.run(prepare_database(database.url))
        seed.seed(database.url, CONTACTS, _ACCOUNT)
        files = _files(folder)
        for number, name in itertools.product(range(ROUNDS), FORMS):
            form, size, connections = FORMS[name]
            done = upsert(
                database.url,
                read_blocks(next(files), size),
                _ACCOUNT,
                connections=connections,
                form=form,
            )
            rates[name].append(done.rate)
            say(f"round {number + 1}, {name}: {done.rate:,.0f} rows/s")
        about = machine.describe_machine(database.url)
    text = _table(rates, f"{machine.describe_run()}; {about}; load average before {busy:.1f}")
    VARIANTS.write_text(text, "utf-8")
    say(f"\n{text}\nWritten: {VARIANTS}")


def _files(folder: Path) -> Iterator[Path]:
    """Files of other people each, in turn at the same place."""
    path, known = folder / "rows.csv", int(ROWS * KNOWN)
    for salt in itertools.count(1):
        first = CONTACTS + 1 + salt * (ROWS - known)
        chosen = random.sample(range(1, CONTACTS + 1), known)
        write_csv(path, People(chosen, range(first, first + ROWS - known), salt))
        yield path


def _table(rates: dict[str, list[float]], about: str) -> str:
    """The best first; a median of rounds each."""
    head = (
        "How the floor of rows was found: forms of `floors/upsert_rows.sql`, "
        f"{ROWS:,} rows a round, half of them known, {ROUNDS} rounds in turn "
        f"(`python -m bench.variants`; {about}).\n"
    )
    lines = [
        head,
        "| form | rows a second (lowest to highest) |",
        "| --- | --- |",
    ]
    for name, found in sorted(rates.items(), key=lambda one: -median(one[1])):
        lines.append(f"| {name} | {median(found):,.0f} ({min(found):,.0f} to {max(found):,.0f}) |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
