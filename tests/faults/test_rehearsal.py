"""A dry run of a whole file is what then happens, and leaves nothing (decisions D27)."""

from __future__ import annotations

import psycopg
import pytest

from kartoteka.contacts.model import Outcome
from kartoteka.errors import DatabaseUnavailable
from tests.faults.conftest import Shop
from tests.rules import stories

BY_EMAIL = stories.rules("email")


async def test_a_dry_run_whose_connection_broke_begins_anew(shop: Shop):
    """Another connection has nothing of what the rows before would have left."""
    async with shop.engine.rehearsal() as rehearsal:
        row = stories.row(BY_EMAIL, email="a@x.example", first="Ann")
        (created,) = await rehearsal.carry_out(shop.account, [row])
        assert isinstance(created, Outcome)
        with psycopg.connect(shop.url, autocommit=True) as connection:
            connection.execute(
                "select pg_terminate_backend(pid, 5000) from pg_locks"
                " where relation in (select oid from pg_class where relname = 'contact_rehearsed')"
            )
            connection.execute(
                "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
        with pytest.raises(DatabaseUnavailable):
            await rehearsal.carry_out(shop.account, [row])
