"""`python -m bench`: build, measure, print, write."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import click

from bench import machine, pgbench, seed
from bench.figures import Measured
from bench.jobs.all import BY_NAME, JOBS
from bench.jobs.base import Job
from bench.profile import profile as record
from bench.rounds import measure
from bench.scratch import scratch_folder
from bench.server import Server, running_server
from bench.setting import Length, Numbers, Setting
from bench.table import results, table

RESULTS = Path(__file__).with_name("RESULTS.md")
_QUIET = 0.5


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--quick", is_flag=True, help="Two minutes: fewer, shorter rounds, a smaller file.")
@click.option("--job", "names", multiple=True, type=click.Choice([*BY_NAME]), help="Only this one.")
@click.option("--processes", multiple=True, type=int, help="Also with so many server processes.")
@click.option("--rounds", type=click.IntRange(1), help="Rounds a job (4).")
@click.option("--seconds", type=click.IntRange(1), help="Seconds a round and side (4).")
@click.option("--contacts", default=200_000, show_default=True, help="Known people.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where the data is made (a disk).")
@click.option("--output", type=click.Path(path_type=Path), help="Write the results there.")
@click.option(
    "--profile",
    is_flag=False,
    flag_value="",
    default=None,
    metavar="[FILE]",
    help="Instead: py-spy's view of the busiest process under the job (.svg, .json speedscope, .txt).",
)
def main(
    quick: bool,
    names: tuple[str, ...],
    processes: tuple[int, ...],
    rounds: int | None,
    seconds: int | None,
    contacts: int,
    folder: Path | None,
    output: Path | None,
    profile: str | None,
) -> None:
    """Measure Kartoteka against what its database alone can do.

    A whole run writes bench/RESULTS.md; --quick and --job only print, unless --output is given.
    """
    length = Length(rounds or (2 if quick else 4), seconds or (2 if quick else 4), quick)
    jobs = [BY_NAME[name] for name in names] or list(JOBS)
    busy = machine.load_average()
    pgbench.program()
    if busy > _QUIET:
        click.echo(f"Load average {busy:.1f}: others are at work here, the figures will show it.")
    with scratch_folder(folder) as scratch:
        counts = [1, *(count for count in processes if count != 1)]
        measured: list[Measured] = []
        setting: Setting | None = None
        for count in counts:
            with running_server(scratch, count) as server:
                if setting is None:
                    setting = _build(server, scratch, contacts)
                setting.server, setting.processes = server, count
                if profile is not None:
                    click.echo(f"Profile: {record(jobs[0], setting, 4 * length.seconds, profile)}")
                    return
                measured += _measure(jobs, setting, length)
                about = machine.describe_machine(server.database_url)
    click.echo("\n" + table(measured))
    target = output or (None if quick or names else RESULTS)
    if target is not None:
        text = results(
            measured,
            machine=about,
            run=machine.describe_run(),
            rounds=_describe(length, contacts),
            busy=busy,
        )
        target.write_text(text, "utf-8")
        click.echo(f"Written: {target}")


def _describe(length: Length, contacts: int) -> str:
    return (
        f"{contacts:,} contacts, {length.rounds} rounds of {length.seconds} s a side (rows: see the "
        "job), medians of ratios"
    )


def _build(server: Server, scratch: Path, contacts: int) -> Setting:
    """Both databases with the same people."""
    started = time.monotonic()
    click.echo(f"Making {contacts:,} contacts, twice …")
    account_id = seed.main_account(server.database_url)
    floor_url = seed.make_floor_database(server.database_url)
    for url in (server.database_url, floor_url):
        seed.seed(url, contacts, account_id)
    click.echo(f"  {time.monotonic() - started:.1f} s")
    numbers = (Numbers(), Numbers())
    return Setting(server, floor_url, scratch, contacts, account_id, 1, *numbers)


def _measure(jobs: Sequence[Job], setting: Setting, length: Length) -> list[Measured]:
    measured: list[Measured] = []
    for job in jobs:
        click.echo(f"{job.name} ({setting.processes} process{'es'[: 2 * (setting.processes > 1)]})")
        measured.append(measure(job, setting, length))
        if measured[-1].failure:
            click.echo(setting.server.complaints())
    return measured


if __name__ == "__main__":
    main()
