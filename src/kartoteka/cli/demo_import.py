"""The part of `kartoteka demo` that comes as a file: every second customer, and the statement."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterable
from typing import Any

import click
import msgspec

from kartoteka.cli.cdnow import Customer
from kartoteka.cli.http_client import Client, Reply
from kartoteka.cli.import_tables import rows_table
from kartoteka.cli.progress import Progress, Step
from kartoteka.cli.tables import print_table
from kartoteka.imports.model import OUTCOMES, RowOutcome, State

FILE_NAME = "customers.csv"
HEADINGS = ("Customer ID", "E-mail", "Mobile push token", "Web push token")
"""As shops head their columns: the import recognises them."""
LINES_SHOWN = 2
"""Of the statement, for each outcome."""
LOOK_EVERY_S = 0.5
PAGE = 500
_OVER = (State.FINISHED, State.CANCELLED, State.FAILED, State.PAUSED)


def import_customers(client: Client, people: Iterable[Customer]) -> dict[str, int]:
    """Contact ids by External ID, after an import of these customers whose statement is shown.

    Raises `click.ClickException` when the file is refused or not imported to its end.
    """
    answer = client.post_file("/api/v1/imports", FILE_NAME, _file_of(people), {})
    one = _checked(answer)
    click.echo(f"POST /api/v1/imports: {FILE_NAME} is import {one['id']}.")
    if "sameAs" in one:
        click.echo(f"Note: import {one['sameAs']['id']} has the same file with the same options.")
    one = _watch(client, one)
    _show_statement(client, one)
    if one["state"] != State.FINISHED:
        raise click.ClickException(f"Import {one['id']} is {one['state']}.")
    return _contacts(client, one)


def _file_of(people: Iterable[Customer]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerow(HEADINGS)
    for one in people:
        tokens = {token["type"]: token["value"] for token in one.tokens}
        writer.writerow(
            (one.external_id, one.email, tokens.get("mobilepush"), tokens.get("webpush"))
        )
    return out.getvalue().encode()


def _checked(answer: Reply) -> dict[str, Any]:
    body = answer.json
    if answer.status != 200 or not isinstance(body, dict):
        said = body.get("message") if isinstance(body, dict) else "no words"
        raise click.ClickException(f"The server answers {answer.status}: {said}")
    return body


def _watch(client: Client, one: dict[str, Any]) -> dict[str, Any]:
    """The import when it is over."""
    with Progress() as progress:
        while True:
            progress.show(_step(one))
            if one["state"] in _OVER:
                return one
            time.sleep(LOOK_EVERY_S)
            one = _checked(client.get(f"/api/v1/imports/{one['id']}"))


def _step(one: dict[str, Any]) -> Step:
    label = "Importing customers"
    return Step(label, one["done"], one.get("total"), one.get("rate"), one.get("secondsLeft"))


def _show_statement(client: Client, one: dict[str, Any]) -> None:
    """Rows by outcome, and the first lines of each."""
    counts = {name: one["counts"][name] for name in OUTCOMES if one["counts"][name]}
    print_table(("outcome", "rows"), [(name, f"{count:,}") for name, count in counts.items()])
    click.echo(f"\nOf the statement, GET /api/v1/imports/{one['id']}/rows:")
    lines: list[RowOutcome] = []
    for name in counts:
        path = f"/api/v1/imports/{one['id']}/rows?outcome={name}&maxrows={LINES_SHOWN}"
        lines += _rows(client, path)
    rows_table(lines)
    click.echo()


def _contacts(client: Client, one: dict[str, Any]) -> dict[str, int]:
    found: dict[str, int] = {}
    for start in range(1, one["total"] + 1, PAGE):
        path = f"/api/v1/imports/{one['id']}/rows?startindex={start}&maxrows={PAGE}"
        for row in _rows(client, path):
            if row.value is not None and row.contact_id is not None:
                found[row.value] = row.contact_id
    return found


def _rows(client: Client, path: str) -> list[RowOutcome]:
    answer = client.get(path)
    if answer.status != 200:
        _checked(answer)
    return msgspec.convert(answer.json, list[RowOutcome])
