"""What API validation answers to the resources of a pod spec (422): rules no policy can change, in the server's words.

A prediction, of amounts as they are given: for a Pod the caller does the server's defaulting first (requests from
limits, `pod_level_defaults`), a template is validated without. Claims and Windows pods are not looked at. Follows
validateResourceRequirements and validatePodResources of kubernetes/kubernetes pkg/apis/core/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct

from plimsoll.objects.read import escaped
from plimsoll.policy.pod_level import Amounts, is_counted, total_limits, total_requests
from plimsoll.policy.quantity import NANO, Quantity, QuantityError, parse
from plimsoll.policy.resource_names import (
    POD_LEVEL,
    container_resource_problems,
    is_hugepages,
    is_whole,
    may_overcommit,
    page_size_text,
    plain_name,
    pod_resource_problems,
)
from plimsoll.policy.server_quantity import server_text, whole_units
from plimsoll.policy.workload import ContainerClass, Resources


class ApiProblem(Struct, frozen=True):
    """One reason why the API server would refuse the object with 422."""

    pointer: str
    """JSON Pointer to the value, or to the map that misses it."""
    field: str
    """The server's name of the place: ``spec.containers[0].resources.limits[cpu]``."""
    text: str
    """The server's words: ``Invalid value: "2": must be less than or equal to cpu limit of 1``."""

    def __str__(self) -> str:
        return f"{self.field}: {self.text}"


def api_validation_problems(
    amounts: Sequence[Amounts], pod_resources: Resources | None, *, pod_level: bool
) -> tuple[ApiProblem, ...]:
    """Everything the server would refuse about these containers and, with ``pod_level``, about ``spec.resources``.

    ``pod_level`` is true for 1.34 and later. Field names are those of a Pod or a template, by the containers' pointers.
    """
    problems: list[ApiProblem] = []
    for entry in amounts:
        if is_counted(entry.container):
            place = f"{entry.container.pointer}/resources"
            problems += _requirement_problems(place, entry.requests, entry.limits, container_resource_problems)
    if pod_level and pod_resources is not None:
        spec = amounts[0].container.pointer.rpartition("/")[0].rpartition("/")[0] if amounts else "/spec"
        place = f"{spec}/resources"
        problems += _requirement_problems(place, pod_resources.requests, pod_resources.limits, pod_resource_problems)
        problems += _misfits(place, amounts, pod_resources)
    return tuple(problems)


def _requirement_problems(
    place: str,
    requests: Mapping[str, Quantity],
    limits: Mapping[str, Quantity],
    name_problems: Callable[[str], tuple[str, ...]],
) -> Iterator[ApiProblem]:
    for side, given in (("limits", limits), ("requests", requests)):
        for resource, amount in given.items():
            for text in name_problems(resource):
                yield _problem(place, side, text, resource)
            for text in _flaws(resource, amount):
                yield _problem(place, side, f'Invalid value: "{server_text(amount)}": {text}', resource)
    for resource, request in requests.items():
        limit = limits.get(resource)
        if limit is None:
            if not may_overcommit(resource):
                # The server's sentence, with its spelling.
                yield _problem(place, "limits", "Required value: Limit must be set for non overcommitable resources")
        elif request != limit and not may_overcommit(resource):
            rule = f"must be equal to {plain_name(resource)} limit of"
            yield _problem(place, "requests", _relation(request, rule, limit))
        elif request > limit:
            rule = f"must be less than or equal to {plain_name(resource)} limit of"
            yield _problem(place, "requests", _relation(request, rule, limit))
    named = requests.keys() | limits.keys()
    if any(is_hugepages(resource) for resource in named) and not named & POD_LEVEL:
        yield ApiProblem(place, _field(place), "Forbidden: HugePages require cpu or memory")


def _flaws(resource: str, amount: Quantity) -> Iterator[str]:
    if amount.nano < 0:
        yield "must be greater than or equal to 0"
    if is_whole(resource) and amount.nano % NANO:
        yield "must be an integer"
    if is_hugepages(resource) and not _is_multiple_of_page(resource, amount):
        yield f"{server_text(amount)} is not positive integer multiple of {plain_name(resource)}"


def _is_multiple_of_page(resource: str, amount: Quantity) -> bool:
    try:
        page = parse(page_size_text(resource))
    except QuantityError:
        return False
    return page.nano > 0 and page.nano % NANO == 0 and whole_units(amount) % (page.nano // NANO) == 0


def _misfits(place: str, amounts: Sequence[Amounts], pod: Resources) -> Iterator[ApiProblem]:
    """What the containers and the pod's own resources say against each other."""
    for resource, total in total_requests(amounts).items():
        request = pod.requests.get(resource)
        if request is not None and total > request:
            rule = "must be greater than or equal to aggregate container requests of"
            yield _problem(place, "requests", _relation(request, rule, total), resource)
    for resource, total in total_limits(amounts).items():
        limit = pod.limits.get(resource)
        if limit is not None and is_hugepages(resource) and total > limit:
            rule = "must be greater than or equal to aggregate container limits of"
            yield _problem(place, "limits", _relation(limit, rule, total), resource)
    regular = [entry for entry in amounts if entry.container.container_class is ContainerClass.REGULAR]
    for index, entry in enumerate(regular):
        for resource, own in entry.limits.items():
            limit = pod.limits.get(resource)
            if limit is not None and own > limit:
                pointer = f"{entry.container.pointer}/resources/limits/{escaped(resource)}"
                field = f"{_field(place)}.containers[{index}][{plain_name(resource)}].limits"  # leads nowhere
                yield ApiProblem(pointer, field, _relation(own, "must be less than or equal to pod limits of", limit))


def _relation(found: Quantity, rule: str, other: Quantity) -> str:
    return f'Invalid value: "{server_text(found)}": {rule} {server_text(other)}'


def _problem(place: str, side: str, text: str, resource: str | None = None) -> ApiProblem:
    """At one map of amounts, or at one entry of it."""
    if resource is None:
        return ApiProblem(f"{place}/{side}", f"{_field(place)}.{side}", text)
    return ApiProblem(f"{place}/{side}/{escaped(resource)}", f"{_field(place)}.{side}[{plain_name(resource)}]", text)


def _field(pointer: str) -> str:
    """``/spec/containers/0`` as the server writes it: ``spec.containers[0]``."""
    steps = pointer.removeprefix("/").split("/")
    return "".join(f"[{step}]" if step.isdecimal() else f".{step}" for step in steps).removeprefix(".")
