"""What to write instead: resources under which the workload passes, and no number that nobody named."""

from __future__ import annotations

from typing import Any

import pytest
from plimsoll.policy import remedy as module
from plimsoll.policy.evaluation import evaluate
from plimsoll.policy.model import Namespace
from plimsoll.policy.remedy import Remedy, remedy_for
from plimsoll.policy.snapshot import Governance

from tests.policy import shorthand
from tests.policy.decision import NOW, deployment_of, governance, judged, violated, workload_of


def advice(remedy: Remedy) -> str:
    """`a req cpu=50m lim memory=1Gi open limits.cpu; b`."""
    shown = []
    for each in remedy.containers:
        words = [each.container.name]
        for side, given in (("req", each.resources.requests), ("lim", each.resources.limits)):
            if given:
                words += [side, ",".join(f"{name}={given[name].canonical}" for name in given)]
        if each.open:
            words += ["open", ",".join(f"{side.field}.{name}" for side, name in each.open)]
        shown.append(" ".join(words))
    return "; ".join(shown)


# policy's containers, pod, advice
MENDED = {
    "a missing limit takes its default": (
        "{required: {limits: [memory]}, default: {memory: 256Mi}}",
        "a",
        "a lim memory=256Mi",
    ),
    "a request is not repeated where Kubernetes copies the limit": (
        "{required: {limits: [memory], requests: [memory]}, default: {memory: 256Mi}}",
        "a",
        "a lim memory=256Mi",
    ),
    "what else was written stays": (
        "{required: {limits: [memory]}, default: {memory: 256Mi}}",
        "a req cpu=1 lim ephemeral-storage=1Gi",
        "a req cpu=1 lim ephemeral-storage=1Gi,memory=256Mi",
    ),
    "only containers that break the policy are named": (
        "{required: {limits: [memory]}, default: {memory: 256Mi}}",
        "a lim memory=1Gi; init b; sidecar c lim memory=1Gi",
        "b lim memory=256Mi",
    ),
    "without a default the limit is the request": (
        "{required: {limits: [memory]}}",
        "a req memory=1Gi",
        "a req memory=1Gi lim memory=1Gi",
    ),
    "or the max": ("{required: {limits: [memory]}, max: {memory: 2Gi}}", "a", "a lim memory=2Gi"),
    "or the author's to choose": ("{required: {limits: [memory, cpu]}}", "a", "a open limits.cpu,limits.memory"),
    "without a default the request is the limit": (
        "{required: {limits: [memory], requests: [memory]}, max: {memory: 2Gi}}",
        "a",
        "a req memory=2Gi lim memory=2Gi",
    ),
    "or the min": ("{required: {requests: [cpu]}, min: {cpu: 10m}}", "a", "a req cpu=10m"),
    "or the author's": ("{required: {requests: [cpu]}}", "a", "a open requests.cpu"),
    "above the max": ("{max: {memory: 1Gi}}", "a lim memory=2Gi", "a req memory=1Gi lim memory=1Gi"),
    "above the max on both sides": (
        "{max: {memory: 1Gi}}",
        "a req memory=2Gi lim memory=4Gi",
        "a req memory=1Gi lim memory=1Gi",
    ),
    "below the min": ("{min: {memory: 64Mi}}", "a req memory=1Mi", "a req memory=64Mi"),
    "a forbidden limit": ("{forbidden: {limits: [cpu]}}", "a req cpu=1 lim cpu=2", "a req cpu=1"),
    "a forbidden limit that gave the request": ("{forbidden: {limits: [cpu]}}", "a lim cpu=2", "a req cpu=2"),
    "a forbidden request": ("{forbidden: {requests: [cpu]}}", "a req cpu=1", "a"),
    "a forbidden device": (
        "{forbidden: {limits: [nvidia.com/gpu]}}",
        "a req cpu=1 lim nvidia.com/gpu=1",
        "a req cpu=1",
    ),
    "a forbidden request that its limit would bring back": ("{forbidden: {requests: [cpu]}}", "a lim cpu=1", "a"),
    "a ratio takes a larger request": (
        "{maxLimitRequestRatio: {memory: 2}}",
        "a req memory=1Mi lim memory=1Gi",
        "a req memory=512Mi lim memory=1Gi",
    ),
    "in whole bytes": (
        "{maxLimitRequestRatio: {memory: 2}}",
        "a req memory=2000000 lim memory=10000001",
        "a req memory=5000001 lim memory=10000001",
    ),
    "in whole milli-cores": ("{maxLimitRequestRatio: {cpu: 2}}", "a req cpu=1m lim cpu=5m", "a req cpu=3m lim cpu=5m"),
    "equal takes the limit": (
        "{equal: [memory]}",
        "a req memory=1Mi lim memory=1Gi",
        "a req memory=1Gi lim memory=1Gi",
    ),
    "a request above its limit raises the limit": (
        "{max: {memory: 4Gi}}",
        "a req memory=2Gi lim memory=1Gi",
        "a req memory=2Gi lim memory=2Gi",
    ),
    "as far as it may": ("{max: {memory: 1Gi}}", "a req memory=2Gi lim memory=1Gi", "a req memory=1Gi lim memory=1Gi"),
    "also where the policy does not speak of it": ("{}", "a req cpu=2 lim cpu=1", "a req cpu=2 lim cpu=2"),
    "devices below the min": (
        "{min: {nvidia.com/gpu: 2}}",
        "a lim nvidia.com/gpu=1",
        "a req nvidia.com/gpu=2 lim nvidia.com/gpu=2",
    ),
    "devices out of order": (
        "{}",
        "a req nvidia.com/gpu=2 lim nvidia.com/gpu=1",
        "a req nvidia.com/gpu=2 lim nvidia.com/gpu=2",
    ),
    "a zero that sets no limit is not written again": (
        "{required: {limits: [memory]}, default: {memory: 256Mi}}",
        "a req cpu=1 lim memory=0,cpu=0",
        "a req cpu=1,memory=256Mi lim memory=256Mi",
    ),
    "a slip of the pen is put right": (
        "{min: {memory: 64Mi}}",
        "a req memory=512m lim memory=1Gi",
        "a req memory=512Mi lim memory=1Gi",
    ),
}


