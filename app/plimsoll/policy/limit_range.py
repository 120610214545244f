"""A LimitRange as the API server holds it: read with its own defaulting, and what the server would refuse about it.

What a LimitRange does to pods is in ``limitranger``. Follows SetDefaults_LimitRangeItem of kubernetes/kubernetes
pkg/apis/core/v1/defaults.go and ValidateLimitRange of pkg/apis/core/validation/validation.go; texts are the server's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
from msgspec import Struct

from plimsoll.errors import MalformedObject
from plimsoll.objects.read import decode, escaped
from plimsoll.objects.structs import Amount, ObjectMeta
from plimsoll.policy.quantity import NANO, Quantity, QuantityError, parse_json_value
from plimsoll.policy.resource_names import (
    container_resource_problems,
    invalid,
    may_overcommit,
    plain_name,
    qualified_name_problems,
    resource_problems,
)
from plimsoll.policy.server_quantity import MAX_MILLI_VALUE, milli_units, server_text, whole_units

CONTAINER: Final = "Container"
POD: Final = "Pod"
VOLUME_CLAIM: Final = "PersistentVolumeClaim"

MANAGED_BY: Final = "app.kubernetes.io/managed-by"
MANAGER: Final = "plimsoll"

Constraints = Mapping[str, Quantity]
"""Resource name → amount."""


class LimitRangeItem(Struct, frozen=True):
    """One entry of ``spec.limits``; for type Container, ``default`` and ``default_request`` hold derived values too."""

    type: str
    default: Constraints = {}
    default_request: Constraints = {}
    min: Constraints = {}
    max: Constraints = {}
    ratio: Constraints = {}


class LimitRange(Struct, frozen=True):
    """A LimitRange of one namespace; ``managed`` is one that Plimsoll itself keeps there."""

    name: str
    items: tuple[LimitRangeItem, ...] = ()
    managed: bool = False


class LimitRangeProblem(Struct, frozen=True):
    """One reason why the API server would refuse a LimitRange. The value may be derived, its pointer then new."""

    pointer: str
    """JSON Pointer in the LimitRange: ``/spec/limits/0/default/cpu``."""
    text: str
    """The server's words: ``Invalid value: "3": default value 3 is greater than max value 2``."""


class _ItemDocument(Struct, gc=False):
    type: str | None = None
    default: dict[str, Amount] | None = None
    defaultRequest: dict[str, Amount] | None = None  # noqa: N815 - Kubernetes' name
    min: dict[str, Amount] | None = None
    max: dict[str, Amount] | None = None
    maxLimitRequestRatio: dict[str, Amount] | None = None  # noqa: N815


class _SpecDocument(Struct, gc=False):
    limits: list[_ItemDocument] | None = None


class _Document(Struct, gc=False):
    metadata: ObjectMeta | None = None
    spec: _SpecDocument | None = None


_DECODER: Final = msgspec.json.Decoder(_Document)


def read_limit_range(raw: bytes | msgspec.Raw) -> tuple[str, LimitRange]:
    """(namespace or the empty text, value) of a v1 LimitRange in JSON. Raises MalformedObject.

    Amounts are rounded up to milli and missing defaults of Container items are derived, as the server does on writing
    and on reading. An object that the server would refuse is read all the same: see `limit_range_problems`.
    """
    document = decode(_DECODER, raw)
    meta = document.metadata or ObjectMeta()
    written = document.spec.limits if document.spec is not None else None
    items = tuple(_item(item, f"/spec/limits/{index}") for index, item in enumerate(written or ()))
    managed = (meta.labels or {}).get(MANAGED_BY) == MANAGER
    return meta.namespace or "", LimitRange(meta.name or meta.generateName or "", items, managed)


def defaults(limit_range: LimitRange) -> tuple[Constraints, Constraints]:
    """(limits, requests) that it fills into containers: the union over its Container items, the last one wins."""
    items = [item for item in limit_range.items if item.type == CONTAINER]
    if len(items) == 1:  # more than one is refused by the server since long ago
        return items[0].default, items[0].default_request
    limits: dict[str, Quantity] = {}
    requests: dict[str, Quantity] = {}
    for item in items:
        limits.update(item.default)
        requests.update(item.default_request)
    return limits, requests


def limit_range_problems(limit_range: LimitRange) -> tuple[LimitRangeProblem, ...]:
    """Everything about its limits for which the API server would answer 422, in the order of the items."""
    problems: list[LimitRangeProblem] = []
    types: set[str] = set()
    for index, item in enumerate(limit_range.items):
        base = f"/spec/limits/{index}"
        problems += (LimitRangeProblem(f"{base}/type", text) for text in _type_problems(item.type))
        if item.type in types:
            problems.append(LimitRangeProblem(f"{base}/type", f'Duplicate value: "{plain_name(item.type)}"'))
        types.add(item.type)
        problems += (LimitRangeProblem(f"{base}{pointer}", text) for pointer, text in _item_problems(item))
    return tuple(problems)


