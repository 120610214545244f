"""Pods and LimitRanges in one line, for tables: `init i req cpu=1; a lim cpu=2,memory=1Gi` and `Container max cpu=2`.

A pod is containers joined by "; ", each a name with `req` and `lim`; `init` or `sidecar` may stand before the name.
`pod` gives `spec.resources`, `overhead` the overhead. A LimitRange is items joined by " + ", each a type with
`default`, `defReq`, `min`, `max` or `ratio`. Amounts are `name=amount`, joined by commas.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from plimsoll.policy.draft import NO_RULES, Draft, default_requests
from plimsoll.policy.limit_range import LimitRange, read_limit_range
from plimsoll.policy.quantity import Quantity
from plimsoll.policy.workload import Resources, Workload, read_workloads

Json = dict[str, Any]
Contents = dict[str, tuple[dict[str, Quantity], dict[str, Quantity]]]
"""Name → (requests, limits)."""

_FIELDS = {
    "default": "default",
    "defReq": "defaultRequest",
    "min": "min",
    "max": "max",
    "ratio": "maxLimitRequestRatio",
}


def rows(table: str) -> list[tuple[str, ...]]:
    """The lines of a table in `vectors`, split at tabs."""
    lines = (Path(__file__).parent / "vectors" / table).read_text().splitlines()
    return [tuple(line.split("\t")) for line in lines if line and not line.startswith("#")]


def parts(cell: str) -> list[str]:
    """What " && " joins."""
    return [part for part in cell.split(" && ") if part]


def pod(text: str) -> Json:
    """The Pod."""
    spec: Json = {"containers": []}
    for segment in text.split("; "):
        words = segment.split()
        if words[0] == "overhead":
            spec["overhead"] = _amounts(words[1])
            continue
        if words[0] == "pod":
            spec["resources"] = _resources(words[1:])
            continue
        before = words.pop(0) if words[0] in {"init", "sidecar"} else ""
        container = {"name": words[0], "image": "registry.test/app:1", "resources": _resources(words[1:])}
        if before == "sidecar":
            container["restartPolicy"] = "Always"
        spec.setdefault("initContainers" if before else "containers", []).append(container)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod", "namespace": "team"}, "spec": spec}


def limit_range(text: str, name: str = "limits") -> Json:
    """The LimitRange, as a person would write it."""
    items = []
    for segment in text.split(" + "):
        words = segment.split()
        item: Json = {"type": words[0]}
        for field, amounts in zip(words[1::2], words[2::2], strict=True):
            item[_FIELDS[field]] = _amounts(amounts)
        items.append(item)
    metadata = {"name": name, "namespace": "team"}
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": metadata, "spec": {"limits": items}}


def limit_ranges(text: str) -> list[LimitRange]:
    """LimitRanges joined by " | ", read; their names are `limits-0`, `limits-1`, …."""
    return [
        read_limit_range(json.dumps(limit_range(one, f"limits-{index}")).encode())[1]
        for index, one in enumerate(text.split(" | "))
    ]


def workload(pod_object: Json) -> Workload:
    """The Pod, read."""
    return next(read_workloads(json.dumps(pod_object).encode()))


def drafts(pod_object: Json) -> list[Draft]:
    """Its containers after API defaulting."""
    return drafts_of(workload(pod_object))


def drafts_of(given: Workload) -> list[Draft]:
    """Containers after API defaulting."""
    made = [Draft(container, NO_RULES, frozenset()) for container in given.containers]
    default_requests(made)
    return made


def contents(made: Sequence[Draft]) -> Contents:
    """Name → (requests, limits), to be compared."""
    return {draft.container.name: (draft.requests, draft.limits) for draft in made}


def written(text: str) -> tuple[Contents, Resources | None]:
    """What a line says and nothing more: containers, and the pod's own resources."""
    read = workload(pod(text))
    found = {c.name: (dict(c.resources.requests), dict(c.resources.limits)) for c in read.containers}
    return found, read.pod_resources


def _resources(words: Sequence[str]) -> Json:
    fields = {"req": "requests", "lim": "limits"}
    return {fields[side]: _amounts(amounts) for side, amounts in zip(words[::2], words[1::2], strict=True)}


def _amounts(text: str) -> dict[str, str]:
    pairs = (entry.partition("=") for entry in text.split(","))
    return {name: amount for name, _, amount in pairs}
