"""From bytes to Structs: what is found where, and what is said of an object that nobody can read."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from plimsoll.errors import MalformedObject
from plimsoll.objects.read import complaint_of, escaped, read_head, read_templates, template_texts
from plimsoll.policy.workload import read_workloads

Json = Any

AMOUNTS = {"requests": {"cpu": "50m", "memory": 1024}, "limits": {"nvidia.com/gpu": 1, "memory": "1Gi"}}
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "web-0",
        "generateName": "web-",
        "namespace": "shop",
        "labels": {"app": "web"},
        "annotations": {"kubernetes.io/limit-ranger": "", "a/b~c": "x"},
        "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-5", "controller": True}],
        "deletionTimestamp": "2026-11-24T12:00:00Z",
    },
    "spec": {
        "containers": [{"name": "app", "image": "web:1", "resources": AMOUNTS}],
        "initContainers": [{"name": "side", "image": "side:1", "restartPolicy": "Always", "resources": AMOUNTS}],
        "ephemeralContainers": [{"name": "debug", "image": "busybox", "resources": {}}],
        "resources": {"requests": {"memory": "2Gi"}, "limits": {"memory": "2Gi"}},
        "overhead": {"cpu": "10m"},
    },
}
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": POD["metadata"],
    "spec": {"replicas": 1, "template": {"metadata": {"labels": {"app": "web"}}, "spec": POD["spec"]}},
}
VOLCANO_JOB = {
    "apiVersion": "batch.volcano.sh/v1alpha1",
    "kind": "Job",
    "metadata": {"name": "train"},
    "spec": {"tasks": [{"template": {"spec": POD["spec"]}}, {"template": {"spec": POD["spec"]}}]},
}
PYTORCH_JOB = {
    "apiVersion": "kubeflow.org/v1",
    "kind": "PyTorchJob",
    "metadata": {"name": "train"},
    "spec": {"pytorchReplicaSpecs": {"Master": {"template": {"spec": POD["spec"]}}, "a/b": {"template": None}}},
}
SAMPLES = {"pod": POD, "deployment": DEPLOYMENT, "volcano-job": VOLCANO_JOB, "pytorch-job": PYTORCH_JOB}
VALUES: list[Json] = [None, True, 0, 1.5, "", "text", "1Gi", [], [None], ["x"], [{}], {}, {"x": None}, {"x": {}}]


def places(value: Json, pointer: str = "") -> Iterator[str]:
    """The pointer of the value and of everything in it."""
    yield pointer
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, f"{pointer}/{escaped(key)}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, f"{pointer}/{index}")


def steps(pointer: str) -> list[str]:
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]


def at(value: Json, pointer: str) -> Json:
    for step in steps(pointer):
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


def with_value(obj: Json, pointer: str, value: Json) -> Json:
    if not pointer:
        return value
    changed = json.loads(json.dumps(obj))
    parent, _, _ = pointer.rpartition("/")
    inside, last = at(changed, parent), steps(pointer)[-1]
    inside[int(last) if isinstance(inside, list) else last] = value
    return changed


def fault_of(obj: Json) -> MalformedObject | None:
    try:
        list(read_workloads(json.dumps(obj).encode()))
    except MalformedObject as error:
        return error
    return None


@pytest.mark.parametrize(
    ("sample", "pointer"), [(name, pointer) for name, sample in SAMPLES.items() for pointer in places(sample)]
)
def test_whatever_stands_at_any_place_is_read_or_pointed_at(sample: str, pointer: str) -> None:
    """Every JSON type in every place: an answer, or MalformedObject at the place, in it, or at its parent."""
    parent = pointer.rpartition("/")[0]
    for value in VALUES:
        changed = with_value(SAMPLES[sample], pointer, value)
        fault = fault_of(changed)
        if fault is None:
            continue
        assert fault.reason
        assert fault.pointer.startswith(pointer) or fault.pointer == parent, (value, fault)
        is_missing = fault.reason.startswith("missing")  # then the pointer leads to where it should be
        at(changed, fault.pointer.rpartition("/")[0] if is_missing else fault.pointer)


@pytest.mark.parametrize("sample", SAMPLES)
def test_null_is_the_same_as_nothing(sample: str) -> None:
    for pointer in places(SAMPLES[sample]):
        last = pointer.rpartition("/")[2]
        if last in ("metadata", "labels", "annotations", "ownerReferences", "resources", "limits", "requests", "image"):
            assert fault_of(with_value(SAMPLES[sample], pointer, None)) is None


@pytest.mark.parametrize(
    ("raw", "pointer", "reason"),
    [
        ('{"kind": "Pod", "apiVersion": "v1", "spec": {"containers": 1}}', "/spec/containers", "Expected array | null"),
        (
            '{"kind": "Pod", "apiVersion": "v1", "spec": {"containers": [{"name": "a"}, {"name": 1}]}}',
            "/spec/containers/1/name",
            "Expected str | null, got int",
        ),
        (
            '{"kind": "Pod", "apiVersion": "v1", "spec": {"containers": [{"resources": {"limits": {"cpu": true}}}]}}',
            "/spec/containers/0/resources/limits",  # msgspec does not name the key of a map
            "Expected int | float | str | null, got bool",
        ),
        (
            '{"kind": "Pod", "apiVersion": "v1", "spec": {"containers": [{"resources": {"limits": {"a/b~": "1x"}}}]}}',
            "/spec/containers/0/resources/limits/a~1b~0",
            '"1x" is not a quantity',
        ),
        ('{"kind": "Pod", "apiVersion": "v1"}', "/spec", "missing; a pod spec is needed"),
        ('{"kind": "Deployment", "apiVersion": "apps/v1", "spec": {"template": {}}}', "/spec/template/spec", "missing"),
        ('{"kind": "Deployment", "apiVersion": "apps/v1", "spec": []}', "/spec", "Expected object"),
        ('{"kind": ["Pod"]}', "/kind", "Expected str | null, got array"),
        ("[]", "", "Expected object, got array"),
        ("", "", "this is not JSON"),
        ('{"kind": "Pod"', "", "this is not JSON"),
        ('{"kind": NaN}', "", "this is not JSON"),
        ('{"metadata": {"name": "\udcff"}}', "", "this is not JSON"),
        ("[" * 100_000, "", "Expected object"),
        ('{"apiVersion": ' + "[" * 100_000, "/apiVersion", "Expected str"),
        ('{"nobody looks here": ' + "[" * 100_000, "", "nested too deeply"),
        ('{"spec": ' + '{"a":' * 100_000, "", "nested too deeply"),
    ],
)
def test_what_cannot_be_read_is_pointed_at(raw: str, pointer: str, reason: str) -> None:
    with pytest.raises(MalformedObject) as raised:
        list(read_workloads(raw.encode(errors="surrogateescape")))
    assert raised.value.pointer == pointer
    assert reason in raised.value.reason
    assert str(raised.value) == f"{pointer or '/'}: {raised.value.reason}"


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ("Expected `str`, got `int`", ("", "Expected str, got int")),
        ("Expected `str` - at `$`", ("", "Expected str")),
        ("Expected `str` - at `$.spec`", ("/spec", "Expected str")),
        ("Expected `str` - at `$.spec.containers[12].name`", ("/spec/containers/12/name", "Expected str")),
        ("Expected `str` - at `$.metadata.labels[...]`", ("/metadata/labels", "Expected str")),
        ("Expected `int` - at `key` in `$.metadata.labels`", ("/metadata/labels", "Expected int")),
    ],
)
def test_a_decoders_complaint_is_a_pointer_and_a_reason(said: str, complaint: tuple[str, str]) -> None:
    assert complaint_of(msgspec.ValidationError(said)) == complaint


def test_the_head_says_what_an_object_is() -> None:
    head = read_head(b'{"kind": "Service", "apiVersion": "v1", "metadata": {"name": "web"}, "spec": {"ports": []}}')
    assert (head.apiVersion, head.kind, head.metadata and head.metadata.name) == ("v1", "Service", "web")


@pytest.mark.parametrize(
    ("obj", "pointers"),
    [
        (POD, [""]),
        (DEPLOYMENT, ["/spec/template"]),
        (VOLCANO_JOB, ["/spec/tasks/0/template", "/spec/tasks/1/template"]),
        (PYTORCH_JOB, ["/spec/pytorchReplicaSpecs/Master/template"]),
        ({"apiVersion": "v1", "kind": "Service", "spec": {"template": {"spec": {}}}}, []),
        ({"apiVersion": "apps/v1", "kind": "Deployment"}, []),
        ({"apiVersion": "apps/v1", "kind": "Deployment", "spec": None}, []),
        ({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": None}}, []),
        ({"apiVersion": "batch.volcano.sh/v1", "kind": "Job", "spec": {"tasks": [None, {}]}}, []),
        (
            {
                "apiVersion": "kubeflow.org/v1",
                "kind": "MPIJob",
                "spec": {"mpiReplicaSpecs": {"a/b~c": {"template": {"spec": {}}}}},
            },
            ["/spec/mpiReplicaSpecs/a~1b~0c/template"],
        ),
    ],
)
def test_templates_are_found_where_the_kind_keeps_them(obj: Json, pointers: list[str]) -> None:
    raw = json.dumps(obj).encode()
    found = list(read_templates(msgspec.Raw(raw), obj["apiVersion"], obj["kind"]))
    assert [pointer for pointer, _ in found] == pointers
    assert [template.spec is not None for _, template in found] == [True] * len(pointers)
    texts = list(template_texts(raw, obj["apiVersion"], obj["kind"]))
    assert [pointer for pointer, _ in texts] == pointers
    assert [json.loads(text) for _, text in texts] == [at(obj, pointer) for pointer in pointers]


def test_the_last_of_two_equal_keys_counts_as_on_the_server() -> None:
    (workload,) = read_workloads(b'{"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{}]}, "spec": {}}')
    assert workload.containers == ()
