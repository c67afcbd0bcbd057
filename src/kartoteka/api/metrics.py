"""Counters for Prometheus: requests by route and status, and how long they took."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
STRANGERS_VIEW = b"# HELP kartoteka_up Whether the server answers.\n# TYPE kartoteka_up gauge\n"


class Metrics:
    """The numbers of this server process."""

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "kartoteka_http_requests",
            "Requests answered, by operation and status.",
            ("operation", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "kartoteka_http_request_seconds",
            "Seconds from the first byte to the answer, by operation.",
            ("operation",),
            registry=self.registry,
            buckets=_BUCKETS,
        )
        self._up = Gauge("kartoteka_up", "Whether the database answers.", registry=self.registry)
        Gauge(
            "kartoteka_version", "The running version.", ("version",), registry=self.registry
        ).labels(version).set(1)
        # Looking a label up costs more than counting, so each pair is looked up once.
        self._known: dict[tuple[str, int], tuple[Counter, Histogram]] = {}

    def observe(self, operation: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        known = self._known.get((operation, status))
        if known is None:
            known = (
                self._requests.labels(operation, str(status)),
                self._seconds.labels(operation),
            )
            self._known[(operation, status)] = known
        known[0].inc()
        known[1].observe(seconds)

    def exposition(self, *, up: bool) -> bytes:
        """Everything, in the text format of Prometheus."""
        self._up.set(up)
        return generate_latest(self.registry)

    @staticmethod
    def for_strangers(*, up: bool) -> bytes:
        """What somebody without a key with full rights may know."""
        return STRANGERS_VIEW + b"kartoteka_up %d\n" % up
