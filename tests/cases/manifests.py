"""Makes of a case's short object what a person would send to the API server, and what that server makes of it.

Independent of the product on purpose: what the API server fills in is worked out here a second time, in the few lines
that it takes, so that a mistake there cannot hide behind itself. Needs no server.
"""

import copy
from collections.abc import Iterator, Mapping

from plimsoll.policy.quantity import Quantity, parse_json_value

from tests.cases.case import Case, Object, containers

API_VERSIONS = {
    "Pod": "v1",
    "PodTemplate": "v1",
    "ReplicationController": "v1",
    "DaemonSet": "apps/v1",
    "Deployment": "apps/v1",
    "ReplicaSet": "apps/v1",
    "StatefulSet": "apps/v1",
    "CronJob": "batch/v1",
    "Job": "batch/v1",
}
"""Kinds that every API server serves and that the webhook is registered for."""

IMAGE = "registry.example/app:1"
LIMIT_RANGER = "kubernetes.io/limit-ranger"

Amounts = Mapping[str, Mapping[str, Quantity]]
"""`requests` and `limits`, without empty ones."""


def is_registered(case: Case) -> bool:
    """Does the API server ask about such an object? Custom resources are judged in files and by their Pods."""
    known = API_VERSIONS.get(case.kind)
    return known is not None and case.object.get("apiVersion", known) == known


def completed(written: Object, name: str, namespace: str) -> Object:
    """The object with everything that a real one needs and that no case is about."""
    obj = copy.deepcopy(written)
    obj.setdefault("apiVersion", API_VERSIONS.get(obj["kind"]))
    meta = obj.setdefault("metadata", {})
    meta["namespace"] = namespace
    if "generateName" not in meta:
        meta.setdefault("name", name)
    for owner in meta.get("ownerReferences", ()):
        owner.setdefault("uid", "00000000-0000-0000-0000-000000000001")
    for list_name, container in containers(obj):
        container.setdefault("image", IMAGE)
        if list_name == "ephemeralContainers":
            container.setdefault("terminationMessagePolicy", "File")
    _complete_template(obj)
    return obj


def _complete_template(obj: Object) -> None:
    kind, spec = obj["kind"], obj.setdefault("spec", {}) if obj["kind"] != "PodTemplate" else {}
    if API_VERSIONS.get(kind) != obj["apiVersion"] or kind == "Pod":
        return
    if kind == "CronJob":
        spec.setdefault("schedule", "0 3 * * *")
        pod_spec = spec["jobTemplate"]["spec"]["template"]["spec"]
    else:
        pod_spec = (obj if kind == "PodTemplate" else spec)["template"]["spec"]
    if kind in ("CronJob", "Job"):
        pod_spec.setdefault("restartPolicy", "Never")
    if kind in ("DaemonSet", "Deployment", "ReplicaSet", "ReplicationController", "StatefulSet"):
        labels = spec["template"].setdefault("metadata", {}).setdefault("labels", {})
        labels.setdefault("app", "case")
        selector = {"app": labels["app"]}
        spec.setdefault("selector", selector if kind == "ReplicationController" else {"matchLabels": selector})
    if kind == "StatefulSet":
        spec.setdefault("serviceName", "case")


def deployment_of(pod: Object) -> Object:
    """The Deployment whose Pods look like this one."""
    meta = pod["metadata"]
    template = {
        "metadata": {key: dict(meta[key]) for key in ("labels", "annotations") if key in meta},
        "spec": copy.deepcopy(pod["spec"]),
    }
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": template}}
    return completed({**deployment, "metadata": {"name": meta["name"]}}, meta["name"], meta["namespace"])


def has_a_deployment(case: Case) -> bool:
    """Could this Pod also have come from a Deployment and be judged alike? Not where the case is about who made it."""
    about_workloads = any("workloads" in part for part in _mappings([case.policy, *case.documents, *case.exemptions]))
    lists = {list_name for list_name, _ in containers(case.object)}
    return (
        case.kind == "Pod"
        and case.old is None
        and not case.user
        and not about_workloads
        and "ephemeralContainers" not in lists
        and case.modes != ("",)
        and "templates" not in (case.policy or {})
        and not set(case.object.get("metadata", {})) - {"labels", "annotations"}
    )


def _mappings(value: object) -> Iterator[Mapping[str, object]]:
    if isinstance(value, dict):
        yield value
        for child in value.values():
            yield from _mappings(child)
    elif isinstance(value, list):
        for child in value:
            yield from _mappings(child)


def with_api_defaults(pod: Object) -> Object:
    """A Pod as the API server decodes it: an absent request takes its limit, and every container has `resources`."""
    pod = copy.deepcopy(pod)
    for list_name, container in containers(pod["spec"]):
        resources = container.setdefault("resources", {})
        if list_name != "ephemeralContainers":
            for resource, limit in (resources.get("limits") or {}).items():
                resources["requests"] = {resource: limit, **(resources.get("requests") or {})}
    return pod


def as_it_arrives(case: Case, pod: Object) -> Object:
    """The Pod as the API server shows it to a mutating webhook, with LimitRanger's annotation where that acted."""
    pod = with_api_defaults(pod)
    if case.expect.arrives is None:
        return pod
    notes = []
    for listed_as, kind in (("containers", "container"), ("initContainers", "init container")):
        for container in pod["spec"].get(listed_as, ()):
            arrives = case.expect.arrives.get(container["name"], {})
            for side in ("requests", "limits"):
                amounts = container["resources"].get(side) or {}
                if filled := {name: amount for name, amount in arrives.get(side, {}).items() if name not in amounts}:
                    container["resources"][side] = {**amounts, **filled}
                    notes.append(f"{', '.join(sorted(filled))} {side[:-1]} for {kind} {container['name']}")
    if notes:
        annotations = pod["metadata"].setdefault("annotations", {})
        annotations[LIMIT_RANGER] = "LimitRanger plugin set: " + "; ".join(notes)
    return pod


def amounts_of(resources: Mapping[str, Mapping[str, object] | None] | None) -> Amounts:
    """Requests and limits by value, as the API server stores them."""
    sides = {side: (resources or {}).get(side) or {} for side in ("requests", "limits")}
    return {
        side: {name: parse_json_value(amount).ceil_milli() for name, amount in amounts.items()}
        for side, amounts in sides.items()
        if amounts
    }


def all_amounts(obj: Object) -> dict[str, Amounts]:
    """Container name → its amounts, for every container that has any."""
    found = {container["name"]: amounts_of(container.get("resources")) for _, container in containers(obj)}
    return {name: amounts for name, amounts in found.items() if amounts}


def expected_amounts(resources: Mapping[str, Object]) -> dict[str, Amounts]:
    """The same of what a case says."""
    found = {name: amounts_of(amounts) for name, amounts in resources.items()}
    return {name: amounts for name, amounts in found.items() if amounts}
