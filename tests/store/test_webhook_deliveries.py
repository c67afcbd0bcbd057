"""How often a delivery is tried: a real database, a receiver in this process, another clock."""

from __future__ import annotations

import asyncio
import http.server
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from kartoteka.access.accounts import Accounts
from kartoteka.clock import FixedClock
from kartoteka.db.database import Database
from kartoteka.errors import LinkRefused
from kartoteka.outbound.client import Outbound
from kartoteka.webhooks.model import MOST_ATTEMPTS, State, pause_after
from kartoteka.webhooks.sending import Sending, forget_old, signature
from kartoteka.webhooks.store import Webhooks

START = datetime(2026, 1, 31, tzinfo=UTC)
HAPPEN = (
    "insert into happening (account_id, at, kind, contact_id) "
    "values (%(account_id)s, %(at)s, 4, %(contact_id)s)"
)


class Refuses(http.server.BaseHTTPRequestHandler):
    status = 500
    came = 0
    held = False
    hung_up = False
    go_on = threading.Event()

    def do_POST(self) -> None:
        if self.path == "/slow":
            type(self).held = True
            self.rfile.read(int(self.headers["Content-Length"]))
            while (
                not self.go_on.is_set() and not self.hung_up
            ):  # the client says no more: it hangs up
                type(self).hung_up = self.connection.recv(1) == b""
            return
        type(self).came += 1
        self.send_response(self.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    Refuses.status, Refuses.came, Refuses.held, Refuses.hung_up = 500, 0, False, False
    Refuses.go_on.clear()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refuses)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_pauses_grow_up_to_an_hour():
    pauses = [pause_after(attempts).total_seconds() for attempts in range(1, MOST_ATTEMPTS + 1)]
    assert pauses[:4] == [5, 10, 20, 40]
    assert pauses == sorted(pauses)
    assert max(pauses) == pauses[-1] == 3600
    assert sum(pauses[:-1]) > 6 * 3600


def test_the_signature_is_hmac_sha_256_of_time_and_body():
    """As `printf '1769817600.{}' | openssl dgst -sha256 -hmac whsec_x` says."""
    wanted = "99dacb3198be240391910481c91af19097aca571227fd4bcf7425b57b50c3525"
    assert signature("whsec_x", b"{}", START) == f"t=1769817600,v1={wanted}"


@pytest.mark.parametrize(
    ("addresses", "is_refused"),
    [
        (["127.0.0.1"], True),
        (["93.184.215.14", "::1"], True),
        (["93.184.215.14"], False),
        ([], False),
    ],
)
async def test_a_name_of_a_private_network_is_refused_at_once(database, addresses, is_refused):
    """Issue 5: address checks. A name that nobody knows yet may be known when something happens."""

    async def resolve(host: str) -> list[str]:
        assert host == "shop.example"
        if not addresses:
            raise OSError
        return addresses

    account = await Accounts(database, FixedClock(START)).create("shop")
    known = Webhooks(database, FixedClock(START), allow_private=False, resolve=resolve)
    body = {"url": "http://shop.example/hook"}
    if is_refused:
        with pytest.raises(LinkRefused):
            await known.add(account.account_id, body)
    else:
        made, _ = await known.add(account.account_id, body)
        with pytest.raises(LinkRefused):
            await known.change(account.account_id, made, {"url": "http://[::1]/"})


async def test_what_is_never_received_is_dead_at_last_and_can_be_replayed(
    database: Database, url: str
) -> None:
    clock = FixedClock(START)
    account_id = (await Accounts(database, clock).create("shop")).account_id
    webhooks = Webhooks(database, clock, allow_private=True)
    hook, _ = await webhooks.add(account_id, {"url": url})
    await database.execute(HAPPEN, account_id=account_id, at=clock.now(), contact_id=1)
    await database.execute(HAPPEN, account_id=account_id, at=clock.now(), contact_id=1)
    sending = Sending(database, Outbound(allow_private=True), clock)
    for attempts in range(1, MOST_ATTEMPTS):
        await sending.once()
        assert Refuses.came == attempts, "the second event waits behind the first"
        await sending.once()
        assert Refuses.came == attempts, "not before the pause is over"
        clock.advance(pause_after(attempts) + timedelta(seconds=1))
    await sending.once()
    dead, total = await webhooks.deliveries(account_id, hook, State.DEAD, 0, 10)
    assert total == 1
    assert (dead[0].attempts, dead[0].status) == (MOST_ATTEMPTS, 500)
    assert dead[0].error == "The webhook answers 500."
    Refuses.status = 204
    await sending.once()
    assert (await webhooks.find(account_id, hook)).waiting == 0, "the next one has its turn"
    assert await webhooks.replay(account_id, hook) == 1
    await sending.once()
    _, delivered = await webhooks.deliveries(account_id, hook, State.DELIVERED, 0, 10)
    assert delivered == 2
    clock.advance(timedelta(days=401))
    await forget_old(database, clock, [account_id])
    assert await webhooks.deliveries(account_id, hook, None, 0, 10) == ([], 0)
    assert await database.fetch("select 1 from happening") == []


async def test_a_slow_webhook_holds_up_no_other_and_ends_when_it_is_switched_off(
    database, url, monkeypatch
):
    """Issue 5, webhooks: one shop's receiver that hangs is not the business of another's."""
    clock = FixedClock(START)
    known = Webhooks(database, clock, allow_private=True)
    sending = Sending(database, Outbound(allow_private=True), clock)
    account_id = (await Accounts(database, clock).create("shop")).account_id
    slow, _ = await known.add(account_id, {"url": f"{url}slow"})
    await known.add(account_id, {"url": url})
    Refuses.status = 200
    monkeypatch.setattr("kartoteka.webhooks.sending.WITHIN_S", 1_000.0)
    stopping = asyncio.Event()
    task = asyncio.create_task(sending.run(stopping))
    try:
        for contact_id in (1, 2):
            await database.execute(HAPPEN, account_id=account_id, at=START, contact_id=contact_id)
            await until(lambda came=contact_id: Refuses.held and Refuses.came == came)
        await known.change(account_id, slow, {"enabled": False})
        await until(lambda: Refuses.hung_up)
        assert (await known.find(account_id, slow)).waiting >= 1
    finally:
        Refuses.go_on.set()
        stopping.set()
        await task


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(120):
        while True:
            if holds():
                return
            await asyncio.sleep(0.02)


async def test_nothing_is_told_before_everything_older_is_committed(
    database: Database, url: str
) -> None:
    """A transaction that is still open may have happened before: reading on waits for it."""
    Refuses.status = 200
    clock = FixedClock(START)
    account_id = (await Accounts(database, clock).create("shop")).account_id
    webhooks = Webhooks(database, clock, allow_private=True)
    hook, _ = await webhooks.add(account_id, {"url": url})
    sending = Sending(database, Outbound(allow_private=True), clock)
    asked = {"account_id": account_id, "at": clock.now()}
    async with database.connection() as slow:
        await slow.execute("begin")
        await slow.execute(HAPPEN, {**asked, "contact_id": 1})
        await database.execute(HAPPEN, **asked, contact_id=2)
        await sending.once()
        assert Refuses.came == 0
        await slow.execute("commit")
    await sending.once()
    found, _ = await webhooks.deliveries(account_id, hook, State.DELIVERED, 0, 10)
    assert sorted(one.contact_id for one in found) == [1, 2]
