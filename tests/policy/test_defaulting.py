"""What is filled in, clamped and left alone, by the sentences of the decision: one row each."""

from __future__ import annotations

import pytest
from plimsoll.policy.evaluation import Stage
from plimsoll.policy.outcome import Cause, Origin, Side

from tests.policy.decision import amounts, governance, judged, set_values, violated

APPLY = "defaulting: Apply, containers: "

# what the policy says of containers, what is written, what there is in the end
FILLED = {
    "a missing limit takes its default, and the API server copies it to the request": (
        "{default: {memory: 256Mi}}",
        "a",
        "a req memory=256Mi lim memory=256Mi",
    ),
    "request and limit take a default each": (
        "{default: {memory: 256Mi}, defaultRequest: {memory: 128Mi, cpu: 50m}}",
        "a",
        "a req cpu=50m,memory=128Mi lim memory=256Mi",
    ),
    "the limit is at least the request": (
        "{default: {memory: 256Mi}}",
        "a req memory=1Gi",
        "a req memory=1Gi lim memory=1Gi",
    ),
    "the limit is at most ratio times the request": (
        "{default: {memory: 256Mi}, maxLimitRequestRatio: {memory: 2}}",
        "a req memory=100Mi",
        "a req memory=100Mi lim memory=200Mi",
    ),
    "a ratio that leaves room changes nothing": (
        "{default: {memory: 256Mi}, maxLimitRequestRatio: {memory: 4}}",
        "a req memory=128Mi",
        "a req memory=128Mi lim memory=256Mi",
    ),
    "hugepages are not filled in beside neither cpu nor memory": (
        "{default: {hugepages-2Mi: 4Mi}}",
        "a; b lim memory=1Gi",
        "a; b req hugepages-2Mi=4Mi,memory=1Gi lim hugepages-2Mi=4Mi,memory=1Gi",
    ),
    "a ratio is rounded down to whole bytes": (
        "{default: {memory: 1Gi}, maxLimitRequestRatio: {memory: '1.5'}}",
        "a req memory=3",
        "a req memory=3 lim memory=4",
    ),
    "a ratio is rounded down to milli-cores": (
        "{default: {cpu: 1}, maxLimitRequestRatio: {cpu: '1.5'}}",
        "a req cpu=3m",
        "a req cpu=3m lim cpu=4m",
    ),
    "the limit is inside min and max": (
        "{default: {memory: 256Mi}, min: {memory: 128Mi}, maxLimitRequestRatio: {memory: 1}}",
        "a req memory=64Mi",  # 64Mi by the ratio, 128Mi by the min, which breaks the ratio: nothing is filled in
        "a req memory=64Mi",
    ),
    "the request is at most the limit": (
        "{defaultRequest: {memory: 1Gi}}",
        "a lim memory=64Mi",
        "a req memory=64Mi lim memory=64Mi",
    ),
    "a default request above the default limit follows it": (
        "{default: {memory: 64Mi}, defaultRequest: {memory: 128Mi}}",
        "a",
        "a req memory=64Mi lim memory=64Mi",
    ),
    "the request is at least the min": (
        "{default: {memory: 256Mi}, min: {memory: 64Mi}, defaultRequest: {memory: 64Mi}}",
        "a",
        "a req memory=64Mi lim memory=256Mi",
    ),
    "a default request alone needs no limit": (
        "{defaultRequest: {memory: 128Mi}}",
        "a",
        "a req memory=128Mi",
    ),
    "what is written is kept": (
        "{default: {memory: 256Mi}, defaultRequest: {memory: 128Mi}}",
        "a req memory=1Mi lim memory=9Gi",
        "a req memory=1Mi lim memory=9Gi",
    ),
    "a written request is kept beside a limit that is filled in": (
        "{default: {memory: 256Mi}, defaultRequest: {memory: 128Mi}}",
        "a req memory=1Mi",
        "a req memory=1Mi lim memory=256Mi",
    ),
    "a request above the max gets no limit": (
        "{default: {memory: 256Mi}, max: {memory: 1Gi}}",
        "a req memory=2Gi",
        "a req memory=2Gi",
    ),
    "a zero limit is none, nor is the zero copied from it": (
        "{default: {memory: 256Mi}, defaultRequest: {memory: 128Mi}}",
        "a lim memory=0",
        "a req memory=128Mi lim memory=256Mi",
    ),
    "the copied zero follows the limit where there is no default request": (
        "{default: {memory: 256Mi}}",
        "a lim memory=0",
        "a req memory=256Mi lim memory=256Mi",
    ),
    "a zero request alone is a written value": (
        "{default: {memory: 256Mi}, defaultRequest: {memory: 128Mi}}",
        "a req memory=0",
        "a req memory=0 lim memory=256Mi",
    ),
    "no request is put beside a zero limit, which would be below it": (
        "{defaultRequest: {memory: 128Mi}}",
        "a lim memory=0",
        "a req memory=0 lim memory=0",
    ),
    "under equal both take the default": (
        "{default: {memory: 256Mi}, equal: [memory]}",
        "a",
        "a req memory=256Mi lim memory=256Mi",
    ),
    "under equal both take the default request where there is no default": (
        "{defaultRequest: {memory: 128Mi}, equal: [memory]}",
        "a",
        "a req memory=128Mi lim memory=128Mi",
    ),
    "under equal the limit takes the written request": (
        "{default: {memory: 256Mi}, equal: [memory]}",
        "a req memory=1Gi",
        "a req memory=1Gi lim memory=1Gi",
    ),
    "under equal a default request of nothing fills in nothing": (
        "{defaultRequest: {memory: 0}, equal: [memory]}",
        "a",
        "a",
    ),
    "under equal nothing is filled in that the policy would refuse": (
        "{max: {memory: 512Mi}, equal: [memory]}",
        "a req memory=1Gi",
        "a req memory=1Gi",
    ),
    "a device takes one amount for both": (
        "{default: {nvidia.com/gpu: 1}}",
        "a",
        "a req nvidia.com/gpu=1 lim nvidia.com/gpu=1",
    ),
    "hugepages take one amount for both": (
        "{default: {hugepages-2Mi: 4Mi}}",
        "a lim memory=1Gi",
        "a req hugepages-2Mi=4Mi,memory=1Gi lim hugepages-2Mi=4Mi,memory=1Gi",
    ),
    "a device's limit takes the written request": (
        "{default: {nvidia.com/gpu: 1}}",
        "a req nvidia.com/gpu=4",
        "a req nvidia.com/gpu=4 lim nvidia.com/gpu=4",
    ),
    "no device is none": (
        "{default: {nvidia.com/gpu: 1}}",
        "a lim nvidia.com/gpu=0",
        "a req nvidia.com/gpu=0 lim nvidia.com/gpu=0",
    ),
    "one field that cannot be filled in stops no other": (
        "{default: {memory: 256Mi, cpu: 1}, max: {memory: 1Gi}, defaultRequest: {ephemeral-storage: 1Gi}}",
        "a req memory=2Gi",
        "a req cpu=1,ephemeral-storage=1Gi,memory=2Gi lim cpu=1",
    ),
    "a forbidden limit is not filled in, and does not lower the request": (
        "{forbidden: {limits: [cpu]}, defaultRequest: {cpu: 2}}",
        "a",
        "a req cpu=2",
    ),
    "every class of container is filled in": (
        "{default: {memory: 256Mi}}",
        "a; init b; sidecar c",
        "a req memory=256Mi lim memory=256Mi; b req memory=256Mi lim memory=256Mi; c req memory=256Mi lim memory=256Mi",
    ),
    "resources that pod-level resources name are not filled in": (
        "{default: {memory: 256Mi, cpu: 1}}",
        "a; pod lim memory=1Gi",
        "a req cpu=1 lim cpu=1",
    ),
}


