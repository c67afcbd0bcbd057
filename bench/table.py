"""The table of `bench/RESULTS.md`, and its few lines around."""

from __future__ import annotations

from collections.abc import Sequence

from bench.figures import Measured
from bench.jobs.base import Compared

_HEAD = """\
# What was measured

Made by `make bench`; every figure is ours beside its floor, measured in turn in the same run: what the
database alone can do of the job, through pgbench, prepared statements, the same tables and indexes.
The load runs on the same cores as the server and the database.
"""
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
        f"{one.job.name} {one.load_cpu_us:.0f}" for one in measured if not one.failure
    )
    parts.append(f"Processor time of the load itself, µs a request: {costs or 'none'}.\n")
    checks = [f"- {one.job.name}: {one.checked}." for one in measured if one.checked]
    if checks:
        parts += ["Looked up in the database afterwards:\n", "\n".join(checks) + "\n"]
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
    times = [f"{side.at(p):.1f} ms" for side in (one.ours, one.floor) for p in (50, 99)]
    rates = [f"{side.rate:,.0f}/s" for side in (one.ours, one.floor)]
    return [title, *rates, ratio, _target(one), _kept(one), *times]


def _target(one: Measured) -> str:
    latency = one.job.compared is Compared.LATENCY
    text = f"latency ≤ {one.job.target:g} ×" if latency else f"≥ {one.job.target:g}"
    if one.job.goal is not None:
        text += f", goal {one.job.goal:g}"
    if one.job.p99_ms is not None:
        text += f"; p99 < {one.job.p99_ms:g} ms"
    return text


def _kept(one: Measured) -> str:
    if one.misses:
        return f"**missed: {', '.join(one.misses)}**"
    reached = one.job.goal is not None and one.reaches(one.job.goal)
    return "yes, and the goal" if reached else "yes"
