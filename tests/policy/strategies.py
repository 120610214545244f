"""Generated pods, policies and LimitRanges: legal ones, with amounts from a small ladder so that bounds meet often."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st
from plimsoll.policy.limit_range import LimitRange, LimitRangeItem
from plimsoll.policy.matching import Globs
from plimsoll.policy.model import Bounds, Defaulting, Exemption, Matcher, Mode, NamespaceMatch, Policy, Rules
from plimsoll.policy.quantity import Quantity, parse
from plimsoll.policy.resource_names import may_overcommit
from plimsoll.policy.workload import ContainerClass

MEMORY = ["0", "1", "16Mi", "64Mi", "100M", "128Mi", "200Mi", "256Mi", "512Mi", "1Gi", "1.5Gi", "2Gi", "8Gi"]
CPU = ["0", "1m", "50m", "0.1", "250m", "500m", "1", "1500m", "2", "8"]
GPU = ["0", "1", "2", "4"]
PAGES = ["2Mi", "4Mi", "64Mi"]
LADDERS = {"cpu": CPU, "memory": MEMORY, "ephemeral-storage": MEMORY, "nvidia.com/gpu": GPU, "hugepages-2Mi": PAGES}
RATIOS = ["1", "1.5", "2", "4", "10"]


def amounts(resources: list[str]) -> st.SearchStrategy[dict[str, str]]:
    """A map of requests or limits."""
    return st.fixed_dictionaries({}, optional={name: st.sampled_from(LADDERS[name]) for name in resources})


@st.composite
def written_resources(draw: st.DrawFn) -> dict[str, Any] | None:
    """Resources of one container as the API accepts them: request ≤ limit, whole resources equal, or nothing at all."""
    if draw(st.integers(0, 4)) == 0:
        return draw(st.sampled_from([None, {}]))
    limits = draw(amounts(list(LADDERS)))
    if "hugepages-2Mi" in limits:
        limits.setdefault("memory", "1Gi")
    requests = draw(amounts(["cpu", "memory", "ephemeral-storage"]))
    for name in tuple(requests):
        if name in limits and parse(requests[name]) > parse(limits[name]):
            requests[name], limits[name] = limits[name], requests[name]
    for name in limits:
        if not may_overcommit(name) and draw(st.booleans()):
            requests[name] = limits[name]
    written: dict[str, Any] = {}
    empty_limits, empty_requests = draw(st.booleans()), draw(st.booleans())
    if limits or empty_limits:
        written["limits"] = limits
    if requests or empty_requests:
        written["requests"] = requests
    return written


@st.composite
def pod_specs(draw: st.DrawFn, *, pod_level: bool = False) -> dict[str, Any]:
    """A pod spec with every class of container."""

    def container(name: str, **more: Any) -> dict[str, Any]:
        written = draw(written_resources())
        return {"name": name, "image": "registry.test/app:1", **more} | (
            {} if written is None else {"resources": written}
        )

    spec: dict[str, Any] = {"containers": [container(f"app-{i}") for i in range(draw(st.integers(1, 3)))]}
    inits = draw(st.lists(st.booleans(), max_size=3))
    if inits:
        spec["initContainers"] = [
            container(f"init-{i}", **({"restartPolicy": "Always"} if sidecar else {}))
            for i, sidecar in enumerate(inits)
        ]
    if pod_level and draw(st.booleans()):
        limits = draw(amounts(["cpu", "memory"]))
        spec["resources"] = {"limits": limits}
    return spec


@st.composite
def bounds(draw: st.DrawFn, resource: str) -> Bounds:
    """Bounds whose relations a policy document would pass with."""
    ladder = sorted((parse(text) for text in LADDERS[resource] if parse(text).nano > 0), key=lambda q: q.nano)

    def maybe(values: list[Quantity]) -> Quantity | None:
        return draw(st.none() | st.sampled_from(values)) if values else None

    low, high = maybe(ladder[:3]), maybe(ladder[-4:])
    inside = [q for q in ladder if (low is None or q >= low) and (high is None or q <= high)]
    default, default_request = maybe(inside), maybe(inside)
    equal = draw(st.booleans()) and draw(st.booleans())
    ratio = draw(st.none() | st.sampled_from([parse(text) for text in RATIOS]))
    two = not equal and may_overcommit(resource)
    if two and ratio and default and default_request and default.nano * 10**9 > ratio.nano * default_request.nano:
        ratio = None
    limit_forbidden = not equal and default is None and draw(st.integers(0, 5)) == 0
    return Bounds(
        resource,
        request_required=draw(st.booleans()),
        limit_required=not limit_forbidden and draw(st.booleans()),
        limit_forbidden=limit_forbidden,
        default_request=default_request,
        default=default,
        min=low,
        max=high,
        ratio=ratio,
        equal=equal,
    )


@st.composite
def rules(draw: st.DrawFn) -> Rules:
    """Rules over a few resources."""
    names = draw(st.lists(st.sampled_from(sorted(LADDERS)), unique=True, max_size=4))
    return Rules(tuple(draw(bounds(name)) for name in sorted(names)), clamp=draw(st.booleans()))


@st.composite
def policies(draw: st.DrawFn, defaulting: Defaulting | None = None) -> Policy:
    """A policy for every namespace, with rules of their own for each class."""
    same = draw(rules())
    return Policy(
        "generated",
        NamespaceMatch(include=Globs.of(["*"])),
        mode=draw(st.sampled_from([Mode.WARN, Mode.ENFORCE])),
        templates=Mode.ENFORCE,
        defaulting=defaulting or draw(st.sampled_from(Defaulting)),
        rules={c: same if draw(st.booleans()) else draw(rules()) for c in ContainerClass},
        pod=Rules((Bounds("memory", max=parse("8Gi")),)) if draw(st.booleans()) else Rules(),
    )


@st.composite
def exemptions(draw: st.DrawFn) -> Exemption:
    """An exemption from a few checks, of all containers or of some."""
    checks = [
        f"{resource}.{suffix}"
        for resource in LADDERS
        for suffix in ("limit.required", "request.required", "limit.max", "request.max", "limit.min", "limit.forbidden")
    ]
    waived = draw(st.lists(st.sampled_from(["*", *checks]), min_size=1, max_size=4))
    names = draw(st.none() | st.just(Globs.of(["app-0", "init-*"])))
    end = datetime(2030, 1, 1, tzinfo=UTC)
    return Exemption(
        "generated", "team", "why", end, "2030-01-01T00:00:00Z", Matcher(containers=names), None, frozenset(waived)
    )


@st.composite
def limit_ranges(draw: st.DrawFn) -> LimitRange:
    """A LimitRange that the API would accept, as it reads back: derived defaults filled in."""
    item: dict[str, dict[str, Quantity]] = {"min": {}, "max": {}, "default": {}, "default_request": {}}
    for name in draw(st.lists(st.sampled_from(["cpu", "memory"]), unique=True, max_size=2)):
        ladder = sorted((parse(text) for text in LADDERS[name] if parse(text).nano > 0), key=lambda q: q.nano)
        picked = sorted(draw(st.lists(st.sampled_from(ladder), min_size=4, max_size=4)), key=lambda q: q.nano)
        use = draw(st.lists(st.booleans(), min_size=4, max_size=4))
        for key, quantity, used in zip(("min", "default_request", "default", "max"), picked, use, strict=True):
            if used:
                item[key][name] = quantity
        if name in item["max"]:
            item["default"].setdefault(name, item["max"][name])
        if name in item["default"]:
            item["default_request"].setdefault(name, item["default"][name])
        if name in item["min"]:
            item["default_request"].setdefault(name, item["min"][name])
    return LimitRange("own", (LimitRangeItem("Container", **item),), managed=draw(st.booleans()))
