"""Observations as Prometheus metrics, documented in ``docs/metrics.md``.

Labels take their values from our own words, from policies and from fixed paths: never from a pod, so their number is
bounded. Must not work at import: each server has a registry of its own.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import accumulate
from threading import Lock

from prometheus_client import CollectorRegistry, Counter, Gauge, Metric, disable_created_metrics, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from plimsoll import __version__
from plimsoll import observations as seen
from plimsoll.observations import Observation

BUCKETS = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0)
"""Seconds of a decision: tens of microseconds when all is well."""
MAX_SERIES = 10_000
"""Of the decisions' counter; beyond it the policy's name is left out."""


class Metrics:
    """The subscriber, and what ``/metrics`` answers."""

    def __init__(self, lines_lost: Callable[[], int]) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each counter, which nobody asks for
        registry = self._registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._reviews = Decisions()
        registry.register(self._reviews)
        self._failures = Counter(
            "plimsoll_failure_mode_answers",
            "Admission requests that could not be judged and were answered by the failure mode.",
            ("path", "allowed"),
            registry=registry,
        )
        self._refused = Counter(
            "plimsoll_requests_refused",
            "HTTP requests answered with 4xx or 503 before anybody judged them.",
            ("path", "status"),
            registry=registry,
        )
        self._faults = Counter(
            "plimsoll_faults", "Defects of ours, each with a traceback in the log.", ("where",), registry=registry
        )
        self._reloads = Counter(
            "plimsoll_policy_reloads", "Versions of the policies that were read.", ("outcome",), registry=registry
        )
        self._policies = Gauge("plimsoll_policies", "Policies in force.", registry=registry)
        self._stale = Gauge(
            "plimsoll_policies_stale",
            "1 while the newest version of the policies is invalid and an older one is in force.",
            registry=registry,
        )
        self._loaded_at = Gauge(
            "plimsoll_policies_loaded_timestamp_seconds", "When the policies in force were loaded.", registry=registry
        )
        self._not_after = Gauge(
            "plimsoll_certificate_not_after_timestamp_seconds",
            "When the certificate that is served expires.",
            registry=registry,
        )
        self._certificates = Counter(
            "plimsoll_certificate_changes",
            "Certificates issued by ourselves, put in force, and found unusable.",
            ("outcome",),
            registry=registry,
        )
        self._draining = Gauge("plimsoll_draining", "1 after a signal to stop.", registry=registry)
        self._connections = Gauge("plimsoll_connections", "Open connections.", registry=registry)
        lost = Gauge("plimsoll_log_lines_lost", "Log lines dropped because nobody read them.", registry=registry)
        lost.set_function(lines_lost)
        Gauge("plimsoll_build_info", "1, with the version.", ("version",), registry=registry).labels(__version__).set(1)
        for path in ("mutate", "validate"):
            for allowed in ("true", "false"):
                self._failures.labels(path, allowed)
        for outcome in ("loaded", "rejected"):
            self._reloads.labels(outcome)
        for outcome in ("issued", "swapped", "rejected"):
            self._certificates.labels(outcome)
        self._by_kind: dict[type[Observation], Callable[..., None]] = {
            seen.Reviewed: self._reviews.count,
            seen.FailureModeAnswered: self._failed,
            seen.RequestRefused: self._request_refused,
            seen.Fault: lambda fault: self._faults.labels(fault.where).inc(),
            seen.PoliciesLoaded: self._policies_loaded,
            seen.PoliciesRejected: self._policies_rejected,
            seen.LastGoodRestored: self._last_good,
            seen.CertificateIssued: lambda issued: self._certificates.labels("issued").inc(),
            seen.CertificateSwapped: self._swapped,
            seen.CertificateRejected: lambda rejected: self._certificates.labels("rejected").inc(),
            seen.Draining: lambda draining: self._draining.set(1),
        }

    def observe(self, observation: Observation) -> None:
        """Count it, if it is counted."""
        count = self._by_kind.get(type(observation))
        if count is not None:
            count(observation)

    def text(self, *, connections: int) -> bytes:
        """All metrics in Prometheus' text format, with the number of open connections now."""
        self._connections.set(connections)
        return generate_latest(self._registry)

    def _failed(self, failed: seen.FailureModeAnswered) -> None:
        self._failures.labels(failed.path, str(failed.allowed).lower()).inc()

    def _request_refused(self, refused: seen.RequestRefused) -> None:
        self._refused.labels(refused.path, str(refused.status)).inc()

    def _policies_loaded(self, loaded: seen.PoliciesLoaded) -> None:
        self._reloads.labels("loaded").inc()
        self._policies.set(len(loaded.policies))
        self._stale.set(0)
        self._loaded_at.set_to_current_time()

    def _policies_rejected(self, rejected: seen.PoliciesRejected) -> None:
        self._reloads.labels("rejected").inc()
        self._stale.set(1)

    def _last_good(self, restored: seen.LastGoodRestored) -> None:
        self._policies.set(len(restored.policies))
        self._loaded_at.set(_epoch(restored.saved_at))

    def _swapped(self, swapped: seen.CertificateSwapped) -> None:
        self._certificates.labels("swapped").inc()
        self._not_after.set(_epoch(swapped.not_after))


class Decisions(Collector):
    """How many decisions there were, and how long they took.

    Counted by hand: this is done for every pod, and a Counter and a Histogram of the library took 5 µs of 110.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._reviews: dict[tuple[str, str, str, str], int] = {}
        self._took = {path: [0] * (len(BUCKETS) + 1) for path in ("mutate", "validate")}
        self._seconds = dict.fromkeys(self._took, 0.0)

    def count(self, reviewed: seen.Reviewed) -> None:
        """One more; from any thread."""
        path, seconds = reviewed.path, reviewed.seconds
        series = (path, reviewed.policy, reviewed.mode, reviewed.verdict)
        with self._lock:
            if series not in self._reviews and len(self._reviews) >= MAX_SERIES:
                series = (path, "", reviewed.mode, reviewed.verdict)
            self._reviews[series] = self._reviews.get(series, 0) + 1
            self._took[path][bisect_left(BUCKETS, seconds)] += 1
            self._seconds[path] += seconds

    def collect(self) -> Iterator[Metric]:
        """What the registry asks for."""
        counter = CounterMetricFamily(
            "plimsoll_reviews", "Admission requests answered.", labels=("path", "policy", "mode", "verdict")
        )
        histogram = HistogramMetricFamily(
            "plimsoll_review_duration_seconds",
            "From the whole body of an admission request to the bytes of its answer.",
            labels=("path",),
        )
        with self._lock:
            for series, number in self._reviews.items():
                counter.add_metric(series, number)
            for path, took in self._took.items():
                buckets = list(zip((*map(str, BUCKETS), "+Inf"), accumulate(took), strict=True))
                histogram.add_metric((path,), buckets, self._seconds[path])
        yield counter
        yield histogram


def _epoch(instant: datetime) -> float:
    return instant.timestamp()
