"""`kartoteka db`: the database, reached with PostgreSQL's own programs."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any, BinaryIO

import click

from kartoteka.cli.database import database_url_of, reachable_database
from kartoteka.db.programs import connection_environment, find_program
from kartoteka.settings import load_settings

EMPTY_SCHEMA = """
drop schema public cascade;
create schema public;
alter schema public owner to pg_database_owner;
comment on schema public is 'standard public schema';
grant usage on schema public to public
"""
RESTORED = (files("kartoteka.db") / "restored.sql").read_bytes()
"""What a restored database is told before it is committed."""


@click.group()
def db() -> None:
    """Look into the database, back it up, restore it.

    \b
    Examples:
      kartoteka db url
      kartoteka db psql -c 'select count(*) from contact'
      kartoteka db dump backup.dump
      kartoteka db restore backup.dump
    """


@db.command()
def url() -> None:
    """Print a libpq URL of the running database, password included.

    \b
    Examples:
      kartoteka db url
      psql "$(kartoteka db url)"
    """
    click.echo(database_url_of(load_settings(os.environ)))


@db.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def psql(arguments: tuple[str, ...]) -> None:
    """Open psql on the database; arguments go to psql.

    \b
    Examples:
      kartoteka db psql
      kartoteka db psql -c 'select count(*) from contact'
    """
    _run("psql", list(arguments))


@db.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def dump(file: Path) -> None:
    """Write the whole database to FILE (pg_dump's custom format), readable by you alone.

    It holds personal data. Keep the secret key too: a restored database needs the same one. An older
    backup of that name is replaced only by a whole new one.

    \b
    Examples:
      kartoteka db dump backup.dump
    """
    try:
        if file.exists() and not file.is_file():  # /dev/stdout, a pipe
            with file.open("wb") as out:
                _dump_into(out)
            return
        _replace_whole(file.resolve())
    except OSError as error:
        raise click.FileError(str(file), error.strerror) from None


def _replace_whole(file: Path) -> None:
    """The disk may be full, the database away: then what was there stays."""
    partial = file.with_name(f"{file.name}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as out:
            _dump_into(out)
            os.fsync(out.fileno())
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def _dump_into(out: BinaryIO) -> None:
    _run("pg_dump", ["--format=custom", "--no-owner", "--no-privileges"], stdout=out)


@db.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
def restore(file: Path, *, yes: bool) -> None:
    """Replace the whole database by what is in FILE, all of it or nothing.

    Stop the server first, or start it again afterwards: it remembers keys and settings for a while.

    \b
    Examples:
      kartoteka db restore backup.dump
      kartoteka db restore --yes backup.dump
    """
    if not yes:
        click.confirm("Everything in the database is replaced. Go on?", abort=True)
    with reachable_database(load_settings(os.environ)) as database_url:
        _restore(file, connection_environment(database_url))


def _restore(file: Path, environment: dict[str, str]) -> None:
    """One transaction, from an empty schema to a full one; committed only after the whole file.

    pg_restore's own `--clean` cannot drop the indexes of partitions.
    """
    reader = subprocess.Popen(
        [find_program("pg_restore"), "--no-owner", "--no-privileges", "--file=-", str(file)],
        env=environment,
        stdout=subprocess.PIPE,
    )
    writer = subprocess.Popen(
        [find_program("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"],
        env=environment | {"PGOPTIONS": "-c client_min_messages=warning"},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    assert reader.stdout is not None
    assert writer.stdin is not None
    with contextlib.suppress(BrokenPipeError):  # psql ended: its exit code says so below
        writer.stdin.write(f"begin;{EMPTY_SCHEMA};\n".encode())
        shutil.copyfileobj(reader.stdout, writer.stdin)
        if reader.wait() == 0:
            writer.stdin.write(RESTORED + b"commit;\n")
        else:
            writer.kill()  # a dump that is cut off must not be half restored
        writer.stdin.close()
    reader.stdout.close()
    if failed := writer.wait() or reader.wait():
        sys.exit(abs(failed))


def _run(program: str, arguments: list[str], **options: Any) -> None:
    """Run it on the database; an exit code other than 0 becomes ours.

    The password goes by the environment: arguments are seen by every user of the machine.
    """
    with reachable_database(load_settings(os.environ)) as database_url:
        environment = connection_environment(database_url)
        prefer_system = program == "psql"
        path = find_program(program, prefer_system=prefer_system)
        done = subprocess.run([path, *arguments], env=environment, check=False, **options)
    if done.returncode:
        sys.exit(done.returncode)
