"""The pod as a whole: its totals by the scheduler's arithmetic, and what does not fit beside ``spec.resources``.

A partial sum of limits bounds nothing: a pod's limit is given only by ``spec.resources`` or by every container.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from plimsoll.objects.read import escaped
from plimsoll.policy.checks import CHECKS, ORDER, Found, Pair, out_of_order
from plimsoll.policy.draft import UNLIMITED_BY_ZERO, Draft
from plimsoll.policy.model import Rules
from plimsoll.policy.outcome import Cause, Side, Violation
from plimsoll.policy.pod_level import pod_level_defaults, total_requests
from plimsoll.policy.quantity import Quantity, of_nano
from plimsoll.policy.totals import pod_totals
from plimsoll.policy.workload import NO_RESOURCES, ContainerClass, Resources, Workload


def bounding(pod_resources: Resources | None) -> Resources:
    """What of ``spec.resources`` bounds anything: a zero limit that means unlimited is none, nor is its request."""
    if pod_resources is None:
        return NO_RESOURCES
    requests, limits = pod_resources.requests, pod_resources.limits
    empty = {name for name, limit in limits.items() if limit.nano == 0 and name in UNLIMITED_BY_ZERO}
    if not empty:
        return pod_resources
    return Resources(
        {name: amount for name, amount in requests.items() if amount.nano or name not in empty},
        {name: amount for name, amount in limits.items() if name not in empty},
    )


def pod_violations(workload: Workload, drafts: Sequence[Draft], rules: Rules) -> Iterator[Violation]:
    """What the pod's totals violate of ``rules``, and what does not fit beside pod-level resources."""
    if rules.bounds:
        judged = [d for d in drafts if d.container.container_class is not ContainerClass.EPHEMERAL]
        wanted = [bounds.resource for bounds in rules.bounds]
        pod = bounding(pod_level_defaults(judged, workload.pod_resources))
        requests = _totals(judged, Side.REQUEST, pod.requests, workload.overhead, wanted)
        limits = _totals(judged, Side.LIMIT, pod.limits, workload.overhead, wanted)
        for bounds in rules.bounds:
            resource = bounds.resource
            pair = Pair(
                requests.get(resource),
                limits.get(resource),
                request_given=_given(workload, judged, Side.REQUEST, resource),
                limit_given=_given(workload, judged, Side.LIMIT, resource),
            )
            for check in CHECKS:
                if getattr(bounds, check.needs) and (found := check.judge(bounds, pair)) is not None:
                    yield _violation(workload, resource, check.suffix, found, "")
    if workload.pod_resources is not None:
        yield from _misfits(workload, workload.pod_resources, drafts)


def _amount(draft: Draft, side: Side, resource: str) -> Quantity | None:
    return draft.limit(resource) if side is Side.LIMIT else draft.request(resource)


Amounts = Mapping[str, Quantity]


def _totals(
    drafts: Sequence[Draft], side: Side, level: Amounts, overhead: Amounts, wanted: Sequence[str]
) -> dict[str, Quantity]:
    """One side of the ``wanted`` resources, each written like the first amount that it comes from."""
    containers = []
    likes = {name: each[name] for each in (overhead, level) for name in wanted if name in each}
    shown: dict[str, Quantity] = {}
    for draft in drafts:
        amounts = {}
        for resource in wanted:
            if (amount := _amount(draft, side, resource)) is not None:
                amounts[resource] = amount.nano
                shown.setdefault(resource, amount)
        containers.append((draft.container.container_class.value, amounts))
    totals = pod_totals(
        containers,
        {name: level[name].nano for name in wanted if name in level},
        {name: overhead[name].nano for name in wanted if name in overhead},
        limits=side is Side.LIMIT,
    )
    likes |= shown
    return {name: of_nano(nano, likes[name]) for name, nano in totals.items()}


def _given(workload: Workload, drafts: Sequence[Draft], side: Side, resource: str) -> bool:
    pod = bounding(workload.pod_resources)
    if resource in pod.limits or (side is Side.REQUEST and resource in pod.requests):
        return True
    return bool(drafts) and all(_amount(draft, side, resource) is not None for draft in drafts)


def _misfits(workload: Workload, pod: Resources, drafts: Sequence[Draft]) -> Iterator[Violation]:
    """What the API server's validation of pod-level resources will refuse (core/validation, validatePodResources)."""
    for resource, limit in pod.limits.items():
        request = pod.requests.get(resource)
        if request is not None and request > limit:
            yield _violation(workload, resource, ORDER, out_of_order(request, limit), "")
        for draft in drafts:
            own = draft.limits.get(resource)
            if draft.container.container_class is ContainerClass.REGULAR and own is not None and own > limit:
                found = Found(
                    Side.LIMIT,
                    limit.text,
                    f"at least the {own.canonical} limit of container {draft.container.name}",
                    Fraction(own.nano - limit.nano),
                )
                yield _violation(workload, resource, ORDER, found, _set_by(draft, Side.LIMIT, resource))
    sums = total_requests(drafts) if pod.requests else {}
    for resource, request in pod.requests.items():
        total = sums.get(resource)
        if total is not None and total > request:
            found = Found(
                Side.REQUEST,
                request.text,
                f"at least {total.canonical}, the sum of its containers' requests",
                Fraction(total.nano - request.nano),
            )
            notes = [_set_by(draft, Side.REQUEST, resource) for draft in drafts]
            yield _violation(workload, resource, ORDER, found, "; ".join(note for note in notes if note))


def _set_by(draft: Draft, side: Side, resource: str) -> str:
    origin = draft.origins.get((side, resource))
    if origin is None or origin.cause is not Cause.LIMIT_RANGE:
        return ""
    by = f"LimitRange {origin.name!r}" if origin.name else "a LimitRange of the namespace"
    return f"the {side.value} of container {draft.container.name} was set by {by}"


def _violation(workload: Workload, resource: str, suffix: str, found: Found, note: str) -> Violation:
    side = found.side or Side.LIMIT
    return Violation(
        check=f"pod.{resource}.{suffix}",
        container=None,
        container_class=None,
        pointer=f"{workload.pointer}/spec/resources/{side.field}/{escaped(resource)}",
        resource=resource,
        side=found.side,
        found=found.found,
        allowed=found.allowed,
        excess=found.excess,
        note=note,
    )
