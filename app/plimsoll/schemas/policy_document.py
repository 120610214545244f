# ruff: noqa: N815 - fields are named as Kubernetes writes them
"""The documents that users write: ClusterLimitPolicy and ClusterLimitExemption of plimsoll.dev/v1alpha1.

Shapes only, with a description on every field, because the JSON Schema and the CRDs are exported from here. What a
text may say (amounts, names, globs, dates) and how fields relate to each other lives in ``schemas.compile``.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from plimsoll.policy.quantity import STRICT_PATTERN

REMOVED: Final = "none"
"""Written in place of an amount: the inherited entry does not apply here."""

MOST_RESOURCES: Final = 64
MOST_OVERRIDES: Final = 256
MOST_NAMES: Final = 1024
SHORT_TEXT: Final = 256
LONG_TEXT: Final = 1024
"""Bounds of lists, maps and texts: in the schemas too, so that the API server refuses what would be costly here."""


def _amount(value: object) -> object:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return value
    raise PydanticCustomError("amount", "an amount")


Amount = Annotated[
    str | int | float,
    PlainValidator(_amount),
    WithJsonSchema(
        {
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "pattern": STRICT_PATTERN,
            "x-kubernetes-int-or-string": True,
        }
    ),
]
AmountOrNone = Annotated[
    str | int | float,
    PlainValidator(_amount),
    WithJsonSchema(
        {
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "pattern": f"{STRICT_PATTERN[:-1]}$|^{REMOVED}$",
            "x-kubernetes-int-or-string": True,
        }
    ),
]


class Part(BaseModel):
    """Base of all parts: no field but the known ones, no value turned into another type, null as good as absent."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=False)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: part for name, part in value.items() if part is not None}
        return value


class Metadata(Part):
    """What Kubernetes says about every object."""

    model_config = ConfigDict(extra="allow")

    name: str = Field(description="Unique among its kind; a DNS name in lower case.")
    labels: dict[str, str] = Field(default={}, description="Not looked at by Plimsoll.")
    annotations: dict[str, str] = Field(default={}, description="Not looked at by Plimsoll.")


class Sides(Part):
    """Resource names for the two amounts a container has of each resource."""

    requests: list[str] | None = Field(
        default=None, max_length=MOST_RESOURCES, description="Resource names, such as cpu and memory."
    )
    limits: list[str] | None = Field(
        default=None, max_length=MOST_RESOURCES, description="Resource names, such as memory."
    )


class ClassRules(Part):
    """What one class of containers, or the containers of an override, must look like, where it differs."""

    required: Sides | None = Field(
        default=None, description="Amounts that must be there. A list replaces the inherited one."
    )
    forbidden: Sides | None = Field(
        default=None, description="Amounts that must not be there. A list replaces the inherited one."
    )
    default: dict[str, AmountOrNone] = Field(
        default={},
        max_length=MOST_RESOURCES,
        description="Limits for containers that set none, by resource; none removes the inherited entry.",
    )
    defaultRequest: dict[str, AmountOrNone] = Field(
        default={},
        max_length=MOST_RESOURCES,
        description="Requests for containers that set none, by resource; none removes the inherited entry.",
    )
    min: dict[str, AmountOrNone] = Field(
        default={},
        max_length=MOST_RESOURCES,
        description="Least request and limit, by resource; none removes the inherited entry.",
    )
    max: dict[str, AmountOrNone] = Field(
        default={},
        max_length=MOST_RESOURCES,
        description="Most request and limit, by resource; none removes the inherited entry.",
    )
    maxLimitRequestRatio: dict[str, AmountOrNone] = Field(
        default={},
        max_length=MOST_RESOURCES,
        description="How many times its request a limit may be, by resource; none removes the inherited entry.",
    )
    equal: list[str] | None = Field(
        default=None,
        max_length=MOST_RESOURCES,
        description="Resources whose request must equal the limit; a missing side takes the written one. "
        "Replaces the inherited list.",
    )
    outOfRange: Literal["Deny", "Clamp"] | None = Field(
        default=None,
        description="What happens to a value outside min and max, or a forbidden one: Deny makes it a violation, "
        "Clamp moves or removes it. Deny unless told otherwise.",
    )


class ContainerRules(ClassRules):
    """What every container must look like, unless a class or an override says otherwise."""

    default: dict[str, Amount] = Field(
        default={}, max_length=MOST_RESOURCES, description="Limits for containers that set none, by resource."
    )
    defaultRequest: dict[str, Amount] = Field(
        default={}, max_length=MOST_RESOURCES, description="Requests for containers that set none, by resource."
    )
    min: dict[str, Amount] = Field(
        default={}, max_length=MOST_RESOURCES, description="Least request and limit, by resource."
    )
    max: dict[str, Amount] = Field(
        default={}, max_length=MOST_RESOURCES, description="Most request and limit, by resource."
    )
    maxLimitRequestRatio: dict[str, Amount] = Field(
        default={}, max_length=MOST_RESOURCES, description="How many times its request a limit may be, by resource."
    )


class PodRules(Part):
    """What a pod may ask for as a whole, by the scheduler's arithmetic. Totals are never defaulted."""

    required: Sides | None = Field(default=None, description="Totals that must be bounded.")
    forbidden: Sides | None = Field(default=None, description="Totals that must not be there.")
    min: dict[str, Amount] = Field(
        default={}, max_length=MOST_RESOURCES, description="Least total request and limit, by resource."
    )
    max: dict[str, Amount] = Field(
        default={}, max_length=MOST_RESOURCES, description="Most total request and limit, by resource."
    )
    maxLimitRequestRatio: dict[str, Amount] = Field(
        default={},
        max_length=MOST_RESOURCES,
        description="How many times the total request the total limit may be, by resource.",
    )
    equal: list[str] | None = Field(
        default=None, max_length=MOST_RESOURCES, description="Resources whose totals must be equal."
    )


class WorkloadEntry(Part):
    """Workloads by kind and name; a field that is absent matches everything."""

    kind: str | None = Field(default=None, description="Kind of the object a person wrote, such as Deployment.")
    names: list[str] = Field(
        default=[], max_length=MOST_NAMES, description="Names, with * and ?; one of them must match."
    )


class OverrideMatch(Part):
    """Which containers are meant: all fields that are given must match, one entry of each list is enough."""

    containers: list[str] = Field(default=[], max_length=MOST_NAMES, description="Container names, with * and ?.")
    images: list[str] = Field(
        default=[],
        max_length=MOST_NAMES,
        description="Images, with * (also over /) and ?; tried as written and fully qualified.",
    )
    workloads: list[WorkloadEntry] = Field(
        default=[], max_length=MOST_NAMES, description="Workloads; one of them must match."
    )
    podLabels: dict[str, str] = Field(
        default={},
        max_length=MOST_RESOURCES,
        description="Labels of the pod; all of them must match, values may hold * and ?.",
    )
    uses: list[str] = Field(
        default=[], max_length=MOST_RESOURCES, description="Resource names; the container asks for some of one of them."
    )


class ExemptionMatch(OverrideMatch):
    """What is exempted: all fields that are given must match, one entry of each list is enough."""

    namespaces: list[str] = Field(default=[], max_length=MOST_NAMES, description="Namespace names, with * and ?.")


class OverrideRule(Part):
    """Other rules for the containers that match."""

    match: OverrideMatch = Field(description="Which containers are meant; an empty match means all of them.")
    containers: ClassRules = Field(description="What differs for them from the rules of their class.")


class SelectorExpression(Part):
    """One requirement of a label selector."""

    key: str = Field(description="Label key.")
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"] = Field(
        description="How the label relates to the values."
    )
    values: list[str] = Field(
        default=[], max_length=MOST_NAMES, description="Needed for In and NotIn, not allowed for the others."
    )


class Selector(Part):
    """A Kubernetes label selector; all its requirements must hold, an empty one matches everything."""

    matchLabels: dict[str, str] = Field(
        default={}, max_length=MOST_NAMES, description="Labels that must have exactly these values."
    )
    matchExpressions: list[SelectorExpression] = Field(
        default=[], max_length=MOST_NAMES, description="Further requirements."
    )


