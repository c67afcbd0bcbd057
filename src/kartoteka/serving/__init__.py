"""Processes: one parent that owns socket and database, workers that answer requests."""
