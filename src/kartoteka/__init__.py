"""Kartoteka: one card per customer."""

__version__ = "0.1.0"
