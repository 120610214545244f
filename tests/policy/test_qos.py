"""The quality-of-service class of a pod."""

import pytest
from plimsoll.policy.pod_level import pod_level_defaults
from plimsoll.policy.qos import qos_class
from plimsoll.policy.quantity import parse
from plimsoll.policy.workload import NO_RESOURCES, Resources

from tests.policy.shorthand import drafts_of, pod, rows, workload

VECTORS = [(row[0], row[1], row[3]) for row in rows("pod_resources.tsv")]


def class_of(text: str) -> str:
    """The class of a pod in short, as a server of 1.37 stores it."""
    read = workload(pod(text))
    made = drafts_of(read)
    containers = [Resources(draft.requests, draft.limits) for draft in made]
    return qos_class(containers, pod_level_defaults(made, read.pod_resources))


@pytest.mark.parametrize(("name", "text", "expected"), VECTORS, ids=[row[0] for row in VECTORS])
def test_a_pod_has_the_class_the_server_gives_it(name: str, text: str, expected: str) -> None:
    assert class_of(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", "BestEffort"),
        ("a; b", "BestEffort"),
        ("a lim cpu=0,memory=0", "BestEffort"),
        ("a req cpu=0 lim cpu=1", "Burstable"),
        ("a lim cpu=1,memory=1Gi; b lim cpu=0,memory=0", "Burstable"),
        ("a lim cpu=1,memory=0", "Burstable"),
        ("a lim cpu=1,memory=1Gi; sidecar s", "Burstable"),
        ("a lim cpu=1,memory=1Gi; sidecar s lim cpu=1,memory=1Gi", "Guaranteed"),
        ("a lim cpu=1,memory=1Gi; b req cpu=1,memory=512Mi lim cpu=1,memory=1Gi", "Burstable"),
        ("a req cpu=1000m lim cpu=1,memory=1024Mi", "Guaranteed"),
        ("pod lim cpu=1,memory=1Gi; a; b req cpu=1", "Guaranteed"),
        ("pod lim cpu=1; a lim cpu=1,memory=1Gi", "Guaranteed"),  # memory is worked out from the container
        ("pod req cpu=1; a lim memory=1Gi", "Burstable"),
        ("pod lim cpu=0; a", "BestEffort"),
        ("pod lim ephemeral-storage=1; a lim cpu=1,memory=1Gi", "Guaranteed"),  # means nothing there
        ("pod lim cpu=1,hugepages-2Mi=2Mi; a", "Burstable"),
        ("pod lim hugepages-2Mi=2Mi; a", "BestEffort"),
    ],
)
def test_the_class_follows_cpu_and_memory_of_all(text: str, expected: str) -> None:
    assert class_of(text) == expected


def test_a_pod_without_containers_is_best_effort() -> None:
    assert qos_class([], None) == "BestEffort"


def test_a_request_of_nothing_at_all_is_none() -> None:
    half = Resources({"cpu": parse("0")}, {})
    assert qos_class([half, NO_RESOURCES], None) == "BestEffort"
