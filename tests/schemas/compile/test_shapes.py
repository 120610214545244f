"""Documents of the wrong shape: what was found, what would be accepted, and everything else that is wrong as well."""

import pytest
from plimsoll.schemas.compile.shapes import Unshapable, shaped
from plimsoll.schemas.policy_document import ClusterLimitPolicy

from tests.schemas.compile.documents import exemption_text, policy_text, problems, said

SHAPES = [
    (
        "mod: Enforce",
        "/spec/mod",
        'unknown field "mod" (did you mean mode?); accepted here: priority, namespaces, mode',
    ),
    ("Mode: Enforce", "/spec/Mode", "(did you mean mode?)"),
    ("qqqqqq: 1", "/spec/qqqqqq", 'unknown field "qqqqqq"; accepted here: priority'),
    ("mode: enforce", "/spec/mode", 'found "enforce" (did you mean Enforce?); accepted: Audit, Warn, Enforce'),
    ("mode: off", "/spec/mode", "found false; accepted: Audit, Warn, Enforce"),
    ("templates: None", "/spec/templates", "accepted: Audit, Warn, Enforce, Ignore"),
    ("priority: high", "/spec/priority", 'found "high"; accepted: a whole number'),
    ("priority: 1.5", "/spec/priority", "found the number 1.5; accepted: a whole number"),
    ("priority: true", "/spec/priority", "found true; accepted: a whole number"),
    (
        "priority: 3000000000",
        "/spec/priority",
        "found the number 3000000000; accepted: a whole number from -2147",
    ),
    ("priority: -3000000000", "/spec/priority", "accepted: a whole number from -2147483648 to 2147483647"),
    ("enforceFrom: 5", "/spec/enforceFrom", "found the number 5; accepted: text; in quotes it is text"),
    ("containers: []", "/spec/containers", "found a list; accepted: a map"),
    ("containers: x", "/spec/containers", 'found "x"; accepted: a map'),
    ("containers: {max: 1}", "/spec/containers/max", "found the number 1; accepted: a map"),
    (
        "containers: {required: {limits: memory}}",
        "/spec/containers/required/limits",
        'found "memory"; accepted: a list',
    ),
    (
        "containers: {required: {limits: [1]}}",
        "/spec/containers/required/limits/0",
        "found the number 1; accepted: text",
    ),
    ("containers: {equal: [~]}", "/spec/containers/equal/0", "found nothing; accepted: text"),
    ("containers: {outOfRange: clamp}", "/spec/containers/outOfRange", "(did you mean Clamp?); accepted: Deny, Clamp"),
    ("containers: {limits: [memory]}", "/spec/containers/limits", 'unknown field "limits"'),
    ("initContainers: {require: {}}", "/spec/initContainers/require", "(did you mean required?)"),
    (
        "pod: {default: {cpu: 1}}",
        "/spec/pod/default",
        'unknown field "default"; accepted here: required, forbidden, min',
    ),
    ("overrides: {}", "/spec/overrides", "found a map; accepted: a list"),
    (
        "overrides: [{match: {}, containers: {}, initContainers: {}}]",
        "/spec/overrides/0/initContainers",
        "(did you mean containers?); accepted here: match, containers",
    ),
    (
        "overrides: [{containers: {}}]",
        "/spec/overrides/0/match",
        "match is missing; needed: which containers are meant",
    ),
    ("overrides: [{match: {}}]", "/spec/overrides/0/containers", "containers is missing; needed: what differs"),
    ("overrides: [{match: ~, containers: {}}]", "/spec/overrides/0/match", "match is missing"),
    (
        "overrides: [{match: {podLabels: {a: 1}}, containers: {}}]",
        "/spec/overrides/0/match/podLabels/a",
        "found the number 1; accepted: text; in quotes it is text",
    ),
    (
        "overrides: [{match: {workloads: [CronJob]}, containers: {}}]",
        "/spec/overrides/0/match/workloads/0",
        'found "CronJob"; accepted: a map',
    ),
    (
        "overrides: [{match: {workloads: [{kinds: CronJob}]}, containers: {}}]",
        "/spec/overrides/0/match/workloads/0/kinds",
        "(did you mean kind?); accepted here: kind, names",
    ),
    ("limitRange: managed", "/spec/limitRange", "(did you mean Managed?); accepted: Unmanaged, Managed"),
    ("resourceQuota: {}", "/spec/resourceQuota/hard", "hard is missing; needed: as in a ResourceQuota"),
    ("priority: 1" + "0" * 30, "/spec/priority", "found the number 1e+30; accepted: a whole number"),
]


