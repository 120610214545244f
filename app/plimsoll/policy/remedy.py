"""What to write instead: the resources under which a workload passes its policy.

Works on the same drafts and the same defaulting as the decision, then mends what defaulting may not touch; the
result is judged again, so that nobody is told to write what would be refused. No number is invented: where neither the
policy nor the manifest names one, the place is left open for the author.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec
from msgspec import Struct

from plimsoll.policy.defaulting import apply_defaults
from plimsoll.policy.draft import API_DEFAULT, Draft, default_requests, exceeds_ratio
from plimsoll.policy.evaluation import drafts_of, evaluate, pooled_resources
from plimsoll.policy.model import Bounds, Exemption, Policy, Rules
from plimsoll.policy.outcome import WRITTEN, Evaluation, Side
from plimsoll.policy.quantity import NANO, Quantity, of_nano, parse, suspicion
from plimsoll.policy.resource_names import may_overcommit
from plimsoll.policy.workload import Container, ContainerClass, Resources

Field = tuple[Side, str]


class Advised(Struct, frozen=True):
    """What to write for one container."""

    container: Container
    resources: Resources
    """The whole requests and limits to write."""
    open: tuple[Field, ...]
    """Fields that are required, and for which nothing names an amount: the author's to choose."""


class Remedy(Struct, frozen=True):
    """What to write, container by container, and whether it is enough."""

    containers: tuple[Advised, ...]
    passes: bool
    """True when the workload passes once it is written so and the open fields are filled."""


def remedy_for(evaluation: Evaluation, now: datetime) -> Remedy:
    """What to write so that ``evaluation.workload`` passes; containers without violations are left out."""
    policy, workload, governance = evaluation.policy, evaluation.workload, evaluation.governance
    if policy is None or not evaluation.violations:
        return Remedy((), passes=True)
    exemptions = tuple(e for e in governance.exemptions if now <= e.expires and e.match.match_pod(workload))
    pooled = pooled_resources(workload)
    drafts = _drafts(evaluation, policy, exemptions)
    apply_defaults(drafts, pooled, governance.limit_ranges, policy.name, fill=True)
    advised, containers = [], []
    broken = {violation.container for violation in evaluation.violations}
    for draft in drafts:
        container = draft.container
        if container.container_class is ContainerClass.EPHEMERAL or container.name not in broken:
            containers.append(container)
            continue
        missing = tuple(field for bounds in draft.rules.bounds for field in _mend(draft, bounds, pooled))
        resources = Resources(_to_write(draft, Side.REQUEST), _to_write(draft, Side.LIMIT))
        advised.append(Advised(container, resources, missing))
        containers.append(msgspec.structs.replace(container, resources=resources))
    mended = msgspec.structs.replace(workload, containers=tuple(containers))
    left = evaluate(mended, governance, now).violations
    still_open = {(a.container.name, f"{name}.{side.value}.required") for a in advised for side, name in a.open}
    return Remedy(tuple(advised), passes=all((v.container, v.check) in still_open for v in left))


def _drafts(evaluation: Evaluation, policy: Policy, exemptions: tuple[Exemption, ...]) -> list[Draft]:
    """Drafts that start from what was written, slips of the pen put right, with clamping switched on."""
    drafts = drafts_of(evaluation.workload, policy, exemptions)
    for draft in drafts:
        draft.rules = Rules(draft.rules.bounds, clamp=True)
        for side, amounts in ((Side.REQUEST, draft.requests), (Side.LIMIT, draft.limits)):
            for resource, amount in tuple(amounts.items()):
                if (doubt := suspicion(resource, amount.text)) is not None and doubt.meant is not None:
                    draft.put(side, resource, parse(doubt.meant), WRITTEN)
    default_requests(drafts)
    return drafts


def _mend(draft: Draft, bounds: Bounds, pooled: frozenset[str]) -> Iterator[Field]:
    """Mend what clamping and filling in left; yields the fields that stay open."""
    resource = bounds.resource
    request, limit = draft.request(resource), draft.limit(resource)
    if limit is not None and request is not None and request > limit:
        # Order: raise the limit to the request where the policy lets it, else lower the request.
        raised = bounds.max is None or request <= bounds.max
        side, value = (Side.LIMIT, request) if raised else (Side.REQUEST, limit)
        draft.put(side, resource, value, WRITTEN)
    request, limit = draft.request(resource), draft.limit(resource)
    if (
        limit is not None
        and request is not None
        and request != limit
        and (bounds.equal or not may_overcommit(resource))
    ):
        draft.put(Side.REQUEST, resource, limit, WRITTEN)
    elif limit is not None and request is not None and bounds.ratio and exceeds_ratio(bounds.ratio, request, limit):
        draft.put(Side.REQUEST, resource, _least_request(resource, bounds.ratio, limit), WRITTEN)
    if resource in pooled:
        return
    request, limit = draft.request(resource), draft.limit(resource)
    if bounds.limit_required and limit is None:
        guess = bounds.default or request or bounds.max
        if guess is None:
            yield Side.LIMIT, resource
        else:
            draft.put(Side.LIMIT, resource, guess, WRITTEN)
    if bounds.request_required and draft.request(resource) is None:
        guess = bounds.default_request or draft.limit(resource) or bounds.min
        if guess is None:
            yield Side.REQUEST, resource
        else:
            draft.put(Side.REQUEST, resource, guess, WRITTEN)


def _least_request(resource: str, ratio: Quantity, limit: Quantity) -> Quantity:
    """The smallest storable request that keeps ``limit`` within the ratio."""
    unit = NANO // 1000 if resource == "cpu" else NANO
    nano = -(-limit.nano * NANO // ratio.nano)
    return of_nano(min(-(-nano // unit) * unit, limit.nano), limit)


def _to_write(draft: Draft, side: Side) -> dict[str, Quantity]:
    """The amounts of one side in the order of their names, without what Kubernetes adds by itself."""
    amounts = draft.limits if side is Side.LIMIT else draft.requests
    return {
        name: amounts[name]
        for name in sorted(amounts)
        if draft.origins.get((side, name)) != API_DEFAULT or draft.limits.get(name) != amounts[name]
    }
