"""A transaction's statements travel together, each prepared once on its connection."""

from __future__ import annotations

import pytest

from kartoteka.db.database import Database
from kartoteka.db.named import Query
from kartoteka.db.transaction import transaction
from kartoteka.errors import NotFound

DOUBLE = Query("test_double", "select %(n)s::integer * 2", "twice that")
ECHO = Query("test_echo", "select %(b)s::bytea, %(n)s::integer", "the same again")


async def test_one_statement_twice_in_one_round_trip(database: Database):
    """On a connection that does not know it yet, and on one that does."""
    for _ in range(2):
        async with transaction(database) as tx:
            rows = await tx.run((DOUBLE, {"n": 1}), (DOUBLE, {"n": 2}))
            assert rows == [[(2,)], [(4,)]]


async def test_bytes_go_and_come_as_they_are(database: Database):
    """Beside texts in the same statement; read alone they are not spelled out either."""
    for body in (b"", b"\x00\\x27\xff", bytes(range(256)) * 100):
        async with transaction(database) as tx:
            [[(echoed, number)]] = await tx.run((ECHO, {"b": body, "n": 7}))
            assert (bytes(echoed), number) == (body, 7)
        assert await database.fetch_bytes("select %(b)s::bytea", b=body) == body
    assert await database.fetch_bytes("select ''::bytea where false") is None


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
