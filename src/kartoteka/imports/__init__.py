"""Bulk calls and files: rows that go through the engine in batches, with an outcome for every row."""
