"""`kartoteka identity what-if`: what other settings would have made of the same requests."""

from __future__ import annotations

import sys
from datetime import timedelta

import click
import msgspec

from kartoteka.access.bootstrap import ACCOUNT_NAME
from kartoteka.access.setting_values import SETTINGS, InvalidSetting, as_text, read_pairs
from kartoteka.cli.running import Access, with_access
from kartoteka.cli.tables import json_option, print_json, print_table
from kartoteka.contacts.what_if import Asked
from kartoteka.contacts.what_if_report import Split, WhatIf
from kartoteka.contacts.what_if_store import what_if
from kartoteka.identity.account_check import check_settings
from kartoteka.identity.account_rules import rules_of

MOST_SHOWN = 20
IDENTITY = ("absorb", "phone_is_personal", "keep_former_ids", "never_identifiers")
"""Settings that decide whose card a request is about."""


@click.command("what-if")
@click.argument("changes", nargs=-1, required=True, metavar="SETTING=VALUE...")
@click.option(
    "--account", default=ACCOUNT_NAME, show_default=True, metavar="NAME", help="Which account."
)
@click.option("--days", type=click.IntRange(1), help="Only for requests of the last N days.")
@json_option
def what_if_command(
    changes: tuple[str, ...], account: str, days: int | None, as_json: bool
) -> None:
    """Show which contacts other settings would have joined or kept apart.

    All requests of the history are told again in memory, once with the settings that stand and once
    with these: absorb, phone_is_personal, keep_former_ids, never_identifiers. Nothing is changed.
    A request that changed nobody's identifiers left no trace and is not told.

    \b
    Examples:
      kartoteka identity what-if absorb=never
      kartoteka identity what-if phone_is_personal=on --days 30
      kartoteka identity what-if absorb=anonymous --json
    """
    read = read_pairs(changes)
    others = [name for name in read if name not in IDENTITY]
    if others:
        raise InvalidSetting(
            f"{others[0]} decides nothing about whose card it is; try {', '.join(IDENTITY)}."
        )

    async def work(access: Access) -> WhatIf:
        found = await access.accounts.find(account)
        chosen = {
            name: SETTINGS[name].default if value is None else value for name, value in read.items()
        }
        changed = msgspec.structs.replace(found.settings, **chosen)
        check_settings(changed)
        since = None if days is None else access.clock.now() - timedelta(days=days)
        return await what_if(
            access.database,
            found.account_id,
            Asked(rules_of(found.settings), rules_of(changed), since),
            _progress,
        )

    answer = with_access(work)
    _progress("")
    if as_json:
        print_json(answer)
        return
    words = " ".join(
        f"{name}={as_text(value) if value is not None else 'default'}"
        for name, value in read.items()
    )
    _print(answer, words, days)


def _print(answer: WhatIf, words: str, days: int | None) -> None:
    last = "day" if days == 1 else f"{days} days"
    when = "from the beginning" if days is None else f"for the last {last}"
    click.echo(f"{answer.requests:,} requests told again with {words} {when}; nothing was changed.")
    if answer.retold_differently:
        click.echo(
            f"{answer.retold_differently:,} contacts do not come out as they stand even with the "
            "settings of today (they changed, or a request without a trace had a part in it)."
        )
    if not answer.merges and not answer.splits:
        click.echo("The contacts would be the same.")
        return
    click.echo(f"Contacts: {answer.contacts:,} now, {answer.contacts_then:,} then.")
    if answer.merges:
        click.echo(f"\n{len(answer.merges):,} would be one:")
        print_table(
            ("contacts", "by rule", "request", "at"),
            [
                (", ".join(map(_id, one.contacts)), one.rule, one.request_id, one.at)
                for one in answer.merges[:MOST_SHOWN]
            ],
        )
        _more(len(answer.merges))
    if answer.splits:
        click.echo(f"\n{len(answer.splits):,} would be several:")
        print_table(
            ("contact", "parts", "held together by", "request", "at"),
            [
                (one.contact_id, _parts(one), one.rule, one.request_id, one.at)
                for one in answer.splits[:MOST_SHOWN]
            ],
        )
        _more(len(answer.splits))
    if answer.segments:
        click.echo("\nSegments:")
        print_table(
            ("id", "segment", "come in by a merge", "fewer", "to be looked at again"),
            [
                (one.segment_id, one.name, one.joins, one.fewer, one.split)
                for one in answer.segments
            ],
        )


def _id(contact_id: int) -> str:
    return str(contact_id) if contact_id > 0 else "a new one"


def _parts(one: Split) -> str:
    """What each would hold, by kind: values stay in --json."""
    return " | ".join(
        ", ".join(sorted({held["kind"] for held in part})) or "nothing" for part in one.parts
    )


def _more(number: int) -> None:
    if number > MOST_SHOWN:
        click.echo(f"… and {number - MOST_SHOWN:,} more: --json has all.")


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r\033[K{text}", err=True, nl=False)
