"""The patch of a Pod: minimal, strict about what is there, and with one annotation that says what was set.

Every patch is applied by a strict library and, beside it, by the rules of the API server's own (where they differ).
"""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonpatch
import msgspec
import pytest
from plimsoll.policy.evaluation import Stage, evaluate
from plimsoll.policy.patch import ANNOTATION, MAX_ANNOTATION, MAX_ANNOTATIONS, Operation, describe, json_patch

from tests.policy.decision import NOW, governance, judged, workload_of

Json = Any

POLICY = "{defaulting: Apply, containers: {default: {memory: 256Mi}, defaultRequest: {cpu: 50m}}}"
BOTH = {"limits": {"memory": "256Mi"}, "requests": {"cpu": "50m"}}


def pod(*resources: Json, **metadata: Json) -> Json:
    containers = [{"name": f"c{index}", "image": "x", "resources": each} for index, each in enumerate(resources)]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", **metadata},
        "spec": {"containers": containers},
    }


def operations(obj: Json, policy: str = POLICY) -> list[Json]:
    evaluation = evaluate(workload_of(obj), governance(policy), NOW, Stage.MUTATING)
    made: list[Json] = msgspec.json.decode(msgspec.json.encode(json_patch(evaluation)))
    return made


def applied(obj: Json, patch: list[Json]) -> Json:
    by_rfc = jsonpatch.apply_patch(copy.deepcopy(obj), patch)
    assert by_rfc == as_the_api_server_applies(copy.deepcopy(obj), patch)
    return by_rfc


def as_the_api_server_applies(obj: Json, patch: list[Json]) -> Json:
    """evanphx/json-patch v4: parents must be there, `add` overwrites, `remove` of nothing fails."""
    for operation in patch:
        *parents, last = [step.replace("~1", "/").replace("~0", "~") for step in operation["path"].split("/")[1:]]
        inside = obj
        for step in parents:
            inside = inside[int(step)] if isinstance(inside, list) else inside[step]
            assert isinstance(inside, dict | list), f"doc is missing path: {operation['path']}"
        assert isinstance(inside, dict), "nothing is ever added to or removed from a list"
        if operation["op"] == "remove":
            del inside[last]
        else:
            assert (last in inside) >= (operation["op"] == "replace"), "a replacement of nothing"
            inside[last] = operation["value"]
    return obj


def paths(patch: list[Json]) -> list[tuple[str, str, Json]]:
    """Without the annotation."""
    return [(each["op"], each["path"], each.get("value")) for each in patch if "annotations" not in each["path"]]


AT = "/spec/containers/0/resources"


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        (None, [("add", AT, BOTH)]),
        ({}, [("add", f"{AT}/limits", BOTH["limits"]), ("add", f"{AT}/requests", BOTH["requests"])]),
        (
            {"limits": None, "requests": None},
            [("add", f"{AT}/limits", BOTH["limits"]), ("add", f"{AT}/requests", BOTH["requests"])],
        ),
        (
            {"limits": {}, "requests": {}},
            [("add", f"{AT}/limits/memory", "256Mi"), ("add", f"{AT}/requests/cpu", "50m")],
        ),
        (
            {"limits": {"cpu": "1"}, "requests": {"cpu": "1"}},
            [("add", f"{AT}/limits/memory", "256Mi")],
        ),
        ({"requests": {"cpu": "1"}}, [("add", f"{AT}/limits", BOTH["limits"])]),
        ({"limits": {"cpu": "1"}}, [("add", f"{AT}/limits/memory", "256Mi")]),  # Kubernetes copies the rest
        (
            {"requests": {"memory": "1Gi"}},
            [("add", f"{AT}/limits", {"memory": "1Gi"}), ("add", f"{AT}/requests/cpu", "50m")],
        ),
        (
            {"limits": {"memory": "0"}, "requests": {"memory": "0", "cpu": 1}},
            [("replace", f"{AT}/limits/memory", "256Mi"), ("replace", f"{AT}/requests/memory", "256Mi")],
        ),
        ({"limits": {"memory": "1Gi", "cpu": "2"}, "requests": {"memory": "1Gi", "cpu": "2"}}, []),
    ],
)
def test_an_absent_parent_is_added_whole_and_a_present_one_edited(resources: Json, expected: list[Json]) -> None:
    obj = pod(resources)
    patch = operations(obj)
    assert paths(patch) == expected
    patched = applied(obj, patch)
    assert operations(patched) == []  # and again


def test_resources_that_are_missing_altogether_are_added() -> None:
    obj = pod({})
    del obj["spec"]["containers"][0]["resources"]
    assert paths(operations(obj)) == [("add", AT, BOTH)]
    assert applied(obj, operations(obj))["spec"]["containers"][0]["resources"] == BOTH


def test_names_of_resources_are_escaped() -> None:
    policy = "{defaulting: Apply, containers: {default: {nvidia.com/gpu: 1}}}"
    patch = operations(pod({"limits": {"cpu": 1}, "requests": {"cpu": 1}}), policy)
    assert paths(patch) == [
        ("add", f"{AT}/limits/nvidia.com~1gpu", "1"),
        ("add", f"{AT}/requests/nvidia.com~1gpu", "1"),
    ]


def test_what_clamp_removes_is_removed() -> None:
    policy = "{containers: {outOfRange: Clamp, forbidden: {limits: [cpu, memory]}, max: {memory: 1Gi}}}"
    obj = pod({"limits": {"cpu": "2", "memory": "2Gi"}, "requests": {"cpu": "2", "memory": "2Gi"}})
    patch = operations(obj, policy)
    assert paths(patch) == [
        ("remove", f"{AT}/limits/cpu", None),
        ("remove", f"{AT}/limits/memory", None),
        ("replace", f"{AT}/requests/memory", "1Gi"),
    ]
    assert applied(obj, patch)["spec"]["containers"][0]["resources"] == {
        "limits": {},
        "requests": {"cpu": "2", "memory": "1Gi"},
    }
    assert set(patch[-1]["value"][ANNOTATION].split("; ")) == {
        "policy guard: c0 requests.memory=1Gi (was 2Gi)",
        "policy guard: c0 limits.cpu removed (was 2)",
        "policy guard: c0 limits.memory removed (was 2Gi)",
    }


def test_only_containers_with_something_to_set_are_touched_and_every_list_is() -> None:
    written = {"limits": {"memory": "1Gi"}, "requests": {"memory": "1Gi", "cpu": "1"}}
    obj = pod(written, {}, written)
    obj["spec"]["initContainers"] = [{"name": "side", "image": "x", "restartPolicy": "Always", "resources": {}}]
    touched = {path.split("/resources")[0] for _, path, _ in paths(operations(obj))}
    assert touched == {"/spec/containers/1", "/spec/initContainers/0"}
    patched = applied(obj, operations(obj))
    assert [each["name"] for each in patched["spec"]["containers"]] == ["c0", "c1", "c2"]


def test_two_containers_of_one_name_get_what_each_of_them_lacks() -> None:
    obj = pod({}, {"limits": {"memory": "1Gi"}, "requests": {"memory": "1Gi", "cpu": "1"}}, {})
    for container in obj["spec"]["containers"]:
        container["name"] = "same"
    patched = applied(obj, operations(obj))
    assert [each["resources"]["limits"]["memory"] for each in patched["spec"]["containers"]] == [
        "256Mi",
        "1Gi",
        "256Mi",
    ]


SET = "policy guard: c0 requests.cpu=50m; policy guard: c0 limits.memory=256Mi"


@pytest.mark.parametrize(
    ("metadata", "operation"),
    [
        ({}, {"op": "add", "path": "/metadata/annotations", "value": {ANNOTATION: SET}}),
        ({"annotations": None}, {"op": "add", "path": "/metadata/annotations", "value": {ANNOTATION: SET}}),
        ({"annotations": {}}, {"op": "add", "path": "/metadata/annotations/plimsoll.dev~1set", "value": SET}),
        ({"annotations": {"a": "b"}}, {"op": "add", "path": "/metadata/annotations/plimsoll.dev~1set", "value": SET}),
        (
            {"annotations": {ANNOTATION: ""}},
            {"op": "replace", "path": "/metadata/annotations/plimsoll.dev~1set", "value": SET},
        ),
        (
            {"annotations": {ANNOTATION: "policy old: c9 limits.cpu=1"}},
            {
                "op": "replace",
                "path": "/metadata/annotations/plimsoll.dev~1set",
                "value": f"{SET}; policy old: c9 limits.cpu=1",
            },
        ),
        # a second round that sets something more keeps what the first one said
        (
            {"annotations": {ANNOTATION: "policy guard: c0 requests.cpu=50m"}},
            {"op": "replace", "path": "/metadata/annotations/plimsoll.dev~1set", "value": SET},
        ),
    ],
)
def test_one_annotation_says_what_was_set(metadata: Json, operation: Json) -> None:
    obj = pod({}, **metadata)
    patch = operations(obj)
    assert patch[-1] == operation
    assert applied(obj, patch)["metadata"]["annotations"][ANNOTATION].startswith(SET)
    assert applied(obj, patch)["metadata"]["annotations"].get("a") == (metadata.get("annotations") or {}).get("a")


@pytest.mark.parametrize("metadata", [None, "missing"])
def test_metadata_that_is_missing_is_added(metadata: Json) -> None:
    """The API server always sends it; whoever else calls us gets a patch that applies, too."""
    obj = pod({}) | {"metadata": None}
    if metadata == "missing":
        del obj["metadata"]
    patch = operations(obj)
    assert patch[-1] == {"op": "add", "path": "/metadata", "value": {"annotations": {ANNOTATION: SET}}}
    applied(obj, patch)


