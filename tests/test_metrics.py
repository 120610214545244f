"""Metrics: what each observation counts, and that no label can be filled by whoever writes pods."""

from datetime import UTC, datetime
from typing import Any

import pytest
from plimsoll import metrics
from plimsoll import observations as seen
from plimsoll.metrics import Metrics
from plimsoll.observations import Observation
from prometheus_client.parser import text_string_to_metric_families

from tests.test_logs import reviewed, sample, subclasses

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
Sample = tuple[str, tuple[tuple[str, str], ...]]


def counted(*observations: Observation, connections: int = 0, lost: int = 0) -> dict[Sample, float]:
    """Each sample's value, by name and sorted labels."""
    subscriber = Metrics(lambda: lost)
    for observation in observations:
        subscriber.observe(observation)
    families = text_string_to_metric_families(subscriber.text(connections=connections).decode())
    return {
        (each.name, tuple(sorted(each.labels.items()))): each.value for family in families for each in family.samples
    }


def value(samples: dict[Sample, float], name: str, **labels: str) -> float:
    return samples[name, tuple(sorted(labels.items()))]


def test_decisions_are_counted_by_path_policy_mode_and_verdict() -> None:
    samples = counted(reviewed(), reviewed(name="other"), reviewed(verdict="denied", path="validate", policy="x"))
    labels = {"path": "mutate", "policy": "guard", "mode": "Enforce", "verdict": "patched"}
    assert value(samples, "plimsoll_reviews_total", **labels) == 2
    labels = {"path": "validate", "policy": "x", "mode": "Enforce", "verdict": "denied"}
    assert value(samples, "plimsoll_reviews_total", **labels) == 1


def test_the_time_of_a_decision_is_measured() -> None:
    samples = counted(reviewed(seconds=0.00004), reviewed(seconds=0.02))
    assert value(samples, "plimsoll_review_duration_seconds_count", path="mutate") == 2
    assert value(samples, "plimsoll_review_duration_seconds_bucket", path="mutate", le="5e-05") == 1
    assert value(samples, "plimsoll_review_duration_seconds_sum", path="mutate") == pytest.approx(0.02004)
    assert value(samples, "plimsoll_review_duration_seconds_count", path="validate") == 0


@pytest.mark.parametrize(
    ("observation", "name", "labels"),
    [
        (
            seen.FailureModeAnswered(path="mutate", uid="u", allowed=True, reason="r"),
            "plimsoll_failure_mode_answers_total",
            {"path": "mutate", "allowed": "true"},
        ),
        (
            seen.FailureModeAnswered(path="validate", uid="u", allowed=False, reason="r"),
            "plimsoll_failure_mode_answers_total",
            {"path": "validate", "allowed": "false"},
        ),
        (
            seen.RequestRefused(path="/mutate", status=413, reason="r"),
            "plimsoll_requests_refused_total",
            {"path": "/mutate", "status": "413"},
        ),
        (seen.Fault(where="/mutate", error="e", traceback="t"), "plimsoll_faults_total", {"where": "/mutate"}),
        (
            seen.CertificateIssued(reason="r", names=("a",)),
            "plimsoll_certificate_changes_total",
            {"outcome": "issued"},
        ),
        (
            seen.CertificateRejected(reason="r", serving_until=NOW),
            "plimsoll_certificate_changes_total",
            {"outcome": "rejected"},
        ),
        (seen.Draining(accept_seconds=1, connections=2), "plimsoll_draining", {}),
    ],
)
def test_an_observation_is_counted(observation: Observation, name: str, labels: dict[str, str]) -> None:
    assert value(counted(observation), name, **labels) == 1


def test_failures_and_reloads_are_there_as_zero_before_they_happen() -> None:
    samples = counted()
    for path in ("mutate", "validate"):
        for allowed in ("true", "false"):
            assert value(samples, "plimsoll_failure_mode_answers_total", path=path, allowed=allowed) == 0
    for outcome in ("loaded", "rejected"):
        assert value(samples, "plimsoll_policy_reloads_total", outcome=outcome) == 0


LOADED = seen.PoliciesLoaded(
    origin="policies/", policies=("a", "b"), exemptions=0, namespaces=0, limit_ranges=0, version="v", seconds=0.1
)
REJECTED = seen.PoliciesRejected(origin="policies/", problems=("p",), in_force="v")


def test_policies_are_stale_from_a_rejected_version_to_the_next_good_one() -> None:
    assert value(counted(LOADED), "plimsoll_policies") == 2
    assert value(counted(LOADED), "plimsoll_policies_stale") == 0
    assert value(counted(LOADED, REJECTED), "plimsoll_policies_stale") == 1
    assert value(counted(LOADED, REJECTED), "plimsoll_policies") == 2
    assert value(counted(LOADED, REJECTED, LOADED), "plimsoll_policies_stale") == 0
    assert value(counted(LOADED, REJECTED, LOADED), "plimsoll_policy_reloads_total", outcome="loaded") == 2
    assert value(counted(LOADED), "plimsoll_policies_loaded_timestamp_seconds") == pytest.approx(
        datetime.now(UTC).timestamp(), abs=60
    )


def test_policies_of_an_earlier_run_have_their_own_age() -> None:
    restored = seen.LastGoodRestored(version="v", policies=("a",), saved_at=NOW)
    assert value(counted(restored, REJECTED), "plimsoll_policies") == 1
    assert value(counted(restored), "plimsoll_policies_loaded_timestamp_seconds") == NOW.timestamp()


def test_the_end_of_the_certificate_is_a_time() -> None:
    swapped = seen.CertificateSwapped(names=("a",), not_after=NOW)
    assert value(counted(swapped), "plimsoll_certificate_not_after_timestamp_seconds") == NOW.timestamp()


def test_what_is_asked_at_the_moment_is_there() -> None:
    samples = counted(connections=7, lost=3)
    assert value(samples, "plimsoll_connections") == 7
    assert value(samples, "plimsoll_log_lines_lost") == 3
    assert any(name == "process_resident_memory_bytes" for name, _ in samples)
    assert any(name == "plimsoll_build_info" for name, _ in samples)
    assert not any(name.endswith("_created") for name, _ in samples)


@pytest.mark.parametrize("kind", subclasses(), ids=lambda kind: kind.__name__)
def test_no_observation_is_refused(kind: type[Observation]) -> None:
    fields: dict[str, Any] = {"path": "mutate"} if kind is seen.Reviewed else {}
    import msgspec

    counted(msgspec.structs.replace(sample(kind), **fields))


def test_names_from_pods_are_no_labels() -> None:
    before = len(counted(reviewed()))
    assert len(counted(*(reviewed(name=f"pod-{number}", namespace=f"ns-{number}") for number in range(50)))) == before


def test_series_are_bounded_even_where_policies_come_and_go() -> None:
    subscriber = Metrics(lambda: 0)
    for number in range(metrics.MAX_SERIES + 50):
        subscriber.observe(reviewed(policy=f"policy-{number}"))
    text = subscriber.text(connections=0).decode()
    assert text.count("plimsoll_reviews_total{") <= metrics.MAX_SERIES + 1
    assert 'plimsoll_reviews_total{mode="Enforce",path="mutate",policy="",verdict="patched"} 50.0' in text
