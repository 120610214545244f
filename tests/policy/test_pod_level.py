"""What the server of 1.37 writes into a pod's own resources, worked out from its containers."""

import pytest
from hypothesis import given
from plimsoll.policy.pod_level import pod_level_defaults, total_limits, total_requests
from plimsoll.policy.quantity import parse
from plimsoll.policy.workload import Resources

from tests.policy.shorthand import drafts, drafts_of, pod, workload, written
from tests.policy.strategies import pod_specs


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("pod lim cpu=2; a", "pod req cpu=2 lim cpu=2"),
        ("pod lim cpu=2; a req cpu=500m", "pod req cpu=500m lim cpu=2"),
        ("pod req cpu=1; a req memory=1Gi", "pod req cpu=1,memory=1Gi"),
        ("pod req cpu=1; a lim cpu=2", "pod req cpu=1 lim cpu=2"),
        ("pod req cpu=3; a lim cpu=2", "pod req cpu=3 lim cpu=3"),
        ("pod req cpu=1; a lim cpu=2; b lim memory=1Gi", "pod req cpu=1,memory=1Gi"),
        ("pod req cpu=1; a lim cpu=2; init i", "pod req cpu=1"),
        ("pod req cpu=1; a lim cpu=2; init i lim cpu=4", "pod req cpu=1 lim cpu=4"),
        ("pod lim cpu=2; a lim memory=1Gi", "pod req cpu=2,memory=1Gi lim cpu=2,memory=1Gi"),
        ("pod lim cpu=1; a lim hugepages-2Mi=4Mi", "pod req cpu=1,hugepages-2Mi=4Mi lim cpu=1,hugepages-2Mi=4Mi"),
        ("pod lim cpu=1 req hugepages-2Mi=2Mi; a lim hugepages-2Mi=4Mi",
         "pod req cpu=1,hugepages-2Mi=2Mi lim cpu=1,hugepages-2Mi=4Mi"),
        ("pod req hugepages-2Mi=2Mi,cpu=1; a", "pod req hugepages-2Mi=2Mi,cpu=1"),
        ("pod lim cpu=1; a lim nvidia.com/gpu=1,ephemeral-storage=1Gi", "pod req cpu=1 lim cpu=1"),
        ("pod lim ephemeral-storage=1Gi; a lim ephemeral-storage=1Gi", "pod lim ephemeral-storage=1Gi"),
        ("pod req ephemeral-storage=1Gi; a lim ephemeral-storage=1Gi", "pod req ephemeral-storage=1Gi"),
    ],
)  # fmt: skip
def test_missing_values_are_worked_out(text: str, stored: str) -> None:
    read = workload(pod(text))
    assert pod_level_defaults(drafts_of(read), read.pod_resources) == written(f"{stored}; a")[1]


@pytest.mark.parametrize("own", [None, Resources()])
def test_a_pod_that_says_nothing_of_its_own_is_left_alone(own: Resources | None) -> None:
    assert pod_level_defaults(drafts(pod("a lim cpu=1")), own) == own


def test_a_pod_without_containers_gets_no_limit() -> None:
    own = Resources({"cpu": parse("1")}, {})
    assert pod_level_defaults([], own) == own


@given(pod_specs(pod_level=True))
def test_doing_it_twice_changes_nothing(spec: dict[str, object]) -> None:
    read = workload({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}, "spec": spec})
    made = drafts_of(read)
    once = pod_level_defaults(made, read.pod_resources)
    assert pod_level_defaults(made, once) == once


def test_totals_keep_the_suffixes_of_their_first_amount() -> None:
    made = drafts(pod("a lim memory=1Gi; b req memory=1 lim memory=1000; init i lim memory=4k; sidecar s"))
    assert {name: total.text for name, total in total_limits(made).items()} == {"memory": "1048576.9765625Ki"}
    assert {name: total.canonical for name, total in total_requests(made).items()} == {"memory": "1073741825"}
