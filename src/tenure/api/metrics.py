"""What Prometheus reads: a registry of its own for each app, nothing global."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

Reading = Callable[[], float]


class Metrics:
    """Counters of the HTTP face, and gauges that others give by name (``tenure_`` is put before)."""

    def __init__(self, gauges: Mapping[str, tuple[str, Reading]] | None = None) -> None:
        self._registry = CollectorRegistry()
        self._seconds = Histogram(
            "tenure_http_request_seconds",
            "Time to answer, by method and route.",
            ("method", "route"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._answers = Counter(
            "tenure_http_responses",
            "Answers, by method, route and status.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._refused = Counter(
            "tenure_http_refusals", "Requests refused before a route saw them, by reason.", ("reason",), registry=self._registry
        )
        self._under_way = Gauge("tenure_http_requests_under_way", "Requests being answered.", registry=self._registry)
        for name, (meaning, reading) in (gauges or {}).items():
            Gauge(f"tenure_{name}", meaning, registry=self._registry).set_function(reading)

    def began(self) -> None:
        self._under_way.inc()

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """``route`` is the template, never the path: what callers send must not make new series."""
        self._under_way.dec()
        self._answers.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def refused(self, reason: str) -> None:
        self._refused.labels(reason).inc()

    def exposition(self) -> bytes:
        return generate_latest(self._registry)
