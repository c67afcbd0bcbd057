"""A byte search of all that an installation keeps: every table, the files, the log (decisions D29)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import psycopg
from psycopg import sql

_TABLES = """
select n.nspname, c.relname
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'm')
  and n.nspname !~ '^pg_'
  and n.nspname <> 'information_schema'
order by 1, 2
"""
"""Ordinary tables, partitions among them, of every schema: ours and the queue's."""


def bytes_of_tables(url: str) -> dict[str, bytes]:
    """Every table as PostgreSQL copies it out in binary: texts as they are, bytes as they are."""
    found: dict[str, bytes] = {}
    with psycopg.connect(url, autocommit=True) as connection:
        assert connection.execute("select count(*) from pg_largeobject_metadata").fetchone() == (0,)
        for schema, table in connection.execute(_TABLES).fetchall():
            name = sql.Identifier(schema, table)
            statement = sql.SQL("copy {} to stdout with (format binary)")
            with connection.cursor() as cursor, cursor.copy(statement.format(name)) as copy:
                found[f"{schema}.{table}"] = b"".join(bytes(block) for block in copy)
    return found


def bytes_of_files(folder: Path, besides: Iterable[str] = ("postgres",)) -> dict[str, bytes]:
    """Every file below the folder; not the database's own, which `bytes_of_tables` reads."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not set(besides) & set(path.relative_to(folder).parts)
    }


def places_of(words: Iterable[str], *kept: dict[str, bytes]) -> dict[str, list[str]]:
    """By word, where it is found, whatever its case."""
    lowered = {name: content.lower() for one in kept for name, content in one.items()}
    return {
        word: names
        for word in words
        if (names := [name for name, it in lowered.items() if word.lower().encode() in it])
    }
