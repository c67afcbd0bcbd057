"""The command `kartoteka`."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from kartoteka.errors import KartotekaError, SettingsError

COMMANDS = {
    "serve": "kartoteka.cli.serve:serve",
    "worker": "kartoteka.cli.worker:worker",
    "migrate": "kartoteka.cli.migrate:migrate",
    "keys": "kartoteka.cli.keys:keys",
    "apps": "kartoteka.cli.apps:apps",
    "accounts": "kartoteka.cli.accounts:accounts",
    "users": "kartoteka.cli.users:users",
    "fields": "kartoteka.cli.fields:fields",
    "identity": "kartoteka.cli.identity:identity",
    "segments": "kartoteka.cli.segments:segments",
    "webhooks": "kartoteka.cli.webhooks:webhooks",
    "import": "kartoteka.cli.import_file:import_file",
    "imports": "kartoteka.cli.imports:imports",
    "export": "kartoteka.cli.export:export",
    "db": "kartoteka.cli.db:db",
    "demo": "kartoteka.cli.demo:demo",
    "version": "kartoteka.cli.version:version",
}
"""Every command and where it is; a module is imported when its command is used."""

EXIT_FAILED = 1
EXIT_WRONG_SETTING = 2


class _Commands(click.Group):
    """A group whose commands are imported when they are asked for: `--help` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(import_module(module), name)
        return command


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
def kartoteka() -> None:
    """One card per customer: a self-hosted customer-identity service.

    Settings come from the environment (KARTOTEKA_PORT and so on) or from kartoteka.toml in the
    current folder.

    \b
    Examples:
      kartoteka serve                        start the server, with its own PostgreSQL
      kartoteka keys create                  make another API key
      kartoteka db psql                      look into the database
    """


def main() -> None:
    """Run the command; one of our errors becomes a sentence and an exit code, not a traceback. So does
    a file that cannot be read or written."""
    try:
        kartoteka()
    except KartotekaError as error:
        click.echo(f"Error: {error.message}", err=True)
        sys.exit(EXIT_WRONG_SETTING if isinstance(error, SettingsError) else EXIT_FAILED)
    except OSError as error:
        if error.filename is None:
            raise
        click.echo(f"Error: {error.filename}: {error.strerror}.", err=True)
        sys.exit(EXIT_FAILED)