@pytest.mark.parametrize("stage", [Stage.WRITTEN, Stage.MUTATING])
@pytest.mark.parametrize("sentence", FILLED)
def test_missing_values_are_filled_in(sentence: str, stage: str) -> None:
    containers, pod, expected = FILLED[sentence]
    assert amounts(judged(pod, governance(f"{{{APPLY}{containers}}}"), stage)) == expected


@pytest.mark.parametrize("sentence", FILLED)
def test_nothing_is_filled_in_under_suggest_or_on_a_pod_as_it_will_be_stored(sentence: str) -> None:
    containers, pod, _ = FILLED[sentence]
    nothing = amounts(judged(pod, governance("{}")))
    assert amounts(judged(pod, governance(f"{{containers: {containers}}}"))) == nothing
    assert amounts(judged(pod, governance(f"{{{APPLY}{containers}}}"), Stage.VALIDATING)) == nothing


CLAMPED = {
    "above the max": ("{max: {memory: 1Gi}}", "a req memory=2Gi lim memory=4Gi", "a req memory=1Gi lim memory=1Gi"),
    "below the min": ("{min: {memory: 64Mi}}", "a req memory=1Mi lim memory=4Gi", "a req memory=64Mi lim memory=4Gi"),
    "on the bounds": (
        "{min: {memory: 1Gi}, max: {memory: 2Gi}}",
        "a req memory=1Gi lim memory=2Gi",
        "a req memory=1Gi lim memory=2Gi",
    ),
    "a request alone": ("{max: {memory: 1Gi}}", "a req memory=2Gi", "a req memory=1Gi"),
    "a forbidden limit goes, its copied request stays": ("{forbidden: {limits: [cpu]}}", "a lim cpu=2", "a req cpu=2"),
    "a forbidden request goes": ("{forbidden: {requests: [cpu]}}", "a req cpu=2", "a"),
    "a forbidden request stays beside a limit, which would only bring it back": (
        "{forbidden: {requests: [cpu]}}",
        "a lim cpu=2",
        "a req cpu=2 lim cpu=2",
    ),
    "both sides forbidden": ("{forbidden: {requests: [cpu], limits: [cpu]}}", "a req cpu=1 lim cpu=2", "a"),
    "devices are lowered": (
        "{max: {nvidia.com/gpu: 2}}",
        "a lim nvidia.com/gpu=4",
        "a req nvidia.com/gpu=2 lim nvidia.com/gpu=2",
    ),
    "devices are never raised": (
        "{min: {nvidia.com/gpu: 2}}",
        "a lim nvidia.com/gpu=1",
        "a req nvidia.com/gpu=1 lim nvidia.com/gpu=1",
    ),
    "a device's limit stays, since its request alone would be refused": (
        "{forbidden: {limits: [nvidia.com/gpu]}}",
        "a lim nvidia.com/gpu=1",
        "a req nvidia.com/gpu=1 lim nvidia.com/gpu=1",
    ),
    "devices go where both sides are forbidden": (
        "{forbidden: {limits: [nvidia.com/gpu], requests: [nvidia.com/gpu]}}",
        "a lim nvidia.com/gpu=1",
        "a",
    ),
    "a ratio is not mended": (
        "{maxLimitRequestRatio: {memory: 2}}",
        "a req memory=1Mi lim memory=4Gi",
        "a req memory=1Mi lim memory=4Gi",
    ),
    "equal is not mended": ("{equal: [memory]}", "a req memory=1Mi lim memory=4Gi", "a req memory=1Mi lim memory=4Gi"),
    "a request above its limit is not mended": (
        "{min: {memory: 1Mi}}",
        "a req memory=2Gi lim memory=1Gi",
        "a req memory=2Gi lim memory=1Gi",
    ),
    "nothing that would put the request above the limit": (
        "{max: {memory: 1Gi}, forbidden: {}}",
        "a req memory=3Gi lim memory=2Gi",
        "a req memory=1Gi lim memory=1Gi",
    ),
    "a value is not raised where the pod as a whole has that resource": (
        "{min: {memory: 64Mi}}",
        "a req memory=1Mi; pod lim memory=1Gi",
        "a req memory=1Mi",
    ),
    "a value is lowered there": (
        "{max: {memory: 64Mi}}",
        "a req memory=128Mi; pod lim memory=1Gi",
        "a req memory=64Mi",
    ),
    "nothing that would leave hugepages alone": (
        "{forbidden: {limits: [cpu], requests: [cpu]}}",
        "a lim cpu=1,hugepages-2Mi=4Mi; b lim cpu=1,memory=1Gi,hugepages-2Mi=4Mi",
        "a req cpu=1,hugepages-2Mi=4Mi lim cpu=1,hugepages-2Mi=4Mi;"
        " b req hugepages-2Mi=4Mi,memory=1Gi lim hugepages-2Mi=4Mi,memory=1Gi",
    ),
    "a zero limit is none, and so below no min": (
        "{min: {memory: 64Mi}}",
        "a lim memory=0",
        "a req memory=0 lim memory=0",
    ),
}


