"""Our defaulting: clamp what may be clamped, fill in what is missing, and never more than that.

A value that somebody wrote is replaced or removed by Clamp alone; a value that the policy or the namespace's
LimitRanges would refuse is not filled in, with the reason kept for the message; running it twice changes nothing more.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from plimsoll.objects.structs import ContainerSpec
from plimsoll.policy import limitranger
from plimsoll.policy.draft import NO_RULES, UNLIMITED_BY_ZERO, Draft, default_requests, fits
from plimsoll.policy.limitranger import LimitRange
from plimsoll.policy.model import Bounds
from plimsoll.policy.outcome import Cause, Origin, Side
from plimsoll.policy.quantity import NANO, Quantity, floor_to_unit, of_nano
from plimsoll.policy.resource_names import POD_LEVEL, is_hugepages, may_overcommit
from plimsoll.policy.workload import NO_RESOURCES, Container, ContainerClass

Pair = tuple[Quantity | None, Quantity | None]
"""(request, limit); None leaves that side as it is."""


def apply_defaults(
    drafts: Sequence[Draft],
    pooled: Collection[str],
    limit_ranges: Sequence[LimitRange],
    policy: str,
    *,
    fill: bool,
) -> None:
    """Step 4 of the decision, on every draft, then the API server's defaulting once more.

    ``pooled``: resources that pod-level ``spec.resources`` names; containers get no default for them. ``fill`` is
    false under Suggest, where only Clamp acts. LimitRanger need not run again here: it has filled every container
    already, and what Clamp removes it may put back only before our webhook is invoked again.
    """
    clamped, filled = Origin(Cause.CLAMP, policy), Origin(Cause.POLICY_DEFAULT, policy)
    for draft in drafts:
        rules = draft.rules
        for bounds in rules.bounds if fill or rules.clamp else ():
            if rules.clamp:
                _clamp(draft, bounds, pooled, limit_ranges, clamped)
            if fill and bounds.resource not in pooled:
                _fill(draft, bounds, limit_ranges, filled)
            if rules.clamp:
                _hold_the_unreplaced(draft, bounds, pooled, limit_ranges, clamped)
        take_back_lonely_pages(draft)
    default_requests(drafts)


def _hold_the_unreplaced(
    draft: Draft, bounds: Bounds, pooled: Collection[str], limit_ranges: Sequence[LimitRange], origin: Origin
) -> None:
    """What is of our LimitRange and nothing has replaced stays, inside the bounds like a written value."""
    if draft.replaceable and not (bounds.limit_forbidden or bounds.request_forbidden):
        draft.replaceable.difference_update([(side, bounds.resource) for side in Side])
        _clamp(draft, bounds, pooled, limit_ranges, origin)


def for_nothing(bounds: Bounds) -> Pair | None:
    """What is filled in where a container says nothing of the resource and no LimitRange and no exemption is near.

    Worked out when a policy is loaded: most of what is filled in is this. None where it is nothing, or refused.
    """
    silent = Draft(SILENT, NO_RULES, frozenset())
    fill_in = _one_for_both if bounds.one_for_both else _each
    pair = fill_in(silent, bounds, None, None, no_request=bounds.request_forbidden, no_limit=bounds.limit_forbidden)
    return None if pair == (None, None) or _refusal(silent, bounds, pair, ()) else pair


SILENT = Container("", "", ContainerClass.REGULAR, "", NO_RESOURCES, ContainerSpec())


def _clamp(
    draft: Draft, bounds: Bounds, pooled: Collection[str], limit_ranges: Sequence[LimitRange], origin: Origin
) -> None:
    resource = bounds.resource
    request, limit = draft.written(Side.REQUEST, resource), draft.written(Side.LIMIT, resource)
    new_request, new_limit = (
        _inside(value, bounds, draft, f"{resource}.{side.value}", raise_it=may_overcommit(resource))
        for side, value in ((Side.REQUEST, request), (Side.LIMIT, limit))
    )
    if bounds.limit_forbidden and limit is not None and not draft.waives(f"{resource}.limit.forbidden"):
        new_limit = None
    # Without its limit a request stays; with it the API server would only copy it back.
    if bounds.request_forbidden and new_limit is None and not draft.waives(f"{resource}.request.forbidden"):
        new_request = None
    if (new_request, new_limit) == (request, limit):
        return
    raised = any(old and new and new > old for old, new in ((request, new_request), (limit, new_limit)))
    misordered = new_request is not None and new_limit is not None and new_request > new_limit
    refused = limitranger.accepts(resource, new_request, new_limit, limit_ranges) if limit_ranges else None
    # Kubernetes takes no device whose request and limit differ: where they would, the violation is told instead.
    uneven = new_request is not None and new_request != new_limit and not may_overcommit(resource)
    if misordered or uneven or (raised and resource in pooled) or refused:
        if refused:
            draft.unfilled.update({(side, resource): refused for side in Side})
        return
    for side, old, new in ((Side.REQUEST, request, new_request), (Side.LIMIT, limit, new_limit)):
        if new is None and old is not None:
            draft.drop(side, resource, origin)
        elif new is not None and new != old:
            draft.put(side, resource, new, origin)


def take_back_lonely_pages(draft: Draft) -> None:
    """Undo what leaves hugepages beside neither cpu nor memory, which the API server refuses (core/validation)."""
    if not draft.origins or not (POD_LEVEL.isdisjoint(draft.limits) and POD_LEVEL.isdisjoint(draft.requests)):
        return
    reason = "Kubernetes takes hugepages only beside cpu or memory"
    for (side, resource), origin in tuple(draft.origins.items()):
        if is_hugepages(resource) and origin.cause is Cause.POLICY_DEFAULT:
            (draft.limits if side is Side.LIMIT else draft.requests).pop(resource, None)
            del draft.origins[side, resource]
            draft.unfilled[side, resource] = reason
    if not any(is_hugepages(resource) for resource in (*draft.limits, *draft.requests)):
        return
    for (side, resource), origin in tuple(draft.origins.items()):
        if resource in POD_LEVEL and origin.cause is Cause.CLAMP:
            removed = (draft.arrived.limits if side is Side.LIMIT else draft.arrived.requests).get(resource)
            del draft.origins[side, resource]
            if removed is not None:  # a request that only the API server wrote comes back with its limit
                (draft.limits if side is Side.LIMIT else draft.requests)[resource] = removed


def _inside(value: Quantity | None, bounds: Bounds, draft: Draft, check: str, *, raise_it: bool) -> Quantity | None:
    if value is None:
        return None
    if bounds.max is not None and value > bounds.max and not draft.waives(f"{check}.max"):
        return bounds.max
    if bounds.min is not None and value < bounds.min and raise_it and not draft.waives(f"{check}.min"):
        return bounds.min
    return value


def _fill(draft: Draft, bounds: Bounds, limit_ranges: Sequence[LimitRange], origin: Origin) -> None:
    resource = bounds.resource
    if bounds.for_nothing is not None and not (
        resource in draft.requests or resource in draft.limits or draft.waived or limit_ranges
    ):
        _take(draft, resource, bounds.for_nothing, origin)
        return
    request, limit = draft.written_pair(resource)
    if request is not None and (limit is not None or (bounds.default is None and not bounds.one_for_both)):
        return
    no_request, no_limit = bounds.request_forbidden, bounds.limit_forbidden
    if draft.waived:
        no_request = no_request or draft.waives(f"{resource}.request.required")
        no_limit = no_limit or draft.waives(f"{resource}.limit.required")
    fill_in = _one_for_both if bounds.one_for_both else _each
    new_request, new_limit = fill_in(draft, bounds, request, limit, no_request=no_request, no_limit=no_limit)
    if _put(draft, bounds, (new_request, new_limit), limit_ranges, origin):
        return
    if not _put(draft, bounds, (None, new_limit), limit_ranges, origin) and not bounds.one_for_both:
        _put(draft, bounds, (new_request, None), limit_ranges, origin)


def _put(draft: Draft, bounds: Bounds, wanted: Pair, limit_ranges: Sequence[LimitRange], origin: Origin) -> bool:
    """Fill in ``wanted``; False, with the reason kept for the message, where it may not be or is nothing."""
    request, limit = wanted
    if request is None and limit is None:
        return False
    resource = bounds.resource
    if refused := _refusal(draft, bounds, wanted, limit_ranges):
        if request is not None:
            draft.unfilled[Side.REQUEST, resource] = refused
        if limit is not None:
            draft.unfilled[Side.LIMIT, resource] = refused
        return False
    _take(draft, resource, wanted, origin)
    return True


def _take(draft: Draft, resource: str, pair: Pair, origin: Origin) -> None:
    request, limit = pair
    if request is not None:
        draft.put(_REQUEST, resource, request, origin)
    if limit is not None:
        draft.put(_LIMIT, resource, limit, origin)
    if draft.unfilled:
        for side, value in ((_REQUEST, request), (_LIMIT, limit)):
            if value is not None:
                draft.unfilled.pop((side, resource), None)


_REQUEST, _LIMIT = Side.REQUEST, Side.LIMIT


def _one_for_both(
    _: Draft, bounds: Bounds, request: Quantity | None, limit: Quantity | None, *, no_request: bool, no_limit: bool
) -> Pair:
    """Where both sides must be equal, the missing ones take the written value, else ``default``, else its twin.

    A request is never filled in alone: it would be equal to nothing, and Kubernetes refuses a device without its limit.
    """
    if limit is None and no_limit:
        return None, None
    value = limit or request or bounds.default or bounds.default_request
    return (value if request is None and not no_request else None, value if limit is None else None)


def _each(
    draft: Draft, bounds: Bounds, request: Quantity | None, limit: Quantity | None, *, no_request: bool, no_limit: bool
) -> Pair:
    """Each side from its own default, moved next to the other side and inside the bounds."""
    resource = bounds.resource
    new_limit = None
    if limit is None and bounds.default is not None and not no_limit:
        new_limit = bounds.default if request is None else max(bounds.default, request)
        if bounds.ratio is not None and request is not None:
            most = floor_to_unit(bounds.ratio.nano * request.nano // NANO, resource)
            if new_limit.nano > most:
                new_limit = of_nano(most, new_limit)
        new_limit = _within(new_limit, bounds)
    new_request = None
    if request is None and not no_request:
        cap = new_limit or draft.limit(resource)
        base = bounds.default_request
        present = draft.requests.get(resource)  # of our LimitRange, or the zero that was copied from a zero limit
        useless = present is not None and (draft.request(resource) is None or (cap is not None and present > cap))
        if base is None and useless:
            base = cap
        if base is not None:
            new_request = _within(base if cap is None else min(base, cap), bounds)
    return new_request, new_limit


def _within(value: Quantity | None, bounds: Bounds) -> Quantity | None:
    if value is not None and bounds.max is not None and value.nano > bounds.max.nano:
        return bounds.max
    if value is not None and bounds.min is not None and value.nano < bounds.min.nano:
        return bounds.min
    return value


def _refusal(draft: Draft, bounds: Bounds, attempt: Pair, limit_ranges: Sequence[LimitRange]) -> str:
    """Why this attempt may not be filled in; empty when it may."""
    resource = bounds.resource
    limit = attempt[1] or draft.limits.get(resource)
    request = attempt[0] or draft.request(resource) or limit  # the API server will copy the limit
    if limit is not None and limit.nano <= 0 and resource in UNLIMITED_BY_ZERO:
        return f"the limit would be {limit.canonical}, which sets no limit"
    if reason := fits(bounds, request, limit):
        return reason
    if limit_ranges and (text := limitranger.accepts(resource, request, limit, limit_ranges)):
        return text
    return ""
