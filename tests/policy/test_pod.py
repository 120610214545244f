"""The pod as a whole: totals, what bounds them, and what does not fit beside spec.resources."""

from __future__ import annotations

import pytest
from plimsoll.policy.evaluation import Stage, evaluate
from plimsoll.policy.pod import bounding
from plimsoll.policy.quantity import parse
from plimsoll.policy.workload import NO_RESOURCES, Resources

from tests.policy import shorthand
from tests.policy.decision import NOW, governance, judged, violated, workload_of

TOTALS = {
    "containers add up": ("{max: {memory: 3Gi}}", "a lim memory=2Gi; b lim memory=2Gi", "limit.max; request.max"),
    "a total equal to the bound passes": ("{max: {memory: 4Gi}}", "a lim memory=2Gi; b lim memory=2Gi", ""),
    "an init container is a peak": ("{max: {memory: 2Gi}}", "a lim memory=1Gi; init b lim memory=2Gi", ""),
    "a sidecar adds up": (
        "{max: {memory: 2Gi}}",
        "a lim memory=1Gi; sidecar b lim memory=2Gi",
        "limit.max; request.max",
    ),
    "overhead adds up": (
        "{max: {memory: 1Gi}}",
        "a lim memory=1Gi; overhead memory=1Mi",
        "limit.max; request.max",
    ),
    "a total of requests alone": ("{max: {memory: 1Gi}}", "a req memory=2Gi", "request.max"),
    "below the min": ("{min: {memory: 3Gi}}", "a lim memory=1Gi; b lim memory=1Gi", "limit.min; request.min"),
    "a partial sum of limits is judged for what it says": (
        "{max: {memory: 1Gi}}",
        "a req memory=1Mi lim memory=2Gi; b",
        "limit.max",
    ),
    "but it bounds nothing": ("{required: {limits: [memory]}}", "a lim memory=2Gi; b", "limit.required"),
    "nor does a zero among limits": (
        "{required: {limits: [memory]}}",
        "a lim memory=2Gi; b lim memory=0",
        "limit.required",
    ),
    "all containers bound it": ("{required: {limits: [memory]}}", "a lim memory=2Gi; init b lim memory=1Gi", ""),
    "the pod itself bounds it": ("{required: {limits: [memory]}}", "a; pod lim memory=1Gi", ""),
    "a request of the pod does not": ("{required: {limits: [memory]}}", "a; pod req memory=1Gi", "limit.required"),
    "nor a limit of nothing": ("{required: {limits: [memory]}}", "a; pod lim memory=0", "limit.required"),
    "a request of the pod is one": ("{required: {requests: [memory]}}", "a; pod req memory=1Gi", ""),
    "a limit of the pod gives a request": ("{required: {requests: [memory]}}", "a; pod lim memory=1Gi", ""),
    "but not a limit of nothing": (
        "{required: {requests: [memory]}}",
        "a; pod req memory=0 lim memory=0",
        "request.required",
    ),
    "all requests are one": ("{required: {requests: [memory]}}", "a req memory=1Gi; b req memory=0", ""),
    "one request is not": ("{required: {requests: [memory]}}", "a req memory=1Gi; b", "request.required"),
    "pod-level values win": (
        "{max: {memory: 2Gi}}",
        "a req memory=1Gi; pod lim memory=4Gi",
        "limit.max",  # the request stays what the containers ask for
    ),
    "a pod-level limit of nothing is none": ("{max: {memory: 1Gi}, min: {memory: 1Mi}}", "a; pod lim memory=0", ""),
    "the ratio of totals": (
        "{maxLimitRequestRatio: {memory: 2}}",
        "a req memory=1Gi lim memory=4Gi; b req memory=1Gi lim memory=1Gi",
        "ratio",
    ),
    "equal totals": ("{equal: [memory]}", "a req memory=1Gi lim memory=2Gi", "equal"),
    "a forbidden total": ("{forbidden: {limits: [memory]}}", "a req memory=1Gi; b lim memory=1Gi", "limit.forbidden"),
    "nothing at all": ("{max: {memory: 1Gi}, equal: [memory]}", "a", ""),
}


@pytest.mark.parametrize("sentence", TOTALS)
def test_totals_are_judged(sentence: str) -> None:
    pod, containers, expected = TOTALS[sentence]
    found = violated(judged(containers, governance(f"{{pod: {pod}}}")))
    assert found == "; ".join(f"pod pod.memory.{suffix}" for suffix in expected.split("; ") if suffix)


def test_a_total_of_many_containers_with_many_resources_is_found_before_tomorrow() -> None:
    """Each init container beside each resource of a sidecar would be ten million sums, for one Pod of 300 kB."""
    obj = shorthand.pod("a lim memory=2Gi")
    amounts = {f"example.com/r{index}": "1" for index in range(3000)}
    sidecars = [{"name": "s", "restartPolicy": "Always", "resources": {"limits": amounts}}]
    inits = [{"name": f"i{name}", "resources": {"limits": {name: "1"}}} for name in amounts]
    obj["spec"]["initContainers"] = [*sidecars, *inits]
    evaluation = evaluate(workload_of(obj), governance("{pod: {max: {memory: 1Gi, example.com/r7: 1}}}"), NOW)
    assert violated(evaluation).split("; ")[:2] == [
        "pod pod.example.com/r7.limit.max",
        "pod pod.example.com/r7.request.max",
    ]


