"""Every sentence about a decision: complete, in one line where it must be, printable whatever anybody wrote."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from plimsoll.policy.evaluation import Stage, evaluate
from plimsoll.policy.messages import (
    MAX_ALL_WARNINGS,
    MAX_REFUSAL,
    MAX_WARNING,
    MAX_WARNINGS,
    bounded,
    field_path,
    passing_yaml,
    plain,
    prediction_line,
    refusal,
    violation_line,
    warnings,
)
from plimsoll.policy.model import Namespace
from plimsoll.policy.outcome import Evaluation, Prediction
from plimsoll.policy.remedy import remedy_for
from plimsoll.policy.snapshot import Governance
from plimsoll.policy.workload import read_workloads

from tests.policy import shorthand
from tests.policy.decision import NOW, deployment_of, governance, judged, workload_of

Json = Any

GUARD = (
    "{containers: {required: {requests: [cpu, memory], limits: [memory]}, max: {memory: 1Gi},"
    " default: {memory: 256Mi}, defaultRequest: {cpu: 50m, memory: 128Mi}}}"
)
EVIL = "a\nb\x1b[31m\u202e<script>\u0000" + "x" * 10_000


@pytest.mark.parametrize(
    ("text", "most", "expected"),
    [
        ("app", 80, "app"),
        ("", 80, ""),
        ("a b", 80, "a b"),
        ("a\nb\tc", 80, "a\\nb\\tc"),
        ("\x1b[31mred", 80, "\\x1b[31mred"),
        ("\u202eevil", 80, "\\u202eevil"),
        ("ёж 🦔", 80, "ёж 🦔"),
        ("\udcff", 80, "\\udcff"),
        ("x" * 81, 80, "x" * 79 + "…"),
        ("x" * 80, 80, "x" * 80),
        ("\n" * 80, 80, "\\n" * 39 + "\\" + "…"),
        ("\U000e0001" * 80, 12, "\\U000e0001\\…"),
    ],
)
def test_a_name_is_one_printable_line_of_bounded_length(text: str, most: int, expected: str) -> None:
    assert plain(text, most) == expected
    assert len(plain(text, most)) <= most
    assert plain(text, most).isprintable()


@pytest.mark.parametrize(
    ("pointer", "path"),
    [
        ("", ""),
        ("/spec/containers/0/resources/limits/memory", "spec.containers[0].resources.limits.memory"),
        ("/spec/containers/0/resources/limits/nvidia.com~1gpu", "spec.containers[0].resources.limits[nvidia.com/gpu]"),
        ("/metadata/labels/a~0b", "metadata.labels.a~b"),
        ("/spec/pytorchReplicaSpecs/a\nb/template", "spec.pytorchReplicaSpecs.a\\nb.template"),
        ("/spec/x.y", "spec[x.y]"),
    ],
)
def test_a_pointer_is_shown_as_people_write_paths(pointer: str, path: str) -> None:
    assert field_path(pointer) == path


def test_a_violation_says_who_where_what_and_by_which_check() -> None:
    evaluation = judged("a req memory=2Gi lim memory=3Gi,cpu=1; pod lim memory=1Gi", governance(GUARD))
    assert [violation_line(each) for each in evaluation.violations] == [
        "container a: spec.containers[0].resources.limits.memory: 3Gi, at most 1Gi [memory.limit.max]",
        "container a: spec.containers[0].resources.requests.memory: 2Gi, at most 1Gi [memory.request.max]",
        "the pod's total: spec.resources.limits.memory: 1Gi, at least the 3Gi limit of container a [pod.memory.order]",
    ]
    (missing,) = judged("a req cpu=1,memory=1Gi lim memory=0", governance(GUARD)).violations
    assert violation_line(missing) == (
        "container a: spec.containers[0].resources.limits.memory: missing, required"
        " (a limit of 0 means unlimited) [memory.limit.required]"
    )


def test_a_refusal_is_complete_in_itself() -> None:
    evaluation = evaluate(workload_of(deployment_of(shorthand.pod("app req cpu=1; init b"))), governance(GUARD), NOW)
    assert refusal(evaluation, NOW) == (
        "Deployment web breaks policy guard of namespace team:\n"
        "  - container app: spec.template.spec.containers[0].resources.limits.memory: missing, required"
        " [memory.limit.required]\n"
        "  - container app: spec.template.spec.containers[0].resources.requests.memory: missing, required"
        " [memory.request.required]\n"
        "  - container b: spec.template.spec.initContainers[0].resources.requests.cpu: missing, required"
        " [cpu.request.required]\n"
        "  - container b: spec.template.spec.initContainers[0].resources.limits.memory: missing, required"
        " [memory.limit.required]\n"
        "  - container b: spec.template.spec.initContainers[0].resources.requests.memory: missing, required"
        " [memory.request.required]\n"
        "This passes:\n"
        "spec:\n"
        "  template:\n"
        "    spec:\n"
        "      containers:\n"
        "      - name: app\n"
        "        resources:\n"
        "          requests:\n"
        '            cpu: "1"\n'
        "            memory: 128Mi\n"
        "          limits:\n"
        "            memory: 256Mi\n"
        "      initContainers:\n"
        "      - name: b\n"
        "        resources:\n"
        "          requests:\n"
        "            cpu: 50m\n"
        "            memory: 128Mi\n"
        "          limits:\n"
        "            memory: 256Mi"
    )


def test_a_refusal_may_be_for_some_of_the_violations() -> None:
    evaluation = judged("a lim memory=2Gi", governance(GUARD))
    text = refusal(evaluation, NOW, evaluation.violations[:1])
    assert text.count("\n  - container") == 1


@pytest.mark.parametrize(
    ("name", "generate_name", "title"),
    [("web", "w-", "Pod web breaks"), ("", "web-", "Pod web-… breaks"), ("", "", "Pod breaks")],
)
def test_a_refusal_names_the_object_as_far_as_it_has_a_name(name: str, generate_name: str, title: str) -> None:
    obj = shorthand.pod("a")
    obj["metadata"] = {"name": name, "generateName": generate_name, "namespace": "team"}
    assert refusal(evaluate(workload_of(obj), governance(GUARD), NOW), NOW).startswith(title)


@pytest.mark.parametrize(
    ("policy", "pod", "sentence"),
    [
        (GUARD, "a req cpu=1", "This passes:"),
        (
            "{containers: {required: {limits: [memory]}}}",
            "a",
            "Write this, with an amount of your choice for <amount> (policy guard has no default):",
        ),
        (
            "{containers: {required: {limits: [memory]}, max: {cpu: 1}}, pod: {max: {cpu: 1}}}",
            "a; b req cpu=1; c req cpu=1",
            "Write this, with an amount of your choice for <amount> (policy guard has no default), and mend what else"
            " is said above:",
        ),
        (
            "{pod: {max: {memory: 1Gi}}}",
            "a lim memory=2Gi",
            "Lower what its containers ask for together, or change spec.resources, to stay within the totals above.",
        ),
        (
            "{containers: {required: {limits: [memory]}}}",
            "a; pod req memory=1Gi",
            "Policy guard names no amounts that would pass here; what it allows stands above.",
        ),
        (
            "{containers: {max: {cpu: 1}}, pod: {max: {memory: 1Gi}}}",
            "a lim memory=2Gi,cpu=2",
            "This mends what policy and containers say of each other; mend what else is said above, too:",
        ),
    ],
)
def test_a_refusal_promises_no_more_than_is_true(policy: str, pod: str, sentence: str) -> None:
    assert f"\n{sentence}" in refusal(judged(pod, governance(policy)), NOW)


def test_a_refusal_tells_what_the_server_itself_would_refuse() -> None:
    governs = governance(GUARD, ranges="Container max memory=128Mi")
    text = refusal(evaluate(workload_of(deployment_of(shorthand.pod("a lim memory=2Gi"))), governs, NOW), NOW)
    assert (
        "\n  - container a: LimitRange limits-0 will refuse its Pods: maximum memory usage per Container is 128Mi, but"
        " limit is 2Gi\n"
    ) in text


def test_very_many_violations_are_counted() -> None:
    obj = shorthand.pod("a")
    obj["spec"]["containers"] = [{"name": f"c{index}"} for index in range(10_000)]
    evaluation = evaluate(workload_of(obj), governance(GUARD), NOW)
    text = refusal(evaluation, NOW)
    assert text.count("[memory.limit.required]") <= 50
    assert "  - … and 29950 more\n" in text
    assert text.endswith("# … and likewise 9950 more containers")
    assert len(text.encode()) <= MAX_REFUSAL
    lines = warnings(evaluation, NOW)
    assert len(lines) == MAX_WARNINGS
    assert lines[-1] == "plimsoll: … and 9993 more"


def offered(text: str) -> Json:
    """The YAML at the end of a refusal, as a person would copy it."""
    found = re.search(r"^(This passes|Write this.*):$", text, re.MULTILINE)
    assert found is not None, text
    return yaml.safe_load(text[found.end() :])


def merged(obj: Json, advice: Json) -> Json:
    """The advice written into the object: containers by name, resources as a whole."""
    if isinstance(advice, dict):
        keys = {key: value if key == "resources" else merged(obj.get(key), value) for key, value in advice.items()}
        return {**obj, **keys}
    if isinstance(advice, list):
        by_name = {each["name"]: each for each in advice}
        return [merged(each, by_name[each["name"]]) if each["name"] in by_name else each for each in obj]
    return advice


@pytest.mark.parametrize(
    "name",
    ["app", "1e3", "null", "true", "on", "0x1f", "1.5", "-", "y", "2026-11-24", "~", "a b", 'a"b\\c', "a: b", "# a"],
)
@pytest.mark.parametrize(
    ("policy", "pod"),
    [
        (GUARD, "a; b"),
        ("{containers: {max: {nvidia.com/gpu: 4}}}", "a lim nvidia.com/gpu=8; b"),
        ("{containers: {min: {cpu: 1}, required: {limits: [cpu], requests: [cpu]}}}", "a; b req cpu=500m"),
        ("{containers: {forbidden: {limits: [cpu]}}}", "a lim cpu=1; b"),
        ("{containers: {forbidden: {requests: [cpu]}}}", "a lim cpu=1; b"),
    ],
)
def test_the_yaml_of_a_refusal_passes_when_it_is_copied(policy: str, pod: str, name: str) -> None:
    obj = shorthand.pod(pod)
    obj["spec"]["containers"][0]["name"] = name
    governs = governance(policy)
    evaluation = evaluate(workload_of(obj), governs, NOW)
    advice = offered(refusal(evaluation, NOW).replace("<amount>", "2"))
    assert name in [each["name"] for each in advice["spec"]["containers"]]
    mended = merged(obj, advice)
    assert evaluate(workload_of(mended), governs, NOW).violations == (), json.dumps(mended)


@pytest.mark.parametrize(
    "resource", ["nvidia.com/gpu", "example.com/1e3", f"{'.'.join(['d' * 60] * 3)}/{'r' * 50}", "hugepages-2Mi"]
)
def test_every_resource_name_reads_back_from_yaml(resource: str) -> None:
    governs = governance(f"{{containers: {{required: {{limits: [{resource}]}}, default: {{{resource}: 4Mi}}}}}}")
    advice = offered(refusal(judged("a lim memory=1Gi", governs), NOW))
    assert advice["spec"]["containers"][0]["resources"]["limits"][resource] in ("4Mi", "4194304")


def test_amounts_read_back_as_texts_where_yaml_would_make_a_number_of_them() -> None:
    governs = governance("{containers: {required: {limits: [cpu, memory]}, default: {cpu: 2, memory: 1E}}}")
    limits = offered(refusal(judged("a", governs), NOW))["spec"]["containers"][0]["resources"]["limits"]
    assert limits == {"cpu": "2", "memory": "1E"}


def test_yaml_is_nested_as_in_the_object() -> None:
    obj = {
        "apiVersion": "kubeflow.org/v1",
        "kind": "PyTorchJob",
        "metadata": {"name": "train"},
        "spec": {"pytorchReplicaSpecs": {"on": {"template": {"spec": {"containers": [{"name": "a"}]}}}}},
    }
    evaluation = evaluate(workload_of(obj), governance(GUARD), NOW)
    text = passing_yaml(remedy_for(evaluation, NOW), evaluation.workload)
    assert list(yaml.safe_load(text)["spec"]["pytorchReplicaSpecs"]) == ["on"]
    odd = {**obj, "spec": {"pytorchReplicaSpecs": {"a/b~c": obj["spec"]["pytorchReplicaSpecs"]["on"]}}}  # type: ignore[index]
    evaluation = evaluate(workload_of(odd), governance(GUARD), NOW)
    text = passing_yaml(remedy_for(evaluation, NOW), evaluation.workload)
    assert list(yaml.safe_load(text)["spec"]["pytorchReplicaSpecs"]) == ["a/b~c"]


def test_an_item_of_a_list_is_named_by_its_number() -> None:
    bounded_one, bare = {"name": "a", "resources": {"limits": {"memory": "1Gi"}}}, {"name": "a"}
    tasks = [{"template": {"spec": {"containers": [each]}}} for each in (bounded_one, bare)]
    obj = {"apiVersion": "batch.volcano.sh/v1alpha1", "kind": "Job", "spec": {"tasks": tasks}}
    _, second = read_workloads(json.dumps(obj).encode())
    evaluation = evaluate(second, governance(GUARD), NOW)
    assert "  tasks:\n    # item 1\n    template:\n" in passing_yaml(remedy_for(evaluation, NOW), second)


def test_a_container_with_nothing_left_to_write_has_empty_resources() -> None:
    governs = governance("{containers: {forbidden: {requests: [cpu]}}}")
    advice = offered(refusal(judged("a req cpu=1", governs), NOW))
    assert advice["spec"]["containers"] == [{"name": "a", "resources": {}}]


# Warnings


def test_a_warning_says_the_same_in_one_line_for_each_container() -> None:
    evaluation = judged("a req cpu=1,memory=1Mi; b lim memory=3Gi,cpu=1 req memory=2Gi", governance(GUARD))
    assert warnings(evaluation, NOW) == [
        "plimsoll: policy guard: container a: limits.memory missing, required; passes with resources: {requests: {cpu:"
        ' "1", memory: 1Mi}, limits: {memory: 256Mi}}',
        "plimsoll: policy guard: container b: limits.memory 3Gi, at most 1Gi; requests.memory 2Gi, at most 1Gi; passes"
        ' with resources: {requests: {memory: 1Gi}, limits: {cpu: "1", memory: 1Gi}}',
    ]


def test_the_yaml_of_a_warning_reads_back() -> None:
    evaluation = judged("a lim nvidia.com/gpu=1", governance(GUARD))
    (line,) = warnings(evaluation, NOW)
    assert yaml.safe_load(line.partition("passes with ")[2]) == {
        "resources": {
            "requests": {"cpu": "50m", "memory": "128Mi"},
            "limits": {"memory": "256Mi", "nvidia.com/gpu": "1"},
        }
    }


def dated(policy: str, pod: str, *, template: bool, now: datetime = NOW) -> list[str]:
    obj = shorthand.pod(pod)
    return warnings(evaluate(workload_of(deployment_of(obj) if template else obj), governance(policy), now), now)


RULES = "containers: {required: {limits: [memory]}}"
FROM = "enforceFrom: '2026-12-01T00:00:00+02:00'"


@pytest.mark.parametrize(
    ("policy", "template", "said"),
    [
        (f"{{mode: Enforce, templates: Enforce, {RULES}, {FROM}}}", False, "refused from 2026-11-30T22:00:00Z"),
        (f"{{mode: Enforce, templates: Warn, {RULES}, {FROM}}}", True, "refused from 2026-11-30T22:00:00Z"),
        (f"{{mode: Warn, templates: Enforce, {RULES}, {FROM}}}", True, "refused from 2026-11-30T22:00:00Z"),
        (f"{{mode: Warn, templates: Enforce, {RULES}, {FROM}}}", False, ""),
        (f"{{mode: Warn, templates: Warn, {RULES}, {FROM}}}", True, ""),
        (f"{{mode: Enforce, templates: Warn, {RULES}}}", True, "its Pods will be refused"),
        (f"{{mode: Enforce, templates: Warn, {RULES}}}", False, ""),
        (f"{{mode: Warn, templates: Warn, {RULES}}}", True, ""),
    ],
)
def test_a_warning_says_when_it_becomes_a_refusal(policy: str, template: bool, said: str) -> None:
    (line,) = dated(policy, "a", template=template)
    middle = f"; {said}; " if said else "; "
    assert line == (
        f"plimsoll: policy guard: container a: limits.memory missing, required{middle}passes with"
        " resources: {limits: {memory: <amount>}}"
    )


def test_after_its_date_a_policy_that_enforces_says_no_date() -> None:
    policy = f"{{mode: Enforce, templates: Enforce, {RULES}, {FROM}}}"
    (line,) = dated(policy, "a", template=False, now=datetime(2026, 11, 30, 22, tzinfo=UTC))
    assert "refused from" not in line


def test_where_nothing_can_be_offered_the_rest_is_said() -> None:
    assert dated("{mode: Enforce, templates: Warn, pod: {max: {memory: 1Gi}}}", "a req memory=2Gi", template=True) == [
        "plimsoll: policy guard: pod: requests.memory 2Gi, at most 1Gi; its Pods will be refused"
    ]
    assert dated("{pod: {max: {memory: 1Gi}}}", "a req memory=2Gi", template=False) == [
        "plimsoll: policy guard: pod: requests.memory 2Gi, at most 1Gi"
    ]


def test_what_is_not_enough_is_offered_as_that() -> None:
    lines = dated("{containers: {max: {cpu: 1}}, pod: {max: {memory: 1Gi}}}", "a req memory=2Gi,cpu=2", template=False)
    assert "; mended by resources: {requests: {cpu: " in lines[0]


def test_a_warning_names_a_resource_without_a_side_where_both_are_meant() -> None:
    (line,) = dated("{}", "a req cpu=2 lim cpu=1", template=False)
    assert "container a: cpu 2 request above the 1 limit, a request of at most the limit; passes with" in line


def test_yaml_that_is_too_long_for_a_line_is_left_out() -> None:
    resources = ",".join(f"example.com/resource-number-{index}=1" for index in range(20))
    (line,) = dated(f"{{mode: Enforce, {RULES}}}", f"a lim {resources}", template=True)
    assert line == "plimsoll: policy guard: container a: limits.memory missing, required; its Pods will be refused"


def test_a_slip_of_the_pen_and_a_refusal_to_come_are_warned_about() -> None:
    governs = governance("{}", ranges="Container max memory=128Mi")
    evaluation = evaluate(workload_of(deployment_of(shorthand.pod("a req memory=512m lim memory=2Gi"))), governs, NOW)
    assert warnings(evaluation, NOW) == [
        "plimsoll: container a: spec.template.spec.containers[0].resources.requests.memory: 512m is 0.512 byte;"
        " 512Mi was probably meant",
        "plimsoll: container a: LimitRange limits-0 will refuse its Pods: maximum memory usage per Container is 128Mi,"
        " but limit is 2Gi",
    ]


def test_where_nobody_governs_nothing_is_said() -> None:
    assert warnings(judged("a req memory=512m", Governance(Namespace("team"), None)), NOW) == []


@pytest.mark.parametrize(
    ("prediction", "line"),
    [
        (Prediction("own", "a", "too much"), "container a: LimitRange own will refuse its Pods: too much"),
        (Prediction("own", None, "too much"), "LimitRange own will refuse its Pods: too much"),
        (Prediction("", None, "spec: bad"), "the API server will refuse its Pods: spec: bad"),
    ],
)
def test_a_refusal_to_come_says_whose_it_is(prediction: Prediction, line: str) -> None:
    assert prediction_line(prediction) == line


@pytest.mark.parametrize(
    ("lines", "count", "expected"),
    [
        ([], 0, []),
        (["a", "b"], 2, ["a", "b"]),
        (["a"] * 8, 8, ["a"] * 8),
        (["a"] * 8, 9, ["a"] * 7 + ["plimsoll: … and 2 more"]),
        (["x" * MAX_ALL_WARNINGS], 1, ["x" * MAX_ALL_WARNINGS]),
        (["x" * MAX_ALL_WARNINGS, "b"], 2, ["x" * (MAX_WARNING - 1) + "…", "b"]),
    ],
)
def test_warnings_are_as_many_and_as_long_as_the_server_passes_on(
    lines: list[str], count: int, expected: list[str]
) -> None:
    assert bounded(lines, count) == expected


# Whatever anybody wrote


def hostile() -> Iterator[Json]:
    emoji = "🦔" * 5000
    for text in (EVIL, emoji, "\r\n" * 50, "\x7f", "\udc80".encode(errors="surrogatepass").decode(errors="replace")):
        resources = {"limits": {text: "2", "memory": "8Gi", "cpu": "1"}, "requests": {text: "3", "cpu": "2"}}
        container = {"name": text, "image": text, "resources": resources}
        yield {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": text, "generateName": text, "namespace": text, "labels": {text: text}},
            "spec": {
                "containers": [container] * 60,
                "initContainers": [{**container, "restartPolicy": text}],
                "resources": {"limits": {text: "1", "memory": "1Gi"}, "requests": {text: "4"}},
                "overhead": {text: "1"},
            },
        }


@pytest.mark.parametrize("index", range(5))
@pytest.mark.parametrize("stage", [Stage.WRITTEN, Stage.VALIDATING])
def test_whatever_anybody_wrote_messages_are_printable_and_bounded(index: int, stage: str) -> None:
    obj = list(hostile())[index]
    evaluation: Evaluation = evaluate(workload_of(obj), governance(GUARD), NOW, stage)
    assert evaluation.violations
    text = refusal(evaluation, NOW)
    assert len(text.encode()) <= MAX_REFUSAL
    assert all(line.isprintable() for line in text.split("\n"))
    for violation in evaluation.violations:
        line = violation_line(violation)
        assert line.isprintable()
        assert len(line) < 2000
    lines = warnings(evaluation, NOW)
    assert lines
    assert all(line.isprintable() for line in lines)
    assert sum(map(len, lines)) <= MAX_ALL_WARNINGS or len(lines) == 1
    assert max(map(len, lines)) <= 900
