"""`kartoteka apps`: applications, their access keys, and which of them are trusted."""

from __future__ import annotations

from typing import Any

import click

from kartoteka.access.apps import Apps
from kartoteka.access.model import App, AppKind, NewApp, NewKey
from kartoteka.cli.keys import account_option, key_members
from kartoteka.cli.running import Access, with_access
from kartoteka.cli.tables import json_option, print_json, print_table

app_argument = click.argument("app_id", metavar="APP")
_COLUMNS = ("id", "name", "kind", "trusted", "keys", "created")


@click.group()
def apps() -> None:
    """Applications: a mobile app has access keys for its SDK; tokens are registered under them.

    \b
    Examples:
      kartoteka apps create "Our shop for Android"
      kartoteka apps list
      kartoteka apps trust 6f1c0f0a-7a9b-4f5e-9a54-1f1f3c1f2f11
    """


@apps.command()
@click.argument("name")
@account_option
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in AppKind]),
    default=AppKind.MOBILE.value,
    show_default=True,
    help="mobile: an app with the SDK. web, telegram: where tokens come from.",
)
@click.option("--id", "app_id", help="Its id, where one is in use already; a UUID if not given.")
@click.option(
    "--trusted",
    is_flag=True,
    help="Its calls are believed like those of your server: only for apps that nobody can forge.",
)
@json_option
def create(
    *, name: str, account: str, kind: str, app_id: str | None, trusted: bool, as_json: bool
) -> None:
    """Make the application NAME; a mobile one gets an access key, which is never shown again.

    \b
    Examples:
      kartoteka apps create "Our shop for Android"
      kartoteka apps create "Help desk bot" --kind telegram
    """

    async def work(access: Access) -> NewApp:
        made = await _apps(access, account)
        return await made.create(name, AppKind(kind), trusted=trusted, app_id=app_id)

    new = with_access(work)
    if as_json:
        print_json({**_members(new.app), "key": new.key.text if new.key else None})
        return
    click.echo(f"Application {new.app.name} of account {account} is made; its id:")
    click.echo(new.app.app_id)
    if new.key is not None:
        _print_key(new.key)


@apps.command(name="list")
@account_option
@json_option
def list_(account: str, as_json: bool) -> None:
    """List the applications of an account.

    \b
    Examples:
      kartoteka apps list
      kartoteka apps list --account outlet --json
    """

    async def work(access: Access) -> list[App]:
        return await (await _apps(access, account)).all()

    found = with_access(work)
    if as_json:
        print_json([_members(app) for app in found])
    elif not found:
        click.echo(f"Account {account} has no application yet: kartoteka apps create NAME")
    else:
        print_table(_COLUMNS, [_row(app) for app in found])


@apps.command()
@app_argument
@account_option
def trust(app_id: str, account: str) -> None:
    """Believe what APP says like a call of your server, within a second.

    Whoever takes the access key out of a trusted app can write to anybody's contact with it.

    \b
    Example:
      kartoteka apps trust 6f1c0f0a-7a9b-4f5e-9a54-1f1f3c1f2f11
    """
    _set_trusted(app_id, account, trusted=True)
    click.echo(f"Application {app_id} of account {account} is trusted.")


@apps.command()
@app_argument
@account_option
def distrust(app_id: str, account: str) -> None:
    """Take what APP says as a claim again, within a second.

    \b
    Example:
      kartoteka apps distrust 6f1c0f0a-7a9b-4f5e-9a54-1f1f3c1f2f11
    """
    _set_trusted(app_id, account, trusted=False)
    click.echo(f"Application {app_id} of account {account} is not trusted.")


@apps.command(name="key")
@app_argument
@account_option
@json_option
def key_(app_id: str, account: str, as_json: bool) -> None:
    """Make another access key of APP; `kartoteka keys delete` takes the old one away.

    \b
    Example:
      kartoteka apps key 6f1c0f0a-7a9b-4f5e-9a54-1f1f3c1f2f11
    """

    async def work(access: Access) -> NewKey:
        return await (await _apps(access, account)).add_key(app_id)

    new = with_access(work)
    if as_json:
        print_json({**key_members(new.key), "key": new.text})
    else:
        _print_key(new)


@apps.command()
@app_argument
@account_option
def delete(app_id: str, account: str) -> None:
    """Delete APP and its access keys; tokens stay on the contacts that have them.

    \b
    Example:
      kartoteka apps delete 6f1c0f0a-7a9b-4f5e-9a54-1f1f3c1f2f11
    """

    async def work(access: Access) -> None:
        await (await _apps(access, account)).delete(app_id)

    with_access(work)
    click.echo(f"Application {app_id} of account {account} is deleted, its access keys too.")


async def _apps(access: Access, account: str) -> Apps:
    found = await access.accounts.find(account)
    return Apps(access.database, access.clock, found.account_id)


def _set_trusted(app_id: str, account: str, *, trusted: bool) -> None:
    async def work(access: Access) -> App:
        return await (await _apps(access, account)).change(app_id, trusted=trusted)

    with_access(work)


def _print_key(new: NewKey) -> None:
    click.echo(f"Its access key {new.key.key_id}, the header X-Reteno-Access-Key:")
    click.echo(new.text)
    click.echo("Keep it now: only its hash is stored.")


def _row(app: App) -> tuple[Any, ...]:
    return (app.app_id, app.name, app.kind, app.trusted, app.keys, app.created_at)


def _members(app: App) -> dict[str, Any]:
    return {
        "id": app.app_id,
        "name": app.name,
        "kind": app.kind,
        "trusted": app.trusted,
        "keys": app.keys,
        "createdAt": app.created_at,
    }
