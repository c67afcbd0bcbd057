"""Two servers on one database, asked at once: nothing is lost and nobody is doubled."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import Server, fresh_database
from tests.faults.invariants import check
from tests.faults.servers import crowd, define_fields, rows, running


class Pair:
    """Two servers and the URL of their database."""

    def __init__(self, url: str, servers: list[Server]) -> None:
        self.url = url
        self.servers = servers


@pytest.fixture(scope="module")
def pair(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("pair")
    with fresh_database(postgres_url) as url, running(folder, url) as servers:
        yield Pair(url, servers)


def test_two_first_starts_at_once_make_one_account(pair: Pair):
    assert rows(pair.url, "select count(*) from account") == [(1,)]
    assert rows(pair.url, "select count(*) from api_key") == [(1,)]


async def test_200_updates_of_200_fields_of_one_contact_all_survive(pair: Pair):
    fields = define_fields(pair.url, 200)
    async with crowd(pair.servers) as clients:
        await clients.post({"externalCustomerId": "fields"})
        answers = await clients.all(
            [
                {"externalCustomerId": "fields", "fields": [{"id": one, "value": f"value {one}"}]}
                for one in fields
            ]
        )
    assert {answer.status for answer in answers} == {200}
    [(stored,)] = rows(pair.url, "select fields from contact where external_id = 'fields'")
    assert stored == {str(one): f"value {one}" for one in fields}
    check(pair.url)


def channel(kind: str, value: str) -> dict[str, Any]:
    return {"channels": [{"type": kind, "value": value}]}


@pytest.mark.parametrize(
    "body",
    [
        {"externalCustomerId": "first"},
        channel("email", "first@x.example"),
        channel("sms", "380671234567"),
        channel("mobilepush", "first-token"),
        {"deviceId": "first-device", "channels": []},
        {"externalCustomerId": "all", **channel("email", "all@x.example")},
    ],
    ids=lambda body: "+".join(str(one) for one in body.values())[:60],
)
async def test_500_first_requests_make_one_contact(pair: Pair, body: dict[str, Any]):
    [(before,)] = rows(pair.url, "select count(*) from contact")
    async with crowd(pair.servers) as clients:
        answers = await clients.all([body] * 500)
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body["id"] for answer in answers}) == 1
    assert rows(pair.url, "select count(*) from contact") == [(before + 1,)]
    check(pair.url)


async def test_hammering_the_same_people_loses_nothing(pair: Pair):
    """50 contacts, 50 tokens, 50 e-mails, 50 phones; each request also writes a field of its own."""
    people, times = 50, 24
    fields = define_fields(pair.url, times, "hammer")
    chance = random.Random(7)

    def body(person: int, time: int) -> dict[str, Any]:
        said: dict[str, Any] = {
            "externalCustomerId": f"H{person}",
            "fields": [{"id": fields[time], "value": f"{person}.{time}"}],
        }
        channels = {
            "mobilepush": f"H-token-{chance.randrange(50)}",
            "email": f"h{chance.randrange(50)}@x.example",
            "sms": f"3806712300{chance.randrange(50):02}",
        }
        chosen = chance.sample(sorted(channels), chance.randrange(4))
        said["channels"] = [{"type": kind, "value": channels[kind]} for kind in chosen]
        return said

    bodies = [body(person, time) for person in range(people) for time in range(times)]
    anonymous = [channel("mobilepush", f"H-token-{one}") for one in range(50)] + [
        channel("email", f"h{one}@x.example") for one in range(50)
    ]
    everything = bodies + anonymous * 2
    chance.shuffle(everything)
    async with crowd(pair.servers) as clients:
        answers = await clients.all(everything)
    assert {answer.status for answer in answers} == {200}
    stored = dict(
        rows(pair.url, "select external_id, fields from contact where external_id like 'H%%'")
    )
    assert stored == {
        f"H{person}": {str(fields[time]): f"{person}.{time}" for time in range(times)}
        for person in range(people)
    }
    check(pair.url)


async def test_hammering_with_removals_and_subscriptions(pair: Pair):
    """Add, subscribe, remove, erase and move at once: whatever the order, the invariants hold."""
    chance = random.Random(11)

    async def one(clients: Any) -> int:
        who = chance.randrange(12)
        body = {
            "externalCustomerId": f"R{who}",
            "channels": [
                {"type": "email", "value": f"r{chance.randrange(12)}@x.example"},
                {"type": "mobilepush", "value": f"R-token-{chance.randrange(12)}"},
            ],
        }
        what = chance.choice(["add", "add", "anonymous", "subscribe", "remove", "erase"])
        if what == "anonymous":
            del body["externalCustomerId"]
        if what in ("add", "anonymous"):
            return (await clients.post(body)).status
        if what == "subscribe":
            said = {"contact": body, "groups": [f"List {who % 3}"]}
            return (await clients.post(said, "/api/v1/contact/subscribe")).status
        erase = "&erase=true" if what == "erase" else ""
        path = f"/api/v1/contact?externalCustomerId=R{who}{erase}"
        answer = await clients.ask("DELETE", path)
        return 200 if answer.status == 404 else answer.status

    async with crowd(pair.servers) as clients:
        for _ in range(3):
            codes = await asyncio.gather(*(one(clients) for _ in range(250)))
            assert set(codes) == {200}
            check(pair.url)
