"""Relations between fields that no container could satisfy, or no default keep: the only place that knows them.

Checked on resolved rules, so that a class is held against what it inherits. Of the fields in a relation the one that
stands nearest to the container is blamed, because that is where a person departed from what was given. A
``defaultRequest`` above ``default`` is not among them: the limit then follows the request.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from plimsoll.policy.quantity import NANO, Quantity
from plimsoll.policy.resource_names import may_overcommit
from plimsoll.schemas.compile.layers import Block, Entry, entries_of, resources_of
from plimsoll.schemas.compile.words import Complaint, Complaints

_Named = tuple[str, Entry]
"""The name of a field, and what it says."""
_Broken = tuple[str, tuple[_Named, ...]]
"""A sentence, and the fields it is about; the first is blamed unless another stands nearer to the container."""


def complain(complaints: Complaints, block: Block) -> None:
    """Say what is impossible in a resolved block; a sentence that was said before is not repeated."""
    for resource in resources_of(block):
        found = {**dict(entries_of(block.amounts, resource)), **dict(entries_of(block.lists, resource))}
        for sentence, fields in (*_amounts(found), *_defaults(resource, found), *_sides(resource, found)):
            blamed = max(fields, key=lambda field: field[1].layer)[1]
            elsewhere = "".join(
                f"; {name} is inherited from {entry.pointer}" for name, entry in fields if entry.layer < blamed.layer
            )
            complaint = Complaint(blamed.pointer, sentence + elsewhere)
            if complaint not in complaints:
                complaints.append(complaint)


def _amounts(found: Mapping[str, Entry]) -> Iterator[_Broken]:
    least, most = _known(found, "min"), _known(found, "max")
    if least is not None and most is not None and least > most:
        yield (
            f"min {least.text} is above max {most.text}; accepted: a min of at most {most.text}",
            _of(found, "min", "max"),
        )
        return
    for field in ("default", "defaultRequest"):
        value = _known(found, field)
        if value is None:
            continue
        if least is not None and value < least:
            yield (
                f"{field} {value.text} is below min {least.text}; accepted: {_range(least, most)}",
                _of(found, field, "min"),
            )
        if most is not None and value > most:
            yield (
                f"{field} {value.text} is above max {most.text}; accepted: {_range(least, most)}",
                _of(found, field, "max"),
            )


def _defaults(resource: str, found: Mapping[str, Entry]) -> Iterator[_Broken]:
    limit, request, ratio = (_known(found, field) for field in ("default", "defaultRequest", "maxLimitRequestRatio"))
    if limit is None or request is None or "equal" in found or not may_overcommit(resource):
        return  # where one amount stands for both sides, default wins
    if ratio is not None and limit.nano * NANO > ratio.nano * request.nano:
        most = Quantity.from_nano(ratio.nano * request.nano // NANO, binary=limit.is_binary).text
        yield (
            f"default {limit.text} is more than {ratio.text} times defaultRequest {request.text}, which"
            f" maxLimitRequestRatio does not allow; accepted: a default of at most {most}",
            _of(found, "default", "defaultRequest", "maxLimitRequestRatio"),
        )


def _sides(resource: str, found: Mapping[str, Entry]) -> Iterator[_Broken]:
    for side, default in (("requests", "defaultRequest"), ("limits", "default")):
        forbidden = f"forbidden/{side}"
        if forbidden not in found:
            continue
        if f"required/{side}" in found:
            yield (
                f"{resource} {side} are required and forbidden at once; accepted: one of the two",
                _of(found, forbidden, f"required/{side}"),
            )
        if default in found:
            yield (
                f"{resource} {side} are forbidden but have a {default}; accepted: one of the two",
                _of(found, default, forbidden),
            )
    if "forbidden/requests" in found and "forbidden/limits" not in found:
        copied = "the API server gives a container that has a limit a request of the same amount"
        for field, what in (("required/limits", "required"), ("default", "defaulted")):
            if field in found:
                yield (
                    f"{resource} requests are forbidden but limits are {what}: {copied}; accepted: one of the two",
                    _of(found, "forbidden/requests", field),
                )
    forbidden_sides = [side for side in ("requests", "limits") if f"forbidden/{side}" in found]
    if "equal" in found and len(forbidden_sides) == 1:
        yield (
            f"{resource} must be equal but its {forbidden_sides[0]} are forbidden; accepted: one of the two",
            _of(found, "equal", f"forbidden/{forbidden_sides[0]}"),
        )


def _known(found: Mapping[str, Entry], field: str) -> Quantity | None:
    entry = found.get(field)
    return None if entry is None else entry.amount


def _of(found: Mapping[str, Entry], *fields: str) -> tuple[_Named, ...]:
    return tuple((field.replace("/", "."), found[field]) for field in fields)


def _range(least: Quantity | None, most: Quantity | None) -> str:
    if least is None or most is None:
        return f"at least {least.text}" if least is not None else f"at most {most.text}" if most is not None else ""
    return f"{least.text} to {most.text}"
