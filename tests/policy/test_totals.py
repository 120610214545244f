"""Pod totals: init containers, sidecars, pod-level resources and overhead, by the scheduler's arithmetic."""

import pytest
from plimsoll.policy.quantity import parse
from plimsoll.policy.totals import Amounts, can_be_pod_level, pod_totals


def amounts(text: str) -> dict[str, int]:
    """`cpu=100m,memory=1Gi` as resource name → nano-units."""
    pairs = (entry.split("=") for entry in text.split(",") if entry)
    return {name: parse(amount).nano for name, amount in pairs}


def pod(text: str) -> list[tuple[str, Amounts]]:
    """`init cpu=1; regular cpu=2` as pairs of class and amounts."""
    entries = (entry.strip().partition(" ") for entry in text.split(";") if entry.strip())
    return [(container_class, amounts(rest.strip())) for container_class, _, rest in entries]


# name of the vector, containers, pod-level, overhead, total
REQUESTS = [
    ("no container", "", "", "", ""),
    ("two containers add up", "regular cpu=100m,memory=1Gi; regular cpu=200m", "", "", "cpu=300m,memory=1Gi"),
    (
        "E01 an init container is a peak, not an addend",
        "regular cpu=100m,memory=100Mi; regular cpu=200m; init cpu=250m,memory=500Mi",
        "",
        "",
        "cpu=300m,memory=500Mi",
    ),
    (
        "E02 a sidecar runs beside the init after it",
        "regular cpu=100m; sidecar cpu=300m; init cpu=500m",
        "",
        "",
        "cpu=800m",
    ),
    ("E03 but not beside the init before it", "regular cpu=100m; init cpu=500m; sidecar cpu=300m", "", "", "cpu=500m"),
    ("E04 overhead is added", "regular cpu=100m", "", "cpu=50m,memory=64Mi", "cpu=150m,memory=64Mi"),
    ("E05 overhead is added to pod-level", "regular cpu=100m", "cpu=1,memory=1Gi", "cpu=50m", "cpu=1050m,memory=1Gi"),
    ("L54 pod-level and containers mix", "regular cpu=200m; regular", "cpu=200m,memory=1Gi", "", "cpu=200m,memory=1Gi"),
    ("L55 a pod-level request wins", "regular cpu=200m; regular cpu=300m", "cpu=1", "", "cpu=1"),
    ("L58 ephemeral-storage cannot be pod-level", "regular", "ephemeral-storage=1Gi", "", ""),
    ("M17 hugepages can", "regular hugepages-2Mi=4Mi", "cpu=1,hugepages-2Mi=6Mi", "", "cpu=1,hugepages-2Mi=6Mi"),
    ("Q03 a written zero stays", "regular cpu=0,memory=0", "", "", "cpu=0,memory=0"),
    ("Q05 a small init adds nothing", "regular cpu=1,memory=1Gi; init cpu=100m", "", "", "cpu=1,memory=1Gi"),
    ("a sidecar counts beside the app", "regular cpu=100m; sidecar cpu=300m", "", "", "cpu=400m"),
    ("sidecars add up before an init", "sidecar cpu=1; sidecar cpu=2; init cpu=4; regular", "", "", "cpu=7"),
    ("an init's own resource appears", "regular cpu=1; init nvidia.com/gpu=1", "", "", "cpu=1,nvidia.com/gpu=1"),
    ("ephemeral containers count nothing", "regular cpu=1; ephemeral cpu=5", "", "", "cpu=1"),
]

LIMITS = [
    ("Q02 a partial sum", "regular cpu=1,memory=1Gi; regular", "", "", "cpu=1,memory=1Gi"),
    ("E04 overhead only where a limit stands", "regular cpu=200m", "", "cpu=50m,memory=64Mi", "cpu=250m"),
    ("E05 overhead on a pod-level limit", "regular", "cpu=2,memory=2Gi", "cpu=50m", "cpu=2050m,memory=2Gi"),
    ("a zero limit takes no overhead", "regular cpu=0", "", "cpu=50m", "cpu=0"),
    ("L55 containers' limits without a pod-level one", "regular cpu=200m; regular cpu=300m", "", "", "cpu=500m"),
    ("L56 a pod-level limit below a container's", "regular cpu=2", "cpu=1", "", "cpu=1"),
    ("an init's limit is a peak", "regular memory=1Gi; init memory=2Gi", "", "", "memory=2Gi"),
]


@pytest.mark.parametrize(("name", "containers", "pod_level", "overhead", "total"), REQUESTS)
def test_pod_requests(name: str, containers: str, pod_level: str, overhead: str, total: str) -> None:
    assert pod_totals(pod(containers), amounts(pod_level), amounts(overhead), limits=False) == amounts(total)


@pytest.mark.parametrize(("name", "containers", "pod_level", "overhead", "total"), LIMITS)
def test_pod_limits(name: str, containers: str, pod_level: str, overhead: str, total: str) -> None:
    assert pod_totals(pod(containers), amounts(pod_level), amounts(overhead), limits=True) == amounts(total)


def test_absent_maps_and_empty_ones_are_the_same() -> None:
    assert pod_totals(pod("regular cpu=1"), None, None, limits=False) == amounts("cpu=1")


def test_what_goes_in_is_left_as_it_was() -> None:
    containers = pod("sidecar cpu=1; init cpu=1; regular cpu=1")
    before = [(name, dict(given)) for name, given in containers]
    overhead = amounts("cpu=1")
    pod_totals(containers, None, overhead, limits=False)
    assert containers == before
    assert overhead == amounts("cpu=1")


@pytest.mark.parametrize(
    ("resource", "known"),
    [("cpu", True), ("memory", True), ("hugepages-2Mi", True), ("ephemeral-storage", False), ("nvidia.com/gpu", False)],
)
def test_which_resources_a_pod_itself_may_name(resource: str, known: bool) -> None:
    assert can_be_pod_level(resource) is known
