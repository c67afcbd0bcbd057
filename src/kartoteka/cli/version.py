"""`kartoteka version`."""

from __future__ import annotations

import click

from kartoteka import __version__


@click.command()
def version() -> None:
    """Print the version.

    \b
    Example:
      kartoteka version
    """
    click.echo(f"kartoteka {__version__}")
