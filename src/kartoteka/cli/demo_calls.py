"""The part of `kartoteka demo` that comes call by call: visitors, and every second customer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import click
import msgspec

from kartoteka.cli.cdnow import Customer
from kartoteka.cli.http_client import Client, Reply


class Loaded(msgspec.Struct, frozen=True):
    """What became of one customer: outcomes by step, and whether one contact id stayed."""

    contact_id: int | None
    visitor_id: int | None
    steps: tuple[tuple[str, str], ...]
    """(step, outcome or error code); the customers of the file have theirs in its statement."""
    failed: bool = False


def load_all(client: Client, people: list[Customer], connections: int) -> list[Loaded]:
    """What became of each, in their order, with a progress bar."""
    with ThreadPoolExecutor(connections) as pool:
        results = pool.map(lambda one: _load(client, one), people)
        with click.progressbar(results, len(people), label="Loading customers") as bar:
            return list(bar)


def with_contacts(
    people: list[Customer], loaded: list[Loaded], contacts: dict[str, int]
) -> list[Loaded]:
    """The same, with the contacts that customers of the file came to."""
    return [
        _with_contact(one, contacts.get(customer.external_id)) if customer.in_file else one
        for customer, one in zip(people, loaded, strict=True)
    ]


def _with_contact(one: Loaded, contact_id: int | None) -> Loaded:
    return msgspec.structs.replace(
        one, contact_id=contact_id, failed=one.failed or contact_id is None
    )


def _load(client: Client, customer: Customer) -> Loaded:
    """One customer: a visitor for each token, then the person with id and e-mail, if not in the file.

    Who visited by site and app keeps the contact of the app: push tokens of apps come first (D7).
    """
    steps: list[tuple[str, str]] = []
    visitor_id = None
    channels: list[object] = [{"type": "email", "value": customer.email}, *customer.tokens]
    for token in customer.tokens:
        answer = client.post("/api/v1/contact?explain=true", {"channels": [token]})
        steps.append((f"{token['type']} visitor", _outcome(answer)))
        if answer.status != 200:
            return Loaded(None, None, tuple(steps), failed=True)
        visitor_id = answer.json["id"]
    if customer.in_file:
        return Loaded(None, visitor_id, tuple(steps))
    contact = {"externalCustomerId": customer.external_id, "channels": channels}
    answer = client.post("/api/v1/contact?explain=true", contact)
    steps.append(("customer by call", _outcome(answer)))
    if answer.status != 200:
        return Loaded(None, visitor_id, tuple(steps), failed=True)
    return Loaded(answer.json["id"], visitor_id, tuple(steps))


def _outcome(answer: Reply) -> str:
    body = answer.json
    if not isinstance(body, dict):
        return f"HTTP {answer.status}"
    if answer.status != 200:
        return f"refused: {body.get('code')}"
    return str(body["resolution"]["outcome"])
