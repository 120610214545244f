"""The decision, sentence by sentence: what is judged, under which rules, what is waived, suggested and foretold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from plimsoll.policy import evaluation as module
from plimsoll.policy.evaluation import Stage, evaluate
from plimsoll.policy.model import Namespace
from plimsoll.policy.outcome import Cause, Origin, Side
from plimsoll.policy.snapshot import Governance

from tests.policy import shorthand
from tests.policy.decision import (
    NOW,
    amounts,
    deployment_of,
    exempted,
    governance,
    judged,
    set_values,
    violated,
    workload_of,
)

REQUIRED = "containers: {required: {requests: [cpu, memory], limits: [memory]}}"
MISSING = "memory.limit.required; a memory.request.required"


def test_where_no_policy_governs_nothing_is_judged() -> None:
    evaluation = judged("a", Governance(Namespace("team"), None))
    assert (evaluation.policy, evaluation.outcomes, evaluation.violations) == (None, (), ())
    assert evaluation.passes


JUDGED = {
    "everything is reported together": (
        f"{{{REQUIRED}}}",
        "a; init b req cpu=1; sidecar c req cpu=1,memory=1Gi lim memory=1Gi",
        "a cpu.request.required; a memory.limit.required; a memory.request.required;"
        " b memory.limit.required; b memory.request.required",
    ),
    "a limit alone gives a request": (f"{{{REQUIRED}}}", "a lim memory=1Gi,cpu=1", ""),
    "a value equal to a bound passes": (
        "{containers: {min: {memory: 1Gi}, max: {memory: 1Gi}, maxLimitRequestRatio: {memory: 1}}}",
        "a req memory=1Gi lim memory=1024Mi",
        "",
    ),
    "a request without a limit is judged by what is required alone": (
        "{containers: {maxLimitRequestRatio: {memory: 1}, max: {memory: 1Gi}, equal: []}}",
        "a req memory=1Gi",
        "",
    ),
    "both values absent satisfy equal": ("{containers: {equal: [memory]}}", "a", ""),
    "unless they are required": (
        "{containers: {equal: [memory], required: {requests: [memory], limits: [memory]}}}",
        "a",
        f"a {MISSING}",
    ),
    "min and max judge requests and limits": (
        "{containers: {min: {memory: 64Mi}, max: {memory: 1Gi}}}",
        "a req memory=1Mi lim memory=2Gi; b req memory=2Gi; c lim memory=1Mi",
        "a memory.limit.max; a memory.request.min; b memory.request.max; c memory.limit.min; c memory.request.min",
    ),
    "a request above its limit is out of order, whatever the policy speaks of": (
        "{containers: {max: {memory: 8Gi}}}",
        "a req memory=2Gi,cpu=2 lim memory=1Gi,cpu=1; b req example.com/fpga=2 lim example.com/fpga=1",
        "a memory.order; a cpu.order; b example.com/fpga.order",
    ),
    "a zero limit is none": (f"{{{REQUIRED}}}", "a req cpu=1 lim memory=0", f"a {MISSING}"),
    "a zero limit is above no request and below no min": (
        "{containers: {min: {memory: 64Mi}, max: {memory: 1Gi}, equal: [cpu]}}",
        "a req memory=128Mi lim memory=0",
        "",
    ),
    "a zero request alone is a written value": (
        "{containers: {required: {requests: [memory]}, min: {cpu: 1m}}}",
        "a req memory=0,cpu=0",
        "a cpu.request.min",
    ),
    "no device is a written value": (
        "{containers: {required: {limits: [nvidia.com/gpu]}, min: {nvidia.com/gpu: 1}}}",
        "a lim nvidia.com/gpu=0",
        "a nvidia.com/gpu.limit.min; a nvidia.com/gpu.request.min",
    ),
    "forbidden is any value": (
        "{containers: {forbidden: {limits: [cpu]}}}",
        "a lim cpu=1; b req cpu=1; c lim cpu=0",  # a limit of nothing is none
        "a cpu.limit.forbidden",
    ),
    "init containers and sidecars are judged": (
        "{containers: {required: {limits: [memory]}}}",
        "a lim memory=1Gi; init b; sidecar c",
        "b memory.limit.required; c memory.limit.required",
    ),
    "each class may have rules of its own": (
        "{containers: {required: {limits: [memory]}}, initContainers: {required: {limits: []}},"
        " sidecarContainers: {max: {memory: 64Mi}}}",
        "a; init b; sidecar c lim memory=128Mi",
        "a memory.limit.required; c memory.limit.max; c memory.request.max",
    ),
    "any resource name is a key": (
        "{containers: {required: {limits: [ephemeral-storage, example.com/fpga, hugepages-2Mi]}}}",
        "a lim ephemeral-storage=1Gi",
        "a example.com/fpga.limit.required; a hugepages-2Mi.limit.required",
    ),
    "pod-level resources satisfy both sides of required": (
        f"{{{REQUIRED}}}",
        "a; init b; pod lim memory=1Gi,cpu=1",
        "",
    ),
    "a pod-level request alone bounds nothing": (
        f"{{{REQUIRED}}}",
        "a; pod req memory=1Gi,cpu=1",
        "a memory.limit.required",
    ),
    "a pod-level limit of nothing neither": (
        f"{{{REQUIRED}}}",
        "a req cpu=1; pod req memory=0 lim memory=0",
        f"a {MISSING}",
    ),
    "a resource that the pod does not name stays the containers'": (
        f"{{{REQUIRED}}}",
        "a; pod lim memory=1Gi",
        "a cpu.request.required",
    ),
}


@pytest.mark.parametrize("sentence", JUDGED)
def test_a_workload_is_judged(sentence: str) -> None:
    policy, pod, expected = JUDGED[sentence]
    governs = governance(policy)
    evaluation = judged(pod, governs)
    assert violated(evaluation) == expected
    assert evaluation.passes is not bool(expected)
    as_template = evaluate(workload_of(deployment_of(shorthand.pod(pod))), governs, NOW)
    assert violated(as_template) == expected
    assert violated(judged(pod, governs, Stage.VALIDATING)) == expected


def test_ephemeral_containers_are_never_judged() -> None:
    obj = shorthand.pod("a lim memory=1Gi")
    obj["spec"]["ephemeralContainers"] = [{"name": "debug", "resources": {"limits": {"memory": "64Gi"}}}]
    governs = governance("{defaulting: Apply, containers: {required: {limits: [memory]}, default: {memory: 1Gi}}}")
    evaluation = evaluate(workload_of(obj), governs, NOW)
    assert violated(evaluation) == ""
    assert amounts(evaluation) == "a req memory=1Gi lim memory=1Gi; debug"


def with_match(match: str) -> str:
    return (
        "{containers: {required: {limits: [memory]}, max: {memory: 1Gi}}, overrides:"
        f" [{{match: {match}, containers: {{max: {{memory: 4Gi}}}}}},"
        " {match: {containers: [b]}, containers: {required: {limits: []}}}]}"
    )


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ("{}", ""),
        ("{containers: [a]}", "c memory.limit.max; c memory.request.max"),
        ("{containers: [b]}", "a memory.limit.max; a memory.request.max; c memory.limit.max; c memory.request.max"),
        ("{images: ['registry.test/*']}", ""),
        ("{images: ['quay.io/*'], containers: [a]}", "a memory.limit.max"),
        ("{uses: [nvidia.com/gpu]}", "a memory.limit.max; a memory.request.max"),
        ("{podLabels: {app: web}}", ""),
        ("{podLabels: {app: api}}", "a memory.limit.max"),
        ("{workloads: [{kind: Pod, names: ['po?']}]}", ""),
        ("{workloads: [{kind: CronJob}]}", "a memory.limit.max"),
        ("{podLabels: {app: web}, containers: [c]}", "a memory.limit.max; a memory.request.max"),
    ],
)
def test_the_first_override_whose_fields_all_match_wins(match: str, expected: str) -> None:
    obj = shorthand.pod("a lim memory=2Gi; c lim memory=2Gi,nvidia.com/gpu=1")
    obj["metadata"]["labels"] = {"app": "web"}
    checks = violated(evaluate(workload_of(obj), governance(with_match(match)), NOW))
    assert checks.startswith(expected)
    assert bool(checks) is bool(expected)


def exempt(*specs: str) -> Governance:
    return governance(
        "{containers: {required: {limits: [memory], requests: [memory]}}, pod: {required: {limits: [memory]}}}", *specs
    )


ALL = "a memory.limit.required; a memory.request.required; b memory.limit.required; b memory.request.required"
WHOLE = f"{ALL}; pod pod.memory.limit.required"


@pytest.mark.parametrize(
    ("exemptions", "standing", "waived"),
    [
        ([], WHOLE, ""),
        (["{waive: ['*']}"], "", WHOLE),
        (["{waive: ['*'], expires: 2026-11-23}"], WHOLE, ""),
        (["{waive: ['*'], expires: 2026-11-24}"], "", WHOLE),  # to its end
        (["{waive: ['*'], match: {namespaces: [shop]}}"], WHOLE, ""),
        (["{waive: ['*'], match: {namespaces: ['te*']}}"], "", WHOLE),
        (["{waive: ['*'], match: {podLabels: {app: web}}}"], "", WHOLE),
        (["{waive: ['*'], match: {podLabels: {app: api}}}"], WHOLE, ""),
        (["{waive: ['*'], match: {workloads: [{kind: Pod}]}}"], "", WHOLE),
        (["{waive: ['*'], match: {workloads: [{kind: CronJob}]}}"], WHOLE, ""),
        # totals need an exemption without containers and images
        (["{waive: ['*'], match: {containers: [a, b]}}"], "pod pod.memory.limit.required", ALL),
        (["{waive: ['*'], match: {images: ['*']}}"], "pod pod.memory.limit.required", ALL),
        (
            ["{waive: [memory.limit.required], match: {containers: [a]}}"],
            "a memory.request.required; b memory.limit.required; b memory.request.required;"
            " pod pod.memory.limit.required",
            "a memory.limit.required",
        ),
        (["{waive: [pod.memory.limit.required]}"], ALL, "pod pod.memory.limit.required"),
        (["{waive: [memory.limit.max]}"], WHOLE, ""),
        (
            ["{waive: [memory.limit.required]}", "{waive: [memory.request.required]}"],
            "pod pod.memory.limit.required",
            ALL,
        ),
    ],
)
def test_a_waived_violation_is_exempted_and_stands_no_more(exemptions: list[str], standing: str, waived: str) -> None:
    obj = shorthand.pod("a; b")
    obj["metadata"]["labels"] = {"app": "web"}
    evaluation = evaluate(workload_of(obj), exempt(*exemptions), NOW)
    assert violated(evaluation) == standing
    assert exempted(evaluation) == waived
    assert evaluation.passes is not bool(standing)


def test_an_exemption_holds_at_its_last_instant_and_is_void_after_it() -> None:
    end = datetime(2027, 1, 31, 12, tzinfo=UTC)
    governs = exempt("{waive: ['*'], expires: '2027-01-31T12:00:00Z'}")
    assert judged("a", governs, now=end).passes
    assert not judged("a", governs, now=end + timedelta(seconds=1)).passes


def test_an_exempted_violation_knows_by_which_exemption() -> None:
    governs = exempt("{waive: ['*'], match: {containers: [a]}}", "{waive: ['*'], owner: team-b, ticket: OPS-1}")
    found = judged("a; b", governs).exempted
    assert [(each.violation.container, each.exemption.owner) for each in found] == [
        *[("a", "team-data")] * 2,
        *[("b", "team-b")] * 2,
        (None, "team-b"),
    ]


def test_an_exemption_from_the_first_container_is_none_from_the_second_of_that_name() -> None:
    """Two containers of one name are legal until validation, which is after mutation."""
    obj = shorthand.pod("a; a lim nvidia.com/gpu=1")
    governs = governance(
        "{containers: {required: {limits: [memory]}}}", "{waive: ['*'], match: {images: ['registry.test/app:1']}}"
    )
    obj["spec"]["containers"][1]["image"] = "other"
    evaluation = evaluate(workload_of(obj), governs, NOW)
    assert violated(evaluation) == exempted(evaluation) == "a memory.limit.required"
    assert evaluation.violations[0].pointer == "/spec/containers/1/resources/limits/memory"
    assert evaluation.violations[0].place == "/spec/containers/1"


NOTES = [
    # policy, pod, LimitRange, LimitRanger's note, notes of the violations
    (
        "{containers: {max: {memory: 1Gi}}}",
        "a lim memory=2Gi",
        "",
        "",
        ["", "the request was taken from the"],
    ),
    ("{containers: {required: {limits: [memory]}}}", "a lim memory=0", "", "", ["a limit of 0 means unlimited"]),
    ("{containers: {required: {limits: [memory]}}}", "a req memory=1Gi", "", "", [""]),
    ("{containers: {required: {limits: [memory]}}}", "a; pod req memory=1Gi", "", "", ["spec.resources names memory"]),
    (
        "{containers: {max: {memory: 1Gi}}}",
        "a",
        "Container default memory=2Gi",
        "",
        ["the limit was set by LimitRange 'limits-0'", "the request was set by LimitRange 'limits-0'"],
    ),
]


@pytest.mark.parametrize(("policy", "pod", "limits", "note", "notes"), NOTES)
def test_a_violation_notes_what_the_reader_must_know(
    policy: str, pod: str, limits: str, note: str, notes: list[str]
) -> None:
    found = [violation.note for violation in judged(pod, governance(policy, ranges=limits), note=note).violations]
    assert [bool(each) for each in found] == [bool(each) for each in notes]
    assert all(each.startswith(start) for each, start in zip(found, notes, strict=True))


def test_what_we_set_ourselves_needs_no_note() -> None:
    governs = governance("{containers: {outOfRange: Clamp, max: {memory: 1Gi}, maxLimitRequestRatio: {memory: 2}}}")
    (violation,) = judged("a req memory=1Mi lim memory=2Gi", governs).violations
    assert (violation.check, violation.found, violation.note) == ("memory.ratio", "1Gi limit to 1Mi request", "")


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ("memory limit for container a", "the limit was set by LimitRange 'limits-0'"),
        ("cpu, memory limit for container a; memory request for container a", "the limit was set by LimitRange"),
        ("memory limit for init container a", ""),
        ("memory limit for container b", ""),
        ("memory request for container a", ""),
        ("nonsense", ""),
    ],
)
def test_on_a_pod_limit_rangers_annotation_names_what_it_set(note: str, said: str) -> None:
    governs = governance("{containers: {max: {memory: 1Gi}}}", ranges="Container default memory=2Gi")
    evaluation = judged("a lim memory=2Gi req memory=64Mi", governs, Stage.MUTATING, note=note)
    (violation,) = evaluation.violations
    assert violation.note.startswith(said)
    assert bool(violation.note) is bool(said)


def test_a_limit_range_that_has_changed_since_is_not_named() -> None:
    governs = governance("{containers: {max: {memory: 1Gi}}}", ranges="Container default cpu=1")
    evaluation = judged(
        "a lim memory=2Gi req memory=64Mi", governs, Stage.MUTATING, note="memory limit for container a"
    )
    assert evaluation.violations[0].note == "the limit was set by a LimitRange of the namespace"


MANAGED = "Container default memory=512Mi defReq memory=256Mi"
CLASSES = (
    "{defaulting: Apply, containers: {default: {memory: 512Mi}, defaultRequest: {memory: 256Mi}},"
    " initContainers: {default: {memory: 64Mi}, defaultRequest: {memory: 32Mi}}}"
)


@pytest.mark.parametrize(
    ("managed", "note", "pod", "expected"),
    [
        # ours: it could not know of classes, so its values count as missing
        (
            True,
            "memory limit for init container b; memory request for init container b",
            "a lim memory=1Gi; init b req memory=256Mi lim memory=512Mi",
            "b requests.memory 256Mi→32Mi; b limits.memory 512Mi→64Mi",
        ),
        # the namespace's own: its values count as written
        (
            False,
            "memory limit for init container b; memory request for init container b",
            "a lim memory=1Gi; init b req memory=256Mi lim memory=512Mi",
            "",
        ),
        # written by somebody else, with another amount
        (
            True,
            "memory limit for init container b; memory request for init container b",
            "a lim memory=1Gi; init b req memory=256Mi lim memory=1Gi",
            "b requests.memory 256Mi→32Mi",
        ),
        # not named, though the amounts are ours
        (True, "memory limit for container a", "a lim memory=1Gi; init b req memory=256Mi lim memory=512Mi", ""),
        # the default of the class is the same: nothing changes
        (
            True,
            "memory limit for container a; memory request for container a",
            "a req memory=256Mi lim memory=512Mi",
            "",
        ),
    ],
)
def test_a_value_of_our_own_limit_range_counts_as_missing(managed: bool, note: str, pod: str, expected: str) -> None:
    governs = governance(CLASSES, ranges=MANAGED, managed=managed)
    evaluation = judged(pod, governs, Stage.MUTATING, note=note)
    assert sorted(set_values(evaluation).split("; ")) == sorted(expected.split("; "))


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        # replaced, never removed
        ("{defaulting: Apply, containers: {required: {requests: [cpu]}}}", "a req memory=256Mi lim memory=512Mi"),
        ("{defaulting: Suggest, containers: {default: {memory: 1Gi}}}", "a req memory=256Mi lim memory=512Mi"),
        # a request above the limit that replaces its own follows it
        ("{defaulting: Apply, containers: {default: {memory: 64Mi}}}", "a req memory=64Mi lim memory=64Mi"),
        ("{defaulting: Apply, containers: {default: {memory: 1Gi}}}", "a req memory=256Mi lim memory=1Gi"),
    ],
)
def test_a_value_of_our_own_limit_range_is_replaced_and_never_removed(policy: str, expected: str) -> None:
    """On a template LimitRanger is still to come; on its Pod it has been."""
    governs = governance(policy, ranges=MANAGED, managed=True)
    template = evaluate(workload_of(deployment_of(shorthand.pod("a"))), governs, NOW)
    assert amounts(template) == expected
    note = "memory limit for container a; memory request for container a"
    arrived = judged("a req memory=256Mi lim memory=512Mi", governs, Stage.MUTATING, note=note)
    assert amounts(arrived) == expected


def test_a_value_of_our_own_limit_range_stays_where_its_successor_would_be_refused() -> None:
    governs = governance(
        "{defaulting: Apply, containers: {defaultRequest: {memory: 1Mi}, maxLimitRequestRatio: {memory: 4}}}",
        ranges=MANAGED,
        managed=True,
    )
    evaluation = judged(
        "a req memory=256Mi lim memory=1Gi", governs, Stage.MUTATING, note="memory request for container a"
    )
    assert amounts(evaluation) == "a req memory=256Mi lim memory=1Gi"
    assert evaluation.settings == ()


@pytest.mark.parametrize(
    ("init", "expected"),
    [
        (
            "{default: {memory: none}, defaultRequest: {memory: none}, max: {memory: 128Mi}}",
            "req memory=128Mi lim memory=128Mi",
        ),
        (
            "{default: {memory: 96Mi}, defaultRequest: {memory: 64Mi}, max: {memory: 128Mi}}",
            "req memory=64Mi lim memory=96Mi",
        ),
        # replaced, never removed
        ("{default: {}, defaultRequest: {}, forbidden: {limits: [memory]}}", "req memory=256Mi lim memory=512Mi"),
    ],
)
def test_clamp_holds_what_our_limit_range_filled_in_inside_the_bounds_of_the_class(init: str, expected: str) -> None:
    governs = governance(
        f"{{defaulting: Apply, containers: {{outOfRange: Clamp}}, initContainers: {init}}}",
        ranges=MANAGED,
        managed=True,
    )
    note = "memory limit for init container b; memory request for init container b"
    arrived = "a lim memory=1Gi; init b req memory=256Mi lim memory=512Mi"
    assert (
        amounts(judged(arrived, governs, Stage.MUTATING, note=note)) == f"a req memory=1Gi lim memory=1Gi; b {expected}"
    )
    again = judged(f"a lim memory=1Gi; init b {expected}", governs, Stage.MUTATING, note=note)
    assert again.settings == ()


def test_the_origin_of_every_value_is_known() -> None:
    governs = governance(
        "{defaulting: Apply, containers: {defaultRequest: {cpu: 50m}}}", ranges="Container default memory=1Gi"
    )
    evaluation = judged("a lim ephemeral-storage=1Gi", governs)
    assert evaluation.outcomes[0].origins == {
        (Side.REQUEST, "ephemeral-storage"): Origin(Cause.API_DEFAULT),
        (Side.LIMIT, "memory"): Origin(Cause.LIMIT_RANGE, "limits-0"),
        (Side.REQUEST, "memory"): Origin(Cause.LIMIT_RANGE, "limits-0"),
        (Side.REQUEST, "cpu"): Origin(Cause.POLICY_DEFAULT, "guard"),
    }


@pytest.mark.parametrize(
    ("policy", "pod", "waive", "suggestions"),
    [
        ("{containers: {default: {memory: 1Gi}}}", "a", "", ["a limit memory 1Gi"]),
        (
            "{containers: {default: {memory: 1Gi}, defaultRequest: {cpu: 50m}}}",
            "a; init b req cpu=1",
            "",
            ["a request cpu 50m", "a limit memory 1Gi", "b limit memory 1Gi"],
        ),
        ("{containers: {default: {memory: 1Gi}, required: {limits: [memory]}}}", "a", "", []),  # that is a violation
        ("{containers: {default: {memory: 1Gi}}}", "a lim memory=2Gi", "", []),
        ("{containers: {default: {memory: 1Gi}}}", "a lim memory=0", "", ["a limit memory 1Gi"]),
        ("{containers: {default: {memory: 1Gi}}}", "a; pod lim memory=2Gi", "", []),
        ("{containers: {default: {memory: 1Gi}}}", "a", "[memory.limit.required]", []),
        ("{defaulting: Apply, containers: {default: {memory: 1Gi}}}", "a", "", []),
    ],
)
def test_a_value_that_merely_has_a_default_is_suggested(
    policy: str, pod: str, waive: str, suggestions: list[str]
) -> None:
    exemptions = [f"{{waive: {waive}}}"] if waive else []
    found = judged(pod, governance(policy, *exemptions)).suggestions
    assert [f"{s.container} {s.side.value} {s.resource} {s.value.canonical}" for s in found] == suggestions


def test_an_amount_that_is_probably_a_slip_of_the_pen_is_advised_about() -> None:
    obj = shorthand.pod("a req memory=512m lim memory=1Gi; init b lim memory=128m")
    obj["spec"]["ephemeralContainers"] = [{"name": "debug", "resources": {"limits": {"memory": "1m"}}}]
    found = evaluate(workload_of(obj), governance("{}"), NOW).advice
    assert [(each.container, each.pointer, each.suspicion.meant) for each in found] == [
        ("a", "/spec/containers/0/resources/requests/memory", "512Mi"),
        ("b", "/spec/initContainers/0/resources/limits/memory", "128Mi"),
    ]
    assert judged("a req memory=512m", Governance(Namespace("team"), None)).advice == ()


PREDICTED: list[tuple[str, str, list[Any]]] = [
    ("a lim memory=1Gi", "", []),
    ("a lim memory=2Gi", "Container max memory=1Gi", [("limits-0", "a")]),
    ("a lim memory=1Gi; b lim memory=1Gi", "Pod max memory=1Gi", [("limits-0", None)]),
    ("a req gpu=1", "", [("", None)]),
    ("a req nvidia.com/gpu=1", "", [("", None)]),
    ("a lim memory=-1", "", [("", None), ("", None)]),
    ("a req memory=2Gi lim memory=1Gi", "", []),  # that is a check of ours
    ("a req memory=2Gi lim memory=0", "", [("", None)]),  # that is none: a limit of 0 is no limit to us
    ("a lim memory=2Gi; pod lim memory=1Gi", "", []),
]


@pytest.mark.parametrize(("pod", "limits", "refused"), PREDICTED)
def test_what_the_server_itself_will_refuse_is_foretold(pod: str, limits: str, refused: list[Any]) -> None:
    governs = governance("{}", ranges=limits)
    template = evaluate(workload_of(deployment_of(shorthand.pod(pod))), governs, NOW)
    found = [(each.limit_range, each.container) for each in template.predictions]
    assert list(dict.fromkeys(found)) == list(dict.fromkeys(refused))
    assert judged(pod, governs, Stage.MUTATING).predictions == ()
    assert judged(pod, governs, Stage.VALIDATING).predictions == ()


def test_nothing_is_foretold_of_an_object_that_is_too_large_for_it() -> None:
    obj = shorthand.pod("a req gpu=1")
    obj["spec"]["containers"] = obj["spec"]["containers"] * (module.MAX_PREDICTED + 1)
    assert evaluate(workload_of(obj), governance("{}"), NOW).predictions == ()


def test_what_defaults_would_mend_is_no_violation_under_apply_and_one_under_suggest() -> None:
    rules = "containers: {required: {limits: [memory]}, default: {memory: 1Gi}}"
    assert violated(judged("a", governance(f"{{defaulting: Apply, {rules}}}"))) == ""
    assert violated(judged("a", governance(f"{{defaulting: Suggest, {rules}}}"))) == "a memory.limit.required"


def test_where_the_mutation_was_lost_the_policy_still_holds() -> None:
    governs = governance(
        "{defaulting: Apply, containers: {required: {limits: [memory]}, default: {memory: 1Gi}, outOfRange: Clamp,"
        " max: {memory: 1Gi}}}"
    )
    assert violated(judged("a; b lim memory=2Gi", governs, Stage.MUTATING)) == ""
    lost = judged("a; b lim memory=2Gi", governs, Stage.VALIDATING)
    assert violated(lost) == "a memory.limit.required; b memory.limit.max; b memory.request.max"
    assert lost.settings == ()
