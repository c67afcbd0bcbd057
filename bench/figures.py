"""What was measured, and the figures that the table shows of it."""

from __future__ import annotations

from statistics import median

import msgspec

from bench.jobs.base import Compared, Job


class Side(msgspec.Struct):
    """One side's rounds: a rate and a median latency of each, the latencies of all together."""

    rates: list[float]
    medians_ms: list[float]
    latencies: list[int]

    def add(self, rate: float, latencies: list[int]) -> None:
        self.rates.append(rate)
        self.medians_ms.append(percentile_ms(latencies, 50))
        self.latencies += latencies

    @property
    def rate(self) -> float:
        return median(self.rates)

    def at(self, percent: float) -> float:
        """That percentile over all rounds, in milliseconds."""
        return percentile_ms(self.latencies, percent)


class Measured(msgspec.Struct):
    """One line of the table; `failure` says why there are no figures."""

    job: Job
    processes: int
    ours: Side
    floor: Side
    failure: str = ""
    checked: str = ""
    load_cpu_us: float = 0

    @property
    def ratios(self) -> list[float]:
        """Ours to the floor's, round by round."""
        if self.job.compared is Compared.LATENCY:
            pairs = zip(self.ours.medians_ms, self.floor.medians_ms, strict=True)
        else:
            pairs = zip(self.ours.rates, self.floor.rates, strict=True)
        return [ours / floor for ours, floor in pairs]

    @property
    def ratio(self) -> float:
        return median(self.ratios)

    def reaches(self, wanted: float) -> bool:
        """Whether the ratio is as good as that."""
        if self.job.compared is Compared.LATENCY:
            return self.ratio <= wanted
        return self.ratio >= wanted

    @property
    def misses(self) -> list[str]:
        """What was promised and not kept."""
        if self.failure:
            return ["not measured"]
        missed = [] if self.reaches(self.job.target) else ["ratio"]
        if self.job.p99_ms is not None and self.ours.at(99) >= self.job.p99_ms:
            missed.append("p99")
        return missed


def percentile_ms(latencies: list[int], percent: float) -> float:
    """Milliseconds out of microseconds; 0 without any."""
    if not latencies:
        return 0.0
    ordered = sorted(latencies)
    return ordered[min(int(len(ordered) * percent / 100), len(ordered) - 1)] / 1000
