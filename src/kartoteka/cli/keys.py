"""`kartoteka keys`: make, list, disable, enable and delete API keys."""

from __future__ import annotations

from typing import Any

import click

from kartoteka.access.apps import Apps
from kartoteka.access.bootstrap import ACCOUNT_NAME
from kartoteka.access.model import KEY_RIGHTS, ApiKey, KeyKind, NewKey, Rights
from kartoteka.cli.running import Access, with_access
from kartoteka.cli.tables import json_option, print_json, print_table

account_option = click.option(
    "--account", default=ACCOUNT_NAME, show_default=True, metavar="NAME", help="Which account."
)
number_argument = click.argument("number", type=click.IntRange(1, 2**63 - 1))
_COLUMNS = ("id", "kind", "rights", "key", "enabled", "created", "last used", "description")


@click.group()
def keys() -> None:
    """API keys: what a shop, a plug-in or a page identifies itself with.

    \b
    Examples:
      kartoteka keys create --description "Our shop"
      kartoteka keys create --rights contacts_write --description "Import job"
      kartoteka keys create --kind browser --account outlet
      kartoteka keys list
      kartoteka keys disable 3
    """


@keys.command()
@account_option
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in KeyKind]),
    default=KeyKind.SERVER.value,
    show_default=True,
    help="server: the API. write, browser: Segment-style calls. app: mobile SDK.",
)
@click.option(
    "--rights",
    type=click.Choice([right.stored for right in KEY_RIGHTS]),
    help="What a server key may do; full if not given.",
)
@click.option(
    "--app",
    "app_id",
    metavar="APP",
    help="Whose access key it is, with --kind app; the account's only mobile app if not given.",
)
@click.option("--description", default="", help="What it is for, on one line.")
@json_option
def create(
    *,
    account: str,
    kind: str,
    rights: str | None,
    app_id: str | None,
    description: str,
    as_json: bool,
) -> None:
    """Make a key and print it; it is never shown again.

    \b
    Examples:
      kartoteka keys create
      kartoteka keys create --rights events --description "Till in Lviv"
      kartoteka keys create --kind app --account outlet --json
    """

    async def work(access: Access) -> NewKey:
        right = None if rights is None else Rights[rights.upper()]
        keys = await access.keys_of(account)
        owner = app_id
        if kind == KeyKind.APP:
            owner = await _app_of(access, account, app_id)
        return await keys.create(KeyKind(kind), right, description, owner)

    new = with_access(work)
    if as_json:
        print_json({**key_members(new.key), "key": new.text})
    else:
        click.echo(f"Key {new.key.key_id} of account {account} ({_described(new.key)}):")
        click.echo(new.text)
        click.echo("Keep it now: only its hash is stored.")


@keys.command(name="list")
@account_option
@json_option
def list_(account: str, as_json: bool) -> None:
    """List the keys of an account; of each only its first characters are known.

    \b
    Examples:
      kartoteka keys list
      kartoteka keys list --account outlet --json
    """

    async def work(access: Access) -> list[ApiKey]:
        return await (await access.keys_of(account)).all()

    found = with_access(work)
    if as_json:
        print_json([key_members(key) for key in found])
    else:
        print_table(_COLUMNS, [_row(key) for key in found])


@keys.command()
@number_argument
@account_option
def disable(number: int, account: str) -> None:
    """Stop key NUMBER from working, within a second; `enable` undoes it.

    \b
    Example:
      kartoteka keys disable 3
    """

    async def work(access: Access) -> ApiKey:
        return await (await access.keys_of(account)).disable(number)

    with_access(work)
    click.echo(f"Key {number} of account {account} is disabled.")


@keys.command()
@number_argument
@account_option
def enable(number: int, account: str) -> None:
    """Let key NUMBER work again.

    \b
    Example:
      kartoteka keys enable 3
    """

    async def work(access: Access) -> ApiKey:
        return await (await access.keys_of(account)).enable(number)

    with_access(work)
    click.echo(f"Key {number} of account {account} works again.")


@keys.command()
@number_argument
@account_option
def delete(number: int, account: str) -> None:
    """Delete key NUMBER for good, with the tokens made from it.

    \b
    Example:
      kartoteka keys delete 3
    """

    async def work(access: Access) -> None:
        await (await access.keys_of(account)).delete(number)

    with_access(work)
    click.echo(f"Key {number} of account {account} is deleted.")


async def _app_of(access: Access, account: str, app_id: str | None) -> str:
    """The application of a new access key. Raises `NotFound` and `InvalidRequest`."""
    apps = Apps(access.database, access.clock, (await access.accounts.find(account)).account_id)
    app = await apps.only_mobile() if app_id is None else await apps.get(app_id)
    return app.app_id


def _described(key: ApiKey) -> str:
    return f"{key.kind}, {key.rights.label}" if key.rights else f"{key.kind}"


def _row(key: ApiKey) -> tuple[Any, ...]:
    start = f"{key.prefix}…" if key.prefix else None
    rights = key.rights.stored if key.rights else None
    times = (key.created_at, key.last_used_at)
    return (key.key_id, key.kind, rights, start, key.enabled, *times, key.description)


def key_members(key: ApiKey) -> dict[str, Any]:
    """A key as JSON shows it."""
    return {
        "id": key.key_id,
        "kind": key.kind,
        "rights": key.rights.stored,
        "description": key.description,
        "prefix": key.prefix,
        "enabled": key.enabled,
        "createdAt": key.created_at,
        "lastUsedAt": key.last_used_at,
        "app": key.app_id,
    }
