"""Reads contacts out of what clients send: JSON of the API here, cells of files in `imports`."""