@pytest.mark.parametrize("defaulting", ["Apply", "Suggest"])
@pytest.mark.parametrize("sentence", CLAMPED)
def test_clamp_mends_min_max_and_forbidden_alone(sentence: str, defaulting: str) -> None:
    containers, pod, expected = CLAMPED[sentence]
    clamping = containers.replace("{", "{outOfRange: Clamp, ", 1)
    governs = governance(f"{{defaulting: {defaulting}, containers: {clamping}}}")
    assert amounts(judged(pod, governs)) == expected
    assert amounts(judged(expected + pod[pod.find("; pod") :] * ("; pod" in pod), governs)) == expected  # and again


@pytest.mark.parametrize("sentence", CLAMPED)
def test_nothing_is_clamped_under_deny(sentence: str) -> None:
    containers, pod, _ = CLAMPED[sentence]
    assert amounts(judged(pod, governance(f"{{containers: {containers}}}"))) == amounts(judged(pod, governance("{}")))


def test_clamp_acts_before_anything_is_filled_in() -> None:
    governs = governance(
        "{defaulting: Apply, containers: {outOfRange: Clamp, max: {memory: 1Gi}, default: {memory: 256Mi}}}"
    )
    evaluation = judged("a req memory=2Gi", governs)
    assert amounts(evaluation) == "a req memory=1Gi lim memory=1Gi"
    assert evaluation.outcomes[0].origins == {
        (Side.REQUEST, "memory"): Origin(Cause.CLAMP, "guard"),
        (Side.LIMIT, "memory"): Origin(Cause.POLICY_DEFAULT, "guard"),
    }
    assert set_values(evaluation) == "a requests.memory 2Gi→1Gi; a limits.memory -→1Gi"


def test_what_clamp_removes_is_told() -> None:
    governs = governance("{containers: {outOfRange: Clamp, forbidden: {limits: [cpu]}}}")
    assert set_values(judged("a req cpu=1 lim cpu=2", governs)) == "a limits.cpu 2→-"


# waived checks, what is written, what there is in the end
WAIVED = {
    "nothing waived": ("[pod.cpu.ratio]", "a", "a req cpu=1,memory=128Mi lim memory=256Mi"),
    "no limit": ("[memory.limit.required]", "a", "a req cpu=1,memory=128Mi"),
    "no request, but the copy of the limit": (
        "[memory.request.required]",
        "a",
        "a req cpu=1,memory=256Mi lim memory=256Mi",
    ),
    "neither": ("[memory.request.required, memory.limit.required]", "a", "a req cpu=1"),
    "another resource": ("[cpu.request.required]", "a", "a req memory=128Mi lim memory=256Mi"),
    "everything": ("['*']", "a", "a"),
    "the max of the limit": (
        "[memory.limit.max]",
        "a req memory=3Gi lim memory=3Gi",
        "a req cpu=1,memory=1Gi lim memory=3Gi",
    ),
    "the max of the request": (
        "[memory.request.max]",
        "a req memory=3Gi lim memory=3Gi",  # the limit alone cannot be lowered below it
        "a req cpu=1,memory=3Gi lim memory=3Gi",
    ),
    "the min of the request": (
        "[memory.request.min]",
        "a req memory=1Mi lim memory=3Gi",
        "a req cpu=1,memory=1Mi lim memory=1Gi",
    ),
    "the min of the limit": (
        "[memory.limit.min]",
        "a req memory=1Mi lim memory=1Mi",  # the request alone cannot be raised above it
        "a req cpu=1,memory=1Mi lim memory=1Mi",
    ),
    "a forbidden limit": (
        "[cpu.limit.forbidden]",
        "a req memory=64Mi lim cpu=2,memory=64Mi",
        "a req cpu=2,memory=64Mi lim cpu=2,memory=64Mi",
    ),
    "everything, out of range": (
        "['*']",
        "a req memory=3Gi lim cpu=2,memory=3Gi",
        "a req cpu=2,memory=3Gi lim cpu=2,memory=3Gi",
    ),
}


@pytest.mark.parametrize("name", WAIVED)
def test_what_is_waived_is_neither_filled_in_nor_clamped(name: str) -> None:
    waive, pod, expected = WAIVED[name]
    governs = governance(
        "{defaulting: Apply, containers: {outOfRange: Clamp, forbidden: {limits: [cpu]}, min: {memory: 64Mi},"
        " max: {memory: 1Gi}, default: {memory: 256Mi}, defaultRequest: {cpu: 1, memory: 128Mi}}}",
        f"{{waive: {waive}}}",
    )
    assert amounts(judged(pod, governs)) == expected


@pytest.mark.parametrize(
    ("containers", "waive", "expected"),
    [
        # the limit that is not filled in lowers no request
        ("{default: {memory: 64Mi}, defaultRequest: {memory: 128Mi}}", "memory.limit.required", "a req memory=128Mi"),
        # a request alone would not be equal to anything
        ("{default: {memory: 64Mi}, equal: [memory]}", "memory.limit.required", "a"),
        (
            "{default: {memory: 64Mi}, equal: [memory]}",
            "memory.request.required",
            "a req memory=64Mi lim memory=64Mi",
        ),
        # a device's request alone is refused by Kubernetes
        ("{default: {nvidia.com/gpu: 1}}", "nvidia.com/gpu.limit.required", "a"),
    ],
)
def test_a_waived_side_never_makes_a_pod_that_would_be_refused(containers: str, waive: str, expected: str) -> None:
    evaluation = judged("a", governance(f"{{{APPLY}{containers}}}", f"{{waive: [{waive}]}}"))
    assert amounts(evaluation) == expected
    assert violated(evaluation) == ""
    assert evaluation.predictions == ()


@pytest.mark.parametrize("side", ["request", "limit"])
def test_a_device_is_not_lowered_on_one_side_alone(side: str) -> None:
    policy = "{containers: {outOfRange: Clamp, max: {nvidia.com/gpu: 2}}}"
    evaluation = judged("a lim nvidia.com/gpu=4", governance(policy, f"{{waive: [nvidia.com/gpu.{side}.max]}}"))
    assert amounts(evaluation) == "a req nvidia.com/gpu=4 lim nvidia.com/gpu=4"
    assert len(evaluation.violations) == len(evaluation.exempted) == 1


def test_a_forbidden_request_may_go_where_that_is_waived_it_stays() -> None:
    policy = "{containers: {outOfRange: Clamp, forbidden: {requests: [cpu]}}}"
    assert amounts(judged("a req cpu=1", governance(policy))) == "a"
    assert amounts(judged("a req cpu=1", governance(policy, "{waive: [cpu.request.forbidden]}"))) == "a req cpu=1"


# LimitRange, policy, what is written, what there is in the end, why something was not filled in
BESIDE_A_LIMIT_RANGE = [
    (
        "Container max memory=128Mi default memory=64Mi",
        "{default: {memory: 256Mi}}",
        "a",  # its values count as written
        "a req memory=64Mi lim memory=64Mi",
        "",
    ),
    (
        "Container min memory=512Mi",
        "{required: {limits: [memory]}, default: {memory: 256Mi}}",
        "a",
        "a req memory=512Mi lim memory=512Mi",  # its min is its default request, which our limit follows
        "",
    ),
    (
        "Container ratio memory=2",
        "{required: {limits: [memory]}, default: {memory: 256Mi}}",
        "a req memory=64Mi",
        "a req memory=64Mi",
        "LimitRange 'limits-0': memory max limit to request ratio per Container is 2, but provided ratio is 4.000000",
    ),
    (
        "Pod max memory=300Mi",
        "{required: {limits: [memory]}, default: {memory: 256Mi, cpu: 1}}",
        "a; b",
        "a req cpu=1 lim cpu=1; b req cpu=1 lim cpu=1",
        "LimitRange 'limits-0': maximum memory usage per Pod is 300Mi, but limit is 512Mi",
    ),
    (
        "Pod max memory=600Mi",
        "{required: {limits: [memory]}, default: {memory: 256Mi}}",
        "a; b",
        "a req memory=256Mi lim memory=256Mi; b req memory=256Mi lim memory=256Mi",
        "",
    ),
    (
        "Pod max memory=300Mi + Container max cpu=1",
        "{required: {limits: [memory]}, default: {memory: 256Mi}}",
        "a req cpu=1; b req cpu=1",
        "a req cpu=1 lim cpu=1; b req cpu=1 lim cpu=1",
        "LimitRange 'limits-0': maximum memory usage per Pod is 300Mi, but limit is 512Mi",
    ),
    (
        "Pod max memory=600Mi + Container max cpu=1",
        "{required: {limits: [memory]}, default: {memory: 256Mi}}",
        "a req cpu=2 lim cpu=2",  # refused, but not for what is filled in
        "a req cpu=2,memory=256Mi lim cpu=2,memory=256Mi",
        "",
    ),
]


@pytest.mark.parametrize(("limits", "containers", "pod", "expected", "why"), BESIDE_A_LIMIT_RANGE)
def test_nothing_is_filled_in_that_a_limit_range_would_refuse(
    limits: str, containers: str, pod: str, expected: str, why: str
) -> None:
    evaluation = judged(pod, governance(f"{{{APPLY}{containers}}}", ranges=limits))
    assert amounts(evaluation) == expected
    notes = [violation.note for violation in evaluation.violations if violation.check == "memory.limit.required"]
    assert all(f"no limit was filled in because {why}" in note for note in notes)
    assert bool(notes) is bool(why)


def test_a_pod_that_a_new_limit_range_has_not_seen_gets_what_it_accepts() -> None:
    """The server caches LimitRanges for a while; ours may be newer."""
    governs = governance(
        f"{{{APPLY}{{default: {{memory: 1Gi}}, defaultRequest: {{memory: 512Mi}}}}}}",
        ranges="Container min memory=600Mi",
    )
    assert amounts(judged("a", governs, Stage.MUTATING)) == "a req memory=1Gi lim memory=1Gi"


def test_why_hugepages_were_not_filled_in_is_said() -> None:
    policy = f"{{{APPLY}{{required: {{limits: [hugepages-2Mi]}}, default: {{hugepages-2Mi: 4Mi}}}}}}"
    (violation,) = judged("a", governance(policy)).violations
    assert violation.note == "no limit was filled in because Kubernetes takes hugepages only beside cpu or memory"


@pytest.mark.parametrize(
    ("limits", "containers", "pod", "expected"),
    [
        ("Container ratio memory=2", "{max: {memory: 1Gi}}", "a req memory=1Gi lim memory=2Gi", None),
        ("Container min memory=2Gi", "{max: {memory: 1Gi}}", "a lim memory=2Gi", "a req memory=2Gi lim memory=2Gi"),
        ("Pod min memory=2Gi", "{max: {memory: 1Gi}}", "a lim memory=2Gi", "a req memory=2Gi lim memory=2Gi"),
        (
            "Pod max memory=8Gi",
            "{forbidden: {limits: [memory]}}",
            "a lim memory=2Gi",
            "a req memory=2Gi lim memory=2Gi",
        ),
    ],
)
def test_nothing_is_clamped_that_a_limit_range_would_refuse(
    limits: str, containers: str, pod: str, expected: str | None
) -> None:
    clamping = containers.replace("{", "{outOfRange: Clamp, ", 1)
    evaluation = judged(pod, governance(f"{{containers: {clamping}}}", ranges=limits))
    assert amounts(evaluation) == (expected or "a req memory=1Gi lim memory=1Gi")
    assert all("LimitRange 'limits-0'" in violation.note for violation in evaluation.violations)


@pytest.mark.parametrize(
    ("containers", "pod", "reason"),
    [
        ("{max: {memory: 1Gi}, default: {memory: 1Gi}}", "a req memory=2Gi", "2Gi would be above the policy's max 1Gi"),
        ("{min: {memory: 1Gi}, equal: [memory]}", "a req memory=1Mi", "1Mi would be below the policy's min 1Gi"),
        (
            "{default: {memory: 1Gi}, maxLimitRequestRatio: {memory: 2}, min: {memory: 1Gi}}",
            "a req memory=1Mi",
            "1Mi would be below the policy's min 1Gi",
        ),
        (
            "{default: {memory: 1Gi}, maxLimitRequestRatio: {memory: 1}}",
            "a req memory=1500m",  # a limit has whole bytes
            "the limit 1 would be below the request 1500m",
        ),
        (
            "{default: {cpu: 1}, maxLimitRequestRatio: {cpu: 2}}",
            "a req cpu=0",
            "the limit would be 0, which sets no limit",
        ),
    ],
)
def test_why_nothing_was_filled_in_is_said(containers: str, pod: str, reason: str) -> None:
    resource = "cpu" if "cpu" in pod else "memory"
    required = containers.replace("{", f"{{required: {{limits: [{resource}]}}, ", 1)
    evaluation = judged(pod, governance(f"{{{APPLY}{required}}}"))
    (note,) = [each.note for each in evaluation.violations if each.check == f"{resource}.limit.required"]
    assert note == f"no limit was filled in because {reason}"
