"""Websites that an account tracks: their domains, their keys, the script they embed."""
