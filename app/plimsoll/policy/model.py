"""The compiled policy: what a namespace allows, requires and defaults. Read this page first.

Everything that a document says relative to something else (classes over ``containers``, overrides over classes,
globs, dates) is resolved here already; nothing is compiled while a pod waits. Built by ``schemas.compile`` alone,
which also guarantees the relations (min below max and so on); these values only hold them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum, IntEnum

from msgspec import Struct
from msgspec.structs import force_setattr

from plimsoll.policy.matching import Globs, ImageGlobs, LabelSelector
from plimsoll.policy.quantity import Quantity
from plimsoll.policy.resource_names import may_overcommit
from plimsoll.policy.workload import Container, ContainerClass, Workload


class Mode(IntEnum):
    """What happens to a violation; ordered, so that a cap is ``min``."""

    AUDIT = 0
    WARN = 1
    ENFORCE = 2

    text: str
    """The word as documents write it: ``Audit``, ``Warn``, ``Enforce``."""

    def __init__(self, _: int) -> None:
        self.text = self._name_.capitalize()


class Defaulting(Enum):
    """What happens to a missing value that has a default: offered in the message, or filled in."""

    SUGGEST = "Suggest"
    APPLY = "Apply"


BEYOND = 1 << 512


class Bounds(Struct, frozen=True):
    """What is said about one resource (``memory``) of one container, or of a pod's totals."""

    resource: str
    request_required: bool = False
    limit_required: bool = False
    request_forbidden: bool = False
    limit_forbidden: bool = False
    default_request: Quantity | None = None
    default: Quantity | None = None
    """The default limit."""
    min: Quantity | None = None
    """Judges request and limit; a value equal to a bound passes."""
    max: Quantity | None = None
    ratio: Quantity | None = None
    """``maxLimitRequestRatio``: the limit may be at most this many times the request."""
    equal: bool = False
    """Request and limit must be equal by value."""
    judged: tuple[str, ...] = ()
    """Those of its fields that a check looks at and that say something; filled in by itself, as is the next."""
    least: int = -BEYOND
    most: int = BEYOND
    """``min`` and ``max`` in nano-units; beyond every quantity where there is none."""
    one_for_both: bool = False
    """A value that is filled in goes to both sides."""
    for_nothing: tuple[Quantity | None, Quantity | None] | None = None
    """(request, limit) to fill in where neither is there, see ``defaulting.for_nothing``; None: look at the case."""

    def __post_init__(self) -> None:
        force_setattr(self, "judged", tuple(name for name in _JUDGED if getattr(self, name)))
        force_setattr(self, "least", -BEYOND if self.min is None else self.min.nano)
        force_setattr(self, "most", BEYOND if self.max is None else self.max.nano)
        force_setattr(self, "one_for_both", self.equal or not may_overcommit(self.resource))


_JUDGED = ("request_required", "limit_required", "request_forbidden", "limit_forbidden", "min", "max", "ratio", "equal")


class Rules(Struct, frozen=True):
    """All bounds for one container, in the order of their resource names."""

    bounds: tuple[Bounds, ...] = ()
    clamp: bool = False
    """``outOfRange: Clamp``: values outside min and max are moved to the bound, forbidden ones removed."""


class WorkloadMatch(Struct, frozen=True):
    """A kind and names of the object that a person wrote; an absent field matches everything."""

    kind: str | None = None
    names: Globs | None = None

    def match(self, workload: Workload) -> bool:
        """True for the workload itself or for an owner that the reader believed."""
        return any(
            (self.kind is None or self.kind == kind) and (self.names is None or self.names.match(name))
            for kind, name in workload.identities
        )


