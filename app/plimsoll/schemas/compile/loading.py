"""Many texts → one Snapshot, or every problem of all of them at once.

A policy folder holds policies, exemptions and, as context, Namespace and LimitRange manifests; the same objects found
among manifests that are judged are laid over it by `Loaded.with_context`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any, Final, TypeVar

import msgspec
from pydantic import BaseModel

from plimsoll.errors import InvalidPolicy, MalformedObject, Problem
from plimsoll.objects.kinds import group_of
from plimsoll.objects.read import read_head
from plimsoll.objects.structs import ObjectMeta
from plimsoll.policy.limit_range import LimitRange, limit_range_problems, read_limit_range
from plimsoll.policy.model import NAME_LABEL, Exemption, Namespace, Policy
from plimsoll.policy.quantity import shown
from plimsoll.policy.snapshot import Snapshot
from plimsoll.schemas.compile.documents import exemption_of, policy_of
from plimsoll.schemas.compile.shapes import Unshapable, shaped
from plimsoll.schemas.compile.words import (
    MOST_COMPLAINTS,
    Complaint,
    Complaints,
    TooManyComplaints,
    nearest,
    object_name,
)
from plimsoll.schemas.manifests import API_VERSION, EXEMPTION_KIND, POLICY_KIND, ManifestObject, Role, read_objects
from plimsoll.schemas.policy_document import ClusterLimitExemption, ClusterLimitPolicy
from plimsoll.schemas.yaml import UnreadableDocument

GROUP: Final = group_of(API_VERSION)

MAX_POINTER: Final = 512
ACCEPTED: Final = f"{POLICY_KIND} and {EXEMPTION_KIND} of {API_VERSION}, Namespace and LimitRange of v1"

_Value = TypeVar("_Value")


class Loaded:
    """All that governs, compiled. Never changed after it was made."""

    def __init__(
        self,
        policies: Mapping[str, Policy],
        exemptions: Mapping[str, Exemption],
        namespaces: Mapping[str, Namespace],
        limit_ranges: Mapping[tuple[str, str], LimitRange],
    ) -> None:
        """Each by its name, LimitRanges by namespace and name."""
        self.policies = policies
        self.exemptions = exemptions
        self.namespaces = namespaces
        self.limit_ranges = limit_ranges

    @cached_property
    def snapshot(self) -> Snapshot:
        """What a request looks things up in."""
        by_namespace: dict[str, list[LimitRange]] = {}
        for (namespace, _), limit_range in self.limit_ranges.items():
            by_namespace.setdefault(namespace, []).append(limit_range)
        return Snapshot(self.policies.values(), self.exemptions.values(), self.namespaces.values(), by_namespace)

    def with_context(
        self, objects: Iterable[ManifestObject | UnreadableDocument], *, namespace: str = "default"
    ) -> tuple[Loaded, tuple[Problem, ...]]:
        """What governs once policies, exemptions, namespaces and LimitRanges among ``objects`` are in force as well.

        They win over objects of the same name that were there before; other objects are passed over, and so are
        unreadable ones, which whoever judges ``objects`` reports. ``namespace`` stands in where a LimitRange names
        none. A document with problems is left out and the rest applies.
        """
        gathering = _Gathering(namespace)
        for found in objects:
            if isinstance(found, ManifestObject) and (found.role is not Role.OTHER or _is_ours(found)):
                gathering.add(found)
        return (
            Loaded(
                {**self.policies, **gathering.policies},
                {**self.exemptions, **gathering.exemptions},
                {**self.namespaces, **gathering.namespaces},
                {**self.limit_ranges, **gathering.limit_ranges},
            ),
            tuple(gathering.problems),
        )


NOTHING: Final = Loaded({}, {}, {}, {})


def load(sources: Iterable[tuple[str, str]], *, namespace: str = "default") -> Loaded:
    """Compile texts, each with its origin. Raises InvalidPolicy with the problems of all of them.

    ``namespace`` is where a LimitRange belongs that names none.
    """
    gathering = _Gathering(namespace)
    for origin, text in sources:
        for found in read_objects(text, origin):
            if isinstance(found, UnreadableDocument):
                gathering.problems.append(Problem(found.origin, found.line, "", found.reason))
            else:
                gathering.add(found)
    if gathering.problems:
        raise InvalidPolicy(gathering.problems)
    return Loaded(gathering.policies, gathering.exemptions, gathering.namespaces, gathering.limit_ranges)


def compile_policy(found: ManifestObject) -> Policy:
    """One policy document. Raises InvalidPolicy with all its problems."""
    return _compiled(found, ClusterLimitPolicy, policy_of)


def compile_exemption(found: ManifestObject) -> Exemption:
    """One exemption document. Raises InvalidPolicy with all its problems."""
    return _compiled(found, ClusterLimitExemption, exemption_of)


class _Gathering:
    """Values and problems while texts are read."""

    def __init__(self, namespace: str) -> None:
        self.policies: dict[str, Policy] = {}
        self.exemptions: dict[str, Exemption] = {}
        self.namespaces: dict[str, Namespace] = {}
        self.limit_ranges: dict[tuple[str, str], LimitRange] = {}
        self.problems: list[Problem] = []
        self._namespace = namespace
        self._places: dict[tuple[Role, str], str] = {}

    def add(self, found: ManifestObject) -> None:
        """Compile one object into its place, or note what is wrong with it."""
        try:
            if found.role is Role.POLICY:
                policy = compile_policy(found)
                self._once(found, policy.name)
                self.policies.setdefault(policy.name, policy)
            elif found.role is Role.EXEMPTION:
                exemption = compile_exemption(found)
                self._once(found, exemption.name)
                self.exemptions.setdefault(exemption.name, exemption)
            elif found.role is Role.NAMESPACE:
                namespace = _read_namespace(found)
                self.namespaces[namespace.name] = namespace
            elif found.role is Role.LIMIT_RANGE:
                place, limit_range = _read_limit_range(found)
                self.limit_ranges[place or self._namespace, limit_range.name] = limit_range
            else:
                raise InvalidPolicy(list(_problems(found, [_foreign(found)])))
        except InvalidPolicy as error:
            self.problems.extend(error.problems)

    def _once(self, found: ManifestObject, name: str) -> None:
        place = f"{found.document.origin}:{found.line}"
        first = self._places.setdefault((found.role, name), place)
        if first != place:
            reason = f"a {found.kind} named {name} stands already at {first}; accepted: one document for each name"
            raise InvalidPolicy(list(_problems(found, [Complaint("/metadata/name", reason)])))


def _compiled(
    found: ManifestObject, model: type[BaseModel], compiled: Callable[[Any, str, Complaints], _Value | None]
) -> _Value:
    """What the document says. Raises InvalidPolicy with all its problems."""
    result: _Value | None = None
    try:
        shape = shaped(model, msgspec.json.decode(found.json))
    except (msgspec.MsgspecError, RecursionError, Unshapable) as error:
        raise InvalidPolicy(list(_problems(found, [Complaint("", f"cannot be read: {error}")]))) from None
    complaints = list(shape.complaints)
    more = Complaints()
    with suppress(TooManyComplaints):
        result = compiled(shape.document, f"{found.document.origin}:{found.line}", more)
    hidden = [f"{removed}/" for removed in shape.removed]
    complaints += (each for each in more if not any(under.startswith(f"{each.pointer}/") for under in hidden))
    if result is None or complaints:
        raise InvalidPolicy(list(_problems(found, complaints)))
    return result


def _problems(found: ManifestObject, complaints: Sequence[Complaint]) -> Iterator[Problem]:
    """In the order of the text, and no more than a person reads."""
    origin = found.document.origin
    placed = [
        Problem(origin, found.line_of(each.pointer), _printable(found.pointer + each.pointer), each.reason)
        for each in complaints
    ]
    yield from sorted(placed, key=lambda problem: problem.line or 0)[:MOST_COMPLAINTS]
    if len(placed) >= MOST_COMPLAINTS:
        yield Problem(
            origin, found.line, found.pointer, f"more than {MOST_COMPLAINTS} problems; the rest is not listed"
        )


def _printable(pointer: str) -> str:
    """A pointer for people: a key may hold anything."""
    head = pointer if len(pointer) <= MAX_POINTER else f"{pointer[:MAX_POINTER]}…"
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in head)


def _read_namespace(found: ManifestObject) -> Namespace:
    try:
        meta = read_head(found.json).metadata or ObjectMeta()
    except MalformedObject as error:
        raise InvalidPolicy(list(_problems(found, [Complaint(error.pointer, error.reason)]))) from None
    name = meta.name or ""
    complaints = Complaints()
    object_name(complaints, "/metadata/name", name)
    if complaints:
        raise InvalidPolicy(list(_problems(found, complaints)))
    labels = {key: value or "" for key, value in (meta.labels or {}).items()}
    return Namespace(name, {**labels, NAME_LABEL: name})


def _read_limit_range(found: ManifestObject) -> tuple[str, LimitRange]:
    try:
        namespace, limit_range = read_limit_range(found.json)
    except MalformedObject as error:
        raise InvalidPolicy(list(_problems(found, [Complaint(error.pointer, error.reason)]))) from None
    refused = [
        Complaint(each.pointer, f"the API server would refuse this LimitRange: {each.text}")
        for each in limit_range_problems(limit_range)
    ]
    if refused:
        raise InvalidPolicy(list(_problems(found, refused)))
    return namespace, limit_range


def _is_ours(found: ManifestObject) -> bool:
    return group_of(found.api_version) == GROUP


def _foreign(found: ManifestObject) -> Complaint:
    if not found.kind:
        return Complaint("", f"has no kind, so it is no object of Kubernetes; accepted: {ACCEPTED}")
    if found.kind in {POLICY_KIND, EXEMPTION_KIND}:
        return Complaint("/apiVersion", f"found {shown(found.api_version)}; accepted: {API_VERSION}")
    hint = nearest(found.kind, (POLICY_KIND, EXEMPTION_KIND)) if _is_ours(found) else ""
    version = f"of {shown(found.api_version)}" if found.api_version else "without apiVersion"
    return Complaint("/kind", f"found {shown(found.kind)} {version}{hint}; accepted: {ACCEPTED}")
