"""Stories against the real server, with a look into its database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest

from kartoteka.db.embedded import running_url


@pytest.fixture(scope="module")
def api(server: Any) -> Iterator[httpx.Client]:
    """A shop's server: it has a key of full rights."""
    with httpx.Client(
        base_url=server.url + "/api/v1", auth=("", server.key), timeout=120
    ) as client:
        yield client


@pytest.fixture(scope="module")
def database(server: Any) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A connection to the database under the running server."""
    url = running_url(server.log.parent / "data")
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection
