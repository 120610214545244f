"""Generated policies, LimitRanges and pods: mostly legal ones, with amounts from small ladders so that they often meet.

The same seed gives the same ones. Needs no server.
"""

import random
from collections.abc import Iterator

from tests.cases.case import Object
from tests.control_plane.governed import pod

LIMIT_RANGES: list[Object] = [
    {},
    {"default": {"memory": "256Mi"}, "defaultRequest": {"memory": "128Mi"}},
    {"default": {"cpu": "500m"}, "defaultRequest": {"cpu": "100m"}},
    {"min": {"memory": "32Mi"}, "max": {"memory": "2Gi"}},
    {"max": {"cpu": "2"}, "default": {"cpu": "1"}, "defaultRequest": {"cpu": "200m"}},
    {"defaultRequest": {"memory": "64Mi"}, "maxLimitRequestRatio": {"memory": "8"}},
    {"type": "Pod", "max": {"memory": "3Gi"}},
    {"type": "Pod", "maxLimitRequestRatio": {"cpu": "10"}},
]
MEMORY = ("0", "1Mi", "32Mi", "64Mi", "100M", "128Mi", "256Mi", "512Mi", "1Gi", "1.5Gi", "4Gi")
CPU = ("0", "1m", "50m", "0.1", "250m", "1", "1500m", "4")
GPU = ("0", "1", "2")
PAGES = ("0", "2Mi", "4Mi", "64Mi")
RESOURCES: dict[str, tuple[str, ...]] = {
    "memory": MEMORY,
    "cpu": CPU,
    "ephemeral-storage": MEMORY,
    "nvidia.com/gpu": GPU,
    "hugepages-2Mi": PAGES,
}
ONE_FOR_BOTH = ("nvidia.com/gpu", "hugepages-2Mi")


def policies(chance: random.Random) -> Iterator[Object]:
    """Policies that fill in and clamp all they can; under Warn, so that nothing but others refuses a Pod."""
    most = {"memory": "1Gi", "cpu": "2", "nvidia.com/gpu": "1", "hugepages-2Mi": "4Mi"}
    ranges = {"min": {"memory": "32Mi"}, "max": most}
    for number in range(len(LIMIT_RANGES) * 3):
        rules: Object = {
            "required": {"requests": ["cpu", "memory"], "limits": ["memory"]},
            "default": {"memory": chance.choice(["64Mi", "256Mi", "1Gi"])},
            "defaultRequest": {"cpu": "50m", "memory": chance.choice(["32Mi", "64Mi"])},
        }
        if number % 2:
            rules |= ranges
        if chance.random() < 0.6:
            rules["outOfRange"] = "Clamp"
        if chance.random() < 0.3:
            rules["maxLimitRequestRatio"] = {"memory": "32"}
        if chance.random() < 0.3:
            rules["forbidden"] = {"limits": ["cpu"]}
        elif chance.random() < 0.5:
            rules["default"]["cpu"] = "1"
        for name, amount in (("nvidia.com/gpu", "1"), ("hugepages-2Mi", "4Mi"), ("ephemeral-storage", "1Gi")):
            if chance.random() < 0.3:
                rules["default"][name] = amount
        if chance.random() < 0.2:
            rules["forbidden"] = {"requests": ["cpu"]}
            rules["required"] = {"limits": ["memory"]}
            rules["defaultRequest"].pop("cpu")
            rules["default"].pop("cpu", None)
        spec: Object = {"mode": "Warn", "defaulting": "Apply", "containers": rules}
        if chance.random() < 0.2:
            rules["equal"] = ["memory"]
            rules["defaultRequest"]["memory"] = rules["default"]["memory"]
        elif chance.random() < 0.4:
            spec["initContainers"] = {"default": {"memory": "64Mi"}, "defaultRequest": {"memory": "32Mi"}}
        yield spec


def generated_pod(chance: random.Random, namespace: str, *, pod_level: bool) -> Object:
    made = pod(
        namespace,
        *({"name": f"app-{number}", **written(chance)} for number in range(chance.randint(1, 3))),
        init=tuple(
            {"name": f"init-{number}", **written(chance), **chance.choice([{}, {"restartPolicy": "Always"}])}
            for number in range(chance.randint(0, 2))
        ),
    )
    if pod_level and chance.random() < 0.2:
        name = chance.choice(["memory", "cpu"])
        made["spec"]["resources"] = {chance.choice(["limits", "requests"]): {name: RESOURCES[name][-1]}}
    return made


def written(chance: random.Random) -> Object:
    """Amounts as authors write them: mostly legal, requests mostly within limits."""
    resources: Object = {}
    for name, ladder in RESOURCES.items():
        low, high = sorted(chance.randrange(len(ladder)) for _ in range(2))
        often = 0.1 if name in ONE_FOR_BOTH else 0.3
        if chance.random() < often and name not in ONE_FOR_BOTH:
            resources.setdefault("requests", {})[name] = ladder[low]
        if chance.random() < often:
            resources.setdefault("limits", {})[name] = ladder[high]
    for side in ("requests", "limits"):
        if chance.random() < 0.1:
            resources.setdefault(side, {})
    return {"resources": resources} if resources or chance.random() < 0.5 else {}
