"""`python -m bench`: build, measure, print, write."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from bench import machine, pgbench, seed
from bench.figures import Measured
from bench.jobs import BY_NAME, JOBS
from bench.jobs.base import Job
from bench.profile import profile as record
from bench.rounds import Numbers, Setting, measure
from bench.server import running_server
from bench.table import results, table

RESULTS = Path(__file__).with_name("RESULTS.md")
_QUIET = 0.5
_DISK = Path("/var/tmp")  # on disk where /tmp is memory: a commit in memory costs nothing


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--quick", is_flag=True, help="About a minute: fewer, shorter rounds.")
@click.option("--job", "names", multiple=True, type=click.Choice([*BY_NAME]), help="Only this one.")
@click.option("--processes", multiple=True, type=int, help="Also with so many server processes.")
@click.option("--rounds", type=click.IntRange(1), help="Rounds a job (5).")
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
    help="Instead: py-spy's view of the server under the job (.svg, .json speedscope, .txt).",
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
    rounds, seconds = rounds or (2 if quick else 5), seconds or (2 if quick else 4)
    jobs = [BY_NAME[name] for name in names] or list(JOBS)
    busy = machine.load_average()
    pgbench.program()
    if busy > _QUIET:
        click.echo(f"Load average {busy:.1f}: others are at work here, the figures will show it.")
    with _scratch(folder) as scratch:
        counts = [1, *(count for count in processes if count != 1)]
        measured: list[Measured] = []
        setting: Setting | None = None
        for count in counts:
            with running_server(scratch, count) as server:
                if setting is None:
                    setting = _build(server, scratch, contacts)
                setting.server, setting.processes = server, count
                if profile is not None:
                    click.echo(f"Profile: {record(jobs[0], setting, 4 * seconds, profile)}")
                    return
                measured += _measure(jobs, setting, rounds, seconds)
                about = machine.describe_machine(server.database_url)
    click.echo("\n" + table(measured))
    target = output or (None if quick or names else RESULTS)
    if target is not None:
        text = results(
            measured,
            machine=about,
            run=machine.describe_run(),
            rounds=f"{contacts:,} contacts, {rounds} rounds of {seconds} s a side, medians of ratios",
            busy=busy,
        )
        target.write_text(text, "utf-8")
        click.echo(f"Written: {target}")


@contextmanager
def _scratch(folder: Path | None) -> Iterator[Path]:
    """A folder for this run, gone afterwards; PostgreSQL's own user may pass through it."""
    parent = folder or (_DISK if _DISK.is_dir() else None)
    path = Path(tempfile.mkdtemp(prefix="kartoteka-bench-", dir=parent))
    path.chmod(0o711)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _build(server, scratch: Path, contacts: int) -> Setting:
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


def _measure(jobs: Sequence[Job], setting: Setting, rounds: int, seconds: int) -> list[Measured]:
    measured: list[Measured] = []
    for job in jobs:
        click.echo(f"{job.name} ({setting.processes} process{'es'[: 2 * (setting.processes > 1)]})")
        measured.append(measure(job, setting, rounds, seconds))
    return measured


if __name__ == "__main__":
    main()
