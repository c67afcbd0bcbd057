"""`python -m bench.identity`: whether the right person has what is theirs."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from bench.identity.count import Counted, Verdicts
from bench.identity.lives import HOT, live
from bench.identity.run import RULE_SETS, judge, said
from bench.scratch import scratch_folder
from kartoteka.app import prepare_database
from kartoteka.db.embedded import EmbeddedPostgres, make_data_folder
from kartoteka.log import start_logging

WRITTEN = Path(__file__).with_name("measured.md")
COLUMNS = (
    "people",
    "wrong merges",
    "missed links",
    "visits",
    "of the wrong person",
    "lost",
    "nobody could know",
)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--seed", default=1, show_default=True, help="The same seed tells the same lives.")
@click.option("--scale", default=1.0, show_default=True, help="Times as many lives of each kind.")
@click.option("--hot", default=2000, show_default=True, help="Contacts that come with one cookie.")
@click.option("--default-only", is_flag=True, help="Only the rules that stand by default.")
@click.option("--by-life", is_flag=True, help="Figures of every kind of life.")
@click.option("--write", is_flag=True, help="Keep it for bench/RESULTS.md (measured.md).")
@click.option("--folder", type=click.Path(path_type=Path), help="Where the data is made.")
def main(
    *,
    seed: int,
    scale: float,
    hot: int,
    default_only: bool,
    by_life: bool,
    write: bool,
    folder: Path | None,
) -> None:
    """Tell labelled lives to the engine under each set of rules, and count who got what is another's.

    Exit code 1 when the default rules merged two people, credited a visit to the wrong one, or let a
    cookie of everybody name somebody.
    """
    rule_sets = RULE_SETS[:1] if default_only else RULE_SETS
    found = run(seed, scale, hot, folder, rule_sets)
    text = report(found, seed, scale, hot)
    click.echo(text if write or by_life else table(found))
    if write:
        WRITTEN.write_text(text, "utf-8")
    default = next(iter(found.values()))
    if default.wrong:
        click.echo("\n".join(default.wrong[:40]))
    if default.wrong or HOT not in default.quarantined:
        sys.exit(1)


def run(
    seed: int,
    scale: float,
    hot: int,
    folder: Path | None,
    rule_sets: Sequence[dict[str, Any]] = RULE_SETS,
) -> dict[str, Verdicts]:
    """Verdicts by set of rules, the default set first."""
    start_logging("json")
    found: dict[str, Verdicts] = {}
    with scratch_folder(folder) as scratch:
        make_data_folder(scratch / "data")
        with EmbeddedPostgres(scratch / "data") as server:
            asyncio.run(prepare_database(server.url))
            for rules in rule_sets:
                began = time.monotonic()
                lives = live(seed, scale, hot)
                found[said(rules)] = asyncio.run(judge(server.url, lives, rules))
                requests = sum(len(life.told) for life in lives)
                click.echo(
                    f"{said(rules)}: {len(lives)} lives, {requests:,} requests, "
                    f"{time.monotonic() - began:.1f} s",
                    err=True,
                )
    return found


def report(found: dict[str, Verdicts], seed: int, scale: float, hot: int) -> str:
    """Its part of bench/RESULTS.md."""
    return f"""\
## The right person

`python -m bench.identity`: lives whose truth is known, told to the real engine on PostgreSQL under each
set of rules (seed {seed}, scale {scale:g}, {hot:,} contacts with one cookie).

- *wrong merges*: people who stand on the card of another, though they said who they are. Goal 0.
- *missed links*: cards that somebody has beside the first one.
- *of the wrong person*: visits and app events credited to another, though it was said who was there.
  Goal 0.
- *lost*: credited to nobody, though it was said who was there.
- *nobody could know*: a shared tablet before the first login or without a logout, a shared mailbox or
  phone named alone, a mistyped address that is somebody else's. Credited by the rules (D10, D37).

{table(found)}
{_quarantine(found)}

With `phone_is_personal` families that share a phone share a card: that is what the setting says, and
why it is off by default. By kind of life, under the default rules:

{table_by_life(found)}"""


def _quarantine(found: dict[str, Verdicts]) -> str:
    caught = {value for one in found.values() for value in one.quarantined}
    everywhere = all(HOT in one.quarantined for one in found.values())
    others = sorted(caught - {HOT})
    words = (
        "is in quarantine under every set" if everywhere else "is **not** in quarantine everywhere"
    )
    return f"The cookie of everybody {words}; " + (
        f"so are {', '.join(others)}." if others else "nothing else is."
    )


def table(found: dict[str, Verdicts]) -> str:
    """One line a set of rules."""
    rows = [(f"`{rules}`", verdicts.all) for rules, verdicts in found.items()]
    return _table("rules", rows)


def table_by_life(found: dict[str, Verdicts]) -> str:
    """One line a kind of life, under the default rules."""
    return _table("life", list(next(iter(found.values())).by_kind.items()))


def _table(first: str, rows: list[tuple[str, Counted]]) -> str:
    lines = [f"| {first} | {' | '.join(COLUMNS)} |", f"| --- |{' ---: |' * len(COLUMNS)}"]
    lines += [f"| {name} | {' | '.join(_cells(figures))} |" for name, figures in rows]
    return "\n".join(lines) + "\n"


def _cells(one: Counted) -> list[str]:
    figures = (
        one.people,
        one.wrong_merges,
        one.missed_links,
        one.visits,
        one.wrong_visits,
        one.lost_visits,
        one.unknowable,
    )
    return [f"{figure:,}" for figure in figures]


if __name__ == "__main__":
    main()
