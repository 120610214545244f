"""AdmissionReviews as the API server sends them, and a policy that says something about them."""

import json
from typing import Any

from plimsoll.files.manifests import Manifest
from plimsoll.policy.snapshot import Snapshot
from plimsoll.wiring.local import compile_policies

Json = dict[str, Any]

POLICY = """\
apiVersion: plimsoll.dev/v1alpha1
kind: ClusterLimitPolicy
metadata: {name: guard}
spec:
  namespaces: {include: [enforced]}
  mode: Enforce
  defaulting: Apply
  containers:
    required: {limits: [memory]}
    default: {memory: 64Mi}
---
apiVersion: plimsoll.dev/v1alpha1
kind: ClusterLimitPolicy
metadata: {name: watch}
spec:
  namespaces: {include: [warned]}
  mode: Warn
  containers: {required: {limits: [memory]}}
"""


def snapshot() -> Snapshot:
    return compile_policies([Manifest("policy.yaml", POLICY)]).snapshot


def pod(**resources: Json) -> Json:
    container = {"name": "web", "image": "nginx", "resources": resources}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "namespace": "enforced"},
        "spec": {"containers": [container]},
    }


def review(obj: Any = None, **fields: Any) -> Json:
    request = {
        "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "operation": "CREATE",
        "namespace": "enforced",
        "name": "web",
        "userInfo": {"username": "somebody"},
        "object": pod() if obj is None else obj,
        "oldObject": None,
        "dryRun": False,
        **fields,
    }
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}


def body(document: Json) -> bytes:
    return json.dumps(document).encode()
