"""What the API server's LimitRanger will do, or did, to a pod: an exact simulation of its two halves.

`fill` is the half that runs before our webhook, `refusals` the one that runs after it. Texts are the server's own.
Up to 1.37 the server compares machine integers and floats (`server_quantity`), which differs from exact arithmetic only
for amounts beyond 2^63 and for ratios at the edge of a float; it is followed here, while our own checks stay exact.
Follows kubernetes/kubernetes plugin/pkg/admission/limitranger/admission.go (the same from 1.33 to 1.37).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Literal

from msgspec import Struct

from plimsoll.policy.limit_range import (
    CONTAINER,
    POD,
    Constraints,
    LimitRange,
    LimitRangeItem,
    LimitRangeProblem,
    defaults,
    limit_range_problems,
    read_limit_range,
)
from plimsoll.policy.pod_level import Amounts, is_counted, pod_level_defaults, total_limits, total_requests
from plimsoll.policy.quantity import NANO, ZERO, Quantity
from plimsoll.policy.resource_names import POD_LEVEL
from plimsoll.policy.server_quantity import MAX_MILLI_VALUE, MILLI, milli_units, server_text, whole_units
from plimsoll.policy.workload import Resources

__all__ = [
    "Amounts",
    "Filled",
    "LimitRange",
    "LimitRangeItem",
    "LimitRangeProblem",
    "Refusal",
    "accepts",
    "defaults",
    "fill",
    "limit_range_problems",
    "named_by_annotation",
    "order_matters",
    "read_limit_range",
    "refusals",
]

MAX_ANNOTATION: Final = 65_536
"""Characters of the annotation that are read; one that is longer names nothing."""

_ALWAYS_EXACT: Final = MAX_MILLI_VALUE * NANO
_PREFIX: Final = "LimitRanger plugin set: "
_NOTE: Final = re.compile(r"([^ ,;]+(?:, [^ ,;]+)*) (request|limit) for (init )?container ([a-z0-9-]{1,63})", re.ASCII)

SideText = Literal["request", "limit"]
Constraint = Literal["min", "max", "ratio"]
_Problem = Callable[[str, str, Quantity, Quantity | None, Quantity | None], str | None]
"""(resource, type of item, bound, request, limit) → the server's text, or None."""


class Filled(Struct, frozen=True):
    """One value that LimitRanger sets in a container that has none."""

    index: int
    """Of the container, in the sequence that was given."""
    side: SideText
    resource: str
    limit_range: str
    """Name of the LimitRange that holds the default."""


class Refusal(Struct, frozen=True):
    """One sentence with which LimitRanger refuses a pod."""

    limit_range: str
    type: str
    """Of the item: ``Container`` or ``Pod``."""
    container: str | None
    """None for a Pod item."""
    resource: str
    constraint: Constraint
    text: str
    """The server's own: ``maximum cpu usage per Container is 2, but limit is 4``."""


def fill(amounts: Sequence[Amounts], limit_ranges: Sequence[LimitRange]) -> tuple[Filled, ...]:
    """Set missing requests and limits in place, as the mutate half does with LimitRanges in this order.

    Answers what was set. API defaulting (request from limit) comes first, and is the caller's. An amount of zero is
    there; ephemeral containers are skipped, and so is ``spec.resources``.
    """
    filled: list[Filled] = []
    for limit_range in limit_ranges:
        limits, requests = defaults(limit_range)
        if not limits and not requests:
            continue
        for index, entry in enumerate(amounts):
            if is_counted(entry.container):
                for resource in _put(entry.limits, limits):
                    filled.append(Filled(index, "limit", resource, limit_range.name))
                for resource in _put(entry.requests, requests):
                    filled.append(Filled(index, "request", resource, limit_range.name))
    return tuple(filled)


def order_matters(amounts: Sequence[Amounts], limit_ranges: Sequence[LimitRange]) -> bool:
    """True when `fill` would set other values in another order of the LimitRanges; the server's order is random."""
    if len(limit_ranges) < 2:
        return False
    limits: dict[str, set[Quantity]] = {}
    requests: dict[str, set[Quantity]] = {}
    for limit_range in limit_ranges:
        for known, given in zip((limits, requests), defaults(limit_range), strict=True):
            for resource, amount in given.items():
                known.setdefault(resource, set()).add(amount)
    disputed_limits = [resource for resource, values in limits.items() if len(values) > 1]
    disputed_requests = [resource for resource, values in requests.items() if len(values) > 1]
    return any(
        any(resource not in entry.limits for resource in disputed_limits)
        or any(resource not in entry.requests for resource in disputed_requests)
        for entry in amounts
        if is_counted(entry.container)
    )


def named_by_annotation(text: str) -> frozenset[tuple[bool, str, SideText, str]]:
    """(is an init container, container name, side, resource) of each value that LimitRanger says it set.

    Read out of the annotation ``kubernetes.io/limit-ranger``. Anybody can write it, and of several LimitRanges only
    the last leaves its note: a hint for messages, never a ground to accept anything. Unreadable notes name nothing.
    """
    if len(text) > MAX_ANNOTATION or not text.startswith(_PREFIX):
        return frozenset()
    named: set[tuple[bool, str, SideText, str]] = set()
    for note in text.removeprefix(_PREFIX).split("; "):
        match = _NOTE.fullmatch(note)
        if match is not None:
            resources, side, init, container = match.groups()
            shown_side: SideText = "request" if side == "request" else "limit"
            named.update((init is not None, container, shown_side, resource) for resource in resources.split(", "))
    return frozenset(named)


