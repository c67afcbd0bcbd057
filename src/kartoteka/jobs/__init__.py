"""Background work, queued in the same PostgreSQL by procrastinate."""
