"""Counters and ages for a monitoring system, in the text format of Prometheus.

No label says who asked, for what or with which parameters: routes are named by their templates.
Does not: count anything itself but requests; the rest is read from the store when it is asked for.
"""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from storage.live import StreamCustody, Totals

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS_S = (0.005, 0.02, 0.1, 0.5, 2.0, 10.0)


class Metrics:
    """Of one application."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Histogram(
            "jishi_api_request_seconds",
            "Time until an answer was complete.",
            ("method", "route", "status"),
            buckets=_BUCKETS_S,
            registry=self._registry,
        )

    def note(self, method: str, route: str, status: int, took_s: float) -> None:
        """Count one answered request."""
        self._requests.labels(method, route, str(status)).observe(took_s)

    def text(self, totals: Totals, streams: Iterable[StreamCustody], now_ms: int) -> bytes:
        """All of it."""
        now = CollectorRegistry()
        now.register(_Store(totals, tuple(streams), now_ms))
        return generate_latest(self._registry) + generate_latest(now)


class _Store(Collector):
    """What the store says at one moment."""

    def __init__(self, totals: Totals, streams: tuple[StreamCustody, ...], now_ms: int) -> None:
        self._totals, self._streams, self._now_ms = totals, streams, now_ms

    def collect(self) -> Iterable[Metric]:
        """The families."""
        intake = CounterMetricFamily("jishi_intake_frames", "Frames heard, by what became of them.", labels=["outcome"])
        for outcome in ("received", "stored", "duplicate", "quarantined"):
            intake.add_metric([outcome], getattr(self._totals, outcome))
        yield intake
        yield GaugeMetricFamily("jishi_intake_balanced", "1: each has one outcome.", value=self._totals.balanced)
        held = GaugeMetricFamily("jishi_stream_held_runs", "Runs beyond a hole in custody.", labels=["stream"])
        age = GaugeMetricFamily("jishi_stream_age_seconds", "Since the newest frame was heard.", labels=["stream"])
        for one in self._streams:
            held.add_metric([one.stream_id.hex()], len(one.held))
            if one.newest_received_at_ms is not None:
                age.add_metric([one.stream_id.hex()], (self._now_ms - one.newest_received_at_ms) / 1000)
        yield held
        yield age
