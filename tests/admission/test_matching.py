"""Who is judged and who is skipped, and that nobody can write a way around it."""

from __future__ import annotations

from typing import Any

import pytest
from plimsoll.admission.matching import SKIPPED, is_resize, skip_reason
from plimsoll.objects.structs import ObjectMeta, OwnerReference

from tests.admission.questions import ALICE, GARBAGE, KUBELET, REPLICASETS, question

OPERATION, SUBRESOURCE, POD_UPDATE, DELETED, MIRROR, OWNED = (reason for reason, _ in SKIPPED)
POD = {"apiVersion": "v1", "kind": "Pod"}
DEPLOYMENT = {"apiVersion": "apps/v1", "kind": "Deployment"}
REPLICASET = {"apiVersion": "apps/v1", "kind": "ReplicaSet"}
JOB = {"apiVersion": "batch/v1", "kind": "Job"}
MANAGER = "system:kube-controller-manager"
CRONJOBS = "system:serviceaccount:kube-system:cronjob-controller"

OWNER = [OwnerReference(kind="Deployment", name="web", controller=True)]
NO_CONTROLLER = [OwnerReference(kind="Deployment", name="web")]
MIRRORED = {"kubernetes.io/config.mirror": "abc"}
THEN = "2026-11-24T00:00:00Z"


@pytest.mark.parametrize(
    ("obj", "fields", "meta", "reason"),
    [
        (POD, {}, {}, ""),
        (POD, {"operation": "DELETE"}, {}, OPERATION),
        (POD, {"operation": "CONNECT", "sub_resource": "exec"}, {}, OPERATION),
        (POD, {"operation": "UPDATE", "sub_resource": "status"}, {}, SUBRESOURCE),
        (POD, {"operation": "CREATE", "sub_resource": "binding"}, {}, SUBRESOURCE),
        (POD, {"operation": "UPDATE", "sub_resource": "ephemeralcontainers"}, {}, SUBRESOURCE),
        (POD, {"operation": "UPDATE", "sub_resource": "resize"}, {}, ""),
        (POD, {"operation": "CREATE", "sub_resource": "resize"}, {}, SUBRESOURCE),
        (DEPLOYMENT, {"operation": "UPDATE", "sub_resource": "scale"}, {}, SUBRESOURCE),
        (DEPLOYMENT, {"operation": "UPDATE", "sub_resource": "resize"}, {}, SUBRESOURCE),
        (POD, {"operation": "UPDATE"}, {}, POD_UPDATE),
        (DEPLOYMENT, {"operation": "UPDATE"}, {}, ""),
        # being deleted is a state of what is stored: in a CREATE its author has written it
        (DEPLOYMENT, {"operation": "UPDATE"}, {"deletionTimestamp": THEN}, DELETED),
        (DEPLOYMENT, {"operation": "CREATE"}, {"deletionTimestamp": THEN}, ""),
        (POD, {"operation": "CREATE"}, {"deletionTimestamp": THEN}, ""),
        (POD, {"operation": "UPDATE", "sub_resource": "resize"}, {"deletionTimestamp": THEN}, DELETED),
        # a mirror Pod is a kubelet's word, and a kubelet is known by its account
        (POD, {"username": KUBELET}, {"annotations": MIRRORED}, MIRROR),
        (POD, {"username": KUBELET}, {"annotations": {"a": "b"}}, ""),
        (POD, {"username": KUBELET}, {}, ""),
        (POD, {"username": ALICE}, {"annotations": MIRRORED}, ""),
        (POD, {"username": "system:nodes:x"}, {"annotations": MIRRORED}, ""),
        (POD, {"username": "system:serviceaccount:shop:system:node:x"}, {"annotations": MIRRORED}, ""),
        # what a controller makes of something that was judged is not judged twice
        (REPLICASET, {"username": REPLICASETS}, {"ownerReferences": OWNER}, OWNED),
        (REPLICASET, {"username": MANAGER}, {"ownerReferences": OWNER}, OWNED),
        (JOB, {"username": CRONJOBS}, {"ownerReferences": OWNER}, OWNED),
        (REPLICASET, {"username": REPLICASETS, "operation": "UPDATE"}, {"ownerReferences": OWNER}, OWNED),
        (REPLICASET, {"username": ALICE}, {"ownerReferences": OWNER}, ""),
        (REPLICASET, {"username": GARBAGE}, {"ownerReferences": OWNER}, ""),
        (REPLICASET, {"username": "system:serviceaccount:shop:x-controller"}, {"ownerReferences": OWNER}, ""),
        (REPLICASET, {"username": "system:kube-controller-manager2"}, {"ownerReferences": OWNER}, ""),
        (REPLICASET, {"username": REPLICASETS}, {"ownerReferences": NO_CONTROLLER}, ""),
        (REPLICASET, {"username": REPLICASETS}, {}, ""),
        (POD, {"username": REPLICASETS}, {"ownerReferences": OWNER}, ""),
        (DEPLOYMENT, {"username": MANAGER}, {"ownerReferences": OWNER}, ""),
    ],
)
def test_a_request_is_judged_or_skipped_for_a_stated_reason(
    obj: Any, fields: dict[str, Any], meta: dict[str, Any], reason: str
) -> None:
    assert skip_reason(question(obj, **fields), ObjectMeta(**meta)) == reason


@pytest.mark.parametrize("obj", [POD, DEPLOYMENT, REPLICASET, JOB])
def test_nothing_that_an_author_can_write_makes_it_skipped(obj: Any) -> None:
    everything = ObjectMeta(
        name="kube-system",
        generateName="kube-",
        namespace="kube-system",
        labels={"app.kubernetes.io/managed-by": "plimsoll", "plimsoll.dev/ignore": "true"},
        annotations={**MIRRORED, "plimsoll.dev/set": "x", "kubernetes.io/config.source": "file"},
        ownerReferences=[*OWNER, OwnerReference(apiVersion="v1", kind="Node", name="worker-1", controller=True)],
        deletionTimestamp=THEN,
    )
    assert skip_reason(question(obj, username=ALICE), everything) == ""


@pytest.mark.parametrize(
    ("obj", "fields", "is_one"),
    [
        (POD, {"operation": "UPDATE", "sub_resource": "resize"}, True),
        (POD, {"operation": "CREATE", "sub_resource": "resize"}, False),
        (POD, {"operation": "UPDATE"}, False),
        (DEPLOYMENT, {"operation": "UPDATE", "sub_resource": "resize"}, False),
    ],
)
def test_a_resize_is_an_update_of_a_pods_subresource(obj: Any, fields: dict[str, Any], is_one: bool) -> None:
    assert is_resize(question(obj, **fields)) is is_one