def refusals(
    amounts: Sequence[Amounts],
    pod_resources: Resources | None,
    limit_ranges: Sequence[LimitRange],
    *,
    pod_level: bool = True,
) -> tuple[Refusal, ...]:
    """Everything the validate half finds, LimitRange by LimitRange; the server reports one LimitRange only.

    ``pod_resources`` as written: their defaulting is done here. ``pod_level``: the server keeps a pod's own
    ``spec.resources``, which 1.34 and later do by default. Overhead does not count in a Pod item.
    """
    found: list[Refusal] = []
    totals: tuple[Constraints, Constraints] | None = None
    for limit_range in limit_ranges:
        for item in limit_range.items:
            if item.type == CONTAINER:
                for entry in amounts:
                    if is_counted(entry.container):
                        for resource, constraint, text in _problems(item, entry.requests, entry.limits):
                            name = entry.container.name
                            found.append(Refusal(limit_range.name, CONTAINER, name, resource, constraint, text))
            elif item.type == POD:
                if totals is None:
                    totals = _pod_totals(amounts, pod_level_defaults(amounts, pod_resources) if pod_level else None)
                for resource, constraint, text in _problems(item, *totals):
                    found.append(Refusal(limit_range.name, POD, None, resource, constraint, text))
    return tuple(found)


def accepts(
    resource: str, request: Quantity | None, limit: Quantity | None, limit_ranges: Sequence[LimitRange]
) -> str | None:
    """None when the Container items accept this pair for one resource, else who refuses it and the server's text."""
    for limit_range in limit_ranges:
        for item in limit_range.items:
            if item.type == CONTAINER:
                for bounds, _, problem in _constraints(item):
                    bound = bounds.get(resource)
                    text = None if bound is None else problem(resource, item.type, bound, request, limit)
                    if text is not None:
                        return f"LimitRange {limit_range.name!r}: {text}"
    return None


def _put(amounts: dict[str, Quantity], given: Constraints) -> list[str]:
    missing = [resource for resource in given if resource not in amounts]
    for resource in missing:
        amounts[resource] = given[resource]
    return missing


def _pod_totals(amounts: Sequence[Amounts], pod_resources: Resources | None) -> tuple[Constraints, Constraints]:
    """(requests, limits) of the whole pod as LimitRanger counts them: pod-level values win for cpu and memory alone."""
    requests, limits = total_requests(amounts), total_limits(amounts)
    if pod_resources is not None:
        requests.update({name: amount for name, amount in pod_resources.requests.items() if name in POD_LEVEL})
        limits.update({name: amount for name, amount in pod_resources.limits.items() if name in POD_LEVEL})
    return requests, limits


def _constraints(item: LimitRangeItem) -> tuple[tuple[Constraints, Constraint, _Problem], ...]:
    """What an item constrains, in the server's order."""
    return (
        (item.min, "min", _min_problem),
        (item.max, "max", _max_problem),
        (item.ratio, "ratio", _ratio_problem),
    )


def _problems(
    item: LimitRangeItem, requests: Constraints, limits: Constraints
) -> Iterator[tuple[str, Constraint, str]]:
    """(resource, constraint, text) for each constraint that these amounts break."""
    for bounds, constraint, problem in _constraints(item):
        for resource, bound in bounds.items():
            text = problem(resource, item.type, bound, requests.get(resource), limits.get(resource))
            if text is not None:
                yield resource, constraint, text


def _min_problem(
    resource: str, item_type: str, bound: Quantity, request: Quantity | None, limit: Quantity | None
) -> str | None:
    requested, limited, lowest = _compared(request, limit, bound)
    if request is None:
        found = ".  No request is specified"
    elif requested < lowest:
        found = f", but request is {server_text(request)}"
    elif limit is not None and limited < lowest:
        found = f", but limit is {server_text(limit)}"
    else:
        return None
    return f"minimum {resource} usage per {item_type} is {server_text(bound)}{found}"


def _max_problem(
    resource: str, item_type: str, bound: Quantity, request: Quantity | None, limit: Quantity | None
) -> str | None:
    requested, limited, highest = _compared(request, limit, bound)
    if limit is None:
        found = ".  No limit is specified"
    elif limited > highest:
        found = f", but limit is {server_text(limit)}"
    elif request is not None and requested > highest:
        found = f", but request is {server_text(request)}"
    else:
        return None
    return f"maximum {resource} usage per {item_type} is {server_text(bound)}{found}"


def _ratio_problem(
    resource: str, item_type: str, bound: Quantity, request: Quantity | None, limit: Quantity | None
) -> str | None:
    requested, limited, _ = _compared(request, limit, bound)
    if requested == 0:  # of an absent request, too
        found = "no request is specified or request is 0"
    elif limited == 0:
        found = "no limit is specified or limit is 0"
    else:
        ratio = float(limited) / float(requested)
        if whole_units(bound) <= MAX_MILLI_VALUE:
            exceeds = ratio * 1000 > float(milli_units(bound))
        else:
            exceeds = ratio > float(whole_units(bound))
        if not exceeds:
            return None
        found = f"provided ratio is {ratio:f}"
    return f"{resource} max limit to request ratio per {item_type} is {server_text(bound)}, but {found}"


def _compared(request: Quantity | None, limit: Quantity | None, bound: Quantity) -> tuple[int, int, int]:
    """(request, limit, bound) in one unit: milli where all of them fit, else whole units; an absent amount is 0."""
    first, second, third = request or ZERO, limit or ZERO, bound
    lowest, highest = min(first.nano, second.nano, third.nano), max(first.nano, second.nano, third.nano)
    if lowest >= 0 and highest <= _ALWAYS_EXACT:  # nearly always, and then quicker
        return -(-first.nano // MILLI), -(-second.nano // MILLI), -(-third.nano // MILLI)
    fits = max(whole_units(first), whole_units(second), whole_units(third)) <= MAX_MILLI_VALUE
    unit = milli_units if fits else whole_units
    return unit(first), unit(second), unit(third)
