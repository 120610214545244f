"""The Explanation: why one workload gets the values it gets. What `explain` prints as JSON, and draws as text.

A Report's row says what is wrong; this says where everything comes from, also where nothing is wrong.
"""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

from plimsoll.schemas.report import Field, ReportRow

EXPLANATION_KIND: Final = "Explanation"

Origin = Literal["written", "API default", "LimitRange", "policy default", "clamp", "missing"]


class ExplainedPolicy(Struct, frozen=True, rename="camel", omit_defaults=True):
    """The policy that governs, and why it does."""

    name: str
    origin: str
    because: str
    """What of its `namespaces` matches: `include "logging-*"`."""
    priority: int
    defaulting: Literal["Suggest", "Apply"]
    others: tuple[str, ...] = ()
    """Policies that match as well and do not govern, with their priority."""
    enforce_from: str = ""
    """RFC 3339, past or to come."""


class ExplainedValue(Struct, frozen=True, omit_defaults=True):
    """One amount of one container, and who put it there."""

    resource: str
    field: Field
    amount: str | None
    """What the API server will finally store; null: nothing is there."""
    origin: Origin
    name: str = ""
    """Of the LimitRange or policy."""
    was: str = ""
    """What was written, where it was replaced."""
    rules: str = ""
    """What the policy says about it: `required, at most 4Gi`."""


class ExplainedContainer(Struct, frozen=True, rename="camel", omit_defaults=True):
    """One container; ephemeral ones are never judged and have no values."""

    name: str
    container_class: str
    image: str
    values: tuple[ExplainedValue, ...]
    rules_from: str = ""
    """Which part of the policy speaks about it: its class, or an override."""


class ExplainedExemption(Struct, frozen=True, omit_defaults=True):
    """An exemption that matches the workload."""

    name: str
    owner: str
    reason: str
    expires: str
    holds: bool
    """False: past its end, it waives nothing."""
    waives: tuple[str, ...]
    containers: tuple[str, ...]
    """Those it matches."""


class Explanation(Struct, frozen=True, rename="camel", omit_defaults=True):
    """One workload explained."""

    row: ReportRow
    policy: ExplainedPolicy | None
    containers: tuple[ExplainedContainer, ...]
    pod: tuple[str, ...] = ()
    """What the policy says about the pod's totals."""
    exemptions: tuple[ExplainedExemption, ...] = ()
    limit_ranges: tuple[str, ...] = ()
    """LimitRanges of the namespace."""
    qos: str = ""
    """What the change of the class of service means."""
    hint: str = ""
    """What the reader may have forgotten."""


class Explanations(Struct, frozen=True, rename="camel"):
    """The whole document."""

    api_version: Literal["plimsoll.dev/v1alpha1"]
    kind: Literal["Explanation"]
    sources: tuple[str, ...]
    workloads: tuple[Explanation, ...]
    errors: tuple[ReportRow, ...]
    """What could not be judged."""
