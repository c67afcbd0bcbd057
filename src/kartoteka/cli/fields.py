"""`kartoteka fields`: define, list and delete custom fields."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

import click

from kartoteka.cli.keys import account_option
from kartoteka.cli.running import Access, with_access
from kartoteka.cli.tables import json_option, print_json, print_table
from kartoteka.contacts.definitions import Definitions, NewField
from kartoteka.contacts.values.custom_fields import FieldDefinition, FieldType

Result = TypeVar("Result")
_COLUMNS = ("id", "field", "name", "list", "type", "values", "required", "readonly")


@click.group()
def fields() -> None:
    """Custom fields: what a shop keeps about its customers beside names and addresses.

    Every account starts with the list Personal: Birthday and Gender.

    \b
    Examples:
      kartoteka fields add "Favourite colour" --type combobox --value blue --value green
      kartoteka fields add Bonus --type number --min 0 --list Loyalty
      kartoteka fields list
      kartoteka fields delete 3
    """


@fields.command()
@account_option
@click.argument("name")
@click.option(
    "--type",
    "type_name",
    type=click.Choice([one.value.lower() for one in FieldType], case_sensitive=False),
    default="textfield",
    show_default=True,
    help="What values it takes.",
)
@click.option("--list", "list_name", default="Personal", show_default=True, help="Its list.")
@click.option("--key", default="", help="Its key; made from the name if not given.")
@click.option("--list-key", default="", help="The list's key; made from its name if not given.")
@click.option("--value", "values", multiple=True, help="A possible value; give it several times.")
@click.option("--min", "low", metavar="NUMBER", help="The smallest number it takes.")
@click.option("--max", "high", metavar="NUMBER", help="The greatest number it takes.")
@click.option("--required", is_flag=True, help="Forms should insist on it.")
@click.option("--readonly", is_flag=True, help="The API does not write it.")
@click.option("--recurring", is_flag=True, help="A date that comes every year.")
@json_option
def add(
    *,
    account: str,
    name: str,
    type_name: str,
    list_name: str,
    key: str,
    list_key: str,
    values: tuple[str, ...],
    low: str | None,
    high: str | None,
    required: bool,
    readonly: bool,
    recurring: bool,
    as_json: bool,
) -> None:
    """Define the custom field NAME. Servers know it within a second.

    \b
    Examples:
      kartoteka fields add "Shoe size" --type number --min 20 --max 60
      kartoteka fields add Ім'я --key NAME_IN_CHURCH
    """
    new = NewField(
        name.strip(),
        FieldType(type_name.upper()),
        list_name.strip(),
        key,
        list_key,
        values,
        _number(low),
        _number(high),
        required,
        readonly,
        recurring,
    )
    made = _with_definitions(account, lambda known, account_id: known.add(account_id, new))
    if as_json:
        print_json(_members(made))
    else:
        click.echo(f"Field {made.id} ({made.path}) is defined.")


@fields.command(name="list")
@account_option
@json_option
def list_(account: str, as_json: bool) -> None:
    """List the custom fields of an account.

    \b
    Examples:
      kartoteka fields list
      kartoteka fields list --account outlet --json
    """
    found = _with_definitions(account, lambda known, account_id: known.read(account_id))
    if as_json:
        print_json([_members(one) for one in found.values()])
    else:
        print_table(_COLUMNS, [_row(one) for one in found.values()])


@fields.command()
@account_option
@click.argument("number", type=click.IntRange(1, 2**31 - 1))
def delete(account: str, number: int) -> None:
    """Delete the custom field with that NUMBER; contacts do not show their values of it any more.

    \b
    Example:
      kartoteka fields delete 3
    """
    _with_definitions(account, lambda known, account_id: known.delete(account_id, number))
    click.echo(f"Field {number} is deleted.")


def _with_definitions(
    account_name: str, work: Callable[[Definitions, int], Awaitable[Result]]
) -> Result:
    async def run(access: Access) -> Result:
        account = await access.accounts.find(account_name)
        return await work(Definitions(access.database), account.account_id)

    return with_access(run)


def _number(text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite():
        raise click.BadParameter(f"{text!r} is not a number.")
    return number


def _row(one: FieldDefinition) -> tuple[Any, ...]:
    values = ", ".join(one.possible_values) or None
    return (
        *(one.id, one.path, one.name, one.list_name),
        *(one.type.value, values, one.required, one.readonly),
    )


def _members(one: FieldDefinition) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "key": one.key,
        "listName": one.list_name,
        "listKey": one.list_key,
        "type": one.type.value,
        "possibleValues": list(one.possible_values),
        "minValue": None if one.min_value is None else float(one.min_value),
        "maxValue": None if one.max_value is None else float(one.max_value),
        "required": one.required,
        "readonly": one.readonly,
        "recurring": one.recurring,
    }
