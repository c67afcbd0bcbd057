"""`kartoteka webhooks`: make, list and delete them; see and replay what was not received."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import click

from kartoteka.cli.keys import account_option, number_argument
from kartoteka.cli.running import Access, with_access
from kartoteka.cli.tables import json_option, print_json, print_table
from kartoteka.settings import load_settings
from kartoteka.webhooks.model import EVENTS, State
from kartoteka.webhooks.store import Webhooks

Result = TypeVar("Result")


def _with_webhooks(account_name: str, work: Callable[[Webhooks, int], Awaitable[Result]]) -> Result:
    async def run(access: Access) -> Result:
        account = await access.accounts.find(account_name)
        allow_private = load_settings(os.environ).allow_private_addresses
        webhooks = Webhooks(access.database, access.clock, allow_private=allow_private)
        return await work(webhooks, account.account_id)

    return with_access(run)


@click.group()
def webhooks() -> None:
    """Webhooks: other systems that are told what happens to contacts and segments.

    \b
    Examples:
      kartoteka webhooks add https://shop.example/kartoteka --event segment.entered
      kartoteka webhooks deliveries 1 --state dead
      kartoteka webhooks replay 1
    """


@webhooks.command()
@account_option
@click.argument("url")
@click.option(
    "--event",
    "events",
    multiple=True,
    type=click.Choice(list(EVENTS)),
    help="What to tell; give it several times. All, if not given.",
)
@click.option("--segment", "segments", multiple=True, type=int, help="Only of this segment.")
@json_option
def add(
    account: str, url: str, events: tuple[str, ...], segments: tuple[int, ...], as_json: bool
) -> None:
    """Tell URL what happens from now on. The secret that calls are signed with is shown once.

    \b
    Examples:
      kartoteka webhooks add https://shop.example/kartoteka
    """
    body = {"url": url, "events": list(events) or None, "segments": list(segments)}
    made, secret = _with_webhooks(account, lambda known, account_id: known.add(account_id, body))
    if as_json:
        print_json({"id": made, "secret": secret})
    else:
        click.echo(f"Webhook {made} is made. Its secret, shown only now:\n{secret}")


@webhooks.command(name="list")
@account_option
@json_option
def list_(account: str, as_json: bool) -> None:
    """List webhooks, and how much waits for each or is dead.

    \b
    Examples:
      kartoteka webhooks list
    """
    found = _with_webhooks(account, lambda known, account_id: known.all(account_id))
    if as_json:
        print_json(found)
    elif found:
        headers = ("id", "url", "events", "enabled", "waiting", "dead")
        rows = [
            (one.id, one.url, ", ".join(one.events), one.enabled, one.waiting, one.dead)
            for one in found
        ]
        print_table(headers, rows)
    else:
        click.echo("No webhooks yet; `kartoteka webhooks add --help` shows how to make one.")


@webhooks.command()
@account_option
@number_argument
@click.option("--on/--off", "enabled", default=True, help="Whether it is told anything.")
def switch(account: str, number: int, enabled: bool) -> None:
    """Switch webhook NUMBER on or off. What happens while it is off waits for it.

    \b
    Examples:
      kartoteka webhooks switch 1 --off
    """
    body = {"enabled": enabled}
    _with_webhooks(account, lambda known, account_id: known.change(account_id, number, body))
    click.echo(f"Webhook {number} is {'on' if enabled else 'off'}.")


@webhooks.command()
@account_option
@number_argument
def delete(account: str, number: int) -> None:
    """Delete webhook NUMBER, with all that waits for it.

    \b
    Examples:
      kartoteka webhooks delete 1
    """
    _with_webhooks(account, lambda known, account_id: known.delete(account_id, number))
    click.echo(f"Webhook {number} is deleted.")


@webhooks.command()
@account_option
@number_argument
@click.option("--state", type=click.Choice([one.name.lower() for one in State]), help="Only these.")
@click.option(
    "--rows", type=click.IntRange(1, 500), default=20, show_default=True, help="How many to show."
)
@json_option
def deliveries(account: str, number: int, state: str | None, rows: int, as_json: bool) -> None:
    """Show what was sent to webhook NUMBER, what waits and what is dead; the latest first.

    \b
    Examples:
      kartoteka webhooks deliveries 1 --state dead
    """
    wanted = None if state is None else State[state.upper()]
    found, total = _with_webhooks(
        account, lambda known, account_id: known.deliveries(account_id, number, wanted, 0, rows)
    )
    if as_json:
        print_json(found)
        return
    headers = ("id", "event", "contact", "segment", "at", "state", "attempts", "status", "error")
    print_table(headers, [_row(one) for one in found])
    if total > len(found):
        click.echo(f"… and {total - len(found)} more.")


def _row(one: Any) -> tuple[Any, ...]:
    return (
        *(one.id, one.event, one.contact_id, one.segment_id, one.at),
        *(one.state, one.attempts, one.status, one.error),
    )


@webhooks.command()
@account_option
@number_argument
@click.option("--delivery", type=click.IntRange(1), help="Only this one.")
def replay(account: str, number: int, delivery: int | None) -> None:
    """Try what is dead again: everything of webhook NUMBER, or one delivery.

    \b
    Examples:
      kartoteka webhooks replay 1
    """
    replayed = _with_webhooks(
        account, lambda known, account_id: known.replay(account_id, number, delivery)
    )
    click.echo(f"{replayed} {'delivery is' if replayed == 1 else 'deliveries are'} tried again.")
