"""The quality-of-service class that Kubernetes gives a pod, which decides who is killed first. Decides nothing here.

Follows ComputePodQOS of kubernetes/kubernetes pkg/apis/core/helper/qos/qos.go (1.37); older servers add up the
containers instead, which differs only for pods that validation refuses.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from plimsoll.policy.resource_names import POD_LEVEL, is_hugepages
from plimsoll.policy.workload import Resources

GUARANTEED: Final = "Guaranteed"
BURSTABLE: Final = "Burstable"
BEST_EFFORT: Final = "BestEffort"


def qos_class(containers: Iterable[Resources], pod_resources: Resources | None) -> str:
    """``Guaranteed``, ``Burstable`` or ``BestEffort``.

    ``containers``: regular and init containers and sidecars, as the server stores them (missing requests filled);
    ephemeral containers never count. ``pod_resources``: ``spec.resources`` as stored, None where the server drops it.
    """
    if pod_resources is not None and any(
        resource in POD_LEVEL or is_hugepages(resource)
        for resource in pod_resources.requests.keys() | pod_resources.limits.keys()
    ):
        return _one_class({_class_of(pod_resources, resource) for resource in POD_LEVEL})
    return _one_class({_class_of(resources, resource) for resources in containers for resource in POD_LEVEL})


def _class_of(resources: Resources, resource: str) -> str:
    """Of one resource in one place: both amounts equal, both nothing, or neither."""
    request, limit = resources.requests.get(resource), resources.limits.get(resource)
    if (request.nano if request else 0) != (limit.nano if limit else 0):
        return BURSTABLE
    return GUARANTEED if request is not None and request.nano else BEST_EFFORT


def _one_class(classes: set[str]) -> str:
    """What all agree on; any mixture is burstable."""
    if not classes:
        return BEST_EFFORT
    return classes.pop() if len(classes) == 1 else BURSTABLE
