"""`kartoteka db`: the database, reached with PostgreSQL's own programs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click

from kartoteka.cli.database import database_url_of, reachable_database
from kartoteka.db.programs import connection_environment, find_program
from kartoteka.settings import load_settings


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
    _run("psql", list(arguments), prefer_system=True)


@db.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def dump(file: Path) -> None:
    """Write the whole database to FILE (pg_dump's custom format), readable by you alone.

    It holds personal data. Keep the secret key too: a restored database needs the same one.

    \b
    Examples:
      kartoteka db dump backup.dump
    """
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
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
    options = ["--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction"]
    _run("pg_restore", [*options, "--dbname=", str(file)])


def _run(
    program: str, arguments: list[str], *, prefer_system: bool = False, stdout: object = None
) -> None:
    """Run it on the database and end with its exit code; the password is not in its arguments."""
    with reachable_database(load_settings(os.environ)) as database_url:
        path = find_program(program, prefer_system=prefer_system)
        environment = connection_environment(database_url)
        done = subprocess.run([path, *arguments], env=environment, stdout=stdout, check=False)  # type: ignore[call-overload]
    if done.returncode:
        sys.exit(done.returncode)
