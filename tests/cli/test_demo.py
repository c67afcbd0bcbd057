"""`kartoteka demo` with a few customers in the format of the CDNOW file; nothing is fetched."""

from __future__ import annotations

import random
import subprocess
from datetime import date
from decimal import Decimal
from pathlib import Path

import httpx
import psycopg
import pytest

from kartoteka.cli.cdnow import Customer, Purchase, read_customers
from kartoteka.db.embedded import running_url
from tests.conftest import COMMAND, clean_environment

LINES = " customer_id  date number_of_cds  dollar_value\r\n" + "".join(
    f" {number:05d} 1997010{day}  1   11.77\r\n" for number in range(1, 21) for day in (1, 2)
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "customers.txt"
    path.write_text(LINES)
    return path


def demo(server, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = clean_environment() | {"KARTOTEKA_DATA_DIR": str(server.log.parent / "data")}
    return subprocess.run(
        [COMMAND, "demo", "--base-url", server.url, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_customers_are_read_with_their_zeros_and_purchases():
    customers = read_customers(LINES.splitlines())
    bought = tuple(Purchase(date(1997, 1, day), 1, Decimal("11.77")) for day in (1, 2))
    assert customers[0] == Customer("00001", bought)
    assert [one.external_id for one in customers[-2:]] == ["00019", "00020"]
    app, site = ["mobilepush"], ["webpush"]
    ways = [[token["type"] for token in one.tokens] for one in customers[:10]]
    assert ways == [app, app, app, app, site, site, site + app, [], [], app]
    assert [one.external_id for one in customers if one.in_file][:2] == ["00001", "00003"]


def test_customers_are_loaded_and_a_second_run_changes_nothing(server, file):
    done = demo(server, "--file", str(file))
    assert done.returncode == 0, done.stderr
    assert "20 customers are 20 contacts." in done.stdout
    assert "16 of 16 visitors kept their contact when they registered." in done.stdout
    assert "40 purchases sent as orders" in done.stdout
    assert "20 contacts have 40 orders of 470.80 USD." in done.stdout
    assert "contact by contact, to the cent." in done.stdout
    assert '"externalCustomerId": "00001"' in done.stdout
    with httpx.Client(base_url=server.url, auth=("", server.key), timeout=120) as client:
        answer = client.get("/api/v1/contacts?sortBy=contactId")
        before = answer.json()
        assert answer.headers["TotalCount"] == "20"
        assert {one["externalCustomerId"] for one in before} == {f"{n:05d}" for n in range(1, 21)}
        again = demo(server, "--file", str(file), "--api-key", server.key)
        assert again.returncode == 0, again.stderr
        assert "created" not in again.stdout
        assert "20 contacts have 40 orders of 470.80 USD." in again.stdout
        assert client.get("/api/v1/contacts?sortBy=contactId").json() == before


def cdnow_like(customers: int, seed: int) -> tuple[str, int, Decimal]:
    """A file in the format of CDNOW, as uneven as that one: the number of its lines, and their sum."""
    chosen, lines, total = random.Random(seed), [], Decimal(0)
    for number in range(1, customers + 1):
        for _ in range(min(200, int(chosen.paretovariate(1.1)))):
            day = date(1997, 1, 1).toordinal() + chosen.randrange(547)
            cents = Decimal(chosen.choice((0, 1177, chosen.randrange(50_000)))) / 100
            total += cents
            lines.append(
                f" {number:05d} {date.fromordinal(day):%Y%m%d} {chosen.randint(1, 99):2d} {cents:7.2f}"
            )
    return "\r\n".join((*lines, "")), len(lines), total


def test_contacts_orders_and_money_match_the_file_to_the_cent(start_server, tmp_path):
    """Part 3: counted in the database, beside what the command says of itself; several calls at once
    about the same people, and a second run on top."""
    text, orders, total = cdnow_like(customers=700, seed=1997)
    assert orders > 1_500  # more than one call
    path = tmp_path / "purchases.txt"
    path.write_text(text)
    server = start_server()
    for _ in range(2):
        done = demo(server, "--file", str(path))
        assert done.returncode == 0, done.stderr
        assert f"700 contacts have {orders:,} orders of {total:,.2f} USD." in done.stdout
        with psycopg.connect(running_url(server.log.parent / "data")) as database:
            found = database.execute(
                """
                select (select count(*) from contact where status = 0),
                       count(*), count(distinct external_order_id), sum(total_cost),
                       (select sum(orders) from order_totals),
                       (select sum(delivered_sum) from order_totals),
                       (select count(*) from event where type_key = 'orderDELIVERED'),
                       (select count(*) from event_other)
                from orders
                """
            ).fetchone()
        assert found == (700, orders, orders, total, orders, total, orders, 0)


def test_every_second_customer_comes_in_a_file_whose_statement_is_shown(start_server, file):
    server = start_server()
    done = demo(server, "--file", str(file))
    assert done.returncode == 0, done.stderr
    assert "POST /api/v1/imports: customers.csv is import 1." in done.stdout
    assert "Importing customers" in done.stderr
    lines = done.stdout.splitlines()
    # Of ten in the file six were known by one token, two by two, two not at all.
    for counted in ("created  2", "updated  6", "merged   2"):
        assert counted in lines
    statement = lines[lines.index("Of the statement, GET /api/v1/imports/1/rows:") :]
    assert any(line.startswith("1    updated") and "00001" in line for line in statement)
    assert any("00007" in line and "merged with" in line for line in statement)
    again = demo(server, "--file", str(file))
    assert "Note: import 1 has the same file" in again.stdout
    assert "unchanged  10" in again.stdout.splitlines()


def test_customers_of_whom_none_is_in_the_file_need_no_import(server, tmp_path):
    path = tmp_path / "even.txt"
    path.write_text("".join(line for line in LINES.splitlines(True) if line[5:6] in "02468"))
    done = demo(server, "--file", str(path))
    assert done.returncode == 0, done.stderr
    assert "10 customers are 10 contacts." in done.stdout
    assert "import" not in done.stdout


def test_only_the_first_ones_if_wanted(server, file):
    done = demo(server, "--file", str(file), "--customers", "3")
    assert "3 customers are 3 contacts." in done.stdout
    assert "6 purchases sent as orders" in done.stdout


def test_what_goes_wrong_is_one_sentence(server, file, tmp_path):
    wrong_key = demo(server, "--file", str(file), "--api-key", "wrong")
    assert wrong_key.returncode == 1
    assert "401" in wrong_key.stderr
    nobody = demo(server, "--file", str(file), "--base-url", "http://127.0.0.1:1")
    assert "No server answers" in nobody.stderr
    strange = tmp_path / "strange.txt"
    strange.write_text("a;b\n")
    assert "Line 1" in demo(server, "--file", str(strange)).stderr
    for done in (wrong_key, nobody):
        assert "Traceback" not in done.stderr


def test_the_key_made_for_the_demo_is_gone_afterwards(server, file):
    demo(server, "--file", str(file), "--customers", "1")
    environment = clean_environment() | {"KARTOTEKA_DATA_DIR": str(server.log.parent / "data")}
    listed = subprocess.run(
        [COMMAND, "keys", "list"], env=environment, capture_output=True, text=True, check=True
    )
    assert "kartoteka demo" not in listed.stdout