@pytest.mark.parametrize(("spec", "pointer", "reason"), SHAPES)
def test_a_wrong_shape_says_what_was_found_and_what_is_accepted(spec: str, pointer: str, reason: str) -> None:
    ((where, what),) = said(policy_text(spec))
    assert where == pointer
    assert reason in what


NAMESPACES = [
    ("", "/spec/namespaces", "namespaces is missing; needed: which namespaces are governed"),
    ("namespaces: [a]", "/spec/namespaces", "found a list; accepted: a map"),
    ("namespaces: {includes: [a]}", "/spec/namespaces/includes", "(did you mean include?)"),
    (
        "namespaces: {selector: {matchExpressions: [{key: a}]}}",
        "/spec/namespaces/selector/matchExpressions/0/operator",
        "operator is missing; needed: how the label relates to the values",
    ),
    (
        "namespaces: {selector: {matchExpressions: [{key: a, operator: Equals}]}}",
        "/spec/namespaces/selector/matchExpressions/0/operator",
        'found "Equals"; accepted: In, NotIn, Exists, DoesNotExist',
    ),
]


@pytest.mark.parametrize(("spec", "pointer", "reason"), NAMESPACES)
def test_namespaces_of_a_wrong_shape_are_refused(spec: str, pointer: str, reason: str) -> None:
    found = said(policy_text(spec or "mode: Audit", namespaces=""))
    assert (pointer, True) in [(where, reason in what) for where, what in found]


@pytest.mark.parametrize("field", ["owner", "reason", "expires", "match", "waive"])
def test_an_exemption_without_a_field_it_needs_is_refused(field: str) -> None:
    ((pointer, reason),) = said(exemption_text(**{field: None}))
    assert pointer == f"/spec/{field}"
    assert reason.startswith(f"{field} is missing; needed: ")


@pytest.mark.parametrize(
    ("before", "after", "pointer"),
    [
        ("metadata: {name: policy}\n", "", "/metadata"),
        ("metadata: {name: policy}\n", "metadata: {}\n", "/metadata/name"),
        ("metadata: {name: policy}\n", "metadata: {name: 5}\n", "/metadata/name"),
        ("metadata: {name: policy}\n", "metadata: {name: policy, labels: {a: 1}}\n", "/metadata/labels/a"),
        ("metadata: {name: policy}\n", "metadata: policy\n", "/metadata"),
        ("metadata: {name: policy}\n", "metadata: {name: policy}\nspecs: {}\n", "/specs"),
    ],
)
def test_the_outer_parts_have_a_shape_too(before: str, after: str, pointer: str) -> None:
    text = policy_text("mode: Audit").replace(before, after)
    assert [where for where, _ in said(text)] == [pointer]


def test_a_document_without_spec_says_so() -> None:
    text = "apiVersion: plimsoll.dev/v1alpha1\nkind: ClusterLimitPolicy\nmetadata: {name: a}\n"
    assert said(text) == [("/spec", "spec is missing; needed: what it says")]


def test_a_wrong_shape_does_not_hide_what_else_is_wrong() -> None:
    text = policy_text(
        """
        mod: Enforce
        priority: high
        containers:
          min: {memory: 2Gi}
          max: {memory: 1Gi, cpu: [1]}
        overrides:
          - containers: {max: {gpu: 1}}
        """,
        name="Bad",
    )
    assert [each.pointer for each in problems(text)] == [
        "/metadata/name",
        "/spec/mod",
        "/spec/priority",
        "/spec/containers/min/memory",
        "/spec/containers/max/cpu",
        "/spec/overrides/0/match",
        "/spec/overrides/0/containers/max/gpu",
    ]


