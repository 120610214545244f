"""What a whole pod asks for: the scheduler's arithmetic over its containers, as plain numbers.

Knows nothing of workloads or policies: names, amounts and container classes in, amounts out. A total says nothing about
a container that names no amount; a partial sum of limits does not mean that the pod is bounded.
Follows PodRequests and PodLimits of k8s.io/component-helpers resource/helpers.go, for a pod without status.
"""

from collections.abc import Iterable, Mapping

Amounts = Mapping[str, int]
"""Resource name → nano-units."""


def pod_totals(
    containers: Iterable[tuple[str, Amounts]], pod_level: Amounts | None, overhead: Amounts | None, *, limits: bool
) -> dict[str, int]:
    """The pod's total requests or, with `limits`, limits: resource name → nano-units.

    `containers` are pairs of class (`regular`, `init`, `sidecar`; any other counts nothing) and the requests or limits
    of that container, init containers and sidecars in the order of the spec. `pod_level` is the same side of
    `spec.resources`, `overhead` is `spec.overhead`.
    """
    totals: dict[str, int] = {}
    running_sidecars: dict[str, int] = {}
    peak: dict[str, int] = {}
    for container_class, amounts in containers:
        if container_class == "regular":
            _add(totals, amounts)
        elif container_class == "sidecar":
            _add(totals, amounts)
            _add(running_sidecars, amounts)
            _raise(peak, {resource: running_sidecars[resource] for resource in amounts})
        elif container_class == "init":
            # Only the sidecars before it are running by then; what it does not ask for itself cannot be a new peak.
            _raise(peak, {name: amount + running_sidecars.get(name, 0) for name, amount in amounts.items()})
    _raise(totals, peak)
    for resource, amount in (pod_level or {}).items():
        if can_be_pod_level(resource):
            totals[resource] = amount
    if overhead:
        _add(totals, {name: amount for name, amount in overhead.items() if totals.get(name)} if limits else overhead)
    return totals


def can_be_pod_level(resource: str) -> bool:
    """Does the API server know this resource in a pod's own `spec.resources`?"""
    return resource in {"cpu", "memory"} or resource.startswith("hugepages-")


def _add(totals: dict[str, int], amounts: Amounts) -> None:
    for resource, amount in amounts.items():
        totals[resource] = totals.get(resource, 0) + amount


def _raise(totals: dict[str, int], amounts: Amounts) -> None:
    for resource, amount in amounts.items():
        if resource not in totals or amount > totals[resource]:
            totals[resource] = amount
