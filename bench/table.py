"""The table of `bench/RESULTS.md`, and its few lines around."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.figures import Measured, Side
from bench.jobs.base import Compared

_HEAD = """\
# What was measured

Made by `make bench`; every figure is ours beside its floor, measured in turn in the same run: what the
database alone can do of the job, through pgbench, prepared statements, the same tables and indexes;
rows by the thousand through `copy` and one statement.
The load runs on the same cores as the server and the database.
"""
VARIANTS = Path(__file__).with_name("floors") / "variants.md"
"""Written by `python -m bench.variants`."""
PEOPLE = (
    Path(__file__).with_name("identity") / "measured.md",
    Path(__file__).with_name("duplicates.md"),
    Path(__file__).with_name("verify.md"),
)
"""Written by `python -m bench.identity --write` and `python -m bench.duplicates --write`; the last one by
hand, of what `python -m bench.verify` prints."""
_COLUMNS = (
    "job",
    "ours",
    "floor",
    "ratio (lowest to highest)",
    "target",
    "kept",
    "p50",
    "p99",
    "floor p50",
    "floor p99",
)


def results(
    measured: Sequence[Measured], *, machine: str, run: str, rounds: str, busy: float
) -> str:
    """The whole file."""
    parts = [
        _HEAD,
        f"- {run}\n- {machine}\n- {rounds}; load average before the run {busy:.1f}\n",
        table(measured),
        "What a transaction of each floor does:\n",
        "\n".join(f"- {one.job.name}: {one.job.floor_says}." for one in _first_of_each(measured))
        + "\n",
    ]
    costs = ", ".join(
        f"{one.job.name} {one.load_cpu_us:.0f}" for one in measured if one.load_cpu_us
    )
    if costs:
        parts.append(f"Processor time of the load itself, µs a request: {costs}.\n")
    rows = [f"- {one.job.name}: {one.cost}." for one in measured if one.cost]
    if rows:
        parts += ["Processor time of a row:\n", "\n".join(rows) + "\n"]
    checks = [f"- {one.job.name}: {one.checked}." for one in measured if one.checked]
    if checks:
        parts += ["Looked up in the database afterwards:\n", "\n".join(checks) + "\n"]
    parts += [path.read_text("utf-8") for path in (VARIANTS, *PEOPLE) if path.exists()]
    return "\n".join(parts)


def table(measured: Sequence[Measured]) -> str:
    """One line a job; a broken promise is in bold."""
    lines = [_line(_COLUMNS), _line(["---"] * len(_COLUMNS))]
    return "\n".join([*lines, *(_line(_cells(one)) for one in measured)]) + "\n"


def _first_of_each(measured: Sequence[Measured]) -> list[Measured]:
    return list({one.job.name: one for one in reversed(measured)}.values())[::-1]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(one: Measured) -> list[str]:
    title = one.job.title + (f", {one.processes} processes" if one.processes > 1 else "")
    if one.failure:
        nothing = [""] * 3
        return [title, *nothing, _target(one), f"**not measured: {one.failure}**", *nothing, ""]
    ratios = one.ratios
    ratio = f"{one.ratio:.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    times = [_time(side, percent) for side in (one.ours, one.floor) for percent in (50, 99)]
    rates = [f"{side.rate:,.0f}{one.job.unit}/s" for side in (one.ours, one.floor)]
    return [title, *rates, ratio, _target(one), _kept(one), *times]


def _time(side: Side, percent: float) -> str:
    return f"{side.at(percent):,.1f} ms" if side.latencies else ""


def _target(one: Measured) -> str:
    compared = one.job.compared
    is_rate = compared is Compared.RATE
    text = f"≥ {one.job.target:g}" if is_rate else f"{compared.value} ≤ {one.job.target:g} ×"
    if one.job.grace_ms:
        text += f" + {one.job.grace_ms:g} ms"
    if one.job.goal is not None:
        text += f", goal {one.job.goal:g}"
    if one.job.p99_ms is not None:
        text += f"; p99 < {one.job.p99_ms:g} ms"
    if one.job.memory_mb is not None:
        text += f"; memory < {one.job.memory_mb} MB"
    return text


def _kept(one: Measured) -> str:
    if one.misses:
        return f"**missed: {', '.join(one.misses)}**"
    reached = one.job.goal is not None and one.reaches(one.job.goal)
    return "yes, and the goal" if reached else "yes"
