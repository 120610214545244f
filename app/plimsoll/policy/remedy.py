"""What to write instead: the resources under which a workload passes its policy.

Works on the same drafts and the same defaulting as the decision, then mends what defaulting may not touch; the
result is judged again, so that nobody is told to write what would be refused. No number is invented: where neither the
policy nor the manifest names one, the place is left open for the author.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from plimsoll.policy import limitranger
from plimsoll.policy.defaulting import apply_defaults
from plimsoll.policy.draft import API_DEFAULT, Draft, default_requests, exceeds_ratio
from plimsoll.policy.evaluation import drafts_of, evaluate, exemptions_for, pooled_resources
from plimsoll.policy.model import Bounds, Exemption, Policy, Rules
from plimsoll.policy.outcome import WRITTEN, Cause, Evaluation, Origin, Side
from plimsoll.policy.quantity import NANO, Quantity, of_nano, parse, suspicion
from plimsoll.policy.resource_names import may_overcommit
from plimsoll.policy.workload import Container, Resources, Workload

Field = tuple[Side, str]


MAX_CONTAINERS = 50
"""Containers that are mended: nobody reads more, and a pod of 10,000 may not cost seconds."""
MAX_AMOUNTS = 1000
"""Of one container that is mended, both sides together: no manifest has a tenth of it."""


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
    """Those that break the policy and can be mended by what is written in them."""
    passes: bool
    """True when what is shown passes once it is written so and the open fields are filled."""
    left_out: int = 0
    """Containers that break the policy, too, and were not looked at."""


def remedy_for(evaluation: Evaluation, now: datetime) -> Remedy:
    """What to write so that ``evaluation.workload`` passes; containers without violations are left out."""
    policy, workload, governance = evaluation.policy, evaluation.workload, evaluation.governance
    if policy is None or not evaluation.violations:
        return Remedy((), passes=True)
    broken = {violation.place for violation in evaluation.violations}
    chosen = [container for container in workload.containers if container.pointer in broken]
    mended = [each for each in chosen[:MAX_CONTAINERS] if _count(each.resources) <= MAX_AMOUNTS]
    part = msgspec.structs.replace(workload, containers=tuple(mended))
    drafts = _drafts(part, policy, exemptions_for(workload, governance, now))
    for filled in limitranger.fill(drafts, governance.limit_ranges):
        draft, side = drafts[filled.index], Side(filled.side)
        draft.origins[side, filled.resource] = Origin(Cause.LIMIT_RANGE, filled.limit_range)
    pooled = pooled_resources(workload)
    apply_defaults(drafts, pooled, governance.limit_ranges, policy.name, fill=True)
    advised: dict[str, Advised] = {}
    for draft in drafts:
        missing = tuple(field for bounds in _all_bounds(draft) for field in _mend(draft, bounds, pooled))
        resources = Resources(_to_write(draft, Side.REQUEST), _to_write(draft, Side.LIMIT))
        if missing or resources != draft.container.resources:
            advised[draft.container.pointer] = Advised(draft.container, resources, missing)
    return Remedy(tuple(advised.values()), _passes(evaluation, part, advised, now), len(chosen) - len(mended))


def _passes(evaluation: Evaluation, part: Workload, advised: Mapping[str, Advised], now: datetime) -> bool:
    """Judge what would be written; of a very large pod only what is shown, where nothing was said about its totals."""
    whole = evaluation.workload
    if len(whole.containers) > MAX_CONTAINERS or any(_count(each.resources) > MAX_AMOUNTS for each in whole.containers):
        if any(violation.container is None for violation in evaluation.violations):
            return False
        whole = part
    containers = [
        msgspec.structs.replace(each, resources=advised[each.pointer].resources) if each.pointer in advised else each
        for each in whole.containers
    ]
    after = evaluate(msgspec.structs.replace(whole, containers=tuple(containers)), evaluation.governance, now)
    fields = [(each.container.pointer, field) for each in advised.values() for field in each.open]
    if not fields:
        return not after.violations and not after.predictions
    still_open = {(pointer, f"{name}.{side.value}.required") for pointer, (side, name) in fields}
    return all((violation.place, violation.check) in still_open for violation in after.violations)


def _count(resources: Resources) -> int:
    return len(resources.requests) + len(resources.limits)


def _drafts(workload: Workload, policy: Policy, exemptions: Sequence[Exemption]) -> list[Draft]:
    """Drafts that start from what was written, slips of the pen put right, with clamping switched on."""
    drafts = drafts_of(workload, policy, exemptions)
    for draft in drafts:
        draft.rules = Rules(draft.rules.bounds, clamp=True)
        for side, amounts in ((Side.REQUEST, draft.requests), (Side.LIMIT, draft.limits)):
            for resource, amount in tuple(amounts.items()):
                if (doubt := suspicion(resource, amount.text)) is not None and doubt.meant is not None:
                    draft.put(side, resource, parse(doubt.meant), WRITTEN)
    default_requests(drafts)
    return drafts


def _all_bounds(draft: Draft) -> Iterator[Bounds]:
    """The rules, and none for each further resource: its request may be above its limit all the same."""
    yield from draft.rules.bounds
    known = {bounds.resource for bounds in draft.rules.bounds}
    yield from [Bounds(resource) for resource in draft.requests if resource not in known]


def _mend(draft: Draft, bounds: Bounds, pooled: frozenset[str]) -> Iterator[Field]:
    """Mend what clamping and filling in left; yields the fields that stay open."""
    resource = bounds.resource
    _drop_what_cannot_stay(draft, bounds)
    request, limit = draft.request(resource), draft.limit(resource)
    least = None if may_overcommit(resource) or draft.waives(f"{resource}.limit.min") else bounds.min
    if least is not None and limit is not None and limit < least:
        request = limit = least  # Clamp raises no devices; their author may
        draft.put(Side.LIMIT, resource, least, WRITTEN)
        draft.put(Side.REQUEST, resource, least, WRITTEN)
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
    if bounds.limit_required and limit is None and not draft.waives(f"{resource}.limit.required"):
        guess = bounds.default or request or bounds.max
        if guess is None:
            yield Side.LIMIT, resource
        else:
            draft.put(Side.LIMIT, resource, guess, WRITTEN)
    if bounds.request_required and request is None and not draft.waives(f"{resource}.request.required"):
        guess = bounds.default_request or draft.limit(resource) or bounds.min
        if guess is None:
            yield Side.REQUEST, resource
        else:
            draft.put(Side.REQUEST, resource, guess, WRITTEN)


def _drop_what_cannot_stay(draft: Draft, bounds: Bounds) -> None:
    """A zero that sets no limit is not written again, nor a forbidden side with the one that would bring it back."""
    resource = bounds.resource
    no_request = bounds.request_forbidden and not draft.waives(f"{resource}.request.forbidden")
    no_device = bounds.limit_forbidden and not may_overcommit(resource)
    if no_request or (no_device and not draft.waives(f"{resource}.limit.forbidden")):
        draft.limits.pop(resource, None)
        draft.requests.pop(resource, None)
    request, limit = draft.request(resource), draft.limit(resource)
    if request is None:
        draft.requests.pop(resource, None)
    if limit is None:
        draft.limits.pop(resource, None)


def _least_request(resource: str, ratio: Quantity, limit: Quantity) -> Quantity:
    """The smallest storable request that keeps ``limit`` within the ratio."""
    unit = NANO // 1000 if resource == "cpu" else NANO
    nano = -(-limit.nano * NANO // ratio.nano)
    return of_nano(min(-(-nano // unit) * unit, limit.nano), limit)


def _to_write(draft: Draft, side: Side) -> dict[str, Quantity]:
    """The amounts of one side in the order of their names, without what Kubernetes adds by itself."""
    amounts = draft.limits if side is Side.LIMIT else draft.requests
    return {name: amounts[name] for name in sorted(amounts) if not _comes_by_itself(draft, side, name)}


def _comes_by_itself(draft: Draft, side: Side, name: str) -> bool:
    origin = draft.origins.get((side, name))
    if origin is None or origin.cause is not Cause.LIMIT_RANGE:
        return origin == API_DEFAULT and draft.limits.get(name) == draft.requests[name]
    # Once its limit is written, an absent request would come from there and no longer from the LimitRange.
    beside = draft.origins.get((Side.LIMIT, name))
    return side is Side.LIMIT or name not in draft.limits or (beside is not None and beside.cause is Cause.LIMIT_RANGE)
