"""The way of data into a PostgreSQL warehouse (guide G14, wire 10.3 and 10.4, decisions D33)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import psycopg
import pytest

from kartoteka.exports.errors import ExportExists, TargetFailed, TargetRefused
from kartoteka.exports.housekeeping import clean_up_exports
from kartoteka.exports.secrets import Safe
from kartoteka.log import finish_logging, start_logging
from tests.exports.conftest import Exporting, Warehouse, picture, table
from tests.rules.stories import add, remove


async def with_two(exporting: Exporting, warehouse: Warehouse, *datasets: str, **body):
    """Two contacts, exported once."""
    for name in ("X1", "X2"):
        await exporting.shop.id(add(x=name, email=f"{name.lower()}@example.com"))
    one = await exporting.to(warehouse.url, *(datasets or ("contacts",)), **body)
    await exporting.good_run(one)
    return one


async def same(exporting: Exporting, warehouse: Warehouse, one, dataset: str = "contacts"):
    run = await exporting.good_run(one)
    assert table(warehouse, dataset) == picture(exporting, dataset), run
    return run


async def test_only_what_changed_is_written(exporting, warehouse):
    one = await with_two(exporting, warehouse)
    await exporting.shop.send(add(x="X1", email="new@example.com"))
    run = await same(exporting, warehouse, one)
    done = run.datasets["contacts"]
    assert (run.rows, done.deleted, done.full, done.done) == (1, 1, False, True)
    assert (await same(exporting, warehouse, one)).rows == 0


async def test_who_commits_late_is_not_missed(exporting, warehouse):
    """A transaction that began before a run and ends after it is read by the next run (wire 10.4)."""
    one = await with_two(exporting, warehouse)
    with psycopg.connect(exporting.shop.url) as slow:
        slow.execute("update contact set first_name = 'Slow' where external_id = 'X1'")
        slow.execute(
            "insert into change (account_id, at, contact_ids) "
            "select account_id, now(), array[contact_id] from contact where external_id = 'X1'"
        )
        await exporting.shop.send(add(x="X2", first="Quick"))
        await same(exporting, warehouse, one)
        assert sorted(row[7] for row in table(warehouse, "contacts")) == ["Quick", "\\N"]
        slow.commit()
    run = await same(exporting, warehouse, one)
    assert run.rows == 1
    assert sorted(row[7] for row in table(warehouse, "contacts")) == ["Quick", "Slow"]


async def test_removed_contacts_stay_where_that_is_asked_for(exporting, warehouse):
    one = await with_two(exporting, warehouse, options={"keepRemoved": True})
    await exporting.shop.send(remove(x="X1"))
    await exporting.good_run(one)
    assert warehouse.rows(
        'select "externalCustomerId", "contactStatus" from contacts order by 1'
    ) == [("X1", "REMOVED"), ("X2", "LIVE")]


async def test_an_old_export_gets_new_columns_by_an_explicit_switch(exporting, warehouse):
    """Guide G14, wire 10.4: externalCustomerId is in new exports by itself, in old ones on demand."""
    shop = exporting.shop
    await shop.id(add(x="X1", email="x1@example.com"))
    one = await exporting.to(warehouse.url, "contacts", "devices")
    with psycopg.connect(shop.url) as connection:
        connection.execute("update export set columns_version = 0")
    await exporting.good_run(one)
    assert len(columns(warehouse, "contacts")) == 18
    assert "externalCustomerId" not in columns(warehouse, "contacts")
    await shop.id(add(x="X2", email="x2@example.com"))
    await exporting.good_run(one)
    assert "externalCustomerId" not in columns(warehouse, "contacts")
    await exporting.exports.change(exporting.account_id, one.export_id, {"newColumns": True})
    await exporting.good_run(one)
    found = warehouse.rows('select "externalCustomerId" from contacts order by 1')
    assert found == [("X1",), ("X2",)]


def columns(warehouse: Warehouse, name: str) -> list[str]:
    return [
        row[0]
        for row in warehouse.rows(
            "select column_name from information_schema.columns "
            f"where table_name = '{name}' order by ordinal_position"
        )
    ]


@pytest.mark.parametrize(
    "harm",
    [
        "drop table contacts",
        'alter table contacts drop column "email"',
        'drop index "contacts_by_contactId"',
        "alter table contacts add column note text",
        'alter table contacts alter column "firstName" type varchar(40)',
    ],
)
async def test_what_happened_to_a_table_is_repaired(exporting, warehouse, harm):
    one = await with_two(exporting, warehouse)
    warehouse.run(harm)
    await exporting.shop.send(add(x="X1", first="Anna"))
    await exporting.good_run(one)
    assert warehouse.rows(
        'select "externalCustomerId", email, "firstName" from contacts order by 1'
    ) == [("X1", "x1@example.com", "Anna"), ("X2", "x2@example.com", None)]
    assert warehouse.rows("select count(*) from pg_indexes where tablename = 'contacts'") == [(1,)]


@pytest.mark.parametrize(
    ("harm", "code", "words", "repair"),
    [
        (
            'alter table contacts alter column "email" type bigint using 1',
            "export_target_changed",
            "Column email of table public.contacts is bigint now, not text",
            "drop table contacts",
        ),
        (
            "comment on table contacts is null",
            "export_target_changed",
            "There is a table public.contacts that no export keeps",
            "drop table contacts",
        ),
        (
            'alter table contacts add constraint few check (length("firstName") < 3) not valid',
            "export_target_changed",
            "constraint few",
            "alter table contacts drop constraint few",
        ),
        (
            "drop table contacts; create view contacts as select 1 as x",
            "export_target_changed",
            "public.contacts is not a table",
            "drop view contacts",
        ),
    ],
)
async def test_what_is_not_for_us_to_repair_is_said(
    exporting, warehouse, harm, code, words, repair
):
    one = await with_two(exporting, warehouse)
    warehouse.run(harm)
    await exporting.shop.send(add(x="X1", first="Anna"))
    run = await exporting.run(one)
    assert (run.state, run.code) == ("failed", code)
    assert words in run.error
    assert "example.com" not in run.error
    assert "Anna" not in run.error
    warehouse.run(repair)
    await same(exporting, warehouse, one)


async def test_a_table_that_was_there_before_is_never_touched(exporting, warehouse):
    warehouse.run("create table contacts (mine text); insert into contacts values ('precious')")
    await exporting.shop.id(add(x="X1"))
    one = await exporting.to(warehouse.url, "contacts")
    run = await exporting.run(one)
    assert (run.state, run.code) == ("failed", "export_target_changed")
    assert warehouse.rows("select * from contacts") == [("precious",)]


async def test_a_revoked_right_is_said_and_the_next_run_goes_on(exporting, warehouse):
    one = await with_two(exporting, warehouse)
    with psycopg.connect(warehouse.url, autocommit=True) as connection:
        connection.execute("revoke insert, delete on contacts from current_user")
        await exporting.shop.send(add(x="X1", first="Anna"))
        run = await exporting.run(one)
        assert (run.state, run.code) == ("failed", "export_target_denied")
        assert "A right is missing while writing table public.contacts" in run.error
        connection.execute("grant all on contacts to current_user")
    await same(exporting, warehouse, one)


async def test_a_connection_that_is_cut_leaves_nothing_half_written(exporting, warehouse):
    one = await with_two(exporting, warehouse)
    before = table(warehouse, "contacts")
    await exporting.shop.send(add(x="X1", first="Anna"))
    with psycopg.connect(warehouse.url) as holder:
        holder.execute("lock table contacts in exclusive mode")
        running = asyncio.create_task(exporting.run(one))
        await until_waits(warehouse)
        cut(warehouse)
        run = await running
        holder.rollback()
    assert (run.state, run.code) == ("failed", "export_target_unreachable")
    assert table(warehouse, "contacts") == before
    await same(exporting, warehouse, one)


async def until_waits(warehouse: Warehouse) -> None:
    waiting = (
        "select 1 from pg_stat_activity where application_name = 'kartoteka export' "
        "and wait_event_type = 'Lock' and datname = current_database()"
    )
    async with asyncio.timeout(60):
        while not warehouse.rows(waiting):  # noqa: ASYNC110  polls a database
            await asyncio.sleep(0.02)


def cut(warehouse: Warehouse) -> None:
    warehouse.rows(
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where application_name = 'kartoteka export' and datname = current_database()"
    )


async def test_a_pause_stops_a_run_and_loses_nothing(exporting, warehouse):
    one = await with_two(exporting, warehouse)
    await exporting.shop.send(add(x="X1", first="Anna"))
    with psycopg.connect(warehouse.url) as holder:
        holder.execute("lock table contacts in exclusive mode")
        running = asyncio.create_task(exporting.run(one))
        await until_waits(warehouse)
        await exporting.exports.pause(exporting.account_id, one.export_id)
        run = await running  # although the target still makes it wait
        holder.rollback()
    assert run.state == "cancelled"
    await exporting.exports.resume(exporting.account_id, one.export_id)
    await same(exporting, warehouse, one)


async def test_deleting_an_export_ends_its_run_and_leaves_the_table(exporting, warehouse):
    one = await with_two(exporting, warehouse)
    before = table(warehouse, "contacts")
    await exporting.shop.send(add(x="X1", first="Anna"))
    account_id = exporting.account_id
    with psycopg.connect(warehouse.url) as holder:
        holder.execute("lock table contacts in exclusive mode")
        async with exporting.running():
            await exporting.exports.ask_for_run(account_id, one.export_id)
            await until_waits(warehouse)
            await exporting.exports.delete(account_id, one.export_id)
            async with asyncio.timeout(45):  # within the minute after which it would give up anyway
                while warehouse.rows(_OURS):  # noqa: ASYNC110  polls a database
                    await asyncio.sleep(0.02)  # although the target still makes it wait
        holder.rollback()
    assert table(warehouse, "contacts") == before
    assert exporting.shop.rows("select count(*) from export_run") == [(0,)]
    again = await exporting.to(warehouse.url, "contacts")  # takes the table over
    await same(exporting, warehouse, again)


_OURS = (
    "select 1 from pg_stat_activity where application_name = 'kartoteka export' "
    "and datname = current_database()"
)


async def test_how_far_a_run_is_can_be_seen_while_it_goes(exporting, warehouse):
    """Data set by data set, and within one; an index that has to wait holds the run up here."""
    one = await with_two(exporting, warehouse, "contacts", "devices")
    warehouse.run('drop index "devices_by_contactId"')
    await exporting.shop.send(add(x="X1", token="T" * 12))
    with psycopg.connect(warehouse.url) as holder:
        holder.execute("lock table devices in row exclusive mode")
        running = asyncio.create_task(exporting.run(one))
        async with asyncio.timeout(60):
            while True:
                run = await exporting.exports.last_run(exporting.account_id, one.export_id)
                if run.datasets.get("devices") and run.datasets["devices"].rows:
                    break
                await asyncio.sleep(0.02)
        assert (run.state, run.finished_at, run.rows) == ("running", None, 2)
        contacts, devices = run.datasets["contacts"], run.datasets["devices"]
        assert (contacts.rows, contacts.done, contacts.full) == (1, True, False)
        assert (devices.rows, devices.done) == (1, False)
        assert devices.bytes > 0
        assert run.bytes == contacts.bytes + devices.bytes
        holder.rollback()
    run = await running
    assert (run.state, run.datasets["devices"].done) == ("finished", True)


async def test_an_export_runs_by_itself_when_its_time_has_come(exporting, warehouse):
    await exporting.shop.id(add(x="X1", email="x1@example.com"))
    one = await exporting.to(warehouse.url, "contacts", paused=False, interval="1h")
    async with exporting.running():
        first = await next_run(exporting, one, after=0)
        await exporting.shop.send(add(x="X1", first="Anna"))
        with psycopg.connect(exporting.shop.url) as connection:
            connection.execute("update export set next_at = next_at - interval '1 hour'")
        await next_run(exporting, one, after=first)
    assert table(warehouse, "contacts") == picture(exporting, "contacts")
    found = await exporting.exports.find(exporting.account_id, one.export_id)
    wait = found.next_at - exporting.shop.clock.now()
    assert timedelta(minutes=50) < wait <= timedelta(hours=1)


async def test_runs_that_are_asked_for_leave_the_schedule_as_it_is(exporting, warehouse):
    """Issue 6: interval, run now. However often somebody asks, the next hourly run is due in an hour."""
    one = await exporting.to(warehouse.url, "contacts", paused=False, interval="1h")
    due = []
    for _ in range(3):
        await exporting.good_run(one)
        due.append((await exporting.exports.find(exporting.account_id, one.export_id)).next_at)
    assert due[0] - exporting.shop.clock.now() <= timedelta(hours=1)
    assert due[0] == due[1] == due[2]


async def next_run(exporting: Exporting, one, *, after: int) -> int:
    """The next run that is over, by the schedule."""
    async with asyncio.timeout(60):
        while True:
            run = await exporting.exports.last_run(exporting.account_id, one.export_id)
            if run is not None and run.run_id > after and run.finished_at is not None:
                assert (run.state, run.by) == ("finished", "schedule"), run.error
                return run.run_id
            await asyncio.sleep(0.02)


async def test_two_runners_share_the_work(exporting, warehouse):
    one = await with_two(exporting, warehouse)
    async with exporting.running(), exporting.running():
        for n in range(5):
            await exporting.shop.send(add(x="X1", first=f"Anna {n}"))
            run = await exporting.exports.ask_for_run(exporting.account_id, one.export_id)
            run = await exporting.exports.wait(exporting.account_id, run, 60)
            assert run.state == "finished", run.error
            assert run.attempts == 1
    assert table(warehouse, "contacts") == picture(exporting, "contacts")


async def test_a_warehouse_that_was_restored_from_a_copy_is_filled_anew(exporting, warehouse):
    one = await with_two(exporting, warehouse)
    ((comment,),) = warehouse.rows("select obj_description('contacts'::regclass)")
    await exporting.shop.send(add(x="X1", first="Anna"))
    await exporting.good_run(one)
    warehouse.run(
        "delete from contacts where \"externalCustomerId\" = 'X1'; "
        f"comment on table contacts is '{comment}'"
    )
    run = await same(exporting, warehouse, one)
    assert run.datasets["contacts"].full


async def test_an_export_that_stood_still_too_long_reads_everything_anew(exporting, warehouse):
    one = await with_two(exporting, warehouse)
    await exporting.shop.send(add(x="X1", first="Anna"))
    with psycopg.connect(exporting.shop.url) as connection:
        connection.execute("update change set at = at - interval '8 days'")
    await clean_up_exports(exporting.database, exporting.shop.clock)
    assert exporting.shop.rows("select count(*) from change") == [(0,)]
    run = await same(exporting, warehouse, one)
    assert run.datasets["contacts"].full
    await exporting.shop.send(add(x="X1", first="Bob"))
    run = await same(exporting, warehouse, one)
    assert not run.datasets["contacts"].full


async def test_changes_that_every_export_has_are_forgotten(exporting, warehouse):
    one = await with_two(exporting, warehouse)
    with psycopg.connect(exporting.shop.url) as connection:
        connection.execute("update change set at = at - interval '2 hours'")
    await exporting.shop.send(add(x="X1", first="Anna"))
    await clean_up_exports(exporting.database, exporting.shop.clock)
    assert exporting.shop.rows("select count(*) from change") == [(1,)]
    run = await same(exporting, warehouse, one)
    assert (run.rows, run.datasets["contacts"].full) == (1, False)


async def test_repeated_failure_is_told(exporting, warehouse, capsys):
    start_logging("json")  # to what stderr is here, whoever logged in this process before
    one = await with_two(exporting, warehouse)
    warehouse.run("comment on table contacts is null")
    for _ in range(3):
        await exporting.run(one)
    found = await exporting.exports.find(exporting.account_id, one.export_id)
    assert found.failures == 3
    assert found.alerted_at is not None
    assert found.next_at - exporting.shop.clock.now() > timedelta(seconds=150)
    finish_logging()
    assert "export_keeps_failing" in capsys.readouterr().err
    warehouse.run("drop table contacts")
    await exporting.good_run(one)
    found = await exporting.exports.find(exporting.account_id, one.export_id)
    assert (found.failures, found.alerted_at) == (0, None)


async def test_the_services_own_database_is_refused_by_whatever_name(exporting):
    """By its socket, too: what counts is that a lock taken here is seen there."""
    with pytest.raises(TargetRefused, match="own database"):
        await exporting.exports.validate(
            exporting.account_id,
            {"target": "postgres", "settings": {"url": exporting.shop.url, "schema": "elsewhere"}},
        )
    one = await exporting.to(exporting.shop.url, "contacts")
    run = await exporting.run(one)
    assert (run.state, run.code) == ("failed", "export_target_refused")


async def test_validate_says_what_is_missing(exporting, warehouse):
    good = {"target": "postgres", "settings": {"url": warehouse.url, "schema": "fresh"}}
    assert await exporting.exports.validate(exporting.account_id, good) == []
    assert warehouse.rows("select 1 from pg_namespace where nspname = 'fresh'") == []
    wrong = warehouse.url.replace("/test_", "/nowhere_")
    with pytest.raises(TargetFailed, match="no such database"):
        await exporting.exports.validate(
            exporting.account_id, {"target": "postgres", "settings": {"url": wrong}}
        )


async def test_two_exports_never_write_to_one_place(exporting, warehouse):
    await exporting.to(warehouse.url, "contacts", "devices")
    with pytest.raises(ExportExists, match="warehouse"):
        await exporting.to(warehouse.url, "contacts", name="other")
    with pytest.raises(ExportExists, match="name"):
        await exporting.to(warehouse.url, "orders")
    await exporting.to(warehouse.url, "orders", name="other")
    await exporting.to(warehouse.url, "contacts", name="third", settings={"schema": "third"})


async def test_credentials_are_encrypted_and_bound_to_their_account(exporting):
    one = await exporting.to("postgresql://u:topsecret@127.0.0.1:1/d", "contacts")
    stored = exporting.shop.rows("select export::text, secret from export")
    assert "topsecret" not in stored[0][0]
    assert b"topsecret" not in bytes(stored[0][1])
    assert "topsecret" not in repr(one.settings)
    safe = Safe("a secret of the tests, long enough for its job")
    assert safe.open(one.account_id, one.secret)["parts"]["password"] == "topsecret"
    with pytest.raises(TargetFailed):
        safe.open(one.account_id + 1, one.secret)
    with pytest.raises(TargetFailed, match="KARTOTEKA_SECRET_KEY"):
        Safe("another secret of the tests, long enough too").open(one.account_id, one.secret)
    run = await exporting.run(one)
    assert (run.state, run.code) == ("failed", "export_target_unreachable")
    assert "topsecret" not in run.error
