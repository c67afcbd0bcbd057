"""`make bench`: every claim about speed, as a ratio to what the database alone can do in the same run.

Each job is one file of `jobs/`; its floor is a pgbench script of `floors/`. Both sides run in turn on
one embedded PostgreSQL, in two databases with the same tables, indexes and contacts.
"""
