"""Whose card is this? Identifier kinds, the rules that find and join cards, and their history."""
