"""The Report: what an audit found, one row for each workload. `check`, `explain` and the audit API print this document.

Structs, not models: a report of a cluster has a hundred thousand rows and is streamed. The same input gives the same
bytes: rows in the order of the input, results by container, field and check, and no time of day. Decides nothing.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

API_VERSION: Final = "plimsoll.dev/v1alpha1"
KIND: Final = "Report"

Result = Literal["pass", "fail", "warn", "error", "skip"]
ModeText = Literal["Audit", "Warn", "Enforce"]
Field = Literal["request", "limit"]
QosClass = Literal["Guaranteed", "Burstable", "BestEffort"]


class ReportObject(Struct, frozen=True, rename="camel", omit_defaults=True):
    """The object a row is about, as far as it could be read."""

    api_version: str
    kind: str
    namespace: str
    name: str
    generate_name: str = ""
    """Where the API server chooses the name."""


class ReportOrigin(Struct, frozen=True, omit_defaults=True):
    """Where the object stands."""

    file: str
    """Path as given; `-` is standard input; empty for a request's body."""
    document: int = 0
    """Number of the YAML document in the file, from 1; absent for the file as a whole."""
    line: int | None = None
    """1-based line on which the object begins."""
    source: str = ""
    """The template that made it, by the `# Source:` comment that Helm writes."""


class ReportModes(Struct, frozen=True, rename="camel", omit_defaults=True):
    """What happens to a violation now."""

    pods: ModeText
    """When its Pods are created."""
    object: ModeText | None = None
    """When the object itself is applied; absent for a Pod, and where admission does not look at the kind."""
    enforce_from: str = ""
    """RFC 3339; set while the policy's Enforce still acts as Warn."""


class ReportExemption(Struct, frozen=True, omit_defaults=True):
    """Who answers for a violation that is not held against the workload, and until when."""

    name: str
    owner: str
    reason: str
    expires: str
    """As written: a date, or an instant."""
    ticket: str = ""


class ReportResult(Struct, frozen=True, rename="camel", omit_defaults=True):
    """One check that one field does not pass."""

    result: Result
    check: str
    """`memory.limit.required`; `pod.` before it for the pod's totals."""
    container: str | None
    """null: the pod as a whole."""
    pointer: str
    """JSON Pointer to the field in the object, whether it is there or missing."""
    message: str
    allowed: str
    found: str | None = None
    """Absent: nothing is there."""
    container_class: str | None = None
    """`regular`, `init` or `sidecar`."""
    line: int | None = None
    """Of the field, or of its nearest parent."""
    note: str = ""
    exemption: ReportExemption | None = None


class ReportSetting(Struct, frozen=True, omit_defaults=True):
    """A value that the policy sets, replaces or removes when the Pod is created."""

    container: str
    pointer: str
    """JSON Pointer to the field."""
    resource: str
    field: Field
    cause: str
    """`policy default` or `clamp`."""
    before: str | None = None
    after: str | None = None
    """Absent: removed."""


class ReportSuggestion(Struct, frozen=True):
    """A missing value that nothing requires and that has a default."""

    container: str
    pointer: str
    resource: str
    field: Field
    value: str


class ReportAdvice(Struct, frozen=True, omit_defaults=True):
    """A written amount that is probably a slip of the pen."""

    container: str
    pointer: str
    message: str
    found: str
    meant: str = ""
    line: int | None = None


class ReportPrediction(Struct, frozen=True, rename="camel", omit_defaults=True):
    """A refusal by Kubernetes itself when the Pods are made, whatever the policy says."""

    message: str
    limit_range: str = ""
    """Whose refusal it is; absent where it is the API server's own."""
    container: str | None = None


class ReportError(Struct, frozen=True, omit_defaults=True):
    """Why a row could not be judged."""

    message: str
    pointer: str = ""
    line: int | None = None


class ReportRow(Struct, frozen=True, rename="camel", omit_defaults=True):
    """One workload judged, or one input that could not be."""

    result: Result
    origin: ReportOrigin
    object: ReportObject | None
    """null: nobody could tell which object it is."""
    results: tuple[ReportResult, ...]
    template: str = ""
    """JSON Pointer to the pod template; absent for a Pod."""
    policy: str = ""
    """Name of the governing policy; absent where none governs."""
    modes: ReportModes | None = None
    reason: str = ""
    """Why the result is what it is, where the results below do not say it."""
    qos_before: QosClass | None = None
    """As written, with what Kubernetes itself fills in."""
    qos_after: QosClass | None = None
    """With what the policy sets."""
    settings: tuple[ReportSetting, ...] = ()
    suggestions: tuple[ReportSuggestion, ...] = ()
    advice: tuple[ReportAdvice, ...] = ()
    predictions: tuple[ReportPrediction, ...] = ()
    yaml: str = ""
    """What to write so that it passes."""
    passes: bool = True
    """False: even so something would be left to do, which the results say."""
    error: ReportError | None = None


class ReportPolicy(Struct, frozen=True):
    """A policy that governs a workload of this report."""

    name: str
    origin: str
    workloads: int
    """How many it governs."""


class ReportSummary(Struct, frozen=True, rename={"passed": "pass"}):
    """How many rows have each result."""

    passed: int
    fail: int
    warn: int
    error: int
    skip: int


class ReportInput(Struct, frozen=True, rename="camel"):
    """What was read."""

    documents: int
    without_template: int
    """Objects that carry no pod template: nothing to judge."""


class Report(Struct, frozen=True, rename="camel", omit_defaults=True):
    """The whole document."""

    api_version: Literal["plimsoll.dev/v1alpha1"]
    kind: Literal["Report"]
    sources: tuple[str, ...]
    """Where the policies came from: files, or a preset."""
    rows: tuple[ReportRow, ...]
    policies: tuple[ReportPolicy, ...]
    """Those that govern a row, by name."""
    input: ReportInput
    summary: ReportSummary
    incomplete: str = ""
    """Why the rows are not all there are; absent when they are."""


def json_schema(ref_template: str = "#/$defs/{name}") -> tuple[dict[str, Any], dict[str, Any]]:
    """JSON Schema of a Report as a reference, and the definitions it needs by name.

    ``ref_template`` places the definitions: ``#/components/schemas/{name}`` for OpenAPI.
    """
    (reference,), definitions = msgspec.json.schema_components([Report], ref_template=ref_template)
    return reference, definitions
