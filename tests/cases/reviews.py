"""AdmissionReviews as an API server sends them, and what it makes of the answers: patches applied strictly.

Independent of the product's own reading and writing of reviews. Needs no server.
"""

import base64
import copy
import itertools
import json
from dataclasses import dataclass
from typing import Any

import jsonpatch

from tests.cases.case import Object
from tests.cases.manifests import with_api_defaults

PLURALS = {"Pod": "pods", "PodTemplate": "podtemplates", "ReplicationController": "replicationcontrollers"}
_serial = itertools.count(1)


@dataclass(frozen=True)
class Answer:
    """`response` of an AdmissionReview, read and verified as the API server does it."""

    allowed: bool
    code: int
    message: str
    causes: tuple[Object, ...]
    warnings: tuple[str, ...]
    patch: tuple[Object, ...]
    audit: dict[str, str]


def review(obj: Object, *, user: str = "", old: Object | None = None, phase: str = "validate") -> Object:
    """The question about creating `obj`, or, with `old`, about changing it; a Pod is changed by `pods/resize`."""
    group, _, version = obj["apiVersion"].rpartition("/")
    plural = PLURALS.get(obj["kind"], obj["kind"].lower() + "s")
    kind = {"group": group, "version": version, "kind": obj["kind"]}
    resource = {"group": group, "version": version, "resource": plural}
    name = obj["metadata"].get("name", "")
    if not name and phase == "validate":
        name = obj["metadata"]["generateName"] + "x7k2p"  # generated between the two phases
        obj = copy.deepcopy(obj)
        obj["metadata"]["name"] = name
    request: Object = {
        "uid": f"705ab4f5-6393-11e8-b7cc-{next(_serial):012}",
        "kind": kind,
        "resource": resource,
        "requestKind": kind,
        "requestResource": resource,
        "name": name,
        "namespace": obj["metadata"]["namespace"],
        "operation": "CREATE" if old is None else "UPDATE",
        "userInfo": {"username": user or "developer", "groups": ["system:authenticated"]},
        "object": obj,
        "oldObject": old,
        "dryRun": False,
        "options": {"apiVersion": "meta.k8s.io/v1", "kind": "CreateOptions" if old is None else "UpdateOptions"},
    }
    if old is not None and obj["kind"] == "Pod":
        request["subResource"] = request["requestSubResource"] = "resize"
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}


def answer(asked: Object, body: bytes) -> Answer:
    """What the API server takes from a body; AssertionError where it would count the call as failed."""
    told = json.loads(body)
    assert (told["apiVersion"], told["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
    response: dict[str, Any] = told["response"]
    assert response["uid"] == asked["request"]["uid"]
    assert ("patch" in response) is ("patchType" in response)
    assert response.get("patchType", "JSONPatch") == "JSONPatch"
    status = response.get("status", {})
    warnings = tuple(response.get("warnings", ()))
    assert all(warning and warning.isprintable() for warning in warnings), "the API server would lose such a warning"
    return Answer(
        allowed=response["allowed"],
        code=status.get("code", 0),
        message=status.get("message", ""),
        causes=tuple(status.get("details", {}).get("causes", ())),
        warnings=warnings,
        patch=tuple(json.loads(base64.b64decode(response["patch"])) if "patch" in response else ()),
        audit=response.get("auditAnnotations", {}),
    )


def patched(pod: Object, given: Answer) -> Object:
    """The Pod with the answer's patch, by the letter of RFC 6902, and defaulted again as the API server does."""
    changed: Object = jsonpatch.JsonPatch(list(given.patch)).apply(pod)
    return with_api_defaults(changed)