def _item(written: _ItemDocument, pointer: str) -> LimitRangeItem:
    default = _amounts(written.default, f"{pointer}/default")
    request = _amounts(written.defaultRequest, f"{pointer}/defaultRequest")
    lowest = _amounts(written.min, f"{pointer}/min")
    highest = _amounts(written.max, f"{pointer}/max")
    if written.type == CONTAINER:
        default = {**highest, **default}
        request = {**lowest, **default, **request}
    return LimitRangeItem(
        type=written.type or "",
        default=default,
        default_request=request,
        min=lowest,
        max=highest,
        ratio=_amounts(written.maxLimitRequestRatio, f"{pointer}/maxLimitRequestRatio"),
    )


def _amounts(written: Mapping[str, Amount] | None, pointer: str) -> dict[str, Quantity]:
    amounts = {}
    for resource, amount in (written or {}).items():
        try:
            quantity = parse_json_value(amount).ceil_milli()
        except QuantityError as error:
            raise MalformedObject(f"{pointer}/{escaped(resource)}", str(error)) from None
        amounts[resource] = Quantity(quantity.nano, server_text(quantity))  # as it comes back from the server's storage
    return amounts


def _type_problems(name: str) -> tuple[str, ...]:
    problems = tuple(invalid(name, problem) for problem in qualified_name_problems(name))
    if not problems and "/" not in name and name not in {CONTAINER, POD, VOLUME_CLAIM}:
        return (invalid(name, "must be a standard limit type or fully qualified"),)
    return problems


def _item_problems(item: LimitRangeItem) -> Iterator[tuple[str, str]]:
    """(pointer below the item, text) for each problem of one item."""
    fields = {"max": item.max, "min": item.min}
    if item.type == POD:
        for field, amounts in (("default", item.default), ("defaultRequest", item.default_request)):
            if amounts:
                yield f"/{field}", "Forbidden: may not be specified when `type` is 'Pod'"
    else:
        fields |= {"default": item.default, "defaultRequest": item.default_request}
    fields["maxLimitRequestRatio"] = item.ratio
    name_problems = container_resource_problems if item.type in {CONTAINER, POD} else resource_problems
    for field, amounts in fields.items():
        for resource in amounts:
            for text in name_problems(resource):
                yield f"/{field}/{escaped(resource)}", text
    if item.type == VOLUME_CLAIM and "storage" not in item.min and "storage" not in item.max:
        text = "Required value: either minimum or maximum storage value is required, but neither was provided"
        yield "/limits", text
    for resource in dict.fromkeys(resource for amounts in fields.values() for resource in amounts):
        values = {field: amounts[resource] for field, amounts in fields.items() if resource in amounts}
        for field, found, text in _relation_problems(resource, values):
            yield f"/{field}/{escaped(resource)}", f'Invalid value: "{server_text(found)}": {text}'


_ORDER: Final = (
    # field of the smaller value, field of the greater, where the server puts the blame, whose value it shows
    ("min", "max", "min", "min"),
    ("min", "defaultRequest", "defaultRequest", "defaultRequest"),
    ("defaultRequest", "max", "defaultRequest", "defaultRequest"),
    ("defaultRequest", "default", "defaultRequest", "defaultRequest"),
    ("min", "default", "default", "min"),
    ("default", "max", "default", "max"),
)
_WORDS: Final = {"min": "min", "max": "max", "default": "default", "defaultRequest": "default request"}


def _relation_problems(resource: str, values: Mapping[str, Quantity]) -> Iterator[tuple[str, Quantity, str]]:
    """(field, value shown, text) where the amounts of one resource contradict each other."""
    for low, high, blamed, value in _ORDER:
        if low in values and high in values and values[low] > values[high]:
            other = "default limit" if (low, high) == ("defaultRequest", "default") else _WORDS[high]
            smaller, greater = server_text(values[low]), server_text(values[high])
            text = f"{_WORDS[low]} value {smaller} is greater than {other} value {greater}"
            yield blamed, values[value], text
    ratio = values.get("maxLimitRequestRatio")
    if ratio is not None:
        if ratio.nano < NANO:
            yield "maxLimitRequestRatio", ratio, f"ratio {server_text(ratio)} is less than 1"
        widest = _widest_ratio(values, ratio)
        if widest is not None:
            yield "maxLimitRequestRatio", ratio, f"ratio {server_text(ratio)} is greater than max/min = {widest:f}"
    default, request = values.get("default"), values.get("defaultRequest")
    if default is not None and request is not None and default != request and not may_overcommit(resource):
        text = f"default value {server_text(default)} must equal to defaultRequest value {server_text(request)}"
        yield "defaultRequest", request, f"{text} in {resource}"


def _widest_ratio(values: Mapping[str, Quantity], ratio: Quantity) -> float | None:
    """max/min where the ratio exceeds it, in the server's floating point; None where it does not."""
    if "min" not in values or "max" not in values:
        return None
    allowed = float(whole_units(ratio))
    lowest, highest = whole_units(values["min"]), whole_units(values["max"])
    if max(whole_units(ratio), lowest, highest) < MAX_MILLI_VALUE:
        allowed = milli_units(ratio) / 1000
        lowest, highest = milli_units(values["min"]), milli_units(values["max"])
    if lowest == 0:  # Go divides by zero: infinity, or no number at all; neither is exceeded
        return None if highest >= 0 else float("-inf")
    widest = highest / lowest
    return widest if allowed > widest else None
