"""`kartoteka users`: who may sign in to the pages, and a new password for who has lost theirs."""

from __future__ import annotations

import sys

import click

from kartoteka.access.secret_texts import make_password
from kartoteka.access.users import Role, User, Users
from kartoteka.cli.keys import account_option
from kartoteka.cli.running import Access, with_access
from kartoteka.cli.tables import json_option, print_json, print_table

login_argument = click.argument("login")
role_option = click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    default=Role.OWNER.value,
    show_default=True,
    help="owner: everything. marketer: contacts, segments, imports, exports. reader: looks.",
)
_COLUMNS = ("id", "login", "role", "created", "signed in")


@click.group()
def users() -> None:
    """People who sign in to the pages under /admin.

    \b
    Examples:
      kartoteka users list
      kartoteka users create olha --role marketer
      kartoteka users role olha reader
      kartoteka users password admin
      kartoteka users share admin --to outlet
    """


@users.command(name="list")
@account_option
@json_option
def list_(account: str, as_json: bool) -> None:
    """List the users of an account.

    \b
    Example:
      kartoteka users list --account outlet
    """

    async def work(access: Access) -> list[User]:
        return await _users(access).all((await access.accounts.find(account)).account_id)

    found = with_access(work)
    if as_json:
        print_json(found)
        return
    print_table(_COLUMNS, [_row(user) for user in found])


def _row(user: User) -> tuple[str, ...]:
    signed_in = "never" if user.signed_in_at is None else f"{user.signed_in_at:%Y-%m-%d %H:%M}"
    return (
        str(user.user_id),
        user.login,
        user.role.value,
        f"{user.created_at:%Y-%m-%d %H:%M}",
        signed_in,
    )


@users.command()
@login_argument
@role_option
@account_option
def create(login: str, role: str, account: str) -> None:
    """Add a user; the password is asked for, or made and printed where nobody can be asked.

    \b
    Examples:
      kartoteka users create olha --role marketer
      echo 'correct horse battery' | kartoteka users create olha
    """
    password, made = _password()

    async def work(access: Access) -> int:
        account_id = (await access.accounts.find(account)).account_id
        return await _users(access).create(account_id, login, password, Role(role))

    with_access(work)
    click.echo(f"{login} may sign in to {account} as {role}.")
    if made:
        click.echo(f"Password: {password}")


@users.command()
@login_argument
@account_option
def password(login: str, account: str) -> None:
    """Set another password; all sessions of that user end.

    \b
    Example:
      kartoteka users password admin
    """
    text, made = _password()

    async def work(access: Access) -> None:
        account_id = (await access.accounts.find(account)).account_id
        people = _users(access)
        user = await people.find(account_id, login)
        await people.set_password(account_id, user.user_id, text)

    with_access(work)
    click.echo(f"{login} has another password; all sessions have ended.")
    if made:
        click.echo(f"Password: {text}")


@users.command()
@login_argument
@account_option
@click.option("--to", "other", required=True, metavar="NAME", help="The other account.")
@role_option
def share(login: str, account: str, other: str, role: str) -> None:
    """Let a user of one account into another one too, with the same password.

    \b
    Example:
      kartoteka users share admin --to outlet
    """

    async def work(access: Access) -> None:
        here = (await access.accounts.find(account)).account_id
        there = (await access.accounts.find(other)).account_id
        people = _users(access)
        user = await people.find(here, login)
        await people.share(here, user.user_id, there, Role(role))

    with_access(work)
    click.echo(f"{login} may sign in to {other} as {role}, with the password of {account}.")


@users.command(name="role")
@login_argument
@click.argument("role", type=click.Choice([role.value for role in Role]))
@account_option
def role_(login: str, role: str, account: str) -> None:
    """Give a user another role; it counts from the next page on.

    \b
    Example:
      kartoteka users role olha reader
    """

    async def work(access: Access) -> None:
        account_id = (await access.accounts.find(account)).account_id
        people = _users(access)
        user = await people.find(account_id, login)
        await people.change_role(account_id, user.user_id, Role(role))

    with_access(work)
    click.echo(f"{login} works in {account} as {role} now.")


@users.command()
@login_argument
@account_option
def delete(login: str, account: str) -> None:
    """Take a user away; the sessions end at once.

    \b
    Example:
      kartoteka users delete olha
    """

    async def work(access: Access) -> None:
        account_id = (await access.accounts.find(account)).account_id
        people = _users(access)
        user = await people.find(account_id, login)
        await people.delete(account_id, user.user_id)

    with_access(work)
    click.echo(f"{login} may not sign in to {account} any more.")


def _users(access: Access) -> Users:
    return Users(access.database, access.clock)


def _password() -> tuple[str, bool]:
    """(the password, whether it was made): asked on a terminal, else the first line of the input."""
    if sys.stdin.isatty():
        asked = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        return str(asked), False
    given = sys.stdin.readline().rstrip("\n")
    return (given, False) if given else (make_password(), True)