@pytest.mark.parametrize("sentence", MENDED)
def test_a_workload_is_mended(sentence: str) -> None:
    containers, pod, expected = MENDED[sentence]
    governs = governance(f"{{containers: {containers}}}")
    remedy = remedy_for(judged(pod, governs), NOW)
    assert advice(remedy) == expected
    assert remedy.passes
    assert remedy.left_out == 0


def test_nothing_is_said_where_nothing_is_broken_or_nobody_governs() -> None:
    assert remedy_for(judged("a", governance("{}")), NOW) == Remedy((), passes=True)
    assert remedy_for(judged("a", Governance(Namespace("team"), None)), NOW) == Remedy((), passes=True)


WAIVED = [
    # what is waived is not asked for again
    ("[memory.limit.required]", "a", "a req memory=128Mi"),
    ("[memory.request.required]", "a", "a lim memory=256Mi"),
    ("[memory.limit.max]", "a lim memory=2Gi req memory=3Gi", "a req memory=1Gi lim memory=2Gi"),
]


@pytest.mark.parametrize(("waive", "pod", "expected"), WAIVED)
def test_what_is_waived_is_left_as_it_is(waive: str, pod: str, expected: str) -> None:
    governs = governance(
        "{containers: {required: {limits: [memory], requests: [memory]}, default: {memory: 256Mi},"
        " defaultRequest: {memory: 128Mi}, max: {memory: 1Gi}}}",
        f"{{waive: {waive}}}",
    )
    assert advice(remedy_for(judged(pod, governs), NOW)) == expected


@pytest.mark.parametrize(
    ("containers", "waive", "pod", "expected"),
    [
        ("{required: {limits: [memory], requests: [cpu]}}", "[memory.limit.required]", "a", "a open requests.cpu"),
        ("{required: {limits: [cpu], requests: [memory]}}", "[memory.request.required]", "a", "a open limits.cpu"),
        (
            "{min: {nvidia.com/gpu: 2}}",
            "[nvidia.com/gpu.limit.min]",
            "a lim nvidia.com/gpu=1",
            "",  # only the request is judged, and it must be equal to the limit
        ),
        (
            "{forbidden: {requests: [cpu]}, required: {limits: [memory]}}",
            "[cpu.request.forbidden]",
            "a lim cpu=1",
            "a lim cpu=1 open limits.memory",
        ),
    ],
)
def test_a_waived_field_is_not_asked_for_nor_mended(containers: str, waive: str, pod: str, expected: str) -> None:
    governs = governance(f"{{containers: {containers}}}", f"{{waive: {waive}}}")
    assert advice(remedy_for(judged(pod, governs), NOW)) == expected


NOT_ENOUGH: list[tuple[str, str, str, str]] = [
    # policy, LimitRange, pod, advice
    ("{pod: {max: {memory: 1Gi}}}", "", "a lim memory=1Gi; b lim memory=1Gi", ""),
    (
        "{pod: {max: {memory: 1Gi}}, containers: {required: {limits: [cpu]}, default: {cpu: 1}}}",
        "",
        "a lim memory=2Gi",
        "a lim cpu=1,memory=2Gi",
    ),
    ("{containers: {required: {limits: [memory]}}}", "", "a; pod req memory=1Gi", ""),
    # the API server would refuse what the policy asks for
    (
        "{containers: {required: {limits: [memory]}, default: {memory: 256Mi}}}",
        "Pod max memory=128Mi",
        "a",
        "a lim memory=256Mi",
    ),
    (
        "{containers: {required: {limits: [memory]}, default: {memory: 1Gi}}}",
        "",
        "a req gpu=1",
        "a req gpu=1 lim memory=1Gi",
    ),
    (
        "{containers: {required: {limits: [memory, cpu]}, min: {cpu: 1}}, pod: {max: {cpu: 1m}}}",
        "",
        "a",
        "a open limits.cpu,limits.memory",
    ),
]


