"""What the API server itself adds up over a pod's containers, and what it writes into the pod's own ``spec.resources``.

The sums are the scheduler's (`totals`), kept as quantities with the server's text. Nothing here judges.
Follows AggregateContainerRequests and AggregateContainerLimits of k8s.io/component-helpers resource/helpers.go and
DefaultPodLevelResources of kubernetes/kubernetes pkg/api/pod/util.go (1.37).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from plimsoll.policy.quantity import Quantity
from plimsoll.policy.resource_names import POD_LEVEL, is_hugepages
from plimsoll.policy.server_quantity import Amount
from plimsoll.policy.totals import pod_totals
from plimsoll.policy.workload import Container, ContainerClass, Resources


class Amounts(Protocol):
    """One container and its amounts so far; the two maps are filled in place."""

    container: Container
    requests: dict[str, Quantity]
    limits: dict[str, Quantity]


def total_requests(amounts: Iterable[Amounts]) -> dict[str, Quantity]:
    """The containers' requests as one pod: resource → sum or peak, without overhead and pod-level values."""
    return _totals((entry.container, entry.requests) for entry in amounts)


def total_limits(amounts: Iterable[Amounts]) -> dict[str, Quantity]:
    """The containers' limits, likewise; a partial sum does not mean that the pod is bounded."""
    return _totals((entry.container, entry.limits) for entry in amounts)


def pod_level_defaults(amounts: Sequence[Amounts], pod_resources: Resources | None) -> Resources | None:
    """``spec.resources`` as the API server of 1.37 stores it: missing values are worked out from the containers.

    Happens to Pods only, after all mutating admission, and changes nothing where it happened before. 1.34 to 1.36 do
    it before admission instead, and never add a limit of cpu or memory; 1.33 drops the field.
    """
    if pod_resources is None or not (pod_resources.requests or pod_resources.limits):
        return pod_resources
    requests, limits = dict(pod_resources.requests), dict(pod_resources.limits)
    sums = _totals((entry.container, _pod_wide(entry.limits)) for entry in amounts)
    for resource, total in sums.items():
        if is_hugepages(resource) and resource not in requests:
            limits.setdefault(resource, total)
    for resource, total in _totals((entry.container, _pod_wide(entry.requests)) for entry in amounts).items():
        if resource in POD_LEVEL:
            requests.setdefault(resource, total)
    for resource, limit in _pod_wide(limits).items():
        requests.setdefault(resource, limit)
    for resource, request in _pod_wide(requests).items():
        if resource not in limits:
            bounded = all(resource in entry.limits for entry in amounts if is_counted(entry.container))
            if bounded and resource in sums:
                limits[resource] = max(sums[resource], request)
    return Resources(requests=requests, limits=limits)


def is_counted(container: Container) -> bool:
    """False for ephemeral containers, which cannot have resources."""
    return container.container_class is not ContainerClass.EPHEMERAL


def _pod_wide(amounts: Mapping[str, Quantity]) -> Mapping[str, Quantity]:
    """Those of resources that a pod as a whole can have; an author may have named thousands of others."""
    return {name: amount for name, amount in amounts.items() if name in POD_LEVEL or is_hugepages(name)}


def _totals(containers: Iterable[tuple[Container, Mapping[str, Quantity]]]) -> dict[str, Quantity]:
    totals = pod_totals(
        (
            (container.container_class.value, {name: Amount(given.nano, given) for name, given in amounts.items()})
            for container, amounts in containers
        ),
        None,
        None,
        limits=False,
    )
    return {name: total.quantity for name, total in totals.items() if isinstance(total, Amount)}
