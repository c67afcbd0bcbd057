"""A transaction's statements travel together, each prepared once on its connection."""

from __future__ import annotations

import pytest

from kartoteka.db.database import Database
from kartoteka.db.named import Query
from kartoteka.db.transaction import transaction
from kartoteka.errors import NotFound

DOUBLE = Query("test_double", "select %(n)s::integer * 2", "twice that")


async def test_one_statement_twice_in_one_round_trip(database: Database):
    """On a connection that does not know it yet, and on one that does."""
    for _ in range(2):
        async with transaction(database) as tx:
            rows = await tx.run((DOUBLE, {"n": 1}), (DOUBLE, {"n": 2}))
            assert rows == [[(2,)], [(4,)]]


async def test_a_connection_that_psycopg_rolled_back_on_is_not_used_again(database: Database):
    """psycopg deallocates every statement then, and ours would be asked for by name in vain."""
    for _ in range(2):
        async with transaction(database) as tx:
            await tx.run((DOUBLE, {"n": 1}))
        with pytest.raises(NotFound):
            await _refuse(database)
        await database.fetch("select 1")


async def _refuse(database: Database) -> None:
    async with database.connection() as connection, connection.transaction():
        await connection.execute("select 1")
        raise NotFound
