"""The part of `kartoteka demo` that comes as orders: every purchase of the file, then the totals."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import click
import msgspec

from kartoteka.cli.cdnow import Customer
from kartoteka.cli.http_client import Client

CURRENCY = "USD"
ORDERS_A_CALL = 1_000
CALLS_AT_ONCE = 4
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


def load_orders(client: Client, people: Sequence[Customer], connections: int) -> None:
    """Send every purchase as a delivered order. Raises `click.ClickException` if one is refused."""
    calls = list(_calls(people))
    sent = sum(len(call) for call in calls)
    started = time.monotonic()
    refused: Counter[str] = Counter()
    with ThreadPoolExecutor(min(connections, CALLS_AT_ONCE)) as pool:
        results = pool.map(lambda call: _send(client, call), calls)
        with click.progressbar(length=sent, label="Loading orders") as bar:
            for call, failed in zip(calls, results, strict=True):
                refused.update(failed)
                bar.update(len(call))
    seconds = time.monotonic() - started
    rate = sent / seconds if seconds else 0.0
    click.echo(f"{sent:,} purchases sent as orders, {ORDERS_A_CALL:,} a call.")
    click.echo(f"{seconds:.1f} seconds, {rate:,.0f} orders a second.")
    if refused:
        said = ", ".join(f"{code}: {count:,}" for code, count in refused.most_common())
        raise click.ClickException(f"{refused.total():,} orders were refused ({said}).")


def _calls(people: Sequence[Customer]) -> Iterator[list[dict[str, Any]]]:
    orders: list[dict[str, Any]] = []
    for one in people:
        orders += _orders_of(one)
        while len(orders) >= ORDERS_A_CALL:
            yield orders[:ORDERS_A_CALL]
            orders = orders[ORDERS_A_CALL:]
    if orders:
        yield orders


def _orders_of(customer: Customer) -> list[dict[str, Any]]:
    """As a shop sends them: by External ID and e-mail, the amount as a text."""
    return [
        {
            "externalOrderId": f"CDNOW-{customer.external_id}-{number}",
            "externalCustomerId": customer.external_id,
            "email": customer.email,
            "status": "DELIVERED",
            "date": f"{bought.day.isoformat()}T00:00:00Z",
            "totalCost": str(bought.dollars),
            "currency": CURRENCY,
            "items": [{"externalItemId": "cd", "name": "Compact disc", "quantity": bought.discs}],
        }
        for number, bought in enumerate(customer.purchases, start=1)
    ]


def _send(client: Client, orders: list[dict[str, Any]]) -> Counter[str]:
    """What was refused, by the code of its reason."""
    answer = client.post("/api/v1/orders", {"orders": orders})
    if answer.status != 200:
        body = answer.json
        said = body.get("message") if isinstance(body, dict) else "no words"
        raise click.ClickException(f"The server answers {answer.status}: {said}")
    failed = answer.json["failedOrders"] if answer.body else []
    return Counter(one["code"] for one in failed)


def check_totals(
    client: Client, people: Sequence[Customer], ids: Mapping[str, int], connections: int
) -> None:
    """Ask for every contact's totals and compare them with the file, to the cent.

    Raises `click.ClickException` that names the first contacts whose totals differ.
    """
    known = [one for one in people if one.external_id in ids]
    with ThreadPoolExecutor(connections) as pool:
        results = pool.map(lambda one: _totals(client, ids[one.external_id]), known)
        with click.progressbar(results, len(known), label="Comparing totals") as bar:
            found = list(bar)
    wrong = [
        person.external_id
        for person, totals in zip(known, found, strict=True)
        if totals != _expected(person)
    ]
    orders = sum(count for count, _ in found)
    total = sum((amount for _, amount in found), Decimal(0))
    click.echo(f"{len(known):,} contacts have {orders:,} orders of {total:,.2f} {CURRENCY}.")
    if wrong:
        first = ", ".join(wrong[:5])
        raise click.ClickException(f"{len(wrong):,} of them differ from the file: {first} …")
    click.echo("That is what the file says, contact by contact, to the cent.")


def _expected(person: Customer) -> tuple[int, Decimal]:
    return len(person.purchases), sum((one.dollars for one in person.purchases), Decimal(0))


def _totals(client: Client, contact_id: int) -> tuple[int, Decimal]:
    """(delivered orders, their sum) of one contact."""
    answer = client.get(f"/api/v1/contact/{contact_id}/orders/totals")
    body = _decode(answer.body) if answer.status == 200 else {}
    amounts = [
        Decimal(one["sum"]) for one in body.get("currencies", ()) if one["currency"] == CURRENCY
    ]
    return body.get("delivered", 0), sum(amounts, Decimal(0))
