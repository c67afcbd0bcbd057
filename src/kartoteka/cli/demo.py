"""`kartoteka demo`: load real customers into the running server through its own API."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import click
import msgspec

from kartoteka.access.bootstrap import ACCOUNT_NAME
from kartoteka.access.model import KeyKind, NewKey, Rights
from kartoteka.cli.cdnow import Customer, fetched_file, read_customers
from kartoteka.cli.demo_calls import Loaded, load_all, with_contacts
from kartoteka.cli.demo_import import import_customers
from kartoteka.cli.demo_orders import check_totals, load_orders
from kartoteka.cli.http_client import Client, Reply
from kartoteka.cli.running import Access, with_access
from kartoteka.cli.tables import print_table
from kartoteka.settings import Settings, load_settings

_EVERYWHERE = frozenset(("0.0.0.0", "::", ""))  # noqa: S104  what a server may listen on
EXAMPLES = 3


@click.command()
@click.option("--base-url", help="The server; this machine's if not given.")
@click.option(
    "--api-key",
    envvar="KARTOTEKA_API_KEY",
    help="A key with the right to read and write; not given: one is made and deleted again.",
)
@click.option(
    "--customers", type=click.IntRange(1), metavar="N", help="Only the first N; all if not given."
)
@click.option(
    "--connections", type=click.IntRange(1, 64), default=16, show_default=True, help="At once."
)
@click.option(
    "--file",
    "path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The data file, or another one of its format, if it is here already.",
)
def demo(
    *,
    base_url: str | None,
    api_key: str | None,
    customers: int | None,
    connections: int,
    path: Path | None,
) -> None:
    """Load the CDNOW customers: 23,570 real people, each first as an anonymous visitor.

    Most customers come by a push token of the app or the browser before they are known; some by
    both. Then they register with their id, such as 00001, and an e-mail: half of them by a call,
    half in a file that is imported, and its statement is shown. Then come their 69,659 purchases, as
    orders, and every contact's totals are compared with the file. Nobody becomes two contacts and
    nothing counts twice, also when the command runs again. The data file is fetched from PyPI once
    and kept beside the data.

    \b
    Examples:
      kartoteka demo
      kartoteka demo --customers 1000
      kartoteka demo --base-url http://10.0.0.5:8080 --api-key "$KEY"
    """
    settings = load_settings(os.environ)
    with _key(api_key) as key:
        client = Client(base_url or _own_url(settings), key)
        _check(client)
        file = path or fetched_file(settings.data_dir / "demo")
        with file.open(encoding="ascii", errors="replace") as lines:
            people = read_customers(lines)[:customers]
        started = time.monotonic()
        loaded = load_all(client, people, connections)
        if in_file := [one for one in people if one.in_file]:
            loaded = with_contacts(people, loaded, import_customers(client, in_file))
        _report(people, loaded, time.monotonic() - started)
        load_orders(client, people, connections)
        ids = {
            person.external_id: one.contact_id
            for person, one in zip(people, loaded, strict=True)
            if one.contact_id is not None
        }
        check_totals(client, people, ids, connections)
        _show_examples(client, people)
    if any(one.failed for one in loaded):
        raise click.ClickException("Some customers were refused; the table says why.")


def _own_url(settings: Settings) -> str:
    host = "127.0.0.1" if settings.host in _EVERYWHERE else settings.host
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


@contextmanager
def _key(given: str | None) -> Iterator[str]:
    """The key to use: the given one, or one that is made for the length of the block."""
    if given:
        yield given
        return

    async def make(access: Access) -> NewKey:
        keys = await access.keys_of(ACCOUNT_NAME)
        return await keys.create(KeyKind.SERVER, Rights.CONTACTS, "kartoteka demo")

    new = with_access(make)

    async def delete(access: Access) -> None:
        await (await access.keys_of(ACCOUNT_NAME)).delete(new.key.key_id)

    try:
        yield new.text
    finally:
        with_access(delete)


def _check(client: Client) -> None:
    """Raises `click.ClickException` unless the server takes the key."""
    answer = client.get("/api/v1/account/info")
    if answer.status != 200:
        raise click.ClickException(f"The server answers {answer.status}: {_message(answer)}")


def _message(answer: Reply) -> str:
    body = answer.json
    return str(body.get("message")) if isinstance(body, dict) else "no words"


def _report(people: list[Customer], loaded: list[Loaded], seconds: float) -> None:
    counts = Counter(step for one in loaded for step in one.steps)
    print_table(
        ("step", "outcome", "count"),
        [(*step, f"{count:,}") for step, count in sorted(counts.items(), reverse=True)],
    )
    contacts = {one.contact_id for one in loaded if one.contact_id is not None}
    visitors = [one for one in loaded if one.visitor_id is not None]
    kept = sum(one.visitor_id == one.contact_id for one in visitors)
    rate = len(people) / seconds if seconds else 0.0
    click.echo(f"{len(people):,} customers are {len(contacts):,} contacts.")
    click.echo(f"{kept:,} of {len(visitors):,} visitors kept their contact when they registered.")
    click.echo(f"{seconds:.1f} seconds, {rate:,.0f} contacts a second.")


def _show_examples(client: Client, people: list[Customer]) -> None:
    """Cards as the API answers them: one for each way in which customers came."""
    ways: dict[str, Customer] = {}
    for one in people:
        ways.setdefault(str([token["type"] for token in one.tokens]), one)
    for one in list(ways.values())[:EXAMPLES]:
        path = f"/api/v1/contacts?externalCustomerId={quote(one.external_id)}"
        click.echo(f"\nGET {path}")
        body = client.get(path).body
        click.echo(msgspec.json.format(body, indent=2).decode())
