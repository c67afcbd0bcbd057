"""The command line on the database of a running server."""

from __future__ import annotations

import subprocess

from tests.conftest import COMMAND, Server, clean_environment


def command(server: Server, *arguments: str) -> str:
    """What `kartoteka …` printed; fails where it fails."""
    done = subprocess.run(
        [COMMAND, *arguments],
        env=clean_environment() | {"KARTOTEKA_DATA_DIR": str(server.log.parent / "data")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
