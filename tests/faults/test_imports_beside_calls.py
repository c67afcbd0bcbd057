"""A file about the same people whom a crowd of single calls writes to: neither loses an update."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from kartoteka.db.embedded import running_url
from tests.conftest import Server
from tests.faults.imports import assert_whole, client_of, send, wait_for
from tests.faults.invariants import check
from tests.faults.servers import Crowd, crowd, define_fields, in_letters, rows

PEOPLE, TIMES, ROWS = 30, 40, 4_000


def a_file() -> tuple[str, dict[str, str]]:
    """Everybody many times, each time in another town and often with somebody's e-mail.

    With it the town that each of them comes to live in.
    """
    chance = random.Random(3)
    lines, towns = ["External ID,Email,First name,City"], {}
    for row in range(ROWS):
        person = f"H{chance.randrange(PEOPLE)}"
        email = f"h{chance.randrange(PEOPLE)}@x.example" if chance.random() < 0.3 else ""
        towns[person] = f"Town {row}"
        lines.append(f"{person},{email},From the file,{towns[person]}")
    return "\n".join(lines), towns


class Writer:
    """Writes to one person: each field once, tokens of everybody, and the name all the time."""

    def __init__(self, person: int, fields: list[int]) -> None:
        self.external_id = f"H{person}"
        self._chance = random.Random(person)
        self._fields = fields
        self.name = ""

    async def write(self, clients: Crowd, until: asyncio.Event) -> None:
        """Until told to stop, and once after that."""
        number, is_last = 0, False
        while not is_last:
            is_last = until.is_set() and number >= TIMES
            self.name = f"From call {in_letters(number)}"
            answer = await clients.post(self._body(number))
            assert answer.status == 200, answer.body
            number += 1

    def _body(self, number: int) -> dict[str, Any]:
        said = {"externalCustomerId": self.external_id, "firstName": self.name}
        if number >= TIMES:
            return said
        token = {"type": "mobilepush", "value": f"H-token-{self._chance.randrange(PEOPLE)}"}
        field = {"id": self._fields[number], "value": f"{self.external_id}.{number}"}
        return said | {"channels": [token], "fields": [field]}

    def fields(self) -> dict[str, str]:
        """What its calls put there."""
        return {str(one): f"{self.external_id}.{n}" for n, one in enumerate(self._fields)}


async def test_nothing_is_lost_of_what_a_file_and_single_calls_write(server: Server):
    url = running_url(server.log.parent / "data")
    fields, (content, towns) = define_fields(url, TIMES), a_file()
    writers, done = [Writer(person, fields) for person in range(PEOPLE)], asyncio.Event()
    with client_of(server) as api:
        async with crowd([server], connections=12) as clients:
            writing = [asyncio.create_task(one.write(clients, done)) for one in writers]
            number = await asyncio.to_thread(send, api, content)
            one = await asyncio.to_thread(wait_for, api, number)
            done.set()
            await asyncio.gather(*writing)
    assert (one["state"], one["done"], one["counts"]["failed"]) == ("finished", ROWS, 0)
    found = rows(url, "select external_id, first_name, town, fields from contact where status = 0")
    assert {who: (name, town, said) for who, name, town, said in found if who} == {
        one.external_id: (one.name, towns[one.external_id], one.fields()) for one in writers
    }
    [(account,)] = rows(url, "select min(account_id) from account")
    assert_whole(url, account, number, ROWS)
    check(url)
