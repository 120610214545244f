"""The fields of Kubernetes objects that a load line looks at, as msgspec Structs.

Every field may be absent or null, as in Go; a wrong type is an error with a pointer, made in ``objects.read``.
Nothing here means anything yet: ``policy.workload`` knows what a sidecar is.
"""

from __future__ import annotations

from msgspec import Struct

Amount = str | int | float | None
"""A quantity as JSON carries it; numbers are legal, null is zero (apimachinery, Quantity.UnmarshalJSON)."""


class ResourceRequirements(Struct, gc=False):
    """v1.ResourceRequirements without claims, which name devices and no amounts."""

    limits: dict[str, Amount] | None = None
    requests: dict[str, Amount] | None = None


class ContainerSpec(Struct, gc=False):
    """v1.Container."""

    name: str | None = None
    image: str | None = None
    resources: ResourceRequirements | None = None
    restartPolicy: str | None = None  # noqa: N815 - Kubernetes' name


class PodSpec(Struct, gc=False):
    """v1.PodSpec: every list of containers there is, pod-level resources and overhead."""

    containers: list[ContainerSpec] | None = None
    initContainers: list[ContainerSpec] | None = None  # noqa: N815
    ephemeralContainers: list[ContainerSpec] | None = None  # noqa: N815
    resources: ResourceRequirements | None = None
    overhead: dict[str, Amount] | None = None


class OwnerReference(Struct, gc=False):
    """metav1.OwnerReference."""

    apiVersion: str | None = None  # noqa: N815
    kind: str | None = None
    name: str | None = None
    controller: bool | None = None


class ObjectMeta(Struct, gc=False):
    """metav1.ObjectMeta."""

    name: str | None = None
    generateName: str | None = None  # noqa: N815
    namespace: str | None = None
    labels: dict[str, str | None] | None = None
    annotations: dict[str, str | None] | None = None
    ownerReferences: list[OwnerReference] | None = None  # noqa: N815
    deletionTimestamp: str | None = None  # noqa: N815


class PodTemplate(Struct, gc=False):
    """v1.PodTemplateSpec, and a whole Pod: metadata and a pod spec side by side."""

    metadata: ObjectMeta | None = None
    spec: PodSpec | None = None


class Head(Struct, gc=False):
    """What every object says of itself."""

    apiVersion: str | None = None  # noqa: N815
    kind: str | None = None
    metadata: ObjectMeta | None = None
