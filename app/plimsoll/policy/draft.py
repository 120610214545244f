"""The working copy of one container while it is decided about; nothing outside ``evaluate`` sees one.

The only mutable value of the decision. Knows what *missing* means: absent, a zero limit that the kernel reads as
unlimited, or a value that our own managed LimitRange put there.
"""

from __future__ import annotations

from collections.abc import Iterable

from plimsoll.policy.model import ALL_CHECKS, Bounds, Rules
from plimsoll.policy.outcome import Cause, Origin, Side
from plimsoll.policy.quantity import NANO, Quantity
from plimsoll.policy.workload import Container

UNLIMITED_BY_ZERO = frozenset({"cpu", "memory", "ephemeral-storage"})
"""For these a limit of zero sets no limit at all (kubelet, pkg/kubelet/kuberuntime); devices of zero are none."""

API_DEFAULT = Origin(Cause.API_DEFAULT)
NO_RULES = Rules()


class Draft:
    """Requests and limits of one container, changed step by step, with the origin of what nobody wrote."""

    __slots__ = ("arrived", "container", "limits", "origins", "replaceable", "requests", "rules", "unfilled", "waived")

    def __init__(self, container: Container, rules: Rules, waived: frozenset[str]) -> None:
        self.container = container
        self.rules = rules
        self.waived = waived
        self.requests: dict[str, Quantity] = dict(container.resources.requests)
        self.limits: dict[str, Quantity] = dict(container.resources.limits)
        self.arrived = container.resources
        """What our step finds: as written, with what Kubernetes fills in before it."""
        self.origins: dict[tuple[Side, str], Origin] = {}
        self.replaceable: set[tuple[Side, str]] = set()
        """Values of our managed LimitRange: there, but they count as missing."""
        self.unfilled: dict[tuple[Side, str], str] = {}
        """Why a missing value could not be filled in."""

    def waives(self, check: str) -> bool:
        """True when an exemption in force waives ``check`` for this container."""
        return check in self.waived or ALL_CHECKS in self.waived

    def limit(self, resource: str) -> Quantity | None:
        """The limit that the kernel will keep; None where there is none."""
        limit = self.limits.get(resource)
        return None if limit is not None and limit.nano == 0 and resource in UNLIMITED_BY_ZERO else limit

    def request(self, resource: str) -> Quantity | None:
        """The request; the zero that the API server copied from a zero limit is none."""
        request = self.requests.get(resource)
        if request is not None and request.nano == 0 and resource in UNLIMITED_BY_ZERO:
            limit = self.limits.get(resource)
            return None if limit is not None and limit.nano == 0 else request
        return request

    def pair(self, resource: str) -> tuple[Quantity | None, Quantity | None]:
        """`request` and `limit` at once: it is asked for every container and every resource of its rules."""
        request, limit = self.requests.get(resource), self.limits.get(resource)
        if limit is not None and limit.nano == 0 and resource in UNLIMITED_BY_ZERO:
            return (None if request is not None and request.nano == 0 else request), None
        return request, limit

    def written_pair(self, resource: str) -> tuple[Quantity | None, Quantity | None]:
        """`written` of request and limit."""
        if self.replaceable:
            return self.written(Side.REQUEST, resource), self.written(Side.LIMIT, resource)
        return self.pair(resource)

    def written(self, side: Side, resource: str) -> Quantity | None:
        """The value that counts as written: not one of our managed LimitRange."""
        if self.replaceable and (side, resource) in self.replaceable:
            return None
        return self.limit(resource) if side is Side.LIMIT else self.request(resource)

    def put(self, side: Side, resource: str, value: Quantity, origin: Origin) -> None:
        """Set a value and remember where it came from."""
        (self.limits if side is Side.LIMIT else self.requests)[resource] = value
        self.origins[side, resource] = origin

    def drop(self, side: Side, resource: str, origin: Origin) -> None:
        """Remove a value."""
        (self.limits if side is Side.LIMIT else self.requests).pop(resource, None)
        self.origins[side, resource] = origin


def default_requests(drafts: Iterable[Draft]) -> None:
    """The API server's own defaulting of a Pod: an absent request takes its limit (core/v1/defaults.go)."""
    for draft in drafts:
        if not draft.limits or draft.limits.keys() <= draft.requests.keys():
            continue
        for resource, limit in draft.limits.items():
            if resource not in draft.requests:
                draft.put(Side.REQUEST, resource, limit, API_DEFAULT)


def fits(bounds: Bounds, request: Quantity | None, limit: Quantity | None) -> str:
    """Why this pair would break ``bounds`` or Kubernetes' own order, presence apart; empty when it would not."""
    for value in (request, limit):
        if value is not None and bounds.max is not None and value.nano > bounds.max.nano:
            return f"{value.canonical} would be above the policy's max {bounds.max.canonical}"
        if value is not None and bounds.min is not None and value.nano < bounds.min.nano:
            return f"{value.canonical} would be below the policy's min {bounds.min.canonical}"
    if request is None or limit is None:
        return ""
    if request.nano > limit.nano:
        return f"the limit {limit.canonical} would be below the request {request.canonical}"
    if bounds.ratio is not None and exceeds_ratio(bounds.ratio, request, limit):
        times = bounds.ratio.canonical
        return f"the limit {limit.canonical} would be more than {times} times the request {request.canonical}"
    return ""


def exceeds_ratio(ratio: Quantity, request: Quantity, limit: Quantity) -> bool:
    """True when ``limit`` is more than ``ratio`` times ``request``, exactly."""
    return limit.nano * NANO > ratio.nano * request.nano
