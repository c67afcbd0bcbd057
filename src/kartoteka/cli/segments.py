"""`kartoteka segments`: list, show, count, explain, verify and delete segments."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import click
import msgspec

from kartoteka.cli.keys import account_option, number_argument
from kartoteka.cli.running import Access, with_access
from kartoteka.cli.tables import json_option, print_json, print_table
from kartoteka.contacts.definitions import Definitions
from kartoteka.errors import InvalidRequest
from kartoteka.segments.actions import SegmentActions
from kartoteka.segments.asking import Asking
from kartoteka.segments.shown import segment_json
from kartoteka.segments.store import Segments
from kartoteka.segments.verifying import Verdict, repair, verify

Result = TypeVar("Result")
ROWS = 500
_COLUMNS = ("id", "name", "type", "state", "contacts", "condition")
MOST_SHOWN = 10
MOST_CHARS = 72
"""Of the conditions in a list; `show` has all of them."""


class Parts(msgspec.Struct, frozen=True):
    """What the commands work with, for one account."""

    access: Access
    account_id: int
    segments: Segments
    actions: SegmentActions
    asking: Asking


def with_segments(account_name: str, work: Callable[[Parts], Awaitable[Result]]) -> Result:
    """What `work` comes to for the account of that name."""

    async def run(access: Access) -> Result:
        account = await access.accounts.find(account_name)
        database, clock = access.database, access.clock
        definitions, segments = Definitions(database), Segments(database)
        actions = SegmentActions(database, clock, definitions, segments)
        asking = Asking(database, clock, definitions, actions)
        return await work(Parts(access, account.account_id, segments, actions, asking))

    return with_access(run)


@click.group()
def segments() -> None:
    """Segments: sets of contacts by conditions, exact at every moment, and lists.

    \b
    Examples:
      kartoteka segments add "No External ID" '{"field": "externalCustomerId", "operator": "is_empty"}'
      kartoteka segments list
      kartoteka segments why 7 1001
      kartoteka segments verify
    """


@segments.command(name="list")
@account_option
@click.option("--text", default="", help="Only with this in the name, or as a tag.")
@json_option
def list_(account: str, text: str, as_json: bool) -> None:
    """List segments and lists, with how many contacts are in each.

    \b
    Examples:
      kartoteka segments list
      kartoteka segments list --text vip --json
    """
    rows = with_segments(account, lambda parts: _listed(parts, text))
    if as_json:
        print_json(rows)
    elif rows:
        print_table(_COLUMNS, [_row(one) for one in rows])
    else:
        click.echo("No segments yet; `kartoteka segments add --help` shows how to make one.")


async def _listed(parts: Parts, text: str) -> list[dict[str, Any]]:
    found, skip = [], 0
    while True:
        page, total = await parts.segments.search(parts.account_id, text, skip, ROWS)
        for one in page:
            count = await parts.segments.count(parts.account_id, one)
            found.append({**segment_json(one), "count": count})
        skip += ROWS
        if skip >= total:
            return found


def _row(one: dict[str, Any]) -> tuple[Any, ...]:
    state = one["state"]
    if progress := one.get("progress"):
        state += f" {100 * progress['seen'] // max(progress['expected'], 1)} %"
    words = one.get("description")
    if words is not None and len(words) > MOST_CHARS:
        words = words[: MOST_CHARS - 1] + "…"
    return (one["id"], one["name"], one["type"], state, one["count"], words)


@segments.command()
@account_option
@number_argument
@json_option
def show(account: str, number: int, as_json: bool) -> None:
    """Show the segment of id NUMBER: its conditions in words and as JSON.

    \b
    Examples:
      kartoteka segments show 7
    """

    async def work(parts: Parts) -> dict[str, Any]:
        stored = await parts.segments.stored(parts.account_id, number)
        count = await parts.segments.count(parts.account_id, stored)
        return {**segment_json(stored), "count": count}

    found = with_segments(account, work)
    if as_json:
        print_json(found)
        return
    for name in ("id", "name", "type", "state", "count", "purpose", "description"):
        if found.get(name) not in (None, ""):
            click.echo(f"{name:<12}{found[name]}")
    for name in ("condition", "exclude"):
        if name in found:
            click.echo(f"{name:<12}{msgspec.json.encode(found[name]).decode()}")


@segments.command()
@account_option
@click.argument("name")
@click.argument("condition")
@click.option("--exclude", help="Who is not in it all the same: a condition as JSON.")
def add(account: str, name: str, condition: str, exclude: str | None) -> None:
    """Make a segment called NAME of a CONDITION as JSON.

    \b
    Examples:
      kartoteka segments add Anns '{"field": "firstName", "operator": "equals", "value": "Ann"}'
    """
    body = {"name": name, "condition": _json(condition)}
    if exclude is not None:
        body["exclude"] = _json(exclude)

    async def work(parts: Parts) -> tuple[int, int]:
        made = await parts.actions.create(parts.account_id, body, "command line")
        stored = await parts.segments.stored(parts.account_id, made)
        return made, await parts.segments.count(parts.account_id, stored)

    made, count = with_segments(account, work)
    click.echo(f"Segment {made} is made: {count} contacts.")


def _json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        raise InvalidRequest("The condition is not JSON.") from None


@segments.command()
@account_option
@click.argument("condition")
@click.option("--within", "within_s", type=float, default=10.0, show_default=True, help="Seconds.")
def count(account: str, condition: str, within_s: float) -> None:
    """Count the contacts that a CONDITION (JSON) holds for; nothing is stored.

    \b
    Examples:
      kartoteka segments count '{"field": "town", "operator": "is_empty"}'
    """
    body = {"condition": _json(condition)}
    preview = with_segments(
        account, lambda parts: parts.asking.preview(parts.account_id, body, 0, within_s)
    )
    about = "" if preview.is_exact else "about "
    click.echo(f"{preview.description}: {about}{preview.count} contacts.")


@segments.command()
@account_option
@number_argument
@click.argument("contact", type=click.IntRange(1, 2**63 - 1))
@json_option
def why(account: str, number: int, contact: int, as_json: bool) -> None:
    """Say why the CONTACT is in segment NUMBER, or is not.

    \b
    Examples:
      kartoteka segments why 7 1001
    """

    async def work(parts: Parts) -> dict[str, Any]:
        stored = await parts.segments.stored(parts.account_id, number)
        if stored.resolved is None:
            raise InvalidRequest("A list has no conditions: its contacts were put on it.")
        return await parts.asking.why(parts.account_id, stored, contact)

    found = with_segments(account, work)
    if as_json:
        print_json(found)
        return
    click.echo(f"Contact {contact} is {'' if found['member'] else 'not '}in segment {number}.")
    if not found["isLive"]:
        click.echo("It was removed, merged or erased.")
    _explain(found["why"], "")


_JOINED = {"all": "all of:", "any": "any of:", "not": "not:"}


def _explain(node: dict[str, Any], indent: str) -> None:
    value = ""
    if "value" in node:
        value = f"  ({'nothing' if node['value'] is None else node['value']})"
    text = next((text for word, text in _JOINED.items() if word in node), node["text"])
    click.echo(f"{indent}{'yes' if node['holds'] else 'no':<4}{text}{value}")
    parts = (
        node.get("all")
        or node.get("any")
        or [node[word] for word in ("not", "segment") if word in node]
    )
    for part in parts:
        _explain(part, indent + "    ")


@segments.command(name="verify")
@account_option
@click.option("--sql-only", is_flag=True, help="Quicker: without evaluating in Python.")
@click.option("--repair", "repairs", is_flag=True, help="Ask contacts that are wrong again.")
@json_option
def verify_(account: str, sql_only: bool, repairs: bool, as_json: bool) -> None:
    """Prove every segment: who is in it = its condition in SQL over everybody = in plain Python.

    Runs on live data, in one snapshot. Exit code 1 when anybody is missing or too many.

    \b
    Examples:
      kartoteka segments verify
      kartoteka segments verify --sql-only --json
    """

    async def work(parts: Parts) -> list[Verdict]:
        database, clock = parts.access.database, parts.access.clock
        now = clock.now()
        found = [
            one async for one in verify(database, parts.account_id, now, in_python=not sql_only)
        ]
        if repairs:
            for one in found:
                await repair(database, parts.account_id, one, clock.now())
        return found

    found = with_segments(account, work)
    if as_json:
        print_json(found)
    elif not found:
        click.echo("No segments with conditions.")
    else:
        headers = ("id", "name", "contacts", "missing", "extra", "python differs", "due")
        print_table(headers, [_judged(one) for one in found])
    wrong = sum(not one.is_exact for one in found)
    if not as_json and found:
        click.echo(f"{wrong} of {len(found)} are wrong." if wrong else "All are exact.")
    if wrong:
        sys.exit(1)


def _judged(one: Verdict) -> tuple[Any, ...]:
    return (
        *(one.segment_id, one.name, one.members),
        *(_some(ids) for ids in (one.missing, one.extra, one.python_differs)),
        one.due,
    )


def _some(ids: list[int]) -> str:
    shown = ", ".join(str(one) for one in ids[:MOST_SHOWN])
    return f"{shown}, … ({len(ids)})" if len(ids) > MOST_SHOWN else shown or "0"


@segments.command()
@account_option
@number_argument
@click.option(
    "--contacts",
    type=click.Choice(["keep", "remove"]),
    help="What becomes of its contacts; asked when it is not given.",
)
def delete(account: str, number: int, contacts: str | None) -> None:
    """Delete the segment or list of id NUMBER.

    Removed contacts can be restored.

    \b
    Examples:
      kartoteka segments delete 7 --contacts keep
    """
    if contacts is None:
        contacts = click.prompt(
            "What becomes of its contacts?", type=click.Choice(["keep", "remove"]), default="keep"
        )
    with_segments(
        account,
        lambda parts: parts.actions.delete(
            parts.account_id, number, remove_contacts=contacts == "remove"
        ),
    )
    if contacts == "keep":
        click.echo(f"Segment {number} is deleted; its contacts stay.")
    else:
        click.echo(f"Segment {number} goes when its contacts are removed, in the background.")
