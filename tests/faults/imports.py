"""Imports under faults: a file with everything in it, and what it left, ids and times aside."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import psycopg

from kartoteka.access.accounts import Accounts
from kartoteka.access.key_admin import AccountKeys
from kartoteka.access.model import KeyKind
from kartoteka.clock import Clock
from kartoteka.db.database import Database
from tests.conftest import Server
from tests.faults.servers import rows

OVER = ("finished", "cancelled", "failed")
OPTIONS = {
    "emptyValues": "overwrite",
    "groupNames": ["Imported"],
    "groupNamesExclude": ["Old"],
    "eventKeyForNewContacts": "imported",
}
HEADER = ("External ID", "Email", "Phone", "Mobile push token", "First name", "Last name", "City")
FIRST, LAST, TOWNS = ("Ann", "Bob", "Eve", ""), ("Lee", "Kim", ""), ("Kyiv", "Lviv", "Odesa", "")


def client_of(server: Server, key: str | None = None) -> httpx.Client:
    """HTTP to that server, with its first key unless told otherwise."""
    # Certificates would be read for each client, though nobody uses them.
    return httpx.Client(
        base_url=server.url, auth=("", key or server.key), timeout=120, verify=False
    )


async def _open_account(url: str, name: str) -> tuple[int, str]:
    database, clock = await Database.open(url), Clock()
    account = await Accounts(database, clock).create(name)
    made = await AccountKeys(database, clock, account.account_id).create(KeyKind.SERVER)
    await database.close()
    return account.account_id, made.text


def open_account(url: str, name: str) -> tuple[int, str]:
    """(id, key) of a new account in that database."""
    return asyncio.run(_open_account(url, name))


# What is there before, and the file.


def anonymous(number: int) -> dict[str, str]:
    return {
        "email": f"a{number}@x.example",
        "sms": f"38067120{number:04}",
        "mobilepush": f"A-token-{number}",
    }


def populate(api: httpx.Client) -> dict[int, str]:
    """Known, anonymous, removed and erased people; a name for each by contact id."""
    named: dict[int, str] = {}

    def add(label: str, channels: dict[str, str], **more: Any) -> int:
        listed = [{"type": kind, "value": value} for kind, value in channels.items()]
        answer = api.post("/api/v1/contact", json={"channels": listed, **more})
        assert answer.status_code == 200, answer.text
        named[answer.json()["id"]] = label
        return int(answer.json()["id"])

    for number in range(16):
        add(f"K{number}", {"email": f"k{number}@x.example"}, externalCustomerId=f"K{number}")
        add(f"A{number}", anonymous(number), **({"firstName": "Ann"} if number % 3 else {}))
    for number in range(4):
        gone = add(f"R{number}", {}, externalCustomerId=f"R{number}", firstName="Gone")
        api.delete(f"/api/v1/contact/{gone}").raise_for_status()
        gone = add(f"E{number}", {}, externalCustomerId=f"E{number}", firstName="Gone")
        api.delete(f"/api/v1/contact/{gone}", params={"erase": "true"}).raise_for_status()
    return named


def people_file(seed: int, number: int) -> str:
    """A CSV of so many people, some of them several times, some of them nobody."""
    chance = random.Random(seed)
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(HEADER)
    known: list[str] = []
    for place in range(number):
        lines.writerow(_row(chance, place, known))
    return text.getvalue()


def _row(chance: random.Random, place: int, known: list[str]) -> tuple[str, ...]:
    names = (chance.choice(FIRST), chance.choice(LAST), chance.choice(TOWNS))
    what = chance.random()
    if what < 0.03:  # nobody, as far as an import by External ID can tell
        return ("", chance.choice(("", f"n{place}@x.example")), "", "", "Nobody", *names[1:])
    if what < 0.04:
        return (chance.choice(("x" * 300, "1.2E+11")), "", "", "", *names)
    if what < 0.08:  # removed or erased
        return (f"{chance.choice('RE')}{chance.randrange(4)}", "", "", "", *names)
    if what < 0.13:
        return (f"K{chance.randrange(16)}", "", "", f"T{chance.randrange(9)}", *names)
    if what < 0.30 and known:  # somebody again, with other addresses
        email = f"shared{chance.randrange(40)}@x.example" if chance.random() < 0.3 else ""
        return (chance.choice(known), email, "", "", *names)
    external_id = f"N{place}"
    known.append(external_id)
    if what < 0.36:  # somebody of whom we knew without an External ID: found, or absorbed
        one = anonymous(chance.randrange(16))
        said = {kind: value if chance.random() < 0.6 else "" for kind, value in one.items()}
        return (external_id, *said.values(), *names)
    email = f"n{place}@x.example" if chance.random() < 0.9 else "no address"
    return (external_id, email, f"38050{place:07}", "", *names)


# An import over HTTP.


def send(api: httpx.Client, content: str, options: Any = None, name: str = "people.csv") -> int:
    """The id of an import of that file."""
    data = {} if options is None else {"options": json.dumps(options)}
    answer = api.post(
        "/api/v1/imports", files={"file": (name, content.encode(), "text/csv")}, data=data
    )
    assert answer.status_code == 200, answer.text
    return int(answer.json()["id"])


def look(api: httpx.Client, number: int) -> dict[str, Any]:
    answer = api.get(f"/api/v1/imports/{number}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def wait_for(api: httpx.Client, number: int, *states: str, timeout_s: float = 60) -> dict[str, Any]:
    """The import when it is in one of these states."""
    found: dict[str, Any] = {}

    def arrived() -> bool:
        answer = api.get(f"/api/v1/imports/{number}")
        assert answer.status_code in (200, 503), answer.text
        found.update(answer.json())
        return found.get("state") in (states or OVER)

    wait_until(arrived, timeout_s, lambda: str(found))
    return found


def change(api: httpx.Client, number: int, word: str) -> str:
    """The state after `pause`, `resume` or `cancel`, or the code of the refusal."""
    answer = api.post(f"/api/v1/imports/{number}/{word}").json()
    return str(answer["code"] if "code" in answer else answer["state"])


def wait_until(
    holds: Callable[[], bool], timeout_s: float = 120, told: Callable[[], str] = lambda: ""
) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, told()
        time.sleep(0.02)


def done_rows(url: str, number: int) -> int:
    """How many rows of the import have their outcome; 0 while the database is away."""
    sql = "select coalesce(sum(last_row - first_row + 1), 0)::int from import_batch where import_id = %s"
    try:
        return int(rows(url, sql, number)[0][0])
    except psycopg.Error:
        return 0


# What it left.

_CARD = (
    "status, external_id, former_ids, email, phone, first_name, last_name, contact_key, language_code,"
    " time_zone, region, town, address, postcode, fields::text, consent::text, source, keyed"
)


class Left:
    """What an account holds after an import; contacts go by their names, or by the row they came with."""

    def __init__(self, url: str, account: int, number: int, named: dict[int, str]) -> None:
        self._url, self._account, self._number = url, account, number
        self._named = dict(named)
        for row, contact in self._ask(
            "select row_number, contact_id from import_row where account_id = %s and import_id = %s"
            " and contact_id is not null order by row_number",
            number,
        ):
            self._named.setdefault(contact, f"row {row}")

    def _ask(self, sql: str, *more: Any) -> list[tuple[Any, ...]]:
        return rows(self._url, sql, self._account, *more)

    def name(self, contact: int | None) -> str | None:
        return None if contact is None else self._named.get(contact, f"unknown {contact}")

    def statement(self) -> list[tuple[Any, ...]]:
        """Every line of it, by row number."""
        lines = self._ask(
            "select row_number, outcome, contact_id, value, notes from import_row"
            " where account_id = %s and import_id = %s order by row_number",
            self._number,
        )
        return [
            (row, outcome, self.name(contact), value, self._notes(notes))
            for row, outcome, contact, value, notes in lines
        ]

    def _notes(self, notes: Any) -> Any:
        if not notes or "mergedWith" not in notes:
            return notes
        return notes | {"mergedWith": [self.name(one) for one in notes["mergedWith"]]}

    def cards(self) -> dict[str | None, tuple[Any, ...]]:
        found = self._ask(
            f"select contact_id, merged_into, {_CARD} from contact where account_id = %s"
        )
        return {self.name(who): (self.name(into), *card) for who, into, *card in found}

    def identifiers(self) -> list[tuple[Any, ...]]:
        found = self._ask(
            "select contact_id, kind, value_key, former, rule from identifier where account_id = %s"
        )
        return sorted((self.name(who) or "", *more) for who, *more in found)

    def lists(self) -> list[tuple[str, str]]:
        found = self._ask(
            "select m.contact_id, s.name from segment_member m"
            " join segment s using (account_id, segment_id) where account_id = %s"
        )
        return sorted((self.name(who) or "", name) for who, name in found)

    def events(self) -> list[tuple[Any, ...]]:
        """Each with whom it happened to, and what is said of it."""
        found = self._ask(
            "select owner_id, type_key, key_value, params - 'contactId' from event"
            " where account_id = %s"
        )
        return sorted(
            (self.name(owner) or "", kind, value, str(said)) for owner, kind, value, said in found
        )

    def history(self) -> Counter[tuple[Any, ...]]:
        found = self._ask(
            "select action, rule, contact_id, other_contact_id, method, identifiers"
            " from identity_history where account_id = %s"
        )
        return Counter(
            (action, rule, self.name(who), self.name(other), method, _values(said))
            for action, rule, who, other, method, said in found
        )

    def everything(self) -> dict[str, Any]:
        """All of it, each part to be compared with another's."""
        parts = ("statement", "cards", "identifiers", "lists", "events", "history")
        return {part: getattr(self, part)() for part in parts}