class NamespaceRules(Part):
    """Which namespaces are governed: (selector or include) minus exclude."""

    selector: Selector | None = Field(default=None, description="Namespaces by their labels.")
    include: list[str] = Field(default=[], max_length=MOST_NAMES, description="Namespaces by name, with * and ?.")
    exclude: list[str] = Field(
        default=[], max_length=MOST_NAMES, description="Namespaces that are not meant after all, with * and ?."
    )


class QuotaRules(Part):
    """A ResourceQuota for every governed namespace."""

    hard: dict[str, Amount] = Field(
        max_length=MOST_RESOURCES, description="As in a ResourceQuota: limits.memory, requests.cpu, pods and so on."
    )


class PolicySpec(Part):
    """What namespaces allow, require and default."""

    priority: int = Field(
        default=0,
        ge=-(2**31),
        le=2**31 - 1,
        description="The highest matching policy governs a namespace; at equal priority the first name does.",
    )
    namespaces: NamespaceRules = Field(description="Which namespaces are governed.")
    mode: Literal["Audit", "Warn", "Enforce"] = Field(default="Audit", description="What happens to a violation.")
    enforceFrom: str | None = Field(
        default=None,
        description="An instant such as 2026-12-01T00:00:00Z; until then Enforce acts as Warn and says so.",
        json_schema_extra={"format": "date-time"},
    )
    defaulting: Literal["Suggest", "Apply"] = Field(
        default="Suggest", description="What happens to a missing value that has a default: offered, or filled in."
    )
    templates: Literal["Audit", "Warn", "Enforce", "Ignore"] | None = Field(
        default=None,
        description="The mode for objects that carry a pod template; Audit under mode Audit, else Warn.",
    )
    containers: ContainerRules | None = Field(
        default=None, description="Rules for every container, unless a class or an override says otherwise."
    )
    initContainers: ClassRules | None = Field(default=None, description="What differs for init containers.")
    sidecarContainers: ClassRules | None = Field(
        default=None, description="What differs for sidecars: init containers with restartPolicy Always."
    )
    pod: PodRules | None = Field(default=None, description="Rules for the totals of a pod.")
    overrides: list[OverrideRule] = Field(
        default=[],
        max_length=MOST_OVERRIDES,
        description="Other rules for some containers; the first that matches a container wins.",
    )
    limitRange: Literal["Unmanaged", "Managed"] = Field(
        default="Unmanaged", description="Managed keeps a LimitRange in every governed namespace."
    )
    resourceQuota: QuotaRules | None = Field(
        default=None, description="Keeps a ResourceQuota in every governed namespace."
    )


class ExemptionSpec(Part):
    """A stated, dated reason not to judge."""

    owner: str = Field(max_length=SHORT_TEXT, description="Who answers for it.")
    reason: str = Field(max_length=LONG_TEXT, description="Why it is needed.")
    expires: str = Field(
        max_length=SHORT_TEXT,
        description="A date (to its end, UTC) or an instant with a zone; past it the exemption is void everywhere.",
    )
    ticket: str | None = Field(default=None, max_length=SHORT_TEXT, description="Where it is discussed.")
    match: ExemptionMatch = Field(description="What is exempted; an empty match means everything.")
    waive: list[str] = Field(
        max_length=MOST_NAMES, description='Check ids such as memory.limit.required, or ["*"] for all.'
    )


class ClusterLimitPolicy(Part):
    """What a set of namespaces allows, requires and defaults. One namespace is governed by one policy."""

    apiVersion: Literal["plimsoll.dev/v1alpha1"] = Field(description="The version of this document.")
    kind: Literal["ClusterLimitPolicy"] = Field(description="The kind of this document.")
    metadata: Metadata = Field(description="Its name, and what Kubernetes adds.")
    spec: PolicySpec = Field(description="What it says.")
    status: Any = Field(default=None, description="Written by Plimsoll.")


class ClusterLimitExemption(Part):
    """A stated, dated reason not to judge some containers by some checks."""

    apiVersion: Literal["plimsoll.dev/v1alpha1"] = Field(description="The version of this document.")
    kind: Literal["ClusterLimitExemption"] = Field(description="The kind of this document.")
    metadata: Metadata = Field(description="Its name, and what Kubernetes adds.")
    spec: ExemptionSpec = Field(description="What it says.")
    status: Any = Field(default=None, description="Written by Plimsoll.")
