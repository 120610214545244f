"""What the decision says: violations, values that were set, and the Evaluation that holds them together.

Plain values without sentences; ``policy.messages`` turns them into what a person reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from fractions import Fraction

from msgspec import Struct

from plimsoll.objects.read import escaped
from plimsoll.policy.model import Exemption, Policy
from plimsoll.policy.quantity import Quantity, Suspicion, suspicion
from plimsoll.policy.snapshot import Governance
from plimsoll.policy.workload import Container, ContainerClass, Resources, Workload


class Side(Enum):
    """A resource has two amounts."""

    REQUEST = "request"
    LIMIT = "limit"

    field: str
    """The map that holds it: ``requests`` or ``limits``."""

    def __init__(self, word: str) -> None:
        self.field = word + "s"

    __hash__ = object.__hash__  # it is half of many keys, and Enum's own hash is a Python function


class Cause(Enum):
    """Where a value came from."""

    WRITTEN = "written"
    API_DEFAULT = "API default"
    """The API server copied the limit to the request."""
    LIMIT_RANGE = "LimitRange"
    POLICY_DEFAULT = "policy default"
    CLAMP = "clamp"


class Origin(Struct, frozen=True, gc=False):
    """Where a value came from, and the name of the LimitRange or policy that set it."""

    cause: Cause
    name: str = ""


WRITTEN = Origin(Cause.WRITTEN)


class Setting(Struct, frozen=True, gc=False):
    """One value that the decision set, replaced or removed."""

    container: str
    pointer: str
    """JSON Pointer to the container."""
    resource: str
    side: Side
    before: Quantity | None
    after: Quantity | None
    """None: removed (a forbidden value under Clamp)."""
    cause: Cause


class Violation(Struct, frozen=True, gc=False):
    """One check that one container, or the pod as a whole, does not pass."""

    check: str
    """``memory.limit.required``, ``pod.memory.limit.max``."""
    container: str | None
    """None: the pod's totals or its ``spec.resources``."""
    container_class: ContainerClass | None
    pointer: str
    """JSON Pointer to the field, whether it is there or missing."""
    resource: str
    side: Side | None
    found: str | None
    """The amount as text; None when nothing is there."""
    allowed: str
    """What would be accepted: ``at most 4Gi``, ``required``, ``not allowed``."""
    excess: Fraction
    """How far out it is; of two violations of one check the one with more is the worse."""
    note: str = ""
    """What else must be known: who set the value, why no default could be filled in."""

    @property
    def place(self) -> str:
        """JSON Pointer to the container, or to the pod spec: unlike a name, no two containers share it."""
        return self.pointer.rpartition("/resources/")[0]


class Exempted(Struct, frozen=True, gc=False):
    """A violation that an exemption waives: reported as ``skip``."""

    violation: Violation
    exemption: Exemption


class Advice(Struct, frozen=True, gc=False):
    """A written amount that is probably a slip of the pen."""

    container: str
    pointer: str
    resource: str
    suspicion: Suspicion


class Suggestion(Struct, frozen=True, gc=False):
    """A missing value that nothing requires, but that has a default (under Suggest)."""

    container: str
    pointer: str
    resource: str
    side: Side
    value: Quantity


class Prediction(Struct, frozen=True, gc=False):
    """A refusal that the API server itself will answer when the Pods are made, whatever this policy says."""

    limit_range: str
    """The LimitRange that LimitRanger will name; empty: API validation refuses it."""
    container: str | None
    text: str
    """The server's own sentence."""


class Outcome(Struct, frozen=True, gc=False):
    """One container after the decision, with the origin of each value that nobody wrote."""

    requests: Mapping[str, Quantity]
    limits: Mapping[str, Quantity]
    origins: Mapping[tuple[Side, str], Origin]

    @property
    def resources(self) -> Resources:
        """Both sides together."""
        return Resources(self.requests, self.limits)


def _advice(containers: Iterable[Container]) -> Iterator[Advice]:
    for container in containers:
        for side, values in (("requests", container.resources.requests), ("limits", container.resources.limits)):
            for resource, value in values.items():
                if (doubt := suspicion(resource, value.text)) is not None:
                    pointer = f"{container.pointer}/resources/{side}/{escaped(resource)}"
                    yield Advice(container.name, pointer, resource, doubt)


class Evaluation(Struct, frozen=True, gc=False):
    """One workload judged under what governs its namespace."""

    workload: Workload
    governance: Governance
    policy: Policy | None
    """None: no policy governs the namespace, nothing was judged."""
    outcomes: tuple[Outcome, ...] = ()
    """One for each of ``workload.containers``: the amounts that the API server will finally hold."""
    settings: tuple[Setting, ...] = ()
    """What was set; under Suggest nothing is."""
    violations: tuple[Violation, ...] = ()
    exempted: tuple[Exempted, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
    predictions: tuple[Prediction, ...] = ()

    @property
    def advice(self) -> tuple[Advice, ...]:
        """What was probably a slip of the pen; worked out when it is asked for, since a patch does not speak."""
        return tuple(_advice(self.workload.containers)) if self.policy is not None else ()

    @property
    def passes(self) -> bool:
        """True when nothing is violated that is not exempted."""
        return not self.violations
