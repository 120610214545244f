"""Generated LimitRanges and pods for the comparison with a real LimitRanger, from a seed.

Amounts come from small ladders, so that bounds are met exactly, missed narrowly and left out. Most of it is legal;
some of it is what API validation refuses. Judges nothing.
"""

import json
import random
from collections.abc import Sequence
from typing import Any

from plimsoll.policy.quantity import parse

Json = dict[str, Any]

MEMORY = ("0", "1", "100m", "1k", "16Mi", "64Mi", "100M", "0.1Gi", "128Mi", "1e9", "1G", "1Gi", "1.5Gi", "2Gi")
HUGE = ("9007199254740992", "9Pi", "10Pi", "7Ei", "8Ei", "10E", "18446744073709552617")
WRAPPING = (*HUGE, "20000000000G")
"""For pods alone: the server judges a LimitRange by this text and stores 20E, which wraps to another number."""
LADDERS: dict[str, Sequence[str]] = {
    "cpu": ("0", "1u", "1m", "50m", "0.1", "100m", "250m", "500m", "1", "1500m", "2e0", "2", "3", "4", "64"),
    "memory": MEMORY,
    "ephemeral-storage": MEMORY,
    "hugepages-2Mi": ("0", "2Mi", "4Mi", "8Mi", "1Gi"),
    "nvidia.com/gpu": ("0", "1", "2", "4", "8"),
    "foo.kubernetes.io/bar": ("500m", "1", "2"),
}
OFTEN = ("cpu", "cpu", "cpu", "memory", "memory", "memory", "ephemeral-storage", "nvidia.com/gpu", "hugepages-2Mi")
RATIOS = ("1", "1.5", "1.0001", "2", "3", "4", "10", "1e1")
SIDES = (("requests",), ("limits",), ("requests", "limits"))
WRONG_NAMES = ("gpu", "storage", "requests.nvidia.com/gpu", "Upper.com/gpu", "hugepages-3x")
OVERHEADS: dict[str, Json] = {"light": {"cpu": "50m"}, "heavy": {"cpu": "250m", "memory": "120Mi"}}
"""RuntimeClass → the overhead that it gives its pods."""


def limit_range(chance: random.Random, name: str) -> Json:
    """One LimitRange with items of any type; perhaps one in eight is refused."""
    types = ["Container"] if chance.random() < 0.8 else []
    types += ["Pod"] if chance.random() < 0.45 or not types else []
    types += ["PersistentVolumeClaim"] if chance.random() < 0.05 else []
    types += ["example.com/Thing"] if chance.random() < 0.03 else []
    types += [chance.choice(["Container", "Node", "a/b/c"])] if chance.random() < 0.02 else []
    chance.shuffle(types)
    items = [_item(chance, item_type) for item_type in types]
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": name}, "spec": {"limits": items}}


def pod(chance: random.Random) -> Json:
    """One pod with containers of every class that can be created, pod-level resources and overhead."""
    spec: Json = {"containers": [_container(chance, f"app-{i}") for i in range(chance.choice([1, 1, 1, 2, 3]))]}
    inits = [_container(chance, f"init-{i}") for i in range(chance.choice([0, 0, 0, 1, 1, 2, 3]))]
    for container in inits:
        if chance.random() < 0.5:
            container["restartPolicy"] = "Always"
    if inits:
        spec["initContainers"] = inits
    if chance.random() < 0.2:
        spec["resources"] = _resources(chance, ("cpu", "memory", "cpu", "memory", "hugepages-2Mi"), generous=True)
        if chance.random() < 0.05:
            spec["resources"] = chance.choice([{}, {"limits": {"ephemeral-storage": "1Gi"}}])
    if chance.random() < 0.1:
        spec["runtimeClassName"] = chance.choice(list(OVERHEADS))
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}, "spec": spec}


def _item(chance: random.Random, item_type: str) -> Json:
    item: Json = {"type": item_type}
    resources = set(chance.choices(OFTEN, k=chance.choice([1, 1, 2, 3])))
    for resource in sorted(resources | ({"storage"} if item_type == "PersistentVolumeClaim" else set())):
        fields = ["min", "max"] if item_type != "Container" else ["min", "defaultRequest", "default", "max"]
        chosen = [field for field in fields if chance.random() < 0.4]
        if not chosen:
            chosen = [chance.choice(fields)]
        amounts = [_amount(chance, "memory" if resource == "storage" else resource) for _ in chosen]
        if chance.random() < 0.93:
            amounts.sort(key=lambda text: parse(text).nano)
        if resource in {"nvidia.com/gpu", "hugepages-2Mi"} and chance.random() < 0.9:
            amounts = [amounts[0]] * len(amounts)
        for field, amount in zip(chosen, amounts, strict=True):
            item.setdefault(field, {})[resource] = amount
        if chance.random() < 0.2:
            item.setdefault("maxLimitRequestRatio", {})[resource] = chance.choice(RATIOS)
    if chance.random() < 0.02:
        item.setdefault(chance.choice(["default", "max", "maxLimitRequestRatio"]), {})[chance.choice(WRONG_NAMES)] = "1"
    return item


def _container(chance: random.Random, name: str) -> Json:
    return {"name": name, "image": "registry.test/app:1", "resources": _resources(chance, OFTEN)}


def _resources(chance: random.Random, names: Sequence[str], *, generous: bool = False) -> Json:
    written: Json = {}
    for resource in sorted(set(chance.choices(names, k=chance.choice([0, 1, 2, 3])))):
        pair = sorted(
            (_amount(chance, resource, WRAPPING, generous=generous) for _ in range(2)), key=lambda t: parse(t).nano
        )
        if chance.random() < 0.02:
            pair.reverse()
        sides = chance.choice(SIDES)
        if resource in {"nvidia.com/gpu", "hugepages-2Mi"} and chance.random() < 0.95:
            pair[0], sides = pair[1], chance.choice(SIDES[1:])
        for side, amount in zip(("requests", "limits"), pair, strict=True):
            if side in sides:
                written.setdefault(side, {})[resource] = _as_json(chance, amount)
    if chance.random() < 0.02:
        side = chance.choice(["requests", "limits"])
        written.setdefault(side, {})[chance.choice(WRONG_NAMES)] = chance.choice(["1", "500m"])
    if "hugepages-2Mi" in json.dumps(written) and chance.random() < 0.9:
        written.setdefault("limits", {}).setdefault("memory", "1Gi")
    return written


def _amount(chance: random.Random, resource: str, huge: Sequence[str] = HUGE, *, generous: bool = False) -> str:
    if chance.random() < 0.01 and resource in {"memory", "ephemeral-storage"}:
        return chance.choice(huge)
    if chance.random() < 0.01:
        return chance.choice(["-1", "1500m"])
    ladder = LADDERS.get(resource, LADDERS["memory"])
    return chance.choice(ladder[-len(ladder) // 3 :] if generous else ladder)


def _as_json(chance: random.Random, text: str) -> str | int:
    """Numbers are legal, too."""
    return int(text) if text.isdigit() and len(text) < 10 and chance.random() < 0.1 else text