def test_an_annotation_that_already_says_it_is_left_alone() -> None:
    patch = operations(pod({}, annotations={ANNOTATION: SET}))
    assert len(patch) == len(paths(patch)) == 2


def test_the_annotation_is_bounded_whatever_was_set() -> None:
    patch = operations(pod(*[{}] * 2000))
    assert len(patch[-1]["value"][ANNOTATION].encode()) <= MAX_ANNOTATION
    assert patch[-1]["value"][ANNOTATION].endswith("…")


def test_names_of_many_bytes_are_cut_between_characters() -> None:
    obj = pod(*[{}] * 300)
    for container in obj["spec"]["containers"]:
        container["name"] = "ё" * 60
    text = operations(obj)[-1]["value"][ANNOTATION]
    assert len(text.encode()) <= MAX_ANNOTATION
    assert text.endswith("…")


@pytest.mark.parametrize(
    ("others", "is_annotated"),
    [
        ("x" * (MAX_ANNOTATIONS - 2 * len(SET)), True),
        ("x" * (MAX_ANNOTATIONS - 50), False),
        ("ё" * (MAX_ANNOTATIONS // 2 - 40), False),  # two bytes each
        ("ё" * (MAX_ANNOTATIONS // 2 - len(SET)), True),
    ],
)
def test_annotations_stay_within_what_the_api_server_takes(others: str, is_annotated: bool) -> None:
    """A Pod that it would refuse for our words is worse than one that does not carry them."""
    obj = pod({}, annotations={"note": others})
    patch = operations(obj)
    assert paths(patch)
    assert (len(patch) > len(paths(patch))) is is_annotated
    patched = applied(obj, patch)
    assert (
        sum(len(k.encode()) + len(v.encode()) for k, v in patched["metadata"]["annotations"].items()) <= MAX_ANNOTATIONS
    )


def test_an_annotation_of_a_hundred_thousand_entries_costs_no_more_than_reading_it() -> None:
    obj = pod(*[{}] * 1000, annotations={ANNOTATION: "; ".join(str(number) for number in range(20_000))})
    text = operations(obj)[-1]["value"]
    assert text.startswith("policy guard: c0 requests.cpu=50m; ")  # no flood washes away what is true
    assert len(text) <= MAX_ANNOTATION


def test_nothing_is_patched_where_nothing_was_set() -> None:
    assert operations(pod({}), "{containers: {required: {limits: [memory]}}}") == []
    assert operations(pod({"limits": {"memory": "1Gi"}, "requests": {"memory": "1Gi", "cpu": 1}})) == []


def test_an_operation_is_written_as_json_patch_wants_it() -> None:
    encoded = json.loads(msgspec.json.encode([Operation("remove", "/a"), Operation("add", "/b", "1")]))
    assert encoded == [{"op": "remove", "path": "/a"}, {"op": "add", "path": "/b", "value": "1"}]


@pytest.mark.parametrize(
    ("policy", "containers", "told"),
    [
        (POLICY, "a", ["a requests.cpu=50m", "a limits.memory=256Mi"]),
        (POLICY, "a req cpu=1 lim memory=0", ["a limits.memory=256Mi", "a requests.memory=256Mi"]),
        (
            "{containers: {outOfRange: Clamp, max: {cpu: 1}, forbidden: {limits: [memory]}}}",
            "a req cpu=2,memory=1Gi lim memory=1Gi",
            ["a requests.cpu=1 (was 2)", "a limits.memory removed (was 1Gi)"],
        ),
    ],
)
def test_each_setting_is_told_in_a_few_words(policy: str, containers: str, told: list[str]) -> None:
    evaluation = judged(containers, governance(policy), Stage.MUTATING)
    assert sorted(describe(setting) for setting in evaluation.settings) == sorted(told)
    told_before = [f"told {index}" for index, _ in enumerate(evaluation.settings)]
    annotation = json_patch(evaluation, told_before)[-1]
    assert "told 0" in str(annotation.value)


def test_what_only_a_limit_range_would_have_set_needs_no_removal() -> None:
    """In a file LimitRanger's value is foretold, not there: Clamp takes it away without an operation."""
    policy = "{containers: {forbidden: {limits: [cpu]}, outOfRange: Clamp}}"
    ranges = "Container default cpu=1"
    evaluation = evaluate(workload_of(pod({})), governance(policy, ranges=ranges), NOW)
    assert [(s.side.field, s.before is None, s.after) for s in evaluation.settings] == [("limits", False, None)]
    assert [operation for operation in json_patch(evaluation, ()) if "resources" in operation.path] == []
