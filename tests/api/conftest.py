"""The real server, and clients that speak HTTP to it."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

COMMAND = str(Path(sys.executable).with_name("kartoteka"))
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def api(server: Any) -> Iterator[httpx.Client]:
    """A client with a key of full rights."""
    with httpx.Client(base_url=server.url, auth=("", server.key), timeout=120) as client:
        yield client


@pytest.fixture(scope="module")
def stranger(server: Any) -> Iterator[httpx.Client]:
    """A client without a key."""
    with httpx.Client(base_url=server.url, timeout=120) as client:
        yield client


@pytest.fixture(scope="module")
def keys(server: Any) -> dict[str, str]:
    """A key for each of the rights of decisions D21, and one of every other kind."""
    made = {"full": server.key}
    for rights in ("contacts", "contacts_write", "events"):
        made[rights] = make_key(server, "--rights", rights)
    for kind in ("write", "browser", "app"):
        made[kind] = make_key(server, "--kind", kind)
    return made


def make_key(server: Any, *options: str) -> str:
    """A new key of the running server, made with the command line."""
    done = subprocess.run(
        [COMMAND, "keys", "create", *options],
        check=False,
        env={"KARTOTEKA_DATA_DIR": str(server.log.parent / "data"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return next(word for word in done.stdout.split() if word.startswith("kk_"))


@pytest.fixture
def name() -> str:
    """A word that no other test of this run uses: for External IDs and addresses."""
    return f"t{next(_numbers)}-{id(object()):x}"
