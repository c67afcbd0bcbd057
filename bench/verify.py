"""`python -m bench.verify`: how long `kartoteka identity verify` takes on a million identifiers.

A quarter as many contacts, each with External ID, e-mail, phone and a push token that came later. Once as
it stands, once with the owner of a token changed by hand, which it has to name.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import click
import msgspec
import psycopg

from bench.scratch import scratch_folder
from bench.seed import main_account, seed
from bench.server import running_server

_TOKENS = """
    insert into identifier (account_id, kind, value_key, contact_id, since, rule)
    select account_id, 4, 'token-' || contact_id, contact_id, created_at, 'given'
    from contact where account_id = %(account_id)s;
"""
_HISTORY = """
    insert into identity_history (
        account_id, at, action, rule, contact_id, method, request_id, key_id, identifiers
    )
    select account_id, created_at, 'added', 'given', contact_id, 'addContact', 'bench', 1,
           jsonb_build_array(
               jsonb_build_object('kind', 'mobile_token', 'value', 'token-' || contact_id)
           )
    from contact where account_id = %(account_id)s order by contact_id
"""
_HARM = "update identifier set contact_id = 2 where account_id = %s and value_key = 'token-1'"


@click.command()
@click.option("--identifiers", default=1_000_000, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path))
def main(identifiers: int, folder: Path | None) -> None:
    """Print the seconds of each."""
    with scratch_folder(folder) as path, running_server(path, 1) as server:
        account = {"account_id": main_account(server.database_url)}
        seed(server.database_url, identifiers // 4, account["account_id"])
        with psycopg.connect(server.database_url, autocommit=True) as connection:
            connection.execute(_TOKENS, account)
            connection.execute(_HISTORY, account)
            connection.execute("vacuum (analyze) identifier")
            connection.execute("vacuum (analyze) identity_history")
            _run("as it stands", path)
            connection.execute(_HARM, [account["account_id"]])
            _run("one token elsewhere", path)


def _run(what: str, folder: Path) -> None:
    began = time.monotonic()
    program = Path(sys.executable).with_name("kartoteka")
    done = subprocess.run(
        [program, "identity", "verify", "--json"],
        env=os.environ | {"KARTOTEKA_DATA_DIR": str(folder / "data")},
        capture_output=True,
        check=False,
    )
    took = time.monotonic() - began
    found = msgspec.json.decode(done.stdout)
    click.echo(
        f"{what}: {found['identifiers']:,} identifiers of {found['cards']:,} cards in {took:.1f} s, "
        f"{len(found['differences'])} differences, exit code {done.returncode}"
    )


if __name__ == "__main__":
    main()
