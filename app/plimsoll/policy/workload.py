"""A Workload: one object that carries a pod spec, reduced to what is judged. *The* place that knows container classes.

Reads the Structs of ``objects`` into frozen values with exact quantities; says where each container stands in its
object, so that messages and patches can point at it. Knows no policy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import cast

import msgspec
from msgspec import Struct

from plimsoll.errors import MalformedObject
from plimsoll.objects.read import escaped, read_head, read_templates
from plimsoll.objects.structs import Amount, ContainerSpec, ObjectMeta, PodTemplate, ResourceRequirements
from plimsoll.policy.quantity import Quantity, QuantityError, stored

LIMIT_RANGER_ANNOTATION = "kubernetes.io/limit-ranger"
SIDECAR_RESTART_POLICY = "Always"


class ContainerClass(Enum):
    """How long a container lives, which decides what it adds to the pod and which rules it follows."""

    REGULAR = "regular"
    INIT = "init"
    SIDECAR = "sidecar"
    """An init container with ``restartPolicy: Always``."""
    EPHEMERAL = "ephemeral"
    """Cannot carry resources (the API server refuses them): never judged, never patched."""

    __hash__ = object.__hash__  # Enum's own is a Python function, and rules are looked up by class


class Resources(Struct, frozen=True, gc=False):
    """Requests and limits by resource name; amounts are rounded up to milli, as the API server stores them."""

    requests: Mapping[str, Quantity] = {}
    limits: Mapping[str, Quantity] = {}

    def asks_for(self, resource: str) -> bool:
        """True when a non-zero amount of ``resource`` is requested or limited."""
        request, limit = self.requests.get(resource), self.limits.get(resource)
        return (request is not None and request.nano != 0) or (limit is not None and limit.nano != 0)


NO_RESOURCES = Resources()


class Container(Struct, frozen=True, gc=False):
    """One container of a pod spec."""

    name: str
    image: str
    container_class: ContainerClass
    pointer: str
    """JSON Pointer in the object: ``/spec/initContainers/0``."""
    resources: Resources
    spec: ContainerSpec
    """As written, for patches: an absent map needs another edit than an empty one."""


class ObjectRef(Struct, frozen=True, gc=False):
    """The object as its reader knows it; ``name`` is empty while the API server has yet to generate one."""

    api_version: str
    kind: str
    namespace: str
    name: str
    generate_name: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name or self.generate_name or '(unnamed)'}"


class Workload(Struct, frozen=True, gc=False):
    """An object that carries a pod spec. An object with several pod templates is several workloads."""

    ref: ObjectRef
    pointer: str
    """JSON Pointer to the template: empty for a Pod, ``/spec/template`` for a Deployment."""
    labels: Mapping[str, str]
    """Of the pod: the author's word."""
    annotations: Mapping[str, str]
    containers: tuple[Container, ...]
    """Regular, then init and sidecar in their order, then ephemeral."""
    pod_resources: Resources | None
    """``spec.resources``; None where it is absent or says nothing."""
    overhead: Mapping[str, Quantity]
    owners: tuple[tuple[str, str], ...] = ()
    """(kind, name) of owners that the reader believed, nearest first."""
    has_metadata: bool = False
    has_annotations: bool = False

    @property
    def is_template(self) -> bool:
        """False for a Pod itself."""
        return self.ref.kind != "Pod"

    @property
    def identities(self) -> tuple[tuple[str, str], ...]:
        """(kind, name) of the object and of the owners that were believed."""
        return ((self.ref.kind, self.ref.name or self.ref.generate_name), *self.owners)


def read_workloads(
    raw: bytes | msgspec.Raw, *, namespace: str = "default", name: str = "", believe_owners: bool = False
) -> Iterator[Workload]:
    """Each workload of an object; none for a kind that carries no pod template.

    ``namespace`` and ``name`` stand in where the object says none. ``believe_owners``: owner references count as the
    workload's identity only when a controller wrote them, which the caller knows. Raises MalformedObject.
    """
    head = read_head(raw)
    meta = head.metadata or ObjectMeta()
    kind, api_version = head.kind or "", head.apiVersion or ""
    ref = ObjectRef(api_version, kind, meta.namespace or namespace, meta.name or name, meta.generateName or "")
    for pointer, template in read_templates(raw, api_version, kind):
        yield workload_of(ref, pointer, template, owners=owners_of(meta, template) if believe_owners else ())


