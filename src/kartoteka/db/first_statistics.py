"""What the planner is told of a table before PostgreSQL has looked at any of its rows.

Without statistics PostgreSQL takes an account for a two-hundredth of its table, however few accounts
there are. A plan that reads the whole account then seems as good as one that looks a contact up, and is
kept while a first import fills the table. That one account may hold all rows is true of every table of
ours; the first ANALYZE replaces it by what is.
"""

from __future__ import annotations

from kartoteka.db.database import Connection

_SINCE = 180000
"""Older servers take no statistics from anybody but a superuser: there the first ANALYZE mends it."""

_ONE_ACCOUNT = """
select pg_restore_attribute_stats(
    'schemaname', current_schema()::text, 'relname', c.relname::text, 'attname', 'account_id',
    'inherited', c.relkind = 'p', 'null_frac', 0::real, 'avg_width', 4, 'n_distinct', 1::real
)
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attname = 'account_id' and not a.attisdropped
where c.relnamespace = current_schema()::regnamespace
  and c.relkind in ('r', 'p')
  and c.reltuples < 0
  and pg_has_role(c.relowner, 'usage')
  and not exists (
      select from pg_stats s
      where s.schemaname = current_schema() and s.tablename = c.relname and s.attname = 'account_id'
  )"""


async def tell_planner(connection: Connection) -> None:
    """Say of every table that nobody has analysed yet that one account may hold all of it."""
    if connection.info.server_version >= _SINCE:
        await connection.execute(_ONE_ACCOUNT)
