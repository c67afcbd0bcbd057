"""Sets of contacts: lists (static segments) are read here; contacts/lists.py says who joins."""
