"""Orders: taken, changed, deleted, counted (wire 5)."""
