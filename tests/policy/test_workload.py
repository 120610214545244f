"""Workloads: which containers an object has, of which class, with what amounts, and who stands behind it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from plimsoll.errors import MalformedObject
from plimsoll.objects.structs import ObjectMeta, OwnerReference, PodTemplate
from plimsoll.policy.quantity import parse
from plimsoll.policy.workload import ContainerClass, ObjectRef, Resources, Workload, owners_of, read_workloads


def read(obj: dict[str, Any], **how: Any) -> Workload:
    (workload,) = read_workloads(json.dumps(obj).encode(), **how)
    return workload


def pod(spec: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec or {"containers": []}}


def test_every_list_of_containers_is_read_in_its_order_and_class() -> None:
    workload = read(
        pod(
            {
                "initContainers": [{"name": "first"}, {"name": "mesh", "restartPolicy": "Always"}, {"name": "second"}],
                "containers": [{"name": "app", "image": "app:1", "restartPolicy": "Always"}],
                "ephemeralContainers": [{"name": "debug", "resources": {"limits": {"cpu": "not read"}}}],
            }
        )
    )
    assert [(c.name, c.container_class, c.pointer) for c in workload.containers] == [
        ("app", ContainerClass.REGULAR, "/spec/containers/0"),
        ("first", ContainerClass.INIT, "/spec/initContainers/0"),
        ("mesh", ContainerClass.SIDECAR, "/spec/initContainers/1"),
        ("second", ContainerClass.INIT, "/spec/initContainers/2"),
        ("debug", ContainerClass.EPHEMERAL, "/spec/ephemeralContainers/0"),
    ]
    assert workload.containers[0].image == "app:1"
    assert workload.containers[-1].resources == Resources()


@pytest.mark.parametrize("policy", ["OnFailure", "Never", "always", "", None])
def test_only_restart_policy_always_makes_a_sidecar(policy: str | None) -> None:
    workload = read(pod({"containers": [], "initContainers": [{"name": "mesh", "restartPolicy": policy}]}))
    assert workload.containers[0].container_class is ContainerClass.INIT


@pytest.mark.parametrize(
    ("written", "amounts"),
    [
        (None, {}),
        ({}, {}),
        ({"limits": None, "requests": None}, {}),
        ({"limits": {}, "requests": {}}, {}),
        ({"claims": [{"name": "gpu"}]}, {}),
        ({"limits": {"memory": "1Gi"}}, {"limits": {"memory": "1Gi"}}),
        ({"requests": {"memory": 1024, "cpu": 0.5}}, {"requests": {"memory": "1Ki", "cpu": "500m"}}),
        ({"requests": {"memory": None}}, {"requests": {"memory": "0"}}),
        ({"limits": {"memory": "0.0001"}}, {"limits": {"memory": "1m"}}),  # stored: rounded up to a milli-unit
    ],
)
def test_resources_are_read_as_the_server_stores_them(written: Any, amounts: dict[str, dict[str, str]]) -> None:
    resources = read(pod({"containers": [{"name": "a", "resources": written}]})).containers[0].resources
    assert resources == Resources(
        {name: parse(text) for name, text in amounts.get("requests", {}).items()},
        {name: parse(text) for name, text in amounts.get("limits", {}).items()},
    )


@pytest.mark.parametrize(
    ("spec", "pointer"),
    [
        ({"containers": [{"resources": {"limits": {"cpu": "1x"}}}]}, "/spec/containers/0/resources/limits/cpu"),
        (
            {"containers": [], "initContainers": [{}, {"resources": {"requests": {"a.b/c": "1e999999999"}}}]},
            "/spec/initContainers/1/resources/requests/a.b~1c",
        ),
        ({"containers": [], "overhead": {"cpu": ""}}, "/spec/overhead/cpu"),
        ({"containers": [], "resources": {"limits": {"memory": "1 Gi"}}}, "/spec/resources/limits/memory"),
    ],
)
def test_an_amount_that_is_none_is_pointed_at(spec: dict[str, Any], pointer: str) -> None:
    with pytest.raises(MalformedObject) as raised:
        read(pod(spec))
    assert raised.value.pointer == pointer
    assert "is not a quantity" in raised.value.reason


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        (None, None),
        ({}, None),
        ({"limits": {}}, None),
        ({"limits": {"memory": "1Gi"}}, Resources({}, {"memory": parse("1Gi")})),
        ({"requests": {"memory": "1Gi"}}, Resources({"memory": parse("1Gi")}, {})),
    ],
)
def test_pod_level_resources_are_there_when_they_say_something(resources: Any, expected: Resources | None) -> None:
    assert read(pod({"containers": [], "resources": resources})).pod_resources == expected


def test_labels_annotations_and_overhead_come_along() -> None:
    workload = read(
        pod({"containers": [], "overhead": {"cpu": "10m"}}, labels={"app": "web", "none": None}, annotations={"a": "b"})
    )
    assert workload.labels == {"app": "web", "none": ""}
    assert workload.annotations == {"a": "b"}
    assert workload.overhead == {"cpu": parse("10m")}
    assert (workload.has_metadata, workload.has_annotations) == (True, True)


@pytest.mark.parametrize(
    ("metadata", "has_metadata", "has_annotations"),
    [(None, False, False), ({}, True, False), ({"annotations": None}, True, False), ({"annotations": {}}, True, True)],
)
def test_what_a_patch_must_add_is_known(metadata: Any, has_metadata: bool, has_annotations: bool) -> None:
    workload = read({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": []}})
    assert (workload.has_metadata, workload.has_annotations) == (has_metadata, has_annotations)


def test_an_object_without_namespace_or_name_gets_those_of_its_reader() -> None:
    written = pod(namespace="shop", name="web", generateName="w-")
    assert read(written, namespace="other", name="x").ref == ObjectRef("v1", "Pod", "shop", "web", "w-")
    assert read(pod()).ref == ObjectRef("v1", "Pod", "default", "")
    assert read(pod(), namespace="team", name="x").ref == ObjectRef("v1", "Pod", "team", "x")


@pytest.mark.parametrize(
    ("ref", "shown"),
    [
        (ObjectRef("v1", "Pod", "shop", "web"), "Pod shop/web"),
        (ObjectRef("v1", "Pod", "shop", "", "web-"), "Pod shop/web-"),
        (ObjectRef("v1", "Pod", "shop", ""), "Pod shop/(unnamed)"),
    ],
)
def test_a_reference_reads_as_people_write_it(ref: ObjectRef, shown: str) -> None:
    assert str(ref) == shown


def test_an_object_with_several_templates_is_several_workloads() -> None:
    obj = {
        "apiVersion": "batch.volcano.sh/v1alpha1",
        "kind": "Job",
        "metadata": {"name": "train", "labels": {"not": "the pod's"}},
        "spec": {
            "tasks": [
                {"template": {"metadata": {"labels": {"role": "ps"}}, "spec": {"containers": [{"name": "ps"}]}}},
                {"template": {"spec": {"containers": [{"name": "worker"}]}}},
            ]
        },
    }
    first, second = read_workloads(json.dumps(obj).encode(), namespace="ml")
    assert (first.pointer, second.pointer) == ("/spec/tasks/0/template", "/spec/tasks/1/template")
    assert first.containers[0].pointer == "/spec/tasks/0/template/spec/containers/0"
    assert (first.labels, second.labels) == ({"role": "ps"}, {})
    assert first.ref == second.ref
    assert first.is_template
    assert not read(pod()).is_template


def test_an_object_without_a_template_is_no_workload() -> None:
    assert list(read_workloads(b'{"apiVersion": "v1", "kind": "Service"}')) == []
    assert list(read_workloads(b"{}")) == []


@pytest.mark.parametrize(
    ("resource", "asks"),
    [("cpu", True), ("memory", True), ("nvidia.com/gpu", False), ("example.com/fpga", True), ("none.com/none", False)],
)
def test_a_container_asks_for_what_it_names_with_more_than_nothing(resource: str, asks: bool) -> None:
    resources = Resources(
        {"cpu": parse("1"), "memory": parse("0"), "nvidia.com/gpu": parse("0")},
        {"memory": parse("1Gi"), "nvidia.com/gpu": parse("0"), "example.com/fpga": parse("1")},
    )
    assert resources.asks_for(resource) is asks


OWNED_BY = {
    "a ReplicaSet of a Deployment": (("ReplicaSet", "web-5d9f"), {"pod-template-hash": "5d9f"}, "Deployment web"),
    "a name with many dashes": (
        ("ReplicaSet", "my-web-app-5d9f"),
        {"pod-template-hash": "5d9f"},
        "Deployment my-web-app",
    ),
    "a ReplicaSet of a Rollout": (("ReplicaSet", "web-5d9f"), {"rollouts-pod-template-hash": "5d9f"}, "Rollout web"),
    "a ReplicaSet of nobody": (("ReplicaSet", "web-5d9f"), {}, ""),
    "another hash": (("ReplicaSet", "web-5d9f"), {"pod-template-hash": "77aa"}, ""),
    "a name without a suffix": (("ReplicaSet", "web"), {"pod-template-hash": "web"}, ""),
    "a Job of a CronJob": (("Job", "loader-29401234"), {}, "CronJob loader"),
    "a Job with a short number": (("Job", "loader-2940"), {}, ""),
    "a Job with other digits": (("Job", "loader-٢٩٤٠١٢٣٤"), {}, ""),
    "a Job that was started by hand": (("Job", "loader-manual-x1"), {}, ""),
    "a number alone": (("Job", "29401234"), {}, ""),
    "a StatefulSet": (("StatefulSet", "db-29401234"), {"pod-template-hash": "29401234"}, ""),
}


@pytest.mark.parametrize("name", OWNED_BY)
def test_the_object_behind_an_owner_is_known_by_the_owners_name(name: str) -> None:
    (kind, owner), labels, behind = OWNED_BY[name]
    meta = ObjectMeta(
        labels={"somebody": "else's"},
        ownerReferences=[
            OwnerReference(kind="ConfigMap", name="a", controller=None),
            OwnerReference(kind=kind, name=owner, controller=True),
        ],
    )
    template = PodTemplate(metadata=ObjectMeta(labels=dict(labels)))
    expected = [(kind, owner), *([tuple(behind.split(" ", 1))] if behind else [])]
    assert list(owners_of(meta, template)) == expected


@pytest.mark.parametrize(
    "owners",
    [
        None,
        [],
        [OwnerReference(kind="ReplicaSet", name="web-1")],
        [OwnerReference(kind="ReplicaSet", name="web-1", controller=False)],
        [OwnerReference(name="web-1", controller=True)],
        [OwnerReference(kind="ReplicaSet", controller=True)],
    ],
)
def test_only_a_controlling_owner_with_kind_and_name_counts(owners: list[OwnerReference] | None) -> None:
    assert owners_of(ObjectMeta(ownerReferences=owners), PodTemplate()) == ()


def test_owners_are_an_identity_only_where_the_reader_believes_them() -> None:
    """Anybody can write an owner reference."""
    written = pod(
        name="loader-x",
        ownerReferences=[{"kind": "Job", "name": "loader-29401234", "controller": True}],
    )
    assert read(written).identities == (("Pod", "loader-x"),)
    assert read(written, believe_owners=True).identities == (
        ("Pod", "loader-x"),
        ("Job", "loader-29401234"),
        ("CronJob", "loader"),
    )
    assert read(pod(generateName="web-")).identities == (("Pod", "web-"),)
