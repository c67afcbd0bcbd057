"""PostgreSQL: the embedded server, connections, named queries, arrays, migrations."""
