"""Blocks of rules laid over each other: ``containers`` ← class ← override, field by field, resource by resource.

Lists replace, ``none`` removes an inherited entry. Every value keeps the pointer it came from, so that a relation
between two of them can point at the one a person must change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from plimsoll.objects.read import escaped
from plimsoll.policy.defaulting import for_nothing
from plimsoll.policy.draft import UNLIMITED_BY_ZERO
from plimsoll.policy.model import Bounds, Rules
from plimsoll.policy.quantity import NANO, Quantity, parse_strict
from plimsoll.policy.resource_names import is_hugepages, is_whole, page_size_text
from plimsoll.schemas.compile.words import Complaint, Complaints, amount, resource_name
from plimsoll.schemas.policy_document import REMOVED, ClassRules, ContainerRules, PodRules

AMOUNTS: Final = ("default", "defaultRequest", "min", "max", "maxLimitRequestRatio")
LISTS: Final = ("required/requests", "required/limits", "forbidden/requests", "forbidden/limits", "equal")


class Entry(Struct, frozen=True):
    """What one field says about one resource, and where it stands."""

    pointer: str
    layer: int
    """0 for ``containers`` and ``pod``, 1 for a class, 2 for an override."""
    amount: Quantity | None = None
    """None in a list, and for an amount that could not be read."""


class Block(Struct, frozen=True):
    """What one place of the document says, or several laid over each other."""

    amounts: Mapping[str, Mapping[str, Entry | None]]
    """Field → resource → entry; None removes an inherited one."""
    lists: Mapping[str, Mapping[str, Entry]]
    """Field → resource → entry, for the lists that are given."""
    clamp: bool | None = None


def read_block(complaints: Complaints, pointer: str, layer: int, written: ClassRules | PodRules | None) -> Block:
    """A block as it is written; what cannot be read is said and counts as an unknown amount."""
    if written is None:
        return Block({}, {})
    removable = isinstance(written, ClassRules) and not isinstance(written, ContainerRules)
    amounts: dict[str, dict[str, Entry | None]] = {}
    for field in AMOUNTS:
        entries = amounts[field] = {}
        for resource, value in getattr(written, field, {}).items():
            place = f"{pointer}/{field}/{escaped(resource)}"
            if not resource_name(complaints, place, resource):
                continue
            if value == REMOVED and removable:
                entries[resource] = None
            elif value == REMOVED:
                reason = f'"{REMOVED}" removes an inherited entry, and nothing is inherited here; leave the entry out'
                complaints.append(Complaint(place, reason))
            else:
                entries[resource] = Entry(place, layer, _checked(complaints, place, field, resource, value))
    clamp = getattr(written, "outOfRange", None)
    return Block(
        amounts=amounts,
        lists=dict(_lists(complaints, pointer, layer, written)),
        clamp=None if clamp is None else clamp == "Clamp",
    )


def laid_over(*blocks: Block) -> Block:
    """The blocks resolved; later ones are nearer to the container."""
    amounts: dict[str, dict[str, Entry | None]] = {field: {} for field in AMOUNTS}
    lists: dict[str, Mapping[str, Entry]] = {}
    clamp: bool | None = None
    for block in blocks:
        for field, entries in block.amounts.items():
            for resource, entry in entries.items():
                if entry is None:
                    amounts[field].pop(resource, None)
                else:
                    amounts[field][resource] = entry
        lists.update(block.lists)
        clamp = clamp if block.clamp is None else block.clamp
    return Block(amounts, lists, clamp)


def resources_of(block: Block) -> list[str]:
    """All resources that a resolved block speaks of, in the order of their names."""
    return sorted(
        {resource for fields in (block.amounts, block.lists) for each in fields.values() for resource in each}
    )


def rules_of(block: Block) -> Rules:
    """A resolved block as the decision wants it. Amounts that could not be read are left out."""
    return Rules(tuple(_bounds(block, resource) for resource in resources_of(block)), clamp=block.clamp or False)


def _bounds(block: Block, resource: str) -> Bounds:
    amounts = {field: entry.amount for field, entry in entries_of(block.amounts, resource)}
    lists = {field for field, _ in entries_of(block.lists, resource)}
    bounds = Bounds(
        resource=resource,
        request_required="required/requests" in lists,
        limit_required="required/limits" in lists,
        request_forbidden="forbidden/requests" in lists,
        limit_forbidden="forbidden/limits" in lists,
        default_request=amounts.get("defaultRequest"),
        default=amounts.get("default"),
        min=amounts.get("min"),
        max=amounts.get("max"),
        ratio=amounts.get("maxLimitRequestRatio"),
        equal="equal" in lists,
    )
    return replace(bounds, for_nothing=for_nothing(bounds))


def entries_of(fields: Mapping[str, Mapping[str, Entry | None]], resource: str) -> Iterator[tuple[str, Entry]]:
    """What each field says about one resource."""
    for field, entries in fields.items():
        entry = entries.get(resource)
        if entry is not None:
            yield field, entry


def _lists(
    complaints: Complaints, pointer: str, layer: int, written: ClassRules | PodRules
) -> Iterator[tuple[str, dict[str, Entry]]]:
    for field in LISTS:
        part: object = written
        for step in field.split("/"):
            part = getattr(part, step, None)
        if isinstance(part, Iterable):
            entries: dict[str, Entry] = {}
            for index, resource in enumerate(part):
                place = f"{pointer}/{field}/{index}"
                if resource_name(complaints, place, resource):
                    entries.setdefault(resource, Entry(place, layer))
            yield field, entries


def _checked(
    complaints: Complaints, place: str, field: str, resource: str, value: str | int | float
) -> Quantity | None:
    """The amount of an entry; None, after a complaint, where this field cannot have it."""
    is_ratio = field == "maxLimitRequestRatio"
    quantity = amount(complaints, place, value, "" if is_ratio else resource)
    if quantity is None:
        return None
    reason = ""
    if is_ratio:
        if quantity.nano < NANO:
            reason = f"{quantity.text} would put limits below requests; accepted: 1 or more"
    elif field in {"default", "max"} and quantity.nano == 0 and resource in UNLIMITED_BY_ZERO:
        instead = "forbidden allows none at all" if field == "max" else "leave it out to set none"
        reason = f"a limit of 0 means unlimited for {resource}; accepted: more than 0 ({instead})"
    elif field in {"default", "defaultRequest"}:
        reason = _why_not_stored(resource, quantity)
    if reason:
        complaints.append(Complaint(place, reason))
        return None
    return quantity


def _why_not_stored(resource: str, quantity: Quantity) -> str:
    """Why the API server would refuse a container with this amount."""
    if is_whole(resource) and quantity.nano % NANO:
        return f"{quantity.text} is not whole; {resource} comes in whole numbers only"
    if is_hugepages(resource):
        size = parse_strict(page_size_text(resource))
        if quantity.nano % size.nano or quantity.nano == 0:
            return f"{quantity.text} is no multiple of the page size; accepted: {size.text} times 1, 2, 3 and so on"
    return ""
