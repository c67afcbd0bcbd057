"""Tells other systems what happens to contacts and segments: signed, in order, until it is received."""