def _values(identifiers: Any) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((one["kind"], one.get("value", "")) for one in identifiers or ()))


def assert_same(left: Left, expected: Left) -> None:
    """Fail with the first few lines that differ."""
    theirs, ours = expected.everything(), left.everything()
    for part, wanted in theirs.items():
        if ours[part] != wanted:
            raise AssertionError(f"{part}: {_difference(ours[part], wanted)}")


def _difference(found: Any, wanted: Any) -> str:
    found, wanted = (
        list(one.items()) if isinstance(one, dict) else list(one) for one in (found, wanted)
    )
    more = [one for one in found if one not in wanted][:5]
    fewer = [one for one in wanted if one not in found][:5]
    text = msgspec.json.encode({"found": more, "wanted": fewer, "sizes": [len(found), len(wanted)]})
    return msgspec.json.format(text).decode()


def assert_whole(url: str, account: int, number: int, total: int) -> None:
    """Every row has exactly one line, 1 to `total`, and the batches say the same."""
    numbers = rows(
        url,
        "select array_agg(row_number order by row_number) from import_row"
        " where account_id = %s and import_id = %s",
        account,
        number,
    )[0][0]
    assert numbers == list(range(1, total + 1))
    covered = rows(
        url,
        "select generate_series(first_row, last_row) from import_batch"
        " where account_id = %s and import_id = %s order by 1",
        account,
        number,
    )
    assert [one for (one,) in covered] == numbers
