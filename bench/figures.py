"""What was measured, and the figures that the table shows of it."""

from __future__ import annotations

from statistics import median

import msgspec
from msgspec.structs import astuple

from bench.jobs.base import Checked, Compared, Job


class Side(msgspec.Struct):
    """One side's rounds: rate, median and p99 of each, the latencies of all together."""

    rates: list[float] = []
    medians_ms: list[float] = []
    p99s_ms: list[float] = []
    latencies: list[int] = []

    def add(self, rate: float, latencies: list[int]) -> None:
        """One round; latencies in microseconds."""
        self.rates.append(rate)
        self.medians_ms.append(percentile_ms(latencies, 50))
        self.p99s_ms.append(percentile_ms(latencies, 99))
        self.latencies += latencies

    @property
    def rate(self) -> float:
        return median(self.rates)

    def at(self, percent: float) -> float:
        """That percentile over all rounds, in milliseconds."""
        return percentile_ms(self.latencies, percent)


class Cost(msgspec.Struct):
    """Processor time a row, in microseconds: what neighbours change least."""

    of_ours: float
    """All processes of the server but PostgreSQL."""
    of_database: float
    of_floor: float

    def __str__(self) -> str:
        return (
            f"server {self.of_ours:.0f} µs, its PostgreSQL {self.of_database:.0f} µs, "
            f"floor {self.of_floor:.0f} µs"
        )


class Measured(msgspec.Struct):
    """One line of the table; `failure` says why there are no figures."""

    job: Job
    processes: int
    ours: Side = msgspec.field(default_factory=Side)
    floor: Side = msgspec.field(default_factory=Side)
    failure: str = ""
    checked: str = ""
    load_cpu_us: float = 0
    memory_mb: float | None = None
    """All processes of the server together, at most."""
    costs: list[Cost] = []

    @property
    def cost(self) -> Cost | None:
        """The median of each."""
        if not self.costs:
            return None
        return Cost(*(median(found) for found in zip(*map(astuple, self.costs), strict=True)))

    def note(self, checked: Checked) -> None:
        """What a look into the database came to."""
        self.checked = checked.sentence
        if not checked.passed:
            self.failure = f"wrong: {checked.sentence}"

    @property
    def ratios(self) -> list[float]:
        """Ours to the floor's, round by round."""
        pairs = zip(self._compared(self.ours), self._compared(self.floor), strict=True)
        return [ours / floor for ours, floor in pairs]

    def _compared(self, side: Side) -> list[float]:
        match self.job.compared:
            case Compared.RATE:
                return side.rates
            case Compared.LATENCY:
                return side.medians_ms
            case Compared.P99:
                return side.p99s_ms

    @property
    def ratio(self) -> float:
        return median(self.ratios)

    def reaches(self, wanted: float) -> bool:
        """Whether the ratio is as good as that."""
        if self.job.compared is Compared.RATE:
            return self.ratio >= wanted
        pairs = zip(self._compared(self.ours), self._compared(self.floor), strict=True)
        over = [(ours - self.job.grace_ms) / floor for ours, floor in pairs]
        return median(over) <= wanted

    @property
    def misses(self) -> list[str]:
        """What was promised and not kept."""
        if self.failure:
            return ["not measured"]
        missed = [] if self.reaches(self.job.target) else ["ratio"]
        if self.job.p99_ms is not None and self.ours.at(99) >= self.job.p99_ms:
            missed.append("p99")
        if self.job.memory_mb is not None and (self.memory_mb or 0) >= self.job.memory_mb:
            missed.append("memory")
        return missed


def percentile_ms(latencies: list[int], percent: float) -> float:
    """Milliseconds out of microseconds; 0 without any."""
    if not latencies:
        return 0.0
    ordered = sorted(latencies)
    return ordered[min(int(len(ordered) * percent / 100), len(ordered) - 1)] / 1000
