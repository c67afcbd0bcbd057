"""`python -m bench.look_alikes`: a search for look-alikes in a large base, how long and how well.

Made people with the names of a country (few first names, some hundred surnames, a thousand streets), of
whom one in fifty has a second card with a typing error. The truth is known.
"""

from __future__ import annotations

import asyncio
import random
import resource
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
import psycopg

from bench.scratch import scratch_folder
from kartoteka.access.accounts import Accounts
from kartoteka.app import prepare_database
from kartoteka.clock import Clock
from kartoteka.contacts.duplicate_search import Searches
from kartoteka.db.database import Database
from kartoteka.db.embedded import EmbeddedPostgres, make_data_folder
from kartoteka.log import start_logging

FIRST = [
    *("Олена", "Іван", "Марія", "Andriy", "Natalia", "Petro", "Sofia", "Taras", "Iryna", "Oleh")
]
ENDS = [*("enko", "chuk", "skyi", "uk", "ych", "ova", "ets", "iak")]
SYLLABLES = [
    *("ba", "bo", "che", "da", "dro", "ha", "hry", "ko", "kra", "lo", "ma", "my", "ne"),
    *("or", "pa", "po", "ro", "sa", "shev", "ta", "ve", "vo", "za"),
]
TWICE = 50
"""One in so many has two cards."""
_COPY = (
    "copy contact (account_id, contact_id, external_id, email, phone, first_name, last_name, town,"
    " address, postcode, source, created_at, updated_at) from stdin"
)
Row = tuple[int, str, str, str, str, str, str, str, str]


def people(number: int, chance: random.Random) -> Iterator[tuple[Row, int | None]]:
    """Rows of contacts, and of whom each is a second card."""
    surnames = [
        "".join(chance.choices(SYLLABLES, k=2)).title() + chance.choice(ENDS) for _ in range(900)
    ]
    streets = ["".join(chance.choices(SYLLABLES, k=3)).title() + "ska" for _ in range(1000)]
    towns = ["".join(chance.choices(SYLLABLES, k=2)).title() + "iv" for _ in range(200)]
    contact_id = 0
    while contact_id < number:
        contact_id += 1
        town = chance.randrange(len(towns))
        row: Row = (
            contact_id,
            f"{chance.choice(surnames).lower()}{chance.randrange(10**6)}@example.com",
            f"38067{chance.randrange(10**7):07}",
            chance.choice(FIRST),
            chance.choice(surnames),
            towns[town],
            f"{chance.choice(streets)} {chance.randrange(1, 200)}",
            f"{10_000 + town * 7 + chance.randrange(7)}",
            f"X-{contact_id}",
        )
        yield row, None
        if contact_id % TWICE == 0:
            contact_id += 1
            yield _second(row, contact_id, chance), contact_id - 1


def _second(row: Row, contact_id: int, chance: random.Random) -> Row:
    """The same person once more: another mailbox, and one letter of the surname wrong."""
    _, _, phone, first, last, town, address, postcode, _ = row
    place = chance.randrange(1, len(last) - 1)
    wrong = last[:place] + last[place + 1] + last[place] + last[place + 2 :]
    other = phone if chance.random() < 0.5 else f"38050{chance.randrange(10**7):07}"
    mail = f"new{chance.randrange(10**8)}@example.org"
    return (contact_id, mail, other, first, wrong, town, address, postcode, f"X-{contact_id}")


def fill(url: str, account_id: int, contacts: int) -> set[tuple[int, int]]:
    """That many contacts; the pairs that are one person."""
    truth = set()
    at = datetime.now(UTC)
    with psycopg.connect(url) as connection:
        with connection.cursor().copy(_COPY) as copy:
            for (contact_id, mail, phone, *rest, x), first in people(contacts, random.Random(1)):
                copy.write_row((account_id, contact_id, x, mail, phone, *rest, "API", at, at))
                if first is not None:
                    truth.add((first, contact_id))
        connection.commit()
        connection.autocommit = True
        connection.execute("vacuum (analyze) contact")
    return truth


async def search(url: str, contacts: int) -> str:
    """A row of the table."""
    database = await Database.open(url)
    try:
        account = await Accounts(database, Clock()).create(f"shop {contacts}")
        truth = await asyncio.to_thread(fill, url, account.account_id, contacts)
        began, cpu = time.monotonic(), time.process_time()
        found = await Searches(database, Clock()).run(account.account_id)
        seconds, cpu = time.monotonic() - began, time.process_time() - cpu
        rows = await database.fetch(
            "select contact_id, other_id from duplicate where account_id = %(account_id)s",
            account_id=account.account_id,
        )
    finally:
        await database.close()
    right = len(truth & {(one, other) for one, other in rows})
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return (
        f"| {contacts:,} | {seconds:.0f} | {cpu:.0f} | {memory:.0f} | {found:,} | "
        f"{right / max(found, 1):.3f} | {right / len(truth):.3f} |"
    )


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--contacts", multiple=True, type=int, default=(200_000, 1_000_000), show_default=True
)
@click.option("--folder", type=click.Path(path_type=Path), help="Where the data is made.")
def main(contacts: tuple[int, ...], folder: Path | None) -> None:
    """Time, memory, precision and recall of a search for look-alikes."""
    start_logging("json")
    click.echo(
        "| contacts | seconds | processor, s | memory, MB | pairs found | precision | recall |"
    )
    click.echo("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    with scratch_folder(folder) as scratch:
        make_data_folder(scratch / "data")
        with EmbeddedPostgres(scratch / "data") as server:
            asyncio.run(prepare_database(server.url))
            for number in contacts:
                click.echo(asyncio.run(search(server.url, number)))


if __name__ == "__main__":
    main()
