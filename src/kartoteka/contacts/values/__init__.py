"""What may stand on a card: one file per kind of value, each from JSON to the stored text."""
