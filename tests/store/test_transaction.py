"""A transaction's statements travel together, each prepared once on its connection."""

from __future__ import annotations

from kartoteka.db.database import Database
from kartoteka.db.named import Query
from kartoteka.db.transaction import transaction

DOUBLE = Query("test_double", "select %(n)s::integer * 2", "twice that")


async def test_one_statement_twice_in_one_round_trip(database: Database):
    """On a connection that does not know it yet, and on one that does."""
    for _ in range(2):
        async with transaction(database) as tx:
            rows = await tx.run((DOUBLE, {"n": 1}), (DOUBLE, {"n": 2}))
            assert rows == [[(2,)], [(4,)]]
