"""The checks: pure functions, one for each thing that can be wrong with the two amounts of one resource.

The same functions judge a container and the totals of a pod. A check sees effective amounts (a zero limit that means
unlimited is none) and says what was found and what would be accepted; it never looks at modes or exemptions.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from operator import attrgetter

from msgspec import Struct

from plimsoll.policy.draft import exceeds_ratio
from plimsoll.policy.model import Bounds
from plimsoll.policy.outcome import Side
from plimsoll.policy.quantity import Quantity


class Pair(Struct, frozen=True, gc=False):
    """The effective amounts of one resource, and whether something else stands in for a missing one."""

    request: Quantity | None
    limit: Quantity | None
    request_given: bool
    """A request is there, or pod-level resources satisfy the requirement."""
    limit_given: bool


class Found(Struct, frozen=True, gc=False):
    """What a check found wrong."""

    side: Side | None
    found: str | None
    allowed: str
    excess: Fraction


Judge = Callable[[Bounds, Pair], Found | None]

ONE = Fraction(1)


_AMOUNT: dict[Side, Callable[[Pair], Quantity | None]] = {
    Side.REQUEST: attrgetter("request"),
    Side.LIMIT: attrgetter("limit"),
}
_GIVEN: dict[Side, Callable[[Pair], bool]] = {
    Side.REQUEST: attrgetter("request_given"),
    Side.LIMIT: attrgetter("limit_given"),
}


def _required(side: Side) -> Judge:
    given = _GIVEN[side]

    def judge(_: Bounds, pair: Pair) -> Found | None:
        return None if given(pair) else Found(side, None, "required", ONE)

    return judge


def _forbidden(side: Side) -> Judge:
    amount = _AMOUNT[side]

    def judge(_: Bounds, pair: Pair) -> Found | None:
        value = amount(pair)
        return None if value is None else Found(side, value.text, "not allowed", ONE)

    return judge


def _max(side: Side) -> Judge:
    amount = _AMOUNT[side]

    def judge(bounds: Bounds, pair: Pair) -> Found | None:
        value = amount(pair)
        if value is None or bounds.max is None or value.nano <= bounds.max.nano:
            return None
        return Found(side, value.text, f"at most {bounds.max.canonical}", Fraction(value.nano - bounds.max.nano))

    return judge


def _min(side: Side) -> Judge:
    amount = _AMOUNT[side]

    def judge(bounds: Bounds, pair: Pair) -> Found | None:
        value = amount(pair)
        if value is None or bounds.min is None or value.nano >= bounds.min.nano:
            return None
        return Found(side, value.text, f"at least {bounds.min.canonical}", Fraction(bounds.min.nano - value.nano))

    return judge


def _ratio(bounds: Bounds, pair: Pair) -> Found | None:
    ratio = bounds.ratio
    if (
        ratio is None
        or pair.request is None
        or pair.limit is None
        or not exceeds_ratio(ratio, pair.request, pair.limit)
    ):
        return None
    return Found(
        None,
        f"{pair.limit.text} limit to {pair.request.text} request",
        f"a limit of at most {ratio.canonical} times the request",
        # A request of nothing is infinitely far out; nothing is worse.
        Fraction(pair.limit.nano, pair.request.nano) if pair.request.nano > 0 else Fraction(2**200),
    )


def _equal(_: Bounds, pair: Pair) -> Found | None:
    if pair.request == pair.limit or (pair.request_given and pair.limit_given and None in (pair.request, pair.limit)):
        return None
    request, limit = (value.text if value else "no" for value in (pair.request, pair.limit))
    distance = abs((pair.limit.nano if pair.limit else 0) - (pair.request.nano if pair.request else 0))
    return Found(None, f"{limit} limit and {request} request", "a request equal to the limit", Fraction(distance))


def out_of_order(request: Quantity, limit: Quantity) -> Found:
    """What is wrong with a request above its limit, which Kubernetes never accepts; judged whatever a policy says."""
    return Found(
        None,
        f"{request.text} request above the {limit.text} limit",
        "a request of at most the limit",
        Fraction(request.nano - limit.nano),
    )


class Check(Struct, frozen=True):
    """One check: its id is the resource's name, a dot and ``suffix``."""

    suffix: str
    needs: str
    """The field of `Bounds` that turns it on."""
    judge: Judge


CHECKS: tuple[Check, ...] = (
    Check("limit.required", "limit_required", _required(Side.LIMIT)),
    Check("request.required", "request_required", _required(Side.REQUEST)),
    Check("limit.forbidden", "limit_forbidden", _forbidden(Side.LIMIT)),
    Check("request.forbidden", "request_forbidden", _forbidden(Side.REQUEST)),
    Check("limit.max", "max", _max(Side.LIMIT)),
    Check("request.max", "max", _max(Side.REQUEST)),
    Check("limit.min", "min", _min(Side.LIMIT)),
    Check("request.min", "min", _min(Side.REQUEST)),
    Check("ratio", "ratio", _ratio),
    Check("equal", "equal", _equal),
)
ORDER = "order"
SUFFIXES: frozenset[str] = frozenset({check.suffix for check in CHECKS} | {ORDER})
"""Every check id is a resource name, perhaps behind ``pod.``, a dot and one of these."""


def is_content(bounds: Bounds, request: Quantity | None, limit: Quantity | None) -> bool:
    """True when no check can find anything wrong: the short word about nearly every container. False: look closer."""
    if request is None:
        if bounds.request_required:
            return False
    elif bounds.request_forbidden or not bounds.least <= request.nano <= bounds.most:
        return False
    if limit is None:
        return not (bounds.limit_required or bounds.equal)
    if bounds.limit_forbidden or not bounds.least <= limit.nano <= bounds.most:
        return False
    if request is None or bounds.equal:
        return not bounds.equal or request == limit
    return bounds.ratio is None or not exceeds_ratio(bounds.ratio, request, limit)


@lru_cache(maxsize=256)
def checks_for(judged: tuple[str, ...]) -> tuple[Check, ...]:
    """Those of `CHECKS` that ``judged`` (of a `Bounds`) turns on, in their order."""
    return tuple(check for check in CHECKS if check.needs in judged)
