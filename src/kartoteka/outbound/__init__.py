"""Connections to addresses that users give: the only way out of the server (decision 0010)."""
