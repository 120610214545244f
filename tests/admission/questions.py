"""The API server's questions for tables: a Pod, a resize, a template, asked by anybody."""

from __future__ import annotations

import json
from typing import Any

from msgspec import Raw
from plimsoll.admission.request import AdmissionRequest

Json = Any

ALICE = "alice"
REPLICASETS = "system:serviceaccount:kube-system:replicaset-controller"
KUBELET = "system:node:worker-1"
GARBAGE = "system:serviceaccount:kube-system:generic-garbage-collector"


def raw(obj: Json) -> Raw | None:
    return None if obj is None else Raw(json.dumps(obj).encode())


def question(obj: Json, *, old: Json = None, **fields: Any) -> AdmissionRequest:
    """Kind and apiVersion of the object, its name and namespace, CREATE by a person, unless told otherwise."""
    shown = obj or old or {}
    meta = shown.get("metadata") or {}
    given: dict[str, Any] = {
        "uid": "1",
        "api_version": shown.get("apiVersion", "v1"),
        "kind": shown.get("kind", "Pod"),
        "sub_resource": "",
        "operation": "CREATE" if old is None else "UPDATE",
        "name": meta.get("name", ""),
        "namespace": meta.get("namespace", "team"),
        "username": ALICE,
        "dry_run": False,
    }
    return AdmissionRequest(**(given | fields), object=raw(obj), old_object=raw(old))


def resize(obj: Json, old: Json, **fields: Any) -> AdmissionRequest:
    return question(obj, old=old, sub_resource="resize", **fields)