@pytest.mark.parametrize(("policy", "limits", "pod", "expected"), NOT_ENOUGH)
def test_what_is_not_enough_is_not_said_to_pass(policy: str, limits: str, pod: str, expected: str) -> None:
    remedy = remedy_for(judged(pod, governance(policy, ranges=limits)), NOW)
    assert advice(remedy) == expected
    assert remedy.passes is (expected == "a open limits.cpu,limits.memory")


BESIDE_A_LIMIT_RANGE = [
    # what it fills in by itself is not written
    (
        "Container default memory=64Mi",
        "{required: {limits: [memory], requests: [cpu]}, defaultRequest: {cpu: 50m}}",
        "a",
        "a req cpu=50m",
    ),
    (
        "Container defReq memory=64Mi",
        "{required: {limits: [cpu], requests: [memory]}, default: {cpu: 1}}",
        "a",
        "a lim cpu=1",
    ),
    # but a limit that is written would give the request then
    (
        "Container defReq memory=64Mi",
        "{required: {limits: [memory]}, default: {memory: 256Mi}}",
        "a",
        "a req memory=64Mi lim memory=256Mi",
    ),
    # what it fills in breaks the policy: amounts that pass are written instead
    ("Container default memory=4Gi", "{max: {memory: 1Gi}}", "a", "a req memory=1Gi lim memory=1Gi"),
]


@pytest.mark.parametrize(("limits", "containers", "pod", "expected"), BESIDE_A_LIMIT_RANGE)
def test_what_a_limit_range_fills_in_need_not_be_written(limits: str, containers: str, pod: str, expected: str) -> None:
    governs = governance(f"{{containers: {containers}}}", ranges=limits)
    evaluation = evaluate(workload_of(deployment_of(shorthand.pod(pod))), governs, NOW)
    remedy = remedy_for(evaluation, NOW)
    assert advice(remedy) == expected
    assert remedy.passes
    assert violated(judged(expected, governs)) == ""


def test_two_containers_of_one_name_are_mended_each_by_itself() -> None:
    governs = governance("{containers: {required: {limits: [memory]}, default: {memory: 256Mi}}}")
    remedy = remedy_for(judged("a; a lim memory=1Gi; a req cpu=1", governs), NOW)
    assert [each.container.pointer for each in remedy.containers] == ["/spec/containers/0", "/spec/containers/2"]
    assert remedy.passes


def many(container: dict[str, Any], count: int, governs: Governance) -> Remedy:
    obj = shorthand.pod("a")
    obj["spec"]["containers"] = [{**container, "name": f"c{index}"} for index in range(count)]
    return remedy_for(evaluate(workload_of(deployment_of(obj)), governs, NOW), NOW)


MEMORY = "containers: {required: {limits: [memory]}, default: {memory: 256Mi}}"


def test_of_very_many_containers_the_first_are_mended() -> None:
    remedy = many({}, module.MAX_CONTAINERS + 7, governance(f"{{{MEMORY}}}"))
    assert len(remedy.containers) == module.MAX_CONTAINERS
    assert remedy.left_out == 7
    assert remedy.passes


def test_of_very_many_containers_nothing_passes_where_their_total_does_not() -> None:
    assert not many(
        {}, module.MAX_CONTAINERS + 1, governance(f"{{{MEMORY}, pod: {{required: {{limits: [memory]}}}}}}")
    ).passes


def test_a_container_of_very_many_amounts_is_left_out() -> None:
    resources = {"requests": {f"example.com/r{index}": "1" for index in range(module.MAX_AMOUNTS + 1)}}
    governs = governance(f"{{{MEMORY}}}")
    obj = shorthand.pod("a; b")
    obj["spec"]["containers"][0]["resources"] = resources
    remedy = remedy_for(evaluate(workload_of(obj), governs, NOW), NOW)
    assert (advice(remedy), remedy.left_out) == ("b lim memory=256Mi", 1)


def test_what_is_advised_is_stored_as_written() -> None:
    """A request that Kubernetes would copy is left out: the limit alone gives it."""
    governs = governance("{containers: {required: {limits: [memory], requests: [memory]}, default: {memory: 256Mi}}}")
    (each,) = remedy_for(judged("a", governs), NOW).containers
    written = f"a lim memory={each.resources.limits['memory'].text}"
    assert violated(judged(written, governs)) == ""
