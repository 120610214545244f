"""Files that readers copy: they load, they are what their names say, and the copies under deploy/ are copies."""

from pathlib import Path

import pytest
from plimsoll.policy.limit_range import defaults
from plimsoll.policy.model import Defaulting, Mode, Policy
from plimsoll.policy.workload import ContainerClass
from plimsoll.schemas.compile import load

ROOT = Path(__file__).resolve().parents[2]
PACKAGED = ROOT / "app" / "plimsoll" / "presets"
DEPLOYED = ROOT / "deploy" / "presets"
LIMIT_RANGES = ROOT / "deploy" / "limit-ranges"
PRESETS = ("guaranteed", "memory-guard", "mesh", "no-cpu-limits", "quota-ready")


def preset(name: str) -> Policy:
    return load([(name, (PACKAGED / f"{name}.yaml").read_text())]).policies[name]


def required(policy: Policy) -> dict[str, tuple[bool, bool]]:
    """Resource → (request, limit), of regular containers."""
    return {
        bounds.resource: (bounds.request_required, bounds.limit_required)
        for bounds in policy.rules[ContainerClass.REGULAR].bounds
    }


def test_the_presets_are_the_ones_that_the_product_names() -> None:
    assert sorted(file.stem for file in PACKAGED.iterdir()) == sorted(PRESETS)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_under_deploy_is_the_packaged_one(name: str) -> None:
    assert (DEPLOYED / f"{name}.yaml").read_bytes() == (PACKAGED / f"{name}.yaml").read_bytes()


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_governs_every_namespace_and_refuses_with_an_offer(name: str) -> None:
    policy = preset(name)
    assert policy.namespaces.match("anything", {})
    assert (policy.mode, policy.defaulting) == (Mode.ENFORCE, Defaulting.SUGGEST)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_offers_a_value_for_everything_that_it_requires(name: str) -> None:
    policy = preset(name)
    every = [*policy.rules.values(), *(rules for override in policy.overrides for rules in override.rules.values())]
    for bounds in (bounds for rules in every for bounds in rules.bounds):
        assert not bounds.limit_required or bounds.default is not None
        assert not bounds.request_required or bounds.default_request is not None or (bounds.equal and bounds.default)


@pytest.mark.parametrize("name", ["memory-guard", "no-cpu-limits", "mesh"])
def test_a_preset_about_memory_asks_for_no_cpu_limit(name: str) -> None:
    policy = preset(name)
    assert required(policy) == {"cpu": (True, False), "memory": (True, True)}
    every = [*policy.rules.values(), *(rules for override in policy.overrides for rules in override.rules.values())]
    assert all(b.default is None for rules in every for b in rules.bounds if b.resource == "cpu")


def test_no_cpu_limits_differs_from_memory_guard_only_in_its_opinion_on_cpu_limits() -> None:
    guard, other = preset("memory-guard"), preset("no-cpu-limits")
    for container_class, rules in guard.rules.items():
        cpu, memory = rules.bounds
        other_cpu, other_memory = other.rules[container_class].bounds
        assert memory == other_memory
        assert (cpu.limit_forbidden, other_cpu.limit_forbidden) == (False, True)
        assert (cpu.request_required, cpu.default_request) == (other_cpu.request_required, other_cpu.default_request)


@pytest.mark.parametrize("name", ["guaranteed", "quota-ready"])
def test_a_preset_for_quota_or_guaranteed_qos_asks_for_all_four_values(name: str) -> None:
    assert required(preset(name)) == {"cpu": (True, True), "memory": (True, True)}


def test_guaranteed_makes_request_and_limit_equal() -> None:
    assert all(bounds.equal for bounds in preset("guaranteed").rules[ContainerClass.INIT].bounds)


def test_mesh_gives_well_known_sidecars_values_of_their_own() -> None:
    policy = preset("mesh")
    for name in ("istio-proxy", "istio-init", "linkerd-proxy", "linkerd-init", "daprd", "envoy", "kuma-init"):
        override = next(
            each for each in policy.overrides if each.match.containers and each.match.containers.match(name)
        )
        for container_class in (ContainerClass.REGULAR, ContainerClass.INIT, ContainerClass.SIDECAR):
            assert override.rules[container_class] != policy.rules[container_class]


@pytest.mark.parametrize("file", sorted(LIMIT_RANGES.iterdir()), ids=lambda file: file.stem)
def test_a_shipped_limit_range_is_one_the_api_server_takes_and_never_sets_a_cpu_limit(file: Path) -> None:
    loaded = load([(file.name, file.read_text())], namespace="team")
    limits, requests = defaults(loaded.limit_ranges["team", "defaults"])
    assert set(limits) == {"memory"}
    assert set(requests) == {"cpu", "memory"}
    assert requests["memory"] < limits["memory"]


def test_three_sizes_of_limit_ranges_grow_with_their_names() -> None:
    sizes = []
    for name in ("small", "medium", "large"):
        loaded = load([(name, (LIMIT_RANGES / f"{name}.yaml").read_text())], namespace="team")
        sizes.append(defaults(loaded.limit_ranges["team", "defaults"])[0]["memory"])
    assert sizes == sorted(sizes)
    assert len(set(sizes)) == 3