def workload_of(
    ref: ObjectRef, pointer: str, template: PodTemplate, *, owners: tuple[tuple[str, str], ...] = ()
) -> Workload:
    """The workload of one decoded template. Raises MalformedObject for an amount that is no quantity."""
    meta, spec = template.metadata or ObjectMeta(), template.spec
    if spec is None:
        raise MalformedObject(f"{pointer}/spec", "missing; a pod spec is needed")
    base = f"{pointer}/spec"
    containers: list[Container] = []
    for field, specs, listed_as in (
        ("containers", spec.containers, ContainerClass.REGULAR),
        ("initContainers", spec.initContainers, ContainerClass.INIT),
        ("ephemeralContainers", spec.ephemeralContainers, ContainerClass.EPHEMERAL),
    ):
        if specs:
            containers += _containers(specs, f"{base}/{field}", listed_as)
    pod_resources = None
    if spec.resources is not None and (spec.resources.limits or spec.resources.requests):
        pod_resources = _resources(spec.resources, base)
    return Workload(
        ref=ref,
        pointer=pointer,
        labels=_texts(meta.labels),
        annotations=_texts(meta.annotations),
        containers=tuple(containers),
        pod_resources=pod_resources,
        overhead=_amounts(spec.overhead, base, "overhead"),
        owners=owners,
        has_metadata=template.metadata is not None,
        has_annotations=meta.annotations is not None,
    )


def owners_of(meta: ObjectMeta, template: PodTemplate) -> tuple[tuple[str, str], ...]:
    """The controlling owner and, by name suffix, the object behind it: (ReplicaSet, web-5d9f), (Deployment, web).

    A ReplicaSet is named after its owner and the pod-template-hash label, a Job after its CronJob and the scheduled
    minute (kubernetes/kubernetes, pkg/controller/deployment and pkg/controller/cronjob).
    """
    for owner in meta.ownerReferences or ():
        if owner.controller:
            break
    else:
        return ()
    if not owner.kind or not owner.name:
        return ()
    stem, dash, suffix = owner.name.rpartition("-")
    labels = (template.metadata or ObjectMeta()).labels or {}
    if owner.kind == "ReplicaSet" and dash:
        if suffix == labels.get("rollouts-pod-template-hash"):
            return (owner.kind, owner.name), ("Rollout", stem)
        if suffix == labels.get("pod-template-hash"):
            return (owner.kind, owner.name), ("Deployment", stem)
    if owner.kind == "Job" and dash and len(suffix) >= 8 and suffix.isascii() and suffix.isdigit():
        return (owner.kind, owner.name), ("CronJob", stem)
    return ((owner.kind, owner.name),)


def _containers(specs: Sequence[ContainerSpec], base: str, listed_as: ContainerClass) -> list[Container]:
    containers: list[Container] = []
    for index, spec in enumerate(specs):
        container_class = listed_as
        if listed_as is ContainerClass.INIT and spec.restartPolicy == SIDECAR_RESTART_POLICY:
            container_class = ContainerClass.SIDECAR
        pointer = f"{base}/{index}"
        resources = NO_RESOURCES
        if spec.resources is not None and listed_as is not ContainerClass.EPHEMERAL:
            resources = _resources(spec.resources, pointer)
        containers.append(Container(spec.name or "", spec.image or "", container_class, pointer, resources, spec))
    return containers


def _resources(written: ResourceRequirements, owner: str) -> Resources:
    if not written.limits and not written.requests:
        return NO_RESOURCES
    return Resources(
        _amounts(written.requests, owner, "resources/requests"), _amounts(written.limits, owner, "resources/limits")
    )


def _amounts(written: Mapping[str, Amount] | None, owner: str, field: str) -> Mapping[str, Quantity]:
    if not written:
        return {}
    amounts = {}
    for resource, amount in written.items():
        try:
            amounts[resource] = stored(amount)
        except QuantityError as error:
            raise MalformedObject(f"{owner}/{field}/{escaped(resource)}", str(error)) from None
    return amounts


def _texts(written: Mapping[str, str | None] | None) -> Mapping[str, str]:
    if not written:
        return {}
    if None not in written.values():
        return cast("Mapping[str, str]", written)
    return {key: value or "" for key, value in written.items()}