def test_nothing_untrue_is_said_about_the_parent_of_a_wrong_shape() -> None:
    assert [where for where, _ in said(policy_text("mode: Audit", namespaces="include: [1]"))] == [
        "/spec/namespaces/include/0"
    ]
    assert [where for where, _ in said(policy_text("resourceQuota: {hard: {pods: []}}"))] == [
        "/spec/resourceQuota/hard/pods"
    ]


def test_two_wrong_shapes_in_one_place_are_both_said() -> None:
    text = policy_text("containers: {required: {limits: [1, 2], requests: {}}}")
    assert len(problems(text)) == 3


def test_an_entry_of_a_wrong_shape_beside_one_with_a_missing_field() -> None:
    text = policy_text("overrides: [5, {containers: {}}]")
    assert [where for where, _ in said(text)] == ["/spec/overrides/0", "/spec/overrides/1/match"]


def test_fields_without_a_value_count_as_absent() -> None:
    assert said(policy_text("mode:\ncontainers:\n  max:\n  qqq:\n  min: {memory: 1K}\noverrides:\n"))[0][0].endswith(
        "memory"
    )


MANY_RESOURCES = ", ".join(f"example.com/r{number}: 1" for number in range(65))


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("containers: {max: {" + MANY_RESOURCES + "}}", "found 65 entries; accepted: at most 64"),
        ("overrides: [" + "{match: {}, containers: {}}, " * 257 + "]", "found 257 entries; accepted: at most 256"),
        ("containers: {equal: [" + "cpu, " * 65 + "]}", "found 65 entries; accepted: at most 64"),
    ],
    ids=["resources", "overrides", "list"],
)
def test_maps_and_lists_are_bounded(spec: str, reason: str) -> None:
    ((_, what),) = said(policy_text(spec))
    assert what == reason


def test_texts_are_bounded() -> None:
    ((_, what),) = said(exemption_text(reason="r" * 1025))
    assert what == "found 1025 characters; accepted: at most 1024"


@pytest.mark.parametrize(
    "spec",
    [
        "\n".join(f"field{number}: 1" for number in range(5000)),
        "containers: {required: {limits: ["
        + ", ".join(["gpu"] * 64)
        + "], requests: ["
        + ", ".join(["gpu"] * 64)
        + "]}}",
    ],
    ids=["shapes", "words"],
)
def test_a_document_of_nothing_but_mistakes_is_answered_briefly(spec: str) -> None:
    found = problems(policy_text(spec))
    assert len(found) == 101
    assert found[-1].reason == "more than 100 problems; the rest is not listed"
    assert sum(len(str(each)) for each in found) < 64 * 1024


def test_hostile_names_are_printable_and_short_in_problems() -> None:
    found = problems(policy_text('"a\\e[31m\\u202e' + "x" * 5000 + '": 1'))
    assert all(str(each).isprintable() and len(str(each)) < 1000 for each in found)


@pytest.mark.parametrize("value", ["text", 5, [], None])
def test_what_is_no_map_at_all_has_no_shape(value: object) -> None:
    with pytest.raises(Unshapable, match="not even the outline"):
        shaped(ClusterLimitPolicy, value)


HEAD = '{"apiVersion": "plimsoll.dev/v1alpha1", "kind": "ClusterLimitPolicy", "metadata": {"name": "a"}, "spec": '


@pytest.mark.parametrize("levels", [200, 400, 900, 5000])
def test_a_document_too_deep_for_us_is_a_problem(levels: int) -> None:
    assert problems(HEAD + "[" * levels + "]" * levels + "}")


def test_numbers_beyond_reason_are_problems() -> None:
    assert said(HEAD + '{"namespaces": {"include": ["*"]}, "priority": 1' + "0" * 30 + "}}") == [
        ("/spec/priority", "found a number of many digits; accepted: a whole number from -2147483648 to 2147483647")
    ]
    assert problems(HEAD + "1e999}")
    assert problems(HEAD + "1" + "0" * 5000 + "}")
