"""Our pod totals against k8s.io/component-helpers: init containers, sidecars, pod-level resources and overhead."""

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from plimsoll.policy.quantity import parse
from plimsoll.policy.totals import Amounts, pod_totals

from tests.control_plane.parity_program import answers, parity_or_skip

SEED = 1876
PODS = 4_000
TEXTS = {
    # A negative amount is refused later by the API server; here it shows whether a peak is taken where it should be.
    "cpu": ("0", "-3", "1m", "100m", "0.3", "1", "1500m", "2", "64", "1e1", "333u"),
    "memory": ("0", "1", "100m", "64Mi", "0.1Gi", "1G", "1Gi", "1.5Gi", "7Ei", "8Ei", "12E"),
    "ephemeral-storage": ("0", "1Gi", "2G", "1.5Gi"),
    "hugepages-2Mi": ("0", "2Mi", "4Mi", "1Gi"),
    "hugepages-1Gi": ("1Gi", "2Gi"),
    "nvidia.com/gpu": ("0", "1", "2", "8"),
    "kubernetes.io/odd": ("500m", "1"),
}

Texts = Mapping[str, str]


@pytest.fixture(scope="module")
def parity() -> Path:
    return parity_or_skip()


def test_generated_pods_have_the_totals_of_component_helpers(parity: Path) -> None:
    chance = random.Random(SEED)
    specs = [pod_spec(chance) for _ in range(PODS)]
    said = answers(parity, "pod-totals", map(json.dumps, specs))
    assert len(said) == len(specs) >= 2_000
    for spec, theirs in zip(specs, said, strict=True):
        for side in ("requests", "limits"):
            assert totals(spec, side) == {name: int(amount) for name, amount in theirs[side].items()}, (side, spec)
    with_sidecar_and_init = sum(
        len({"restartPolicy" in c for c in spec.get("initContainers", ())}) == 2 for spec in specs
    )
    assert with_sidecar_and_init > PODS / 10, "position between sidecars and inits must be tried often"
    print(f"{len(specs):,} pods have the requests and limits that component-helpers gives them")


def totals(spec: Mapping[str, Any], side: str) -> dict[str, int]:
    containers = [("regular", amounts(container["resources"].get(side))) for container in spec["containers"]]
    for container in spec.get("initContainers", ()):
        container_class = "sidecar" if container.get("restartPolicy") == "Always" else "init"
        containers.append((container_class, amounts(container["resources"].get(side))))
    pod_level = amounts(spec["resources"].get(side)) if "resources" in spec else None
    return pod_totals(containers, pod_level, amounts(spec.get("overhead")), limits=side == "limits")


def amounts(texts: Texts | None) -> Amounts:
    return {name: parse(text).nano for name, text in (texts or {}).items()}


def pod_spec(chance: random.Random) -> dict[str, Any]:
    spec: dict[str, Any] = {"containers": [container(chance, f"app-{i}") for i in range(chance.randint(0, 4))]}
    if chance.random() < 0.6:
        spec["initContainers"] = [init_container(chance, f"init-{i}") for i in range(chance.randint(0, 5))]
    if chance.random() < 0.4:
        spec["resources"] = requirements(chance)
    if chance.random() < 0.4:
        spec["overhead"] = resource_list(chance)
    return spec


def container(chance: random.Random, name: str) -> dict[str, Any]:
    return {"name": name, "image": "example.com/app:1", "resources": requirements(chance)}


def init_container(chance: random.Random, name: str) -> dict[str, Any]:
    made = container(chance, name)
    if chance.random() < 0.5:
        made["restartPolicy"] = "Always"
    return made


def requirements(chance: random.Random) -> dict[str, Any]:
    return {side: resource_list(chance) for side in ("requests", "limits") if chance.random() < 0.8}


def resource_list(chance: random.Random) -> Texts:
    names = chance.sample(sorted(TEXTS), k=chance.choice((0, 1, 2, 2, 3)))
    return {name: chance.choice(TEXTS[name]) for name in names}
