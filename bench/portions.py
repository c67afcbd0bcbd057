"""Rounds of a number of rows: half of them by the floor, all by ours, the other half by the floor."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

from bench.figures import Cost, Measured
from bench.rows import People, read_blocks, write_csv
from bench.setting import Setting, say
from bench.upsert import BATCH_ROWS, Stretch, upsert


def make_file(setting: Setting, people: People) -> Path:
    """A CSV file of these people."""
    path = setting.folder / f"rows-{people.salt}.csv"
    write_csv(path, people)
    return path


def measure_round(
    measured: Measured,
    setting: Setting,
    people: People,
    ours: Callable[[Path], Stretch],
    *,
    warms_up: bool = False,
) -> None:
    """One round; the floor has its halves before and after, so that both sides meet the same hour."""
    path = make_file(setting, people)
    blocks = read_blocks(path, BATCH_ROWS)
    half = len(people) // BATCH_ROWS // 2
    times = [setting.server.cpu_s()]
    floor = upsert(setting.floor_url, itertools.islice(blocks, half), setting.account_id)
    times.append(setting.server.cpu_s())
    done = ours(path)
    times.append(setting.server.cpu_s())
    floor += upsert(setting.floor_url, blocks, setting.account_id)
    times.append(setting.server.cpu_s())
    path.unlink()
    cost = Cost(
        of_ours=(times[2] - times[1]).ours * 1e6 / len(people),
        of_database=(times[2] - times[1]).database * 1e6 / len(people),
        of_floor=(times[1] - times[0] + times[3] - times[2]).database * 1e6 / len(people),
    )
    say(
        f"  {'warm-up' if warms_up else 'round'}: floor {floor.rate:,.0f} rows/s, "
        f"ours {done.rate:,.0f} rows/s, {done.rate / floor.rate:.2f}; processor time a row: {cost}"
    )
    if not warms_up:
        measured.floor.add(floor.rate, floor.latencies)
        measured.ours.add(done.rate, done.latencies)
        measured.costs.append(cost)
