"""`kartoteka accounts`: make and list accounts, see and change their settings."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from kartoteka.access.model import AccountContext
from kartoteka.access.setting_values import SETTINGS, as_text, read_pairs
from kartoteka.cli.running import Access, with_access
from kartoteka.cli.tables import json_option, print_json, print_table
from kartoteka.identity.account_check import check_settings

_EVERY_SETTING = "\b\nSettings:\n" + "\n".join(
    f"  {one.name}: {one.allowed} ({as_text(one.default) or 'none'})" for one in SETTINGS.values()
)


@click.group()
def accounts() -> None:
    """Accounts: businesses whose customers are kept apart from each other.

    \b
    Examples:
      kartoteka accounts create outlet --email owner@shop.example
      kartoteka accounts list
      kartoteka accounts show main
      kartoteka accounts set main region=PL absorb=anonymous
    """


@accounts.command()
@click.argument("name")
@click.option("--email", default="", help="The owner's address, shown by GET account/info.")
@json_option
def create(name: str, email: str, as_json: bool) -> None:
    """Make the account NAME with the default settings.

    \b
    Example:
      kartoteka accounts create outlet --email owner@shop.example
    """

    async def work(access: Access) -> AccountContext:
        return await access.accounts.create(name, email)

    account = with_access(work)
    if as_json:
        print_json(_members(account))
    else:
        click.echo(f"Account {account.name} is made; orgId {account.org_id}.")
        click.echo(f'It has no key yet: kartoteka keys create --account "{account.name}"')


@accounts.command(name="list")
@json_option
def list_(as_json: bool) -> None:
    """List all accounts.

    \b
    Examples:
      kartoteka accounts list
      kartoteka accounts list --json
    """

    async def work(access: Access) -> list[AccountContext]:
        return await access.accounts.all()

    found = with_access(work)
    if as_json:
        print_json([_members(account) for account in found])
    else:
        rows = [(one.account_id, one.name, one.org_id, one.user_email or None) for one in found]
        print_table(("id", "name", "orgId", "e-mail"), rows)


@accounts.command()
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """Show the account NAME with its settings and what they mean.

    \b
    Example:
      kartoteka accounts show main
    """

    async def work(access: Access) -> AccountContext:
        return await access.accounts.find(name)

    account = with_access(work)
    if as_json:
        print_json(_members(account))
    else:
        _print_account(account)


@accounts.command(name="set", epilog=_EVERY_SETTING)
@click.argument("name")
@click.argument("changes", nargs=-1, required=True, metavar="SETTING=VALUE...")
@json_option
def set_(name: str, changes: tuple[str, ...], as_json: bool) -> None:
    """Change settings of the account NAME; the value `default` brings the default back.

    All are changed, or none if one of them is not valid. Servers follow within a second.

    \b
    Examples:
      kartoteka accounts set main region=PL
      kartoteka accounts set main absorb=never refuse_repeats=on
      kartoteka accounts set main never_identifiers=guest@shop.example,shop.example
      kartoteka accounts set main absorb=default
    """
    read = read_pairs(changes)

    async def work(access: Access) -> AccountContext:
        account = await access.accounts.find(name)
        return await access.accounts.change_settings(account.account_id, read, check_settings)

    account = with_access(work)
    if as_json:
        print_json(_members(account))
    else:
        _print_account(account)


def _print_account(account: AccountContext) -> None:
    click.echo(f"Account {account.name}, orgId {account.org_id}")
    print_table(
        ("setting", "value", "meaning"),
        [
            (one.name, as_text(getattr(account.settings, one.name)) or None, one.about.meaning)
            for one in SETTINGS.values()
        ],
    )


def _members(account: AccountContext) -> dict[str, Any]:
    return {
        "id": account.account_id,
        "name": account.name,
        "orgId": account.org_id,
        "email": account.user_email,
        "settings": msgspec.to_builtins(account.settings),
    }