def test_totals_are_judged_after_defaults_and_are_given_none() -> None:
    governs = governance(
        "{defaulting: Apply, containers: {default: {memory: 1Gi}},"
        " pod: {max: {memory: 1Gi}, required: {limits: [cpu]}}}"
    )
    found = judged("a; b", governs)
    assert violated(found) == "pod pod.cpu.limit.required; pod pod.memory.limit.max; pod pod.memory.request.max"
    (limit,) = [each for each in found.violations if each.check == "pod.memory.limit.max"]
    assert (limit.found, limit.allowed) == ("2Gi", "at most 1Gi")
    assert (limit.container, limit.container_class) == (None, None)
    assert limit.pointer == "/spec/resources/limits/memory"
    assert limit.place == "/spec"


@pytest.mark.parametrize(
    ("containers", "found"),
    [
        ("a lim memory=600Mi; b lim memory=600Mi", "1200Mi"),
        ("a lim memory=600M; b lim memory=600M", "1200M"),
        ("a lim memory=2; b lim memory=1500m", "3500m"),
        ("a; overhead memory=2Ki", "2Ki"),
        ("a; pod req memory=2Gi", "2Gi"),
    ],
)
def test_a_total_is_written_like_the_amounts_it_comes_from(containers: str, found: str) -> None:
    violations = judged(containers, governance("{pod: {max: {memory: 1}}}")).violations
    assert {each.found for each in violations if each.check.startswith("pod.memory")} == {found}


def test_ephemeral_containers_do_not_count() -> None:
    obj = shorthand.pod("a lim memory=1Gi")
    obj["spec"]["ephemeralContainers"] = [{"name": "debug"}]
    evaluation = evaluate(workload_of(obj), governance("{pod: {required: {limits: [memory]}}}"), NOW)
    assert violated(evaluation) == ""


def test_a_pod_without_containers_is_bounded_by_nothing() -> None:
    obj = shorthand.pod("a")
    obj["spec"]["containers"] = []
    evaluation = evaluate(workload_of(obj), governance("{pod: {required: {limits: [memory]}}}"), NOW)
    assert violated(evaluation) == "pod pod.memory.limit.required"


MISFITS = [
    ("a; pod req memory=1Gi lim memory=1Gi", []),
    (
        "a; pod req memory=2Gi lim memory=1Gi",
        [("2Gi request above the 1Gi limit", "a request of at most the limit", "")],
    ),
    ("a lim memory=2Gi; pod lim memory=1Gi", [("1Gi", "at least the 2Gi limit of container a", "")]),
    ("init a lim memory=2Gi; b; pod lim memory=1Gi", []),  # of init containers the server does not say it
    (
        "a req memory=1Gi; b req memory=1Gi; pod req memory=1536Mi",
        [("1536Mi", "at least 2Gi, the sum of its containers' requests", "")],
    ),
    ("a req memory=1Gi; b req memory=512Mi; pod req memory=1536Mi", []),
    ("a req cpu=1; pod req memory=1Gi", []),
    ("a lim cpu=1; pod lim memory=1Gi", []),
]


@pytest.mark.parametrize(("pod", "expected"), MISFITS)
def test_what_does_not_fit_beside_pod_level_resources_is_out_of_order(
    pod: str, expected: list[tuple[str, str, str]]
) -> None:
    evaluation = judged(pod, governance("{}"))
    assert [(each.found, each.allowed, each.note) for each in evaluation.violations] == expected
    assert {each.check for each in evaluation.violations} <= {"pod.memory.order"}


@pytest.mark.parametrize(
    ("pod", "limits", "check", "note"),
    [
        (
            "a; b; pod lim memory=1Gi",
            "Container default memory=2Gi",
            "pod.memory.order",
            "the limit of container a was set by LimitRange 'limits-0'",
        ),
        (
            "a; b req memory=1Mi; pod req memory=1Gi",
            "Container defReq memory=2Gi",
            "pod.memory.order",
            "the request of container a was set by LimitRange 'limits-0'",
        ),
    ],
)
def test_whose_value_does_not_fit_is_said(pod: str, limits: str, check: str, note: str) -> None:
    violation = judged(pod, governance("{}", ranges=limits)).violations[0]
    assert (violation.check, violation.note) == (check, note)


def test_a_limit_range_that_is_gone_is_still_one_of_the_namespace() -> None:
    governs = governance("{}", ranges="Container default cpu=1")
    evaluation = judged(
        "a lim memory=2Gi; pod lim memory=1Gi", governs, Stage.MUTATING, note="memory limit for container a"
    )
    assert evaluation.violations[0].note == "the limit of container a was set by a LimitRange of the namespace"


@pytest.mark.parametrize(
    ("requests", "limits", "kept"),
    [
        ({}, {"memory": "1Gi"}, ({}, {"memory": "1Gi"})),
        ({"memory": "0"}, {"memory": "0"}, ({}, {})),
        ({"memory": "0", "cpu": "0"}, {"memory": "0"}, ({"cpu": "0"}, {})),
        ({"memory": "1Gi"}, {"memory": "0", "cpu": "1"}, ({"memory": "1Gi"}, {"cpu": "1"})),
        ({}, {"hugepages-2Mi": "0"}, ({}, {"hugepages-2Mi": "0"})),
    ],
)
def test_a_pod_level_limit_of_nothing_bounds_nothing(
    requests: dict[str, str], limits: dict[str, str], kept: tuple[dict[str, str], dict[str, str]]
) -> None:
    given, expected = (
        Resources(*({name: parse(text) for name, text in side.items()} for side in sides))
        for sides in ((requests, limits), kept)
    )
    assert bounding(given) == expected
    assert bounding(None) is NO_RESOURCES