class Matcher(Struct, frozen=True):
    """Fields are joined by *and*, the entries of a list by *or*; labels must all match, as in a selector."""

    containers: Globs | None = None
    images: ImageGlobs | None = None
    workloads: tuple[WorkloadMatch, ...] = ()
    pod_labels: tuple[tuple[str, Globs], ...] = ()
    uses: tuple[str, ...] = ()
    """Resource names of which the container asks a non-zero amount."""

    @property
    def is_whole_pod(self) -> bool:
        """True when nothing in it looks at a single container."""
        return self.containers is None and self.images is None and not self.uses

    def match_pod(self, workload: Workload) -> bool:
        """The part of the match that is one for all containers of a pod."""
        labels = workload.labels
        return all(key in labels and glob.match(labels[key]) for key, glob in self.pod_labels) and (
            not self.workloads or any(match.match(workload) for match in self.workloads)
        )

    def match_container(self, container: Container) -> bool:
        """The part of the match that looks at one container."""
        return (
            (self.containers is None or self.containers.match(container.name))
            and (self.images is None or self.images.match(container.image))
            and (not self.uses or any(container.resources.asks_for(resource) for resource in self.uses))
        )


class Override(Struct, frozen=True):
    """Other rules for the containers that match; the first override that matches wins."""

    match: Matcher
    rules: Mapping[ContainerClass, Rules]


class NamespaceMatch(Struct, frozen=True):
    """(selector or include) minus exclude."""

    selector: LabelSelector | None = None
    include: Globs | None = None
    exclude: Globs | None = None

    def match(self, name: str, labels: Mapping[str, str]) -> bool:
        """True when the namespace is meant."""
        if self.exclude is not None and self.exclude.match(name):
            return False
        return (self.include is not None and self.include.match(name)) or (
            self.selector is not None and self.selector.match(labels)
        )


class Policy(Struct, frozen=True):
    """A ``ClusterLimitPolicy``, compiled. One namespace is governed by at most one."""

    name: str
    namespaces: NamespaceMatch
    priority: int = 0
    mode: Mode = Mode.AUDIT
    enforce_from: datetime | None = None
    """Until then Enforce acts as Warn, for pods and templates. Aware, UTC."""
    defaulting: Defaulting = Defaulting.SUGGEST
    templates: Mode | None = Mode.AUDIT
    """For objects that carry a pod template; None is ``Ignore``."""
    rules: Mapping[ContainerClass, Rules] = {}
    pod: Rules = Rules()
    """Bounds of the pod's totals; no defaults, never clamped."""
    overrides: tuple[Override, ...] = ()
    limit_range_managed: bool = False
    resource_quota: Mapping[str, Quantity] = {}
    origin: str = ""
    """Where the document stands, for messages: ``policies/ops.yaml:12``."""

    def rules_for(self, container: Container, overrides: tuple[Override, ...]) -> Rules:
        """The rules of one container; ``overrides`` are those whose pod part matches its pod."""
        for override in overrides:
            if override.match.match_container(container):
                return override.rules[container.container_class]
        return self.rules[container.container_class]

    def mode_at(self, now: datetime, *, template: bool) -> Mode | None:
        """The mode in force at ``now``; None where templates are ignored."""
        mode = self.templates if template else self.mode
        if mode is Mode.ENFORCE and self.enforce_from is not None and now < self.enforce_from:
            return Mode.WARN
        return mode


ALL_CHECKS = "*"


class Exemption(Struct, frozen=True):
    """A ``ClusterLimitExemption``, compiled: a stated, dated reason not to judge."""

    name: str
    owner: str
    reason: str
    expires: datetime
    """The last instant at which it holds. Aware, UTC."""
    expires_text: str
    """As written: a date, or an instant."""
    match: Matcher
    namespaces: Globs | None
    """None matches every namespace."""
    waive: frozenset[str]
    """Check ids, or `ALL_CHECKS`."""
    ticket: str | None = None
    origin: str = ""

    def waives(self, check: str) -> bool:
        """True when ``check`` is not judged where this exemption matches."""
        return check in self.waive or ALL_CHECKS in self.waive


NAME_LABEL = "kubernetes.io/metadata.name"
"""The API server puts it on every namespace, and nobody can forge it."""


class Namespace(Struct, frozen=True):
    """A namespace, as far as policies look at it."""

    name: str
    labels: Mapping[str, str] = {}
